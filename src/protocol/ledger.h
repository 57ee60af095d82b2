#ifndef LEDGER_H
#define LEDGER_H
/*
 * The account of every event: what came in equals what was delivered, plus what went to the dead
 * letter, plus what was dropped for a stated reason, plus what the settings of the selection let go, plus what is
 * still queued. An event in several
 * records counts as delivered when the last of them is, and as dropped when the first of them is.
 */
#include "protocol/out.h"

enum ledger_drop {
    DROP_OVERSIZE,   /* larger than the splitter, the queue or a Kinesis record allows */
    DROP_CUT,        /* the POST ended inside the event */
    DROP_UNREADABLE, /* not a telemetry event */
    DROP_REFUSED,    /* refused AWS_MAX_ATTEMPTS times, and the queue needed its room */
    DROP_OVERFLOW,   /* the queue was full and stayed full */
    DROP_SHUTDOWN,   /* not delivered when the sandbox ended */
    DROP_REASONS
};

/* Why an event is not wanted (selection.h). */
enum ledger_filter {
    FILTERED_LEVEL,   /* below TELEMETRY_LEVEL */
    FILTERED_PATTERN, /* not what TELEMETRY_FILTER asks for */
    FILTERED_SAMPLE,  /* of an invocation that TELEMETRY_SAMPLE_RATE leaves out */
    FILTERED_HELD, /* held for a failure that did not come, or for which others had to make room */
    FILTERED_REASONS
};

struct ledger {
    uint64_t received;      /* events of the types to forward */
    uint64_t delivered;     /* events that Kinesis acknowledged */
    uint64_t dead_lettered; /* events that the dead letter took instead, or their last record */
    uint64_t retried;       /* records in a batch that was sent again, counted each time */
    /* events of records whose send had an unknown outcome, counted each time, a part of an event as one; and
     * those of a POST that broke off and was not repeated, or not unchanged */
    uint64_t duplicates_possible;
    uint64_t repeated;  /* events passed over, as a POST that had broken off came again */
    uint64_t truncated; /* records that were cut down to what Kinesis takes */
    uint64_t split;     /* records more than events, where one became several */
    uint64_t own_lines; /* of ours that came back and were passed over; not received */
    uint64_t dropped[DROP_REASONS];
    uint64_t filtered[FILTERED_REASONS];
    uint64_t platform_dropped_records; /* by platform.logsDropped: never reached us */
    uint64_t platform_dropped_bytes;
    uint64_t bytes;         /* data and partition keys that Kinesis acknowledged */
    uint64_t records;       /* that it acknowledged */
    uint64_t payload_bytes; /* of their data, before compression */
    uint64_t units;         /* data and partition keys, each record's rounded up to whole KiB */
    uint64_t requests;
    uint64_t connections;
    uint64_t handshakes; /* of TLS, completed */
    uint64_t breaker_openings;
};

/* This many events that were received before are dropped. */
void ledger_drop(struct ledger *l, enum ledger_drop reason, uint64_t events);

/* One event is received and lost at once. */
void ledger_lose(struct ledger *l, enum ledger_drop reason);

/* So many events were received, and are not wanted. */
void ledger_filter(struct ledger *l, enum ledger_filter reason, uint64_t events);

uint64_t ledger_dropped(const struct ledger *l);

uint64_t ledger_filtered(const struct ledger *l);

/* Whether nothing is missing, given the number of events in the queue. */
bool ledger_holds(const struct ledger *l, uint64_t queued);

/* The counters as the inside of a JSON object. Returns 0 or ERR_FULL; 1,344 bytes suffice. */
int ledger_write(struct out *o, const struct ledger *l);

/* What metrics describe. At most 64 bytes of each text are used, which is the longest that Lambda allows. */
struct ledger_source {
    uint64_t time_ms;          /* since 1970 */
    struct span function_name; /* the metrics' dimension; "unknown" if it is empty */
    struct span function_version;
    struct span sandbox;
    struct span logger; /* by which we know the line as our own, if it is forwarded to us */
    uint64_t queued;
};

/*
 * What was counted since `before`, the ledger as of the last metrics written, as a document of
 * CloudWatch's embedded metric format: a line without its end. Queued is not a difference.
 *
 * Returns 0 or ERR_FULL; 4,096 bytes suffice: names and brackets take less than 1,600, nineteen
 * numbers 380, four texts of 64 bytes 1,536 when each byte is escaped.
 * Source: CloudWatch, embedded metric format specification.
 */
int ledger_write_metrics(struct out *o, const struct ledger *now, const struct ledger *before,
                         const struct ledger_source *about);

#endif
