#include "protocol/wire.h"

#include "check.h"

#include <stdio.h>

/* What becomes of a request in CBOR as long as CBOR is not proven, and of JSON when it meets the same. */
enum outcome {
    STAYS,   /* an error like others */
    TRIAL,   /* JSON is tried; if it does no better, CBOR is tried again */
    GATEWAY, /* the same; and the first time JSON's success is not believed */
    REFUSED  /* JSON for good */
};

static const struct {
    unsigned status;
    const char *code;
    enum outcome outcome;
} replies[] = {
    /* a server says that it does not know the content type, or does not know what to make of it */
    {415, "", REFUSED},
    {415, "UnsupportedMediaTypeException", REFUSED},
    {415, "ValidationException", REFUSED},
    {400, "SerializationException", REFUSED},
    {400, "UnknownOperationException", REFUSED},
    {400, "MissingAuthenticationTokenException", REFUSED},
    {403, "SerializationException", REFUSED},
    {403, "UnknownOperationException", REFUSED},
    {403, "MissingAuthenticationTokenException", REFUSED},
    {403, "MissingAuthenticationToken", REFUSED},
    {404, "SerializationException", REFUSED},
    {404, "UnknownOperationException", REFUSED},
    {404, "MissingAuthenticationTokenException", REFUSED},
    {400, "", REFUSED},
    {404, "", REFUSED},
    {406, "", REFUSED},

    /* none of Kinesis' codes */
    {401, "", TRIAL},
    {403, "", TRIAL},
    {405, "", TRIAL},
    {500, "", TRIAL},
    {500, "InternalError", TRIAL},
    {500, "KeyError", TRIAL},
    {501, "NotImplemented", TRIAL},
    {505, "", TRIAL},
    {400, "InvalidAction", TRIAL},
    {400, "Serialization", TRIAL},
    {400, "SerializationExceptions", TRIAL},
    {406, "NotAcceptable", TRIAL},
    {502, "", GATEWAY},
    {503, "", GATEWAY},
    {504, "", GATEWAY},

    /* a reply that cannot be read */
    {200, "", TRIAL},
    {204, "", TRIAL},

    /* all else has other reasons */
    {400, "ValidationException", STAYS},
    {400, "ResourceNotFoundException", STAYS},
    {400, "ProvisionedThroughputExceededException", STAYS},
    {400, "KMSInvalidStateException", STAYS},
    {404, "ResourceNotFoundException", STAYS},
    {400, "InvalidSignatureException", STAYS},
    {403, "InvalidSignatureException", STAYS},
    {403, "AccessDeniedException", STAYS},
    {413, "", STAYS},
    {429, "", STAYS},
    {500, "InternalFailure", STAYS},
    {500, "SerializationException", STAYS},
    {503, "UnknownOperationException", STAYS},
    {503, "ServiceUnavailableException", STAYS},
    {302, "", STAYS},
    {0, "", STAYS},
};

static void
refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct wire fresh = {.form = WIRE_CBOR};
        struct wire json = {.form = WIRE_JSON};
        struct wire proven = {.form = WIRE_CBOR};
        struct span code = span_of(replies[i].code);
        unsigned status = replies[i].status;
        enum outcome outcome = replies[i].outcome;
        char row[64];

        snprintf(row, sizeof row, "%u %s", status, replies[i].code);
        CHECK_INT(row, wire_refused(&fresh, status, code), outcome != STAYS);
        CHECK_INT(row, fresh.form, outcome == STAYS ? WIRE_CBOR : WIRE_JSON);
        /* the same reply to JSON is an error like others */
        if (outcome != STAYS)
            CHECK(row, !wire_refused(&fresh, status, code));
        CHECK_INT(row, fresh.form, outcome == REFUSED ? WIRE_JSON : WIRE_CBOR);
        /* once CBOR is proven, a single one changes nothing */
        CHECK_INT(row, wire_accepted(&proven), 0);
        CHECK(row, !wire_refused(&proven, status, code));
        CHECK_INT(row, proven.form, WIRE_CBOR);
        CHECK_INT(row, wire_measure(&proven), WIRE_CBOR);
        /* JSON that was asked for is what is sent */
        CHECK(row, !wire_refused(&json, status, code));
        CHECK_INT(row, json.form, WIRE_JSON);
    }
}

