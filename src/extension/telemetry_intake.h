#ifndef TELEMETRY_INTAKE_H
#define TELEMETRY_INTAKE_H
/*
 * Makes records of events and puts them into the queue.
 *
 * A record that is larger than Kinesis takes is dealt with by TELEMETRY_OVERSIZE. When the queue
 * has no room the event is not taken, so that the listener stops reading and the platform keeps
 * what comes; only when that has lasted for long are events dropped by TELEMETRY_DROP, each of them
 * counted.
 *
 * Each event has a number when it is counted, from 0 on in each sandbox, whatever becomes of it then:
 * so a consumer of `enriched` records can tell a loss by a gap.
 */
#include "io/storage.h"
#include "protocol/event.h"
#include "protocol/ledger.h"
#include "protocol/queue.h"
#include "protocol/settings.h"

/* Source: Kinesis quotas: data and partition key of one record, unless the stream allows more. */
#define RECORD_MAX_BYTES 1048576

/* Random hexadecimal digits that tell this sandbox from all others. */
#define SANDBOX_LEN 32

struct telemetry_intake {
    const struct settings *settings;
    struct queue *queue;
    struct ledger *ledger;
    struct span common_key;     /* partition key of records that have none of their own */
    struct event_origin origin; /* what `enriched` tells; request_id as of the latest start */
    bool overflow;              /* the queue has been full for so long that events are dropped */
    bool last;                  /* the stream gets nothing more: records are for the dead letter */
    bool over;                  /* events are only counted */

    /* private */
    uint64_t sequence; /* of the next event */
    uint64_t first;    /* of this sandbox's events, which has number 0 */
    char *scratch;     /* for a record that is too large */
    char *rolled; /* for the oldest record on its way behind the youngest, which may be meanwhile */
    char sandbox[SANDBOX_LEN];
    char copied[SANDBOX_LEN]; /* the sandbox that this one is a copy of; its events may be here */
    char request_id[64];
    uint64_t random;      /* for partition keys */
    unsigned random_left; /* of them until the next seed */
};

size_t telemetry_intake_bytes(void);

/* settings, queue and ledger are set by the caller. Returns 0, or ERR_FULL. */
int telemetry_intake_init(struct telemetry_intake *in, struct storage *s);

/* Takes an event that is to be forwarded. Returns 0, or ERR_FULL: not now. */
int telemetry_intake_event(struct telemetry_intake *in, const struct event *event);

/* An event that cannot be taken, whatever room there is. */
void telemetry_intake_lost(struct telemetry_intake *in, enum ledger_drop reason);

/*
 * A record that the stream has refused for its size: TELEMETRY_OVERSIZE makes less of it, or several
 * in its stead, each with at most limit bytes of data. Returns 0; ERR_BIG: nothing can be made of it;
 * or ERR_FULL: the pieces have no room now. After both the record is as it was.
 */
int telemetry_intake_resize(struct telemetry_intake *in, uint32_t place, size_t limit);

/* The record leaves the way to the stream: to the dead letter if there is one, else dropped. */
void telemetry_intake_bury(struct telemetry_intake *in, uint32_t place, enum ledger_drop reason);

/* The invocation with this id has started. */
void telemetry_intake_request(struct telemetry_intake *in, struct span request_id);

/* This process is a copy of another one (SnapStart): it gets an identity of its own. */
void telemetry_intake_restored(struct telemetry_intake *in);

#endif
