#include "io/log.h"

#include "check.h"
#include "io/clock.h"
#include "kept_log.h"

#include <stdlib.h>

#define REPLACED "\xef\xbf\xbd"
#define BEGIN "\"level\":\"error\",\"logger\":\"kinesis-telemetry-api-extension\",\"message\":\""

/* What a message becomes within a line; precision: of what is told of it. */
static const struct {
    const char *name, *text;
    int precision;
    const char *want;
} rows[] = {
    {"plain", "all is well", 100, "all is well"},
    {"escapes", "a\"b\\c\n\x01", 100, "a\\\"b\\\\c\\n\\u0001"},
    {"two, three and four bytes", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 100,
     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"nothing", "", 100, ""},
    {"Latin-1", "r\xe9p\xe9t\xe9", 100, "r" REPLACED "p" REPLACED "t" REPLACED},
    {"a run", "a\xff\xfe\x80\x80z", 100, "a" REPLACED "z"},
    {"nothing else", "\x80\x81", 100, REPLACED},
    {"a surrogate", "a\xed\xa0\x80z", 100, "a" REPLACED "z"},
    {"overlong", "a\xc0\xafz", 100, "a" REPLACED "z"},
    {"cut behind one of two", "ab\xc3\xa4", 3, "ab" REPLACED},
    {"cut behind three of four", "\xf0\x9f\x98\x80", 3, REPLACED},
    {"a control byte between", "\xff\x01\xff", 100, REPLACED "\\u0001" REPLACED},
};

static void
valid_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char want[256];
        struct out o = out_to(want, sizeof want);
        struct span log;

        out_put(&o, SPAN(BEGIN));
        out_put(&o, span_of(rows[i].want));
        out_put(&o, SPAN("\"}"));
        keep_log();
        log_error("%.*s", rows[i].precision, rows[i].text);
        log = kept_log();
        CHECK_SPAN(rows[i].name, next_log_line(&log), out_span(&o));
        CHECK_INT(rows[i].name, log.len, 0);
    }
}

/* A message is cut at 1,500 bytes, which may be within a character. */
static void
long_message(void **state)
{
    char text[1502];
    struct span log, line;

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + 1498, "\xe2\x82\xac", 4);
    keep_log();
    log_error("%s", text);
    log = kept_log();
    line = next_log_line(&log);
    CHECK_SPAN("end", span_skip(line, line.len - 7), SPAN("xx" REPLACED "\"}"));
}

/* Of lines of long ago nothing is known any more, which counts as so; but not before the first. */
static void
moments(void **state)
{
    uint64_t before = clock_wall_ms();
    uint64_t at = 0;
    bool not_yet, later, long_ago, later_still, before_all;

    (void)state;
    keep_log();
    not_yet = log_wrote_at(before + 60000);
    log_error("%s", "one");
    for (uint64_t ms = before; ms <= clock_wall_ms() && at == 0; ms++)
        at = log_wrote_at(ms) ? ms : 0;
    later = log_wrote_at(at + 60000);
    for (unsigned n = 0; n <= LOG_MOMENTS; n++) {
        uint64_t was = clock_wall_ms();

        log_error("%s", "more");
        while (clock_wall_ms() == was) {
        }
    }
    long_ago = log_wrote_at(at);
    later_still = log_wrote_at(clock_wall_ms() + 60000);
    before_all = log_wrote_at(before - 60000);
    (void)kept_log();
    CHECK("written", at >= before);
    CHECK_INT("not yet", not_yet, false);
    CHECK_INT("later", later, false);
    CHECK_INT("long ago", long_ago, true);
    CHECK_INT("later still", later_still, false);
    CHECK_INT("before all", before_all, false);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_utf8),
        cmocka_unit_test(long_message),
        cmocka_unit_test(moments),
    };

    return RUN(argc, argv, tests);
}
