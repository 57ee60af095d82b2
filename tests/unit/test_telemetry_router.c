#include "extension/telemetry_router.h"

#include "check.h"
#include "io/log.h"
#include "kept_log.h"

#include <stdio.h>

#define ID "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER_ID "bbbbbbbb-0000-4000-8000-000000000002"

#define AT(second) "{\"time\":\"2026-11-20T12:00:0" #second ".000Z\",\"type\":"
#define LINE AT(1) "\"function\",\"record\":\"x\"}"
#define EXTENSION(record) AT(1) "\"extension\",\"record\":" record "}"
#define PLATFORM(type, record) AT(1) "\"platform." type "\",\"record\":" record "}"
#define OF(type, id) PLATFORM(type, "{\"requestId\":\"" id "\",\"status\":\"success\"}")

/* What the router orders, a word for each: the dispatcher and the life cycle of these tests only write. */
static char trace[1024];
static struct ledger ledger;
static int answer;            /* of the dispatcher to the next event */
static bool crowded, written; /* what it says */
static bool waiting;          /* the listener has stopped reading */
static struct event_origin origin;
static bool in_full; /* what is forwarded is noted by its text, and by whose it is */

static void
note(const char *word, struct span detail)
{
    size_t len = strlen(trace);

    snprintf(trace + len, sizeof trace - len, "%s%s%s%.*s", len > 0 ? " " : "", word,
             detail.len > 0 ? ":" : "", (int)detail.len, detail.len > 0 ? detail.p : "");
}

static void
note_number(const char *word, unsigned n)
{
    char text[16];

    snprintf(text, sizeof text, "%u", n);
    note(word, span_of(text));
}

int
telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event)
{
    (void)d;
    if (in_full && answer == 0) {
        struct span text = event->record;

        text = (struct span){text.p + 1, text.len - 2};
        note(origin.request_id.len > 0 ? (char[]){*origin.request_id.p, '\0'} : "-",
             event->type == EVENT_PLATFORM ? SPAN("platform") : text);
        return 0;
    }
    note(answer == 0 ? "event" : "full", event->type == EVENT_PLATFORM   ? SPAN("platform")
                                         : event->type == EVENT_FUNCTION ? SPAN("function")
                                                                         : SPAN("extension"));
    return answer;
}

void
telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id)
{
    (void)d;
    origin.request_id = request_id;
    note("request", (struct span){request_id.p, request_id.len > 1 ? 1 : request_id.len});
}

void
telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason)
{
    (void)d;
    note_number("lost", reason);
}

void
telemetry_dispatcher_flush(struct telemetry_dispatcher *d)
{
    (void)d;
    note("flush", SPAN(""));
}

void
telemetry_dispatcher_patience(struct telemetry_dispatcher *d, uint32_t ms)
{
    (void)d;
    note_number("patience", ms);
}

void
telemetry_dispatcher_of_stream(struct telemetry_dispatcher *d, struct span log_stream)
{
    (void)d;
    note("stream", log_stream);
}

struct span
telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d)
{
    (void)d;
    return SPAN("0123456789abcdef0123456789abcdef");
}

struct event_origin *
telemetry_dispatcher_origin(struct telemetry_dispatcher *d)
{
    (void)d;
    return &origin;
}

bool
telemetry_dispatcher_wrote(struct telemetry_dispatcher *d, const struct event *event)
{
    (void)d;
    (void)event;
    return written;
}

bool
telemetry_dispatcher_crowded(const struct telemetry_dispatcher *d)
{
    (void)d;
    return crowded;
}

struct ledger *
telemetry_dispatcher_ledger(struct telemetry_dispatcher *d)
{
    (void)d;
    return &ledger;
}

bool
telemetry_listener_stopped(const struct telemetry_listener *l)
{
    (void)l;
    return waiting;
}

static void
restored(void *context)
{
    (void)context;
    note("restored", SPAN(""));
}

static void
posted(void *context)
{
    (void)context;
    note("posted", SPAN(""));
}

static void
disturbed(void *context)
{
    (void)context;
    note("disturbed", SPAN(""));
}

/* Any address will do. */
static struct telemetry_dispatcher dispatcher;

