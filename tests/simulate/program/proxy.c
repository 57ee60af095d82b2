#include <stdlib.h>

#include "front.h"

/*
 * A proxy between the program and the services: it takes CONNECT, and what follows its consent is the front's. What may
 * go wrong with it is what may with services. Source: RFC 9110, section 9.3.6.
 */

enum { TUNNELS = 2 * FRONT_CONNECTIONS, REPLY_BYTES = 512, AT_PORT = 3128 };

static struct tunnel {
    bool used, silent, slow;
    bool misleads; /* its reply looks like consent where what follows has not come yet */
    struct peer *peer;
    struct http_reader reader;
    struct front *front; /* that was asked for; NULL: nothing was, as yet */
    char reply[REPLY_BYTES];
    size_t len, sent;
    unsigned pieces;
    enum { THEN_OPENS, THEN_STAYS, THEN_CLOSES, THEN_RESETS } then;
    struct front_connection *to; /* once it is open; released with that */
    uint32_t number;
    const struct peer_events *events;
} tunnels[TUNNELS];

static struct service service;
static bool refused[1000]; /* by this status; [0]: by what is no reply */

static void
say(const struct tunnel *t, const char *what)
{
    world_say("proxy", "connection %u: %s", (unsigned)(t - tunnels), what);
}

static void send_piece(void *context);

static void
release(struct tunnel *t)
{
    kernel_cancel(send_piece, t);
    http_free(&t->reader);
    *t = (struct tunnel){.used = false};
}

static void
leave(struct tunnel *t, bool reset)
{
    struct peer *peer = t->peer;

    say(t, reset ? "reset" : "closed");
    release(t);
    if (reset)
        peer_reset(peer);
    else
        peer_close(peer);
}

/* --- replies -------------------------------------------------------------------------------------- */

static void
reach(struct tunnel *t)
{
    t->to = front_take(t->front, t->peer, &t->events);
    t->number = front_number(t->to);
    say(t, "open");
}

/* Before a piece goes. */
static uint64_t
wait_us(const struct tunnel *t)
{
    return t->slow ? 1000ull * dice_magnitude(&world.service, 1, 1000) : 0;
}

static void
send_piece(void *context)
{
    struct tunnel *t = context;
    size_t left = t->len - t->sent;
    size_t n = t->pieces > 1 ? dice_below(&world.service, (uint32_t)left + 1) : left;

    peer_send(t->peer, (struct span){t->reply + t->sent, n});
    t->sent += n;
    if (t->sent < t->len) {
        t->pieces--;
        kernel_at(kernel_us() + wait_us(t), send_piece, t);
    } else if (t->then == THEN_OPENS) {
        reach(t);
    } else if (t->then != THEN_STAYS) {
        leave(t, t->then == THEN_RESETS);
    }
}

static void
put(struct tunnel *t, const char *text)
{
    size_t len = strlen(text);

    memcpy(t->reply + t->len, text, len);
    t->len += len;
}

/* What it says, and what it does then. */
static void
consent(struct tunnel *t)
{
    static const char *const forms[] = {
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-Agent: x\r\nVia: 1.0 x\r\n\r\n",
        "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 299 x\r\n\r\n",
    };

    if (dice_below(&world.service, 4) == 0)
        put(t, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    put(t, forms[dice_below(&world.service, sizeof forms / sizeof *forms)]);
    t->then = THEN_OPENS;
}

static void
refuse(struct tunnel *t, const char *status)
{
    static const char *const bodies[] = {
        "\r\n",
        "Content-Length: 6\r\n\r\n<html>",
        "Transfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n0\r\n\r\n",
        "Connection: close\r\n\r\n<html>",
    };

    refused[atoi(status)] = true;
    put(t, dice_below(&world.service, 4) == 0 ? "HTTP/1.0 " : "HTTP/1.1 ");
    put(t, status);
    put(t, " No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n");
    put(t, bodies[dice_below(&world.service, sizeof bodies / sizeof *bodies)]);
    t->then = dice_below(&world.service, 2) == 0 ? THEN_STAYS : THEN_CLOSES;
}

/* No reply of HTTP, or one with something behind it, which nobody can have sent through the tunnel. */
static void
speak_badly(struct tunnel *t)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\n\r\n<html>",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/2 200\r\n\r\n",
    };
    unsigned which = dice_below(&world.service, sizeof texts / sizeof *texts);

    refused[0] = true;
    t->misleads = which == 0;
    put(t, texts[which]);
    t->then = THEN_STAYS;
}

static const char *
one_of(const char *a, const char *b)
{
    return dice_below(&world.service, 2) == 0 ? a : b;
}

/* Whether the front can be reached, and what else becomes of the request. */
static void
decide(struct tunnel *t)
{
    enum kernel_answer answer = front_draw(t->front, true);

    if (answer == KERNEL_SILENT || world_fault(&world.service, WORLD_REPLY_LOST))
        return;
    if (answer == KERNEL_REFUSE || world_fault(&world.service, WORLD_CALL_FAILS))
        refuse(t, one_of("502", "504"));
    else if (world_fault(&world.service, WORLD_CALL_REFUSED))
        refuse(t, one_of("407", "403"));
    else if (world_fault(&world.service, WORLD_REPLY_BAD))
        speak_badly(t);
    else
        consent(t);
    if (world_fault(&world.service, WORLD_REPLY_BREAKS)) {
        t->len = dice_below(&world.service, (uint32_t)t->len);
        t->then = dice_below(&world.service, 2) == 0 ? THEN_CLOSES : THEN_RESETS;
    }
    t->pieces = dice_below(&world.service, 4) == 0 ? 3 : 1;
    t->slow = world_fault(&world.service, WORLD_REPLY_SLOW);
    kernel_at(kernel_us() + wait_us(t), send_piece, t);
}

