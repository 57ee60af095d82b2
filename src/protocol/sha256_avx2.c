#include "protocol/sha256_avx2.h"

/* see sha256_avx2.h */

#if SHA256_AVX2

#include <immintrin.h>
#include <string.h>

#include "protocol/sha256_portable.h"

#define TARGET __attribute__((target("avx2,bmi,bmi2")))
/* The steps of the loops below: a call of each would cost more than it does. */
#define INLINE TARGET __attribute__((always_inline)) static inline

enum {
    BLOCK_LEN = 64,
    GIVEN = 16, /* words of a schedule that are the block itself */
    WORDS = 64, /* all of them, one for each round */
    LANES = 8
};

/* Of eight blocks: lane i is block i's. */
struct schedules {
    _Alignas(32) uint32_t words[WORDS][LANES];
    _Alignas(32) uint32_t
        sums[WORDS][LANES]; /* each word and its round's constant, which is what rounds take */
};

/* --- schedules ----------------------------------------------------------------------------------- */

INLINE __m256i
lanes(const uint32_t word[LANES])
{
    return _mm256_load_si256((const void *)word);
}

INLINE __m256i
add(__m256i x, __m256i y)
{
    return _mm256_add_epi32(x, y);
}

INLINE void
put(struct schedules *s, size_t i, __m256i word)
{
    _mm256_store_si256((void *)s->words[i], word);
    _mm256_store_si256((void *)s->sums[i], add(word, _mm256_set1_epi32((int)sha256_constants[i])));
}

/* 16 bytes of two blocks, as four numbers of each. */
INLINE __m256i
numbers(const uint8_t *low, const uint8_t *high)
{
    const __m256i swap =
        _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    __m256i bytes = _mm256_castsi128_si256(_mm_loadu_si128((const void *)low));

    bytes = _mm256_inserti128_si256(bytes, _mm_loadu_si128((const void *)high), 1);
    return _mm256_shuffle_epi8(bytes, swap);
}

/* The words that are given. Lanes without a block of their own get the last once more. */
TARGET static void
begin(struct schedules *s, const uint8_t *blocks, size_t count)
{
    const uint8_t *from[LANES];

    for (size_t i = 0; i < LANES; i++) {
        from[i] = blocks;
        blocks += i + 1 < count ? BLOCK_LEN : 0;
    }
    for (size_t i = 0; i < GIVEN; i += 4) {
        __m256i a = numbers(from[0] + 4 * i, from[4] + 4 * i);
        __m256i b = numbers(from[1] + 4 * i, from[5] + 4 * i);
        __m256i c = numbers(from[2] + 4 * i, from[6] + 4 * i);
        __m256i d = numbers(from[3] + 4 * i, from[7] + 4 * i);
        __m256i ac = _mm256_unpacklo_epi32(a, c), bd = _mm256_unpacklo_epi32(b, d);

        put(s, i, _mm256_unpacklo_epi32(ac, bd));
        put(s, i + 1, _mm256_unpackhi_epi32(ac, bd));
        ac = _mm256_unpackhi_epi32(a, c);
        bd = _mm256_unpackhi_epi32(b, d);
        put(s, i + 2, _mm256_unpacklo_epi32(ac, bd));
        put(s, i + 3, _mm256_unpackhi_epi32(ac, bd));
    }
}

/* Rotated right by two distances and shifted by one, and all three put together. */
INLINE __m256i
small_sigma(__m256i x, int r1, int r2, int shift)
{
    __m256i y = _mm256_xor_si256(_mm256_srli_epi32(x, r1), _mm256_slli_epi32(x, 32 - r1));
    __m256i z = _mm256_xor_si256(_mm256_srli_epi32(x, r2), _mm256_slli_epi32(x, 32 - r2));

    return _mm256_xor_si256(_mm256_xor_si256(y, z), _mm256_srli_epi32(x, shift));
}

