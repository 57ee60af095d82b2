#include "protocol/selection.h"

#include "check.h"
#include "guard.h"
#include "protocol/limits.h"
#include "protocol/out.h"

#include <stdio.h>
#include <stdlib.h>

/* A selection, and what a router does with it. */
struct scene {
    struct settings_selection settings;
    struct settings all;
    struct selection selection;
    struct ledger ledger;
    char *memory;
    struct span request; /* of the invocation that runs, where they do not run side by side */
    char id[64];
    char trace[2048];
    struct out got;
    bool full; /* nothing more is taken */
};

static void
open_scene(struct scene *s)
{
    static char room[EVENT_MAX_BYTES];

    if (s->settings.held_max_bytes == 0)
        s->settings.held_max_bytes = 4096;
    s->all.selection = s->settings;
    s->memory = calloc(1, selection_bytes(&s->all) + 1);
    s->ledger = (struct ledger){0};
    selection_init(&s->selection, &s->all, &s->ledger, s->memory, room);
    s->got = out_to(s->trace, sizeof s->trace);
    s->request = (struct span){NULL, 0};
    s->full = false;
}

static void
close_scene(struct scene *s)
{
    free(s->memory);
}

static void
note(struct scene *s, struct span text)
{
    if (s->got.len > 0)
        out_byte(&s->got, ' ');
    out_put(&s->got, text);
    assert_int_equal(out_end(&s->got), 0);
}

/* A line that is sent: what stands in <>. */
static void
sent(struct scene *s, const struct event *e)
{
    const char *from = memchr(e->record.p, '<', e->record.len);
    const char *end = e->record.p + e->record.len;

    note(s, from == NULL ? SPAN("?")
                         : span_cut((struct span){from + 1, (size_t)(end - from - 1)}, '>',
                                    &(struct span){0}));
}

static void
let_go(struct scene *s)
{
    struct span text;
    struct span id;
    struct event e;

    while (!s->full && selection_due(&s->selection, &text, &id)) {
        assert_int_equal(event_read(text, NULL, &e), 0);
        sent(s, &e);
        selection_sent(&s->selection);
    }
}

static enum selection_verdict
line(struct scene *s, const char *text)
{
    struct event e;
    enum selection_verdict verdict;

    assert_int_equal(event_read(guard_copy(span_of(text)), NULL, &e), 0);
    verdict = selection_line(&s->selection, &e, NULL, s->request);
    let_go(s);
    if (s->full)
        return verdict;
    if (verdict == SELECTION_KEEP)
        sent(s, &e);
    else
        selection_apply(&s->selection, &e, verdict);
    return verdict;
}

static void
platform(struct scene *s, const char *type, const char *id, const char *more)
{
    char text[512];
    struct event e;

    snprintf(text, sizeof text, "{\"type\":\"platform.%s\",\"record\":{\"requestId\":\"%s\"%s}}",
             type, id, more);
    assert_int_equal(event_read(guard_copy(span_of(text)), NULL, &e), 0);
    selection_platform(&s->selection, &e);
    let_go(s);
}

/* --- levels and patterns ----------------------------------------------------------------------- */

#define FUNCTION(record) "{\"type\":\"function\",\"record\":" record "}"

