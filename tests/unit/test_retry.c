#include "protocol/retry.h"

#include "check.h"

#include <limits.h>

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
        struct retry r = {
            .class = waits[i].class,
            .failures = waits[i].failures,
            .left_ms = waits[i].left_ms,
        };

        CHECK_INT(waits[i].name, retry_wait_ms(&r, LEAST), 0);
        CHECK_INT(waits[i].name, retry_wait_ms(&r, GREATEST), waits[i].most);
    }
}

/* With a hint of the service; least and most as above. */
static const struct {
    const char *name;
    enum retry_class class;
    unsigned failures;
    uint32_t hint_ms, left_ms;
    uint32_t least, most;
} hints[] = {
    {"no hint", RETRY_TRANSIENT, 1, 0, NO_HURRY, 0, 50},
    {"shorter than the jitter allows", RETRY_TRANSIENT, 1, 30, NO_HURRY, 30, 50},
    {"longer", RETRY_TRANSIENT, 1, 700, NO_HURRY, 700, 700},
    {"just as long as is believed", RETRY_TRANSIENT, 1, 5000, NO_HURRY, 5000, 5000},
    {"more than is believed", RETRY_TRANSIENT, 1, 9000, NO_HURRY, 5000, 5050},
    {"for ever", RETRY_THROTTLED, 9, UINT32_MAX, NO_HURRY, 5000, 25000},
    {"longer than a deadline allows", RETRY_TRANSIENT, 1, 700, 800, 0, 100},
    {"as long as it allows", RETRY_TRANSIENT, 1, 100, 800, 100, 100},
};

static void
hinted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(hints); i++) {
        struct retry r = {hints[i].class, hints[i].failures, hints[i].hint_ms, hints[i].left_ms};

        CHECK_INT(hints[i].name, retry_wait_ms(&r, LEAST), hints[i].least);
        CHECK_INT(hints[i].name, retry_wait_ms(&r, GREATEST), hints[i].most);
    }
}

