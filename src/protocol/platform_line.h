#ifndef PLATFORM_LINE_H
#define PLATFORM_LINE_H
/*
 * What the platform tells, as lines of text in CloudWatch Logs have it:
 *
 *     START RequestId: 7b2c... Version: $LATEST
 *     END RequestId: 7b2c...
 *     REPORT RequestId: 7b2c...\tDuration: 26.73 ms\tBilled Duration: 27 ms\t...
 *
 * and so on; each ends in a newline. Written as the inside of a JSON string, in which values stand as they stood in the
 * event's.
 *
 * Sources: Lambda, "Viewing CloudWatch logs" and "Log-level filtering", system log level event mapping; lines that
 * functions have.
 */
#include "protocol/event.h"
#include "protocol/log_level.h"

/*
 * Whether CloudWatch has the event: as text, what there is a line of; as JSON, what is of this level at least, DEBUG, INFO
 * or WARN.
 */
bool platform_line_there(const struct event *e, bool text, enum line_level least);

/* Its line; nothing of what has none. */
void platform_line(struct out *o, const struct event *e);

/* The one before it, of a report. */
void platform_line_end(struct out *o, const struct event *e);

#endif
