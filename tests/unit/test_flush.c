#include "protocol/flush.h"

#include "check.h"

static const struct {
    enum flush_policy policy;
    bool managed_instances, frequent, crowded;
    enum flush_policy want;
} policies[] = {
    {FLUSH_END, false, true, false, FLUSH_END},
    {FLUSH_END, true, true, false, FLUSH_END},
    {FLUSH_CONTINUOUS, false, false, true, FLUSH_CONTINUOUS},
    {FLUSH_CONTINUOUS, true, false, true, FLUSH_CONTINUOUS},
    {FLUSH_ADAPTIVE, false, false, false, FLUSH_END},
    {FLUSH_ADAPTIVE, false, false, true, FLUSH_END},
    {FLUSH_ADAPTIVE, false, true, false, FLUSH_CONTINUOUS},
    {FLUSH_ADAPTIVE, false, true, true, FLUSH_END},
    {FLUSH_ADAPTIVE, true, false, false, FLUSH_CONTINUOUS},
    {FLUSH_ADAPTIVE, true, true, true, FLUSH_CONTINUOUS},
};

static void
effective(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(policies); i++) {
        struct flush_state s = {
            .policy = policies[i].policy,
            .managed_instances = policies[i].managed_instances,
            .frequent = policies[i].frequent,
            .crowded = policies[i].crowded,
        };

        CHECK_INT("policy", flush_effective(&s), policies[i].want);
    }
}

#define SEVEN(ms) ms, ms, ms, ms, ms, ms, ms
#define EIGHT(ms) SEVEN(ms), ms

/* Times between invocations, one after the other; whether they are frequent behind the last. */
static const struct {
    const char *name;
    size_t len;
    uint64_t idle_ms[20];
    bool want;
} paces[] = {
    {"too few to tell", 7, {SEVEN(0)}, false},
    {"eight at once", 8, {EIGHT(0)}, true},
    {"eight, just close enough", 8, {EIGHT(25)}, true},
    {"eight, a little too far", 8, {SEVEN(25), 26}, false},
    {"far, then close: too early to tell",
     12,
     {100, 100, 100, 100, 100, 100, 100, 100, 0, 0, 0, 0},
     false},
    {"close for long enough", 14, {100, 100, 100, 100, 100, 100, 100, 100, 0, 0, 0, 0, 0, 0}, true},
    {"it takes more to end it", 16, {EIGHT(25), EIGHT(50)}, true},
    {"this much", 16, {EIGHT(25), SEVEN(50), 51}, false},
    {"a single long one", 9, {EIGHT(0), 250}, true},
    {"a longer one ends it", 9, {EIGHT(0), 251}, false},
    {"a night ends it", 9, {EIGHT(0), 36000000}, false},
    {"longer than can be said", 9, {EIGHT(0), UINT64_MAX}, false},
    {"a long one is remembered", 16, {EIGHT(0), 251, SEVEN(0)}, false},
    {"and forgotten", 17, {EIGHT(0), 251, EIGHT(0)}, true},
};

static void
pace(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(paces); i++) {
        struct flush_pace p = {0};

        for (size_t n = 0; n < paces[i].len; n++)
            flush_idle(&p, paces[i].idle_ms[n]);
        CHECK_INT(paces[i].name, p.frequent, paces[i].want);
    }
}

/* At 1,000 ms, with the budget of an invocation that is done, or would be, over before its time. */
enum { NOW = 0, BUDGET = 200, DEADLINE = 2900 };

static const struct flush_state moment = {
    .now_ms = 1000,
    .runtime_done_ms = 900,
    .budget_ms = 300,
    .deadline_ms = 4000,
};

/*
 * The decision table. Each condition is y, n or - for either; the policy e, c, a for end,
 * continuous, adaptive. Every combination is decided by exactly one rule.
 */
static const struct {
    const char *name;
    const char *conditions; /* policy, managed, subscribed, rests, done, drained */
    uint32_t want;
} rules[] = {
    {"continuous holds nothing", "c-----", NOW},
    {"end, nothing to wait for", "e-n---", NOW},
    {"end, waiting brings nothing", "e-yy--", NOW},
    {"end, function runs", "e-ynn-", DEADLINE},
    {"end, function is done, more to send", "e-ynyn", BUDGET},
    {"end, all is done", "e-ynyy", NOW},
    {"adaptive on managed instances holds nothing", "ay----", NOW},
    {"adaptive, nothing to wait for", "ann---", NOW},
    {"adaptive, waiting brings nothing", "anyy--", NOW},
    {"adaptive, function runs", "anynn-", DEADLINE},
    {"adaptive, function is done, more to send", "anynyn", BUDGET},
    {"adaptive, all is done", "anynyy", NOW},
};

