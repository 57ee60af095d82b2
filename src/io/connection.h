#ifndef CONNECTION_H
#define CONNECTION_H
/*
 * One outgoing byte stream to a named peer, over TCP or over TLS on TCP. Never waits: `progress`
 * reports that something has happened, and the owner then looks at the state.
 *
 *   closed -> resolving -> connecting -> tunnelling (proxy) -> handshaking (TLS) -> open -> closed
 *
 * Output is written into the connection's own buffer (connection_room, connection_wrote), input is
 * read in place (connection_input, connection_used): nothing is copied twice.
 */
#include "io/loop.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "protocol/span.h"

enum connection_state {
    CONNECTION_CLOSED,
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_TUNNELLING,
    CONNECTION_HANDSHAKING,
    CONNECTION_OPEN
};

/* Why a connection ended. */
enum connection_end {
    CONNECTION_NO_END,
    CONNECTION_NO_NAME,    /* the host name has no address */
    CONNECTION_REFUSED,    /* no address could be connected to; code is the system's */
    CONNECTION_TIMED_OUT,  /* not open within the time allowed */
    CONNECTION_TLS_FAILED, /* code is for tls_error */
    CONNECTION_NOT_TLS,    /* the peer answered a TLS handshake in plain HTTP */
    CONNECTION_BY_PEER,    /* closed by the peer, perhaps too early */
    CONNECTION_BROKEN,     /* reset, or another error of the network; code is the system's */
    CONNECTION_NO_TUNNEL,  /* the proxy refused; code is the status of its reply */
    CONNECTION_NO_PROXY,   /* the proxy's reply is none to CONNECT */
    CONNECTION_BY_PROXY    /* closed by the proxy, before its reply was whole */
};

/* Who to connect to. */
struct connection_peer {
    struct span host;
    uint16_t port;
    const struct tls_anchors *anchors; /* NULL: no TLS */
    const struct proxy *proxy; /* which is then connected to, and looks up the host; or NULL */
    uint32_t open_within_ms;   /* for name, TCP, proxy and TLS together; 0: no limit. No address
                              * takes more than its share of the time left */
};

struct connection {
    enum connection_state state;
    enum connection_end end;
    int code;
    bool peer_closed;    /* no input will follow what is there */
    uint64_t handshakes; /* TLS handshakes that succeeded, full or resumed, of all
                          * connections */
    struct connection_peer peer;
    bool
        more; /* the owner will write more at once: what is flushed, and input, may wait for that */
    void (*progress)(void *context);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer; /* the connection has to be open by then */
    struct loop_timer share; /* limit for the address being tried, if there are others */
    struct resolver resolver;
    unsigned address;
    bool answered; /* the peer has sent something */
    bool corked;   /* the network holds back what was sent last */
    bool deaf;     /* the peer accepts no more output; it may have sent the reason */
    struct stream stream;
};

#define CONNECTION_BUFFER PLAIN_BUFFER

/*
 * The caller sets the memory: stream.tls for a peer with anchors, otherwise stream.plain.in and out. Both may be
 * changed between a close and the next start.
 */
void connection_init(struct connection *c, struct loop *loop, void (*progress)(void *context),
                     void *context);

/* Begins to connect; only when closed. May report progress before it returns. */
void connection_start(struct connection *c);

/* Closes at once, without progress. What was not sent is lost. */
void connection_close(struct connection *c);

/*
 * An orderly close, when nothing is under way: a TLS peer is sent a close_notify, if the network takes it at
 * once. Source: RFC 5246, section 7.2.1.
 */
void connection_end(struct connection *c);

/* The next connection shares nothing with this one and those before: its TLS handshake is a full one. */
void connection_forget(struct connection *c);

/* Room for output; *cap is 0 when there is none now. Only when open. */
char *connection_room(struct connection *c, size_t *cap);

/* len bytes have been written to what connection_room returned. */
void connection_wrote(struct connection *c, size_t len);

/* Sends what was written, as far as the network takes it now; the rest follows by itself. */
void connection_flush(struct connection *c);

/* Whether all that was written has gone to the network. */
bool connection_flushed(struct connection *c);

/* Input that has arrived; valid until connection_used, connection_flush or the end of this callback. */
struct span connection_input(struct connection *c);

void connection_used(struct connection *c, size_t len);

/*
 * Whether a connection that was kept is still good: open, and the peer has neither closed nor sent
 * anything. Asks the system, waits for nothing.
 */
bool connection_idle(struct connection *c);

/*
 * Whether the next connection will end in the same way unless something changes outside: the peer does
 * not speak TLS, its certificate is not accepted, or it refuses the handshake; the proxy refuses who we are or where
 * we want to go.
 */
bool connection_hopeless(const struct connection *c);

/* Why the connection ended, for a log line; code is worth printing when it is not 0. */
const char *connection_error(const struct connection *c);

#endif
