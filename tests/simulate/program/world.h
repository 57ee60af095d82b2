#ifndef WORLD_H
#define WORLD_H
/*
 * One life of a sandbox, from its seed: the plan (which settings hold, which faults exist at all and how often), the
 * actors, the laws. All numbers of the plan are drawn before anything happens, so that an actor that draws more or
 * fewer numbers than before changes nothing of the others: each actor has dice of its own.
 */
#include "books.h"
#include "http.h"

enum {
    WORLD_RUNS = 128,     /* of the program in a life, at most */
    WORLD_NEAR_US = 10000 /* a latency that no time-out is too short for */
};

/* What may go wrong in the world, of 1,000 chances; a life draws which of them exist (plan.c). */
enum world_fault {
    /* Lambda: extensions API, telemetry API, functions (lambda.c, poster.c) */
    WORLD_API_RESETS,  /* a reply breaks off, or the connection does not come about */
    WORLD_API_REFUSES, /* 4xx or 5xx */
    WORLD_API_SLOW,
    WORLD_SUBSCRIBE_REFUSED, /* the newer schema, or at all */
    WORLD_POST_BREAKS,       /* breaks off; comes again */
    WORLD_POST_LOST,         /* breaks off, and does not come again */
    WORLD_POST_DOUBLED,      /* answered, and comes again all the same */
    WORLD_RECORD_CUT,        /* an event in a POST is cut */
    WORLD_DROPS, /* events are dropped by the platform, with or without platform.logsDropped */
    WORLD_DONE_LOST,
    WORLD_DONE_LATE,
    WORLD_DONE_DOUBLED, /* platform.runtimeDone */
    WORLD_FUNCTION_FAILS,
    WORLD_FUNCTION_TIMES_OUT,
    WORLD_FUNCTION_LOGS_LATE,
    WORLD_RETRY,       /* the next event has the id of the one before, which failed */
    WORLD_RESET,       /* the environment is reset, the program started again */
    WORLD_FREEZE,      /* between invocations, for seconds to hours */
    WORLD_FREEZE_CUTS, /* and of the connections that were open nothing is heard after it */
    WORLD_INIT_FAILS,
    /* AWS: Kinesis, S3, credentials, names (kinesis.c, s3.c, credentials.c, dns.c) */
    WORLD_REFUSED,
    WORLD_SILENT,       /* connections */
    WORLD_RECORD_LARGE, /* the stream takes smaller records than AWS's */
    WORLD_RECORD_FAILS,
    WORLD_RECORD_THROTTLED, /* of single records */
    WORLD_CALL_FAILS,
    WORLD_CALL_THROTTLED,
    WORLD_CALL_REFUSED, /* 5xx, 400 throttling, 400 of all codes */
    WORLD_REPLY_LOST,   /* the call was carried out, and no reply comes */
    WORLD_REPLY_BREAKS,
    WORLD_REPLY_BAD,
    WORLD_REPLY_SLOW,
    WORLD_OUTAGE,     /* all calls fail in one way for a while */
    WORLD_IDLE_CLOSE, /* kept connections are closed by the service */
    WORLD_S3_FAILS,
    WORLD_CREDENTIALS_FAIL,
    WORLD_CREDENTIALS_EXPIRE,
    WORLD_SKEW, /* the service's clock is off by minutes */
    WORLD_NAME_FAILS,
    WORLD_NAME_SILENT,
    WORLD_NAME_MOVES,
    WORLD_FAULTS
};

/* user:proxySECRET */
#define PLAN_PROXY_BASIC "Basic dXNlcjpwcm94eVNFQ1JFVA=="

struct plan {
    uint32_t per_mille[WORLD_FAULTS];
    struct kernel_faults kernel;
    uint32_t invocations; /* 5 at least */
    uint32_t events;      /* of an invocation, on average */
    uint32_t event_bytes; /* most of a line */
    bool crowded;         /* the queue will be full */
    bool snap_start, managed, tls, by_name, fetches_credentials, s3;
    uint32_t copies;      /* with snap_start */
    uint32_t shutdown_ms; /* what Lambda leaves for SHUTDOWN; 0: SIGKILL without it */
    /* settings as the program will understand them, for laws and actors */
    uint32_t budget_ms, buffer_ms, silence_ms, types, max_attempts, queue_bytes;
    uint32_t linger_ms;
    uint32_t lines_bytes; /* most of a record of several events; 0: there are none */
    bool gzip;
    uint32_t held_bytes;
    bool selects; /* lines that are not at ERROR may be held, or left out */
    bool redacts;
    bool level_alone; /* of these only those that tell a level */
    bool wants_keys;  /* the stream's record distribution is not AUTO */
    /* what is remote is reached through a proxy, which is told PLAN_PROXY_BASIC or nothing */
    bool proxied, proxy_user, proxy_https_only, proxy_exempts_name, proxy_exempts_address;
    int format, flush, oversize, drop, dead_letter,
        key;               /* the enums of protocol/settings.h and event.h */
    char *environment[64]; /* "NAME=value", ended by NULL */
    char text[8192];       /* where they lie */
};

struct world {
    uint64_t seed;
    bool aloud; /* tells what happens */
    struct plan plan;
    struct dice lambda, function, poster, service, names; /* an actor's own */
    uint32_t sandbox; /* runs of the program so far, copies included */
    uint32_t faults_seen;
    const char *broken; /* the law */
};

extern struct world world;

/* One line of the trace, with the time; who: "lambda", "kinesis", … */
void world_say(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A law is broken: the life ends here. */
void world_break(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Whether the fault strikes now; it is told and counted when it does. */
bool world_fault(struct dice *dice, enum world_fault fault);

/* Whether any of these faults exists in this life. */
bool world_may_strike(const enum world_fault *faults, size_t n);

/* --- the actors ------------------------------------------------------------------------------------ */

/* lambda.c: the runtime API's address, register, next, INVOKE, SHUTDOWN, freezes, resets. */
void lambda_begin(void);                  /* before the program starts; of each run of it */
void lambda_end(bool exited, int status); /* it has ended: laws of exit code, deadline, last next */

/* What comes after a run of the program; world.sandbox has been counted up for it. */
enum lambda_next { LAMBDA_OVER, LAMBDA_STARTS, LAMBDA_RESTORES };
enum lambda_next lambda_next(void);

void
lambda_printed(int file,
               struct span bytes); /* a line of the program: it comes back as telemetry; secrets */
void
lambda_check(void); /* laws at the end of the life, on the ledger lines among what was printed */

/* poster.c: posts telemetry to the program's listener as the subscription says. */
void poster_begin(void);
void poster_subscribed(uint16_t port, struct span path, uint32_t timeout_ms, uint32_t max_bytes,
                       uint32_t max_items);
/* An event of the books, produced now. */
void poster_event(uint32_t number);
/* All that is buffered goes now; done() when it was answered, or nobody will answer. */
void poster_flush(void (*done)(void *context), void *context);
bool poster_idle(void);

/* kinesis.c, s3.c, credentials.c, dns.c */
void services_begin(void);
void services_check(void); /* laws at the end of the life */

#endif
