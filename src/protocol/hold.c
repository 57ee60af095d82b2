#include "protocol/hold.h"

#include "protocol/check.h"

/* see hold.h */

enum {
    /* Whatever the budget: the shortest time for which the platform buffers telemetry itself. */
    LEAST_PATIENCE_MS = 25,
    /* In addition to the time for which the platform buffers telemetry. The report usually comes 5 to 40 ms
     * after the end. Source: Telemetry API, ordering. */
    QUIET_MS = 25,
    QUIET_BEFORE_REPORT_MS = 60
};

void
hold_begin(struct hold *h, struct span id, uint64_t deadline_wall_ms, struct moment now)
{
    CHECK(!h->held);
    invocations_invoke(&h->invocations, id, now);
    h->held = true;
    /* converted once, so that a jump of the wall clock does not move it */
    h->deadline_ms = now.ms;
    if (deadline_wall_ms > now.wall_ms)
        h->deadline_ms += deadline_wall_ms - now.wall_ms;
    hold_renew_patience(h, now);
}

/* The rule's part of what is known that is the hold's own. */
static struct flush_state
rule_of(const struct hold *h)
{
    const struct invocations *v = &h->invocations;

    return (struct flush_state){
        .policy = h->settings->flush,
        .managed_instances = h->interleaved,
        .frequent = v->pace.frequent,
        .runtime_done = invocations_ended(v),
        .failed = v->failed,
        .resets = v->resets,
        .doubtful = v->doubtful,
        .runtime_done_ms = v->done_ms,
        .deadline_ms = h->deadline_ms,
        .budget_ms = h->settings->flush_budget_ms,
        .silence_ms = h->settings->hold_silence_ms,
    };
}

uint64_t
hold_until_ms(const struct hold *h)
{
    struct flush_state rule = rule_of(h);

    return flush_until_ms(&rule);
}

uint32_t
hold_ms(const struct hold *h, const struct hold_state *state, struct moment now)
{
    struct flush_state rule = rule_of(h);

    CHECK(h->held);
    rule.crowded = state->crowded;
    rule.subscribed = state->subscribed;
    rule.delivery_rests = state->pointless;
    rule.drained = state->delivered;
    rule.heard_ms = state->heard_ms;
    rule.now_ms = now.ms;
    return flush_hold_ms(&rule);
}

void
hold_end(struct hold *h, struct moment now)
{
    h->held = false;
    invocations_asked(&h->invocations, now);
}

uint32_t
hold_quiet_ms(const struct hold *h)
{
    return h->settings->buffer_timeout_ms +
           (invocations_report_due(&h->invocations) ? QUIET_BEFORE_REPORT_MS : QUIET_MS);
}

void
hold_renew_patience(struct hold *h, struct moment now)
{
    uint32_t ms = h->settings->flush_budget_ms;

    h->patience_ms = ms > LEAST_PATIENCE_MS ? ms : LEAST_PATIENCE_MS;
    /* the time waited so far does not count against the new patience */
    if (h->stalled_ms != 0)
        h->stalled_ms = now.ms;
}

void
hold_stalled(struct hold *h, bool still_waiting, struct moment now)
{
    /* the previous sender may have gone, and its time with it */
    if (h->stalled_ms == 0 || !still_waiting)
        h->stalled_ms = now.ms;
}

bool
hold_resumed(struct hold *h, bool still_waiting, struct moment now)
{
    uint64_t waited = now.ms - h->stalled_ms;
    /* patience limits how long a full queue delays the end of a held invocation, and nothing else */
    bool counts = h->stalled_ms != 0 && h->held && still_waiting;

    h->stalled_ms = 0;
    if (!counts)
        return false;
    h->patience_ms -= waited < h->patience_ms ? (uint32_t)waited : h->patience_ms;
    return true;
}
