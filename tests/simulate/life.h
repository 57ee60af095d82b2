#ifndef LIFE_H
#define LIFE_H
/*
 * One sandbox's life: the delivery machine (protocol/delivery.h) among a platform, a client, a stream
 * and a dead letter that are played. All of it follows from the seed.
 */
#include "lives.h"
#include "plan.h"
#include "protocol/delivery.h"
#include "stream.h"

enum { EVENTS_MAX = 12288, PIECES_MAX = 65536, CODES_MAX = 48 };

/* An event that was logged: its number is its place, and stands in its text. */
struct logged {
    uint8_t in_stream; /* how often its record is there */
    uint8_t accepted;  /* how often the machine heard that it is */
    uint8_t in_letter; /* how often it was written there */
    uint8_t refused;   /* how often by itself, within a call that was not refused */
    uint8_t alone;     /* how often a call of it alone was refused */
    bool split : 1;    /* it was seen in pieces, each of which is a struct piece */
    bool poison : 1, named : 1, sick : 1, large : 1;
    bool lost : 1;    /* counted as lost when it came */
    uint32_t len;     /* of what it logged */
    uint32_t in_call; /* the last call that its record was in */
    uint32_t record;  /* the first event of that record */
    uint32_t bytes;   /* of that record */
    int32_t next;     /* the next event in it; -1: none */
    int32_t pieces;   /* the first of them; -1: none */
    uint32_t key;     /* a hash of that record's, if it is its own; 0: it was in no call yet */
};

/* A record that is a part of an event. */
struct piece {
    uint32_t event;
    uint64_t path; /* its own, a hash of the numbers of the parts that it is of */
    uint64_t up;   /* that of the piece or event that it was split from */
    uint16_t part, parts;
    uint8_t in_stream, accepted, in_letter;
    uint32_t in_call;
    int32_t next; /* of the same event; -1: none */
};

/* A record that was recognised: its event, or the first of its events, and the piece of it, or -1. */
struct known {
    uint32_t event;
    int32_t piece;
};

/* Goes through the events of a record, of which i is the number; that of a piece is one. */
#define EACH_EVENT(w, known, i)                                                                    \
    for (int32_t i = (int32_t)(known).event; i >= 0;                                               \
         i = (known).piece < 0 ? (w)->events[i].next : -1)

/* The clocks of the world, and of the sandbox. */
struct clock {
    uint64_t ms;             /* of the world */
    uint64_t stood_ms;       /* the sandbox's monotonic clock has stood still for so long */
    uint64_t frozen_ms;      /* the sandbox has been frozen for so long */
    uint64_t long_frozen_ms; /* the same without the first tick of each freeze (delivery.h) */
    int64_t wall_off_ms;     /* that its wall clock is off */
};

/* The call to the stream that is under way. */
struct client_call {
    bool under_way;
    uint64_t begun_ms, ends_ms; /* of the world */
    uint32_t len;
    uint32_t events; /* of its records */
    struct delivery_reply reply;
    struct span code;
    uint32_t resent;  /* records that were in a call before */
    bool carried_out; /* by the service */
    bool again;       /* it was before that, too */
    bool throttled;   /* some of its records were */
    bool for_record;  /* it was refused for what a record is, or as if it were */
    bool keyless;
    bool doubted; /* none has been accepted so yet */
    /* of the records, as many as there are; what is above is cleared with each call */
    uint8_t codes[BATCH_MAX_RECORDS]; /* 0: accepted */
    struct known known[BATCH_MAX_RECORDS];
    uint32_t bytes[BATCH_MAX_RECORDS];
    char message[512];
};

struct client {
    struct client_call call;
    bool connected;
    uint64_t used_ms;
    enum wire_form form;
    int64_t offset_ms; /* of the service's clock, as far as it is known */
    enum { CREDENTIALS_GOOD, CREDENTIALS_REFUSED, CREDENTIALS_NONE } credentials;
    bool refused; /* they are to be fetched anew before they are used again */
    bool fetching;
    uint64_t fetched_ms; /* when the fetch ends */
    uint64_t calm_ms;    /* no fetch before */
};

