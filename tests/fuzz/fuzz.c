#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* see fuzz.h */

/* What this input has taken; given back behind it, so that whatever is lost is seen. */
struct room {
    struct room *next;
    char *bytes;
};

static struct room *rooms;
static uint32_t dice;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

_Noreturn void
fuzz_fail(const char *file, int line, const char *fact)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, fact);
    abort();
}

char *
fuzz_room(size_t len)
{
    struct room *room = malloc(sizeof *room);

    /* malloc(0) gives a byte, so what is empty stands at the end of one */
    if (room == NULL || (room->bytes = malloc(len == 0 ? 1 : len)) == NULL)
        abort();
    room->next = rooms;
    rooms = room;
    return len == 0 ? room->bytes + 1 : room->bytes;
}

struct span
fuzz_lay(char *room, size_t cap, struct span bytes)
{
    char *at = room + cap - bytes.len;

    FACT(bytes.len <= cap);
    if (bytes.len > 0)
        memcpy(at, bytes.p, bytes.len);
    return (struct span){at, bytes.len};
}

struct span
fuzz_copy(struct span bytes)
{
    return fuzz_lay(fuzz_room(bytes.len), bytes.len, bytes);
}

uint32_t
fuzz_dice(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

bool
fuzz_within(struct span inner, struct span outer)
{
    return inner.len == 0 || (inner.p >= outer.p && inner.len <= outer.len &&
                              (size_t)(inner.p - outer.p) <= outer.len - inner.len);
}

struct span
fuzz_take(struct span *in, size_t len)
{
    struct span taken = {in->p, len < in->len ? len : in->len};

    *in = span_skip(*in, taken.len);
    return taken;
}

uint8_t
fuzz_byte(struct span *in)
{
    struct span byte = fuzz_take(in, 1);

    return byte.len == 0 ? 0 : (uint8_t)byte.p[0];
}

/* FNV-1a of the input, so that its dice fall the same way whenever it is run again. */
static void
start_dice(struct span in)
{
    dice = 2166136261u;
    for (size_t i = 0; i < in.len; i++)
        dice = (dice ^ (uint8_t)in.p[i]) * 16777619u;
    /* zeros would stay zeros */
    dice |= 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct span in = {(const char *)bytes, len};

    start_dice(in);
    fuzz(fuzz_copy(in));
    while (rooms != NULL) {
        struct room *room = rooms;

        rooms = room->next;
        free(room->bytes);
        free(room);
    }
    return 0;
}

void
fuzz_prefixes(struct span in, int (*value)(struct span), int whole)
{
    size_t step = in.len <= 200 ? 1 : in.len / 16;
    char *room = fuzz_room(in.len);
    int before = ERR_MORE;

    for (size_t n = 0; n < in.len; n += step) {
        int got = value(fuzz_lay(room, in.len, (struct span){in.p, n}));

        FACT(got == before || (before == ERR_MORE && got == whole));
        before = got;
    }
    FACT(before == ERR_MORE || before == whole);
}
