#ifndef BLOCK_H
#define BLOCK_H
/*
 * Compares 64 bytes at a time with a given byte: the result has a bit for each byte that is equal, the
 * lowest bit for the first byte. Or 16 at a time, for text that is mostly short: how many bytes come before
 * the first of two given ones; 16 if neither occurs.
 *
 * By SSE2 or NEON, which every x86-64 and every arm64 CPU has, so nothing is chosen at run time. With
 * BLOCK_SCALAR, or for another CPU, the same in plain C: tests compare the two.
 */
#include <stddef.h>
#include <stdint.h>

#define BLOCK_BYTES 64

#if defined(__SSE2__) && !defined(BLOCK_SCALAR)

#include <emmintrin.h>

struct block {
    __m128i part[4];
};

static inline struct block
block_at(const char *p)
{
    struct block b;

    for (size_t i = 0; i < 4; i++)
        b.part[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return b;
}

static inline uint64_t
block_equal(struct block b, char c)
{
    uint64_t mask = 0;

    for (int i = 3; i >= 0; i--)
        mask =
            mask << 16 | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b.part[i], _mm_set1_epi8(c)));
    return mask;
}

/* Each byte with this bit set. */
static inline struct block
block_with(struct block b, char bit)
{
    for (int i = 0; i < 4; i++)
        b.part[i] = _mm_or_si128(b.part[i], _mm_set1_epi8(bit));
    return b;
}

static inline unsigned
block_before(const char *p, char a, char b)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i equal =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b)));

    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(equal) | 1u << 16);
}

#elif defined(__aarch64__) && !defined(BLOCK_SCALAR)

#include <arm_neon.h>

struct block {
    uint8x16_t part[4];
};

static inline struct block
block_at(const char *p)
{
    struct block b;

    for (size_t i = 0; i < 4; i++)
        b.part[i] = vld1q_u8((const uint8_t *)p + 16 * i);
    return b;
}

static inline uint64_t
block_equal(struct block b, char c)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(bits);
    uint8x16_t equal[4];
    uint8x16_t sums;

    for (int i = 0; i < 4; i++)
        equal[i] = vandq_u8(vceqq_u8(b.part[i], vdupq_n_u8((uint8_t)c)), bit);
    /* each addition merges two neighbours, until eight comparisons are one byte */
    sums = vpaddq_u8(vpaddq_u8(equal[0], equal[1]), vpaddq_u8(equal[2], equal[3]));
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)), 0);
}

static inline struct block
block_with(struct block b, char bit)
{
    for (int i = 0; i < 4; i++)
        b.part[i] = vorrq_u8(b.part[i], vdupq_n_u8((uint8_t)bit));
    return b;
}

static inline unsigned
block_before(const char *p, char a, char b)
{
    uint8x16_t v = vld1q_u8((const uint8_t *)p);
    uint8x16_t equal =
        vorrq_u8(vceqq_u8(v, vdupq_n_u8((uint8_t)a)), vceqq_u8(v, vdupq_n_u8((uint8_t)b)));
    /* four bits for each byte */
    uint64_t mask =
        vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(equal), 4)), 0);

    return mask == 0 ? 16 : (unsigned)__builtin_ctzll(mask) / 4;
}

#else

struct block {
    uint8_t bytes[BLOCK_BYTES];
};

static inline struct block
block_at(const char *p)
{
    struct block b;

    for (int i = 0; i < BLOCK_BYTES; i++)
        b.bytes[i] = (uint8_t)p[i];
    return b;
}

static inline uint64_t
block_equal(struct block b, char c)
{
    uint64_t mask = 0;

    for (int i = 0; i < BLOCK_BYTES; i++)
        mask |= (uint64_t)(b.bytes[i] == (uint8_t)c) << i;
    return mask;
}

static inline struct block
block_with(struct block b, char bit)
{
    for (int i = 0; i < BLOCK_BYTES; i++)
        b.bytes[i] |= (uint8_t)bit;
    return b;
}

static inline unsigned
block_before(const char *p, char a, char b)
{
    unsigned n = 0;

    while (n < 16 && p[n] != a && p[n] != b)
        n++;
    return n;
}

#endif

#endif
