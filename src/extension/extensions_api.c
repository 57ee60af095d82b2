#include "extension/extensions_api.h"

#include "io/log.h"
#include "protocol/check.h"

/* see extensions_api.h */

enum {
    FIRST_PAUSE_MS = 50,
    LONGEST_PAUSE_MS = 5000,
    /* after this many unreadable events within this time, the next one is not requested at once */
    UNREADABLE_MAX = 10,
    UNREADABLE_MS = 100
};

static void
call_again(void *context)
{
    struct extensions_api *api = context;

    if (api->is_registered)
        extensions_api_next(api);
    else
        extensions_api_register(api);
}

/* Logs a failure unless it is the same as the previous one. */
static void
tell(struct extensions_api *api, int result)
{
    const struct api_call *call = &api->call;
    struct span type = lambda_error_type(call->reply);
    const char *act = api->is_registered ? "next" : "register";

    if (api->failures > 1 && result == api->logged_result && call->status == api->logged_status)
        return;
    api->logged_result = result;
    api->logged_status = call->status;
    if (result != 0)
        log_error("extensions API: %s: %s; trying again", act,
                  http_client_error(&call->peer->http));
    else if (api->is_registered && call->status == 200)
        log_warn("extensions API: an event that cannot be read%s",
                 call->reader.whole ? " was passed over" : " to its end");
    else
        log_error("extensions API: %s was answered %u %.*s; trying again", act, call->status,
                  LOG_SPAN(type));
}

static void
failed(struct extensions_api *api, int result)
{
    uint32_t pause = FIRST_PAUSE_MS;

    api->failures++;
    tell(api, result);
    for (unsigned i = 1; i < api->failures && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    loop_set(api->loop, &api->again, pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS);
}

static void
register_done(void *context, int result)
{
    struct extensions_api *api = context;
    const struct api_call *call = &api->call;

    if (result == 0 && call->status == 200 && call->peer->identifier_len > 0) {
        api->is_registered = true;
        api->failures = 0;
        lambda_registered(call->members, &api->registered_as);
        api->registered(api->context);
    } else if (result == 0 && !api->shutdown_only &&
               span_same(lambda_error_type(call->reply), SPAN("Extension.InvalidEventType"))) {
        log_info("extensions API: INVOKE is not to be had here, registering for SHUTDOWN alone");
        api->shutdown_only = true;
        extensions_api_register(api);
    } else {
        failed(api, result);
    }
}

/* The function must not wait for us; but a platform that sends nothing else must not be called without pause. */
static void
pass_over(struct extensions_api *api)
{
    uint64_t now = api->loop->now.ms;

    api->failures++;
    tell(api, 0);
    if (now - api->unreadable_ms >= UNREADABLE_MS) {
        api->unreadable_ms = now;
        api->unreadable = 0;
    }
    if (api->unreadable++ < UNREADABLE_MAX)
        extensions_api_next(api);
    else
        loop_set(api->loop, &api->again, UNREADABLE_MS);
}

/* An event has been read. If its reply was incomplete that is logged, though what is there usually suffices. */
static void
note_event(struct extensions_api *api)
{
    if (!api->call.reader.whole) {
        api->failures++;
        tell(api, 0);
        return;
    }
    if (api->failures > 0)
        log_info("extensions API: back after %u failures", api->failures);
    api->failures = 0;
}

static void
next_done(void *context, int result)
{
    struct extensions_api *api = context;
    struct lambda_event event;

    if (result != 0 || api->call.status != 200) {
        failed(api, result);
        return;
    }
    if (lambda_event(api->call.members, &event) != 0) {
        pass_over(api);
        return;
    }
    note_event(api);
    /* Lambda freezes as soon as it has our request for the next event */
    loop_look(api->loop);
    api->event(api->context, &event);
}

void
extensions_api_init(struct extensions_api *api, struct api_peer *peer, struct loop *loop)
{
    api->loop = loop;
    api->call.peer = peer;
    api->call.context = api;
    api->call.wanted = lambda_members;
    api->again = (struct loop_timer){.fire = call_again, .context = api};
    loop_add_timer(loop, &api->again);
}

void
extensions_api_register(struct extensions_api *api)
{
    struct api_call *call = &api->call;

    call->method = SPAN("POST");
    call->path = SPAN("/2020-01-01/extension/register");
    call->name = SPAN("Lambda-Extension-Name");
    call->value = api->name;
    call->fields = SPAN("Lambda-Extension-Accept-Feature: accountId\r\n");
    call->body = lambda_register_body(api->shutdown_only);
    call->done = register_done;
    api_call_start(call);
}

void
extensions_api_next(struct extensions_api *api)
{
    struct api_call *call = &api->call;

    CHECK(api->is_registered && api->again.at_ms == 0);
    call->method = SPAN("GET");
    call->path = SPAN("/2020-01-01/extension/event/next");
    call->name = call->fields = call->body = (struct span){NULL, 0};
    call->done = next_done;
    api_call_start(call);
}

void
extensions_api_stop(struct extensions_api *api)
{
    api->again.at_ms = 0;
}
