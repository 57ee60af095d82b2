#ifndef TLS_H
#define TLS_H
/*
 * The client side of one TLS 1.2 connection, by BearSSL's engine. It touches no socket: the caller moves
 * records between it and the network, by the byte operations that io/plain.h has too.
 *
 * Chain, host name and validity are verified at every full handshake; there is no way to turn this off.
 * RSA keys below 2048 bits are refused, and so are certificates with a name in the subject but not in
 * subjectAltName, or whose extendedKeyUsage is not for servers. Name constraints are not evaluated: a
 * certificate of the chain that has them as critical is refused.
 *
 * A connection to the same server within the hour may resume the session of a full handshake by its id,
 * if the server still knows it, which saves a round trip, the certificates and the curve operations.
 *
 * The cipher suites offered are the forward-secret ones with AES-GCM, which every TLS policy of AWS has. No ALPN
 * is sent, so that HTTP/1.1 is spoken.
 */
#include <bearssl.h>

#include "protocol/out.h"
#include "protocol/x509_leaf.h"

struct tls_anchors {
    const br_x509_trust_anchor *anchors;
    size_t len;
};

/*
 * How long the verification of a certificate is relied on. RFC 5246, appendix F.1.4, allows a day; with an hour
 * a certificate that has expired or been replaced is noticed sooner, and a stolen master secret is useless
 * sooner. Servers usually forget a session earlier.
 */
#define TLS_SESSION_MAX_S 3600

/* What a later connection needs to resume; session_id_len is 0 when there is nothing. */
struct tls_session {
    br_ssl_session_parameters parameters;
    const struct tls_anchors *anchors; /* by which the certificate was verified */
    char host[256];                    /* that it was made out to */
    uint64_t unix_s;                   /* when */
};

/* BearSSL's verification of a chain, and what it leaves out. */
struct tls_chain {
    const br_x509_class *class;
    br_x509_minimal_context x509;
    struct x509_leaf leaf;
    bool in_leaf; /* the server's own certificate, the first one, is being received */
};

/* All zero before its first use. */
struct tls {
    br_ssl_client_context client;
    struct tls_chain chain;
    struct tls_session session;
    uint64_t started_unix_s;
    /* both directions at once, since a server may answer while the request is still being sent */
    unsigned char records[BR_SSL_BUFSIZE_BIDI];
};

/*
 * Prepares a new handshake, with fresh randomness and the current time. It will offer to resume the
 * session that was kept if that was with this host, verified by these anchors, at most
 * TLS_SESSION_MAX_S ago; a clock that was set back ends a session too.
 *
 * host    zero-terminated name that the certificate must be made out to; sent as SNI.
 * unix_s  current time, seconds since 1970.
 *
 * Returns 0; or a code for tls_error: the system has no randomness, or this CPU cannot do it.
 */
int tls_start(struct tls *t, const struct tls_anchors *anchors, const char *host, uint64_t unix_s);

/* Once a handshake has succeeded: keeps its session, if the server gave it an id, for the next one. */
void tls_keep_session(struct tls *t);

/*
 * The next handshake will be a full one. To be called when a handshake has failed, since the server's state of
 * the session may be wrong; when TLS ended with an error (RFC 5246, section 7.2.2); and when the process has
 * been copied, since copies must not share a secret.
 */
void tls_forget_session(struct tls *t);

/* From now on the servers' own certificates are written there as they come; NULL: nowhere, as at first. */
void tls_keep_leaf(struct out *leaf);

/* Whether the handshake has succeeded. */
bool tls_is_open(const struct tls *t);

/* Whether TLS has ended. *code is then 0 after the peer's close_notify, otherwise a code for tls_error. */
bool tls_ended(const struct tls *t, int *code);

/* Room for what is to be sent; *cap is 0 when there is none. tls_wrote: len bytes were written there. */
char *tls_room(struct tls *t, size_t *cap);
void tls_wrote(struct tls *t, size_t len);

/* Makes a record of what was written now, although it has room for more. */
void tls_flush(struct tls *t);

/* What has arrived. tls_used: the first len bytes of it are no longer needed. */
struct span tls_input(struct tls *t);
void tls_used(struct tls *t, size_t len);

/* Records that the network has to take. tls_sent: it took len bytes. */
struct span tls_output(struct tls *t);
void tls_sent(struct tls *t, size_t len);

/* Room for what comes from the network; *cap is 0 when there is none. tls_received: len bytes were put there. */
char *tls_space(struct tls *t, size_t *cap);
void tls_received(struct tls *t, size_t len);

/* Ends TLS: the output is a close_notify. Source: RFC 5246, section 7.2.1. */
void tls_close(struct tls *t);

/* Bits that an RSA key must have. */
#define TLS_RSA_MIN_BITS 2048

/* What the code means, for a log line. */
const char *tls_error(int code);

/* Whether the next handshake will fail in the same way unless something changes outside: the peer's certificate
 * is not accepted, the peer refuses the handshake, or this CPU cannot do it. */
bool tls_hopeless(int code);

#endif
