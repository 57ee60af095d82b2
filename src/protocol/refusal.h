#ifndef REFUSAL_H
#define REFUSAL_H
/*
 * Finds in a ValidationException's message the records for which the call was refused:
 *
 *     1 validation error detected: Value at 'records.3.member.data' failed to satisfy constraint:
 *     Member must have length less than or equal to 1048576.
 *
 * Relies only on "records.N.member.NAME" followed by "less than or equal to N"; JSON escapes in between do
 * not matter. The message comes from the peer: index and limit may have any value.
 *
 * Source: Kinesis API reference, PutRecords; the service counts from 1.
 */
#include "protocol/span.h"

enum refusal_member { REFUSAL_DATA, REFUSAL_PARTITION_KEY, REFUSAL_OTHER };

struct refusal {
    uint32_t index; /* of the record in the request, counted from 0 */
    enum refusal_member member;
    uint32_t limit_bytes; /* 0: not given */
};

/*
 * The next record named in the message, and the largest size allowed for its member. message is advanced
 * past it, so that further calls return the others; a record may be named more than once.
 *
 * Returns 1, or 0 if there are no more.
 */
int refusal_next(struct span *message, struct refusal *refusal);

#endif