/* --- requests ------------------------------------------------------------------------------------- */

/* Tells host and port, who we are if the plan says so, and nothing else. */
static void
check_request(const struct http_message *message)
{
    struct span who = http_value(message, "proxy-authorization");
    struct span expected = text_span(world.plan.proxy_user ? PLAN_PROXY_BASIC : "");

    if (!span_is(message->method, text_span("CONNECT")))
        world_break("proxy: %.*s in place of CONNECT", (int)message->method.len, message->method.p);
    if (!span_is(message->target, http_value(message, "host")))
        world_break("proxy: Host is not what is asked for");
    if (!span_is(who, expected))
        world_break("proxy: it is told: %.*s", (int)who.len, who.p);
    if (message->fields_len != (world.plan.proxy_user ? 2 : 1) || message->body.len > 0)
        world_break("proxy: it is told more than it needs to know");
}

static void
asked(void *context, const struct http_message *message)
{
    struct tunnel *t = context;

    if (t->front != NULL)
        world_break("proxy: a second request");
    check_request(message);
    t->front = front_proxied(message->target);
    if (t->front == NULL)
        world_break("proxy: a tunnel to %.*s", (int)message->target.len, message->target.p);
    world_say("proxy", "connection %u: a tunnel to %.*s", (unsigned)(t - tunnels),
              (int)message->target.len, message->target.p);
    decide(t);
}

/* Whether what is heard is the front's, if that still has the connection. */
static bool
passes(const struct tunnel *t)
{
    return t->to != NULL && t->to->used && t->to->number == t->number;
}

static void
opened(void *context, struct peer *peer)
{
    struct tunnel *t = context;

    if (t->used)
        t->peer = peer;
}

static void
came(void *context, struct span bytes)
{
    struct tunnel *t = context;

    if (!t->used || t->silent || t->misleads)
        return;
    if (t->to == NULL && t->front != NULL)
        world_break("proxy: bytes before it has answered");
    if (t->to == NULL)
        http_take(&t->reader, bytes);
    else if (passes(t))
        t->events->came(t->to, bytes);
}

static void
finished(void *context)
{
    struct tunnel *t = context;

    if (!t->used)
        return;
    if (t->to == NULL)
        leave(t, false);
    else if (passes(t))
        t->events->finished(t->to);
}

static void
gone(void *context)
{
    struct tunnel *t = context;

    if (!t->used)
        return;
    if (passes(t))
        t->events->gone(t->to);
    else
        say(t, "gone");
    release(t);
}

static const struct peer_events events = {
    .opened = opened,
    .came = came,
    .finished = finished,
    .gone = gone,
};

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events_to,
           void **peer_context)
{
    struct tunnel *t = tunnels;

    (void)context;
    while (t < tunnels + TUNNELS && t->used && (t->to == NULL || passes(t)))
        t++;
    if (t == tunnels + TUNNELS)
        world_break("proxy: more than %d connections", (int)TUNNELS);
    if (t->used)
        release(t);
    *events_to = &events;
    *peer_context = t;
    if (world_fault(&world.service, WORLD_REFUSED))
        return KERNEL_REFUSE;
    if (world_fault(&world.service, WORLD_SILENT))
        return KERNEL_SILENT;
    *t = (struct tunnel){.used = true, .peer = peer, .reader = {.whole = asked, .context = t}};
    say(t, "opens");
    return KERNEL_ACCEPT;
}

void
proxy_told(struct span line)
{
    static const struct span answered = {"the proxy answered ", 19};
    static const struct span badly = {"the proxy's reply is not", 24};
    const char *at = span_find(line, answered);

    if (at != NULL && !refused[atoi(at + answered.len) % 1000])
        world_break("proxy: it answered nothing like that: %.*s", (int)line.len, line.p);
    if (span_find(line, badly) != NULL && !refused[0])
        world_break("proxy: its replies were valid: %.*s", (int)line.len, line.p);
}

bool
proxy_carries(const struct front *front)
{
    const struct plan *p = &world.plan;

    if (!p->proxied || !front->remote || (p->proxy_https_only && !front->place.tls))
        return false;
    return !(front->place.by_name ? p->proxy_exempts_name : p->proxy_exempts_address);
}

void
proxy_freeze(void)
{
    for (unsigned i = 0; i < TUNNELS; i++)
        if (tunnels[i].used && tunnels[i].to == NULL &&
            world_fault(&world.service, WORLD_FREEZE_CUTS)) {
            say(&tunnels[i], "dies in the freeze");
            kernel_cancel(send_piece, &tunnels[i]);
            tunnels[i].silent = true;
        }
}

void
proxy_begin(void)
{
    const struct system_address at = {.address = {{10, 0, 9, 9}, ADDRESS_V4_BYTES},
                                      .port = AT_PORT};

    /* a life that broke a law ended in the middle of anything */
    for (unsigned i = 0; i < TUNNELS; i++) {
        free(tunnels[i].reader.bytes);
        tunnels[i] = (struct tunnel){.used = false};
    }
    memset(refused, 0, sizeof refused);
    service = (struct service){connecting, NULL};
    if (world.plan.proxied)
        kernel_serve(&at, &service);
}
