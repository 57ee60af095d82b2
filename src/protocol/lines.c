#include "protocol/lines.h"

/* see lines.h */

bool
lines_next(struct lines *l, struct span *in, struct span *line)
{
    while (in->len > 0) {
        char c = *in->p;
        bool whole = !l->too_long;

        *in = span_skip(*in, 1);
        if (c == '\n') {
            *line = (struct span){l->text, l->len};
            l->len = 0;
            l->too_long = false;
            if (whole)
                return true;
        } else if (l->len < sizeof l->text) {
            l->text[l->len++] = c;
        } else {
            l->too_long = true;
        }
    }
    return false;
}

/* As isspace() has it. */
static bool
space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span
lines_word(struct span *line)
{
    struct span word = *line;

    while (word.len > 0 && space(*word.p))
        word = span_skip(word, 1);
    *line = word;
    while (line->len > 0 && !space(*line->p))
        *line = span_skip(*line, 1);
    word.len -= line->len;
    return word;
}
