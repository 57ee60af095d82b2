#include "protocol/queue_slot.h"

#include <string.h>

/* Batches: which records are in them, and what becomes of each. The ring is in queue.c. */

COLD void
queue_batch_open(struct queue *q, enum queue_batch batch, uint32_t *offsets, uint32_t cap)
{
    q->batches[batch] = (struct queue_list){.offsets = offsets, .cap = cap};
}

/* --- taking --- */

/* A batch that is being made. */
struct taking {
    struct queue_list *list;
    const struct queue_limits *limits;
    uint64_t bytes;
};

/* Adds the record when it fits; false when the batch is full. */
static bool
take(struct queue *q, struct taking *t, uint32_t offset)
{
    const struct queue_limits *limits = t->limits;
    struct queue_record record = slot_record(q, offset);
    struct slot *s = slot_at(q, offset);
    size_t size;

    if (t->list->len >= limits->records || t->list->len >= t->list->cap)
        return false;
    size = limits->size(limits->context, &record);
    if (t->list->len > 0 && size > limits->bytes - t->bytes)
        return false;
    t->bytes = size > limits->bytes - t->bytes ? limits->bytes : t->bytes + size;
    slot_set_state(q, s, QUEUE_SENT);
    if (s->attempts < UINT8_MAX)
        s->attempts++;
    t->list->offsets[t->list->len++] = offset;
    t->list->events += slot_events(s);
    return true;
}

/* Takes records of one state from skip slots after head on; tells how many slots it passed. */
__attribute__((noinline)) static uint32_t
take_all(struct queue *q, struct taking *t, enum queue_state state, uint32_t offset, uint32_t skip)
{
    for (; skip < q->slots; skip++) {
        if (slot_at(q, offset)->state == state && !take(q, t, offset))
            break;
        if (skip + 1 < q->slots)
            offset = slot_after(q, offset);
    }
    if (state == QUEUE_FRESH)
        q->fresh_at = offset;
    return skip;
}

/* Whether each record is out of its batch. */
static bool
dealt_with(const struct queue *q, enum queue_batch batch)
{
    for (uint32_t i = 0; i < q->batches[batch].len; i++)
        if (queue_in_batch(q, batch, i))
            return false;
    return true;
}

uint32_t
queue_take(struct queue *q, enum queue_batch batch, const struct queue_limits *limits,
           enum queue_take_what what)
{
    static const uint8_t states[] = {
        [QUEUE_TAKE_FAILED] = QUEUE_FAILED,     [QUEUE_TAKE_SUSPECTS] = QUEUE_SUSPECT,
        [QUEUE_TAKE_ASIDE] = QUEUE_ASIDE,       [QUEUE_TAKE_DEAD] = QUEUE_DEAD,
        [QUEUE_TAKE_IN_DOUBT] = QUEUE_IN_DOUBT,
    };
    struct taking t = {.list = &q->batches[batch], .limits = limits};

    CHECK(dealt_with(q, batch));
    t.list->len = t.list->events = 0;
    if (what != QUEUE_TAKE_FRESH && q->count[states[what]] > 0)
        (void)take_all(q, &t, (enum queue_state)states[what], q->ring.head, 0);
    if (what <= QUEUE_TAKE_FAILED && q->count[QUEUE_FRESH] > 0)
        q->fresh_skip = take_all(q, &t, QUEUE_FRESH, q->fresh_at, q->fresh_skip);
    return t.list->len;
}

/* --- one record --- */

uint32_t
queue_batch_len(const struct queue *q, enum queue_batch batch)
{
    return q->batches[batch].len;
}

uint32_t
queue_batch_events(const struct queue *q, enum queue_batch batch)
{
    return q->batches[batch].events;
}

bool
queue_in_batch(const struct queue *q, enum queue_batch batch, uint32_t index)
{
    return index < q->batches[batch].len && q->batches[batch].offsets[index] != SLOT_NONE;
}

static uint32_t
offset_of(const struct queue *q, enum queue_batch batch, uint32_t index)
{
    CHECK(queue_in_batch(q, batch, index));
    CHECK(slot_at(q, q->batches[batch].offsets[index])->state == QUEUE_SENT);
    return q->batches[batch].offsets[index];
}

struct queue_record
queue_at(const struct queue *q, enum queue_batch batch, uint32_t index)
{
    return slot_record(q, offset_of(q, batch, index));
}

void
queue_payload(const struct queue *q, enum queue_batch batch, uint32_t index,
              struct span *partition_key, struct span *data)
{
    slot_payload(q, offset_of(q, batch, index), partition_key, data);
}

/* Takes it out of the batch. Returns where it lies. */
static uint32_t
take_out(struct queue *q, enum queue_batch batch, uint32_t index)
{
    uint32_t offset = offset_of(q, batch, index);

    q->batches[batch].offsets[index] = SLOT_NONE;
    return offset;
}

uint32_t
queue_end(struct queue *q, enum queue_batch batch, uint32_t index)
{
    return slot_leave(q, take_out(q, batch, index), false);
}

COLD uint32_t
queue_lose(struct queue *q, enum queue_batch batch, uint32_t index)
{
    return slot_leave(q, take_out(q, batch, index), true);
}

COLD void
queue_mark(struct queue *q, enum queue_batch batch, uint32_t index, enum queue_state state)
{
    CHECK(state > QUEUE_SENT && state < QUEUE_ENDED);
    slot_set_state(q, slot_at(q, take_out(q, batch, index)), state);
}

COLD void
queue_refused(struct queue *q, enum queue_batch batch, uint32_t index, enum queue_state state)
{
    struct slot *s = slot_at(q, offset_of(q, batch, index));

    if (s->refusals < UINT8_MAX)
        s->refusals++;
    queue_mark(q, batch, index, state);
}

COLD void
queue_return(struct queue *q, enum queue_batch batch, enum queue_state state)
{
    for (uint32_t i = 0; i < q->batches[batch].len; i++)
        if (queue_in_batch(q, batch, i))
            queue_mark(q, batch, i, state);
}

COLD void
queue_rewrite(struct queue *q, enum queue_batch batch, uint32_t index, struct span data)
{
    struct slot *s = slot_at(q, offset_of(q, batch, index));

    CHECK(data.len <= s->data_len);
    q->bytes -= s->data_len - data.len;
    memmove((char *)(s + 1) + s->key_len, data.p, data.len);
    s->data_len = (uint32_t)data.len;
}
