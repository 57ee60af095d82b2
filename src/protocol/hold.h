#ifndef HOLD_H
#define HOLD_H
/*
 * An invocation is held from INVOKE until the extension asks for `next`, since Lambda may freeze the
 * sandbox then.
 *
 * Joins what is known of invocations (protocol/invocations) with the state of telemetry and of delivery,
 * and has protocol/flush decide. Pure: moments come in as arguments, decisions go out. Its driver reports
 * what happens, and asks again after each change:
 *
 *     hold_begin(h, id, deadline_wall_ms, now);          INVOKE
 *     while ((ms = hold_ms(h, &state, now)) > 0)
 *         wait for a change, for ms at most;
 *     hold_end(h, now);                                  `next` is asked for
 *
 * In between h->invocations is told what the platform's events say.
 *
 * The same struct knows for how long a full queue may keep the platform waiting, as long as the invocation
 * is held: for the budget in all, since the end of the function is heard behind what waits.
 */
#include "protocol/invocations.h"
#include "protocol/settings.h"

/* How telemetry and delivery are just now. */
struct hold_state {
    bool subscribed;   /* telemetry arrives, and there is somebody to deliver it */
    bool crowded;      /* the queue is more than half full */
    bool delivered;    /* nothing is queued for the stream, or under way to it */
    bool pointless;    /* nothing can be delivered before hold_until_ms */
    uint64_t heard_ms; /* when telemetry last came; now, while it is we who do not read it */
};

struct hold {
    const struct settings *settings;
    bool interleaved; /* invocations run side by side, so that nothing is known of when each runs */
    struct invocations invocations; /* may be told, and asked, at any time */

    /* to be read only */
    bool held;            /* from hold_begin to hold_end */
    uint32_t patience_ms; /* so long a full queue may still keep the platform waiting */
    uint64_t
        stalled_ms; /* since when it waits, or has waited; 0: it has not since the last event */
    uint64_t deadline_ms; /* of the invocation; monotonic clock */
};

/*
 * INVOKE has come.
 *
 * id                as Lambda names the invocation
 * deadline_wall_ms  when Lambda ends it at the latest, since 1970
 */
void hold_begin(struct hold *h, struct span id, uint64_t deadline_wall_ms, struct moment now);

/* Once the function has ended, what is delivered later is not waited for. Monotonic clock. */
uint64_t hold_until_ms(const struct hold *h);

/*
 * For how many milliseconds the invocation is still held if nothing changes; 0: `next` is due. While
 * it is held.
 */
uint32_t hold_ms(const struct hold *h, const struct hold_state *state, struct moment now);

/* `next` is asked for, or will never be again. */
void hold_end(struct hold *h, struct moment now);

/*
 * The sandbox ends: telemetry is complete when none has come for so long. That is longer while the report on
 * the last invocation is still to come.
 */
uint32_t hold_quiet_ms(const struct hold *h);

/* The queue has had room since: the platform may be kept waiting for patience_ms anew. */
void hold_renew_patience(struct hold *h, struct moment now);

/* The queue has no room for an event. Still waiting: its sender waited before. */
void hold_stalled(struct hold *h, bool still_waiting, struct moment now);

/*
 * An event was taken. What its sender has waited is taken off patience_ms, unless it has gone meanwhile.
 * Returns whether that has changed.
 */
bool hold_resumed(struct hold *h, bool still_waiting, struct moment now);

#endif
