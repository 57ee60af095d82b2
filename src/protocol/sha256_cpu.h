#ifndef SHA256_CPU_H
#define SHA256_CPU_H
/*
 * SHA-256's compression by the CPU's own instructions: SHA-NI on x86-64, the SHA2 extension on arm64.
 * Time does not depend on the data. Source: FIPS 180-4, section 6.2.2.
 */
#include <stddef.h>
#include <stdint.h>

/* clang 14's intrinsics for arm64 are there only if the whole file is compiled for them. */
#if defined __x86_64__ ||                                                                          \
    (defined __aarch64__ && (!defined __clang__ || defined __ARM_FEATURE_SHA2))
#define SHA256_CPU 1

/*
 * Adds count blocks of 64 bytes, at any address, to the chaining value: eight words, big-endian.
 * Only where the CPU has the instructions.
 */
void sha256_cpu_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count);

#else
#define SHA256_CPU 0
#endif
#endif
