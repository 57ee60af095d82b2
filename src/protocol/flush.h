#ifndef FLUSH_H
#define FLUSH_H
/*
 * When the extension says that it is done with an invocation, by asking for the next event.
 *
 * `end` asks once the function has ended (platform.runtimeDone) and all its telemetry is delivered,
 * within the budget; `continuous` asks at once and sends while the function runs. While the queue
 * has no room, runtimeDone may be among the telemetry that cannot be read, so the budget runs from
 * that moment too.
 */
#include "protocol/span.h"

enum flush_policy { FLUSH_END, FLUSH_CONTINUOUS, FLUSH_ADAPTIVE };

/* What is known of the invocation that runs. Times in milliseconds of one monotonic clock. */
struct flush_state {
    enum flush_policy policy;
    bool managed_instances;
    bool subscribed;     /* telemetry arrives, so runtimeDone can be waited for */
    bool delivery_rests; /* sending failed so often that it pauses: waiting would bring nothing */
    bool runtime_done;
    bool drained; /* nothing is queued or under way */
    uint64_t now_ms;
    uint64_t runtime_done_ms;
    uint64_t stalled_ms;  /* since when telemetry cannot be read for want of room; 0: it can */
    uint64_t deadline_ms; /* of the invocation */
    uint32_t budget_ms;   /* the most to hold after runtime_done_ms or stalled_ms */
};

/* `adaptive` as what it stands for here: `continuous` on Managed Instances, else `end`. */
enum flush_policy flush_effective(enum flush_policy policy, bool managed_instances);

/*
 * How long the invocation is still held: 0 when `next` is due now, else milliseconds after which
 * to ask again at the latest.
 */
uint32_t flush_hold_ms(const struct flush_state *state);

#endif
