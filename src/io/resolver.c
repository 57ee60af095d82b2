#include "io/resolver.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/line_file.h"
#include "protocol/hosts.h"

/* see resolver.h */

enum {
    REPEAT_MS = 200, /* doubles */
    OTHER_KIND_MS = 100
};

/* v4 is asked for first, as there is least to lose when the second one is dropped on the way. */
static const enum dns_type types[] = {DNS_A, DNS_AAAA};

enum { QUESTIONS = sizeof types / sizeof *types };

socklen_t
resolver_address_len(const union resolver_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static void
set_address(union resolver_address *to, const uint8_t *bytes, unsigned len, uint16_t port)
{
    memset(to, 0, sizeof *to);
    if (len == ADDRESS_V4_BYTES) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(port);
        memcpy(&to->v4.sin_addr, bytes, ADDRESS_V4_BYTES);
    } else {
        to->v6.sin6_family = AF_INET6;
        to->v6.sin6_port = htons(port);
        memcpy(&to->v6.sin6_addr, bytes, ADDRESS_V6_BYTES);
    }
}

/* --- the end of a look-up ---------------------------------------------------------------------- */

static void
close_watch(struct resolver *r, struct loop_watch *watch)
{
    int fd = watch->fd;

    if (fd < 0)
        return;
    loop_forget(r->loop, watch);
    watch->fd = -1;
    (void)close(fd);
}

void
resolver_cancel(struct resolver *r)
{
    r->timer.at_ms = 0;
    for (unsigned i = 0; i < r->servers_len; i++)
        close_watch(r, &r->servers[i].watch);
    r->servers_len = 0;
    close_watch(r, &r->stream.watch);
}

/* Whether the system knows a way to it. Nothing is sent. */
static bool
routed(const union resolver_address *a)
{
    int fd = socket(a->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, &a->any, resolver_address_len(a)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return found;
}

/*
 * What was found in the order to be tried: what can be reached first, of that IPv6 first.
 * Source: RFC 6724, section 6, rules 1 and 6. Each kind has half of the room if both need it.
 */
static void
order(struct resolver *r)
{
    enum { MAX = RESOLVER_ADDRESSES_MAX, HALF = MAX / 2 };
    const struct addresses *found = &r->found;
    unsigned v6_max = MAX - (found->v4_len < HALF ? found->v4_len : HALF);
    union resolver_address all[MAX];
    bool near[MAX];
    unsigned len = 0;

    for (unsigned i = 0; i < found->v6_len && len < v6_max; i++)
        set_address(&all[len++], found->v6[i], ADDRESS_V6_BYTES, r->port);
    for (unsigned i = 0; i < found->v4_len && len < MAX; i++)
        set_address(&all[len++], found->v4[i], ADDRESS_V4_BYTES, r->port);
    for (unsigned i = 0; i < len; i++)
        near[i] = routed(&all[i]);
    for (int pass = 1; pass >= 0; pass--)
        for (unsigned i = 0; i < len; i++)
            if (near[i] == pass)
                r->addresses[r->len++] = all[i];
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

/* What has no reply yet gets none from these servers. */
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

static int
open_socket(struct resolver_server *s, struct loop_watch *watch, int type, uint32_t events)
{
    int fd = socket(s->address.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ERR_IO;
    if ((connect(fd, &s->address.any, resolver_address_len(&s->address)) == 0 ||
         errno == EINPROGRESS) &&
        loop_watch(s->resolver->loop, watch, fd, events) == 0)
        return 0;
    (void)close(fd);
    return ERR_IO;
}

static void
ask_one(struct resolver_server *s, int i)
{
    struct dns_question q = question(s->resolver, i);
    char query[DNS_QUERY_MAX];
    struct out o = out_to(query, sizeof query);

    if (dns_query(&o, &q) != 0)
        give_up(s->resolver, UINT_MAX, RESOLVER_BAD_NAME);
    /* a socket that is connected tells that nobody listens there */
    else if (send(s->watch.fd, query, o.len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

static void
ask_server(struct resolver_server *s)
{
    if (s->watch.fd < 0 && open_socket(s, &s->watch, SOCK_DGRAM, EPOLLIN) != 0) {
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

/* One stream at a time: if this reply was cut another one will be, when it is asked for again. */
static void
start_stream(struct resolver_server *s)
{
    struct resolver_stream *stream = &s->resolver->stream;

    if (stream->watch.fd >= 0)
        return;
    stream->server = s;
    stream->sent = stream->useful = false;
    stream->len = 0;
    if (open_socket(s, &stream->watch, SOCK_STREAM, EPOLLOUT) != 0)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

/* Once more for what may have been a moment's weakness; a stream says the same again. */
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
    struct ifreq request;
    uint64_t number = 0;
    int fd;

    if (span_number(span_of(scope), UINT32_MAX, &number) == 0)
        return (uint32_t)number;
    memcpy(request.ifr_name, scope, sizeof request.ifr_name);
    fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    if (ioctl(fd, SIOCGIFINDEX, &request) == 0)
        number = (uint64_t)request.ifr_ifindex;
    (void)close(fd);
    return (uint32_t)number;
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
        set_address(&s->address, from->address.bytes, from->address.len, r->server_port);
        if (from->scope[0] != '\0' && s->address.any.sa_family == AF_INET6)
            s->address.v6.sin6_scope_id = scope_id(from->scope);
    }
}

static void
take_conf_line(void *context, struct span line)
{
    resolv_conf_line(context, line);
}

/* Begins with the next name, or anew with the same one. */
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

/* Whether what was found is of use without the other kind. One of each kind speaks for all. */
static bool
way_found(const struct resolver *r)
{
    union resolver_address v4, v6;

    set_address(&v4, r->found.v4[0], ADDRESS_V4_BYTES, r->port);
    set_address(&v6, r->found.v6[0], ADDRESS_V6_BYTES, r->port);
    return (r->found.v4_len > 0 && routed(&v4)) || (r->found.v6_len > 0 && routed(&v6));
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
            order(r);
            return 0;
        }
        r->try++;
        look_up(r);
    }
    if (way_found(r))
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
    ssize_t n = recv(s->watch.fd, message, sizeof message, 0);

    (void)events;
    if (n >= 0)
        take(s, (struct span){message, (size_t)n}, false);
    else if (errno != EAGAIN)
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
    proceed(s->resolver);
}

/* A server may take one question only; then the other one goes over a stream of its own. */
static void
stream_ended(struct resolver_stream *stream)
{
    struct resolver_server *s = stream->server;

    close_watch(s->resolver, &stream->watch);
    if (stream->useful)
        start_stream(s);
    else
        give_up(s->resolver, bit(s), RESOLVER_UNREACHABLE);
}

/* All questions that are open, each behind its length. Source: RFC 1035, 4.2.2. */
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
    if (send(stream->watch.fd, queries, all.len, MSG_NOSIGNAL) != (ssize_t)all.len ||
        loop_watch(r->loop, &stream->watch, stream->watch.fd, EPOLLIN) != 0)
        stream_ended(stream);
}

/* Takes the messages that are whole, or as much of one as there is room for. */
static void
stream_receive(struct resolver_stream *stream)
{
    ssize_t n =
        recv(stream->watch.fd, stream->in + stream->len, sizeof stream->in - stream->len, 0);
    bool ended = n == 0 || (n < 0 && errno != EAGAIN);

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
    else if (r->left_ms == 0 || way_found(r))
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
        order(r);
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