static const struct {
    const char *name;
    enum line_level level, level_default;
    const char *filter, *line;
    enum selection_verdict want;
} levels[] = {
    {"below", LEVEL_WARN, LEVEL_NONE, NULL, FUNCTION("\"[INFO] x\""), SELECTION_LEVEL},
    {"at it", LEVEL_WARN, LEVEL_NONE, NULL, FUNCTION("\"[WARN] x\""), SELECTION_KEEP},
    {"above", LEVEL_WARN, LEVEL_NONE, NULL, FUNCTION("\"[ERROR] x\""), SELECTION_KEEP},
    {"the lowest", LEVEL_TRACE, LEVEL_NONE, NULL, FUNCTION("{\"level\":10}"), SELECTION_KEEP},
    {"the highest", LEVEL_FATAL, LEVEL_NONE, NULL, FUNCTION("{\"level\":50}"), SELECTION_LEVEL},
    {"of an object", LEVEL_WARN, LEVEL_NONE, NULL, FUNCTION("{\"level\":\"info\"}"),
     SELECTION_LEVEL},
    {"none told", LEVEL_FATAL, LEVEL_NONE, NULL, FUNCTION("\"Task timed out\""), SELECTION_KEEP},
    {"none told, below", LEVEL_WARN, LEVEL_INFO, NULL, FUNCTION("\"Task timed out\""),
     SELECTION_LEVEL},
    {"none told, at it", LEVEL_WARN, LEVEL_WARN, NULL, FUNCTION("{}"), SELECTION_KEEP},
    {"a default is for those that tell none", LEVEL_WARN, LEVEL_ERROR, NULL,
     FUNCTION("\"[INFO] x\""), SELECTION_LEVEL},
    {"an extension's", LEVEL_WARN, LEVEL_NONE, NULL,
     "{\"type\":\"extension\",\"record\":\"[INFO] x\"}", SELECTION_LEVEL},
    {"it matches", LEVEL_NONE, LEVEL_NONE, "x", FUNCTION("\"[INFO] x\""), SELECTION_KEEP},
    {"it does not", LEVEL_NONE, LEVEL_NONE, "y", FUNCTION("\"[INFO] x\""), SELECTION_PATTERN},
    {"of an object", LEVEL_NONE, LEVEL_NONE, "{ $.a = 1 }", FUNCTION("{\"a\":1}"), SELECTION_KEEP},
    {"of an object in text", LEVEL_NONE, LEVEL_NONE, "{ $.a = 1 }", FUNCTION("\"{\\\"a\\\":1}\""),
     SELECTION_KEEP},
    {"not of this", LEVEL_NONE, LEVEL_NONE, "{ $.a = 1 }", FUNCTION("{\"a\":2}"),
     SELECTION_PATTERN},
    {"both", LEVEL_INFO, LEVEL_NONE, "x", FUNCTION("\"[INFO] x\""), SELECTION_KEEP},
    {"the level is asked first", LEVEL_WARN, LEVEL_NONE, "y", FUNCTION("\"[INFO] x\""),
     SELECTION_LEVEL},
    {"then the pattern", LEVEL_INFO, LEVEL_NONE, "y", FUNCTION("\"[INFO] x\""), SELECTION_PATTERN},
};

static void
judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(levels); i++) {
        struct scene s = {.settings = {.level = levels[i].level,
                                       .level_default = levels[i].level_default,
                                       .sample = SAMPLE_ALL,
                                       .filters = levels[i].filter != NULL}};
        bool kept = levels[i].want == SELECTION_KEEP;
        struct filter_error error;

        if (levels[i].filter != NULL)
            assert_int_equal(filter_pattern_read(&s.settings.filter, levels[i].filter, &error), 0);
        open_scene(&s);
        CHECK_INT(levels[i].name, s.selection.asks, true);
        CHECK_INT(levels[i].name, line(&s, levels[i].line), levels[i].want);
        CHECK_INT(levels[i].name, s.ledger.received, !kept);
        CHECK_INT(levels[i].name, kept ? 0 : s.ledger.filtered[levels[i].want], !kept);
        close_scene(&s);
    }
}

/* Then it needs nothing, and is not to be asked. */
static void
asks_nothing(void **state)
{
    struct scene s = {.settings = {.level_default = LEVEL_INFO, .sample = SAMPLE_ALL}};

    (void)state;
    open_scene(&s);
    assert_int_equal(selection_bytes(&s.all), 0);
    assert_false(s.selection.asks);
    platform(&s, "start", "a", "");
    selection_invoked(&s.selection, SPAN("a"), SPAN("{}"));
    selection_end(&s.selection);
    let_go(&s);
    assert_int_equal(s.got.len, 0);
    close_scene(&s);
}

/* --- lives ------------------------------------------------------------------------------------- */

/*
 * What comes, a word each: LEVEL:TEXT a line, LEVEL:TEXT@ID one that has its id; and of the platform start:ID,
 * done:ID, failed:ID, timeout:ID, report:ID, badreport:ID, initdone, initfailed. is:ID names the one that runs, full
 * and room what the queue has, end the sandbox's end. A start:ID+ has a trace with Sampled=1.
 */
