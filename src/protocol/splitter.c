#include "protocol/splitter.h"

#include <string.h>

/* see splitter.h */

enum {
    START,   /* before the opening bracket */
    FIRST,   /* a value or the closing bracket */
    VALUE,   /* a value, after a comma */
    INSIDE,  /* within a value */
    BETWEEN, /* a comma or the closing bracket */
    DONE,
    BROKEN
};

void
splitter_start(struct splitter *s, char *carry, size_t cap)
{
    *s = (struct splitter){.carry = carry, .cap = cap, .state = START};
}

static bool
white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A byte of a string; true when it ends the string. */
static bool
ends_string(struct json_scan *s, char c)
{
    bool escaped = s->escaped;

    s->escaped = !escaped && c == '\\';
    s->in_string = escaped || c != '"';
    return !s->in_string;
}

/*
 * The end of a value that is no object or array, and so none that anybody wants: of a string, or
 * before the byte that cannot belong to a scalar; what stands for one may hold strings and brackets.
 */
static const char *
other_end(struct json_scan *scan, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (scan->in_string) {
            if (ends_string(scan, *p) && scan->depth == 0)
                return p + 1;
        } else if (*p == ',' || *p == ']' || white(*p)) {
            return p;
        } else if (*p == '"') {
            scan->in_string = true;
        } else if (*p == '{' || *p == '[') {
            scan->depth++;
        } else if (*p == '}' && --scan->depth == 0) {
            return p + 1;
        }
    }
    return NULL;
}

/* The end of the value that p stands in, or NULL when it is not in this input. */
static const char *
value_end(struct splitter *s, const char *p, const char *end)
{
    return s->container ? json_scan_container(&s->scan, p, end) : other_end(&s->scan, p, end);
}

/* Punctuation outside of values; true when a value begins at c. */
static bool
begins(struct splitter *s, char c)
{
    if (s->state == START) {
        s->state = c == '[' ? FIRST : BROKEN;
    } else if (s->state == BETWEEN) {
        s->state = c == ',' ? VALUE : c == ']' ? DONE : BROKEN;
    } else if (c == ']' && s->state == FIRST) {
        s->state = DONE;
    } else if (c == ',' || c == ']' || c == '}' || c == ':') {
        s->state = BROKEN;
    } else {
        s->state = INSIDE;
        s->scan = (struct json_scan){.marks = s->marks};
        if (s->marks != NULL)
            s->marks->len = 0;
        s->container = c == '{' || c == '[';
        s->len = 0;
        return true;
    }
    return false;
}

/* Adds the bytes up to `to` to an event that began in earlier input. */
static int
collect(struct splitter *s, struct span *in, const char *to)
{
    size_t n = (size_t)(to - in->p);

    if (!s->skipping) {
        if (n > s->cap - s->len)
            return ERR_FULL;
        memcpy(s->carry + s->len, in->p, n);
        s->len += n;
    }
    *in = span_skip(*in, n);
    return 0;
}

/* The event that in stands in, or the part of it that is there. */
static int
inside(struct splitter *s, struct span *in, struct span *event)
{
    struct splitter before = *s;
    const char *end = value_end(s, in->p, in->p + in->len);
    const char *to = end == NULL ? in->p + in->len : end;

    s->marked = end != NULL && s->len == 0 && !s->skipping;
    if (s->marked) {
        *event = (struct span){in->p, (size_t)(end - in->p)};
        *in = span_skip(*in, event->len);
    } else if (collect(s, in, to) != 0) {
        *s = before;
        return ERR_FULL;
    } else if (end == NULL) {
        return ERR_MORE;
    } else if (!s->skipping) {
        *event = (struct span){s->carry, s->len};
    }
    s->state = BETWEEN;
    if (!s->skipping)
        return 1;
    s->skipping = false;
    return ERR_MORE;
}

int
splitter_next(struct splitter *s, struct span *in, struct span *event)
{
    while (in->len > 0 && s->state != DONE && s->state != BROKEN) {
        if (s->state == INSIDE) {
            int r = inside(s, in, event);

            /* an event that was passed over is no reason to stop */
            if (r != ERR_MORE || in->len == 0)
                return r;
        } else if (white(in->p[0]) || !begins(s, in->p[0])) {
            *in = span_skip(*in, 1);
        }
    }
    if (s->state == DONE || s->state == BROKEN) {
        *in = span_skip(*in, in->len);
        return s->state == DONE ? 0 : ERR_BAD;
    }
    return ERR_MORE;
}

const struct json_marks *
splitter_marks(const struct splitter *s)
{
    return s->marked ? s->marks : NULL;
}

void
splitter_carry(struct splitter *s, char *carry, size_t cap)
{
    memcpy(carry, s->carry, s->len);
    s->carry = carry;
    s->cap = cap;
}

void
splitter_skip(struct splitter *s)
{
    s->skipping = true;
    s->marked = false;
    s->len = 0;
}

bool
splitter_inside(const struct splitter *s)
{
    return s->state == INSIDE;
}
