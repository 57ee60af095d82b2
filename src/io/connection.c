#include "io/connection.h"

#include <string.h>

#include "io/clock.h"
#include "io/socket.h"
#include "io/tunnel.h"
#include "protocol/check.h"
#include "protocol/out.h"

/* see connection.h */

/* Of a name, with a zero behind it. Source: RFC 1035, section 2.3.4. */
enum { HOST_BYTES = 254 };

static void pump(struct connection *c);
static void watch_on(struct connection *c);
static void connect_next(struct connection *c);

/* --- the end ----------------------------------------------------------------------------------- */

void
connection_close(struct connection *c)
{
    resolver_cancel(&c->resolver);
    c->timer.at_ms = c->share.at_ms = 0;
    loop_close(c->loop, &c->watch);
    c->state = CONNECTION_CLOSED;
}

void
connection_end(struct connection *c)
{
    if (c->stream.encrypted && connection_flushed(c)) {
        tls_close(c->stream.tls);
        if (stream_output(&c->stream).len > 0)
            (void)system_send(c->watch.fd, stream_output(&c->stream), false);
    }
    connection_close(c);
}

void
connection_forget(struct connection *c)
{
    if (c->stream.tls != NULL)
        tls_forget_session(c->stream.tls);
}

static void
fail(struct connection *c, enum connection_end end, int code)
{
    /* the resumed session may be the reason, see tls_forget_session */
    if (c->state == CONNECTION_HANDSHAKING || end == CONNECTION_TLS_FAILED)
        connection_forget(c);
    connection_close(c);
    c->end = end;
    c->code = code;
}

/* --- names and addresses ----------------------------------------------------------------------- */

static void
timed_out(void *context)
{
    struct connection *c = context;

    fail(c, CONNECTION_TIMED_OUT, 0);
    c->progress(c->context);
}

/* The address has had its share of the time: tries the next one. */
static void
share_over(void *context)
{
    struct connection *c = context;

    c->code = SYSTEM_TIMED_OUT;
    connect_next(c);
    if (c->state == CONNECTION_CLOSED || c->state == CONNECTION_OPEN)
        c->progress(c->context);
}

static void
opened(struct connection *c)
{
    if (c->state == CONNECTION_HANDSHAKING) {
        c->handshakes++;
        tls_keep_session(c->stream.tls);
    }
    c->state = CONNECTION_OPEN;
    c->timer.at_ms = 0;
}

/*
 * The name without a dot at its end, which is meant for name servers only. The Host field keeps the dot if the
 * user gave one. Source: RFC 6066, section 3; RFC 9110, section 7.2.
 */
static void
name_for_tls(const struct connection *c, char name[HOST_BYTES])
{
    struct out o = out_to(name, HOST_BYTES - 1);

    out_put(&o, c->peer.host);
    if (o.len > 1 && name[o.len - 1] == '.')
        o.len--;
    name[o.len] = '\0';
}

/* Bytes go to the peer and back: TLS begins, or the stream is open. */
static void
reached(struct connection *c)
{
    char name[HOST_BYTES];

    c->stream.encrypted = c->peer.anchors != NULL;
    c->answered = false;
    if (!c->stream.encrypted) {
        opened(c);
        return;
    }
    name_for_tls(c, name);
    c->code = tls_start(c->stream.tls, c->peer.anchors, name, clock_wall_ms() / 1000);
    if (c->code != 0)
        fail(c, CONNECTION_TLS_FAILED, c->code);
    else
        c->state = CONNECTION_HANDSHAKING;
}

/* TCP is connected. */
static void
connected(struct connection *c)
{
    CHECK(c->peer.anchors != NULL ? c->stream.tls != NULL : c->stream.plain.in != NULL);
    c->share.at_ms = 0;
    c->code = 0;
    if (c->peer.proxy == NULL)
        reached(c);
    else if (tunnel_ask(&c->stream, c->peer.proxy, c->peer.host, c->peer.port) == 0)
        c->state = CONNECTION_TUNNELLING;
    else
        fail(c, CONNECTION_NO_PROXY, 0);
    pump(c);
}

/* Reads what has come from the proxy. */
static void
tunnel(struct connection *c)
{
    int r = tunnel_reply(&c->stream);

    if (r == ERR_MORE && !c->peer_closed)
        watch_on(c);
    else if (r == ERR_MORE)
        fail(c, c->code == 0 ? CONNECTION_BY_PROXY : CONNECTION_BROKEN, c->code);
    else if (r / 100 == 2)
        reached(c);
    else
        fail(c, r == ERR_BAD ? CONNECTION_NO_PROXY : CONNECTION_NO_TUNNEL, r == ERR_BAD ? 0 : r);
}

