#ifndef CPU_H
#define CPU_H
/*
 * Which of the CPU's instructions for cryptography may be used. Nothing is kept: on x86-64 each
 * question traps into the hypervisor, some microseconds a time, so ask once, off the way to `register`.
 *
 * They work on the registers that every kernel of these CPUs saves (SSE on x86-64, Advanced SIMD on
 * arm64), so nothing has to be known of the kernel, as it would be for AVX.
 * Source: Intel SDM volume 2, CPUID; Linux, Documentation/arch/arm64/elf_hwcaps.rst.
 */
#include <stdbool.h>

#if defined __x86_64__

#include <cpuid.h>
#include <stddef.h>

/* SHA-256 as src/protocol/sha256_cpu.c has it: SHA, and for loading and shuffling SSSE3 and SSE4.1. */
static inline bool
cpu_has_sha256(void)
{
    const unsigned shuffles = bit_SSSE3 | bit_SSE4_1;
    unsigned a, b, c, d;

    if (__get_cpuid_max(0, NULL) < 7)
        return false;
    __cpuid(1, a, b, c, d);
    if ((c & shuffles) != shuffles)
        return false;
    __cpuid_count(7, 0, a, b, c, d);
    return (b & bit_SHA) != 0;
}

#elif defined __aarch64__

#include <sys/auxv.h>

static inline bool
cpu_has_sha256(void)
{
    const unsigned long sha2 = 1ul << 6; /* HWCAP_SHA2 */

    return (getauxval(AT_HWCAP) & sha2) != 0;
}

/* AES rounds, and the long carry-less multiplication for GHASH. */
static inline bool
cpu_has_aes_gcm(void)
{
    const unsigned long both = 1ul << 3 | 1ul << 4; /* HWCAP_AES, HWCAP_PMULL */

    return (getauxval(AT_HWCAP) & both) == both;
}

#endif
#endif
