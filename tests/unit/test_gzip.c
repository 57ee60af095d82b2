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

/* A member that has these bytes, and nothing else. */
static void
check_member(const char *name, struct span member, struct span in)
{
    CHECK(name, member.len > HEAD + TAIL);
    CHECK_SPAN(name, ((struct span){member.p, HEAD}),
               ((struct span)TEXT("\x1f\x8b\x08\0\0\0\0\0\x04\xff")));
    CHECK_INT(name, inflate_member(member, back, sizeof back), in.len);
    CHECK_SPAN(name, ((struct span){back, in.len}), in);
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
    /* nor does one go on that had room */
    for (size_t cap = 0; cap < HEAD + TAIL + 2; cap++) {
        CHECK_INT("had room", compress(out, sizeof out, SPAN("a")), members[1].member.len);
        CHECK_INT("has none", compress(guard_buffer(cap), cap, SPAN("a")), ERR_FULL);
    }
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

/*
 * The reader itself. Streams that the encoder does not write, and what those that are no streams would hold for a
 * reader that is less strict. With codes of their own they have an 'a', and most a copy of it.
 */
static const struct {
    const char *name;
    bool good;
    struct span in, holds;
} streams[] = {
    {"a distance code of one bit", true,
     TEXT("\015\300\201\000\000\000\000\200\040\326\375\045\256\030"), TEXT("aaaa")},
    {"two distances", true, TEXT("\015\301\201\000\000\000\000\200\040\326\375\045\256\142"),
     TEXT("aaaa")},
    {"the bit that is no code", false,
     TEXT("\015\300\201\000\000\000\000\200\040\326\375\045\256\034"), TEXT("aaaa")},
    {"a lone distance code of two bits", false,
     TEXT("\015\300\201\000\000\000\000\200\040\326\375\045\356\060"), TEXT("aaaa")},
    {"no distance code", false, TEXT("\015\300\001\011\000\000\000\200\240\255\375\077\221\064"),
     TEXT("a")},
    {"incomplete", false, TEXT("\015\300\201\000\000\000\000\200\040\326\375\045\076\042"),
     TEXT("aaaa")},
    {"too many codes", false, TEXT("\015\300\201\000\000\000\000\200\040\326\374\045\052\001"),
     TEXT("a")},
    {"no end", false, TEXT("\015\300\001\011\000\000\000\200\240\255\376\077\201\002"), TEXT("a")},
    {"incomplete tokens", false, TEXT("\015\300\001\001\000\000\000\200\240\254\366\057\041\304"),
     TEXT("aaaa")},
    {"nothing to repeat", false,
     TEXT("\015\300\205\000\000\000\000\300\260\060\275\277\304\267\030"), TEXT("aaaa")},
    {"more lengths than there are", false,
     TEXT("\015\300\201\000\000\000\000\200\040\326\375\045\016\040\006"), TEXT("aaaa")},
    {"a distance symbol too many", false, TEXT("\113\004\076\000"), TEXT("aaaa")},
    {"from before the beginning", false, TEXT("\003\002\000"), TEXT("aaa")},
    {"a length symbol too many", false, TEXT("\113\034\003\000"), TEXT("a")},
    {"no kind of block", false, TEXT("\007\000"), TEXT("")},
    {"stored", true, TEXT("\001\001\000\376\377\141"), TEXT("a")},
    {"stored, its length and another", false, TEXT("\001\001\000\376\376\141"), TEXT("a")},
    {"stored, more than there is", false, TEXT("\001\002\000\375\377\141"), TEXT("a")},
    {"no end of it", false, TEXT("\113\004"), TEXT("a")},
    {"something behind it", false, TEXT("\113\004\000\000"), TEXT("a")},
};

static long
read_member(struct span stream, struct span holds, struct span *member)
{
    static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\x04\xff";
    uint32_t numbers[] = {inflate_crc(holds.p, holds.len), (uint32_t)holds.len};

    memcpy(out, head, HEAD);
    memcpy(out + HEAD, stream.p, stream.len);
    memcpy(out + HEAD + stream.len, numbers, TAIL);
    *member = (struct span){out, HEAD + stream.len + TAIL};
    return inflate_member(*member, back, sizeof back);
}

static void
reader(void **state)
{
    struct span member;

    (void)state;
    for (size_t i = 0; i < LEN(streams); i++) {
        long len = read_member(streams[i].in, streams[i].holds, &member);

        CHECK_INT(streams[i].name, len, streams[i].good ? (long)streams[i].holds.len : -1);
        if (len >= 0)
            CHECK_SPAN(streams[i].name, ((struct span){back, (size_t)len}), streams[i].holds);
    }
    for (size_t at = 0; at < member.len; at++) {
        CHECK_INT("good", read_member(streams[0].in, streams[0].holds, &member), 4);
        /* of the head, extra flags and the system may be any */
        out[at] ^= 1;
        if (at < 8 || at >= member.len - TAIL)
            CHECK_INT("a bit is another", inflate_member(member, back, sizeof back), -1);
        out[at] ^= 1;
        CHECK_INT("cut", inflate_member((struct span){out, at}, back, sizeof back), -1);
    }
    CHECK_INT("just enough room", inflate_member(member, back, 4), 4);
    CHECK_INT("too little room", inflate_member(member, back, 3), -1);
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
        cmocka_unit_test(reader),
    };

    return RUN(argc, argv, tests);
}
