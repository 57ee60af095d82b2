#include "protocol/sha256_cpu.h"

/* see sha256_cpu.h */

#if SHA256_CPU

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/*
 * Both: 16 steps of four rounds. w holds the 16 words of the message schedule for the next rounds; each
 * step consumes the first four and computes the four that come 16 later. Those computed in the last four
 * steps are not used, which costs less than a test.
 */
enum { STEPS = 16 };

#if defined __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* Four big-endian words at any address, in the order in which they are in memory. */
TARGET static __m128i
words(const uint8_t *bytes)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    return _mm_shuffle_epi8(_mm_loadu_si128((const void *)bytes), swap);
}

/* The instructions take the state as (F,E,B,A) and (H,G,D,C), lowest first. */
TARGET void
sha256_cpu_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count)
{
    const __m128i reverse = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i dcba = _mm_shuffle_epi8(_mm_loadu_si128((void *)chain), reverse);
    __m128i hgfe = _mm_shuffle_epi8(_mm_loadu_si128((void *)(chain + 16)), reverse);
    __m128i feba = _mm_unpackhi_epi64(hgfe, dcba);
    __m128i hgdc = _mm_unpacklo_epi64(hgfe, dcba);

    for (; count > 0; count--, blocks += 64) {
        const __m128i feba_before = feba, hgdc_before = hgdc;
        __m128i w[4] = {words(blocks), words(blocks + 16), words(blocks + 32), words(blocks + 48)};

        for (size_t i = 0; i < STEPS; i++) {
            __m128i k = _mm_loadu_si128((const void *)(sha256_constants + 4 * i));
            __m128i wk = _mm_add_epi32(w[0], k);
            __m128i next =
                _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));

            hgdc = _mm_sha256rnds2_epu32(hgdc, feba, wk);
            feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(wk, 0x0e));
            w[0] = w[1];
            w[1] = w[2];
            w[2] = w[3];
            w[3] = _mm_sha256msg2_epu32(next, w[3]);
        }
        feba = _mm_add_epi32(feba, feba_before);
        hgdc = _mm_add_epi32(hgdc, hgdc_before);
    }
    dcba = _mm_unpackhi_epi64(hgdc, feba);
    hgfe = _mm_unpacklo_epi64(hgdc, feba);
    _mm_storeu_si128((void *)chain, _mm_shuffle_epi8(dcba, reverse));
    _mm_storeu_si128((void *)(chain + 16), _mm_shuffle_epi8(hgfe, reverse));
}

#else

#include <arm_neon.h>

/* gcc 12 offers these intrinsics only with the whole crypto extension */
#define TARGET __attribute__((target("+crypto")))

TARGET static uint32x4_t
words(const uint8_t *bytes)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
}

TARGET static void
put_words(uint8_t *bytes, uint32x4_t x)
{
    vst1q_u8(bytes, vrev32q_u8(vreinterpretq_u8_u32(x)));
}

TARGET void
sha256_cpu_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count)
{
    uint32x4_t abcd = words(chain), efgh = words(chain + 16);

    for (; count > 0; count--, blocks += 64) {
        const uint32x4_t abcd_before = abcd, efgh_before = efgh;
        uint32x4_t w[4] = {words(blocks), words(blocks + 16), words(blocks + 32),
                           words(blocks + 48)};

        for (size_t i = 0; i < STEPS; i++) {
            uint32x4_t wk = vaddq_u32(w[0], vld1q_u32(sha256_constants + 4 * i));
            uint32x4_t next = vsha256su1q_u32(vsha256su0q_u32(w[0], w[1]), w[2], w[3]);
            uint32x4_t abcd_old = abcd;

            abcd = vsha256hq_u32(abcd, efgh, wk);
            efgh = vsha256h2q_u32(efgh, abcd_old, wk);
            w[0] = w[1];
            w[1] = w[2];
            w[2] = w[3];
            w[3] = next;
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    put_words(chain, abcd);
    put_words(chain + 16, efgh);
}

#endif
#endif
