#ifndef TLS_SHA256_H
#define TLS_SHA256_H
/*
 * SHA-256 for BearSSL, by protocol/sha256.h: what the CPU has for it serves handshakes and certificates too, and the
 * program has one such code instead of two.
 */
#include <bearssl.h>

extern const br_hash_class tls_sha256;

/* TLS 1.2's pseudorandom function. Source: RFC 5246, section 5. */
void tls_sha256_prf(void *to, size_t len, const void *secret, size_t secret_len, const char *label,
                    size_t seeds_len, const br_tls_prf_seed_chunk *seeds);

#endif
