#include "io/http_server.h"

#include "io/clock.h"
#include "protocol/check.h"

/* see http_server.h */

enum {
    SILENCE_MAX_MS = 30000, /* within a request */
    CLOSING_MAX_MS = 1000,  /* for the peer to read an answer before the connection is cut */
    SWEEP_MS = 500
};

void
http_server_close(struct http_server_connection *c)
{
    struct http_server *s = c->server;

    CHECK(s->open > 0);
    loop_close(s->loop, &c->watch);
    s->open--;
    http_exchange_close(&c->exchange);
    if (s->paused == c)
        s->paused = NULL;
}

static void
watch_all(struct http_server *s, uint32_t events)
{
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct http_server_connection *c = &s->connections[i];

        if (c->exchange.state == HTTP_EXCHANGE_NONE)
            continue;
        c->heard_ms = s->loop->now.ms;
        (void)loop_watch(s->loop, &c->watch, c->watch.fd, events);
    }
}

/* Pauses reading; `rest`, in the read buffer, is what has to be read next. */
static void
pause_reading(struct http_server_connection *c, struct span rest)
{
    struct http_server *s = c->server;

    CHECK(c->exchange.state == HTTP_EXCHANGE_BODY);
    s->paused = c;
    s->rest = rest;
    watch_all(s, 0);
}

static void
feed(struct http_server_connection *c, struct span in)
{
    if (http_exchange_read(&c->exchange, &in) == ERR_FULL)
        pause_reading(c, in);
}

/* Nobody could be heard while the process was frozen, so the connection heard last counts as heard just now. */
static void
look_for_thaw(struct http_server *s)
{
    uint64_t last = 0;

    if (s->thaws == s->loop->thaws)
        return;
    s->thaws = s->loop->thaws;
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        if (s->connections[i].exchange.state != HTTP_EXCHANGE_NONE &&
            s->connections[i].heard_ms > last)
            last = s->connections[i].heard_ms;
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        s->connections[i].heard_ms += s->loop->now.ms - last;
}

/* Reads what has come. Returns false when there was nothing. */
static bool
read_once(struct http_server_connection *c)
{
    struct http_server *s = c->server;
    int64_t n;

    CHECK(s->paused == NULL);
    look_for_thaw(s);
    /* asked again, since what the loop reported may be from before a freeze */
    if (c->exchange.state == HTTP_EXCHANGE_BODY && http_exchange_deserted(&c->exchange, 0)) {
        http_server_close(c);
        return false;
    }
    n = system_read(c->watch.fd, s->read_buffer, HTTP_SERVER_READ_BYTES);
    if (n == 0 || n == ERR_IO)
        http_server_close(c);
    if (n <= 0)
        return false;
    /* discarded, and no sign of life: the time for the peer to read the answer runs on */
    if (c->exchange.state == HTTP_EXCHANGE_CLOSING)
        return true;
    c->heard_ms = s->heard_ms = s->loop->now.ms;
    feed(c, (struct span){s->read_buffer, (size_t)n});
    if (http_exchange_unfinished(&c->exchange))
        loop_set_earlier(&s->sweep, s->loop->now.ms + SWEEP_MS);
    return true;
}

static void
connection_ready(void *context, uint32_t events)
{
    struct http_server_connection *c = context;
    struct http_server *s = c->server;

    if (s->paused == NULL) {
        (void)read_once(c);
        return;
    }
    /* reading is paused; but a connection that has failed would be reported in every turn, so it is closed */
    if ((events & (SYSTEM_ERROR | SYSTEM_HANGUP)) == 0)
        return;
    http_server_close(c);
    if (s->paused == NULL)
        watch_all(s, SYSTEM_IN);
}

/* Before its first use, not at the start, so that connections that never are cost no memory. */
static void
init_connection(struct http_server *s, struct http_server_connection *c)
{
    unsigned which = (unsigned)(c - s->connections);

    c->watch = (struct loop_watch){.fd = -1, .ready = connection_ready, .context = c};
    c->server = s;
    c->exchange.owner = s->owner;
    c->exchange.which = which;
    c->exchange.head = s->heads + (size_t)which * HTTP_EXCHANGE_HEAD_BYTES;
}

/* A free connection; if there is none, the one that has been silent for longest is closed. */
static struct http_server_connection *
free_connection(struct http_server *s)
{
    struct http_server_connection *longest = NULL;

    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct http_server_connection *c = &s->connections[i];

        if (c->exchange.state == HTTP_EXCHANGE_NONE)
            return c;
        if (c != s->paused && (longest == NULL || c->heard_ms < longest->heard_ms))
            longest = c;
    }
    if (longest != NULL)
        http_server_close(longest);
    return longest;
}

