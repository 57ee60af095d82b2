#include "protocol/event.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/json_walk.h"
#include "protocol/log_level.h"

/* see event.h */

/* By what follows platform. */
COLD static enum event_kind
kind_of(struct span type)
{
    static const struct {
        char type[23];
        uint8_t kind; /* enum event_kind */
    } kinds[] = {
        {"start", EVENT_START},
        {"runtimeDone", EVENT_RUNTIME_DONE},
        {"report", EVENT_REPORT},
        {"logsDropped", EVENT_LOGS_DROPPED},
        {"initRuntimeDone", EVENT_INIT_DONE},
        {"initReport", EVENT_INIT_REPORT},
        {"restoreRuntimeDone", EVENT_RESTORE_DONE},
        {"restoreReport", EVENT_RESTORE_REPORT},
        {"restoreStart", EVENT_RESTORE_START},
        {"initStart", EVENT_INIT_START},
        {"extension", EVENT_STATE},
        {"telemetrySubscription", EVENT_SUBSCRIBED},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_same(type, span_of(kinds[i].type)))
            return (enum event_kind)kinds[i].kind;
    return EVENT_OTHER;
}

static int
read_type(struct span value, struct event *e)
{
    struct span type = json_walk_string(value);

    e->kind = EVENT_OTHER;
    if (span_same(type, SPAN("function"))) {
        e->type = EVENT_FUNCTION;
    } else if (span_same(type, SPAN("extension"))) {
        e->type = EVENT_EXTENSION;
    } else if (span_starts(type, SPAN("platform."))) {
        e->type = EVENT_PLATFORM;
        e->kind = kind_of(span_skip(type, sizeof "platform." - 1));
    } else {
        return ERR_BAD;
    }
    return 0;
}

