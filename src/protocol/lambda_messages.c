#include "protocol/lambda_messages.h"

#include <string.h>

#include "protocol/event.h"
#include "protocol/json.h"

/* see lambda_messages.h */

const struct span lambda_members[] = {
    {"eventType", 9}, {"requestId", 9},           {"deadlineMs", 10}, {"shutdownReason", 14},
    {"accountId", 9}, {"invokedFunctionArn", 18}, {NULL, 0},
};

struct span
lambda_register_body(bool shutdown_only)
{
    return shutdown_only ? SPAN("{\"events\":[\"SHUTDOWN\"]}")
                         : SPAN("{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}");
}

/* Copies a text member of the root; what is absent or too long becomes empty. */
static size_t
copy_text(const struct json *doc, struct span name, char *to, size_t cap)
{
    struct out o = out_to(to, cap);
    int token = json_member(doc, 0, name);

    return token >= 0 && json_text(doc, token, &o) == 0 ? o.len : 0;
}

void
lambda_registered(struct span body, struct lambda_registered *registered)
{
    struct json doc;

    registered->account_id_len = 0;
    if (json_parse(&doc, body) == 0)
        registered->account_id_len = copy_text(&doc, SPAN("accountId"), registered->account_id,
                                               sizeof registered->account_id);
}

/* arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME */
static struct span
account_of(struct span arn)
{
    enum { LEN = 12 };
    const char *end = span_find(arn, SPAN(":function:"));
    struct span account = {end, LEN};

    if (end == NULL || end - arn.p <= LEN)
        return (struct span){NULL, 0};
    account.p -= LEN;
    return account.p[-1] == ':' && span_made_of(account, "") ? account : (struct span){NULL, 0};
}

int
lambda_event(struct span body, struct lambda_event *event)
{
    struct json doc;
    char type[16];
    size_t type_len;

    *event = (struct lambda_event){0};
    if (json_parse(&doc, body) != 0)
        return ERR_BAD;
    type_len = copy_text(&doc, SPAN("eventType"), type, sizeof type);
    if (span_same((struct span){type, type_len}, SPAN("INVOKE")))
        event->type = LAMBDA_INVOKE;
    else if (span_same((struct span){type, type_len}, SPAN("SHUTDOWN")))
        event->type = LAMBDA_SHUTDOWN;
    else
        return ERR_BAD;
    if (json_number(&doc, json_member(&doc, 0, SPAN("deadlineMs")), UINT64_MAX / 2,
                    &event->deadline_ms) != 0)
        event->deadline_ms = 0;
    event->request_id_len =
        copy_text(&doc, SPAN("requestId"), event->request_id, sizeof event->request_id);
    event->reason_len =
        copy_text(&doc, SPAN("shutdownReason"), event->reason, sizeof event->reason);
    event->account_id_len =
        out_keep(event->account_id, sizeof event->account_id, 0,
                 account_of(json_raw(&doc, json_member(&doc, 0, SPAN("invokedFunctionArn")))));
    return 0;
}

static void
put_types(struct out *o, unsigned types)
{
    static const struct {
        uint8_t type;
        char name[12];
    } names[] = {
        {EVENT_PLATFORM, "\"platform\""},
        {EVENT_FUNCTION, "\"function\""},
        {EVENT_EXTENSION, "\"extension\""},
    };
    bool first = true;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((types & names[i].type) == 0)
            continue;
        if (!first)
            out_byte(o, ',');
        out_put(o, span_of(names[i].name));
        first = false;
    }
}

int
lambda_subscription_body(struct out *o, const struct lambda_subscription *s)
{
    out_put(o, SPAN("{\"schemaVersion\":\""));
    out_put(o, s->schema_version);
    out_put(o, SPAN("\",\"types\":["));
    put_types(o, s->types);
    out_put(o, SPAN("],\"buffering\":{\"maxItems\":"));
    out_number(o, s->max_items);
    out_put(o, SPAN(",\"maxBytes\":"));
    out_number(o, s->max_bytes);
    out_put(o, SPAN(",\"timeoutMs\":"));
    out_number(o, s->timeout_ms);
    out_put(o,
            SPAN("},\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:"));
    out_number(o, s->port);
    out_put(o, s->path);
    out_put(o, SPAN("\"}}"));
    return out_end(o);
}

struct span
lambda_error_type(struct span body)
{
    const struct span name = SPAN("\"errorType\"");
    const char *end = body.p + body.len;
    const char *p = span_find(body, name);
    const char *start;

    if (p == NULL)
        return (struct span){NULL, 0};
    p += name.len;
    while (p < end && (*p == ' ' || *p == ':'))
        p++;
    if (p == end || *p != '"')
        return (struct span){NULL, 0};
    start = ++p;
    while (p < end && *p != '"')
        p++;
    return (struct span){start, p < end ? (size_t)(p - start) : 0};
}
