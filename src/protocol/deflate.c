#include "protocol/deflate.h"

#include "protocol/check.h"
#include "protocol/deflate_parts.h"

/* see deflate.h */

enum {
    BLOCK_LEAST = DEFLATE_SEQUENCES * DEFLATE_MATCH_BYTES, /* less has only the last */
    BLOCK_MOST = DEFLATE_BLOCK + DEFLATE_COPY_MAX,
    BLOCK_HEAD = 6 /* bytes around a stored block, begun bytes included */
};

_Static_assert(BLOCK_MOST < 65536, "a block can be stored, and its counts have 16 bits");
_Static_assert(BLOCK_MOST + DEFLATE_AHEAD < DEFLATE_BUFFER, "a block is there until it is written");

/*
 * The fixed codes are those of symbols that occur just so often, two of which are never written.
 * Source: RFC 1951, section 3.2.6.
 */
static void
fixed_codes(struct deflate *d)
{
    uint16_t counts[DEFLATE_FIXED_LITERALS];

    for (int i = 0; i < DEFLATE_FIXED_LITERALS; i++)
        counts[i] = i < 144 || i >= 280 ? 2 : i < 256 ? 1 : 4;
    deflate_huffman(counts, DEFLATE_FIXED_LITERALS, DEFLATE_CODE_MAX, d->fixed_literals);
    /* 32 that occur once */
    deflate_huffman(counts + 144, DEFLATE_FIXED_DISTANCES, DEFLATE_CODE_MAX, d->fixed_distances);
}

void
deflate_init(struct deflate *d)
{
    memset(d->table, 0, sizeof d->table);
    /* too far from the first place in the table for any copy */
    d->base = DEFLATE_WINDOW + 1;
    d->filled = 0;
    crc32_init(&d->crc);
    fixed_codes(d);
}

/*
 * What the table has of former streams is from before this one's beginning, and so is passed over. After 4 GiB numbers
 * come again, which does no harm, since bytes are compared.
 */
void
deflate_begin(struct deflate *d, char *out, size_t cap)
{
    d->at = d->begin = out;
    d->end = out + cap;
    d->bits = 0;
    d->bits_len = 0;
    d->full = false;
    d->base += d->filled;
    d->next = d->filled = d->summed = 0;
    d->len = 0;
    d->sum = 0;
    deflate_block_clear(d);
}

/*
 * No block is longer than stored, nor longer than with the fixed codes, in which bytes that are still to come take nine
 * bits each at most. What comes behind the open block is never longer than stored.
 */
size_t
deflate_bound(const struct deflate *d, size_t len)
{
    size_t open = d->next - d->block, more = d->filled - d->next + len;
    size_t heads = BLOCK_HEAD * ((open + more) / BLOCK_LEAST + 2);
    size_t fixed = deflate_fixed_bits(d) / 8 + (more < BLOCK_MOST ? more : BLOCK_MOST) / 8;

    return (size_t)(d->at - d->begin) + d->bits_len / 8 + (fixed < open ? fixed : open) + more +
           heads;
}

static void
sum(struct deflate *d)
{
    d->sum = crc32_add(&d->crc, d->sum, (struct span){d->bytes + d->summed, d->filled - d->summed});
    d->summed = d->filled;
}

/* Looks for copies up to here. A block ends only when more follows, so that the last one is known as such. */
static void
advance(struct deflate *d, size_t end)
{
    while (d->next < end) {
        size_t block_end = d->block + DEFLATE_BLOCK;

        if (d->next >= block_end || d->sequences_len >= DEFLATE_SEQUENCES)
            deflate_block(d, false);
        else
            deflate_match(d, end < block_end ? end : block_end);
    }
}

/* Makes room; the open block stays, and what copies may reach. */
static void
slide(struct deflate *d)
{
    uint32_t from = d->next < DEFLATE_WINDOW ? 0 : d->next - DEFLATE_WINDOW;

    sum(d);
    from = from < d->block ? from : d->block;
    memmove(d->bytes, d->bytes + from, d->filled - from);
    d->base += from;
    d->block -= from;
    d->literals -= from;
    d->next -= from;
    d->filled -= from;
    d->summed -= from;
}

int
deflate_add(struct deflate *d, struct span bytes)
{
    d->len += bytes.len;
    while (bytes.len > 0) {
        size_t n = DEFLATE_BUFFER - d->filled;

        n = bytes.len < n ? bytes.len : n;
        memcpy(d->bytes + d->filled, bytes.p, n);
        bytes = span_skip(bytes, n);
        d->filled += (uint32_t)n;
        if (d->filled > DEFLATE_AHEAD)
            advance(d, d->filled - DEFLATE_AHEAD);
        if (d->filled == DEFLATE_BUFFER)
            slide(d);
        CHECK(d->filled < DEFLATE_BUFFER);
    }
    return d->full ? ERR_FULL : 0;
}

long
deflate_end(struct deflate *d)
{
    if (d->filled >= DEFLATE_MATCH_BYTES)
        advance(d, d->filled - DEFLATE_MATCH_BYTES + 1);
    for (; d->next < d->filled; d->next++)
        d->literal_counts[(uint8_t)d->bytes[d->next]]++;
    sum(d);
    deflate_block(d, true);
    if (d->full)
        return ERR_FULL;
    for (unsigned left = d->bits_len; left > 0; left -= left < 8 ? left : 8) {
        *d->at++ = (char)d->bits;
        d->bits >>= 8;
    }
    d->bits_len = 0;
    return d->at - d->begin;
}