/* A router whose invocation has been named by INVOKE, as ID, and is held. */
struct scene {
    struct settings settings;
    struct loop loop;
    struct hold hold;
    struct telemetry_listener listener;
    struct telemetry_router router;
};

static void
open_scene(struct scene *s, unsigned types)
{
    memset(s, 0, sizeof *s);
    s->settings.types = types;
    s->settings.flush_budget_ms = 500;
    s->settings.buffer_timeout_ms = 25;
    /* 2026-11-20T12:00:00Z */
    s->loop.now = (struct moment){.ms = 5000, .wall_ms = 1795176000000};
    s->hold.settings = &s->settings;
    hold_begin(&s->hold, SPAN(ID), s->loop.now.wall_ms + 3000, s->loop.now);
    s->router = (struct telemetry_router){.settings = &s->settings,
                                          .loop = &s->loop,
                                          .hold = &s->hold,
                                          .dispatcher = &dispatcher,
                                          .restored = restored,
                                          .posted = posted,
                                          .disturbed = disturbed};
    telemetry_router_serve(&s->router, &s->listener);
    ledger = (struct ledger){0};
    answer = 0;
    origin = (struct event_origin){0};
    crowded = written = waiting = in_full = false;
    trace[0] = '\0';
}

static int
feed(struct scene *s, const char *event)
{
    return s->listener.posts.event(s->listener.posts.context, span_of(event), NULL);
}

enum { ALL = EVENT_PLATFORM | EVENT_FUNCTION | EVENT_EXTENSION };

static const struct {
    const char *name;
    unsigned types;
    const char *events[4];
    const char *want;
    int last; /* what is said of the last event: 1 when the ledger counts it */
} rows[] = {
    {"a line that tells of the invocation's begin",
     EVENT_FUNCTION,
     {LINE},
     "request:a event:function",
     1},
    {"told once", EVENT_FUNCTION, {LINE, LINE}, "request:a event:function event:function", 1},
    {"another type tells nothing", ALL, {EXTENSION("1")}, "event:extension", 1},
    {"of no type that is wanted", EVENT_PLATFORM, {LINE}, "request:a", 0},
    {"start: what was before comes first",
     ALL,
     {OF("start", ID), LINE},
     "event:platform request:a event:function",
     1},
    {"start, not forwarded", EVENT_FUNCTION, {OF("start", OTHER_ID)}, "request:b", 0},
    {"start without an id", EVENT_FUNCTION, {PLATFORM("start", "{}")}, "request", 0},
    {"an end",
     ALL,
     {OF("start", ID), OF("runtimeDone", ID)},
     "event:platform request:a event:platform flush",
     1},
    {"the end of the one before tells of this one's begin",
     EVENT_FUNCTION,
     {OF("runtimeDone", OTHER_ID), LINE},
     "request:a flush event:function",
     1},
    {"an end of nobody", EVENT_FUNCTION, {PLATFORM("runtimeDone", "{}")}, "", 0},
    {"a report", ALL, {OF("report", ID)}, "event:platform", 1},
    {"what the platform dropped",
     ALL,
     {PLATFORM("logsDropped", "{\"droppedRecords\":3,\"droppedBytes\":70}")},
     "event:platform",
     1},
    {"any other", ALL, {PLATFORM("extension", "{}")}, "event:platform", 1},
    {"a snapshot's copy: before its first event",
     ALL,
     {PLATFORM("restoreStart", "{}")},
     "restored event:platform",
     1},
    {"unreadable", ALL, {"{\"type\":1}"}, "lost:2 disturbed", 1},
    {"no event", ALL, {"7"}, "lost:2 disturbed", 1},
};

static void
routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct scene s;
        int got = -1;

        open_scene(&s, rows[i].types);
        for (size_t k = 0; rows[i].events[k] != NULL; k++)
            got = feed(&s, rows[i].events[k]);
        CHECK_SPAN(rows[i].name, span_of(trace), span_of(rows[i].want));
        CHECK_INT(rows[i].name, got, rows[i].last);
    }
}

