/* The message of a refused call, which names records. */
#include "fuzz.h"
#include "protocol/out.h"
#include "protocol/refusal.h"

#include <string.h>

/* What is told of a record stands in the message, from its number on. */
static void
check_refusal(struct span in, struct span from, const struct refusal *named)
{
    struct span word = SPAN("records."), after;
    char digits[10];
    struct out limit = out_to(digits, sizeof digits);
    uint64_t number;

    FACT((size_t)(from.p - in.p) >= word.len && memcmp(from.p - word.len, word.p, word.len) == 0);
    FACT(span_number(span_cut(from, '.', &after), UINT32_MAX, &number) == 0);
    FACT(number == (uint64_t)named->index + 1);
    FACT(span_starts(after, SPAN("member.")));
    after = span_skip(after, sizeof "member." - 1);
    FACT(named->member != REFUSAL_DATA || (after.p[0] | 0x20) == 'd');
    FACT(named->member != REFUSAL_PARTITION_KEY || (after.p[0] | 0x20) == 'p');
    FACT(named->member <= REFUSAL_OTHER);
    out_number(&limit, named->limit_bytes);
    FACT(named->limit_bytes == 0 || memmem(after.p, after.len, limit.p, limit.len) != NULL);
}

void
fuzz(struct span in)
{
    struct span message = in;
    struct refusal named;
    size_t left = in.len;
    int got;

    while ((got = refusal_next(&message, &named)) == 1) {
        FACT(message.len < left && fuzz_within(message, in));
        FACT(message.p + message.len == in.p + in.len);
        check_refusal(in, message, &named);
        left = message.len;
    }
    FACT(got == 0 && refusal_next(&message, &named) == 0);
}
