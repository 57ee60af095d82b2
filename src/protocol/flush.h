#ifndef FLUSH_H
#define FLUSH_H
/*
 * When the extension says that it is done with an invocation, by asking for the next event.
 *
 * `end` asks once the function has ended (platform.runtimeDone) and all its telemetry is delivered,
 * within the budget; `continuous` asks at once and sends while the function runs.
 *
 * The end may get lost: the platform drops what is too much for it, platform events too, and what a
 * broken or damaged POST held may not come again. After any sign of that the invocation is held
 * until no telemetry has come for as long as the budget, or a second if that is less. Without a sign a lost end cannot be told
 * from a function that is silent, and TELEMETRY_HOLD_SILENCE_MS says how long silence may last.
 *
 * An end that says that the environment will be reset is followed by `next` at once, since SHUTDOWN is
 * heard through it alone; the rest is delivered within SHUTDOWN's deadline.
 *
 * `adaptive` is `end` while the sandbox rests between its invocations, since it may be frozen then
 * with whatever was not delivered. When the next invocation follows so closely upon the last that
 * there is no time for a freeze, it is `continuous`: the next invocation carries the rest. On
 * Managed Instances, which are never frozen, it is `continuous` always; with a queue more than half
 * full it is `end` always, so that delivery catches up.
 */
#include "protocol/span.h"

enum flush_policy { FLUSH_END, FLUSH_CONTINUOUS, FLUSH_ADAPTIVE };

/* How closely invocations follow each other. Zero at first. */
#define FLUSH_PACE_LEN 8

struct flush_pace {
    uint32_t idle_ms[FLUSH_PACE_LEN];
    unsigned seen;
    bool frequent;
};

/*
 * An invocation has begun so long after the one before it had ended.
 *
 * They are frequent once the last 8 such times were 25 ms on average at most; they cease to be when
 * that is above 50 ms, or after a single one above 250 ms.
 */
void flush_idle(struct flush_pace *p, uint64_t idle_ms);

/* What is known of the invocation that runs. Times in milliseconds of one monotonic clock. */
struct flush_state {
    enum flush_policy policy;
    bool managed_instances;
    bool frequent;   /* of flush_pace */
    bool crowded;    /* the queue is more than half full */
    bool subscribed; /* telemetry arrives, so runtimeDone can be waited for */
    bool
        delivery_rests; /* waiting would bring nothing: the breaker is open, or no call is due soon */
    bool runtime_done;
    bool failed;   /* it told another status than success */
    bool resets;   /* and that the environment will be reset */
    bool drained;  /* nothing is queued or under way */
    bool doubtful; /* the end may have been lost on its way */
    uint64_t now_ms;
    uint64_t runtime_done_ms;
    uint64_t heard_ms;    /* when telemetry last came; now, while it is we who do not read it */
    uint64_t deadline_ms; /* of the invocation */
    uint32_t budget_ms;   /* the most to hold after runtime_done_ms */
    uint32_t silence_ms;  /* the most to hold after heard_ms without any sign; 0: for ever */
};

/* What `adaptive` stands for in this state; the others as they are. */
enum flush_policy flush_effective(const struct flush_state *s);

/*
 * How long the invocation is still held: 0 when `next` is due now, else milliseconds after which
 * to ask again at the latest.
 */
uint32_t flush_hold_ms(const struct flush_state *state);

#endif
