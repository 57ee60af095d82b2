#include "protocol/own_line.h"

#include "protocol/json_walk.h"
#include "protocol/timestamp.h"

/* see own_line.h */

/* Removes the prefix from the text; false when the text does not begin with it. */
static bool
skip(struct span *text, struct span prefix)
{
    if (!span_starts(*text, prefix))
        return false;
    *text = span_skip(*text, prefix.len);
    return true;
}

static bool
skip_word(struct span *text)
{
    while (text->len > 0 && text->p[0] >= 'a' && text->p[0] <= 'z')
        *text = span_skip(*text, 1);
    return skip(text, SPAN("\\\","));
}

/* A log line within a string, whose quotation marks are escaped. */
static bool
log_line(struct span text, struct span logger, struct span *time)
{
    if (!skip(&text, SPAN("{\\\"time\\\":\\\"")) || text.len < TIMESTAMP_RFC3339_LEN)
        return false;
    *time = (struct span){text.p, TIMESTAMP_RFC3339_LEN};
    text = span_skip(text, TIMESTAMP_RFC3339_LEN);
    return skip(&text, SPAN("\\\",\\\"level\\\":\\\"")) && skip_word(&text) &&
           skip(&text, SPAN("\\\"logger\\\":\\\"")) && skip(&text, logger) &&
           skip(&text, SPAN("\\\""));
}

static bool
names_sandbox(struct span text, struct span sandbox)
{
    const struct span name = SPAN("\\\"sandbox\\\":\\\"");
    bool metrics = span_starts(text, SPAN("{\\\"_aws\\\":"));
    const char *at = metrics ? span_find(text, name) : NULL;

    if (at == NULL)
        return false;
    text = span_skip(text, (size_t)(at - text.p));
    return skip(&text, name) && skip(&text, sandbox) && skip(&text, SPAN("\\\""));
}

static enum own_line
of_text(struct span text, struct span logger, struct span sandbox, struct span *time)
{
    if (names_sandbox(text, sandbox))
        return OWN_LINE_YES;
    return log_line(text, logger, time) ? OWN_LINE_IF_WRITTEN : OWN_LINE_NOT;
}

static enum own_line
of_object(struct span object, struct span logger, struct span sandbox, struct span *time)
{
    struct json_walk w;
    struct span name;
    struct span value;
    bool ours = false;
    bool logged = false;

    *time = (struct span){NULL, 0};
    if (json_walk_open(&w, object) != 0)
        return OWN_LINE_NOT;
    while (json_walk_next(&w, &name, &value) == 1) {
        value = json_walk_string(value);
        if (span_same(name, SPAN("logger")))
            logged = span_same(value, logger);
        else if (span_same(name, SPAN("sandbox")))
            ours = span_same(value, sandbox);
        else if (span_same(name, SPAN("time")))
            *time = value;
    }
    if (!logged)
        return OWN_LINE_NOT;
    return ours ? OWN_LINE_YES : time->len > 0 ? OWN_LINE_IF_WRITTEN : OWN_LINE_NOT;
}

enum own_line
own_line(const struct event *e, struct span logger, struct span sandbox, struct span *time)
{
    if (e->type != EVENT_EXTENSION)
        return OWN_LINE_NOT;
    if (e->record.p[0] == '"')
        return of_text(span_skip(e->record, 1), logger, sandbox, time);
    if (e->record.p[0] == '{')
        return of_object(e->record, logger, sandbox, time);
    return OWN_LINE_NOT;
}
