#include "protocol/no_proxy.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#include <stdio.h>

#define ROW(host, list, here, curl, botocore) {host, list, here},

static const struct {
    const char *host, *list;
    bool want;
} rows[] = {
#include "no_proxy_rows.h"
};

/* Either text ends at an unreadable page. */
static void
table(void **state)
{
    (void)state;
    assert_true(LEN(rows) >= 40);
    for (size_t i = 0; i < LEN(rows); i++) {
        char name[128];

        snprintf(name, sizeof name, "%s\n%s", rows[i].list, rows[i].host);
        seed("proxy", span_of(name));
        CHECK_INT(name, no_proxy(guard_copy(span_of(rows[i].list)), span_of(rows[i].host)),
                  rows[i].want);
        CHECK_INT(name, no_proxy(span_of(rows[i].list), guard_copy(span_of(rows[i].host))),
                  rows[i].want);
    }
}

/* What no URL and no variable of the environment can be. */
static void
odd(void **state)
{
    (void)state;
    assert_false(no_proxy(SPAN(""), SPAN("a")));
    assert_false(no_proxy((struct span){NULL, 0}, SPAN("a")));
    assert_false(no_proxy(SPAN("a"), SPAN("")));
    assert_false(no_proxy(SPAN("."), SPAN(".")));
    assert_false(no_proxy(SPAN("10.1.2.3/"), SPAN("10.1.2.3")));
    assert_false(no_proxy(SPAN("10.1.2.3/8x"), SPAN("10.1.2.3")));
}

/* Of the bits of a network each counts, and none behind them. */
static void
bits(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 32; n++)
        for (unsigned wrong = 0; wrong < 32; wrong++) {
            uint32_t host = 0xa5c396f0u ^ 0x80000000u >> wrong;
            char list[32], name[32];

            snprintf(list, sizeof list, "165.195.150.240/%u", n);
            snprintf(name, sizeof name, "%u.%u.%u.%u", host >> 24, host >> 16 & 255,
                     host >> 8 & 255, host & 255);
            CHECK_INT(list, no_proxy(span_of(list), span_of(name)), wrong >= n);
        }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(odd),
        cmocka_unit_test(bits),
    };

    return RUN(argc, argv, tests);
}
