#include "protocol/filter_match.h"

#include "protocol/json_walk.h"
#include "protocol/line_steps.h"
#include "protocol/line_text.h"

/* see filter_match.h */

/* Names and texts are short: eight bytes at a time take fewer instructions than the C library's one by one. */
static bool
same(const char *a, const char *b, size_t len)
{
    const char *end = a + len;

    for (; end - a >= 8; a += 8, b += 8)
        if (span_word(a) != span_word(b))
            return false;
    for (; a < end; a++, b++)
        if (*a != *b)
            return false;
    return true;
}

/* --- text ------------------------------------------------------------------------------------ */

/* Moves s behind the first occurrence of this part of the texts. Source: Knuth, Morris and Pratt, 1977. */
static bool
find_part(const struct filter_pattern *p, size_t at, size_t len, struct span *s)
{
    const char *part = p->texts + at;
    const char *c = s->p;
    const char *end = c + s->len;
    size_t same = 0; /* so much of the part ends before c */

    while (same < len) {
        const char *from = c;

        if (same == 0)
            c = span_char((struct span){c, (size_t)(end - c)}, *part);
        LINE_STEPS((size_t)((c == NULL ? end : c) - from) + 1);
        if (c == NULL || c == end)
            return false;
        if (*c == part[same]) {
            same++;
            c++;
        } else {
            same = p->back[at + same - 1];
        }
    }
    *s = (struct span){c, (size_t)(end - c)};
    return true;
}

/* Whether s begins with what is before the first FILTER_ANY, ends with what is behind the last, and has the rest
 * between in this order. Looking for each part where it first occurs leaves the most for those behind it. */
static bool
fits(const struct filter_pattern *p, struct filter_text t, struct span s)
{
    const char *start = p->texts + t.at;
    const char *end = start + t.len;
    const char *part = start;

    if (t.len == 1 && *start == FILTER_ANY)
        return true;
    for (;;) {
        /* a part that is longer than s is not in it, and its end need not be known */
        size_t len = (size_t)(end - part) <= s.len ? (size_t)(end - part) : s.len + 1;
        const char *any = span_char((struct span){part, len}, FILTER_ANY);
        const char *from = s.p;

        LINE_STEPS(len);
        if (any != NULL)
            len = (size_t)(any - part);
        if (s.len < len || (any == NULL && part == start && s.len > len))
            return false;
        if (any == NULL || part == start) {
            from += any == NULL ? s.len - len : 0;
            if (!same(from, part, len))
                return false;
            s = span_skip(s, len);
        } else if (!find_part(p, (size_t)(part - p->texts), len, &s)) {
            return false;
        }
        if (any == NULL)
            return true;
        part = any + 1;
    }
}

/* --- comparisons ------------------------------------------------------------------------------ */

/* number: whether the text may be compared as one. */
static bool
holds(const struct filter_pattern *p, const struct filter_test *t, struct span text, bool number)
{
    struct decimal d;
    int differ;

    if (t->numeric && number && decimal_read(text, &d)) {
        LINE_STEPS(text.len);
        differ = decimal_compare(&d, &t->number);
        return (t->op & (differ < 0   ? FILTER_LESS
                         : differ > 0 ? FILTER_GREATER
                                      : FILTER_EQUAL)) != 0;
    }
    if (t->op != FILTER_EQUAL && t->op != FILTER_DIFFERENT)
        return false;
    return fits(p, t->text, text) == (t->op == FILTER_EQUAL);
}

/* met: the tests that hold, and of NOT EXISTS those that do not. */
static bool
verdict(const struct filter_pattern *p, uint32_t met)
{
    uint64_t stack = 1; /* its top is the lowest bit; without a program this is the answer */

    if (p->all != 0)
        return met == p->all;
    for (size_t i = 0; i < p->program_len; i++) {
        unsigned code = p->program[i];
        uint64_t top = stack & 1;

        if (code < FILTER_TESTS_MAX)
            stack = stack << 1 | ((met >> code & 1) ^ (p->tests[code].op == FILTER_NOT_EXISTS));
        else if (code == FILTER_AND)
            stack = stack >> 1 & (top | ~(uint64_t)1);
        else
            stack = stack >> 1 | top;
    }
    return (stack & 1) != 0;
}

/* --- objects ---------------------------------------------------------------------------------- */

