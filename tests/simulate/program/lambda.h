#ifndef LAMBDA_H
#define LAMBDA_H
/*
 * Lambda's side of a sandbox, in pieces: lambda.c decides what happens when; lambda_api.c speaks the runtime API with
 * the program; invocation.c runs functions; laws_hold.c and laws_ledger.c have what must
 * hold, seen from here.
 */
#include "functions.h"
#include "poster.h"
#include "world.h"

/* Whether the run that begins is a copy of the snapshot. */
bool lambda_restores(void);

/* A report that so many events were dropped is an event of the books. */
void lambda_dropped(uint32_t number, uint32_t records);

/* --- lambda_api.c: tells lambda.c by these ----------------------------------------------------------- */

void lambda_registered(void);
void lambda_asked(void);         /* `next` was called */
void lambda_attempts(void);      /* a connection is being made, or a call has come */
void lambda_invoke_handed(void); /* the INVOKE is on its way */
void lambda_invoke_lost(void);   /* it was given to a connection that broke */
void lambda_shutdown_handed(void);
void lambda_shutdown_lost(void);

void api_begin(void);
void api_keep(void); /* a snapshot was taken */
unsigned api_connections(void);
bool api_pends(void);  /* whether a `next` waits for an event */
bool api_struck(void); /* whether a call failed in this run */
bool api_subscribed(void);

/* Whether enriched records have to contain the account: the platform tells it to those who ask. */
bool api_accounted(void);

/* For `next`, now or when it is called. The longest that Lambda has been seen to send is shorter. */
#define API_EVENT_MAX 300000
void api_invoke(struct span json);
void api_shutdown(struct span json);

/* --- invocation.c ---------------------------------------------------------------------------------------- */

enum invocation_end {
    END_SUCCESS,
    END_ERROR,   /* which the function reports: the environment goes on */
    END_FAILURE, /* the platform's */
    END_CRASH,   /* of the runtime: reset, as after the following */
    END_MEMORY,
    END_EXTENSION, /* another one's crash */
    END_TIMEOUT
};

#define NO_NUMBER UINT32_MAX

struct invocation {
    bool active;
    char id[40];
    uint64_t began_us, deadline_us;
    uint64_t lasts_us; /* the function, at least */
    uint32_t lines;    /* still to be logged */
    enum invocation_end end;
    bool started; /* platform.start was told */
    bool ended;   /* the function has */
    uint64_t ended_us;
    uint32_t start; /* the number of platform.start */
    uint32_t done;  /* the number of runtimeDone; NO_NUMBER: not produced so far, or lost */
    uint32_t first; /* that came first, since it may be told more than once */
    uint32_t told;  /* that came last */
    bool
        confused; /* the end of an earlier attempt with the same id was told when this one had begun */
    void (*over)(struct invocation *v);
};

/* A run of the program begins: what was under way is no more. */
void invocations_begin(void);

/* Starts one; over() when its function has ended. */
struct invocation *invocation_start(void (*over)(struct invocation *v));

/* It has not ended by its deadline, or is ended by a reset. */
void invocation_ends(struct invocation *v, enum invocation_end end);

/* Whether the end of an earlier attempt, which has the same id, may be heard after the beginning of this one. */
bool invocation_is_confused(const struct invocation *v);

void invocation_report(struct invocation *v);
bool invocation_resets(enum invocation_end end);
const char *invocation_status(enum invocation_end end);

/* Lines outside of any invocation, as during init. */
void invocation_log(uint32_t lines);

/* --- laws_hold.c: how long an invocation is held ---------------------------------------------------------- */

/* INVOKE was handed, which has so many bytes. */
void hold_begin(const struct invocation *v, size_t bytes);
void hold_asked(const struct invocation *v); /* first sign of `next`; or it is too late for any */
void hold_next(const struct invocation *v);  /* sign of `next`: not too early, either */

/* The INVOKE may not have been heard: how long it is held is not looked at. */
void hold_nothing(void);

/* A run begins; a line on standard output, some of which tell of the circuit breaker. */
void hold_forget(void);
void hold_line(struct span line);

/* Whether nothing is wrong with AWS or the way there, in all of this life. */
bool laws_services_are_well(void);

/* What all bytes of this life take to Kinesis at most: trips, with buffers that are small. */
uint64_t laws_trips_us(void);

/* How much later than right something may come, in the present run: latencies, freezes since then. */
uint64_t hold_tolerance_us(uint64_t frozen_us);

/* --- laws_ledger.c: the ledger that each run prints ------------------------------------------------------ */

void ledger_begin(void);            /* a run */
void ledger_line(struct span line); /* a line on standard output */
void ledger_snapshot_taken(void);   /* in this run */
void ledger_end(bool due);          /* of the run: whether there has to be one */
void ledger_ends(uint64_t us);      /* SHUTDOWN was handed in time, and is over by then */
void ledger_dropped(uint32_t number, uint32_t records);
void ledger_check(void); /* at the end of the life */

/* --- printed.c: what the program prints ------------------------------------------------------------------- */

void printed_begin(void);

/*
 * Whether this run has written so many dead letters to standard error that the program need not know each, and may take
 * another's line for one: own_lines.h.
 */
bool printed_many_letters(uint32_t sandbox);

/* How much memory it says at its start that it takes at most; 0: it does not. */
uint64_t printed_bound(void);

#endif
