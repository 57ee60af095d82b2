#ifndef SPLITTER_TRIAL_H
#define SPLITTER_TRIAL_H
/*
 * What the files of the splitter share, and nobody else uses: how an array is followed, and the trial of a
 * POST's first event.
 *
 * The first event of a POST may be the rest of a record that was cut in two. The platform repeats the
 * record's envelope and opens a string, whatever was cut; where an object was, the brackets that close it
 * come too early, or quotation marks open what they should close, so that all that follows is swallowed.
 * Therefore such an event is on trial until what follows it is sound: another event that begins as one,
 * or the array's end and nothing behind it. Meanwhile all is kept as it came.
 */
#include "protocol/splitter.h"

/* splitter->state: where in the array it stands. */
enum splitter_state {
    START,   /* before the opening bracket */
    FIRST,   /* a value or the closing bracket */
    VALUE,   /* a value, after a comma */
    INSIDE,  /* within a value */
    BETWEEN, /* a comma or the closing bracket */
    /* from here on only an event that begins as one is looked for */
    DONE,
    BROKEN,
    CUT, /* in what is left of a record that was cut in two */
    LOST /* the same, of an event that was given up */
};

/* Punctuation outside of values; true when a value begins at c. */
bool splitter_begins(struct splitter *s, char c);

/* The end of the value that p stands in, or NULL when it is not in this input. */
const char *splitter_value_end(struct splitter *s, const char *p, const char *end);

enum splitter_verdict { UNDECIDED, SOUND, DAMAGED, DAMAGED_AND_FOUND };

/*
 * Whether the event on trial, which the text begins with, is whole. The text is all that has come by now, and
 * longer at each call.
 *
 * Returns UNDECIDED: with more text, or once s->ended; SOUND; DAMAGED from s->searched on; or
 * DAMAGED_AND_FOUND, and the next event begins there. s->state is then that of the array at s->searched.
 */
enum splitter_verdict splitter_verdict(struct splitter *s, struct span text);

#endif
