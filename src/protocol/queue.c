#include "protocol/queue.h"

#include <string.h>

/* see queue.h */

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

static struct slot *
slot_at(const struct queue *q, uint32_t place)
{
    return (struct slot *)(void *)(q->ring + place);
}

static uint64_t
slot_bytes(const struct slot *s)
{
    return (uint64_t)s->key_len + s->data_len;
}

static size_t
slot_size(size_t len)
{
    return (sizeof(struct slot) + len + 7) & ~(size_t)7;
}

/* The count that a state has, if it has one. */
static uint32_t *
count_of(struct queue *q, enum queue_state state)
{
    switch (state) {
    case QUEUE_FRESH:
        return &q->fresh;
    case QUEUE_FAILED:
        return &q->failed;
    case QUEUE_ASIDE:
        return &q->aside;
    case QUEUE_DEAD:
        return &q->dead;
    case QUEUE_IN_DOUBT:
        return &q->in_doubt;
    case QUEUE_SENT:
    case QUEUE_ENDED:
    default:
        return NULL;
    }
}

static void
set_state(struct queue *q, struct slot *s, enum queue_state state)
{
    uint32_t *from = count_of(q, (enum queue_state)s->state);
    uint32_t *to = count_of(q, state);

    if (s->state == QUEUE_FRESH)
        q->fresh_bytes -= slot_bytes(s);
    if (from != NULL)
        (*from)--;
    if (to != NULL)
        (*to)++;
    s->state = (uint8_t)state;
}

/* The slot that follows; only for places that are not the last. */
static uint32_t
after(const struct queue *q, uint32_t place)
{
    place += slot_at(q, place)->size;
    return place == q->end ? 0 : place;
}

COLD void
queue_open(struct queue *q, char *ring, uint32_t cap)
{
    *q = (struct queue){.ring = ring, .cap = cap, .end = cap, .quiet = QUEUE_QUIET_BYTES};
}

bool
queue_fits(const struct queue *q, size_t len)
{
    return len <= q->cap && slot_size(len) <= q->cap;
}

static bool
wrapped(const struct queue *q)
{
    return q->slots > 0 && q->tail <= q->head;
}

/* Whether the next slot goes to the beginning although there would be room that was never used. */
static bool
turns_early(const struct queue *q, uint32_t need)
{
    return q->touched >= q->quiet && q->tail + need > q->touched && need <= q->head &&
           q->head >= q->touched / 2;
}

uint32_t
queue_waiting(const struct queue *q)
{
    return q->fresh + q->failed + q->aside + q->dead + q->in_doubt;
}

/* It turned too early: what lies before the turn moves up to the end of the ring. */
COLD static bool
move_up(struct queue *q)
{
    uint32_t gain = q->cap - q->end;
    uint32_t from = q->head;

    if (!q->early || q->pinned || (queue_waiting(q) < q->records && q->moved == NULL))
        return false;
    memmove(q->ring + from + gain, q->ring + from, q->end - from);
    if (q->fresh_at >= from)
        q->fresh_at += gain;
    q->head += gain;
    q->end = q->touched = q->cap;
    q->early = false; /* once is enough */
    if (q->moved != NULL)
        q->moved(q->context, from, gain);
    return true;
}

void
queue_batch_moved(struct queue_batch *batch, uint32_t from, uint32_t by)
{
    for (uint32_t i = 0; i < batch->len; i++)
        if (batch->places[i] >= from && batch->places[i] != UINT32_MAX)
            batch->places[i] += by;
}

char *
queue_room(struct queue *q, size_t len)
{
    uint32_t need;
    uint32_t place = q->tail;

    if (!queue_fits(q, len))
        return NULL;
    need = (uint32_t)slot_size(len);
    if (wrapped(q)) {
        if (need > q->head - q->tail && (!move_up(q) || need > q->head - q->tail))
            return NULL;
    } else {
        q->early = need <= q->cap - q->tail && turns_early(q, need);
        if (need > q->cap - q->tail && need > q->head)
            return NULL;
        if (need > q->cap - q->tail || q->early)
            place = 0;
    }
    return q->ring + place + sizeof(struct slot);
}

char *
queue_room_behind(const struct queue *q)
{
    return q->ring + q->tail + sizeof(struct slot);
}

uint32_t
queue_add(struct queue *q, char *room, size_t key_len, size_t data_len, struct queue_origin origin)
{
    uint32_t place = (uint32_t)(room - q->ring - (ptrdiff_t)sizeof(struct slot));
    struct slot *s = slot_at(q, place);

    *s = (struct slot){
        .sequence = origin.sequence,
        .events = origin.events,
        .part = origin.part,
        .size = (uint32_t)slot_size(key_len + data_len),
        .data_len = (uint32_t)data_len,
        .key_len = (uint8_t)key_len,
        .state = QUEUE_FRESH,
    };
    if (place != q->tail)
        q->end = q->tail;
    if (q->fresh == 0) {
        q->fresh_at = place;
        q->fresh_skip = q->slots;
    }
    q->tail = place + s->size;
    if (q->tail > q->touched)
        q->touched = q->tail;
    q->slots++;
    q->records++;
    q->events += s->events;
    q->fresh++;
    q->bytes += slot_bytes(s);
    q->fresh_bytes += slot_bytes(s);
    return place;
}

