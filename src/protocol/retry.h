#ifndef RETRY_H
#define RETRY_H
/*
 * What an error means, how long to wait before sending again, and how often a failing service may be
 * called again.
 *
 * Source: SDK retry behaviour, mode "standard" as of 2026: rand(0,1) * min(base * 2^i, 20 s), a
 * quota of 500 tokens; Kinesis API reference, "Common Errors".
 */
#include "protocol/span.h"

/* What to do about a failure. */
enum retry_class {
    RETRY_TRANSIENT,    /* send again: connection, time-out, 5xx; base 50 ms */
    RETRY_THROTTLED,    /* the stream or the account is at its limit; base 1 s */
    RETRY_CREDENTIALS,  /* fetch new credentials, then send again at once, but only once */
    RETRY_SKEW,         /* correct the clock if it was wrong, then the same */
    RETRY_RECORD,       /* a record is at fault, or the size: find it, send the rest */
    RETRY_REQUEST,      /* the service makes nothing of what is in the request: as the next */
    RETRY_CONFIGURATION /* only a change from outside helps: ask again now and then */
};

/*
 * The class of an error.
 *
 * code    of an error reply, or of one record in a reply; empty when there is none.
 * status  of the reply; 0 for one record in it, and when there was no reply.
 *
 * For a code that is not in the table the status decides; for a record the class is RETRY_TRANSIENT.
 */
enum retry_class retry_class(struct span code, unsigned status);

/*
 * Whether a list of codes has this one. In it each is followed by a blank; one that ends in * stands for all codes
 * with that beginning.
 */
bool retry_lists(const char *list, struct span code);

/* Whether the table has this code. */
bool retry_knows(struct span code);

struct retry {
    enum retry_class class;
    unsigned failures; /* sends in a row without success, 1 or more */
    uint32_t hint_ms;  /* x-amz-retry-after; 0: none */
    uint32_t left_ms;  /* time left to deliver in; UINT32_MAX: nobody waits */
};

/*
 * The wait before the next try.
 *
 * A wait takes at most an eighth of the time left, or 50 ms if that is more, so that several tries
 * fit in before a deadline. The service's hint lengthens it by at most 5 s.
 *
 * dice  caller's random number; the same dice give the same wait.
 *
 * Returns milliseconds.
 */
uint32_t retry_wait_ms(const struct retry *r, uint32_t dice);

/*
 * The wait at the last chance to deliver, when only a change from outside can help: a few calls, at growing
 * intervals, after 1, 3, 7 and 15 twentieths of the time.
 *
 * failures  failed calls in that time, 1 or more.
 * whole_ms  the time that was left when the first of them was made.
 *
 * Returns milliseconds.
 */
uint32_t retry_in_vain_ms(unsigned failures, uint32_t whole_ms);

/* How many more calls may be made because others failed. */
struct retry_quota {
    uint32_t tokens;
    uint32_t last_cost; /* of the call that is under way, if it is a retry */
};

void retry_quota_open(struct retry_quota *q);

/* Whether there is enough for one retry. */
bool retry_quota_covers(const struct retry_quota *q, enum retry_class class);

/* Pays for one retry, which the quota covers. */
void retry_quota_take(struct retry_quota *q, enum retry_class class);

/* A call has succeeded: pays back what it cost, or one token if it was no retry. */
void retry_quota_refund(struct retry_quota *q);

#endif
