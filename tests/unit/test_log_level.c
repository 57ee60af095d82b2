#include "protocol/log_level.h"

#include "protocol/out.h"

#include "check.h"
#include "guard.h"
#include "json_string.h"
#include "long_line.h"
#include "seed.h"

static const struct {
    const char *name;
    enum line_level want;
} names[] = {
    {"TRACE", LEVEL_TRACE},     {"trace", LEVEL_TRACE},   {"Trace", LEVEL_TRACE},
    {"trce", LEVEL_TRACE},      {"verbose", LEVEL_TRACE}, {"DEBUG", LEVEL_DEBUG},
    {"debug", LEVEL_DEBUG},     {"dbug", LEVEL_DEBUG},    {"FINE", LEVEL_DEBUG},
    {"INFO", LEVEL_INFO},       {"iNFo", LEVEL_INFO},     {"Information", LEVEL_INFO},
    {"notice", LEVEL_INFO},     {"WARN", LEVEL_WARN},     {"warning", LEVEL_WARN},
    {"ERROR", LEVEL_ERROR},     {"err", LEVEL_ERROR},     {"fail", LEVEL_ERROR},
    {"SEVERE", LEVEL_ERROR},    {"FATAL", LEVEL_FATAL},   {"CRITICAL", LEVEL_FATAL},
    {"crit", LEVEL_FATAL},      {"alert", LEVEL_FATAL},   {"emergency", LEVEL_FATAL},
    {"panic", LEVEL_FATAL},

    {"", LEVEL_NONE},           {"|", LEVEL_NONE},        {" ", LEVEL_NONE},
    {"ERRO", LEVEL_NONE},       {"ERRORS", LEVEL_NONE},   {"INFO DEBUG", LEVEL_NONE},
    {"INFO ", LEVEL_NONE},      {"30", LEVEL_NONE},       {"null", LEVEL_NONE},
    {"TRACE TRCE", LEVEL_NONE},
};

static void
named(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(names); i++)
        CHECK_INT(names[i].name, log_level_named(guard_copy(span_of(names[i].name))),
                  names[i].want);
}

static const struct {
    const char *value;
    enum line_level want;
} values[] = {
    {"\"info\"", LEVEL_INFO},   {"\"ERROR\"", LEVEL_ERROR}, {"10", LEVEL_TRACE},
    {"19", LEVEL_TRACE},        {"20", LEVEL_DEBUG},        {"30", LEVEL_INFO},
    {"35", LEVEL_INFO},         {"40", LEVEL_WARN},         {"50", LEVEL_ERROR},
    {"59", LEVEL_ERROR},        {"60", LEVEL_FATAL},        {"99", LEVEL_FATAL},

    {"", LEVEL_NONE},           {"0", LEVEL_NONE},          {"3", LEVEL_NONE},
    {"9", LEVEL_NONE},          {"-5", LEVEL_NONE},         {"100", LEVEL_NONE},
    {"3e1", LEVEL_NONE},        {"30.0", LEVEL_NONE},       {"\"30\"", LEVEL_NONE},
    {"\"\"", LEVEL_NONE},       {"\"3", LEVEL_NONE},        {"null", LEVEL_NONE},
    {"true", LEVEL_NONE},       {"{}", LEVEL_NONE},         {"[]", LEVEL_NONE},
    {"[\"INFO\"]", LEVEL_NONE},
};

static void
valued(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(values); i++)
        CHECK_INT(values[i].value, log_level_value(guard_copy(span_of(values[i].value))),
                  values[i].want);
}

static void
members(void **state)
{
    static const char *const none[] = {"",           "Level",     "levels",  "leve",    "log",
                                       "log.levels", "log_level", "message", "Severity"};

    (void)state;
    assert_true(log_level_member(SPAN("level")));
    assert_true(log_level_member(SPAN("severity")));
    assert_true(log_level_member(SPAN("log.level")));
    for (size_t i = 0; i < LEN(none); i++)
        CHECK(none[i], !log_level_member(guard_copy(span_of(none[i]))));
}

#define ID "459921b5-681c-4a96-beb0-81e0aa586026"
#define TIME "2026-11-20T10:00:00.950Z"

