#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lambda_api.h"

/*
 * The runtime API at 127.0.0.1:9001: the Extensions API 2020-01-01 and the Telemetry API 2022-07-01, and all the
 * ways in which they can answer. Source: reference, sections 1.1 to 1.3 and 2.1.
 */

enum { CONNECTIONS = 16, BODY_MAX = 2048, REPLY_MAX = 2 * API_EVENT_MAX + 4096, EVENTS = 4 };

struct reply {
    unsigned status;
    char fields[200];
    char text[BODY_MAX];
    struct span body; /* the text, or an event */
};

static struct connection {
    struct peer *peer; /* NULL: none */
    struct http_reader reader;
    struct reply reply;                                       /* that is late */
    enum { NO_EVENT, INVOKE_HANDED, SHUTDOWN_HANDED } handed; /* with the last reply */
} connections[CONNECTIONS];

/* The connection on which a `next` waits. */
static struct connection *pending;

/* Events that wait for `next`. */
static struct waiting {
    bool shutdown;
    char *json; /* kept from life to life, as the following */
    size_t len, cap;
} events[EVENTS];
static unsigned events_used;

/* Replies are written here. */
static char written[REPLY_MAX];

static bool struck;

/* Of the life: some replies are in chunks. */
static bool chunked;

/* --- replies --------------------------------------------------------------------------------------------- */

static void send_reply(void *context);

/* The reader stays as it is, since this may be called from within it. */
static void
forget(struct connection *c)
{
    if (pending == c)
        pending = NULL;
    kernel_cancel(send_reply, c);
    c->peer = NULL;
}

static void
drop(struct connection *c)
{
    struct peer *peer = c->peer;

    forget(c);
    if (dice_chance(&world.lambda, 500))
        peer_reset(peer);
    else
        peer_close(peer);
}

/* Breaks off after some bytes; within_head: before anything of the body. */
static void
send_part(struct connection *c, size_t len, bool within_head)
{
    size_t most = len;

    if (within_head)
        for (most = 0; memcmp(written + most, "\r\n\r\n", 4) != 0; most++)
            ;
    struck = true;
    peer_send(c->peer, (struct span){written, dice_below(&world.lambda, (uint32_t)most)});
    drop(c);
}

static size_t
write_reply(const struct reply *r)
{
    bool in_chunks = chunked && dice_chance(&world.lambda, 700);

    return http_response(written, sizeof written, r->status, r->fields, r->body,
                         in_chunks ? HTTP_CHUNKED : HTTP_LENGTH, &world.lambda);
}

static void
send_reply(void *context)
{
    struct connection *c = context;
    size_t len = write_reply(&c->reply);

    peer_send(c->peer, (struct span){written, len});
    if (c->reply.status >= 500 && dice_chance(&world.lambda, 300))
        drop(c);
}

void
api_reply(struct connection *c, unsigned status, const char *fields, const char *body)
{
    c->reply.status = status;
    snprintf(c->reply.fields, sizeof c->reply.fields, "%s", fields);
    snprintf(c->reply.text, sizeof c->reply.text, "%s", body);
    c->reply.body = span_of(c->reply.text);
    world_say("lambda", "answers %u", status);
    c->handed = NO_EVENT;
    if (world_fault(&world.lambda, WORLD_API_SLOW)) {
        struck = true;
        kernel_at(kernel_us() + dice_magnitude(&world.lambda, 1000, 2000000), send_reply, c);
    } else {
        send_reply(c);
    }
}

void
api_refuse(struct connection *c, unsigned status, const char *type)
{
    char body[300];

    struck = true;
    snprintf(body, sizeof body, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}", type, type);
    api_reply(c, status, "Content-Type: application/json\r\n", body);
}

void
api_strikes(void)
{
    struck = true;
}

bool
api_strike(struct connection *c)
{
    static const struct {
        unsigned status;
        const char *type;
    } refusals[] = {{500, "InternalServerError"},
                    {503, "ServiceUnavailable"},
                    {400, "BadRequest"},
                    {403, "Extension.InvalidExtensionState"}};
    unsigned i = dice_below(&world.lambda, sizeof refusals / sizeof *refusals);

    if (world_fault(&world.lambda, WORLD_API_REFUSES)) {
        api_refuse(c, refusals[i].status, refusals[i].type);
        return true;
    }
    if (world_fault(&world.lambda, WORLD_API_RESETS)) {
        struck = true;
        drop(c);
        return true;
    }
    return false;
}

/* --- events ------------------------------------------------------------------------------------------- */

static void
take_event(void)
{
    struct waiting first = events[0];

    memmove(events, events + 1, --events_used * sizeof *events);
    events[events_used] = first;
}

/* The connection breaks under it: it comes again, or is lost with the connection, which Lambda does not know. */
static bool
broken(struct connection *c, const struct reply *r)
{
    bool lost;
    bool shutdown = events[0].shutdown;

    if (!world_fault(&world.lambda, WORLD_API_RESETS))
        return false;
    lost = dice_chance(&world.lambda, 300);
    world_say("lambda", "the reply with the event breaks off%s",
              lost ? ", and the event is lost" : "");
    send_part(c, write_reply(r), !lost);
    if (!lost)
        return true;
    take_event();
    if (shutdown)
        lambda_shutdown_lost();
    else
        lambda_invoke_lost();
    return true;
}

