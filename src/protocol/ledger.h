#ifndef LEDGER_H
#define LEDGER_H
/*
 * The account of every event: what came in equals what was delivered, plus what was dropped for a
 * stated reason, plus what is still queued.
 */
#include "protocol/out.h"

enum ledger_drop {
    DROP_OVERSIZE,   /* larger than the splitter, the queue or a Kinesis record allows */
    DROP_CUT,        /* the POST ended inside the event */
    DROP_UNREADABLE, /* no telemetry event */
    DROP_REFUSED,    /* refused AWS_MAX_ATTEMPTS times, and the queue needed its room */
    DROP_SHUTDOWN,   /* not delivered when the sandbox ended */
    DROP_REASONS
};

struct ledger {
    uint64_t received;  /* events of the types to forward */
    uint64_t delivered; /* records that Kinesis acknowledged */
    uint64_t retried;   /* records in a batch that was sent once more, each time counted */
    uint64_t dropped[DROP_REASONS];
    uint64_t platform_dropped_records; /* by platform.logsDropped: never reached us */
    uint64_t platform_dropped_bytes;
    uint64_t requests;
    uint64_t connections;
};

/* One event came in and is lost. */
void ledger_drop(struct ledger *l, enum ledger_drop reason, uint64_t events);

uint64_t ledger_dropped(const struct ledger *l);

/* The counters as the inside of a JSON object. Returns 0 or ERR_FULL; 1,024 bytes suffice. */
int ledger_write(struct out *o, const struct ledger *l);

#endif