static const struct {
    const char *line;
    enum line_level want;
} lines[] = {
    /* JSON format of Lambda's runtimes */
    {"{\"timestamp\":\"" TIME "\",\"level\":\"INFO\",\"requestId\":\"" ID
     "\",\"message\":\"hello\"}",
     LEVEL_INFO},
    {"{\"timestamp\":\"" TIME "\",\"message\":\"hello\",\"level\":\"WARN\"}", LEVEL_WARN},
    {"{\"timestamp\":\"" TIME "\",\"level\":\"ERROR\",\"message\":{\"level\":\"debug\"}}",
     LEVEL_ERROR},
    {"{\"level\":\"CRITICAL\",\"message\":\"x\",\"logger\":\"root\"}", LEVEL_FATAL},
    {"{\"timestamp\":\"" TIME "\",\"level\":\"Information\",\"message\":\"x\"}", LEVEL_INFO},

    /* loggers */
    {"{\"level\":30,\"time\":1732096800000,\"pid\":8,\"msg\":\"hello\"}", LEVEL_INFO},
    {"{\"name\":\"app\",\"pid\":8,\"level\":50,\"msg\":\"hello\",\"v\":0}", LEVEL_ERROR},
    {"{\"severity\":\"WARNING\",\"message\":\"x\"}", LEVEL_WARN},
    {"{\"log.level\":\"debug\",\"message\":\"x\"}", LEVEL_DEBUG},
    {"{ \"level\" : \"error\" }", LEVEL_ERROR},
    {"{\"level\":null,\"severity\":\"ERROR\"}", LEVEL_ERROR},
    {"{\"level\":3,\"severity\":\"ERROR\"}", LEVEL_ERROR},
    {"{\"level\":\"info\",\"severity\":\"ERROR\"}", LEVEL_INFO},
    {"{\"a\":{\"level\":\"info\"}}", LEVEL_NONE},
    {"{\"msg\":\"[ERROR] x\"}", LEVEL_NONE},
    {"{}", LEVEL_NONE},

    /* within the message */
    {"{\"message\":{\"level\":\"debug\"}}", LEVEL_DEBUG},
    {"{\"message\":\"{\\\"level\\\":\\\"debug\\\"}\"}", LEVEL_DEBUG},
    {"{\"message\":\"{\\\"level\\\":40,\\\"msg\\\":\\\"\\\\n\\\"}\\n\",\"requestId\":\"x\"}",
     LEVEL_WARN},
    {"{\"level\":\"other\",\"message\":{\"severity\":\"ERROR\"}}", LEVEL_ERROR},
    {"{\"message\":\"[ERROR] x\"}", LEVEL_ERROR},
    {"{\"message\":\"" TIME "\\t" ID "\\tWARN\\tx\"}", LEVEL_WARN},
    {"{\"message\":{\"message\":{\"level\":\"info\"}}}", LEVEL_NONE},
    {"{\"message\":{\"message\":\"[ERROR] x\"}}", LEVEL_NONE},
    {"{\"message\":\"a\",\"message\":\"[ERROR] x\"}", LEVEL_ERROR},
    {"{\"message\":12}", LEVEL_NONE},
    {"{\"message\":null}", LEVEL_NONE},
    {"{\"message\":\"\"}", LEVEL_NONE},

    /* Node.js */
    {TIME "\t" ID "\tINFO\thello", LEVEL_INFO},
    {TIME "\t" ID "\tERROR\thello", LEVEL_ERROR},
    {TIME "\t" ID "\tWARN\tINFO", LEVEL_WARN},
    {TIME "\t" ID "\tDEBUG\t", LEVEL_DEBUG},
    {TIME "\t" ID "\tTRACE\tTrace: x\n    at handler", LEVEL_TRACE},
    {TIME "\tundefined\tERROR\tUncaught Exception \t{\"errorType\":\"Error\"}", LEVEL_ERROR},

    /* Python */
    {"[INFO]\t" TIME "\t" ID "\thello", LEVEL_INFO},
    {"[WARNING]\t" TIME "\t" ID "\tERROR", LEVEL_WARN},
    {"[CRITICAL]\t" TIME "\t\thello", LEVEL_FATAL},
    {"[ERROR] ValueError: no\nTraceback (most recent call last):", LEVEL_ERROR},
    {"[ERROR]", LEVEL_ERROR},
    {"[ERR]", LEVEL_ERROR},
    {"[ERROR 400] as in a guide", LEVEL_ERROR},

    /* .NET */
    {TIME "\t" ID "\ttrce\thello", LEVEL_TRACE},
    {TIME "\t" ID "\tdbug\thello", LEVEL_DEBUG},
    {TIME "\t" ID "\tinfo\thello", LEVEL_INFO},
    {TIME "\t" ID "\twarn\thello", LEVEL_WARN},
    {TIME "\t" ID "\tfail\thello", LEVEL_ERROR},
    {TIME "\t" ID "\tcrit\thello", LEVEL_FATAL},
    {TIME "\t\tfail\tbefore there is a request", LEVEL_ERROR},
    {TIME "\t" ID "\tinfo about something", LEVEL_NONE},

    /* Java: the runtime's own, log4j2 and logback by usual patterns */
    {"[INFO] hello", LEVEL_INFO},
    {"[FATAL] hello", LEVEL_FATAL},
    {"2026-11-20 10:00:00 " ID " INFO  Handler - hello", LEVEL_INFO},
    {"2026-11-20 10:00:00 " ID " ERROR Handler - hello", LEVEL_ERROR},
    {"10:00:00.950 [main] WARN  com.example.Handler - hello", LEVEL_WARN},
    {"2026-11-20 10:00:00  DEBUG Handler - hello", LEVEL_DEBUG},

    /* Ruby */
    {"I, [2026-11-20T10:00:00.950123 #8]  INFO " ID " -- : hello", LEVEL_INFO},
    {"E, [2026-11-20T10:00:00.950123 #8] ERROR " ID " -- app: hello", LEVEL_ERROR},
    {"A, [2026-11-20T10:00:00.950123 #8]   ANY " ID " -- app: hello", LEVEL_NONE},

    /* Rust's tracing */
    {TIME "  INFO app: hello", LEVEL_INFO},

    /* none */
    {"", LEVEL_NONE},
    {"hello", LEVEL_NONE},
    {"INFO hello", LEVEL_NONE},
    {"ERROR", LEVEL_NONE},
    {"an ERROR happened here", LEVEL_NONE},
    {"[main] INFO hello", LEVEL_NONE},
    {"[2026] ERROR", LEVEL_NONE},
    {"12 ERROR INFO WARN", LEVEL_NONE},
    {"I, am an ERROR", LEVEL_NONE},
    {TIME " some error happened here", LEVEL_NONE},
    {TIME " one two three four ERROR", LEVEL_ERROR},
    {TIME " one two three four five ERROR", LEVEL_NONE},
    {TIME "\t" ID "\n\tERROR\tbelow", LEVEL_NONE},
    {TIME " ERRORS", LEVEL_NONE},
    {"START RequestId: " ID " Version: $LATEST", LEVEL_NONE},
    {"END RequestId: " ID, LEVEL_NONE},
    {"REPORT RequestId: " ID "\tDuration: 26.73 ms\tStatus: error", LEVEL_NONE},
    {TIME " " ID " Task timed out after 3.00 seconds", LEVEL_NONE},
    {"RequestId: " ID " Error: Runtime exited with error: signal: killed", LEVEL_NONE},
    {"Traceback (most recent call last):", LEVEL_NONE},
    {"    at Runtime.handler (file:///var/task/index.mjs:3:9)", LEVEL_NONE},
    {"[]", LEVEL_NONE},
    {"[[ERROR]]", LEVEL_NONE},
    {"[\"level\",\"ERROR\"]", LEVEL_NONE},
    {"12", LEVEL_NONE},

    /* broken off: what was told before holds */
    {"{\"level\":\"ERROR\",\"message\":\"hel", LEVEL_ERROR},
    {"{\"message\":\"[ERROR] x\",\"x", LEVEL_ERROR},
    {"{\"level\":\"ERR", LEVEL_NONE},
};

