#include "protocol/event.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "seed.h"

#include <stdio.h>

#define ID "459921b5-681c-4a96-beb0-81e0aa586026"
#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789-ABCDE"
#define TIME "{\"time\":\"2026-11-20T10:00:00.910Z\",\"type\":"
#define PLATFORM(kind, record) TIME "\"platform." kind "\",\"record\":" record "}"
#define FUNCTION(record) TIME "\"function\",\"record\":" record "}"
#define EXTENSION(record) TIME "\"extension\",\"record\":" record "}"

static const struct {
    const char *name, *text;
    enum event_type type;
    enum event_kind kind;
    const char *record, *request_id;
} events[] = {
    {"start", PLATFORM("start", "{\"requestId\":\"" ID "\",\"version\":\"$LATEST\"}"),
     EVENT_PLATFORM, EVENT_START, "{\"requestId\":\"" ID "\",\"version\":\"$LATEST\"}", ID},
    {"runtime done", PLATFORM("runtimeDone", "{\"requestId\":\"" ID "\",\"status\":\"success\"}"),
     EVENT_PLATFORM, EVENT_RUNTIME_DONE, "{\"requestId\":\"" ID "\",\"status\":\"success\"}", ID},
    {"logs dropped", PLATFORM("logsDropped", "{\"reason\":\"slow\"}"), EVENT_PLATFORM,
     EVENT_LOGS_DROPPED, "{\"reason\":\"slow\"}", ""},
    {"report", PLATFORM("report", "{\"requestId\":\"1\",\"metrics\":{\"durationMs\":1.148}}"),
     EVENT_PLATFORM, EVENT_REPORT, "{\"requestId\":\"1\",\"metrics\":{\"durationMs\":1.148}}", "1"},
    {"init done", PLATFORM("initRuntimeDone", "{}"), EVENT_PLATFORM, EVENT_INIT_DONE, "{}", ""},
    {"restore start", PLATFORM("restoreStart", "{}"), EVENT_PLATFORM, EVENT_RESTORE_START, "{}",
     ""},
    {"init start", PLATFORM("initStart", "{}"), EVENT_PLATFORM, EVENT_INIT_START, "{}", ""},
    /* all 14 types of schema 2025-01-29: those above, and these */
    {"init report", PLATFORM("initReport", "{\"metrics\":{\"durationMs\":125.33}}"), EVENT_PLATFORM,
     EVENT_INIT_REPORT, "{\"metrics\":{\"durationMs\":125.33}}", ""},
    {"restore done", PLATFORM("restoreRuntimeDone", "{\"status\":\"success\"}"), EVENT_PLATFORM,
     EVENT_RESTORE_DONE, "{\"status\":\"success\"}", ""},
    {"restore report", PLATFORM("restoreReport", "{\"status\":\"success\"}"), EVENT_PLATFORM,
     EVENT_RESTORE_REPORT, "{\"status\":\"success\"}", ""},
    {"state of an extension", PLATFORM("extension", "{\"name\":\"x\"}"), EVENT_PLATFORM,
     EVENT_STATE, "{\"name\":\"x\"}", ""},
    {"subscription", PLATFORM("telemetrySubscription", "{\"name\":\"x\"}"), EVENT_PLATFORM,
     EVENT_SUBSCRIBED, "{\"name\":\"x\"}", ""},
    /* those of Web Functions mean nothing here, whatever their names begin with */
    {"invoke start", PLATFORM("invokeStart", "{\"requestId\":\"" ID "\"}"), EVENT_PLATFORM,
     EVENT_OTHER, "{\"requestId\":\"" ID "\"}", ID},
    {"request complete", PLATFORM("requestComplete", "{\"requestId\":\"1\"}"), EVENT_PLATFORM,
     EVENT_OTHER, "{\"requestId\":\"1\"}", "1"},
    {"invoke summary", PLATFORM("invokeSummary", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"invoke report", PLATFORM("invokeReport", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"spin down start", PLATFORM("spinDownStart", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"spin down report", PLATFORM("spinDownReport", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"kind unknown", PLATFORM("brandNew", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"kind longer", PLATFORM("startX", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"kind in other case", PLATFORM("Start", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"kind empty", PLATFORM("", "{}"), EVENT_PLATFORM, EVENT_OTHER, "{}", ""},
    {"platform, record no object", PLATFORM("runtimeDone", "\"x\""), EVENT_PLATFORM,
     EVENT_RUNTIME_DONE, "\"x\"", ""},

    {"text line", FUNCTION("\"a\\tb\\n\""), EVENT_FUNCTION, EVENT_OTHER, "\"a\\tb\\n\"", ""},
    {"text with an id", FUNCTION("\"requestId: " ID "\""), EVENT_FUNCTION, EVENT_OTHER,
     "\"requestId: " ID "\"", ""},
    {"object", FUNCTION("{\"level\":\"INFO\",\"requestId\":\"" ID "\",\"message\":\"m\"}"),
     EVENT_FUNCTION, EVENT_OTHER, "{\"level\":\"INFO\",\"requestId\":\"" ID "\",\"message\":\"m\"}",
     ID},
    {"array", FUNCTION("[1,{\"requestId\":\"a\"}]"), EVENT_FUNCTION, EVENT_OTHER,
     "[1,{\"requestId\":\"a\"}]", ""},
    {"number", FUNCTION("-1.5e3"), EVENT_FUNCTION, EVENT_OTHER, "-1.5e3", ""},
    {"true", FUNCTION("true"), EVENT_FUNCTION, EVENT_OTHER, "true", ""},
    {"false", FUNCTION("false"), EVENT_FUNCTION, EVENT_OTHER, "false", ""},
    {"null", FUNCTION("null"), EVENT_FUNCTION, EVENT_OTHER, "null", ""},
    {"extension", EXTENSION("\"x\""), EVENT_EXTENSION, EVENT_OTHER, "\"x\"", ""},

    {"shortest", "{\"type\":\"function\",\"record\":1}", EVENT_FUNCTION, EVENT_OTHER, "1", ""},
    {"other order", "{\"record\":{},\"type\":\"platform.start\"}", EVENT_PLATFORM, EVENT_START,
     "{}", ""},
    {"white space", "{ \"type\" :\t\"function\" ,\r\n \"record\" : \"x\" }", EVENT_FUNCTION,
     EVENT_OTHER, "\"x\"", ""},
    {"members unknown",
     "{\"a\":{\"type\":\"x\",\"record\":2},\"type\":\"function\",\"b\":[\"record\"],\"record\":1,"
     "\"c\":null}",
     EVENT_FUNCTION, EVENT_OTHER, "1", ""},
    {"last of two types", "{\"type\":\"x\",\"type\":\"extension\",\"record\":1}", EVENT_EXTENSION,
     EVENT_OTHER, "1", ""},
    {"kind of the last of two types",
     "{\"type\":\"platform.start\",\"type\":\"function\",\"record\":1}", EVENT_FUNCTION,
     EVENT_OTHER, "1", ""},
    {"last of two records", "{\"type\":\"function\",\"record\":1,\"record\":\"2\"}", EVENT_FUNCTION,
     EVENT_OTHER, "\"2\"", ""},
    {"beyond ASCII", FUNCTION("\"\xc3\xa4\xf0\x9f\x98\x80\""), EVENT_FUNCTION, EVENT_OTHER,
     "\"\xc3\xa4\xf0\x9f\x98\x80\"", ""},
    {"no UTF-8", FUNCTION("\"\xff\xc3\""), EVENT_FUNCTION, EVENT_OTHER, "\"\xff\xc3\"", ""},
    /* what is stepped over is not judged */
    {"record broken", FUNCTION("{\"requestId\":\"a\",,}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"a\",,}", "a"},

    {"id of Java", FUNCTION("{\"AWSRequestId\":\"" ID "\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"AWSRequestId\":\"" ID "\"}", ID},
    {"both ids", FUNCTION("{\"AWSRequestId\":\"a\",\"requestId\":\"b\"}"), EVENT_FUNCTION,
     EVENT_OTHER, "{\"AWSRequestId\":\"a\",\"requestId\":\"b\"}", "b"},
    {"both ids, other order", FUNCTION("{\"requestId\":\"b\",\"AWSRequestId\":\"a\"}"),
     EVENT_FUNCTION, EVENT_OTHER, "{\"requestId\":\"b\",\"AWSRequestId\":\"a\"}", "a"},
    {"id in other case", FUNCTION("{\"RequestId\":\"a\",\"requestid\":\"b\"}"), EVENT_FUNCTION,
     EVENT_OTHER, "{\"RequestId\":\"a\",\"requestid\":\"b\"}", ""},
    {"id in a member", FUNCTION("{\"a\":{\"requestId\":\"a\"}}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"a\":{\"requestId\":\"a\"}}", ""},
    {"id of 64", FUNCTION("{\"requestId\":\"" SIXTY_FOUR "\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"" SIXTY_FOUR "\"}", SIXTY_FOUR},
    {"id of 65", FUNCTION("{\"requestId\":\"" SIXTY_FOUR "0\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"" SIXTY_FOUR "0\"}", ""},
    {"id empty", FUNCTION("{\"requestId\":\"\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"\"}", ""},
    {"id with a blank", FUNCTION("{\"requestId\":\"a b\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"a b\"}", ""},
    {"id with an escape", FUNCTION("{\"requestId\":\"a\\u0062\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"a\\u0062\"}", ""},
    {"id with a quote", FUNCTION("{\"requestId\":\"a\\\"b\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"a\\\"b\"}", ""},
    {"id with a slash", FUNCTION("{\"requestId\":\"a/b\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"a/b\"}", ""},
    {"id beyond ASCII", FUNCTION("{\"requestId\":\"\xc3\xa4\"}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":\"\xc3\xa4\"}", ""},
    {"id a number", FUNCTION("{\"requestId\":12}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":12}", ""},
    {"id null", FUNCTION("{\"requestId\":null}"), EVENT_FUNCTION, EVENT_OTHER,
     "{\"requestId\":null}", ""},
    {"id null behind another", FUNCTION("{\"AWSRequestId\":\"a\",\"requestId\":null}"),
     EVENT_FUNCTION, EVENT_OTHER, "{\"AWSRequestId\":\"a\",\"requestId\":null}", ""},
};

static void
check_span(const char *name, struct span got, struct span want)
{
    CHECK(name, got.p == want.p && got.len == want.len);
}

/* With the marks of its strings it reads the same. */
static void
check_marked(const char *name, struct span text, const struct event *want)
{
    struct json_marks marks = {0};
    struct json_scan scan = {.marks = &marks};
    struct event e;

    if (json_scan_container(&scan, text.p, text.p + text.len) != text.p + text.len)
        return;
    CHECK_INT(name, event_read(text, &marks, &e), 0);
    check_span(name, e.record, want->record);
    check_span(name, e.message, want->message);
    check_span(name, e.time, want->time);
    check_span(name, e.request_id, want->request_id);
    CHECK(name, e.type == want->type && e.kind == want->kind);
    CHECK(name, e.dropped_records == want->dropped_records);
    CHECK(name, e.dropped_bytes == want->dropped_bytes);
}

/* Whole, then cut short at each byte, which makes no event of it. */
static void
read_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct span text = guard_copy(span_of(events[i].text));
        struct event e;

        seed("event", text);
        memset(&e, 0xff, sizeof e);
        CHECK_INT(events[i].name, event_read(text, NULL, &e), 0);
        check_marked(events[i].name, text, &e);
        CHECK_INT(events[i].name, e.type, events[i].type);
        CHECK_INT(events[i].name, e.kind, events[i].kind);
        CHECK(events[i].name, e.text.p == text.p && e.text.len == text.len);
        CHECK_SPAN(events[i].name, e.record, span_of(events[i].record));
        CHECK_SPAN(events[i].name, e.request_id, span_of(events[i].request_id));
        CHECK_INT(events[i].name, e.dropped_records, 0);
        CHECK_INT(events[i].name, e.dropped_bytes, 0);
        for (size_t n = 0; n < text.len; n++)
            CHECK_INT(events[i].name,
                      event_read(guard_copy((struct span){events[i].text, n}), NULL, &e), ERR_BAD);
    }
}

static const struct {
    const char *name, *text, *want;
} times[] = {
    {"time", "{\"time\":\"2026-11-20T12:00:00.123Z\",\"type\":\"function\",\"record\":1}",
     "2026-11-20T12:00:00.123Z"},
    {"none", "{\"type\":\"function\",\"record\":1}", ""},
    {"no string", "{\"time\":12,\"type\":\"function\",\"record\":1}", ""},
    {"of the record", "{\"type\":\"function\",\"record\":{\"time\":\"x\"}}", ""},
    {"last of two", "{\"time\":\"a\",\"type\":\"function\",\"time\":\"b\",\"record\":1}", "b"},
};

static void
time_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(times); i++) {
        struct event e;

        CHECK_INT(times[i].name, event_read(guard_copy(span_of(times[i].text)), NULL, &e), 0);
        check_marked(times[i].name, e.text, &e);
        CHECK_SPAN(times[i].name, e.time, span_of(times[i].want));
    }
}

static const struct {
    const char *name, *text;
} bad[] = {
    {"nothing", ""},
    {"empty object", "{}"},
    {"no type", "{\"record\":1}"},
    {"no record", "{\"type\":\"function\"}"},
    {"type unknown", "{\"type\":\"functions\",\"record\":1}"},
    {"type without kind", "{\"type\":\"platform\",\"record\":{}}"},
    {"type in other case", "{\"type\":\"Function\",\"record\":1}"},
    {"type empty", "{\"type\":\"\",\"record\":1}"},
    {"type with an escape", "{\"type\":\"\\u0066unction\",\"record\":1}"},
    {"type a word", "{\"type\":true,\"record\":1}"},
    {"type an object", "{\"type\":{\"function\":1},\"record\":1}"},
    {"last of two types unknown", "{\"type\":\"function\",\"type\":\"x\",\"record\":1}"},
    {"in a member", "{\"a\":{\"type\":\"function\",\"record\":1}}"},
    {"record left out", "{\"type\":\"function\",\"record\":}"},
    {"record a word", "{\"type\":\"function\",\"record\":nil}"},
    {"comma at the end", "{\"type\":\"function\",\"record\":1,}"},
    {"comma left out", "{\"type\":\"function\" \"record\":1}"},
    {"wrong bracket", "{\"type\":\"function\",\"record\":1]"},
    {"something before it", " {\"type\":\"function\",\"record\":1}"},
    {"something behind it", "{\"type\":\"function\",\"record\":1}x"},
    {"white space behind it", "{\"type\":\"function\",\"record\":1}\n"},
    {"array", "[\"type\",\"function\",\"record\",1]"},
    {"text", "\"{\\\"type\\\":\\\"function\\\",\\\"record\\\":1}\""},
    {"number", "1"},
    {"garbage", "\xff\xfe"},
};

static void
read_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(bad); i++) {
        struct event e;

        seed("event", span_of(bad[i].text));
        CHECK_INT(bad[i].name, event_read(guard_copy(span_of(bad[i].text)), NULL, &e), ERR_BAD);
    }
}

static const struct {
    const char *text;
    uint64_t records, bytes;
} dropped[] = {
    {PLATFORM("logsDropped", "{\"reason\":\"r\",\"droppedRecords\":123,\"droppedBytes\":12345}"),
     123, 12345},
    {PLATFORM("logsDropped", "{\"droppedBytes\":1,\"droppedRecords\":0}"), 0, 1},
    {PLATFORM("logsDropped", "{\"droppedRecords\":9223372036854775807}"), INT64_MAX, 0},
    {PLATFORM("logsDropped", "{\"droppedRecords\":9223372036854775808,\"droppedBytes\":2}"), 0, 2},
    {PLATFORM("logsDropped", "{\"droppedRecords\":-1,\"droppedBytes\":1.5}"), 0, 0},
    {PLATFORM("logsDropped", "{\"droppedRecords\":\"1\",\"droppedBytes\":null}"), 0, 0},
    {PLATFORM("logsDropped", "{\"a\":{\"droppedRecords\":1,\"droppedBytes\":1}}"), 0, 0},
    {PLATFORM("logsDropped", "\"droppedRecords: 1\""), 0, 0},
    {PLATFORM("report", "{\"droppedRecords\":1,\"droppedBytes\":1}"), 0, 0},
    {PLATFORM("runtimeDone", "{\"droppedRecords\":1,\"droppedBytes\":1}"), 0, 0},
    {FUNCTION("{\"droppedRecords\":1,\"droppedBytes\":1}"), 0, 0},
};

static void
read_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(dropped); i++) {
        struct event e;

        seed("event", span_of(dropped[i].text));
        CHECK_INT(dropped[i].text, event_read(guard_copy(span_of(dropped[i].text)), NULL, &e), 0);
        check_marked(dropped[i].text, e.text, &e);
        CHECK_INT(dropped[i].text, e.dropped_records, dropped[i].records);
        CHECK_INT(dropped[i].text, e.dropped_bytes, dropped[i].bytes);
    }
}

/* Into every room from none to just enough, then into the room that event_size wants. */
static void
check_write(const char *name, enum event_format format, const struct event *e,
            const struct event_origin *origin, struct span want)
{
    size_t size = event_size(format, e, origin);

    CHECK(name, size >= want.len);
    for (size_t cap = 0; cap <= want.len; cap++) {
        struct out o = out_to(guard_buffer(cap), cap);

        CHECK_INT(name, event_write(&o, format, e, origin), cap < want.len ? ERR_FULL : 0);
        CHECK(name, span_starts(want, out_span(&o)));
        if (cap == want.len)
            CHECK_SPAN(name, out_span(&o), want);
    }
}

/* want: what is sent; NULL for the whole event. */
static const struct {
    const char *name, *text, *want;
} messages[] = {
    {"text", FUNCTION("\"hello\""), "\"hello\""},
    {"text empty", FUNCTION("\"\""), "\"\""},
    {"newline", FUNCTION("\"hello\\n\""), "\"hello\""},
    {"newline alone", FUNCTION("\"\\n\""), "\"\""},
    {"two newlines", FUNCTION("\"hello\\n\\n\""), "\"hello\\n\""},
    {"two newlines alone", FUNCTION("\"\\n\\n\""), "\"\\n\""},
    {"newline within", FUNCTION("\"a\\nb\""), "\"a\\nb\""},
    {"carriage return and newline", FUNCTION("\"a\\r\\n\""), "\"a\\r\""},
    {"backslash and n", FUNCTION("\"a\\\\n\""), "\"a\\\\n\""},
    {"backslash and n alone", FUNCTION("\"\\\\n\""), "\"\\\\n\""},
    {"backslash and newline", FUNCTION("\"a\\\\\\n\""), "\"a\\\\\""},
    {"backslash and newline alone", FUNCTION("\"\\\\\\n\""), "\"\\\\\""},
    {"two backslashes and n", FUNCTION("\"\\\\\\\\n\""), "\"\\\\\\\\n\""},
    {"n", FUNCTION("\"n\""), "\"n\""},
    {"ends in n", FUNCTION("\"ann\""), "\"ann\""},
    {"backslash", FUNCTION("\"\\\\\""), "\"\\\\\""},
    /* known: nobody writes a newline so */
    {"newline by its number", FUNCTION("\"a\\u000a\""), "\"a\\u000a\""},
    {"text of an extension", EXTENSION("\"x\\n\""), "\"x\""},

    {"message", FUNCTION("{\"level\":\"INFO\",\"message\":\"hello\"}"), "\"hello\""},
    {"message keeps its newline", FUNCTION("{\"message\":\"hello\\n\"}"), "\"hello\\n\""},
    {"message empty", FUNCTION("{\"message\":\"\"}"), "\"\""},
    {"message an object", FUNCTION("{\"message\":{\"a\":[1, 2]}}"), "{\"a\":[1, 2]}"},
    {"message an array", FUNCTION("{\"message\":[]}"), "[]"},
    {"message a number", FUNCTION("{\"message\":0}"), "0"},
    {"message false", FUNCTION("{\"message\":false}"), "false"},
    {"message with white space", FUNCTION("{ \"message\" : \"a\" }"), "\"a\""},
    {"message of an extension", EXTENSION("{\"message\":\"a\"}"), "\"a\""},
    {"message null", FUNCTION("{\"a\":1,\"message\":null}"), "{\"a\":1,\"message\":null}"},
    {"message absent", FUNCTION("{\"a\":\"b\\n\"}"), "{\"a\":\"b\\n\"}"},
    {"message in other case", FUNCTION("{\"Message\":\"a\"}"), "{\"Message\":\"a\"}"},
    {"message in a member", FUNCTION("{\"a\":{\"message\":\"b\"}}"), "{\"a\":{\"message\":\"b\"}}"},
    {"message as a value", FUNCTION("{\"a\":\"message\"}"), "{\"a\":\"message\"}"},
    {"last of two messages", FUNCTION("{\"message\":\"a\",\"message\":\"b\"}"), "\"b\""},
    {"last of two messages null", FUNCTION("{\"message\":\"a\",\"message\":null}"),
     "{\"message\":\"a\",\"message\":null}"},
    {"empty object", FUNCTION("{}"), "{}"},
    {"array", FUNCTION("[\"message\",\"a\\n\"]"), "[\"message\",\"a\\n\"]"},
    {"number", FUNCTION("12.5"), "12.5"},
    {"true", FUNCTION("true"), "true"},
    {"null", FUNCTION("null"), "null"},
    {"no UTF-8", FUNCTION("\"\xff\\n\""), "\"\xff\""},

    {"platform", PLATFORM("start", "{\"requestId\":\"a\"}"), NULL},
    {"platform with a message", PLATFORM("x", "{\"message\":\"a\"}"), NULL},
    {"platform, text", PLATFORM("fault", "\"RequestId: 1 Process exited\\n\""), NULL},
};

/* event_message gives the same, but for the newline, which is event_write's. */
static void
message_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(messages); i++) {
        const char *want = messages[i].want == NULL ? messages[i].text : messages[i].want;
        struct event e;
        struct span message;

        seed("event", span_of(messages[i].text));
        CHECK_INT(messages[i].name, event_read(guard_copy(span_of(messages[i].text)), NULL, &e), 0);
        check_marked(messages[i].name, e.text, &e);
        check_write(messages[i].name, EVENT_MESSAGE, &e, NULL, span_of(want));
        message = event_message(&e);
        CHECK(messages[i].name, message.p >= e.text.p &&
                                    message.p + message.len <= e.text.p + e.text.len &&
                                    message.len >= strlen(want));
        if (message.p != e.record.p || message.len == strlen(want))
            CHECK_SPAN(messages[i].name, message, span_of(want));
        else
            CHECK_SPAN(messages[i].name, message, e.record);
    }
}

static void
verbatim_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct event e;

        CHECK_INT(events[i].name, event_read(guard_copy(span_of(events[i].text)), NULL, &e), 0);
        check_write(events[i].name, EVENT_VERBATIM, &e, NULL, span_of(events[i].text));
    }
}

#define FULL_ORIGIN                                                                                \
    {                                                                                              \
        .function_name = TEXT("orders"), .function_version = TEXT("$LATEST"),                      \
        .account_id = TEXT("123456789012"), .region = TEXT("us-east-1"), .sandbox = TEXT("0f3a"),  \
        .request_id = TEXT(ID), .sequence = 42, .cold_start = true                                 \
    }

static const struct {
    const char *name, *text;
    struct event_origin origin;
    const char *want;
} enriched[] = {
    {"all members", "{\"type\":\"function\",\"record\":\"a\\n\"}", FULL_ORIGIN,
     "{\"type\":\"function\",\"record\":\"a\\n\",\"functionName\":\"orders\","
     "\"functionVersion\":\"$LATEST\",\"accountId\":\"123456789012\",\"region\":\"us-east-1\","
     "\"sandbox\":\"0f3a\",\"seq\":42,\"requestId\":\"" ID "\",\"coldStart\":true}"},
    {"the record's own id wins", "{\"type\":\"function\",\"record\":{\"requestId\":\"own\"}}",
     FULL_ORIGIN,
     "{\"type\":\"function\",\"record\":{\"requestId\":\"own\"},\"functionName\":\"orders\","
     "\"functionVersion\":\"$LATEST\",\"accountId\":\"123456789012\",\"region\":\"us-east-1\","
     "\"sandbox\":\"0f3a\",\"seq\":42,\"requestId\":\"own\",\"coldStart\":true}"},
    {"an odd id is none",
     "{\"type\":\"function\",\"record\":{\"requestId\":\"o\\\"n\"}}",
     {.request_id = TEXT("1")},
     "{\"type\":\"function\",\"record\":{\"requestId\":\"o\\\"n\"},\"seq\":0,"
     "\"requestId\":\"1\",\"coldStart\":false}"},
    {"nothing known",
     "{\"type\":\"platform.start\",\"record\":{}}",
     {.sequence = 0},
     "{\"type\":\"platform.start\",\"record\":{},\"seq\":0,\"coldStart\":false}"},
    {"greatest number",
     "{\"type\":\"extension\",\"record\":null}",
     {.sequence = UINT64_MAX},
     "{\"type\":\"extension\",\"record\":null,\"seq\":18446744073709551615,\"coldStart\":false}"},
    {"what is known of the event",
     "{\"type\":\"function\",\"record\":1}",
     {.trace_id = TEXT("1-5759e988-bd862e3fe1be46a994272793"),
      .tenant_id = TEXT("bl\"ue"),
      .level = TEXT("WARN")},
     "{\"type\":\"function\",\"record\":1,\"seq\":0,\"traceId\":"
     "\"1-5759e988-bd862e3fe1be46a994272793\",\"tenantId\":\"bl\\\"ue\",\"level\":\"WARN\","
     "\"coldStart\":false}"},
    {"escapes",
     "{\"type\":\"function\",\"record\":1 }",
     {.function_name = TEXT("a\"b\\\n\x01"), .sandbox = TEXT("\xc3\xa4")},
     "{\"type\":\"function\",\"record\":1 ,\"functionName\":\"a\\\"b\\\\\\n\\u0001\","
     "\"sandbox\":\"\xc3\xa4\",\"seq\":0,\"coldStart\":false}"},
};

static void
enriched_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(enriched); i++) {
        struct event e;

        seed("event", span_of(enriched[i].text));
        CHECK_INT(enriched[i].name, event_read(guard_copy(span_of(enriched[i].text)), NULL, &e), 0);
        check_write(enriched[i].name, EVENT_ENRICHED, &e, &enriched[i].origin,
                    span_of(enriched[i].want));
    }
}

static struct span
any_text(char *text, size_t cap)
{
    size_t len = dice(4) == 0 ? cap : dice((uint32_t)cap + 1);
    bool escapes = dice(2) == 0;

    for (size_t i = 0; i < len; i++)
        text[i] = (char)(escapes ? dice(32) : dice(256));
    return (struct span){text, len};
}

/* A record of random pieces, not always JSON all the way down. */
static void
any_record(struct out *o)
{
    static const char *const pieces[] = {
        "\"\"",
        "\"a\\n\"",
        "\"\\\\n\"",
        "{}",
        "[]",
        "null",
        "-0.5",
        "{\"message\":\"m\\n\"}",
        "{\"message\":null,\"requestId\":\"0123456789abcdef0123456789abcdef\"}",
        "{\"AWSRequestId\":\"0-1-2\",\"message\":{\"a\":1}}",
        "{\"requestId\":\"x y\"}",
        "{\"logger\":\"l\"}",
    };

    if (dice(2) == 0) {
        char text[64];

        out_byte(o, '"');
        out_json(o, any_text(text, sizeof text));
        out_put(o, dice(2) == 0 ? SPAN("\\n\"") : SPAN("\""));
    } else {
        out_put(o, span_of(pieces[dice(LEN(pieces))]));
    }
}

/* The bound holds for whatever is written, down to the last byte of the room. */
static void
size_is_a_bound(void **state)
{
    enum { ORIGINS = 9 };
    static const char *const types[] = {"function", "extension", "platform.start",
                                        "platform.logsDropped"};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[1024], origin_text[ORIGINS][40];
        struct out o = out_to(text, sizeof text);
        enum event_format format = (enum event_format)dice(3);
        struct event_origin origin = {.sequence = dice(2) == 0 ? UINT64_MAX : dice(1000),
                                      .cold_start = dice(2) == 0};
        struct span *spans[ORIGINS] = {
            &origin.function_name, &origin.function_version, &origin.account_id,
            &origin.region,        &origin.sandbox,          &origin.request_id,
            &origin.trace_id,      &origin.tenant_id,        &origin.level};
        struct event e;
        size_t size;

        for (size_t i = 0; i < ORIGINS; i++)
            *spans[i] = any_text(origin_text[i], sizeof origin_text[i]);
        out_put(&o, SPAN("{\"type\":\""));
        out_put(&o, span_of(types[dice(LEN(types))]));
        out_put(&o, SPAN("\",\"record\":"));
        any_record(&o);
        out_byte(&o, '}');
        assert_int_equal(out_end(&o), 0);
        CHECK_INT("event", event_read(guard_copy(out_span(&o)), NULL, &e), 0);
        size = event_size(format, &e, &origin);
        o = out_to(guard_buffer(size), size);
        CHECK_INT("write", event_write(&o, format, &e, &origin), 0);
        CHECK("write", o.len > 0 && o.len <= size);
    }
}

/* Nothing but what takes six bytes each, and the longest number. */
static void
size_at_worst(void **state)
{
    static char controls[300];
    static const struct span all = {controls, sizeof controls};
    struct event_origin origin = {all,        all,   all, all, all, all,
                                  UINT64_MAX, false, all, all, all, false};
    struct event e;
    size_t size;
    struct out o;

    (void)state;
    memset(controls, 1, sizeof controls);
    CHECK_INT("event", event_read(SPAN("{\"type\":\"function\",\"record\":1}"), NULL, &e), 0);
    size = event_size(EVENT_ENRICHED, &e, &origin);
    o = out_to(guard_buffer(size), size);
    CHECK_INT("write", event_write(&o, EVENT_ENRICHED, &e, &origin), 0);
    CHECK("write", o.len > sizeof controls * 6 * 9);
}

/* The first member that may tell a level. */
static void
level(void **state)
{
    static const struct {
        const char *record, *want;
    } rows[] = {
        {"\"level\"", ""},
        {"{}", ""},
        {"{\"level\":\"INFO\"}", "\"INFO\""},
        {"{\"a\":1,\"severity\":30,\"level\":\"x\"}", "30"},
        {"{\"log.level\":[1],\"level\":\"x\"}", "[1]"},
        {"{\"Level\":1,\"levels\":2,\"log_level\":3,\"message\":{\"level\":4}}", ""},
        {"{\"level\":1,\"level\":}", "1"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[128];
        struct event e;

        snprintf(text, sizeof text, "{\"type\":\"function\",\"record\":%s}", rows[i].record);
        CHECK_INT(rows[i].record, event_read(span_of(text), NULL, &e), 0);
        CHECK_SPAN(rows[i].record, e.level, span_of(rows[i].want));
    }
}

#define DONE(rest) PLATFORM("runtimeDone", "{\"requestId\":\"" ID "\"" rest "}")

static const struct {
    const char *text;
    bool failed, resets;
} ends[] = {
    {DONE(""), false, false},
    {DONE(",\"status\":\"success\""), false, false},
    {DONE(",\"status\":\"error\""), true, false},
    {DONE(",\"status\":\"failure\""), true, false},
    {DONE(",\"status\":\"timeout\""), true, true},
    {DONE(",\"status\":\"brandNew\""), true, false},
    {DONE(",\"status\":1"), true, false},
    {DONE(",\"status\":\"error\",\"errorType\":\"Function.Unhandled\""), true, false},
    {DONE(",\"status\":\"error\",\"errorType\":\"Runtime.ExitError\""), true, true},
    {DONE(",\"errorType\":\"Runtime.OutOfMemory\",\"status\":\"error\""), true, true},
    {DONE(",\"status\":\"error\",\"errorType\":\"Extension.Crash\""), true, true},
    {DONE(",\"status\":\"failure\",\"errorType\":\"Sandbox.Failure\""), true, true},
    {DONE(",\"status\":\"error\",\"errorType\":\"RuntimeError\""), true, false},
    {DONE(",\"status\":\"success\",\"spans\":[{\"status\":\"timeout\"}]"), false, false},
    {PLATFORM("runtimeDone", "\"timeout\""), false, false},
    {PLATFORM("report", "{\"status\":\"timeout\",\"errorType\":\"Runtime.X\"}"), true, true},
    {PLATFORM("report", "{\"status\":\"success\"}"), false, false},
    {PLATFORM("initRuntimeDone", "{\"status\":\"error\"}"), true, false},
    {PLATFORM("initRuntimeDone", "{\"status\":\"success\"}"), false, false},
    {PLATFORM("initReport", "{\"status\":\"error\"}"), true, false},
    {PLATFORM("restoreReport", "{\"status\":\"error\"}"), true, false},
    {PLATFORM("restoreRuntimeDone", "{\"status\":\"timeout\"}"), true, true},
    {PLATFORM("restoreStart", "{\"status\":\"error\"}"), false, false},
    {PLATFORM("extension", "{\"status\":\"error\"}"), false, false},
    {PLATFORM("start", "{\"status\":\"error\"}"), false, false},
    {FUNCTION("{\"status\":\"timeout\",\"errorType\":\"Runtime.X\"}"), false, false},
};

static void
end(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ends); i++) {
        struct event e;

        assert_int_equal(event_read(span_of(ends[i].text), NULL, &e), 0);
        CHECK_INT(ends[i].text, e.failed, ends[i].failed);
        CHECK_INT(ends[i].text, e.resets, ends[i].resets);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_good),       cmocka_unit_test(time_of),
        cmocka_unit_test(read_bad),        cmocka_unit_test(read_dropped),
        cmocka_unit_test(message_format),  cmocka_unit_test(verbatim_format),
        cmocka_unit_test(enriched_format), cmocka_unit_test(size_is_a_bound),
        cmocka_unit_test(size_at_worst),   cmocka_unit_test(end),
        cmocka_unit_test(level),
    };

    return RUN(argc, argv, tests);
}
