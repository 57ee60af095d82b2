#ifndef SHA256_AVX2_H
#define SHA256_AVX2_H
/*
 * SHA-256's compression for x86-64 CPUs that have no instructions of their own for it: Intel's from Haswell to
 * Cascade Lake. Message schedules are computed for eight blocks side by side (AVX2), beside the rounds of the
 * blocks before, which use rotations into another register and "and not" (BMI2, BMI1).
 *
 * Time depends on the number of blocks, not on the data: for many at once little more than half of what portable
 * code takes, for a single one a little more than that takes. Uses 8 KiB of stack.
 * Source: FIPS 180-4, section 6.2.2.
 */
#include <stddef.h>
#include <stdint.h>

#if defined __x86_64__
#define SHA256_AVX2 1

/*
 * Adds count blocks of 64 bytes, at any address, to the chaining value: eight words, big-endian.
 * Only where the CPU has AVX2, BMI1 and BMI2, and the kernel saves the registers of AVX: cpu_has_avx2() of io/cpu.h.
 */
void sha256_avx2_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count);

#else
#define SHA256_AVX2 0
#endif
#endif
