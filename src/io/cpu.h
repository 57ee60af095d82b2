#ifndef CPU_H
#define CPU_H
/*
 * Which of the CPU's instructions for cryptography and checksums may be used. The result is not cached: on x86-64 each
 * call traps into the hypervisor, which takes some microseconds, so call once, and not before `register`.
 *
 * Most work on the registers that every kernel of these CPUs saves (SSE on x86-64, Advanced SIMD on
 * arm64), so that the kernel's support need not be checked, as it is for AVX.
 * Source: Intel SDM volume 2, CPUID; Linux, Documentation/arch/arm64/elf_hwcaps.rst.
 */
#include <stdbool.h>

#if defined __x86_64__

#include <cpuid.h>
#include <stddef.h>

/* What src/protocol/sha256_cpu.c needs: SHA, and for loading and shuffling SSSE3 and SSE4.1. */
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

/*
 * What src/protocol/sha256_avx2.c needs: AVX2, BMI1 and BMI2, and a kernel that saves the registers of both SSE and AVX
 * when it turns to another process. Source: Intel SDM volume 1, section 14.3.
 */
static inline bool
cpu_has_avx2(void)
{
    const unsigned by_kernel = bit_OSXSAVE | bit_AVX, seven = bit_AVX2 | bit_BMI | bit_BMI2;
    const unsigned registers = 1u << 1 | 1u << 2; /* XCR0.SSE, XCR0.AVX */
    unsigned a, b, c, d;

    if (__get_cpuid_max(0, NULL) < 7)
        return false;
    __cpuid(1, a, b, c, d);
    if ((c & by_kernel) != by_kernel)
        return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0)); /* an instruction only with OSXSAVE */
    if ((a & registers) != registers)
        return false;
    __cpuid_count(7, 0, a, b, c, d);
    return (b & seven) == seven;
}

/* What src/protocol/crc32.c needs: carry-less multiplication. */
static inline bool
cpu_has_crc32(void)
{
    unsigned a, b, c, d;

    if (__get_cpuid_max(0, NULL) < 1)
        return false;
    __cpuid(1, a, b, c, d);
    return (c & bit_PCLMUL) != 0;
}

#elif defined __aarch64__

#include <sys/auxv.h>

static inline bool
cpu_has_sha256(void)
{
    const unsigned long sha2 = 1ul << 6; /* HWCAP_SHA2 */

    return (getauxval(AT_HWCAP) & sha2) != 0;
}

static inline bool
cpu_has_crc32(void)
{
    const unsigned long crc32 = 1ul << 7; /* HWCAP_CRC32 */

    return (getauxval(AT_HWCAP) & crc32) != 0;
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