enum { DECIDED = 2 }; /* beside what json_walk_next returns */

struct search {
    const struct filter_pattern *p;
    struct span line;
    char *room;
    uint32_t met; /* see verdict */
    bool
        lasting; /* once that is true nothing changes it, and the text need not be looked at any more */
};

/* Whether a string begins otherwise than a text does, so that what it has behind need not be known, nor be without its
 * escapes. inside: as it stands in JSON. */
static bool
differs(const struct filter_pattern *p, struct filter_text t, struct span inside)
{
    const char *text = p->texts + t.at;
    size_t len = inside.len < t.len ? inside.len : t.len;
    size_t i = 0;

    while (i < len && inside.p[i] == text[i] && text[i] != '\\')
        i++;
    LINE_STEPS(i + 1);
    return i < len && inside.p[i] != text[i] && inside.p[i] != '\\' && text[i] != FILTER_ANY;
}

/* text: of a value that is a string, as it stands until a test needs it without its escapes. */
static bool
judge(const struct search *s, const struct filter_test *t, struct span value, struct span *text,
      bool *plain)
{
    if (t->op == FILTER_NOT_EXISTS)
        return true;
    if (t->op == FILTER_IS)
        return fits(s->p, t->text, value);
    if (text->p == NULL)
        return *value.p <= '9' && holds(s->p, t, value, true);
    if (!*plain && differs(s->p, t->text, *text))
        return t->op == FILTER_DIFFERENT;
    if (!*plain && span_char(*text, '\\') != NULL) {
        /* the line may be in the room itself, where an object around this value begins before it */
        char *to = s->room + (text->p - s->line.p);

        *text = (struct span){to, line_unescape(*text, to)};
    }
    *plain = true;
    return holds(s->p, t, *text, false);
}

/* Asks these tests about the value that their selectors lead to. */
static void
judge_all(struct search *s, uint32_t tests, struct span value)
{
    struct span text = json_walk_string(value);
    bool plain = false;

    for (; tests != 0; tests &= tests - 1)
        if (judge(s, &s->p->tests[__builtin_ctz(tests)], value, &text, &plain))
            s->met |= tests & -tests;
}

static bool
step_fits(const struct filter_pattern *p, const struct filter_step *s, bool array, uint32_t index,
          struct span name)
{
    if (s->element != array)
        return false;
    if (s->any || array)
        return s->any || s->index == index;
    /* most names differ in length */
    return s->name.len == name.len && same(p->texts + s->name.at, name.p, name.len);
}

/* Whether one of these tests, of which a value was not what they ask for, has to hold and cannot any more: a name may
 * come several times. */
static bool
hopeless(const struct search *s, const struct json_walk *w, uint32_t tests, unsigned depth)
{
    const struct filter_step *step;

    if (tests == 0 || s->p->all == 0)
        return false;
    step = &s->p->steps[s->p->tests[__builtin_ctz(tests)].at + depth];
    return !step->any && !step->element &&
           !json_walk_follows(w, (struct span){s->p->texts + step->name.at, step->name.len});
}

/* Walks through an object or array to which the selectors of these tests lead with so many steps. Goes as deep as they
 * do, FILTER_DEPTH_MAX calls. Returns 0 or an error, as json_walk_next; DECIDED: the rest changes nothing. */
static int
visit(struct search *s, struct json_walk *w, uint32_t tests, unsigned depth)
{
    bool array = w->rest.p[-1] == '[';
    struct json_walk inner;
    struct span name;
    struct span value;
    int got;

    for (uint32_t index = 0; (got = json_walk_name(w, &name)) == 1; index++) {
        uint32_t ends = 0; /* tests whose selector leads to this value */
        uint32_t on = 0;   /* tests whose selector leads into it */

        for (uint32_t left = tests & ~s->met; left != 0; left &= left - 1) {
            const struct filter_test *t = &s->p->tests[__builtin_ctz(left)];

            LINE_STEPS(1);
            if (!step_fits(s->p, &s->p->steps[t->at + depth], array, index, name))
                continue;
            if (t->length == depth + 1)
                ends |= left & -left;
            else
                on |= left & -left;
        }
        if (on != 0 && json_walk_enter(w, &inner) == 0) {
            got = visit(s, &inner, on, depth + 1);
            if (got == 0)
                value = json_walk_leave(w, &inner);
        } else {
            got = json_walk_value(w, &value);
        }
        if (got != 0)
            return got;
        if (ends == 0)
            continue;
        judge_all(s, ends, value);
        if ((s->lasting && verdict(s->p, s->met)) || hopeless(s, w, ends & ~s->met, depth))
            return DECIDED;
    }
    return got;
}

