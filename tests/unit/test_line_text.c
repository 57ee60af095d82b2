#include "protocol/line_text.h"

#include "check.h"
#include "guard.h"

static const struct {
    const char *name;
    struct span record, want;
} rows[] = {
    {"text", TEXT("\"hello\""), TEXT("hello")},
    {"nothing", TEXT("\"\""), TEXT("")},
    {"newline at the end", TEXT("\"hello\\n\""), TEXT("hello")},
    {"only one", TEXT("\"hello\\n\\n\""), TEXT("hello\n")},
    {"newline alone", TEXT("\"\\n\""), TEXT("")},
    {"newline within", TEXT("\"a\\nb\""), TEXT("a\nb")},
    {"backslash and n at the end", TEXT("\"a\\\\n\""), TEXT("a\\n")},
    {"carriage return", TEXT("\"a\\r\\n\""), TEXT("a\r")},
    {"all escapes", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t.\""), TEXT("\"\\/\b\f\n\r\t.")},
    {"escapes of letters", TEXT("\"\\u0041\\u007a\\u003C\\u003c\""), TEXT("Az<<")},
    {"zero", TEXT("\"a\\u0000b\""), TEXT("a\0b")},
    {"two bytes", TEXT("\"\\u0080\\u00e4\\u07ff\""), TEXT("\xc2\x80\xc3\xa4\xdf\xbf")},
    {"three bytes", TEXT("\"\\u0800\\u20AC\\uffff\""),
     TEXT("\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf")},
    {"pair", TEXT("\"\\ud83d\\ude00\""), TEXT("\xf0\x9f\x98\x80")},
    {"first and last pair", TEXT("\"\\ud800\\udc00\\uDBFF\\uDFFF\""),
     TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {"high alone", TEXT("\"\\ud83dx\""), TEXT("\xef\xbf\xbdx")},
    {"high at the end", TEXT("\"\\ud83d\""), TEXT("\xef\xbf\xbd")},
    {"high twice", TEXT("\"\\ud83d\\ud83d\\ude00\""), TEXT("\xef\xbf\xbd\xf0\x9f\x98\x80")},
    {"high and another", TEXT("\"\\ud83d\\u0041\""),
     TEXT("\xef\xbf\xbd"
          "A")},
    {"high and one behind the low ones", TEXT("\"\\ud83d\\ue000\""),
     TEXT("\xef\xbf\xbd\xee\x80\x80")},
    {"low alone", TEXT("\"\\ude00\""), TEXT("\xef\xbf\xbd")},
    {"before and behind the surrogates", TEXT("\"\\ud7ff\\ue000\""),
     TEXT("\xed\x9f\xbf\xee\x80\x80")},
    {"as it stands", TEXT("\"\xc3\xa4\xff\t\""), TEXT("\xc3\xa4\xff\t")},

    /* what JSON does not have */
    {"other letter", TEXT("\"\\x\\'\""), TEXT("x'")},
    {"no digits", TEXT("\"\\u12g4\""), TEXT("u12g4")},
    {"no digits, beyond letters", TEXT("\"\\u12~4\""), TEXT("u12~4")},
    {"no digits, before them", TEXT("\"\\u12/4\""), TEXT("u12/4")},
    {"between digits and letters", TEXT("\"\\u12:4\""), TEXT("u12:4")},
    {"too few digits", TEXT("\"\\u123\""), TEXT("u123")},
    {"pair cut", TEXT("\"\\ud83d\\ude0\""), TEXT("\xef\xbf\xbdude0")},
    {"backslash at the end", TEXT("\"a\\\""), TEXT("a")},

    {"object", TEXT("{\"a\":\"\\n\"}"), TEXT("{\"a\":\"\\n\"}")},
    {"array", TEXT("[1,\"\\n\"]"), TEXT("[1,\"\\n\"]")},
    {"number", TEXT("12"), TEXT("12")},
    {"one quotation mark", TEXT("\""), TEXT("\"")},
};

/* In room that is just enough; and in its own place, and before it. */
static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span record = guard_copy(rows[i].record);
        char *room = guard_buffer(record.len);

        CHECK_SPAN(rows[i].name, line_text(record, room), rows[i].want);
        for (size_t before = 0; before < 3; before++) {
            char *own = guard_buffer(record.len + before);

            memcpy(own + before, record.p, record.len);
            CHECK_SPAN(rows[i].name, line_text((struct span){own + before, record.len}, own),
                       rows[i].want);
        }
    }
}

/* Cut anywhere, nothing beyond the end is looked at, and nothing grows. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t n = 0; n <= rows[i].record.len; n++) {
            struct span inside = guard_copy((struct span){rows[i].record.p, n});

            CHECK(rows[i].name, line_unescape(inside, guard_buffer(n)) <= n);
            CHECK(rows[i].name, line_text(inside, guard_buffer(n)).len <= n);
        }
}

/* Text without escapes is not copied. */
static void
in_place(void **state)
{
    struct span record = SPAN("\"hello\"");

    (void)state;
    assert_ptr_equal(line_text(record, NULL).p, record.p + 1);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(cut),
        cmocka_unit_test(in_place),
    };

    return RUN(argc, argv, tests);
}