/* For a while all calls end in one way. */
struct outage {
    uint64_t from_ms, to_ms;
    enum fault how;
};

/* What an object in S3 takes less than, when nothing is wrong. */
#define LETTER_MAX_MS 50

struct letter_call {
    bool under_way;
    uint64_t ends_ms;
    uint32_t written; /* in truth */
    uint32_t len;
    struct dead_letter_reply reply;
    uint32_t first; /* of its records, which stand for the object's name */
};

/* The platform, and the extension's life cycle, which is between it and the machine. */
struct platform {
    enum { LIFE_IDLE, LIFE_RUNNING, LIFE_HELD, LIFE_ENDING } state;
    bool frozen;
    bool asked;         /* `next` is asked for */
    bool ended;         /* the end of the invocation was heard */
    bool stopped;       /* reading has: the queue is full */
    bool drawn;         /* the next event is, and was not taken yet */
    uint64_t frozen_ms; /* of the world: since when */
    uint64_t
        step_ms; /* of the world: what happens next on the platform's side; UINT64_MAX: nothing */
    uint64_t feed_ms;     /* the listener reads on */
    uint64_t hold_ms;     /* the life cycle asks itself again; UINT64_MAX: it does not */
    uint64_t done_ms;     /* monotonic: when the invocation ended */
    uint64_t deadline_ms; /* monotonic */
    uint64_t end_ms;      /* monotonic: SHUTDOWN's deadline */
    uint64_t stopped_ms;  /* monotonic */
    uint32_t patience_ms;
    uint32_t posts_left; /* of the invocation */
    uint32_t post_events;
    uint32_t feed_left; /* events of the POST that is read */
    uint32_t feed_pace; /* events that are read at once */
    bool last_post;     /* the invocation's end is behind them */
    unsigned invocations;
    unsigned calm;    /* of these, since all faults have ceased */
    uint64_t calm_ms; /* of the world: since when they have; 0: they have not */
    char request_id[40];
};

/* What is remembered for the laws. */
struct laws {
    const char *broken;
    struct ledger before;
    struct ledger told; /* as of the last line about it */
    uint64_t doubles;   /* records that are there twice */

    uint64_t wait_ms;    /* what the machine asked for last */
    unsigned idle_wakes; /* in a row, after which it had nothing to do */
    uint64_t news_ms;    /* since when */

    /* the last call; if it failed as a whole: */
    bool well; /* it brought something */
    bool failed;
    bool may_at_once; /* the next one may do better at once */
    bool hurried;     /* somebody waits for delivery */
    uint64_t failed_ms;
    uint32_t hint_ms; /* that the service asked for */
    enum retry_class class;

    /* since something was accepted */
    enum delivery_keys keys; /* whether they go along */
    bool keyed;              /* from the last reply on */

    bool at_once;      /* a call was made at once after one that failed */
    unsigned in_a_row; /* calls that failed */
    unsigned silent;
    bool hopeless;            /* the last of them: only a change from outside helps */
    unsigned failures_before; /* as the breaker counts them, before the last reply */
    unsigned probes;          /* failures with the breaker open, the one that opened it included */
    uint64_t probe_wall_ms;
    uint32_t jumps, jumps_seen; /* of the wall clock, by then */

    unsigned openings; /* of the breaker */
    bool to_tell_open, to_tell_recovery;
    bool ready;                   /* there are credentials, for one call */
    bool fetched_at_end;          /* after SHUTDOWN, so that they may have come late */
    bool to_refresh;              /* credentials were refused */
    uint32_t batch_most;          /* records of a batch */
    uint64_t fresh_ms;            /* when the oldest fresh record came, or the last call was made */
    uint64_t open_ms;             /* when the first event of the open record came */
    struct aggregate before_open; /* that, as it was before the event that is offered */
    uint32_t flushed;             /* events before this one go without waiting for more */

