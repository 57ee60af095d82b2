#include "protocol/json_walk.h"

#include <limits.h>

#include "protocol/check.h"
#include "protocol/json_scan.h"
#include "protocol/line_steps.h"

/* see json_walk.h */

static bool
ends_scalar(char c)
{
    return span_white(c) || c == ',' || c == ']' || c == '}';
}

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && span_white(*p))
        p++;
    return p;
}

/* Advances *at past the digits there; false when there are none. */
COLD static bool
digits(struct span s, size_t *at)
{
    size_t start = *at;

    while (*at < s.len && s.p[*at] >= '0' && s.p[*at] <= '9')
        ++*at;
    return *at > start;
}

/* The length of a number, as far as the text goes. Source: RFC 8259, section 6. */
COLD static int
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

COLD static int
word(struct span s, struct span name, size_t *len)
{
    if (s.len < name.len)
        return span_starts(name, s) ? ERR_MORE : ERR_BAD;
    *len = name.len;
    return span_starts(s, name) ? 0 : ERR_BAD;
}

COLD static int
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

/* The last quotation mark of a string that begins at p, if it is marked, else NULL. */
static inline const char *
marked_end(struct json_walk *w, const char *p, const char *end)
{
    const struct json_marks *marks = w->marks;
    const char *last;

    if (marks == NULL || w->mark + 1 >= marks->len || w->base + marks->at[w->mark] != p)
        return NULL;
    last = w->base + marks->at[w->mark + 1];
    w->mark += 2;
    return last < end ? last : NULL;
}

/* The same, searched for if it is not marked; NULL if the text ends first. */
static const char *
string_end(struct json_walk *w, const char *p, const char *end)
{
    const struct json_marks *marks = w->marks;
    const char *last;

    /* skips the marks of what was stepped over */
    while (marks != NULL && w->mark < marks->len && w->base + marks->at[w->mark] < p)
        w->mark++;
    last = marked_end(w, p, end);
    return last != NULL ? last : json_scan_string(p + 1, end);
}

/* Where the value at p ends; p is not the end of the text. Returns 0 or an error. */
static inline int
value_end(struct json_walk *w, const char *p, const char *end, const char **to)
{
    struct json_scan scan = {0};
    size_t len = 0;
    int got;

    if (*p == '"') {
        *to = string_end(w, p, end);
        if (*to == NULL)
            return ERR_MORE;
        ++*to;
        return 0;
    }
    if (*p == '{' || *p == '[') {
        *to = json_scan_container(&scan, p, end);
        return *to == NULL ? ERR_MORE : 0;
    }
    got = scalar((struct span){p, (size_t)(end - p)}, &len);
    *to = p + len;
    return got;
}

COLD int
json_value(struct span text)
{
    struct json_walk none = {0};
    const char *end = text.p + text.len;
    const char *to;
    const char *p;
    int got;

    if (text.len == 0)
        return ERR_MORE;
    p = skip_space(text.p, end);
    if (p == end)
        return ERR_MORE;
    got = value_end(&none, p, end, &to);
    if (got < 0)
        return got;
    return to - text.p > INT_MAX ? ERR_BIG : (int)(to - text.p);
}

int
json_walk_open(struct json_walk *w, struct span text)
{
    const char *end = text.p + text.len;
    const char *p;

    if (text.len == 0)
        return ERR_BAD;
    p = skip_space(text.p, end);
    if (p == end || (*p != '{' && *p != '['))
        return ERR_BAD;
    *w = (struct json_walk){
        .rest = {p + 1, (size_t)(end - p - 1)},
        .close = *p == '{' ? '}' : ']',
        .first = true,
    };
    return 0;
}

/* Steps over white space and this byte. */
COLD static int
past(const char **p, const char *end, char byte)
{
    *p = skip_space(*p, end);
    if (*p == end)
        return ERR_MORE;
    if (**p != byte)
        return ERR_BAD;
    ++*p;
    return 0;
}

/* A member's name and its colon. */
COLD static int
member_name(struct json_walk *w, const char **p, const char *end, struct span *name)
{
    const char *quote;
    int got = past(p, end, '"');

    if (got < 0)
        return got;
    quote = string_end(w, *p - 1, end);
    if (quote == NULL)
        return ERR_MORE;
    *name = (struct span){*p, (size_t)(quote - *p)};
    *p = quote + 1;
    return past(p, end, ':');
}

