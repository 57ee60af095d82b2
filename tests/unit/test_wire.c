#include "protocol/wire.h"

#include "check.h"

#include <stdio.h>

static const struct {
    unsigned status;
    const char *code;
    bool refused;
} replies[] = {
    /* a server says that it does not know the content type, or does not know what to make of it */
    {415, "", true},
    {415, "UnsupportedMediaTypeException", true},
    {415, "ValidationException", true},
    {400, "SerializationException", true},
    {400, "UnknownOperationException", true},
    {400, "MissingAuthenticationTokenException", true},
    {403, "SerializationException", true},
    {403, "UnknownOperationException", true},
    {403, "MissingAuthenticationTokenException", true},
    {403, "MissingAuthenticationToken", true},
    {404, "SerializationException", true},
    {404, "UnknownOperationException", true},
    {404, "MissingAuthenticationTokenException", true},
    {400, "", true},
    {404, "", true},
    {406, "", true},

    /* all else has other reasons */
    {403, "", false},
    {406, "NotAcceptable", false},
    {400, "ValidationException", false},
    {400, "ResourceNotFoundException", false},
    {404, "ResourceNotFoundException", false},
    {400, "Serialization", false},
    {400, "SerializationExceptions", false},
    {400, "InvalidSignatureException", false},
    {403, "InvalidSignatureException", false},
    {403, "AccessDeniedException", false},
    {401, "", false},
    {405, "", false},
    {413, "", false},
    {429, "", false},
    {500, "", false},
    {500, "SerializationException", false},
    {503, "UnknownOperationException", false},
    {302, "", false},
    {0, "", false},
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
        char row[64];

        snprintf(row, sizeof row, "%u %s", replies[i].status, replies[i].code);
        CHECK_INT(row, wire_refused(&fresh, replies[i].status, code), replies[i].refused);
        CHECK_INT(row, fresh.form, replies[i].refused ? WIRE_JSON : WIRE_CBOR);
        /* once: the same reply to JSON is an error like others */
        if (replies[i].refused)
            CHECK(row, !wire_refused(&fresh, replies[i].status, code));
        wire_accepted(&proven);
        CHECK(row, !wire_refused(&proven, replies[i].status, code));
        CHECK_INT(row, proven.form, WIRE_CBOR);
        CHECK(row, !wire_refused(&json, replies[i].status, code));
        CHECK_INT(row, json.form, WIRE_JSON);
    }
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
        cmocka_unit_test(refused),
        cmocka_unit_test(later),
        cmocka_unit_test(measure),
        cmocka_unit_test(content_type),
    };

    return RUN(argc, argv, tests);
}