void
queue_payload(const struct queue *q, uint32_t place, struct span *key, struct span *data)
{
    const struct slot *s = slot_at(q, place);
    const char *bytes = q->ring + place + sizeof *s;

    *key = (struct span){bytes, s->key_len};
    *data = (struct span){bytes + s->key_len, s->data_len};
}

struct queue_record
queue_at(const struct queue *q, uint32_t place)
{
    const struct slot *s = slot_at(q, place);
    struct queue_record record = {
        .origin = {s->sequence, s->events, s->part},
        .attempts = s->attempts,
        .refusals = s->refusals,
        .state = (enum queue_state)s->state,
    };

    queue_payload(q, place, &record.partition_key, &record.data);
    return record;
}

struct span
queue_key(const struct queue_record *record, struct span common_key)
{
    return record->partition_key.len > 0 ? record->partition_key : common_key;
}

/* Adds the record at place when it fits; false when the batch is full. */
static bool
take(struct queue *q, const struct queue_limits *limits, struct queue_batch *batch, uint64_t *bytes,
     uint32_t place)
{
    struct queue_record record = queue_at(q, place);
    struct slot *s = slot_at(q, place);
    size_t size = limits->size(limits->context, &record);

    if (batch->len >= limits->records || (batch->len > 0 && size > limits->bytes - *bytes))
        return false;
    *bytes = size > limits->bytes - *bytes ? limits->bytes : *bytes + size;
    set_state(q, s, QUEUE_SENT);
    if (s->attempts < UINT8_MAX)
        s->attempts++;
    batch->places[batch->len++] = place;
    return true;
}

/* Takes records of one state from skip slots after head on; tells how many slots it passed. */
static uint32_t
take_all(struct queue *q, const struct queue_limits *limits, enum queue_state state,
         struct queue_batch *batch, uint64_t *bytes, uint32_t place, uint32_t skip)
{
    for (; skip < q->slots; skip++) {
        if (slot_at(q, place)->state == state && !take(q, limits, batch, bytes, place))
            break;
        if (skip + 1 < q->slots)
            place = after(q, place);
    }
    if (state == QUEUE_FRESH)
        q->fresh_at = place;
    return skip;
}

void
queue_take(struct queue *q, const struct queue_limits *limits, bool with_failed,
           struct queue_batch *batch)
{
    uint64_t bytes = 0;

    batch->len = 0;
    if (with_failed && q->failed > 0)
        take_all(q, limits, QUEUE_FAILED, batch, &bytes, q->head, 0);
    if (q->fresh > 0)
        q->fresh_skip = take_all(q, limits, QUEUE_FRESH, batch, &bytes, q->fresh_at, q->fresh_skip);
}

COLD void
queue_take_only(struct queue *q, const struct queue_limits *limits, enum queue_state state,
                struct queue_batch *batch)
{
    uint64_t bytes = 0;

    batch->len = 0;
    take_all(q, limits, state, batch, &bytes, q->head, 0);
}

/* Empty: from the beginning again. */
static void
start_over(struct queue *q)
{
    struct queue before = *q;

    queue_open(q, q->ring, q->cap);
    q->quiet = before.quiet;
    q->pinned = before.pinned;
    q->moved = before.moved;
    q->context = before.context;
}

/* Gives back the room of ended slots at the old end. */
static void
reclaim(struct queue *q)
{
    while (q->slots > 0 && slot_at(q, q->head)->state == QUEUE_ENDED) {
        uint32_t next = q->head + slot_at(q, q->head)->size;

        q->slots--;
        if (q->fresh_skip > 0)
            q->fresh_skip--;
        else
            q->fresh_at = next == q->end ? 0 : next;
        q->head = next;
        if (next == q->end) {
            q->head = 0;
            q->end = q->cap;
        }
    }
    if (q->slots == 0)
        start_over(q);
}

