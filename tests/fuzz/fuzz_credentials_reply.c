/* What the endpoint for credentials answers. */
#include "fuzz.h"
#include "protocol/credentials_reply.h"
#include "protocol/timestamp.h"

#include <string.h>

#define LAST_MS 253402300799999u /* of the year 9999 */

/* Goes into a header field. */
static void
check_value(struct span value, const struct out *room)
{
    FACT(value.len > 0 && fuzz_within(value, out_span(room)));
    for (size_t i = 0; i < value.len; i++)
        FACT(value.p[i] > ' ' && value.p[i] < 0x7f);
}

static void
put_member(struct out *o, struct span name, struct span value)
{
    out_put(o, o->len == 0 ? SPAN("{\"") : SPAN(",\""));
    out_put(o, name);
    out_put(o, SPAN("\":\""));
    out_json(o, value);
    out_byte(o, '"');
}

/* The plainest reply that says the same. */
static struct span
write_reply(const struct credentials_reply *r)
{
    size_t cap = 120 + 6 * (r->access_key.len + r->secret_key.len + r->session_token.len);
    struct out o = out_to(fuzz_room(cap), cap);
    char expires[TIMESTAMP_RFC3339_LEN];

    timestamp_rfc3339(r->expires_ms, expires);
    put_member(&o, SPAN("Expiration"), (struct span){expires, sizeof expires});
    put_member(&o, SPAN("Token"), r->session_token);
    put_member(&o, SPAN("SecretAccessKey"), r->secret_key);
    put_member(&o, SPAN("AccessKeyId"), r->access_key);
    out_byte(&o, '}');
    FACT(out_end(&o) == 0);
    return fuzz_copy(out_span(&o));
}

/* Into just enough room, and into less. */
static void
check_same(const struct credentials_reply *r)
{
    struct span body = write_reply(r);
    size_t need = r->access_key.len + r->secret_key.len + r->session_token.len;
    size_t less = fuzz_dice((uint32_t)need);
    struct out room = out_to(fuzz_room(need), need);
    struct out small = out_to(fuzz_room(less), less);
    struct credentials_reply same;

    FACT(credentials_reply_read(body, &room, &same) == 0 && room.len == need);
    FACT(span_same(same.access_key, r->access_key) && span_same(same.secret_key, r->secret_key));
    FACT(span_same(same.session_token, r->session_token));
    FACT(same.expires_ms == (r->expires_ms < LAST_MS ? r->expires_ms : LAST_MS));
    FACT(credentials_reply_read(body, &small, &same) == ERR_FULL);
}

/* Without its last bracket it is none, wherever it ends. */
static void
check_cut(struct span in)
{
    const char *end = memrchr(in.p, '}', in.len);
    size_t len = fuzz_dice((uint32_t)(end - in.p) + 1);
    struct out room = out_to(fuzz_room(in.len), in.len);
    struct credentials_reply r;

    FACT(credentials_reply_read(fuzz_copy((struct span){in.p, len}), &room, &r) == ERR_BAD);
}

void
fuzz(struct span in)
{
    struct out room = out_to(fuzz_room(in.len), in.len);
    struct credentials_reply r;
    int got = credentials_reply_read(in, &room, &r);

    /* what is decoded is never longer than it was */
    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    check_value(r.access_key, &room);
    check_value(r.secret_key, &room);
    check_value(r.session_token, &room);
    check_same(&r);
    check_cut(in);
}
