#ifndef CBOR_H
#define CBOR_H
/*
 * CBOR in place: heads of items for a writer, and for a reader a walk through maps and arrays of any
 * size. No tokens, no recursion, no copy.
 *
 * The reader accepts definite and indefinite lengths, and steps over tags and floating-point numbers.
 * A value that is stepped over is checked to be well-formed; whether text is valid UTF-8 is not checked.
 *
 * Spans point into the text and are valid as long as the text is unchanged.
 * Source: RFC 8949, sections 3 and 5.3.1, appendix C.
 */
#include "protocol/span.h"

/* Major types: the upper three bits of an item's first byte. */
enum cbor_major {
    CBOR_UNSIGNED,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_OTHER /* floating-point numbers, false, true, null; the end of an indefinite length */
};

#define CBOR_HEAD_MAX 9 /* bytes of a head */
#define CBOR_DEPTH_MAX 16

/* The length of the shortest head with this argument, which is a length, a count or a number. */
size_t cbor_head_len(uint64_t argument);

/* Writes that head; there must be room for CBOR_HEAD_MAX bytes. Returns its length. */
size_t cbor_head(char *to, enum cbor_major major, uint64_t argument);

/*
 * The length of the first value in the text, including its tags.
 *
 * Returns the length; ERR_MORE when the text ends within the value; ERR_BAD when it can never become
 * well-formed; ERR_BIG when it is nested deeper than CBOR_DEPTH_MAX, or has more than 2 GiB or that many
 * elements.
 */
int cbor_value(struct span text);

struct cbor_walk {
    struct span rest; /* what the walk has not visited yet */
    bool map, endless;
    uint64_t left; /* members or elements, unless endless */
};

/*
 * Begins a walk through the map or array that the text begins with, tags before it allowed.
 *
 * Returns 0; ERR_BAD when the text begins otherwise; ERR_MORE when it is empty or ends within the
 * head; ERR_BIG as cbor_value.
 */
int cbor_walk_open(struct cbor_walk *w, struct span text);

/*
 * The next member or element.
 *
 * name   of a member: the whole item, for cbor_same; empty in an array.
 * value  the whole item.
 *
 * Returns 1; 0 at the end, and again when called again; ERR_BAD; ERR_MORE when the text ends before
 * that; ERR_BIG as cbor_value. An error leaves the walk where it was.
 */
int cbor_walk_next(struct cbor_walk *w, struct span *name, struct span *value);

/*
 * The same in two steps, as in json_walk.h: the name, then either its value, or a walk through the value
 * and back out of it.
 */
int cbor_walk_name(struct cbor_walk *w, struct span *name);
int cbor_walk_value(struct cbor_walk *w, struct span *value);
int cbor_walk_enter(const struct cbor_walk *w, struct cbor_walk *inner);
void cbor_walk_leave(struct cbor_walk *w, const struct cbor_walk *inner);

/*
 * The contents of a value that is a text or byte string; a null span for any other value. Takes values
 * as cbor_walk_next returns them.
 *
 * A string of indefinite length consists of chunks. If it has more than one that is not empty, its contents
 * are not contiguous, and only the first of these is returned. (Encoders write such strings when they stream
 * large values, not for names and codes.)
 */
struct span cbor_string(struct span value);

/* Whether a value is a string, in any number of chunks, that equals this text. */
bool cbor_same_any(struct span value, struct span text);

/* The same. Inline for text of less than 24 bytes in its shortest form, as names are. */
static inline bool
cbor_same(struct span value, struct span text)
{
    unsigned first = value.len > 0 ? (unsigned char)value.p[0] : 0;

    if (first >> 5 != CBOR_TEXT || (first & 31) >= 24)
        return cbor_same_any(value, text);
    return value.len == 1 + text.len && (first & 31) == text.len &&
           memcmp(value.p + 1, text.p, text.len) == 0;
}

/* Returns 0 and the number when a value is an unsigned one, else ERR_BAD. */
int cbor_number(struct span value, uint64_t *number);

#endif
