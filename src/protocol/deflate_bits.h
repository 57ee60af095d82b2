#ifndef DEFLATE_BITS_H
#define DEFLATE_BITS_H
/*
 * Bits one behind the other, the lowest first. Source: RFC 1951, section 3.1.1.
 */
#include "protocol/span.h"

struct deflate_bits {
    uint64_t bits; /* in no byte yet */
    unsigned len;
    char *at; /* the next byte */
};

/* At most 56 bits between two flushes, which leave up to seven. */
static inline void
deflate_put(struct deflate_bits *b, uint64_t bits, unsigned len)
{
    b->bits |= bits << b->len;
    b->len += len;
}

/* See deflate_huffman. */
static inline void
deflate_put_code(struct deflate_bits *b, uint32_t code)
{
    deflate_put(b, code & 0xffff, code >> 16);
}

/* Whole bytes go out; seven behind them are written over. */
static inline void
deflate_flush(struct deflate_bits *b)
{
    memcpy(b->at, &b->bits, sizeof b->bits);
    b->at += b->len >> 3;
    b->bits >>= b->len & 56;
    b->len &= 7;
}

#endif
