#include "protocol/deflate.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "inflate.h"
#include "protocol/deflate_parts.h"
#include "seed.h"

#include <stdio.h>

enum { KIB = 1024, INPUT_MAX = 1088 * KIB };

static struct deflate d;
static char input[INPUT_MAX], out[INPUT_MAX + INPUT_MAX / 8], again[INPUT_MAX + INPUT_MAX / 8],
    back[INPUT_MAX];

static int
setup(void **state)
{
    (void)state;
    deflate_init(&d);
    return 0;
}

/* --- codes --------------------------------------------------------------------------------------- */

/* Complete, so that every reader takes it, and the sum of bits. */
static unsigned
check_code(const char *name, const uint16_t *counts, unsigned n, unsigned max)
{
    uint32_t codes[DEFLATE_FIXED_LITERALS];
    uint8_t lengths[DEFLATE_FIXED_LITERALS];
    struct inflate_code reader;
    unsigned bits = 0;

    deflate_huffman(counts, n, max, codes);
    for (unsigned i = 0; i < n; i++) {
        lengths[i] = (uint8_t)(codes[i] >> 16);
        bits += counts[i] * lengths[i];
        CHECK(name, lengths[i] <= max);
        CHECK(name, counts[i] == 0 || lengths[i] > 0);
    }
    CHECK_INT(name, inflate_code(&reader, lengths, n), 0);
    for (unsigned i = 0; i < n; i++) {
        char bytes[] = {(char)codes[i], (char)(codes[i] >> 8)};
        struct inflate in = {.in = {bytes, 2}};

        if (lengths[i] == 0)
            continue;
        CHECK_INT(name, inflate_symbol(&in, &reader), i);
        CHECK_INT(name, inflate_used(&in), lengths[i]);
    }
    return bits;
}

/* The least bits that such symbols take: each time two are joined, all in them become longer by a bit. */
static unsigned
least_bits(const uint16_t *counts, unsigned n)
{
    unsigned weights[DEFLATE_FIXED_LITERALS], len = 0, bits = 0;

    for (unsigned i = 0; i < n; i++)
        if (counts[i] > 0)
            weights[len++] = counts[i];
    for (; len > 1; len--) {
        for (unsigned k = 0; k < 2; k++)
            for (unsigned i = k + 1; i < len; i++)
                if (weights[i] < weights[k]) {
                    unsigned w = weights[i];

                    weights[i] = weights[k];
                    weights[k] = w;
                }
        weights[0] += weights[1];
        bits += weights[0];
        weights[1] = weights[len - 1];
    }
    return bits;
}

static const struct {
    const char *name;
    unsigned n, max;
    uint16_t counts[24];
    unsigned bits; /* 0: the least */
} code_rows[] = {
    {"none", 3, 15, {0}, 0},
    {"only the first", 3, 15, {5}, 5},
    {"only another", 3, 15, {0, 0, 5}, 5},
    {"two", 3, 15, {7, 0, 1}, 0},
    {"all alike", 8, 15, {3, 3, 3, 3, 3, 3, 3, 3}, 0},
    {"one is most", 4, 15, {1, 1, 1, 100}, 0},
    {"dyadic", 5, 15, {16, 8, 4, 2, 2}, 0},
    {"the most", 2, 15, {65534, 1}, 0},
    {"as deep as can be",
     16,
     15,
     {1, 1, 1, 3, 4, 7, 11, 18, 29, 47, 76, 123, 199, 322, 521, 843},
     0},
    /* 169084 would do */
    {"too deep for 15 bits",
     23,
     15,
     {1,   1,   2,   3,   5,    8,    13,   21,   34,    55,    89,   144,
      233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711, 15000},
     169144},
    /* 975 would do */
    {"too deep for 7 bits", 12, 7, {1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144}, 1001},
};

static void
codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(code_rows); i++) {
        unsigned bits =
            check_code(code_rows[i].name, code_rows[i].counts, code_rows[i].n, code_rows[i].max);
        unsigned least = least_bits(code_rows[i].counts, code_rows[i].n);

        CHECK_INT(code_rows[i].name, bits, code_rows[i].bits > 0 ? code_rows[i].bits : least);
    }
}

