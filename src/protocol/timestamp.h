#ifndef TIMESTAMP_H
#define TIMESTAMP_H
/*
 * Points in time as text and back: UTC, Gregorian calendar, no leap seconds, as Unix time counts.
 * Moments after the year 9999 are written as its last one.
 */
#include "protocol/span.h"

#define TIMESTAMP_BASIC_LEN 16
#define TIMESTAMP_RFC3339_LEN 24

/* 20150830T123600Z, as SigV4 dates a request. Fills text, without a terminating zero. */
void timestamp_basic(uint64_t unix_ms, char text[TIMESTAMP_BASIC_LEN]);

/* 2015-08-30T12:36:00.123Z. Fills text, without a terminating zero. */
void timestamp_rfc3339(uint64_t unix_ms, char text[TIMESTAMP_RFC3339_LEN]);

/*
 * The value of an HTTP Date field in its preferred form: Sun, 06 Nov 1994 08:49:37 GMT. Whether
 * the day of the week fits the date is not checked; second 60 is the next minute's first.
 *
 * Returns 0 and seconds since 1970, or ERR_BAD: any other form, no such date, before 1970.
 * Source: RFC 9110, section 5.6.7.
 */
int timestamp_http_date(struct span date, uint64_t *unix_s);

/*
 * A date and time as in 2026-11-20T12:00:00Z. An offset such as +05:30 may take the place of Z, and the seconds
 * may have a fraction with any number of digits, of which the first three are used.
 *
 * Returns 0 and milliseconds since 1970, or ERR_BAD: any other form, no such date, before 1970.
 * Source: RFC 3339, section 5.6.
 */
int timestamp_read_rfc3339(struct span text, uint64_t *unix_ms);

#endif
