#include "protocol/oversize.h"

#include <string.h>

#include "protocol/utf8.h"

/* see oversize.h */

enum {
    DEEP = 64, /* brackets that can be closed */
    /* ...[truncated 4294967295 bytes] */
    MARKER_MAX = 14 + 10 + 7,
    /* ,"truncated":"" */
    MEMBER_MAX = 1 + 12 + 2 + MARKER_MAX
};

static void
put_marker(struct out *o, size_t gone)
{
    out_put(o, SPAN("...[truncated "));
    out_number(o, gone);
    out_put(o, SPAN(" bytes]"));
}

/* From behind a string's first quotation mark to its last one; s.len when it has none. */
static size_t
string_len(struct span s)
{
    size_t at = 0;

    while (at < s.len && s.p[at] != '"')
        at += s.p[at] == '\\' ? 2 : 1;
    return at < s.len ? at : s.len;
}

/* What comes next but white space; 0: nothing. */
static char
next_token(struct span rest)
{
    size_t at = 0;

    while (at < rest.len && span_white(rest.p[at]))
        at++;
    return at < rest.len ? rest.p[at] : '\0';
}

/* Whether a colon comes next, so that the string before it is a member's name. */
static bool
names(struct span rest)
{
    return next_token(rest) == ':';
}

/* Whether s begins with \uXXXX whose second digit is from..F; the first one is D. */
static bool
surrogate(struct span s, char from, char to)
{
    char second;

    if (s.len < 6 || s.p[0] != '\\' || s.p[1] != 'u' || (s.p[2] != 'D' && s.p[2] != 'd'))
        return false;
    second = s.p[3];
    if (second >= 'a' && second <= 'f')
        second = (char)(second - 'a' + 'A');
    return second >= from && second <= to;
}

/* The length of what must not be cut in two, at the beginning of a string's rest; 0 at its end. */
static size_t
unit(struct span s)
{
    size_t len;

    if (s.len > 0 && s.p[0] == '\\') {
        len = s.len > 1 && s.p[1] == 'u' ? 6 : 2;
        /* digits compare below letters, so that 8, 9, A and B are a range */
        if (surrogate(s, '8', 'B') && surrogate(span_skip(s, 6), 'C', 'F'))
            len = 12;
        return len < s.len ? len : s.len;
    }
    len = utf8_char(s);
    return len == 0 && s.len > 0 ? 1 : len;
}

/* How much of a string's inside can stay when it is at most so many bytes. */
static size_t
whole_units(struct span string, size_t most)
{
    size_t len = 0;
    size_t next = 0;

    while (next <= most) {
        len = next;
        if (len == string.len)
            break;
        next += unit(span_skip(string, len));
    }
    return len;
}

static struct span
longest_string(struct span data)
{
    struct span longest = {NULL, 0};
    const char *quote;

    while (data.len > 0 && (quote = memchr(data.p, '"', data.len)) != NULL) {
        struct span string = span_skip(data, (size_t)(quote - data.p) + 1);

        data = string;
        string.len = string_len(data);
        if (string.len == data.len)
            break;
        data = span_skip(data, string.len + 1);
        if (string.len > longest.len && !names(data))
            longest = string;
    }
    return longest;
}

/* The end of one string becomes the marker. */
static int64_t
cut_string(char *data, size_t len, size_t max)
{
    struct span string = longest_string((struct span){data, len});
    size_t least = len - max + MARKER_MAX;
    size_t kept;
    char *rest;
    struct out o;

    if (string.len < least)
        return ERR_BIG;
    kept = (size_t)(string.p - data) + whole_units(string, string.len - least);
    rest = data + (string.p + string.len - data);
    o = out_to(data + kept, (size_t)(rest - data) - kept);
    put_marker(&o, o.cap);
    memmove(data + kept + o.len, rest, len - kept - o.cap);
    return (int64_t)(len - o.cap + o.len);
}

/* A place where a record can end, once what is open there is closed. */
struct place {
    size_t at; /* 0: none */
    size_t depth;
    bool in_string;
    char open[DEEP]; /* the brackets, outermost first */
};

/* gone: the bytes that are, with what closes the record among them; 0 when that is not known. */
static int64_t
close_all(char *data, size_t len, size_t gone, const struct place *end)
{
    struct out o = {.p = data, .cap = len, .len = end->at};

    if (!end->in_string) {
        if (data[end->at - 1] != '{' && data[end->at - 1] != '[')
            out_byte(&o, ',');
        out_put(&o, end->open[end->depth - 1] == '{' ? SPAN("\"truncated\":\"") : SPAN("\""));
    }
    if (gone > 0)
        put_marker(&o, gone - end->depth - (end->in_string ? 1 : 0));
    else
        out_put(&o, SPAN("...[truncated]"));
    out_byte(&o, '"');
    for (size_t i = end->depth; i > 0; i--)
        out_byte(&o, end->open[i - 1] == '{' ? '}' : ']');
    return (int64_t)o.len;
}

