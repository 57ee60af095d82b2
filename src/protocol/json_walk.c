#include "protocol/json_walk.h"

#include <limits.h>
#include <string.h>

/* see json_walk.h */

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
ends_scalar(char c)
{
    return is_space(c) || c == ',' || c == ']' || c == '}';
}

static struct span
skip_space(struct span s)
{
    while (s.len > 0 && is_space(s.p[0]))
        s = span_skip(s, 1);
    return s;
}

/* From behind a string's first quote: its last quote, or NULL when the text ends before that. */
static const char *
last_quote(const char *p, const char *end)
{
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *escape = quote;

        if (quote == NULL)
            return NULL;
        /* an odd number of backslashes before it makes it part of the string */
        while (escape > p && escape[-1] == '\\')
            escape--;
        if ((quote - escape) % 2 == 0)
            return quote;
        p = quote + 1;
    }
    return NULL;
}

enum { PLAIN, QUOTE, OPEN, CLOSE };

static const unsigned char kinds[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* From an opening bracket to behind the closing one; NULL when the text ends before that. */
static const char *
container_end(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        switch (kinds[(unsigned char)*p++]) {
        case QUOTE:
            p = last_quote(p, end);
            if (p == NULL)
                return NULL;
            p++;
            break;
        case OPEN:
            depth++;
            break;
        case CLOSE:
            if (--depth == 0)
                return p;
            break;
        default:
            break;
        }
    }
    return NULL;
}

/* Adds the digits at this place to it; false when there are none. */
static bool
digits(struct span s, size_t *at)
{
    size_t start = *at;

    while (*at < s.len && s.p[*at] >= '0' && s.p[*at] <= '9')
        ++*at;
    return *at > start;
}

/* The length of a number, so far as the text has it. Source: RFC 8259, section 6. */
static int
number(struct span s, size_t *len)
{
    size_t at = s.p[0] == '-' ? 1 : 0;
    size_t first = at;

    if (!digits(s, &at))
        return at == s.len ? ERR_MORE : ERR_BAD;
    if (s.p[first] == '0' && at > first + 1)
        return ERR_BAD;
    if (at < s.len && s.p[at] == '.') {
        at++;
        if (!digits(s, &at))
            return at == s.len ? ERR_MORE : ERR_BAD;
    }
    if (at < s.len && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.len && (s.p[at] == '+' || s.p[at] == '-'))
            at++;
        if (!digits(s, &at))
            return at == s.len ? ERR_MORE : ERR_BAD;
    }
    *len = at;
    return 0;
}

static int
word(struct span s, struct span name, size_t *len)
{
    if (s.len < name.len)
        return span_starts(name, s) ? ERR_MORE : ERR_BAD;
    *len = name.len;
    return span_starts(s, name) ? 0 : ERR_BAD;
}

static int
scalar(struct span s, size_t *len)
{
    int got;

    switch (s.p[0]) {
    case 't':
        got = word(s, SPAN("true"), len);
        break;
    case 'f':
        got = word(s, SPAN("false"), len);
        break;
    case 'n':
        got = word(s, SPAN("null"), len);
        break;
    default:
        got = number(s, len);
        break;
    }
    if (got < 0)
        return got;
    if (*len == s.len)
        return ERR_MORE;
    return ends_scalar(s.p[*len]) ? 0 : ERR_BAD;
}

int
json_value(struct span text)
{
    struct span s = skip_space(text);
    const char *end;
    size_t len = 0;

    if (s.len == 0)
        return ERR_MORE;
    if (s.p[0] == '"' || s.p[0] == '{' || s.p[0] == '[') {
        end = s.p[0] == '"' ? last_quote(s.p + 1, s.p + s.len) : container_end(s.p, s.p + s.len);
        if (end == NULL)
            return ERR_MORE;
        len = (size_t)(end - s.p) + (s.p[0] == '"' ? 1 : 0);
    } else {
        int got = scalar(s, &len);

        if (got < 0)
            return got;
    }
    len += text.len - s.len;
    return len > INT_MAX ? ERR_BIG : (int)len;
}

int
json_walk_open(struct json_walk *w, struct span text)
{
    struct span s = skip_space(text);

    if (s.len == 0 || (s.p[0] != '{' && s.p[0] != '['))
        return ERR_BAD;
    w->close = s.p[0] == '{' ? '}' : ']';
    w->rest = span_skip(s, 1);
    w->first = true;
    return 0;
}

/* Steps over white space and this byte. */
static int
past(struct span *s, char byte)
{
    *s = skip_space(*s);
    if (s->len == 0)
        return ERR_MORE;
    if (s->p[0] != byte)
        return ERR_BAD;
    *s = span_skip(*s, 1);
    return 0;
}

/* A member's name and its colon. */
static int
member_name(struct span *s, struct span *name)
{
    const char *quote;
    int got = past(s, '"');

    if (got < 0)
        return got;
    quote = last_quote(s->p, s->p + s->len);
    if (quote == NULL)
        return ERR_MORE;
    *name = (struct span){s->p, (size_t)(quote - s->p)};
    *s = span_skip(*s, name->len + 1);
    return past(s, ':');
}

int
json_walk_next(struct json_walk *w, struct span *name, struct span *value)
{
    struct span s = skip_space(w->rest);
    int got = 0;

    if (s.len == 0)
        return ERR_MORE;
    if (s.p[0] == w->close) {
        w->rest = s;
        return 0;
    }
    *name = (struct span){NULL, 0};
    if (!w->first)
        got = past(&s, ',');
    if (got == 0 && w->close == '}')
        got = member_name(&s, name);
    if (got < 0)
        return got;
    s = skip_space(s);
    got = json_value(s);
    if (got < 0)
        return got;
    *value = (struct span){s.p, (size_t)got};
    w->rest = span_skip(s, (size_t)got);
    w->first = false;
    return 1;
}

struct span
json_walk_string(struct span value)
{
    if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"')
        return (struct span){NULL, 0};
    return (struct span){value.p + 1, value.len - 2};
}
