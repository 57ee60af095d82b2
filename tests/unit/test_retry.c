#include "protocol/retry.h"

#include "check.h"

#define LEAST 0u
#define GREATEST UINT32_MAX
#define NO_HURRY UINT32_MAX

/* most: with the greatest dice; with the least it is always 0. */
static const struct {
    const char *name;
    enum retry_class class;
    unsigned failures;
    uint32_t left_ms;
    uint32_t most;
} waits[] = {
    {"transient, first", RETRY_TRANSIENT, 1, NO_HURRY, 50},
    {"transient, second", RETRY_TRANSIENT, 2, NO_HURRY, 100},
    {"transient, third", RETRY_TRANSIENT, 3, NO_HURRY, 200},
    {"transient, last below the cap", RETRY_TRANSIENT, 9, NO_HURRY, 12800},
    {"transient, first at the cap", RETRY_TRANSIENT, 10, NO_HURRY, 20000},
    {"transient, behind it", RETRY_TRANSIENT, 11, NO_HURRY, 20000},
    {"transient, for ever", RETRY_TRANSIENT, UINT32_MAX, NO_HURRY, 20000},
    {"throttled, first", RETRY_THROTTLED, 1, NO_HURRY, 1000},
    {"throttled, second", RETRY_THROTTLED, 2, NO_HURRY, 2000},
    {"throttled, last below the cap", RETRY_THROTTLED, 5, NO_HURRY, 16000},
    {"throttled, first at the cap", RETRY_THROTTLED, 6, NO_HURRY, 20000},
    {"throttled, for ever", RETRY_THROTTLED, UINT32_MAX, NO_HURRY, 20000},

    {"an eighth is just enough", RETRY_THROTTLED, 1, 8000, 1000},
    {"an eighth is one short", RETRY_THROTTLED, 1, 7999, 999},
    {"an eighth of the cap", RETRY_THROTTLED, 9, 160000, 20000},
    {"an eighth, transient", RETRY_TRANSIENT, 5, 2000, 250},
    {"an eighth is 50 ms", RETRY_THROTTLED, 9, 400, 50},
    {"an eighth is less than 50 ms", RETRY_THROTTLED, 9, 399, 50},
    {"50 ms are left", RETRY_THROTTLED, 9, 50, 50},
    {"less is left", RETRY_THROTTLED, 9, 49, 49},
    {"the same, transient", RETRY_TRANSIENT, 1, 49, 49},
    {"one is left", RETRY_TRANSIENT, 1, 1, 1},
    {"nothing is left", RETRY_TRANSIENT, 1, 0, 0},
};

static void
bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(waits); i++) {
        enum retry_class class = waits[i].class;
        unsigned failures = waits[i].failures;

        CHECK_INT(waits[i].name, retry_wait_ms(class, failures, LEAST, waits[i].left_ms), 0);
        CHECK_INT(waits[i].name, retry_wait_ms(class, failures, GREATEST, waits[i].left_ms),
                  waits[i].most);
    }
}

/* Every wait from none to the most is as likely as any other, and the dice alone decide. */
static void
jitter(void **state)
{
    unsigned met[51] = {0};

    (void)state;
    for (uint32_t i = 0; i < 5100; i++) {
        uint32_t dice = i * (UINT32_MAX / 5100);
        uint32_t wait_ms = retry_wait_ms(RETRY_TRANSIENT, 1, dice, NO_HURRY);

        assert_in_range(wait_ms, 0, 50);
        assert_int_equal(wait_ms, retry_wait_ms(RETRY_TRANSIENT, 1, dice, NO_HURRY));
        met[wait_ms]++;
    }
    for (size_t i = 0; i < LEN(met); i++)
        assert_in_range(met[i], 99, 101);
}

static const struct {
    const char *code;
    unsigned status;
    enum retry_class want;
} classes[] = {
    {"ProvisionedThroughputExceededException", 400, RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", 0, RETRY_THROTTLED},
    {"ThrottlingException", 400, RETRY_THROTTLED},
    {"LimitExceededException", 400, RETRY_THROTTLED},
    {"RequestLimitExceeded", 400, RETRY_THROTTLED},
    {"KMSThrottlingException", 400, RETRY_THROTTLED},
    {"TooManyRequestsException", 400, RETRY_THROTTLED},
    {"", 429, RETRY_THROTTLED},
    {"Unknown", 429, RETRY_THROTTLED},

    {"", 0, RETRY_TRANSIENT},
    {"", 200, RETRY_TRANSIENT},
    {"", 503, RETRY_TRANSIENT},
    {"InternalFailure", 0, RETRY_TRANSIENT},
    {"InternalFailureException", 500, RETRY_TRANSIENT},
    {"ServiceUnavailable", 503, RETRY_TRANSIENT},
    {"AccessDeniedException", 400, RETRY_TRANSIENT},
    {"ThrottlingExceptionX", 400, RETRY_TRANSIENT},
    {"throttlingexception", 400, RETRY_TRANSIENT},
};

static void
class_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(classes); i++)
        CHECK_INT(classes[i].code, retry_class(span_of(classes[i].code), classes[i].status),
                  classes[i].want);
    CHECK_INT("null", retry_class((struct span){NULL, 0}, 500), RETRY_TRANSIENT);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),
        cmocka_unit_test(jitter),
        cmocka_unit_test(class_of),
    };

    return RUN(argc, argv, tests);
}