/* Ids end up in JSON strings and partition keys, so only what needs no escape counts as one. */
static struct span
plain_id(struct span value)
{
    static const uint8_t plain[256] = {
        ['-'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1};
    struct span id = json_walk_string(value);
    unsigned all = id.len <= 64;

    for (size_t i = 0; i < id.len && i < 64; i++)
        all &= plain[(unsigned char)id.p[i]];
    return all ? id : (struct span){NULL, 0};
}

/* A member of the record's object; of several with the same name the last one counts. */
static void
read_member(struct event *e, struct span name, struct span value)
{
    if (span_same(name, SPAN("message"))) {
        e->message = value;
    } else if (log_level_member(name)) {
        if (e->level.len == 0)
            e->level = value;
    } else if (span_same(name, SPAN("requestId")) || span_same(name, SPAN("AWSRequestId"))) {
        e->request_id = plain_id(value);
    }
}

/* The record, and in the same pass its members if it is an object. Returns as json_walk_value. */
static int
read_record(struct event *e, struct json_walk *w)
{
    struct json_walk members;
    struct span name;
    struct span value;
    int r = 1;

    e->message = e->request_id = e->level = (struct span){NULL, 0};
    if (w->rest.p[0] != '{' || json_walk_enter(w, &members) != 0)
        return json_walk_value(w, &e->record);
    while ((r = json_walk_next(&members, &name, &value)) == 1)
        read_member(e, name, value);
    if (r != 0)
        return json_walk_value(w, &e->record);
    e->record = json_walk_leave(w, &members);
    return 0;
}

COLD static uint64_t
count(struct span value)
{
    uint64_t n = 0;

    (void)span_number(value, UINT64_MAX / 2, &n);
    return n;
}

/* Source: Telemetry API, status and errorType of platform.runtimeDone. */
COLD static void
read_status(struct event *e, struct span status)
{
    e->failed = !span_same(status, SPAN("success"));
    if (span_same(status, SPAN("timeout")))
        e->resets = true;
}

COLD static void
read_error_type(struct event *e, struct span type)
{
    if (span_starts(type, SPAN("Runtime.")) || span_starts(type, SPAN("Extension.")) ||
        span_starts(type, SPAN("Sandbox.")))
        e->resets = true;
}

/* A member of platform.logsDropped, or of an event that tells how something has ended. */
COLD static void
read_detail(struct event *e, struct span name, struct span value)
{
    if (e->kind != EVENT_LOGS_DROPPED) {
        if (span_same(name, SPAN("status")))
            read_status(e, json_walk_string(value));
        else if (span_same(name, SPAN("errorType")))
            read_error_type(e, json_walk_string(value));
    } else if (span_same(name, SPAN("droppedRecords"))) {
        e->dropped_records = count(value);
    } else if (span_same(name, SPAN("droppedBytes"))) {
        e->dropped_bytes = count(value);
    }
}

COLD static void
read_details(struct event *e)
{
    struct json_walk w;
    struct span name;
    struct span value;

    if (e->record.p[0] != '{' || json_walk_open(&w, e->record) != 0)
        return;
    while (json_walk_next(&w, &name, &value) == 1)
        read_detail(e, name, value);
}

int
event_read(struct span text, const struct json_marks *marks, struct event *e)
{
    struct json_walk w;
    struct span name;
    struct span value;
    bool typed = false;
    int r;

    *e = (struct event){.text = text};
    if (text.len == 0 || text.p[0] != '{' || json_walk_open(&w, text) != 0)
        return ERR_BAD;
    w.marks = marks;
    w.base = text.p;
    while ((r = json_walk_name(&w, &name)) == 1) {
        if (span_same(name, SPAN("record"))) {
            r = read_record(e, &w);
        } else {
            r = json_walk_value(&w, &value);
            if (r == 0 && span_same(name, SPAN("type")))
                typed = read_type(value, e) == 0;
            else if (r == 0 && span_same(name, SPAN("time")))
                e->time = json_walk_string(value);
        }
        if (r != 0)
            break;
    }
    /* only the closing bracket may be left, since write_enriched replaces the last byte */
    if (r != 0 || w.rest.len != 1 || !typed || e->record.len == 0)
        return ERR_BAD;
    CHECK(e->record.p > text.p && e->record.p + e->record.len < text.p + text.len);
    if (e->kind >= EVENT_RUNTIME_DONE && e->kind <= EVENT_RESTORE_REPORT)
        read_details(e);
    return 0;
}

/* Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1 */
COLD struct span
event_trace(struct span record, struct span name)
{
    struct span tracing = json_walk_member(record, SPAN("tracing"));
    struct span header = json_walk_string(json_walk_member(tracing, SPAN("value")));
    const char *at = span_find(header, name);

    if (at == NULL)
        return (struct span){NULL, 0};
    return span_cut(span_skip(header, (size_t)(at - header.p) + name.len), ';', &header);
}

/* see event.h; given that the escape is one and not the end of \\n */
bool
event_ends_in_newline(struct span string)
{
    size_t slashes = 0;
    size_t at = string.len - 2; /* the n, before the closing quotation mark */

    if (string.len < 4 || string.p[at] != 'n')
        return false;
    while (slashes < at - 1 && string.p[at - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

struct span
event_message(const struct event *e)
{
    if (e->type == EVENT_PLATFORM)
        return e->text;
    if (e->message.len > 0 && !span_same(e->message, SPAN("null")))
        return e->message;
    return e->record;
}

static void
write_message(struct out *o, const struct event *e)
{
    struct span message = event_message(e);

    if (message.p == e->record.p && message.p[0] == '"' && event_ends_in_newline(message)) {
        message.len -= 3;
        out_put(o, message);
        out_byte(o, '"');
    } else {
        out_put(o, message);
    }
}

COLD static void
string_member(struct out *o, struct span name, struct span value)
{
    if (value.len == 0)
        return;
    out_put(o, SPAN(",\""));
    out_put(o, name);
    out_put(o, SPAN("\":\""));
    out_json(o, value);
    out_byte(o, '"');
}

COLD static void
write_enriched(struct out *o, const struct event *e, const struct event_origin *origin)
{
    struct span request_id = e->request_id.len > 0 ? e->request_id : origin->request_id;

    /* an event is an object that has members, so a comma may follow */
    out_put(o, (struct span){e->text.p, e->text.len - 1});
    string_member(o, SPAN("functionName"), origin->function_name);
    string_member(o, SPAN("functionVersion"), origin->function_version);
    string_member(o, SPAN("accountId"), origin->account_id);
    string_member(o, SPAN("region"), origin->region);
    string_member(o, SPAN("sandbox"), origin->sandbox);
    out_put(o, SPAN(",\"seq\":"));
    out_number(o, origin->sequence);
    string_member(o, SPAN("requestId"), request_id);
    string_member(o, SPAN("traceId"), origin->trace_id);
    string_member(o, SPAN("tenantId"), origin->tenant_id);
    string_member(o, SPAN("level"), origin->level);
    out_put(o, origin->cold_start ? SPAN(",\"coldStart\":true}") : SPAN(",\"coldStart\":false}"));
}

int
event_write(struct out *o, enum event_format format, const struct event *e,
            const struct event_origin *origin)
{
    size_t before = o->len;

    if (format == EVENT_MESSAGE)
        write_message(o, e);
    else if (format == EVENT_VERBATIM)
        out_put(o, e->text);
    else
        write_enriched(o, e, origin);
    CHECK(o->len - before <= event_size(format, e, origin));
    return out_end(o);
}

size_t
event_size(enum event_format format, const struct event *e, const struct event_origin *origin)
{
    enum { NAMES_AND_NUMBERS = 256, WIDEST_ESCAPE = 6 };

    if (format != EVENT_ENRICHED)
        return e->text.len;
    return e->text.len + NAMES_AND_NUMBERS + e->request_id.len +
           WIDEST_ESCAPE *
               (origin->function_name.len + origin->function_version.len + origin->account_id.len +
                origin->region.len + origin->sandbox.len + origin->request_id.len +
                origin->trace_id.len + origin->tenant_id.len + origin->level.len);
}
