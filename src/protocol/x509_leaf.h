#ifndef X509_LEAF_H
#define X509_LEAF_H
/*
 * What BearSSL does not check in a server's own certificate: whether it has names where they belong, and
 * whether it is for servers. Read from the DER as it comes; nothing is kept.
 *
 * It judges nothing else. BearSSL reads the same bytes and refuses what is malformed.
 * Source: RFC 5280, sections 4.1, 4.2.1.6 and 4.2.1.12; RFC 9525, section 2 (no name but in
 * subjectAltName).
 */
#include "protocol/span.h"

#define X509_LEAF_DEPTH 7

struct x509_leaf {
    bool has_names;    /* subjectAltName is there */
    bool has_purposes; /* extendedKeyUsage is there */
    bool for_servers;  /* with serverAuth or anyExtendedKeyUsage in it */

    /* private */
    enum { X509_TAG, X509_LENGTH, X509_LONG_LENGTH, X509_SKIP, X509_OID, X509_LOST } state;
    uint32_t at;                    /* bytes read */
    uint32_t ends[X509_LEAF_DEPTH]; /* of the elements that are open */
    unsigned depth;
    bool signed_part; /* the first element, which contains all of this, has been read */
    uint8_t tag;
    unsigned more; /* bytes of a length to come */
    uint32_t len;
    char oid[8];
    size_t oid_len;
};

void x509_leaf_start(struct x509_leaf *l);

/* The next bytes of the certificate. */
void x509_leaf_take(struct x509_leaf *l, const unsigned char *bytes, size_t len);

#endif
