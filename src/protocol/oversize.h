#ifndef OVERSIZE_H
#define OVERSIZE_H
/*
 * Cuts down records that are larger than Kinesis takes. (oversize_split.h splits them instead.)
 *
 * A record is normally one JSON value. Any other bytes are safe: they are cut where that makes sense, and
 * otherwise refused with ERR_BIG. Time is proportional to the record; memory is the caller's and some
 * hundred bytes of stack.
 */
#include "protocol/out.h"

/*
 * Cuts a record down in place.
 *
 *     {"type":"function","record":"abc...[truncated 60000 bytes]"}
 *
 * The longest string that is not a member's name loses its end; everything else is kept. If that is not
 * enough, or there is no string, everything after the last value that fits is removed, or after as much of the
 * last string as fits, and open strings and brackets are closed:
 *
 *     {"a":[1,2,3,"...[truncated 60000 bytes]"]}
 *     {"a":1,"b":{"c":2,"truncated":"...[truncated 60000 bytes]"}}
 *     {"a":1,"b":{"c":2,"d":"abc...[truncated 60000 bytes]"}}
 *
 * The number counts the removed bytes of the record, not what was added to close strings and brackets.
 * Characters, escapes and pairs of surrogate escapes are never cut in two; bytes that are not UTF-8 are
 * treated one by one. If brackets have to be closed, values nested deeper than 64 brackets are kept whole or not
 * at all. An object that already has a member "truncated" may get a second one.
 *
 * Returns the new length, at most max (and len unchanged when that fits); the result is valid JSON if
 * the record was. Or ERR_BIG, with the record untouched: max is too small (48 bytes suffice for a
 * record below 4 GiB that begins with a bracket or is one string), or it is not such a record.
 */
int64_t oversize_truncate(char *data, size_t len, size_t max);

/*
 * Turns the beginning of a record whose end is not available into a complete record, in place: as above,
 * but the marker is ...[truncated], without a number.
 *
 * max must be at least 64 bytes less than len, so that everything that is kept is complete.
 * Returns the new length, at most max, or ERR_BIG.
 */
int64_t oversize_close(char *data, size_t len, size_t max);

#endif
