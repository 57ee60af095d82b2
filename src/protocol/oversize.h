#ifndef OVERSIZE_H
#define OVERSIZE_H
/*
 * A record that is larger than Kinesis takes is cut down (or split, oversize_split.h).
 *
 * A record is normally one JSON value. Any other bytes do no harm: they are cut where that makes
 * sense, else refused with ERR_BIG. Everything here takes time in proportion to the record and
 * needs no memory but the caller's and some hundred bytes of stack.
 */
#include "protocol/out.h"

/*
 * Cuts a record down where it lies.
 *
 *     {"type":"function","record":"abc...[truncated 60000 bytes]"}
 *
 * The longest string, names of members left aside, loses its end, and all else stays. Where that
 * is not enough, or there is no string, all that follows the last value that fits is lost, or the
 * end of the last string; what is open is closed:
 *
 *     {"a":[1,2,3,"...[truncated 60000 bytes]"]}
 *     {"a":1,"b":{"c":2,"truncated":"...[truncated 60000 bytes]"}}
 *     {"a":1,"b":{"c":2,"d":"abc...[truncated 60000 bytes]"}}
 *
 * The number is that of the record's bytes that are gone; what closes brackets and strings does
 * not count. No character, escape or pair of surrogate escapes is cut in two. Bytes that are no
 * UTF-8 stay or go one by one. What lies deeper than 64 brackets is kept as a whole or not at all
 * when brackets have to be closed. An object that has a member "truncated" may get a second one.
 *
 * Returns the new length, at most max (and len unchanged when that fits), which is valid JSON if
 * the record was; or ERR_BIG, the record untouched: max is too small (48 bytes suffice for a
 * record below 4 GiB that begins with a bracket or is one string), or it is no such record.
 */
int64_t oversize_truncate(char *data, size_t len, size_t max);

/*
 * Makes a whole record, where it lies, of the beginning of one whose end is not at hand: as above,
 * but the marker is ...[truncated] and tells no number.
 *
 * max must be 64 or more bytes less than len, so that nothing of what is kept is only a part.
 * Returns the new length, at most max, or ERR_BIG.
 */
int64_t oversize_close(char *data, size_t len, size_t max);

#endif
