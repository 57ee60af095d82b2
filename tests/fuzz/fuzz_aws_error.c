/* The body of an error reply; any line of it, and any piece, as the header field's value too. */
#include "fuzz.h"
#include "protocol/aws_error.h"

#include <string.h>

static void
check(struct span header, struct span body)
{
    static const char code_bytes[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    struct aws_error e = {SPAN("old"), SPAN("old")};

    aws_error(header, body, &e);
    FACT(fuzz_within(e.code, body) || fuzz_within(e.code, header));
    FACT(fuzz_within(e.message, body));
    for (size_t i = 0; i < e.code.len; i++)
        FACT(memchr(code_bytes, e.code.p[i], sizeof code_bytes - 1) != NULL);
}

void
fuzz(struct span in)
{
    struct span rest = in;
    struct span line = span_cut(in, '\n', &rest);

    check(SPAN(""), in);
    check(fuzz_copy(line), fuzz_copy(rest));
    check(in, SPAN(""));
    check(SPAN("Header"), fuzz_copy(span_skip(in, fuzz_dice((uint32_t)in.len + 1))));
}