/* What no rule asks for is forwarded, and makes no invocation begin, end or be in doubt, whatever it says. */
static void
means_nothing(void **state)
{
    static const char *const events[] = {
#define ALL_OF_WEB_FUNCTION(type) OF(type, ID), OF(type, OTHER_ID), PLATFORM(type, "{}")
        ALL_OF_WEB_FUNCTION("invokeStart"),   ALL_OF_WEB_FUNCTION("requestComplete"),
        ALL_OF_WEB_FUNCTION("invokeSummary"), ALL_OF_WEB_FUNCTION("invokeReport"),
        ALL_OF_WEB_FUNCTION("spinDownStart"), ALL_OF_WEB_FUNCTION("spinDownReport"),
        PLATFORM("initStart", "{}"),          PLATFORM("initReport", "{\"status\":\"error\"}"),
        PLATFORM("extension", "{}"),          PLATFORM("restoreReport", "{}"),
        PLATFORM("restoreRuntimeDone", "{}"), PLATFORM("telemetrySubscription", "{}"),
    };

    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct scene s;
        struct invocations before;

        open_scene(&s, ALL);
        before = s.hold.invocations;
        CHECK_INT(events[i], feed(&s, events[i]), 1);
        CHECK_SPAN(events[i], span_of(trace), SPAN("event:platform"));
        CHECK(events[i], memcmp(&before, &s.hold.invocations, sizeof before) == 0);
        CHECK_INT(events[i], s.router.init_done, false);
        CHECK_INT(events[i], (long long)s.hold.deadline_ms, 8000);
    }
}

/* Where it was not held nobody waits for its end, and a record of several events may get more of them. */
static void
unheld(void **state)
{
    (void)state;
    for (unsigned lines = 0; lines < 2; lines++)
        for (unsigned held = 0; held < 2; held++) {
            struct scene s;

            open_scene(&s, EVENT_FUNCTION);
            s.settings.aggregation = (enum aggregation)lines;
            s.hold.held = held == 1;
            (void)feed(&s, OF("runtimeDone", ID));
            CHECK_INT("flush", strstr(trace, "flush") != NULL, held == 1 || lines == 0);
        }
}

static void
side_by_side(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    s.hold.interleaved = true;
    (void)feed(&s, LINE);
    (void)feed(&s, OF("start", ID));
    CHECK_SPAN("no line is of an invocation that is known", span_of(trace),
               SPAN("event:function event:platform"));
}

static void
what_is_told(void **state)
{
    struct scene s;
    struct span log;

    (void)state;
    open_scene(&s, EVENT_FUNCTION);
    (void)feed(&s, LINE);
    CHECK_INT("a function's line says nothing of the platform", s.router.platform_heard, false);
    (void)feed(&s, OF("start", ID));
    CHECK_INT("its own do", s.router.platform_heard, true);
    (void)feed(&s, OF("runtimeDone", ID));
    CHECK_INT("ended", invocations_ended(&s.hold.invocations), true);
    CHECK_INT("when", s.hold.invocations.done_ms, 5000);
    CHECK_INT("report to come", invocations_report_due(&s.hold.invocations), true);
    (void)feed(&s, OF("report", ID));
    CHECK_INT("reported", invocations_report_due(&s.hold.invocations), false);
    CHECK_INT("no doubt", s.hold.invocations.doubtful, false);
    keep_log();
    (void)feed(&s, PLATFORM("logsDropped", "{\"droppedRecords\":3,\"droppedBytes\":70}"));
    log = kept_log();
    CHECK("warned", span_find(log, SPAN("dropped at least 3 events: 70 bytes")) != NULL);
    CHECK_INT("doubt", s.hold.invocations.doubtful, true);
    CHECK_INT("counted", ledger.platform_dropped_records, 3);
    CHECK_INT("bytes", ledger.platform_dropped_bytes, 70);
}

/* Whatever the platform hands over of what we wrote is neither forwarded nor counted as received. */
static void
our_own(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    CHECK_INT("metrics",
              feed(&s, EXTENSION("{\"_aws\":{},\"logger\":\"" LOG_LOGGER "\",\"sandbox\":"
                                 "\"0123456789abcdef0123456789abcdef\"}")),
              0);
    written = true;
    CHECK_INT("a dead letter", feed(&s, EXTENSION("\"anything\"")), 0);
    written = false;
    CHECK_INT("another's", feed(&s, EXTENSION("\"anything\"")), 1);
    CHECK_SPAN("forwarded", span_of(trace), SPAN("event:extension"));
    CHECK_INT("counted", ledger.own_lines, 2);
}