static bool
meets(const struct flush_state *s, const char *conditions)
{
    bool facts[] = {s->managed_instances, s->subscribed, s->delivery_rests, s->runtime_done,
                    s->drained};

    if (s->policy != (conditions[0] == 'e'   ? FLUSH_END
                      : conditions[0] == 'c' ? FLUSH_CONTINUOUS
                                             : FLUSH_ADAPTIVE))
        return false;
    for (size_t i = 0; i < LEN(facts); i++)
        if (conditions[i + 1] != '-' && facts[i] != (conditions[i + 1] == 'y'))
            return false;
    return true;
}

static void
decisions(void **state)
{
    static const enum flush_policy all[] = {FLUSH_END, FLUSH_CONTINUOUS, FLUSH_ADAPTIVE};

    (void)state;
    for (unsigned n = 0; n < LEN(all) << 5; n++) {
        struct flush_state s = moment;
        size_t met = 0;

        s.policy = all[n >> 5];
        s.managed_instances = n & 1;
        s.subscribed = n & 2;
        s.delivery_rests = n & 4;
        s.runtime_done = n & 8;
        s.drained = n & 16;
        for (size_t i = 0; i < LEN(rules); i++) {
            if (!meets(&s, rules[i].conditions))
                continue;
            met++;
            CHECK_INT(rules[i].name, flush_hold_ms(&s), rules[i].want);
        }
        assert_int_equal(met, 1);
    }
}

/* Of an invocation that is held: while its function runs, or for what is left to send. */
static const struct {
    const char *name;
    bool done;
    uint64_t now_ms, done_ms, deadline_ms;
    uint32_t budget_ms;
    uint32_t want;
} holds[] = {
    {"runs", false, 1000, 0, 4000, 500, 2900},
    {"runs, the budget begins later", false, 1000, 0, 4000, 0, 2900},
    {"runs, a millisecond is left", false, 3899, 0, 4000, 500, 1},
    {"runs, at the margin", false, 3900, 0, 4000, 500, 0},
    {"runs, within the margin", false, 3950, 0, 4000, 500, 0},
    {"runs, behind the deadline", false, 5000, 0, 4000, 500, 0},
    {"runs, deadline at the margin", false, 0, 0, 100, 500, 0},
    {"runs, deadline behind the margin", false, 0, 0, 101, 500, 1},
    {"runs, deadline within the margin", false, 0, 0, 99, 500, 0},
    {"runs, deadline unknown", false, 1000, 0, 0, 500, 0},
    {"runs, for half an hour at most", false, 1000, 0, 1801000, 500, 1799900},
    {"runs, for an hour and a half", false, 1000, 0, 5401000, 500, 5399900},
    {"runs for weeks", false, 1000, 0, UINT64_MAX, 500, UINT32_MAX},
    {"runs as long as can be said", false, 0, 0, UINT32_MAX + 100ull, 500, UINT32_MAX},
    {"one less", false, 1, 0, UINT32_MAX + 100ull, 500, UINT32_MAX - 1},

    {"done just now", true, 1000, 1000, 4000, 500, 500},
    {"done before", true, 1499, 1000, 4000, 500, 1},
    {"budget is spent", true, 1500, 1000, 4000, 500, 0},
    {"budget is long spent", true, 3000, 1000, 4000, 500, 0},
    {"no budget", true, 1000, 1000, 4000, 0, 0},
    {"the deadline comes first", true, 3700, 3700, 4000, 500, 200},
    {"budget and deadline at once", true, 3700, 3700, 4000, 200, 200},
    {"the budget comes first", true, 3700, 3700, 4000, 199, 199},
    {"done, within the margin", true, 3950, 3950, 4000, 500, 0},
    {"done, deadline unknown", true, 1000, 1000, 0, 500, 0},
    {"done, a budget of an hour and a half", true, 1001, 1000, 5401000, 5400000, 5399899},
    {"the same, long after", true, 5400899, 1000, 5401000, 5400000, 1},
    {"greatest budget", true, 1000, 1000, UINT64_MAX, UINT32_MAX, UINT32_MAX},
};

static void
how_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(holds); i++) {
        struct flush_state s = {
            .policy = FLUSH_END,
            .subscribed = true,
            .runtime_done = holds[i].done,
            .now_ms = holds[i].now_ms,
            .runtime_done_ms = holds[i].done_ms,
            .deadline_ms = holds[i].deadline_ms,
            .budget_ms = holds[i].budget_ms,
        };

        CHECK_INT(holds[i].name, flush_hold_ms(&s), holds[i].want);
    }
}

