#ifndef LINE_TEXT_H
#define LINE_TEXT_H
/*
 * A logged line as CloudWatch Logs has it. The Telemetry API wraps it in JSON: a line of text is a string there,
 * whose escapes are not the function's; a line that is a JSON object is that object.
 */
#include "protocol/span.h"

/*
 * record  an event's record, raw JSON.
 * room    room for as many bytes as the record has.
 *
 * Returns the contents of a string without escapes, and without one newline at its end; of anything else
 * the record. It is in the record where nothing had to be changed, else in room, and valid as long as both.
 */
struct span line_text(struct span record, char *room);

/*
 * Writes the inside of a JSON string without its escapes to a place that has room for as many bytes, which may be
 * the string's own, or begin before it. An unpaired surrogate becomes U+FFFD; of a backslash that begins no escape of
 * JSON's only what follows stays. Returns the length.
 */
size_t line_unescape(struct span inside, char *to);

/*
 * One escape, at the beginning of s, which has two bytes at least: what it stands for is written to *to, at most four
 * bytes, which moves behind it. Returns the escape's length.
 */
size_t line_escape(struct span s, char **to);

#endif