/* A full queue takes the event later: what it tells is told once, and what its sender waits is counted. */
static void
full(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    answer = ERR_FULL;
    CHECK_INT("full", feed(&s, OF("start", ID)), ERR_FULL);
    waiting = true;
    s.loop.now.ms += 100;
    CHECK_INT("still", feed(&s, OF("start", ID)), ERR_FULL);
    CHECK_SPAN("nothing told", span_of(trace), SPAN("full:platform full:platform"));
    s.loop.now.ms += 100;
    answer = 0;
    trace[0] = '\0';
    CHECK_INT("taken", feed(&s, OF("start", ID)), 1);
    CHECK_SPAN("told", span_of(trace), SPAN("event:platform patience:300 request:a"));
    trace[0] = '\0';
    (void)feed(&s, LINE);
    CHECK_SPAN("counted once", span_of(trace), SPAN("event:function"));
}

static void
ends_of_posts(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    s.listener.posts.posted(s.listener.posts.context);
    CHECK_SPAN("there is room", span_of(trace), SPAN("patience:500 posted"));
    trace[0] = '\0';
    crowded = true;
    s.listener.posts.posted(s.listener.posts.context);
    CHECK_SPAN("there is little", span_of(trace), SPAN("posted"));
    trace[0] = '\0';
    crowded = false;
    hold_end(&s.hold, s.loop.now);
    s.listener.posts.posted(s.listener.posts.context);
    CHECK_SPAN("nothing is held", span_of(trace), SPAN("posted"));
}

static void
damage(void **state)
{
    static const struct {
        enum ledger_drop reason;
        bool doubtful;
        const char *want;
    } reasons[] = {
        {DROP_OVERSIZE, false, "lost:0"},
        {DROP_CUT, true, "lost:1 disturbed"},
        {DROP_UNREADABLE, true, "lost:2 disturbed"},
    };
    struct scene s;

    (void)state;
    for (size_t i = 0; i < LEN(reasons); i++) {
        open_scene(&s, ALL);
        s.listener.posts.lost(s.listener.posts.context, reasons[i].reason);
        CHECK_SPAN("lost", span_of(trace), span_of(reasons[i].want));
        CHECK_INT(reasons[i].want, s.hold.invocations.doubtful, reasons[i].doubtful);
    }
    open_scene(&s, ALL);
    s.listener.posts.disturbed(s.listener.posts.context);
    CHECK_SPAN("broken off", span_of(trace), SPAN("disturbed"));
    CHECK_INT("doubt", s.hold.invocations.doubtful, true);
}

static void
beginnings(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    CHECK_INT("wanted", s.listener.posts.cut(s.listener.posts.context), true);
    CHECK_INT("counted", ledger.truncated, 1);
    s.settings.oversize = OVERSIZE_DROP;
    CHECK_INT("not wanted", s.listener.posts.cut(s.listener.posts.context), false);
    CHECK_INT("not counted", ledger.truncated, 1);
}

/* One whose lines are selected: from INFO on, and below that when it fails. */
static void
open_selecting(struct scene *s, char *memory, size_t cap)
{
    static char room[1024];

    open_scene(s, ALL);
    s->settings.selection = (struct settings_selection){.level = LEVEL_INFO,
                                                        .level_on_error = LEVEL_DEBUG,
                                                        .sample = SAMPLE_ALL,
                                                        .held_max_bytes = 4096};
    assert_true(selection_bytes(&s->settings) <= cap);
    memset(memory, 0, 65536);
    selection_init(&s->router.selection, &s->settings, &ledger, memory, room);
    in_full = true;
}

