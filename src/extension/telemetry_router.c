#include "extension/telemetry_router.h"

#include "io/log.h"
#include "protocol/check.h"
#include "protocol/json_walk.h"
#include "protocol/own_line.h"
#include "protocol/platform_line.h"
#include "protocol/timestamp.h"

/* see telemetry_router.h */

/* --- what is not forwarded --- */

/* Whether we wrote it ourselves: forwarding our own lines would produce more of them without end. */
COLD static bool
our_own(struct telemetry_router *r, const struct event *event)
{
    struct telemetry_dispatcher *d = r->dispatcher;
    struct span time = {NULL, 0};
    uint64_t ms;
    enum own_line is = own_line(event, SPAN(LOG_LOGGER), telemetry_dispatcher_sandbox(d), &time);
    bool ours = is == OWN_LINE_YES || (is == OWN_LINE_IF_WRITTEN &&
                                       timestamp_read_rfc3339(time, &ms) == 0 && log_wrote_at(ms));

    ours = ours || telemetry_dispatcher_wrote(d, event);
    telemetry_dispatcher_ledger(d)->own_lines += ours;
    return ours;
}

/* --- what the platform's events say --- */

/* The lines that follow belong to the invocation named by INVOKE. */
static void
of_invoked(struct telemetry_router *r)
{
    const struct invocation_id *id = &r->hold->invocations.invoked;

    telemetry_dispatcher_request(r->dispatcher, (struct span){id->text, id->len});
}

/* A line may be the first that is seen of the invocation named by INVOKE. */
COLD static void
look_for_begin(struct telemetry_router *r, const struct event *event)
{
    if (event->type == EVENT_FUNCTION && invocations_line(&r->hold->invocations, event))
        of_invoked(r);
}

/* The platform itself had no room for events. */
static void
logs_dropped(struct telemetry_router *r, const struct event *event)
{
    struct ledger *ledger = telemetry_dispatcher_ledger(r->dispatcher);

    invocations_doubt(&r->hold->invocations);
    /* "at least", since such a notice may be dropped as well */
    log_warn("the platform dropped at least %llu events: %llu bytes",
             (unsigned long long)event->dropped_records, (unsigned long long)event->dropped_bytes);
    ledger->platform_dropped_records += event->dropped_records;
    ledger->platform_dropped_bytes += event->dropped_bytes;
}

/* An invocation has ended. Where it was not held nobody waits, and a record of several events may get more of them. */
static void
flush(struct telemetry_router *r)
{
    if (r->hold->held || r->settings->aggregation == AGGREGATION_NONE)
        telemetry_dispatcher_flush(r->dispatcher);
}

/* Called after the event was forwarded: platform.start is the last event of what came before. */
static void
observe(struct telemetry_router *r, const struct event *event)
{
    struct invocations *v = &r->hold->invocations;

    CHECK(event->type == EVENT_PLATFORM);
    /* other processes may post to the port, but nothing like this */
    r->platform_heard = true;
    /* side by side, lines of several invocations are mixed, and none can be attributed to the latest start */
    if (event->kind == EVENT_START && !r->hold->interleaved) {
        invocations_start(v, event);
        telemetry_dispatcher_request(r->dispatcher, event->request_id);
    } else if (event->kind == EVENT_RUNTIME_DONE && event->request_id.len > 0) {
        if (invocations_done(v, event, r->loop->now, r->settings->buffer_timeout_ms))
            of_invoked(r);
        flush(r);
    } else if (event->kind == EVENT_REPORT) {
        invocations_report(v, event->request_id);
    } else if (event->kind == EVENT_LOGS_DROPPED) {
        logs_dropped(r, event);
    } else if (event->kind == EVENT_INIT_DONE) {
        r->init_done = true;
    }
}

/* --- a full queue --- */

COLD static void
stalled(struct telemetry_router *r)
{
    hold_stalled(r->hold, telemetry_listener_stopped(r->listener), r->loop->now);
}

COLD static void
resumed(struct telemetry_router *r)
{
    if (hold_resumed(r->hold, telemetry_listener_stopped(r->listener), r->loop->now))
        telemetry_dispatcher_patience(r->dispatcher, r->hold->patience_ms);
}

/* --- from the listener --- */

/* A POST was not taken whole, and its contents may not be sent again: the end of an invocation, for example. */
static void
disturbed(void *context)
{
    struct telemetry_router *r = context;

    invocations_doubt(&r->hold->invocations);
    r->disturbed(r->context);
}

static void
lost(void *context, enum ledger_drop reason)
{
    struct telemetry_router *r = context;

    telemetry_dispatcher_lost(r->dispatcher, reason);
    /* a damaged event may have been the end of an invocation, or have hidden it */
    if (reason == DROP_CUT || reason == DROP_UNREADABLE)
        disturbed(r);
}

/* The id of the invocation that runs, where they do not run side by side. */
static struct span
running(struct telemetry_router *r)
{
    return telemetry_dispatcher_origin(r->dispatcher)->request_id;
}

/* Without what is not to be seen by anybody. */
COLD static void
redact(struct telemetry_router *r, struct event *event)
{
    struct span text;
    int result = 0;

    if (redact_event(&r->redact, event, &text))
        result = event_read(text, NULL, event);
    CHECK(result == 0);
}

/* id: of the invocation that runs. Returns 0, or ERR_FULL. */
static int
forward(struct telemetry_router *r, const struct event *event, struct span id)
{
    struct event redacted;

    if (r->settings->format == EVENT_ENRICHED)
        selection_tell(&r->selection, event, id, telemetry_dispatcher_origin(r->dispatcher));
    if (r->redact.names.len > 0) {
        redacted = *event;
        redact(r, &redacted);
        event = &redacted;
    }
    if (telemetry_dispatcher_event(r->dispatcher, event) != 0) {
        stalled(r);
        return ERR_FULL;
    }
    if (r->hold->stalled_ms != 0)
        resumed(r);
    return 0;
}

