#include "protocol/breaker.h"

#include "check.h"

/*
 * What happens in a row: f a call fails, s one is silent, h one is hopeless, q the quota is used
 * up, + one succeeds; four failures open it. opened: the step at which it opened, counted from 1;
 * 0: not at all. intervals: least and greatest wait for the probe, as of the last step.
 */
static const struct {
    const char *name, *steps;
    int opened;
    bool open;
    uint32_t least, most;
} rows[] = {
    {"at first", "", 0, false, 0, 0},
    {"one failure", "f", 0, false, 0, 0},
    {"one less than it takes", "fff", 0, false, 0, 0},
    {"as many as it takes", "ffff", 4, true, 500, 1000},
    {"a success in between", "fff+fff", 0, false, 0, 0},
    {"and then enough", "fff+ffff", 8, true, 500, 1000},
    {"two silent ones", "ss", 0, false, 0, 0},
    {"three silent ones", "sss", 3, true, 500, 1000},
    {"three of them, not in a row", "ssf", 0, false, 0, 0},
    {"among other failures", "fsff", 4, true, 500, 1000},
    {"a hopeless one", "h", 1, true, 500, 1000},
    {"no quota left", "fq", 2, true, 500, 1000},
    {"the probe fails", "hf", 1, true, 1000, 2000},
    {"the probe is silent", "hs", 1, true, 1000, 2000},
    {"twice", "hff", 1, true, 2000, 4000},
    {"three times", "hfff", 1, true, 4000, 8000},
    {"four times", "hffff", 1, true, 8000, 16000},
    {"five times", "hfffff", 1, true, 15000, 30000},
    {"longer it never waits", "hffffffffffffffffffffffffffffffffff", 1, true, 15000, 30000},
    {"the probe succeeds", "hf+", 1, false, 0, 0},
    {"and all begins anew", "hf+h", 4, true, 500, 1000},
};

/* Runs the steps, all at the same moment; returns the step that opened it last. */
static int
run(struct breaker *b, const char *steps, uint32_t dice)
{
    int opened = 0;

    *b = (struct breaker){0};
    for (int i = 0; steps[i] != '\0'; i++) {
        enum breaker_failure failure = steps[i] == 'f'   ? BREAKER_FAILED
                                       : steps[i] == 's' ? BREAKER_SILENT
                                       : steps[i] == 'h' ? BREAKER_HOPELESS
                                                         : BREAKER_EXHAUSTED;

        if (steps[i] == '+')
            breaker_succeed(b);
        else if (breaker_fail(b, failure, 4, 1000000, dice))
            opened = i + 1;
    }
    return opened;
}

static void
steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct breaker b;

        CHECK_INT(rows[i].name, run(&b, rows[i].steps, 0), rows[i].opened);
        CHECK_INT(rows[i].name, breaker_open(&b), rows[i].open);
        if (!rows[i].open)
            continue;
        CHECK_INT(rows[i].name, breaker_probe_at_ms(&b), 1000000 + rows[i].least);
        (void)run(&b, rows[i].steps, UINT32_MAX);
        CHECK_INT(rows[i].name, breaker_probe_at_ms(&b), 1000000 + rows[i].most - 1);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
    };

    return RUN(argc, argv, tests);
}