/* Counts above 15 are sorted only nearly. */
static void
random_codes(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        uint16_t counts[DEFLATE_FIXED_LITERALS];
        unsigned n = 2 + dice(DEFLATE_FIXED_LITERALS - 1), bits, least;

        for (unsigned i = 0; i < n; i++)
            counts[i] = (uint16_t)(dice(3) == 0 ? 0 : dice(2u << dice(round % 7 + 1)));
        bits = check_code("at random", counts, n, DEFLATE_CODE_MAX);
        least = least_bits(counts, n);
        CHECK("not shorter than can be", bits >= least);
        CHECK("hardly longer", least == 0 || bits <= least + least / 1000 + 2);
        CHECK("tokens", check_code("tokens", counts, n < 19 ? n : 19, 7) > 0 || n > 0);
    }
}

static void
symbols(void **state)
{
    (void)state;
    for (unsigned len = 3; len <= 258; len++) {
        struct deflate_symbol s = deflate_len_symbol(deflate_sequence(0, len, 1));
        unsigned extra, base = inflate_base(s.symbol - 257, 3, 8, 4, &extra);

        if (len == 258)
            base = 258, extra = 0;
        CHECK_INT("length", base + s.extra, len);
        CHECK_INT("length", s.extra_len, extra);
        CHECK("length", s.symbol <= 285 && s.extra < 1u << extra);
        CHECK("285 is 258", (s.symbol == 285) == (len == 258));
    }
    for (unsigned distance = 1; distance <= 32768; distance++) {
        struct deflate_symbol s = deflate_distance_symbol(deflate_sequence(510, 258, distance));
        unsigned extra, base = inflate_base(s.symbol, 1, 4, 2, &extra);

        CHECK_INT("distance", base + s.extra, distance);
        CHECK_INT("distance", s.extra_len, extra);
        CHECK("distance", s.symbol < 30 && s.extra < 1u << extra);
    }
}

/* --- streams ------------------------------------------------------------------------------------- */

static void
fill_random(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)dice(256);
}

static void
fill_byte(char *to, size_t len)
{
    memset(to, 'a', len);
}

/* A run, then bytes most of which have nine bits with the fixed codes, and which are too few for codes of their own. */
static void
fill_both(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = i < 600 ? 'a' : (char)(dice(4) > 0 ? 144 + dice(112) : dice(144));
}

/* 0 to 255 again and again. */
static void
fill_bytes(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)i;
}

/* Hexadecimal digits: no copies, but codes of their own are shorter. */
static void
fill_hex(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = "0123456789abcdef"[dice(16)];
}

/* As logs are. */
static void
fill_lines(char *to, size_t len)
{
    unsigned ms = 0;

    for (size_t at = 0; at < len;) {
        char line[256];
        size_t n = (size_t)snprintf(line, sizeof line,
                                    "{\"time\":\"2026-11-30T10:%02u:%02u.%03uZ\",\"level\":\"%s\","
                                    "\"id\":\"%08x-%04x\",\"message\":\"took %u ms\"}\n",
                                    ms / 60000 % 60, ms / 1000 % 60, ms % 1000,
                                    dice(9) == 0 ? "WARN" : "INFO", dice(1u << 31), dice(65536),
                                    dice(500));

        ms += dice(40);
        n = n < len - at ? n : len - at;
        memcpy(to + at, line, n);
        at += n;
    }
}

/* Copies of six bytes and a byte between them: as many sequences as there can be. */
static void
fill_sequences(char *to, size_t len)
{
    static char words[16][6];

    fill_random(words[0], sizeof words);
    for (size_t i = 0; i < len; i++)
        to[i] = i % 7 == 6 ? (char)dice(256) : words[i / 7 % 16 * 5 % 16][i % 7];
}

/* Six letters in another order each time. */
static void
fill_words(char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = "abcdef"[dice(12) == 0 ? dice(6) : i % 6];
}

/* The same 32768 bytes, none of which can be copied from nearer. */
static void
fill_window(char *to, size_t len)
{
    fill_random(to, len < 32768 ? len : 32768);
    for (size_t i = 32768; i < len; i++)
        to[i] = to[i - 32768];
}

/* The same, one byte too far away. */
static void
fill_beyond_window(char *to, size_t len)
{
    fill_random(to, len < 32769 ? len : 32769);
    for (size_t i = 32769; i < len; i++)
        to[i] = to[i - 32769];
}

