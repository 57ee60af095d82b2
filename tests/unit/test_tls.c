#include "io/tls.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "io/cpu.h"
#include "io/tls_aes_arm64.h"
#include "protocol/out.h"

/*
 * The AES-GCM that tls.c gives the engine on this CPU, against known vectors and against BearSSL's
 * portable code; and for how long a session is kept (tests/e2e/tls.test.mjs has it resumed).
 */

enum { BLOCK = 16, LONGEST = 30 * BLOCK, RECORD = 16384, KEY_MAX = 32, NONCE = 12 };

static struct tls tls;
static const br_block_ctr_class *ctr;
static br_ghash ghash;

static int
pick(void **state)
{
    static const struct tls_anchors none;

    (void)state;
    if (tls_start(&tls, &none, "localhost", 0) != 0)
        return -1;
    ctr = tls.client.eng.iaes_ctr;
    ghash = tls.client.eng.ighash;
    return 0;
}

static void
picked(void **state)
{
    (void)state;
#if TLS_AES_ARM64
    assert_ptr_equal(ctr, &tls_aes_arm64_ctr);
    assert_ptr_equal(ghash, tls_aes_arm64_ghash);
#else
    /* BearSSL gives these out only where the CPU has what they need */
    assert_ptr_equal(ctr, br_aes_x86ni_ctr_get_vtable());
    assert_ptr_equal(ghash, br_ghash_pclmul_get());
#endif
}

static void
fill(void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)dice(256);
}

/* From hexadecimal digits; returns bytes. */
static size_t
bytes_of(const char *hex, uint8_t *to)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)strtoul((char[]){hex[2 * i], hex[2 * i + 1], '\0'}, NULL, 16);
    return len;
}

static void
check_hex(const char *row, const void *bytes, size_t len, const char *want)
{
    char hex[200];
    struct out o = out_to(hex, sizeof hex);

    out_hex(&o, bytes, len);
    CHECK_SPAN(row, out_span(&o), span_of(want));
}

/* NIST SP 800-38A, F.5.1, F.5.3 and F.5.5: counter blocks from f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff. */
static const struct {
    const char *key, *out;
} vectors[] = {
    {"2b7e151628aed2a6abf7158809cf4f3c",
     "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
     "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
    {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
     "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
     "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"},
};

static void
ctr_vectors(void **state)
{
    static const char plain[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                                "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    (void)state;
    for (size_t i = 0; i < LEN(vectors); i++) {
        br_aes_gen_ctr_keys keys;
        uint8_t key[KEY_MAX], nonce[NONCE], text[4 * BLOCK];

        (void)bytes_of("f0f1f2f3f4f5f6f7f8f9fafb", nonce);
        (void)bytes_of(plain, text);
        ctr->init(&keys.vtable, key, bytes_of(vectors[i].key, key));
        CHECK_INT(vectors[i].key,
                  keys.vtable->run(&keys.vtable, nonce, 0xfcfdfeff, text, sizeof text), 0xfcfdff03);
        check_hex(vectors[i].key, text, sizeof text, vectors[i].out);
    }
}

/* The GCM specification, test case 2: one block, then its length. */
static void
ghash_vector(void **state)
{
    uint8_t h[BLOCK], y[BLOCK] = {0}, in[2 * BLOCK];

    (void)state;
    (void)bytes_of("66e94bd4ef8a2c3b884cfa59ca342b2e", h);
    (void)bytes_of("0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080", in);
    ghash(y, h, in, sizeof in);
    check_hex("case 2", y, sizeof y, "f38cbb1ad69223dcc3457ae5b6b0f885");
}

/* The same bytes, at any address, up to an unreadable page where there is no offset to it. */
static void
compare_ctr(size_t len, size_t before_end, uint32_t counter)
{
    static uint8_t want[RECORD + LONGEST];
    br_aes_gen_ctr_keys keys, reference;
    uint8_t key[KEY_MAX], nonce[NONCE];
    size_t key_len = 16 + 8 * dice(3);
    char *got = guard_buffer(len + before_end);
    uint32_t end, end_wanted;

    fill(key, sizeof key);
    fill(nonce, sizeof nonce);
    fill(want, len);
    if (len > 0)
        memcpy(got, want, len);
    ctr->init(&keys.vtable, key, key_len);
    br_aes_ct64_ctr_init(&reference.c_ct64, key, key_len);
    end = keys.vtable->run(&keys.vtable, nonce, counter, got, len);
    end_wanted = br_aes_ct64_ctr_run(&reference.c_ct64, nonce, counter, want, len);
    assert_memory_equal(got, want, len);
    if (len % BLOCK == 0)
        assert_int_equal(end, end_wanted);
}

/* Counters that wrap, in the midst of the blocks that are in the making together, and others. */
static void
ctr_same(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++) {
        compare_ctr(len, 0, 1);
        compare_ctr(len, dice(BLOCK), dice(UINT32_MAX));
        compare_ctr(len, dice(BLOCK), UINT32_MAX - dice(32));
    }
    for (size_t i = 0; i < 64; i++)
        compare_ctr(RECORD + dice(LONGEST), i, UINT32_MAX - dice(RECORD / BLOCK));
}

static void
compare_ghash(size_t len, size_t before_end)
{
    uint8_t h[BLOCK], y[BLOCK], want[BLOCK];
    char *in = guard_buffer(len + before_end);

    fill(h, sizeof h);
    fill(y, sizeof y);
    fill(in, len);
    memcpy(want, y, sizeof want);
    ghash(y, h, in, len);
    br_ghash_ctmul64(want, h, in, len);
    assert_memory_equal(y, want, sizeof want);
}

static void
ghash_same(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++)
        for (size_t i = 0; i < BLOCK; i++)
            compare_ghash(len, i);
    for (size_t i = 0; i < 64; i++)
        compare_ghash(RECORD + dice(LONGEST), i);
}

