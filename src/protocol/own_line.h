#ifndef OWN_LINE_H
#define OWN_LINE_H
/*
 * Recognises our own log lines among those of extensions. An extension that subscribes to extensions' logs
 * receives its own as well, and forwarding them would produce more of them without end. Another extension may
 * quote our lines or write similar ones, and those have to be forwarded.
 *
 * A line therefore counts as ours by something that nobody else knows: the sandbox's random id, or, if it
 * does not contain that, the moment at which it was written (for dead letters see own_lines.h):
 *
 *     {"time":"…","level":"…","logger":"LOGGER",…       a log line
 *     {"_aws":…,"sandbox":"SANDBOX",…                   metrics
 *
 * The platform delivers them as an object, or as the text of one, which may be cut short.
 * Source: Telemetry API, records of type extension.
 */
#include "protocol/event.h"

enum own_line {
    OWN_LINE_NOT,
    OWN_LINE_YES,
    OWN_LINE_IF_WRITTEN /* if a log line was written at the returned moment */
};

/*
 * logger, sandbox  ours.
 * time             receives the moment, in RFC 3339, with OWN_LINE_IF_WRITTEN.
 */
enum own_line own_line(const struct event *e, struct span logger, struct span sandbox,
                       struct span *time);

#endif
