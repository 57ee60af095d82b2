#include <stdio.h>
#include <string.h>

#include "lambda_api.h"
#include "protocol/event.h"
#include "protocol/settings.h"

/*
 * The calls of the Extensions API 2020-01-01 and the Telemetry API 2022-07-01, and what they are answered. Source:
 * reference, sections 1.1, 1.2 and 2.1.
 */

#define IDENTIFIER "0b5a3c1e-5f5d-4c0a-9b3e-6a1f2d3c4b5a"

enum { CALLS_MOST = 2000 }; /* of one run of the program, none of which has a hundred invocations */

static bool registered, subscribed;
static unsigned asked; /* calls of `next` */
static unsigned calls; /* of all kinds */

/* Of the life: whether the account is told to those who ask for it, what a subscription is answered. */
static bool accounted;
static enum { SUBSCRIBES, OLD_SCHEMA_ONLY, UNSUPPORTED, REFUSED, FORBIDDEN, SILENT } subscription;

static bool
holds(struct span s, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= s.len; i++)
        if (memcmp(s.p + i, text, len) == 0)
            return true;
    return false;
}

static void
take_register(struct connection *c, const struct http_message *m)
{
    struct span name = http_value(m, "Lambda-Extension-Name");
    char body[400];
    bool asks;

    if (!span_same(name, SPAN(LAMBDA_EXTENSION)))
        world_break("register: with the name %.*s", (int)name.len, name.p);
    if (!holds(m->body, "\"events\"") || !holds(m->body, "\"SHUTDOWN\""))
        world_break("register: the body %.*s", (int)m->body.len, m->body.p);
    if (api_strike(c))
        return;
    if (holds(m->body, "\"INVOKE\"") == world.plan.managed) {
        if (!world.plan.managed)
            world_break("register: without INVOKE");
        api_refuse(c, 403, "Extension.InvalidEventType");
        return;
    }
    if (registered) {
        api_refuse(c, 403, "Extension.InvalidExtensionState");
        return;
    }
    registered = true;
    asks = holds(http_value(m, "Lambda-Extension-Accept-Feature"), "accountId");
    snprintf(body, sizeof body,
             "{%s\"functionName\":\"function\",\"functionVersion\":\"$LATEST\",\"handler\":\"app."
             "handler\"}",
             accounted && asks ? "\"accountId\":\"123456789012\"," : "");
    api_reply(c, 200,
              "Content-Type: application/json\r\nLambda-Extension-Identifier: " IDENTIFIER "\r\n",
              body);
    lambda_registered();
}

/* Whether the identifier is right; anything else breaks a law once one was given out. */
static void
check_identifier(const struct http_message *m, const char *call)
{
    struct span identifier = http_value(m, "Lambda-Extension-Identifier");

    if (!registered || !span_same(identifier, SPAN(IDENTIFIER)))
        world_break("%s: with the identifier %.*s", call, (int)identifier.len, identifier.p);
}

/* Where a subscription is to be had, there is one before the first `next`, which closes the window. */
static void
check_subscribed(void)
{
    if (asked == 0 && !subscribed && subscription <= OLD_SCHEMA_ONLY && !api_struck() &&
        world.plan.kernel.freeze == 0 && world.plan.kernel.pipe_full == 0)
        world_break("subscribe: not done before `next`");
}

static void
take_next(struct connection *c, const struct http_message *m)
{
    check_identifier(m, "next");
    if (m->body.len > 0)
        world_break("next: with a body");
    if (api_pends())
        world_break("next: a second one");
    lambda_attempts();
    if (api_strike(c))
        return;
    check_subscribed();
    asked++;
    api_wait(c);
    lambda_asked();
    api_hand();
}

/* A whole number behind this name. */
static uint32_t
number_of(struct span body, const char *name)
{
    char quoted[40];
    int len = snprintf(quoted, sizeof quoted, "\"%s\":", name);

    for (size_t i = 0; i + (size_t)len < body.len; i++)
        if (memcmp(body.p + i, quoted, (size_t)len) == 0) {
            uint64_t n = 0;

            for (i += (size_t)len; i < body.len && body.p[i] >= '0' && body.p[i] <= '9'; i++)
                n = n * 10 + (uint64_t)(body.p[i] - '0');
            return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
        }
    world_break("subscribe: no %s in %.*s", name, (int)body.len, body.p);
}

/* "http://sandbox.localdomain:4243/path" */
static bool
read_destination(struct span body, uint16_t *port, struct span *path)
{
    static const char begins[] = "\"http://sandbox.localdomain:";
    size_t len = sizeof begins - 1;
    uint32_t n = 0;

    for (size_t i = 0; i + len < body.len; i++)
        if (memcmp(body.p + i, begins, len) == 0) {
            const char *p = body.p + i + len;
            const char *quote = memchr(p, '"', body.len - i - len);

            if (quote == NULL)
                return false;
            for (; *p >= '0' && *p <= '9'; p++)
                n = n * 10 + (uint32_t)(*p - '0');
            *port = (uint16_t)n;
            *path = (struct span){p, (size_t)(quote - p)};
            return n > 0 && n < 65536 && n != 9001 && *p == '/' && path->len < 200;
        }
    return false;
}

