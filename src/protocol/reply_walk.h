#ifndef REPLY_WALK_H
#define REPLY_WALK_H
/*
 * Walks through a service's reply, in JSON (json_walk.h) or in CBOR (cbor.h). The first byte of the
 * reply tells them apart: no JSON text begins with one of CBOR's maps or tags.
 *
 * Spans point into the text and are valid as long as it is unchanged.
 */
#include "protocol/cbor.h"
#include "protocol/json_walk.h"

struct reply_walk {
    bool cbor;
    bool map; /* else an array */
    union {
        struct json_walk json;
        struct cbor_walk cbor;
    } in;
};

/* Begins a walk through the whole reply. Returns 0, or below zero if it is neither a map nor an array. */
int reply_walk_open(struct reply_walk *w, struct span reply);

/*
 * The next member or element, name and value as they stand; use the calls below to read them. Returns 1;
 * 0 at the end; below zero as json_walk_next and cbor_walk_next.
 */
int reply_walk_next(struct reply_walk *w, struct span *name, struct span *value);

/* The same in two steps, and a walk through a value: as json_walk.h and cbor.h have them. */
int reply_walk_name(struct reply_walk *w, struct span *name);
int reply_walk_value(struct reply_walk *w, struct span *value);
int reply_walk_enter(const struct reply_walk *w, struct reply_walk *inner);
void reply_walk_leave(struct reply_walk *w, const struct reply_walk *inner);

/* Whether a member's name is this one. */
static inline bool
reply_walk_named(const struct reply_walk *w, struct span name, struct span text)
{
    return w->cbor ? cbor_same(name, text) : span_same(name, text);
}

/* A string's contents, as json_walk_string or cbor_string return them; a null span for any other value. */
struct span reply_walk_string(const struct reply_walk *w, struct span value);

/* Whether a value is a whole number, zero or more. */
bool reply_walk_is_number(const struct reply_walk *w, struct span value);

#endif