/* Lines, then what cannot be compressed, and so on: each block has another kind. */
static void
fill_mixed(char *to, size_t len)
{
    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < 200000 ? len - at : 200000;
        (at / 200000 % 2 == 0 ? fill_lines : fill_random)(to + at, n);
    }
}

enum { STORED = 1, FIXED = 2, DYNAMIC = 4 };

#define ANY 99999

/* Which kinds of blocks there are, how long the stream is at most, and how far copies reach back. */
static const struct row {
    const char *name;
    void (*fill)(char *to, size_t len);
    size_t len;
    unsigned kinds;
    size_t most;
    unsigned distance;
} rows[] = {
    {"empty", fill_random, 0, FIXED, 2, 0},
    {"a byte", fill_byte, 1, FIXED, 3, 0},
    {"five bytes", fill_byte, 5, FIXED, 7, 0},
    {"six bytes alike", fill_byte, 6, FIXED, 8, 0},
    {"seven bytes alike", fill_byte, 7, FIXED, 4, 1},
    {"258 and one", fill_byte, 259, FIXED, 4, 1},
    {"a long run", fill_byte, 100000, DYNAMIC, 520, 258},
    {"a run, then long codes", fill_both, 1100, DYNAMIC, 560, 258},
    {"all bytes", fill_bytes, 256, STORED, 261, 0},
    {"all bytes, again and again", fill_bytes, 8192, FIXED, 370, ANY},
    {"digits", fill_hex, 200, FIXED, 205, 0},
    {"more digits", fill_hex, 1000, DYNAMIC, 560, 0},
    {"a line", fill_lines, 100, FIXED, 105, 0},
    {"ten lines", fill_lines, 1000, DYNAMIC, 300, ANY},
    {"lines", fill_lines, 25 * KIB, DYNAMIC, 5 * KIB, ANY},
    {"beyond the window", fill_lines, 256 * KIB, DYNAMIC, 48 * KIB, ANY},
    {"as long as an event can be", fill_lines, INPUT_MAX, DYNAMIC, 200 * KIB, ANY},
    {"incompressible", fill_random, 4000, STORED, 4000 + 5, 0},
    {"incompressible, of many blocks", fill_random, INPUT_MAX, STORED, INPUT_MAX + 19 * 5, 0},
    {"more sequences than a block has", fill_sequences, 128 * KIB, DYNAMIC, 45 * KIB, ANY},
    {"words", fill_words, 5000, DYNAMIC, 1100, ANY},
    {"copies from as far as can be", fill_window, 65536, FIXED | DYNAMIC, 35 * KIB, 32768},
    {"copies from there while the buffer moves", fill_window, 300000, DYNAMIC, 75 * KIB, 32768},
    {"too far for copies", fill_beyond_window, 65538, STORED, 65538 + 10, 0},
    {"of all kinds", fill_mixed, 500000, STORED | DYNAMIC, 265000, ANY},
    {"up to the end of a block", fill_random, DEFLATE_BLOCK, STORED, DEFLATE_BLOCK + 5, 0},
    {"up to the end of the buffer", fill_lines, DEFLATE_BUFFER, DYNAMIC, 18 * KIB, ANY},
    {"one more than it has", fill_lines, DEFLATE_BUFFER + 1, DYNAMIC, 18 * KIB, ANY},
};

/* The stream, in pieces of so many bytes. */
static long
compress(char *to, size_t cap, struct span in, size_t piece)
{
    deflate_begin(&d, to, cap);
    while (in.len > 0) {
        size_t n = in.len < piece ? in.len : piece;

        if (deflate_add(&d, (struct span){in.p, n}) != 0)
            return ERR_FULL;
        in = span_skip(in, n);
    }
    return deflate_end(&d);
}

static void
check_back(const struct row *row, struct span in, const char *stream, long len)
{
    struct inflate i = {.in = {stream, (size_t)len}, .out = back, .cap = sizeof back};
    unsigned kinds;

    CHECK_INT(row->name, inflate(&i), len);
    CHECK_INT(row->name, i.len, in.len);
    CHECK(row->name, in.len == 0 || memcmp(back, in.p, in.len) == 0);
    kinds = (i.blocks[0] > 0 ? STORED : 0u) | (i.blocks[1] > 0 ? FIXED : 0u) |
            (i.blocks[2] > 0 ? DYNAMIC : 0u);
    CHECK_INT(row->name, kinds, row->kinds == 0 ? kinds : row->kinds);
    CHECK(row->name, (size_t)len <= row->most);
    CHECK_INT(row->name, i.max_distance, row->distance == ANY ? i.max_distance : row->distance);
}

