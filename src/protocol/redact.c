#include "protocol/redact.h"

#include "protocol/json_walk.h"
#include "protocol/limits.h"
#include "protocol/line_steps.h"
#include "protocol/line_text.h"

/* see redact.h */

enum { DEPTH_MAX = 3 }; /* of strings in strings */

#define REDACTED SPAN("\"***\"")

/* --- names --- */

/* Without an asterisk at its beginning, and at its end. */
static struct span
bare(struct span name, bool *begins, bool *ends)
{
    *begins = name.len > 0 && name.p[0] == '*';
    name = span_skip(name, *begins);
    *ends = name.len > 0 && name.p[name.len - 1] == '*';
    name.len -= *ends;
    return name;
}

bool
redact_allows(struct span names)
{
    bool begins;
    bool ends;

    while (names.p != NULL) {
        struct span name = bare(span_trim(span_cut(names, ',', &names)), &begins, &ends);

        if ((name.len == 0 && !begins) || span_char(name, '*') != NULL)
            return false;
    }
    return true;
}

/* room: for the name without its escapes. */
static bool
is_named(struct span names, struct span name, char *room)
{
    LINE_STEPS(name.len);
    if (span_char(name, '\\') != NULL)
        name = (struct span){room, line_unescape(name, room)};
    while (names.p != NULL) {
        bool begins;
        bool ends;
        struct span want = bare(span_trim(span_cut(names, ',', &names)), &begins, &ends);
        size_t more = name.len - want.len;

        if (want.len > name.len)
            continue;
        for (size_t at = ends ? 0 : more; at <= (begins ? more : 0); at++) {
            LINE_STEPS(1 + want.len);
            if (span_same_case(want, (struct span){name.p + at, want.len}))
                return true;
        }
    }
    return false;
}

/* --- what is replaced --- */

/* As it stands within so many strings. */
static void
put(struct redact *r, struct span s, unsigned depth)
{
    if (!r->writing)
        return;
    LINE_STEPS(s.len);
    if (depth == 0) {
        out_put(&r->out, s);
        return;
    }
    for (size_t i = 0; i < s.len; i++) {
        char text[8];
        struct out escaped = out_to(text, sizeof text);

        out_json(&escaped, (struct span){s.p + i, 1});
        put(r, out_span(&escaped), depth - 1);
    }
}

/* What follows a colon behind the string that ends here; an empty span with a null pointer if there is none. */
static struct span
value_behind(struct span rest)
{
    for (; rest.len > 0 && span_white(*rest.p); rest = span_skip(rest, 1))
        LINE_STEPS(1);
    if (rest.len == 0 || *rest.p != ':')
        return (struct span){NULL, 0};
    return span_skip(rest, 1);
}

/* How much of the text a value takes up, and what is white before it. */
static size_t
value_len(struct redact *r, struct span text, unsigned depth)
{
    int len = json_value(text);

    LINE_STEPS(len >= 0 ? (size_t)len : text.len);
    if (len >= 0)
        return (size_t)len;
    if (depth == 0)
        r->broken = true;
    return text.len;
}

static void scan(struct redact *r, struct span s, char *room, unsigned depth);

/* The inside of a string, before which all has been written. Returns whether it has been written, too. */
static bool
scan_string(struct redact *r, struct span inside, char *room, unsigned depth)
{
    unsigned found = r->found;
    size_t len = r->out.len;
    struct span text;

    LINE_STEPS(inside.len);
    if (depth >= DEPTH_MAX || span_char(inside, '\\') == NULL)
        return false;
    text = (struct span){room, line_unescape(inside, room)};
    scan(r, text, room + text.len, depth + 1);
    if (r->found > found)
        return true;
    r->out.len = len;
    return false;
}

/* s stands within so many strings. */
static void
scan(struct redact *r, struct span s, char *room, unsigned depth)
{
    const char *end = s.p + s.len;
    const char *done = s.p; /* so far it has been written */
    const char *c = s.p;

    LINE_STEPS(s.len); /* what is between strings */
    while ((c = span_char((struct span){c, (size_t)(end - c)}, '"')) != NULL) {
        const char *close = json_scan_string(++c, end);
        struct span string;
        struct span value;

        if (close == NULL) /* cut off */
            close = end;
        LINE_STEPS((size_t)(close - c));
        string = (struct span){c, (size_t)(close - c)};
        value = value_behind(span_skip((struct span){close, (size_t)(end - close)}, 1));
        /* in text a quotation mark that ends one string may begin another, even if its brackets match */
        c = close + (depth == 0 && close < end);
        if (value.p != NULL && is_named(r->names, string, room)) {
            put(r, (struct span){done, (size_t)(value.p - done)}, depth);
            put(r, REDACTED, depth);
            r->found++;
            c = done = value.p + value_len(r, value, depth);
        } else {
            /* in text the quotation mark may be an escaped one, which is within the string then */
            if (depth > 0 && string.p - done > 1 && string.p[-2] == '\\')
                for (string.p--; string.p > done && string.p[-1] == '\\';)
                    string.p--;
            string.len = (size_t)(close - string.p);
            put(r, (struct span){done, (size_t)(string.p - done)}, depth);
            done = scan_string(r, string, room, depth) ? close : string.p;
        }
    }
    put(r, (struct span){done, (size_t)(end - done)}, depth);
}

/* --- events --- */

size_t
redact_bytes(struct span names)
{
    /* the event, what it has within strings, and a name */
    return names.len > 0 ? (2 + DEPTH_MAX) * (size_t)EVENT_MAX_BYTES : 0;
}

void
redact_init(struct redact *r, struct span names, char *memory)
{
    *r = (struct redact){.names = names, .text = memory, .room = memory + EVENT_MAX_BYTES};
}

bool
redact_event(struct redact *r, const struct event *event, struct span *text)
{
    const char *behind = event->record.p + event->record.len;
    struct span before = {event->text.p, (size_t)(event->record.p - event->text.p)};
    struct span after = {behind, event->text.len - (size_t)(behind - event->text.p)};

    r->found = 0;
    r->writing = r->broken = false;
    scan(r, event->record, r->room, 0);
    if (r->found == 0)
        return false;
    r->writing = true;
    r->out = out_to(r->text, EVENT_MAX_BYTES);
    out_put(&r->out, before);
    scan(r, event->record, r->room, 0);
    out_put(&r->out, after);
    if (r->broken || out_end(&r->out) != 0) {
        r->out = out_to(r->text, EVENT_MAX_BYTES);
        out_put(&r->out, before);
        out_put(&r->out, REDACTED);
        out_put(&r->out, after);
    }
    *text = out_span(&r->out);
    return true;
}
