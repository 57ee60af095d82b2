#include <stdlib.h>

#include "front.h"

/* see services.h */

enum { STANDS = 24, HANDSHAKE_BYTES = 1500 };

/* Where a front listens. */
struct stand {
    struct service service;
    struct front *front;
    unsigned address; /* of those of its name */
};

struct front_connection front_connections[FRONT_CONNECTIONS];
static struct stand stands[STANDS];
static unsigned stands_len;
static uint32_t opened_len;

void
front_say(const struct front_connection *c, const char *what)
{
    world_say(c->front->name, "connection %u: %s", (unsigned)(c - front_connections), what);
}

/* --- ends ----------------------------------------------------------------------------------------- */

static void
release(struct front_connection *c)
{
    if (!c->used)
        return;
    front_forget(c);
    http_free(&c->reader);
    free(c->out);
    if (c->tls != NULL)
        tls_release(c->tls);
    memset(c, 0, sizeof *c);
}

void
front_end(struct front_connection *c, bool reset)
{
    struct peer *peer = c->peer;

    front_say(c, reset ? "reset" : "closed");
    release(c);
    if (reset)
        peer_reset(peer);
    else
        peer_close(peer);
}

/* --- bytes ---------------------------------------------------------------------------------------- */

/* Sends what the network is to have, until the connection breaks. */
static void
send_raw(void *context, struct span bytes)
{
    struct front_connection *c = context;
    size_t n = bytes.len < c->raw_left ? bytes.len : c->raw_left;

    if (c->silent || !c->used)
        return;
    if (c->raw_left != SIZE_MAX)
        c->raw_left -= n;
    if (n > 0)
        peer_send(c->peer, (struct span){bytes.p, n});
}

static void
take_plain(void *context, struct span bytes)
{
    struct front_connection *c = context;

    if (c->used && !c->silent)
        http_take(&c->reader, bytes);
}

static struct tls_uses
uses_of(struct front_connection *c)
{
    return (struct tls_uses){.plain = take_plain, .out = send_raw, .context = c};
}

void
front_send(struct front_connection *c, struct span bytes, bool close)
{
    struct tls_uses uses = uses_of(c);

    if (c->tls == NULL)
        send_raw(c, bytes);
    else if (!tls_send(c->tls, bytes, close, &uses))
        front_say(c, "TLS has failed");
}

/* --- front_connections ---------------------------------------------------------------------------------- */

static void
asked(void *context, const struct http_message *message)
{
    struct front_connection *c = context;

    if (c->due)
        world_break("%s: a request while the reply to the last one is due", c->front->name);
    front_cancel(c);
    if (message->method.len == 0 ||
        !span_is(http_value(message, "host"), text_span(c->front->place.authority)))
        world_break("%s: Host is %.*s", c->front->name, (int)http_value(message, "host").len,
                    http_value(message, "host").p);
    world_say(c->front->name, "connection %u: %.*s %.*s, %zu bytes",
              (unsigned)(c - front_connections), (int)message->method.len, message->method.p,
              (int)message->target.len, message->target.p, message->body.len);
    c->due = true;
    if (c->front->remote)
        services_count(COUNT_REQUESTS, 1);
    if (front_outage(c->front)) {
        enum outage_how how = (enum outage_how)c->front->outage.how;

        front_failed(c->front);
        if (how < OUTAGE_FAILS) {
            front_drop(c, how != OUTAGE_SILENT && how != OUTAGE_UNANSWERED);
            return;
        }
    }
    c->front->asked(c, message);
}

static void
opened(void *context, struct peer *peer)
{
    struct front_connection *c = context;

    if (c->used)
        c->peer = peer;
}

/* A part of a request has come. */
static void
dawdle(struct front_connection *c)
{
    if (dice_below(&world.service, 8) == 0 && world_fault(&world.service, WORLD_CALL_FAILS))
        front_early(c);
    else if (dice_below(&world.service, 8) == 0 && world_fault(&world.service, WORLD_REPLY_SLOW))
        front_hold(c);
}

static void
came(void *context, struct span bytes)
{
    struct front_connection *c = context;
    struct tls_uses uses = uses_of(c);

    if (!c->used || c->silent)
        return;
    if (c->front->remote && !c->heard)
        services_count(COUNT_CONNECTIONS, 1);
    c->heard = true;
    if (c->tls == NULL)
        http_take(&c->reader, bytes);
    else if (!tls_take(c->tls, bytes, &uses) && c->used)
        front_end(c, false);
    if (c->used && !c->due && c->raw_left == 0)
        front_end(c, c->reset);
    else if (c->used && !c->due && c->reader.len > 0 && c->front->remote)
        dawdle(c);
}

/* It has said all; nobody of this program's kind waits for a reply then. */
static void
finished(void *context)
{
    struct front_connection *c = context;

    if (c->used && !c->silent)
        front_end(c, false);
}

static void
gone(void *context)
{
    struct front_connection *c = context;

    if (!c->used)
        return;
    front_say(c, "gone");
    release(c);
}

static const struct peer_events events = {
    .opened = opened,
    .came = came,
    .finished = finished,
    .gone = gone,
};

static void
never_opened(void *context, struct peer *peer)
{
    (void)context;
    (void)peer;
}

static void
never_came(void *context, struct span bytes)
{
    (void)context;
    (void)bytes;
}

static void
nothing(void *context)
{
    (void)context;
}

/* Of front_connections that do not come about. */
static const struct peer_events no_events = {
    .opened = never_opened,
    .came = never_came,
    .finished = nothing,
    .gone = nothing,
};

