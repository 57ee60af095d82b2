#include "io/resolver.h"

#include <limits.h>
#include <string.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/line_file.h"
#include "io/socket.h"
#include "protocol/hosts.h"

/* see resolver.h */

enum {
    REPEAT_MS = 200, /* doubles */
    OTHER_KIND_MS = 100
};

/* v4 is asked for first: if the second question is dropped on the way, least is lost. */
static const enum dns_type types[] = {DNS_A, DNS_AAAA};
enum { QUESTIONS = sizeof types / sizeof *types };

void
resolver_cancel(struct resolver *r)
{
    r->timer.at_ms = 0;
    for (unsigned i = 0; i < r->servers_len; i++)
        loop_close(r->loop, &r->servers[i].watch);
    r->servers_len = 0;
    loop_close(r->loop, &r->stream.watch);
}

/* --- questions and replies --------------------------------------------------------------------- */

static struct dns_question
question(const struct resolver *r, int i)
{
    return (struct dns_question){{r->name, r->name_len}, types[i], r->questions[i].id};
}

static unsigned
bit(const struct resolver_server *s)
{
    return 1u << (s - s->resolver->servers);
}

/* Questions without a reply will not get one from these servers. */
static void
give_up(struct resolver *r, unsigned servers, enum resolver_trouble trouble)
{
    for (int i = 0; i < QUESTIONS; i++) {
        struct resolver_question *q = &r->questions[i];

        if (q->answered)
            continue;
        q->failed |= servers;
        q->trouble = trouble;
    }
}