/* --- sessions ---------------------------------------------------------------------------------- */

static const struct tls_anchors anchors[2];

enum { BEGUN = 1000000000, ID_LEN = 32 };

/* What the engine would offer in a handshake with this server, of so many seconds since 1970. */
static unsigned
offered(size_t which, const char *host, uint64_t unix_s)
{
    assert_int_equal(tls_start(&tls, &anchors[which], host, unix_s), 0);
    return tls.client.eng.session.session_id_len;
}

/* A handshake that began then has succeeded, and the server gave this id. */
static void
handshake(uint64_t unix_s, uint8_t id)
{
    br_ssl_session_parameters *now = &tls.client.eng.session;

    (void)offered(0, "one.test", unix_s);
    memset(now, id, sizeof *now);
    now->session_id_len = ID_LEN;
    tls_keep_session(&tls);
}

static int
forget(void **state)
{
    (void)state;
    tls_forget_session(&tls);
    return 0;
}

static const struct {
    const char *name, *host;
    size_t anchors;
    uint64_t unix_s;
    unsigned want;
} offers[] = {
    {"at once", "one.test", 0, BEGUN, ID_LEN},
    {"after an hour", "one.test", 0, BEGUN + TLS_SESSION_MAX_S, ID_LEN},
    {"after more", "one.test", 0, BEGUN + TLS_SESSION_MAX_S + 1, 0},
    {"the clock was set back", "one.test", 0, BEGUN - 1, 0},
    {"another host", "one.test.", 0, BEGUN, 0},
    {"other anchors", "one.test", 1, BEGUN, 0},
};

static void
session_offered(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(offers); i++) {
        handshake(BEGUN, 1);
        CHECK_INT(offers[i].name, offered(offers[i].anchors, offers[i].host, offers[i].unix_s),
                  offers[i].want);
        CHECK_INT(offers[i].name, tls.client.eng.session.master_secret[47], offers[i].want ? 1 : 0);
        /* what did not fit is gone for good */
        CHECK_INT(offers[i].name, offered(0, "one.test", BEGUN), offers[i].want);
        tls_forget_session(&tls);
        CHECK_INT(offers[i].name, offered(0, "one.test", BEGUN), 0);
    }
}

/* To resume a session does not make it younger; another one in its place is as young as it is. */
static void
session_ages(void **state)
{
    (void)state;
    handshake(BEGUN, 1);
    handshake(BEGUN + TLS_SESSION_MAX_S, 1);
    assert_int_equal(offered(0, "one.test", BEGUN + TLS_SESSION_MAX_S + 1), 0);
    handshake(BEGUN, 1);
    handshake(BEGUN + TLS_SESSION_MAX_S, 2);
    assert_int_equal(offered(0, "one.test", BEGUN + 2 * TLS_SESSION_MAX_S), ID_LEN);
    assert_int_equal(tls.client.eng.session.session_id[0], 2);
}

/* A server that gives no id, also in the place of one that it has forgotten. */
static void
session_without_id(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 2; before++) {
        tls_forget_session(&tls);
        if (before != 0)
            handshake(BEGUN, 1);
        (void)offered(0, "one.test", BEGUN);
        tls.client.eng.session.session_id_len = 0;
        tls_keep_session(&tls);
        assert_int_equal(offered(0, "one.test", BEGUN), 0);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(picked, pick),
        cmocka_unit_test_setup(ctr_vectors, pick),
        cmocka_unit_test_setup(ghash_vector, pick),
        cmocka_unit_test_setup(ctr_same, pick),
        cmocka_unit_test_setup(ghash_same, pick),
        cmocka_unit_test_setup(session_offered, forget),
        cmocka_unit_test_setup(session_ages, forget),
        cmocka_unit_test_setup(session_without_id, forget),
    };

    return RUN(argc, argv, tests);
}
