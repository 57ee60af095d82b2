#ifndef PACE_H
#define PACE_H
/*
 * How many records go how often while the stream throttles some of them, so that it gets what it can
 * take and not much more.
 *
 * A shard is a token bucket: so many records and bytes a second, and those of one second at once. A
 * reply of which some records were throttled says that the bucket is empty now; so the next one that
 * says so tells the rate: what was accepted, by the time between the two. Batches are half as large
 * again as that rate gives in the time since, so that nothing of it is lost and changes are seen; when
 * all of one is accepted the rate is taken for higher. It is over when batches of full size are accepted.
 *
 * Source: Kinesis quotas, 1,000 records and 1 MB a second for each shard.
 */
#include "protocol/span.h"

/* Starts as all zeros. */
struct pace {
    uint32_t per_second; /* records that the stream takes; 0: it throttles nothing */
    uint32_t accepted;   /* records since it last throttled */
    uint64_t empty_ms;   /* when that was */
    uint64_t next_ms;    /* no call before */
    uint32_t took_ms;    /* the last call, from its beginning to its end */
    uint32_t recent;     /* records accepted in the last second, about */
    uint64_t recent_ms;  /* since when these are counted */
};

/* What a reply has told of the records of a call. */
struct pace_reply {
    uint32_t sent, accepted, throttled;
    bool full;     /* the batch was as large as pace_records allowed */
    uint32_t most; /* records that a batch may have at all */
    uint32_t took_ms;
    uint32_t left_ms; /* that are left to deliver in; UINT32_MAX: nobody waits */
    uint32_t hint_ms; /* x-amz-retry-after; 0: none */
    uint32_t dice;    /* caller's random number: waits are not in step with those of others */
};

/*
 * A reply has come that tells what became of each record. Returns whether those that were throttled go
 * with the next batches, at the pace; else it is a few records that are throttled, and not the stream.
 */
bool pace_replied(struct pace *p, uint64_t now_ms, const struct pace_reply *r);

/* Someone waits from now on, for left_ms, who did not when the next call was put off. */
void pace_hurry(struct pace *p, uint64_t now_ms, uint32_t left_ms);

/* How many records a batch may have now, at most `most` and at least 1. */
uint32_t pace_records(const struct pace *p, uint64_t now_ms, uint32_t most);

#endif
