#ifndef AGGREGATE_H
#define AGGREGATE_H
/*
 * The record that is being filled: events, each ended by a newline.
 *
 * It lies in memory of its own until it is whole, and goes into the queue as one record with one key:
 *
 *     [ ...key][line\nline\nline\n                      ]
 *                                  ^ max: what a line may reach unless it is the first
 *                                                      ^ cap: room for one more, so that a line can be written
 *                                                        before its length is known
 */
#include "protocol/settings.h"
#include "protocol/span.h"

struct aggregate {
    uint32_t events;   /* that it holds; 0: none is open */
    uint64_t sequence; /* of the first */
    size_t len;        /* of its data */
    size_t cap;        /* of that; 0: there are no aggregates */
    size_t max;        /* TELEMETRY_AGGREGATION_MAX_BYTES */
    char *data;
    size_t key_len; /* of its own key, which lies before the data */
    bool sealed;    /* no event comes into it any more */
};

/* A record counts no more events, and an own key is no longer. */
#define AGGREGATE_EVENTS_MAX UINT16_MAX
#define AGGREGATE_KEY_MAX 64

/* Memory that it needs, none where records hold one event each. */
size_t aggregate_bytes(const struct settings *settings);

/* record_max: the longest data that a record may have. The memory belongs to it from now on. */
void aggregate_init(struct aggregate *a, const struct settings *settings, char *memory,
                    size_t record_max);

/* Begins with this key, empty where the common one serves; none is open. */
void aggregate_begin(struct aggregate *a, struct span key, uint64_t sequence);

/* Whether the key is that of the open one. */
bool aggregate_has_key(const struct aggregate *a, struct span key);

/* Its key and data, as the queue takes them; it stays open. */
struct span aggregate_record(const struct aggregate *a);

/* It is in the queue, or lost. */
void aggregate_clear(struct aggregate *a);

#endif
