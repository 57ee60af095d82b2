#include <stdlib.h>
#include <string.h>

#include "../../unit/inflate.h"
#include "books.h"
#include "lambda.h"
#include "protocol/event.h"
#include "world.h"

/*
 * What a consumer makes of a record, from src/README.md, "Which form for which consumer": decompressed, if compressed;
 * then line by line, if a record may hold several, or by log events.
 */

enum { UNFOLDED_MAX = 4 << 20, LEAST_MEMBER = 18 };

static char *room;

/* What is not compressed is for the dead letter alone: what is too large for the stream in any form. */
static struct span
decompressed(enum books_where where, struct span data)
{
    long len;

    if (!world.plan.gzip ||
        (where == BOOKS_DEAD_LETTER && (data.len < LEAST_MEMBER || data.p[0] != '\x1f')))
        return data;
    if (room == NULL)
        room = malloc(UNFOLDED_MAX);
    if (room == NULL)
        abort();
    len = inflate_member(data, room, UNFOLDED_MAX);
    if (len < 0)
        world_break("gzip: a record of %zu bytes that is no member", data.len);
    if (data.len > (size_t)len + (size_t)len / 1000 + 32)
        world_break("gzip: %zu bytes for %ld", data.len, len);
    return (struct span){room, (size_t)len};
}

/* --- messages ----------------------------------------------------------------------------------------- */

enum { ID_LEN = 56, IDS = 1 << 17 };

/* Ids of log events and what came under each, both by their hashes. */
static struct {
    uint64_t id, content;
} * ids;

static uint32_t ids_len;

void
books_begin_unfold(void)
{
    if (ids_len > 0)
        memset(ids, 0, IDS * sizeof *ids);
    ids_len = 0;
}

static uint64_t
hash(struct span s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
    return h ^ h >> 29;
}

/* A number of so many digits, the highest word first. */
static void
read_id(struct span id, uint32_t words[6])
{
    memset(words, 0, 6 * sizeof *words);
    for (size_t at = 0; at < id.len; at++) {
        uint64_t carry = (uint64_t)(id.p[at] - '0');

        for (size_t i = 6; i-- > 0; carry >>= 32) {
            carry += 10 * (uint64_t)words[i];
            words[i] = (uint32_t)carry;
        }
    }
}

/*
 * All bits from 144 on are the time of the message's first event. Who removes doubles by ids must not remove anything else,
 * whichever copy of a snapshot it is of: not even if all were of the same time.
 */
static void
id_came(struct span id, uint64_t first_ms, struct span content)
{
    uint32_t words[6];
    uint64_t of = hash(content);
    uint64_t h;

    read_id(id, words);
    if (((uint64_t)words[0] << 16 | words[1] >> 16) != first_ms)
        world_break("cloudwatch: id %.*s in a message of %llu ms", (int)id.len, id.p,
                    (unsigned long long)first_ms);
    words[0] = 0;
    words[1] &= 0xffff;
    h = hash((struct span){(const char *)words, sizeof words});

    if (ids == NULL)
        ids = calloc(IDS, sizeof *ids);
    if (ids == NULL || ids_len > IDS / 2)
        abort();
    for (size_t i = h % IDS;; i = (i + 1) % IDS) {
        if (ids[i].id == 0) {
            ids[i].id = h;
            ids[i].content = of;
            ids_len++;
            return;
        }
        if (ids[i].id == h && ids[i].content != of)
            world_break("cloudwatch: two log events have the id %.*s", (int)id.len, id.p);
        if (ids[i].id == h)
            return;
    }
}

/* Takes these bytes off. */
static void
take(struct span *data, struct span bytes)
{
    if (data->len < bytes.len || memcmp(data->p, bytes.p, bytes.len) != 0)
        world_break("cloudwatch: <%.*s> where <%.*s> should be",
                    (int)(data->len < 60 ? data->len : 60), data->p, (int)bytes.len, bytes.p);
    *data = span_skip(*data, bytes.len);
}