static size_t
scalar_len(struct span s)
{
    static const char ends[] = ",:\"[]{}";
    size_t at = 1;

    while (at < s.len && !span_white(s.p[at]) && memchr(ends, s.p[at], sizeof ends - 1) == NULL)
        at++;
    return at;
}

/*
 * The last place that leaves room for the marker and the brackets. What a place needs never
 * becomes less further on, so that the first value that does not fit ends the search; and since a
 * closing bracket costs as much as what it saves, no bracket of the last place has been
 * overwritten by then.
 */
static void
find_end(struct span data, size_t max, struct place *end)
{
    size_t depth = 0;
    size_t at = 0;
    char last = 0; /* what the token before begins with */

    while (at < data.len) {
        struct span rest = span_skip(data, at);
        size_t len = 1;
        bool value = true;

        if (rest.p[0] == '{' || rest.p[0] == '[') {
            if (depth < DEEP)
                end->open[depth] = rest.p[0];
            depth++;
        } else if (rest.p[0] == '}' || rest.p[0] == ']') {
            if (depth == 0 || --depth == 0)
                return;
        } else if (rest.p[0] == '"') {
            char next;

            len = string_len(span_skip(rest, 1)) + 2;
            next = next_token(span_skip(rest, len));
            /* where the text ends within or behind a string, only what is before it tells names */
            if (len > rest.len || (next == '\0' && depth > 0))
                value = last == ':' || (depth > 0 && depth <= DEEP && end->open[depth - 1] == '[');
            else
                value = next != ':';
            if (len > rest.len && !value)
                return;
        } else if (span_white(rest.p[0]) || rest.p[0] == ',' || rest.p[0] == ':') {
            value = false;
        } else {
            len = scalar_len(rest);
        }
        if (value && at + len + depth + MEMBER_MAX > max) {
            if (rest.p[0] == '"' && depth <= DEEP && at + 2 + depth + MARKER_MAX < max) {
                struct span string = {rest.p + 1, len - 2};

                /* what of it fits, be it nothing */
                end->at = at + 1 + whole_units(string, max - at - 2 - depth - MARKER_MAX);
                end->depth = depth;
                end->in_string = true;
            }
            return;
        }
        at += len;
        if (!span_white(rest.p[0]))
            last = rest.p[0];
        if (value && depth > 0 && depth <= DEEP) {
            end->at = at;
            end->depth = depth;
        }
    }
}

static int64_t
cut_structure(char *data, size_t len, size_t max)
{
    struct place end;

    end.at = 0;
    end.in_string = false;
    find_end((struct span){data, len}, max, &end);
    return end.at == 0 ? ERR_BIG : close_all(data, len, len - end.at, &end);
}

int64_t
oversize_close(char *data, size_t len, size_t max)
{
    struct place end;

    end.at = 0;
    end.in_string = false;
    find_end((struct span){data, len}, max, &end);
    return end.at == 0 ? ERR_BIG : close_all(data, len, 0, &end);
}

int64_t
oversize_truncate(char *data, size_t len, size_t max)
{
    int64_t got;

    if (len <= max)
        return (int64_t)len;
    /* what a marker can count */
    if (len > UINT32_MAX)
        return ERR_BIG;
    got = cut_string(data, len, max);
    return got < 0 ? cut_structure(data, len, max) : got;
}

enum { WIDEST_NUMBER = 10, WIDEST_ESCAPE = 6 };

static const char split_id[] = "{\"split\":{\"id\":\"";
static const char split_part[] = "\",\"part\":";
static const char split_parts[] = ",\"parts\":";
static const char split_text[] = "},\"text\":\"";
static const char split_end[] = "\"}";

#define SPLIT_FRAME                                                                                \
    (sizeof split_id + sizeof split_part + sizeof split_parts + sizeof split_text +                \
     sizeof split_end - 5)

static size_t
number_len(uint32_t n)
{
    size_t len = 1;

    while (n >= 10) {
        n /= 10;
        len++;
    }
    return len;
}

