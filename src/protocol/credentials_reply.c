#include "protocol/credentials_reply.h"

#include "protocol/json.h"
#include "protocol/timestamp.h"

/* see credentials_reply.h */

static bool
printable(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.len > 0;
}

static int
value(const struct json *doc, struct span name, struct out *room, struct span *text)
{
    size_t start = room->len;
    int got = json_text(doc, json_member(doc, 0, name), room);

    if (got < 0)
        return got;
    *text = (struct span){room->p + start, room->len - start};
    return printable(*text) ? 0 : ERR_BAD;
}

int
credentials_reply_read(struct span body, struct out *room, struct credentials_reply *r)
{
    struct json doc;
    int got;

    if (json_parse(&doc, body) < 0)
        return ERR_BAD;
    got = value(&doc, SPAN("AccessKeyId"), room, &r->access_key);
    if (got == 0)
        got = value(&doc, SPAN("SecretAccessKey"), room, &r->secret_key);
    if (got == 0)
        got = value(&doc, SPAN("Token"), room, &r->session_token);
    if (got < 0)
        return got;
    return timestamp_read_rfc3339(json_raw(&doc, json_member(&doc, 0, SPAN("Expiration"))),
                                  &r->expires_ms);
}
