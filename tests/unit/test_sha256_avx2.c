/* The compression alone, in blocks. */
#include "protocol/sha256_avx2.h"

#include "check.h"
#include "guard.h"
#include "io/cpu.h"

#if SHA256_AVX2

#include "dice.h"
#include "protocol/out.h"

#include <bearssl_hash.h>

enum { BLOCK_LEN = 64, CHAIN_LEN = 32, GROUP = 8, MILLION_BLOCKS = 1000000 / BLOCK_LEN + 1 };

static uint8_t bytes[MILLION_BLOCKS * BLOCK_LEN];

static void
need_avx2(void)
{
    if (!cpu_has_avx2())
        skip();
}

/* FIPS 180-4's examples: one block, two, a million letters. */
static const struct {
    const char *name, *text;
    size_t times, blocks;
    const char *hex;
} published[] = {
    {"one block", "abc", 1, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, 2,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a million", "a", 1000000, MILLION_BLOCKS,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

/* Writes the text so many times, and pads it. */
static void
write_padded(const char *text, size_t times, size_t blocks)
{
    size_t len = strlen(text), all = len * times;

    memset(bytes, 0, blocks * BLOCK_LEN);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * len, text, len);
    bytes[all] = 0x80;
    for (size_t i = 0; i < 8; i++)
        bytes[blocks * BLOCK_LEN - 1 - i] = (uint8_t)((uint64_t)all * 8 >> 8 * i);
}

static void
examples(void **state)
{
    (void)state;
    need_avx2();
    for (size_t i = 0; i < LEN(published); i++) {
        br_sha256_context initial;
        uint8_t chain[CHAIN_LEN];
        char hex[2 * CHAIN_LEN];
        struct out o = out_to(hex, sizeof hex);

        br_sha256_init(&initial);
        (void)br_sha256_state(&initial, chain);
        write_padded(published[i].text, published[i].times, published[i].blocks);
        sha256_avx2_blocks(chain, bytes, published[i].blocks);
        out_hex(&o, chain, sizeof chain);
        CHECK_SPAN(published[i].name, out_span(&o), span_of(published[i].hex));
    }
}

/* --- against BearSSL's ---------------------------------------------------------------------------- */

static void
fill(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)dice(256);
}

static void
add_by_bearssl(uint8_t chain[CHAIN_LEN], const uint8_t *blocks, size_t count)
{
    br_sha256_context c;

    br_sha256_init(&c);
    br_sha256_set_state(&c, chain, 0);
    br_sha256_update(&c, blocks, count * BLOCK_LEN);
    (void)br_sha256_state(&c, chain);
}

/* After any chaining value; in two calls, of which the first takes `cut` blocks. */
static void
check_same(const uint8_t *blocks, size_t count, size_t cut)
{
    uint8_t got[CHAIN_LEN], want[CHAIN_LEN];

    fill(want, sizeof want);
    memcpy(got, want, sizeof got);
    sha256_avx2_blocks(got, blocks, cut);
    sha256_avx2_blocks(got, blocks + cut * BLOCK_LEN, count - cut);
    add_by_bearssl(want, blocks, count);
    if (memcmp(got, want, sizeof got) != 0)
        fail_msg("%zu blocks, cut at %zu", count, cut);
}

/* Any number of blocks, cut in two at every place; nothing beyond the last is read. */
static void
cuts(void **state)
{
    (void)state;
    need_avx2();
    for (size_t count = 0; count <= 4 * GROUP + 1; count++) {
        struct span in;

        fill(bytes, count * BLOCK_LEN);
        in = guard_copy((struct span){(const char *)bytes, count * BLOCK_LEN});
        for (size_t cut = 0; cut <= count; cut++)
            check_same((const uint8_t *)in.p, count, cut);
    }
}

/* At every address within a block, the chaining value at any too. */
static void
alignments(void **state)
{
    (void)state;
    need_avx2();
    fill(bytes, (2 * GROUP + 3) * BLOCK_LEN);
    for (size_t at = 0; at < BLOCK_LEN; at++) {
        uint8_t area[BLOCK_LEN + CHAIN_LEN], want[CHAIN_LEN];
        uint8_t *got = area + at;

        fill(area, sizeof area);
        memcpy(want, got, sizeof want);
        for (size_t count = 1; count <= 2 * GROUP + 2; count++) {
            sha256_avx2_blocks(got, bytes + at, count);
            add_by_bearssl(want, bytes + at, count);
            assert_memory_equal(got, want, sizeof want);
        }
    }
}

/* Numbers that random bytes do not bring. */
static void
extremes(void **state)
{
    static const uint8_t all[] = {0x00, 0xff, 0x80, 0x7f, 0x01, 0xfe};

    (void)state;
    need_avx2();
    for (size_t i = 0; i < LEN(all); i++) {
        memset(bytes, all[i], 2 * GROUP * BLOCK_LEN);
        check_same(bytes, 2 * GROUP, 0);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(cuts),
        cmocka_unit_test(alignments),
        cmocka_unit_test(extremes),
    };

    return RUN(argc, argv, tests);
}

#else

static void
other_cpu(void **state)
{
    (void)state;
    skip();
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_cpu),
    };

    return RUN(argc, argv, tests);
}

#endif
