#include "protocol/sha256.h"

#include <string.h>

#include "protocol/sha256_avx2.h"
#include "protocol/sha256_cpu.h"
#include "protocol/sha256_portable.h"

/* see sha256.h */

static enum sha256_way chosen;

enum sha256_way
sha256_fastest(bool has_instructions, bool has_avx2)
{
    if (has_instructions)
        return SHA256_BY_CPU;
    return has_avx2 ? SHA256_BY_AVX2 : SHA256_PORTABLE;
}

void
sha256_use(enum sha256_way way)
{
    chosen = way;
}

static void
add_blocks(struct sha256 *hash, const uint8_t *blocks, size_t count)
{
    switch (chosen) {
#if SHA256_AVX2
    case SHA256_BY_AVX2:
        sha256_avx2_blocks(hash->chain, blocks, count);
        break;
#endif
#if SHA256_CPU
    case SHA256_BY_CPU:
        sha256_cpu_blocks(hash->chain, blocks, count);
        break;
#endif
    default:
        sha256_portable_blocks(hash->chain, blocks, count);
    }
}

void
sha256_start(struct sha256 *hash)
{
    /* FIPS 180-4, section 5.3.3 */
    static const uint8_t initial[SHA256_LEN] = {
        0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3,
        0x72, 0xa5, 0x4f, 0xf5, 0x3a, 0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05,
        0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19,
    };

    memcpy(hash->chain, initial, sizeof initial);
    hash->len = 0;
}

void
sha256_add(struct sha256 *hash, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    size_t used = hash->len % SHA256_BLOCK_LEN;

    if (len == 0)
        return;
    hash->len += len;
    if (used > 0) {
        size_t n = len < SHA256_BLOCK_LEN - used ? len : SHA256_BLOCK_LEN - used;

        memcpy(hash->rest + used, from, n);
        if (used + n < SHA256_BLOCK_LEN)
            return;
        add_blocks(hash, hash->rest, 1);
        from += n;
        len -= n;
    }
    if (len >= SHA256_BLOCK_LEN)
        add_blocks(hash, from, len / SHA256_BLOCK_LEN);
    memcpy(hash->rest, from + (len - len % SHA256_BLOCK_LEN), len % SHA256_BLOCK_LEN);
}

/* FIPS 180-4, section 5.1.1: a one bit, zeros, and the number of bits as the last eight bytes. */
void
sha256_end(const struct sha256 *hash, uint8_t digest[SHA256_LEN])
{
    struct sha256 last = *hash;
    uint8_t padding[SHA256_BLOCK_LEN + 8] = {0x80};
    size_t zeros_end =
        (2 * SHA256_BLOCK_LEN - 8 - hash->len % SHA256_BLOCK_LEN - 1) % SHA256_BLOCK_LEN + 1;

    for (size_t i = 0; i < 8; i++)
        padding[zeros_end + i] = (uint8_t)(hash->len * 8 >> (56 - 8 * i));
    sha256_add(&last, padding, zeros_end + 8);
    memcpy(digest, last.chain, SHA256_LEN);
}

/* Begins with a block of the key, each byte changed by the same mask. */
static void
start_keyed(struct sha256 *hash, const uint8_t key[SHA256_BLOCK_LEN], uint8_t mask)
{
    uint8_t block[SHA256_BLOCK_LEN];

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ mask;
    sha256_start(hash);
    sha256_add(hash, block, sizeof block);
}

void
sha256_hmac(const void *key, size_t key_len, struct span message, uint8_t mac[SHA256_LEN])
{
    enum { INNER = 0x36, OUTER = 0x5c };
    uint8_t block[SHA256_BLOCK_LEN] = {0};
    struct sha256 hash;

    if (key_len > sizeof block) {
        sha256_start(&hash);
        sha256_add(&hash, key, key_len);
        sha256_end(&hash, block);
    } else if (key_len > 0) {
        memcpy(block, key, key_len);
    }
    start_keyed(&hash, block, INNER);
    sha256_add(&hash, message.p, message.len);
    sha256_end(&hash, mac);
    start_keyed(&hash, block, OUTER);
    sha256_add(&hash, mac, SHA256_LEN);
    sha256_end(&hash, mac);
}
