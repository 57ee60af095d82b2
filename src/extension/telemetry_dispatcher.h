#ifndef TELEMETRY_DISPATCHER_H
#define TELEMETRY_DISPATCHER_H
/*
 * Takes events into the queue and decides when a batch goes to Kinesis.
 *
 * A batch goes when a flush is wanted, when it is full, or when its oldest record has waited for
 * linger_ms. Records that failed stay in the queue and go first in a later batch, after a wait with
 * full jitter; fresh ones do not wait for them. A call that failed as a whole makes all wait. After
 * one that brought no reply in time the next batch is half as large.
 *
 * After AWS_MAX_ATTEMPTS calls in a row that brought nothing, sending rests for a while, longer
 * each time up to 30 s, so that no invocation is held for a stream that cannot be reached; nothing
 * is dropped for that. A record is dropped only when it is larger than Kinesis takes, when a call
 * that holds it alone is refused for what it is, at the end of the sandbox, or, refused
 * AWS_MAX_ATTEMPTS times by itself, when the queue needs its room.
 */
#include "extension/kinesis.h"
#include "protocol/ledger.h"
#include "protocol/retry.h"

struct telemetry_dispatcher {
    const struct settings *settings;
    struct loop *loop;
    struct queue queue;
    struct kinesis kinesis;
    struct ledger ledger;
    struct event_origin origin; /* what `enriched` tells; request_id as of the latest start */
    uint64_t deadline_ms;       /* monotonic: until when delivery is awaited; 0: nobody waits */
    bool flush;                 /* send what there is now; over when the queue is empty */
    /* Something was delivered, failed or came to rest. */
    void (*changed)(void *context);
    /* A call has ended, so the queue may have room again. */
    void (*room)(void *context);
    void *context;

    /* private */
    struct loop_timer timer;
    struct queue_batch batch;
    uint32_t batch_max; /* records that a batch may have now */
    bool sending;
    bool over;               /* events are only counted */
    bool last_chance;        /* the sandbox ends: no rest any more */
    unsigned failures;       /* calls in a row that brought nothing */
    unsigned rests;          /* in a row */
    uint64_t calls_at_ms;    /* no call before */
    uint64_t failed_at_ms;   /* no record that failed goes before */
    uint64_t rest_until_ms;  /* 0: not resting */
    uint64_t fresh_since_ms; /* since when the oldest fresh record may be waiting */
    uint64_t sequence;
    unsigned accepted;      /* of the batch under way */
    unsigned resent;        /* of the batch under way: records that were in one before */
    uint64_t calls_before;  /* requests begun before it */
    unsigned most_attempts; /* of its records that failed */
    enum retry_class class; /* of its failures */
    char logged[256];       /* the last failure that was logged */
    size_t logged_len;
    char sandbox[32];
    char request_id[64];
    char random[256]; /* for partition keys */
    size_t random_left;
};

size_t telemetry_dispatcher_bytes(const struct settings *settings);

/* settings, callbacks and context are set by the caller. Returns 0, or ERR_FULL. */
int telemetry_dispatcher_init(struct telemetry_dispatcher *d, struct loop *loop, struct storage *s);

/* Takes an event that is to be forwarded. Returns 0, or ERR_FULL: not now; again at `room`. */
int telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event);

/* An event is lost. */
void telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason);

/* The invocation with this id has started. */
void telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id);

/* Sends if something is due. */
void telemetry_dispatcher_run(struct telemetry_dispatcher *d);

/* Nothing is queued or under way. */
bool telemetry_dispatcher_drained(const struct telemetry_dispatcher *d);

/*
 * Whether waiting for delivery brings nothing: sending rests, or, if the end of the waiting is
 * known, no call is under way or due before until_ms.
 */
bool telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms,
                                     bool known);

/* Someone waits for delivery until then: what waits for its next try goes sooner. */
void telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* The sandbox ends at this moment of the monotonic clock: sends without rest until then. */
void telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* Gives up what is left and counts it, and every event that still comes. */
void telemetry_dispatcher_end(struct telemetry_dispatcher *d);

#endif
