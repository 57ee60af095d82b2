#include "protocol/oversize.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/utf8.h"

/* see oversize.h */

enum {
    DEEP = 64, /* the most brackets that can be closed */
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

/* s begins after a string's opening quotation mark: the length up to the closing one; s.len without one. */
static size_t
string_len(struct span s)
{
    size_t at = 0;

    while (at < s.len && s.p[at] != '"')
        at += s.p[at] == '\\' ? 2 : 1;
    return at < s.len ? at : s.len;
}

/* The next byte that is not white space; 0: there is none. */
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

/* The length of the first unit of a string's rest that must not be cut in two; 0 at the string's end. */
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

/* How many of a string's first bytes to keep, at most `most`, so that no unit is cut in two. */
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

    while ((quote = span_char(data, '"')) != NULL) {
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

/* Where a record can end, once what is open there is closed. */
struct cut {
    size_t at; /* 0: nowhere */
    size_t depth;
    bool in_string;
    char open[DEEP]; /* the brackets, outermost first */
};

/* gone: how many of the record's bytes are removed, including what closed it; 0 if that is not known. */
static int64_t
close_all(char *data, size_t len, size_t gone, const struct cut *end)
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
    size_t at = 1;

    while (at < s.len && !span_white(s.p[at]) && span_char(SPAN(",:\"[]{}"), s.p[at]) == NULL)
        at++;
    return at;
}

/* Goes through a record, token by token, in search of its cut. */
struct scanner {
    struct span data;
    size_t max;
    size_t at;
    size_t depth;
    char last; /* first byte of the previous token, white space aside */
    struct cut end;
};

/* The same as token, for a string. */
static size_t
string_token(const struct scanner *s, struct span rest, bool *value)
{
    size_t len = string_len(span_skip(rest, 1)) + 2;
    char next = next_token(span_skip(rest, len));

    /* if the text ends in or right after a string, only what precedes it shows whether it is a name */
    if (len > rest.len || (next == '\0' && s->depth > 0))
        *value = s->last == ':' ||
                 (s->depth > 0 && s->depth <= DEEP && s->end.open[s->depth - 1] == '[');
    else
        *value = next != ':';
    return len > rest.len && !*value ? 0 : len;
}

/*
 * The length of the next token; 0: nothing from there on can be kept. value: whether a record can end after
 * it, which it cannot after a name, comma, colon or white space.
 */
static size_t
token(struct scanner *s, struct span rest, bool *value)
{
    char c = rest.p[0];

    *value = true;
    if (c == '"')
        return string_token(s, rest, value);
    if (c == '{' || c == '[') {
        if (s->depth < DEEP)
            s->end.open[s->depth] = c;
        s->depth++;
        return 1;
    }
    if (c == '}' || c == ']')
        return s->depth == 0 || --s->depth == 0 ? 0 : 1;
    *value = !span_white(c) && c != ',' && c != ':';
    return *value ? scalar_len(rest) : 1;
}

/* Whether a value leaves room for the marker and the brackets. If a string does not, notes how much of it does. */
static bool
fits(struct scanner *s, struct span rest, size_t len)
{
    size_t least = s->at + 2 + s->depth + MARKER_MAX;
    struct span string = {rest.p + 1, len - 2};

    if (s->at + len + s->depth + MEMBER_MAX <= s->max)
        return true;
    if (rest.p[0] == '"' && s->depth <= DEEP && least < s->max) {
        /* possibly nothing */
        s->end.at = s->at + 1 + whole_units(string, s->max - least);
        s->end.depth = s->depth;
        s->end.in_string = true;
    }
    return false;
}

/*
 * Finds the last cut that leaves room for the marker and the brackets. What a cut needs never decreases
 * further on, so the first value that does not fit ends the search; and since a closing bracket costs
 * as much as it saves, no bracket of the last cut has been overwritten when the search ends.
 */
static void
find_end(struct scanner *s)
{
    while (s->at < s->data.len) {
        struct span rest = span_skip(s->data, s->at);
        bool value;
        size_t len = token(s, rest, &value);

        if (len == 0 || (value && !fits(s, rest, len)))
            return;
        s->at += len;
        if (!span_white(rest.p[0]))
            s->last = rest.p[0];
        if (value && s->depth > 0 && s->depth <= DEEP) {
            s->end.at = s->at;
            s->end.depth = s->depth;
        }
    }
}

/* counted: whether the marker says how many bytes are gone. */
static int64_t
cut_structure(char *data, size_t len, size_t max, bool counted)
{
    struct scanner s;

    s.data = (struct span){data, len};
    s.max = max;
    s.at = s.depth = s.end.at = 0;
    s.last = 0;
    s.end.in_string = false;
    find_end(&s);
    return s.end.at == 0 ? ERR_BIG : close_all(data, len, counted ? len - s.end.at : 0, &s.end);
}

int64_t
oversize_close(char *data, size_t len, size_t max)
{
    return cut_structure(data, len, max, false);
}

int64_t
oversize_truncate(char *data, size_t len, size_t max)
{
    int64_t got;

    if (len <= max)
        return (int64_t)len;
    /* a marker cannot count more */
    if (len > UINT32_MAX)
        return ERR_BIG;
    got = cut_string(data, len, max);
    if (got < 0)
        got = cut_structure(data, len, max, true);
    CHECK(got == ERR_BIG || (got > 0 && (size_t)got <= max));
    return got;
}
