/*
 * A member is what zlib reads back, and the same however its bytes come; as long as the bound says at most, with just
 * enough room, and refused with a byte less. The input is also repeated with changes, since what is long and alike
 * reaches more than 4 KiB can.
 */
#include "fuzz.h"
#include "io/cpu.h"
#include "protocol/gzip.h"

#include <string.h>
#include <zlib.h>

enum { REPEATED_MAX = 300000, GZIP_WINDOW = 16 + MAX_WBITS };

static struct gzip g;

/* The state is one for all inputs, as in the program it is one for all records. */
static void
start(void)
{
    static bool started;

    crc32_use_cpu(fuzz_dice(2) == 0 && cpu_has_crc32());
    if (!started)
        gzip_init(&g);
    started = true;
}

/* The input again and again up to so many bytes, each time begun somewhere, and with a byte that is another. */
static struct span
repeated(struct span in, size_t len)
{
    char *room = fuzz_room(len);

    for (size_t at = 0; at < len;) {
        struct span part = span_skip(in, fuzz_dice((uint32_t)in.len));
        size_t n = part.len < len - at ? part.len : len - at;

        memcpy(room + at, part.p, n);
        room[at + fuzz_dice((uint32_t)n)] = (char)fuzz_dice(256);
        at += n;
    }
    return (struct span){room, len};
}

/* Returns the member's length, or ERR_FULL. */
static long
member(char *out, size_t cap, struct span in)
{
    size_t bound, least = SIZE_MAX;
    bool full = false;
    long len;

    gzip_begin(&g, out, cap);
    while (in.len > 0) {
        uint32_t most = (uint32_t)(in.len < 300 || fuzz_dice(8) == 0 ? in.len : 300);

        bound = gzip_bound(&g, in.len);
        least = bound < least ? bound : least;
        full = gzip_add(&g, fuzz_take(&in, 1 + fuzz_dice(most))) == ERR_FULL || full;
    }
    bound = gzip_bound(&g, 0);
    len = gzip_end(&g);
    FACT(!full || len == ERR_FULL);
    FACT(len == ERR_FULL || (size_t)len <= (bound < least ? bound : least));
    return len;
}

static void
read_back(struct span from, struct span in)
{
    static z_stream z;
    char *room = fuzz_room(in.len);

    if (z.state == NULL)
        FACT(inflateInit2(&z, GZIP_WINDOW) == Z_OK);
    FACT(inflateReset(&z) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from.p;
    z.avail_in = (uInt)from.len;
    z.next_out = (Bytef *)room;
    z.avail_out = (uInt)in.len;
    FACT(inflate(&z, Z_FINISH) == Z_STREAM_END);
    FACT(z.avail_in == 0 && z.avail_out == 0);
    FACT(in.len == 0 || memcmp(room, in.p, in.len) == 0);
}

static void
check(struct span in)
{
    size_t cap = in.len + in.len / 1000 + 32;
    char *out = fuzz_room(cap);
    long len = member(out, cap, in);
    char *exact = fuzz_room((size_t)len), *less = fuzz_room((size_t)len - 1);

    FACT(len > 0);
    read_back((struct span){out, (size_t)len}, in);
    FACT(member(less, (size_t)len - 1, in) == ERR_FULL);
    FACT(member(exact, (size_t)len, in) == len);
    FACT(memcmp(exact, out, (size_t)len) == 0);
}

void
fuzz(struct span in)
{
    start();
    check(in);
    if (in.len > 0 && fuzz_dice(4) == 0)
        check(repeated(in, 1 + fuzz_dice(fuzz_dice(8) == 0 ? REPEATED_MAX : 20000)));
}
