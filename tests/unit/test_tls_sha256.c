#include "io/tls_sha256.h"

#include <string.h>

#include "check.h"
#include "dice.h"
#include "guard.h"

/*
 * The hash that BearSSL is given, where BearSSL uses it, beside BearSSL's own: handshake hashes of which the digest is
 * asked for at any time, HMAC, and the pseudorandom function. test_sha256.c has the hash itself.
 */

enum { LONGEST = 700, DIGEST = 32 };

static struct span
noise(size_t len)
{
    static char bytes[LONGEST];

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)dice(256);
    return guard_copy((struct span){bytes, len});
}

static void
handshake_hashes(void **state)
{
    br_multihash_context ours, theirs;
    uint8_t got[DIGEST], want[DIGEST];

    (void)state;
    br_multihash_zero(&ours);
    br_multihash_zero(&theirs);
    br_multihash_setimpl(&ours, br_sha256_ID, &tls_sha256);
    br_multihash_setimpl(&theirs, br_sha256_ID, &br_sha256_vtable);
    br_multihash_init(&ours);
    br_multihash_init(&theirs);
    for (int i = 0; i < 200; i++) {
        struct span message = noise(dice(LONGEST));

        br_multihash_update(&ours, message.p, message.len);
        br_multihash_update(&theirs, message.p, message.len);
        assert_int_equal(br_multihash_out(&ours, br_sha256_ID, got), DIGEST);
        assert_int_equal(br_multihash_out(&theirs, br_sha256_ID, want), DIGEST);
        assert_memory_equal(got, want, DIGEST);
    }
}

static void
hmac_by(const br_hash_class *class, struct span key, struct span message, uint8_t mac[DIGEST])
{
    br_hmac_key_context keyed;
    br_hmac_context hmac;

    br_hmac_key_init(&keyed, class, key.p, key.len);
    br_hmac_init(&hmac, &keyed, 0);
    br_hmac_update(&hmac, message.p, message.len);
    assert_int_equal(br_hmac_out(&hmac, mac), DIGEST);
}

/* Keys shorter and longer than a block. */
static void
macs(void **state)
{
    (void)state;
    for (size_t len = 0; len < 200; len++) {
        uint8_t got[DIGEST], want[DIGEST], key[200];

        memcpy(key, noise(len).p, len);
        for (int i = 0; i < 3; i++) {
            struct span message = noise(dice(LONGEST)), by = {(const char *)key, len};

            hmac_by(&tls_sha256, by, message, got);
            hmac_by(&br_sha256_vtable, by, message, want);
            assert_memory_equal(got, want, DIGEST);
        }
    }
}

/* What is there before is not what comes out. */
static void
prf(void **state)
{
    (void)state;
    for (size_t len = 0; len < 150; len++) {
        char secret[48];
        uint8_t got[150] = {1}, want[150] = {2};
        struct span seed = noise(64);
        const br_tls_prf_seed_chunk seeds[] = {{seed.p, 32}, {seed.p + 32, 32}};

        for (size_t i = 0; i < sizeof secret; i++)
            secret[i] = (char)dice(256);
        tls_sha256_prf(got, len, secret, sizeof secret, "key expansion", LEN(seeds), seeds);
        br_tls12_sha256_prf(want, len, secret, sizeof secret, "key expansion", LEN(seeds), seeds);
        assert_memory_equal(got, want, len);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_hashes),
        cmocka_unit_test(macs),
        cmocka_unit_test(prf),
    };

    return RUN(argc, argv, tests);
}
