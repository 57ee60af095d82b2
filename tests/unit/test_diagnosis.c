#include "protocol/diagnosis.h"

#include "check.h"
#include "guard.h"

static void
words(void **state)
{
    static const char *const steps[CHECK_STEPS] = {
        "settings",  "credentials", "name",   "tcp", "proxy",      "tls",    "clock",
        "signature", "permission",  "stream", "key", "deadLetter", "result",
    };
    static const char *const statuses[] = {"ok", "failed", "warning", "notChecked"};

    (void)state;
    for (unsigned i = 0; i < CHECK_STEPS; i++)
        assert_string_equal(diagnosis_step((enum check_step)i), steps[i]);
    for (unsigned i = 0; i < LEN(statuses); i++)
        assert_string_equal(diagnosis_status((enum check_status)i), statuses[i]);
}

/* cause, remedy: what these begin with. */
static const struct {
    const char *code;
    unsigned reply;
    enum check_status status;
    enum check_step step;
    bool again, fit;
    const char *cause, *remedy;
} rows[] = {
    {"DryRunOperationException", 400, CHECK_OK, CHECK_STREAM, false, false, "nothing is", ""},
    {"", 200, CHECK_OK, CHECK_STREAM, false, false, "written", ""},
    {"", 201, CHECK_OK, CHECK_STREAM, false, false, "written", ""},
    {"", 0, CHECK_FAILED, CHECK_SIGNATURE, false, false, "", "find out what"},

    {"ThrottlingException", 400, CHECK_WARNING, CHECK_STREAM, true, true, "throttled", ""},
    {"LimitExceededException", 400, CHECK_WARNING, CHECK_STREAM, true, true, "throttled", ""},
    {"KMSThrottlingException", 400, CHECK_WARNING, CHECK_STREAM, true, true, "throttled", ""},
    {"ProvisionedThroughputExceededException", 400, CHECK_WARNING, CHECK_STREAM, true, true,
     "throttled", ""},
    {"SlowDown", 503, CHECK_WARNING, CHECK_STREAM, true, true, "throttled", ""},
    {"", 429, CHECK_WARNING, CHECK_STREAM, true, true, "throttled", ""},

    {"InternalFailure", 500, CHECK_FAILED, CHECK_SIGNATURE, true, false, "the service f", "try"},
    {"", 503, CHECK_FAILED, CHECK_SIGNATURE, true, false, "the service f", "try again"},
    {"", 502, CHECK_FAILED, CHECK_SIGNATURE, true, false, "the service f", "try again"},

    {"RequestExpired", 400, CHECK_FAILED, CHECK_CLOCK, false, false, "the time", "set the"},
    {"RequestInTheFuture", 400, CHECK_FAILED, CHECK_CLOCK, false, false, "the time", "set the"},
    {"RequestTimeTooSkewed", 403, CHECK_FAILED, CHECK_CLOCK, false, false, "the time", "set the"},

    {"ExpiredToken", 400, CHECK_FAILED, CHECK_SIGNATURE, false, true, "the session",
     "take AWS_ACCESS_KEY_ID"},
    {"ExpiredTokenException", 400, CHECK_FAILED, CHECK_SIGNATURE, false, true, "the session",
     "take AWS_ACCESS_KEY_ID"},
    {"UnrecognizedClientException", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the access key", "take AWS_ACCESS_KEY_ID"},
    {"InvalidClientTokenId", 403, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the access key",
     "take AWS_ACCESS_KEY_ID"},
    {"InvalidAccessKeyId", 403, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the access key",
     "take AWS_ACCESS_KEY_ID"},
    {"InvalidToken", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the access key",
     "take AWS_ACCESS_KEY_ID"},
    {"InvalidSignatureException", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature is wrong", "take AWS_ACCESS_KEY_ID"},
    {"SignatureDoesNotMatch", 403, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature is wrong", "take AWS_ACCESS_KEY_ID"},
    {"IncompleteSignature", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature is wrong", "take AWS_ACCESS_KEY_ID"},
    {"IncompleteSignatureException", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature is wrong", "take AWS_ACCESS_KEY_ID"},
    {"MissingAuthenticationToken", 403, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature did not", "find out what"},
    {"MissingAuthenticationTokenException", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false,
     "the signature did not", "find out what"},
    {"", 403, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the reply is not", "find out what"},
    {"", 400, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the reply is not", "find out what"},
    {"", 301, CHECK_FAILED, CHECK_SIGNATURE, false, false, "the reply is not", "find out what"},

    {"AccessDenied", 403, CHECK_FAILED, CHECK_PERMISSION, false, true, "not allowed", "add"},
    {"AccessDeniedException", 400, CHECK_FAILED, CHECK_PERMISSION, false, true, "not allowed",
     "add"},
    {"ResourceNotFoundException", 400, CHECK_FAILED, CHECK_STREAM, false, true,
     "there is no such stream", "create it, or correct KINESIS_STREAM_NAME"},
    {"NoSuchBucket", 404, CHECK_FAILED, CHECK_STREAM, false, true, "there is no such bucket",
     "create it, or correct TELEMETRY"},
    {"KMSDisabledException", 400, CHECK_FAILED, CHECK_KEY, false, true, "the KMS key", "enable"},
    {"KMSInvalidStateException", 400, CHECK_FAILED, CHECK_KEY, false, true, "the KMS key",
     "enable"},
    {"KMSNotFoundException", 400, CHECK_FAILED, CHECK_KEY, false, true, "the KMS key", "enable"},
    {"KMSAccessDeniedException", 400, CHECK_FAILED, CHECK_KEY, false, true, "the KMS key",
     "enable"},

    /* those whose names only begin alike, or that nobody expects */
    {"Expired", 400, CHECK_FAILED, CHECK_STREAM, false, false, "refused", "look the code up"},
    {"NoSuchBuckets", 400, CHECK_FAILED, CHECK_STREAM, false, false, "refused", "look the code up"},
    {"ValidationException", 400, CHECK_FAILED, CHECK_STREAM, false, false, "refused",
     "look the code up"},
    {"SerializationException", 400, CHECK_FAILED, CHECK_STREAM, false, false, "refused",
     "look the code up"},
};

static struct span
remedy(const struct diagnosis *d, struct span message)
{
    static char text[700];
    struct out o = out_to(text, sizeof text);

    diagnosis_remedy(&o, d, guard_copy(message),
                     &(struct diagnosis_target){SPAN("s:Act"), SPAN("RESOURCE")});
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static void
replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *name = rows[i].code;
        const struct diagnosis *d = diagnosis_of(rows[i].reply, guard_copy(span_of(name)));
        struct span help = remedy(d, SPAN("to perform: nothing"));

        CHECK_INT(name, d->status, rows[i].status);
        CHECK_INT(name, d->step, rows[i].step);
        CHECK_INT(name, d->again, rows[i].again);
        CHECK_INT(name, d->fit, rows[i].fit);
        CHECK(name, span_starts(span_of(d->cause), span_of(rows[i].cause)));
        CHECK_INT(name, d->cause[0] == '\0', *rows[i].cause == '\0');
        CHECK(name, span_starts(help, span_of(rows[i].remedy)));
        CHECK_INT(name, help.len == 0, *rows[i].remedy == '\0');
        CHECK_INT(name, span_find(help, SPAN("nothing\"")) != NULL, d->step == CHECK_PERMISSION);
    }
}

#define DENIED "User: arn:aws:sts::1:role/r is not authorized to perform: "
#define MESSAGE DENIED "a:B on resource: arn:x:y/z"
#define STATEMENT(action, resource)                                                                \
    "{\"Effect\":\"Allow\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"

/* Messages of refusals, and the statement that is missing. */
static const char *const denials[][2] = {
    {MESSAGE " because no identity-based policy allows the a:B action",
     STATEMENT("a:B", "arn:x:y/z")},
    {MESSAGE " with an explicit deny in a service control policy", STATEMENT("a:B", "arn:x:y/z")},
    {MESSAGE, STATEMENT("a:B", "arn:x:y/z")},
    {DENIED "\"a:B\" on resource: \"arn:x:y/z\" because", STATEMENT("a:B", "arn:x:y/z")},
    {DENIED "a:B", STATEMENT("a:B", "RESOURCE")},
    {DENIED, STATEMENT("s:Act", "RESOURCE")},
    {DENIED " on resource: ", STATEMENT("s:Act", "RESOURCE")},
    {DENIED "\"\" on resource: \"", STATEMENT("s:Act", "\"")},
    {"Access Denied", STATEMENT("s:Act", "RESOURCE")},
    {"", STATEMENT("s:Act", "RESOURCE")},
};

static void
statements(void **state)
{
    const struct diagnosis *d = diagnosis_of(403, SPAN("AccessDenied"));

    (void)state;
    for (size_t i = 0; i < LEN(denials); i++) {
        struct span help = remedy(d, span_of(denials[i][0]));

        help = span_skip(help, strlen(d->remedy));
        CHECK_SPAN(denials[i][0], help, span_of(denials[i][1]));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(replies),
        cmocka_unit_test(statements),
    };

    return RUN(argc, argv, tests);
}
