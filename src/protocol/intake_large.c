#include "protocol/intake_parts.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/oversize.h"
#include "protocol/oversize_split.h"

/* What is too large for a record, by itself or for the stream. */

enum { ID_MAX = 128 /* of pieces: each time that one is split again adds a few bytes */ };

/* What ends the data of each record: a newline where it may have several events. */
static size_t
end_len(const struct intake *in)
{
    return in->settings->aggregation == AGGREGATION_LINES && in->open.head.len == 0 ? 1 : 0;
}

/* The most that data may have beside that and its key, so that it fits however little compression makes of it. */
static size_t
line_max(const struct intake *in, size_t key_len)
{
    bool packed = in->open.gzip != NULL;
    size_t max = packed ? in->open.cap : intake_data_max(in, key_len, RECORD_MAX_BYTES);
    size_t more =
        end_len(in) + aggregate_frame_len(&in->open) + (packed ? AGGREGATE_GZIP_MORE(max) : 0);

    return max > more ? max - more : 0;
}

/* Adds a record whose data lies elsewhere, without its end. Returns 0 or ERR_FULL. */
COLD static int
add_copy(struct intake *in, struct span key, struct span data, bool dead)
{
    struct span head = in->open.head;
    size_t len = key.len + aggregate_frame_len(&in->open) + data.len + end_len(in);
    char *room = intake_room(in, len);
    struct out o = out_to(room, room == NULL ? 0 : len);

    if (room == NULL)
        return ERR_FULL;
    out_put(&o, key);
    out_put(&o, head);
    out_put(&o, data);
    if (o.len < len)
        out_put(&o, head.len > 0 ? SUBSCRIPTION_TAIL : SPAN("\n"));
    intake_add(in, room, key.len, len - key.len, intake_next(in));
    if (dead && !in->last)
        queue_bury_newest(in->queue);
    return 0;
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
write_id(const struct intake *in, const struct whole *w, struct out *id)
{
    struct span rest = span_skip(w->data, sizeof "{\"split\":{\"id\":\"" - 1);
    const char *sandbox = in->sandbox;
    uint64_t first = in->first;

    if (w->origin.part > 0) {
        out_put(id, span_cut(rest, '"', &rest));
        out_byte(id, '.');
        out_number(id, w->origin.part);
        return;
    }
    for (size_t i = 0; i < 2 && w->origin.sequence < first; i++) {
        sandbox = in->copied[i].sandbox;
        first = in->copied[i].first;
    }
    out_put(id, (struct span){sandbox, SANDBOX_LEN});
    out_byte(id, '-');
    out_number(id, w->origin.sequence - first);
}

/* Whether it can be split, so that the queue would have room for all pieces; total is that room. */
COLD static bool
begin_split(struct intake *in, struct oversize_split *split, const struct whole *w, struct out *id,
            size_t max, size_t *total)
{
    write_id(in, w, id);
    if (out_end(id) != 0 || oversize_split(split, w->data, out_span(id), max) != 0 ||
        split->parts > UINT16_MAX)
        return false;
    *total = split->bytes + split->parts * (w->key.len + end_len(in) + QUEUE_RECORD_OVERHEAD);
    if (in->open.gzip != NULL)
        *total += split->parts * AGGREGATE_GZIP_MORE(max);
    return queue_fits(in->queue, *total);
}

/* The key and the next piece. Returns the length of that. */
COLD static size_t
write_piece(struct intake *in, char *room, struct oversize_split *split, struct span key)
{
    size_t len = oversize_split_size(split) + end_len(in);
    bool packed = in->open.gzip != NULL;
    /* nothing rolls any more: room has been found for all */
    struct out o = out_to(packed ? in->rolled : room + key.len, len);

    if (key.len > 0)
        memcpy(room, key.p, key.len);
    (void)oversize_split_next(split, &o);
    if (o.len < len)
        out_byte(&o, '\n');
    if (packed)
        len = aggregate_member(&in->open, out_span(&o), room + key.len);
    CHECK(len <= INTAKE_SCRATCH_BYTES);
    return len;
}

/* The pieces, all at once, where there is room. */
COLD static void
add_pieces(struct intake *in, char *room, struct oversize_split *split, const struct whole *w)
{
    struct queue_origin origin = w->origin;

    in->ledger->split += split->parts - 1;
    for (origin.part = 1; origin.part <= split->parts; origin.part++) {
        intake_add(in, room, w->key.len, write_piece(in, room, split, w->key), origin);
        origin.events = 0;
        room = queue_room_behind(in->queue);
    }
}

/* An event that has no record yet. Returns 0, ERR_FULL or ERR_BIG. */
COLD static int
split_event(struct intake *in, struct span key, size_t len, size_t max)
{
    struct whole w = {key, {in->scratch, len}, intake_next(in)};
    struct oversize_split split;
    char text[ID_MAX];
    struct out id = out_to(text, sizeof text);
    size_t total;
    char *room;

    if (!begin_split(in, &split, &w, &id, max, &total))
        return ERR_BIG;
    room = intake_room(in, total);
    if (room == NULL)
        return ERR_FULL;
    add_pieces(in, room, &split, &w);
    return 0;
}

/* The record of what the scratch holds now, of which it is certain that it fits. Returns 0 or ERR_FULL. */
COLD static int
add_scratch(struct intake *in, struct span key, size_t len)
{
    int r;

    if (in->open.gzip == NULL)
        return add_copy(in, key, (struct span){in->scratch, len}, false);
    aggregate_begin(&in->open, key, in->sequence);
    r = aggregate_pack(&in->open, (struct span){in->scratch, intake_end_line(in, len)});
    CHECK(r == 0);
    (void)intake_close(in);
    return r;
}

/* The scratch holds data that is too large for a record. Returns 0, ERR_FULL or ERR_BIG. */
COLD static int
fit(struct intake *in, struct span key, size_t len)
{
    size_t max = line_max(in, key.len);
    int64_t new_len;

    if (in->settings->oversize == OVERSIZE_SPLIT)
        return split_event(in, key, len, max);
    if (in->settings->oversize == OVERSIZE_DROP)
        return ERR_BIG;
    new_len = oversize_truncate(in->scratch, len, max);
    if (new_len < 0)
        return ERR_BIG;
    if (add_scratch(in, key, (size_t)new_len) != 0)
        return ERR_FULL;
    in->ledger->truncated++;
    return 0;
}

/* What cannot be made to fit may still go to the dead letter whole. Returns 0 or ERR_FULL. */
COLD static int
give_up(struct intake *in, struct span key, struct span data)
{
    if (in->settings->dead_letter != DEAD_LETTER_NONE &&
        queue_fits(in->queue, key.len + aggregate_frame_len(&in->open) + data.len + end_len(in))) {
        if (add_copy(in, key, data, true) != 0)
            return ERR_FULL;
        intake_took(in);
    } else {
        intake_lost(in, DROP_OVERSIZE);
    }
    return 0;
}

COLD int
intake_oversize(struct intake *in, struct span key, size_t len)
{
    /* the dead letter takes any size */
    int r = in->last ? ERR_BIG : fit(in, key, len);

    if (r == ERR_BIG)
        return give_up(in, key, (struct span){in->scratch, len});
    if (r == 0)
        intake_took(in);
    return r;
}

COLD int
intake_large(struct intake *in, struct span key, const struct event *event)
{
    struct out o = out_to(in->scratch, INTAKE_SCRATCH_BYTES);

    if (event_write(&o, in->settings->format, event, &in->origin) != 0) {
        intake_lost(in, DROP_OVERSIZE);
        return 0;
    }
    if (end_len(in) > 0)
        intake_blank(o.p, o.len);
    if (o.len > line_max(in, key.len))
        return intake_oversize(in, key, o.len);
    if (add_copy(in, key, out_span(&o), false) != 0)
        return ERR_FULL;
    intake_took(in);
    return 0;
}

/*
 * Whether there is room for so much when this record has gone and all others have moved together,
 * which they can when none of them is in a batch.
 */
static bool
room_without(const struct queue *q, const struct queue_record *record, size_t total)
{
    uint64_t others = q->bytes - record->data.len -
                      (record->own_key ? record->partition_key.len : 0) +
                      (uint64_t)(q->records - 1) * QUEUE_RECORD_OVERHEAD;

    return queue_waiting(q) == q->records - 1 &&
           others + QUEUE_RECORD_OVERHEAD + total <= q->ring.cap;
}

/*
 * Ends the record, whose key and data have been copied, and makes room for what comes in its stead. Returns it and how
 * many events that stands for; or NULL: there is no room now, and nothing has changed.
 */
COLD static char *
room_instead(struct intake *in, uint32_t index, size_t total, uint16_t *events)
{
    struct queue_record record = queue_at(in->queue, QUEUE_STREAM, index);
    char *room = intake_room(in, total);

    if (room == NULL && !room_without(in->queue, &record, total))
        return NULL;
    /* what there is room for now has room all the more when the record is gone */
    *events = (uint16_t)queue_end(in->queue, QUEUE_STREAM, index);
    if (room == NULL)
        queue_compact(in->queue);
    room = intake_room(in, total);
    CHECK(room != NULL);
    return room;
}

/* The scratch holds a copy of the record that is split. */
COLD static int
split_record(struct intake *in, uint32_t index, size_t limit)
{
    struct queue_record record = queue_at(in->queue, QUEUE_STREAM, index);
    char key[256];
    struct whole w = {{key, record.own_key ? record.partition_key.len : 0},
                      {in->scratch, record.data.len - end_len(in)},
                      record.origin};
    struct oversize_split split;
    char text[ID_MAX];
    struct out id = out_to(text, sizeof text);
    size_t total;
    char *room;

    if (!begin_split(in, &split, &w, &id, limit, &total))
        return ERR_BIG;
    memcpy(key, record.partition_key.p, w.key.len);
    room = room_instead(in, index, total, &w.origin.events);
    if (room == NULL)
        return ERR_FULL;
    add_pieces(in, room, &split, &w);
    return 0;
}

/* Where the line ends that has the middle of what is in the scratch; at least one line is left behind it. */
static size_t
middle(const struct intake *in, size_t len, uint16_t all, uint16_t *lines)
{
    size_t at = 0;

    for (*lines = 0; *lines == 0 || (at < len / 2 && *lines + 1 < all); ++*lines) {
        const char *end = span_char((struct span){in->scratch + at, len - at}, '\n');

        CHECK(end != NULL);
        at = (size_t)(end - in->scratch) + 1;
    }
    return at;
}

static void
add_lines(struct intake *in, char *room, struct span key, struct span lines,
          struct queue_origin origin)
{
    if (key.len > 0)
        memcpy(room, key.p, key.len);
    memcpy(room + key.len, lines.p, lines.len);
    intake_add(in, room, key.len, lines.len, origin);
}

/* One half of the lines goes into one record, the other into another. */
COLD static int
halve(struct intake *in, uint32_t index)
{
    struct queue_record record = queue_at(in->queue, QUEUE_STREAM, index);
    struct queue_origin first = record.origin, second = first;
    struct span all = {in->scratch, record.data.len};
    char bytes[AGGREGATE_KEY_MAX];
    struct span key = {bytes, record.own_key ? record.partition_key.len : 0};
    size_t at;
    char *room;

    memcpy(in->scratch, record.data.p, all.len);
    memcpy(bytes, record.partition_key.p, key.len);
    room = room_instead(in, index, all.len + 2 * (key.len + QUEUE_RECORD_OVERHEAD), &second.events);
    if (room == NULL)
        return ERR_FULL;
    at = middle(in, all.len, second.events, &first.events);
    second.events -= first.events;
    second.sequence += first.events;
    add_lines(in, room, key, (struct span){all.p, at}, first);
    add_lines(in, queue_room_behind(in->queue), key, span_skip(all, at), second);
    return 0;
}

COLD int
intake_resize(struct intake *in, uint32_t index, size_t limit)
{
    struct queue_record record = queue_at(in->queue, QUEUE_STREAM, index);
    size_t end = end_len(in), len = record.data.len - end;
    int64_t new_len;

    if (in->open.gzip != NULL || limit <= end || len > INTAKE_SCRATCH_BYTES)
        return ERR_BIG;
    if (record.origin.events > 1)
        return halve(in, index);
    if (in->settings->oversize == OVERSIZE_DROP)
        return ERR_BIG;
    memcpy(in->scratch, record.data.p, len);
    if (in->settings->oversize == OVERSIZE_SPLIT)
        return split_record(in, index, limit - end);
    new_len = oversize_truncate(in->scratch, len, limit - end);
    if (new_len < 0)
        return ERR_BIG;
    if (end > 0)
        in->scratch[new_len++] = '\n';
    queue_rewrite(in->queue, QUEUE_STREAM, index, (struct span){in->scratch, (size_t)new_len});
    in->ledger->truncated++;
    return 0;
}