/* Word i, from those before. */
INLINE void
extend(struct schedules *s, size_t i)
{
    const uint32_t(*w)[LANES] = s->words + i;
    __m256i x = add(lanes(w[-16]), small_sigma(lanes(w[-15]), 7, 18, 3));
    __m256i y = add(lanes(w[-7]), small_sigma(lanes(w[-2]), 17, 19, 10));

    put(s, i, add(x, y));
}

/* --- rounds -------------------------------------------------------------------------------------- */

/* The standard's working variables. bc is b ^ c, which the round before had as its a ^ b. */
struct variables {
    uint32_t a, b, c, d, e, f, g, h, bc;
};

INLINE uint32_t
big_sigma(uint32_t x, int r1, int r2, int r3)
{
    return (x >> r1 | x << (32 - r1)) ^ (x >> r2 | x << (32 - r2)) ^ (x >> r3 | x << (32 - r3));
}

/*
 * The rounds are one long chain of sums, so what comes late is added late: e last of all to d, a to h. Of many orders
 * of these lines this measured best.
 */
INLINE struct variables
round_of(struct variables v, const uint32_t sum[LANES])
{
    uint32_t ab = v.a ^ v.b;

    v.h += *sum;
    v.h += (v.e & v.f) + (~v.e & v.g);
    v.h += big_sigma(v.e, 6, 11, 25);
    v.d += v.h;
    v.h += (ab & v.bc) ^ v.b;
    v.h += big_sigma(v.a, 2, 13, 22);
    return (struct variables){v.h, v.a, v.b, v.c, v.d, v.e, v.f, v.g, ab};
}

/* Half as many as bring the variables back to where they were: a move of each costs less than as much code again. */
INLINE struct variables
four_rounds(struct variables v, const uint32_t sums[4][LANES])
{
    v = round_of(v, sums[0]);
    v = round_of(v, sums[1]);
    v = round_of(v, sums[2]);
    return round_of(v, sums[3]);
}

/*
 * Adds the blocks of one group. After each four rounds, one word of the next group's schedules: rounds wait for
 * each other most of the time, and words for nothing. A function of its own, so that it has all registers.
 *
 * until  the words that the next group shall have: WORDS, or GIVEN where there is no next
 */
TARGET __attribute__((noinline)) static void
add_group(uint32_t chain[8], const struct schedules *s, size_t count, struct schedules *next,
          size_t until)
{
    size_t word = GIVEN;

    for (size_t lane = 0; lane < count; lane++) {
        struct variables v = {chain[0], chain[1], chain[2], chain[3],           chain[4],
                              chain[5], chain[6], chain[7], chain[1] ^ chain[2]};

        for (size_t i = 0; i < WORDS; i += 4) {
            v = four_rounds(v, (const void *)&s->sums[i][lane]);
            if (word < until)
                extend(next, word++);
        }
        chain[0] += v.a;
        chain[1] += v.b;
        chain[2] += v.c;
        chain[3] += v.d;
        chain[4] += v.e;
        chain[5] += v.f;
        chain[6] += v.g;
        chain[7] += v.h;
    }
}

/* Eight numbers, big-endian at one place and this machine's own at the other. */
INLINE void
swap_numbers(void *to, const void *from)
{
    const uint8_t *bytes = from;

    _mm256_storeu_si256(to, numbers(bytes, bytes + 16));
}

static size_t
group_of(size_t count)
{
    return count < LANES ? count : LANES;
}

TARGET void
sha256_avx2_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count)
{
    struct schedules schedules[2], *now = &schedules[0], *next = &schedules[1];
    uint32_t words[8];
    size_t group = group_of(count);

    if (count == 0)
        return;
    swap_numbers(words, chain);
    begin(now, blocks, group);
    for (size_t i = GIVEN; i < WORDS; i++)
        extend(now, i);
    while (count > 0) {
        struct schedules *used = now;
        size_t following = group_of(count - group);

        blocks += BLOCK_LEN * group;
        if (following > 0)
            begin(next, blocks, following);
        add_group(words, now, group, next, following > 0 ? WORDS : GIVEN);
        count -= group;
        group = following;
        now = next;
        next = used;
    }
    swap_numbers(chain, words);
}

#endif
