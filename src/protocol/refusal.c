#include "protocol/refusal.h"

/* see refusal.h */

/* Advances s past the word; false, with s unchanged, if the word does not occur. */
static bool
skip_past(struct span *s, struct span word)
{
    const char *at = span_find(*s, word);

    if (at == NULL)
        return false;
    *s = span_skip(*s, (size_t)(at - s->p) + word.len);
    return true;
}

/* The number that s begins with; 0 if there is none, or it does not fit into 32 bits. */
static uint32_t
number(struct span s)
{
    uint64_t n = 0;
    size_t len = 0;

    while (len < s.len && s.p[len] >= '0' && s.p[len] <= '9')
        len++;
    return span_number((struct span){s.p, len}, UINT32_MAX, &n) == 0 ? (uint32_t)n : 0;
}

static enum refusal_member
member(struct span s)
{
    size_t len = 0;

    while (len < s.len && ((s.p[len] | 0x20) >= 'a' && (s.p[len] | 0x20) <= 'z'))
        len++;
    s.len = len;
    if (span_same_case(s, SPAN("data")))
        return REFUSAL_DATA;
    return span_same_case(s, SPAN("partitionKey")) ? REFUSAL_PARTITION_KEY : REFUSAL_OTHER;
}

int
refusal_next(struct span *message, struct refusal *refusal)
{
    while (skip_past(message, SPAN("records."))) {
        struct span text = *message;
        struct span rest;
        uint32_t n = number(text);

        while (text.len > 0 && text.p[0] >= '0' && text.p[0] <= '9')
            text = span_skip(text, 1);
        if (n == 0 || !span_starts(text, SPAN(".member.")))
            continue;
        text = span_skip(text, sizeof ".member." - 1);
        *refusal = (struct refusal){.index = n - 1, .member = member(text)};
        /* the limit stands before the next record's name */
        rest = text;
        if (skip_past(&rest, SPAN("records.")))
            text.len -= rest.len + sizeof "records." - 1;
        if (skip_past(&text, SPAN("less than or equal to ")))
            refusal->limit_bytes = number(text);
        return 1;
    }
    return 0;
}
