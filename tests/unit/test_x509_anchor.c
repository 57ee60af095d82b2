#include "protocol/x509_anchor.h"

#include <bearssl.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "der.h"
#include "dice.h"
#include "guard.h"
#include "protocol/base64.h"
#include "seed.h"

#define NAME                                                                                       \
    SPAN("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"                                    \
         "DE")
#define RSA SPAN("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")
#define CURVE(oid) SPAN("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" oid)
#define P256 CURVE("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define P384 CURVE("\x06\x05\x2b\x81\x04\x00\x22")
#define P521 CURVE("\x06\x05\x2b\x81\x04\x00\x23")
#define POINT SPAN("\x04 some coordinates")

static const char number[X509_MODULUS_MAX_BYTES + 1] = "\x81\x02\x03";

static struct span
modulus(size_t len)
{
    return (struct span){number, len};
}

static struct span
key(struct span algorithm, struct span bits)
{
    return der(0x30, join(der(0x30, algorithm), der(0x03, join(SPAN("\0"), bits))));
}

static struct span
rsa(struct span n)
{
    return key(RSA, der(0x30, join(der(0x02, n), der(0x02, SPAN("\x01\x00\x01")))));
}

/* basicConstraints */
static struct span
constraints(bool critical, struct span value)
{
    return extension(SPAN("\x55\x1d\x13"), critical, der(0x30, value));
}

#define IS_CA SPAN("\x01\x01\xff")
#define IS_NONE SPAN("\x01\x01\x00")

/* version: empty where there is none, as there may be none of what comes after the key. */
static struct span
certificate(struct span version, struct span key, struct span behind)
{
    struct span dates = der(0x30, SPAN("\x17\x00\x17\x00"));
    struct span head =
        join(version, join(der(0x02, SPAN("\x01")), der(0x30, SPAN("\x06\x01\x2a"))));
    struct span issuer = der(0x30, SPAN("\x31\x00"));
    struct span body = join(head, join(join(issuer, dates), join(NAME, join(key, behind))));

    return der(0x30, join(der(0x30, body),
                          join(der(0x30, SPAN("\x06\x01\x2a")), der(0x03, SPAN("\0sign")))));
}

#define V3 der(0xa0, der(0x02, SPAN("\x02")))

static struct span
extensions(struct span list)
{
    return der(0xa3, der(0x30, list));
}

/* At every length but the whole it is none. */
static struct x509_anchor
anchor(const char *name, struct span in)
{
    struct x509_anchor a;

    seed("x509_anchor", in);
    for (size_t len = 0; len < in.len; len++)
        CHECK_INT(name, x509_anchor_read(guard_copy((struct span){in.p, len}), &a), ERR_BAD);
    CHECK_INT(name, x509_anchor_read(guard_copy(in), &a), 0);
    CHECK_SPAN(name, a.subject, NAME);
    CHECK_SPAN(name, a.validity, SPAN("\x17\x00\x17\x00"));
    return a;
}

static void
check_bad(const char *name, struct span in)
{
    struct x509_anchor a;

    seed("x509_anchor", in);
    CHECK_INT(name, x509_anchor_read(guard_copy(in), &a), ERR_BAD);
}

