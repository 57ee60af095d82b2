#include "protocol/utf8.h"

#include "check.h"
#include "guard.h"

static const struct {
    const char *name;
    struct span in;
    size_t want;
} rows[] = {
    {"nothing", TEXT(""), 0},
    {"zero byte", TEXT("\0"), 1},
    {"letter", TEXT("ab"), 1},
    {"last of one", TEXT("\x7f"), 1},
    {"first of two", TEXT("\xc2\x80"), 2},
    {"last of two", TEXT("\xdf\xbf\x80"), 2},
    {"first of three", TEXT("\xe0\xa0\x80"), 3},
    {"before the surrogates", TEXT("\xed\x9f\xbf"), 3},
    {"behind the surrogates", TEXT("\xee\x80\x80"), 3},
    {"last of three", TEXT("\xef\xbf\xbf"), 3},
    {"first of four", TEXT("\xf0\x90\x80\x80"), 4},
    {"last of four", TEXT("\xf4\x8f\xbf\xbf"), 4},

    {"continues nothing", TEXT("\x80\x80"), 0},
    {"continues nothing, last", TEXT("\xbf"), 0},
    {"overlong two", TEXT("\xc0\x80"), 0},
    {"overlong two, last", TEXT("\xc1\xbf"), 0},
    {"overlong three", TEXT("\xe0\x9f\xbf"), 0},
    {"overlong four", TEXT("\xf0\x8f\xbf\xbf"), 0},
    {"first surrogate", TEXT("\xed\xa0\x80"), 0},
    {"last surrogate", TEXT("\xed\xbf\xbf"), 0},
    {"beyond the last", TEXT("\xf4\x90\x80\x80"), 0},
    {"far beyond the last", TEXT("\xf5\x80\x80\x80"), 0},
    {"five", TEXT("\xf8\x88\x80\x80\x80"), 0},
    {"no first byte", TEXT("\xff\x80\x80\x80"), 0},
    {"second is a letter", TEXT("\xc3(\xa9"), 0},
    {"second is another first", TEXT("\xe2\xe2\x82\xac"), 0},
    {"third is a letter", TEXT("\xe2\x82("), 0},
    {"fourth is a letter", TEXT("\xf0\x9f\x98("), 0},
    {"fourth is another first", TEXT("\xf0\x9f\x98\xf0"), 0},
};

/* Whole, and cut short anywhere. */
static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t n = 0; n <= rows[i].in.len; n++)
            CHECK_INT(rows[i].name, utf8_char(guard_copy((struct span){rows[i].in.p, n})),
                      n < rows[i].want ? 0 : rows[i].want);
}

/* Of all beginnings of two bytes followed by two fitting ones, as many count as there are. */
static void
count(void **state)
{
    size_t seen[5] = {0};

    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        char text[4] = {(char)(i >> 8), (char)i, '\x80', '\x80'};

        seen[utf8_char((struct span){text, sizeof text})]++;
    }
    assert_int_equal(seen[1], 128 * 256);
    assert_int_equal(seen[2], 0x800 - 0x80);
    assert_int_equal(seen[3], (0x10000 - 0x800 - 0x800) / 64);
    assert_int_equal(seen[4], 0x100000 / 64 / 64);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(count),
    };

    return RUN(argc, argv, tests);
}
