#ifndef PIECE_H
#define PIECE_H
/*
 * What generated request bodies consist of: bytes that are written as they are, as the inside of a
 * JSON string, or in base64. A piece is read out into buffers of any size, from a place that is
 * kept between them, so that nothing of it is ever stored.
 */
#include "protocol/span.h"

struct piece {
    enum piece_form { PIECE_PLAIN, PIECE_ESCAPED, PIECE_BASE64 } form;
    struct span bytes; /* belong to the caller, and must be the same for each read */
};

/* Where the next read goes on; set to zeros before a piece's first. */
struct piece_place {
    size_t at;     /* in the bytes */
    size_t within; /* characters of what stands for the bytes there that have been read */
};

/* How many bytes a piece has when it is written. Looks at every byte of an escaped one. */
size_t piece_len(const struct piece *piece);

/*
 * Writes the next bytes and moves the place. Returns how many: cap unless the piece ends before.
 */
size_t piece_read(const struct piece *piece, struct piece_place *place, char *buffer, size_t cap);

/* Whether all has been read. */
bool piece_ended(const struct piece *piece, const struct piece_place *place);

#endif