/* The length of one byte in a JSON string. */
static size_t
escaped_len(const char *byte)
{
    unsigned char c = (unsigned char)*byte;
    char code[WIDEST_ESCAPE];
    struct out o = out_to(code, sizeof code);

    if (c > '\\' || (c > '"' && c < '\\'))
        return 1; /* nearly all are, and a record is a million of them */
    out_json(&o, (struct span){byte, 1});
    return o.len;
}

/* The text of the next piece, and its length as JSON. */
static struct span
next_text(struct span rest, size_t room, size_t *json_len)
{
    size_t at = 0;

    *json_len = 0;
    while (at < rest.len) {
        size_t len = utf8_char(span_skip(rest, at));
        size_t adds = len > 1 ? len : escaped_len(rest.p + at);

        if (adds > room - *json_len)
            break;
        *json_len += adds;
        at += len > 1 ? len : 1;
    }
    return (struct span){rest.p, at};
}

int
oversize_split(struct oversize_split *s, struct span record, struct span id, size_t max)
{
    size_t frame = SPLIT_FRAME + id.len;
    struct span rest = record;

    if (max < frame + WIDEST_NUMBER + WIDEST_NUMBER + WIDEST_ESCAPE || record.len > UINT32_MAX)
        return ERR_BIG;
    *s = (struct oversize_split){.rest = record, .id = id};
    s->room = max - frame - WIDEST_NUMBER - WIDEST_NUMBER;
    do {
        size_t text;

        rest = span_skip(rest, next_text(rest, s->room, &text).len);
        s->parts++;
        s->bytes += frame + number_len(s->parts) + text;
    } while (rest.len > 0);
    s->bytes += (size_t)s->parts * number_len(s->parts);
    s->part = 1;
    return 0;
}

size_t
oversize_split_size(const struct oversize_split *s)
{
    size_t text;

    if (s->part > s->parts)
        return 0;
    (void)next_text(s->rest, s->room, &text);
    return SPLIT_FRAME + s->id.len + number_len(s->part) + number_len(s->parts) + text;
}

int
oversize_split_next(struct oversize_split *s, struct out *o)
{
    struct span text;
    size_t len;

    if (s->part > s->parts)
        return 0;
    text = next_text(s->rest, s->room, &len);
    out_put(o, span_of(split_id));
    out_put(o, s->id);
    out_put(o, span_of(split_part));
    out_number(o, s->part);
    out_put(o, span_of(split_parts));
    out_number(o, s->parts);
    out_put(o, span_of(split_text));
    out_json(o, text);
    out_put(o, span_of(split_end));
    if (out_end(o) != 0)
        return ERR_FULL;
    s->rest = span_skip(s->rest, text.len);
    s->part++;
    return 1;
}

/* Moves s behind the word; false, and s stays, when it does not hold it. */
static bool
skip_past(struct span *s, struct span word)
{
    const char *at = span_find(*s, word);

    if (at == NULL)
        return false;
    *s = span_skip(*s, (size_t)(at - s->p) + word.len);
    return true;
}

/* The number that s begins with; 0 when it is none, or more than 32 bits hold. */
static uint32_t
number(struct span s)
{
    uint64_t n = 0;
    size_t len = 0;

    while (len < s.len && s.p[len] >= '0' && s.p[len] <= '9')
        len++;
    return span_number((struct span){s.p, len}, UINT32_MAX, &n) == 0 ? (uint32_t)n : 0;
}

static enum oversize_member
member(struct span s)
{
    size_t len = 0;

    while (len < s.len && ((s.p[len] | 0x20) >= 'a' && (s.p[len] | 0x20) <= 'z'))
        len++;
    s.len = len;
    if (span_same_case(s, SPAN("data")))
        return OVERSIZE_DATA;
    return span_same_case(s, SPAN("partitionKey")) ? OVERSIZE_PARTITION_KEY : OVERSIZE_OTHER;
}

int
oversize_named(struct span *message, struct oversize_named *named)
{
    while (skip_past(message, SPAN("records."))) {
        struct span text = *message;
        struct span rest;
        uint32_t n = number(text);

        while (text.len > 0 && text.p[0] >= '0' && text.p[0] <= '9')
            text = span_skip(text, 1);
        if (n == 0 || !span_starts(text, SPAN(".member.")))
            continue;
        text = span_skip(text, sizeof ".member." - 1);
        *named = (struct oversize_named){.index = n - 1, .member = member(text)};
        /* the limit stands before the next record's name */
        rest = text;
        if (skip_past(&rest, SPAN("records.")))
            text.len -= rest.len + sizeof "records." - 1;
        if (skip_past(&text, SPAN("less than or equal to ")))
            named->limit_bytes = number(text);
        return 1;
    }
    return 0;
}
