#ifndef CERTIFICATE_H
#define CERTIFICATE_H
/*
 * Certificates with keys on P-256, made without a file or a tool, the same each time.
 */
#include <stddef.h>

#include "bearssl.h"

#define CERTIFICATE_MAX 1024

struct certificate_key {
    br_ec_private_key secret;
    unsigned char scalar[32], point[65];
};

struct certificate {
    unsigned char der[CERTIFICATE_MAX];
    size_t len;
};

struct certificate_wanted {
    const char *subject, *issuer; /* common names */
    const char *from, *until;     /* YYMMDDHHMMSSZ */
    const char *host;             /* for subjectAltName; NULL: a certificate authority */
    const struct certificate_key *key, *signer;
};

/* The key of this number. */
void certificate_key(struct certificate_key *key, unsigned char number);

void certificate_make(struct certificate *to, const struct certificate_wanted *wanted);

/* As PEM; returns the length. Twice the certificate's and 100 bytes are enough. */
size_t certificate_pem(const struct certificate *from, char *to);

#endif
