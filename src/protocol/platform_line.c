#include "protocol/platform_line.h"

#include "protocol/json_walk.h"

/* see platform_line.h */

/*
 * Between angle brackets stand members of the record, of its metrics, or, with a capital, of its X-Ray header; what is in
 * brackets is left out if one of them is not there. Behind a name: . for a number with two decimals, ! for a status
 * unless it is success, * for a list.
 */
static const struct line {
    char type[22];
    uint8_t good, bad; /* levels */
    const char *text;
} lines[] = {
    {"start", LEVEL_INFO, LEVEL_INFO, "START RequestId: <requestId>( Version: <version>)\\n"},
    {"runtimeDone", LEVEL_DEBUG, LEVEL_WARN, NULL},
    {"report", LEVEL_INFO, LEVEL_WARN,
     "REPORT RequestId: <requestId>\\tDuration: <durationMs.> ms\\t"
     "(Billed Duration: <billedDurationMs> ms\\t)(Memory Size: <memorySizeMB> MB\\t)"
     "(Max Memory Used: <maxMemoryUsedMB> MB\\t)(Init Duration: <initDurationMs.> ms\\t)"
     "(Restore Duration: <restoreDurationMs.> ms\\t)"
     "(Billed Restore Duration: <billedRestoreDurationMs> ms\\t)"
     "(Status: <status!>)(\\tError Type: <errorType>)\\n"
     "(XRAY TraceId: <Root>\\tSegmentId: <Parent>\\tSampled: true\\t\\n)"},
    {"initStart", LEVEL_INFO, LEVEL_DEBUG,
     "INIT_START Runtime Version: <runtimeVersion>(\\tRuntime Version ARN: "
     "<runtimeVersionArn>)\\n"},
    {"initRuntimeDone", LEVEL_DEBUG, LEVEL_WARN, NULL},
    {"initReport", LEVEL_DEBUG, LEVEL_WARN,
     "INIT_REPORT Init Duration: <durationMs.> ms(\\tPhase: <phase>\\tStatus: <status!>)"
     "(\\tError Type: <errorType>)\\n"},
    {"restoreStart", LEVEL_INFO, LEVEL_DEBUG,
     "RESTORE_START Runtime Version: <runtimeVersion>(\\tRuntime Version ARN: "
     "<runtimeVersionArn>)\\n"},
    {"restoreRuntimeDone", LEVEL_DEBUG, LEVEL_WARN, NULL},
    {"restoreReport", LEVEL_INFO, LEVEL_WARN,
     "RESTORE_REPORT Restore Duration: <durationMs.> ms(\\tStatus: <status!>)"
     "(\\tError Type: <errorType>)\\n"},
    {"extension", LEVEL_INFO, LEVEL_WARN,
     "EXTENSION\\tName: <name>\\tState: <state>\\tEvents: <events*>(\\tError Type: "
     "<errorType>)\\n"},
    {"telemetrySubscription", LEVEL_INFO, LEVEL_INFO,
     "TELEMETRY\\tName: <name>\\tState: <state>\\tTypes: <types*>\\n"},
    {"logsDropped", LEVEL_WARN, LEVEL_WARN, NULL},
};

static const struct line *
line_of(const struct event *e)
{
    struct span type = span_skip(json_walk_string(json_walk_member(e->text, SPAN("type"))),
                                 sizeof "platform." - 1);

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (span_same(type, span_of(lines[i].type)))
            return &lines[i];
    return NULL;
}

/* Of the X-Ray header of a trace that is sampled: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=...;Sampled=1 */
static struct span
traced(struct span record, struct span name)
{
    struct span header = json_walk_member(json_walk_member(record, SPAN("tracing")), SPAN("value"));
    struct span rest = json_walk_string(header);

    if (span_find(rest, SPAN("Sampled=1")) == NULL)
        return (struct span){NULL, 0};
    while (rest.len > 0) {
        struct span part = span_trim(span_cut(rest, ';', &rest));

        if (span_starts(part, name) && part.len > name.len && part.p[name.len] == '=')
            return span_skip(part, name.len + 1);
    }
    return (struct span){NULL, 0};
}

