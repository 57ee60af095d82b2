#ifndef ENVELOPE_H
#define ENVELOPE_H
/*
 * How the platform begins an event: {"time":"2026-11-20T10:00:00.000Z","type":"function","record":
 * By these bytes the splitter finds the next event after a damage.
 *
 * The members in this order, with JSON's white space between them; a time in the form of RFC 3339; a type of
 * `function`, `extension` or platform.*. In valid JSON such bytes occur only where an object begins, since
 * inside a string the quotation marks would be escaped.
 */
#include "protocol/span.h"

/* Anything longer does not count as an envelope. */
#define ENVELOPE_MAX 512

/* Offset of the record in the text; ERR_MORE if the text ends before it; ERR_BAD. */
int envelope_len(struct span text);

/*
 * Finds the first event that follows a comma and begins at `from` or later.
 *
 * comma  whether the last byte before the text, white space aside, is a comma.
 *
 * Returns 1 and the event's offset; or 0 and the offset of what may be an event cut off by the end of the
 * text, or the text's length if there is nothing of the kind.
 */
int envelope_find(struct span text, size_t from, bool comma, size_t *at);

/* Whether the last byte before this offset, white space aside, is a comma; `comma` if there is no such byte. */
bool envelope_comma(struct span text, size_t at, bool comma);

#endif