/* A member's name as most have it: without white space around it, and marked. */
static bool
plain_name(struct json_walk *w, struct span *name)
{
    const char *p = w->rest.p;
    const char *end = p + w->rest.len;
    const char *last;

    if (w->close != '}' || p == end || (!w->first && *p++ != ','))
        return false;
    last = marked_end(w, p, end);
    if (last == NULL || end - last < 3 || last[1] != ':' || span_white(last[2]))
        return false;
    *name = (struct span){p + 1, (size_t)(last - p - 1)};
    w->rest = (struct span){last + 2, (size_t)(end - last - 2)};
    w->first = false;
    return true;
}

COLD static int
any_name(struct json_walk *w, struct span *name)
{
    const char *end = w->rest.p + w->rest.len;
    const char *p = skip_space(w->rest.p, end);
    int got = 0;

    if (p == end)
        return ERR_MORE;
    if (*p == w->close) {
        w->rest = (struct span){p, (size_t)(end - p)};
        return 0;
    }
    *name = (struct span){NULL, 0};
    if (!w->first)
        got = past(&p, end, ',');
    if (got == 0 && w->close == '}')
        got = member_name(w, &p, end, name);
    if (got < 0)
        return got;
    p = skip_space(p, end);
    if (p == end)
        return ERR_MORE;
    w->rest = (struct span){p, (size_t)(end - p)};
    w->first = false;
    return 1;
}

int
json_walk_name(struct json_walk *w, struct span *name)
{
    uint32_t mark = w->mark;

    if (plain_name(w, name))
        return 1;
    w->mark = mark;
    return any_name(w, name);
}

int
json_walk_value(struct json_walk *w, struct span *value)
{
    const char *p = w->rest.p;
    const char *end = p + w->rest.len;
    const char *to;
    int got;

    CHECK(w->rest.len > 0);
    got = value_end(w, p, end, &to);
    if (got < 0)
        return got;
    if (to - p > INT_MAX)
        return ERR_BIG;
    *value = (struct span){p, (size_t)(to - p)};
    w->rest = (struct span){to, (size_t)(end - to)};
    return 0;
}

int
json_walk_next(struct json_walk *w, struct span *name, struct span *value)
{
    struct span rest = w->rest;
    bool first = w->first;
    int got = json_walk_name(w, name);

    if (got == 1) {
        got = json_walk_value(w, value);
        if (got == 0)
            return 1;
    }
    if (got < 0) {
        w->rest = rest;
        w->first = first;
    }
    return got;
}

int
json_walk_enter(const struct json_walk *w, struct json_walk *inner)
{
    int got = json_walk_open(inner, w->rest);

    inner->marks = w->marks;
    inner->base = w->base;
    inner->mark = w->mark;
    return got;
}

struct span
json_walk_leave(struct json_walk *w, const struct json_walk *inner)
{
    struct span value = {w->rest.p, (size_t)(inner->rest.p + 1 - w->rest.p)};

    CHECK(inner->rest.len > 0 && inner->rest.p[0] == inner->close);
    CHECK(inner->rest.p > w->rest.p && inner->rest.len < w->rest.len);
    w->rest = span_skip(inner->rest, 1);
    w->mark = inner->mark;
    return value;
}

bool
json_walk_follows(const struct json_walk *w, struct span name)
{
    const struct json_marks *marks = w->marks;

    if (marks == NULL || !json_marks_all(marks))
        return true;
    for (size_t i = w->mark; i + 1 < marks->len; i++) {
        LINE_STEPS(1);
        if (marks->at[i + 1] - marks->at[i] == name.len + 1 &&
            memcmp(w->base + marks->at[i] + 1, name.p, name.len) == 0)
            return true;
    }
    return false;
}

COLD struct span
json_walk_member(struct span object, struct span wanted)
{
    struct span found = SPAN("null");
    struct json_walk w;
    struct span name;
    struct span value;

    if (json_walk_open(&w, object) == 0)
        while (json_walk_next(&w, &name, &value) == 1)
            if (span_same(name, wanted))
                found = value;
    return found;
}

struct span
json_walk_string(struct span value)
{
    if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"')
        return (struct span){NULL, 0};
    return (struct span){value.p + 1, value.len - 2};
}
