#ifndef LOG_H
#define LOG_H
/*
 * Log lines: one JSON object a line on standard output, where Lambda collects them.
 *
 *   {"time":"…","level":"warn","logger":"kinesis-telemetry-api-extension","message":"…"}
 *
 * A line is always valid UTF-8: bytes of a message that are not become U+FFFD.
 *
 * Never pass credentials or telemetry to these calls. A line for which the pipe has no room at the moment is
 * left out: waiting for a reader could hold up the function.
 */
#include "protocol/out.h"
#include "protocol/settings.h"

/* The name by which our lines can be recognised. */
#define LOG_LOGGER "kinesis-telemetry-api-extension"

/* From now on lines are not printed: their messages go there, as long as they are severe enough. */
void log_divert(void (*to)(enum log_level level, struct span message));

/* Appends text as the inside of a JSON string, made valid UTF-8. */
void log_text(struct out *o, struct span text);

/* The least severe level that is printed from now on; LOG_WARN at first. */
void log_set_level(enum log_level level);

bool log_prints(enum log_level level);

/*
 * Whether log_line or log_always wrote a line at this moment, milliseconds since 1970. The latest
 * LOG_MOMENTS moments are remembered; for an earlier one, since the first, the answer is always yes.
 */
#define LOG_MOMENTS 64
bool log_wrote_at(uint64_t ms);

/* Messages longer than 1,500 bytes are cut; a line above 4,096 with its escapes is left out.
 * Arguments as of format.h. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * A line of level info that is printed whatever the level, and may wait 40 ms for room in the pipe.
 * members: more members of the line's JSON object, to follow the message; may be empty.
 */
void log_always(const char *message, struct span members);

/* A line that is a JSON object already, at most 4,095 bytes, printed whatever the level; it may
 * wait 10 ms for room in the pipe. */
void log_raw(struct span line);

/* For %.*s: the length and the bytes of a span. */
#define LOG_SPAN(s) (int)(s).len, (s).p

#endif
