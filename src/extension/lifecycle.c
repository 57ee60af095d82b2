#include "extension/lifecycle.h"

#include "extension/lifecycle_begin.h"
#include "io/clock.h"
#include "io/log.h"

/*
 * In the order of a life, whose begin is in lifecycle_begin.c: an invocation, the end; then what other actors
 * report, and the public calls.
 */

enum {
    /* memory besides the storage: code, data, stacks */
    PROGRAM_BYTES = 1048576,
    SHUTDOWN_MARGIN_MS = 100, /* to write the ledger, on a machine that may be slow */
    DRAIN_MS = 20,            /* part of this margin: to count what is left in the sockets */
    SHUTDOWN_DEFAULT_MS = 1000,
    SHUTDOWN_LONGEST_MS = 60000,
    SIGNAL_DEADLINE_MS = 500
};

/* --- an invocation --- */

static uint32_t
hold_left_ms(const struct lifecycle *life)
{
    const struct telemetry_dispatcher *d = life->dispatcher;
    const struct hold *h = &life->hold;
    struct hold_state state = {.subscribed = lifecycle_subscribed(life),
                               .heard_ms = lifecycle_heard_ms(life)};

    if (d == NULL) /* nothing will ever be delivered */
        return 0;
    state.crowded = telemetry_dispatcher_crowded(d);
    /* no invocation waits for the dead letter */
    state.delivered = telemetry_dispatcher_delivered(d);
    state.pointless =
        telemetry_dispatcher_idle_until(d, hold_until_ms(h), invocations_ended(&h->invocations));
    return hold_ms(h, &state, life->loop->now);
}

static void
next(struct lifecycle *life)
{
    life->timer.at_ms = 0;
    hold_end(&life->hold, life->loop->now);
    if (life->dispatcher != NULL) {
        telemetry_dispatcher_await(life->dispatcher, 0);
        telemetry_dispatcher_patience(life->dispatcher, DISPATCHER_PATIENCE_MS);
    }
    extensions_api_next(&life->extensions);
    metrics_publish_if_due(&life->metrics, life->dispatcher, life->loop->now);
}

static void
check_hold(struct lifecycle *life)
{
    uint32_t ms = hold_left_ms(life);

    if (ms == 0) {
        next(life);
        return;
    }
    loop_set(life->loop, &life->timer, ms);
    /* until the function ends nothing waits for delivery, however long the hold */
    if (invocations_ended(&life->hold.invocations))
        telemetry_dispatcher_await(life->dispatcher, life->loop->now.ms + ms);
}

/* The end may be read before INVOKE is, and flushes no record of several events then: whether it is held was not known. */
static void
flush_ended(struct lifecycle *life)
{
    if (!life->hold.held || !invocations_ended(&life->hold.invocations) ||
        life->dispatcher == NULL || life->settings->aggregation == AGGREGATION_NONE)
        return;
    telemetry_dispatcher_flush(life->dispatcher);
    telemetry_dispatcher_run(life->dispatcher);
}

/* Where the registration did not tell the account, messages need it from an invocation. */
static void
of_account(struct lifecycle *life, const struct lambda_event *event)
{
    struct lambda_registered *as = &life->extensions.registered_as;
    struct span told = {as->account_id, event->account_id_len};

    if (life->settings->format != EVENT_CLOUDWATCH || as->account_id_len > 0 || told.len == 0)
        return;
    memcpy(as->account_id, event->account_id, sizeof as->account_id);
    as->account_id_len = told.len;
    telemetry_dispatcher_of_account(life->dispatcher, told);
}

static void
invoked(struct lifecycle *life, const struct lambda_event *event)
{
    struct span id = {event->request_id, event->request_id_len};
    struct moment now;

    lifecycle_restored(life);
    /* the sandbox may have stood still since the loop looked at the clock, and lines of before are older than this */
    now = clock_now();
    life->quiet_from_ms = now.ms;
    hold_begin(&life->hold, id, event->deadline_ms, now);
    selection_invoked(&life->router.selection, id, life->extensions.call.reply);
    if (life->dispatcher != NULL) {
        of_account(life, event);
        telemetry_dispatcher_patience(life->dispatcher, life->hold.patience_ms);
        /* the connection is needed when the function ends, and opens while it runs */
        telemetry_dispatcher_open(life->dispatcher);
    }
    /* telemetry that waited for room may have been read by that, the end of this invocation too */
    if (life->hold.held)
        check_hold(life);
    flush_ended(life);
}

/* --- the end --- */

