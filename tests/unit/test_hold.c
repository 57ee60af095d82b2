#include "protocol/hold.h"

#include "check.h"

#define ID "aaaaaaaa-0000-4000-8000-000000000001"

/* Both clocks say something else of each moment. */
static struct moment
at(uint64_t ms)
{
    return (struct moment){.ms = ms, .wall_ms = 1700000000000 + ms};
}

/* INVOKE came at 1,000 ms, with ten seconds to run. */
static void
begin(struct hold *h, const struct settings *settings)
{
    *h = (struct hold){.settings = settings};
    hold_begin(h, SPAN(ID), at(11000).wall_ms, at(1000));
}

/*
 * What reaches the rule (test_flush has its table): each row changes one thing about an invocation whose
 * function runs, or has ended at 1,100 ms with something still to be delivered. Asked at 1,200 ms.
 */
struct change {
    const char *name;
    enum flush_policy policy;
    struct hold_state state;
    bool interleaved, ended, doubtful;
    bool frequent, failed, resets;
    uint32_t budget_ms; /* 500, where it is not said */
    uint32_t silence_ms;
    uint32_t want_ms;
};

/* The function ended at this moment, somehow. */
static void
ended(struct hold *h, uint64_t ms, const struct change *how)
{
    struct event done = {.type = EVENT_PLATFORM, .request_id = SPAN(ID)};

    done.failed = how->failed;
    done.resets = how->resets;
    (void)invocations_done(&h->invocations, &done, at(ms), 25);
}

#define SUBSCRIBED .subscribed = true, .heard_ms = 1150

static const struct change changes[] = {
    {"runs: until its deadline, less a margin", FLUSH_END, {SUBSCRIBED}, .want_ms = 9700},
    {"has ended: for the budget", FLUSH_END, {SUBSCRIBED}, .ended = true, .want_ms = 400},
    {"delivered", FLUSH_END, {SUBSCRIBED, .delivered = true}, .ended = true, .want_ms = 0},
    {"delivered, but it runs", FLUSH_END, {SUBSCRIBED, .delivered = true}, .want_ms = 9700},
    {"pointless", FLUSH_END, {SUBSCRIBED, .pointless = true}, .ended = true, .want_ms = 0},
    {"no telemetry", FLUSH_END, {.heard_ms = 1150}, .want_ms = 0},
    {"an end may be lost", FLUSH_END, {SUBSCRIBED}, .doubtful = true, .want_ms = 450},
    {"silence", FLUSH_END, {SUBSCRIBED}, .silence_ms = 70, .want_ms = 20},
    {"continuous", FLUSH_CONTINUOUS, {SUBSCRIBED}, .want_ms = 0},
    {"adaptive, seldom invoked", FLUSH_ADAPTIVE, {SUBSCRIBED}, .want_ms = 9700},
    {"adaptive, side by side", FLUSH_ADAPTIVE, {SUBSCRIBED}, .interleaved = true, .want_ms = 0},
    {"adaptive, invoked often", FLUSH_ADAPTIVE, {SUBSCRIBED}, .frequent = true, .want_ms = 0},
    {"the same, but the queue is half full",
     FLUSH_ADAPTIVE,
     {SUBSCRIBED, .crowded = true},
     .frequent = true,
     .want_ms = 9700},
    {"a longer budget", FLUSH_END, {SUBSCRIBED}, .ended = true, .budget_ms = 3000, .want_ms = 2900},
    {"the same, but it failed",
     FLUSH_END,
     {SUBSCRIBED},
     .ended = true,
     .failed = true,
     .budget_ms = 3000,
     .want_ms = 900},
    {"has ended by a reset", FLUSH_END, {SUBSCRIBED}, .ended = true, .resets = true, .want_ms = 0},
};

static void
whether_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(changes); i++) {
        const struct change *c = &changes[i];
        struct settings settings = {
            .flush = c->policy,
            .flush_budget_ms = c->budget_ms > 0 ? c->budget_ms : 500,
            .hold_silence_ms = c->silence_ms,
        };
        struct hold h;

        begin(&h, &settings);
        h.interleaved = c->interleaved;
        h.invocations.pace.frequent = c->frequent;
        if (c->ended)
            ended(&h, 1100, c);
        if (c->doubtful)
            invocations_doubt(&h.invocations);
        CHECK_INT(c->name, h.held, true);
        CHECK_INT(c->name, hold_ms(&h, &c->state, at(1200)), c->want_ms);
        if (c->ended)
            CHECK_INT(c->name, hold_until_ms(&h),
                      1100 + (c->failed ? 1000 : settings.flush_budget_ms));
        hold_end(&h, at(1200));
        CHECK_INT(c->name, h.held || h.invocations.doubtful, false);
    }
}

/* The function ends so late that the deadline comes before the budget is over. */
static void
ends_late(void **state)
{
    struct settings settings = {.flush = FLUSH_END, .flush_budget_ms = 500};
    struct hold_state view = {SUBSCRIBED};
    struct hold h;

    (void)state;
    begin(&h, &settings);
    ended(&h, 10800, &changes[0]);
    assert_int_equal(hold_until_ms(&h), 10900);
    assert_int_equal(hold_ms(&h, &view, at(10850)), 50);
}

