#ifndef SHA256_H
#define SHA256_H
/*
 * SHA-256 and HMAC-SHA-256. Source: FIPS 180-4, RFC 2104. The one place that knows whose implementation
 * is behind them.
 *
 * The caller owns every context; a context holds no pointer and may be copied.
 */
#include "protocol/span.h"

#define SHA256_LEN 32
#define SHA256_BLOCK_LEN 64

struct sha256 {
    uint8_t chain[SHA256_LEN];      /* the chaining value, big-endian */
    uint64_t len;                   /* bytes added */
    uint8_t rest[SHA256_BLOCK_LEN]; /* the last len % SHA256_BLOCK_LEN of them */
};

/* All give the same digests, even for a context that was begun with another. */
enum sha256_way {
    SHA256_PORTABLE, /* sha256_portable.h; used until another is asked for */
    SHA256_BY_AVX2,  /* sha256_avx2.h */
    SHA256_BY_CPU    /* its own instructions: sha256_cpu.h */
};

/* The fastest, by what the CPU has (io/cpu.h). */
enum sha256_way sha256_fastest(bool has_instructions, bool has_avx2);

/* Only one that the CPU has. One that was not compiled in is the portable one. */
void sha256_use(enum sha256_way way);

void sha256_start(struct sha256 *hash);

/* Any number of bytes, divided in any way; zero bytes may come with a null pointer. */
void sha256_add(struct sha256 *hash, const void *bytes, size_t len);

/* The digest of what was added so far; the context is not changed, so more may follow. */
void sha256_end(const struct sha256 *hash, uint8_t digest[SHA256_LEN]);

/* The HMAC of one message under a key of any length. */
void sha256_hmac(const void *key, size_t key_len, struct span message, uint8_t mac[SHA256_LEN]);

#endif
