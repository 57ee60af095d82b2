#include "io/tls_aes_arm64.h"

/* see tls_aes_arm64.h */

#if TLS_AES_ARM64

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define TARGET __attribute__((target("+crypto")))

enum {
    BLOCK = 16,
    LANES = 8, /* blocks that are processed side by side, to hide the latency of one instruction */
    ROUNDS_MAX = 14
};

/* --- counter mode ------------------------------------------------------------------------------ */

struct keys {
    const br_block_ctr_class *class;
    uint32_t words[4 * (ROUNDS_MAX + 1)]; /* as in memory, that is, little-endian */
    unsigned rounds;
};

_Static_assert(sizeof(struct keys) <= sizeof(br_aes_gen_ctr_keys),
               "room within BearSSL's contexts");

/* The S-box on each byte, by the first half of a round: with four equal columns its row shift has no effect. */
TARGET static uint32_t
substitute(uint32_t word)
{
    uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(word));

    return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))), 0);
}

/* FIPS 197, section 5.2. */
static void
init(const br_block_ctr_class **context, const void *key, size_t key_len)
{
    struct keys *keys = (void *)context;
    size_t n = key_len / 4;
    uint32_t constant = 1;

    keys->class = &tls_aes_arm64_ctr;
    keys->rounds = (unsigned)n + 6;
    memcpy(keys->words, key, key_len);
    for (size_t i = n; i < 4 * (keys->rounds + 1); i++) {
        uint32_t word = keys->words[i - 1];

        if (i % n == 0) {
            word = substitute(word >> 8 | word << 24) ^ constant;
            constant = constant << 1 ^ (constant >> 7) * 0x11b;
        } else if (n > 6 && i % n == 4) {
            word = substitute(word);
        }
        keys->words[i] = keys->words[i - n] ^ word;
    }
}

TARGET static inline uint8x16_t
round_key(const struct keys *keys, unsigned round)
{
    return vreinterpretq_u8_u32(vld1q_u32(keys->words + 4 * round));
}

/* Encrypts LANES counter blocks, from this counter on. */
TARGET static inline void
encrypt(const struct keys *keys, uint32x4_t nonce, uint32_t counter, uint8x16_t x[LANES])
{
    const uint8x16_t last_but_one = round_key(keys, keys->rounds - 1);
    const uint8x16_t last = round_key(keys, keys->rounds);

#pragma GCC unroll 8
    for (unsigned i = 0; i < LANES; i++)
        x[i] = vreinterpretq_u8_u32(vsetq_lane_u32(__builtin_bswap32(counter + i), nonce, 3));
    for (unsigned round = 0; round < keys->rounds - 1; round++) {
        uint8x16_t k = round_key(keys, round);

#pragma GCC unroll 8
        for (unsigned i = 0; i < LANES; i++)
            x[i] = vaesmcq_u8(vaeseq_u8(x[i], k));
    }
#pragma GCC unroll 8
    for (unsigned i = 0; i < LANES; i++)
        x[i] = veorq_u8(vaeseq_u8(x[i], last_but_one), last);
}

TARGET static uint32_t
run(const br_block_ctr_class *const *context, const void *iv, uint32_t counter, void *data,
    size_t len)
{
    const struct keys *keys = (const void *)context;
    uint32_t first[4] = {0};
    uint8_t *p = data;
    uint8x16_t x[LANES];
    uint32x4_t nonce;

    memcpy(first, iv, 12);
    nonce = vld1q_u32(first);
    for (; len >= sizeof x; len -= sizeof x, p += sizeof x, counter += LANES) {
        encrypt(keys, nonce, counter, x);
        for (unsigned i = 0; i < LANES; i++)
            vst1q_u8(p + BLOCK * i, veorq_u8(vld1q_u8(p + BLOCK * i), x[i]));
    }
    if (len > 0) {
        encrypt(keys, nonce, counter, x);
        for (size_t i = 0; i < len; i++)
            p[i] ^= ((const uint8_t *)x)[i];
    }
    return counter + (uint32_t)(len / BLOCK);
}

const br_block_ctr_class tls_aes_arm64_ctr = {
    .context_size = sizeof(struct keys),
    .block_size = BLOCK,
    .log_block_size = 4,
    .init = init,
    .run = run,
};

/* --- GHASH ------------------------------------------------------------------------------------- */