/* Of invocations that were under way nothing more will be heard: their lines go, too. */
static void
let_go(struct lifecycle *life)
{
    if (!telemetry_router_last(&life->router))
        return;
    (void)telemetry_router_let_go(&life->router);
    telemetry_dispatcher_flush(life->dispatcher);
    telemetry_dispatcher_run(life->dispatcher);
}

static void
end(struct lifecycle *life)
{
    static const struct ledger nothing;
    const struct ledger *ledger = &nothing;

    life->state = LIFE_ENDED;
    if (life->dispatcher != NULL) {
        telemetry_dispatcher_end(life->dispatcher);
        /* also counts what was posted but not read because the queue was full */
        telemetry_listener_drain(life->listener, DRAIN_MS);
        telemetry_listener_end(life->listener);
        let_go(life);
        metrics_publish(&life->metrics, life->dispatcher, life->loop->now);
        ledger = telemetry_dispatcher_ledger(life->dispatcher);
    }
    if (!ledger_holds(ledger, 0))
        log_error("the ledger does not add up");
    metrics_tell("ledger", ledger);
    life->loop->stopped = true;
}

/* Ends when no more telemetry comes and everything is delivered, or when time is up. */
static void
check_end(struct lifecycle *life)
{
    uint64_t now = life->loop->now.ms;
    uint64_t quiet_at =
        lifecycle_subscribed(life) ? lifecycle_heard_ms(life) + hold_quiet_ms(&life->hold) : now;

    if (now >= quiet_at && life->dispatcher != NULL)
        let_go(life);
    if (life->state == LIFE_ENDED) /* that may have been all that was left */
        return;
    if (now >= life->deadline_ms || life->dispatcher == NULL ||
        (now >= quiet_at && telemetry_dispatcher_drained(life->dispatcher))) {
        end(life);
        return;
    }
    life->timer.at_ms =
        now < quiet_at && quiet_at < life->deadline_ms ? quiet_at : life->deadline_ms;
}

static void
begin_end(struct lifecycle *life, uint64_t left_ms)
{
    life->state = LIFE_ENDING;
    /* a copy whose INVOKE was lost; without a freeze it is the sandbox of init that ends */
    if (life->thaws != life->loop->thaws)
        lifecycle_restored(life);
    hold_end(&life->hold, life->loop->now);
    life->deadline_ms = life->quiet_from_ms = life->loop->now.ms;
    life->deadline_ms += left_ms > SHUTDOWN_MARGIN_MS ? left_ms - SHUTDOWN_MARGIN_MS : 0;
    if (life->dispatcher != NULL)
        telemetry_dispatcher_last_chance(life->dispatcher, life->deadline_ms);
    /* the last chance may have delivered the rest, and ended, at once */
    if (life->state == LIFE_ENDING)
        check_end(life);
}

static void
shut_down(struct lifecycle *life, const struct lambda_event *event)
{
    uint64_t now_ms = life->loop->now.wall_ms;
    uint64_t left = event->deadline_ms > now_ms ? event->deadline_ms - now_ms : 0;

    if (event->deadline_ms == 0)
        left = SHUTDOWN_DEFAULT_MS;
    log_info("shutting down: %.*s, %u ms left", (int)event->reason_len, event->reason,
             (unsigned)left);
    begin_end(life, left < SHUTDOWN_LONGEST_MS ? left : SHUTDOWN_LONGEST_MS);
}

/* --- what other actors report --- */

/* Something may have changed, or a moment has come. */
static void
check(void *context)
{
    struct lifecycle *life = context;

    if (life->state == LIFE_ENDING)
        check_end(life);
    else if (life->init_ms != 0)
        lifecycle_check_init(life);
    else if (life->hold.held)
        check_hold(life);
    /* no invocation ends with `next` here, which is when metrics are published otherwise */
    else if (life->settings->managed_instances)
        metrics_publish_if_due(&life->metrics, life->dispatcher, life->loop->now);
}

static void
lambda_event_came(void *context, const struct lambda_event *event)
{
    struct lifecycle *life = context;

    if (life->state >= LIFE_ENDING)
        return;
    if (event->type == LAMBDA_INVOKE)
        invoked(life, event);
    else
        shut_down(life, event);
}

static void
telemetry_disturbed(void *context)
{
    struct lifecycle *life = context;

    /* by the timer, since a POST may be in the course of being read */
    if (life->hold.held)
        loop_set_earlier(&life->timer, life->loop->now.ms);
}

static void
telemetry_posted(void *context)
{
    struct lifecycle *life = context;
    const struct hold *h = &life->hold;

    /* the function, or the platform at SHUTDOWN, now waits for everything received so far */
    if (life->state == LIFE_ENDING || (h->held && invocations_ended(&h->invocations)))
        telemetry_dispatcher_flush(life->dispatcher);
    telemetry_dispatcher_run(life->dispatcher);
    check(life);
}

