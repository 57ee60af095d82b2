#ifndef DEFLATE_H
#define DEFLATE_H
/*
 * Compresses into the deflate format: fast, and made for logs, whose lines are alike. Source: RFC 1951.
 *
 * A stream is begun, added to as often as wanted, and ended. The same bytes give the same stream, however they are
 * divided, and whatever was compressed before. No stream refers to what was in another.
 *
 * At each place a table tells by a hash where the six bytes that follow were looked for last, and that is the one place
 * that a copy is taken from; within copies nothing is looked for. A block has some 60 KiB, and is stored, or has the
 * fixed codes, or codes of its own, whichever is shortest; but what takes less than DEFLATE_SMALL bytes without has no
 * codes made for it, which would take longer than all else, and save a few dozen bytes.
 *
 * The state is the caller's. It is not cleared between streams, so that a short one costs little: 200 bytes take less
 * than a microsecond, and touch none of `bytes` and `sequences` that they do not need.
 */
#include "protocol/crc32.h"

#define DEFLATE_SMALL 224
/* How far copies reach back. Source: RFC 1951, section 2. */
#define DEFLATE_WINDOW 32768
/* A block ends with the first sequence that brings it to so many bytes, or with so many sequences. */
#define DEFLATE_BLOCK 61440
#define DEFLATE_SEQUENCES 4096
/* More of them, for bytes that stand as they are. */
#define DEFLATE_RUNS 128
#define DEFLATE_HASH_BITS 13
#define DEFLATE_BUFFER 98304
/* Symbols: bytes, the end of a block, and lengths; distances. The fixed codes have two more of each, never used. */
#define DEFLATE_LITERALS 286
#define DEFLATE_DISTANCES 30
#define DEFLATE_FIXED_LITERALS 288
#define DEFLATE_FIXED_DISTANCES 32
/* So many bytes behind the room for a stream may be written over. */
#define DEFLATE_SLACK 8

struct deflate {
    char *begin, *at, *end; /* of the room for the stream; what comes next */
    uint64_t bits;          /* in no byte yet */
    unsigned bits_len;
    bool full;

    uint32_t base; /* the table's number for bytes[0]: all bytes ever are counted, modulo 2^32 */
    /* offsets in bytes, in this order */
    uint32_t block;    /* where the open block begins */
    uint32_t literals; /* where the bytes begin that belong to no sequence yet */
    uint32_t next;     /* what copies have not been looked for yet */
    uint32_t filled;
    uint32_t summed; /* how far the checksum goes; anywhere */

    uint64_t len; /* added since begin */
    uint32_t sum; /* CRC-32 of bytes up to summed; of all behind deflate_end */

    /* of the open block */
    uint32_t sequences_len;
    uint32_t extra; /* bits behind the symbols */
    uint16_t literal_counts[DEFLATE_LITERALS], distance_counts[DEFLATE_DISTANCES];

    /* made by deflate_init */
    uint32_t fixed_literals[DEFLATE_FIXED_LITERALS], fixed_distances[DEFLATE_FIXED_DISTANCES];
    struct crc32 crc;

    uint32_t sequences[DEFLATE_SEQUENCES + DEFLATE_RUNS]; /* see deflate_parts.h */
    uint32_t table[1 << DEFLATE_HASH_BITS];               /* by hash, where it was last */
    char bytes[DEFLATE_BUFFER + 8];                       /* eight are loaded at a time */
};

/* Once, before all else. */
void deflate_init(struct deflate *d);

/*
 * A stream begins, and is written to out, which has DEFLATE_SLACK bytes more than cap. One that was not ended is
 * forgotten.
 */
void deflate_begin(struct deflate *d, char *out, size_t cap);

/* How many bytes the stream has at most if so many more are added and it is ended then. */
size_t deflate_bound(const struct deflate *d, size_t len);

/*
 * Returns 0, or ERR_FULL when cap is too little, which stays so until deflate_begin. That becomes known where a block
 * ends, and so may be said only later, or by deflate_end.
 */
int deflate_add(struct deflate *d, struct span bytes);

/* Returns the length of the stream, or ERR_FULL. Then `len` and `sum` are those of all bytes. */
long deflate_end(struct deflate *d);

#endif
