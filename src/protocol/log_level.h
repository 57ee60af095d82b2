#ifndef LOG_LEVEL_H
#define LOG_LEVEL_H
/*
 * How severe a line is that a function has logged, where the line says so.
 *
 * Names are those of Lambda's own setting (TRACE, DEBUG, INFO, WARN, ERROR, FATAL) and their usual other forms, small
 * or capital: WARNING, ERR, CRITICAL, NOTICE and so on; those of .NET's text lines among them (trce, dbug, fail, crit).
 * Numbers are those of pino and bunyan, 10 for TRACE to 60 for FATAL; another one of two digits counts as the next
 * lower one.
 */
#include "protocol/span.h"

enum line_level {
    LEVEL_NONE, /* not told */
    LEVEL_TRACE,
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARN,
    LEVEL_ERROR,
    LEVEL_FATAL
};

/* Its name, as Lambda has it; empty for LEVEL_NONE. */
struct span log_level_name(enum line_level level);

/* By its name. LEVEL_NONE: it is none. */
enum line_level log_level_named(struct span name);

/* Whether an object's member of this name tells the level: level, severity or log.level. */
static inline bool
log_level_member(struct span name)
{
    return span_same(name, SPAN("level")) || span_same(name, SPAN("severity")) ||
           span_same(name, SPAN("log.level"));
}

/* Of the value of such a member, raw JSON: a name or a whole number. */
enum line_level log_level_value(struct span value);

/*
 * The level that a line tells of itself.
 *
 * record  an event's record, raw JSON.
 * room    room for as many bytes as the record has.
 *
 * Of an object, also one within a string: the first of the members above that tells one; where there is none, that of
 * its last member `message`, which is looked at in the same way. Of text: what the text formats of Lambda's runtimes
 * have before the message,
 *
 *     Node.js, .NET    TIME \t REQUEST \t LEVEL \t
 *     Python, Java     [LEVEL]
 *     Ruby             L, [TIME #PROCESS] LEVEL
 *     Java, log4j2     DATE TIME REQUEST LEVEL, by a usual pattern
 *
 * or in general, of a line that begins with a date or time, one of the five words behind that, with a capital. Lines
 * of the platform, stack traces and what is merely printed have none. Text is looked at as it stands in JSON: of
 * escapes only those of tabs and newlines mean what they are for.
 *
 * Sources: the formatters of AWS's runtime interface clients for Java, .NET and Ruby; lines of Node.js and Python.
 */
enum line_level log_level_line(struct span record, char *room);

#endif
