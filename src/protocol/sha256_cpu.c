#include "protocol/sha256_cpu.h"

/* see sha256_cpu.h */

#if SHA256_CPU

#include "protocol/sha256_portable.h"

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
