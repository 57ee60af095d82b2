#include "entries.h"

#include "fuzz.h"

#include <string.h>

/* see entries.h */

struct span
entries_part(struct span *in)
{
    return fuzz_copy(fuzz_take(in, fuzz_byte(in)));
}

void
entries_tell(void *context, size_t index, struct put_record *r)
{
    const struct entries *list = context;

    FACT(index < list->len);
    *r = list->records[index];
}

void
entries_read(size_t (*read)(void *generator, char *buffer, size_t cap), void *generator,
             struct span want, size_t most)
{
    char *room = fuzz_room(most);
    size_t got;

    do {
        size_t size = 1 + fuzz_dice((uint32_t)most);
        char *piece = room + most - size;

        got = read(generator, piece, size);
        FACT(got == (size < want.len ? size : want.len));
        FACT(memcmp(piece, want.p, got) == 0);
        want = span_skip(want, got);
    } while (want.len > 0);
    FACT(read(generator, fuzz_room(1), 1) == 0);
}