static bool
match_object(const struct filter_pattern *p, struct span text, const char *base,
             const struct json_marks *marks, char *room)
{
    /* what has marks has been looked at to its end */
    struct search s = {p, text, room, 0, marks != NULL && p->grows};
    struct json_walk w;
    int got;

    LINE_STEPS(text.len);
    if (json_walk_open(&w, text) != 0 || w.rest.p[-1] != '{')
        return false;
    w.base = base;
    w.marks = marks;
    got = visit(&s, &w, (uint32_t)(((uint64_t)1 << p->tests_len) - 1), 0);
    if (got != 0)
        return got == DECIDED && verdict(p, s.met);
    for (w.rest = span_skip(w.rest, 1); w.rest.len > 0; w.rest = span_skip(w.rest, 1))
        if (!span_white(*w.rest.p))
            return false;
    return verdict(p, s.met);
}

/* --- terms and fields --------------------------------------------------------------------------- */

/* The tests of the pattern's field of this number, or all terms, that hold for a text. */
static uint32_t
judge_text(const struct filter_pattern *p, size_t at, struct span text)
{
    uint32_t met = 0;

    for (size_t i = 0; i < p->tests_len; i++)
        if (p->tests[i].at == at && holds(p, &p->tests[i], text, true))
            met |= (uint32_t)1 << i;
    return met;
}

/* All that is not to be seen, in one comparison. */
static bool
blank(char c)
{
    return (unsigned char)c <= ' ';
}

struct fields {
    const char *rest, *end;
    bool no[2]; /* no ] or " follows: what has been looked for in vain is not looked for again */
};

/* The next field, without what encloses it, and the text from there on; false at the end. */
static bool
next_field(struct fields *f, struct span *field, struct span *all)
{
    const char *start = f->rest;
    const char *close = NULL;
    bool quote;

    while (start < f->end && blank(*start))
        start++;
    *all = (struct span){start, (size_t)(f->end - start)};
    if (start == f->end)
        return false;
    quote = *start == '"';
    if ((quote || *start == '[') && !f->no[quote]) {
        close =
            span_char((struct span){start + 1, (size_t)(f->end - start - 1)}, quote ? '"' : ']');
        f->no[quote] = close == NULL;
        LINE_STEPS((size_t)((close == NULL ? f->end : close) - start));
    }
    f->rest = start;
    if (close != NULL) {
        start++;
        f->rest = close + 1;
    } else {
        while (f->rest < f->end && !blank(*f->rest))
            f->rest++;
        close = f->rest;
    }
    *field = (struct span){start, (size_t)(close - start)};
    return true;
}

/* The fields behind "..." are counted from the end, so all are counted first. */
static bool
match_fields(const struct filter_pattern *p, struct span line)
{
    struct fields start = {.rest = line.p, .end = line.p + line.len};
    struct fields f = start;
    struct span field;
    struct span all;
    uint32_t met = 0;
    size_t n = 0;

    LINE_STEPS(2 * line.len);
    while (next_field(&f, &field, &all))
        n++;
    if (n < p->fields)
        return false;
    f = start;
    for (size_t i = 0; next_field(&f, &field, &all); i++) {
        bool last = !p->gapped && i + 1 == p->fields && n > p->fields;

        if (i < p->gap)
            met |= judge_text(p, i, last ? all : field);
        else if (i + p->fields >= n + p->gap)
            met |= judge_text(p, i + p->fields - n, field);
    }
    return verdict(p, met);
}

bool
filter_match(const struct filter_pattern *p, struct span record, const char *event,
             const struct json_marks *marks, char *room)
{
    struct span text = line_text(record, room);

    if (p->form == FILTER_JSON)
        return match_object(p, text, event, text.p == record.p ? marks : NULL, room);
    if (p->form == FILTER_FIELDS)
        return match_fields(p, text);
    return verdict(p, judge_text(p, 0, text));
}
