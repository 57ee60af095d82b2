#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
/*
 * A server for POST requests on one port, in the loop; io/http_exchange.h says what is answered. Besides, a
 * request that stops in its midst is answered 408, and its connection closed.
 *
 * Reading can be paused, for all connections, since one read buffer serves all of them. A body with a
 * Content-Length whose sender has gone before all of it was sent is not read on. When there is no room for
 * another connection, the one that was silent for longest goes. The time in which the process was frozen is
 * nobody's silence.
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
    /* `which` of its calls is the connection's place in this array. If body or end has no room, reading is
     * paused until http_server_resume. */
    const struct http_exchange_owner *owner;
    struct http_server_connection connections[HTTP_SERVER_CONNECTIONS];
    uint16_t port;
    unsigned open;     /* connections */
    uint64_t heard_ms; /* when a byte of a request was last read */
    /* reading is paused: the rest of the read buffer is what this one sent; NULL: it is not */
    struct http_server_connection *paused;

    /* private */
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer sweep; /* closes connections that stopped in the midst of a request */
    unsigned thaws;          /* of the loop, as far as it is accounted for */
    char *read_buffer;
    struct span rest; /* of it, while reading is paused */
};

/* Memory that the server takes from the storage, besides its struct. */
size_t http_server_bytes(void);

/* Zeroed but for the owner. Returns 0, or ERR_IO without memory. */
int http_server_init(struct http_server *s, struct loop *loop, struct storage *storage);

/*
 * Listens on the port, on all IPv4 addresses; 0: on any that is free. Then s->port tells which it is.
 * Returns 0, or ERR_IO: system_error() tells why.
 */
int http_server_open(struct http_server *s, uint16_t port);

/* Pauses reading, as when body has no room, at the end of what was read. */
void http_server_pause(struct http_server_connection *c);

/*
 * Whether reading is paused. If the sender of the body in which it is has gone and left it incomplete, that
 * connection is closed, and reading goes on.
 */
bool http_server_stays_paused(struct http_server *s);

/* Reading goes on, first of all with this rest of the piece that body did not take. Only when it is paused. */
void http_server_resume(struct http_server *s, struct span piece);

/* Reads what has come by now on all connections, until that moment of the monotonic clock at most. */
void http_server_drain(struct http_server *s, uint64_t until_ms);

/* Closes a connection at once. */
void http_server_close(struct http_server_connection *c);

#endif
