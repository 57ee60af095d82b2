#ifndef STREAM_H
#define STREAM_H
/*
 * The stream's side: shards that take so much a second, and what has arrived there.
 *
 * Source: Kinesis quotas: a shard takes 1,000 records and 1 MB a second; that it lets a second's worth
 * pass at once after a rest is observed, not documented.
 */
#include "protocol/span.h"

#define SHARDS_MAX 8

struct shard {
    uint64_t records; /* that it takes now, in thousandths */
    uint64_t bytes;
};

struct stream {
    unsigned shards_len; /* 0: without limit */
    struct shard shards[SHARDS_MAX];
    uint64_t at_ms; /* as of when */
};

void stream_open(struct stream *s, unsigned shards, uint64_t now_ms);

/* Whether the shard of this key takes so many bytes now; if so, it has. */
bool stream_takes(struct stream *s, uint64_t now_ms, struct span key, size_t bytes);

/* What all shards together take at once, and what in so many milliseconds besides, in records. */
uint64_t stream_room(struct stream *s, uint64_t now_ms);
uint64_t stream_capacity(const struct stream *s, uint64_t ms);

#endif
