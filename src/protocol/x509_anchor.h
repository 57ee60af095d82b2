#ifndef X509_ANCHOR_H
#define X509_ANCHOR_H
/*
 * What a certificate tells that is trusted by itself: for whom it is, the key, and whether that signs other certificates.
 * Nothing is verified, neither its signature nor its dates: whoever names the file trusts it. --check reads by it what
 * it tells of a certificate that has been verified.
 *
 * Source: RFC 5280, sections 4.1 and 4.2.1.9; RFC 3279, section 2.3.1; RFC 5480, sections 2.1 and 2.2.
 */
#include <stdbool.h>

#include "protocol/out.h"

enum x509_key { X509_RSA, X509_P256, X509_P384, X509_P521 };

/* All of it lies in the certificate. */
struct x509_anchor {
    struct span subject;  /* its encoded name */
    struct span validity; /* both of its dates, see x509_anchor_until */
    bool is_ca;
    enum x509_key key;
    struct span modulus, exponent; /* of an RSA key, without zeros at the beginning */
    struct span point;             /* of any other */
};

/* The most that a modulus may have: 4096 bits. */
#define X509_MODULUS_MAX_BYTES 512

/* der: the certificate. Returns 0; or ERR_BAD: it is none, or has a key of another kind. */
int x509_anchor_read(struct span der, struct x509_anchor *anchor);

/*
 * Appends " until 2038-01-17", the last day of validity; nothing when there is no room for a date in it. Whatever else is
 * wrong with it, BearSSL has to find. Source: RFC 5280, section 4.1.2.5.
 */
void x509_anchor_until(struct out *o, struct span validity);

#endif
