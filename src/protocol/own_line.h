#ifndef OWN_LINE_H
#define OWN_LINE_H
/*
 * Which log lines of extensions are our own. Whoever has subscribed to extensions' logs gets what he
 * writes himself; to forward that would make more of it without end. Another extension may quote our
 * lines, or write some that look like them, and those are to be forwarded.
 *
 * So a line counts as ours by what others cannot know, the sandbox's random id, or, for those that
 * do not carry it, by the moment at which it was written (dead letters: own_lines.h):
 *
 *     {"time":"…","level":"…","logger":"LOGGER",…       a log line
 *     {"_aws":…,"sandbox":"SANDBOX",…                   metrics
 *
 * The platform hands them over as an object, or as the text of one, which a split line may cut short.
 * Source: Telemetry API, records of type extension.
 */
#include "protocol/event.h"

enum own_line {
    OWN_LINE_NOT,
    OWN_LINE_YES,
    OWN_LINE_IF_WRITTEN /* if a log line was written at the moment that is told */
};

/*
 * logger, sandbox  ours.
 * time             receives the moment, in RFC 3339, with OWN_LINE_IF_WRITTEN.
 */
enum own_line own_line(const struct event *e, struct span logger, struct span sandbox,
                       struct span *time);

#endif
