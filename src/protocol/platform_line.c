#include "protocol/platform_line.h"

#include "protocol/json_walk.h"

/* see platform_line.h */

/*
 * Between angle brackets stand members of the record, of its metrics, or, with an equals sign, of its X-Ray header; what is in
 * brackets is left out if one of them is not there. Behind a name: . for a number with two decimals, ! for a status
 * unless it is success, 1 for what has to be so in the header.
 */
static const struct line {
    uint8_t good, bad; /* levels */
    const char *text;
} lines[] = {
    [EVENT_OTHER] = {LEVEL_INFO, LEVEL_INFO, NULL},
    [EVENT_START] = {LEVEL_INFO, LEVEL_INFO,
                     "START RequestId: <requestId>( Version: <version>)\\n"},
    [EVENT_RUNTIME_DONE] = {LEVEL_DEBUG, LEVEL_WARN, NULL},
    [EVENT_REPORT] =
        {LEVEL_INFO, LEVEL_WARN,
         "REPORT RequestId: <requestId>\\tDuration: <durationMs.> ms\\t"
         "(Billed Duration: <billedDurationMs> ms\\t)"
         "(Memory Size: <memorySizeMB> MB\\t)"
         "(Max Memory Used: <maxMemoryUsedMB> MB\\t)"
         "(Init Duration: <initDurationMs.> ms\\t)"
         "(Restore Duration: <restoreDurationMs.> ms\\t)"
         "(Billed Restore Duration: <billedRestoreDurationMs> ms\\t)"
         "(Status: <status!>)(\\tError Type: <errorType>)\\n"
         "(XRAY TraceId: <Root=>\\tSegmentId: <Parent=>\\tSampled: true<Sampled=1>\\t\\n)"},
    [EVENT_LOGS_DROPPED] = {LEVEL_WARN, LEVEL_WARN, NULL},
    [EVENT_INIT_DONE] = {LEVEL_DEBUG, LEVEL_WARN, NULL},
    [EVENT_INIT_REPORT] =
        {LEVEL_DEBUG, LEVEL_WARN,
         "INIT_REPORT Init Duration: <durationMs.> ms"
         "(\\tPhase: <phase>\\tStatus: <status!>)(\\tError Type: <errorType>)\\n"},
    [EVENT_RESTORE_DONE] = {LEVEL_DEBUG, LEVEL_WARN, NULL},
    [EVENT_RESTORE_REPORT] = {LEVEL_INFO, LEVEL_WARN,
                              "RESTORE_REPORT Restore Duration: <durationMs.> ms"
                              "(\\tStatus: <status!>)(\\tError Type: <errorType>)\\n"},
    [EVENT_RESTORE_START] = {LEVEL_INFO, LEVEL_INFO,
                             "RESTORE_START Runtime Version: <runtimeVersion>"
                             "(\\tRuntime Version ARN: <runtimeVersionArn>)\\n"},
    [EVENT_INIT_START] = {LEVEL_INFO, LEVEL_INFO,
                          "INIT_START Runtime Version: <runtimeVersion>"
                          "(\\tRuntime Version ARN: <runtimeVersionArn>)\\n"},
    [EVENT_STATE] = {LEVEL_INFO, LEVEL_INFO,
                     "EXTENSION\\tName: <name>\\tState: <state>\\tEvents: <events>"
                     "(\\tError Type: <errorType>)\\n"},
    [EVENT_SUBSCRIBED] = {LEVEL_INFO, LEVEL_INFO,
                          "TELEMETRY\\tName: <name>\\tState: <state>\\tTypes: <types>\\n"},
};

/* A member of the record, or of its metrics, as it stands; `null` if there is none. */
static struct span
value_of(struct span record, struct span name)
{
    struct span value = json_walk_member(record, name);

    if (span_same(value, SPAN("null")))
        value = json_walk_member(json_walk_member(record, SPAN("metrics")), name);
    return value;
}

/* 10 and more: none is there. */
static unsigned
digit_at(struct span value, size_t at)
{
    return at < value.len ? (unsigned char)value.p[at] - '0' : 10;
}

/* 26.735 as 26.74 */
static void
put_decimal(struct out *o, struct span value)
{
    uint64_t number = 0;
    size_t at = 0;

    for (; digit_at(value, at) < 10; at++)
        number = number * 10 + digit_at(value, at);
    for (int i = 0; i < 3; i++) {
        unsigned digit = digit_at(value, ++at);

        number = number * 10 + (digit < 10 ? digit : 0);
    }
    number = (number + 5) / 10;
    out_number(o, number / 100);
    out_byte(o, '.');
    out_padded(o, number % 100, 2);
}

/* ["platform","function"] as [Platform, Function] */
static void
put_list(struct out *o, struct span list)
{
    bool first = false;

    for (size_t i = 0; i < list.len; i++) {
        char c = list.p[i];

        if (c == '"') {
            first = !first;
        } else if (c == ',') {
            out_put(o, SPAN(", "));
        } else if (c > ' ' && c != '\\') {
            out_byte(o, first && c >= 'a' && c <= 'z' && list.p[i - 1] == '"'
                            ? (char)(c - 'a' + 'A')
                            : c);
        }
    }
}

/* Returns whether it is there. */
static bool
put_member(struct out *o, struct span record, struct span name)
{
    char how = name.p[name.len - 1];
    struct span value;

    if (how == '1')
        return event_trace(record, name).p != NULL;
    if (how == '.' || how == '!')
        name.len--;
    value = how == '=' ? event_trace(record, name) : value_of(record, name);
    if (value.len == 0 || span_same(value, SPAN("null")) || value.p[0] == '{')
        return false;
    if (value.p[0] == '[') {
        put_list(o, value);
        return true;
    }
    if (value.p[0] == '"')
        value = json_walk_string(value);
    if (value.len == 0 || (how == '!' && span_same(value, SPAN("success"))))
        return false;
    if (how == '.')
        put_decimal(o, value);
    else
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
    const struct line *line = &lines[e->kind];
    unsigned level = e->failed ? line->bad : line->good;
    struct span type;

    if ((e->kind == EVENT_RESTORE_START || e->kind == EVENT_INIT_START) &&
        json_walk_string(value_of(e->record, SPAN("runtimeVersion"))).len == 0)
        level = LEVEL_DEBUG;
    if (e->kind == EVENT_INIT_REPORT) {
        type = json_walk_string(value_of(e->record, SPAN("initializationType")));
        if (type.len > 0 && !span_same(type, SPAN("on-demand")))
            level = LEVEL_INFO;
    }
    return text ? line->text != NULL && level >= LEVEL_INFO : level >= least;
}

void
platform_line(struct out *o, const struct event *e)
{
    put_text(o, e->record, span_of(lines[e->kind].text));
}

void
platform_line_end(struct out *o, const struct event *e)
{
    put_text(o, e->record, SPAN("END RequestId: <requestId>\\n"));
}
