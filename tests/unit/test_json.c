#include "protocol/json.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

static const struct {
    const char *name;
    struct span in;
    int want;
    int len; /* tokens, upon success */
} documents[] = {
    {"object", TEXT("{}"), 0, 1},
    {"array", TEXT("[]"), 0, 1},
    {"string", TEXT("\"a\""), 0, 1},
    {"empty string", TEXT("\"\""), 0, 1},
    {"number and its end", TEXT("12 "), 0, 1},
    {"white space", TEXT(" \t\r\n{} \t\r\n"), 0, 1},
    {"white space around a string", TEXT(" \"a\"\n"), 0, 1},
    {"members", TEXT("{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}"), 0, 11},
    {"escapes", TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"]"), 0, 2},

    {"nothing", TEXT(""), ERR_BAD, 0},
    {"white space only", TEXT(" \n"), ERR_BAD, 0},
    {"cut in object", TEXT("{\"a\":1"), ERR_BAD, 0},
    {"cut in string", TEXT("{\"a"), ERR_BAD, 0},
    {"cut in escape", TEXT("\"\\"), ERR_BAD, 0},
    {"number without end", TEXT("12"), ERR_BAD, 0},
    {"word", TEXT("maybe "), ERR_BAD, 0},
    {"unknown escape", TEXT("[\"\\x\"]"), ERR_BAD, 0},
    {"short escape", TEXT("[\"\\u12\"]"), ERR_BAD, 0},
    {"escape no hex", TEXT("[\"\\u12g4\"]"), ERR_BAD, 0},
    {"brackets cross", TEXT("[{]}"), ERR_BAD, 0},
    {"wrong bracket", TEXT("{\"a\":1]"), ERR_BAD, 0},
    {"closing bracket", TEXT("]"), ERR_BAD, 0},
    {"name no string", TEXT("{1:2}"), ERR_BAD, 0},
    {"rubbish behind", TEXT("{}x"), ERR_BAD, 0},
    {"bracket behind", TEXT("{}}"), ERR_BAD, 0},
    {"second value behind", TEXT("{}{}"), ERR_BAD, 0},
    {"string behind a string", TEXT("\"a\"\"b\""), ERR_BAD, 0},
    {"comma behind", TEXT("{},"), ERR_BAD, 0},
    {"zero behind", TEXT("{}\0"), ERR_BAD, 0},
    {"zero between", TEXT("{\0}"), ERR_BAD, 0},
    {"comma before", TEXT(",{}"), ERR_BAD, 0},
    {"colon before", TEXT(":\"a\""), ERR_BAD, 0},
    {"byte order mark", TEXT("\xef\xbb\xbf{}"), ERR_BAD, 0},

    /* known wrong answers of jsmn, see json.h */
    {"colon left out", TEXT("{\"a\" \"b\"}"), 0, 3},
    {"comma left out", TEXT("[1 2]"), 0, 3},
    {"comma doubled", TEXT("[1,,2]"), 0, 3},
    {"comma at the end", TEXT("[1,]"), 0, 2},
    {"no value", TEXT("{\"a\":}"), 0, 2},
    {"number no number", TEXT("[1-2]"), 0, 2},
    {"word no word", TEXT("[nil]"), 0, 2},
    {"control byte in string", TEXT("[\"a\nb\"]"), 0, 2},
};

static void
parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(documents); i++) {
        struct json doc;

        seed("json", documents[i].in);
        CHECK_INT(documents[i].name, json_parse(&doc, guard_copy(documents[i].in)),
                  documents[i].want);
        if (documents[i].want == 0)
            CHECK_INT(documents[i].name, doc.len, documents[i].len);
    }
}

/* No document that ends in a bracket or quote has a prefix that is one, white space aside. */
static void
prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(documents); i++) {
        struct span in = documents[i].in;
        struct json doc;

        if (documents[i].want != 0)
            continue;
        while (in.len > 0 && memchr("]}\"", in.p[in.len - 1], 3) == NULL)
            in.len--;
        while (in.len > 0) {
            in.len--;
            CHECK_INT(documents[i].name, json_parse(&doc, guard_copy(in)), ERR_BAD);
        }
    }
}

static void
too_many_tokens(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        char text[2 * JSON_TOKENS_MAX + 8] = "[1";
        struct json doc;

        for (int i = 2; i < JSON_TOKENS_MAX + more; i++)
            strcat(text, ",1");
        strcat(text, "]");
        CHECK_INT("tokens", json_parse(&doc, guard_copy(span_of(text))), more == 0 ? 0 : ERR_BIG);
        CHECK_INT("tokens", doc.len, more == 0 ? JSON_TOKENS_MAX : 0);
    }
}

static const char looked_up[] =
    "{\"a\":1,\"b\":{\"a\":\"inner\",\"c\":[]},\"list\":[10,[20],{\"x\":30},\"y\"],"
    "\"a\":\"second\",\"value\":\"list\",\"\":\"empty\",\"e\\u0073c\":\"escaped\",\"last\":null}";

