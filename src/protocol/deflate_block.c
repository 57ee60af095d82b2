#include "protocol/check.h"
#include "protocol/deflate_parts.h"

/* see deflate_parts.h */

/* Source: RFC 1951, section 3.2.3. */
enum { STORED = 0, FIXED = 1, DYNAMIC = 2 };

void
deflate_block_clear(struct deflate *d)
{
    d->block = d->literals = d->next;
    d->sequences_len = 0;
    d->extra = 0;
    memset(d->literal_counts, 0, sizeof d->literal_counts);
    memset(d->distance_counts, 0, sizeof d->distance_counts);
    d->literal_counts[DEFLATE_END_SYMBOL] = 1;
}

uint32_t
deflate_coded_bits(const struct deflate *d, const uint32_t *literals, const uint32_t *distances)
{
    uint32_t bits = 3 + d->extra;

    for (unsigned i = 0; i < DEFLATE_LITERALS; i++)
        bits += d->literal_counts[i] * (literals[i] >> 16);
    for (unsigned i = 0; i < DEFLATE_DISTANCES; i++)
        bits += d->distance_counts[i] * (distances[i] >> 16);
    return bits;
}

uint32_t
deflate_fixed_bits(const struct deflate *d)
{
    return deflate_coded_bits(d, d->fixed_literals, d->fixed_distances);
}

static uint32_t
stored_bits(const struct deflate *d)
{
    unsigned to_byte = (8 - (d->bits_len + 3)) & 7;

    return 3 + to_byte + 32 + 8 * (d->next - d->block);
}

static void
write_stored(const struct deflate *d, struct deflate_bits *b)
{
    uint32_t len = d->next - d->block;

    deflate_put(b, 0, (8 - b->len) & 7);
    deflate_put(b, len | (len ^ 0xffff) << 16, 32);
    deflate_flush(b);
    memcpy(b->at, d->bytes + d->block, len);
    b->at += len;
}

/* There is room for it. */
static void
write_block(struct deflate *d, const struct deflate_dynamic *y, unsigned kind, bool last)
{
    struct deflate_bits b = {d->bits, d->bits_len, d->at};

    deflate_put(&b, kind << 1 | last, 3);
    if (kind == STORED) {
        write_stored(d, &b);
    } else if (kind == FIXED) {
        deflate_write(d, &b, d->fixed_literals, d->fixed_distances);
    } else {
        deflate_dynamic_head(y, &b);
        deflate_write(d, &b, y->literals, y->distances);
    }
    d->bits = b.bits;
    d->bits_len = b.len;
    d->at = b.at;
}

static uint64_t
written(const struct deflate *d)
{
    return 8 * (uint64_t)(d->at - d->begin) + d->bits_len;
}

void
deflate_block(struct deflate *d, bool last)
{
    uint32_t stored = stored_bits(d), fixed = deflate_fixed_bits(d);
    uint32_t bits = fixed < stored ? fixed : stored;
    unsigned kind = fixed < stored ? FIXED : STORED;
    uint64_t before = written(d);
    struct deflate_dynamic y;

    if (bits >= 8 * DEFLATE_SMALL) {
        uint32_t dynamic = deflate_dynamic(d, &y);

        kind = dynamic < bits ? DYNAMIC : kind;
        bits = dynamic < bits ? dynamic : bits;
    }
    if ((d->bits_len + bits + 7) / 8 > (size_t)(d->end - d->at))
        d->full = true;
    if (!d->full) {
        write_block(d, &y, kind, last);
        CHECK(written(d) == before + bits);
    }
    deflate_block_clear(d);
}
