#ifndef OVERSIZE_SPLIT_H
#define OVERSIZE_SPLIT_H
/*
 * Splits records that are larger than Kinesis takes into several. A record may consist of any bytes. Time is
 * proportional to the record; all memory is the caller's.
 */
#include "protocol/out.h"

/*
 * The parts are JSON objects, each with some of the record's bytes as a string:
 *
 *     {"split":{"id":"7f3a-12","part":1,"parts":3},"text":"..."}
 *
 * The texts of parts 1..parts, concatenated, are the record, byte for byte. Characters are not cut in two;
 * bytes that are not UTF-8 are passed on unchanged.
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
 * Begins, and counts the parts. The record and the id must remain until the last part is written; the id is
 * put into a JSON string unescaped.
 *
 * Returns 0, or ERR_BIG if max leaves no room for a text: 72 bytes plus the id's length suffice.
 */
int oversize_split(struct oversize_split *s, struct span record, struct span id, size_t max);

/* Exact length of the next part, at most max; 0 after the last one. */
size_t oversize_split_size(const struct oversize_split *s);

/*
 * Writes the next part.
 * Returns 1; 0 after the last one; ERR_FULL, and the next call writes the same part.
 */
int oversize_split_next(struct oversize_split *s, struct out *o);

#endif