static enum line_level
level_of(struct span record)
{
    seed("log_level", record);
    return log_level_line(guard_copy(record), guard_buffer(record.len));
}

/* An object gives the same answer as a record and as a string. */
static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(lines); i++) {
        struct span line = span_of(lines[i].line);
        char ended[1024];

        CHECK_INT(lines[i].line, level_of(as_string(line, AS_NEEDED)), lines[i].want);
        if (line.len > 0 && line.p[0] == '{')
            CHECK_INT(lines[i].line, level_of(as_string(line, 1)), lines[i].want);
        snprintf(ended, sizeof ended, "%s\n", lines[i].line);
        CHECK_INT(lines[i].line, level_of(as_string(span_of(ended), AS_NEEDED)), lines[i].want);
        if (line.len > 0 && line.p[0] == '{')
            CHECK_INT(lines[i].line, level_of(line), lines[i].want);
    }
}

/* Cut anywhere, a line has no other level than the whole one, unless a word was cut or what stands before is gone. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(lines); i++)
        for (size_t n = 0; n < strlen(lines[i].line); n++) {
            struct span line = {lines[i].line, n};
            enum line_level got =
                level_of(as_string(line, n % 2 == 0 && line.p[0] == '{' ? 1 : AS_NEEDED));

            if (lines[i].line[0] != '{' && got != lines[i].want && got != LEVEL_NONE)
                CHECK(lines[i].line, lines[i].want == LEVEL_NONE || got == lines[i].want);
            if (n > 0 && line.p[0] == '{')
                CHECK_INT(lines[i].line, level_of(line), got);
        }
}

/* Lines of a mebibyte, and how many steps a byte they may cost. */
static const struct {
    const char *name, *first, *middle, *last;
    enum line_level want;
    unsigned most;
} long_lines[] = {
    {"text", "\"2026-11-20T10:00:00.000Z ", "x ", "\"", LEVEL_NONE, 1},
    {"capital letters", "\"2026-11-20T10:00:00.000Z ", "X ", "\"", LEVEL_NONE, 1},
    {"one word", "\"2026-11-20T10:00:00.000Z ", "X", "\"", LEVEL_NONE, 1},
    {"blanks", "\"2026-11-20T10:00:00.000Z", " ", "INFO x\"", LEVEL_INFO, 1},
    {"tabs", "\"2026-11-20T10:00:00.000Z", "\\t", "INFO\\tx\"", LEVEL_INFO, 1},
    {"brackets", "\"", "[", "INFO]\"", LEVEL_INFO, 1},
    {"backslashes", "\"[", "\\\\", "\"", LEVEL_NONE, 1},
    {"members", "{\"a\":1", ",\"a\":1", "}", LEVEL_NONE, 2},
    {"members that tell none", "{\"a\":1", ",\"level\":\"\"", "}", LEVEL_NONE, 14},
    {"members that almost do", "{\"a\":1", ",\"level\":\"emergencyx\"", "}", LEVEL_NONE, 9},
    {"messages", "{\"a\":1", ",\"message\":1", ",\"message\":\"[INFO] x\"}", LEVEL_INFO, 2},
    {"in a string", "\"{\\\"a\\\":1", ",\\\"a\\\":1", "}\"", LEVEL_NONE, 3},
    {"in a message in a string", "{\"message\":\"{\\\"a\\\":\\\"", "x", "\\\"}\"}", LEVEL_NONE, 4},
    {"a message in a message", "{\"message\":{\"message\":\"", "x", "\"}}", LEVEL_NONE, 3},
    {"deep", "{\"message\":{\"message\":", "[[[[[[[[]]]]]]]]", "}}", LEVEL_NONE, 3},
    {"escapes", "\"{\\u0022a\\u0022:\\u0022", "\\u0061", "\\u0022}\"", LEVEL_NONE, 2},
    {"white space", "{", " ", "\"level\":30}", LEVEL_INFO, 1},
    {"a list", "[1", ",1", "]", LEVEL_NONE, 1},
};

static void
effort(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(long_lines); i++) {
        const char *name = long_lines[i].name;
        struct span record =
            guard_copy(long_line(long_lines[i].first, long_lines[i].middle, long_lines[i].last));
        char *room = guard_buffer(record.len);

        CHECK_STEPS(name, CHECK_INT(name, log_level_line(record, room), long_lines[i].want),
                    record.len, long_lines[i].most);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(named), cmocka_unit_test(valued), cmocka_unit_test(members),
        cmocka_unit_test(table), cmocka_unit_test(cut),    cmocka_unit_test(effort),
    };

    return RUN(argc, argv, tests);
}
