#ifndef SHA256_PORTABLE_H
#define SHA256_PORTABLE_H
/*
 * SHA-256's compression for CPUs that have nothing for it, which no function on Lambda meets: small rather than fast.
 * Time does not depend on the data. Source: FIPS 180-4, section 6.2.2.
 */
#include <stddef.h>
#include <stdint.h>

/* Adds count blocks of 64 bytes, at any address, to the chaining value: eight words, big-endian. */
void sha256_portable_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count);

/* The standard's K, one for each round. */
extern const uint32_t sha256_constants[64];

#endif
