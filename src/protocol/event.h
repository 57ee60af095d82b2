#ifndef EVENT_H
#define EVENT_H
/*
 * Reads an event of the Telemetry API in place, and writes the data of the record that represents it in the
 * stream.
 *
 * Source: Telemetry API event schema. A record may be any JSON value; unknown members and types are ignored.
 */
#include "protocol/json_scan.h"
#include "protocol/out.h"

enum event_type { EVENT_PLATFORM = 1, EVENT_FUNCTION = 2, EVENT_EXTENSION = 4 };

/* The platform's events. Of those from EVENT_RUNTIME_DONE to EVENT_RESTORE_REPORT it is read how they end. */
enum event_kind {
    EVENT_OTHER,
    EVENT_START,          /* platform.start */
    EVENT_RUNTIME_DONE,   /* platform.runtimeDone */
    EVENT_REPORT,         /* platform.report */
    EVENT_LOGS_DROPPED,   /* platform.logsDropped */
    EVENT_INIT_DONE,      /* platform.initRuntimeDone */
    EVENT_INIT_REPORT,    /* platform.initReport */
    EVENT_RESTORE_DONE,   /* platform.restoreRuntimeDone */
    EVENT_RESTORE_REPORT, /* platform.restoreReport */
    EVENT_RESTORE_START,  /* platform.restoreStart */
    EVENT_INIT_START,     /* platform.initStart */
    EVENT_STATE,          /* platform.extension */
    EVENT_SUBSCRIBED      /* platform.telemetrySubscription */
};

struct event {
    struct span text;    /* the whole event */
    struct span record;  /* the record's raw JSON */
    struct span message; /* of a record that is an object: its member of this name; else empty */
    struct span
        level; /* of such a record: the value of its first member that log_level.h knows; else empty */
    struct span time; /* when it was produced, as RFC 3339 has it; empty when it is no string */
    enum event_type type;
    enum event_kind kind;
    struct span request_id;   /* of a record that contains one; empty otherwise */
    uint64_t dropped_records; /* of platform.logsDropped */
    uint64_t dropped_bytes;
    /* of what tells how something has ended: its status is not success; and the environment is reset
     * after it: the status is a time-out, or errorType is one of the runtime, an extension or the sandbox */
    bool failed, resets;
};

enum event_format {
    EVENT_MESSAGE, /* what the function logged */
    EVENT_VERBATIM,
    EVENT_ENRICHED,  /* the event, with members that identify its origin */
    EVENT_CLOUDWATCH /* as part of a message (subscription.h), not by event_write */
};

/* What EVENT_ENRICHED adds. */
struct event_origin {
    struct span function_name, function_version, account_id, region, sandbox;
    struct span request_id; /* of the current invocation; empty if there is none */
    uint64_t sequence;
    bool cold_start;
    struct span trace_id, tenant_id, level; /* of the event, where they are known */
    bool json;                              /* the function logs in JSON, as far as is known */
};

/*
 * Reads an event. Its spans point into text. marks: those of the text if they are known, otherwise NULL.
 * Returns 0, or ERR_BAD unless text is an object with a known `type` and a `record`.
 */
int event_read(struct span text, const struct json_marks *marks, struct event *e);

/*
 * What EVENT_MESSAGE sends of the event, as raw JSON: the value of record.message; the whole record if
 * that is absent or null; the whole event if it is one of the platform. Points into the event.
 */
struct span event_message(const struct event *e);

/*
 * Of the X-Ray header in a record of platform.start, runtimeDone or report what follows a name such as `Root=`; a null
 * span if that is not there.
 */
struct span event_trace(struct span record, struct span name);

/* Whether a JSON string, raw, ends in \n. */
bool event_ends_in_newline(struct span string);

/*
 * Writes the data of the event's record; of a text line without one newline at its end, if it is sent as a
 * message. Returns 0 or ERR_FULL; event_size bytes suffice. origin is needed for EVENT_ENRICHED only.
 */
int event_write(struct out *o, enum event_format format, const struct event *e,
                const struct event_origin *origin);

/* An upper bound for what event_write writes. */
size_t event_size(enum event_format format, const struct event *e,
                  const struct event_origin *origin);

#endif
