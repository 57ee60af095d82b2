#ifndef SPLITTER_TRIAL_H
#define SPLITTER_TRIAL_H
/*
 * Shared by the two files of the splitter and private to them: how the array is followed, and the trial of a
 * POST's first event.
 *
 * The first event of a POST may be the rest of a record that was cut in two. The platform repeats the
 * record's envelope and opens a string, whatever it cut. If that was an object, its closing brackets come
 * too early, or its quotation marks open strings instead of closing them, and swallow all that follows.
 * Such an event is therefore on trial until what follows it is sound: another event in the platform's own
 * form, or the array's end with nothing after it. Until then everything is kept as it arrived.
 */
#include "protocol/splitter.h"

/* splitter->state: where in the array the splitter is. */
enum splitter_state {
    START,   /* before the opening bracket */
    FIRST,   /* a value or the closing bracket */
    VALUE,   /* a value, after a comma */
    INSIDE,  /* within a value */
    BETWEEN, /* a comma or the closing bracket */
    /* from here on the splitter only looks for the next event in the platform's own form */
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
 * Whether the event on trial, with which the text begins, is whole. The text is all that has arrived so far,
 * longer at each call.
 *
 * Returns UNDECIDED: call again with more text, or once s->ended is set; SOUND; DAMAGED from s->searched
 * on; or DAMAGED_AND_FOUND, if the next event begins there. s->state is then that of the array at s->searched.
 */
enum splitter_verdict splitter_verdict(struct splitter *s, struct span text);

#endif
