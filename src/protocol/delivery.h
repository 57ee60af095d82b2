#ifndef DELIVERY_H
#define DELIVERY_H
/*
 * When which records of the queue are sent, and what a reply means for them: batches and their growth,
 * retries, the circuit breaker, the search for a record that poisons its batch (suspect.h), the pace of
 * a stream that throttles (pace.h), and what goes to the dead letter when (dead_letter_schedule.h).
 *
 * A pure state machine. It reads no clock, draws no random number from outside, owns no socket, writes
 * no log and calls nobody. Its driver reports what has happened, then carries out orders until it may
 * wait:
 *
 *     delivery_replied(d, now, &reply);
 *     while (delivery_next(d, now, &order) != DELIVERY_WAIT)
 *         carry_out(&order);               (this may report, too; nothing here calls back)
 *     wait until order.at_ms or the next report
 *
 * The same reports at the same moments give the same orders.
 *
 * A batch goes when a flush is wanted, when it is full, or when its oldest record has waited for
 * TELEMETRY_LINGER_MS. An open record of several events (intake.h) becomes one of these when it is due
 * by the same rule and a call may be made: until then more events come into it. Records that failed stay in the queue and go first in a later batch, after a wait with full
 * jitter; fresh ones do not wait for them. A call that failed as a whole makes all wait. After one that
 * brought no reply in time the next batch is half as large. While the stream throttles some of the
 * records, batches are as large and as frequent as what it takes.
 *
 * After AWS_MAX_ATTEMPTS calls in a row that brought nothing the circuit breaker opens: no invocation is
 * held for a stream that cannot be reached, and nothing is dropped for that.
 *
 * Invariants, which delivery_check looks after in the builds that check them:
 *   - received = delivered + dead-lettered + dropped + queued, in events
 *   - a record is QUEUE_SENT if and only if it is in the batch of a call that is under way; there is
 *     at most one call to the stream and one to the dead letter
 *   - breaker closed: after a failure no SEND before the back-off is over, but for the one that is made
 *     again at once (credentials, clock); breaker open: one SEND an interval, of 25 records at most
 *   - DELIVERY_WAIT without a moment only if nothing is left that could be sent, or it is asleep
 */
#include "protocol/ahead.h"
#include "protocol/breaker.h"
#include "protocol/dead_letter_schedule.h"
#include "protocol/intake.h"
#include "protocol/moment.h"
#include "protocol/pace.h"
#include "protocol/retry.h"
#include "protocol/suspect.h"

/*
 * The platform holds back what is not read, and drops what is too much for it. After so long without any
 * room it is better that we drop, and the function's end is heard.
 */
#define DELIVERY_PATIENCE_MS 5000

/* The order of orders, the most urgent first. */
enum delivery_act {
    DELIVERY_WAIT,       /* nothing to do before at_ms; UINT64_MAX: before the next report */
    DELIVERY_NOTE,       /* one line for the log: note, failures */
    DELIVERY_ABORT,      /* give up the call to the stream, then report delivery_aborted */
    DELIVERY_ABORT_DEAD, /* the same of the call to the dead letter: delivery_dead_aborted */
    DELIVERY_REFRESH, /* the service refused the credentials: fetch them anew before the next use */
    DELIVERY_RESUME,  /* an event was refused, and there may be room again: offer it again */
    DELIVERY_CONNECT, /* to the stream, ahead of need; credentials are wanted soon */
    DELIVERY_CREDENTIALS, /* a call is due: report delivery_credentials, now */
    DELIVERY_SEND, /* PutRecords with queue's batch QUEUE_STREAM; ends with delivery_replied */
    DELIVERY_BURY  /* batch QUEUE_DEAD_LETTER to the dead letter; ends with delivery_buried */
};

enum delivery_note {
    DELIVERY_FULL, /* warning: the queue has been full for long; events are dropped by TELEMETRY_DROP */
    DELIVERY_OPENED,  /* info: the breaker has opened, after so many failures */
    DELIVERY_RECOVERS /* info: records are accepted again, after so many failures */
};

