#ifndef LONG_LINE_H
#define LONG_LINE_H
/*
 * Lines of a mebibyte, for tests of what a byte of them costs.
 */
#include "check.h"
#include "guard.h"
#include "protocol/line_steps.h"
#include "protocol/out.h"

enum { LONG_LINE = 1 << 20 };

/* What begins, goes on for a mebibyte, and ends like this. Valid until the next call. */
static inline struct span
long_line(const char *first, const char *middle, const char *last)
{
    static char line[GUARD_ROOM];
    struct out o = out_to(line, sizeof line);

    out_put(&o, span_of(first));
    while (o.len < LONG_LINE)
        out_put(&o, span_of(middle));
    out_put(&o, span_of(last));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

/* Calls for a line, and fails if that takes more than so many steps for each byte of it, and some for any. Builds that
 * do not count only call. */
#ifdef CHECKED
#define CHECK_STEPS(row, call, len, most)                                                          \
    do {                                                                                           \
        line_steps = 0;                                                                            \
        call;                                                                                      \
        if (line_steps > (uint64_t)(len) * (most) + 1000)                                          \
            fail_msg("%s: %.2f steps a byte, not %u", (row), (double)line_steps / (double)(len),   \
                     (unsigned)(most));                                                            \
    } while (0)
#else
#define CHECK_STEPS(row, call, len, most) call
#endif

#endif
