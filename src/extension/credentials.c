#include "extension/credentials.h"

#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "protocol/credentials_reply.h"
#include "protocol/format.h"

/* see credentials.h */

enum {
    VALUES_BYTES = 8192, /* a session token has 1 to 4 KiB */
    REPLY_BYTES = 2 * VALUES_BYTES,
    SILENCE_MS = 2000,
    CALM_MS = 1000, /* between the end of a fetch and the next one */
    EXPIRY_MARGIN_MS = 300000,
    RECENT_MS = 60000
};

static bool
fetched_from_somewhere(const struct credentials *c)
{
    return c->settings->credentials.host.len > 0;
}

size_t
credentials_bytes(const struct settings *settings)
{
    return settings->credentials.host.len == 0
               ? 0
               : HTTP_CLIENT_HEAD_BYTES + 2 * CONNECTION_BUFFER + 2 * VALUES_BYTES + REPLY_BYTES;
}

static int
write_head(void *context, struct out *o)
{
    struct credentials *c = context;
    const struct settings *s = c->settings;

    c->status = 0;
    c->reply_len = 0;
    out_put(o, SPAN("GET "));
    out_put(o, s->credentials.path);
    out_put(o, SPAN(" HTTP/1.1\r\nhost: "));
    (void)endpoint_authority(o, &s->credentials);
    if (s->credentials_token.len > 0) {
        out_put(o, SPAN("\r\nauthorization: "));
        out_put(o, s->credentials_token);
    }
    out_put(o, SPAN("\r\naccept: application/json\r\nuser-agent: "
                    "kinesis-telemetry-api-extension/" VERSION "\r\n\r\n"));
    return out_end(o);
}

static void
reply(void *context, const struct http_head *head)
{
    struct credentials *c = context;

    c->status = head->status;
}

/* The end of a reply that is too long is lost, so that it will not be readable. */
static void
piece(void *context, struct span part)
{
    struct credentials *c = context;

    c->reply_len = out_keep(c->reply, REPLY_BYTES, c->reply_len, part);
}

/* Takes the credentials from the reply. Returns 0, or ERR_BAD. */
static int
take(struct credentials *c)
{
    struct out room = out_to(c->values[1], VALUES_BYTES);
    struct credentials_reply r;

    if (credentials_reply_read((struct span){c->reply, c->reply_len}, &room, &r) != 0)
        return ERR_BAD;
    c->now = (struct sigv4_credentials){r.access_key, r.secret_key, r.session_token};
    c->values[1] = c->values[0];
    c->values[0] = room.p;
    c->expires_ms = r.expires_ms;
    c->fetched_ms = clock_wall_ms();
    c->stale = false;
    return 0;
}

/* Credentials that have just come are good: by a wrong clock all of them would seem to have expired. */
static bool
recent(const struct credentials *c, uint64_t wall_ms)
{
    return wall_ms >= c->fetched_ms && wall_ms - c->fetched_ms < RECENT_MS;
}

static bool
usable(const struct credentials *c)
{
    uint64_t wall = clock_wall_ms();

    return c->now.access_key.len > 0 && !c->stale && (wall < c->expires_ms || recent(c, wall));
}

static bool
due(const struct credentials *c)
{
    uint64_t wall = clock_wall_ms();

    return !usable(c) || (wall + EXPIRY_MARGIN_MS >= c->expires_ms && !recent(c, wall));
}

static void
failed(struct credentials *c, int result)
{
    const struct endpoint *e = &c->settings->credentials;
    struct out o = out_to(c->error, sizeof c->error - 1);

    (void)format_text(&o, "no credentials from %.*s:%u: ", LOG_SPAN(e->host), e->port);
    if (result != 0)
        (void)format_text(&o, "%s", http_client_error(&c->http));
    else if (c->status != 200)
        (void)format_text(&o, "status %u", c->status);
    else
        (void)format_text(&o, "the reply cannot be read");
    c->error[o.len] = '\0';
    /* a failed renewal leaves those that have not expired; expired ones a service would only refuse */
    if (!usable(c))
        c->now = (struct sigv4_credentials){.access_key = {NULL, 0}};
    if (strcmp(c->error, c->logged) == 0)
        return;
    memcpy(c->logged, c->error, o.len + 1);
    log_error("%s", c->error);
}

static void
done(void *context, int result)
{
    struct credentials *c = context;

    c->fetching = false;
    c->calm_until_ms = clock_monotonic_ms() + CALM_MS;
    if (result == 0 && c->status == 200 && take(c) == 0)
        c->logged[0] = '\0';
    else
        failed(c, result);
    /* the next fetch is hours away, so the connection is not kept */
    http_client_stop(&c->http);
    c->changed(c->context);
}

static void
fetch(void *context)
{
    struct credentials *c = context;

    c->fetching = true;
    http_client_start(&c->http, &c->call);
}

int
credentials_init(struct credentials *c, struct loop *loop, struct storage *s)
{
    const struct settings *settings = c->settings;
    struct connection *connection = &c->http.connection;

    if (!fetched_from_somewhere(c)) {
        if (settings->access_key.len > 0 && settings->secret_key.len > 0)
            c->now = (struct sigv4_credentials){settings->access_key, settings->secret_key,
                                                settings->session_token};
        return 0;
    }
    c->loop = loop;
    c->timer = (struct loop_timer){.fire = fetch, .context = c};
    loop_add_timer(loop, &c->timer);
    http_client_init(&c->http, loop, storage_take(s, HTTP_CLIENT_HEAD_BYTES));
    connection->peer.host = settings->credentials.host;
    connection->peer.port = settings->credentials.port;
    connection->peer.open_within_ms = SILENCE_MS;
    connection->stream.plain.in = storage_take(s, CONNECTION_BUFFER);
    connection->stream.plain.out = storage_take(s, CONNECTION_BUFFER);
    c->values[0] = storage_take(s, VALUES_BYTES);
    c->values[1] = storage_take(s, VALUES_BYTES);
    c->reply = storage_take(s, REPLY_BYTES);
    c->call = (struct http_call){
        .head = write_head,
        .reply = reply,
        .piece = piece,
        .done = done,
        .context = c,
        .silence_ms = SILENCE_MS,
    };
    return c->reply == NULL ? ERR_FULL : 0;
}

bool
credentials_ready(struct credentials *c)
{
    uint64_t now;

    if (!fetched_from_somewhere(c))
        return c->now.access_key.len > 0;
    /* by a timer, so that even a fetch that fails at once does not call back from here */
    now = clock_monotonic_ms();
    if (due(c) && !c->fetching && c->timer.at_ms == 0)
        c->timer.at_ms = c->calm_until_ms > now ? c->calm_until_ms : now;
    return usable(c);
}

bool
credentials_coming(struct credentials *c)
{
    return fetched_from_somewhere(c) && !credentials_ready(c);
}

bool
credentials_refresh(struct credentials *c)
{
    c->stale = true;
    return fetched_from_somewhere(c);
}

COLD void
credentials_stop(struct credentials *c)
{
    if (!fetched_from_somewhere(c))
        return;
    http_client_stop(&c->http);
    c->fetching = false;
    c->timer.at_ms = c->calm_until_ms = 0;
    c->logged[0] = '\0';
}

const char *
credentials_error(const struct credentials *c)
{
    if (!fetched_from_somewhere(c))
        return "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
    return c->error[0] == '\0' ? "no credentials have been fetched yet" : c->error;
}
