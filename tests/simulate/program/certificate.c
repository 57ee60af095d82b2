#include "certificate.h"

#include <stdio.h>
#include <string.h>

/* see certificate.h; source: RFC 5280, section 4.1 */

enum {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    OBJECT = 0x06,
    UTF8_STRING = 0x0c,
    SEQUENCE = 0x30,
    SET = 0x31,
    UTC_TIME = 0x17,
    DNS_NAME = 0x82,
    VERSION = 0xa0,
    EXTENSIONS = 0xa3,
    SIGNATURE_MAX = 72
};

/* DER that is written from its end to its beginning, so that each length is known when it is due. */
struct der {
    unsigned char bytes[CERTIFICATE_MAX];
    size_t at; /* what is written begins here */
};

#define BYTES(literal) (literal), sizeof(literal) - 1

/* RFC 5758, 3.2; RFC 5480, 2.1.1; RFC 5280, 4.2.1. */
#define ECDSA_SHA256 "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define EC_P256 "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define COMMON_NAME "\x06\x03\x55\x04\x03"
#define CONSTRAINTS_OF_CA "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
#define CONSTRAINTS_OF_LEAF "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"
#define USAGE_OF_CA "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x02\x04"
#define USAGE_OF_LEAF "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80"
#define FOR_SERVERS                                                                                \
    "\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define ALTERNATIVE_NAME "\x06\x03\x55\x1d\x11"

static void
put(struct der *d, const void *p, size_t len)
{
    d->at -= len;
    memcpy(d->bytes + d->at, p, len);
}

static void
put_byte(struct der *d, unsigned byte)
{
    unsigned char c = (unsigned char)byte;

    put(d, &c, 1);
}

/* Puts tag and length in front of what was written since `end`. */
static void
wrap(struct der *d, unsigned tag, size_t end)
{
    size_t len = end - d->at;

    if (len >= 256) {
        put_byte(d, (unsigned)len & 0xff);
        put_byte(d, (unsigned)len >> 8);
        put_byte(d, 0x82);
    } else {
        put_byte(d, (unsigned)len);
        if (len >= 128)
            put_byte(d, 0x81);
    }
    put_byte(d, tag);
}

static void
put_wrapped(struct der *d, unsigned tag, const void *p, size_t len)
{
    size_t end = d->at;

    put(d, p, len);
    wrap(d, tag, end);
}

static void
put_name(struct der *d, const char *name)
{
    size_t end = d->at;

    put_wrapped(d, UTF8_STRING, name, strlen(name));
    put(d, BYTES(COMMON_NAME));
    wrap(d, SEQUENCE, end);
    wrap(d, SET, end);
    wrap(d, SEQUENCE, end);
}

static void
put_extensions(struct der *d, const char *host)
{
    size_t end = d->at;

    if (host == NULL) {
        put(d, BYTES(USAGE_OF_CA));
        put(d, BYTES(CONSTRAINTS_OF_CA));
    } else {
        put_wrapped(d, DNS_NAME, host, strlen(host));
        wrap(d, SEQUENCE, end);
        wrap(d, OCTET_STRING, end);
        put(d, BYTES(ALTERNATIVE_NAME));
        wrap(d, SEQUENCE, end);
        put(d, BYTES(FOR_SERVERS));
        put(d, BYTES(USAGE_OF_LEAF));
        put(d, BYTES(CONSTRAINTS_OF_LEAF));
    }
    wrap(d, SEQUENCE, end);
    wrap(d, EXTENSIONS, end);
}

static void
put_key(struct der *d, const struct certificate_key *key)
{
    size_t end = d->at, algorithm;

    put(d, key->point, sizeof key->point);
    put_byte(d, 0); /* unused bits */
    wrap(d, BIT_STRING, end);
    algorithm = d->at;
    put(d, BYTES(EC_P256));
    wrap(d, SEQUENCE, algorithm);
    wrap(d, SEQUENCE, end);
}

/* The part that is signed. */
static void
put_signed(struct der *d, const struct certificate_wanted *w)
{
    size_t end = d->at, validity;

    put_extensions(d, w->host);
    put_key(d, w->key);
    put_name(d, w->subject);
    validity = d->at;
    put_wrapped(d, UTC_TIME, w->until, strlen(w->until));
    put_wrapped(d, UTC_TIME, w->from, strlen(w->from));
    wrap(d, SEQUENCE, validity);
    put_name(d, w->issuer);
    put_wrapped(d, SEQUENCE, BYTES(ECDSA_SHA256));
    put(d, BYTES("\x02\x01\x01")); /* serial number */
    put(d, BYTES("\xa0\x03\x02\x01\x02"));
    wrap(d, SEQUENCE, end);
}

void
certificate_key(struct certificate_key *key, unsigned char number)
{
    const br_ec_impl *ec = br_ec_get_default();

    for (unsigned i = 0; i < sizeof key->scalar; i++)
        key->scalar[i] = (unsigned char)(number + 7 * i + 1);
    key->scalar[0] = 0x11; /* below the order of the curve */
    key->secret = (br_ec_private_key){BR_EC_secp256r1, key->scalar, sizeof key->scalar};
    (void)ec->mulgen(key->point, key->scalar, sizeof key->scalar, BR_EC_secp256r1);
}

void
certificate_make(struct certificate *to, const struct certificate_wanted *wanted)
{
    struct der body = {.at = sizeof body.bytes}, whole = {.at = sizeof whole.bytes};
    unsigned char hash[br_sha256_SIZE], signature[SIGNATURE_MAX];
    br_sha256_context sha256;
    size_t len, end = whole.at;

    put_signed(&body, wanted);
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, body.bytes + body.at, sizeof body.bytes - body.at);
    br_sha256_out(&sha256, hash);
    len = br_ecdsa_i31_sign_asn1(br_ec_get_default(), &br_sha256_vtable, hash,
                                 &wanted->signer->secret, signature);
    put(&whole, signature, len);
    put_byte(&whole, 0);
    wrap(&whole, BIT_STRING, end);
    put_wrapped(&whole, SEQUENCE, BYTES(ECDSA_SHA256));
    put(&whole, body.bytes + body.at, sizeof body.bytes - body.at);
    wrap(&whole, SEQUENCE, end);
    to->len = sizeof whole.bytes - whole.at;
    memcpy(to->der, whole.bytes + whole.at, to->len);
}

size_t
certificate_pem(const struct certificate *from, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = (size_t)sprintf(to, "-----BEGIN CERTIFICATE-----\n");

    for (size_t i = 0; i < from->len; i += 3) {
        size_t n = from->len - i;
        uint32_t bits = (uint32_t)from->der[i] << 16;

        bits |= n > 1 ? (uint32_t)from->der[i + 1] << 8 : 0;
        bits |= n > 2 ? from->der[i + 2] : 0;
        to[len++] = digits[bits >> 18];
        to[len++] = digits[bits >> 12 & 63];
        to[len++] = n > 1 ? digits[bits >> 6 & 63] : '=';
        to[len++] = n > 2 ? digits[bits & 63] : '=';
        if (i % 48 == 45)
            to[len++] = '\n';
    }
    return len + (size_t)sprintf(to + len, "\n-----END CERTIFICATE-----\n");
}