static void
connect_result(struct connection *c)
{
    int r = system_connected(c->watch.fd);

    if (r == 0) {
        connected(c);
    } else if (r != ERR_MORE) {
        c->code = system_error();
        connect_next(c);
    }
}

static void
ready(void *context, uint32_t events)
{
    struct connection *c = context;

    (void)events;
    if (c->state == CONNECTION_CONNECTING)
        connect_result(c);
    else
        pump(c);
    c->progress(c->context);
}

/* Begins to connect to an address. Returns 0, or ERR_IO when it failed at once. */
static int
connect_to(struct connection *c, const struct system_address *a)
{
    if (socket_connect(c->loop, &c->watch, SYSTEM_STREAM, a, SYSTEM_OUT) != 0) {
        c->code = system_error();
        return ERR_IO;
    }
    c->state = CONNECTION_CONNECTING;
    /* within one machine the result is known at once */
    connect_result(c);
    return 0;
}

/* Divides the time that is left among the addresses that are left; the last one has no limit of its own. */
static void
share_time(struct connection *c)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t left = c->timer.at_ms > now ? c->timer.at_ms - now : 0;
    unsigned addresses = c->resolver.len - c->address;

    c->share.at_ms = 0;
    if (c->timer.at_ms != 0 && addresses > 1)
        loop_set(c->loop, &c->share, left / addresses);
}

static void
connect_next(struct connection *c)
{
    int code = c->code;

    loop_close(c->loop, &c->watch);
    while (c->address < c->resolver.len) {
        share_time(c);
        if (connect_to(c, &c->resolver.addresses[c->address++]) == 0)
            return;
    }
    fail(c, c->resolver.len == 0 ? CONNECTION_NO_NAME : CONNECTION_REFUSED,
         c->code != 0 ? c->code : code);
}

static void
resolved(void *context)
{
    struct connection *c = context;

    connect_next(c);
    if (c->state == CONNECTION_CLOSED || c->state == CONNECTION_OPEN)
        c->progress(c->context);
}

void
connection_init(struct connection *c, struct loop *loop, void (*progress)(void *context),
                void *context)
{
    *c = (struct connection){.loop = loop, .progress = progress, .context = context};
    c->watch = (struct loop_watch){.fd = -1, .ready = ready, .context = c};
    c->timer = (struct loop_timer){.awake = true, .fire = timed_out, .context = c};
    c->share = (struct loop_timer){.awake = true, .fire = share_over, .context = c};
    loop_add_timer(loop, &c->timer);
    loop_add_timer(loop, &c->share);
    resolver_open(&c->resolver, loop, resolved, c);
}

void
connection_start(struct connection *c)
{
    const struct proxy *by = c->peer.proxy;

    CHECK(c->state == CONNECTION_CLOSED && c->watch.fd < 0);
    c->end = CONNECTION_NO_END;
    c->code = 0;
    c->address = 0;
    c->answered = c->peer_closed = c->deaf = c->more = c->corked = false;
    plain_start(&c->stream.plain);
    c->state = CONNECTION_RESOLVING;
    if (c->peer.open_within_ms > 0)
        loop_set(c->loop, &c->timer, c->peer.open_within_ms);
    if (resolver_start(&c->resolver, by == NULL ? c->peer.host : by->host,
                       by == NULL ? c->peer.port : by->port) == 0)
        connect_next(c);
    if (c->state == CONNECTION_CLOSED || c->state == CONNECTION_OPEN)
        c->progress(c->context);
}

/* --- the network ------------------------------------------------------------------------------- */

/*
 * Reads once. Returns the number of bytes; 0 when there are none now, or no more will come, as
 * peer_closed or the state then show.
 */
static size_t
receive(struct connection *c, void *buffer, size_t cap)
{
    int64_t n = system_read(c->watch.fd, buffer, cap);

    if (n == ERR_IO)
        c->code = system_error();
    if (n == 0 || n == ERR_IO)
        c->peer_closed = true;
    if (n < 0)
        return 0;
    /* no TLS record begins like this; reported as what it is, since a TLS error would not say so */
    if (!c->answered && c->state == CONNECTION_HANDSHAKING && n >= 4 &&
        memcmp(buffer, "HTTP", 4) == 0) {
        fail(c, CONNECTION_NOT_TLS, 0);
        return 0;
    }
    c->answered = c->answered || n > 0;
    return (size_t)n;
}

