#include "protocol/sha256_portable.h"

/* see sha256_portable.h */

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

enum { BLOCK_LEN = 64, ROUNDS = 64, GIVEN = 16, WORDS = 8 };

static uint32_t
get_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t
rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static uint32_t
big_sigma(uint32_t x, int r1, int r2, int r3)
{
    return rotate(x, r1) ^ rotate(x, r2) ^ rotate(x, r3);
}

/* w[i] becomes the schedule's word 16 rounds later; in the last 16 rounds nobody asks for it. */
static uint32_t
take_word(uint32_t w[GIVEN], size_t i)
{
    const uint32_t now = w[i % GIVEN], second = w[(i + 1) % GIVEN], last = w[(i + 14) % GIVEN];

    w[i % GIVEN] += w[(i + 9) % GIVEN] + (rotate(second, 7) ^ rotate(second, 18) ^ second >> 3) +
                    (rotate(last, 17) ^ rotate(last, 19) ^ last >> 10);
    return now;
}

/* The standard's a to h move by one place with each round: here what they are called does. */
static void
add_block(uint32_t v[WORDS], const uint8_t *block)
{
    uint32_t w[GIVEN];

    for (size_t i = 0; i < GIVEN; i++)
        w[i] = get_word(block + 4 * i);
    for (size_t i = 0; i < ROUNDS; i++) {
        const size_t at = ROUNDS - i;
        const uint32_t a = v[at % WORDS], b = v[(at + 1) % WORDS], c = v[(at + 2) % WORDS];
        const uint32_t e = v[(at + 4) % WORDS], f = v[(at + 5) % WORDS], g = v[(at + 6) % WORDS];
        uint32_t *d = &v[(at + 3) % WORDS], *h = &v[(at + 7) % WORDS];

        *h += sha256_constants[i] + take_word(w, i) + (g ^ (e & (f ^ g))) + big_sigma(e, 6, 11, 25);
        *d += *h;
        *h += ((a & b) | (c & (a | b))) + big_sigma(a, 2, 13, 22);
    }
}

void
sha256_portable_blocks(uint8_t chain[32], const uint8_t *blocks, size_t count)
{
    uint32_t before[WORDS], v[WORDS];

    for (size_t i = 0; i < WORDS; i++)
        v[i] = get_word(chain + 4 * i);
    for (; count > 0; count--, blocks += BLOCK_LEN) {
        for (size_t i = 0; i < WORDS; i++)
            before[i] = v[i];
        add_block(v, blocks);
        for (size_t i = 0; i < WORDS; i++)
            v[i] += before[i];
    }
    for (size_t i = 0; i < sizeof v; i++)
        chain[i] = (uint8_t)(v[i / 4] >> (24 - 8 * (i % 4)));
}