static void
accept_one(void *context, uint32_t events)
{
    struct http_server *s = context;
    struct http_server_connection *c;
    int fd = system_accept(s->watch.fd);

    (void)events;
    look_for_thaw(s);
    if (fd == ERR_IO) {
        /* no more files: the next sweep tries again */
        (void)loop_watch(s->loop, &s->watch, s->watch.fd, 0);
        loop_set_earlier(&s->sweep, s->loop->now.ms + SWEEP_MS);
    }
    if (fd < 0)
        return;
    c = free_connection(s);
    if (c != NULL && c->server == NULL)
        init_connection(s, c);
    if (c == NULL || loop_watch(s->loop, &c->watch, fd, s->paused == NULL ? SYSTEM_IN : 0) != 0) {
        system_close(fd);
        return;
    }
    s->open++;
    http_exchange_open(&c->exchange, fd);
    c->heard_ms = s->loop->now.ms;
}

static void
sweep_one(struct http_server *s, struct http_server_connection *c)
{
    uint64_t silent_ms = s->loop->now.ms - c->heard_ms;

    if (c->exchange.state == HTTP_EXCHANGE_CLOSING && silent_ms > CLOSING_MAX_MS)
        http_server_close(c);
    else if (silent_ms > SILENCE_MAX_MS && http_exchange_unfinished(&c->exchange))
        http_exchange_refuse(&c->exchange, 408);
}

static void
sweep(void *context)
{
    struct http_server *s = context;
    bool again = false;

    look_for_thaw(s);
    (void)loop_watch(s->loop, &s->watch, s->watch.fd, SYSTEM_IN);
    /* while reading is paused, it is we who do not listen */
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS && s->paused == NULL; i++) {
        struct http_server_connection *c = &s->connections[i];

        if (c->exchange.state != HTTP_EXCHANGE_NONE)
            sweep_one(s, c);
        again = again || http_exchange_unfinished(&c->exchange);
    }
    if (again)
        loop_set(s->loop, &s->sweep, SWEEP_MS);
}

/* --- what the owner calls ---------------------------------------------------------------------- */

size_t
http_server_bytes(void)
{
    return HTTP_SERVER_READ_BYTES + (size_t)HTTP_SERVER_CONNECTIONS * HTTP_EXCHANGE_HEAD_BYTES;
}

int
http_server_init(struct http_server *s, struct loop *loop, struct storage *storage)
{
    s->loop = loop;
    s->watch = (struct loop_watch){.fd = -1, .ready = accept_one, .context = s};
    s->sweep = (struct loop_timer){.fire = sweep, .context = s};
    loop_add_timer(loop, &s->sweep);
    s->read_buffer = storage_take(storage, HTTP_SERVER_READ_BYTES);
    s->heads = storage_take(storage, (size_t)HTTP_SERVER_CONNECTIONS * HTTP_EXCHANGE_HEAD_BYTES);
    return s->heads != NULL ? 0 : ERR_IO;
}

int
http_server_open(struct http_server *s, uint16_t port)
{
    int fd = system_listen(&port);

    if (fd < 0)
        return ERR_IO;
    if (loop_watch(s->loop, &s->watch, fd, SYSTEM_IN) != 0) {
        system_close(fd);
        return ERR_IO;
    }
    s->port = port;
    return 0;
}

void
http_server_pause(struct http_server_connection *c)
{
    pause_reading(c, (struct span){NULL, 0});
}

bool
http_server_stays_paused(struct http_server *s)
{
    if (s->paused == NULL)
        return false;
    if (!http_exchange_deserted(&s->paused->exchange, s->rest.len))
        return true;
    http_server_close(s->paused);
    watch_all(s, SYSTEM_IN);
    return false;
}

void
http_server_resume(struct http_server *s, struct span piece)
{
    struct http_server_connection *c = s->paused;
    struct span rest = s->rest;
    int r;

    CHECK(c != NULL);
    s->paused = NULL;
    watch_all(s, SYSTEM_IN);
    loop_set_earlier(&s->sweep, s->loop->now.ms + SWEEP_MS);
    r = s->owner->body(s->owner->context, c->exchange.which, piece);
    if (r == 0)
        feed(c, rest);
    else if (r == ERR_FULL)
        pause_reading(c, rest);
}

void
http_server_drain(struct http_server *s, uint64_t until_ms)
{
    for (int i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        struct http_server_connection *c = &s->connections[i];

        while (c->exchange.state != HTTP_EXCHANGE_NONE && s->paused == NULL &&
               clock_monotonic_ms() < until_ms)
            if (!read_once(c))
                break;
    }
}
