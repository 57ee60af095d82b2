#ifndef SELECTION_H
#define SELECTION_H
/*
 * Which lines are sent at all: TELEMETRY_LEVEL, TELEMETRY_FILTER, TELEMETRY_SAMPLE_RATE, TELEMETRY_LEVEL_ON_ERROR.
 *
 * Only what functions and extensions have logged is judged; events of the platform always pass. In this order:
 *
 * level    A line below TELEMETRY_LEVEL is not wanted. One that tells no level (log_level.h) has
 *          TELEMETRY_LEVEL_DEFAULT, or else is never below.
 * sample   Nor is any of an invocation that is not in the sample. A number is made of its X-Ray root, as the
 *          platform's start or INVOKE tells it, or else of its request id: the first four bytes of its SHA-256, big-endian, in
 *          millionths of 2^32. It is in if that is below the rate, so that all who have part in a trace decide alike;
 *          and in any case if the trace says Sampled=1.
 * held     What is not wanted for one of these reasons, and is not below TELEMETRY_LEVEL_ON_ERROR, is kept while its
 *          invocation is under way: it is due if that fails, in the order in which it came and before anything that
 *          follows; else it is let go. From the failure on nothing of the invocation is held, or left out by the
 *          sample.
 * pattern  What is wanted or held has to match TELEMETRY_FILTER.
 *
 * An invocation fails with a line at ERROR or above, with an end whose status is not success, and when its end is not
 * heard before the next one starts or the sandbox ends. What comes before the first one is init's, which is judged in
 * the same way and always in the sample. Where invocations run side by side (Managed Instances), a line is of the one
 * whose id it has, and their end is the report; a line of none that is known is not held, nor left out by the sample.
 *
 * Also tells what the platform has said of an event's invocation, for `enriched`.
 *
 * What is held is counted when it is let go, or taken again as an event that comes.
 *
 * Sources: Telemetry API schema, platform.start, runtimeDone and report; X-Ray, tracing header.
 */
#include "protocol/event.h"
#include "protocol/held.h"
#include "protocol/ledger.h"
#include "protocol/settings.h"

enum selection_verdict {
    SELECTION_LEVEL = FILTERED_LEVEL,
    SELECTION_PATTERN = FILTERED_PATTERN,
    SELECTION_SAMPLE = FILTERED_SAMPLE,
    SELECTION_KEEP = FILTERED_REASONS, /* it is wanted */
    SELECTION_HOLD                     /* it may be */
};

/* Invocations that are remembered; of those that have ended the latest. */
#define SELECTION_REQUESTS 256

/* Of an invocation. */
struct selection_trace {
    char root[48];
    uint8_t root_len;
    bool sampled;
};

struct selection_request;

struct selection {
    bool asks;         /* there is anything to be asked, or told */
    bool side_by_side; /* set by the owner when that is known */

    /* private */
    const struct settings_selection *settings;
    struct ledger *ledger;
    bool judges, judges_level, tracks;  /* what the settings need to know of a line */
    struct selection_request *requests; /* the first is init's */
    uint32_t len;                       /* of them */
    uint32_t latest;                    /* that a line was of */
    uint32_t started;                   /* how many have been */
    struct held held;
    size_t due; /* before it no line is; HELD_NONE: none is */
    char *room;
    char tenant[256];
    size_t tenant_len;
    char invoked[64]; /* the latest INVOKE's id, and its trace */
    size_t invoked_len;
    struct selection_trace invoked_trace;
};

/* Memory that it needs; none if nothing is asked. */
size_t selection_bytes(const struct settings *settings);

/*
 * memory  selection_bytes of it, zeroed, aligned to 8; it belongs to the selection, as do the settings and the ledger.
 * room    for EVENT_MAX_BYTES, of use to others between the calls.
 */
void selection_init(struct selection *s, const struct settings *settings, struct ledger *ledger,
                    char *memory, char *room);

/* INVOKE has come, as it is, or its beginning: its tracing header counts where the start is not told. */
void selection_invoked(struct selection *s, struct span id, struct span invoke);

/* An event of the platform has come. May be called again for the same one. Lines may be due afterwards. */
void selection_platform(struct selection *s, const struct event *event);

/*
 * A line has come. marks: those of the event if they are known, otherwise NULL. request_id: of the invocation that
 * runs, if they do not run side by side. May be called again for the same one. Lines may be due afterwards.
 */
enum selection_verdict selection_line(struct selection *s, const struct event *event,
                                      const struct json_marks *marks, struct span request_id);

/* What follows for the line last judged if it is not to be kept, when no line is due: it is counted, or held. */
void selection_apply(struct selection *s, const struct event *event,
                     enum selection_verdict verdict);

/* Whether a line is due: the event as it came, and the id of its invocation. It stays so until selection_sent. */
bool selection_due(struct selection *s, struct span *event, struct span *request_id);
void selection_sent(struct selection *s);

/* Sets trace_id, tenant_id and level of origin for an event; request_id: as above. Valid until the next event. */
void selection_tell(struct selection *s, const struct event *event, struct span request_id,
                    struct event_origin *origin);

/* The sandbox ends, or will be copied: what is under way is not heard of any more, and has failed. */
void selection_end(struct selection *s);

#endif