static struct span
fill(const struct row *row)
{
    row->fill(input, row->len);
    return (struct span){input, row->len};
}

static void
streams(void **state)
{
    (void)state;
    for (size_t r = 0; r < LEN(rows); r++) {
        struct span in = fill(&rows[r]);
        long len = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);

        CHECK(rows[r].name, len > 0);
        CHECK_INT(rows[r].name, d.len, in.len);
        CHECK_INT(rows[r].name, d.sum, crc32_add(&d.crc, 0, in));
        check_back(&rows[r], in, out, len);
        seed("gzip", (struct span){input, in.len < 4096 ? in.len : 4096});
    }
}

/* However they are divided, and whatever was compressed before: the same. */
static void
pieces(void **state)
{
    static const size_t sizes[] = {1,   2,   3,   5,    7,    61,    255,  257,
                                   265, 266, 267, 4095, 9973, 65537, 98303};

    (void)state;
    for (size_t r = 0; r < LEN(rows); r++) {
        struct span in = fill(&rows[r]);
        long len = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);

        for (size_t i = rows[r].len > 300000 ? 7 : 0; i < LEN(sizes); i++) {
            CHECK_INT(rows[r].name, compress(again, sizeof again - DEFLATE_SLACK, in, sizes[i]),
                      len);
            CHECK(rows[r].name, memcmp(again, out, (size_t)len) == 0);
        }
        for (size_t odd = 1; odd < 1100 && rows[r].len == INPUT_MAX; odd += 98) {
            CHECK_INT(rows[r].name, compress(again, sizeof again - DEFLATE_SLACK, in, odd), len);
            CHECK(rows[r].name, memcmp(again, out, (size_t)len) == 0);
        }
    }
}

/* Where it is another, what follows is at its old place, but not where it is looked for. */
static struct span
changed(struct span in)
{
    for (size_t i = 0; i < in.len; i++)
        back[i] = in.p[i];
    for (size_t i = 0; i < in.len; i += 1 + dice(60))
        back[i] = (char)dice(256);
    return (struct span){back, in.len};
}

/* What was compressed before stays in the state, and has no part in it. */
static void
nothing_of_former_streams(void **state)
{
    (void)state;
    for (size_t r = 0; r < LEN(rows); r++) {
        struct span in = fill(&rows[r]);
        long len;

        deflate_init(&d);
        len = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);
        /* the same again, much the same, a part of it, and not ended */
        (void)compress(again, sizeof again - DEFLATE_SLACK, in, in.len);
        (void)compress(again, sizeof again - DEFLATE_SLACK, span_skip(in, in.len / 3), 1000);
        (void)compress(again, sizeof again - DEFLATE_SLACK, changed(in), 1000);
        (void)compress(again, 10, in, 1000);
        deflate_begin(&d, again, sizeof again - DEFLATE_SLACK);
        (void)deflate_add(&d, in);
        for (size_t n = 32; n < (in.len < 30000 ? 2048 : 128); n *= 2) {
            struct span begin = {in.p, in.len < n ? in.len : n};

            CHECK_INT(rows[r].name, compress(again, sizeof again - DEFLATE_SLACK, in, in.len), len);
            CHECK(rows[r].name, memcmp(again, out, (size_t)len) == 0);
            (void)compress(again, sizeof again - DEFLATE_SLACK, changed(begin), n);
        }
    }
}

/* Just enough room, and a byte less; not a byte behind it and the slack. */
static void
room(void **state)
{
    (void)state;
    for (size_t r = 0; r < LEN(rows); r++) {
        struct span in = fill(&rows[r]);
        long len = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);
        size_t cap = (size_t)len;

        if (cap + DEFLATE_SLACK <= GUARD_ROOM)
            CHECK_INT(rows[r].name, compress(guard_buffer(cap + DEFLATE_SLACK), cap, in, 999), len);
        for (size_t less = 1; less <= cap; less = 2 * less + 3) {
            if (cap - less + DEFLATE_SLACK > GUARD_ROOM)
                continue;
            CHECK_INT(rows[r].name,
                      compress(guard_buffer(cap - less + DEFLATE_SLACK), cap - less, in, 999),
                      ERR_FULL);
            CHECK_INT(rows[r].name, deflate_add(&d, SPAN("x")), ERR_FULL);
            CHECK_INT(rows[r].name, deflate_end(&d), ERR_FULL);
        }
    }
}

