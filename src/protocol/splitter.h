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
 * Source: Telemetry API; a body may end inside an event (a record above maxBytes is cut in two).
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
};

/* Begins a body; carry is used until the body's end. */
void splitter_start(struct splitter *s, char *carry, size_t cap);

/*
 * The next event.
 *
 * Returns
 *   1         an event; valid until the next call, or until the input's bytes change.
 *   0         the array is complete; what may follow it is ignored.
 *   ERR_MORE  all input is used.
 *   ERR_BAD   the body is no array of values; so will every further call.
 *   ERR_FULL  the carry is too small for this event. Either splitter_carry with a larger one, or
 *             splitter_skip, then again with the same input.
 */
int splitter_next(struct splitter *s, struct span *in, struct span *event);

/* Marks of the event that came last; NULL when it came in several pieces. Valid until any splitter with the
 * same marks is called. */
const struct json_marks *splitter_marks(const struct splitter *s);

/* Moves to a larger carry; what was collected is copied. */
void splitter_carry(struct splitter *s, char *carry, size_t cap);

/* Gives up the present event: its remaining bytes are passed over. */
void splitter_skip(struct splitter *s);

/* Whether input has ended inside an event, or an event is being passed over. */
bool splitter_inside(const struct splitter *s);

#endif
