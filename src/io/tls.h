#ifndef TLS_H
#define TLS_H
/*
 * TLS 1.2 client side of one connection, by BearSSL's engine. It touches no socket: connection.c
 * moves the records between the engine and the network.
 *
 * Chain, host name and validity are verified at every handshake; there is no way to turn this off.
 * Offered are the forward-secret suites with AES-GCM, which every TLS policy of AWS has. No ALPN is sent, so that HTTP/1.1 is spoken.
 */
#include <bearssl.h>

#include "protocol/span.h"

struct tls_anchors {
    const br_x509_trust_anchor *anchors;
    size_t len;
};

struct tls {
    br_ssl_client_context client;
    br_x509_minimal_context x509;
    /* both directions at once, since a server may answer while the request is still being sent */
    unsigned char records[BR_SSL_BUFSIZE_BIDI];
};

/*
 * Makes ready for a new handshake with fresh randomness and the present time.
 *
 * host    zero-terminated name that the certificate must be made out to; sent as SNI.
 * unix_s  present time, seconds since 1970.
 *
 * Returns 0, or ERR_IO when the system gives no randomness.
 */
int tls_start(struct tls *t, const struct tls_anchors *anchors, const char *host, uint64_t unix_s);

/* What a BearSSL error code means, for a log line. */
const char *tls_error(int code);

#endif
