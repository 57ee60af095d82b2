#ifndef TLS_H
#define TLS_H
/*
 * TLS 1.2 client side of one connection, by BearSSL's engine. It touches no socket: the caller moves
 * records between it and the network, by the byte operations that io/plain.h has too.
 *
 * Chain, host name and validity are verified at every full handshake; there is no way to turn this off.
 * Refused are RSA keys below 2048 bits, a name in the subject alone and not in subjectAltName, and a
 * certificate whose extendedKeyUsage is not for servers. Name constraints are not evaluated: a
 * certificate of the chain that has them as critical is refused.
 * A connection to the same server within the hour may resume the session that a full handshake began,
 * by its id, if the server still knows it: one exchange less, no certificates, no curve.
 * Offered are the forward-secret suites with AES-GCM, which every TLS policy of AWS has. No ALPN is sent, so
 * that HTTP/1.1 is spoken.
 */
#include <bearssl.h>

#include "protocol/x509_leaf.h"

struct tls_anchors {
    const br_x509_trust_anchor *anchors;
    size_t len;
};

/*
 * How long the verification of a certificate is relied on. RFC 5246, appendix F.1.4, has a day as the
 * most; within an hour, though, a certificate that has expired or was exchanged for a reason is noticed,
 * and a master secret that was stolen is of no use any more. Servers forget earlier as a rule.
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
    bool in_leaf; /* the server's own certificate, the first one, is still coming */
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
 * Makes ready for a new handshake with fresh randomness and the present time. It will offer to resume
 * the session that was kept if that was with this host, verified by these anchors, at most
 * TLS_SESSION_MAX_S ago; a clock that was set back ends a session too.
 *
 * host    zero-terminated name that the certificate must be made out to; sent as SNI.
 * unix_s  present time, seconds since 1970.
 *
 * Returns 0, or ERR_IO when the system gives no randomness.
 */
int tls_start(struct tls *t, const struct tls_anchors *anchors, const char *host, uint64_t unix_s);

/* Once a handshake has succeeded: keeps its session, if the server gave it an id, for the next one. */
void tls_keep_session(struct tls *t);

/*
 * The next handshake will be a full one. For when a handshake has failed, since the server may have
 * mixed up what it knew of the session; when TLS ended with an error (RFC 5246, section 7.2.2); and when
 * a process has been copied, since copies must not share a secret.
 */
void tls_forget_session(struct tls *t);

/* Whether the handshake has succeeded. */
bool tls_is_open(const struct tls *t);

/* Whether TLS has ended; then code is 0 if the peer said so (close_notify), or for tls_error. */
bool tls_ended(const struct tls *t, int *code);

/* Room for what is to be sent, *cap is 0 when there is none; so many bytes were written there. */
char *tls_room(struct tls *t, size_t *cap);
void tls_wrote(struct tls *t, size_t len);

/* What was written goes out as a record now, though there is room for more in it. */
void tls_flush(struct tls *t);

/* What has arrived; so many bytes of it are done with. */
struct span tls_input(struct tls *t);
void tls_used(struct tls *t, size_t len);

/* Records that the network is to take; so many bytes it took. */
struct span tls_output(struct tls *t);
void tls_sent(struct tls *t, size_t len);

/* Room for what the network has, *cap is 0 when there is none; so many bytes were put there. */
char *tls_space(struct tls *t, size_t *cap);
void tls_received(struct tls *t, size_t len);

/* Ends it: the output is a close_notify. Source: RFC 5246, section 7.2.1. */
void tls_close(struct tls *t);

/* Bits that an RSA key must have. */
#define TLS_RSA_MIN_BITS 2048

/* What the code means, for a log line. */
const char *tls_error(int code);

/* Whether only a change from outside can make the next handshake end otherwise: the peer's certificate is not
 * accepted, or it refuses the handshake. */
bool tls_hopeless(int code);

#endif
