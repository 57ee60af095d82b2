#ifndef OVERSIZE_SPLIT_H
#define OVERSIZE_SPLIT_H
/*
 * A record that is larger than Kinesis takes becomes several.
 *
 * The record may be any bytes. Everything here takes time in proportion to it, and no memory but the
 * caller's.
 */
#include "protocol/out.h"

/*
 * Splits a record into JSON objects that hold a part of its bytes each, as a string:
 *
 *     {"split":{"id":"7f3a-12","part":1,"parts":3},"text":"..."}
 *
 * The texts of parts 1..parts, one after the other, are the record, byte by byte. Characters are
 * not cut in two; bytes that are no UTF-8 are passed on as they are.
 */
struct oversize_split {
    uint32_t parts;
    size_t bytes; /* of all parts together */

    /* private */
    struct span rest, id;
    size_t room; /* for the text of one part, as JSON */
    uint32_t part;
};

/*
 * Begins, and counts the parts. The record and id have to stay until the last one is written; id
 * goes into a JSON string as it is.
 *
 * Returns 0, or ERR_BIG when max has no room for a text: 72 bytes and the id's length have.
 */
int oversize_split(struct oversize_split *s, struct span record, struct span id, size_t max);

/* Exactly the length of the next part, at most max; 0 behind the last one. */
size_t oversize_split_size(const struct oversize_split *s);

/*
 * Writes the next part.
 * Returns 1; 0 behind the last one; ERR_FULL, and it is still the next one.
 */
int oversize_split_next(struct oversize_split *s, struct out *o);

#endif