    uint32_t tokens, cost;   /* of the retry quota */
    uint64_t sent, accepted; /* records */
    uint64_t throttled_ms;   /* when some of a call were throttled */
    uint64_t answered_ms; /* of the world: when the last call began of which an end was reported */
    uint64_t burst_room;  /* in the shards when the burst began, in records */
    uint64_t burst_ms,
        burst_over_ms; /* of more than the shards take; when all of it was delivered */
    uint64_t burst_accepted;
    uint64_t retried;       /* the same, those that were in a batch before */
    uint64_t bytes;         /* accepted */
    uint32_t refused_calls; /* for what a record is */

    bool full; /* an event found no room since records left the queue */
    uint32_t patience_ms;
    uint64_t drop_from_ms,
        drop_by_ms;      /* when events are dropped for that, at the earliest and latest */
    uint64_t stopped_ms; /* since when reading has stopped, freezes left aside */

    uint64_t wait_from_ms, wait_until_ms; /* somebody waits for delivery; 0: nobody */
    uint64_t came_ms;                     /* of the world: when the last event was taken */
    uint64_t letter_ended_ms;
    bool letter_at_once; /* the next dead letter may be written at once */
    bool held;
    uint32_t held_calls; /* that there must have been for it */
    uint64_t held_ms;
    bool held_crowded; /* more than half of the queue was full then */
};

struct life {
    struct dice dice;
    struct plan plan;
    struct clock clock;
    struct client client;
    struct outage outage;
    unsigned framed; /* outages that looked as if a record were at fault */
    struct letter_call letter;
    struct platform platform;
    struct laws laws;
    struct stream stream;
    struct delivery machine;
    uint64_t machine_at_ms; /* what it waits for, monotonic */
    uint64_t hash;
    uint32_t calls, struck;

    bool aloud, over;
    uint32_t events_len, pieces_len;
    struct piece pieces[PIECES_MAX];
    struct logged events[EVENTS_MAX];
    char broken_text[200];
};

/* The sandbox's moment. */
struct moment life_now(const struct life *w);

/* Whether this fault strikes now; then it is counted. */
bool life_fault(struct life *w, enum fault fault);

/* One line about what happens, when the life is told. */
void life_say(struct life *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* service.c: what becomes of the call; it is carried out, perhaps once more; what was said of a record. */
void service_decide(struct life *w);
void service_carry_out(struct life *w);
struct span service_code(const struct client_call *call, uint32_t index);

/* client.c: carries out the orders about the stream; what happens by itself. */
void client_send(struct life *w, const struct delivery_order *order);
void client_abort(struct life *w);
void client_connect(struct life *w);
void client_refresh(struct life *w);
void client_credentials(struct life *w);
bool client_coming(const struct life *w); /* none to sign with now, but some are to come */
uint64_t client_next_ms(const struct life *w);
void client_step(struct life *w);
void client_thawed(struct life *w);

/* records.c: events, and which of them a record is of. */

/* Draws the event that is logged next; it counts once it was taken. */
void records_draw(struct life *w);
struct event records_event(const struct life *w);
void records_taken(struct life *w);

struct known records_know(struct life *w, const struct queue_record *record);
void records_stored(struct life *w, struct known known);
void records_accepted(struct life *w, struct known known);
void records_buried(struct life *w, struct known known, bool again);

/* Whether all that an event became was accepted, or was accepted or written to the dead letter. */
bool records_whole(const struct life *w, uint32_t event, bool letter_counts);

/* letter.c: carries out the orders about the dead letter. */
void letter_bury(struct life *w, const struct delivery_order *order);
void letter_abort(struct life *w);
void letter_step(struct life *w);

/* telemetry.c: events in POSTs, and how long the queue may be full. */
void telemetry_post(struct life *w);
void telemetry_feed(struct life *w);
void telemetry_resume(struct life *w);
void telemetry_patience(struct life *w, uint32_t ms);
void telemetry_renew_patience(struct life *w);

/* platform.c: invocations, how the life cycle holds them, freezes, SHUTDOWN. */
void platform_begin(struct life *w);
void platform_step(struct life *w);
bool
platform_check(struct life *w); /* whether it has reported anything that there may be orders for */
void platform_rest(struct life *w);
bool platform_holding(const struct life *w);

#endif
