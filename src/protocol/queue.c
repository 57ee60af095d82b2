#include "protocol/queue_slot.h"

#include <string.h>

/* The ring: room, its turns, what moves in it. Batches are in queue_batch.c. */

static size_t
slot_size(size_t len)
{
    return (sizeof(struct slot) + len + 7) & ~(size_t)7;
}

COLD void
queue_open(struct queue *q, char *ring, uint32_t cap)
{
    *q =
        (struct queue){.ring = {.bytes = ring, .cap = cap, .end = cap, .quiet = QUEUE_QUIET_BYTES}};
}

bool
queue_fits(const struct queue *q, size_t len)
{
    return len <= q->ring.cap && slot_size(len) <= q->ring.cap;
}

uint32_t
queue_waiting(const struct queue *q)
{
    return q->records - q->count[QUEUE_SENT];
}

/* --- room --- */

static bool
wrapped(const struct queue *q)
{
    return q->slots > 0 && q->ring.tail <= q->ring.head;
}

/* Whether the next slot goes to the beginning although there would be room that was never used. */
static bool
turns_early(const struct queue_ring *r, uint32_t need)
{
    return r->touched >= r->quiet && r->tail + need > r->touched && need <= r->head &&
           r->head >= r->touched / 2;
}

/* The records from `from` on have moved. */
COLD static void
follow(struct queue *q, uint32_t from, uint32_t by)
{
    if (q->fresh_at >= from)
        q->fresh_at += by;
    if (q->ring.newest >= from)
        q->ring.newest += by;
    for (size_t b = 0; b < sizeof q->batches / sizeof *q->batches; b++) {
        struct queue_list *batch = &q->batches[b];

        for (uint32_t i = 0; i < batch->len; i++)
            if (batch->offsets[i] >= from && batch->offsets[i] != SLOT_NONE)
                batch->offsets[i] += by;
    }
}

/* It turned too early: what lies before the turn moves up to the end of the ring. */
COLD static bool
move_up(struct queue *q)
{
    struct queue_ring *r = &q->ring;
    uint32_t gain = r->cap - r->end;
    uint32_t from = r->head;

    if (!r->early)
        return false;
    memmove(r->bytes + from + gain, r->bytes + from, r->end - from);
    follow(q, from, gain);
    r->head += gain;
    r->end = r->touched = r->cap;
    r->early = false; /* once is enough */
    return true;
}

char *
queue_room(struct queue *q, size_t len)
{
    struct queue_ring *r = &q->ring;
    uint32_t need;
    uint32_t offset = r->tail;

    if (!queue_fits(q, len))
        return NULL;
    need = (uint32_t)slot_size(len);
    if (wrapped(q)) {
        if (need > r->head - r->tail && (!move_up(q) || need > r->head - r->tail))
            return NULL;
    } else {
        r->early = need <= r->cap - r->tail && turns_early(r, need);
        if (need > r->cap - r->tail && need > r->head)
            return NULL;
        if (need > r->cap - r->tail || r->early)
            offset = 0;
    }
    return r->bytes + offset + sizeof(struct slot);
}

char *
queue_room_behind(const struct queue *q)
{
    return q->ring.bytes + q->ring.tail + sizeof(struct slot);
}

/* --- records come --- */

void
queue_add(struct queue *q, char *room, size_t key_len, size_t data_len, struct queue_origin origin)
{
    struct queue_ring *r = &q->ring;
    uint32_t offset = (uint32_t)(room - r->bytes - (ptrdiff_t)sizeof(struct slot));
    struct slot *s = slot_at(q, offset);

    CHECK(offset == r->tail || offset == 0);
    CHECK(key_len <= UINT8_MAX);
    *s = (struct slot){
        .sequence = origin.sequence,
        .events = origin.events,
        .part = origin.part,
        .size = (uint32_t)slot_size(key_len + data_len),
        .data_len = (uint32_t)data_len,
        .key_len = (uint8_t)key_len,
        .state = QUEUE_FRESH,
    };
    if (offset != r->tail)
        r->end = r->tail;
    if (q->count[QUEUE_FRESH] == 0) {
        q->fresh_at = offset;
        q->fresh_skip = q->slots;
    }
    r->newest = offset;
    r->tail = offset + s->size;
    if (r->tail > r->touched)
        r->touched = r->tail;
    q->slots++;
    q->records++;
    q->events += s->events;
    q->count[QUEUE_FRESH]++;
    q->bytes += slot_bytes(s);
    q->fresh_bytes += slot_bytes(s);
}