static void
live(struct scene *s, const char *steps)
{
    struct span rest = span_of(steps);

    while (rest.p != NULL) {
        char word[64], text[512];
        struct span of = span_cut(rest, ' ', &rest);
        char *detail;
        char *at;

        snprintf(word, sizeof word, "%.*s", (int)of.len, of.p);
        detail = strchr(word, ':');
        detail = detail == NULL ? word : detail;
        if (*detail == ':')
            *detail++ = '\0';
        at = strchr(detail, '@');
        if (at != NULL)
            *at++ = '\0';
        if (strcmp(word, "start") == 0 && strchr(detail, '+') != NULL) {
            *strchr(detail, '+') = '\0';
            platform(
                s, "start", detail,
                ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1-a;Sampled=1\"}");
        } else if (strcmp(word, "start") == 0) {
            platform(s, "start", detail, ",\"tracing\":{\"value\":\"Parent=b;Sampled=0\"}");
        } else if (strcmp(word, "done") == 0) {
            platform(s, "runtimeDone", detail, ",\"status\":\"success\"");
        } else if (strcmp(word, "failed") == 0) {
            platform(s, "runtimeDone", detail, ",\"status\":\"error\"");
        } else if (strcmp(word, "timeout") == 0) {
            platform(s, "runtimeDone", detail, ",\"status\":\"timeout\"");
        } else if (strcmp(word, "report") == 0) {
            platform(s, "report", detail, ",\"status\":\"success\"");
        } else if (strcmp(word, "badreport") == 0) {
            platform(s, "report", detail, ",\"status\":\"failure\"");
        } else if (strcmp(word, "initdone") == 0) {
            platform(s, "initRuntimeDone", "", ",\"status\":\"success\"");
        } else if (strcmp(word, "initfailed") == 0) {
            platform(s, "initRuntimeDone", "", ",\"status\":\"error\"");
        } else if (strcmp(word, "end") == 0) {
            selection_end(&s->selection);
            let_go(s);
        } else if (strcmp(word, "full") == 0) {
            s->full = true;
        } else if (strcmp(word, "room") == 0) {
            s->full = false;
            let_go(s);
        } else if (strcmp(word, "is") != 0) {
            if (at != NULL)
                snprintf(text, sizeof text,
                         "{\"type\":\"function\",\"record\":{\"level\":\"%s\",\"requestId\":\"%s\","
                         "\"message\":\"<%s>\"}}",
                         word, at, detail);
            else
                snprintf(text, sizeof text, "{\"type\":\"function\",\"record\":\"[%s] <%s>\"}",
                         word, detail);
            (void)line(s, text);
        }
        /* as the platform's start says, or INVOKE where that is late */
        if (strcmp(word, "start") == 0 || strcmp(word, "is") == 0)
            s->request = (struct span){s->id, (size_t)snprintf(s->id, sizeof s->id, "%s", detail)};
    }
}

struct life {
    const char *name, *steps, *want;
    uint64_t filtered[FILTERED_REASONS]; /* by level, pattern, sample, held */
};

static void
check_lives(const struct life *lives, size_t len, const struct settings_selection *settings,
            bool side_by_side)
{
    for (size_t i = 0; i < len; i++) {
        struct scene s = {.settings = *settings};

        open_scene(&s);
        s.selection.side_by_side = side_by_side;
        live(&s, lives[i].steps);
        CHECK_SPAN(lives[i].name, out_span(&s.got), span_of(lives[i].want));
        for (size_t k = 0; k < FILTERED_REASONS; k++)
            CHECK_INT(lives[i].name, s.ledger.filtered[k], lives[i].filtered[k]);
        CHECK_INT(lives[i].name, s.ledger.received, ledger_filtered(&s.ledger));
        close_scene(&s);
    }
}

