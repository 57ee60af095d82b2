#include "io/error_text.h"

#include "check.h"

#include <errno.h>
#include <string.h>

static const struct {
    int code;
    const char *want;
} codes[] = {
    {ECONNREFUSED, "Connection refused"},
    {EACCES, "Permission denied"},
    {ENOENT, "No such file or directory"},
    {ENFILE, "Too many open files in system"},
    {0, "error 0"},
    {133, "error 133"},
    {256 + ECONNREFUSED, "error 367"},
    {-1, "error 4294967295"},
    {133, "error 133"},
};

static void
text(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(codes); i++)
        CHECK_SPAN(codes[i].want, span_of(error_text(codes[i].code)), span_of(codes[i].want));
}

/* Every text ends within its row, and no code has two. */
static void
all(void **state)
{
    (void)state;
    for (int code = 1; code < 134; code++) {
        const char *one = error_text(code);

        assert_true(strlen(one) > 6 && strlen(one) < 31);
        for (int other = 1; other < code; other++)
            assert_true(one != error_text(other) || strncmp(one, "error ", 6) == 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(all),
    };

    return RUN(argc, argv, tests);
}
