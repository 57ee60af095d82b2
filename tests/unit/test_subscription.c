#include "protocol/subscription.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define ZEROS "00000000000000000000000000000000000000000000000000000000"
#define AT "2026-11-20T12:00:00.123Z"
#define MS 1795176000123
#define EVENT(type, record) "{\"time\":\"" AT "\",\"type\":\"" type "\",\"record\":" record "}"
#define ONE(message)                                                                               \
    "{\"id\":\"" ZEROS "\",\"timestamp\":1795176000123,\"message\":\"" message "\"}"

/* --- ids --- */

/* Reckoned by integers of any length; the first is one of CloudWatch's own, which its guide shows. */
static const struct {
    const char *name;
    uint64_t ms;
    uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN];
    uint64_t number;
    const char *want;
} ids[] = {
    {"of CloudWatch",
     1432826855000,
     {0, 0, 0x01, 0x4d, 0x9b, 0x2a, 0x87, 0xf4, 0x66, 0x5b},
     11551569037146259456u,
     "31953106606966983378809025079804211143289615424298221568"},
    {"no sandbox",
     1795000000000,
     {0},
     0,
     "40029837631362468539056614299403808903234846720000000000"},
    {"greatest",
     1795000000000,
     {255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     UINT64_MAX,
     "40029837631384769284255144922545344621507495081505980415"},
    {"each byte",
     1795000000123,
     {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
     0x1122334455667788,
     "40029837634105547995335101612318265236889725739922257800"},
    {"no time", 0, {0}, 7, "00000000000000000000000000000000000000000000000000000007"},
};

static void
id(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ids); i++) {
        char *text = guard_buffer(SUBSCRIPTION_ID_LEN);

        subscription_id(text, ids[i].ms, ids[i].sandbox, ids[i].number);
        CHECK_SPAN(ids[i].name, ((struct span){text, SUBSCRIPTION_ID_LEN}), span_of(ids[i].want));
    }
}

/* A number that is added is as one that was there from the beginning. */
static void
added(void **state)
{
    static const uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN] = {9, 8, 7};
    char text[SUBSCRIPTION_ID_LEN];
    char want[SUBSCRIPTION_ID_LEN];

    (void)state;
    subscription_id(text, MS, sandbox, 0);
    for (uint64_t n = 0, more = 1; n < 20000; more = more % 9 + 1) {
        subscription_id_add(text, (unsigned)more);
        n += more;
        subscription_id(want, MS, sandbox, n);
        CHECK_SPAN("added", ((struct span){text, sizeof text}), ((struct span){want, sizeof want}));
    }
    memset(text, '9', sizeof text);
    subscription_id_add(text, 1);
    CHECK_SPAN("all around", ((struct span){text, sizeof text}), SPAN(ZEROS));
}

/* --- names --- */

static void
head(void **state)
{
    char text[SUBSCRIPTION_HEAD_MAX];
    struct out o = out_to(text, sizeof text);
    struct event_origin origin = {.account_id = SPAN("123456789012"),
                                  .function_name = SPAN("orders")};

    (void)state;
    subscription_head(&o, &origin, (struct span){NULL, 0}, SPAN("a\\\"b"));
    CHECK_SPAN("of the function", out_span(&o),
               SPAN("{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":"
                    "\"/aws/lambda/orders\",\"logStream\":\"a\\\"b\",\"subscriptionFilters\":["
                    "\"kinesis-telemetry-api-extension\"],\"logEvents\":["));
    o = out_to(text, sizeof text);
    subscription_head(&o, &origin, SPAN("/my/group"), SPAN("s"));
    CHECK("its own", span_find(out_span(&o), SPAN(",\"logGroup\":\"/my/group\",")) != NULL);
}

static void
longest_head(void **state)
{
    static char name[SUBSCRIPTION_STREAM_MAX];
    char text[SUBSCRIPTION_HEAD_MAX];
    struct out o = out_to(text, sizeof text);
    struct span longest = {name, sizeof name};

    (void)state;
    memset(name, 'n', sizeof name);
    subscription_head(&o, &(struct event_origin){.account_id = SPAN("1234567890123456")}, longest,
                      longest);
    assert_int_equal(out_end(&o), 0);
}

static void
stream(void **state)
{
    char text[64];
    struct out o = out_to(text, sizeof text);

    (void)state;
    subscription_stream(&o, MS,
                        &(struct event_origin){
                            .function_version = SPAN("$LATEST"),
                            .sandbox = SPAN("0123456789abcdef0123456789abcdef"),
                        });
    CHECK_SPAN("made", out_span(&o), SPAN("2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef"));
}

/* --- log events --- */