static void
dispatcher_has_room(void *context)
{
    struct lifecycle *life = context;

    if (telemetry_router_let_go(&life->router) == 0)
        telemetry_listener_resume(life->listener);
    if (life->state == LIFE_ENDING)
        telemetry_dispatcher_flush(life->dispatcher);
}

/* --- from outside --- */

int
lifecycle_register(struct lifecycle *life, struct loop *loop, const struct settings *settings,
                   struct span name)
{
    struct connection *c = &life->peer.http.connection;

    life->settings = life->hold.settings = life->metrics.settings = settings;
    life->loop = loop;
    life->timer = (struct loop_timer){.fire = check, .context = life};
    loop_add_timer(loop, &life->timer);
    http_client_init(&life->peer.http, loop, life->head);
    c->stream.plain.in = life->buffers[0];
    c->stream.plain.out = life->buffers[1];
    life->peer.host = settings->runtime_api;
    if (endpoint_host_port(settings->runtime_api, &c->peer.host, &c->peer.port) != 0)
        return ERR_BAD;
    life->extensions.name = name;
    life->extensions.shutdown_only = settings->managed_instances;
    life->extensions.registered = lifecycle_registered;
    life->extensions.event = lambda_event_came;
    life->extensions.context = life;
    extensions_api_init(&life->extensions, &life->peer, loop);
    extensions_api_register(&life->extensions);
    return 0;
}

static bool
prepare_dispatcher(struct lifecycle *life, struct storage *s)
{
    struct telemetry_dispatcher *d = storage_take(s, sizeof *d);

    if (d == NULL)
        return false;
    d->settings = life->settings;
    d->changed = check;
    d->room = dispatcher_has_room;
    d->context = life;
    if (telemetry_dispatcher_init(d, life->loop, s) != 0)
        return false;
    life->dispatcher = d;
    return true;
}

static bool
prepare_listener(struct lifecycle *life, struct storage *s)
{
    struct telemetry_listener *l = storage_take(s, sizeof *l);
    char *memory = storage_take(s, selection_bytes(life->settings));

    char *redacting = storage_take(s, redact_bytes(life->settings->selection.redact));

    if (l == NULL || memory == NULL || redacting == NULL)
        return false;
    life->router = (struct telemetry_router){
        .settings = life->settings,
        .loop = life->loop,
        .hold = &life->hold,
        .dispatcher = life->dispatcher,
        .restored = lifecycle_restored,
        .posted = telemetry_posted,
        .disturbed = telemetry_disturbed,
        .context = life,
    };
    selection_init(&life->router.selection, life->settings,
                   telemetry_dispatcher_ledger(life->dispatcher), memory,
                   telemetry_dispatcher_scratch(life->dispatcher));
    redact_init(&life->router.redact, life->settings->selection.redact, redacting);
    telemetry_router_serve(&life->router, l);
    if (telemetry_listener_init(l, life->loop, s) != 0 ||
        telemetry_listener_open(l, (uint16_t)life->settings->listener_port) != 0)
        return false;
    life->listener = l;
    return true;
}

void
lifecycle_prepare(struct lifecycle *life)
{
    struct storage s;
    size_t bytes = telemetry_listener_bytes() + sizeof(struct telemetry_dispatcher) +
                   telemetry_dispatcher_bytes(life->settings) + selection_bytes(life->settings) +
                   redact_bytes(life->settings->selection.redact) + 256;

    life->telemetry.settings = life->settings;
    life->telemetry.done = lifecycle_ready;
    life->telemetry.context = life;
    telemetry_api_init(&life->telemetry, &life->peer, life->loop);
    if (storage_open(&s, bytes) != 0 || !prepare_dispatcher(life, &s) ||
        !prepare_listener(life, &s)) {
        log_error("start: no memory or no port to listen on; going on without telemetry");
        life->dispatcher = NULL;
    }
    log_debug("start: at most %zu bytes of memory", bytes + PROGRAM_BYTES);
    life->prepared = true;
    lifecycle_registered_and_prepared(life);
}

void
lifecycle_terminate(struct lifecycle *life)
{
    if (life->state == LIFE_ENDING || life->state == LIFE_ENDED)
        return;
    http_client_stop(&life->peer.http);
    /* an event that still came would begin another invocation */
    extensions_api_stop(&life->extensions);
    telemetry_api_stop(&life->telemetry);
    begin_end(life, SIGNAL_DEADLINE_MS);
}
