#include "protocol/aggregate.h"

#include <string.h>

#include "protocol/check.h"

/* see aggregate.h */

/* More than what event_size says is above what a line comes to, a message beside long other members left aside. */
enum { LINE_ROOM = 8192 };

COLD size_t
aggregate_bytes(const struct settings *settings)
{
    return settings->aggregation == AGGREGATION_NONE
               ? 0
               : AGGREGATE_KEY_MAX + (size_t)settings->aggregation_max_bytes + LINE_ROOM;
}

COLD void
aggregate_init(struct aggregate *a, const struct settings *settings, char *memory,
               size_t record_max)
{
    size_t cap = settings->aggregation_max_bytes + (size_t)LINE_ROOM;

    *a = (struct aggregate){.data = memory + AGGREGATE_KEY_MAX};
    if (settings->aggregation == AGGREGATION_NONE)
        return;
    a->cap = cap < record_max ? cap : record_max;
    a->max = settings->aggregation_max_bytes < a->cap ? settings->aggregation_max_bytes : a->cap;
}

void
aggregate_begin(struct aggregate *a, struct span key, uint64_t sequence)
{
    CHECK(a->events == 0 && key.len <= AGGREGATE_KEY_MAX);
    a->sequence = sequence;
    a->key_len = key.len;
    if (key.len > 0)
        memcpy(a->data - key.len, key.p, key.len);
}

bool
aggregate_has_key(const struct aggregate *a, struct span key)
{
    return span_same((struct span){a->data - a->key_len, a->key_len}, key);
}

struct span
aggregate_record(const struct aggregate *a)
{
    return (struct span){a->data - a->key_len, a->key_len + a->len};
}

void
aggregate_clear(struct aggregate *a)
{
    a->events = 0;
    a->len = 0;
    a->sealed = false;
}
