#include "extension/lifecycle.h"

#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "protocol/own_line.h"
#include "protocol/stamp.h"

/* see lifecycle.h */

enum {
    /* At the end, telemetry is complete when none has come for the time that the platform holds it
     * back, and so long besides: longer while the report on the last invocation is still to come, which
     * takes 5 to 40 ms as a rule. Source: Telemetry API, ordering. */
    QUIET_MS = 25,
    QUIET_BEFORE_REPORT_MS = 60,
    /* While an invocation is held the platform waits for room no longer than the budget; a little is
     * given in any case, as much as it holds telemetry back itself at the least. */
    LEAST_PATIENCE_MS = 25,
    METRICS_MS = 60000, /* between two publications */
    /* what the program takes besides its storage: code, data, stacks */
    PROGRAM_BYTES = 1048576,
    SHUTDOWN_MARGIN_MS = 100, /* for the ledger, and for a machine that is slow just then */
    DRAIN_MS = 20,            /* of this margin: to count what is left in the sockets */
    SHUTDOWN_DEFAULT_MS = 1000,
    SHUTDOWN_LONGEST_MS = 60000,
    SIGNAL_DEADLINE_MS = 500
};

/* Publishes what has changed since the last time. */
static void
publish_metrics(struct lifecycle *life)
{
    struct telemetry_dispatcher *d = life->dispatcher;
    char line[4096];
    struct out o = out_to(line, sizeof line);
    struct ledger_source about = {
        .time_ms = clock_wall_ms(),
        .function_name = life->settings->function_name,
        .function_version = life->settings->function_version,
        .logger = SPAN(LOG_LOGGER),
    };

    if (d == NULL || life->settings->metrics != METRICS_EMF)
        return;
    life->metrics_wall_ms = about.time_ms;
    telemetry_dispatcher_account(d);
    about.sandbox = telemetry_dispatcher_sandbox(d);
    about.queued = telemetry_dispatcher_queued(d);
    if (ledger_write_metrics(&o, telemetry_dispatcher_ledger(d), &life->published, &about) == 0)
        log_raw(out_span(&o));
    life->published = *telemetry_dispatcher_ledger(d);
}

static void
publish_metrics_if_due(struct lifecycle *life)
{
    uint64_t now = clock_wall_ms();

    if (now < life->metrics_wall_ms || now - life->metrics_wall_ms >= METRICS_MS)
        publish_metrics(life);
}

static void
end(struct lifecycle *life)
{
    static const struct ledger nothing;
    const struct ledger *ledger = &nothing;
    char members[1024];
    struct out o = out_to(members, sizeof members);

    life->state = LIFE_ENDED;
    if (life->dispatcher != NULL) {
        telemetry_dispatcher_end(life->dispatcher);
        /* what was posted and could not be read for want of room is counted too */
        telemetry_listener_drain(life->listener, DRAIN_MS);
        telemetry_listener_end(life->listener);
        publish_metrics(life);
    }
    if (life->dispatcher != NULL)
        ledger = telemetry_dispatcher_ledger(life->dispatcher);
    if (!ledger_holds(ledger, 0))
        log_error("the ledger does not add up");
    (void)ledger_write(&o, ledger);
    log_always("ledger", out_span(&o));
    life->loop->stopped = true;
}

static uint64_t
quiet_ms(const struct lifecycle *life)
{
    const struct invocations *v = &life->invocations;

    return life->settings->buffer_timeout_ms +
           (v->invoked.len > 0 && !v->reported ? QUIET_BEFORE_REPORT_MS : QUIET_MS);
}

/* When telemetry was heard last; what waits because we do not read it is no silence. */
static uint64_t
heard_ms(const struct lifecycle *life)
{
    const struct telemetry_listener *l = life->listener;

    if (l == NULL)
        return life->quiet_from_ms;
    if (telemetry_listener_stopped(l))
        return life->loop->now.ms;
    return l->server.heard_ms > life->quiet_from_ms ? l->server.heard_ms : life->quiet_from_ms;
}

/* Ends when telemetry is quiet and all is delivered, or when the time is over. */
static void
check_end(struct lifecycle *life)
{
    uint64_t now = life->loop->now.ms;
    uint64_t quiet_at = life->telemetry.subscribed ? heard_ms(life) + quiet_ms(life) : now;
    uint64_t last = life->deadline_ms;

    if (now >= last || life->dispatcher == NULL ||
        (now >= quiet_at && telemetry_dispatcher_drained(life->dispatcher))) {
        end(life);
        return;
    }
    life->timer.at_ms = now < quiet_at && quiet_at < last ? quiet_at : last;
}