/* A function that runs, or whose end was lost: for how long its silence is waited for. */
static const struct {
    const char *name;
    bool doubtful, done;
    uint64_t heard_ms;
    uint32_t silence_ms;
    uint32_t want;
} silences[] = {
    {"no doubt, silent for long", false, false, 1, 0, 2900},
    {"doubt, heard just now", true, false, 1000, 0, 500},
    {"doubt, heard before", true, false, 501, 0, 1},
    {"doubt, silent for the budget", true, false, 500, 0, 0},
    {"doubt, but the end is known", true, true, 1, 0, 400},
    {"no doubt, silence has an end", false, false, 900, 2000, 1900},
    {"no doubt, that end is here", false, false, 900, 100, 0},
    {"a millisecond of silence", false, false, 1000, 1, 1},
    {"doubt, silence ends before the budget", true, false, 900, 300, 200},
    {"doubt, the budget ends before silence", true, false, 900, 2000, 400},
    {"silence may last beyond the deadline", false, false, 900, 5000, 2900},
    {"silence, but the end is known", false, true, 1, 100, 400},
};

static void
silent(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(silences); i++) {
        struct flush_state s = {
            .policy = FLUSH_END,
            .subscribed = true,
            .runtime_done = silences[i].done,
            .doubtful = silences[i].doubtful,
            .now_ms = 1000,
            .runtime_done_ms = 900,
            .heard_ms = silences[i].heard_ms,
            .deadline_ms = 4000,
            .budget_ms = 500,
            .silence_ms = silences[i].silence_ms,
        };

        CHECK_INT(silences[i].name, flush_hold_ms(&s), silences[i].want);
    }
}

/* An invocation that did not end well, with more to send. */
static const struct {
    const char *name;
    bool done, failed, resets, doubtful;
    uint32_t budget_ms;
    uint32_t want;
} failures[] = {
    {"well", true, false, false, false, 3000, 2900},
    {"failed: a second at most", true, true, false, false, 3000, 900},
    {"failed: a second", true, true, false, false, 1001, 900},
    {"failed: less than that", true, true, false, false, 999, 899},
    {"a success after one that failed", false, true, false, false, 3000, 8900},
    {"reset", true, true, true, false, 3000, 0},
    {"reset, whatever the status", true, false, true, false, 3000, 0},
    {"an earlier one was", false, true, true, false, 3000, 8900},
    {"may have failed: a second of silence", false, false, false, true, 3000, 700},
    {"may have failed: less", false, false, false, true, 999, 699},
};

static void
not_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(failures); i++) {
        struct flush_state s = {
            .policy = FLUSH_END,
            .subscribed = true,
            .runtime_done = failures[i].done,
            .failed = failures[i].failed,
            .resets = failures[i].resets,
            .doubtful = failures[i].doubtful,
            .now_ms = 1000,
            .runtime_done_ms = 900,
            .heard_ms = 700,
            .deadline_ms = 10000,
            .budget_ms = failures[i].budget_ms,
        };

        CHECK_INT(failures[i].name, flush_hold_ms(&s), failures[i].want);
    }
}

/* The first `next` under SnapStart: ready at 1000. */
static const struct {
    const char *name;
    bool runtime_done, delivered;
    uint64_t heard_ms;
    uint64_t want;
} inits[] = {
    {"a second of silence", false, true, 1000, 2050},
    {"since it was heard last", false, true, 1700, 2750},
    {"and one for delivery", false, false, 1700, 3750},
    {"the runtime is done", true, true, 1700, 1750},
    {"and a second for delivery", true, false, 1700, 2750},
    {"five seconds at most", false, true, 5001, 6000},
    {"whatever is left", false, false, 4500, 6000},
};

static void
first_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(inits); i++) {
        struct flush_init init = {
            .runtime_done = inits[i].runtime_done,
            .delivered = inits[i].delivered,
            .quiet_ms = 50,
            .begun_ms = 1000,
            .heard_ms = inits[i].heard_ms,
        };

        CHECK_INT(inits[i].name, flush_init_until_ms(&init), inits[i].want);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(effective),  cmocka_unit_test(pace),   cmocka_unit_test(decisions),
        cmocka_unit_test(how_long),   cmocka_unit_test(silent), cmocka_unit_test(not_well),
        cmocka_unit_test(first_next),
    };

    return RUN(argc, argv, tests);
}
