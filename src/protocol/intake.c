#include "protocol/intake.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/intake_parts.h"
#include "protocol/splitmix.h"
#include "protocol/timestamp.h"

/* Events into records, and what is known of their origin. What is too large is in intake_large.c. */

enum {
    RANDOM_KEY_LEN = 8,
    SEED_LASTS = 256 /* keys */
};

size_t
intake_bytes(const struct settings *settings)
{
    return INTAKE_SCRATCH_BYTES + intake_scratch_bytes(settings) + aggregate_bytes(settings);
}

/* A restored copy of this process takes a seed of its own soon, whether it knows what it is or not. */
static uint32_t
random_number(struct intake *in)
{
    if (in->random_left > 0)
        in->random_left--;
    return splitmix_next(&in->random);
}

static void
random_key(struct intake *in, char key[RANDOM_KEY_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t number = random_number(in);

    for (size_t i = 0; i < RANDOM_KEY_LEN; i++, number >>= 4)
        key[i] = digits[number & 15];
}

static struct span
request_of(const struct intake *in, const struct event *event)
{
    return event->request_id.len > 0 ? event->request_id : in->origin.request_id;
}

/* The partition key that a record carries by itself; empty when the common one serves. */
static struct span
own_key(struct intake *in, const struct event *event, char random[RANDOM_KEY_LEN])
{
    /* one that is not sent is there for a stream that wants it, and the same each time */
    if (in->settings->key == KEY_RANDOM || in->settings->key == KEY_NONE) {
        random_key(in, random);
        return (struct span){random, RANDOM_KEY_LEN};
    }
    return in->settings->key == KEY_REQUEST ? request_of(in, event) : (struct span){NULL, 0};
}

COLD void
intake_bury(struct intake *in, uint32_t index, enum ledger_drop reason)
{
    if (in->settings->dead_letter != DEAD_LETTER_NONE)
        queue_mark(in->queue, QUEUE_STREAM, index, QUEUE_DEAD);
    else
        ledger_drop(in->ledger, reason, queue_lose(in->queue, QUEUE_STREAM, index));
}

COLD void
intake_lost(struct intake *in, enum ledger_drop reason)
{
    ledger_lose(in->ledger, reason);
    in->sequence++;
}

/* see intake_parts.h */
char *
intake_room(struct intake *in, size_t size)
{
    char *room;

    do
        room = queue_room(in->queue, size);
    while (room == NULL && queue_roll(in->queue, in->rolled, INTAKE_SCRATCH_BYTES));
    if (room == NULL)
        in->wanted = size;
    return room;
}

COLD bool
intake_has_room(struct intake *in)
{
    return intake_room(in, in->wanted) != NULL;
}

void
intake_add(struct intake *in, char *room, size_t key_len, size_t data_len,
           struct queue_origin origin)
{
    queue_add(in->queue, room, key_len, data_len, origin);
    if (in->last)
        queue_bury_newest(in->queue);
}

/* --- several events a record --- */

COLD void
intake_blank(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\n')
            line[i] = ' ';
}

COLD int
intake_close(struct intake *in)
{
    struct aggregate *a = &in->open;
    struct queue_origin origin = {.sequence = a->sequence, .events = (uint16_t)a->events};
    struct span record;
    char *room;

    if (a->events == 0)
        return 0;
    record = aggregate_end(a);
    room = intake_room(in, record.len);
    if (room == NULL)
        return ERR_FULL;
    memcpy(room, record.p, record.len);
    intake_add(in, room, a->key_len, a->len, origin);
    aggregate_clear(a);
    return 0;
}

/*
 * Whether the line may have a newline within: never in a string. Looks for it in the event, since what has just been
 * written cannot be read yet without waiting for it.
 */
static bool
has_newline(const struct intake *in, const struct event *event)
{
    struct span text = event->text;

    if (in->settings->format == EVENT_MESSAGE) {
        text = event_message(event);
        if (text.p[0] == '"')
            return false;
    }
    return span_char(text, '\n') != NULL;
}

/* Whether there may be one event more in the record that is open, and this one: the next after those that it has. */
static bool
belongs(const struct intake *in, const struct event *event)
{
    return !in->open.sealed && in->open.events < AGGREGATE_EVENTS_MAX &&
           in->sequence - in->open.sequence == in->open.events &&
           (in->settings->key != KEY_REQUEST ||
            aggregate_has_key(&in->open, request_of(in, event)));
}

/* What is open has no room for the event. */
COLD static int
close_full(struct intake *in)
{
    bool any = in->open.events > 0;

    if (intake_close(in) != 0)
        return ERR_FULL;
    in->open.full = in->open.full || any;
    return 0;
}

/* An event of at most size bytes, the newline included. Returns 0 or ERR_FULL. */
static int
take_line(struct intake *in, const struct event *event, size_t size)
{
    struct aggregate *a = &in->open;
    char random[RANDOM_KEY_LEN];
    struct out o;

    if (a->events > 0 && !belongs(in, event) && intake_close(in) != 0)
        return ERR_FULL;
    if (size > a->cap - a->len && close_full(in) != 0)
        return ERR_FULL;
    if (size > a->cap)
        return intake_large(in, own_key(in, event, random), event);
    o = out_to(a->data + a->len, size);
    (void)event_write(&o, in->settings->format, event, &in->origin);
    if (has_newline(in, event))
        intake_blank(o.p, o.len);
    out_byte(&o, '\n');
    if (a->events > 0 && a->len + o.len > a->max) {
        if (close_full(in) != 0)
            return ERR_FULL;
        memmove(a->data, o.p, o.len);
    }
    if (a->events == 0)
        aggregate_begin(a, own_key(in, event, random), in->sequence);
    a->len += o.len;
    a->events++;
    intake_took(in);
    return 0;
}

/* --- messages --- */

/* The head of those that begin now, by an event of that time if nobody has told the stream. */
COLD static void
write_head(struct intake *in)
{
    struct intake_messages *m = &in->messages;
    struct out head = out_to(m->head, sizeof m->head);
    struct out made = out_to(m->stream, sizeof m->stream);

    if (m->stream_len == 0) {
        subscription_stream(&made, m->event_ms, &in->origin);
        m->stream_len = made.len;
    }
    subscription_head(&head, &in->origin, in->settings->log_group,
                      (struct span){m->stream, m->stream_len});
    in->open.head = out_span(&head);
}

/* The log events in the scratch get their ids: the next ones of the open message, or the first ones of one that begins. */
COLD static void
put_ids(struct intake *in)
{
    struct intake_messages *m = &in->messages;

    if (in->open.events == 0)
        subscription_id(m->id, m->event_ms, m->sandbox, 2 * in->sequence);
    memcpy(in->scratch + SUBSCRIPTION_ID_AT, m->id, sizeof m->id);
    if (m->second > 0) {
        subscription_id_add(m->id, 1);
        memcpy(in->scratch + m->second, m->id, sizeof m->id);
    }
}

COLD static void
write_message(struct intake *in, struct out *o, const struct event *event)
{
    struct intake_messages *m = &in->messages;

    if (timestamp_read_rfc3339(event->time, &m->event_ms) != 0)
        m->event_ms = m->wall_ms;
    m->second = subscription_event(o, event, m->event_ms, !in->origin.json);
    if (in->open.head.len == 0)
        write_head(in);
}

COLD void
intake_account(struct intake *in, struct span account_id)
{
    CHECK(in->open.events == 0 || in->open.sealed);
    in->origin.account_id = account_id;
    in->open.head.len = 0;
}

COLD void
intake_stream(struct intake *in, struct span log_stream)
{
    struct intake_messages *m = &in->messages;

    CHECK(in->open.events == 0 || in->open.sealed);
    if (log_stream.len > sizeof m->stream)
        log_stream.len = 0;
    m->stream_len = out_keep(m->stream, sizeof m->stream, 0, log_stream);
    in->open.head.len = 0;
}

/* --- what is compressed --- */

/* What goes into a record of the event, without its end. Returns 0 or ERR_FULL: it has no room anywhere. */
COLD static int
write_packed(struct intake *in, struct out *o, const struct event *event)
{
    enum event_format format = in->settings->format;

    if (format == EVENT_CLOUDWATCH && in->origin.account_id.len > 0) {
        write_message(in, o, event);
        return out_end(o);
    }
    (void)event_write(o, format == EVENT_CLOUDWATCH ? EVENT_VERBATIM : format, event, &in->origin);
    if (in->open.max > 0 && has_newline(in, event))
        intake_blank(o->p, o->len);
    return out_end(o);
}

/* As take_line. Without lines each is a record of its own. */
COLD static int
take_packed(struct intake *in, const struct event *event)
{
    struct aggregate *a = &in->open;
    char random[RANDOM_KEY_LEN];
    struct out o = out_to(in->scratch, intake_scratch_bytes(in->settings) - 1);
    struct span key = {NULL, 0};
    size_t len;

    if (write_packed(in, &o, event) != 0) {
        intake_lost(in, DROP_OVERSIZE);
        return 0;
    }
    len = intake_end_line(in, o.len);
    if (a->events > 0 && !belongs(in, event) && intake_close(in) != 0)
        return ERR_FULL;
    if (a->events > 0 && !aggregate_takes(a, len) && close_full(in) != 0)
        return ERR_FULL;
    if (a->events == 0) {
        key = own_key(in, event, random);
        aggregate_begin(a, key, in->sequence);
    }
    if (a->head.len > 0)
        put_ids(in);
    if (aggregate_pack(a, (struct span){in->scratch, len}) != 0)
        return intake_oversize(in, key, o.len);
    intake_took(in);
    if (a->head.len > 0)
        subscription_id_add(in->messages.id, in->messages.second > 0 ? 1 : 2);
    /* what has no room now has it before the next one comes */
    if (a->max == 0)
        (void)intake_close(in);
    return 0;
}

/* --- one event --- */

int
intake_event(struct intake *in, const struct event *event)
{
    char random[RANDOM_KEY_LEN];
    struct span key;
    struct out o;
    char *room;
    size_t size;

    if (in->over) {
        intake_lost(in, DROP_SHUTDOWN);
        return 0;
    }
    in->origin.sequence = in->sequence - in->first;
    if (in->open.gzip != NULL)
        return take_packed(in, event);
    size = event_size(in->settings->format, event, &in->origin);
    if (in->open.cap > 0)
        return take_line(in, event, size + 1);
    key = own_key(in, event, random);
    if (size > intake_data_max(in, key.len, RECORD_MAX_BYTES))
        return intake_large(in, key, event);
    room = intake_room(in, key.len + size);
    if (room == NULL)
        return ERR_FULL;
    o = out_to(room, key.len + size);
    out_put(&o, key);
    (void)event_write(&o, in->settings->format, event, &in->origin);
    intake_add(in, room, key.len, o.len - key.len, intake_next(in));
    intake_took(in);
    return 0;
}

COLD void
intake_request(struct intake *in, struct span request_id)
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
intake_reseed(struct intake *in, uint64_t numbers)
{
    in->random = numbers;
    in->random_left = SEED_LASTS;
}

COLD void
intake_restored(struct intake *in, const struct intake_seed *seed)
{
    struct out o = out_to(in->sandbox, sizeof in->sandbox);

    intake_reseed(in, seed->numbers);
    /* a name under which nothing came is not kept */
    if (in->sequence > in->first) {
        in->copied[1] = in->copied[0];
        memcpy(in->copied[0].sandbox, in->sandbox, SANDBOX_LEN);
        in->copied[0].first = in->first;
        in->first = in->sequence;
    }
    out_hex(&o, seed->sandbox, sizeof seed->sandbox);
    memcpy(in->messages.sandbox, seed->sandbox, sizeof in->messages.sandbox);
    intake_stream(in, (struct span){NULL, 0});
}

COLD void
intake_init(struct intake *in, char *memory, const struct intake_seed *seed)
{
    const struct settings *settings = in->settings;
    size_t key;

    in->origin = (struct event_origin){
        .function_name = settings->function_name,
        .function_version = settings->function_version,
        .region = settings->function_region,
        .sandbox = {in->sandbox, sizeof in->sandbox},
    };
    in->queue->common_key = settings->key == KEY_FIXED ? settings->fixed_key : in->origin.sandbox;
    intake_restored(in, seed);
    in->scratch = memory;
    in->rolled = memory + intake_scratch_bytes(settings);
    key = in->queue->common_key.len > AGGREGATE_KEY_MAX ? 0 : AGGREGATE_KEY_MAX;
    aggregate_init(&in->open, settings, in->rolled + INTAKE_SCRATCH_BYTES,
                   intake_data_max(in, key, RECORD_MAX_BYTES));
}
