#ifndef EVENT_H
#define EVENT_H
/*
 * One event of the Telemetry API, read in place, and the record that goes into the stream for it.
 *
 * Source: Telemetry API event schema; a record may be any JSON value, members and types that we do
 * not know are ignored.
 */
#include "protocol/json_scan.h"
#include "protocol/out.h"

enum event_type { EVENT_PLATFORM = 1, EVENT_FUNCTION = 2, EVENT_EXTENSION = 4 };

/* What the extension itself needs to know of a platform event. */
enum event_kind {
    EVENT_OTHER,
    EVENT_START,        /* platform.start */
    EVENT_RUNTIME_DONE, /* platform.runtimeDone */
    EVENT_REPORT,       /* platform.report */
    EVENT_LOGS_DROPPED, /* platform.logsDropped */
    EVENT_RESTORE_START /* platform.restoreStart */
};

struct event {
    struct span text;    /* the whole event */
    struct span record;  /* the record's raw JSON */
    struct span message; /* of a record that is an object: its member of this name; else empty */
    struct span time;    /* when it was produced, as RFC 3339 has it; empty when it is no string */
    enum event_type type;
    enum event_kind kind;
    struct span request_id;   /* raw, of a record that names it; empty otherwise */
    uint64_t dropped_records; /* of platform.logsDropped */
    uint64_t dropped_bytes;
    /* of platform.runtimeDone: it tells another status than success, and one after which the
     * environment is reset: a time-out, or an errorType of the runtime, an extension or the sandbox */
    bool failed, resets;
};

enum event_format {
    EVENT_MESSAGE, /* what the function logged */
    EVENT_VERBATIM,
    EVENT_ENRICHED /* the event with members that say where it comes from */
};

/* What EVENT_ENRICHED adds. All but the numbers is put inside JSON strings as it is. */
struct event_origin {
    struct span function_name, function_version, account_id, region, sandbox;
    struct span request_id; /* of the invocation that runs; empty when none does */
    uint64_t sequence;
    bool cold_start;
};

/*
 * Reads an event. Its spans point into text. marks: of the text, if they are known, else NULL.
 * Returns 0, or ERR_BAD when text is no object with a known `type` and a `record`.
 */
int event_read(struct span text, const struct json_marks *marks, struct event *e);

/*
 * The part of the event that EVENT_MESSAGE sends, as raw JSON: the value of record.message; the
 * whole record where there is none, or where it is null; a text line as a JSON string without one
 * newline at its end; a platform event whole. Points into the event.
 */
struct span event_message(const struct event *e);

/*
 * Writes the data of the event's record. Returns 0 or ERR_FULL; event_size bytes suffice.
 * origin is needed for EVENT_ENRICHED only.
 */
int event_write(struct out *o, enum event_format format, const struct event *e,
                const struct event_origin *origin);

/* An upper bound of what event_write writes. */
size_t event_size(enum event_format format, const struct event *e,
                  const struct event_origin *origin);

#endif
