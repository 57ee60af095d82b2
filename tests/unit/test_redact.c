#include "protocol/redact.h"

#include "check.h"
#include "guard.h"
#include "long_line.h"
#include "protocol/json_walk.h"
#include "protocol/limits.h"
#include "protocol/line_text.h"
#include "protocol/out.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES "password, *token,Auth*,*key*,pass\xc3\xb6"

static struct redact redact;

/* What becomes of the record of an event; of which nothing is replaced it is to stay where it is. */
static struct span
record_of(struct span record)
{
    static char *memory;
    static char event[EVENT_MAX_BYTES];
    struct out o = out_to(event, sizeof event);
    struct span text;
    struct event e;

    if (memory == NULL) {
        memory = malloc(redact_bytes(SPAN(NAMES)));
        redact_init(&redact, SPAN(NAMES), memory);
    }
    out_put(&o, SPAN("{\"password\":1,\"record\":"));
    out_put(&o, record);
    out_put(&o, SPAN(",\"type\":\"function\"}"));
    assert_int_equal(event_read(guard_copy(out_span(&o)), NULL, &e), 0);
    if (redact_event(&redact, &e, &text)) {
        assert_int_equal(event_read(text, NULL, &e), 0);
        assert_true(span_starts(text, SPAN("{\"password\":1,\"record\":")));
        assert_true(span_same(span_skip(text, text.len - 19), SPAN(",\"type\":\"function\"}")));
    }
    return e.record;
}

