#ifndef BARE_CMOCKA_H
#define BARE_CMOCKA_H
/*
 * As much of cmocka as the tests need that are built for another CPU, with the product's own toolchain,
 * for which there is no cmocka. It prints what tests/unit/run.sh counts.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(test) cmocka_unit_test_setup(test, NULL)
#define cmocka_unit_test_setup(test, setup)                                                        \
    {                                                                                              \
#test, test, setup, NULL, NULL                                                             \
    }

static jmp_buf bare_end;

enum { BARE_FAILED = 1, BARE_SKIPPED };

#define fail_msg(...)                                                                              \
    (printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), puts(""),                         \
     longjmp(bare_end, BARE_FAILED))
#define skip() longjmp(bare_end, BARE_SKIPPED)
#define bare_assert(fact) ((fact) ? (void)0 : fail_msg("not so: %s", #fact))
#define assert_true(fact) bare_assert(fact)
#define assert_false(fact) bare_assert(!(fact))
#define assert_null(p) bare_assert((p) == NULL)
#define assert_non_null(p) bare_assert((p) != NULL)
#define assert_int_equal(a, b) bare_assert((uintmax_t)(a) == (uintmax_t)(b))
#define assert_in_range(value, least, most) bare_assert(bare_in_range((value), (least), (most)))
#define assert_string_equal(a, b) bare_assert(strcmp((a), (b)) == 0)
#define assert_ptr_equal(a, b) bare_assert((const void *)(a) == (const void *)(b))
#define assert_memory_equal(a, b, len) bare_assert(memcmp((a), (b), (len)) == 0)
#define assert_memory_not_equal(a, b, len) bare_assert(memcmp((a), (b), (len)) != 0)

/* Names a part of the tests to cmocka; here all are run. */
#define cmocka_set_test_filter(filter) ((void)(filter))

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    bare_run((tests), sizeof(tests) / sizeof *(tests))

/* Numbers of any type as the widest, like cmocka's own. */
static inline bool
bare_in_range(uintmax_t value, uintmax_t least, uintmax_t most)
{
    return least <= value && value <= most;
}

static inline int
bare_run_one(const struct CMUnitTest *t)
{
    int end = setjmp(bare_end);
    void *state = NULL;

    if (end != 0)
        return end;
    if (t->setup != NULL && t->setup(&state) != 0)
        return BARE_FAILED;
    t->test(&state);
    return 0;
}

static inline int
bare_run(const struct CMUnitTest *tests, size_t len)
{
    static const char *const ends[] = {"PASSED", "FAILED", "SKIPPED"};
    unsigned counts[3] = {0};

    for (size_t i = 0; i < len; i++) {
        int end = bare_run_one(&tests[i]);

        counts[end]++;
        if (end != 0)
            printf("%s: %s\n", tests[i].name, ends[end]);
    }
    for (size_t end = 0; end < 3; end++)
        if (counts[end] > 0)
            printf("[  %s  ] %u test(s).\n", ends[end], counts[end]);
    return (int)counts[BARE_FAILED];
}

#endif
