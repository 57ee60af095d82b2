#include "protocol/deflate_parts.h"

/* see deflate_parts.h */

/* Three bytes a step, and up to three in the last without a branch, since how many it are can hardly be foreseen. */
static inline void
write_literals(struct deflate_bits *b, const uint32_t *codes, const uint8_t *p, ptrdiff_t len)
{
    do {
        deflate_put_code(b, codes[p[0]] & (0 - (uint32_t)(len > 0)));
        deflate_put_code(b, codes[p[1]] & (0 - (uint32_t)(len > 1)));
        deflate_put_code(b, codes[p[2]] & (0 - (uint32_t)(len > 2)));
        deflate_flush(b);
        p += 3;
        len -= 3;
    } while (len > 0);
}

static inline void
write_symbol(struct deflate_bits *b, const uint32_t *codes, struct deflate_symbol s)
{
    deflate_put_code(b, codes[s.symbol]);
    deflate_put(b, s.extra, s.extra_len);
}

void
deflate_write(const struct deflate *d, struct deflate_bits *out, const uint32_t *literals,
              const uint32_t *distances)
{
    const uint8_t *p = (const uint8_t *)d->bytes + d->block;
    const uint8_t *end = (const uint8_t *)d->bytes + d->next;
    struct deflate_bits b = *out;

    for (size_t i = 0;; i++) {
        bool last = i == d->sequences_len;
        uint32_t sequence = d->sequences[i];
        ptrdiff_t run = last ? end - p : (ptrdiff_t)(sequence >> 23);

        write_literals(&b, literals, p, run);
        p += run;
        if (last)
            break;
        if (run == DEFLATE_RUN_MAX)
            continue;
        write_symbol(&b, literals, deflate_len_symbol(sequence));
        write_symbol(&b, distances, deflate_distance_symbol(sequence));
        deflate_flush(&b);
        p += (sequence >> 15 & 255) + DEFLATE_COPY_MIN;
    }
    deflate_put_code(&b, literals[DEFLATE_END_SYMBOL]);
    deflate_flush(&b);
    *out = b;
}
