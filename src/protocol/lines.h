#ifndef LINES_H
#define LINES_H
/*
 * The lines of a text that comes in pieces of any size, and the words of a line.
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
 * Takes bytes off the front of in until a line is complete; a line longer than LINES_MAX_BYTES is left
 * out rather than misread. The last line needs its newline, too.
 *
 * Returns true and the line, valid until the next call; false when in is used up.
 */
bool lines_next(struct lines *l, struct span *in, struct span *line);

/* Takes the next word off the line; an empty one at its end. White space stands between words. */
struct span lines_word(struct span *line);

#endif
