#include "protocol/format.h"

#include <string.h>

#include "check.h"

/* A text of n bytes without a zero behind it: reading on would be seen by the sanitizer. */
static const char unended[4] = {'a', 'b', 'c', 'd'};

static char buffer[64];

#define FORMATS(row, want, ...)                                                                    \
    do {                                                                                           \
        struct out o_ = out_to(buffer, sizeof buffer);                                             \
                                                                                                   \
        CHECK_INT(row, format_text(&o_, __VA_ARGS__), 0);                                          \
        CHECK_SPAN(row, out_span(&o_), span_of(want));                                             \
        CHECK(row, !o_.full);                                                                      \
    } while (0)

static void
conversions(void **state)
{
    (void)state;
    FORMATS("plain", "plain", "plain");
    FORMATS("text", "<ab>", "<%s>", "ab");
    FORMATS("text, given length", "<abcd>", "<%.*s>", (int)sizeof unended, unended);
    FORMATS("text, length 0", "<>", "<%.*s>", 0, unended);
    FORMATS("text, fixed length", "<abc>", "<%.3s>", unended);
    FORMATS("text, shorter than its length", "<ab>", "<%.200s>", "ab");
    FORMATS("unsigned", "0 4294967295", "%u %u", 0u, UINT32_MAX);
    FORMATS("signed", "-2147483648 7", "%d %d", INT32_MIN, 7);
    FORMATS("size", "18446744073709551615", "%zu", SIZE_MAX);
    FORMATS("long", "18446744073709551615!", "%llu!", 18446744073709551615ULL);
    FORMATS("per cent", "5 %", "%d %%", 5);
    FORMATS("several", "a1b2", "%s%u%s%d", "a", 1u, "b", 2);
}

static void
clipped(void **state)
{
    struct out o = out_to(buffer, 6);

    (void)state;
    CHECK_INT("cut in a text", format_text(&o, "%s-%s", "abcd", "efgh"), 0);
    CHECK_SPAN("cut in a text", out_span(&o), SPAN("abcd-e"));
    CHECK("cut in a text", !o.full);
}

static int
unchecked(struct out *o, const char *format, ...)
{
    va_list arguments;
    int r;

    va_start(arguments, format);
    r = format_list(o, format, arguments);
    va_end(arguments);
    return r;
}

static void
unknown(void **state)
{
    struct out o = out_to(buffer, sizeof buffer);

    (void)state;
    CHECK_INT("float", unchecked(&o, "a %f b", 1.0), ERR_BAD);
    CHECK_SPAN("float", out_span(&o), SPAN("a %f b"));
    o.len = 0;
    CHECK_INT("ends in the midst", unchecked(&o, "a %"), ERR_BAD);
    CHECK_SPAN("ends in the midst", out_span(&o), SPAN("a %"));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions),
        cmocka_unit_test(clipped),
        cmocka_unit_test(unknown),
    };

    return RUN(argc, argv, tests);
}
