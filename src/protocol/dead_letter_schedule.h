#ifndef DEAD_LETTER_SCHEDULE_H
#define DEAD_LETTER_SCHEDULE_H
/*
 * When which records of the queue go to TELEMETRY_DEAD_LETTER: those that can never be accepted or have
 * used up their attempts, and at the end of the sandbox whatever is left.
 *
 * They are gathered for a while, so that an object has many of them. What cannot be written stays in the
 * queue, and is tried again after a wait with full jitter. Records of which nobody knows whether they
 * were written stay together and are written under the same name until that is known, before any
 * others: so none of them is there twice.
 *
 * Pure, and a part of delivery.h, which takes the reports and gives the orders.
 */
#include "protocol/ledger.h"
#include "protocol/queue.h"
#include "protocol/retry.h"
#include "protocol/settings.h"

/* Records of one object. */
#define DEAD_LETTER_RECORDS_MAX 8192

/* What became of a batch. */
struct dead_letter_reply {
    uint32_t
        written; /* records of the batch, from its first on, that have been written: all or none
                       * with S3 */
    enum retry_class class; /* of a failure */
    bool skewed;            /* the signature's time was refused, and the clock is corrected */
    bool unanswered;        /* it was sent whole, and no whole reply came */
    bool doubtful;          /* the reply leaves open whether it was written */
    uint32_t retry_after_ms;
};

struct dead_letter_schedule {
    const struct settings *settings;
    struct queue *queue;
    bool flush; /* what there is goes now */
    bool sending;
    bool in_doubt; /* what is under way may have been written before */
    bool last_chance;
    unsigned failures; /* in a row */
    uint64_t since_ms; /* since when a record waits; 0: none does */
    uint64_t again_ms; /* no call before */
    uint64_t
        abort_at_ms; /* when a call of the time before the last chance has had its time; 0: never */
    uint64_t deadline_ms; /* of the last chance */
};

/*
 * When the next batch is due, given that none is under way; UINT64_MAX: there is none. To be asked after
 * each change: it notes since when a record waits.
 */
uint64_t dead_letter_schedule_due_ms(struct dead_letter_schedule *s, uint64_t now_ms);

/* Takes the next batch, QUEUE_DEAD_LETTER of the queue. */
void dead_letter_schedule_take(struct dead_letter_schedule *s);

/* How long its peer may be silent. */
uint32_t dead_letter_schedule_silence_ms(const struct dead_letter_schedule *s, uint64_t now_ms);

/*
 * The batch has been dealt with. Returns how many events have left the queue. refresh: the credentials
 * are to be fetched anew.
 */
uint32_t dead_letter_schedule_replied(struct dead_letter_schedule *s, uint64_t now_ms,
                                      uint32_t dice, const struct dead_letter_reply *r,
                                      bool *refresh);

/* It was given up: what is under way stays in the queue. */
void dead_letter_schedule_aborted(struct dead_letter_schedule *s, bool unanswered);

/*
 * The sandbox ends at this moment: waits that were chosen when there was more time are over, and a call
 * of that time is soon.
 */
void dead_letter_schedule_last_chance(struct dead_letter_schedule *s, uint64_t now_ms,
                                      uint64_t deadline_ms);

#endif