void
api_hand(void)
{
    struct connection *c = pending;
    struct reply *r;
    bool shutdown = events[0].shutdown;

    if (c == NULL || events_used == 0)
        return;
    pending = NULL;
    r = &c->reply;
    r->status = 200;
    r->body = (struct span){events[0].json, events[0].len};
    snprintf(r->fields, sizeof r->fields, "%s",
             shutdown
                 ? "Content-Type: text/plain\r\n"
                 : "Content-Type: application/json\r\n"
                   "Lambda-Extension-Event-Identifier: 7c1f8a52-3f0e-4d25-8c7b-0d5b5a3c1e5f\r\n");
    if (broken(c, r))
        return;
    take_event();
    world_say("lambda", "%s", shutdown ? "hands SHUTDOWN" : "hands INVOKE");
    c->handed = shutdown ? SHUTDOWN_HANDED : INVOKE_HANDED;
    send_reply(c);
    if (shutdown)
        lambda_shutdown_handed();
    else
        lambda_invoke_handed();
}

static void
queue_event(struct span json, bool shutdown)
{
    struct waiting *e = &events[events_used++];

    if (events_used > EVENTS || json.len > API_EVENT_MAX)
        abort();
    if (e->cap < json.len) {
        e->cap = 2 * json.len;
        e->json = realloc(e->json, e->cap);
        if (e->json == NULL)
            abort();
    }
    e->shutdown = shutdown;
    e->len = json.len;
    memcpy(e->json, json.p, json.len);
    api_hand();
}

void
api_invoke(struct span json)
{
    queue_event(json, false);
}

void
api_shutdown(struct span json)
{
    queue_event(json, true);
}

/* --- connections ------------------------------------------------------------------------------------- */

static void
take_call(void *context, const struct http_message *m)
{
    struct connection *c = context;

    if (c->peer != NULL)
        calls_take(c, m);
}

static void
call_came(void *context, struct span bytes)
{
    struct connection *c = context;

    http_take(&c->reader, bytes);
    if (c->peer != NULL && c->reader.broken)
        world_break("runtime API: no HTTP");
}

/* A reply that was sent has not been read, and never will be, which Lambda does not know. */
static void
lose_reply(const struct connection *c)
{
    struck = true;
    world_say("lambda", "a reply is lost, unread");
    if (c->handed == SHUTDOWN_HANDED)
        lambda_shutdown_lost();
    else if (c->handed == INVOKE_HANDED)
        lambda_invoke_lost();
}

static void
call_gone(void *context)
{
    const struct connection *c = context;

    if (kernel_runs() && peer_unread(c->peer) > 0)
        lose_reply(c);
    forget(context);
}

static void
call_finished(void *context)
{
    struct connection *c = context;
    struct peer *peer = c->peer;

    forget(c);
    peer_close(peer);
}

static const struct peer_events call_events = {
    .came = call_came, .finished = call_finished, .gone = call_gone};

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **of, void **peer_context)
{
    struct connection *c = connections;

    (void)context;
    if (calls_of_next() > 0)
        lambda_attempts();
    while (c < connections + CONNECTIONS && c->peer != NULL)
        c++;
    if (c == connections + CONNECTIONS)
        world_break("runtime API: more than %u connections", CONNECTIONS);
    if (dice_chance(&world.lambda, 250) && world_fault(&world.lambda, WORLD_API_RESETS)) {
        struck = true;
        return KERNEL_REFUSE;
    }
    http_free(&c->reader);
    *c = (struct connection){.peer = peer,
                             .reader = {.whole = take_call, .context = c, .responses = false}};
    *of = &call_events;
    *peer_context = c;
    return KERNEL_ACCEPT;
}

/* --- the run ------------------------------------------------------------------------------------------- */

static const struct service service = {.connecting = connecting};

/* What a snapshot keeps: connections within the machine, and the `next` on one of them. */
static struct connection kept[CONNECTIONS];
static struct connection *kept_pending;

void
api_keep(void)
{
    for (int i = 0; i < CONNECTIONS; i++)
        http_free(&connections[i].reader);
    memcpy(kept, connections, sizeof kept);
    kept_pending = pending;
}

void
api_begin(void)
{
    static const struct system_address at = {
        .address = {.bytes = {127, 0, 0, 1}, .len = ADDRESS_V4_BYTES}, .port = 9001};

    if (world.sandbox == 0)
        chunked = dice_chance(&world.lambda, 200);
    struck = false;
    events_used = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        kernel_cancel(send_reply, &connections[i]);
        http_free(&connections[i].reader);
    }
    if (lambda_restores()) {
        memcpy(connections, kept, sizeof kept);
        pending = kept_pending;
        return;
    }
    memset(connections, 0, sizeof connections);
    pending = NULL;
    calls_begin();
    kernel_serve(&at, &service);
}

void
api_wait(struct connection *c)
{
    pending = c;
}

unsigned
api_connections(void)
{
    unsigned n = 0;

    for (int i = 0; i < CONNECTIONS; i++)
        n += connections[i].peer != NULL;
    return n;
}

bool
api_pends(void)
{
    return pending != NULL;
}

bool
api_struck(void)
{
    return struck;
}
