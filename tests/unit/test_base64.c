#include "protocol/base64.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

static const struct {
    const char *name;
    struct span text;
    int want; /* bytes, or the error */
    struct span bytes;
    bool cut; /* in the middle of a group */
} rows[] = {
    /* RFC 4648, section 10 */
    {"nothing", TEXT(""), 0, TEXT(""), false},
    {"one byte", TEXT("Zg=="), 1, TEXT("f"), false},
    {"two bytes", TEXT("Zm8="), 2, TEXT("fo"), false},
    {"three bytes", TEXT("Zm9v"), 3, TEXT("foo"), false},
    {"four bytes", TEXT("Zm9vYg=="), 4, TEXT("foob"), false},
    {"six bytes", TEXT("Zm9vYmFy"), 6, TEXT("foobar"), false},
    {"the first and the last of each range", TEXT("AZaz09+/"), 8 / 4 * 3,
     TEXT("\x01\x96\xb3\xd3\xdf\xbf"), false},
    {"blanks", TEXT(" Zm\t9v Y g = = "), 4, TEXT("foob"), false},
    {"bits that no byte takes", TEXT("Zh=="), 1, TEXT("f"), false},
    {"one character", TEXT("Zm9vZ"), 3, TEXT("foo"), true},
    {"two characters", TEXT("Zm9vZm"), 3, TEXT("foo"), true},
    {"padding too short", TEXT("Zg="), 0, TEXT(""), true},
    {"padding alone", TEXT("===="), ERR_BAD, TEXT(""), false},
    {"padding after one", TEXT("Z==="), ERR_BAD, TEXT(""), false},
    {"padding too long", TEXT("Zg==="), ERR_BAD, TEXT(""), false},
    {"a character within padding", TEXT("Zg=g"), ERR_BAD, TEXT(""), false},
    {"a group behind padding", TEXT("Zg==Zm9v"), ERR_BAD, TEXT(""), false},
    {"before A", TEXT("Zm9@"), ERR_BAD, TEXT(""), false},
    {"behind Z", TEXT("Zm9["), ERR_BAD, TEXT(""), false},
    {"before a", TEXT("Zm9`"), ERR_BAD, TEXT(""), false},
    {"behind z", TEXT("Zm9{"), ERR_BAD, TEXT(""), false},
    {"behind 9", TEXT("Zm9:"), ERR_BAD, TEXT(""), false},
    {"the alphabet of URLs", TEXT("Zm9-"), ERR_BAD, TEXT(""), false},
    {"the end of a line", TEXT("Zm9v\n"), ERR_BAD, TEXT(""), false},
    {"a zero", TEXT("Zm9v\0"), ERR_BAD, TEXT(""), false},
    {"no ASCII", TEXT("Zm9\xc3"), ERR_BAD, TEXT(""), false},
};

/* In parts of this many characters, into room for this many bytes. */
static void
check_row(size_t i, size_t part, size_t room)
{
    struct span rest = guard_copy(rows[i].text);
    struct base64 b = {0};
    uint8_t got[16];
    int n = 0;

    while (rest.len > 0) {
        struct span now = {rest.p, part < rest.len ? part : rest.len};

        rest = span_skip(rest, now.len);
        while (now.len > 0) {
            int more = base64_read(&b, &now, got + n, room);

            if (more < 0) {
                CHECK_INT(rows[i].name, more, rows[i].want);
                return;
            }
            n += more;
        }
    }
    CHECK_INT(rows[i].name, n, rows[i].want);
    CHECK(rows[i].name, memcmp(got, rows[i].bytes.p, rows[i].bytes.len) == 0);
    CHECK(rows[i].name, base64_whole(&b) == !rows[i].cut);
}

static void
read_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        seed("base64", rows[i].text);
        check_row(i, SIZE_MAX, 10);
        check_row(i, 1, 3);
        check_row(i, SIZE_MAX, 3);
    }
}

static void
no_room(void **state)
{
    struct base64 b = {0};
    struct span text = SPAN("Zm9v");
    uint8_t got[2];

    (void)state;
    assert_int_equal(base64_read(&b, &text, got, sizeof got), 0);
    assert_int_equal(text.len, 4);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_rows),
        cmocka_unit_test(no_room),
    };

    return RUN(argc, argv, tests);
}