struct delivery_order {
    uint64_t at_ms; /* of DELIVERY_WAIT: monotonic clock */
    enum delivery_note note;
    unsigned failures;
    /* SEND: 0, or the longest silence of a peer on a connection that has served a call before, after
     * which the call is made again on a new one. BURY: the longest silence of the peer. */
    uint32_t silence_ms;
    bool
        again; /* BURY: these records may have been written before, under the name of the last call */
    bool keyless; /* SEND: the records go without their keys */
};

/* What a call to the stream came to. The message is used during the call of delivery_replied alone. */
struct delivery_reply {
    int result;      /* 0: there is a reply, or nothing was sent; ERR_IO, ERR_BAD, ERR_LATE */
    unsigned status; /* of the reply; 0 with result 0: nothing was sent, no credentials */
    enum retry_class class;  /* of the reply's code and status; of an accepted one anything */
    bool records;            /* delivery_record was called for each record */
    bool skewed;             /* the signature's time was refused, and the clock is corrected */
    bool hopeless;           /* without a reply: trying again soon cannot help */
    enum wire_form form;     /* that records are to be measured by from now on */
    struct span message;     /* of an error: may name records */
    uint32_t retry_after_ms; /* the service asks to wait so long; 0: it does not */
    unsigned requests;       /* written for this call, repeats included; 0: it got no connection */
    unsigned unanswered;     /* of these, sent whole without a whole reply */
    unsigned doubtful;       /* replies that leave open whether the batch was written */
};

/* What a reply is worth in the log. */
enum delivery_worth {
    DELIVERY_UNREMARKABLE, /* the call is made again at once: no line */
    DELIVERY_ERROR,        /* the failure, as an error */
    DELIVERY_PARTLY,       /* records were refused while others were accepted: information */
    DELIVERY_WELL,         /* all accepted: a later failure is news again */
    DELIVERY_KEYED         /* records have keys from now on, these at once: a warning */
};

enum delivery_credentials {
    DELIVERY_READY,  /* there are some, or never will be: the call tells */
    DELIVERY_COMING, /* they are being fetched: a report tells the end of it */
    DELIVERY_NONE    /* a fetch has ended without any */
};

/*
 * Whether records go without their keys (TELEMETRY_PARTITION_KEY=none), which only a stream whose record distribution is
 * AUTO takes. Until it has taken one, a call that is refused for what is in it, whatever that is said to be, means that
 * keys are needed: nothing follows for its records, and they are sent with keys at once.
 */
enum delivery_keys {
    KEYS_SENT,    /* they go with them */
    KEYS_DOUBTED, /* without, and none has been accepted so yet */
    KEYS_NEEDLESS /* without, as they are accepted */
};

/* The call that is under way; what is known of the last one afterwards. */
struct delivery_call {
    bool under_way;
    bool hopeful;    /* a record that failed may do better in its next try */
    bool full;       /* the batch has as many records as were allowed */
    bool at_pace;    /* those that were throttled go with the next batch (pace.h) */
    bool wants_keys; /* something of it was refused that may want keys */
    enum queue_take_what what;
    uint32_t len;
    uint32_t events; /* that may be there twice when the call is made again */
    uint32_t accepted;
    uint32_t throttled;     /* records that a shard had no room for */
    uint32_t resent;        /* records that were in a batch before */
    unsigned most_attempts; /* of its records that failed */
    enum retry_class class; /* of its failures */
    uint64_t begun_ms;
};

/* When there may be a next one. */
struct delivery_backoff {
    uint64_t calls_at_ms;  /* no call before */
    uint64_t failed_at_ms; /* no record that failed goes before */
    bool at_once;          /* the present row of failures had its one retry without a wait */
    unsigned cramped; /* calls in a row of a record that waits for room, for which calls_at_ms is */
    unsigned in_vain; /* calls of the last chance after which only a change could help */
    uint64_t bytes_before; /* the ledger's, at the last call of which each record was refused */
};