static void
look_up(void **state)
{
    struct json doc;
    int list, b;

    (void)state;
    assert_int_equal(json_parse(&doc, guard_copy(span_of(looked_up))), 0);
    b = json_member(&doc, 0, SPAN("b"));
    list = json_member(&doc, 0, SPAN("list"));
    CHECK_SPAN("first of two", json_raw(&doc, json_member(&doc, 0, SPAN("a"))), SPAN("1"));
    CHECK_SPAN("nested", json_raw(&doc, json_member(&doc, b, SPAN("a"))), SPAN("inner"));
    CHECK_SPAN("not one of an inner object", json_raw(&doc, json_member(&doc, 0, SPAN("x"))),
               SPAN(""));
    CHECK_SPAN("empty name", json_raw(&doc, json_member(&doc, 0, SPAN(""))), SPAN("empty"));
    CHECK_SPAN("raw name", json_raw(&doc, json_member(&doc, 0, SPAN("e\\u0073c"))),
               SPAN("escaped"));
    CHECK_SPAN("last", json_raw(&doc, json_member(&doc, 0, SPAN("last"))), SPAN("null"));
    CHECK_INT("unescaped name", json_member(&doc, 0, SPAN("esc")), ERR_BAD);
    CHECK_INT("prefix of a name", json_member(&doc, 0, SPAN("lis")), ERR_BAD);
    CHECK_INT("a value is no name", json_member(&doc, 0, SPAN("second")), ERR_BAD);
    CHECK_INT("absent", json_member(&doc, b, SPAN("b")), ERR_BAD);
    CHECK_INT("in an array", json_member(&doc, list, SPAN("x")), ERR_BAD);
    CHECK_INT("in nothing", json_member(&doc, ERR_BAD, SPAN("a")), ERR_BAD);
    CHECK_INT("beyond", json_member(&doc, doc.len, SPAN("a")), ERR_BAD);

    CHECK_SPAN("element 0", json_raw(&doc, json_element(&doc, list, 0)), SPAN("10"));
    CHECK_SPAN("element 1", json_raw(&doc, json_element(&doc, list, 1)), SPAN("[20]"));
    CHECK_SPAN("element 2", json_raw(&doc, json_element(&doc, list, 2)), SPAN("{\"x\":30}"));
    CHECK_SPAN("element 3", json_raw(&doc, json_element(&doc, list, 3)), SPAN("y"));
    CHECK_INT("element 4", json_element(&doc, list, 4), ERR_BAD);
    CHECK_INT("element -1", json_element(&doc, list, -1), ERR_BAD);
    CHECK_INT("element of an object", json_element(&doc, 0, 0), ERR_BAD);
    CHECK_INT("element of nothing", json_element(&doc, ERR_BAD, 0), ERR_BAD);
    CHECK("raw of nothing", json_raw(&doc, ERR_BAD).p == NULL);
    CHECK("raw beyond", json_raw(&doc, doc.len).p == NULL);
}

/* A value that was left out is not the next member's name. */
static void
look_up_without_value(void **state)
{
    struct json doc;

    (void)state;
    assert_int_equal(json_parse(&doc, SPAN("{\"a\" \"b\":\"c\"}")), 0);
    CHECK_INT("no value", json_member(&doc, 0, SPAN("a")), ERR_BAD);
    assert_int_equal(json_parse(&doc, SPAN("{\"a\":}")), 0);
    CHECK_INT("no value", json_member(&doc, 0, SPAN("a")), ERR_BAD);
}

static const struct {
    struct span in;
    int want;
    struct span text;
} texts[] = {
    {TEXT("\"\""), 0, TEXT("")},
    {TEXT("\"plain \xc3\xa4\""), 0, TEXT("plain \xc3\xa4")},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), 0, TEXT("\"\\/\b\f\n\r\t")},
    {TEXT("\"a\\nb\""), 0, TEXT("a\nb")},
    {TEXT("\"\\u0000\""), 0, TEXT("\0")},
    {TEXT("\"\\u007f\\u0080\""), 0, TEXT("\x7f\xc2\x80")},
    {TEXT("\"\\u07FF\\u0800\""), 0, TEXT("\xdf\xbf\xe0\xa0\x80")},
    {TEXT("\"\\uaBcD\\uffff\""), 0, TEXT("\xea\xaf\x8d\xef\xbf\xbf")},
    {TEXT("\"\\ud83d\\uDE00!\""), 0, TEXT("\xf0\x9f\x98\x80!")},
    {TEXT("\"\\ud800\\udc00\\udbff\\udfff\""), 0, TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    {TEXT("\"\\ud800\""), 0, TEXT("\xef\xbf\xbd")},
    {TEXT("\"\\udc00\""), 0, TEXT("\xef\xbf\xbd")},
    {TEXT("\"\\ud800x\""), 0, TEXT("\xef\xbf\xbdx")},
    {TEXT("\"\\ud800\\n\""), 0, TEXT("\xef\xbf\xbd\n")},
    {TEXT("\"\\ud800\\u0041\""), 0,
     TEXT("\xef\xbf\xbd"
          "A")},
    {TEXT("\"\\ud800\\ud800\\udc00\""), 0, TEXT("\xef\xbf\xbd\xf0\x90\x80\x80")},
    {TEXT("\"\\udc00\\ud800\""), 0, TEXT("\xef\xbf\xbd\xef\xbf\xbd")},
    {TEXT("\"\\\\u0041\""), 0, TEXT("\\u0041")},
    {TEXT("12 "), ERR_BAD, TEXT("")},
    {TEXT("null "), ERR_BAD, TEXT("")},
    {TEXT("[\"a\"]"), ERR_BAD, TEXT("")},
    {TEXT("{}"), ERR_BAD, TEXT("")},
};

