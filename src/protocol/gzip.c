#include "protocol/gzip.h"

/* see gzip.h */

/* Source: RFC 1952, section 2.3. */
enum { HEAD = 10, TAIL = 8 };

_Static_assert(TAIL >= DEFLATE_SLACK, "what is behind the stream is written after it");
_Static_assert(sizeof(struct gzip) <= 163840, "160 KiB is what all of it may take");

void
gzip_init(struct gzip *g)
{
    deflate_init(&g->deflate);
}

/* Deflate; no flags, no time; the fastest algorithm, an unknown system. */
void
gzip_begin(struct gzip *g, char *out, size_t cap)
{
    static const char head[HEAD] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 4, (char)0xff};

    g->out = out;
    if (cap < HEAD + TAIL) {
        /* no stream has room in nothing */
        deflate_begin(&g->deflate, out, 0);
        return;
    }
    memcpy(out, head, HEAD);
    deflate_begin(&g->deflate, out + HEAD, cap - HEAD - TAIL);
}

size_t
gzip_bound(const struct gzip *g, size_t len)
{
    return HEAD + deflate_bound(&g->deflate, len) + TAIL;
}

int
gzip_add(struct gzip *g, struct span bytes)
{
    return deflate_add(&g->deflate, bytes);
}

static char *
put_number(char *to, uint32_t number)
{
    for (int i = 0; i < 4; i++, number >>= 8)
        *to++ = (char)number;
    return to;
}

long
gzip_end(struct gzip *g)
{
    long len = deflate_end(&g->deflate);

    if (len < 0)
        return ERR_FULL;
    (void)put_number(put_number(g->out + HEAD + len, g->deflate.sum), (uint32_t)g->deflate.len);
    return HEAD + len + TAIL;
}

uint64_t
gzip_len(const struct gzip *g)
{
    return g->deflate.len;
}
