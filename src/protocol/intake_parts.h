#ifndef INTAKE_PARTS_H
#define INTAKE_PARTS_H
/*
 * What the files that make up intake.h have in common, and nobody else needs.
 */
#include "protocol/intake.h"

/* An event, and what `enriched` adds to it. */
#define INTAKE_SCRATCH_BYTES (EVENT_MAX_BYTES + 8192)

/* JSON in a string may be twice as long. */
static inline size_t
intake_scratch_bytes(const struct settings *settings)
{
    return INTAKE_SCRATCH_BYTES + (settings->format == EVENT_CLOUDWATCH ? EVENT_MAX_BYTES : 0);
}

/*
 * Room for a record that fits into the empty queue; NULL when there is none now. The oldest record may
 * have to move for it, where it keeps the room of others from coming back.
 */
char *intake_room(struct intake *in, size_t size);

/* Adds the record that was written there. */
void intake_add(struct intake *in, char *room, size_t key_len, size_t data_len,
                struct queue_origin origin);

/* An event that may be too large for a record that is not compressed. Returns 0 or ERR_FULL. */
int intake_large(struct intake *in, struct span key, const struct event *event);

/* One that is too large for a record, of len bytes in the scratch, its newline left aside. Returns 0 or ERR_FULL. */
int intake_oversize(struct intake *in, struct span key, size_t len);

/* The most that data may have beside its key, its own or the common one. A queue may be smaller than a record. */
static inline size_t
intake_data_max(const struct intake *in, size_t key_len, size_t limit)
{
    size_t half = in->queue->ring.cap / 2;

    key_len = key_len > 0 ? key_len : in->queue->common_key.len;
    if (limit > half)
        limit = half;
    return limit > key_len ? limit - key_len : 0;
}

/* Newlines become blanks, and do not end the line: JSON may have them between its tokens, where a blank is the same. */
void intake_blank(char *line, size_t len);

/* Ends what is in the scratch as a line, if records have several. Returns its length. */
static inline size_t
intake_end_line(struct intake *in, size_t len)
{
    if (in->settings->aggregation == AGGREGATION_NONE || in->open.head.len > 0)
        return len;
    in->scratch[len] = '\n';
    return len + 1;
}

/* What the record of a whole event stands for. */
static inline struct queue_origin
intake_next(const struct intake *in)
{
    return (struct queue_origin){.sequence = in->sequence, .events = 1};
}

/* The event has been taken. */
static inline void
intake_took(struct intake *in)
{
    in->ledger->received++;
    in->sequence++;
}

#endif
