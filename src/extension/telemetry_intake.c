#include "extension/telemetry_intake.h"

#include <string.h>

#include "extension/telemetry_listener.h"
#include "io/entropy.h"
#include "protocol/oversize.h"

/* see telemetry_intake.h */

enum {
    RANDOM_KEY_LEN = 8,
    RANDOM_SEED_LASTS = 256, /* keys */
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
    queue_end(in->queue, place);
    ledger_drop(in->ledger, reason, 1);
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
    uint32_t place;

    if (queue_roll(in->queue, in->rolled, SCRATCH_BYTES))
        return true;
    if (!queue_oldest(in->queue, &place))
        return false;
    oldest = queue_at(in->queue, place);
    if (oldest.state == QUEUE_SENT)
        return false;
    if (in->overflow && in->settings->drop == WHEN_FULL_OLDEST)
        ledger_drop(in->ledger, DROP_OVERFLOW, 1);
    else if (oldest.state == QUEUE_FAILED && oldest.refusals >= in->settings->max_attempts)
        ledger_drop(in->ledger, DROP_REFUSED, 1);
    else
        return false;
    queue_end(in->queue, place);
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

static void
add(struct telemetry_intake *in, char *room, size_t key_len, size_t data_len, bool dead)
{
    uint32_t place = queue_add(in->queue, room, key_len, data_len, in->sequence++);

    if (dead || in->last)
        queue_mark(in->queue, place, QUEUE_DEAD);
}

/* Adds a record whose data lies elsewhere. Returns 0 or ERR_FULL. */
COLD static int
add_copy(struct telemetry_intake *in, struct span key, struct span data, bool dead)
{
    char *room = room_for(in, key.len + data.len);
    struct out o = out_to(room, room == NULL ? 0 : key.len + data.len);

    if (room == NULL)
        return ERR_FULL;
    out_put(&o, key);
    out_put(&o, data);
    add(in, room, key.len, data.len, dead);
    return 0;
}

/* The queue has no room for an event that is to be counted. Returns 0 when it is dropped. */
COLD static int
no_room(struct telemetry_intake *in)
{
    if (!in->overflow)
        return ERR_FULL;
    ledger_lose(in->ledger, DROP_OVERFLOW);
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

/* Pieces of the scratch, all or none of them. Returns how many, ERR_FULL or ERR_BIG. */
COLD static int
add_pieces(struct telemetry_intake *in, struct span key, size_t len, size_t max)
{
    struct oversize_split split;
    char id[64];
    struct out name = out_to(id, sizeof id);
    size_t total;
    char *room;

    out_put(&name, (struct span){in->sandbox, sizeof in->sandbox});
    out_byte(&name, '-');
    out_number(&name, in->sequence);
    if (oversize_split(&split, (struct span){in->scratch, len}, out_span(&name), max) != 0)
        return ERR_BIG;
    total = split.bytes + split.parts * (key.len + QUEUE_RECORD_OVERHEAD);
    if (!queue_fits(in->queue, total))
        return ERR_BIG;
    room = room_for(in, total);
    if (room == NULL)
        return ERR_FULL;
    for (uint32_t i = 0; i < split.parts; i++) {
        struct out o;

        if (i > 0)
            room = queue_room_behind(in->queue);
        o = out_to(room, key.len + oversize_split_size(&split));
        out_put(&o, key);
        (void)oversize_split_next(&split, &o);
        add(in, room, key.len, o.len - key.len, false);
    }
    return (int)split.parts;
}

/*
 * The scratch holds data that is too large. Returns how many records were made of it, ERR_FULL or
 * ERR_BIG.
 */
COLD static int
fit(struct telemetry_intake *in, struct span key, size_t len, size_t limit)
{
    size_t max = data_max(in, key.len, limit);
    int64_t new_len;

    if (in->settings->oversize == OVERSIZE_SPLIT) {
        int parts = add_pieces(in, key, len, max);

        if (parts > 0)
            in->ledger->split += (unsigned)parts - 1;
        return parts;
    }
    if (in->settings->oversize == OVERSIZE_DROP)
        return ERR_BIG;
    new_len = oversize_truncate(in->scratch, len, max);
    if (new_len < 0)
        return ERR_BIG;
    if (add_copy(in, key, (struct span){in->scratch, (size_t)new_len}, false) != 0)
        return ERR_FULL;
    in->ledger->truncated++;
    return 1;
}

/* What cannot be made to fit may still go to the dead letter whole. Returns 0 or ERR_FULL. */
COLD static int
give_up(struct telemetry_intake *in, struct span key, struct span data)
{
    if (in->settings->dead_letter != DEAD_LETTER_NONE &&
        queue_fits(in->queue, key.len + data.len)) {
        if (add_copy(in, key, data, true) != 0)
            return no_room(in);
    } else {
        ledger_drop(in->ledger, DROP_OVERSIZE, 1);
    }
    in->ledger->received++;
    return 0;
}

/* An event that may be too large for a record. Returns 0 or ERR_FULL. */
COLD static int
take_large(struct telemetry_intake *in, struct span key, const struct event *event)
{
    struct out o = out_to(in->scratch, SCRATCH_BYTES);
    int r = ERR_BIG;

    if (event_write(&o, in->settings->format, event, &in->origin) != 0) {
        ledger_lose(in->ledger, DROP_OVERSIZE);
        return 0;
    }
    if (o.len <= data_max(in, key.len, RECORD_MAX_BYTES))
        r = add_copy(in, key, out_span(&o), false) == 0 ? 1 : ERR_FULL;
    else if (!in->last) /* the dead letter takes any size */
        r = fit(in, key, o.len, RECORD_MAX_BYTES);
    if (r == ERR_BIG)
        return give_up(in, key, out_span(&o));
    if (r == ERR_FULL)
        return no_room(in);
    in->ledger->received += (unsigned)r;
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
        ledger_lose(in->ledger, DROP_SHUTDOWN);
        return 0;
    }
    key = own_key(in, event, random);
    in->origin.sequence = in->sequence;
    size = event_size(in->settings->format, event, &in->origin);
    if (size > data_max(in, key.len, RECORD_MAX_BYTES))
        return take_large(in, key, event);
    room = room_for(in, key.len + size);
    if (room == NULL)
        return no_room(in);
    o = out_to(room, key.len + size);
    out_put(&o, key);
    (void)event_write(&o, in->settings->format, event, &in->origin);
    add(in, room, key.len, o.len - key.len, false);
    in->ledger->received++;
    return 0;
}

COLD int
telemetry_intake_resize(struct telemetry_intake *in, uint32_t place, size_t limit)
{
    struct queue_record record = queue_at(in->queue, place);
    size_t len = record.data.len;
    char key[256];
    int parts;

    if (in->settings->oversize == OVERSIZE_DROP || len > SCRATCH_BYTES)
        return ERR_BIG;
    memcpy(in->scratch, record.data.p, len);
    if (in->settings->oversize == OVERSIZE_TRUNCATE) {
        int64_t new_len = oversize_truncate(in->scratch, len, limit);

        if (new_len < 0)
            return ERR_BIG;
        queue_rewrite(in->queue, place, (struct span){in->scratch, (size_t)new_len});
        in->ledger->truncated++;
        return 0;
    }
    memcpy(key, record.partition_key.p, record.partition_key.len);
    in->queue->pinned = true;
    parts = add_pieces(in, (struct span){key, record.partition_key.len}, len, limit);
    in->queue->pinned = false;
    if (parts < 0)
        return parts;
    in->ledger->split += (unsigned)parts - 1;
    in->ledger->received += (unsigned)parts - 1;
    queue_end(in->queue, place);
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
