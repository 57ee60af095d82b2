#ifndef LINES_H
#define LINES_H
/*
 * A text's lines out of pieces of any size, and a line's words.
 */
#include "protocol/span.h"

#define LINES_MAX_BYTES 1024

/* All zeros before the first piece. */
struct lines {
    size_t len;
    bool too_long;
    char text[LINES_MAX_BYTES];
};

/*
 * Takes bytes off the front of in until a line is whole; a line longer than LINES_MAX_BYTES is left
 * out rather than misread. The last one needs its newline, too.
 *
 * Returns true and the line, valid until the next call; false when in is used up.
 */
bool lines_next(struct lines *l, struct span *in, struct span *line);

/* Takes the next word off the line; an empty one at its end. White space stands between words. */
struct span lines_word(struct span *line);

#endif
