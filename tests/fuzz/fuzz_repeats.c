/*
 * A POST whose beginning was taken, and one that may be the same: passed over just when it begins with the
 * same events. The input: how many were taken, how many are the same, the events of both, a semicolon between.
 */
#include "fuzz.h"
#include "protocol/repeats.h"

enum { MOST = 64 };

static size_t
events_of(struct span text, struct span events[MOST])
{
    size_t n = 0;

    while (text.p != NULL && n < MOST)
        events[n++] = span_cut(text, ';', &text);
    return n;
}

void
fuzz(struct span in)
{
    struct repeats r = {.seed = 0x0123456789abcdef};
    struct tally kept = {.items = 0}, t = {.items = 0};
    struct span first[MOST], second[MOST];
    uint32_t id = 0, counted = 0, known = 0;
    size_t taken = fuzz_byte(&in), same = fuzz_byte(&in), n, total;
    enum repeats_is is = REPEATS_MAYBE;

    n = events_of(in, first);
    taken = taken < n ? taken : n;
    total = events_of(span_skip(in, in.len / 2), second);
    for (size_t i = 0; i < same && i < n; i++)
        second[i] = first[i];
    total = total > same || same > n ? total : same;
    for (size_t i = 0; i < taken; i++) {
        repeats_add(&r, &kept, first[i], i % 2);
        known += i % 2;
    }
    (void)repeats_keep(&r, &kept);
    for (same = 0; same < taken && same < total && span_same(first[same], second[same]);)
        same++;
    for (size_t i = 0; i < total && is == REPEATS_MAYBE; i++) {
        is = repeats_compare(&r, &t, second[i], &id, &counted);
        FACT((is == REPEATS_ALL) == (same == taken && i + 1 == taken && taken > 0));
        /* of the first one alone no more is known than whether it is the same; later, not before the end */
        FACT(is != REPEATS_MAYBE || (same > 0 && i + 1 < taken));
        FACT(is != REPEATS_NOT || same < taken || taken == 0);
    }
    FACT(is != REPEATS_ALL || counted == known);
    FACT(repeats_end(&r) == (is == REPEATS_ALL ? 0 : known));
}
