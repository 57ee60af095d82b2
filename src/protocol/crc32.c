#include "protocol/crc32.h"

/* see crc32.h */

static bool use_cpu;

void
crc32_use_cpu(bool has_instructions)
{
    use_cpu = has_instructions;
}

void
crc32_init(struct crc32 *c)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;

        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (0xedb88320 & (0 - (sum & 1)));
        c->tables[0][byte] = sum;
    }
    for (size_t i = 1; i < 8; i++)
        for (size_t byte = 0; byte < 256; byte++) {
            uint32_t sum = c->tables[i - 1][byte];

            c->tables[i][byte] = sum >> 8 ^ c->tables[0][sum & 255];
        }
}

static uint32_t
by_tables(const struct crc32 *c, uint32_t sum, const char *p, size_t len)
{
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        v ^= sum;
        sum = 0;
        for (int i = 7; i >= 0; i--, v >>= 8)
            sum ^= c->tables[i][v & 255];
    }
    for (; len > 0; len--)
        sum = sum >> 8 ^ c->tables[0][(sum ^ (uint8_t)*p++) & 255];
    return sum;
}

#if defined __x86_64__

#include <immintrin.h>

enum { STEP = 16 };

/*
 * What was read so far stays as 16 bytes that have the same sum. To stand 16 bytes earlier, each half of them is
 * multiplied by the power of x that it is shifted by, modulo the polynomial: x^(128+32) and x^(128-32), bits reversed.
 * Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009.
 */
__attribute__((target("pclmul"))) static uint32_t
by_cpu(const struct crc32 *c, uint32_t sum, const char *p, size_t len)
{
    const __m128i powers = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i v = _mm_xor_si128(_mm_loadu_si128((const void *)p), _mm_cvtsi32_si128((int)sum));
    char left[STEP];

    for (size_t at = STEP; at < len; at += STEP) {
        __m128i next = _mm_loadu_si128((const void *)(p + at));
        __m128i low = _mm_clmulepi64_si128(v, powers, 0x00);

        v = _mm_clmulepi64_si128(v, powers, 0x11);
        v = _mm_xor_si128(_mm_xor_si128(v, low), next);
    }
    _mm_storeu_si128((void *)left, v);
    return by_tables(c, 0, left, STEP);
}

/* clang 14's intrinsics for arm64 are there only if the whole file is compiled for them. */
#elif defined __aarch64__ && (!defined __clang__ || defined __ARM_FEATURE_CRC32)

#include <arm_acle.h>

enum { STEP = 8 };

#ifndef __clang__
__attribute__((target("+crc")))
#endif
static uint32_t
by_cpu(const struct crc32 *c, uint32_t sum, const char *p, size_t len)
{
    (void)c;
    for (size_t at = 0; at < len; at += STEP) {
        uint64_t v;

        memcpy(&v, p + at, STEP);
        sum = __crc32d(sum, v);
    }
    return sum;
}

#else

enum { STEP = 8 };

#define by_cpu by_tables

#endif

uint32_t
crc32_add(const struct crc32 *c, uint32_t sum, struct span bytes)
{
    size_t whole = use_cpu ? bytes.len & ~(size_t)(STEP - 1) : 0;

    sum = ~sum;
    if (whole > 0)
        sum = by_cpu(c, sum, bytes.p, whole);
    return ~by_tables(c, sum, bytes.p + whole, bytes.len - whole);
}