/* Never less than it becomes, whatever is said ahead; and not much more where little is still to come. */
static void
bound(void **state)
{
    (void)state;
    for (size_t r = 0; r < LEN(rows); r++) {
        struct span in = fill(&rows[r]);
        long len = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);
        size_t step = in.len / 40 + 1, least = SIZE_MAX, last = 0;

        deflate_begin(&d, out, sizeof out - DEFLATE_SLACK);
        for (size_t at = 0; at <= in.len; at += step) {
            size_t n = in.len - at < step ? in.len - at : step;

            last = deflate_bound(&d, in.len - at);
            least = last < least ? last : least;
            CHECK(rows[r].name, deflate_bound(&d, in.len - at + 1) >= last);
            CHECK_INT(rows[r].name, deflate_add(&d, (struct span){in.p + at, n}), 0);
        }
        CHECK(rows[r].name, least >= (size_t)len);
        CHECK(rows[r].name, deflate_bound(&d, 0) >= (size_t)len);
        CHECK(rows[r].name, deflate_bound(&d, 0) <= (size_t)len + in.len / 3 + DEFLATE_AHEAD + 32);
    }
}

/*
 * Of what was cut off anywhere: the same as by a state that never had any other bytes, though what was cut off is still
 * behind the last ones.
 */
static void
every_length(void **state)
{
    static const struct row any = {"every length", NULL, 0, 0, 705, ANY};
    static void (*const fills[])(char *, size_t) = {fill_lines, fill_bytes, fill_byte, fill_words};

    (void)state;
    for (size_t kind = 0; kind < LEN(fills); kind++) {
        fills[kind](input, 700);
        for (size_t len = 700; len > 0; len--) {
            struct span in = {input, len};
            long n;

            deflate_init(&d);
            memset(d.bytes, 0x55, 1000);
            n = compress(again, sizeof again - DEFLATE_SLACK, in, len);
            check_back(&any, in, again, n);
            (void)compress(out, sizeof out - DEFLATE_SLACK, (struct span){input, 700}, 700);
            CHECK_INT(any.name, compress(out, sizeof out - DEFLATE_SLACK, in, len), n);
            CHECK(any.name, memcmp(again, out, (size_t)n) == 0);
        }
    }
}

/* So many bytes as they are, then a copy of the first. */
static void
runs(void **state)
{
    struct row any = {"runs", NULL, 0, 0, 700, 0};

    (void)state;
    for (size_t len = 20; len < 1100; len++) {
        struct span in = {input, len + 20};
        long n;

        fill_hex(input, len);
        memcpy(input + len, input, 20);
        n = compress(out, sizeof out - DEFLATE_SLACK, in, in.len);
        any.distance = (unsigned)len;
        check_back(&any, in, out, n);
    }
}

/*
 * What the table knows of the stream before lies in front of this one's first byte, where there happens to be the same,
 * and is not looked at.
 */
static void
nothing_before_the_beginning(void **state)
{
    static const struct row one = {"before", NULL, 0, 0, 32, 0};
    struct span in = SPAN("what was once will be");

    (void)state;
    CHECK_INT(one.name, compress(out, sizeof out - DEFLATE_SLACK, in, in.len) > 0, 1);
    memcpy(d.bytes - in.len, in.p, in.len);
    check_back(&one, in, out, compress(out, sizeof out - DEFLATE_SLACK, in, in.len));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(codes, setup),
        cmocka_unit_test_setup(random_codes, setup),
        cmocka_unit_test_setup(symbols, setup),
        cmocka_unit_test_setup(streams, setup),
        cmocka_unit_test_setup(pieces, setup),
        cmocka_unit_test_setup(nothing_of_former_streams, setup),
        cmocka_unit_test_setup(room, setup),
        cmocka_unit_test_setup(bound, setup),
        cmocka_unit_test_setup(every_length, setup),
        cmocka_unit_test_setup(runs, setup),
        cmocka_unit_test_setup(nothing_before_the_beginning, setup),
    };

    return RUN(argc, argv, tests);
}