static void
selects(void **state)
{
#define SAID(text) AT(1) "\"function\",\"record\":\"" text "\"}"
/* not later than INVOKE */
#define EARLY(text) AT(0) "\"function\",\"record\":\"" text "\"}"
    static const struct {
        const char *name, *events[8], *want;
        uint64_t received; /* by the selection: the dispatcher counts what it takes */
    } lives[] = {
        {"below",
         {OF("start", ID), SAID("[TRACE] 1"), SAID("[INFO] 2")},
         "-:platform request:a a:[INFO] 2",
         1},
        {"an error: what was held comes before it",
         {OF("start", ID), SAID("[DEBUG] 1"), SAID("[INFO] 2"), SAID("[ERROR] 3")},
         "-:platform request:a a:[INFO] 2 a:[DEBUG] 1 a:[ERROR] 3",
         0},
        {"an end that was not heard: before the start, of the one before",
         {OF("start", OTHER_ID), EARLY("[DEBUG] 1"), OF("start", ID)},
         "-:platform request:b b:[DEBUG] 1 b:platform request:a",
         0},
        {"nor was the start",
         {OF("start", OTHER_ID), EARLY("[DEBUG] 1"), AT(3) "\"function\",\"record\":\"[INFO] 2\"}"},
         "-:platform request:b request:a b:[DEBUG] 1 a:[INFO] 2",
         0},
        {"all is well",
         {OF("start", ID), SAID("[DEBUG] 1"), OF("runtimeDone", ID)},
         "-:platform request:a a:platform flush",
         1},
    };
    static char memory[2 << 20];
    struct scene s;

    (void)state;
    for (size_t i = 0; i < LEN(lives); i++) {
        open_selecting(&s, memory, sizeof memory);
        for (size_t k = 0; lives[i].events[k] != NULL; k++)
            CHECK_INT(lives[i].name, feed(&s, lives[i].events[k]), 1);
        CHECK_SPAN(lives[i].name, span_of(trace), span_of(lives[i].want));
        CHECK_INT(lives[i].name, ledger.received, lives[i].received);
    }
}

/* What is due waits for room as events that come do, and is not taken twice. */
static void
selects_when_full(void **state)
{
    static char memory[2 << 20];
    struct scene s;

    (void)state;
    open_selecting(&s, memory, sizeof memory);
    (void)feed(&s, OF("start", ID));
    (void)feed(&s, SAID("[DEBUG] 1"));
    (void)feed(&s, SAID("[DEBUG] 2"));
    answer = ERR_FULL;
    trace[0] = '\0';
    CHECK_INT("full", feed(&s, SAID("[ERROR] 3")), ERR_FULL);
    CHECK_INT("still", telemetry_router_let_go(&s.router), ERR_FULL);
    CHECK_INT("stalled", s.hold.stalled_ms, 5000);
    CHECK_INT("below", feed(&s, SAID("[TRACE] 4")), ERR_FULL);
    CHECK_SPAN("tried", span_of(trace), SPAN("full:function full:function full:function"));
    CHECK_INT("nothing is counted before there is room", ledger.received, 0);
    answer = 0;
    trace[0] = '\0';
    CHECK_INT("room", telemetry_router_let_go(&s.router), 0);
    CHECK_INT("taken", feed(&s, SAID("[ERROR] 3")), 1);
    CHECK_SPAN("once", span_of(trace), SPAN("a:[DEBUG] 1 a:[DEBUG] 2 a:[ERROR] 3"));
}

static void
last_of_all(void **state)
{
    static char memory[2 << 20];
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    CHECK_INT("nothing is selected", telemetry_router_last(&s.router), false);
    CHECK_INT("nothing is due", telemetry_router_let_go(&s.router), 0);
    open_selecting(&s, memory, sizeof memory);
    (void)feed(&s, OF("start", ID));
    CHECK_INT("nothing is held", telemetry_router_last(&s.router), false);
    (void)feed(&s, SAID("[DEBUG] 1"));
    trace[0] = '\0';
    CHECK_INT("something is", telemetry_router_last(&s.router), true);
    answer = ERR_FULL;
    written = true;
    CHECK_INT("no room", telemetry_router_let_go(&s.router), ERR_FULL);
    CHECK_INT("a line of our own meanwhile", feed(&s, EXTENSION("1")), ERR_FULL);
    CHECK_INT("is asked about later", ledger.own_lines, 0);
    answer = 0;
    trace[0] = '\0';
    CHECK_INT("let go", telemetry_router_let_go(&s.router), 0);
    CHECK_SPAN("sent", span_of(trace), SPAN("a:[DEBUG] 1"));
    CHECK_INT("and then", feed(&s, EXTENSION("1")), 0);
    CHECK_INT("once", ledger.own_lines, 1);
}

