#ifndef BASE64_H
#define BASE64_H
/*
 * Reads base64 with padding as PEM has it, in lines of any length: blanks do not count, wherever they are. Bits that no
 * byte takes are not looked at. Source: RFC 4648, section 4; RFC 7468, section 3.
 */
#include "protocol/span.h"

/* Where a text has been read to; all zero at its beginning. */
struct base64 {
    uint32_t bits;   /* of the group of four that has begun */
    unsigned len;    /* characters of it */
    unsigned padded; /* how many of the last group's were '=' */
};

/*
 * Takes from the front of text until it is empty, or until `to` has no room for another group's three bytes.
 *
 * Returns how many bytes it has written; ERR_BAD at a character that is none of base64's or follows padding.
 */
int base64_read(struct base64 *b, struct span *text, uint8_t *to, size_t cap);

/* Whether what has been read may end here. */
bool base64_whole(const struct base64 *b);

#endif
