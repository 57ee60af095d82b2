#ifndef ENVELOPE_H
#define ENVELOPE_H
/*
 * How the platform begins an event: {"time":"2026-11-20T10:00:00.000Z","type":"function","record":
 * By these bytes the events behind a damage are found again.
 *
 * Members in this order, white space as JSON has it; a time as RFC 3339 writes it; `function`, `extension`
 * or platform.*. In sound JSON such bytes stand only where an object begins, since the quotation marks of
 * one within a string are escaped.
 */
#include "protocol/span.h"

/* Longer ones are none. */
#define ENVELOPE_MAX 512

/* Where the record begins, counted from the text's beginning; ERR_MORE, the text ends before; ERR_BAD. */
int envelope_len(struct span text);

/*
 * The first event behind a comma that begins at `from` or later.
 *
 * comma  whether the last byte before the text, white space aside, is a comma.
 *
 * Returns 1 and where it begins; or 0 and where one may begin that the text's end cuts off; the text's
 * length when there is none.
 */
int envelope_find(struct span text, size_t from, bool comma, size_t *at);

/* Whether the last byte before this place, white space aside, is a comma; `comma` when there is none. */
bool envelope_comma(struct span text, size_t at, bool comma);

#endif
