#include "protocol/redact.h"

#include "check.h"
#include "guard.h"
#include "long_line.h"
#include "protocol/limits.h"
#include "protocol/out.h"
#include "seed.h"

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
    CHECK_SPAN("no value", record_of(SPAN("{\"a\":{\"password\":+1}}")), SPAN("\"***\""));
    CHECK_SPAN("none at all", record_of(SPAN("{\"a\":{\"password\":}}")), SPAN("\"***\""));
    out_byte(&o, '[');
    while (o.len + 20 < GUARD_ROOM - 100)
        out_put(&o, SPAN("{\"key\":1},"));
    out_put(&o, SPAN("1]"));
    CHECK_SPAN("too long", record_of(out_span(&o)), SPAN("\"***\""));
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
    {"blanks behind what is none", "\"\\\"a\\\"", " ", "\"", 7},
    {"members", "{\"a\":1", ",\"a\":1", "}", 2},
    {"members with long names", "{\"", "x", "\":1}", 7},
    {"names that begin like one", "{\"a\":1", ",\"passwor\":1", "}", 5},
    {"a long name with an escape", "{\"\\u0061", "x", "\":1}", 8},
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
        cmocka_unit_test(records),    cmocka_unit_test(depths), cmocka_unit_test(beginnings),
        cmocka_unit_test(as_a_whole), cmocka_unit_test(effort),
    };

    return RUN(argc, argv, tests);
}