static void
check_range(struct span body, const char *name, uint32_t least, uint32_t most)
{
    uint32_t n = number_of(body, name);

    if (n < least || n > most)
        world_break("subscribe: %s is %u", name, n);
}

/* src/README.md: the end of an invocation, which may be buffered, must not come later than the budget allows. */
static void
check_buffering(uint32_t timeout_ms)
{
    enum { SHORTEST_MS = 25 };
    uint32_t budget_ms = world.plan.budget_ms;

    if (world.plan.flush != FLUSH_CONTINUOUS && timeout_ms > SHORTEST_MS && timeout_ms > budget_ms)
        world_break("subscribe: telemetry is buffered for %u ms, and the budget is %u", timeout_ms,
                    budget_ms);
}

static void
subscribe(struct connection *c, struct span body)
{
    struct span path;
    uint16_t port;

    if (!read_destination(body, &port, &path))
        world_break("subscribe: the destination in %.*s", (int)body.len, body.p);
    check_range(body, "timeoutMs", 25, 30000);
    check_range(body, "maxBytes", 262144, 1048576);
    check_range(body, "maxItems", 1000, 10000);
    check_buffering(number_of(body, "timeoutMs"));
    if (!holds(body, "\"platform\"") ||
        holds(body, "\"function\"") != ((world.plan.types & EVENT_FUNCTION) != 0) ||
        holds(body, "\"extension\"") != ((world.plan.types & EVENT_EXTENSION) != 0))
        world_break("subscribe: the types in %.*s", (int)body.len, body.p);
    if (subscribed) {
        api_refuse(c, 500, "InternalServerError");
        return;
    }
    subscribed = true;
    if (api_strike(c))
        world_say("lambda", "subscribed all the same");
    else
        api_reply(c, 200, "", "\"OK\"");
    poster_event(functions_platform("platform.telemetrySubscription",
                                    "\"name\":\"" LAMBDA_EXTENSION
                                    "\",\"state\":\"Subscribed\",\"types\":[],"));
    poster_subscribed(port, path, number_of(body, "timeoutMs"), number_of(body, "maxBytes"),
                      number_of(body, "maxItems"));
}

static void
take_subscription(struct connection *c, const struct http_message *m)
{
    check_identifier(m, "subscribe");
    if (asked > 0) {
        api_refuse(c, 403, "Telemetry.SubscriptionClosed");
        return;
    }
    switch (subscription) {
    case OLD_SCHEMA_ONLY:
        if (!holds(m->body, "\"2025-01-29\""))
            break;
        api_reply(c, 400, "",
                  "{\"errorType\":\"ValidationError\",\"errorMessage\":\"\"schemaVersion\" is not "
                  "known\"}");
        return;
    case UNSUPPORTED:
        api_refuse(c, 202, "Telemetry.NotSupported");
        return;
    case REFUSED:
        api_refuse(c, 400, "ValidationError");
        return;
    case FORBIDDEN:
        api_refuse(c, 403, "Telemetry.SubscriptionClosed");
        return;
    case SILENT:
        api_strikes();
        return;
    default:
        break;
    }
    if (!holds(m->body, "\"schemaVersion\":\"20"))
        world_break("subscribe: no schema");
    subscribe(c, m->body);
}

void
calls_take(struct connection *c, const struct http_message *m)
{
    if (++calls > CALLS_MOST)
        world_break("runtime API: %u calls in one run", calls);
    world_say("lambda", "%.*s %.*s", (int)m->method.len, m->method.p, (int)m->target.len,
              m->target.p);
    if (span_same(m->method, SPAN("POST")) &&
        span_same(m->target, SPAN("/2020-01-01/extension/register")))
        take_register(c, m);
    else if (span_same(m->method, SPAN("GET")) &&
             span_same(m->target, SPAN("/2020-01-01/extension/event/next")))
        take_next(c, m);
    else if (span_same(m->method, SPAN("PUT")) &&
             span_same(m->target, SPAN("/2022-07-01/telemetry")))
        take_subscription(c, m);
    else
        world_break("runtime API: a call that it has no need for: %.*s %.*s", (int)m->method.len,
                    m->method.p, (int)m->target.len, m->target.p);
}

/* --- the run ------------------------------------------------------------------------------------------- */

static void
draw(void)
{
    accounted = dice_chance(&world.lambda, 800);
    subscription = SUBSCRIBES;
    /* Managed Instances know the newest schema alone */
    if (world_fault(&world.lambda, WORLD_SUBSCRIBE_REFUSED) && !world.plan.managed)
        subscription = dice_chance(&world.lambda, 600)
                           ? OLD_SCHEMA_ONLY
                           : UNSUPPORTED + dice_below(&world.lambda, SILENT - UNSUPPORTED + 1);
}

void
calls_begin(void)
{
    if (world.sandbox == 0)
        draw();
    asked = calls = 0;
    registered = subscribed = false;
}

unsigned
calls_of_next(void)
{
    return asked;
}

bool
api_accounted(void)
{
    return accounted;
}

bool
api_subscribed(void)
{
    return subscribed;
}
