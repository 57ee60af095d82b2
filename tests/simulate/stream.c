#include "stream.h"

enum { RECORDS_A_SECOND = 1000, BYTES_A_SECOND = 1048576 };

void
stream_open(struct stream *s, unsigned shards, uint64_t now_ms)
{
    *s = (struct stream){.shards_len = shards, .at_ms = now_ms};
    for (unsigned i = 0; i < shards; i++)
        s->shards[i] = (struct shard){RECORDS_A_SECOND * 1000ull, BYTES_A_SECOND};
}

static uint64_t
filled(uint64_t level, uint64_t more, uint64_t most)
{
    return level + more < most ? level + more : most;
}

static void
fill(struct stream *s, uint64_t now_ms)
{
    uint64_t ms = now_ms - s->at_ms;

    if (ms == 0)
        return;
    s->at_ms = now_ms;
    for (unsigned i = 0; i < s->shards_len; i++) {
        struct shard *one = &s->shards[i];

        /* a thousand a second are a thousand thousandths a millisecond */
        one->records = filled(one->records, ms * RECORDS_A_SECOND, RECORDS_A_SECOND * 1000ull);
        one->bytes = filled(one->bytes, ms * BYTES_A_SECOND / 1000, BYTES_A_SECOND);
    }
}

/* Keys are spread by a hash, as MD5 does it there: FNV-1a. */
static unsigned
shard_of(const struct stream *s, struct span key)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (uint8_t)key.p[i]) * 16777619u;
    hash ^= hash >> 15;
    return (unsigned)((uint64_t)hash * s->shards_len >> 32);
}

bool
stream_takes(struct stream *s, uint64_t now_ms, struct span key, size_t bytes)
{
    struct shard *one;

    if (s->shards_len == 0)
        return true;
    fill(s, now_ms);
    one = &s->shards[shard_of(s, key)];
    if (one->records < 1000 || one->bytes < bytes)
        return false;
    one->records -= 1000;
    one->bytes -= bytes;
    return true;
}

uint64_t
stream_room(struct stream *s, uint64_t now_ms)
{
    uint64_t room = 0;

    fill(s, now_ms);
    for (unsigned i = 0; i < s->shards_len; i++)
        room += s->shards[i].records / 1000;
    return room;
}

uint64_t
stream_capacity(const struct stream *s, uint64_t ms)
{
    return s->shards_len * (ms * RECORDS_A_SECOND / 1000);
}