static const struct {
    const char *record, *want; /* NULL: as it was */
} rows[] = {
    {"1", NULL},
    {"\"\"", NULL},
    {"\"password\"", NULL},
    {"{}", NULL},
    {"{\"a\":\"password\",\"b\":[\"token\"]}", NULL},
    {"{\"password\":\"x\"}", "{\"password\":\"***\"}"},
    {"{\"password\":\"\"}", "{\"password\":\"***\"}"},
    {"{\"password\":null}", "{\"password\":\"***\"}"},
    {"{ \"a\" : 1, \"password\" : 12.5e3 , \"b\" : 2 }",
     "{ \"a\" : 1, \"password\" :\"***\" , \"b\" : 2 }"},
    {"{\"password\":{\"a\":[1,\"}\"]},\"b\":1}", "{\"password\":\"***\",\"b\":1}"},
    {"{\"password\":[{\"password\":1}]}", "{\"password\":\"***\"}"},
    {"{\"password\":true,\"password\":false}", "{\"password\":\"***\",\"password\":\"***\"}"},
    {"{\"a\":{\"b\":[1,{\"password\":2}]}}", "{\"a\":{\"b\":[1,{\"password\":\"***\"}]}}"},
    {"[{\"password\":2}]", "[{\"password\":\"***\"}]"},
    {"{\"a\":\"x\\\"\",\"password\":\"y\\\"z\"}", "{\"a\":\"x\\\"\",\"password\":\"***\"}"},
    /* names */
    {"{\"passwords\":1,\"apassword\":2,\"\":3,\"pass\":4}", NULL},
    {"{\"PassWord\":1}", "{\"PassWord\":\"***\"}"},
    {"{\"token\":1,\"X-Amz-Security-Token\":2,\"tokens\":3}",
     "{\"token\":\"***\",\"X-Amz-Security-Token\":\"***\",\"tokens\":3}"},
    {"{\"auth\":1,\"Authorization\":2,\"xauth\":3}",
     "{\"auth\":\"***\",\"Authorization\":\"***\",\"xauth\":3}"},
    {"{\"key\":1,\"apikeys\":2,\"ke\":3}", "{\"key\":\"***\",\"apikeys\":\"***\",\"ke\":3}"},
    {"{\"p\\u0061ssword\":1}", "{\"p\\u0061ssword\":\"***\"}"},
    {"{\"pass\\u00f6\":1}", "{\"pass\\u00f6\":\"***\"}"},
    {"{\"pass\\\"word\":1}", NULL},
    /* what only looks like a name */
    {"{\"a\":\":\",\"b\":\"password\",\"c\":1}", NULL},
    {"{\"a\":true,\":key\":1,\"b\":2}", "{\"a\":true,\":key\":\"***\",\"b\":2}"},
    {"[\"key\",\":\",\"x\"]", NULL},
    /* JSON in a string */
    {"\"{\\\"password\\\":\\\"x\\\"}\\n\"", "\"{\\\"password\\\":\\\"***\\\"}\\n\""},
    {"\"{\\\"a\\\":\\\"\\u00e9\\\\n\\\",\\\"password\\\":1}\"",
     "\"{\\\"a\\\":\\\"\xc3\xa9\\\\n\\\",\\\"password\\\":\\\"***\\\"}\""},
    {"{\"message\":\"{\\\"password\\\":[1]}\",\"a\":\"{\\\"b\\\":\\u0022\\\"}\"}",
     "{\"message\":\"{\\\"password\\\":\\\"***\\\"}\",\"a\":\"{\\\"b\\\":\\u0022\\\"}\"}"},
    {"\"{\\u0022password\\u0022:\\u0022x\\u0022}\"", "\"{\\\"password\\\":\\\"***\\\"}\""},
    /* in a string of that */
    {"\"{\\\"body\\\":\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"x\\\\\\\"}\\\"}\"",
     "\"{\\\"body\\\":\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\"}\\\"}\""},
    {"\"{\\\"body\\\":\\\"{\\\\\\\"b\\\\\\\":\\\\\\\"x\\\\\\\"}\\\",\\\"key\\\":1}\"",
     "\"{\\\"body\\\":\\\"{\\\\\\\"b\\\\\\\":\\\\\\\"x\\\\\\\"}\\\",\\\"key\\\":\\\"***\\\"}\""},
    /* in text */
    {"\"INFO\\t{\\\"password\\\":\\\"x\\\",\\\"a\\\":1}\\n\"",
     "\"INFO\\t{\\\"password\\\":\\\"***\\\",\\\"a\\\":1}\\n\""},
    {"\"an inch is 1\\\", {\\\"password\\\":\\\"x\\\",\\\"a\\\":1} it is\"",
     "\"an inch is 1\\\", {\\\"password\\\":\\\"***\\\",\\\"a\\\":1} it is\""},
    {"\"{an inch is 1\\\", {\\\"password\\\":\\\"x\\\"}\"",
     "\"{an inch is 1\\\", {\\\"password\\\":\\\"***\\\"}\""},
    {"\"{\\\"password\\\":\\\"cut sho\"", "\"{\\\"password\\\":\\\"***\\\"\""},
    {"\"\\\"password\\\": none of JSON's, 1\"", "\"\\\"password\\\":\\\"***\\\"\""},
    {"\"\\\"password\\\":\"", "\"\\\"password\\\":\\\"***\\\"\""},
    {"\"\\\"password\\\"\"", NULL},
    /* what looks like an object as a whole, but has quotation marks too many */
    {"\"{\\\"a\\\":\\\"1\\\"x\\\",\\\"password\\\":\\\"y\\\",\\\"b\\\":\\\"2\\\"z\\\"}\"",
     "\"{\\\"a\\\":\\\"1\\\"x\\\",\\\"password\\\":\\\"***\\\",\\\"b\\\":\\\"2\\\"z\\\"}\""},
    {"\"{\\\"a\\\":\\\"x\\\",\\\":key\\\":1}\"",
     "\"{\\\"a\\\":\\\"x\\\",\\\":key\\\":\\\"***\\\"}\""},
    {"\"parsing \\\"{\\\\\\\"password\\\\\\\":\\\\\\\"x\\\\\\\"}\\\": no number\"",
     "\"parsing \\\"{\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\"}\\\": no number\""},
    {"{\"{\\\"password\\\":1}\":2}", "{\"{\\\"password\\\":\\\"***\\\"}\":2}"},
    {"\"{5\\\" and \\\"password\\\":\\\"x\\\", 6\\\" }\"",
     "\"{5\\\" and \\\"password\\\":\\\"***\\\", 6\\\" }\""},
    {"\"[\\\"key\\\",\\\":\\\",\\\"x\\\"] \\\"key\\\" , \\\":\\\"\"", NULL},
    /* in text that lacks the beginning of a string */
    {"\"body={\\\\\\\"password\\\\\\\":\\\\\\\"x\\\\\\\",\\\\\\\"a\\\\\\\":1}\"",
     "\"body={\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\",\\\\\\\"a\\\\\\\":1}\""},
    {"\"\\\\\\\\\\\\\\\"password\\\\\\\\\\\\\\\":1\"",
     "\"\\\\\\\\\\\\\\\"password\\\\\\\\\\\\\\\":\\\\\\\\\\\\\\\"***\\\\\\\\\\\\\\\"\""},
    {"\"C:\\\\\\\\\\\"a\\\\\\\"\\\"\\\\\\\"password\\\\\\\":1\"",
     "\"C:\\\\\\\\\\\"a\\\\\\\"\\\"\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\"\""},
    {"\"\\\"\\\\\\\"\"", NULL},
};