/* The value as it stands in JSON, or the inside of a string; empty if there is none. */
static struct span
value_of(struct span record, struct span name)
{
    struct span value;

    if (name.p[0] < 'a')
        return traced(record, name);
    value = json_walk_member(record, name);
    if (span_same(value, SPAN("null")))
        value = json_walk_member(json_walk_member(record, SPAN("metrics")), name);
    if (value.p[0] == '"')
        return json_walk_string(value);
    return span_same(value, SPAN("null")) || value.p[0] == '{' ? (struct span){NULL, 0} : value;
}

/* 26.735 as 26.74; what is no such number as it is. */
static void
put_decimal(struct out *o, struct span value)
{
    struct span part;
    uint64_t hundredths = 0;
    uint64_t digits = 0;
    size_t len;

    if (span_number(span_cut(value, '.', &part), UINT32_MAX, &hundredths) != 0 ||
        (part.len > 0 && span_number(part, UINT64_MAX, &digits) != 0)) {
        out_put(o, value);
        return;
    }
    for (len = part.len; len > 3; len--)
        digits /= 10;
    for (; len < 3; len++)
        digits *= 10;
    hundredths = hundredths * 100 + (digits + 5) / 10;
    out_number(o, hundredths / 100);
    out_byte(o, '.');
    out_padded(o, hundredths % 100, 2);
}

/* ["platform","function"] as [Platform, Function] */
static void
put_list(struct out *o, struct span list)
{
    struct json_walk w;
    struct span name;
    struct span value;
    const char *between = "[";

    if (list.p[0] != '[' || json_walk_open(&w, list) != 0)
        return;
    while (json_walk_next(&w, &name, &value) == 1) {
        value = json_walk_string(value);
        out_put(o, span_of(between));
        between = ", ";
        if (value.len == 0)
            continue;
        out_byte(o, value.p[0] >= 'a' && value.p[0] <= 'z' ? value.p[0] - 'a' + 'A' : value.p[0]);
        out_put(o, span_skip(value, 1));
    }
    out_put(o, *between == '[' ? SPAN("[]") : SPAN("]"));
}

/* Returns whether it is there. */
static bool
put_member(struct out *o, struct span record, struct span name)
{
    char how = name.p[name.len - 1];
    struct span value;

    if (how == '.' || how == '!' || how == '*')
        name.len--;
    value = value_of(record, name);
    if (value.len == 0 || (how == '!' && span_same(value, SPAN("success"))))
        return false;
    if (how == '*')
        put_list(o, value);
    else if (how == '.')
        put_decimal(o, value);
    else if (value.p[0] != '[')
        out_put(o, value);
    return true;
}

static void
put_text(struct out *o, struct span record, struct span text)
{
    size_t group = 0;
    bool there = true;

    while (text.len > 0) {
        char c = text.p[0];

        text = span_skip(text, 1);
        if (c == '(') {
            group = o->len;
            there = true;
        } else if (c == ')') {
            if (!there)
                o->len = group;
        } else if (c == '<') {
            there = put_member(o, record, span_cut(text, '>', &text)) && there;
        } else {
            out_byte(o, c);
        }
    }
}

bool
platform_line_there(const struct event *e, bool text, enum line_level least)
{
    const struct line *line = line_of(e);
    struct span status = value_of(e->record, SPAN("status"));
    struct span type = value_of(e->record, SPAN("initializationType"));
    enum line_level level = LEVEL_INFO;

    if (line == NULL || (text && line->text == NULL))
        return !text && least <= LEVEL_INFO;
    if (line->bad == LEVEL_DEBUG)
        level = value_of(e->record, SPAN("runtimeVersion")).len > 0 ? LEVEL_INFO : LEVEL_DEBUG;
    /* of an init that was not on demand, which the table has by itself */
    else if (line->good == LEVEL_INFO || line->text == NULL || type.len == 0 ||
             span_same(type, SPAN("on-demand")))
        level = (status.len == 0 || span_same(status, SPAN("success"))) &&
                        value_of(e->record, SPAN("errorType")).len == 0
                    ? line->good
                    : line->bad;
    return level >= (text ? LEVEL_INFO : least);
}

void
platform_line(struct out *o, const struct event *e)
{
    const struct line *line = line_of(e);

    if (line != NULL)
        put_text(o, e->record, span_of(line->text));
}

void
platform_line_end(struct out *o, const struct event *e)
{
    put_text(o, e->record, SPAN("END RequestId: <requestId>\\n"));
}
