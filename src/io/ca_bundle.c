#include "io/ca_bundle.h"

#include <string.h>

#include "io/storage.h"
#include "io/system.h"
#include "protocol/base64.h"
#include "protocol/x509_anchor.h"

/* see ca_bundle.h */

struct bundle {
    struct storage memory;
    br_x509_trust_anchor *anchors;
    size_t len, cap;
    char *der; /* of the certificate that is being read */
    size_t der_len, der_cap;
    struct base64 base64;
    bool inside; /* within a certificate's base64 */
    struct ca_bundle_skipped *skipped;
};

static unsigned char *
copy(struct bundle *b, struct span bytes, size_t *len)
{
    unsigned char *p = storage_take(&b->memory, bytes.len);

    *len = bytes.len;
    if (p != NULL)
        memcpy(p, bytes.p, bytes.len);
    return p;
}

/* The certificate lies where the next one will. */
static bool
copy_key(struct bundle *b, br_x509_pkey *to, const struct x509_anchor *from)
{
    static const uint8_t curves[] = {[X509_P256] = BR_EC_secp256r1,
                                     [X509_P384] = BR_EC_secp384r1,
                                     [X509_P521] = BR_EC_secp521r1};

    if (from->key == X509_RSA) {
        to->key_type = BR_KEYTYPE_RSA;
        to->key.rsa.n = copy(b, from->modulus, &to->key.rsa.nlen);
        to->key.rsa.e = copy(b, from->exponent, &to->key.rsa.elen);
        return to->key.rsa.n != NULL && to->key.rsa.e != NULL;
    }
    to->key_type = BR_KEYTYPE_EC;
    to->key.ec.curve = curves[from->key];
    to->key.ec.q = copy(b, from->point, &to->key.ec.qlen);
    return to->key.ec.q != NULL;
}

static bool
is_weak(const struct x509_anchor *a)
{
    enum { BYTES = TLS_RSA_MIN_BITS / 8 };

    return a->key == X509_RSA &&
           (a->modulus.len < BYTES || (a->modulus.len == BYTES && (uint8_t)*a->modulus.p < 0x80));
}

static void
end_certificate(struct bundle *b)
{
    br_x509_trust_anchor *anchor = &b->anchors[b->len];
    struct x509_anchor read;

    if (x509_anchor_read((struct span){b->der, b->der_len}, &read) != 0 || b->len == b->cap) {
        b->skipped->unreadable++;
        return;
    }
    if (is_weak(&read)) {
        b->skipped->weak++;
        return;
    }
    anchor->dn.data = copy(b, read.subject, &anchor->dn.len);
    anchor->flags = read.is_ca ? BR_X509_TA_CA : 0;
    if (anchor->dn.data != NULL && copy_key(b, &anchor->pkey, &read))
        b->len++;
}

/* A certificate that begins where another has not ended is read. */
static void
begin(struct bundle *b, struct span line)
{
    if (b->inside)
        b->skipped->unreadable++;
    b->inside = span_same(line, SPAN("-----BEGIN CERTIFICATE-----")) ||
                span_same(line, SPAN("-----BEGIN X509 CERTIFICATE-----"));
    b->der_len = 0;
    b->base64 = (struct base64){0};
}

static void
end(struct bundle *b)
{
    b->inside = false;
    if (base64_whole(&b->base64))
        end_certificate(b);
    else
        b->skipped->unreadable++;
}

/* What is decoded is shorter than its base64, so it always has room. */
static void
add_line(struct bundle *b, struct span line)
{
    while (line.len > 0) {
        int n =
            base64_read(&b->base64, &line, (uint8_t *)b->der + b->der_len, b->der_cap - b->der_len);

        if (n < 0) {
            b->inside = false;
            b->skipped->unreadable++;
            return;
        }
        b->der_len += (size_t)n;
    }
}

/* Other things than certificates, and what is between them, are passed over. Source: RFC 7468, sections 2 and 5. */
static void
decode_line(struct bundle *b, struct span line)
{
    line = span_trim(line);
    if (span_starts(line, SPAN("-----BEGIN")))
        begin(b, line);
    else if (b->inside && span_starts(line, SPAN("-----END")))
        end(b);
    else if (b->inside)
        add_line(b, line);
}

static void
decode(struct bundle *b, struct span text)
{
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        text = span_skip(text, 3);
    while (text.len > 0) {
        struct span line = span_cut(text, '\n', &text);

        while (line.len > 0)
            decode_line(b, span_cut(line, '\r', &line));
    }
    /* a file that ends within a certificate */
    if (b->inside)
        b->skipped->unreadable++;
}

static size_t
count_certificates(const char *text, size_t len)
{
    const struct span begin = SPAN("-----BEGIN");
    struct span rest = {text, len};
    const char *at;
    size_t n = 0;

    while ((at = span_find(rest, begin)) != NULL) {
        rest = span_skip(rest, (size_t)(at - rest.p) + begin.len);
        n++;
    }
    return n;
}

static int
decode_all(const char *text, size_t len, struct tls_anchors *anchors,
           struct ca_bundle_skipped *skipped)
{
    struct bundle b = {
        .cap = count_certificates(text, len), .der_cap = len + 3, .skipped = skipped};

    /* names and numbers, and the longest certificate, are shorter than their base64, but for rounding up */
    if (b.cap == 0 ||
        storage_open(&b.memory, len + b.der_cap + b.cap * (sizeof *b.anchors + 64)) != 0)
        return ERR_BAD;
    b.anchors = storage_take(&b.memory, b.cap * sizeof *b.anchors);
    b.der = storage_take(&b.memory, b.der_cap);
    if (b.anchors == NULL || b.der == NULL)
        return ERR_BAD;
    decode(&b, (struct span){text, len});
    *anchors = (struct tls_anchors){b.anchors, b.len};
    return b.len > 0 ? (int)b.len : ERR_BAD;
}

int
ca_bundle_read(const char *path, struct tls_anchors *anchors, struct ca_bundle_skipped *skipped)
{
    struct span text;
    int file = system_open(path);
    int r;

    *skipped = (struct ca_bundle_skipped){0};
    if (file < 0)
        return ERR_IO;
    /* reading fails for a folder, and mapping for anything that is not a regular file */
    r = system_read(file, &(char){0}, 1) < 0 ? ERR_IO
                                             : system_map(file, CA_BUNDLE_MAX_BYTES, &text);
    if (r == 0) {
        r = decode_all(text.p, text.len, anchors, skipped);
        system_unmap(text);
    }
    system_close(file);
    return r;
}
