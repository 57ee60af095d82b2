#include "protocol/x509_leaf.h"

#include "check.h"
#include "der.h"
#include "guard.h"
#include "seed.h"

#define SAN SPAN("\x55\x1d\x11")
#define EKU SPAN("\x55\x1d\x25")
#define SERVER SPAN("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define CLIENT SPAN("\x2b\x06\x01\x05\x05\x07\x03\x02")
#define ANY SPAN("\x55\x1d\x25\x00")

static struct span
names(void)
{
    return extension(SAN, false, der(0x30, der(0x82, SPAN("localhost"))));
}

static struct span
purposes(bool critical, struct span a, struct span b)
{
    return extension(EKU, critical,
                     der(0x30, join(der(0x06, a), b.len == 0 ? NONE : der(0x06, b))));
}

/* What else may stand in a certificate, in the shape of what is looked for. */
static struct span
decoy(void)
{
    return der(0xa3, der(0x30, join(names(), purposes(false, SERVER, NONE))));
}

static struct span
certificate(struct span extensions, struct span algorithm)
{
    static char key[1000];
    struct span head = join(der(0xa0, der(0x02, SPAN("\x02"))), der(0x02, SPAN("\x01\x02\x03")));
    struct span subject = der(0x30, join(decoy(), der(0x04, decoy())));
    struct span body = join(head, join(subject, der(0x30, (struct span){key, sizeof key})));

    if (extensions.len > 0)
        body = join(body, der(0xa3, der(0x30, extensions)));
    return der(0x30,
               join(der(0x30, body), join(der(0x30, algorithm), der(0x03, SPAN("\0signature")))));
}

static void
check_leaf(const char *name, struct span in, bool has_names, bool has_purposes, bool for_servers)
{
    seed("x509_leaf", in);
    for (size_t size = 1; size <= in.len; size = size < 8 ? size + 1 : size * 8) {
        struct x509_leaf l;

        memset(&l, 0xff, sizeof l);
        x509_leaf_start(&l);
        for (size_t at = 0; at < in.len; at += size) {
            struct span part = {in.p + at, in.len - at < size ? in.len - at : size};

            part = guard_copy(part);
            x509_leaf_take(&l, (const unsigned char *)part.p, part.len);
        }
        CHECK_INT(name, l.has_names, has_names);
        CHECK_INT(name, l.has_purposes, has_purposes);
        CHECK_INT(name, l.for_servers, for_servers);
        CHECK_INT(name, l.depth, 0);
        CHECK_INT(name, l.at, in.len);
    }
}

static void
leaves(void **state)
{
    struct span other = extension(SPAN("\x55\x1d\x0f"), true, SPAN("\x03\x02\x07\x80"));
    struct span long_oid = SPAN("\x55\x1d\x25\x00\x00\x00\x00\x00\x00");
    struct span algorithm = der(0x06, SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x02"));

    (void)state;
    check_leaf("no extensions", certificate(NONE, algorithm), false, false, false);
    check_leaf("another one", certificate(other, algorithm), false, false, false);
    check_leaf("names", certificate(join(other, names()), algorithm), true, false, false);
    check_leaf("for servers", certificate(join(names(), purposes(false, SERVER, NONE)), algorithm),
               true, true, true);
    check_leaf("critical", certificate(join(purposes(true, SERVER, NONE), names()), algorithm),
               true, true, true);
    check_leaf("for clients", certificate(purposes(false, CLIENT, NONE), algorithm), false, true,
               false);
    check_leaf("for both", certificate(purposes(false, CLIENT, SERVER), algorithm), false, true,
               true);
    check_leaf("for any", certificate(purposes(true, CLIENT, ANY), algorithm), false, true, true);
    check_leaf("for nothing", certificate(extension(EKU, false, der(0x30, NONE)), algorithm), false,
               true, false);
    check_leaf(
        "longer identifiers",
        certificate(join(extension(long_oid, false, der(0x30, der(0x06, SERVER))),
                         purposes(false, long_oid, SPAN("\x2b\x06\x01\x05\x05\x07\x03\x01\x01"))),
                    algorithm),
        false, true, false);
    check_leaf("an extension within an extension",
               certificate(extension(SPAN("\x55\x1d\x0f"), false, names()), algorithm), false,
               false, false);
    check_leaf(
        "purposes that are deeper",
        certificate(extension(EKU, false, der(0x30, der(0x30, der(0x06, SERVER)))), algorithm),
        false, true, false);
    check_leaf("behind what is signed", certificate(other, decoy()), false, false, false);
}

/* What is no certificate is read to its end, and nothing comes of it. */
static void
damaged(void **state)
{
    static const struct span texts[] = {
        TEXT(""),
        TEXT("\x30"),
        TEXT("\x30\x80\x30\x80\x00\x00\x00\x00"),
        TEXT("\x30\x84\x7f\xff\xff\xff\x30"),
        TEXT("\x04\x02\x30\x00"),
        TEXT("-----BEGIN"),
    };

    (void)state;
    for (size_t i = 0; i < LEN(texts); i++) {
        struct x509_leaf l;

        seed("x509_leaf", texts[i]);
        x509_leaf_start(&l);
        x509_leaf_take(&l, (const unsigned char *)guard_copy(texts[i]).p, texts[i].len);
        CHECK("nothing", !l.has_names && !l.has_purposes && !l.for_servers);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves),
        cmocka_unit_test(damaged),
    };

    return RUN(argc, argv, tests);
}
