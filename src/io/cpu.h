#ifndef CPU_H
#define CPU_H
/*
 * Which of the CPU's instructions may be used of those that our own code and BearSSL have. The result is not cached: on x86-64
 * each call traps into the hypervisor, which takes some microseconds, so call once, and not before `register`.
 *
 * Most work on the registers that every kernel of these CPUs saves (SSE on x86-64, Advanced SIMD on
 * arm64), so that the kernel's support need not be checked, as it is for AVX.
 * Source: Intel SDM volume 2, CPUID; volume 1, section 14.3 (XCR0); Linux, Documentation/arch/arm64/elf_hwcaps.rst.
 */
#include <stdbool.h>

#include "io/system.h"

#if defined __x86_64__

#include <cpuid.h>
#include <stddef.h>

/* What src/protocol/sha256_cpu.c needs: SHA, and for loading and shuffling SSSE3 and SSE4.1. */
static inline bool
cpu_leaves_sha256(unsigned one, unsigned seven)
{
    const unsigned shuffles = bit_SSSE3 | bit_SSE4_1;

    return (one & shuffles) == shuffles && (seven & bit_SHA) != 0;
}

/* What BearSSL's AES-GCM needs: AES, carry-less multiplication, and for shuffling SSSE3 and SSE4.1. */
static inline bool
cpu_leaf_aes_gcm(unsigned one)
{
    const unsigned all = bit_AES | bit_PCLMUL | bit_SSSE3 | bit_SSE4_1;

    return (one & all) == all;
}

/*
 * What src/protocol/sha256_avx2.c needs: AVX2, BMI1 and BMI2, and a kernel that saves the registers of both SSE and AVX
 * when it turns to another process.
 */
static inline bool
cpu_leaves_avx2(unsigned one, unsigned seven)
{
    const unsigned avx = bit_OSXSAVE | bit_AVX, avx2 = bit_AVX2 | bit_BMI | bit_BMI2;
    const unsigned registers = 1u << 1 | 1u << 2; /* XCR0.SSE, XCR0.AVX */
    unsigned low, high;

    if ((one & avx) != avx || (seven & avx2) != avx2)
        return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0)); /* there with OSXSAVE only */
    return (low & registers) == registers;
}

/* SYSTEM_CPU_… of io/system.h. */
static inline unsigned
cpu_features(void)
{
    unsigned a, b, c, d, one;

    if (__get_cpuid_max(0, NULL) < 7)
        return 0;
    __cpuid(1, a, b, one, d);
    __cpuid_count(7, 0, a, b, c, d);
    return (cpu_leaves_sha256(one, b) ? SYSTEM_CPU_SHA256 : 0u) |
           (cpu_leaves_avx2(one, b) ? SYSTEM_CPU_AVX2 : 0u) |
           (cpu_leaf_aes_gcm(one) ? SYSTEM_CPU_AES_GCM : 0u) |
           ((one & bit_PCLMUL) != 0 ? SYSTEM_CPU_CRC32 : 0u);
}

#elif defined __aarch64__

#include <sys/auxv.h>

static inline unsigned
cpu_features(void)
{
    const unsigned long sha2 = 1ul << 6;               /* HWCAP_SHA2 */
    const unsigned long aes_gcm = 1ul << 3 | 1ul << 4; /* HWCAP_AES, HWCAP_PMULL: long, for GHASH */
    const unsigned long crc32 = 1ul << 7;              /* HWCAP_CRC32 */
    const unsigned long has = getauxval(AT_HWCAP);

    return ((has & sha2) != 0 ? SYSTEM_CPU_SHA256 : 0u) |
           ((has & aes_gcm) == aes_gcm ? SYSTEM_CPU_AES_GCM : 0u) |
           ((has & crc32) != 0 ? SYSTEM_CPU_CRC32 : 0u);
}

#endif

static inline bool
cpu_has_sha256(void)
{
    return (cpu_features() & SYSTEM_CPU_SHA256) != 0;
}

static inline bool
cpu_has_avx2(void)
{
    return (cpu_features() & SYSTEM_CPU_AVX2) != 0;
}

/* What src/protocol/crc32.c needs: on x86-64 carry-less multiplication. */
static inline bool
cpu_has_crc32(void)
{
    return (cpu_features() & SYSTEM_CPU_CRC32) != 0;
}

#endif
