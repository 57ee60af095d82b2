#ifndef INVOCATIONS_H
#define INVOCATIONS_H
/*
 * Which invocation is running, whether its end has been seen, and how closely invocations follow each other.
 *
 * INVOKE and telemetry arrive on independent paths, so platform.start, log lines and even
 * platform.runtimeDone of an invocation may be read before the INVOKE that names it, and any of the
 * platform's events may be lost. Lambda gives every attempt of an asynchronous event the same request id.
 * Only for sandboxes with one invocation at a time, which Managed Instances are not.
 *
 * Times between invocations are measured by the wall clock, which goes on during a freeze.
 * Source: Extensions API, INVOKE; Telemetry API, ordering.
 */
#include "protocol/event.h"
#include "protocol/flush.h"
#include "protocol/moment.h"

struct invocation_id {
    char text[64];
    size_t len; /* 0: none */
};

/* All zero at first. What stands before the private members may be read at any time. */
struct invocations {
    struct flush_pace pace;
    struct invocation_id invoked; /* named by the latest INVOKE */
    bool doubtful;                /* since `next` was asked for, an end may have been lost */
    bool failed, resets; /* as of the latest end, or when that was told before; see event.h */
    uint64_t done_ms;    /* when that was produced, by the monotonic clock */

    /* private */
    bool runs;                        /* INVOKE has come, and `next` was not asked for since */
    bool reported;                    /* the platform's report on what INVOKE named has come */
    struct invocation_id done;        /* of the latest end, until `next` is asked for */
    uint64_t done_wall_ms;            /* when that was produced, as it says; 0: it does not */
    struct invocation_id started;     /* of the latest start since `next` was asked for */
    struct invocation_id before;      /* of the previous invocation, whose end was not seen */
    bool announced;                   /* INVOKE has named one that has not been seen to start */
    uint64_t announced_after_wall_ms; /* lines that were produced later are its own */
    uint64_t ended_wall_ms;           /* of the one that INVOKE named; 0: it runs */
    uint64_t asked_wall_ms;           /* the latest `next` */
    uint64_t invoked_wall_ms;         /* the latest INVOKE; the `next` that it answered */
    uint64_t invoked_asked_wall_ms;
    uint64_t idle_most_ms; /* the sandbox cannot have been idle for longer between the two */
};

/* `next` is being asked for: the extension is done with the current invocation. */
void invocations_asked(struct invocations *v, struct moment now);

/* INVOKE has arrived; an id of more than 64 bytes counts as none. */
void invocations_invoke(struct invocations *v, struct span id, struct moment now);

/* platform.start */
void invocations_start(struct invocations *v, const struct event *event);

/*
 * platform.runtimeDone of any invocation. The event says when it was produced; a time that cannot be right,
 * given that the platform buffers events for about buffer_ms, is replaced by now.
 *
 * Returns true if the lines that follow belong to the invocation named by INVOKE although its start has
 * not been seen.
 */
bool invocations_done(struct invocations *v, const struct event *event, struct moment now,
                      uint32_t buffer_ms);

/* platform.report */
void invocations_report(struct invocations *v, struct span id);

/*
 * A log line of the function, while invocations_announced. Returns as invocations_done, and true for a line
 * without a time.
 */
bool invocations_line(struct invocations *v, const struct event *event);

/* Whether the start of the invocation named by INVOKE has not been seen, so that its lines have to show it. */
bool invocations_announced(const struct invocations *v);

/* Events of the platform may have been lost, an end among them. */
void invocations_doubt(struct invocations *v);

/* Whether the platform's report on the invocation named by INVOKE is still to come. */
bool invocations_report_due(const struct invocations *v);

/*
 * Whether the invocation named by INVOKE has ended. One without an id counts as ended, since its end could
 * not be recognised.
 */
bool invocations_ended(const struct invocations *v);

#endif
