#include "extension/telemetry_intake.h"

#include <string.h>

#include "extension/telemetry_listener.h"
#include "io/entropy.h"
#include "protocol/oversize.h"
#include "protocol/oversize_split.h"

/* see telemetry_intake.h */

enum {
    RANDOM_KEY_LEN = 8,
    RANDOM_SEED_LASTS = 256, /* keys */
    ID_MAX = 128,            /* of pieces: each time that one is split again adds a few bytes */
    /* an event, and what `enriched` adds to it */
    SCRATCH_BYTES = LISTENER_EVENT_MAX_BYTES + 8192
};

size_t
telemetry_intake_bytes(void)
{
    return 2 * ((size_t)SCRATCH_BYTES + 16);
}

/*
 * Partition keys have to be spread evenly, no more, so they are not each of the kernel's randomness; a
 * restored copy of this process takes a seed of its own soon, whether it knows what it is or not.
 * Source: SplitMix64 of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators".
 */
static uint32_t
random_number(struct telemetry_intake *in)
{
    uint64_t z;

    if (in->random_left == 0) {
        (void)entropy_fill(&in->random, sizeof in->random);
        in->random_left = RANDOM_SEED_LASTS;
    }
    in->random_left--;
    z = in->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(z >> 32);
}

static void
random_key(struct telemetry_intake *in, char key[RANDOM_KEY_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t number = random_number(in);

    for (size_t i = 0; i < RANDOM_KEY_LEN; i++, number >>= 4)
        key[i] = digits[number & 15];
}

/* The partition key that a record carries by itself; empty when the common one serves. */
static struct span
own_key(struct telemetry_intake *in, const struct event *event, char random[RANDOM_KEY_LEN])
{
    struct span id = event->request_id.len > 0 ? event->request_id : in->origin.request_id;

    if (in->settings->key == KEY_RANDOM) {
        random_key(in, random);
        return (struct span){random, RANDOM_KEY_LEN};
    }
    return in->settings->key == KEY_REQUEST ? id : (struct span){NULL, 0};
}

COLD void
telemetry_intake_bury(struct telemetry_intake *in, uint32_t place, enum ledger_drop reason)
{
    if (in->settings->dead_letter != DEAD_LETTER_NONE) {
        queue_mark(in->queue, place, QUEUE_DEAD);
        return;
    }
    ledger_drop(in->ledger, reason, queue_lose(in->queue, place));
}

COLD void
telemetry_intake_lost(struct telemetry_intake *in, enum ledger_drop reason)
{
    ledger_lose(in->ledger, reason);
    in->sequence++;
}

/* The event has been taken. */
static void
took(struct telemetry_intake *in)
{
    in->ledger->received++;
    in->sequence++;
}

/*
 * Room at the price of the oldest record: of its place, where it keeps that of others from coming
 * back; of itself, if it was refused as often as it may be, or if events are dropped by now and the
 * oldest ones first.
 */
COLD static bool
make_room(struct telemetry_intake *in)
{
    struct queue_record oldest;
    enum ledger_drop reason;
    uint32_t place;

    if (queue_roll(in->queue, in->rolled, SCRATCH_BYTES))
        return true;
    if (!queue_oldest(in->queue, &place))
        return false;
    oldest = queue_at(in->queue, place);
    if (oldest.state == QUEUE_SENT)
        return false;
    if (in->overflow && in->settings->drop == WHEN_FULL_OLDEST)
        reason = DROP_OVERFLOW;
    else if (oldest.state == QUEUE_FAILED && oldest.refusals >= in->settings->max_attempts)
        reason = DROP_REFUSED;
    else
        return false;
    ledger_drop(in->ledger, reason, queue_lose(in->queue, place));
    return true;
}

/* Room for a record that fits into the empty queue; NULL when there is none now. */
static char *
room_for(struct telemetry_intake *in, size_t size)
{
    char *room;

    do
        room = queue_room(in->queue, size);
    while (room == NULL && make_room(in));
    return room;
}

static uint32_t
add(struct telemetry_intake *in, char *room, size_t key_len, size_t data_len,
    struct queue_origin origin)
{
    uint32_t place = queue_add(in->queue, room, key_len, data_len, origin);

    if (in->last)
        queue_mark(in->queue, place, QUEUE_DEAD);
    return place;
}

/* What the record of a whole event stands for. */
static struct queue_origin
next_event(const struct telemetry_intake *in)
{
    return (struct queue_origin){.sequence = in->sequence, .events = 1};
}

/* Adds a record whose data lies elsewhere. Returns 0 or ERR_FULL. */
COLD static int
add_copy(struct telemetry_intake *in, struct span key, struct span data, bool dead)
{
    char *room = room_for(in, key.len + data.len);
    struct out o = out_to(room, room == NULL ? 0 : key.len + data.len);
    uint32_t place;

    if (room == NULL)
        return ERR_FULL;
    out_put(&o, key);
    out_put(&o, data);
    place = add(in, room, key.len, data.len, next_event(in));
    if (dead)
        queue_mark(in->queue, place, QUEUE_DEAD);
    return 0;
}

/* The queue has no room for an event that is to be counted. Returns 0 when it is dropped. */
COLD static int
no_room(struct telemetry_intake *in)
{
    if (!in->overflow)
        return ERR_FULL;
    telemetry_intake_lost(in, DROP_OVERFLOW);
    return 0;
}

/* The most that data may have beside its key. A queue may be smaller than a record. */
static size_t
data_max(const struct telemetry_intake *in, size_t key_len, size_t limit)
{
    size_t half = in->queue->cap / 2;

    key_len = key_len > 0 ? key_len : in->common_key.len;
    if (limit > half)
        limit = half;
    return limit > key_len ? limit - key_len : 0;
}

/* What is to be split. It lies in the scratch. */
struct whole {
    struct span key, data;
    struct queue_origin origin; /* its events are counted with the first of its pieces */
};

/*
 * The id that the pieces have in common: of the event, SANDBOX-SEQ; or of the piece that is split
 * once more, which begins as oversize_split.h says: its own and which of them it is.
 */
static void
write_id(const struct telemetry_intake *in, const struct whole *w, struct out *id)
{
    struct span rest = span_skip(w->data, sizeof "{\"split\":{\"id\":\"" - 1);
    bool copied = w->origin.sequence < in->first;

    if (w->origin.part > 0) {
        out_put(id, span_cut(rest, '"', &rest));
        out_byte(id, '.');
        out_number(id, w->origin.part);
        return;
    }
    out_put(id, (struct span){copied ? in->copied : in->sandbox, SANDBOX_LEN});
    out_byte(id, '-');
    out_number(id, w->origin.sequence - (copied ? 0 : in->first));
}

/* Whether it can be split, so that the queue would have room for all pieces; total is that room. */
COLD static bool
begin_split(struct telemetry_intake *in, struct oversize_split *split, const struct whole *w,
            struct out *id, size_t max, size_t *total)
{
    write_id(in, w, id);
    if (out_end(id) != 0 || oversize_split(split, w->data, out_span(id), max) != 0 ||
        split->parts > UINT16_MAX)
        return false;
    *total = split->bytes + split->parts * (w->key.len + QUEUE_RECORD_OVERHEAD);
    return queue_fits(in->queue, *total);
}

/* The pieces, all at once, where there is room. */
COLD static void
add_pieces(struct telemetry_intake *in, char *room, struct oversize_split *split,
           const struct whole *w)
{
    struct queue_origin origin = w->origin;

    in->ledger->split += split->parts - 1;
    for (origin.part = 1; origin.part <= split->parts; origin.part++) {
        struct out o = out_to(room, w->key.len + oversize_split_size(split));

        out_put(&o, w->key);
        (void)oversize_split_next(split, &o);
        (void)add(in, room, w->key.len, o.len - w->key.len, origin);
        origin.events = 0;
        room = queue_room_behind(in->queue);
    }
}

/* An event that has no record yet. Returns 0, ERR_FULL or ERR_BIG. */
COLD static int
split_event(struct telemetry_intake *in, struct span key, size_t len, size_t max)
{
    struct whole w = {key, {in->scratch, len}, next_event(in)};
    struct oversize_split split;
    char text[ID_MAX];
    struct out id = out_to(text, sizeof text);
    size_t total;
    char *room;

    if (!begin_split(in, &split, &w, &id, max, &total))
        return ERR_BIG;
    room = room_for(in, total);
    if (room == NULL)
        return ERR_FULL;
    add_pieces(in, room, &split, &w);
    return 0;
}

/* The scratch holds data that is too large for a record. Returns 0, ERR_FULL or ERR_BIG. */
COLD static int
fit(struct telemetry_intake *in, struct span key, size_t len, size_t limit)
{
    size_t max = data_max(in, key.len, limit);
    int64_t new_len;

    if (in->settings->oversize == OVERSIZE_SPLIT)
        return split_event(in, key, len, max);
    if (in->settings->oversize == OVERSIZE_DROP)
        return ERR_BIG;
    new_len = oversize_truncate(in->scratch, len, max);
    if (new_len < 0)
        return ERR_BIG;
    if (add_copy(in, key, (struct span){in->scratch, (size_t)new_len}, false) != 0)
        return ERR_FULL;
    in->ledger->truncated++;
    return 0;
}

/* What cannot be made to fit may still go to the dead letter whole. Returns 0 or ERR_FULL. */
COLD static int
give_up(struct telemetry_intake *in, struct span key, struct span data)
{
    if (in->settings->dead_letter != DEAD_LETTER_NONE &&
        queue_fits(in->queue, key.len + data.len)) {
        if (add_copy(in, key, data, true) != 0)
            return no_room(in);
        took(in);
    } else {
        telemetry_intake_lost(in, DROP_OVERSIZE);
    }
    return 0;
}

/* An event that may be too large for a record. Returns 0 or ERR_FULL. */
COLD static int
take_large(struct telemetry_intake *in, struct span key, const struct event *event)
{
    struct out o = out_to(in->scratch, SCRATCH_BYTES);
    int r = ERR_BIG;

    if (event_write(&o, in->settings->format, event, &in->origin) != 0) {
        telemetry_intake_lost(in, DROP_OVERSIZE);
        return 0;
    }
    if (o.len <= data_max(in, key.len, RECORD_MAX_BYTES))
        r = add_copy(in, key, out_span(&o), false);
    else if (!in->last) /* the dead letter takes any size */
        r = fit(in, key, o.len, RECORD_MAX_BYTES);
    if (r == ERR_BIG)
        return give_up(in, key, out_span(&o));
    if (r == ERR_FULL)
        return no_room(in);
    took(in);
    return 0;
}

int
telemetry_intake_event(struct telemetry_intake *in, const struct event *event)
{
    char random[RANDOM_KEY_LEN];
    struct span key;
    struct out o;
    char *room;
    size_t size;

    if (in->over) {
        telemetry_intake_lost(in, DROP_SHUTDOWN);
        return 0;
    }
    key = own_key(in, event, random);
    in->origin.sequence = in->sequence - in->first;
    size = event_size(in->settings->format, event, &in->origin);
    if (size > data_max(in, key.len, RECORD_MAX_BYTES))
        return take_large(in, key, event);
    room = room_for(in, key.len + size);
    if (room == NULL)
        return no_room(in);
    o = out_to(room, key.len + size);
    out_put(&o, key);
    (void)event_write(&o, in->settings->format, event, &in->origin);
    (void)add(in, room, key.len, o.len - key.len, next_event(in));
    took(in);
    return 0;
}

/*
 * Whether there is room for so much when the record at this place has gone and all others have moved
 * together, which they can when none of them is in a batch.
 */
static bool
room_without(const struct queue *q, uint32_t place, size_t total)
{
    struct queue_record record = queue_at(q, place);
    uint64_t others = q->bytes - record.data.len - record.partition_key.len +
                      (uint64_t)(q->records - 1) * QUEUE_RECORD_OVERHEAD;

    return queue_waiting(q) == q->records - 1 && others + QUEUE_RECORD_OVERHEAD + total <= q->cap;
}

/* The scratch holds a copy of the record that is split. */
COLD static int
split_record(struct telemetry_intake *in, uint32_t place, size_t limit)
{
    struct queue_record record = queue_at(in->queue, place);
    struct whole w = {record.partition_key, {in->scratch, record.data.len}, record.origin};
    struct oversize_split split;
    char text[ID_MAX];
    char key[256];
    struct out id = out_to(text, sizeof text);
    size_t total;
    char *room;

    if (!begin_split(in, &split, &w, &id, limit, &total))
        return ERR_BIG;
    in->queue->pinned = true;
    room = room_for(in, total);
    in->queue->pinned = false;
    if (room == NULL && !room_without(in->queue, place, total))
        return ERR_FULL;
    memcpy(key, w.key.p, w.key.len);
    w.key.p = key;
    /* what there is room for now has room all the more when the record is gone */
    w.origin.events = (uint16_t)queue_end(in->queue, place);
    if (room == NULL)
        queue_compact(in->queue);
    add_pieces(in, room_for(in, total), &split, &w);
    return 0;
}

COLD int
telemetry_intake_resize(struct telemetry_intake *in, uint32_t place, size_t limit)
{
    struct span data = queue_at(in->queue, place).data;
    int64_t new_len;

    if (in->settings->oversize == OVERSIZE_DROP || data.len > SCRATCH_BYTES)
        return ERR_BIG;
    memcpy(in->scratch, data.p, data.len);
    if (in->settings->oversize == OVERSIZE_SPLIT)
        return split_record(in, place, limit);
    new_len = oversize_truncate(in->scratch, data.len, limit);
    if (new_len < 0)
        return ERR_BIG;
    queue_rewrite(in->queue, place, (struct span){in->scratch, (size_t)new_len});
    in->ledger->truncated++;
    return 0;
}

COLD void
telemetry_intake_request(struct telemetry_intake *in, struct span request_id)
{
    struct span *known = &in->origin.request_id;

    if (request_id.len == 0 || request_id.len > sizeof in->request_id ||
        span_same(*known, request_id))
        return;
    in->origin.cold_start = known->len == 0;
    memcpy(in->request_id, request_id.p, request_id.len);
    *known = (struct span){in->request_id, request_id.len};
}

COLD void
telemetry_intake_restored(struct telemetry_intake *in)
{
    uint8_t id[SANDBOX_LEN / 2];
    struct out o = out_to(in->sandbox, sizeof in->sandbox);

    in->random_left = 0;
    in->first = in->sequence;
    memcpy(in->copied, in->sandbox, sizeof in->copied);
    (void)entropy_fill(id, sizeof id);
    out_hex(&o, id, sizeof id);
}

COLD int
telemetry_intake_init(struct telemetry_intake *in, struct storage *s)
{
    const struct settings *settings = in->settings;

    in->origin = (struct event_origin){
        .function_name = settings->function_name,
        .function_version = settings->function_version,
        .region = settings->function_region,
        .sandbox = {in->sandbox, sizeof in->sandbox},
    };
    in->common_key = settings->key == KEY_FIXED ? settings->fixed_key : in->origin.sandbox;
    telemetry_intake_restored(in);
    in->scratch = storage_take(s, SCRATCH_BYTES);
    in->rolled = storage_take(s, SCRATCH_BYTES);
    return in->rolled == NULL ? ERR_FULL : 0;
}
