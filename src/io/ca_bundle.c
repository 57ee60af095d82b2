#include "io/ca_bundle.h"

#include <string.h>

#include "io/storage.h"
#include "io/system.h"
#include "protocol/base64.h"

/* see ca_bundle.h */

struct bundle {
    struct storage memory;
    br_x509_trust_anchor *anchors;
    size_t len, cap;
    br_x509_decoder_context certificate;
    unsigned char dn[1024];
    size_t dn_len;
    struct base64 base64;
    bool inside; /* within a certificate's base64 */
    struct ca_bundle_skipped *skipped;
};

static void
add_dn(void *context, const void *bytes, size_t len)
{
    struct bundle *b = context;

    if (len <= sizeof b->dn - b->dn_len)
        memcpy(b->dn + b->dn_len, bytes, len);
    b->dn_len += len;
}

static unsigned char *
copy(struct bundle *b, const unsigned char *bytes, size_t len)
{
    unsigned char *p = storage_take(&b->memory, len);

    if (p != NULL)
        memcpy(p, bytes, len);
    return p;
}

/* The key's numbers lie in the decoder, which is used again for the next certificate. */
static bool
copy_key(struct bundle *b, br_x509_pkey *to, const br_x509_pkey *from)
{
    *to = *from;
    if (from->key_type == BR_KEYTYPE_RSA) {
        to->key.rsa.n = copy(b, from->key.rsa.n, from->key.rsa.nlen);
        to->key.rsa.e = copy(b, from->key.rsa.e, from->key.rsa.elen);
        return to->key.rsa.n != NULL && to->key.rsa.e != NULL;
    }
    to->key.ec.q = copy(b, from->key.ec.q, from->key.ec.qlen);
    return to->key.ec.q != NULL;
}

/* The decoder has skipped zeros at the beginning of the modulus. */
static bool
is_weak(const br_x509_pkey *key)
{
    enum { BYTES = TLS_RSA_MIN_BITS / 8 };

    return key->key_type == BR_KEYTYPE_RSA &&
           (key->key.rsa.nlen < BYTES || (key->key.rsa.nlen == BYTES && key->key.rsa.n[0] < 0x80));
}

static void
end_certificate(struct bundle *b)
{
    br_x509_pkey *key = br_x509_decoder_get_pkey(&b->certificate);
    br_x509_trust_anchor *anchor = &b->anchors[b->len];

    if (key == NULL || b->dn_len > sizeof b->dn || b->len == b->cap) {
        b->skipped->unreadable++;
        return;
    }
    if (is_weak(key)) {
        b->skipped->weak++;
        return;
    }
    *anchor = (br_x509_trust_anchor){.dn = {copy(b, b->dn, b->dn_len), b->dn_len}};
    if (br_x509_decoder_isCA(&b->certificate))
        anchor->flags = BR_X509_TA_CA;
    if (anchor->dn.data != NULL && copy_key(b, &anchor->pkey, key))
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
    b->dn_len = 0;
    b->base64 = (struct base64){0};
    br_x509_decoder_init(&b->certificate, add_dn, b);
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

static void
add_line(struct bundle *b, struct span line)
{
    uint8_t bytes[192];

    while (line.len > 0) {
        int n = base64_read(&b->base64, &line, bytes, sizeof bytes);

        if (n < 0) {
            b->inside = false;
            b->skipped->unreadable++;
            return;
        }
        br_x509_decoder_push(&b->certificate, bytes, (size_t)n);
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
    struct bundle b = {.cap = count_certificates(text, len), .skipped = skipped};

    /* decoded names and numbers are shorter than their base64, but for rounding up */
    if (b.cap == 0 || storage_open(&b.memory, len + b.cap * (sizeof *b.anchors + 64)) != 0)
        return ERR_BAD;
    b.anchors = storage_take(&b.memory, b.cap * sizeof *b.anchors);
    if (b.anchors == NULL)
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