/*
 * GCM's polynomials have their lowest term in the first byte's highest bit. With the bits of each byte
 * reversed, a block is a little-endian number whose bit i is the term x^i, and plain carry-less
 * multiplication does; x^128 is x^7 + x^2 + x + 1, or 0x87.
 */
TARGET static inline uint64x2_t
load(const uint8_t *block)
{
    return vreinterpretq_u64_u8(vrbitq_u8(vld1q_u8(block)));
}

TARGET static inline uint64x2_t
multiply_low(uint64x2_t a, uint64x2_t b)
{
    return vreinterpretq_u64_p128(
        vmull_p64((poly64_t)vgetq_lane_u64(a, 0), (poly64_t)vgetq_lane_u64(b, 0)));
}

TARGET static inline uint64x2_t
multiply_high(uint64x2_t a, uint64x2_t b)
{
    return vreinterpretq_u64_p128(
        vmull_high_p64(vreinterpretq_p64_u64(a), vreinterpretq_p64_u64(b)));
}

/* A sum of products in Karatsuba's parts; the middle one is of the sums of the halves. */
struct sum {
    uint64x2_t low, mid, high;
};

TARGET static inline uint64x2_t
halves_added(uint64x2_t a)
{
    return veorq_u64(a, vextq_u64(a, a, 1));
}

TARGET static inline void
add_product(struct sum *s, uint64x2_t a, uint64x2_t b, uint64x2_t b_halves)
{
    s->low = veorq_u64(s->low, multiply_low(a, b));
    s->high = veorq_u64(s->high, multiply_high(a, b));
    s->mid = veorq_u64(s->mid, multiply_low(halves_added(a), b_halves));
}

/* Folds the upper half into the lower one, in two steps of 64 bits. */
TARGET static inline uint64x2_t
reduce(const struct sum *s)
{
    const uint64x2_t zero = vdupq_n_u64(0), x128 = vdupq_n_u64(0x87);
    uint64x2_t mid = veorq_u64(s->mid, veorq_u64(s->low, s->high));
    uint64x2_t low = veorq_u64(s->low, vextq_u64(zero, mid, 1));
    uint64x2_t high = veorq_u64(s->high, vextq_u64(mid, zero, 1));
    uint64x2_t fold = multiply_high(high, x128);

    low = veorq_u64(low, vextq_u64(zero, fold, 1));
    high = veorq_u64(high, vextq_u64(fold, zero, 1));
    return veorq_u64(low, multiply_low(high, x128));
}

TARGET static uint64x2_t
multiply(uint64x2_t a, uint64x2_t b)
{
    struct sum s = {vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0)};

    add_product(&s, a, b, halves_added(b));
    return reduce(&s);
}

/* LANES blocks at a time, each multiplied by its own power of h, with one reduction for all. */
TARGET static uint64x2_t
hash_lanes(uint64x2_t y, uint64x2_t h, const uint8_t *p, size_t count)
{
    uint64x2_t powers[LANES]; /* the highest first */

    powers[LANES - 1] = h;
    for (unsigned i = LANES - 1; i > 0; i--)
        powers[i - 1] = multiply(powers[i], h);
    for (; count > 0; count--, p += LANES * BLOCK) {
        struct sum s = {vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0)};

        /* these processors look far enough ahead to overlap the multiplications without copies of them */
        for (unsigned i = 0; i < LANES; i++) {
            add_product(&s, veorq_u64(load(p + BLOCK * i), y), powers[i], halves_added(powers[i]));
            y = vdupq_n_u64(0);
        }
        y = reduce(&s);
    }
    return y;
}

TARGET void
tls_aes_arm64_ghash(void *y, const void *h, const void *data, size_t len)
{
    const uint64x2_t key = load(h);
    uint64x2_t sum = load(y);
    const uint8_t *p = data;
    size_t lanes = len / (LANES * BLOCK);

    if (lanes > 0)
        sum = hash_lanes(sum, key, p, lanes);
    p += lanes * LANES * BLOCK;
    for (len -= lanes * LANES * BLOCK; len > 0;) {
        uint8_t block[BLOCK] = {0};
        size_t n = len < BLOCK ? len : BLOCK;

        memcpy(block, p, n);
        sum = multiply(veorq_u64(sum, load(block)), key);
        p += n;
        len -= n;
    }
    vst1q_u8(y, vrbitq_u8(vreinterpretq_u8_u64(sum)));
}

#endif
