#include "protocol/wire.h"

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

void
wire_accepted(struct wire *w)
{
    w->proven = w->form == WIRE_CBOR;
}

/* What a service says that cannot make sense of a request. */
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

bool
wire_refused(struct wire *w, unsigned status, struct span code)
{
    if (w->form != WIRE_CBOR || w->proven || !refuses_type(status, code))
        return false;
    w->form = WIRE_JSON;
    return true;
}
