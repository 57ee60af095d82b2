#include "protocol/gzip.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "inflate.h"
#include "io/cpu.h"

#include <stdio.h>

enum { HEAD = 10, TAIL = 8, INPUT_MAX = 200000 };

static struct gzip g;
static char input[INPUT_MAX], out[INPUT_MAX + 1000], back[INPUT_MAX];

static int
setup(void **state)
{
    (void)state;
    crc32_use_cpu(cpu_has_crc32());
    gzip_init(&g);
    for (size_t at = 0; at < sizeof input;)
        at += (size_t)snprintf(input + at, sizeof input - at, "{\"id\":\"%08x\",\"ms\":%u}\n",
                               dice(1u << 31), dice(1000));
    return 0;
}

static uint32_t
number(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* A member that has these bytes, and nothing else. */
static void
check_member(const char *name, struct span member, struct span in)
{
    struct inflate i = {.out = back, .cap = sizeof back};

    CHECK(name, member.len > HEAD + TAIL);
    CHECK_SPAN(name, ((struct span){member.p, HEAD}),
               ((struct span)TEXT("\x1f\x8b\x08\0\0\0\0\0\x04\xff")));
    i.in = (struct span){member.p + HEAD, member.len - HEAD - TAIL};
    CHECK_INT(name, inflate(&i), i.in.len);
    CHECK_SPAN(name, ((struct span){back, i.len}), in);
    CHECK_INT(name, number(member.p + member.len - 8), crc32_add(&g.deflate.crc, 0, in));
    CHECK_INT(name, number(member.p + member.len - 4), in.len);
}

static long
compress(char *to, size_t cap, struct span in)
{
    gzip_begin(&g, to, cap);
    (void)gzip_add(&g, in);
    return gzip_end(&g);
}

/* The whole of it as bytes; the sums are those of the tests of crc32. */
static const struct {
    const char *name;
    struct span in, member;
} members[] = {
    {"empty", TEXT(""),
     TEXT("\x1f\x8b\x08\0\0\0\0\0\x04\xff"
          "\x03\0"
          "\0\0\0\0"
          "\0\0\0\0")},
    {"a byte", TEXT("a"),
     TEXT("\x1f\x8b\x08\0\0\0\0\0\x04\xff"
          "\x4b\x04\0"
          "\x43\xbe\xb7\xe8"
          "\1\0\0\0")},
};

static void
bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(members); i++) {
        long len = compress(out, sizeof out, members[i].in);

        CHECK(members[i].name, len > 0);
        CHECK_SPAN(members[i].name, ((struct span){out, (size_t)len}), members[i].member);
        check_member(members[i].name, members[i].member, members[i].in);
    }
}

/* One behind the other, of all lengths, in the same state; each stands for itself. */
static void
one_after_the_other(void **state)
{
    (void)state;
    for (size_t at = 0, n; at < sizeof input; at += n) {
        struct span in = {input + at, 0};
        long len;

        n = dice(20) == 0 ? dice(40000) : dice(1000);
        n = n < sizeof input - at ? n : sizeof input - at;
        gzip_begin(&g, out, sizeof out);
        CHECK_INT("at first", gzip_len(&g), 0);
        while (in.len < n) {
            size_t more = dice((uint32_t)(n - in.len) + 1);

            CHECK_INT("add", gzip_add(&g, (struct span){in.p + in.len, more}), 0);
            in.len += more;
            CHECK_INT("so far", gzip_len(&g), in.len);
        }
        len = gzip_end(&g);
        CHECK("end", len > 0);
        check_member("member", (struct span){out, (size_t)len}, in);
    }
}

/* Just enough room, and none behind it; or less, and then nothing before or behind it is written either. */
static void
room(void **state)
{
    static const size_t lens[] = {0, 1, 5, 200, 1000, 30000, 100000, INPUT_MAX};

    (void)state;
    for (size_t i = 0; i < LEN(lens); i++) {
        struct span in = {input, lens[i]};
        size_t cap = (size_t)compress(out, sizeof out, in);

        CHECK_INT("just enough", compress(guard_buffer(cap), cap, in), cap);
        check_member("just enough", (struct span){guard_buffer(cap), cap}, in);
        for (size_t less = 1; less <= cap; less += less < 40 ? 1 : less) {
            char *to = guard_buffer(cap - less);

            to[-1] = 'x';
            CHECK_INT("too little", compress(to, cap - less, in), ERR_FULL);
            CHECK_INT("too little", to[-1], 'x');
            CHECK_INT("stays", gzip_add(&g, SPAN("y")), ERR_FULL);
            CHECK_INT("stays", gzip_end(&g), ERR_FULL);
        }
    }
    CHECK_INT("begins again", compress(out, sizeof out, SPAN("")), members[0].member.len);
}

/* Events are added while the bound allows it: that is never too much. What is still to be coded by
 * codes of its own counts by the fixed ones, so not all of the room is used. */
static void
bound(void **state)
{
    (void)state;
    for (size_t cap = HEAD + TAIL; cap < 30000; cap += 1 + cap / 3) {
        char *to = guard_buffer(cap);
        struct span in = {input, 0};
        long len;

        gzip_begin(&g, to, cap);
        for (size_t n = 1; gzip_bound(&g, n) <= cap; n = 1 + dice(300)) {
            CHECK_INT("add", gzip_add(&g, (struct span){in.p + in.len, n}), 0);
            in.len += n;
        }
        len = gzip_end(&g);
        if (cap < 40)
            continue;
        CHECK("end", len > 0 && (size_t)len <= cap);
        check_member("member", (struct span){to, (size_t)len}, in);
        CHECK("half of it at least", cap < 2000 || (size_t)len > cap / 2);
    }
}

/* What cannot be compressed grows by a thousandth and 32 bytes at most. */
static void
incompressible(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)dice(256);
    for (size_t n = 0; n < sizeof input; n += 1 + n / 2) {
        struct span in = {input, n};
        long len = compress(out, sizeof out, in);

        CHECK("little more", len > 0 && (size_t)len <= n + n / 1000 + 32);
        check_member("incompressible", (struct span){out, (size_t)len}, in);
        gzip_begin(&g, out, sizeof out);
        CHECK("ahead", gzip_bound(&g, n) >= (size_t)len && gzip_bound(&g, n) <= n + n / 1000 + 48);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes, setup),
        cmocka_unit_test_setup(one_after_the_other, setup),
        cmocka_unit_test_setup(room, setup),
        cmocka_unit_test_setup(bound, setup),
        cmocka_unit_test_setup(incompressible, setup),
    };

    return RUN(argc, argv, tests);
}
