#include "protocol/reply_walk.h"

/* see reply_walk.h */

int
reply_walk_open(struct reply_walk *w, struct span reply)
{
    unsigned first = reply.len == 0 ? 0 : (unsigned char)reply.p[0];
    int got;

    w->cbor = first >> 5 == CBOR_MAP || first >> 5 == CBOR_TAG;
    if (w->cbor) {
        got = cbor_walk_open(&w->in.cbor, reply);
        w->map = got == 0 && w->in.cbor.map;
    } else {
        got = json_walk_open(&w->in.json, reply);
        w->map = got == 0 && w->in.json.close == '}';
    }
    return got;
}

int
reply_walk_name(struct reply_walk *w, struct span *name)
{
    return w->cbor ? cbor_walk_name(&w->in.cbor, name) : json_walk_name(&w->in.json, name);
}

int
reply_walk_value(struct reply_walk *w, struct span *value)
{
    return w->cbor ? cbor_walk_value(&w->in.cbor, value) : json_walk_value(&w->in.json, value);
}

int
reply_walk_next(struct reply_walk *w, struct span *name, struct span *value)
{
    return w->cbor ? cbor_walk_next(&w->in.cbor, name, value)
                   : json_walk_next(&w->in.json, name, value);
}

int
reply_walk_enter(const struct reply_walk *w, struct reply_walk *inner)
{
    int got;

    inner->cbor = w->cbor;
    if (w->cbor) {
        got = cbor_walk_enter(&w->in.cbor, &inner->in.cbor);
        inner->map = got == 0 && inner->in.cbor.map;
    } else {
        got = json_walk_enter(&w->in.json, &inner->in.json);
        inner->map = got == 0 && inner->in.json.close == '}';
    }
    return got;
}

void
reply_walk_leave(struct reply_walk *w, const struct reply_walk *inner)
{
    if (w->cbor)
        cbor_walk_leave(&w->in.cbor, &inner->in.cbor);
    else
        (void)json_walk_leave(&w->in.json, &inner->in.json);
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