enum kernel_answer
front_draw(struct front *front, bool there)
{
    if (!front->remote)
        return KERNEL_ACCEPT;
    if (!there)
        return dice_below(&world.service, 2) == 0 ? KERNEL_REFUSE : KERNEL_SILENT;
    if (front_outage(front) && front->outage.how <= OUTAGE_SILENT) {
        front_failed(front);
        return front->outage.how == OUTAGE_REFUSED ? KERNEL_REFUSE : KERNEL_SILENT;
    }
    if (world_fault(&world.service, WORLD_REFUSED))
        return KERNEL_REFUSE;
    return world_fault(&world.service, WORLD_SILENT) ? KERNEL_SILENT : KERNEL_ACCEPT;
}

static void
begin_tls(struct front_connection *c)
{
    struct front *front = c->front;
    enum tls_certificate certificate = TLS_GOOD;

    if (front_outage_now(front) && front->outage.how == OUTAGE_CERTIFICATE)
        certificate =
            (enum tls_certificate)dice_between(&world.service, TLS_GOOD + 1, TLS_CERTIFICATES - 1);
    if (front->remote && world_fault(&world.service, WORLD_REPLY_BREAKS)) {
        c->raw_left = dice_below(&world.service, HANDSHAKE_BYTES);
        c->reset = dice_below(&world.service, 2) == 0;
    }
    c->tls = tls_open(front->place.host, certificate);
    if (c->tls == NULL)
        world_break("%s: too many connections with TLS", front->name);
}

struct front_connection *
front_take(struct front *front, struct peer *peer, const struct peer_events **events_to)
{
    struct front_connection *c = front_connections;

    while (c < front_connections + FRONT_CONNECTIONS && c->used)
        c++;
    if (c == front_connections + FRONT_CONNECTIONS)
        world_break("%s: more than %d connections", front->name, FRONT_CONNECTIONS);
    *c = (struct front_connection){
        .used = true,
        .number = ++opened_len,
        .sandbox = world.sandbox,
        .front = front,
        .peer = peer,
        .reader = {.whole = asked, .context = c},
        .raw_left = SIZE_MAX,
    };
    front_say(c, "opens");
    if (front->place.tls)
        begin_tls(c);
    *events_to = &events;
    return c;
}

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events_to,
           void **peer_context)
{
    const struct stand *s = context;
    struct front *front = s->front;
    enum kernel_answer answer = front_draw(front, !front->place.by_name || names_at(s->address));

    *events_to = &no_events;
    *peer_context = NULL;
    if (front->proxied)
        world_break("%s: a connection past the proxy", front->name);
    if (answer == KERNEL_ACCEPT)
        *peer_context = front_take(front, peer, events_to);
    else
        world_say(front->name, "a connection is %s",
                  answer == KERNEL_REFUSE ? "refused" : "not answered");
    return answer;
}

/* --- fronts --------------------------------------------------------------------------------------- */

uint32_t
front_number(const struct front_connection *c)
{
    return c->number;
}

uint32_t
front_sandbox(const struct front_connection *c)
{
    return c->sandbox;
}

uint64_t
front_ms(const struct front *front)
{
    return (uint64_t)((int64_t)kernel_wall_ms() + front->clock_off_ms);
}

void
fronts_begin(void)
{
    /* a life that broke a law ended in the middle of anything */
    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++) {
        free(front_connections[i].reader.bytes);
        free(front_connections[i].out);
        front_connections[i] = (struct front_connection){.used = false};
    }
    stands_len = 0;
    opened_len = 0;
}

static void
stand_at(struct front *front, const struct system_address *at, unsigned address)
{
    struct stand *s = &stands[stands_len++];

    *s = (struct stand){{connecting, s}, front, address};
    kernel_serve(at, &s->service);
}

struct front *
front_proxied(struct span authority)
{
    for (unsigned i = 0; i < stands_len; i++)
        if (stands[i].front->proxied &&
            span_is(authority, text_span(stands[i].front->place.authority)))
            return stands[i].front;
    return NULL;
}

void
front_open(struct front *front)
{
    struct system_address at = {.address = front->place.address, .port = front->place.port};

    front->proxied = proxy_carries(front);
    if (!front->place.by_name) {
        stand_at(front, &at, 0);
    } else {
        for (unsigned i = 0; i < NAMES_ADDRESSES; i++) {
            if (!names_exists(i))
                continue;
            at = names_address(i, front->place.port);
            stand_at(front, &at, i);
        }
    }
    if (front->remote && world_fault(&world.service, WORLD_SKEW)) {
        int64_t s = dice_magnitude(&world.service, 20, 7200);

        front->clock_off_ms = dice_below(&world.service, 2) == 0 ? s * 1000 : -s * 1000;
        world_say(front->name, "its clock is off by %lld ms", (long long)front->clock_off_ms);
    }
}

void
front_moved(void)
{
    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++) {
        struct front_connection *c = &front_connections[i];

        if (!c->used || !c->front->place.by_name)
            continue;
        if (dice_below(&world.names, 2) == 0)
            c->silent = true;
        else
            front_end(c, true);
    }
}

bool
services_busy(void)
{
    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++)
        if (front_connections[i].used && front_connections[i].front->remote &&
            front_connections[i].due)
            return true;
    return false;
}

/* What the other end sent was not acknowledged, and it has given up. Source: tcp(7), tcp_retries2. */
void
services_freeze(void)
{
    proxy_freeze();
    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++) {
        struct front_connection *c = &front_connections[i];

        if (c->used && c->front->remote && world_fault(&world.service, WORLD_FREEZE_CUTS)) {
            front_say(c, "dies in the freeze");
            c->silent = true;
        }
    }
}

unsigned
services_connections(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FRONT_CONNECTIONS; i++)
        n += front_connections[i].used;
    return n;
}
