#include "extension/telemetry_api.h"

#include "io/log.h"
#include "protocol/check.h"
#include "protocol/lambda_messages.h"

/* see telemetry_api.h */

enum { TRIES_MAX = 3, PAUSE_MS = 50, WITHIN_MS = 1000 };

static void
write_body(struct telemetry_api *api)
{
    const struct settings *s = api->settings;
    struct out o = out_to(api->body, sizeof api->body);
    struct lambda_subscription subscription = {
        .schema_version = api->older_schema ? SPAN("2022-12-13") : SPAN("2025-01-29"),
        /* platform events report the end of an invocation and what the platform dropped */
        .types = s->types | EVENT_PLATFORM,
        .max_items = s->buffer_max_items,
        .max_bytes = s->buffer_max_bytes,
        .timeout_ms = s->buffer_timeout_ms,
        .port = api->port,
        .path = api->path,
    };

    (void)lambda_subscription_body(&o, &subscription);
    api->call.body = out_span(&o);
}

static void
subscribe(void *context)
{
    struct telemetry_api *api = context;

    write_body(api);
    api_call_start(&api->call);
}

/* Whether the contents of the request were refused: an old platform may know only the old schema. */
static bool
schema_refused(const struct telemetry_api *api, int result)
{
    return result == 0 && !api->older_schema && api->call.status >= 400 && api->call.status < 500 &&
           api->call.status != 403;
}

static void
tell(const struct telemetry_api *api, int result)
{
    const struct api_call *call = &api->call;

    if (result != 0)
        log_error("telemetry API: subscribing: %s; going on without telemetry",
                  http_client_error(&call->peer->http));
    else if (call->status == 202)
        log_warn("telemetry API: not supported here; going on without telemetry");
    else
        log_error("telemetry API: subscribing was answered %u %.*s; going on without telemetry",
                  call->status, LOG_SPAN(lambda_error_type(call->reply)));
}

static void
finish(struct telemetry_api *api)
{
    telemetry_api_stop(api);
    api->done(api->context);
}

static void
timed_out(void *context)
{
    struct telemetry_api *api = context;

    http_client_stop(&api->call.peer->http);
    log_error("telemetry API: subscribing: no reply in time; going on without telemetry");
    finish(api);
}

static void
subscribe_done(void *context, int result)
{
    struct telemetry_api *api = context;
    unsigned status = result == 0 ? api->call.status : 0;

    api->tries++;
    if (schema_refused(api, result)) {
        log_info("telemetry API: schema 2025-01-29 was answered %u, trying 2022-12-13", status);
        api->older_schema = true;
        subscribe(api);
        return;
    }
    if ((status == 0 || status >= 500) && api->tries < TRIES_MAX) {
        loop_set(api->loop, &api->again, PAUSE_MS);
        return;
    }
    api->subscribed = status == 200;
    if (!api->subscribed)
        tell(api, result);
    finish(api);
}

void
telemetry_api_init(struct telemetry_api *api, struct api_peer *peer, struct loop *loop)
{
    api->loop = loop;
    api->again = (struct loop_timer){.fire = subscribe, .context = api};
    api->limit = (struct loop_timer){.awake = true, .fire = timed_out, .context = api};
    loop_add_timer(loop, &api->again);
    loop_add_timer(loop, &api->limit);
    api->call.peer = peer;
    api->call.method = SPAN("PUT");
    api->call.path = SPAN("/2022-07-01/telemetry");
    api->call.done = subscribe_done;
    api->call.context = api;
}

void
telemetry_api_subscribe(struct telemetry_api *api, uint16_t port, struct span path)
{
    CHECK(port != 0 && path.len > 0);
    api->port = port;
    api->path = path;
    loop_set(api->loop, &api->limit, WITHIN_MS);
    subscribe(api);
}

void
telemetry_api_stop(struct telemetry_api *api)
{
    api->again.at_ms = api->limit.at_ms = 0;
}
