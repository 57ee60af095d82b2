#ifndef TELEMETRY_DISPATCHER_H
#define TELEMETRY_DISPATCHER_H
/*
 * Decides when which records of the queue go to Kinesis.
 *
 * A batch goes when a flush is wanted, when it is full, or when its oldest record has waited for
 * 200 ms. Records that failed stay in the queue and go first in a later batch, after a wait with
 * full jitter; fresh ones do not wait for them. A call that failed as a whole makes all wait. After
 * one that brought no reply in time the next batch is half as large.
 *
 * After AWS_MAX_ATTEMPTS calls in a row that brought nothing the circuit breaker opens
 * (protocol/breaker.h): no invocation is held for a stream that cannot be reached, and nothing is
 * dropped for that.
 *
 * When a call is refused for one of its records, that record is found, by its number in the
 * service's message or by halves, and set aside; once others have been accepted it is tried alone,
 * and leaves the queue when it is refused again. While others are refused too it is not the
 * record's fault, and it stays.
 */
#include "extension/dead_letter_dispatcher.h"
#include "extension/failure_log.h"
#include "extension/kinesis.h"
#include "extension/telemetry_intake.h"
#include "protocol/ahead.h"
#include "protocol/breaker.h"
#include "protocol/retry.h"

/*
 * The platform holds back what the listener does not read, and drops what is too much for it. After so
 * long without any room it is better that we drop, and the function's end is heard.
 */
#define DISPATCHER_PATIENCE_MS 5000

struct telemetry_dispatcher {
    const struct settings *settings;
    struct loop *loop;
    struct aws_environment environment;
    struct credentials credentials;
    struct queue queue;
    struct kinesis kinesis;
    struct telemetry_intake intake;
    struct dead_letter_dispatcher dead_letter;
    struct ledger ledger;
    struct own_lines own_lines; /* dead letters on standard error */
    uint64_t deadline_ms; /* monotonic: until when delivery is awaited; 0: nobody waits */
    /* Something was delivered, failed or came to rest. */
    void (*changed)(void *context);
    /* A call has ended, so the queue may have room again. */
    void (*room)(void *context);
    void *context;

    /* private */
    bool flush;           /* what is dead goes now, too; until all is delivered */
    uint32_t flush_fresh; /* so many of the fresh records go now */
    struct loop_timer timer;
    struct loop_timer full_timer;   /* the queue has been full for too long */
    uint32_t patience_ms;           /* which is so long */
    bool told_full;                 /* since it was last half empty */
    struct loop_timer burial_timer; /* at the end: what is left goes to the dead letter */
    struct queue_batch batch;
    uint32_t places[QUEUE_BATCH_MAX];
    uint32_t batch_max; /* records that a batch may have now */
    bool sending;
    bool alone;   /* what is under way is a record that was set aside */
    bool cramped; /* a record was set aside since its pieces had no room */
    struct ahead ahead;
    unsigned in_vain;       /* calls of the last chance after which only a change could help */
    uint32_t stream_ms;     /* the time that the stream has at the last chance */
    bool last_chance;       /* the sandbox ends: no rest any more */
    bool over;              /* nothing goes to the stream any more */
    struct breaker breaker; /* by the wall clock, which goes on in a freeze */
    struct retry_quota quota;
    bool at_once;            /* the present row of failures had its one retry without a wait */
    bool evidence;           /* a record was accepted since the last one was set aside */
    bool hopeful;            /* a record that failed may do better in its next try */
    uint64_t calls_at_ms;    /* no call before */
    uint64_t failed_at_ms;   /* no record that failed goes before */
    uint64_t fresh_since_ms; /* since when the oldest fresh record may be waiting */
    unsigned accepted;       /* of the batch under way */
    unsigned resent;         /* of the batch under way: records that were in one before */
    uint64_t calls_before;   /* requests begun before it */
    uint64_t unanswered_before;
    uint64_t bytes_before;  /* the last call of which each record was refused */
    unsigned most_attempts; /* of its records that failed */
    enum retry_class class; /* of its failures */
    struct failure_log failures;
};

size_t telemetry_dispatcher_bytes(const struct settings *settings);

/* settings, callbacks and context are set by the caller. Returns 0, or ERR_FULL. */
int telemetry_dispatcher_init(struct telemetry_dispatcher *d, struct loop *loop, struct storage *s);

/*
 * An invocation begins, or the sandbox is ready: connects ahead of need (protocol/ahead.h), unless it is
 * known to be in vain. A call that went through a freeze is not waited for as long as others.
 */
void telemetry_dispatcher_open(struct telemetry_dispatcher *d);

/* Takes an event that is to be forwarded. Returns 0; ERR_FULL: there is no room: again at `room`. */
int telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event);

/*
 * How long the queue may be full before events are dropped, each counted, so that reading goes on;
 * DISPATCHER_PATIENCE_MS at first. Counts for a queue that is full already, too.
 */
void telemetry_dispatcher_patience(struct telemetry_dispatcher *d, uint32_t ms);

/* An event is lost. */
void telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason);

/* What there is now is to be sent without waiting for more; at the next run. */
void telemetry_dispatcher_flush(struct telemetry_dispatcher *d);

/* Sends if something is due. */
void telemetry_dispatcher_run(struct telemetry_dispatcher *d);

/* Nothing is queued or under way. */
bool telemetry_dispatcher_drained(const struct telemetry_dispatcher *d);

/* The same but for what is left to the dead letter. */
bool telemetry_dispatcher_delivered(const struct telemetry_dispatcher *d);

/* The queue is more than half full. */
bool telemetry_dispatcher_crowded(const struct telemetry_dispatcher *d);

/*
 * Whether waiting for delivery brings nothing: the breaker is open, or, if the end of the waiting
 * is known, no call is under way or due before until_ms.
 */
bool telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms,
                                     bool known);

/* Someone waits for delivery until then: what waits for its next try goes sooner. 0: nobody any more. */
void telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* The sandbox ends at this moment of the monotonic clock: sends without rest until then. */
void telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* This process is a copy of another one: new identity, credentials and connections. */
void telemetry_dispatcher_restored(struct telemetry_dispatcher *d);

/* The invocation with this id has started: what comes is its own. */
void telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id);

/* The account that the function belongs to, for `enriched`; the text stays the caller's. */
void telemetry_dispatcher_of_account(struct telemetry_dispatcher *d, struct span account_id);

/* The random id that tells this sandbox from all others; another one after telemetry_dispatcher_restored. */
struct span telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d);

/*
 * Whether an extension's event is a line that the dead letter wrote to standard error, and that has come
 * back; each is taken for one once.
 */
bool telemetry_dispatcher_wrote(struct telemetry_dispatcher *d, const struct event *event);

/* Where all that becomes of events is counted; whoever knows of something else counts it there himself. */
struct ledger *telemetry_dispatcher_ledger(struct telemetry_dispatcher *d);

/* Events that are queued or under way. */
uint64_t telemetry_dispatcher_queued(const struct telemetry_dispatcher *d);

/* Brings what the ledger says of connections up to date. */
void telemetry_dispatcher_account(struct telemetry_dispatcher *d);

/* Gives up what is left and counts it, and every event that still comes. */
void telemetry_dispatcher_end(struct telemetry_dispatcher *d);

#endif
