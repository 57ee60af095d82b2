#include "protocol/own_line.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define EVENT(type, record)                                                                        \
    "{\"time\":\"2026-11-20T10:00:00.910Z\",\"type\":\"" type "\",\"record\":" record "}"
#define EXTENSION(record) EVENT("extension", record)
#define TEXT_LINE(inside) EXTENSION("\"" inside "\"")
#define LOGGER "kinesis-telemetry-api-extension"
#define SANDBOX "0123456789abcdef0123456789abcdef"
#define WHEN "2026-11-20T10:00:00.905Z"

/* A name and a text value, and the same within a text. */
#define M(name, value) "\"" name "\":\"" value "\""
#define T(name, value) "\\\"" name "\\\":\\\"" value "\\\""
#define LOG_OBJECT                                                                                 \
    "{" M("time", WHEN) "," M("level", "warn") "," M("logger", LOGGER) "," M("message", "m") "}"
#define LOG_TEXT                                                                                   \
    "{" T("time", WHEN) "," T("level", "warn") "," T("logger", LOGGER) "," T("message", "m") "}"

static const struct {
    const char *name, *event;
    enum own_line want;
} lines[] = {
    {"log line", EXTENSION(LOG_OBJECT), OWN_LINE_IF_WRITTEN},
    {"log line as text", TEXT_LINE(LOG_TEXT), OWN_LINE_IF_WRITTEN},
    {"log line as text, with its newline", TEXT_LINE(LOG_TEXT "\\n"), OWN_LINE_IF_WRITTEN},
    {"log line in another order", EXTENSION("{ " M("logger", LOGGER) " , " M("time", WHEN) " }"),
     OWN_LINE_IF_WRITTEN},
    {"dead letter", EXTENSION("{" M("sandbox", SANDBOX) "," M("Data", "x") "}"), OWN_LINE_NOT},
    {"dead letter as text", TEXT_LINE("{" T("sandbox", SANDBOX) "," T("Data", "x") "}"),
     OWN_LINE_NOT},
    {"dead letter as text, cut", TEXT_LINE("{" T("sandbox", SANDBOX) "," T("Data", "x")),
     OWN_LINE_NOT},
    {"metrics", EXTENSION("{\"_aws\":{}," M("sandbox", SANDBOX) "," M("logger", LOGGER) "}"),
     OWN_LINE_YES},
    {"metrics as text",
     TEXT_LINE("{\\\"_aws\\\":{}," T("sandbox", SANDBOX) "," T("logger", LOGGER) "}"),
     OWN_LINE_YES},

    {"of a function", EVENT("function", LOG_OBJECT), OWN_LINE_NOT},
    {"of the platform", EVENT("platform.x", LOG_OBJECT), OWN_LINE_NOT},
    {"no moment", EXTENSION("{" M("logger", LOGGER) "}"), OWN_LINE_NOT},
    {"another logger", EXTENSION("{" M("time", WHEN) "," M("logger", "other") "}"), OWN_LINE_NOT},
    {"a longer one", EXTENSION("{" M("time", WHEN) "," M("logger", LOGGER "s") "}"), OWN_LINE_NOT},
    {"within a member", EXTENSION("{" M("time", WHEN) ",\"got\":" LOG_OBJECT "}"), OWN_LINE_NOT},
    {"quoted", EXTENSION("{" M("time", WHEN) "," M("message", LOG_TEXT) "}"), OWN_LINE_NOT},
    {"last of two loggers",
     EXTENSION("{" M("time", WHEN) "," M("logger", LOGGER) "," M("logger", "x") "}"), OWN_LINE_NOT},
    {"no text", EXTENSION("{\"time\":1," M("logger", LOGGER) "}"), OWN_LINE_NOT},
    {"another sandbox", EXTENSION("{" M("sandbox", "0123") "," M("Data", "x") "}"), OWN_LINE_NOT},
    {"an entry of PutRecords", EXTENSION("{" M("Data", "x") "," M("PartitionKey", "k") "}"),
     OWN_LINE_NOT},
    {"array", EXTENSION("[" M("sandbox", SANDBOX) "]"), OWN_LINE_NOT},
    {"broken", EXTENSION("{\"sandbox\"}"), OWN_LINE_NOT},
    {"number", EXTENSION("1"), OWN_LINE_NOT},
    {"null", EXTENSION("null"), OWN_LINE_NOT},

    {"text that quotes one", TEXT_LINE("got " LOG_TEXT), OWN_LINE_NOT},
    {"text that has one in a member", TEXT_LINE("{\\\"got\\\":" LOG_TEXT "}"), OWN_LINE_NOT},
    {"text with the name alone", TEXT_LINE(LOGGER " started"), OWN_LINE_NOT},
    {"text of another logger",
     TEXT_LINE("{" T("time", WHEN) "," T("level", "warn") "," T("logger", "x") "}"), OWN_LINE_NOT},
    {"text of a longer logger",
     TEXT_LINE("{" T("time", WHEN) "," T("level", "warn") "," T("logger", LOGGER "s") "}"),
     OWN_LINE_NOT},
    {"text without a moment", TEXT_LINE("{" T("level", "warn") "," T("logger", LOGGER) "}"),
     OWN_LINE_NOT},
    {"text with a short moment", TEXT_LINE("{" T("time", "2026") "}"), OWN_LINE_NOT},
    {"text of another level",
     TEXT_LINE("{" T("time", WHEN) "," T("level", "W4") "," T("logger", LOGGER) "}"), OWN_LINE_NOT},
    {"text of another sandbox", TEXT_LINE("{" T("sandbox", "0123") "}"), OWN_LINE_NOT},
    {"text with the sandbox elsewhere", TEXT_LINE("{" T("a", "b") "," T("sandbox", SANDBOX) "}"),
     OWN_LINE_NOT},
    {"text of others' metrics", TEXT_LINE("{\\\"_aws\\\":{}}"), OWN_LINE_NOT},
    {"text empty", TEXT_LINE(""), OWN_LINE_NOT},
};

static void
rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(lines); i++) {
        struct event e;
        struct span time = {NULL, 0};

        seed("event", span_of(lines[i].event));
        CHECK_INT(lines[i].name, event_read(guard_copy(span_of(lines[i].event)), NULL, &e), 0);
        CHECK_INT(lines[i].name, own_line(&e, SPAN(LOGGER), SPAN(SANDBOX), &time), lines[i].want);
        if (lines[i].want == OWN_LINE_IF_WRITTEN)
            CHECK_SPAN(lines[i].name, time, SPAN(WHEN));
        CHECK_INT(lines[i].name, own_line(&e, SPAN("nobody"), SPAN("nowhere"), &time),
                  OWN_LINE_NOT);
    }
}

/* Texts that end early, at an unreadable page. */
static void
cut(void **state)
{
    static const char *const texts[] = {LOG_TEXT, "{" T("sandbox", SANDBOX) "}",
                                        "{\\\"_aws\\\":{}," T("sandbox", SANDBOX)};

    (void)state;
    for (size_t i = 0; i < LEN(texts); i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            char record[512];
            struct event e = {.type = EVENT_EXTENSION};
            struct span time;

            snprintf(record, sizeof record, "\"%.*s\"", (int)len, texts[i]);
            e.record = guard_copy(span_of(record));
            (void)own_line(&e, SPAN(LOGGER), SPAN(SANDBOX), &time);
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(cut),
    };

    return RUN(argc, argv, tests);
}
