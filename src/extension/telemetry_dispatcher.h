#ifndef TELEMETRY_DISPATCHER_H
#define TELEMETRY_DISPATCHER_H
/*
 * Delivers telemetry: does what protocol/delivery decides.
 *
 * The records of the queue go to Kinesis (kinesis.h), and those that the stream does not take to
 * TELEMETRY_DEAD_LETTER (dead_letter.h). Which of them are sent when, and what follows from a reply, is
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
    /* Something was delivered or has failed, or nothing more is to be done now. */
    void (*changed)(void *context);
    /* There may now be room for an event that had none. */
    void (*room)(void *context);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer timer; /* when delivery wants to be asked again */
    struct delivery delivery;
    unsigned thaws; /* the loop's, when an event last came while asleep */
    bool driving;   /* orders are being carried out */
    bool reported;  /* `changed` is to be called when they are */
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
 * An invocation begins, or the sandbox is ready: opens the connection in advance (protocol/ahead.h), unless
 * that is known to be pointless. A call that went through a freeze is given less time than others.
 */
void telemetry_dispatcher_open(struct telemetry_dispatcher *d);

/* Takes an event that is to be forwarded. Returns 0, or ERR_FULL: there is no room; try again at `room`. */
int telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event);

/*
 * How long the queue may be full before events are dropped and counted, so that reading continues;
 * DISPATCHER_PATIENCE_MS at first. Also applies to a queue that is full already.
 */
void telemetry_dispatcher_patience(struct telemetry_dispatcher *d, uint32_t ms);

/* An event is lost. */
void telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason);

/* Everything queued so far is to be sent without waiting for more; takes effect at the next run. */
void telemetry_dispatcher_flush(struct telemetry_dispatcher *d);

/* Sends if something is due. */
void telemetry_dispatcher_run(struct telemetry_dispatcher *d);

/* Nothing is queued or under way. */
bool telemetry_dispatcher_drained(const struct telemetry_dispatcher *d);

/* The same, except for what is left to the dead letter. */
bool telemetry_dispatcher_delivered(const struct telemetry_dispatcher *d);

/* The queue is more than half full. */
bool telemetry_dispatcher_crowded(const struct telemetry_dispatcher *d);

/*
 * Whether waiting for delivery is pointless: the breaker is open, or, if the end of the wait is known, no
 * call is under way or due before until_ms.
 */
bool telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms,
                                     bool known);

/* Someone waits for delivery until this moment, so retries are made sooner. 0: nobody waits any more. */
void telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* The sandbox ends at this moment of the monotonic clock: sends continuously until then. */
void telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms);

/* Abandons calls that are under way, and accounts for them. To be followed by telemetry_dispatcher_sleep. */
void telemetry_dispatcher_stop(struct telemetry_dispatcher *d);

/*
 * A snapshot of this process may be taken from now on (SnapStart): closes connections, and forgets
 * what copies must not share: counters, and what was learnt of peers. Sends nothing before
 * telemetry_dispatcher_restored or _last_chance.
 */
void telemetry_dispatcher_sleep(struct telemetry_dispatcher *d);

/* This process is a copy, and was asleep: new identity, random numbers and credentials. */
void telemetry_dispatcher_restored(struct telemetry_dispatcher *d);

/* The invocation with this id has started: the events that follow are its own. */
void telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id);

/* What `enriched` and `cloudwatch` know of the next event, to be looked at, and to be changed for it. */
struct event_origin *telemetry_dispatcher_origin(struct telemetry_dispatcher *d);

/* Room for EVENT_MAX_BYTES that it uses itself in telemetry_dispatcher_event. */
char *telemetry_dispatcher_scratch(struct telemetry_dispatcher *d);

/* The account that the function belongs to, for `enriched` and `cloudwatch`; the text stays the caller's. */
void telemetry_dispatcher_of_account(struct telemetry_dispatcher *d, struct span account_id);

/* For `cloudwatch`: the function's log stream, as it stands in a JSON string. */
void telemetry_dispatcher_of_stream(struct telemetry_dispatcher *d, struct span log_stream);

/* The random id that tells this sandbox from all others; another one after telemetry_dispatcher_restored. */
struct span telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d);

/*
 * Whether an extension's event is a line that the dead letter wrote to standard error and that has come
 * back, for the first time or again.
 */
bool telemetry_dispatcher_wrote(struct telemetry_dispatcher *d, const struct event *event);

/* The ledger in which every outcome of an event is counted; other actors add what only they know. */
struct ledger *telemetry_dispatcher_ledger(struct telemetry_dispatcher *d);

/* Events that are queued or under way. */
uint64_t telemetry_dispatcher_queued(const struct telemetry_dispatcher *d);

/* Updates the ledger's counters of connections. */
void telemetry_dispatcher_account(struct telemetry_dispatcher *d);

/* Drops and counts what is left, and every event that still comes. */
void telemetry_dispatcher_end(struct telemetry_dispatcher *d);

#endif