COLD void
queue_bury_newest(struct queue *q)
{
    CHECK(slot_at(q, q->ring.newest)->state == QUEUE_FRESH);
    slot_set_state(q, slot_at(q, q->ring.newest), QUEUE_DEAD);
}

/* --- records go --- */

/* Empty: from the beginning again. */
static void
start_over(struct queue *q)
{
    struct queue before = *q;

    CHECK(q->records == 0 && q->bytes == 0);
    queue_open(q, q->ring.bytes, q->ring.cap);
    q->common_key = before.common_key;
    q->ring.quiet = before.ring.quiet;
    memcpy(q->batches, before.batches, sizeof q->batches);
}

/* Gives back the room of ended slots at the old end. */
static void
reclaim(struct queue *q)
{
    struct queue_ring *r = &q->ring;

    while (q->slots > 0 && slot_at(q, r->head)->state == QUEUE_ENDED) {
        uint32_t next = r->head + slot_at(q, r->head)->size;

        q->slots--;
        q->count[QUEUE_ENDED]--;
        if (q->fresh_skip > 0)
            q->fresh_skip--;
        else
            q->fresh_at = next == r->end ? 0 : next;
        r->head = next;
        if (next == r->end) {
            r->head = 0;
            r->end = r->cap;
        }
    }
    if (q->slots == 0)
        start_over(q);
}

void
slot_retire(struct queue *q, uint32_t offset)
{
    struct slot *s = slot_at(q, offset);

    CHECK(s->state != QUEUE_ENDED);
    slot_set_state(q, s, QUEUE_ENDED);
    q->records--;
    q->bytes -= slot_bytes(s);
    if (offset == q->ring.head)
        reclaim(q);
}

/*
 * The events that are counted now that this part of one ends: another part takes over the count, or,
 * when the event is lost, gives up its own.
 */
COLD static uint16_t
count_part(struct queue *q, const struct slot *s, bool lost)
{
    uint16_t events = s->events;
    uint32_t offset = q->ring.head;

    for (uint32_t i = 0; i < q->slots; i++) {
        struct slot *other = slot_at(q, offset);

        if (i + 1 < q->slots)
            offset = slot_after(q, offset);
        if (other == s || other->part == 0 || other->sequence != s->sequence ||
            other->state == QUEUE_ENDED)
            continue;
        if (!lost) {
            other->events = (uint16_t)(other->events + events);
            return 0;
        }
        events = (uint16_t)(events + other->events);
        other->events = 0;
    }
    return events;
}

uint32_t
slot_leave(struct queue *q, uint32_t offset, bool lost)
{
    const struct slot *s = slot_at(q, offset);
    uint32_t events = s->part == 0 ? s->events : count_part(q, s, lost);

    q->events -= events;
    slot_retire(q, offset);
    return events;
}

COLD bool
queue_oldest(const struct queue *q, struct queue_record *record)
{
    if (q->records == 0)
        return false;
    /* the slot at head never is an ended one: reclaim went past those */
    *record = slot_record(q, q->ring.head);
    return true;
}

COLD uint32_t
queue_lose_oldest(struct queue *q)
{
    CHECK(q->records > 0 && slot_at(q, q->ring.head)->state != QUEUE_SENT);
    return slot_leave(q, q->ring.head, true);
}

/* --- many at once --- */

COLD uint64_t
queue_all_events(const struct queue *q)
{
    uint32_t offset = q->ring.head;
    uint64_t events = 0;

    for (uint32_t i = 0; i < q->slots; i++) {
        const struct slot *s = slot_at(q, offset);

        events += s->state == QUEUE_ENDED ? 0 : slot_events(s);
        if (i + 1 < q->slots)
            offset = slot_after(q, offset);
    }
    return events;
}

/* The records of these states, a set of bits, go over to another one. */
COLD static void
mark_all(struct queue *q, unsigned states, enum queue_state state)
{
    uint32_t offset = q->ring.head;

    for (uint32_t i = 0; i < q->slots; i++) {
        struct slot *s = slot_at(q, offset);

        if ((states >> s->state & 1) != 0)
            slot_set_state(q, s, state);
        if (i + 1 < q->slots)
            offset = slot_after(q, offset);
    }
}

COLD void
queue_clear_suspects(struct queue *q)
{
    if (q->count[QUEUE_SUSPECT] > 0)
        mark_all(q, 1u << QUEUE_SUSPECT, QUEUE_FAILED);
}

COLD void
queue_rejoin(struct queue *q)
{
    if (q->count[QUEUE_SUSPECT] + q->count[QUEUE_ASIDE] > 0)
        mark_all(q, 1u << QUEUE_SUSPECT | 1u << QUEUE_ASIDE, QUEUE_FAILED);
}

