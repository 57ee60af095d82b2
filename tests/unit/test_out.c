#include "protocol/out.h"

#include "check.h"
#include "guard.h"

static void
hex(struct out *o)
{
    static const uint8_t bytes[] = {0, 0x0f, 0xf0, 0xab, 0xff};

    out_hex(o, bytes, sizeof bytes);
}

static void
nothing(struct out *o)
{
    out_put(o, (struct span){NULL, 0});
    out_put(o, SPAN(""));
    out_hex(o, NULL, 0);
    out_json(o, (struct span){NULL, 0});
}

static void
put(struct out *o)
{
    out_put(o, SPAN("ab"));
    out_byte(o, 0);
    out_put(o, SPAN("c"));
}

/* The rest of what does not fit is left out. */
static void
kept(void **state)
{
    char *buffer = guard_buffer(5);
    size_t len;

    (void)state;
    len = out_keep(buffer, 5, 0, SPAN("abc"));
    assert_int_equal(len, 3);
    len = out_keep(buffer, 5, len, (struct span){NULL, 0});
    assert_int_equal(len, 3);
    len = out_keep(buffer, 5, len, SPAN("def"));
    assert_int_equal(len, 5);
    assert_int_equal(out_keep(buffer, 5, len, SPAN("g")), 5);
    CHECK_SPAN("full", ((struct span){buffer, len}), SPAN("abcde"));
    assert_int_equal(out_keep(buffer, 5, 0, SPAN("12345")), 5);
    CHECK_SPAN("exactly", ((struct span){buffer, 5}), SPAN("12345"));
}

static void
numbers(struct out *o)
{
    out_number(o, 0);
    out_byte(o, ' ');
    out_number(o, 10);
    out_byte(o, ' ');
    out_number(o, UINT64_MAX);
}

static void
padded(struct out *o)
{
    out_padded(o, 7, 4);
    out_byte(o, ' ');
    out_padded(o, 12345, 4);
    out_byte(o, ' ');
    out_padded(o, 0, 0);
    out_byte(o, ' ');
    out_padded(o, 1, 20);
    out_byte(o, ' ');
    /* no number has more digits, so that is as wide as it gets */
    out_padded(o, 1, 30);
}

static void
json(struct out *o)
{
    out_json(o, SPAN("plain \x7f\xc3\xa4/'"));
    out_json(o, SPAN("\"\\\b\f\n\r\t"));
    out_json(o, SPAN("\0\x01\x1f"));
    out_json(o, SPAN("a\nb"));
    out_json(o, SPAN("\nc"));
}

static const struct {
    const char *name;
    void (*write)(struct out *o);
    struct span want;
} writers[] = {
    {"nothing", nothing, TEXT("")},
    {"put", put, TEXT("ab\0c")},
    {"number", numbers, TEXT("0 10 18446744073709551615")},
    {"padded", padded, TEXT("0007 12345 0 00000000000000000001 00000000000000000001")},
    {"hex", hex, TEXT("000ff0abff")},
    {"json", json,
     TEXT("plain \x7f\xc3\xa4/'\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u0001\\u001fa\\nb\\nc")},
};

/* Every writer into every room from none to just enough and one more. */
static void
write_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(writers); i++) {
        struct span want = writers[i].want;

        for (size_t cap = 0; cap <= want.len + 1; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            writers[i].write(&o);
            CHECK_INT(writers[i].name, out_end(&o), cap < want.len ? ERR_FULL : 0);
            CHECK(writers[i].name, span_starts(want, out_span(&o)));
            if (cap >= want.len)
                CHECK_SPAN(writers[i].name, out_span(&o), want);
        }
    }
}

/* What still would fit is not written behind something that did not. */
static void
overflow_sticks(void **state)
{
    struct out o = out_to(guard_buffer(4), 4);

    (void)state;
    out_put(&o, SPAN("abc"));
    assert_int_equal(out_end(&o), 0);
    out_put(&o, SPAN("de"));
    out_byte(&o, 'f');
    assert_int_equal(out_end(&o), ERR_FULL);
    CHECK_SPAN("kept", out_span(&o), SPAN("abc"));
}

static void
no_room_at_all(void **state)
{
    struct out o = out_to(NULL, 0);

    (void)state;
    out_put(&o, SPAN(""));
    assert_int_equal(out_end(&o), 0);
    out_byte(&o, 'a');
    assert_int_equal(out_end(&o), ERR_FULL);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept),
        cmocka_unit_test(write_all),
        cmocka_unit_test(overflow_sticks),
        cmocka_unit_test(no_room_at_all),
    };

    return RUN(argc, argv, tests);
}
