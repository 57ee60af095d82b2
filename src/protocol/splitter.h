#ifndef SPLITTER_H
#define SPLITTER_H
/*
 * Cuts the events out of the JSON array of a telemetry POST as its bytes arrive.
 *
 * An event is returned as the exact bytes between the array's commas, without the white space around it.
 * It lies in the caller's input if it arrived in one piece, otherwise in the carry, a buffer in which
 * the splitter collects events that arrive in several. Nesting costs a counter and no memory. A value is
 * checked only as far as finding its end requires; whether it is an event is for the reader to say.
 *
 * The platform cuts a record above maxBytes in two: one body ends inside the event, and the next begins with
 * the record's envelope, a quotation mark and the remaining bytes. If the record was a text, that is a valid
 * event. If it was anything else, the brackets and quotation marks that follow no longer mean what they
 * seem to. A place where the body stops being an array is called a damage. It ends after a comma, where an
 * event begins in the form in which the platform writes them (envelope.h); from there on the body is read as
 * usual. To keep parts of a damage from being taken for events, the first event of a body is held back, if
 * its record is a text, until what follows it proves sound.
 *
 * One limit: if the rest of a cut record contains an array of objects that begin like the platform's own
 * events, unescaped, they are taken for events, since nothing distinguishes them. This cannot happen
 * inside strings, nor in a body without damage.
 *
 * Source: Telemetry API; seen with records above maxBytes.
 */
#include "protocol/json_scan.h"
#include "protocol/span.h"

struct splitter {
    struct json_marks *marks; /* set after splitter_start if they are wanted; the caller's */
    char *carry;
    size_t cap;
    size_t len; /* bytes of an unfinished event in the carry */
    uint8_t state;
    bool container;        /* the present value is an object or an array */
    struct json_scan scan; /* of it */
    bool skipping;         /* the rest of an event that is too large */
    bool marked;           /* the marks are those of the event that came last */
    bool ended;            /* there is no more input */
    bool trial; /* the first event is held; so far it is in the carry: len, and what follows it */
    bool comma; /* what is searched begins after a comma */
    size_t searched;   /* so far of what is on trial */
    size_t first;      /* the length of the event on trial, once it is known */
    size_t from, kept; /* bytes of the carry that come before the input: from here to there */
};

/* One damage, to be counted; events may follow. */
#define SPLITTER_CUT 2

/*
 * Begins a body; carry is used until the body's end. The next event after a damage is certain to be found if
 * the carry has room for 2 * ENVELOPE_MAX.
 */
void splitter_start(struct splitter *s, char *carry, size_t cap);

/*
 * The next event.
 *
 * Returns
 *   1         an event; valid until the next call, or until the input's bytes change.
 *   SPLITTER_CUT  one damage has been skipped.
 *   0         the array is complete; what follows it is ignored, unless it contains events.
 *   ERR_MORE  all input has been used.
 *   ERR_BAD   the body is not an array of values; further calls return the same, unless events are found.
 *   ERR_FULL  the carry is too small for this event: call splitter_carry with a larger one, or
 *             splitter_skip, then call again with the same input.
 */
int splitter_next(struct splitter *s, struct span *in, struct span *event);

/* There is no more input: further calls, with an empty input, return what was held back. */
void splitter_end(struct splitter *s);

/* Marks of the last event; NULL if it arrived in several pieces. Valid until any splitter with the same
 * marks is called. */
const struct json_marks *splitter_marks(const struct splitter *s);

/* Moves to a larger carry; what was collected is copied. */
void splitter_carry(struct splitter *s, char *carry, size_t cap);

/*
 * There is no larger carry: if it is filled by what follows an event that is held back, releases that event
 * and returns true.
 */
bool splitter_settle(struct splitter *s);

/* Gives up the current event: its remaining bytes are skipped. */
void splitter_skip(struct splitter *s);

/* Whether the input so far ends inside an event, or inside a skipped one whose end can be found. */
bool splitter_inside(const struct splitter *s);

#endif
