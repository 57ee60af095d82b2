#ifndef SPLITTER_H
#define SPLITTER_H
/*
 * Cuts the events out of the JSON array of a telemetry POST as its bytes arrive.
 *
 * An event is handed out as the exact bytes between the array's commas, without white space around
 * it. It lies in the caller's input when it arrived in one piece, else in the carry, a buffer in
 * which the splitter collects what came in several. Nesting costs a counter and no memory. Values
 * are not checked beyond what finding their end needs; whether one is an event is for the reader.
 *
 * A record above maxBytes comes cut in two. Then one body ends inside the event, and the next one begins with
 * the record's envelope, a quotation mark and the rest of its bytes. Of a text that is an event by itself; of
 * anything else neither the brackets nor the quotation marks behind it mean what they seem to. What is no
 * array any more, or cannot be one, is a damage: it ends where an event begins as the platform writes it
 * (envelope.h), behind a comma, and from there on all is as before. So that no part of a damage is taken for an
 * event, a body's first event is held, if its record is a text, until what follows it is sound.
 *
 * A limit: where the rest of a cut record holds an array of objects that begin as the platform's own events
 * do, unescaped, these are taken for events, since nothing tells them apart. In a body without damage they
 * never are, nor in strings.
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
    bool comma; /* what is looked through begins behind a comma */
    size_t searched;   /* so far of what is on trial */
    size_t first;      /* the length of the event on trial, once it is known */
    size_t from, kept; /* bytes of the carry that come before the input: from here to there */
};

/* One damage, to be counted; events may follow. */
#define SPLITTER_CUT 2

/*
 * Begins a body; carry is used until the body's end. Behind a damage, an event is found again for certain if the
 * carry has room for 2 * ENVELOPE_MAX.
 */
void splitter_start(struct splitter *s, char *carry, size_t cap);

/*
 * The next event.
 *
 * Returns
 *   1         an event; valid until the next call, or until the input's bytes change.
 *   SPLITTER_CUT  one damage has been passed over.
 *   0         the array is complete; what may follow it is ignored, unless events are found there.
 *   ERR_MORE  all input is used.
 *   ERR_BAD   the body is no array of values; so will every further call, unless events are found.
 *   ERR_FULL  the carry is too small for this event. Either splitter_carry with a larger one, or
 *             splitter_skip, then again with the same input.
 */
int splitter_next(struct splitter *s, struct span *in, struct span *event);

/* There is no more input: what was held is to be had by further calls, with none. */
void splitter_end(struct splitter *s);

/* Marks of the event that came last; NULL when it came in several pieces. Valid until any splitter with the
 * same marks is called. */
const struct json_marks *splitter_marks(const struct splitter *s);

/* Moves to a larger carry; what was collected is copied. */
void splitter_carry(struct splitter *s, char *carry, size_t cap);

/* There is no larger carry: if it is full of what follows an event that is held, lets this go, and returns true. */
bool splitter_settle(struct splitter *s);

/* Gives up the present event: its remaining bytes are passed over. */
void splitter_skip(struct splitter *s);

/* Whether input has ended inside an event, or one whose end can be found is being passed over. */
bool splitter_inside(const struct splitter *s);

#endif