static void
keys(void **state)
{
    static const struct {
        const char *name;
        struct span algorithm;
        enum x509_key key;
    } rows[] = {{"P-256", P256, X509_P256}, {"P-384", P384, X509_P384}, {"P-521", P521, X509_P521}};
    struct x509_anchor a;

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        a = anchor(rows[i].name, certificate(V3, key(rows[i].algorithm, POINT), NONE));
        CHECK_INT(rows[i].name, a.key, rows[i].key);
        CHECK_SPAN(rows[i].name, a.point, POINT);
    }
    a = anchor("RSA", certificate(V3, rsa(modulus(256)), NONE));
    CHECK_INT("RSA", a.key, X509_RSA);
    CHECK_SPAN("RSA", a.modulus, modulus(256));
    CHECK_SPAN("RSA", a.exponent, SPAN("\x01\x00\x01"));
    a = anchor("zeros before the modulus",
               certificate(NONE, rsa(join(SPAN("\0\0"), modulus(512))), NONE));
    CHECK_SPAN("zeros before the modulus", a.modulus, modulus(512));

    check_bad("too long a modulus", certificate(V3, rsa(modulus(513)), NONE));
    check_bad("no modulus", certificate(V3, rsa(SPAN("\0")), NONE));
    check_bad("another curve",
              certificate(V3, key(CURVE("\x06\x05\x2b\x81\x04\x00\x0a"), POINT), NONE));
    check_bad("another algorithm", certificate(V3, key(SPAN("\x06\x03\x2b\x65\x70"), POINT), NONE));
    check_bad(
        "bits that do not count",
        certificate(V3, der(0x30, join(der(0x30, P256), der(0x03, SPAN("\x01\x04x")))), NONE));
    check_bad("no bits", certificate(V3, der(0x30, join(der(0x30, P256), der(0x03, NONE))), NONE));
}

static void
authorities(void **state)
{
    struct span other = extension(SPAN("\x55\x1d\x0f"), true, SPAN("\x03\x02\x07\x80"));
    struct span identifiers = join(der(0x81, SPAN("\0one")), der(0x82, SPAN("\0two")));
    struct span pathlen = SPAN("\x02\x01\x00");
    struct span p256 = key(P256, POINT);

    (void)state;
#define IS(name, behind, wanted)                                                                   \
    CHECK_INT(name, anchor(name, certificate(V3, p256, behind)).is_ca, wanted)
    IS("no extensions", NONE, false);
    IS("another extension", extensions(other), false);
    IS("an authority", extensions(constraints(false, IS_CA)), true);
    IS("critical", extensions(constraints(true, IS_CA)), true);
    IS("among others",
       extensions(join(other, join(constraints(true, join(IS_CA, pathlen)), other))), true);
    IS("said to be none", extensions(constraints(true, IS_NONE)), false);
    IS("by default none", extensions(constraints(true, NONE)), false);
    IS("a path length alone", extensions(constraints(true, pathlen)), false);
    IS("behind unique identifiers", join(identifiers, extensions(constraints(true, IS_CA))), true);
    IS("unique identifiers alone", identifiers, false);
    IS("one that is like extensions", der(0xa1, der(0x30, constraints(true, IS_CA))), false);
#undef IS
}

static void
no_certificates(void **state)
{
    (void)state;
    check_bad("nothing", NONE);
    check_bad("another element", der(0x31, SPAN("x")));
    check_bad("an empty one", der(0x30, NONE));
    check_bad("a length without end", SPAN("\x30\x80\x00\x00"));
    check_bad("a length of four bytes", SPAN("\x30\x84\x00\x00\x00\x00"));
    check_bad("no key", certificate(V3, NONE, NONE));
}

/* --- BearSSL's decoder as the measure --- */

static struct {
    char bytes[1024];
    size_t len;
} name_read;

static void
add_name(void *context, const void *bytes, size_t len)
{
    (void)context;
    if (len <= sizeof name_read.bytes - name_read.len)
        memcpy(name_read.bytes + name_read.len, bytes, len);
    name_read.len += len;
}

static enum x509_key
key_of(int curve)
{
    return curve == BR_EC_secp256r1 ? X509_P256 : curve == BR_EC_secp384r1 ? X509_P384 : X509_P521;
}

