#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
/*
 * A server for POST requests on one port, in the loop; io/http_exchange.h says what is answered. In addition, a
 * request that stops halfway is answered 408 and its connection closed.
 *
 * Reading is always paused for all connections, since one read buffer serves all of them. A body with a
 * Content-Length is not read further if its sender has gone before sending all of it. When there is no room for
 * another connection, the one that has been silent for longest is closed. Time during which the process was
 * frozen does not count as silence.
 */
#include "io/http_exchange.h"
#include "io/loop.h"
#include "io/storage.h"

/* Connections at the same time. */
#define HTTP_SERVER_CONNECTIONS 128

/* What one read takes. */
#define HTTP_SERVER_READ_BYTES 65536

struct http_server_connection {
    struct http_exchange exchange;
    uint64_t heard_ms; /* when a byte was last read, or reading went on for all */

    /* private */
    struct loop_watch watch;
    struct http_server *server;
};

struct http_server {
    /* `which` in its calls is the index of the connection. If body or end has no room, reading is paused until
     * http_server_resume. */
    const struct http_exchange_owner *owner;
    struct http_server_connection connections[HTTP_SERVER_CONNECTIONS];
    uint16_t port;
    unsigned open;     /* connections */
    uint64_t heard_ms; /* when a byte of a request was last read */
    /* reading is paused, and the rest of the read buffer came from this connection; NULL: it is not paused */
    struct http_server_connection *paused;

    /* private */
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer sweep; /* closes connections that stopped halfway through a request */
    unsigned thaws;          /* of the loop, as far as it is accounted for */
    char *read_buffer;
    char *heads;      /* of the connections' exchanges */
    struct span rest; /* of it, while reading is paused */
};

/* Memory that the server takes from the storage, besides its struct. */
size_t http_server_bytes(void);

/* Zeroed but for the owner. Returns 0, or ERR_IO without memory. */
int http_server_init(struct http_server *s, struct loop *loop, struct storage *storage);

/*
 * Listens on this port of all IPv4 addresses; 0: on any free port. s->port is then the actual one.
 * Returns 0, or ERR_IO: system_error() has the reason.
 */
int http_server_open(struct http_server *s, uint16_t port);

/* Pauses reading as if body had no room, after everything that was read. */
void http_server_pause(struct http_server_connection *c);

/*
 * Whether reading is paused. If the sender of the body in which it is paused has gone and left it incomplete,
 * that connection is closed and reading continues.
 */
bool http_server_stays_paused(struct http_server *s);

/* Continues reading, beginning with the part of the piece that body did not take. Only while it is paused. */
void http_server_resume(struct http_server *s, struct span piece);

/* Reads what has arrived on all connections, at most until this moment of the monotonic clock. */
void http_server_drain(struct http_server *s, uint64_t until_ms);

/* Closes a connection at once. */
void http_server_close(struct http_server_connection *c);

#endif
