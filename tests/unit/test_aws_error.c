#include "protocol/aws_error.h"

#include "check.h"
#include "diag.h"
#include "guard.h"
#include "seed.h"

#define PROLOGUE "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static const struct {
    const char *name;
    struct span header, body;
    const char *code, *message;
} replies[] = {
    {"plain", TEXT(""),
     TEXT("{\"__type\":\"ResourceNotFoundException\",\"message\":\"Stream s1 not found.\"}"),
     "ResourceNotFoundException", "Stream s1 not found."},
    {"namespace", TEXT(""),
     TEXT("{\"__type\":\"com.amazon.coral.service#SerializationException\",\"Message\":\"m\"}"),
     "SerializationException", "m"},
    {"detail", TEXT(""), TEXT("{\"__type\":\"aws#Name:http://internal/#x\"}"), "Name", ""},
    {"white space, other members", TEXT(""),
     TEXT(" \r\n{ \"message\" : \"m\", \"a\":[{\"__type\":\"Inner\"}],\n\"__type\" : \"Name\" } "),
     "Name", "m"},
    {"message with escapes as it stands", TEXT(""),
     TEXT("{\"__type\":\"Name\",\"message\":\"a \\\"b\\\"\\n\"}"), "Name", "a \\\"b\\\"\\n"},
    {"no message", TEXT(""), TEXT("{\"__type\":\"Name\"}"), "Name", ""},
    {"message null", TEXT(""), TEXT("{\"__type\":\"Name\",\"message\":null}"), "Name", ""},
    {"empty and full message", TEXT(""),
     TEXT("{\"Message\":\"m\",\"message\":\"\",\"__type\":\"Name\"}"), "Name", "m"},
    {"member code", TEXT(""), TEXT("{\"code\":\"Name\",\"message\":\"m\"}"), "Name", "m"},
    {"member code is the second choice", TEXT(""), TEXT("{\"code\":\"B\",\"__type\":\"A\"}"), "A",
     ""},
    {"cut short", TEXT(""), TEXT("{\"__type\":\"Name\",\"message\":\"m\",\"more\":[1,"), "Name",
     "m"},
    {"code of other characters", TEXT(""), TEXT("{\"__type\":\"a b\",\"message\":\"m\"}"), "", "m"},
    {"code with an escape", TEXT(""), TEXT("{\"__type\":\"a\\u0041\"}"), "", ""},
    {"full stops, hyphens", TEXT(""),
     TEXT("{\"__type\":\"com.amazonaws.sqs#AWS.SimpleQueueService.Non-Existent_Queue1\"}"),
     "AWS.SimpleQueueService.Non-Existent_Queue1", ""},

    {"header only", TEXT("ThrottlingException"), TEXT(""), "ThrottlingException", ""},
    {"header with detail", TEXT("ValidationException:http://internal.amazon.com/coral/#a"),
     TEXT("{\"message\":\"m\"}"), "ValidationException", "m"},
    {"header with namespace", TEXT("aws#Name"), TEXT("{}"), "Name", ""},
    {"body before header", TEXT("Header"), TEXT("{\"__type\":\"Body\"}"), "Body", ""},
    {"header when the type is unreadable", TEXT("Header"), TEXT("{\"__type\":1}"), "Header", ""},
    {"header before XML", TEXT("Header"), TEXT("<Body><Message>m</Message></Body>"), "Header", "m"},
    {"header unreadable", TEXT("a b"), TEXT(""), "", ""},
    {"header empty but for the detail", TEXT(":x"), TEXT(""), "", ""},

    {"XML named after the error", TEXT(""),
     TEXT("<MissingAuthenticationTokenException>\n  <Message>Missing Authentication Token"
          "</Message>\n</MissingAuthenticationTokenException>\n"),
     "MissingAuthenticationTokenException", "Missing Authentication Token"},
    {"XML, closed at once", TEXT(""), TEXT("<UnknownOperationException/>\n"),
     "UnknownOperationException", ""},
    {"XML with prologue and comment", TEXT(""),
     TEXT(PROLOGUE "<!-- x -->\n<AccessDeniedException a=\"b\"><message>m</message>"),
     "AccessDeniedException", "m"},
    {"XML of S3", TEXT(""),
     TEXT(PROLOGUE "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>"
                   "<RequestId>1</RequestId></Error>"),
     "SlowDown", "Please reduce your request rate."},
    {"XML of older services", TEXT(""),
     TEXT("<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>Throttling</Code></Error>"
          "</ErrorResponse>"),
     "Throttling", ""},
    {"XML without a code", TEXT(""), TEXT("<Error><Message>m</Message></Error>"), "", "m"},
    {"XML cut in message", TEXT(""), TEXT("<Error><Code>Name</Code><Message>m"), "Name", ""},
    {"XML cut in code", TEXT(""), TEXT("<Error><Code>Na"), "", ""},
    {"XML cut at once", TEXT(""), TEXT("<"), "", ""},
    {"XML cut in name", TEXT(""), TEXT("<UnknownOperation"), "", ""},
    {"prologue only", TEXT(""), TEXT(PROLOGUE), "", ""},

    {"nothing", TEXT(""), TEXT(""), "", ""},
    {"nothing at all", {NULL, 0}, {NULL, 0}, "", ""},
    {"HTML", TEXT(""), TEXT("<html><head><title>502 Bad Gateway</title></head>"), "", ""},
    {"HTML in great letters", TEXT(""), TEXT("<!DOCTYPE HTML><HTML><BODY>"), "", ""},
    {"text", TEXT(""), TEXT("Service Unavailable <Code>x</Code>"), "", ""},
    {"array", TEXT(""), TEXT("[\"__type\",\"Name\"]"), "", ""},
    {"string", TEXT(""), TEXT("\"__type\""), "", ""},
    {"string in CBOR", TEXT(""), TEXT("\x66__type"), "", ""},
    {"broken JSON", TEXT(""), TEXT("{\"__type\" \"Name\"}"), "", ""},
};

