#ifndef FILTER_MATCH_H
#define FILTER_MATCH_H
/*
 * Whether a line is one that a filter pattern wants.
 *
 * A line is looked at as CloudWatch Logs would have it (see line_text.h): terms are looked for in its text, also in
 * that of a JSON object, which is not read for that; {...} is asked of an object, be it the record or a string that
 * contains one; [...] of the text's fields.
 *
 * {...}  What is no object from end to end does not match, whatever is asked; what the selectors step over is not
 *        looked into, nor, of an event with marks, what is behind all that need be known. Names are compared as they
 *        stand, so one that is written with escapes does not match. A comparison holds if it does for one of the values
 *        that it selects: of several members of one name, too. Objects, arrays, true, false, null, and what is not
 *        there, are neither equal to nor different from anything. A string is compared as text, also with a number; a
 *        number as number with a number, else as text, as it is written. NOT EXISTS: there is no such member or
 *        element, not even null.
 * [...]  Fields are separated by blanks and control characters. What stands in "" or in [] is one field, without
 *        these. The last field of a pattern without "..." is all that is left. A line with fewer fields does not
 *        match. A field that is a number is compared as one with a number, else as text.
 *
 * Numbers are compared by their first 19 digits (see decimal.h).
 *
 * Not in the guide, and unconfirmed: that a line may have more fields than the pattern but not fewer, that one of
 * several selected values is enough, and what true, false and null are compared with. Known to differ: the service
 * has been seen to look for what follows a * only where it first occurs, and so not to find *11 in 1111.
 */
#include "protocol/filter_pattern.h"
#include "protocol/json_scan.h"

/*
 * event   the event, which begins with a bracket; record lies within it, raw JSON.
 * marks   those of the event if they are known, otherwise NULL.
 * room    room for as many bytes as the record has.
 *
 * An object is walked through once, fields are once counted and once read, and each term goes through the text once:
 * nothing is compared with one text more than twice, however long that is. There is no limit to a line.
 */
bool filter_match(const struct filter_pattern *p, struct span record, const char *event,
                  const struct json_marks *marks, char *room);

#endif
