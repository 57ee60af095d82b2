#ifndef HOLD_H
#define HOLD_H
/*
 * Decides how long an invocation is held: from INVOKE until the extension asks for the next event (`next`),
 * after which Lambda may freeze the sandbox.
 *
 * Combines what is known of invocations (protocol/invocations) with the state of telemetry and delivery, and
 * applies the rule of protocol/flush. Pure: moments come in as arguments, decisions go out. The driver
 * reports what happens, and asks again after each change:
 *
 *     hold_begin(h, id, deadline_wall_ms, now);          INVOKE
 *     while ((ms = hold_ms(h, &state, now)) > 0)
 *         wait for a change, for ms at most;
 *     hold_end(h, now);                                  `next` is being asked for
 *
 * In between it reports the platform's events to h->invocations.
 *
 * Also limits for how long, in total, a full queue may keep the platform waiting while an invocation is held:
 * for the budget, since the end of the function is only read after the telemetry that waits.
 */
#include "protocol/invocations.h"
#include "protocol/settings.h"

/* The current state of telemetry and delivery. */
struct hold_state {
    bool subscribed; /* telemetry arrives and can be delivered */
    bool crowded;    /* the queue is more than half full */
    bool delivered;  /* nothing is queued for the stream or on its way there */
    bool pointless;  /* nothing can be delivered before hold_until_ms */
    uint64_t
        heard_ms; /* when telemetry last came; now, as long as the extension does not read it */
};

struct hold {
    const struct settings *settings;
    bool interleaved; /* invocations run side by side: nothing is known of any of them */
    struct invocations invocations; /* for the owner to report to, and to ask */

    /* read-only */
    bool held;            /* from hold_begin to hold_end */
    uint32_t patience_ms; /* time left for which a full queue may keep the platform waiting */
    uint64_t stalled_ms;  /* since when the platform waits; 0: an event was taken since */
    uint64_t deadline_ms; /* of the invocation, monotonic clock */
};

/*
 * INVOKE has arrived. No invocation is held.
 *
 * id                the request id
 * deadline_wall_ms  when Lambda will end the invocation, since 1970
 */
void hold_begin(struct hold *h, struct span id, uint64_t deadline_wall_ms, struct moment now);

/*
 * Once the function has ended: delivery is not waited for beyond this moment of the monotonic clock, by the
 * budget and the deadline.
 */
uint64_t hold_until_ms(const struct hold *h);

/* While held: returns 0 if `next` is due now, otherwise after how many milliseconds to ask again at the latest. */
uint32_t hold_ms(const struct hold *h, const struct hold_state *state, struct moment now);

/* `next` is being asked for, or will not be asked for again. */
void hold_end(struct hold *h, struct moment now);

/*
 * For how long no telemetry must have come at the end of the sandbox for it to be complete: longer if the
 * report on the last invocation is still to come.
 */
uint32_t hold_quiet_ms(const struct hold *h);

/* The queue has had room in the meantime: patience_ms starts over. */
void hold_renew_patience(struct hold *h, struct moment now);

/* An event found no room in the queue. still_waiting: its sender has been waiting since an earlier call. */
void hold_stalled(struct hold *h, bool still_waiting, struct moment now);

/*
 * An event was taken. The time for which its sender has waited is deducted from patience_ms, unless the
 * sender has gone (not still_waiting). Returns whether patience_ms has changed.
 */
bool hold_resumed(struct hold *h, bool still_waiting, struct moment now);

#endif
