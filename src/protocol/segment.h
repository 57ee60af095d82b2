#ifndef SEGMENT_H
#define SEGMENT_H
/*
 * What generated request bodies consist of: bytes that are written as they are, as the contents of a JSON
 * string, or in base64. A segment is read out into buffers of any size, with a cursor that is kept between
 * reads, so that its encoded form is never stored.
 */
#include "protocol/span.h"

struct segment {
    enum segment_form { SEGMENT_PLAIN, SEGMENT_ESCAPED, SEGMENT_BASE64 } form;
    struct span bytes; /* belong to the caller, and must be the same for each read */
};

/* Where the next read continues; set to zeros before a segment's first. */
struct segment_cursor {
    size_t at;     /* in the bytes */
    size_t within; /* output characters of the current escape or base64 group already produced */
};

/* The length of a segment's encoded form. Looks at every byte of an escaped one. */
size_t segment_len(const struct segment *segment);

/* Writes the next bytes and advances the cursor. Returns how many: cap, unless the segment ends before. */
size_t segment_read(const struct segment *segment, struct segment_cursor *cursor, char *buffer,
                    size_t cap);

/* Whether everything has been read. */
bool segment_ended(const struct segment *segment, const struct segment_cursor *cursor);

#endif
