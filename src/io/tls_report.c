#include "io/tls_report.h"

#include "io/trust_anchors.h"
#include "protocol/format.h"
#include "protocol/sha256.h"
#include "protocol/x509_anchor.h"

/* see tls_report.h */

/* The common name, which is the last part of the name if it has one. */
static struct span
common_name(const br_x509_trust_anchor *a)
{
    struct span name = {(const char *)a->dn.data, a->dn.len};
    const char *at = span_find(name, SPAN("\x06\x03\x55\x04\x03"));
    struct span text = span_skip(name, at == NULL ? name.len : (size_t)(at - name.p) + 5);

    if (text.len < 2 || (uint8_t)text.p[1] > text.len - 2)
        return SPAN("without a common name");
    return (struct span){text.p + 2, (uint8_t)text.p[1]};
}

/* The root at which the chain ended: BearSSL keeps the hash of the name of who issued the last certificate. */
static void
put_root(struct out *o, const br_x509_minimal_context *x)
{
    /* of the built-in roots, of which only name and key are here, in their order */
    static const char days[][11] = {"2038-01-17", "2040-05-26", "2040-05-26", "2040-05-26",
                                    "2037-12-31"};

    for (size_t i = 0; i < x->trust_anchors_num; i++) {
        const br_x509_trust_anchor *a = &x->trust_anchors[i];
        static uint8_t digest[SHA256_LEN];
        static struct sha256 hash;
        struct span name = common_name(a);

        sha256_start(&hash);
        sha256_add(&hash, a->dn.data, a->dn.len);
        sha256_end(&hash, digest);
        if (memcmp(digest, x->saved_dn_hash, SHA256_LEN) != 0)
            continue;
        (void)format_text(o, "; root %.*s", (int)name.len, name.p);
        if (x->trust_anchors == trust_anchors)
            (void)format_text(o, " until %s", days[i]);
        return;
    }
}

void
tls_report(const struct tls *t, struct span leaf, struct out *o)
{
    uint16_t suite = t->client.eng.session.cipher_suite;
    struct x509_anchor read;

    /* RFC 5289, section 5: of the four that are offered those with ECDSA come first, and with AES-128 are odd */
    (void)format_text(o, "TLS 1.2, ECDHE-%s-AES%s",
                      suite < BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ? "ECDSA" : "RSA",
                      suite % 2 != 0 ? "128-GCM-SHA256" : "256-GCM-SHA384");
    out_put(o, SPAN("; certificate"));
    if (x509_anchor_read(leaf, &read) == 0)
        x509_anchor_until(o, read.validity);
    put_root(o, &t->chain.x509);
}