static void
ask_one(struct resolver_server *s, int i)
{
    struct dns_question q = question(s->resolver, i);
    char query[DNS_QUERY_MAX];
    struct out o = out_to(query, sizeof query);
    int64_t n;

    if (dns_query(&o, &q) != 0) {
        give_up(s->resolver, UINT_MAX, RESOLVER_BAD_NAME);
        return;
    }
    n = system_send(s->watch.fd, out_span(&o), false);
    /* on a connected socket the system reports that nobody listens there */
    if (n < 0 && n != ERR_MORE)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

static void
ask_server(struct resolver_server *s)
{
    if (s->watch.fd < 0 && socket_connect(s->resolver->loop, &s->watch, SYSTEM_DATAGRAM,
                                          &s->address, SYSTEM_IN) != 0) {
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
        return;
    }
    for (int i = 0; i < QUESTIONS; i++)
        if (!s->resolver->questions[i].answered)
            ask_one(s, i);
}

/* Asks all servers, for the first time or again. */
static void
ask(struct resolver *r)
{
    uint32_t ms = r->wait_ms < r->left_ms ? r->wait_ms : r->left_ms;

    loop_set(r->loop, &r->timer, ms);
    r->left_ms -= ms;
    r->wait_ms = r->wait_ms * 2 < r->wait_max_ms ? r->wait_ms * 2 : r->wait_max_ms;
    for (int i = 0; i < QUESTIONS; i++)
        r->questions[i].failed = r->questions[i].repeated = 0;
    for (unsigned i = 0; i < r->servers_len; i++)
        ask_server(&r->servers[i]);
}

/* One stream at a time: a reply that was cut meanwhile will be cut again when its question is repeated. */
static void
start_stream(struct resolver_server *s)
{
    struct resolver_stream *stream = &s->resolver->stream;

    if (stream->watch.fd >= 0)
        return;
    stream->server = s;
    stream->sent = stream->useful = false;
    stream->len = 0;
    if (socket_connect(s->resolver->loop, &stream->watch, SYSTEM_STREAM, &s->address, SYSTEM_OUT) !=
        0)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

/* A failure over UDP may be temporary, so the server is asked once more; over a stream it would repeat itself. */
static void
server_failed(struct resolver_server *s, int i, bool by_stream)
{
    struct resolver_question *q = &s->resolver->questions[i];

    if (by_stream || (q->repeated & bit(s)) != 0) {
        q->failed |= bit(s);
        q->trouble = RESOLVER_FAILED;
    } else {
        q->repeated |= bit(s);
        ask_one(s, i);
    }
}

static void
take(struct resolver_server *s, struct span message, bool by_stream)
{
    struct resolver *r = s->resolver;

    for (int i = 0; i < QUESTIONS; i++) {
        struct dns_question asked = question(r, i);
        enum dns_reply reply = DNS_FOREIGN;

        if (!r->questions[i].answered)
            reply = dns_read(message, &asked, &r->found);
        if (reply == DNS_CUT && !by_stream) {
            start_stream(s);
        } else if (reply == DNS_CUT || reply == DNS_FAILED) {
            server_failed(s, i, by_stream);
        } else if (reply != DNS_FOREIGN) {
            r->questions[i].answered = true;
            r->stream.useful = r->stream.useful || by_stream;
            r->questions[i].trouble = reply == DNS_NO_NAME ? RESOLVER_NO_NAME : RESOLVER_NO_ADDRESS;
        }
    }
}

/* --- one name after the other ------------------------------------------------------------------ */

static uint32_t
scope_id(const char *scope)
{
    uint64_t number = 0;

    if (span_number(span_of(scope), UINT32_MAX, &number) == 0)
        return (uint32_t)number;
    return system_interface(scope);
}

static void udp_ready(void *context, uint32_t events);

static void
add_servers(struct resolver *r, const struct resolv_conf *conf)
{
    for (; r->servers_len < conf->servers_len; r->servers_len++) {
        const struct resolv_conf_server *from = &conf->servers[r->servers_len];
        struct resolver_server *s = &r->servers[r->servers_len];

        s->resolver = r;
        s->watch = (struct loop_watch){.fd = -1, .ready = udp_ready, .context = s};
        s->address = (struct system_address){.address = from->address, .port = r->server_port};
        if (from->scope[0] != '\0' && from->address.len == ADDRESS_V6_BYTES)
            s->address.scope = scope_id(from->scope);
    }
}

static void
take_conf_line(void *context, struct span line)
{
    resolv_conf_line(context, line);
}

/* Starts with the next name, or again with the same one. */
static void
look_up(struct resolver *r)
{
    struct out name = out_to(r->name, sizeof r->name);
    struct resolv_conf conf;

    resolver_cancel(r);
    resolv_conf_init(&conf);
    line_file_read(r->conf_path, take_conf_line, &conf);
    resolv_conf_end(&conf);
    r->more = resolv_conf_name(&conf, span_of(r->host), r->try, &name);
    r->name_len = out_end(&name) == 0 ? name.len : 0;
    r->thaws = r->loop->thaws;
    r->left_ms = conf.timeout_s * 1000;
    r->wait_max_ms = r->left_ms / conf.attempts;
    r->wait_ms = r->wait_max_ms < REPEAT_MS ? r->wait_max_ms : REPEAT_MS;
    r->found.v4_len = r->found.v6_len = 0;
    for (int i = 0; i < QUESTIONS; i++)
        r->questions[i] = (struct resolver_question){.id = (uint16_t)entropy_dice()};
    add_servers(r, &conf);
    ask(r);
}

static bool
pending(const struct resolver *r)
{
    unsigned all = (1u << r->servers_len) - 1;

    for (int i = 0; i < QUESTIONS; i++)
        if (!r->questions[i].answered && (r->questions[i].failed & all) != all)
            return true;
    return false;
}

static bool
found(const struct resolver *r)
{
    return r->found.v4_len + r->found.v6_len > 0;
}

/* After anything has happened. Returns ERR_MORE, or 0 when the look-up has ended. */
static int
settle(struct resolver *r)
{
    while (!pending(r)) {
        r->trouble = r->questions[0].trouble > r->questions[1].trouble ? r->questions[0].trouble
                                                                       : r->questions[1].trouble;
        if (found(r) || !r->more || r->trouble > RESOLVER_NO_ADDRESS) {
            resolver_cancel(r);
            r->len = route_order(&r->found, r->port, r->addresses);
            return 0;
        }
        r->try++;
        look_up(r);
    }
    if (route_found(&r->found, r->port))
        loop_set_earlier(&r->timer, clock_monotonic_ms() + OTHER_KIND_MS);
    return ERR_MORE;
}

/* --- what the loop calls ----------------------------------------------------------------------- */

static void
proceed(struct resolver *r)
{
    if (settle(r) == 0)
        r->done(r->context);
}

static void
udp_ready(void *context, uint32_t events)
{
    struct resolver_server *s = context;
    char message[RESOLVER_STREAM_MAX];
    int64_t n = system_read(s->watch.fd, message, sizeof message);

    (void)events;
    if (n >= 0)
        take(s, (struct span){message, (size_t)n}, false);
    else if (n != ERR_MORE)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
    proceed(s->resolver);
}

/* A server may take only one question per stream; the other one then gets its own stream. */
static void
stream_ended(struct resolver_stream *stream)
{
    struct resolver_server *s = stream->server;

    loop_close(s->resolver->loop, &stream->watch);
    if (stream->useful)
        start_stream(s);
    else
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

/* All open questions, each after its length. Source: RFC 1035, 4.2.2. */
static void
stream_send(struct resolver_stream *stream)
{
    struct resolver *r = stream->server->resolver;
    char queries[QUESTIONS * (2 + DNS_QUERY_MAX)];
    struct out all = out_to(queries, sizeof queries);

    for (int i = 0; i < QUESTIONS; i++) {
        struct dns_question q = question(r, i);
        char query[DNS_QUERY_MAX];
        struct out o = out_to(query, sizeof query);

        if (r->questions[i].answered || dns_query(&o, &q) != 0)
            continue;
        out_byte(&all, (char)(o.len >> 8));
        out_byte(&all, (char)o.len);
        out_put(&all, out_span(&o));
    }
    stream->sent = true;
    if (system_send(stream->watch.fd, out_span(&all), false) != (int64_t)all.len ||
        loop_watch(r->loop, &stream->watch, stream->watch.fd, SYSTEM_IN) != 0)
        stream_ended(stream);
}

/* Takes the messages that are complete, or as much of one as there is room for. */
static void
stream_receive(struct resolver_stream *stream)
{
    int64_t n =
        system_read(stream->watch.fd, stream->in + stream->len, sizeof stream->in - stream->len);
    bool ended = n == 0 || n == ERR_IO;

    stream->len += n > 0 ? (size_t)n : 0;
    while (!ended && stream->len >= 2) {
        size_t len = 2 + ((size_t)(uint8_t)stream->in[0] << 8 | (uint8_t)stream->in[1]);

        if (len > stream->len) {
            if (stream->len < sizeof stream->in)
                return;
            ended = true;
            len = stream->len;
        }
        take(stream->server, (struct span){stream->in + 2, len - 2}, true);
        stream->len -= len;
        memmove(stream->in, stream->in + len, stream->len);
    }
    if (ended)
        stream_ended(stream);
}

static void
stream_ready(void *context, uint32_t events)
{
    struct resolver *r = context;

    (void)events;
    if (r->stream.sent)
        stream_receive(&r->stream);
    else
        stream_send(&r->stream);
    proceed(r);
}

static void
timed_out(void *context)
{
    struct resolver *r = context;

    if (r->thaws != r->loop->thaws)
        look_up(r);
    else if (r->left_ms == 0 || route_found(&r->found, r->port))
        give_up(r, UINT_MAX, RESOLVER_SILENT);
    else
        ask(r);
    proceed(r);
}

/* --- from outside ------------------------------------------------------------------------------ */

void
resolver_open(struct resolver *r, struct loop *loop, void (*done)(void *context), void *context)
{
    *r = (struct resolver){
        .hosts_path = "/etc/hosts",
        .conf_path = "/etc/resolv.conf",
        .server_port = 53,
        .loop = loop,
        .done = done,
        .context = context,
        .timer = {.fire = timed_out, .context = r},
        .stream.watch = {.fd = -1, .ready = stream_ready, .context = r},
    };
    loop_add_timer(loop, &r->timer);
}

static void
take_hosts_line(void *context, struct span line)
{
    struct resolver *r = context;

    (void)hosts_line(line, (struct span){r->host, r->name_len}, &r->found);
}

/* Whether the host needs no name server. */
static bool
known(struct resolver *r)
{
    struct address a;

    if (address_read(span_of(r->host), &a) == 0) {
        addresses_add(&r->found, &a);
        return true;
    }
    r->name_len = strlen(r->host);
    if (r->name_len > 0 && r->host[r->name_len - 1] == '.')
        r->name_len--;
    line_file_read(r->hosts_path, take_hosts_line, r);
    return found(r) || hosts_local((struct span){r->host, r->name_len}, &r->found);
}

int
resolver_start(struct resolver *r, struct span host, uint16_t port)
{
    resolver_cancel(r);
    r->len = r->try = 0;
    r->found.v4_len = r->found.v6_len = 0;
    r->trouble = RESOLVER_BAD_NAME;
    r->port = port;
    r->host[0] = '\0';
    if (host.len == 0 || host.len >= sizeof r->host)
        return 0;
    memcpy(r->host, host.p, host.len);
    r->host[host.len] = '\0';
    if (known(r)) {
        r->len = route_order(&r->found, r->port, r->addresses);
        return 0;
    }
    look_up(r);
    return settle(r);
}

const char *
resolver_error(const struct resolver *r)
{
    /* no pointers: each would take more room than its text */
    static const char troubles[][35] = {
        [RESOLVER_BAD_NAME] = "not a host name",
        [RESOLVER_NO_NAME] = "no such host",
        [RESOLVER_NO_ADDRESS] = "the host has no address",
        [RESOLVER_UNREACHABLE] = "the name servers cannot be reached",
        [RESOLVER_FAILED] = "the name servers report a failure",
        [RESOLVER_SILENT] = "no answer from the name servers",
    };

    return troubles[r->trouble];
}
