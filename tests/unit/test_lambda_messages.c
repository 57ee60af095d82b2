#include "protocol/lambda_messages.h"

#include "check.h"
#include "guard.h"
#include "protocol/event.h"
#include "seed.h"

#include <stdio.h>

static void
register_body(void **state)
{
    (void)state;
    CHECK_SPAN("invoke and shutdown", lambda_register_body(false),
               SPAN("{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}"));
    CHECK_SPAN("shutdown alone", lambda_register_body(true), SPAN("{\"events\":[\"SHUTDOWN\"]}"));
}

static const struct {
    const char *name, *body, *account_id;
} registrations[] = {
    {"all members",
     "{\"accountId\":\"123456789012\",\"functionName\":\"helloWorld\",\"functionVersion\":"
     "\"$LATEST\",\"handler\":\"lambda_function.lambda_handler\"}",
     "123456789012"},
    {"as the emulator breaks lines",
     "{\n\t\"functionName\": \"f\",\n\t\"functionVersion\": \"$LATEST\",\n\t\"handler\": \"\",\n"
     "\t\"accountId\": \"000000000000\"\n}\n",
     "000000000000"},
    {"no account", "{\"functionName\":\"f\",\"functionVersion\":\"1\",\"handler\":\"h\"}", ""},
    {"empty account", "{\"accountId\":\"\"}", ""},
    {"as long as there is room", "{\"accountId\":\"1234567890123456\"}", "1234567890123456"},
    {"longer", "{\"accountId\":\"12345678901234567\"}", ""},
    {"no text", "{\"accountId\":123456789012}", ""},
    {"null", "{\"accountId\":null}", ""},
    {"in a member", "{\"a\":{\"accountId\":\"1\"}}", ""},
    {"array", "[\"accountId\",\"1\"]", ""},
    {"cut", "{\"accountId\":\"123456789012\"", ""},
    {"no JSON", "OK", ""},
    {"nothing", "", ""},
};

static void
registered(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(registrations); i++) {
        struct lambda_registered r = {.account_id_len = 7};

        seed("lambda_messages", span_of(registrations[i].body));
        lambda_registered(guard_copy(span_of(registrations[i].body)), &r);
        CHECK_SPAN(registrations[i].name, ((struct span){r.account_id, r.account_id_len}),
                   span_of(registrations[i].account_id));
    }
}