static void
records(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        seed("redact", span_of(rows[i].record));
        CHECK_SPAN(rows[i].record, record_of(span_of(rows[i].record)),
                   span_of(rows[i].want != NULL ? rows[i].want : rows[i].record));
    }
}

static void
names(void **state)
{
    static const struct {
        const char *names;
        bool want;
    } lists[] = {
        {"a", true},       {NAMES, true},     {"*", true},   {"**", true},
        {" *a* ,b", true}, {",", false},      {"a,", false}, {"a*b", false},
        {"***", false},    {"a,b*c*", false}, {" ", false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(lists); i++)
        CHECK_INT(lists[i].names, redact_allows(span_of(lists[i].names)), lists[i].want);
}

/* Within so many strings: the innermost ones are not looked into. */
static void
depths(void **state)
{
    char texts[2][4096];
    struct span text = SPAN("{\"password\":\"x\"}");

    (void)state;
    for (int depth = 1; depth <= 4; depth++) {
        struct out o = out_to(texts[depth % 2], sizeof *texts);

        out_byte(&o, '"');
        out_json(&o, text);
        out_byte(&o, '"');
        assert_int_equal(out_end(&o), 0);
        text = out_span(&o);
        CHECK_INT("seen", span_find(record_of(text), SPAN("***")) != NULL, depth <= 3);
    }
}

/* Whatever is cut off a record, no byte of what it hid is seen. */
static void
beginnings(void **state)
{
    static const char whole[] = "{\"a\":[1,{\"password\":\"SSSS\"}],\"b\":\"{\\\"key\\\":{"
                                "\\\"c\\\":\\\"SSSS\\\"}}\",\"token\":"
                                "[\"SSSS\",\"SSSS\"]}";

    (void)state;
    for (size_t len = 1; len < sizeof whole; len++) {
        char text[512];
        struct out o = out_to(text, sizeof text);

        out_byte(&o, '"');
        out_json(&o, (struct span){whole, len});
        out_byte(&o, '"');
        CHECK_INT("seen", span_find(record_of(out_span(&o)), SPAN("S")) != NULL, false);
    }
}

/* What is no JSON though its brackets match, and what would be longer than an event. */
static void
as_a_whole(void **state)
{
    static char text[EVENT_MAX_BYTES - 100];
    struct out o = out_to(text, sizeof text);

    (void)state;
    assert_int_equal(redact_bytes(SPAN("")), 0);
    CHECK_SPAN("no value", record_of(SPAN("{\"a\":{\"password\":+1}}")), SPAN("\"***\""));
    CHECK_SPAN("none at all", record_of(SPAN("{\"a\":{\"password\":}}")), SPAN("\"***\""));
    out_byte(&o, '[');
    while (o.len + 20 < GUARD_ROOM - 100)
        out_put(&o, SPAN("{\"key\":1},"));
    out_put(&o, SPAN("1]"));
    CHECK_SPAN("too long", record_of(out_span(&o)), SPAN("\"***\""));
}

/* --- shapes of JSON, as suites for its readers have them --- */

#define SEVEN "1.7976931348623157E-7"

static const char *const shapes[] = {
    /* arrays and objects */
    "[]",
    "[ ]",
    "[[]]",
    "[\"\"]",
    "[null,1,\"1\",{}]",
    "[1,null,null,2]",
    " [1]",
    "[1 ]",
    "[ 2 ]",
    "[\n1\n]",
    "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
    "{}",
    "{ }",
    "{\"\":0}",
    "{\"a\":{}}",
    "{\"a\":\"b\",\"a\":\"c\"}",
    "{\"a\":\"b\",\"a\":\"b\"}",
    "{\n\"a\" : \"b\"\r\n}",
    "{\"foo\\u0000bar\":42}",
    "{\"a\":[{\"b\":{\"c\":[]}}],\"d\":{}}",
    "{\"\\\"\":\"\\\\\"}",
    "{\"a\\\\\":1}",
    "{\"[\":\"}\",\"{\":\"]\"}",
    /* numbers */
    "0",
    "-0",
    "-1",
    "123",
    "0e+1",
    "0e1",
    "1E22",
    "1E-2",
    "1E+2",
    "123.456e78",
    SEVEN,
    "20e1",
    "123.456789",
    "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
    "100000000000000000000000000000000000000000",
    "1e9999",
    /* words */
    "true",
    "false",
    "null",
    /* strings */
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"\\\"\"",
    "\"\\\\\"",
    "\"\\\\\\\"\"",
    "\"\\\\a\"",
    "\"\\/\"",
    "\"\\b\\f\\n\\r\\t\"",
    "\"\\u0060\\u012a\\u12AB\"",
    "\"\\uD801\\udc37\"",
    "\"\\ud83d\\ude39\\ud83d\\udc8d\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"\\u0000\"",
    "\"\\u0012\"",
    "\"\\uFFFF\"",
    "\"\\u0022\"",
    "\"\\u005C\"",
    "\"\\u005C\\u0022\"",
    "\"\\u002c\"",
    "\"\\uD834\\uDd1e\"",
    "\"\\u200B\\u2064\\uFEFF\"",
    "\"asd \"",
    "\"a/*b*/c/*d//e\"",
    "\"\xe2\x80\xa8\xe2\x80\xa9\"",
    "\"\xf4\x8f\xbf\xbf\"",
    "\"\xef\xbf\xbf\"",
    "\"\xcf\x80\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\x7f\"",
    "\"new\\u000Aline\"",
    "\"{\"",
    "\"}\"",
    "\"[\"",
    "\"]\"",
    "\",\"",
    "\":\"",
    "\"\\\":\"",
    "\"\\\",\\\"\"",
    "\"***\"",
};

/* What is none, though some readers take it. */
static const char *const no_shapes[] = {
    "",
    ",",
    "[1 true]",
    "[a\xc3\xa5]",
    "[\"\":1]",
    "[\"\"],",
    "[,1]",
    "[1,,2]",
    "[\"x\"]]",
    "[\"\",]",
    "[\"x\"",
    "[x",
    "[3[4]]",
    "[\xff]",
    "[1:2]",
    "[,]",
    "[-]",
    "[ , \"\"]",
    "[\"a\",\n4\n,1,",
    "[1,]",
    "[1,,]",
    "[\"\va\"\\f]",
    "[*]",
    "[\"",
    "[1,",
    "[{}",
    "[fals]",
    "[nul]",
    "[tru]",
    "-01",
    "++1",
    "+1",
    "+Inf",
    "-1.0.",
    "-2.",
    "-NaN",
    ".-1",
    ".2e-3",
    "0.1.2",
    "0.3e+",
    "0.3e",
    "0.e1",
    "0E+",
    "0E",
    "1.0e+",
    "1.0e-",
    "1 000.0",
    "1eE2",
    "2.e+3",
    "9.e+",
    "Inf",
    "NaN",
    "\xef\xbc\x91",
    "1+2",
    "0x1",
    "0x42",
    "-foo",
    "- 1",
    "-012",
    "-1x",
    "1ea",
    "1.",
    "1.a",
    ".123",
    "1.2a",
    "{[: \"x\"}",
    "{\"x\"::\"b\"}",
    "{\"a\":\"a\" 123}",
    "{key: 'value'}",
    "{\"a\":",
    "{\"a\" b}",
    "{:\"b\"}",
    "{\"a\" \"b\"}",
    "{\"a\"",
    "{1:1}",
    "{9999E9999:1}",
    "{null:null,null:null}",
    "{\"id\":0,,,,,}",
    "{'a':0}",
    "{\"id\":0,}",
    "{\"a\":\"b\"}/**/",
    "{\"a\":\"b\"}#",
    "{\"a\":\"b\",,\"c\":\"d\"}",
    "{a: \"b\"}",
    "{\"a\":\"a",
    "{ \"foo\" : \"bar\", \"a\" }",
    " ",
    "\"\\uD800\\\"",
    "\"\\uD800\\u\"",
    "\"\\uD800\\u1\"",
    "\"\\u00A\"",
    "\"\\\xf0\x9f\x8c\x80\"",
    "\"\\x00\"",
    "\"\\a\"",
    "\"\\uqqqq\"",
    "\"\\",
    "\"\\u",
    "\"",
    "'single quote'",
    "abc",
    "<.>",
    "[<null>]",
    "[1]x",
    "[1]]",
    "2@",
    "{}}",
    "{\"\":",
    "[True]",
    "TRUE",
    "nil",
    "\xe2\x81\xa0",
    "\xef\xbb\xbf",
    "*",
    "{\"a\":\"b\"}#{}",
    "[\"asd]",
    "\xc3\xa5",
    "[][]",
    "]",
};

/* What is found in a line within so many strings, of which nothing else changes; redacted: its text. */
static struct span
in_strings(struct span text, unsigned strings)
{
    static char texts[2][65536];
    struct span record;

    for (unsigned i = 0; i < strings; i++) {
        struct out o = out_to(texts[i % 2], sizeof *texts);

        out_byte(&o, '"');
        out_json(&o, text);
        out_byte(&o, '"');
        assert_int_equal(out_end(&o), 0);
        text = out_span(&o);
    }
    record = record_of(text);
    for (unsigned i = 0; i < strings; i++) {
        struct span inside = json_walk_string(record);
        char *to = texts[i % 2];

        assert_non_null(inside.p);
        record = (struct span){to, line_unescape(inside, to)};
    }
    return record;
}

/* A document of each shape, in which each shape is hidden: nothing else changes, be it a record, or in strings. */
static void
all_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(shapes); i++)
        for (size_t k = 0; k < LEN(shapes); k++) {
            char text[1024], want[1024];

            snprintf(text, sizeof text,
                     "{\"a\":%s,\"b\":[%s,{\"password\":%s}],\"key\":%s,\"c\":%s}", shapes[i],
                     shapes[i], shapes[k], shapes[k], shapes[i]);
            snprintf(want, sizeof want,
                     "{\"a\":%s,\"b\":[%s,{\"password\":\"***\"}],\"key\":\"***\",\"c\":%s}",
                     shapes[i], shapes[i], shapes[i]);
            for (unsigned strings = 0; strings <= 3; strings++)
                if (strings < 2 || (i + k) % 8 == 0)
                    CHECK_SPAN(text, in_strings(span_of(text), strings), span_of(want));
        }
}

