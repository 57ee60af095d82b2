#include "extension/metrics.h"

#include "check.h"
#include "kept_log.h"

/* A dispatcher that has a ledger, and no more. */
static struct ledger ledger;
static unsigned accounts;

struct span
telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d)
{
    (void)d;
    return SPAN("0123456789abcdef0123456789abcdef");
}

struct ledger *
telemetry_dispatcher_ledger(struct telemetry_dispatcher *d)
{
    (void)d;
    return &ledger;
}

uint64_t
telemetry_dispatcher_queued(const struct telemetry_dispatcher *d)
{
    (void)d;
    return 7;
}

void
telemetry_dispatcher_account(struct telemetry_dispatcher *d)
{
    (void)d;
    accounts++;
    ledger.connections = 2;
}

/* Any address will do. */
static struct telemetry_dispatcher dispatcher;
static struct settings settings;

static struct moment
at(uint64_t wall_ms)
{
    /* the monotonic clock tells nothing: it stands still while minutes go by in a freeze */
    return (struct moment){.ms = 1, .wall_ms = wall_ms};
}

/* What is published then, without the end of the line. */
static struct span
published(struct metrics *m, struct telemetry_dispatcher *d, uint64_t wall_ms, bool if_due)
{
    struct span rest;

    keep_log();
    if (if_due)
        metrics_publish_if_due(m, d, at(wall_ms));
    else
        metrics_publish(m, d, at(wall_ms));
    return span_cut(kept_log(), '\n', &rest);
}

static void
nothing_wanted(void **state)
{
    struct metrics m = {.settings = &settings};

    (void)state;
    settings.metrics = METRICS_NONE;
    accounts = 0;
    CHECK_SPAN("none", published(&m, &dispatcher, 1000000, false), SPAN(""));
    CHECK_SPAN("none due", published(&m, &dispatcher, 1000000, true), SPAN(""));
    settings.metrics = METRICS_EMF;
    CHECK_SPAN("nobody counts", published(&m, NULL, 1000000, false), SPAN(""));
    CHECK_INT("not asked", accounts, 0);
}

static void
what_changed(void **state)
{
    struct metrics m = {.settings = &settings};
    struct span line;

    (void)state;
    settings.metrics = METRICS_EMF;
    settings.function_name = SPAN("f");
    ledger = (struct ledger){.received = 10, .delivered = 3};
    line = published(&m, &dispatcher, 1000000, false);
    CHECK("time", span_find(line, SPAN("\"Timestamp\":1000000")) != NULL);
    CHECK("sandbox", span_find(line, SPAN("\"sandbox\":\"0123456789abcdef")) != NULL);
    CHECK("received", span_find(line, SPAN("\"Received\":10")) != NULL);
    CHECK("queued", span_find(line, SPAN("\"Queued\":7")) != NULL);
    CHECK("connections, up to date", span_find(line, SPAN("\"Connections\":2")) != NULL);
    ledger.received = 14;
    line = published(&m, &dispatcher, 1000001, false);
    CHECK("what came since", span_find(line, SPAN("\"Received\":4")) != NULL);
    CHECK("none since", span_find(line, SPAN("\"Delivered\":0")) != NULL);
}

static const struct {
    const char *name;
    uint64_t then_ms, now_ms;
    bool want;
} dues[] = {
    {"never before", 0, 1700000000000, true},
    {"just now", 1700000000000, 1700000000000, false},
    {"less than a minute", 1700000000000, 1700000059999, false},
    {"a minute", 1700000000000, 1700000060000, true},
    {"the clock was set back", 1700000000000, 1699999999999, true},
};

static void
due(void **state)
{
    (void)state;
    settings.metrics = METRICS_EMF;
    for (size_t i = 0; i < LEN(dues); i++) {
        struct metrics m = {.settings = &settings};

        if (dues[i].then_ms != 0)
            (void)published(&m, &dispatcher, dues[i].then_ms, false);
        CHECK_INT(dues[i].name, published(&m, &dispatcher, dues[i].now_ms, true).len > 0,
                  dues[i].want);
        CHECK_INT("and then not for a minute", published(&m, &dispatcher, dues[i].now_ms, true).len,
                  0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_wanted),
        cmocka_unit_test(what_changed),
        cmocka_unit_test(due),
    };

    return RUN(argc, argv, tests);
}
