#include "io/environment.h"

#include "check.h"
#include "protocol/out.h"

#include <stdio.h>
#include <unistd.h>

static char told_text[4096];
static struct out told;

static void
tell(struct span name)
{
    out_put(&told, name);
    out_byte(&told, ' ');
}

static struct span
unasked(void)
{
    told = out_to(told_text, sizeof told_text);
    environment_unasked(tell);
    return out_span(&told);
}

static void
asked_and_not(void **state)
{
    static char *pairs[] = {"PATH=/bin",
                            "TELEMETRY_FLUHS=end",
                            "TELEMETRY_FLUSH=end",
                            "TELEMETRY_EMPTY=",
                            "TELEMETRY_FLUSH_BUDGET_MS=1",
                            "TELEMETRY_A=b=c",
                            "XTELEMETRY_B=1",
                            "TELEMETRY",
                            "TELEMETRY_",
                            NULL};

    (void)state;
    environ = pairs;
    CHECK_SPAN("value", span_of(environment_get("TELEMETRY_FLUSH")), SPAN("end"));
    CHECK_SPAN("another", span_of(environment_get("PATH")), SPAN("/bin"));
    CHECK_SPAN("empty", span_of(environment_get("TELEMETRY_EMPTY")), SPAN(""));
    assert_null(environment_get("TELEMETRY"));
    assert_null(environment_get("TELEMETRY_FLUS"));
    assert_null(environment_get("telemetry_flush"));
    CHECK_SPAN("some", unasked(), SPAN("TELEMETRY_FLUHS TELEMETRY_FLUSH_BUDGET_MS TELEMETRY_A "));
    CHECK_SPAN("value with =", span_of(environment_get("TELEMETRY_A")), SPAN("b=c"));
    assert_string_equal(environment_get("TELEMETRY_FLUSH_BUDGET_MS"), "1");
    CHECK_SPAN("one", unasked(), SPAN("TELEMETRY_FLUHS "));
}

/* More than there are marks for: the rest is found, and never told. */
static void
many(void **state)
{
    static char text[ENVIRONMENT_MARKS + 2][40];
    static char *pairs[ENVIRONMENT_MARKS + 3];

    (void)state;
    for (int i = 0; i < ENVIRONMENT_MARKS + 2; i++) {
        snprintf(text[i], sizeof text[i], "TELEMETRY_%02d=%d", i, i);
        pairs[i] = text[i];
    }
    environ = pairs;
    for (int i = 0; i < ENVIRONMENT_MARKS + 2; i++) {
        char name[24], value[16];

        snprintf(name, sizeof name, "TELEMETRY_%02d", i);
        snprintf(value, sizeof value, "%d", i);
        CHECK_SPAN(name, span_of(environment_get(name)), span_of(value));
    }
    CHECK_SPAN("all", unasked(), SPAN(""));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_and_not),
        cmocka_unit_test(many),
    };

    return RUN(argc, argv, tests);
}