static const struct {
    const char *name;
    bool text;
    struct span event, want;
} events[] = {
    {"text", true, TEXT(EVENT("function", "\"a\"")), TEXT(ONE("a\\n"))},
    {"its newline", true, TEXT(EVENT("function", "\"a\\n\"")), TEXT(ONE("a\\n"))},
    {"two of them", true, TEXT(EVENT("function", "\"a\\n\\n\"")), TEXT(ONE("a\\n\\n"))},
    {"a backslash and n", true, TEXT(EVENT("function", "\"a\\\\n\"")), TEXT(ONE("a\\\\n\\n"))},
    {"nothing", true, TEXT(EVENT("function", "\"\"")), TEXT(ONE("\\n"))},
    {"as it stands", false, TEXT(EVENT("extension", "\"\\u003c\\/\\\"\\\\\\t\xc3\xa4\xff\"")),
     TEXT(ONE("\\u003c\\/\\\"\\\\\\t\xc3\xa4\xff\\n"))},
    {"object", true, TEXT(EVENT("function", "{\"a\":1}")), TEXT(ONE("{\\\"a\\\":1}"))},
    {"white space", false, TEXT(EVENT("function", "{ \"a b\" :\t[ 1 ,\r\n\"c\\n d\" , true ] }")),
     TEXT(ONE("{\\\"a b\\\":[1,\\\"c\\\\n d\\\",true]}"))},
    {"escapes", false, TEXT(EVENT("function", "[\"\\\\\",\"\\\"\",\"\\\\\\\" \\u0041\"]")),
     TEXT(ONE("[\\\"\\\\\\\\\\\",\\\"\\\\\\\"\\\",\\\"\\\\\\\\\\\\\\\" \\\\u0041\\\"]"))},
    {"other values", true, TEXT(EVENT("function", "-1.5e3")), TEXT(ONE("-1.5e3"))},
    {"null", true, TEXT(EVENT("function", "null")), TEXT(ONE("null"))},
    {"platform, text", true,
     TEXT(EVENT("platform.start", "{\"requestId\":\"r\",\"version\":\"1\"}")),
     TEXT(ONE("START RequestId: r Version: 1\\n"))},
    {"platform, JSON", false, TEXT(EVENT("platform.start", "{ \"requestId\":\"r\"}")),
     TEXT(ONE("{\\\"time\\\":\\\"" AT "\\\",\\\"type\\\":\\\"platform.start\\\",\\\"record\\\":{"
              "\\\"requestId\\\":\\\"r\\\"}}"))},
    {"two of one", true, TEXT(EVENT("platform.report", "{\"requestId\":\"r\"}")),
     TEXT(ONE("END RequestId: r\\n") "," ONE("REPORT RequestId: r\\tDuration:  ms\\t\\n"))},
    {"report, JSON", false, TEXT(EVENT("platform.report", "{}")),
     TEXT(ONE("{\\\"time\\\":\\\"" AT
              "\\\",\\\"type\\\":\\\"platform.report\\\",\\\"record\\\":{}}"))},
};

static void
event(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct span text = guard_copy(events[i].event);
        struct event e;
        struct out o = out_to(guard_buffer(2 * text.len + SUBSCRIPTION_MORE),
                              2 * text.len + SUBSCRIPTION_MORE);
        size_t second;

        seed("event", text);
        CHECK_INT(events[i].name, event_read(text, NULL, &e), 0);
        second = subscription_event(&o, &e, MS, events[i].text);
        CHECK_SPAN(events[i].name, out_span(&o), events[i].want);
        CHECK_INT(events[i].name, out_end(&o), 0);
        CHECK(events[i].name,
              span_starts(span_skip(out_span(&o), SUBSCRIPTION_ID_AT), SPAN(ZEROS "\",")));
        CHECK(events[i].name, (second > 0) == (strncmp(events[i].name, "two of one", 10) == 0));
        if (second > 0)
            CHECK("second", span_starts(span_skip(out_span(&o), second), SPAN(ZEROS "\",")));
    }
}

/* Where there is no room for all of it nothing is written beyond. */
static void
no_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(events); i++) {
        struct event e;

        CHECK_INT(events[i].name, event_read(events[i].event, NULL, &e), 0);
        for (size_t cap = 0; cap < events[i].want.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            (void)subscription_event(&o, &e, MS, events[i].text);
            CHECK_INT(events[i].name, out_end(&o), ERR_FULL);
        }
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id),           cmocka_unit_test(added),  cmocka_unit_test(head),
        cmocka_unit_test(longest_head), cmocka_unit_test(stream), cmocka_unit_test(event),
        cmocka_unit_test(no_room),
    };

    return RUN(argc, argv, tests);
}