/* In CBOR's notation, diag.h. */
static const struct {
    const char *name, *header, *body, *code, *message;
} cbor_replies[] = {
    {"definite", "", "{\"__type\": \"ResourceNotFoundException\", \"message\": \"Stream s1\"}",
     "ResourceNotFoundException", "Stream s1"},
    {"indefinite", "", "{_ \"__type\": \"Name\", \"message\": \"m\"}", "Name", "m"},
    {"namespace, great letter", "",
     "{\"Message\": \"m\", \"__type\": \"com.amazon.coral.service#Name\"}", "Name", "m"},
    {"detail", "", "{\"__type\": \"aws#Name:http://internal/#x\"}", "Name", ""},
    {"other members", "", "{\"a\": [{\"__type\": \"Inner\"}, -1], 7: {}, \"__type\": \"Name\"}",
     "Name", ""},
    {"message null", "", "{\"__type\": \"Name\", \"message\": null}", "Name", ""},
    {"member code", "", "{\"code\": \"Name\", \"message\": \"m\"}", "Name", "m"},
    {"member code is the second choice", "", "{\"code\": \"B\", \"__type\": \"A\"}", "A", ""},
    {"tags", "", "55799({1(\"__type\"): 2(\"Name\")})", "Name", ""},
    {"chunks", "", "{(_ \"__\", \"type\"): (_ \"Name\"), \"message\": (_ \"\", \"m\")}", "Name",
     "m"},
    {"the first of two chunks", "", "{\"__type\": (_ \"Na\", \"me\")}", "Na", ""},
    {"cut short", "", "{_ \"__type\": \"Name\", \"message\": \"m\", x'9f'}", "Name", "m"},
    {"code of other characters", "", "{\"__type\": \"a b\", \"message\": \"m\"}", "", "m"},
    {"code no string", "", "{\"__type\": 1}", "", ""},
    {"body before header", "Header", "{\"__type\": \"Body\"}", "Body", ""},
    {"header when the body has none", "Header", "{\"message\": \"m\"}", "Header", "m"},
    {"header when the type is unreadable", "Header", "{\"__type\": null}", "Header", ""},
    {"nothing", "", "{}", "", ""},
    {"array", "", "[\"__type\", \"Name\"]", "", ""},
    {"an end", "", "x'ff'", "", ""},
};

static void
check_reply(const char *name, struct span header, struct span body, const char *code,
            const char *message)
{
    struct aws_error e = {SPAN("old"), SPAN("old")};

    seed("aws_error", body);
    aws_error(header, guard_copy(body), &e);
    CHECK_SPAN(name, e.code, span_of(code));
    CHECK_SPAN(name, e.message, span_of(message));
    aws_error(guard_copy(header), body, &e);
    CHECK_SPAN(name, e.code, span_of(code));
}

/* A reply of which a part was received gives nothing, or what the whole one says. */
static void
check_cut(const char *name, struct span body, const char *code, const char *message)
{
    for (size_t n = 0; n < body.len; n++) {
        struct aws_error e;

        aws_error(SPAN(""), guard_copy((struct span){body.p, n}), &e);
        CHECK(name,
              e.code.len == 0 || span_same(e.code, span_of(code)) || span_same(e.code, SPAN("B")));
        CHECK(name, e.message.len == 0 || span_same(e.message, span_of(message)));
    }
}

static void
reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        check_reply(replies[i].name, replies[i].header, replies[i].body, replies[i].code,
                    replies[i].message);
        if (replies[i].header.len == 0)
            check_cut(replies[i].name, replies[i].body, replies[i].code, replies[i].message);
    }
}

static void
cbor(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(cbor_replies); i++) {
        struct span header = span_of(cbor_replies[i].header);

        check_reply(cbor_replies[i].name, header, diag(cbor_replies[i].body), cbor_replies[i].code,
                    cbor_replies[i].message);
        if (header.len == 0)
            check_cut(cbor_replies[i].name, diag(cbor_replies[i].body), cbor_replies[i].code,
                      cbor_replies[i].message);
    }
}

static void
one_line(void **state)
{
    static const struct {
        struct span message;
        const char *line;
    } rows[] = {
        {TEXT(""), ""},
        {TEXT("Stream s1 not found."), "Stream s1 not found."},
        {TEXT("a\nb"), "a"},
        {TEXT("a\x1f"
              "b"),
         "a"},
        {TEXT("\\nb"), ""},
        {TEXT("a \xc3\xa4 \\u0041"), "a \xc3\xa4 "},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        CHECK_SPAN(rows[i].line, aws_error_line(guard_copy(rows[i].message)),
                   span_of(rows[i].line));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply),
        cmocka_unit_test(one_line),
        cmocka_unit_test(cbor),
    };

    return RUN(argc, argv, tests);
}
