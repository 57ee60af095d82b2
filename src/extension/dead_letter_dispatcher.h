#ifndef DEAD_LETTER_DISPATCHER_H
#define DEAD_LETTER_DISPATCHER_H
/*
 * Takes the records of the queue that are not for the stream any more to TELEMETRY_DEAD_LETTER:
 * those that can never be accepted or have used up their attempts, and at the end of the sandbox
 * whatever is left.
 *
 * They are gathered for a while, so that an object has many of them. What cannot be written stays
 * in the queue, and is tried again after a wait with full jitter. Records of which nobody knows whether
 * they were written stay together and are written under the same name until that is known, before any
 * others: so none of them is there twice.
 */
#include "extension/dead_letter.h"
#include "extension/failure_log.h"
#include "protocol/ledger.h"

/* Records of one object. */
#define DEAD_LETTER_RECORDS_MAX 8192

struct dead_letter_dispatcher {
    const struct settings *settings;
    struct loop *loop;
    struct queue *queue;
    struct ledger *ledger;
    struct dead_letter letter; /* its environment is set by the caller */
    struct span common_key;    /* partition key of records that have none of their own */
    bool flush;                /* what there is goes now */
    bool wrote;                /* of the last call: records have left the queue */
    /* A call has ended. */
    void (*changed)(void *context);
    void *context;

    /* private */
    struct loop_timer timer;
    struct queue_batch batch;
    uint32_t *places;
    bool sending;
    bool in_doubt;              /* what is under way may have been written before */
    uint64_t unanswered_before; /* it, as of http_client */
    unsigned failures;          /* in a row */
    uint64_t since_ms;          /* since when a record waits; 0: none does */
    uint64_t again_ms;          /* no call before */
    bool last_chance;
    uint64_t deadline_ms;
    struct failure_log log;
};

size_t dead_letter_dispatcher_bytes(const struct settings *settings);

/* What stands before the private members is set by the caller. Returns 0, or ERR_FULL. */
int dead_letter_dispatcher_init(struct dead_letter_dispatcher *d, struct loop *loop,
                                struct storage *s);

/* Writes if something is due. */
void dead_letter_dispatcher_run(struct dead_letter_dispatcher *d);

/*
 * The sandbox ends at this moment of the monotonic clock: waits that were chosen when there was more
 * time are over, and a call of that time is soon.
 */
void dead_letter_dispatcher_last_chance(struct dead_letter_dispatcher *d, uint64_t deadline_ms);

/* Gives up what is under way. */
void dead_letter_dispatcher_stop(struct dead_letter_dispatcher *d);

#endif
