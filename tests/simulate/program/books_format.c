#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "lambda.h"
#include "protocol/event.h"

/*
 * What becomes of an event on its way, from src/README.md: "TELEMETRY_RECORD_FORMAT", "What is dropped, and when". The
 * books know where in an event's text its record and message are, since the world wrote it.
 */

static bool
starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

static bool
ends(struct span s, struct span suffix)
{
    return s.len >= suffix.len && memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0;
}

static struct span
text_of(const struct book *b)
{
    return books_text((uint32_t)(b - books_at(0)));
}

/* A text line without its newline is two pieces: what stands before the escape, and the quotation mark. */
static struct span
message_of(const struct book *b, bool *quote)
{
    struct span text = text_of(b);

    *quote = false;
    if (b->type == EVENT_PLATFORM)
        return text;
    if (b->message_len > 0)
        return (struct span){text.p + b->message, b->message_len};
    *quote = b->newline;
    return (struct span){text.p + b->record, b->record_len - (b->newline ? 3 : 0)};
}

/*
 * As CloudWatch Logs has it, as it stands in a JSON string: of a text what that had, with a newline at its end; of anything
 * else its JSON without blanks.
 */
static struct span
line_of(const struct book *b)
{
    static char *room;
    static size_t cap;
    struct span record = {text_of(b).p + b->record, b->record_len};
    bool in_string = false;
    size_t len = 0;

    if (cap < 2 * record.len + 2) {
        cap = 2 * record.len + 2;
        room = realloc(room, cap);
        if (room == NULL)
            abort();
    }
    if (record.p[0] == '"') {
        len = record.len - 2;
        memcpy(room, record.p + 1, len);
        if (!b->newline)
            memcpy(room + len, "\\n", 2);
        return (struct span){room, len + (b->newline ? 0 : 2)};
    }
    for (size_t i = 0; i < record.len; i++) {
        char c = record.p[i];

        if (!in_string && strchr(" \t\r\n", c) != NULL)
            continue;
        if (c == '"' || c == '\\')
            room[len++] = '\\';
        room[len++] = c;
        if (c == '"')
            in_string = !in_string;
        /* what is escaped ends no string */
        if (c == '\\' && i + 1 < record.len) {
            c = record.p[++i];
            if (c == '"' || c == '\\')
                room[len++] = '\\';
            room[len++] = c;
        }
    }
    return (struct span){room, len};
}

bool
books_match(const struct book *b, struct span data)
{
    struct span want = text_of(b);
    bool quote = false;

    switch (world.plan.format) {
    case EVENT_CLOUDWATCH:
        return span_same(data, line_of(b));
    case EVENT_MESSAGE:
        want = message_of(b, &quote);
        return data.len == want.len + quote && starts(data, want) &&
               (!quote || data.p[data.len - 1] == '"');
    case EVENT_VERBATIM:
        return span_same(data, want);
    default:
        want.len--; /* members follow instead of the closing bracket */
        return starts(data, want) && data.len > want.len && data.p[want.len] == ',';
    }
}

/* --- cut down ----------------------------------------------------------------------------------------- */

static const char *
find_last(struct span s, struct span text)
{
    for (size_t i = s.len + 1; i-- > text.len;)
        if (memcmp(s.p + i - text.len, text.p, text.len) == 0)
            return s.p + i - text.len;
    return NULL;
}

/* What stands before the marker is the beginning of the event. */
static bool
is_beginning(struct span want, struct span head)
{
    if (starts(want, head))
        return true;
    /* brackets were closed: the marker is a string or a member by itself */
    if (ends(head, SPAN("\"truncated\":\"")))
        head.len -= sizeof "\"truncated\":\"" - 1;
    else if (ends(head, SPAN("\"")))
        head.len--;
    if (ends(head, SPAN(",")))
        head.len--;
    return starts(want, head);
}

/* What follows it is the end of the event, or closes strings and brackets. */
static bool
is_end(struct span want, struct span tail)
{
    const char *members = find_last(tail, SPAN(",\"functionName\":"));
    size_t closing = 0;

    if (ends(want, tail))
        return true;
    while (closing < tail.len && strchr("\"]}", tail.p[closing]) != NULL)
        closing++;
    if (closing == tail.len)
        return true;
    if (world.plan.format != EVENT_ENRICHED || members == NULL)
        return false;
    want.len--;
    return ends(want, (struct span){tail.p, (size_t)(members - tail.p)});
}