#define ID "3da1f2dc-3222-475e-9205-e2e6c6318895"
#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct event_row {
    const char *name, *body;
    int want;
    enum lambda_event_type type;
    uint64_t deadline_ms;
    const char *request_id, *reason;
} events[] = {
    {"invoke, documented",
     "{\"eventType\":\"INVOKE\",\"deadlineMs\":1775516174092,\"requestId\":\"" ID "\",\n"
     " \"invokedFunctionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:f:live\",\n"
     " \"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1-2;Parent=3;Sampled=0\"}}",
     0, LAMBDA_INVOKE, 1775516174092, ID, ""},
    {"invoke without tracing",
     "{\"eventType\":\"INVOKE\",\"deadlineMs\":1775516174092,\"requestId\":\"" ID "\","
     "\"invokedFunctionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:f\"}",
     0, LAMBDA_INVOKE, 1775516174092, ID, ""},
    {"shutdown, documented",
     "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":1654469121614,\"shutdownReason\":\"spindown\"}", 0,
     LAMBDA_SHUTDOWN, 1654469121614, "", "spindown"},
    {"shutdown in capitals",
     "{\"shutdownReason\":\"TIMEOUT\",\"deadlineMs\":676051,\"eventType\":\"SHUTDOWN\"}", 0,
     LAMBDA_SHUTDOWN, 676051, "", "TIMEOUT"},
    {"shutdown by the emulator",
     "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":1,\"shutdownReason\":\"SandboxTerminated\"}", 0,
     LAMBDA_SHUTDOWN, 1, "", "SandboxTerminated"},
    {"members unknown",
     "{\"a\":[{\"eventType\":\"INVOKE\"}],\"eventType\":\"SHUTDOWN\",\"b\":{\"deadlineMs\":5}}", 0,
     LAMBDA_SHUTDOWN, 0, "", ""},
    {"type alone", "{\"eventType\":\"INVOKE\"}", 0, LAMBDA_INVOKE, 0, "", ""},
    {"type with escapes", "{\"eventType\":\"INV\\u004fKE\"}", 0, LAMBDA_INVOKE, 0, "", ""},
    {"white space around", "\r\n {\"eventType\":\"INVOKE\"} \t\n", 0, LAMBDA_INVOKE, 0, "", ""},

    {"deadline greatest", "{\"eventType\":\"INVOKE\",\"deadlineMs\":9223372036854775807}", 0,
     LAMBDA_INVOKE, INT64_MAX, "", ""},
    {"deadline too great", "{\"eventType\":\"INVOKE\",\"deadlineMs\":9223372036854775808}", 0,
     LAMBDA_INVOKE, 0, "", ""},
    {"deadline negative", "{\"eventType\":\"INVOKE\",\"deadlineMs\":-1}", 0, LAMBDA_INVOKE, 0, "",
     ""},
    {"deadline with fraction", "{\"eventType\":\"INVOKE\",\"deadlineMs\":1.5}", 0, LAMBDA_INVOKE, 0,
     "", ""},
    {"deadline as text", "{\"eventType\":\"INVOKE\",\"deadlineMs\":\"1\"}", 0, LAMBDA_INVOKE, 0, "",
     ""},
    {"id as long as there is room", "{\"eventType\":\"INVOKE\",\"requestId\":\"" SIXTY_FOUR "\"}",
     0, LAMBDA_INVOKE, 0, SIXTY_FOUR, ""},
    {"id longer", "{\"eventType\":\"INVOKE\",\"requestId\":\"" SIXTY_FOUR "0\"}", 0, LAMBDA_INVOKE,
     0, "", ""},
    {"id longer, with an escape", "{\"eventType\":\"INVOKE\",\"requestId\":\"a\\t" SIXTY_FOUR "\"}",
     0, LAMBDA_INVOKE, 0, "", ""},
    {"id null", "{\"eventType\":\"INVOKE\",\"requestId\":null}", 0, LAMBDA_INVOKE, 0, "", ""},
    {"reason as long as there is room",
     "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"0123456789abcdef0123456789abcdef\"}", 0,
     LAMBDA_SHUTDOWN, 0, "", "0123456789abcdef0123456789abcdef"},
    {"reason longer",
     "{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"0123456789abcdef0123456789abcdefg\"}", 0,
     LAMBDA_SHUTDOWN, 0, "", ""},

    {"type unknown", "{\"eventType\":\"RESTORE\",\"deadlineMs\":1}", ERR_BAD, 0, 0, "", ""},
    {"type in lower case", "{\"eventType\":\"invoke\"}", ERR_BAD, 0, 0, "", ""},
    {"type empty", "{\"eventType\":\"\"}", ERR_BAD, 0, 0, "", ""},
    {"type long", "{\"eventType\":\"INVOKEINVOKEINVOKE\"}", ERR_BAD, 0, 0, "", ""},
    {"type null", "{\"eventType\":null}", ERR_BAD, 0, 0, "", ""},
    {"no type", "{\"deadlineMs\":1}", ERR_BAD, 0, 0, "", ""},
    {"array", "[{\"eventType\":\"INVOKE\"}]", ERR_BAD, 0, 0, "", ""},
    {"two documents", "{\"eventType\":\"INVOKE\"}{}", ERR_BAD, 0, 0, "", ""},
    {"an error reply", "{\"errorMessage\":\"m\",\"errorType\":\"InternalServerError\"}", ERR_BAD, 0,
     0, "", ""},
    {"HTML", "<html>", ERR_BAD, 0, 0, "", ""},
    {"nothing", "", ERR_BAD, 0, 0, "", ""},
};