/* Every string into every room from none to just enough. */
static void
text(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(texts); i++) {
        const char *name = texts[i].in.p;
        struct json doc;

        seed("json", texts[i].in);
        CHECK_INT(name, json_parse(&doc, guard_copy(texts[i].in)), 0);
        for (size_t cap = 0; cap <= texts[i].text.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);
            int want = texts[i].want == 0 && cap < texts[i].text.len ? ERR_FULL : texts[i].want;

            CHECK_INT(name, json_text(&doc, 0, &o), want);
            if (want == 0)
                CHECK_SPAN(name, out_span(&o), texts[i].text);
        }
    }
}

static void
text_of_nothing(void **state)
{
    struct json doc;
    struct out o = out_to(NULL, 0);

    (void)state;
    assert_int_equal(json_parse(&doc, SPAN("{}")), 0);
    assert_int_equal(json_text(&doc, json_member(&doc, 0, SPAN("a")), &o), ERR_BAD);
}

static const struct {
    const char *in;
    uint64_t max;
    int want;
    uint64_t number;
} numbers[] = {
    {"0 ", 0, 0, 0},
    {"1775516174092 ", UINT64_MAX, 0, 1775516174092},
    {"18446744073709551615 ", UINT64_MAX, 0, UINT64_MAX},
    {"18446744073709551616 ", UINT64_MAX, ERR_BAD, 0},
    {"256 ", 255, ERR_BAD, 0},
    {"-1 ", 9, ERR_BAD, 0},
    {"-0 ", 9, ERR_BAD, 0},
    {"1.0 ", 9, ERR_BAD, 0},
    {"1e0 ", 9, ERR_BAD, 0},
    {"01 ", 9, ERR_BAD, 0},
    {"00 ", 9, ERR_BAD, 0},
    {"true ", 9, ERR_BAD, 0},
    {"null ", 9, ERR_BAD, 0},
    {"\"1\"", 9, ERR_BAD, 0},
    {"[1]", 9, ERR_BAD, 0},
};

static void
number(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        uint64_t n = 0;
        struct json doc;

        seed("json", span_of(numbers[i].in));
        CHECK_INT(numbers[i].in, json_parse(&doc, guard_copy(span_of(numbers[i].in))), 0);
        CHECK_INT(numbers[i].in, json_number(&doc, 0, numbers[i].max, &n), numbers[i].want);
        CHECK(numbers[i].in, n == numbers[i].number);
        CHECK_INT(numbers[i].in, json_number(&doc, ERR_BAD, numbers[i].max, &n), ERR_BAD);
    }
}

/* Rubbish made of JSON's own bytes: whatever is accepted can be looked through. */
static void
rubbish(void **state)
{
    static const char bytes[] = "{}[]\":,\\u1a n";
    uint32_t dice = 1;
    size_t accepted = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        char in[12], value[64];
        size_t len;
        struct json doc;

        dice = dice * 1664525 + 1013904223;
        len = 1 + (dice >> 16) % sizeof in;
        for (size_t i = 0; i < len; i++) {
            dice = dice * 1664525 + 1013904223;
            in[i] = bytes[(dice >> 16) % (sizeof bytes - 1)];
        }
        if (json_parse(&doc, guard_copy((struct span){in, len})) != 0)
            continue;
        accepted++;
        for (int i = 0; i < doc.len; i++) {
            struct out o = out_to(value, sizeof value);
            uint64_t n;

            (void)json_text(&doc, i, &o);
            (void)json_number(&doc, i, 9, &n);
            assert_true(json_member(&doc, i, SPAN("")) < doc.len);
            assert_true(json_element(&doc, i, 1) < doc.len);
        }
    }
    assert_in_range(accepted, 500, 200000);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(too_many_tokens),
        cmocka_unit_test(look_up),
        cmocka_unit_test(text),
        cmocka_unit_test(look_up_without_value),
        cmocka_unit_test(number),
        cmocka_unit_test(text_of_nothing),
        cmocka_unit_test(rubbish),
    };

    return RUN(argc, argv, tests);
}
