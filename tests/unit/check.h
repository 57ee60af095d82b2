#ifndef CHECK_H
#define CHECK_H
/*
 * What the table tests share: cmocka with the headers that it wants, and checks that name the row.
 */
#include "protocol/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

/* A string literal, zero bytes and all, as a table's span. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

#define CHECK(row, fact)                                                                           \
    do {                                                                                           \
        if (!(fact))                                                                               \
            fail_msg("%s: not so: %s", (row), #fact);                                              \
    } while (0)

#define CHECK_INT(row, got, want)                                                                  \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
                                                                                                   \
        if (got_ != want_)                                                                         \
            fail_msg("%s: %s is %lld, not %lld", (row), #got, got_, want_);                        \
    } while (0)

#define CHECK_SPAN(row, got, want)                                                                 \
    do {                                                                                           \
        struct span got_ = (got), want_ = (want);                                                  \
                                                                                                   \
        if (!span_same(got_, want_))                                                               \
            fail_msg("%s: %s is <%.*s>, not <%.*s>", (row), #got, (int)got_.len,                   \
                     got_.len == 0 ? "" : got_.p, (int)want_.len, want_.len == 0 ? "" : want_.p);  \
    } while (0)

/* The program's argument, if any, names the tests to run; * and ? stand for others. */
#define RUN(argc, argv, tests)                                                                     \
    (cmocka_set_test_filter((argc) > 1 ? (argv)[1] : NULL),                                        \
     cmocka_run_group_tests(tests, NULL, NULL))

#endif
