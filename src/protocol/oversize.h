#ifndef OVERSIZE_H
#define OVERSIZE_H
/*
 * What becomes of a record that is larger than Kinesis takes: it is cut down, or split into
 * several. And which record the service says is too large.
 *
 * A record is normally one JSON value. Any other bytes do no harm: they are cut where that makes
 * sense, else refused with ERR_BIG. Everything here takes time in proportion to the record and
 * needs no memory but the caller's and about 150 bytes of stack.
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

/*
 * Splits a record into JSON objects that hold a part of its bytes each, as a string:
 *
 *     {"split":{"id":"7f3a-12","part":1,"parts":3},"text":"..."}
 *
 * The texts of parts 1..parts, one after the other, are the record, byte by byte. Characters are
 * not cut in two; bytes that are no UTF-8 are passed on as they are.
 */
struct oversize_split {
    uint32_t parts;
    size_t bytes; /* of all pieces together */

    /* private */
    struct span rest, id;
    size_t room; /* for the text of one piece, as JSON */
    uint32_t part;
};

/*
 * Begins, and counts the pieces. The record and id have to stay until the last one is written; id
 * goes into a JSON string as it is.
 *
 * Returns 0, or ERR_BIG when max has no room for a text: 72 bytes and the id's length have.
 */
int oversize_split(struct oversize_split *s, struct span record, struct span id, size_t max);

/* Exactly the length of the next piece, at most max; 0 behind the last one. */
size_t oversize_split_size(const struct oversize_split *s);

/*
 * Writes the next piece.
 * Returns 1; 0 behind the last one; ERR_FULL, and it is still the next one.
 */
int oversize_split_next(struct oversize_split *s, struct out *o);

enum oversize_member { OVERSIZE_DATA, OVERSIZE_PARTITION_KEY, OVERSIZE_OTHER };

struct oversize_named {
    uint32_t index; /* of the record in the request, counted from 0 */
    enum oversize_member member;
    uint32_t limit_bytes; /* 0: not told */
};

/*
 * The next record that a ValidationException's message names, and the largest size of its member:
 *
 *     1 validation error detected: Value at 'records.3.member.data' failed to satisfy constraint:
 *     Member must have length less than or equal to 1048576.
 *
 * message is moved on behind it, so that further calls give the others; a record may be named more
 * than once. Only "records.N.member.NAME" and "less than or equal to N" behind it are relied on,
 * and JSON escapes between do not matter. The message is the peer's: index and limit may be
 * anything.
 *
 * Returns 1, or 0 when there is no further one. Source: Kinesis API reference, PutRecords; the
 * service counts from 1.
 */
int oversize_named(struct span *message, struct oversize_named *named);

#endif
