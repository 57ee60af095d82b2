#ifndef INTAKE_H
#define INTAKE_H
/*
 * Makes records of events and puts them into the queue.
 *
 * With TELEMETRY_AGGREGATION=lines there is an open record (aggregate.h) that events come into. It goes into the
 * queue when the next event has no room in it or another partition key, and when its owner closes it. With
 * TELEMETRY_COMPRESSION=gzip that is compressed as they come; without lines it has one event, and is closed at once,
 * unless the queue has no room. An event that is longer than a record may be passes if it is not when it is compressed;
 * else TELEMETRY_OVERSIZE makes less of it first.
 *
 * A record that is larger than Kinesis takes is dealt with by TELEMETRY_OVERSIZE. When the queue has no
 * room the event is not taken, and its owner decides (delivery.h): whether the oldest record is dropped
 * for it, or the event, or neither, so that the listener stops reading and the platform keeps what comes.
 *
 * With TELEMETRY_RECORD_FORMAT=cloudwatch the open record is a message (subscription.h), or, as long as the function's account
 * is not known, holds lines of the format `event`.
 *
 * Each event has a number when it is counted, from 0 on in each sandbox, whatever becomes of it then:
 * so a consumer of `enriched` records can tell a loss by a gap.
 */
#include "protocol/aggregate.h"
#include "protocol/event.h"
#include "protocol/ledger.h"
#include "protocol/limits.h"
#include "protocol/queue.h"
#include "protocol/settings.h"
#include "protocol/subscription.h"

/* Random hexadecimal digits that tell this sandbox from all others. */
#define SANDBOX_LEN 32

/* Randomness for one sandbox's life, or for what follows its restoration. */
struct intake_seed {
    uint8_t sandbox[SANDBOX_LEN / 2]; /* its identity */
    uint64_t numbers;                 /* for partition keys and jitter */
};

/* What messages are made of. */
struct intake_messages {
    uint64_t wall_ms; /* of events that do not say when they were produced: set by the owner */

    /* private */
    char id[SUBSCRIPTION_ID_LEN]; /* of the next log event of the open one */
    size_t second;     /* where the id of a second one is in the scratch; 0: there is none */
    uint64_t event_ms; /* of the event in the scratch */
    uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN];
    char head[SUBSCRIPTION_HEAD_MAX];
    char stream[SUBSCRIPTION_STREAM_MAX];
    size_t stream_len; /* 0: it has not been told */
};

struct intake {
    const struct settings *settings;
    struct queue *queue;
    struct ledger *ledger;
    struct event_origin origin; /* what `enriched` tells; request_id as of the latest start */
    bool last;                  /* the stream gets nothing more: records are for the dead letter */
    bool over;                  /* events are only counted */
    unsigned random_left;       /* numbers until another seed is wanted; they go on without it */
    struct aggregate open;      /* events that are not in the queue yet */
    struct intake_messages messages;
    char *
        scratch; /* for a record that is too large; of use to others between the calls, EVENT_MAX_BYTES of it */

    /* private */
    size_t wanted;     /* bytes that there was no room for */
    uint64_t sequence; /* of the next event */
    uint64_t first;    /* of this sandbox's events, which has number 0 */
    char *rolled; /* for the oldest record on its way behind the youngest, which may be meanwhile */
    char sandbox[SANDBOX_LEN];
    /* what this one is a copy of, the latest first; events of theirs may be here */
    struct {
        char sandbox[SANDBOX_LEN];
        uint64_t first;
    } copied[2];
    char request_id[64];
    uint64_t random; /* for partition keys */
};

/* Memory that it needs. */
size_t intake_bytes(const struct settings *settings);

/* settings, queue, with no common key yet, and ledger are set by the caller. memory: intake_bytes. */
void intake_init(struct intake *in, char *memory, const struct intake_seed *seed);

/* Takes an event that is to be forwarded. Returns 0, or ERR_FULL: it is as if it had not come. */
int intake_event(struct intake *in, const struct event *event);

/*
 * Whether there is room by now for the event of the last ERR_FULL, if need be by moving the oldest
 * record, where its place is what keeps that of others from coming back.
 */
bool intake_has_room(struct intake *in);

/* What is open becomes a record of the queue. Returns 0, or ERR_FULL: it has no room, and what is open stays so. */
int intake_close(struct intake *in);

/* An event that cannot be taken, whatever room there is. */
void intake_lost(struct intake *in, enum ledger_drop reason);

/*
 * The record of the stream's batch that it has refused for its size: TELEMETRY_OVERSIZE makes less of it, or several in its
 * stead, each with at most limit bytes of data. One of several events becomes two whatever that says, each with some half
 * of the lines. Returns 0; ERR_BIG: nothing can be made of it, as of one that is compressed; or ERR_FULL: the pieces have
 * no room now. After both the record is as it was.
 */
int intake_resize(struct intake *in, uint32_t index, size_t limit);

/* The record of that batch leaves the way to the stream: to the dead letter if there is one, else dropped. */
void intake_bury(struct intake *in, uint32_t index, enum ledger_drop reason);

/*
 * What messages tell of the function: its account; its log stream, as it stands in a JSON string, which a restored sandbox
 * has to be told again, and which is made up if it is empty or too long. Not while a record is open and not sealed.
 */
void intake_account(struct intake *in, struct span account_id);
void intake_stream(struct intake *in, struct span log_stream);

/* The invocation with this id has started. */
void intake_request(struct intake *in, struct span request_id);

/* Other random numbers. */
void intake_reseed(struct intake *in, uint64_t numbers);

/* This process is a copy of another one (SnapStart): it gets an identity of its own. */
void intake_restored(struct intake *in, const struct intake_seed *seed);

#endif
