#include "protocol/lines.h"

#include "check.h"
#include "guard.h"
#include "protocol/out.h"

/* What comes out, each line in <>. */
static const struct {
    const char *in, *want;
} texts[] = {
    {"", ""},
    {"one", ""},
    {"one\n", "<one>"},
    {"\n", "<>"},
    {"one\ntwo\n\nthree", "<one><two><>"},
    {"one\r\n", "<one\r>"},
};

/* In pieces of so many bytes. */
static void
check_text(const char *row, struct span in, size_t step, struct span want)
{
    struct lines lines = {0};
    struct out o = out_to(guard_buffer(want.len), want.len);

    while (in.len > 0) {
        struct span piece = guard_copy((struct span){in.p, step < in.len ? step : in.len});
        struct span line;

        in = span_skip(in, piece.len);
        while (lines_next(&lines, &piece, &line)) {
            out_byte(&o, '<');
            out_put(&o, line);
            out_byte(&o, '>');
        }
        CHECK_INT(row, piece.len, 0);
    }
    CHECK_INT(row, out_end(&o), 0);
    CHECK_SPAN(row, out_span(&o), want);
}

static void
cut_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(texts); i++)
        for (size_t step = 1; step <= 16; step++)
            check_text(texts[i].in, span_of(texts[i].in), step, span_of(texts[i].want));
}

/* A line of the greatest length is one, a longer one is none, and the next one is whole again. */
static void
long_line(void **state)
{
    static char text[LINES_MAX_BYTES + 8], want[LINES_MAX_BYTES + 8];

    (void)state;
    for (size_t len = LINES_MAX_BYTES - 1; len <= LINES_MAX_BYTES + 2; len++) {
        struct out in = out_to(text, sizeof text);
        struct out o = out_to(want, sizeof want);

        if (len <= LINES_MAX_BYTES)
            out_byte(&o, '<');
        for (size_t i = 0; i < len; i++) {
            out_byte(&in, (char)('a' + i % 26));
            if (len <= LINES_MAX_BYTES)
                out_byte(&o, (char)('a' + i % 26));
        }
        if (len <= LINES_MAX_BYTES)
            out_byte(&o, '>');
        out_put(&in, SPAN("\nb\n"));
        out_put(&o, SPAN("<b>"));
        for (size_t step = 1; step <= 2000; step += 333)
            check_text("long", out_span(&in), step, out_span(&o));
    }
}

static const struct {
    const char *line;
    const char *words[4];
} lines[] = {
    {"", {""}},
    {" \t\r", {""}},
    {"one", {"one", ""}},
    {"  one\t two\r", {"one", "two", ""}},
    {"\vone\ftwo", {"one", "two", ""}},
    {"a b", {"a", "b", ""}},
};

static void
word(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(lines); i++) {
        struct span rest = guard_copy(span_of(lines[i].line));

        for (size_t n = 0; n < 4 && lines[i].words[n] != NULL; n++)
            CHECK_SPAN(lines[i].line, lines_word(&rest), span_of(lines[i].words[n]));
        CHECK_INT(lines[i].line, rest.len, 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_lines),
        cmocka_unit_test(long_line),
        cmocka_unit_test(word),
    };

    return RUN(argc, argv, tests);
}