/* With TELEMETRY_LEVEL=WARN, TELEMETRY_LEVEL_ON_ERROR=DEBUG. */
static const struct life held_lives[] = {
    {"all is well", "start:a INFO:1 DEBUG:2 WARN:3 done:a", "3", {0, 0, 0, 2}},
    {"below what is held", "start:a TRACE:1 DEBUG:2 failed:a", "2", {1, 0, 0, 0}},
    {"it fails", "start:a INFO:1 DEBUG:2 WARN:3 failed:a", "3 1 2", {0}},
    {"it fails, and is reported", "start:a INFO:1 failed:a badreport:a INFO:2", "1 2", {0}},
    {"it is timed out", "start:a INFO:1 timeout:a", "1", {0}},
    {"an error",
     "start:a INFO:1 DEBUG:2 ERROR:3 INFO:4 DEBUG:5 TRACE:6 done:a",
     "1 2 3 4 5",
     {1, 0, 0, 0}},
    {"one worse", "start:a INFO:1 FATAL:2", "1 2", {0}},
    {"two of them", "start:a INFO:1 ERROR:2 FATAL:3 INFO:4 done:a", "1 2 3 4", {0}},
    {"a warning is none", "start:a INFO:1 WARN:2 done:a", "2", {0, 0, 0, 1}},
    {"after a good end nothing is held", "start:a INFO:1 done:a INFO:2", "", {1, 0, 0, 1}},
    {"what comes then of an error is alone",
     "start:a INFO:1 done:a ERROR:2 INFO:3",
     "2 3",
     {0, 0, 0, 1}},
    {"a good report after a bad end", "start:a INFO:1 failed:a report:a INFO:2", "1 2", {0}},
    {"a bad report after a good end",
     "start:a INFO:1 done:a badreport:a INFO:2",
     "2",
     {0, 0, 0, 1}},
    {"the end is not heard", "start:a INFO:1 report:a INFO:2", "", {1, 0, 0, 1}},
    {"nor the report", "start:a INFO:1 start:b INFO:2 done:b", "1", {0, 0, 0, 1}},
    {"one after the other",
     "start:a INFO:1 done:a start:b INFO:2 failed:b start:c INFO:3 done:c",
     "2",
     {0, 0, 0, 2}},
    {"a retry has the same id", "start:a INFO:1 failed:a start:a INFO:2 done:a", "1", {0, 0, 0, 1}},
    {"a retry, and the end before it was not heard",
     "start:a INFO:1 start:a INFO:2 done:a",
     "1 2",
     {0}},
    {"the start is not heard", "is:a INFO:1 failed:a", "1", {0}},
    {"the start comes late", "is:a INFO:1 start:a INFO:2 failed:a", "1 2", {0}},
    {"neither is heard", "start:a INFO:1 is:b INFO:2 done:b", "1", {0, 0, 0, 1}},
    {"of another that is known", "start:a INFO:1 failed:b done:a", "", {0, 0, 0, 1}},
    {"an end of nobody", "start:a INFO:1 failed: done:a", "", {0, 0, 0, 1}},
    {"the sandbox ends", "start:a INFO:1 DEBUG:2 end", "1 2", {0}},
    {"it ended before", "start:a INFO:1 done:a end", "", {0, 0, 0, 1}},
    {"nothing was held", "start:a WARN:1 end INFO:2 done:a", "1", {0, 0, 0, 1}},
    {"what comes behind that", "start:a INFO:1 end INFO:2", "1 2", {0}},
    {"init", "INFO:1 initdone INFO:2 start:a", "", {1, 0, 0, 1}},
    {"init fails", "INFO:1 initfailed INFO:2", "1 2", {0}},
    {"init has an error", "INFO:1 ERROR:2 initdone", "1 2", {0}},
    {"init's end is not heard", "INFO:1 end", "1", {0}},
    {"but the first start is", "INFO:1 start:a INFO:2 failed:a", "2", {0, 0, 0, 1}},
    {"a line's own id is that of anything", "start:a INFO:1@x INFO:2@a failed:a", "1 2", {0}},
    {"no room", "start:a INFO:1 INFO:2 full failed:a failed:a room", "1 2", {0}},
    {"a good report while there is no room",
     "start:a INFO:1 full failed:a report:a room",
     "1",
     {0}},
    {"no room before it is tried again",
     "start:a INFO:1 full failed:a start:a room INFO:2 done:a",
     "1 2",
     {0}},
    {"no room for a start before which there were lines",
     "is:a INFO:1 start:a start:a INFO:2 done:a",
     "",
     {0, 0, 0, 2}},
    {"lines before a start, and a retry",
     "is:a INFO:1 start:a start:a INFO:2 start:a start:a INFO:3 done:a",
     "1 2 3",
     {0}},
    {"a retry of one before, and an end that was not heard",
     "start:a INFO:1 failed:a start:b INFO:2 start:a INFO:3 done:a",
     "1 2",
     {0, 0, 0, 1}},
    {"no room for a while",
     "start:a INFO:1 full start:b start:b room INFO:2 done:b",
     "1",
     {0, 0, 0, 1}},
};

static void
lines_are_held(void **state)
{
    struct settings_selection settings = {
        .level = LEVEL_WARN, .level_on_error = LEVEL_DEBUG, .sample = SAMPLE_ALL};

    (void)state;
    check_lives(held_lives, LEN(held_lives), &settings, false);
}

static const struct life crowded_lives[] = {
    {"each of its own",
     "start:a start:b INFO:1@a INFO:2@b INFO:3@a badreport:a report:b",
     "1 3",
     {0, 0, 0, 1}},
    {"an error of one",
     "start:a start:b INFO:1@a INFO:2@b ERROR:3@b INFO:4@b INFO:5@a report:a",
     "2 3 4",
     {0, 0, 0, 2}},
    {"the other way round",
     "start:a start:b INFO:1@a INFO:2@b report:a badreport:b",
     "2",
     {0, 0, 0, 1}},
    {"of nobody who is known", "start:a INFO:1@x INFO:2 badreport:x badreport:a", "", {2, 0, 0, 0}},
    {"the sandbox ends", "start:a start:b INFO:1@a INFO:2@b INFO:3@a end", "1 2 3", {0}},
    {"one fails while there is no room, and one does not",
     "start:a start:b INFO:1@a INFO:2@b INFO:3@a full badreport:b report:a room",
     "2",
     {0, 0, 0, 2}},
    {"two fail while there is no room",
     "start:a start:b INFO:1@a INFO:2@b INFO:3@a full badreport:b badreport:a room",
     "1 2 3",
     {0}},
};