/* JSON does what CBOR did not. */
static void
trial(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct wire w = {.form = WIRE_CBOR};
        struct span code = span_of(replies[i].code);
        unsigned status = replies[i].status;
        enum outcome outcome = replies[i].outcome;
        char row[64];

        if (outcome == STAYS)
            continue;
        snprintf(row, sizeof row, "%u %s", status, replies[i].code);
        CHECK(row, wire_refused(&w, status, code));
        CHECK_INT(row, wire_measure(&w), WIRE_JSON);
        /* an error that says nothing of the form ends no trial */
        CHECK(row, !wire_refused(&w, 400, SPAN("ProvisionedThroughputExceededException")));
        CHECK_INT(row, w.form, WIRE_JSON);
        if (outcome == GATEWAY) {
            CHECK_INT(row, wire_accepted(&w), 0);
            CHECK_INT(row, w.form, WIRE_CBOR);
            CHECK(row, wire_refused(&w, status, code));
        }
        CHECK_INT(row, wire_accepted(&w), outcome == REFUSED ? 0 : status);
        CHECK_INT(row, wire_accepted(&w), 0);
        CHECK_INT(row, w.form, WIRE_JSON);
        CHECK_INT(row, wire_measure(&w), WIRE_JSON);
        CHECK(row, !wire_refused(&w, status, code));
        CHECK_INT(row, w.form, WIRE_JSON);
    }
}

/* A server that cuts replies in CBOR from some size on: the first, small one was read. */
static void
unreadable_later(void **state)
{
    struct wire w = {.form = WIRE_CBOR};

    (void)state;
    wire_accepted(&w);
    assert_false(wire_refused(&w, 200, SPAN("")));
    wire_accepted(&w);
    assert_int_equal(w.form, WIRE_CBOR);
    /* errors that have no code are no more than that, however often they come */
    assert_false(wire_refused(&w, 500, SPAN("")));
    assert_false(wire_refused(&w, 502, SPAN("")));
    assert_int_equal(w.form, WIRE_CBOR);
    assert_true(wire_refused(&w, 200, SPAN("")));
    assert_int_equal(w.form, WIRE_JSON);
    assert_int_equal(wire_measure(&w), WIRE_JSON);
    assert_int_equal(wire_accepted(&w), 200);
    assert_false(wire_refused(&w, 200, SPAN("")));
    assert_int_equal(w.form, WIRE_JSON);
}

/* An error that is not about the form leaves open whether CBOR is taken. */
static void
later(void **state)
{
    struct wire w = {.form = WIRE_CBOR};

    (void)state;
    assert_false(wire_refused(&w, 503, SPAN("ServiceUnavailableException")));
    assert_false(wire_refused(&w, 400, SPAN("ResourceNotFoundException")));
    assert_true(wire_refused(&w, 415, SPAN("")));
    /* JSON that succeeds proves nothing of CBOR, and there is no way back */
    wire_accepted(&w);
    assert_int_equal(w.form, WIRE_JSON);
    assert_int_equal(wire_measure(&w), WIRE_JSON);
}

/* An outage before the first success: when it ends, CBOR is the form. */
static void
outage(void **state)
{
    struct wire w = {.form = WIRE_CBOR};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(wire_refused(&w, 500, SPAN("")));
        assert_false(wire_refused(&w, 503, SPAN("")));
    }
    assert_int_equal(w.form, WIRE_CBOR);
    assert_int_equal(wire_accepted(&w), 0);
    assert_int_equal(wire_measure(&w), WIRE_CBOR);
}

static void
measure(void **state)
{
    struct wire w = {.form = WIRE_CBOR};

    (void)state;
    assert_int_equal(wire_measure(&w), WIRE_JSON);
    wire_accepted(&w);
    assert_int_equal(wire_measure(&w), WIRE_CBOR);
    w = (struct wire){.form = WIRE_JSON};
    assert_int_equal(wire_measure(&w), WIRE_JSON);
    wire_accepted(&w);
    assert_int_equal(wire_measure(&w), WIRE_JSON);
}

static void
content_type(void **state)
{
    (void)state;
    CHECK_SPAN("CBOR", wire_content_type(WIRE_CBOR), SPAN("application/x-amz-cbor-1.1"));
    CHECK_SPAN("JSON", wire_content_type(WIRE_JSON), SPAN("application/x-amz-json-1.1"));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),          cmocka_unit_test(trial),
        cmocka_unit_test(unreadable_later), cmocka_unit_test(later),
        cmocka_unit_test(outage),           cmocka_unit_test(measure),
        cmocka_unit_test(content_type),
    };

    return RUN(argc, argv, tests);
}
