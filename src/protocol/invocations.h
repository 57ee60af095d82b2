#ifndef INVOCATIONS_H
#define INVOCATIONS_H
/*
 * Which invocation runs, whether its end has been heard, and how close invocations follow each other.
 *
 * INVOKE and telemetry come by two independent ways, so platform.start, lines and even
 * platform.runtimeDone of an invocation may be read before the INVOKE that names it; and any of the
 * platform's events may be lost. Lambda gives each try of an asynchronous event the same request id.
 * For sandboxes with one invocation at a time; on Managed Instances nothing of this is told.
 *
 * What is measured between invocations is measured by the wall clock, which goes on in a freeze.
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
    bool failed, resets;          /* as of the latest end, see event.h */
    uint64_t done_ms;             /* when that was produced, by the monotonic clock */

    /* private */
    bool reported;                /* the platform's report on what INVOKE named has come */
    struct invocation_id done;    /* of the latest end, until `next` is asked for */
    struct invocation_id started; /* of the latest start since `next` was asked for */
    struct invocation_id before;  /* of the invocation before, whose end has not been heard of */
    bool announced;               /* INVOKE has named one that has not been seen to start */
    uint64_t announced_after_wall_ms; /* lines that were produced later are its own */
    uint64_t ended_wall_ms;           /* of the one that INVOKE named; 0: it runs */
    uint64_t asked_wall_ms;           /* the latest `next` */
    uint64_t invoked_wall_ms;         /* the latest INVOKE, and the `next` that brought it */
    uint64_t invoked_asked_wall_ms;
    uint64_t idle_most_ms; /* the sandbox cannot have been idle for longer between the two */
};

/* `next` is asked for: the extension is done with what was before. */
void invocations_asked(struct invocations *v, struct moment now);

/* INVOKE has come; an id of more than 64 bytes counts as none. */
void invocations_invoke(struct invocations *v, struct span id, struct moment now);

/* platform.start */
void invocations_start(struct invocations *v, struct span id);

/*
 * platform.runtimeDone, of any invocation. The event tells when it was produced; a time that cannot be
 * true, since the platform holds events back for buffer_ms as a rule, counts as now.
 *
 * Returns true when the lines that follow are of the invocation that INVOKE has named, although
 * nothing has been seen of its start.
 */
bool invocations_done(struct invocations *v, const struct event *event, struct moment now,
                      uint32_t buffer_ms);

/* platform.report */
void invocations_report(struct invocations *v, struct span id);

/*
 * A function's line, while invocations_announced. Returns as invocations_done; and true for a line that
 * does not tell its time.
 */
bool invocations_line(struct invocations *v, const struct event *event);

/* Whether the start of what INVOKE has named is still to be seen, so that lines tell of it. */
bool invocations_announced(const struct invocations *v);

/* Something may have been lost on its way from the platform, an end too. */
void invocations_doubt(struct invocations *v);

/* Whether the platform's report on what INVOKE named is still to come. */
bool invocations_report_due(const struct invocations *v);

/*
 * Whether the invocation that INVOKE named has ended. One without an id counts as ended: its end could
 * not be told from another's.
 */
bool invocations_ended(const struct invocations *v);

#endif
