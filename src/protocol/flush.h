#ifndef FLUSH_H
#define FLUSH_H
/*
 * When the extension asks for the next event (`next`), which tells Lambda that it is done with an invocation.
 *
 * `end`: once the function has ended (platform.runtimeDone) and all its telemetry is delivered, within the
 * budget. `continuous`: at once; telemetry is sent while the function runs.
 *
 * The end may get lost: the platform drops events when it is overloaded, its own included, and the contents
 * of a broken or damaged POST may not be sent again. After any sign of that the invocation is held until
 * no telemetry has come for as long as the budget, or for a second if that is less. Without such a sign
 * a lost end looks like a function that is silent; TELEMETRY_HOLD_SILENCE_MS limits that silence.
 *
 * An end that says that the environment will be reset is followed by `next` at once, because SHUTDOWN is
 * only received that way; what is left is delivered before SHUTDOWN's deadline.
 *
 * `adaptive` acts as `end` while the sandbox is idle between invocations, since it may then be frozen
 * with whatever was not delivered. When invocations follow each other so closely that there is no time for
 * a freeze it acts as `continuous`, and the next invocation carries the rest. On Managed Instances, which
 * are never frozen, it always acts as `continuous`; with a queue more than half full always as `end`, so that
 * delivery catches up.
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
 * An invocation has begun idle_ms after the previous one ended.
 *
 * Invocations count as frequent once the last 8 such times average at most 25 ms; no longer when the
 * average exceeds 50 ms, or after a single one above 250 ms.
 */
void flush_idle(struct flush_pace *p, uint64_t idle_ms);

/* What is known of the current invocation. Times by the monotonic clock. */
struct flush_state {
    enum flush_policy policy;
    bool managed_instances;
    bool frequent;       /* of flush_pace */
    bool crowded;        /* the queue is more than half full */
    bool subscribed;     /* telemetry arrives, so runtimeDone can be waited for */
    bool delivery_rests; /* waiting is pointless: the breaker is open, or no call is due soon */
    bool runtime_done;
    bool failed;   /* with a status other than success */
    bool resets;   /* after which Lambda resets the environment */
    bool drained;  /* nothing is queued or under way */
    bool doubtful; /* the end may have been lost */
    uint64_t now_ms;
    uint64_t runtime_done_ms;
    uint64_t
        heard_ms; /* when telemetry last came; now, as long as the extension does not read it */
    uint64_t deadline_ms; /* of the invocation */
    uint32_t budget_ms;   /* the most to hold after runtime_done_ms */
    uint32_t silence_ms;  /* the most to hold after heard_ms without any sign; 0: for ever */
};

/* What `adaptive` stands for in this state; the others as they are. */
enum flush_policy flush_effective(const struct flush_state *s);

/* Until when to hold the invocation at most, whatever is still to be delivered then. */
uint64_t flush_until_ms(const struct flush_state *state);

/*
 * How long to hold the invocation: 0 if `next` is due now, otherwise the milliseconds after which to ask
 * again at the latest.
 */
uint32_t flush_hold_ms(const struct flush_state *state);

/* What is known of an init that ends in a snapshot (SnapStart). Times by the monotonic clock. */
struct flush_init {
    bool runtime_done; /* platform.initRuntimeDone has come */
    bool delivered;    /* what has come is, or cannot be at present */
    uint32_t quiet_ms; /* how much later telemetry may come than it was produced */
    uint64_t begun_ms; /* when the extension was ready */
    uint64_t heard_ms; /* as of flush_state */
};

/*
 * Until when the first `next` is put off under SnapStart. Nothing is sent between it and the restoration, so what
 * comes later is delivered by each copy, and may be there as often.
 *
 * Init ends with the runtime's platform.initRuntimeDone. Whether that is produced before the extensions are ready
 * is unconfirmed (AWS's emulator waits for them), so a second without telemetry counts as the end too. Delivery is
 * then awaited for at most another second; all in all five seconds, half of what Lambda allows to other inits.
 */
uint64_t flush_init_until_ms(const struct flush_init *init);

#endif