static void
check_event(const struct event_row *row)
{
    struct lambda_event e;

    memset(&e, 0xff, sizeof e);
    CHECK_INT(row->name, lambda_event(guard_copy(span_of(row->body)), &e), row->want);
    if (row->want != 0)
        return;
    CHECK_INT(row->name, e.type, row->type);
    CHECK_INT(row->name, e.deadline_ms, row->deadline_ms);
    CHECK_SPAN(row->name, ((struct span){e.request_id, e.request_id_len}),
               span_of(row->request_id));
    CHECK_SPAN(row->name, ((struct span){e.reason, e.reason_len}), span_of(row->reason));
}

/* Whole, then cut short at each byte, which makes no event of it. */
static void
event(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct span body = span_of(events[i].body);

        seed("lambda_messages", body);
        check_event(&events[i]);
        while (body.len > 0 && body.p[body.len - 1] != '}')
            body.len--;
        while (body.len > 0 && events[i].want == 0) {
            struct lambda_event e;

            body.len--;
            CHECK_INT(events[i].name, lambda_event(guard_copy(body), &e), ERR_BAD);
        }
    }
}

/* The account in INVOKE's ARN. */
static void
account(void **state)
{
    static const struct {
        const char *name, *arn, *want;
    } rows[] = {
        {"function", "arn:aws:lambda:us-east-1:123456789012:function:f", "123456789012"},
        {"alias", "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live", "123456789012"},
        {"no function", "arn:aws:lambda:us-east-1:123456789012", ""},
        {"as short as may be", ":123456789012:function:", "123456789012"},
        {"shorter than that", "123456789012:function:", ""},
        {"shorter", "arn:aws:lambda:us-east-1:12345678901:function:f", ""},
        {"longer", "arn:aws:lambda:us-east-1:1234567890123:function:f", ""},
        {"other signs", "arn:aws:lambda:us-east-1:12345678901\\\":function:f", ""},
        {"too few parts", "arn:aws:lambda:123456789012", ""},
        {"a name", "f", ""},
        {"nothing", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char body[256];
        struct lambda_event e;

        snprintf(body, sizeof body, "{\"eventType\":\"INVOKE\",\"invokedFunctionArn\":\"%s\"}",
                 rows[i].arn);
        CHECK_INT(rows[i].name, lambda_event(guard_copy(span_of(body)), &e), 0);
        CHECK_SPAN(rows[i].name, ((struct span){e.account_id, e.account_id_len}),
                   span_of(rows[i].want));
    }
}

#define BUFFERING "\"buffering\":{\"maxItems\":10000,\"maxBytes\":1048576,\"timeoutMs\":25}"
#define DESTINATION                                                                                \
    "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:4243/0af5\"}"

static const struct {
    const char *name;
    struct lambda_subscription subscription;
    const char *want;
} subscriptions[] = {
    {"function",
     {TEXT("2025-01-29"), EVENT_FUNCTION, 10000, 1048576, 25, 4243, TEXT("/0af5")},
     "{\"schemaVersion\":\"2025-01-29\",\"types\":[\"function\"]," BUFFERING "," DESTINATION "}"},
    {"platform and function, the older version",
     {TEXT("2022-12-13"), EVENT_FUNCTION | EVENT_PLATFORM, 10000, 1048576, 25, 4243, TEXT("/0af5")},
     "{\"schemaVersion\":\"2022-12-13\",\"types\":[\"platform\",\"function\"]," BUFFERING
     "," DESTINATION "}"},
    {"platform and extension",
     {TEXT("2025-01-29"), EVENT_PLATFORM | EVENT_EXTENSION, 10000, 1048576, 25, 4243,
      TEXT("/0af5")},
     "{\"schemaVersion\":\"2025-01-29\",\"types\":[\"platform\",\"extension\"]," BUFFERING
     "," DESTINATION "}"},
    {"all types, least numbers",
     {TEXT("v"), EVENT_FUNCTION | EVENT_PLATFORM | EVENT_EXTENSION, 1000, 262144, 0, 1, TEXT("")},
     "{\"schemaVersion\":\"v\",\"types\":[\"platform\",\"function\",\"extension\"],"
     "\"buffering\":{\"maxItems\":1000,\"maxBytes\":262144,\"timeoutMs\":0},"
     "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:1\"}}"},
    {"greatest numbers",
     {TEXT("2025-01-29"), EVENT_EXTENSION, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT16_MAX,
      TEXT("/")},
     "{\"schemaVersion\":\"2025-01-29\",\"types\":[\"extension\"],"
     "\"buffering\":{\"maxItems\":4294967295,\"maxBytes\":4294967295,\"timeoutMs\":4294967295},"
     "\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:65535/\"}}"},
};

/* Into every room from none to just enough and one more. */
static void
subscription_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(subscriptions); i++) {
        struct span want = span_of(subscriptions[i].want);

        for (size_t cap = 0; cap <= want.len + 1; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(subscriptions[i].name,
                      lambda_subscription_body(&o, &subscriptions[i].subscription),
                      cap < want.len ? ERR_FULL : 0);
            CHECK(subscriptions[i].name, span_starts(want, out_span(&o)));
            if (cap >= want.len)
                CHECK_SPAN(subscriptions[i].name, out_span(&o), want);
        }
    }
}

