#ifndef SHA256_H
#define SHA256_H
/*
 * SHA-256 and HMAC-SHA-256. Source: FIPS 180-4, RFC 2104. The one place that knows whose
 * implementation is behind them; today BearSSL's portable one.
 *
 * The caller owns every context; a context holds no pointer and may be copied.
 */
#include "protocol/span.h"

#include <bearssl_hash.h>

#define SHA256_LEN 32
#define SHA256_BLOCK_LEN 64

struct sha256 {
    br_sha256_context state;
};

void sha256_start(struct sha256 *hash);

/* Any number of bytes, in any cut; zero bytes may come with a null pointer. */
void sha256_add(struct sha256 *hash, const void *bytes, size_t len);

/* The digest of what was added so far; the context is not changed, so more may follow. */
void sha256_end(const struct sha256 *hash, uint8_t digest[SHA256_LEN]);

/* The HMAC of one message under a key of any length. */
void sha256_hmac(const void *key, size_t key_len, struct span message, uint8_t mac[SHA256_LEN]);

#endif