/* Who waits for it. */
struct delivery_urgency {
    uint64_t deadline_ms;    /* until when delivery is awaited; 0: nobody waits */
    uint64_t fresh_since_ms; /* since when the oldest fresh record may be waiting */
    uint64_t bury_at_ms;     /* at the end: what is left goes to the dead letter; 0: it does not */
    uint32_t stream_ms;      /* the time that the stream has at the last chance */
    uint32_t flush_fresh;    /* so many of the fresh records go now */
    uint64_t open_since_ms;  /* since when the oldest event of the open record waits */
    bool flush_open;         /* that goes now, too */
    bool open_stuck;         /* the queue had no room for it */
    bool flush;              /* what is dead goes now, too; until all is delivered */
    bool last_chance;        /* the sandbox ends: no rest any more */
    bool over;               /* nothing goes to the stream any more */
    bool asleep;             /* nothing goes anywhere before a restoration or the last chance */
};

/* The queue that is full. */
struct delivery_full {
    bool refused;         /* an event had no room since the last DELIVERY_RESUME */
    bool waits;           /* patience is running out */
    bool overflow;        /* it has: events are dropped */
    bool told;            /* of that, since the queue was last half empty */
    uint32_t patience_ms; /* how long it may be full before that */
    uint32_t left_ms;     /* of it */
    uint64_t seen_ms;     /* when left_ms was brought up to date */
};

/* Orders that wait for delivery_next. */
struct delivery_pending {
    bool full, opened, recovers; /* notes */
    bool refresh, resume, connect;
    bool ready;                         /* there are credentials, for the call that is due */
    uint64_t credentials_at_ms;         /* they are coming: asked again then, or at a report */
    unsigned failures, failures_before; /* of the notes opened and recovers */
};

struct delivery {
    const struct settings *settings;
    struct ledger ledger; /* its requests, connections and handshakes are the driver's */
    struct queue queue;
    struct intake intake;
    struct breaker breaker; /* by the wall clock, which goes on in a freeze */
    struct retry_quota quota;
    struct ahead ahead;
    struct suspect suspect;
    struct pace pace;
    struct dead_letter_schedule dead;
    struct delivery_call call;
    struct delivery_backoff backoff;
    struct delivery_urgency urgency;
    struct delivery_full full;
    struct delivery_pending pending;
    uint32_t batch_max; /* records that a batch may have now */
    enum delivery_keys keys;
    enum wire_form form; /* that records are measured by, with their keys */
    uint64_t random;     /* for jitter */
    bool news;           /* there may be an order before the moment of the last DELIVERY_WAIT */
};

/* Memory that delivery_init needs, for the queue and for records that are too large. */
size_t delivery_bytes(const struct settings *settings);

/*
 * Sets all of the struct. The settings and the memory, delivery_bytes of it, aligned to 8, belong to it from now on; of the
 * settings it uses those of records, keys, queue, attempts and dead letter.
 */
void delivery_init(struct delivery *d, const struct settings *settings, char *memory,
                   const struct intake_seed *seed);

/* --- reports --- */

/*
 * An event that is to be forwarded. Returns 0; ERR_FULL: there is no room, again at DELIVERY_RESUME.
 * There may be orders afterwards if `news` is set; to ask for them can wait for the end of what is
 * being read.
 */
int delivery_event(struct delivery *d, struct moment now, const struct event *event);

/* An event is lost: counted. */
void delivery_lost(struct delivery *d, enum ledger_drop reason);

/* What there is now is to be sent without waiting for more. */
void delivery_flush(struct delivery *d);

/* An invocation begins, or the sandbox is ready: connects ahead of need (ahead.h). */
void delivery_open(struct delivery *d);

/*
 * How long the queue may be full before events are dropped, so that reading goes on; DELIVERY_PATIENCE_MS
 * at first. Counts for a queue that is full already, too. A freeze counts for nothing.
 */