static const struct {
    const char *name, *body, *want; /* NULL: a null span */
} errors[] = {
    {"documented", "{\"errorMessage\":\"m\",\"errorType\":\"Extension.InvalidEventType\"}",
     "Extension.InvalidEventType"},
    {"not supported",
     "{\"errorMessage\":\"Telemetry API is not supported\",\"errorType\":"
     "\"Telemetry.NotSupported\"}",
     "Telemetry.NotSupported"},
    {"type first",
     "{\"errorType\":\"ValidationError\",\"errorMessage\":\"URI port is not provided\"}",
     "ValidationError"},
    /* the emulator's, with the quotes that make it no JSON */
    {"no JSON, type first",
     "{\"errorType\": \"ValidationError\", \"errorMessage\": \"schema validation error: "
     "jsonschema: '/schemaVersion' does not validate with file:///a.json#/properties/"
     "schemaVersion/enum: value must be \"2025-01-29\"\"}",
     "ValidationError"},
    {"no JSON, type last",
     "{\"errorMessage\": \"value must be \"2025-01-29\"\", \"errorType\": \"ValidationError\"}",
     "ValidationError"},
    {"blanks around the colon", "{\"errorType\"  :  \"a\"}", "a"},
    {"empty", "{\"errorType\":\"\"}", ""},
    {"first of two", "{\"errorType\":\"a\",\"errorType\":\"b\"}", "a"},
    /* known: an escape is not understood; no error type of the platform's has one */
    {"escape", "{\"errorType\":\"a\\\"b\"}", "a\\"},

    {"null", "{\"errorType\":null}", NULL},
    {"a number", "{\"errorType\":1}", NULL},
    {"an object", "{\"errorType\":{\"a\":\"b\"}}", NULL},
    {"other case", "{\"errortype\":\"a\"}", NULL},
    {"part of a name", "{\"xerrorType\":\"a\"}", NULL},
    {"absent", "{\"errorMessage\":\"m\"}", NULL},
    {"text", "Not Found", NULL},
    {"nothing", "", NULL},
};

static void
error_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(errors); i++) {
        struct span got = lambda_error_type(guard_copy(span_of(errors[i].body)));

        seed("lambda_messages", span_of(errors[i].body));
        CHECK_SPAN(errors[i].name, got, span_of(errors[i].want));
        CHECK(errors[i].name, (got.p == NULL) == (errors[i].want == NULL));
    }
    assert_null(lambda_error_type((struct span){NULL, 0}).p);
}

/* Cut short at each byte: the type whole or none of it. */
static void
error_type_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(errors); i++) {
        struct span body = span_of(errors[i].body);

        while (body.len > 0) {
            struct span got;

            body.len--;
            got = lambda_error_type(guard_copy(body));
            CHECK(errors[i].name, got.len == 0 || span_same(got, span_of(errors[i].want)));
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_body),
        cmocka_unit_test(registered),
        cmocka_unit_test(event),
        cmocka_unit_test(account),
        cmocka_unit_test(subscription_body),
        cmocka_unit_test(error_type),
        cmocka_unit_test(error_type_cut),
    };

    return RUN(argc, argv, tests);
}