static void
retire(struct queue *q, uint32_t place)
{
    struct slot *s = slot_at(q, place);

    set_state(q, s, QUEUE_ENDED);
    q->records--;
    q->bytes -= slot_bytes(s);
    if (place == q->head)
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
    uint32_t place = q->head;

    for (uint32_t i = 0; i < q->slots; i++) {
        struct slot *other = slot_at(q, place);

        if (i + 1 < q->slots)
            place = after(q, place);
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

static uint32_t
leave(struct queue *q, uint32_t place, bool lost)
{
    const struct slot *s = slot_at(q, place);
    uint32_t events = s->part == 0 ? s->events : count_part(q, s, lost);

    q->events -= events;
    retire(q, place);
    return events;
}

uint32_t
queue_end(struct queue *q, uint32_t place)
{
    return leave(q, place, false);
}

COLD uint32_t
queue_lose(struct queue *q, uint32_t place)
{
    return leave(q, place, true);
}

COLD void
queue_again(struct queue *q, uint32_t place)
{
    set_state(q, slot_at(q, place), QUEUE_FAILED);
}

COLD void
queue_refused(struct queue *q, uint32_t place)
{
    struct slot *s = slot_at(q, place);

    if (s->refusals < UINT8_MAX)
        s->refusals++;
    queue_again(q, place);
}

COLD void
queue_mark(struct queue *q, uint32_t place, enum queue_state state)
{
    set_state(q, slot_at(q, place), state);
}

COLD void
queue_rewrite(struct queue *q, uint32_t place, struct span data)
{
    struct slot *s = slot_at(q, place);
    uint64_t less = s->data_len - data.len;

    memmove(q->ring + place + sizeof *s + s->key_len, data.p, data.len);
    s->data_len = (uint32_t)data.len;
    q->bytes -= less;
    if (s->state == QUEUE_FRESH)
        q->fresh_bytes -= less;
}

/* Every record that waits, or every one that is set aside, goes over to a state. */
COLD static void
mark_all(struct queue *q, bool only_aside, enum queue_state state)
{
    uint32_t place = q->head;

    for (uint32_t i = 0; i < q->slots; i++) {
        struct slot *s = slot_at(q, place);
        bool waits =
            s->state != QUEUE_ENDED && s->state != QUEUE_SENT && s->state != QUEUE_IN_DOUBT;

        if (only_aside ? s->state == QUEUE_ASIDE : waits)
            set_state(q, s, state);
        if (i + 1 < q->slots)
            place = after(q, place);
    }
}

COLD void
queue_rejoin(struct queue *q)
{
    if (q->aside > 0)
        mark_all(q, true, QUEUE_FAILED);
}

COLD void
queue_mark_all_dead(struct queue *q)
{
    mark_all(q, false, QUEUE_DEAD);
}

/* The room between head and tail that no record takes, the gap at the end of the ring left aside. */
COLD static uint64_t
wasted(const struct queue *q)
{
    uint64_t span = q->tail > q->head ? q->tail - q->head : q->end - q->head + q->tail;
    uint64_t used = q->bytes + (uint64_t)q->records * QUEUE_RECORD_OVERHEAD;

    return span > used ? span - used : 0;
}

COLD bool
queue_roll(struct queue *q, char *scratch, size_t cap)
{
    struct slot old;
    struct slot *s;
    char *room;

    if (q->records == 0 || wasted(q) < q->cap / 4)
        return false;
    old = *slot_at(q, q->head);
    if (old.state == QUEUE_SENT || old.state == QUEUE_FRESH || slot_bytes(&old) > cap)
        return false;
    memcpy(scratch, q->ring + q->head + sizeof old, slot_bytes(&old));
    q->events -= old.events;
    retire(q, q->head);
    /* its own room is enough, wherever the tail is */
    room = queue_room(q, slot_bytes(&old));
    memcpy(room, scratch, slot_bytes(&old));
    s = slot_at(q, queue_add(q, room, old.key_len, old.data_len,
                             (struct queue_origin){old.sequence, old.events, old.part}));
    s->attempts = old.attempts;
    s->refusals = old.refusals;
    set_state(q, s, (enum queue_state)old.state);
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
        } else {
            memmove(q->ring + to, q->ring + from, size);
            to += size;
        }
        from += size;
    }
    return to;
}

COLD void
queue_compact(struct queue *q)
{
    if (q->records == 0 || queue_waiting(q) < q->records)
        return;
    if (wrapped(q)) {
        uint32_t len = close_ranks(q, q->head, q->end) - q->head;

        memmove(q->ring + q->cap - len, q->ring + q->head, len);
        q->head = q->cap - len;
        q->tail = close_ranks(q, 0, q->tail);
    } else {
        uint32_t len = close_ranks(q, q->head, q->tail) - q->head;

        memmove(q->ring, q->ring + q->head, len);
        q->head = 0;
        q->tail = len;
    }
    q->end = q->touched = q->cap;
    q->early = false;
    q->fresh_at = q->head;
    q->fresh_skip = 0;
}

COLD bool
queue_oldest(const struct queue *q, uint32_t *place)
{
    if (q->records == 0)
        return false;
    /* the slot at head never is an ended one: reclaim went past those */
    *place = q->head;
    return true;
}
