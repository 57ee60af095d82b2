#ifndef RETRY_H
#define RETRY_H
/*
 * How long to wait before sending again: full jitter, as AWS's SDKs have it since 2026.
 * Source: reference of SDK retry behaviour, "standard" mode: rand(0,1) * min(base * 2^i, 20 s).
 */
#include "protocol/span.h"

/* Of what kind the failure was; the slower one when a reply holds both. */
enum retry_class {
    RETRY_TRANSIENT, /* connection, time-out, 5xx: base 50 ms */
    RETRY_THROTTLED  /* the stream or the account has enough for now: base 1 s */
};

/* The class of an error code, of a reply or of one record in it, and of an HTTP status. */
enum retry_class retry_class(struct span code, unsigned status);

/*
 * The wait before the next try.
 *
 * failures  sends in a row that brought nothing, 1 or more.
 * dice      caller's random number; the same dice give the same wait.
 * left_ms   milliseconds that are left to deliver in. A wait takes an eighth of them at most, or
 *           50 ms if that is more, so that several tries fit in before a deadline.
 *
 * Returns milliseconds.
 */
uint32_t retry_wait_ms(enum retry_class class, unsigned failures, uint32_t dice, uint32_t left_ms);

#endif
