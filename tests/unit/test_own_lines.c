#include "protocol/own_lines.h"

#include "check.h"
#include "guard.h"

#include <stdio.h>

static struct own_lines lines;

static void
write_line(struct span line, size_t piece)
{
    own_lines_begin(&lines);
    for (; line.len > 0; line = span_skip(line, piece))
        own_lines_add(&lines, (struct span){line.p, line.len < piece ? line.len : piece});
    own_lines_end(&lines);
}

static bool
take(const char *record, bool looks_so)
{
    struct event e = {.type = EVENT_EXTENSION, .record = guard_copy(span_of(record))};

    return own_lines_take(&lines, &e, looks_so);
}

/* What is written, and the forms in which it may come back. */
static const struct {
    const char *name, *line, *back[4];
} rows[] = {
    {"plain",
     "{\"Data\":\"x\",\"PartitionKey\":\"k\"}\n",
     {"{\"Data\":\"x\",\"PartitionKey\":\"k\"}",
      "\"{\\\"Data\\\":\\\"x\\\",\\\"PartitionKey\\\":\\\"k\\\"}\"",
      "\"{\\\"Data\\\":\\\"x\\\",\\\"PartitionKey\\\":\\\"k\\\"}\\n\""}},
    {"escapes",
     "{\"Data\":\"a\\n\\\"\\\\\\u0001\",\"PartitionKey\":\"k\"}\n",
     {"{\"Data\":\"a\\n\\\"\\\\\\u0001\",\"PartitionKey\":\"k\"}",
      "{\"Data\":\"a\\u000a\\u0022\\u005c\\u0001\",\"PartitionKey\":\"k\"}",
      "\"{\\\"Data\\\":\\\"a\\\\n\\\\\\\"\\\\\\\\\\\\u0001\\\",\\\"PartitionKey\\\":\\\"k\\\"}\""}},
    {"as Go escapes it",
     "{\"Data\":\"<a&b>\xe2\x80\xa8\xc3\xa4\",\"PartitionKey\":\"k\"}\n",
     {"{\"Data\":\"\\u003ca\\u0026b\\u003E\\u2028\xc3\xa4\",\"PartitionKey\":\"k\"}",
      "{\"Data\":\"<a&b>\\u2028\\u00e4\",\"PartitionKey\":\"k\"}",
      "\"{\\\"Data\\\":\\\"\\u003ca\\u0026b\\u003e\\u2028\xc3\xa4\\\",\\\"PartitionKey\\\":"
      "\\\"k\\\"}\""}},
    {"cut within a character",
     "{\"Data\":\"x\xc3",
     {"\"{\\\"Data\\\":\\\"x\xef\xbf\xbd\"", "\"{\\\"Data\\\":\\\"x\\ufffd\"",
      "\"{\\\"Data\\\":\\\"x\xc3\""}},
    {"cut within an escape",
     "{\"Data\":\"x\\u00",
     {"\"{\\\"Data\\\":\\\"x\\\\u00\"", "\"{\\\"Data\\\":\\\"x\\\\u00\\n\""}},
};

static void
come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        for (size_t k = 0; k < 4 && rows[i].back[k] != NULL; k++) {
            write_line(span_of(rows[i].line), k + 1);
            CHECK_INT(rows[i].name, take(rows[i].back[k], true), true);
            /* a POST whose answer was lost comes again */
            CHECK_INT(rows[i].name, take(rows[i].back[k], true), true);
        }
    }
}

static void
others(void **state)
{
    struct event e = {.type = EVENT_FUNCTION,
                      .record = SPAN("{\"Data\":\"x\",\"PartitionKey\":\"k\"}")};

    (void)state;
    write_line(span_of(rows[0].line), 100);
    CHECK_INT("another key", take("{\"Data\":\"x\",\"PartitionKey\":\"l\"}", true), false);
    CHECK_INT("other data", take("{\"Data\":\"y\",\"PartitionKey\":\"k\"}", true), false);
    CHECK_INT("cut", take("\"{\\\"Data\\\":\\\"x", true), false);
    CHECK_INT("one byte", take("\"", true), false);
    CHECK_INT("another look", take("{\"Data\":\"x\",\"PartitionKey\":\"k\"}", false), false);
    CHECK_INT("of a function", own_lines_take(&lines, &e, true), false);
    own_lines_begin(&lines);
    own_lines_add(&lines, SPAN("{\"Data\":\"never written whole\"}"));
    CHECK_INT("not ended", take("{\"Data\":\"never written whole\"}", true), false);
    CHECK_INT("itself", take("{\"Data\":\"x\",\"PartitionKey\":\"k\"}", true), true);
}

/* Of more than can be remembered the look of as many has to do. */
static void
many(void **state)
{
    enum { MORE = 3 };
    char text[64];

    (void)state;
    lines = (struct own_lines){.next = 0};
    for (int i = 0; i < OWN_LINES_MAX + MORE; i++) {
        snprintf(text, sizeof text, "{\"Data\":\"%d\"}", i);
        write_line(span_of(text), 64);
    }
    for (int i = OWN_LINES_MAX + MORE - 1; i >= 0; i--) {
        snprintf(text, sizeof text, "{\"Data\":\"%d\"}", i);
        CHECK_INT(text, take(text, true), true);
    }
    CHECK_INT("no more", take("{\"Data\":\"0\"}", true), false);
}

/* A line that has come back is not among those that are still to be recognised by their look. */
static void
came_back(void **state)
{
    (void)state;
    lines = (struct own_lines){.next = 0};
    for (int i = 0; i < 2 * OWN_LINES_MAX; i++) {
        write_line(SPAN("{\"Data\":\"x\"}"), 64);
        CHECK_INT("itself", take("{\"Data\":\"x\"}", true), true);
    }
    CHECK_INT("another", take("{\"Data\":\"y\"}", true), false);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(come_back),
        cmocka_unit_test(others),
        cmocka_unit_test(many),
        cmocka_unit_test(came_back),
    };

    return RUN(argc, argv, tests);
}
