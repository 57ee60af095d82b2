#ifndef QUEUE_SLOT_H
#define QUEUE_SLOT_H
/*
 * What lies in the ring of queue.h: of the two files that make up the queue, and of nobody else.
 */
#include "protocol/check.h"
#include "protocol/queue.h"

/* Stands before each record; followed by key and data, filled up to a multiple of 8. */
struct slot {
    uint64_t sequence;
    uint32_t size; /* of the whole slot */
    uint32_t data_len;
    uint16_t events;
    uint16_t part;
    uint8_t attempts;
    uint8_t refusals;
    uint8_t key_len;
    uint8_t state;
};

_Static_assert(sizeof(struct slot) + 7 < QUEUE_RECORD_OVERHEAD, "what a record takes at most");

/* In a batch: the record has been dealt with. */
#define SLOT_NONE UINT32_MAX

static inline struct slot *
slot_at(const struct queue *q, uint32_t offset)
{
    return (struct slot *)(void *)(q->ring.bytes + offset);
}

static inline uint64_t
slot_bytes(const struct slot *s)
{
    return (uint64_t)s->key_len + s->data_len;
}

/* What a consumer may find twice when it is sent twice. */
static inline uint32_t
slot_events(const struct slot *s)
{
    return s->events > 0 ? s->events : 1;
}

/* The slot that follows; only for slots that are not the last. */
static inline uint32_t
slot_after(const struct queue *q, uint32_t offset)
{
    offset += slot_at(q, offset)->size;
    return offset == q->ring.end ? 0 : offset;
}

static inline void
slot_set_state(struct queue *q, struct slot *s, enum queue_state state)
{
    if (s->state == QUEUE_FRESH)
        q->fresh_bytes -= slot_bytes(s);
    q->count[s->state]--;
    q->count[state]++;
    s->state = (uint8_t)state;
}

static inline void
slot_payload(const struct queue *q, uint32_t offset, struct span *partition_key, struct span *data)
{
    const struct slot *s = slot_at(q, offset);
    const char *bytes = (const char *)(s + 1);

    *partition_key = s->key_len > 0 ? (struct span){bytes, s->key_len} : q->common_key;
    *data = (struct span){bytes + s->key_len, s->data_len};
}

static inline struct queue_record
slot_record(const struct queue *q, uint32_t offset)
{
    const struct slot *s = slot_at(q, offset);
    struct queue_record record = {
        .own_key = s->key_len > 0,
        .origin = {s->sequence, s->events, s->part},
        .attempts = s->attempts,
        .refusals = s->refusals,
        .state = (enum queue_state)s->state,
    };

    slot_payload(q, offset, &record.partition_key, &record.data);
    return record;
}

/* Takes the slot's record out of the queue; its room comes back when it is the oldest. */
void slot_retire(struct queue *q, uint32_t offset);

/* The same, for good or because it is lost. Returns the events that are counted with it. */
uint32_t slot_leave(struct queue *q, uint32_t offset, bool lost);

#endif
