#include <stdlib.h>

#include "../../unit/inflate.h"
#include "books.h"
#include "world.h"

/*
 * What a consumer makes of a record, from README.md, "Which form for which consumer": decompressed, if it is compressed;
 * then line by line, if a record may hold several.
 */

enum { UNFOLDED_MAX = 4 << 20, LEAST_MEMBER = 18 };

static char *room;

/* What is not compressed is for the dead letter alone: what is too large for the stream in any form. */
static struct span
decompressed(enum books_where where, struct span data)
{
    long len;

    if (!world.plan.gzip ||
        (where == BOOKS_DEAD_LETTER && (data.len < LEAST_MEMBER || data.p[0] != '\x1f')))
        return data;
    if (room == NULL)
        room = malloc(UNFOLDED_MAX);
    if (room == NULL)
        abort();
    len = inflate_member(data, room, UNFOLDED_MAX);
    if (len < 0)
        world_break("gzip: a record of %zu bytes that is no member", data.len);
    if (data.len > (size_t)len + (size_t)len / 1000 + 32)
        world_break("gzip: %zu bytes for %ld", data.len, len);
    return (struct span){room, (size_t)len};
}

void
books_record(enum books_where where, struct span data, struct span partition_key)
{
    struct span rest;
    uint32_t lines = 0;

    data = decompressed(where, data);
    if (world.plan.lines_bytes == 0) {
        books_arrived(where, data, partition_key);
        return;
    }
    if (data.len == 0 || data.p[data.len - 1] != '\n')
        world_break("lines: a record that does not end in a newline");
    rest = (struct span){data.p, data.len - 1};
    while (rest.p != NULL) {
        books_arrived(where, span_cut(rest, '\n', &rest), partition_key);
        lines++;
    }
    if (lines > 1 && data.len > world.plan.lines_bytes)
        world_break("lines: a record of %u lines and %zu bytes", lines, data.len);
}