/* A function that may run for an hour and a half, with a budget as long: no time is cut on the way. */
static void
longest(void **state)
{
    enum { MOST_MS = 5400000, LATE_MS = 4500000 };
    struct settings settings = {
        .flush = FLUSH_END, .flush_budget_ms = MOST_MS, .hold_silence_ms = MOST_MS};
    struct hold_state view = {.subscribed = true, .heard_ms = 1000};
    struct hold h = {.settings = &settings};

    (void)state;
    hold_begin(&h, SPAN(ID), at(1000 + MOST_MS).wall_ms, at(1000));
    CHECK_INT("patience", h.patience_ms, MOST_MS);
    CHECK_INT("runs", hold_ms(&h, &view, at(1000)), MOST_MS - 100);
    CHECK_INT("runs, almost as long", hold_ms(&h, &view, at(MOST_MS)), 900);
    ended(&h, LATE_MS, &changes[0]);
    CHECK_INT("has ended", hold_ms(&h, &view, at(LATE_MS)), 1000 + MOST_MS - 100 - LATE_MS);
}

/* A deadline that has passed, by a wall clock that was set forward, say. */
static void
no_time(void **state)
{
    struct settings settings = {.flush = FLUSH_END, .flush_budget_ms = 500};
    struct hold h = {.settings = &settings};
    struct hold_state view = {SUBSCRIBED};

    (void)state;
    hold_begin(&h, SPAN(ID), 1000, at(1000));
    assert_int_equal(h.deadline_ms, 1000);
    assert_int_equal(hold_ms(&h, &view, at(1000)), 0);
}

/* How long telemetry must be silent at the end. */
static void
quiet(void **state)
{
    struct settings settings = {.buffer_timeout_ms = 100};
    struct hold h = {.settings = &settings};

    (void)state;
    assert_int_equal(hold_quiet_ms(&h), 125);
    begin(&h, &settings);
    assert_int_equal(hold_quiet_ms(&h), 160);
    ended(&h, 1100, &changes[0]);
    assert_int_equal(hold_quiet_ms(&h), 160);
    invocations_report(&h.invocations, SPAN(ID));
    assert_int_equal(hold_quiet_ms(&h), 125);
}

/*
 * What a full queue may cost, with a budget of 500 ms: `s` the queue is full for an event, `S` the same, of
 * a sender that has waited; `t` an event is taken, `T` the same, of one that has waited; `r` the patience is
 * renewed, `e` `next` is asked for, `b` INVOKE. Each step is 100 ms after the one before.
 */
static const struct {
    const char *name, *steps;
    uint32_t want_ms;
    bool told; /* as of the last step that was `t` or `T` */
} patiences[] = {
    {"the budget", "", 500, false},
    {"never full", "t", 500, false},
    {"waited once", "sT", 400, true},
    {"asked again and again while it waits", "sSSST", 100, true},
    {"waited twice", "sTsT", 300, true},
    {"what was waited for is not counted twice", "sTT", 400, false},
    {"more than there was", "sSSSSSSST", 0, true},
    {"and more", "sSSSSSSSTsST", 0, true},
    {"the sender has gone: it does not wait", "st", 500, false},
    {"another sender waits", "sSSsT", 400, true},
    {"renewed", "sTr", 500, true},
    {"renewed while it waits: only what follows counts", "sSSrST", 300, true},
    {"nothing is held", "esSST", 500, false},
    {"waits since before INVOKE", "esSbT", 400, true},
    {"it waits again", "sTST", 300, true},
    {"renewed while nobody waits", "rT", 500, false},
};

static void
patience(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(patiences); i++) {
        struct settings settings = {.flush_budget_ms = 500};
        struct hold h;
        uint64_t now = 1000;
        bool told = false;

        begin(&h, &settings);
        for (const char *p = patiences[i].steps; *p != '\0'; p++) {
            bool waited = *p == 'S' || *p == 'T';

            now += 100;
            if (*p == 'r')
                hold_renew_patience(&h, at(now));
            else if (*p == 'e')
                hold_end(&h, at(now));
            else if (*p == 'b')
                hold_begin(&h, SPAN(ID), at(11000).wall_ms, at(now));
            else if ((*p | 0x20) == 's')
                hold_stalled(&h, waited, at(now));
            else
                told = hold_resumed(&h, waited, at(now));
        }
        CHECK_INT(patiences[i].name, h.patience_ms, patiences[i].want_ms);
        CHECK_INT(patiences[i].name, told, patiences[i].told);
    }
}

static void
least_patience(void **state)
{
    static const uint32_t rows[][2] = {{0, 25}, {10, 25}, {25, 25}, {26, 26}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct settings settings = {.flush_budget_ms = rows[i][0]};
        struct hold h;

        begin(&h, &settings);
        CHECK_INT("patience", h.patience_ms, rows[i][1]);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whether_held),   cmocka_unit_test(ends_late), cmocka_unit_test(longest),
        cmocka_unit_test(no_time),        cmocka_unit_test(quiet),     cmocka_unit_test(patience),
        cmocka_unit_test(least_patience),
    };

    return RUN(argc, argv, tests);
}
