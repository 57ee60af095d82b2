#include "protocol/flush.h"

#include "protocol/check.h"
#include "protocol/moment.h"

/* see flush.h */

enum {
    /* Left before the invocation's deadline, for `next` to reach the platform. */
    DEADLINE_MARGIN_MS = 100,
    /* The longest hold after an end that was, or may have been, a failure: whatever its cause, Lambda may
     * reset the environment, and SHUTDOWN, which cannot be received meanwhile, allows two seconds. */
    FAILED_BUDGET_MS = 1000,
    FREQUENT_MS = 25,
    RARE_MS = 50,
    REST_MS = 250,
    INIT_SILENCE_MS = 1000,
    INIT_DELIVERY_MS = 1000,
    INIT_MOST_MS = 5000
};

void
flush_idle(struct flush_pace *p, uint64_t idle_ms)
{
    uint64_t sum = 0;

    /* capped: one such rest ends frequent invocations, however long it was */
    p->idle_ms[p->seen++ % FLUSH_PACE_LEN] = idle_ms > REST_MS ? REST_MS + 1 : (uint32_t)idle_ms;
    if (p->seen < FLUSH_PACE_LEN)
        return;
    for (unsigned i = 0; i < FLUSH_PACE_LEN; i++)
        sum += p->idle_ms[i];
    if (p->frequent)
        p->frequent = idle_ms <= REST_MS && sum <= (uint64_t)RARE_MS * FLUSH_PACE_LEN;
    else
        p->frequent = sum <= (uint64_t)FREQUENT_MS * FLUSH_PACE_LEN;
}

enum flush_policy
flush_effective(const struct flush_state *s)
{
    if (s->policy != FLUSH_ADAPTIVE)
        return s->policy;
    return s->managed_instances || (s->frequent && !s->crowded) ? FLUSH_CONTINUOUS : FLUSH_END;
}

uint64_t
flush_until_ms(const struct flush_state *s)
{
    uint32_t budget = s->budget_ms;
    uint64_t until = s->deadline_ms > DEADLINE_MARGIN_MS ? s->deadline_ms - DEADLINE_MARGIN_MS : 0;

    if ((s->runtime_done ? s->failed : s->doubtful) && budget > FAILED_BUDGET_MS)
        budget = FAILED_BUDGET_MS;
    if (s->runtime_done)
        return moment_earlier(until, s->runtime_done_ms + budget);
    /* the end may have been lost, but a function that is still logging has not ended */
    if (s->doubtful)
        until = moment_earlier(until, s->heard_ms + budget);
    if (s->silence_ms > 0)
        until = moment_earlier(until, s->heard_ms + s->silence_ms);
    return until;
}

uint32_t
flush_hold_ms(const struct flush_state *s)
{
    uint64_t until = flush_until_ms(s);

    /* without a subscription the end would never be seen, and while delivery rests nothing is gained */
    if (flush_effective(s) == FLUSH_CONTINUOUS || !s->subscribed || s->delivery_rests)
        return 0;
    /* SHUTDOWN, whose deadline leaves time to deliver the rest, only comes in reply to `next` */
    if (s->runtime_done && (s->drained || s->resets))
        return 0;
    CHECK(until < s->deadline_ms || until == 0);
    if (until <= s->now_ms)
        return 0;
    return until - s->now_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)(until - s->now_ms);
}

COLD uint64_t
flush_init_until_ms(const struct flush_init *init)
{
    uint64_t until = init->heard_ms + init->quiet_ms;

    if (!init->runtime_done)
        until += INIT_SILENCE_MS;
    if (!init->delivered)
        until += INIT_DELIVERY_MS;
    return moment_earlier(until, init->begun_ms + INIT_MOST_MS);
}