static void
lines_of_several(void **state)
{
    struct settings_selection settings = {
        .level = LEVEL_WARN, .level_on_error = LEVEL_DEBUG, .sample = SAMPLE_ALL};

    (void)state;
    check_lives(crowded_lives, LEN(crowded_lives), &settings, true);
}

/* Lines of 8 + 48 bytes, of which four have room. */
static const struct life full_lives[] = {
    {"the oldest go first",
     "start:a INFO:1 INFO:2 INFO:3 INFO:4 INFO:5 INFO:6 failed:a",
     "3 4 5 6",
     {0, 0, 0, 2}},
    {"one that has no room at all",
     "start:a INFO:1 INFO:2 "
     "INFO:12345678901234567890123456789012345678901234567890@aaaaaaaaaaaa INFO:4 failed:a",
     "1 2 12345678901234567890123456789012345678901234567890 4",
     {0}},
};

static void
oldest_make_room(void **state)
{
    struct settings_selection settings = {.level = LEVEL_WARN,
                                          .level_on_error = LEVEL_DEBUG,
                                          .sample = SAMPLE_ALL,
                                          .held_max_bytes = 4 * 56};

    (void)state;
    check_lives(full_lives, 1, &settings, false);
    /* three lines, of which the last two begin and end the ring */
    settings.held_max_bytes = 3 * (8 + 80);
    check_lives(
        &(struct life){
            "around the end of the ring",
            "start:a start:b INFO:1@b INFO:2@a INFO:3@a INFO:4@b full badreport:b report:a room",
            "4",
            {0, 0, 0, 3}},
        1, &settings, true);
    settings.held_max_bytes = 56 - 8;
    check_lives(&(struct life){"none has room", "start:a INFO:1 INFO:2 failed:a", "", {0, 0, 0, 2}},
                1, &settings, false);
}