/* The inside of a string, and its end. */
static struct span
take_string(struct span *data)
{
    struct span inside = {data->p, 0};

    while (inside.len < data->len && inside.p[inside.len] != '"')
        inside.len += inside.p[inside.len] == '\\' ? 2 : 1;
    if (inside.len == 0 || inside.len >= data->len)
        world_break("cloudwatch: a string that is empty or does not end");
    *data = span_skip(*data, inside.len + 1);
    return inside;
}

static void
take_events(enum books_where where, struct span data, struct span partition_key)
{
    struct span before = {NULL, 0};
    struct span event, id, message;
    uint64_t first_ms = 0, ms;

    for (;;) {
        event = data;
        take(&data, SPAN("{\"id\":\""));
        id = take_string(&data);
        if (id.len != ID_LEN || (before.len > 0 && memcmp(before.p, id.p, ID_LEN) >= 0))
            world_break("cloudwatch: id %.*s behind %.*s", (int)id.len, id.p, (int)before.len,
                        before.p);
        before = id;
        take(&data, SPAN(",\"timestamp\":"));
        for (ms = 0; data.len > 0 && data.p[0] >= '0' && data.p[0] <= '9';
             data = span_skip(data, 1))
            ms = 10 * ms + (uint64_t)(data.p[0] - '0');
        first_ms = first_ms == 0 ? ms : first_ms;
        take(&data, SPAN(",\"message\":\""));
        message = take_string(&data);
        id_came(id, first_ms, (struct span){event.p, (size_t)(data.p - event.p)});
        books_arrived(where, message, partition_key);
        take(&data, SPAN("}"));
        if (data.len == 0 || data.p[0] != ',')
            break;
        data = span_skip(data, 1);
    }
    take(&data, SPAN("]}"));
    if (data.len > 0)
        world_break("cloudwatch: %zu bytes behind a message", data.len);
}

/* Returns whether it was one; else it is lines of events, as long as the account is not known. */
static bool
message_came(enum books_where where, struct span data, struct span partition_key)
{
    size_t len = data.len;
    struct span events;
    uint32_t n = 0;

    if (span_starts(data, SPAN("{\"time\":")) && !api_accounted())
        return false;
    take(&data, SPAN("{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":"
                     "\"/aws/lambda/function\",\"logStream\":\""));
    (void)take_string(&data);
    take(&data, SPAN(",\"subscriptionFilters\":[\"kinesis-telemetry-api-extension\"],"
                     "\"logEvents\":["));
    for (events = data; span_find(events, SPAN("{\"id\":\"")) != NULL; n++)
        events = span_skip(events, (size_t)(span_find(events, SPAN("{\"id\":\"")) - events.p) + 1);
    if (n > 1 && len > world.plan.lines_bytes)
        world_break("cloudwatch: a record of %u events and %zu bytes", n, len);
    take_events(where, data, partition_key);
    return true;
}

static void lines_came(enum books_where where, struct span data, struct span partition_key);

void
books_record(enum books_where where, struct span data, struct span partition_key)
{
    data = decompressed(where, data);
    if (world.plan.format != EVENT_CLOUDWATCH) {
        lines_came(where, data, partition_key);
    } else if (!message_came(where, data, partition_key)) {
        world.plan.format = EVENT_VERBATIM;
        lines_came(where, data, partition_key);
        world.plan.format = EVENT_CLOUDWATCH;
    }
}

static void
lines_came(enum books_where where, struct span data, struct span partition_key)
{
    struct span rest;
    uint32_t lines = 0;

    if (world.plan.lines_bytes == 0) {
        books_arrived(where, data, partition_key);
        return;
    }
    if (data.len == 0 || data.p[data.len - 1] != '\n')
        world_break("lines: a record that does not end in a newline");
    rest = (struct span){data.p, data.len - 1};
    while (rest.p != NULL) {
        books_arrived(where, span_cut(rest, '\n', &rest), partition_key);
        lines++;
    }
    if (lines > 1 && data.len > world.plan.lines_bytes)
        world_break("lines: a record of %u lines and %zu bytes", lines, data.len);
}
