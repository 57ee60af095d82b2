#ifndef REFUSAL_H
#define REFUSAL_H
/*
 * Which records a call was refused for, as a ValidationException's message says:
 *
 *     1 validation error detected: Value at 'records.3.member.data' failed to satisfy constraint:
 *     Member must have length less than or equal to 1048576.
 *
 * Only "records.N.member.NAME" and "less than or equal to N" behind it are relied on, and JSON escapes
 * between do not matter. The message is the peer's: index and limit may be anything.
 *
 * Source: Kinesis API reference, PutRecords; the service counts from 1.
 */
#include "protocol/span.h"

enum refusal_member { REFUSAL_DATA, REFUSAL_PARTITION_KEY, REFUSAL_OTHER };

struct refusal {
    uint32_t index; /* of the record in the request, counted from 0 */
    enum refusal_member member;
    uint32_t limit_bytes; /* 0: not told */
};

/*
 * The next record that the message names, and the largest size of its member. message is moved on behind
 * it, so that further calls give the others; a record may be named more than once.
 *
 * Returns 1, or 0 when there is no further one.
 */
int refusal_next(struct span *message, struct refusal *refusal);

#endif