static void
heard(void **state)
{
    struct scene s;
    struct telemetry_router none = {.loop = &s.loop};

    (void)state;
    open_scene(&s, ALL);
    s.listener.server.heard_ms = 4000;
    CHECK_INT("last", telemetry_router_heard_ms(&s.router), 4000);
    waiting = true;
    CHECK_INT("what waits is no silence", telemetry_router_heard_ms(&s.router), 5000);
    CHECK_INT("nobody listens", telemetry_router_heard_ms(&none), 0);
}

#define IN(name) "{\"instanceId\":\"" name "\",\"runtimeVersion\":\"v\"}"

/* With `cloudwatch` what CloudWatch does not have is not forwarded, and the stream is told before what is in it. */
static void
cloudwatch(void **state)
{
    static const struct {
        const char *name;
        enum system_level level;
        const char *events[4];
        const char *want;
        int last;
    } told[] = {
        {"its stream", SYSTEM_INFO, {PLATFORM("initStart", IN("s"))}, "stream:s event:platform", 1},
        {"that of a copy",
         SYSTEM_INFO,
         {PLATFORM("restoreStart", IN("s"))},
         "restored stream:s event:platform",
         1},
        {"no stream", SYSTEM_INFO, {PLATFORM("initStart", IN(""))}, "stream event:platform", 1},
        {"nothing of text",
         SYSTEM_INFO,
         {PLATFORM("initStart", "{}"), OF("runtimeDone", ID)},
         "stream flush",
         0},
        {"nor of JSON",
         SYSTEM_INFO,
         {AT(1) "\"function\",\"record\":{}}", OF("runtimeDone", ID)},
         "request:a event:function flush",
         0},
        {"more of JSON",
         SYSTEM_DEBUG,
         {AT(1) "\"function\",\"record\":{}}", OF("runtimeDone", ID)},
         "request:a event:function event:platform flush",
         1},
        {"an extension's JSON says nothing",
         SYSTEM_DEBUG,
         {EXTENSION("{}"), OF("start", ID), PLATFORM("initReport", "{\"status\":\"success\"}")},
         "event:extension event:platform request:a",
         0},
        {"less of JSON",
         SYSTEM_WARN,
         {AT(1) "\"function\",\"record\":{}}", OF("report", ID)},
         "request:a event:function",
         0},
    };

    (void)state;
    for (size_t i = 0; i < LEN(told); i++) {
        struct scene s;
        int got = -1;

        open_scene(&s, ALL);
        s.settings.format = EVENT_CLOUDWATCH;
        s.settings.system_level = told[i].level;
        for (size_t k = 0; told[i].events[k] != NULL; k++)
            got = feed(&s, told[i].events[k]);
        CHECK_SPAN(told[i].name, span_of(trace), span_of(told[i].want));
        CHECK_INT(told[i].name, got, told[i].last);
    }
}

/* It may be known before the first line. */
static void
cloudwatch_json(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, ALL);
    s.settings.format = EVENT_CLOUDWATCH;
    s.settings.json_lines = true;
    CHECK_INT("it is there", feed(&s, PLATFORM("logsDropped", "{\"droppedRecords\":3}")), 1);
    CHECK_INT("as JSON", origin.json, true);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(means_nothing),
        cmocka_unit_test(unheld),
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(our_own),
        cmocka_unit_test(full),
        cmocka_unit_test(ends_of_posts),
        cmocka_unit_test(damage),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(heard),
        cmocka_unit_test(selects),
        cmocka_unit_test(selects_when_full),
        cmocka_unit_test(last_of_all),
        cmocka_unit_test(cloudwatch),
        cmocka_unit_test(cloudwatch_json),
    };

    return RUN(argc, argv, tests);
}
