/* CBOR where it lies: how long a value is, and what a walk meets, all the way down. */
#include "fuzz.h"
#include "protocol/cbor.h"

#include <string.h>

/* Says in another way, by going down into it, how long a well-formed value is; 0: it is none. */
static size_t
plain_value(struct span in, unsigned depth)
{
    const unsigned char *p = (const unsigned char *)in.p;
    size_t head = 1, at, step;
    uint64_t n;

    if (in.len == 0)
        return 0;
    n = p[0] % 32;
    if (n >= 24 && n < 28) {
        head += (size_t)1 << (n - 24);
        if (in.len < head)
            return 0;
        n = 0;
        for (size_t i = 1; i < head; i++)
            n = n * 256 + p[i];
    } else if (n >= 28 && n < 31) {
        return 0;
    }
    bool endless = p[0] % 32 == 31;
    at = head;
    switch (p[0] / 32) {
    case 0:
    case 1:
        return endless ? 0 : head;
    case 2:
    case 3:
        if (!endless)
            return n > in.len - head ? 0 : head + (size_t)n;
        while (at < in.len && p[at] != 0xff) {
            if (p[at] / 32 != p[0] / 32 || p[at] % 32 == 31)
                return 0;
            step = plain_value(span_skip(in, at), depth);
            if (step == 0)
                return 0;
            at += step;
        }
        return at < in.len ? at + 1 : 0;
    case 6:
        if (endless || (step = plain_value(span_skip(in, head), depth)) == 0)
            return 0;
        return head + step;
    case 7:
        return endless || (p[0] == 0xf8 && p[1] < 32) ? 0 : head;
    default:
        break;
    }
    if (depth == 0 || (!endless && n > in.len))
        return 0;
    if (!endless && p[0] / 32 == 5)
        n *= 2;
    for (uint64_t i = 0; endless || i < n; i++) {
        if (endless && at < in.len && p[at] == 0xff)
            return p[0] / 32 == 5 && i % 2 != 0 ? 0 : at + 1;
        step = plain_value(span_skip(in, at), depth - 1);
        if (step == 0)
            return 0;
        at += step;
    }
    return at;
}

static void
check_string(struct span value)
{
    struct span string = cbor_string(value);
    uint64_t number;

    FACT(fuzz_within(string, value) || string.len == 0);
    if (string.p == NULL)
        FACT(!cbor_same(value, SPAN("")));
    else
        FACT(string.len == 0 || !cbor_same(value, SPAN("")));
    FACT(cbor_number(value, &number) == ERR_BAD || string.p == NULL);
}

/* Each value that the walk meets is measured as it was met. */
static void
walk(struct span text, unsigned depth, bool whole)
{
    struct cbor_walk w;
    struct span name, value;
    int got;

    if (depth == 0 || cbor_walk_open(&w, text) != 0)
        return;
    FACT(fuzz_within(w.rest, text));
    while ((got = cbor_walk_next(&w, &name, &value)) == 1) {
        FACT(fuzz_within(name, text) && fuzz_within(value, text) && fuzz_within(w.rest, text));
        FACT(cbor_value(value) == (int)value.len);
        FACT(w.map ? cbor_value(name) == (int)name.len : name.len == 0);
        check_string(name);
        check_string(value);
        walk(value, depth - 1, true);
    }
    FACT(cbor_walk_next(&w, &name, &value) == got);
    FACT(got == 0 || (!whole && got < 0));
}

/* Heads are read as they were written. */
static void
check_head(struct span in)
{
    char *room = fuzz_room(CBOR_HEAD_MAX);
    uint64_t argument = 0, number = 0;
    size_t len;

    memcpy(&argument, in.p, in.len < sizeof argument ? in.len : sizeof argument);
    argument >>= fuzz_dice(64);
    len = cbor_head(room, CBOR_UNSIGNED, argument);
    FACT(len == cbor_head_len(argument) && len <= CBOR_HEAD_MAX);
    FACT(cbor_value((struct span){room, len}) == (int)len);
    FACT(cbor_number((struct span){room, len}, &number) == 0 && number == argument);
}

void
fuzz(struct span in)
{
    int len = cbor_value(in);
    size_t plain = plain_value(in, CBOR_DEPTH_MAX);

    FACT((len > 0 && (size_t)len <= in.len) || len == ERR_MORE || len == ERR_BAD || len == ERR_BIG);
    FACT(len > 0 ? (size_t)len == plain : plain == 0);
    fuzz_prefixes(in, cbor_value, len);
    walk(in, CBOR_DEPTH_MAX + 1, len > 0);
    if (in.len > 0)
        check_head(in);
}
