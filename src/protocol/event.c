#include "protocol/event.h"

#include <string.h>

#include "protocol/json_walk.h"

/* see event.h */

static enum event_kind
kind_of(struct span type)
{
    static const struct {
        const char *type;
        enum event_kind kind;
    } kinds[] = {
        {"platform.start", EVENT_START},
        {"platform.runtimeDone", EVENT_RUNTIME_DONE},
        {"platform.report", EVENT_REPORT},
        {"platform.logsDropped", EVENT_LOGS_DROPPED},
        {"platform.restoreStart", EVENT_RESTORE_START},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_same(type, span_of(kinds[i].type)))
            return kinds[i].kind;
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
        e->kind = kind_of(type);
    } else {
        return ERR_BAD;
    }
    return 0;
}

/* The last member of the record's object that has one of two names; a null span without one. */
static struct span
record_member(struct span record, struct span name, struct span other)
{
    struct json_walk w;
    struct span key;
    struct span value;
    struct span found = {NULL, 0};

    if (record.len == 0 || record.p[0] != '{' || json_walk_open(&w, record) != 0)
        return found;
    while (json_walk_next(&w, &key, &value) == 1)
        if (span_same(key, name) || span_same(key, other))
            found = value;
    return found;
}

/* Ids end up in JSON strings and partition keys, so only what needs no escape counts as one. */
static struct span
plain_id(struct span value)
{
    struct span id = json_walk_string(value);

    if (id.len > 64)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < id.len; i++) {
        char c = id.p[i];

        if (!(c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return (struct span){NULL, 0};
    }
    return id;
}

static uint64_t
count_member(struct span record, struct span name)
{
    uint64_t n = 0;

    (void)span_number(record_member(record, name, name), UINT64_MAX / 2, &n);
    return n;
}

static void
read_record(struct event *e)
{
    if (e->kind == EVENT_LOGS_DROPPED) {
        e->dropped_records = count_member(e->record, SPAN("droppedRecords"));
        e->dropped_bytes = count_member(e->record, SPAN("droppedBytes"));
    }
    e->request_id = plain_id(record_member(e->record, SPAN("requestId"), SPAN("AWSRequestId")));
}

int
event_read(struct span text, struct event *e)
{
    struct json_walk w;
    struct span name;
    struct span value;
    bool typed = false;
    int r;

    *e = (struct event){.text = text};
    if (text.len == 0 || text.p[0] != '{' || json_walk_open(&w, text) != 0)
        return ERR_BAD;
    while ((r = json_walk_next(&w, &name, &value)) == 1) {
        if (span_same(name, SPAN("type")))
            typed = read_type(value, e) == 0;
        else if (span_same(name, SPAN("record")))
            e->record = value;
        else if (span_same(name, SPAN("time")))
            e->time = json_walk_string(value);
    }
    /* the closing bracket is left, and has to be the last byte: write_enriched takes it off */
    if (r != 0 || w.rest.len != 1 || !typed || e->record.len == 0)
        return ERR_BAD;
    read_record(e);
    return 0;
}

/* A JSON string without one \n at its end, given that the escape is one and not the end of \\n. */
static bool
ends_in_newline(struct span string)
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
    struct span message;

    if (e->type == EVENT_PLATFORM)
        return e->text;
    message = record_member(e->record, SPAN("message"), SPAN("message"));
    if (message.len > 0 && !span_same(message, SPAN("null")))
        return message;
    return e->record;
}

static void
write_message(struct out *o, const struct event *e)
{
    struct span message = event_message(e);

    if (message.p == e->record.p && message.p[0] == '"' && ends_in_newline(message)) {
        message.len -= 3;
        out_put(o, message);
        out_byte(o, '"');
    } else {
        out_put(o, message);
    }
}

static void
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

static void
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
    out_put(o, origin->cold_start ? SPAN(",\"coldStart\":true}") : SPAN(",\"coldStart\":false}"));
}

int
event_write(struct out *o, enum event_format format, const struct event *e,
            const struct event_origin *origin)
{
    if (format == EVENT_MESSAGE)
        write_message(o, e);
    else if (format == EVENT_VERBATIM)
        out_put(o, e->text);
    else
        write_enriched(o, e, origin);
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
                origin->region.len + origin->sandbox.len + origin->request_id.len);
}

/* Whether text contains `"logger":"<logger>"` as it stands inside a JSON string. */
static bool
text_names(struct span text, struct span logger)
{
    char needle[128];
    struct out o = out_to(needle, sizeof needle);

    out_put(&o, SPAN("\\\"logger\\\":\\\""));
    out_put(&o, logger);
    out_put(&o, SPAN("\\\""));
    return out_end(&o) == 0 && span_find(text, out_span(&o)) != NULL;
}

bool
event_is_line_of(const struct event *e, struct span logger)
{
    struct span name;

    if (e->type != EVENT_EXTENSION)
        return false;
    if (e->record.p[0] == '"')
        return text_names(e->record, logger);
    name = record_member(e->record, SPAN("logger"), SPAN("logger"));
    return span_same(json_walk_string(name), logger);
}
