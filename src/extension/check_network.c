#include "extension/check_parts.h"

#include "io/clock.h"
#include "io/error_text.h"
#include "io/log.h"
#include "io/socket.h"
#include "io/tls_report.h"
#include "protocol/format.h"

/* see check_parts.h */

enum { LEAF_MAX_BYTES = 8192 };

static struct resolver resolver;

/* The server's certificate. */
static char bytes[LEAF_MAX_BYTES];
static struct out leaf = {.p = bytes, .cap = sizeof bytes};

static void
put_address(struct out *o, const struct system_address *a)
{
    if (o->len > 0)
        out_put(o, SPAN("; "));
    address_write(o, &a->address);
}

/* What helps where nobody can be reached, who is the proxy if there is one. */
static void
put_remedy(struct check *c, const char *directly)
{
    out_put(&c->remedy, c->kinesis.client.http.connection.peer.proxy == NULL
                            ? span_of(directly)
                            : SPAN("correct TELEMETRY_PROXY, or let it tunnel there"));
}

/* --- name --- */

static void
resolved(void *context)
{
    struct check *c = context;

    c->done = true;
}

void
check_name(struct check *c)
{
    const struct connection_peer *to = &c->kinesis.client.http.connection.peer;
    const struct proxy *by = to->proxy;

    resolver_open(&resolver, c->loop, resolved, c);
    c->done = resolver_start(&resolver, by == NULL ? to->host : by->host,
                             by == NULL ? to->port : by->port) == 0;
    (void)check_wait(c, CHECK_STEP_MS);
    resolver_cancel(&resolver);
    for (unsigned i = 0; i < resolver.len; i++)
        put_address(&c->message, &resolver.addresses[i]);
    if (resolver.len > 0) {
        check_end(c, CHECK_NAME, CHECK_OK);
        return;
    }
    put_remedy(c, "correct AWS_REGION or AWS_ENDPOINT_URL_KINESIS, or the VPC's DNS");
    check_tell(c, CHECK_NAME, CHECK_FAILED,
               c->done ? resolver_error(&resolver) : "no answer from the name servers");
}

/* --- tcp --- */

static void
ready(void *context, uint32_t events)
{
    (void)events;
    resolved(context);
}

/* Each gets its share of the time. Returns 0 once it is connected, or the system's reason. */
static int
try_address(struct check *c, const struct system_address *to)
{
    struct loop_watch watch = {.fd = -1, .ready = ready, .context = c};
    int r = socket_connect(c->loop, &watch, SYSTEM_STREAM, to, SYSTEM_OUT);
    int code = SYSTEM_TIMED_OUT;

    c->done = false;
    if (r == 0 && check_wait(c, CHECK_STEP_MS / resolver.len))
        r = system_connected(watch.fd);
    else if (r == 0)
        r = ERR_MORE;
    if (r == ERR_IO)
        code = system_error();
    loop_close(c->loop, &watch);
    return r == 0 ? 0 : code;
}

void
check_tcp(struct check *c)
{
    unsigned good = 0;

    for (unsigned i = 0; i < resolver.len; i++) {
        int code = try_address(c, &resolver.addresses[i]);

        good += code == 0;
        put_address(&c->message, &resolver.addresses[i]);
        (void)format_text(&c->message, ":%u %s", resolver.port,
                          code == 0 ? "connected" : error_text(code));
    }
    put_remedy(c, "this subnet needs a VPC endpoint for kinesis-streams whose security "
                  "group lets this in, or a NAT gateway");
    check_end(c, CHECK_TCP,
              good == resolver.len ? CHECK_OK
              : good > 0           ? CHECK_WARNING
                                   : CHECK_FAILED);
}

/* --- the connection --- */

/* Waits until this state is over; what comes before it has had its step, and its time does not count. */
static void
wait_while(struct check *c, const struct connection *connection, enum connection_state state)
{
    while (connection->state != CONNECTION_CLOSED && connection->state <= state) {
        if (connection->state < state)
            c->begun_ms = clock_monotonic_ms();
        if (loop_turn(c->loop) != 0)
            break;
    }
}

void
check_proxy(struct check *c)
{
    const struct connection *connection = &c->kinesis.client.http.connection;
    const struct proxy *by = connection->peer.proxy;

    /* from here on, since the handshake may follow a tunnel at once */
    tls_keep_leaf(&leaf);
    if (by == NULL) {
        check_tell(c, CHECK_PROXY, CHECK_NOT_CHECKED, "none is used");
        return;
    }
    aws_client_open(&c->kinesis.client);
    wait_while(c, connection, CONNECTION_TUNNELLING);
    (void)format_text(&c->message, "%.*s:%u: ", LOG_SPAN(by->host), by->port);
    /* what TLS has to say of it is another step's */
    if (connection->state != CONNECTION_CLOSED || connection->end == CONNECTION_TLS_FAILED ||
        connection->end == CONNECTION_NOT_TLS) {
        check_tell(c, CHECK_PROXY, CHECK_OK, "a tunnel");
        return;
    }
    (void)format_text(&c->message, "%s (%d)", connection_error(connection), connection->code);
    put_remedy(c, "");
    check_end(c, CHECK_PROXY, CHECK_FAILED);
}

void
check_tls(struct check *c)
{
    struct connection *connection = &c->kinesis.client.http.connection;
    struct tls *tls = connection->stream.tls;

    if (tls == NULL) {
        check_tell(c, CHECK_TLS, CHECK_NOT_CHECKED, "the endpoint's URL is http://");
        return;
    }
    aws_client_open(&c->kinesis.client);
    wait_while(c, connection, CONNECTION_HANDSHAKING);
    tls_keep_leaf(NULL);
    if (connection->state == CONNECTION_OPEN) {
        tls_report(tls, out_span(&leaf), &c->message);
        check_end(c, CHECK_TLS, CHECK_OK);
        return;
    }
    (void)format_text(&c->message, "%s (%d)", connection_error(connection), connection->code);
    out_put(&c->remedy,
            SPAN("correct AWS_ENDPOINT_URL_KINESIS, AWS_CA_BUNDLE, or the clock of this "
                 "machine; the server must speak TLS 1.2 as AWS does"));
    check_end(c, CHECK_TLS, CHECK_FAILED);
}