void delivery_patience(struct delivery *d, struct moment now, uint32_t ms);

/* Someone waits for delivery until then: what waits for its next try goes sooner. 0: nobody does. */
void delivery_await(struct delivery *d, struct moment now, uint64_t deadline_ms);

/* The sandbox ends at this moment: sends without rest until then, and buries what is left. */
void delivery_last_chance(struct delivery *d, struct moment now, uint64_t deadline_ms);

/*
 * One record's fate, before delivery_replied: the index in the batch that was sent; the code is empty
 * when it was accepted. In order, each record once, or none at all.
 */
void delivery_record(struct delivery *d, size_t index, struct span code);

/* The call has ended. */
enum delivery_worth delivery_replied(struct delivery *d, struct moment now,
                                     const struct delivery_reply *reply);

/* The call was given up. Nothing follows from that but that its records may be there. */
void delivery_aborted(struct delivery *d, unsigned unanswered);

/* The call to the dead letter has ended. */
void delivery_buried(struct delivery *d, struct moment now, const struct dead_letter_reply *reply);

/* It was given up. */
void delivery_dead_aborted(struct delivery *d, bool unanswered);

/* The answer to DELIVERY_CREDENTIALS; and the end of a fetch, READY or NONE. */
void delivery_credentials(struct delivery *d, struct moment now, enum delivery_credentials c);

/*
 * What TELEMETRY_RECORD_FORMAT=cloudwatch has to know: the function's account, without which its format is not used; and,
 * once more when a copy is restored, its log stream, as it stands in a JSON string.
 */
void delivery_account(struct delivery *d, struct span account_id);
void delivery_log_stream(struct delivery *d, struct span name);

/* Other random numbers: to be given when delivery_wants_seed, soon. */
void delivery_reseed(struct delivery *d, uint64_t seed);

/*
 * This process may be copied from now on (SnapStart): nothing is sent, connected to or fetched before
 * delivery_restored or delivery_last_chance. The ledger starts anew with what is queued, which may be there
 * already as often as before, and nothing that was learnt of the stream holds any more. No call is under way.
 */
void delivery_sleep(struct delivery *d);

/*
 * This process may be a copy, which is not certain: new identity and random numbers, so that no other copy gives
 * the next events the same names.
 */
void delivery_rename(struct delivery *d, const struct intake_seed *seed);

/*
 * This process is a copy, and was asleep: as delivery_rename; and what is queued goes out. Each record of that is
 * possibly a double, since every copy has it.
 */
void delivery_restored(struct delivery *d, const struct intake_seed *seed);

/* What is left is dropped and counted, and so is every event that still comes. No call is under way. */
void delivery_end(struct delivery *d);

/* --- orders --- */

enum delivery_act delivery_next(struct delivery *d, struct moment now,
                                struct delivery_order *order);

/* --- questions --- */

/* A seed serves for 256 keys, so that a copy of the process that does not know it gets its own. */
bool delivery_wants_seed(const struct delivery *d);

/* Nothing is queued or under way, but for what is left to the dead letter. */
bool delivery_delivered(const struct delivery *d);

/* Events that are queued or under way. */
uint64_t delivery_queued(const struct delivery *d);

/* The same as delivery_delivered, and nothing for the dead letter. */
bool delivery_drained(const struct delivery *d);

/* The queue is more than half full. */
bool delivery_crowded(const struct delivery *d);

/*
 * Whether waiting for delivery brings nothing: the breaker is open, or, if the end of the waiting is
 * known, no call is under way or due before until_ms.
 */
bool delivery_pointless_until(const struct delivery *d, struct moment now, uint64_t until_ms,
                              bool known);

/* How much silence the call under way may have at the last chance, as in an order; else 0. */
uint32_t delivery_hurry_ms(const struct delivery *d, struct moment now);

/* In builds that check them, the invariants; else nothing. */
void delivery_check(const struct delivery *d);

#endif