COLD void
queue_mark_all_dead(struct queue *q)
{
    mark_all(q, 1u << QUEUE_FRESH | 1u << QUEUE_FAILED | 1u << QUEUE_SUSPECT | 1u << QUEUE_ASIDE,
             QUEUE_DEAD);
}

/* --- room at the price of moving --- */

/* The room between head and tail that no record takes, the gap at the end of the ring left aside. */
COLD static uint64_t
wasted(const struct queue *q)
{
    const struct queue_ring *r = &q->ring;
    uint64_t span = r->tail > r->head ? r->tail - r->head : r->end - r->head + r->tail;
    uint64_t used = q->bytes + (uint64_t)q->records * QUEUE_RECORD_OVERHEAD;

    return span > used ? span - used : 0;
}

COLD bool
queue_roll(struct queue *q, char *scratch, size_t cap)
{
    struct slot old;
    struct slot *s;
    char *room;

    if (q->records == 0 || wasted(q) < q->ring.cap / 4)
        return false;
    old = *slot_at(q, q->ring.head);
    if (old.state == QUEUE_SENT || old.state == QUEUE_FRESH || slot_bytes(&old) > cap)
        return false;
    memcpy(scratch, q->ring.bytes + q->ring.head + sizeof old, slot_bytes(&old));
    q->events -= old.events;
    slot_retire(q, q->ring.head);
    /* its own room is enough, wherever the tail is */
    room = queue_room(q, slot_bytes(&old));
    memcpy(room, scratch, slot_bytes(&old));
    queue_add(q, room, old.key_len, old.data_len,
              (struct queue_origin){old.sequence, old.events, old.part});
    s = slot_at(q, q->ring.newest);
    s->attempts = old.attempts;
    s->refusals = old.refusals;
    slot_set_state(q, s, (enum queue_state)old.state);
    return true;
}

/* Moves the records between two places of the ring together, from `from` on. Returns their end. */
COLD static uint32_t
close_ranks(struct queue *q, uint32_t from, uint32_t end)
{
    uint32_t to = from;

    while (from < end) {
        uint32_t size = slot_at(q, from)->size;

        if (slot_at(q, from)->state == QUEUE_ENDED) {
            q->slots--;
            q->count[QUEUE_ENDED]--;
        } else {
            memmove(q->ring.bytes + to, q->ring.bytes + from, size);
            q->ring.newest = to;
            to += size;
        }
        from += size;
    }
    return to;
}

COLD void
queue_compact(struct queue *q)
{
    struct queue_ring *r = &q->ring;
    uint32_t len;

    if (q->records == 0 || q->count[QUEUE_SENT] > 0)
        return;
    if (wrapped(q)) {
        len = close_ranks(q, r->head, r->end) - r->head;
        memmove(r->bytes + r->cap - len, r->bytes + r->head, len);
        r->head = r->cap - len;
        r->tail = close_ranks(q, 0, r->tail);
    } else {
        len = close_ranks(q, r->head, r->tail) - r->head;
        memmove(r->bytes, r->bytes + r->head, len);
        r->newest -= r->head;
        r->head = 0;
        r->tail = len;
    }
    r->end = r->touched = r->cap;
    r->early = false;
    q->fresh_at = r->head;
    q->fresh_skip = 0;
}

/* --- invariants --- */

#ifdef CHECKED
COLD void
queue_check(const struct queue *q)
{
    uint32_t states[QUEUE_STATES] = {0};
    uint32_t offset = q->ring.head;
    uint32_t in_batches = 0;
    uint64_t events = 0;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < q->slots; i++) {
        const struct slot *s = slot_at(q, offset);

        states[s->state]++;
        events += s->state == QUEUE_ENDED ? 0 : s->events;
        bytes += s->state == QUEUE_ENDED ? 0 : slot_bytes(s);
        if (i + 1 < q->slots)
            offset = slot_after(q, offset);
    }
    CHECK(memcmp(states, q->count, sizeof states) == 0);
    CHECK(events == q->events && bytes == q->bytes);
    CHECK(q->records + states[QUEUE_ENDED] == q->slots);
    for (enum queue_batch b = QUEUE_STREAM; b <= QUEUE_DEAD_LETTER; b++)
        for (uint32_t i = 0; i < q->batches[b].len; i++)
            in_batches += queue_in_batch(q, b, i);
    CHECK(in_batches == states[QUEUE_SENT]);
}
#else
void
queue_check(const struct queue *q)
{
    (void)q;
}
#endif
