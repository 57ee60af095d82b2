#include "protocol/wire.h"

#include "protocol/retry.h"

/* see wire.h */

struct span
wire_content_type(enum wire_form form)
{
    return form == WIRE_CBOR ? SPAN("application/x-amz-cbor-1.1")
                             : SPAN("application/x-amz-json-1.1");
}

enum wire_form
wire_measure(const struct wire *w)
{
    return w->proven ? WIRE_CBOR : WIRE_JSON;
}

/* Codes of a service that cannot make sense of a request. */
static bool
means_nothing_to_it(struct span code)
{
    return span_same(code, SPAN("SerializationException")) ||
           span_same(code, SPAN("UnknownOperationException")) ||
           span_starts(code, SPAN("MissingAuthenticationToken"));
}

static bool
refuses_type(unsigned status, struct span code)
{
    switch (status) {
    case 415:
        return true;
    case 400:
    case 404:
        return code.len == 0 || means_nothing_to_it(code);
    case 403:
        return means_nothing_to_it(code);
    case 406:
        return code.len == 0;
    default:
        return false;
    }
}

static bool
unreadable(unsigned status)
{
    return status / 100 == 2;
}

/* Whether the reason for a reply may be that the form was not understood. */
static bool
may_be_of_form(unsigned status, struct span code)
{
    if (unreadable(status))
        return true;
    /* too large or too many: the meaning is clear, and JSON would be larger still */
    if (status < 400 || status == 413 || status == 429)
        return false;
    /* InternalError: local servers report exceptions in their own code like this */
    return !retry_knows(code) || span_same(code, SPAN("InternalError"));
}

unsigned
wire_accepted(struct wire *w)
{
    unsigned trial = w->trial;

    w->trial = 0;
    if (trial >= 502 && trial <= 504 && !w->doubted) {
        w->doubted = true;
        w->form = WIRE_CBOR;
        return 0;
    }
    w->proven = w->form == WIRE_CBOR;
    return trial;
}

bool
wire_refused(struct wire *w, unsigned status, struct span code)
{
    bool type = refuses_type(status, code);

    if (!type && !may_be_of_form(status, code))
        return false;
    if (w->form == WIRE_JSON) {
        if (w->trial != 0)
            w->form = WIRE_CBOR;
        w->trial = 0;
        return false;
    }
    if (w->proven && !(unreadable(status) && w->unread)) {
        w->unread = w->unread || unreadable(status);
        return false;
    }
    w->proven = false;
    w->form = WIRE_JSON;
    w->trial = type ? 0 : status;
    return true;
}
