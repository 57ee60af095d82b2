#include "protocol/sha256.h"

#include "check.h"
#include "guard.h"
#include "io/cpu.h"
#include "protocol/out.h"
#include "seed.h"

#include <bearssl_hash.h>

#define AREA                                                                                       \
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmno" \
    "p"                                                                                            \
    "qrsmnopqrstnopqrstu"

/* FIPS 180-4 examples and NIST's short messages. */
static const struct {
    struct span in;
    const char *hex;
} digests[] = {
    {TEXT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {TEXT("\xd3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
    {TEXT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {TEXT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {TEXT(AREA), "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void
check_hex(const char *name, const uint8_t digest[SHA256_LEN], const char *want)
{
    char hex[2 * SHA256_LEN];
    struct out o = out_to(hex, sizeof hex);

    out_hex(&o, digest, SHA256_LEN);
    CHECK_SPAN(name, out_span(&o), span_of(want));
}

/* In pieces of every size. */
static void
digest(void **state)
{
    uint8_t got[SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < LEN(digests); i++) {
        seed("sha256", digests[i].in);
        for (size_t step = 1; step <= digests[i].in.len + 1; step++) {
            struct span in = guard_copy(digests[i].in);
            struct sha256 hash;

            sha256_start(&hash);
            while (in.len > 0) {
                sha256_add(&hash, in.p, in.len < step ? in.len : step);
                in = span_skip(in, step);
            }
            sha256_add(&hash, NULL, 0);
            sha256_end(&hash, got);
            check_hex(digests[i].in.p, got, digests[i].hex);
        }
    }
}

static void
million(void **state)
{
    static char text[1000];
    uint8_t got[SHA256_LEN];
    struct sha256 hash;

    (void)state;
    memset(text, 'a', sizeof text);
    sha256_start(&hash);
    for (int i = 0; i < 1000; i++)
        sha256_add(&hash, text, sizeof text);
    sha256_end(&hash, got);
    check_hex("million", got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The end may be asked for in between and again. */
static void
goes_on_after_end(void **state)
{
    uint8_t got[SHA256_LEN];
    struct sha256 hash, copy;

    (void)state;
    sha256_start(&hash);
    sha256_add(&hash, "ab", 2);
    sha256_end(&hash, got);
    copy = hash;
    sha256_add(&hash, "c", 1);
    sha256_end(&hash, got);
    check_hex("abc", got, digests[2].hex);
    sha256_end(&hash, got);
    check_hex("abc again", got, digests[2].hex);
    sha256_add(&copy, "c", 1);
    sha256_end(&copy, got);
    check_hex("abc in a copy", got, digests[2].hex);
}

/* RFC 4231, sections 4.2, 4.3, 4.7 and 4.8, then two more; the key is repeated count times. */
static const struct {
    const char *name;
    struct span key;
    size_t count;
    struct span message;
    const char *hex;
} macs[] = {
    {"1", TEXT("\x0b"), 20, TEXT("Hi There"),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"2", TEXT("Jefe"), 1, TEXT("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"6: key longer than a block", TEXT("\xaa"), 131,
     TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"7: both longer than a block", TEXT("\xaa"), 131,
     TEXT("This is a test using a larger than block-size key and a larger than block-size data. "
          "The key needs to be hashed before being used by the HMAC algorithm."),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    {"both empty", TEXT(""), 0, TEXT(""),
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    {"key of one block", TEXT("\xaa"), SHA256_BLOCK_LEN, TEXT("a"),
     "917f2cd8b5da1412ee966da7decb133be190b92c6ccd6cec37eb38ccf56c75fd"},
};

static void
mac(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(macs); i++) {
        char key[200];
        struct out o = out_to(key, sizeof key);
        uint8_t got[SHA256_LEN];

        for (size_t n = 0; n < macs[i].count; n++)
            out_put(&o, macs[i].key);
        sha256_hmac(o.len == 0 ? NULL : key, o.len, guard_copy(macs[i].message), got);
        check_hex(macs[i].name, got, macs[i].hex);
    }
}

/* --- all ways against BearSSL itself ------------------------------------------------------------- */

enum { LONGEST = 5 * SHA256_BLOCK_LEN };

static void
fill(char *bytes, size_t len)
{
    static uint32_t x = 2463534242;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        bytes[i] = (char)(x >> 11);
    }
}

static void
check_same(struct span in, const uint8_t got[SHA256_LEN])
{
    br_sha256_context reference;
    uint8_t want[SHA256_LEN];

    br_sha256_init(&reference);
    br_sha256_update(&reference, in.p, in.len);
    br_sha256_out(&reference, want);
    assert_memory_equal(got, want, SHA256_LEN);
}

/* Every length, cut in two at every place. */
static void
cuts(void **state)
{
    static char text[LONGEST];

    (void)state;
    fill(text, sizeof text);
    for (size_t len = 0; len <= LONGEST; len++) {
        struct span in = guard_copy((struct span){text, len});

        for (size_t cut = 0; cut <= len; cut++) {
            uint8_t got[SHA256_LEN];
            struct sha256 hash;

            sha256_start(&hash);
            sha256_add(&hash, in.p, cut);
            sha256_add(&hash, in.p + cut, len - cut);
            sha256_end(&hash, got);
            check_same(in, got);
        }
    }
}

/* Blocks at every address within 64 bytes, in one piece. */
static void
alignments(void **state)
{
    static char text[64 + 20 * SHA256_BLOCK_LEN];

    (void)state;
    fill(text, sizeof text);
    for (size_t at = 0; at < 64; at++) {
        for (size_t len = 0; len <= sizeof text - 64; len += 61) {
            uint8_t got[SHA256_LEN];
            struct sha256 hash;

            sha256_start(&hash);
            sha256_add(&hash, text + at, len);
            sha256_end(&hash, got);
            check_same((struct span){text + at, len}, got);
        }
    }
}

/* The best that this CPU has, at most the one asked for. */
static void
use_at_most(enum sha256_way way)
{
    sha256_use(sha256_fastest(way == SHA256_BY_CPU && cpu_has_sha256(),
                              way != SHA256_PORTABLE && cpu_has_avx2()));
}

/* One way takes over from another at any point. */
static void
ways_mixed(void **state)
{
    static char text[LONGEST];

    (void)state;
    fill(text, sizeof text);
    for (size_t step = 1; step < LONGEST; step++) {
        uint8_t got[SHA256_LEN];
        struct sha256 hash;

        sha256_start(&hash);
        for (size_t at = 0; at < LONGEST; at += step) {
            use_at_most((enum sha256_way)(at / step % 3));
            sha256_add(&hash, text + at, LONGEST - at < step ? LONGEST - at : step);
        }
        sha256_end(&hash, got);
        check_same((struct span){text, LONGEST}, got);
    }
}

static void
has_instructions(void **state)
{
    (void)state;
    if (!cpu_has_sha256())
        skip();
}

static void
has_avx2(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
}

/* Its own instructions before all, and portable code where there is nothing else. */
static void
fastest(void **state)
{
    (void)state;
    assert_int_equal(sha256_fastest(true, true), SHA256_BY_CPU);
    assert_int_equal(sha256_fastest(true, false), SHA256_BY_CPU);
    assert_int_equal(sha256_fastest(false, true), SHA256_BY_AVX2);
    assert_int_equal(sha256_fastest(false, false), SHA256_PORTABLE);
}

static int
portable(void **state)
{
    (void)state;
    use_at_most(SHA256_PORTABLE);
    return 0;
}

/* These are the next best where the CPU has none; has_avx2 and has_instructions then say so. */
static int
avx2(void **state)
{
    (void)state;
    use_at_most(SHA256_BY_AVX2);
    return 0;
}

static int
instructions(void **state)
{
    (void)state;
    use_at_most(SHA256_BY_CPU);
    return 0;
}

#define ALL(test)                                                                                  \
    {#test ", portable", test, portable, NULL, NULL}, {#test ", avx2", test, avx2, NULL, NULL},    \
    {                                                                                              \
#test ", instructions", test, instructions, NULL, NULL                                     \
    }

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_instructions),
        cmocka_unit_test(has_avx2),
        cmocka_unit_test(fastest),
        ALL(digest),
        ALL(million),
        ALL(goes_on_after_end),
        ALL(mac),
        ALL(cuts),
        ALL(alignments),
        cmocka_unit_test(ways_mixed),
    };

    return RUN(argc, argv, tests);
}
