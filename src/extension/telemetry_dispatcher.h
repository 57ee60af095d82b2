#ifndef TELEMETRY_DISPATCHER_H
#define TELEMETRY_DISPATCHER_H
/*
 * Delivers telemetry: does what protocol/delivery decides.
 *
 * The records of the queue go to Kinesis (kinesis.h), and what the stream does not take to
 * TELEMETRY_DEAD_LETTER (dead_letter.h). When which of them go, and what follows from a reply, is
 * decided in protocol/delivery.h alone; here are the clock, the sockets, the log and one timer.
 */
#include "extension/dead_letter.h"
#include "extension/failure_log.h"
#include "extension/kinesis.h"
#include "protocol/delivery.h"

/* How long a full queue may last, unless telemetry_dispatcher_patience says otherwise. */
#define DISPATCHER_PATIENCE_MS DELIVERY_PATIENCE_MS

struct telemetry_dispatcher {
    const struct settings *settings;
    /* Something was delivered, failed or came to rest. */
    void (*changed)(void *context);
    /* An event had no room, and there may be some now. */
    void (*room)(void *context);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer timer; /* when delivery wants to be asked again */
    struct delivery delivery;
    bool driving;  /* orders are being carried out */
    bool reported; /* `changed` is to be called when they are */
    struct aws_environment environment;
    struct credentials credentials;
    struct kinesis kinesis;
    uint64_t requests_before; /* begun before the call under way */
    uint64_t unanswered_before;
    struct failure_log failures;
    struct dead_letter letter;
    uint64_t letter_unanswered_before;
    struct failure_log letter_failures;
    struct own_lines own_lines; /* dead letters on standard error */
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
