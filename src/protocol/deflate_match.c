#include "protocol/check.h"
#include "protocol/deflate_parts.h"

/* see deflate_parts.h */

static inline uint64_t
load(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* Only those of eight bytes that are compared, the first one lowest. */
static inline uint64_t
match_bytes(uint64_t v)
{
    return v << 8 * (8 - DEFLATE_MATCH_BYTES);
}

static inline uint32_t *
place(struct deflate *d, uint64_t v)
{
    /* the fractional part of the golden ratio spreads well */
    return &d->table[match_bytes(v) * 0x9e3779b97f4a7c15 >> (64 - DEFLATE_HASH_BITS)];
}

/* How many bytes are the same, of which the first len are known to be. */
static inline size_t
same(const char *a, const char *b, size_t len, size_t most)
{
    uint64_t differ = 0;

    while (len < most && (differ = load(a + len) ^ load(b + len)) == 0)
        len += 8;
    if (differ != 0)
        len += (unsigned)__builtin_ctzll(differ) >> 3;
    return len < most ? len : most;
}

/* Bytes as they are up to here, then a copy. */
static inline void
add(struct deflate *d, size_t at, size_t len, size_t distance)
{
    uint32_t n = d->sequences_len, sequence;
    size_t run = at - d->literals;
    struct deflate_symbol s;

    for (; run >= DEFLATE_RUN_MAX; run -= DEFLATE_RUN_MAX)
        d->sequences[n++] = deflate_sequence(DEFLATE_RUN_MAX, DEFLATE_COPY_MIN, 1);
    sequence = deflate_sequence(run, len, distance);
    d->sequences[n++] = sequence;
    d->sequences_len = n;
    d->literals = (uint32_t)(at + len);
    s = deflate_len_symbol(sequence);
    d->literal_counts[s.symbol]++;
    d->extra += s.extra_len;
    s = deflate_distance_symbol(sequence);
    d->distance_counts[s.symbol]++;
    d->extra += s.extra_len;
}

void
deflate_match(struct deflate *d, size_t end)
{
    const char *bytes = d->bytes;
    const uint32_t base = d->base;
    size_t at = d->next;

    while (at < end) {
        const char *p = bytes + at;
        uint32_t window = at < DEFLATE_WINDOW ? (uint32_t)at : DEFLATE_WINDOW;
        uint64_t v = load(p);
        uint32_t *last = place(d, v);
        uint32_t distance = base + (uint32_t)at - *last;
        size_t most, len;

        *last = base + (uint32_t)at;
        if (distance - 1 >= window || match_bytes(v ^ load(p - distance)) != 0) {
            d->literal_counts[(uint8_t)*p]++;
            at++;
            continue;
        }
        most = d->filled - at < DEFLATE_COPY_MAX ? d->filled - at : DEFLATE_COPY_MAX;
        len = same(p, p - distance, DEFLATE_MATCH_BYTES, most);
        add(d, at, len, distance);
        at += len;
        if (d->sequences_len >= DEFLATE_SEQUENCES)
            break;
    }
    CHECK(d->sequences_len < sizeof d->sequences / sizeof *d->sequences);
    d->next = (uint32_t)at;
}