/* Behind what is no JSON at all, and within it, no byte of a secret is seen either. */
static void
no_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(no_shapes); i++)
        for (size_t k = 0; k < LEN(no_shapes); k++) {
            char text[1024];

            snprintf(text, sizeof text, "INFO %s {\"a\":%s,\"password\":\"SECRET\",\"b\":%s}",
                     no_shapes[k], no_shapes[i], no_shapes[i]);
            for (unsigned strings = 1; strings <= 2; strings++)
                CHECK(text, span_find(in_strings(span_of(text), strings), SPAN("SECRET")) == NULL);
            snprintf(text, sizeof text, "{\"b\":%s,\"key\":\"SECRET%s", no_shapes[k], no_shapes[i]);
            CHECK(text, span_find(in_strings(span_of(text), 1), SPAN("SECRET")) == NULL);
        }
}

/* Records of a mebibyte, and how many steps a byte they may cost: more where names are long or many, within strings, and
 * where something is replaced, so that all is gone through twice. */
static const struct {
    const char *name, *first, *middle, *last;
    unsigned most;
} long_records[] = {
    {"text", "\"", "x", "\"", 3},
    {"backslashes", "\"", "\\\\", "\"", 5},
    {"escapes", "\"", "\\u0022", "\"", 5},
    {"quotation marks in text", "\"", "\\\"", "\"", 5},
    {"quotation marks and blanks", "\"", "\\\"   ", "\"", 8},
    {"blanks behind a name", "{\"a\"", " ", ":1}", 2},
    {"blanks behind what is none", "\"\\\"a\\\"", " ", "\"", 8},
    {"members", "{\"a\":1", ",\"a\":1", "}", 2},
    {"members with long names", "{\"", "x", "\":1}", 8},
    {"names that begin like one", "{\"a\":1", ",\"passwor\":1", "}", 6},
    {"a long name with an escape", "{\"\\u0061", "x", "\":1}", 12},
    {"names as far as the middle", "{\"a\":1", ",\"kekekekeke\":1", "}", 6},
    {"values that look like names", "{\"a\":1", ",\"a\":\"password\"", "}", 3},
    {"names without values in text", "\"", "\\\"password\\\" ", "\"", 8},
    {"names with none in text", "\"", "\\\"password\\\":", "\"", 16},
    {"all of them", "{\"key\":1", ",\"key\":1", "}", 7},
    {"all of them, in a string", "\"{\\\"key\\\":1", ",\\\"key\\\":1", "}\"", 17},
    {"one at the beginning", "{\"key\":1,\"a\":\"", "x", "\"}", 7},
    {"one at the end", "{\"a\":\"", "\\n", "\",\"key\":1}", 13},
    {"one that is long", "{\"key\":\"", "\\n", "\"}", 4},
    {"one that is deep", "{\"key\":", "[[[[[[[[]]]]]]]]", "}", 3},
    {"strings in strings", "[\"", "\\\"\\\\\\\"\\\\\\\\\\\\\\\"x\\\\\\\\\\\\\\\"\\\\\\\"\\\"",
     "\"]", 8},
    {"and one in the last", "[\"", "\\\"\\\\\\\"x\\\\\\\"\\\"", "{\\\"key\\\":1}\"]", 17},
    {"objects that are cut", "\"", "{\\\"a\\\":{", "\"", 6},
    {"lists that are cut", "\"[", "[", "\"", 3},
    {"brackets that cross", "{\"key\":1,\"b\":", "[}", "}", 3},
};

static void
effort(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(long_records); i++) {
        struct span record =
            long_line(long_records[i].first, long_records[i].middle, long_records[i].last);

        CHECK_STEPS(long_records[i].name, (void)record_of(record), record.len,
                    long_records[i].most);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),    cmocka_unit_test(names),      cmocka_unit_test(depths),
        cmocka_unit_test(beginnings), cmocka_unit_test(as_a_whole), cmocka_unit_test(all_shapes),
        cmocka_unit_test(no_json),    cmocka_unit_test(effort),
    };

    return RUN(argc, argv, tests);
}