/* What names no invocation that can be known begins none: its lines are sent as those of init are. */
static void
ids_that_are_none(void **state)
{
    static const char *const ids[] = {
        "", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"};
    struct scene s = {.settings = {.sample = 0}};

    (void)state;
    open_scene(&s);
    for (size_t i = 0; i < LEN(ids); i++) {
        platform(&s, "start", ids[i], "");
        platform(&s, "fault", ids[i], "");
        s.request = span_of(ids[i]);
        CHECK_INT(ids[i], line(&s, FUNCTION("1")), SELECTION_KEEP);
        s.request.len -= s.request.len > 0;
        CHECK_INT(ids[i], line(&s, FUNCTION("1")),
                  s.request.len > 0 ? SELECTION_SAMPLE : SELECTION_KEEP);
    }
    close_scene(&s);
}

/* More invocations side by side than are known: those that come then are not held, and nothing gets lost. */
static void
too_many(void **state)
{
    struct scene s = {.settings = {.level = LEVEL_WARN,
                                   .level_on_error = LEVEL_DEBUG,
                                   .sample = SAMPLE_ALL,
                                   .held_max_bytes = 65536}};
    char step[128];

    (void)state;
    open_scene(&s);
    s.selection.side_by_side = true;
    for (int i = 1; i < SELECTION_REQUESTS; i++) {
        snprintf(step, sizeof step, "start:%d INFO:%d@%d", i, i, i);
        live(&s, step);
    }
    assert_int_equal(s.got.len, 0);
    live(&s, "start:x INFO:x@x");
    CHECK_SPAN("the oldest one's end was missed, it seems", out_span(&s.got), SPAN("1"));
    assert_int_equal(s.ledger.filtered[FILTERED_LEVEL], 1);
    live(&s, "start:y INFO:y@y INFO:2@2 report:2 badreport:y");
    CHECK_SPAN("its place", out_span(&s.got), SPAN("1 y"));
    assert_int_equal(s.ledger.filtered[FILTERED_HELD], 2);
    live(&s, "start:z INFO:z@z INFO:y@y badreport:z");
    CHECK_SPAN("the place of the one that ended first", out_span(&s.got), SPAN("1 y y z"));
    close_scene(&s);
}

/* The place of one whose lines still wait for room is not given away. */
static void
too_many_while_full(void **state)
{
    struct scene s = {.settings = {.level = LEVEL_WARN,
                                   .level_on_error = LEVEL_DEBUG,
                                   .sample = SAMPLE_ALL,
                                   .held_max_bytes = 65536}};
    char step[128];

    (void)state;
    open_scene(&s);
    s.selection.side_by_side = true;
    for (int i = 1; i < SELECTION_REQUESTS; i++) {
        snprintf(step, sizeof step, "start:%d INFO:%d@%d", i, i, i);
        live(&s, step);
    }
    live(&s, "full badreport:1 start:x room");
    CHECK_SPAN("and the oldest one's end was missed", out_span(&s.got), SPAN("1 2"));
    close_scene(&s);
}

/* --- samples ----------------------------------------------------------------------------------- */

/* With TELEMETRY_SAMPLE_RATE=0. */
static const struct life left_out[] = {
    {"lines of an invocation", "start:a INFO:1 ERR:x done:a INFO:2", "x 2", {0, 0, 1, 0}},
    {"what is none of one's", "INFO:1 initdone INFO:2 start:a INFO:3", "1 2", {0, 0, 1, 0}},
    {"the trace is sampled", "start:a+ INFO:1 done:a INFO:2 start:b INFO:3", "1 2", {0, 0, 1, 0}},
    {"from the failure on", "start:a INFO:1 WARN:2 ERROR:3 INFO:4 done:a", "3 4", {0, 0, 2, 0}},
    {"its end is one", "start:a INFO:1 failed:a INFO:2", "2", {0, 0, 1, 0}},
    {"a retry begins anew", "start:a INFO:1 failed:a start:a INFO:2", "", {0, 0, 2, 0}},
    {"the start is not heard", "is:a INFO:1", "", {0, 0, 1, 0}},
};

static void
samples(void **state)
{
    struct settings_selection settings = {.sample = 0};
    static const struct life whole[] = {
        {"all of it",
         "start:a INFO:1 WARN:2 TRACE:3 ERROR:4 INFO:5 done:a",
         "1 2 4 5",
         {0, 0, 1, 0}},
        {"what has no level, too", "start:a none:1 ERROR:2 none:3", "1 2 3", {0}},
        {"none of it", "start:a INFO:1 WARN:2 TRACE:3 done:a", "", {0, 0, 1, 2}},
    };
    static const struct life of_several[] = {
        {"of none that is known", "INFO:1 start:a INFO:2@b INFO:3@a", "1 2", {0, 0, 1, 0}},
    };

    (void)state;
    check_lives(left_out, LEN(left_out), &settings, false);
    check_lives(of_several, LEN(of_several), &settings, true);
    settings.level_on_error = LEVEL_DEBUG;
    check_lives(whole, LEN(whole), &settings, false);
}

/* The level is asked before the sample, and the pattern last. */
static void
reasons(void **state)
{
    struct settings_selection settings = {
        .level = LEVEL_INFO, .level_on_error = LEVEL_DEBUG, .filters = true};
    static const struct life lives[] = {
        {"each",
         "start:a TRACE:1 DEBUG:x DEBUG:y INFO:x INFO:y done:a start:b+ WARN:x WARN:y",
         "x",
         {1, 0, 0, 0}},
    };
    struct filter_error error;
    struct life life = lives[0];

    (void)state;
    assert_int_equal(filter_pattern_read(&settings.filter, "-y", &error), 0);
    life.filtered[FILTERED_PATTERN] = 3;
    life.filtered[FILTERED_HELD] = 2;
    check_lives(&life, 1, &settings, false);
}

/* Whether an invocation with this id, and this trace, is in the sample. */
static bool
in_sample(uint32_t rate, const char *id, const char *root)
{
    static struct scene s;
    static bool open;
    char more[256];
    struct span text;

    if (!open) {
        s.settings.sample = 0;
        open_scene(&s);
        open = true;
    }
    s.all.selection.sample = rate;
    snprintf(more, sizeof more, ",\"tracing\":{\"value\":\"Root=%s;Parent=c;Sampled=0\"}", root);
    platform(&s, "start", id, *root == '\0' ? "" : more);
    text = span_of(id);
    s.request = text;
    s.got.len = 0;
    return line(&s, FUNCTION("\"x\"")) == SELECTION_KEEP;
}

/* As the header says, by numbers from elsewhere: printf %s NAME | sha256sum. */
static void
numbers(void **state)
{
    static const struct {
        const char *id, *root;
        uint32_t number;
    } rows[] = {
        /* 0xca978112 * 10^6 / 2^32 */
        {"a", "", 791374},
        {"b", "a", 791374},
        {"c", "1-5759e988-bd862e3fe1be46a994272793", 914573},
        {"00000000-0000-4000-8000-000000000001", "", 69909},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        CHECK_INT(rows[i].id, in_sample(rows[i].number, rows[i].id, rows[i].root), false);
        CHECK_INT(rows[i].id, in_sample(rows[i].number + 1, rows[i].id, rows[i].root), true);
    }
}

/* Of many ids about as many as the rate says: within four standard deviations. */
static void
shares(void **state)
{
    static const uint32_t rates[] = {1000, 10000, 100000, 500000, 900000};
    enum { IDS = 100000 };

    (void)state;
    for (size_t i = 0; i < LEN(rates); i++) {
        double share = (double)rates[i] / SAMPLE_ALL;
        double off;
        int in = 0;

        for (int n = 0; n < IDS; n++) {
            char id[64];

            snprintf(id, sizeof id, "%08x-0000-4000-8000-%012x", (unsigned)n * 2654435761u,
                     (unsigned)n);
            in += in_sample(rates[i], id, "");
        }
        off = in - share * IDS;
        CHECK("share", off * off <= 16 * IDS * share * (1 - share));
    }
}

/* What an extension says of these attempts: a bit each, 1 if their lines are sent. */
struct attempt {
    const char *id, *root;
};

static uint32_t
decisions(const struct settings_selection *settings, bool side_by_side,
          const struct attempt *attempts, size_t len)
{
    struct scene s = {.settings = *settings};
    uint32_t kept = 0;

    open_scene(&s);
    s.selection.side_by_side = side_by_side;
    for (size_t i = 0; i < len; i++) {
        char more[128], text[128];

        snprintf(more, sizeof more, ",\"tracing\":{\"value\":\"Root=%s;Parent=%zu;Sampled=0\"}",
                 attempts[i].root, i);
        platform(&s, "start", attempts[i].id, *attempts[i].root == '\0' ? "" : more);
        s.request = span_of(attempts[i].id);
        snprintf(text, sizeof text, "{\"type\":\"function\",\"record\":{\"requestId\":\"%s\"}}",
                 attempts[i].id);
        s.got.len = 0;
        kept |= (uint32_t)(line(&s, text) == SELECTION_KEEP) << i;
        platform(&s, "runtimeDone", attempts[i].id,
                 i % 2 == 0 ? ",\"status\":\"error\"" : ",\"status\":\"success\"");
    }
    close_scene(&s);
    return kept;
}

/* Of one trace, or without any of one id, two extensions, one sandbox after another, and all retries say the same,
 * whatever came before: functions that call each other, each with its own extension, are sent as a whole or not at all. */
static void
agree(void **state)
{
    static const uint32_t rates[] = {1000, 10000, 100000, 500000, 900000};
    enum { TRACES = 2000 };

    (void)state;
    for (size_t i = 0; i < LEN(rates); i++) {
        struct settings_selection plain = {.sample = rates[i]};
        struct settings_selection other = {.sample = rates[i],
                                           .level = LEVEL_DEBUG,
                                           .level_default = LEVEL_INFO,
                                           .level_on_error = LEVEL_FATAL};
        int in = 0;

        for (unsigned n = 0; n < TRACES; n++) {
            char root[64], id[2][64];
            const bool traced = n % 2 == 0;

            snprintf(root, sizeof root, "1-%08x-%024x", n * 2654435761u, n);
            for (unsigned k = 0; k < 2; k++)
                snprintf(id[k], sizeof *id, "%08x-%u", n * 2246822519u, traced ? k : 0);
            if (!traced)
                *root = '\0';
            struct attempt calls[] = {
                {id[0], root}, {id[0], root}, {"else", ""}, {id[0], root}, {id[1], root}};
            uint32_t first = decisions(&plain, false, calls, 1);

            in += first == 1;
            CHECK_INT("retries", decisions(&plain, false, calls, 2), first * 3);
            CHECK_INT("behind others", decisions(&plain, false, calls, 5) & 0x1b, first * 0x1b);
            CHECK_INT("another sandbox", decisions(&plain, false, calls + 3, 1), first);
            CHECK_INT("another extension", decisions(&other, false, calls + 4, 1), first);
            CHECK_INT("side by side", decisions(&plain, true, calls, 5) & 0x1b, first * 0x1b);
        }
        /* not that all are alike */
        CHECK("some, not all", in > 0 && in < TRACES);
    }
}

/* --- what is told ------------------------------------------------------------------------------ */

#define TRACE(root) ",\"tracing\":{\"value\":\"Root=" root ";Parent=c;Sampled=0\"}"

static void
check_told(struct scene *s, const char *event, const char *running, const char *want)
{
    struct event_origin origin = {0};
    char text[256];
    struct out o = out_to(text, sizeof text);
    struct event e;

    assert_int_equal(event_read(guard_copy(span_of(event)), NULL, &e), 0);
    selection_tell(&s->selection, &e, span_of(running), &origin);
    out_put(&o, origin.trace_id);
    out_byte(&o, ' ');
    out_put(&o, origin.tenant_id);
    out_byte(&o, ' ');
    out_put(&o, origin.level);
    CHECK_SPAN(event, out_span(&o), span_of(want));
}

static void
tells(void **state)
{
    struct scene s = {.settings = {.sample = SAMPLE_ALL}, .all = {.format = EVENT_ENRICHED}};

    (void)state;
    open_scene(&s);
    assert_true(s.selection.asks);
    check_told(&s, FUNCTION("\"[INFO] x\""), "", "  INFO");
    platform(&s, "start", "a", TRACE("1-a") ",\"tenantId\":\"blue\"");
    platform(&s, "start", "b", TRACE("1-b") ",\"tenantId\":\"blue\"");
    CHECK_INT("all are kept", line(&s, FUNCTION("\"[TRACE] x\"")), SELECTION_KEEP);
    check_told(&s, FUNCTION("\"[DEBUG] x\""), "b", "1-b blue DEBUG");
    check_told(&s, FUNCTION("{\"level\":50}"), "a", "1-a blue ERROR");
    check_told(&s, FUNCTION("{\"requestId\":\"a\",\"severity\":\"warning\"}"), "b",
               "1-a blue WARN");
    check_told(&s, FUNCTION("{\"requestId\":\"x\",\"level\":60}"), "b", "1-b blue FATAL");
    check_told(&s, FUNCTION("7"), "x", " blue ");
    check_told(&s, FUNCTION("7"), "", " blue ");
    check_told(&s, "{\"type\":\"platform.report\",\"record\":{\"requestId\":\"a\",\"level\":60}}",
               "b", "1-a blue ");
    platform(&s, "start", "c",
             ",\"tracing\":{\"value\":\"Root="
             "0123456789012345678901234567890123456789012345678901234567890123456789"
             "\"}");
    check_told(&s, FUNCTION("7"), "c", "012345678901234567890123456789012345678901234567  ");
    close_scene(&s);
}

/* INVOKE's header counts for its own invocation, and where no start has told of one. */
static void
start_is_lost(void **state)
{
    struct scene s = {.settings = {.sample = 0}, .all = {.format = EVENT_ENRICHED}};
    struct span invoke = SPAN("{\"requestId\":\"c\"" TRACE("1-i") ",\"more\":\"cut he");

    (void)state;
    open_scene(&s);
    selection_invoked(&s.selection, SPAN("c"), guard_copy(invoke));
    s.request = SPAN("b");
    CHECK_INT("another's", line(&s, FUNCTION("1")), SELECTION_SAMPLE);
    check_told(&s, FUNCTION("1"), "b", "  ");
    s.request = SPAN("c");
    CHECK_INT("not sampled", line(&s, FUNCTION("1")), SELECTION_SAMPLE);
    check_told(&s, FUNCTION("1"), "c", "1-i  ");
    platform(&s, "start", "c", TRACE("1-s"));
    check_told(&s, FUNCTION("1"), "c", "1-s  ");
    platform(&s, "runtimeDone", "c", ",\"status\":\"success\"");
    selection_invoked(&s.selection, SPAN("d"),
                      SPAN("{\"tracing\":{\"value\":\"Sampled=1;Root=1-j\"}}"));
    s.request = SPAN("d");
    CHECK_INT("sampled", line(&s, FUNCTION("1")), SELECTION_KEEP);
    check_told(&s, FUNCTION("1"), "d", "1-j  ");
    platform(&s, "start", "e", "");
    s.request = SPAN("e");
    check_told(&s, FUNCTION("1"), "e", "  ");
    selection_invoked(&s.selection, SPAN("f"), SPAN("{}"));
    s.request = SPAN("f");
    CHECK_INT("none", line(&s, FUNCTION("1")), SELECTION_SAMPLE);
    close_scene(&s);
}

static void
level_names(void **state)
{
    static const char *const names[] = {"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

    (void)state;
    for (size_t i = 0; i < LEN(names); i++)
        CHECK_SPAN("name", log_level_name((enum line_level)i), span_of(names[i]));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(asks_nothing),
        cmocka_unit_test(lines_are_held),
        cmocka_unit_test(lines_of_several),
        cmocka_unit_test(oldest_make_room),
        cmocka_unit_test(ids_that_are_none),
        cmocka_unit_test(too_many),
        cmocka_unit_test(too_many_while_full),
        cmocka_unit_test(samples),
        cmocka_unit_test(reasons),
        cmocka_unit_test(numbers),
        cmocka_unit_test(shares),
        cmocka_unit_test(agree),
        cmocka_unit_test(tells),
        cmocka_unit_test(start_is_lost),
        cmocka_unit_test(level_names),
    };

    return RUN(argc, argv, tests);
}
