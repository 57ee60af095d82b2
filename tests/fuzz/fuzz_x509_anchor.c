/* A certificate that is trusted: what BearSSL's decoder makes of it, and nothing outside of it. */
#include "fuzz.h"
#include "protocol/x509_anchor.h"

#include <bearssl.h>

static void
within(struct span part, struct span in)
{
    FACT(part.p >= in.p && part.len <= in.len && (size_t)(part.p - in.p) <= in.len - part.len);
}

void
fuzz(struct span in)
{
    static br_x509_decoder_context decoder;
    struct x509_anchor a;
    const br_x509_pkey *key;
    int r = x509_anchor_read(in, &a);

    br_x509_decoder_init(&decoder, NULL, NULL);
    br_x509_decoder_push(&decoder, in.p, in.len);
    key = br_x509_decoder_get_pkey(&decoder);
    FACT(r == 0 || key == NULL);
    if (r != 0)
        return;
    within(a.subject, in);
    within(a.point, in);
    if (a.key == X509_RSA) {
        within(a.modulus, in);
        within(a.exponent, in);
        FACT(a.modulus.len <= X509_MODULUS_MAX_BYTES && *a.modulus.p != '\0');
    }
    if (key != NULL)
        FACT(a.is_ca == (br_x509_decoder_isCA(&decoder) != 0));
}
