/* JSON where it lies: how long a value is, and what a walk meets, all the way down. */
#include "fuzz.h"
#include "protocol/json_walk.h"
#include "strict_json.h"

#include <string.h>

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Each value that the walk meets is measured as it was met. */
static void
walk(struct span text, unsigned depth, bool strict)
{
    struct json_walk w;
    struct span name, value;
    int got;

    if (depth == 0 || json_walk_open(&w, text) != 0)
        return;
    FACT(fuzz_within(w.rest, text));
    while ((got = json_walk_next(&w, &name, &value)) == 1) {
        struct span string = json_walk_string(value);

        FACT(fuzz_within(name, text) && fuzz_within(value, text) && fuzz_within(w.rest, text));
        FACT(value.len > 0 && !is_space(value.p[0]) && !is_space(value.p[value.len - 1]));
        FACT((string.p != NULL) == (value.p[0] == '"'));
        FACT(!strict || strict_json(value));
        walk(value, depth - 1, strict);
    }
    FACT(json_walk_next(&w, &name, &value) == got);
    if (got == 0)
        FACT(w.rest.len > 0 && w.rest.p[0] == w.close);
    else
        FACT(!strict && (got == ERR_MORE || got == ERR_BAD));
}

void
fuzz(struct span in)
{
    bool strict = strict_json(in);
    int len = json_value(in);

    FACT((len > 0 && (size_t)len <= in.len) || len == ERR_MORE || len == ERR_BAD);
    /* a number or word ends only where something follows */
    if (strict && len == ERR_MORE)
        FACT(strchr("-0123456789tfn", in.p[strspn(in.p, " \t\r\n")]) != NULL);
    else if (strict)
        FACT(len > 0);
    fuzz_prefixes(in, json_value, len);
    walk(in, 64, strict);
}
