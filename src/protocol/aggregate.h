#ifndef AGGREGATE_H
#define AGGREGATE_H
/*
 * The record that is being filled. It lies in memory of its own until it is whole, and goes into the queue as one record
 * with one key.
 *
 * With TELEMETRY_AGGREGATION=lines it holds events, each ended by a newline:
 *
 *     [ ...key][line\nline\nline\n                      ]
 *                                  ^ max: what a line may reach unless it is the first
 *                                                      ^ cap: room for one more, so that a line can be written
 *                                                        before its length is known
 *
 * With TELEMETRY_COMPRESSION=gzip lines are added to a gzip member, which is written in the place of the data; it is one
 * record's, with or without lines. What was added cannot be taken back, and the member's length is known when it is ended.
 *
 * With TELEMETRY_RECORD_FORMAT=cloudwatch what is compressed is a message (subscription.h): a head, which is the owner's, log
 * events with commas between them, and a tail.
 */
#include "protocol/gzip.h"
#include "protocol/settings.h"

struct aggregate {
    uint32_t events;   /* that it holds; 0: none is open */
    uint64_t sequence; /* of the first */
    size_t len;        /* of its data; compressed: once it is sealed */
    size_t cap;        /* of that; 0: records are written in the queue */
    size_t max; /* of its lines, at first TELEMETRY_AGGREGATION_MAX_BYTES; 0: one event each */
    char *data;
    size_t key_len;    /* of its own key, which lies before the data */
    bool full;         /* the one before was: for the owner to see, and to take back */
    bool sealed;       /* no event comes into it any more */
    struct gzip *gzip; /* NULL: it is not compressed */
    struct span
        head; /* of a message; empty: there are lines. Not to be changed while one is open and not sealed */
};

/* A record counts no more events, and an own key is no longer. */
#define AGGREGATE_EVENTS_MAX UINT16_MAX
#define AGGREGATE_KEY_MAX 64

/* A gzip member has at most so many bytes more than what it holds (deflate.h), and writes over some behind it. */
#define AGGREGATE_GZIP_MORE(len) ((len) / 1000 + 64)

/* Memory that it needs, none where records are written in the queue. */
size_t aggregate_bytes(const struct settings *settings);

/* record_max: the longest data that a record may have. The memory belongs to it from now on. */
void aggregate_init(struct aggregate *a, const struct settings *settings, char *memory,
                    size_t record_max);

/* Begins with this key, empty where the common one serves; none is open. */
void aggregate_begin(struct aggregate *a, struct span key, uint64_t sequence);

/* Whether the key is that of the open one. */
bool aggregate_has_key(const struct aggregate *a, struct span key);

/* Whether a line of so many bytes may be added to what is open and compressed. */
bool aggregate_takes(const struct aggregate *a, size_t len);

/*
 * Adds a line of an event, compressed: one that it takes, or the first. Returns 0; or ERR_BIG: it is too large for a record
 * in this form, too. Then none is open.
 */
int aggregate_pack(struct aggregate *a, struct span line);

/* What stands around an event that is alone in its record. */
size_t aggregate_frame_len(const struct aggregate *a);

/* Ends it. Returns its key and data, as the queue takes them. */
struct span aggregate_end(struct aggregate *a);

/* It is in the queue, or lost. */
void aggregate_clear(struct aggregate *a);

/* The length of a record's data before compression. */
uint32_t aggregate_payload(const struct aggregate *a, struct span data);

/* A record with several lines was too large for the service, or for what lies before it: none gets more than half of that. */
void aggregate_limit(struct aggregate *a, struct span refused);

/* A member of its own, written to out, which has AGGREGATE_GZIP_MORE, while none is open. Returns its length. */
size_t aggregate_member(struct aggregate *a, struct span line, char *out);

#endif
