#ifndef FRONT_H
#define FRONT_H
/*
 * What the parts of a front share: its connections (front.c), and the replies on them (front_reply.c).
 */
#include "services.h"

#define FRONT_CONNECTIONS 32

struct front_connection {
    bool used;
    uint32_t number;  /* of all */
    uint32_t sandbox; /* whose it is */
    bool heard;       /* something has come */
    bool due;         /* a request has come, and its reply has not gone */
    bool silent;      /* nothing that is sent arrives any more */
    bool closes;      /* after the reply */
    bool reset;       /* rather than closed, when raw_left is reached */
    struct front *front;
    struct peer *peer;
    struct http_reader reader;
    struct tls_end *tls;
    char *out; /* the reply, as HTTP */
    size_t out_len, out_sent;
    unsigned pieces;  /* in so many it goes */
    uint32_t wait_us; /* between them */
    size_t raw_left;  /* bytes until the connection breaks */
    void (*delivered)(void *context);
    void *context;
};

extern struct front_connection front_connections[FRONT_CONNECTIONS];

void front_say(const struct front_connection *c, const char *what);

/* Closes or resets the connection, and forgets it. */
void front_end(struct front_connection *c, bool reset);

/* Sends bytes, through TLS if there is TLS. */
void front_send(struct front_connection *c, struct span bytes, bool close);

/* What was to happen on the connection does not: a reply, an end. */
void front_cancel(struct front_connection *c);

/* The same, and it is not held any more: it is over. */
void front_forget(struct front_connection *c);

/* For a while nothing is read, so that the program's buffer fills. */
void front_hold(struct front_connection *c);

/* A refusal before the request has come whole, the rest of which is not read. */
void front_early(struct front_connection *c);

/* Whether a connection to it comes about now. there: it is where it is looked for. */
enum kernel_answer front_draw(struct front *front, bool there);

/* One that has come about, and what is to hear of it, with the connection as the context. */
struct front_connection *front_take(struct front *front, struct peer *peer,
                                    const struct peer_events **events);

/* The one that is reached through the proxy by this host and port; NULL: none. */
struct front *front_proxied(struct span authority);

/* --- the proxy (proxy.c) ---------------------------------------------------------------------------- */

void proxy_begin(void);

/* Whether the service is to be reached through it alone, else directly. */
bool proxy_carries(const struct front *front);

/* A line of the program, which may tell of what the proxy has answered in this life. */
void proxy_told(struct span line);

/* The program freezes: perhaps nothing more is heard of connections. */
void proxy_freeze(void);

/* A connection or a call has failed because there is an outage. */
void front_failed(struct front *front);

#endif