bool
books_match_truncated(const struct book *b, struct span data)
{
    static const struct span marker = {"...[truncated ", 14};
    const char *at = find_last(data, marker);
    const char *closes;
    struct span want;
    bool quote;

    if (at == NULL || world.plan.oversize != 0)
        return false;
    want = world.plan.format == EVENT_MESSAGE      ? message_of(b, &quote)
           : world.plan.format == EVENT_CLOUDWATCH ? line_of(b)
                                                   : text_of(b);
    closes = memchr(at, ']', data.len - (size_t)(at - data.p));
    if (closes == NULL)
        return false;
    return is_beginning(want, (struct span){data.p, (size_t)(at - data.p)}) &&
           is_end(want, (struct span){closes + 1, data.len - (size_t)(closes + 1 - data.p)});
}

/* --- enriched ----------------------------------------------------------------------------------------- */

/* Takes `,"name":` and a value without brackets or escapes off the front. */
static bool
take_member(struct span *s, struct span *name, struct span *value)
{
    const char *colon;
    size_t len = 0;

    if (s->len < 5 || s->p[0] != ',' || s->p[1] != '"')
        return false;
    colon = memchr(s->p, ':', s->len);
    if (colon == NULL || colon[-1] != '"')
        return false;
    *name = (struct span){s->p + 2, (size_t)(colon - s->p) - 3};
    *s = span_skip(*s, (size_t)(colon + 1 - s->p));
    while (len < s->len && s->p[len] != ',' && s->p[len] != '}')
        len++;
    *value = (struct span){s->p, len};
    *s = span_skip(*s, len);
    return true;
}

static struct span
unquoted(struct span value)
{
    if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"')
        return (struct span){NULL, 0};
    return (struct span){value.p + 1, value.len - 2};
}

static bool
read_number(struct span s, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        *number = *number * 10 + (uint64_t)(s.p[i] - '0');
    }
    return s.len > 0 && s.len < 18;
}

enum {
    HAS_NAME = 1,
    HAS_VERSION = 2,
    HAS_REGION = 4,
    HAS_SANDBOX = 8,
    HAS_SEQ = 16,
    HAS_COLD_START = 32,
    HAS_ALL = 63,
    HAS_ACCOUNT = 64
};

static unsigned
judge_member(struct span name, struct span value, struct books_origin *origin)
{
    if (span_same(name, SPAN("functionName")))
        return span_same(value, SPAN("\"function\"")) ? HAS_NAME : 0;
    if (span_same(name, SPAN("functionVersion")))
        return span_same(value, SPAN("\"$LATEST\"")) ? HAS_VERSION : 0;
    if (span_same(name, SPAN("region")))
        return span_same(value, SPAN("\"eu-west-1\"")) ? HAS_REGION : 0;
    if (span_same(name, SPAN("sandbox"))) {
        origin->sandbox = unquoted(value);
        return origin->sandbox.len > 0 ? HAS_SANDBOX : 0;
    }
    if (span_same(name, SPAN("requestId"))) {
        origin->request = unquoted(value);
        return 0;
    }
    if (span_same(name, SPAN("seq")))
        return read_number(value, &origin->seq) ? HAS_SEQ : 0;
    if (span_same(name, SPAN("accountId")))
        return span_same(value, SPAN("\"123456789012\"")) ? HAS_ACCOUNT : 0;
    if (span_same(name, SPAN("coldStart")))
        return value.len == 4 || value.len == 5 ? HAS_COLD_START : 0;
    return 0;
}

bool
books_origin(struct span members, struct books_origin *origin)
{
    struct span name;
    struct span value;
    unsigned has = 0;

    origin->request = (struct span){NULL, 0};
    while (take_member(&members, &name, &value))
        has |= judge_member(name, value, origin);
    return has == (HAS_ALL | (api_accounted() ? HAS_ACCOUNT : 0)) && span_same(members, SPAN("}"));
}
