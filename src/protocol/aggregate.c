#include "protocol/aggregate.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/limits.h"
#include "protocol/subscription.h"

/* see aggregate.h */

/* More than what event_size says is above what a line comes to, a message beside long other members left aside. */
enum { LINE_ROOM = 8192 };

/* Where the key begins, which the data follows: behind the state of the compression. */
static size_t
key_at(const struct settings *settings)
{
    return settings->compression == COMPRESSION_GZIP ? sizeof(struct gzip) : 0;
}

/* A member may be as long as a record, since an event by itself may be longer than that before. */
static size_t
data_cap(const struct settings *settings)
{
    if (settings->compression == COMPRESSION_GZIP)
        return RECORD_MAX_BYTES;
    return settings->aggregation == AGGREGATION_NONE
               ? 0
               : settings->aggregation_max_bytes + (size_t)LINE_ROOM;
}

COLD size_t
aggregate_bytes(const struct settings *settings)
{
    size_t cap = data_cap(settings);

    /* 7 to align it */
    return cap == 0 ? 0 : 7 + key_at(settings) + AGGREGATE_KEY_MAX + cap + DEFLATE_SLACK;
}

COLD void
aggregate_init(struct aggregate *a, const struct settings *settings, char *memory,
               size_t record_max)
{
    size_t cap = data_cap(settings);

    memory += -(uintptr_t)memory & 7;
    *a = (struct aggregate){.cap = cap < record_max ? cap : record_max};
    a->data = memory + key_at(settings) + AGGREGATE_KEY_MAX;
    if (settings->aggregation == AGGREGATION_LINES)
        a->max =
            settings->aggregation_max_bytes < a->cap ? settings->aggregation_max_bytes : a->cap;
    if (settings->compression == COMPRESSION_NONE)
        return;
    a->gzip = (struct gzip *)(void *)memory;
    gzip_init(a->gzip);
}

void
aggregate_begin(struct aggregate *a, struct span key, uint64_t sequence)
{
    CHECK(a->events == 0 && key.len <= AGGREGATE_KEY_MAX);
    a->sequence = sequence;
    a->key_len = key.len;
    if (key.len > 0)
        memcpy(a->data - key.len, key.p, key.len);
    if (a->gzip != NULL)
        gzip_begin(a->gzip, a->data, a->cap);
}

bool
aggregate_has_key(const struct aggregate *a, struct span key)
{
    return span_same((struct span){a->data - a->key_len, a->key_len}, key);
}

/* Whether a line of so many bytes more certainly leaves it within cap. That is mostly plain, and gzip_bound takes its time. */
static bool
certain(const struct aggregate *a, size_t len)
{
    size_t more = len + aggregate_frame_len(a);
    size_t all = gzip_len(a->gzip) + more;

    return all + AGGREGATE_GZIP_MORE(all) <= a->cap || gzip_bound(a->gzip, more) <= a->cap;
}

size_t
aggregate_frame_len(const struct aggregate *a)
{
    return a->head.len > 0 ? a->head.len + SUBSCRIPTION_TAIL.len : 0;
}

bool
aggregate_takes(const struct aggregate *a, size_t len)
{
    size_t more = a->head.len > 0 ? len + 1 + SUBSCRIPTION_TAIL.len : len;

    return gzip_len(a->gzip) + more <= a->max && certain(a, len);
}

int
aggregate_pack(struct aggregate *a, struct span line)
{
    bool fits = certain(a, line.len);

    CHECK(a->events == 0 || fits);
    if (a->head.len > 0)
        (void)gzip_add(a->gzip, a->events == 0 ? a->head : SPAN(","));
    if (gzip_add(a->gzip, line) == 0) {
        a->events++;
        if (!fits)
            (void)aggregate_end(a);
        if (a->events > 0)
            return 0;
    }
    aggregate_clear(a);
    return ERR_BIG;
}

struct span
aggregate_end(struct aggregate *a)
{
    if (a->gzip != NULL && !a->sealed) {
        long len;

        if (a->head.len > 0)
            (void)gzip_add(a->gzip, SUBSCRIPTION_TAIL);
        len = gzip_end(a->gzip);
        a->sealed = true;
        if (len < 0)
            a->events = 0;
        else
            a->len = (size_t)len;
    }
    return (struct span){a->data - a->key_len, a->key_len + a->len};
}

void
aggregate_clear(struct aggregate *a)
{
    a->events = 0;
    a->len = 0;
    a->sealed = false;
}

COLD size_t
aggregate_member(struct aggregate *a, struct span line, char *out)
{
    long len;

    CHECK(a->events == 0);
    gzip_begin(a->gzip, out, line.len + AGGREGATE_GZIP_MORE(line.len) - DEFLATE_SLACK);
    (void)gzip_add(a->gzip, line);
    len = gzip_end(a->gzip);
    CHECK(len > 0);
    return (size_t)len;
}

/* A gzip member ends with it. Source: RFC 1952, ISIZE. */
uint32_t
aggregate_payload(const struct aggregate *a, struct span data)
{
    const uint8_t *end = (const uint8_t *)data.p + data.len;

    if (a->gzip == NULL || data.len < 4)
        return (uint32_t)data.len;
    return end[-4] | (uint32_t)end[-3] << 8 | (uint32_t)end[-2] << 16 | (uint32_t)end[-1] << 24;
}

COLD void
aggregate_limit(struct aggregate *a, struct span refused)
{
    uint32_t half = aggregate_payload(a, refused) / 2;

    if (half < a->max)
        a->max = half;
}