/* What BearSSL can read is read in the same way, but for keys that are too large. Returns whether it can. */
static bool
compare(struct span in)
{
    static br_x509_decoder_context decoder;
    struct x509_anchor a;
    const br_x509_pkey *k;

    name_read.len = 0;
    br_x509_decoder_init(&decoder, add_name, NULL);
    br_x509_decoder_push(&decoder, in.p, in.len);
    k = br_x509_decoder_get_pkey(&decoder);
    if (k == NULL)
        return false;
    if (k->key_type == BR_KEYTYPE_RSA && k->key.rsa.nlen > X509_MODULUS_MAX_BYTES) {
        assert_int_equal(x509_anchor_read(in, &a), ERR_BAD);
        return false;
    }
    assert_int_equal(x509_anchor_read(in, &a), 0);
    CHECK_SPAN("name", a.subject, ((struct span){name_read.bytes, name_read.len}));
    assert_int_equal(a.is_ca, br_x509_decoder_isCA(&decoder));
    if (k->key_type == BR_KEYTYPE_RSA) {
        assert_int_equal(a.key, X509_RSA);
        CHECK_SPAN("modulus", a.modulus, ((struct span){(char *)k->key.rsa.n, k->key.rsa.nlen}));
        CHECK_SPAN("exponent", a.exponent, ((struct span){(char *)k->key.rsa.e, k->key.rsa.elen}));
    } else {
        assert_int_equal(a.key, key_of(k->key.ec.curve));
        CHECK_SPAN("point", a.point, ((struct span){(char *)k->key.ec.q, k->key.ec.qlen}));
    }
    return true;
}

/* All authorities that this machine trusts, as they are and damaged in a place. */
static void
the_machines(void **state)
{
    static char text[2 << 20];
    static uint8_t bytes[8192];
    int file = open("/etc/ssl/certs/ca-certificates.crt", O_RDONLY);
    struct span rest = {text, 0};
    const struct span begin = SPAN("-----BEGIN CERTIFICATE-----\n");
    unsigned known = 0;

    (void)state;
    if (file < 0)
        skip();
    for (ssize_t n;
         (n = pread(file, text + rest.len, sizeof text - rest.len, (off_t)rest.len)) > 0;)
        rest.len += (size_t)n;
    close(file);
    for (const char *at; (at = span_find(rest, begin)) != NULL;) {
        struct base64 base64 = {0};
        struct span line = {NULL, 0};
        int n = 0;

        rest = span_skip(rest, (size_t)(at - rest.p) + begin.len);
        for (line = span_cut(rest, '\n', &rest); *line.p != '-'; line = span_cut(rest, '\n', &rest))
            n += base64_read(&base64, &line, bytes + n, sizeof bytes - (size_t)n);
        assert_true(base64_whole(&base64));
        known += compare(guard_copy((struct span){(char *)bytes, (size_t)n}));
        for (int i = 0; i < 20; i++) {
            size_t where = dice((uint32_t)n);
            uint8_t before = bytes[where];

            bytes[where] = (uint8_t)dice(256);
            (void)compare(guard_copy((struct span){(char *)bytes, (size_t)n}));
            bytes[where] = before;
        }
    }
    assert_true(known > 50);
}

static void
last_days(void **state)
{
#define TIME(text) der(0x17, SPAN(text))
#define LONG_TIME(text) der(0x18, SPAN(text))
    const struct {
        const char *name;
        struct span validity;
        const char *text;
    } rows[] = {
        {"this century", join(TIME("150526000000Z"), TIME("380117000000Z")), " until 2038-01-17"},
        {"its last year in two digits", join(TIME("150526000000Z"), TIME("491231235959Z")),
         " until 2049-12-31"},
        {"four digits", join(TIME("150526000000Z"), LONG_TIME("20500102000000Z")),
         " until 2050-01-02"},
        {"the next century", join(TIME("150526000000Z"), LONG_TIME("21010203000000Z")),
         " until 2101-02-03"},
        {"without end", join(LONG_TIME("20150526000000Z"), LONG_TIME("99991231235959Z")),
         " until 9999-12-31"},
        {"just room for a date", TIME("380117000000Z"), " until 2038-01-17"},
        {"no room for one",
         SPAN("\x17\x0c"
              "80117000000Z"),
         ""},
        {"nothing", NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[40];
        struct out o = out_to(text, sizeof text);

        x509_anchor_until(&o, guard_copy(rows[i].validity));
        CHECK_SPAN(rows[i].name, out_span(&o), span_of(rows[i].text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(authorities),
        cmocka_unit_test(no_certificates),
        cmocka_unit_test(last_days),
        cmocka_unit_test(the_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
