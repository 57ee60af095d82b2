#include "protocol/decimal.h"

#include "check.h"
#include "guard.h"

static struct decimal
number(const char *text)
{
    struct decimal d;

    CHECK(text, decimal_read(guard_copy(span_of(text)), &d));
    return d;
}

/* Each is less than the next one, by its line; those of one line are equal. */
static const char *const order[][6] = {
    {"-1e1000000000", "-10e999999999"},
    {"-1e3", "-1000", "-1000.000", "-0.1e4", "-.1E+4"},
    {"-999.9999999999"},
    {"-12.5", "-125e-1", "-0012.50"},
    {"-1"},
    {"-1e-400"},
    {"0", "-0", "+0", "0.000", "0e99", "-0.0e-99"},
    {"1e-400", "0.1e-399"},
    {"0.001", "1e-3", "1E-03", ".001"},
    {"0.0010000000000000001"},
    {"0.5", ".5", "5e-1"},
    {"1", "1.", "01", "+1", "1.0", "10e-1"},
    {"1.0000000000000001"},
    {"9"},
    {"10", "1e1", "10.0"},
    {"403"},
    {"404", "404.0", "4.04e2"},
    {"9007199254740992"},
    {"9007199254740993", "9007199254740993.0"}, /* a double could not tell it from the one before */
    {"9223372036854775807"},
    {"9223372036854775808"},
    {"9999999999999999999"},
    /* the twentieth digit is cut off */
    {"18446744073709551610", "18446744073709551615", "1.8446744073709551617e19"},
    {"1e20", "100000000000000000000"},
    {"1e1000000000"},
};

static void
compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(order); i++)
        for (size_t j = 0; j < LEN(order[i]) && order[i][j] != NULL; j++)
            for (size_t k = 0; k < LEN(order); k++)
                for (size_t l = 0; l < LEN(order[k]) && order[k][l] != NULL; l++) {
                    struct decimal a = number(order[i][j]);
                    struct decimal b = number(order[k][l]);
                    int got = decimal_compare(&a, &b);

                    CHECK_INT(order[i][j], (got > 0) - (got < 0), (i > k) - (i < k));
                }
}

static void
no_number(void **state)
{
    static const char *const rows[] = {
        "",   "+",  "-",    ".",    "e1",  "-e1",   ".e1",  "1e",    "1e+",    "1e1.", "1e1e1",
        "1 ", " 1", "1..2", "1.2.", "+-1", "--1",   "0x10", "1,000", "1_000",  "NaN",  "inf",
        "1a", "a1", "1e1a", "1-",   "1+1", "1e--1", "*",    "1*",    "12.34*", "٣",
    };
    struct decimal d;

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        CHECK(rows[i], !decimal_read(guard_copy(span_of(rows[i])), &d));
}

/* A number as long as a line may be, and one whose exponent is. */
static void
longest(void **state)
{
    static char text[GUARD_ROOM];
    struct decimal one = number("1");
    struct decimal d;

    (void)state;
    memset(text, '0', sizeof text);
    assert_true(decimal_read(guard_copy((struct span){text, sizeof text}), &d));
    assert_true(decimal_compare(&d, &one) < 0);
    text[sizeof text - 1] = '1';
    assert_true(decimal_read(guard_copy((struct span){text, sizeof text}), &d));
    assert_int_equal(decimal_compare(&d, &one), 0);
    memcpy(text, "0.", 2);
    assert_true(decimal_read(guard_copy((struct span){text, sizeof text}), &d));
    assert_true(d.digits > 0 && decimal_compare(&d, &one) < 0);
    memset(text, '9', sizeof text);
    assert_true(decimal_read(guard_copy((struct span){text, sizeof text}), &d));
    assert_true(decimal_compare(&d, &one) > 0);
    memcpy(text, "1e-", 3);
    assert_true(decimal_read(guard_copy((struct span){text, sizeof text}), &d));
    assert_true(d.digits > 0 && decimal_compare(&d, &one) < 0);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare),
        cmocka_unit_test(no_number),
        cmocka_unit_test(longest),
    };

    return RUN(argc, argv, tests);
}
