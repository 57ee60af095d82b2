#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H
/*
 * POST requests on one connection to a server, HTTP/1.1 or 1.0, and their answers.
 *
 * Bodies are streamed to the owner as they arrive, and never held as a whole. A request is answered 200 when
 * its body has ended; the next may follow without waiting for that. After any other answer no request is
 * read: what `begin` returns; 400 for invalid HTTP, its framing included; 405 for another method; 431
 * for a head beyond HTTP_EXCHANGE_HEAD_BYTES; and the status given to http_exchange_refuse. A body may have
 * any length.
 */
#include "io/system.h"
#include "protocol/http.h"

#define HTTP_EXCHANGE_HEAD_BYTES 8192

/* Each callback gets the context and the index of the server's connection that it is about. */
struct http_exchange_owner {
    /* A POST with a valid head. Returns 0 to take its body, or the status to refuse it with. */
    unsigned (*begin)(void *context, unsigned which, const struct http_head *head);
    /*
     * A piece of the body. Returns 0; ERR_FULL when there is no room for it now; ERR_IO when the owner has
     * closed the connection.
     */
    int (*body)(void *context, unsigned which, struct span piece);
    /* The body has ended. Returns as body; after ERR_FULL it is called again when reading goes on. */
    int (*end)(void *context, unsigned which);
    /* The request has been answered 200. heard: as far as is known, the peer was still there. */
    void (*answered)(void *context, unsigned which, bool heard);
    /* The request is answered with another status; lost follows if its body had begun. */
    void (*refused)(void *context, unsigned status, const char *reason);
    /* A body that had begun will not end. */
    void (*lost)(void *context, unsigned which);
    void *context;
};

enum http_exchange_state {
    HTTP_EXCHANGE_NONE, /* there is no connection */
    HTTP_EXCHANGE_HEAD,
    HTTP_EXCHANGE_BODY,
    HTTP_EXCHANGE_CLOSING /* refused, or answered for the last time */
};

struct http_exchange {
    enum http_exchange_state state;
    const struct http_exchange_owner *owner;
    unsigned which;
    char *head; /* HTTP_EXCHANGE_HEAD_BYTES; between begin and end they are the owner's to use */

    /* private */
    int file;
    bool keep_alive;
    struct http_body body;
    size_t head_len;
};

/* A connection has been accepted. Owner, which and head are set. */
void http_exchange_open(struct http_exchange *x, int file);

/*
 * Reads on in the input. Returns 0 when it is used up; below zero when reading has to stop, as the owner's
 * body or end returned; *in is then what follows.
 */
int http_exchange_read(struct http_exchange *x, struct span *in);

/* Answers the current request with an error status. Whatever still comes is to be discarded. */
void http_exchange_refuse(struct http_exchange *x, unsigned status);

/* Whether a request has begun or the end is awaited, so that the peer must not be silent for long. */
bool http_exchange_unfinished(const struct http_exchange *x);

/*
 * Whether the sender has gone and what it left cannot complete the body, which then need not be read, as the
 * sender repeats all of it. unread: bytes of the body that are read and not used. Only within a body.
 */
bool http_exchange_deserted(const struct http_exchange *x, size_t unread);

/* The connection is gone. */
void http_exchange_close(struct http_exchange *x);

#endif