COLD int
telemetry_router_let_go(struct telemetry_router *r)
{
    struct event_origin *origin = telemetry_dispatcher_origin(r->dispatcher);
    struct event_origin before = *origin;
    struct span text;
    struct span id;
    struct event event;
    int result = 0;

    for (; selection_due(&r->selection, &text, &id); selection_sent(&r->selection)) {
        result = event_read(text, NULL, &event);
        CHECK(result == 0);
        /* the one after it may have begun */
        if (!span_same(id, before.request_id)) {
            origin->request_id = id;
            origin->cold_start = false;
        }
        result = forward(r, &event, id);
        *origin = before;
        if (result != 0)
            break;
    }
    return result;
}

/* What the selection says of an event, before which lines that were held may be due. Returns a verdict, or ERR_FULL. */
static int
select_event(struct telemetry_router *r, const struct event *event, const struct json_marks *marks,
             bool counted)
{
    struct selection *s = &r->selection;
    enum selection_verdict verdict = SELECTION_KEEP;

    s->side_by_side = r->hold->interleaved;
    if (event->type == EVENT_PLATFORM)
        selection_platform(s, event);
    else if (counted)
        verdict = selection_line(s, event, marks, running(r));
    if (telemetry_router_let_go(r) != 0)
        return ERR_FULL;
    if (verdict != SELECTION_KEEP)
        selection_apply(s, event, verdict);
    return (int)verdict;
}

/* What `cloudwatch` has to know of an event, before it is forwarded. Returns whether that has it. */
COLD static bool
cloudwatch(struct telemetry_router *r, const struct event *event)
{
    struct event_origin *origin = telemetry_dispatcher_origin(r->dispatcher);

    if (r->settings->json_lines || (event->type == EVENT_FUNCTION && event->record.p[0] == '{'))
        origin->json = true;
    if (event->kind == EVENT_INIT_START || event->kind == EVENT_RESTORE_START)
        telemetry_dispatcher_of_stream(
            r->dispatcher, json_walk_string(json_walk_member(event->record, SPAN("instanceId"))));
    return event->type != EVENT_PLATFORM ||
           platform_line_there(event, !origin->json,
                               (enum line_level)(LEVEL_DEBUG + r->settings->system_level));
}

static int
event_came(void *context, struct span text, const struct json_marks *marks)
{
    struct telemetry_router *r = context;
    struct event event;
    bool counted;
    int verdict = SELECTION_KEEP;

    if (event_read(text, marks, &event) != 0) {
        lost(r, DROP_UNREADABLE);
        return 1;
    }
    /* before it is forwarded, since it belongs to the copy, not to the sandbox of the snapshot */
    if (event.kind == EVENT_RESTORE_START)
        r->restored(r->context);
    if (invocations_announced(&r->hold->invocations) && !r->hold->interleaved)
        look_for_begin(r, &event);
    /* which lines are our own is asked once for each: it is counted, and forgotten */
    if (event.type == EVENT_EXTENSION && telemetry_router_let_go(r) != 0)
        return ERR_FULL;
    counted = (r->settings->types & event.type) != 0 &&
              (event.type != EVENT_EXTENSION || !our_own(r, &event));
    if (r->settings->format == EVENT_CLOUDWATCH && !cloudwatch(r, &event))
        counted = false;
    if (r->selection.asks)
        verdict = select_event(r, &event, marks, counted);
    if (verdict == ERR_FULL ||
        (counted && verdict == SELECTION_KEEP && forward(r, &event, running(r)) != 0))
        return ERR_FULL;
    if (event.type == EVENT_PLATFORM)
        observe(r, &event);
    return counted;
}

/* The beginning of an oversized event is better than nothing, unless oversized records are to be dropped. */
static bool
cut(void *context)
{
    struct telemetry_router *r = context;

    if (r->settings->oversize == OVERSIZE_DROP)
        return false;
    telemetry_dispatcher_ledger(r->dispatcher)->truncated++;
    return true;
}

static void
posted(void *context)
{
    struct telemetry_router *r = context;

    /* the queue has caught up: this wait is over, and does not count against the next one */
    if (r->hold->held && !telemetry_dispatcher_crowded(r->dispatcher)) {
        hold_renew_patience(r->hold, r->loop->now);
        telemetry_dispatcher_patience(r->dispatcher, r->hold->patience_ms);
    }
    r->posted(r->context);
}

/* --- from outside --- */

void
telemetry_router_serve(struct telemetry_router *r, struct telemetry_listener *listener)
{
    CHECK(r->hold != NULL && r->dispatcher != NULL && r->listener == NULL);
    r->listener = listener;
    listener->posts.event = event_came;
    listener->posts.lost = lost;
    listener->posts.cut = cut;
    listener->posts.posted = posted;
    listener->posts.disturbed = disturbed;
    listener->posts.context = r;
    listener->posts.ledger = telemetry_dispatcher_ledger(r->dispatcher);
}

bool
telemetry_router_last(struct telemetry_router *r)
{
    struct span text;
    struct span id;

    selection_end(&r->selection);
    return selection_due(&r->selection, &text, &id);
}

uint64_t
telemetry_router_heard_ms(const struct telemetry_router *r)
{
    if (r->listener == NULL)
        return 0;
    return telemetry_listener_stopped(r->listener) ? r->loop->now.ms : r->listener->server.heard_ms;
}