/* Every wait from none to the most is as likely as any other, and the dice alone decide. */
static void
jitter(void **state)
{
    const struct retry r = {RETRY_TRANSIENT, 1, 0, NO_HURRY};
    unsigned met[51] = {0};

    (void)state;
    for (uint32_t i = 0; i < 5100; i++) {
        uint32_t dice = i * (UINT32_MAX / 5100);
        uint32_t wait_ms = retry_wait_ms(&r, dice);

        assert_in_range(wait_ms, 0, 50);
        assert_int_equal(wait_ms, retry_wait_ms(&r, dice));
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
    /* the reference's table, by row; status 0 stands for one record of a reply */
    {"ProvisionedThroughputExceededException", 400, RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", 0, RETRY_THROTTLED},
    {"InternalFailure", 0, RETRY_TRANSIENT},
    {"InternalFailure", 500, RETRY_TRANSIENT},
    {"InternalFailureException", 500, RETRY_TRANSIENT},
    {"ServiceUnavailable", 503, RETRY_TRANSIENT},
    {"ServiceUnavailableException", 503, RETRY_TRANSIENT},
    {"", 502, RETRY_TRANSIENT},
    {"", 504, RETRY_TRANSIENT},
    {"", 0, RETRY_TRANSIENT},
    {"ThrottlingException", 400, RETRY_THROTTLED},
    {"LimitExceededException", 400, RETRY_THROTTLED},
    {"RequestLimitExceeded", 400, RETRY_THROTTLED},
    {"", 429, RETRY_THROTTLED},
    {"KMSThrottlingException", 400, RETRY_THROTTLED},
    {"KMSDisabledException", 400, RETRY_CONFIGURATION},
    {"KMSInvalidStateException", 400, RETRY_CONFIGURATION},
    {"KMSAccessDeniedException", 400, RETRY_CONFIGURATION},
    {"KMSNotFoundException", 400, RETRY_CONFIGURATION},
    {"KMSOptInRequired", 400, RETRY_CONFIGURATION},
    {"ResourceNotFoundException", 400, RETRY_CONFIGURATION},
    {"ValidationException", 400, RETRY_RECORD},
    {"InvalidArgumentException", 400, RETRY_RECORD},
    {"AccessDeniedException", 400, RETRY_CONFIGURATION},
    {"ExpiredTokenException", 400, RETRY_CREDENTIALS},
    {"ExpiredTokenException", 403, RETRY_CREDENTIALS},
    {"UnrecognizedClientException", 400, RETRY_CREDENTIALS},
    {"InvalidClientTokenId", 403, RETRY_CREDENTIALS},
    {"InvalidSignatureException", 400, RETRY_SKEW},
    {"SignatureDoesNotMatch", 403, RETRY_SKEW},
    {"IncompleteSignatureException", 400, RETRY_CONFIGURATION},
    {"IncompleteSignature", 403, RETRY_CONFIGURATION},
    {"MissingAuthenticationTokenException", 400, RETRY_CONFIGURATION},
    {"MissingAuthenticationToken", 403, RETRY_CONFIGURATION},
    {"SerializationException", 400, RETRY_REQUEST},
    {"UnknownOperationException", 404, RETRY_CONFIGURATION},
    {"", 413, RETRY_RECORD},

    /* what else the SDKs know */
    {"Throttling", 400, RETRY_THROTTLED},
    {"ThrottledException", 400, RETRY_THROTTLED},
    {"RequestThrottled", 400, RETRY_THROTTLED},
    {"RequestThrottledException", 400, RETRY_THROTTLED},
    {"TooManyRequestsException", 400, RETRY_THROTTLED},
    {"BandwidthLimitExceeded", 400, RETRY_THROTTLED},
    {"PriorRequestNotComplete", 400, RETRY_THROTTLED},
    {"RequestTimeout", 400, RETRY_TRANSIENT},
    {"RequestTimeoutException", 400, RETRY_TRANSIENT},
    {"RequestExpired", 400, RETRY_SKEW},
    {"RequestInTheFuture", 400, RETRY_SKEW},
    {"RequestEntityTooLargeException", 413, RETRY_RECORD},

    /* S3's */
    {"SlowDown", 503, RETRY_THROTTLED},
    {"InternalError", 500, RETRY_TRANSIENT},
    {"RequestTimeTooSkewed", 403, RETRY_SKEW},
    {"ExpiredToken", 400, RETRY_CREDENTIALS},
    {"InvalidAccessKeyId", 403, RETRY_CREDENTIALS},
    {"AccessDenied", 403, RETRY_CONFIGURATION},
    {"EntityTooLarge", 400, RETRY_RECORD},
    {"NoSuchBucket", 404, RETRY_CONFIGURATION},

    /* by the status alone */
    {"", 200, RETRY_TRANSIENT},
    {"", 500, RETRY_TRANSIENT},
    {"", 503, RETRY_TRANSIENT},
    {"", 400, RETRY_RECORD},
    {"", 408, RETRY_TRANSIENT},
    {"", 299, RETRY_TRANSIENT},
    {"", 300, RETRY_CONFIGURATION},
    {"", 301, RETRY_CONFIGURATION},
    {"", 403, RETRY_CONFIGURATION},
    {"", 404, RETRY_CONFIGURATION},
    {"", 499, RETRY_CONFIGURATION},
    {"X", 400, RETRY_REQUEST},
    {"Unknown", 0, RETRY_TRANSIENT},
    {"Unknown", 400, RETRY_REQUEST},
    {"Unknown", 403, RETRY_CONFIGURATION},
    {"Unknown", 413, RETRY_RECORD},
    {"Unknown", 429, RETRY_THROTTLED},
    {"Unknown", 500, RETRY_TRANSIENT},
    {"ThrottlingExceptionX", 400, RETRY_REQUEST},
    {"throttlingexception", 500, RETRY_TRANSIENT},
    {"KM", 500, RETRY_TRANSIENT},
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

/* t: a transient retry is paid for, T: a throttled one; x behind it: refused. r: refund. */
static const struct {
    const char *name, *script;
    uint32_t want;
} quotas[] = {
    {"at first", "", 500},
    {"never more", "rrr", 500},
    {"one retry", "t", 486},
    {"one throttled retry", "T", 495},
    {"a retry that succeeds is paid back", "tr", 500},
    {"the last one is", "ttr", 486},
    {"and once only", "ttrr", 487},
    {"a throttled one too", "tTr", 486},
    {"35 are paid for", "ttttttttttttttttttttttttttttttttttt", 10},
    {"no 36th", "ttttttttttttttttttttttttttttttttttttx", 10},
    {"but two throttled ones", "tttttttttttttttttttttttttttttttttttTTTx", 0},
    {"four successes more", "tttttttttttttttttttttttttttttttttttrrrrt", 13},
};

static void
quota(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(quotas); i++) {
        struct retry_quota q;

        retry_quota_open(&q);
        for (const char *s = quotas[i].script; *s != '\0'; s++) {
            enum retry_class class = *s == 't' ? RETRY_TRANSIENT : RETRY_THROTTLED;

            if (*s == 'r')
                retry_quota_refund(&q);
            else if (*s == 'x' || s[1] == 'x')
                CHECK_INT(quotas[i].name, *s != 'x' && retry_quota_covers(&q, class), false);
            else
                retry_quota_take(&q, class);
        }
        CHECK_INT(quotas[i].name, q.tokens, quotas[i].want);
    }
}

/* Five calls in the whole time, the first one at once. */
static void
in_vain(void **state)
{
    static const uint32_t at[] = {95, 285, 665, 1425, 2945};
    uint32_t now = 0;

    (void)state;
    for (unsigned i = 0; i < LEN(at); i++) {
        now += retry_in_vain_ms(i + 1, 1900);
        CHECK_INT("call", now, at[i]);
    }
    CHECK_INT("no time", retry_in_vain_ms(1, 0), 0);
    CHECK_INT("many", retry_in_vain_ms(1000, 60000), 96000);
    CHECK_INT("the longest", retry_in_vain_ms(UINT_MAX, UINT32_MAX / 32) > 0, true);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_vain), cmocka_unit_test(bounds),   cmocka_unit_test(hinted),
        cmocka_unit_test(jitter),  cmocka_unit_test(class_of), cmocka_unit_test(quota),
    };

    return RUN(argc, argv, tests);
}