static void
begin_end(struct lifecycle *life, uint64_t left_ms)
{
    uint64_t now = life->loop->now.ms;

    life->state = LIFE_ENDING;
    life->quiet_from_ms = now;
    life->deadline_ms = now + (left_ms > SHUTDOWN_MARGIN_MS ? left_ms - SHUTDOWN_MARGIN_MS : 0);
    if (life->dispatcher != NULL)
        telemetry_dispatcher_last_chance(life->dispatcher, life->deadline_ms);
    if (life->state == LIFE_ENDING)
        check_end(life);
}

/* Whether invocations run side by side, so that nothing is known of when each runs. */
static bool
interleaved(const struct lifecycle *life)
{
    return life->settings->managed_instances || life->extensions.shutdown_only;
}

/* Asks for the next event if the invocation need not be held any more. */
static void
check_hold(struct lifecycle *life)
{
    struct telemetry_dispatcher *d = life->dispatcher;
    struct invocations *v = &life->invocations;
    bool ended = invocations_ended(v);
    struct flush_state state = {
        .policy = life->settings->flush,
        .managed_instances = interleaved(life),
        .frequent = v->pace.frequent,
        .crowded = d != NULL && telemetry_dispatcher_crowded(d),
        .subscribed = life->telemetry.subscribed && d != NULL,
        .delivery_rests = d != NULL && telemetry_dispatcher_idle_until(
                                           d, v->done_ms + life->settings->flush_budget_ms, ended),
        .runtime_done = ended,
        .failed = v->failed,
        .resets = v->resets,
        /* no invocation waits for the dead letter */
        .drained = d != NULL && telemetry_dispatcher_delivered(d),
        .doubtful = v->doubtful,
        .now_ms = life->loop->now.ms,
        .runtime_done_ms = v->done_ms,
        .heard_ms = heard_ms(life),
        .deadline_ms = life->deadline_ms,
        .budget_ms = life->settings->flush_budget_ms,
        .silence_ms = life->settings->hold_silence_ms,
    };
    uint32_t hold_ms = flush_hold_ms(&state);

    if (hold_ms > 0) {
        loop_set(life->loop, &life->timer, hold_ms);
        if (state.runtime_done && d != NULL)
            telemetry_dispatcher_await(d, life->loop->now.ms + hold_ms);
        return;
    }
    life->timer.at_ms = 0;
    if (d != NULL) {
        telemetry_dispatcher_await(d, 0);
        telemetry_dispatcher_patience(d, DISPATCHER_PATIENCE_MS);
    }
    life->state = LIFE_WAITING;
    invocations_asked(v, clock_wall_ms());
    extensions_api_next(&life->extensions);
    publish_metrics_if_due(life);
}

static void
check(void *context)
{
    struct lifecycle *life = context;

    if (life->state == LIFE_HOLDING)
        check_hold(life);
    else if (life->state == LIFE_ENDING)
        check_end(life);
    else if (life->settings->managed_instances)
        publish_metrics_if_due(life);
}

/* Milliseconds until a moment of the wall clock. */
static uint64_t
left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_wall_ms();

    return deadline_ms > now ? deadline_ms - now : 0;
}

/* A copy of a snapshot must not share its identity, keys or connections with the others. */
static void
restored(struct lifecycle *life)
{
    if (life->restored || !life->settings->snap_start || life->dispatcher == NULL)
        return;
    life->restored = true;
    telemetry_dispatcher_restored(life->dispatcher);
}

/* How long, in all, a full queue may keep the platform waiting while the invocation is held. */
static void
renew_patience(struct lifecycle *life)
{
    uint32_t ms = life->settings->flush_budget_ms;

    life->patience_ms = ms > LEAST_PATIENCE_MS ? ms : LEAST_PATIENCE_MS;
    /* what it has waited before is none of that */
    if (life->stalled_ms != 0)
        life->stalled_ms = life->loop->now.ms;
    if (life->dispatcher != NULL)
        telemetry_dispatcher_patience(life->dispatcher, life->patience_ms);
}

static void
invoked(struct lifecycle *life, const struct lambda_event *event)
{
    restored(life);
    invocations_invoke(&life->invocations, (struct span){event->request_id, event->request_id_len},
                       clock_wall_ms());
    life->deadline_ms = life->loop->now.ms + left_ms(event->deadline_ms);
    life->state = LIFE_HOLDING;
    life->quiet_from_ms = life->loop->now.ms;
    renew_patience(life);
    /* the connection is wanted when the function has ended; it opens while the function runs */
    if (life->dispatcher != NULL)
        telemetry_dispatcher_open(life->dispatcher);
    check_hold(life);
}

