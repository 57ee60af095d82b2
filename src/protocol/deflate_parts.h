#ifndef DEFLATE_PARTS_H
#define DEFLATE_PARTS_H
/*
 * What the rooms of the encoder share, and nobody else needs (deflate.h).
 *
 *   deflate.c          takes bytes in, ends blocks, keeps the window
 *   deflate_match.c    finds what comes again: bytes become sequences
 *   deflate_block.c    decides of which kind a block is
 *   deflate_dynamic.c  codes made for a block, and how they are told
 *   deflate_huffman.c  codes for symbols that occur so often
 *   deflate_write.c    writes the sequences of a block
 */
#include "protocol/deflate.h"
#include "protocol/deflate_bits.h"

/* Source: RFC 1951, sections 3.2.5 to 3.2.7. */
enum {
    DEFLATE_COPY_MIN = 3,
    DEFLATE_COPY_MAX = 258,
    DEFLATE_END_SYMBOL = 256,
    DEFLATE_LEN_SYMBOL = 257, /* the first of those */
    DEFLATE_CODE_MAX = 15     /* bits */
};

/* Copies that are looked for have six bytes, so that few are found that save nothing. */
#define DEFLATE_MATCH_BYTES 6

/* So many bytes have to be there behind the place where a copy is looked for, or the stream's end. */
#define DEFLATE_AHEAD (DEFLATE_COPY_MAX + 8)

/*
 * A sequence: how many bytes stand as they are (9 bits), the length of the copy behind them less 3 (8 bits), and its
 * distance less 1 (15 bits). There is no copy behind DEFLATE_RUN_MAX bytes.
 */
#define DEFLATE_RUN_MAX 511

static inline uint32_t
deflate_sequence(size_t run, size_t len, size_t distance)
{
    return (uint32_t)(run << 23 | (len - DEFLATE_COPY_MIN) << 15 | (distance - 1));
}

/* A symbol, and the bits that follow it. Source: RFC 1951, section 3.2.5; without its tables. */
struct deflate_symbol {
    unsigned symbol, extra_len, extra;
};

static inline struct deflate_symbol
deflate_len_symbol(uint32_t sequence)
{
    unsigned n = sequence >> 15 & 255, len;

    if (n == DEFLATE_COPY_MAX - DEFLATE_COPY_MIN)
        return (struct deflate_symbol){DEFLATE_LITERALS - 1, 0, 0};
    len = 29 - (unsigned)__builtin_clz(n | 4);
    return (struct deflate_symbol){DEFLATE_LEN_SYMBOL + 4 * len + (n >> len), len,
                                   n & ((1u << len) - 1)};
}

static inline struct deflate_symbol
deflate_distance_symbol(uint32_t sequence)
{
    unsigned n = sequence & (DEFLATE_WINDOW - 1);
    unsigned len = 30 - (unsigned)__builtin_clz(n | 2);

    return (struct deflate_symbol){2 * len + (n >> len), len, n & ((1u << len) - 1)};
}

/*
 * Looks for copies from next on, up to `end` or until the sequences are full; next may be behind `end` afterwards.
 * DEFLATE_AHEAD bytes are there behind `end`, or, at the end of the stream, DEFLATE_MATCH_BYTES - 1.
 */
void deflate_match(struct deflate *d, size_t end);

/* Writes what is between block and next, or finds that it has no room, and begins another. */
void deflate_block(struct deflate *d, bool last);

/* Forgets the open block. */
void deflate_block_clear(struct deflate *d);

/*
 * Codes of at most max bits for n symbols, DEFLATE_FIXED_LITERALS at most, that occur so often: below 65536 times in
 * all. A code is as it is written: its bits, the first one lowest, and from bit 16 on how many they are. Those of
 * symbols that do not occur become 0; but two at least have codes, since not all readers take fewer.
 */
void deflate_huffman(const uint16_t *counts, unsigned n, unsigned max, uint32_t *codes);

/* Bits that the open block has with these codes, without a head that tells them. */
uint32_t deflate_coded_bits(const struct deflate *d, const uint32_t *literals,
                            const uint32_t *distances);

uint32_t deflate_fixed_bits(const struct deflate *d);

/* Symbols by which codes' lengths are told. Source: RFC 1951, section 3.2.7. */
#define DEFLATE_TOKENS 19

/* Codes made for a block, and how they are told. */
struct deflate_dynamic {
    uint32_t literals[DEFLATE_LITERALS], distances[DEFLATE_DISTANCES], tokens[DEFLATE_TOKENS];
    unsigned literals_len, distances_len, tokens_len; /* of which the lengths are told */
    uint16_t told[DEFLATE_LITERALS +
                  DEFLATE_DISTANCES]; /* tokens, and from bit 8 on what follows each */
    unsigned told_len;
    uint16_t counts[DEFLATE_TOKENS];
};

/* Makes codes for the open block. Returns the bits that the block has with them, the head among them. */
uint32_t deflate_dynamic(const struct deflate *d, struct deflate_dynamic *y);

/* Writes the head. There is room. */
void deflate_dynamic_head(const struct deflate_dynamic *y, struct deflate_bits *b);

/* Writes the open block's sequences and its end. There is room. */
void deflate_write(const struct deflate *d, struct deflate_bits *b, const uint32_t *literals,
                   const uint32_t *distances);

#endif
