#include "protocol/flush.h"

/* see flush.h */

/* Kept free before the invocation's deadline, for the way of `next` to the platform. */
enum { DEADLINE_MARGIN_MS = 100 };

enum flush_policy
flush_effective(enum flush_policy policy, bool managed_instances)
{
    if (policy != FLUSH_ADAPTIVE)
        return policy;
    return managed_instances ? FLUSH_CONTINUOUS : FLUSH_END;
}

uint32_t
flush_hold_ms(const struct flush_state *s)
{
    uint64_t until = s->deadline_ms > DEADLINE_MARGIN_MS ? s->deadline_ms - DEADLINE_MARGIN_MS : 0;

    if (flush_effective(s->policy, s->managed_instances) == FLUSH_CONTINUOUS || !s->subscribed ||
        s->delivery_rests)
        return 0;
    if (s->runtime_done && s->drained)
        return 0;
    if (s->runtime_done && s->runtime_done_ms + s->budget_ms < until)
        until = s->runtime_done_ms + s->budget_ms;
    if (s->stalled_ms != 0 && s->stalled_ms + s->budget_ms < until)
        until = s->stalled_ms + s->budget_ms;
    if (until <= s->now_ms)
        return 0;
    return until - s->now_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)(until - s->now_ms);
}
