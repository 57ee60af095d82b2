#include "protocol/reply_walk.h"

/* see reply_walk.h */

static int
open_as(struct reply_walk *w, bool cbor, struct span text)
{
    int got;

    w->cbor = cbor;
    if (cbor) {
        got = cbor_walk_open(&w->in.cbor, text);
        w->map = got == 0 && w->in.cbor.map;
    } else {
        got = json_walk_open(&w->in.json, text);
        w->map = got == 0 && w->in.json.close == '}';
    }
    return got;
}

int
reply_walk_open(struct reply_walk *w, struct span reply)
{
    unsigned first = reply.len == 0 ? 0 : (unsigned char)reply.p[0];

    return open_as(w, first >> 5 == CBOR_MAP || first >> 5 == CBOR_TAG, reply);
}

int
reply_walk_into(struct reply_walk *inner, const struct reply_walk *w, struct span value)
{
    return open_as(inner, w->cbor, value);
}

int
reply_walk_next(struct reply_walk *w, struct span *name, struct span *value)
{
    return w->cbor ? cbor_walk_next(&w->in.cbor, name, value)
                   : json_walk_next(&w->in.json, name, value);
}

bool
reply_walk_named(const struct reply_walk *w, struct span name, struct span text)
{
    return w->cbor ? cbor_same(name, text) : span_same(name, text);
}

struct span
reply_walk_string(const struct reply_walk *w, struct span value)
{
    return w->cbor ? cbor_string(value) : json_walk_string(value);
}

bool
reply_walk_is_number(const struct reply_walk *w, struct span value)
{
    uint64_t number;

    return (w->cbor ? cbor_number(value, &number) : span_number(value, UINT64_MAX, &number)) == 0;
}