static size_t
transmit(struct connection *c, struct span bytes)
{
    int64_t n = system_send(c->watch.fd, bytes, c->more);

    if (n >= 0)
        c->corked = c->more;
    /* the peer may have refused the request before all of it was sent: its reply may still be read */
    else if (n == ERR_BAD)
        c->deaf = true;
    else if (n == ERR_IO)
        fail(c, CONNECTION_BROKEN, system_error());
    return n < 0 ? 0 : (size_t)n;
}

/*
 * Moves bytes one step each way; returns whether another step may move more. As long as more can be sent it
 * does not look for a reply, which would cost a system call for each record.
 */
static bool
step(struct connection *c)
{
    struct span out = stream_output(&c->stream);
    size_t cap = 0;
    size_t n = 0;
    char *to;

    if (out.len > 0 && !c->deaf) {
        n = transmit(c, out);
        stream_sent(&c->stream, n);
    }
    if (n > 0 || c->state == CONNECTION_CLOSED)
        return n > 0;
    if (c->peer_closed || (c->more && out.len == 0))
        return false;
    to = stream_space(&c->stream, &cap);
    if (cap == 0)
        return false;
    n = receive(c, to, cap);
    stream_received(&c->stream, n);
    /* one read takes all plain bytes there are; TLS reads a record's head before the rest */
    return n > 0 && c->stream.encrypted;
}

/* Returns whether TLS goes on. */
static bool
check_tls(struct connection *c)
{
    int code;

    if (c->state == CONNECTION_HANDSHAKING && tls_is_open(c->stream.tls))
        opened(c);
    if (!tls_ended(c->stream.tls, &code))
        return true;
    /* a close_notify ends TLS without an error code */
    fail(c, code == 0 ? CONNECTION_BY_PEER : CONNECTION_TLS_FAILED, code);
    return false;
}

static void
watch_on(struct connection *c)
{
    uint32_t events = stream_output(&c->stream).len > 0 && !c->deaf ? SYSTEM_OUT : 0;
    size_t cap = 0;

    if (!c->peer_closed)
        (void)stream_space(&c->stream, &cap);
    /* TLS, which the peer has ended, waits to answer that to one who accepts nothing more */
    if (c->deaf && cap == 0 && stream_input(&c->stream).len == 0)
        fail(c, CONNECTION_BY_PEER, 0);
    else if (loop_watch(c->loop, &c->watch, c->watch.fd, events | (cap > 0 ? SYSTEM_IN : 0)) != 0)
        fail(c, CONNECTION_BROKEN, system_error());
}

static void
pump(struct connection *c)
{
    if (c->state < CONNECTION_TUNNELLING)
        return;
    do
        if (c->stream.encrypted && !check_tls(c))
            return;
    while (step(c) && c->state != CONNECTION_CLOSED);
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->state == CONNECTION_TUNNELLING) {
        tunnel(c);
        if (c->state > CONNECTION_TUNNELLING)
            pump(c);
        return;
    }
    /* not before the owner has taken what came before the end */
    if (c->peer_closed && stream_input(&c->stream).len == 0)
        fail(c, c->code == 0 ? CONNECTION_BY_PEER : CONNECTION_BROKEN, c->code);
    else
        watch_on(c);
}

/* --- the owner's bytes ------------------------------------------------------------------------- */

char *
connection_room(struct connection *c, size_t *cap)
{
    char *p = NULL;

    *cap = 0;
    if (c->state == CONNECTION_OPEN)
        p = stream_room(&c->stream, cap);
    return *cap == 0 ? NULL : p;
}

void
connection_wrote(struct connection *c, size_t len)
{
    CHECK(len == 0 || c->state == CONNECTION_OPEN);
    stream_wrote(&c->stream, len);
}

/* Sends what was held back for more, once no more follows. */
static void
uncork(struct connection *c)
{
    if (c->corked && !c->more && c->state == CONNECTION_OPEN)
        c->corked = system_uncork(c->watch.fd) != 0;
}

void
connection_flush(struct connection *c)
{
    if (c->state != CONNECTION_OPEN)
        return;
    stream_flush(&c->stream);
    pump(c);
    uncork(c);
}

struct span
connection_input(struct connection *c)
{
    return c->state == CONNECTION_OPEN ? stream_input(&c->stream) : (struct span){NULL, 0};
}

void
connection_used(struct connection *c, size_t len)
{
    if (len == 0)
        return;
    CHECK(len <= stream_input(&c->stream).len);
    stream_used(&c->stream, len);
    pump(c);
}