static void
shut_down(struct lifecycle *life, const struct lambda_event *event)
{
    uint64_t left = event->deadline_ms == 0 ? SHUTDOWN_DEFAULT_MS : left_ms(event->deadline_ms);

    log_info("shutting down: %.*s, %u ms left", (int)event->reason_len, event->reason,
             (unsigned)left);
    begin_end(life, left < SHUTDOWN_LONGEST_MS ? left : SHUTDOWN_LONGEST_MS);
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

/*
 * When an event was produced, by the wall clock. The platform holds it back for a while; a time
 * that cannot be true counts as now.
 */
static uint64_t
produced_wall_ms(const struct lifecycle *life, const struct event *event)
{
    uint64_t now = clock_wall_ms();
    uint64_t at;

    if (stamp_read_rfc3339(event->time, &at) != 0 || at > now ||
        now - at > life->settings->buffer_timeout_ms + 1000)
        return now;
    return at;
}

/* The lines that follow are of the invocation that INVOKE has named. */
static void
of_invoked(struct lifecycle *life)
{
    const struct invocation_id *id = &life->invocations.invoked;

    telemetry_dispatcher_request(life->dispatcher, (struct span){id->text, id->len});
}

static void
runtime_done_came(struct lifecycle *life, const struct event *event)
{
    uint64_t at = produced_wall_ms(life, event);

    if (invocations_done(&life->invocations, event, at,
                         life->loop->now.ms - (clock_wall_ms() - at)))
        of_invoked(life);
    telemetry_dispatcher_flush(life->dispatcher);
}

/* What the extension itself does about an event. */
static void
observe(struct lifecycle *life, const struct event *event)
{
    struct telemetry_dispatcher *d = life->dispatcher;

    /* whatever the answer to the subscription was; others may post to the port, but not these */
    if (event->type == EVENT_PLATFORM)
        life->telemetry.subscribed = true;
    if (event->kind == EVENT_START && !interleaved(life)) {
        invocations_start(&life->invocations, event->request_id);
        telemetry_dispatcher_request(d, event->request_id);
    } else if (event->kind == EVENT_RUNTIME_DONE && event->request_id.len > 0) {
        runtime_done_came(life, event);
    } else if (event->kind == EVENT_REPORT) {
        invocations_report(&life->invocations, event->request_id);
    } else if (event->kind == EVENT_LOGS_DROPPED) {
        /* at least, since such a notice may be dropped itself */
        invocations_doubt(&life->invocations);
        log_warn("the platform dropped at least %llu events: %llu bytes",
                 (unsigned long long)event->dropped_records,
                 (unsigned long long)event->dropped_bytes);
        telemetry_dispatcher_ledger(d)->platform_dropped_records += event->dropped_records;
        telemetry_dispatcher_ledger(d)->platform_dropped_bytes += event->dropped_bytes;
    }
}

/* What we wrote ourselves: forwarding that would make more of it without end. */
COLD static bool
our_own(struct lifecycle *life, const struct event *event)
{
    struct telemetry_dispatcher *d = life->dispatcher;
    struct span time = {NULL, 0};
    uint64_t ms;
    enum own_line is = own_line(event, SPAN(LOG_LOGGER), telemetry_dispatcher_sandbox(d), &time);
    bool ours = is == OWN_LINE_YES || (is == OWN_LINE_IF_WRITTEN &&
                                       stamp_read_rfc3339(time, &ms) == 0 && log_wrote_at(ms));

    ours = ours || telemetry_dispatcher_wrote(d, event);
    telemetry_dispatcher_ledger(d)->own_lines += ours;
    return ours;
}

/* The queue is full, and the platform waits. */
static void
stalled(struct lifecycle *life)
{
    /* the sender of before may have gone */
    if (life->stalled_ms == 0 || !telemetry_listener_stopped(life->listener))
        life->stalled_ms = life->loop->now.ms;
}

/* Reading goes on. What the platform has waited is taken off what it may have to wait. */
COLD static void
stall_over(struct lifecycle *life)
{
    uint64_t waited = life->loop->now.ms - life->stalled_ms;

    life->stalled_ms = 0;
    /* a sender that has gone does not wait */
    if (life->state != LIFE_HOLDING || !telemetry_listener_stopped(life->listener))
        return;
    life->patience_ms -= waited < life->patience_ms ? (uint32_t)waited : life->patience_ms;
    telemetry_dispatcher_patience(life->dispatcher, life->patience_ms);
}

/* A line may be the first that is seen of the invocation that INVOKE has named. */
COLD static void
look_for_begin(struct lifecycle *life, const struct event *event)
{
    uint64_t at;

    if (event->type == EVENT_FUNCTION &&
        (stamp_read_rfc3339(event->time, &at) != 0 || invocations_line(&life->invocations, at)))
        of_invoked(life);
}

/* A POST was not taken whole, so what was in it may not come again: an invocation's end, say. */
static void
telemetry_disturbed(void *context)
{
    struct lifecycle *life = context;

    invocations_doubt(&life->invocations);
    if (life->state == LIFE_HOLDING)
        loop_set_earlier(&life->timer, life->loop->now.ms);
}

static void
telemetry_lost(void *context, enum ledger_drop reason)
{
    struct lifecycle *life = context;

    telemetry_dispatcher_lost(life->dispatcher, reason);
    /* what is damaged may have been an end, or have hidden one */
    if (reason == DROP_CUT || reason == DROP_UNREADABLE)
        telemetry_disturbed(life);
}

static int
telemetry_event(void *context, struct span text, const struct json_marks *marks)
{
    struct lifecycle *life = context;
    struct telemetry_dispatcher *d = life->dispatcher;
    struct event event;
    bool counted;

    if (event_read(text, marks, &event) != 0) {
        telemetry_lost(life, DROP_UNREADABLE);
        return 1;
    }
    if (event.kind == EVENT_RESTORE_START)
        restored(life);
    if (invocations_announced(&life->invocations) && !interleaved(life))
        look_for_begin(life, &event);
    counted = (life->settings->types & event.type) != 0 &&
              (event.type != EVENT_EXTENSION || !our_own(life, &event));
    if (counted) {
        int r = telemetry_dispatcher_event(d, &event);

        if (r != 0) {
            stalled(life);
            return ERR_FULL;
        }
        if (life->stalled_ms != 0)
            stall_over(life);
    }
    observe(life, &event);
    return counted;
}

/* A beginning is better than nothing, unless nothing is wanted. */
static bool
telemetry_cut(void *context)
{
    struct lifecycle *life = context;

    if (life->settings->oversize == OVERSIZE_DROP)
        return false;
    telemetry_dispatcher_ledger(life->dispatcher)->truncated++;
    return true;
}

static void
telemetry_posted(void *context)
{
    struct lifecycle *life = context;

    if (life->state == LIFE_HOLDING && !telemetry_dispatcher_crowded(life->dispatcher))
        renew_patience(life);
    if (life->state == LIFE_ENDING ||
        (life->state == LIFE_HOLDING && invocations_ended(&life->invocations)))
        telemetry_dispatcher_flush(life->dispatcher);
    telemetry_dispatcher_run(life->dispatcher);
    check(life);
}

static void
dispatcher_has_room(void *context)
{
    struct lifecycle *life = context;

    telemetry_listener_resume(life->listener);
}

/* The first `next`; only then is there time for what is done ahead of need. */
static void
ready(void *context)
{
    struct lifecycle *life = context;

    if (life->state >= LIFE_ENDING)
        return;
    life->state = LIFE_WAITING;
    extensions_api_next(&life->extensions);
    if (life->dispatcher != NULL && !life->settings->snap_start)
        telemetry_dispatcher_open(life->dispatcher);
}

/* Once both are so, in whichever order: the platform may answer before the storage is taken. */
static void
registered_and_prepared(struct lifecycle *life)
{
    if (!life->registered || !life->prepared)
        return;
    if (life->dispatcher != NULL) {
        struct lambda_registered *as = &life->extensions.registered_as;

        telemetry_dispatcher_of_account(life->dispatcher,
                                        (struct span){as->account_id, as->account_id_len});
        telemetry_api_subscribe(&life->telemetry, life->listener->server.port,
                                (struct span){life->listener->path, LISTENER_PATH_LEN});
    } else {
        ready(life);
    }
}

static void
registered(void *context)
{
    struct lifecycle *life = context;

    life->registered = true;
    registered_and_prepared(life);
}

int
lifecycle_register(struct lifecycle *life, struct loop *loop, const struct settings *settings,
                   struct span name)
{
    struct connection *c = &life->peer.http.connection;

    life->settings = settings;
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
    life->extensions.registered = registered;
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

    if (l == NULL)
        return false;
    l->posts.event = telemetry_event;
    l->posts.lost = telemetry_lost;
    l->posts.cut = telemetry_cut;
    l->posts.posted = telemetry_posted;
    l->posts.disturbed = telemetry_disturbed;
    l->posts.context = life;
    l->posts.ledger = telemetry_dispatcher_ledger(life->dispatcher);
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
                   telemetry_dispatcher_bytes(life->settings) + 256;

    life->telemetry.settings = life->settings;
    life->telemetry.done = ready;
    life->telemetry.context = life;
    telemetry_api_init(&life->telemetry, &life->peer, life->loop);
    if (storage_open(&s, bytes) != 0 || !prepare_dispatcher(life, &s) ||
        !prepare_listener(life, &s)) {
        log_error("start: no memory or no port to listen on; going on without telemetry");
        life->dispatcher = NULL;
    }
    log_debug("start: at most %zu bytes of memory", bytes + PROGRAM_BYTES);
    life->prepared = true;
    registered_and_prepared(life);
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
