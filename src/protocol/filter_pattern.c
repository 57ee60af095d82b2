#include "protocol/filter_pattern.h"

#include "protocol/check.h"

/* see filter_pattern.h */

#define DEPTH_MAX 32 /* parentheses within each other */

/*
 * A failure ends the pattern: the rest is empty from then on, so that nothing more is found in it, and failures that
 * follow from this are not the first.
 */
struct reader {
    const char *rest; /* ends with a zero byte */
    struct filter_pattern *p;
    const char *reason; /* of the first failure, and where it was */
    const char *failed;
    struct span field; /* the name that conditions begin with */
    unsigned depth;
    bool any; /* terms begin with ? */
};

enum {
    SIGNS = 6,
    EXISTS = 9
}; /* of the tokens in read_comparison: how many are signs; the last one */

static const char NOT_HERE[] = "not expected here";
static const char TOO_MUCH[] = "too much for one pattern";
static const char NO_NUMBER[] = "a number is needed here";

COLD static void
fail(struct reader *r, const char *at, const char *reason)
{
    if (r->reason == NULL) {
        r->reason = reason;
        r->failed = at;
    }
    r->rest = "";
}

COLD static void
not_this(struct reader *r)
{
    fail(r, r->rest, *r->rest == '%' ? "regular expressions are not supported" : NOT_HERE);
}

COLD static void
skip_blanks(struct reader *r)
{
    while (span_white(*r->rest))
        r->rest++;
}

/* Steps over blanks, and over the token if it is next. */
COLD static bool
take(struct reader *r, const char *token)
{
    const char *c;

    skip_blanks(r);
    for (c = r->rest; *token != '\0'; c++)
        if (*c != *token++)
            return false;
    r->rest = c;
    return true;
}

COLD static void
expect(struct reader *r, const char *token)
{
    if (!take(r, token))
        not_this(r);
}

/* Whether this is a letter, a digit, not ASCII, or one of the others. */
COLD static bool
plain(const char *c, const char *others)
{
    return (unsigned char)*c >= 0x80 || span_made_of((struct span){c, 1}, others);
}

/* Steps over blanks, and a word. */
COLD static struct span
take_word(struct reader *r)
{
    const char *start;

    skip_blanks(r);
    for (start = r->rest; plain(r->rest, "_-");)
        r->rest++;
    return (struct span){start, (size_t)(r->rest - start)};
}

/* Appends to a text, which is the last one. There is room for all bytes of the pattern, and two for each test. */
COLD static void
put(struct reader *r, struct filter_text *t, char c)
{
    struct filter_pattern *p = r->p;

    if (t->len == 0)
        t->at = p->texts_len;
    else if (c == FILTER_ANY && p->texts[p->texts_len - 1] == FILTER_ANY)
        return;
    CHECK(p->texts_len < sizeof p->texts);
    p->texts[p->texts_len++] = c;
    t->len++;
}

/* A word, or what stands between quotation marks; star: what * becomes. Returns whether it is a word. */
COLD static bool
read_text(struct reader *r, struct filter_text *t, const char *others, char star)
{
    char quote;
    const char *start;

    skip_blanks(r);
    quote = *r->rest;
    if (quote == '"' || quote == '\'')
        r->rest++;
    else
        quote = '\0';
    start = r->rest;
    while (quote != '\0' ? *r->rest != '\0' && *r->rest != quote : plain(r->rest, others)) {
        if (quote != '\0' && *r->rest == '\\' && (r->rest[1] == quote || r->rest[1] == '\\'))
            r->rest++;
        put(r, t, *r->rest == '*' ? star : *r->rest);
        r->rest++;
    }
    if (quote != '\0' ? *r->rest == '\0' : r->rest == start)
        not_this(r);
    else if (quote != '\0')
        r->rest++;
    return quote == '\0';
}

/* See back in filter_pattern.h: the table of Knuth, Morris and Pratt for each part. */
COLD static void
link_parts(struct filter_pattern *p, struct filter_text t)
{
    const char *part = p->texts + t.at;
    const char *end = part + t.len;
    uint16_t *back = p->back + t.at;
    unsigned len = 0;

    for (const char *c = part; c < end; c++) {
        while (len > 0 && part[len] != *c)
            len = back[len - 1];
        len += c > part && part[len] == *c;
        back[c - part] = (uint16_t)len;
        if (*c == FILTER_ANY) {
            back += c + 1 - part;
            part = c + 1;
            len = 0;
        }
    }
}

COLD static struct filter_test *
add_test(struct reader *r)
{
    if (r->p->tests_len == FILTER_TESTS_MAX) {
        fail(r, r->rest, TOO_MUCH);
        r->p->tests_len = 0; /* any will do */
    }
    return &r->p->tests[r->p->tests_len++];
}

COLD static void
read_value(struct reader *r, struct filter_test *t)
{
    const char *start;

    skip_blanks(r);
    start = r->rest;
    t->numeric = read_text(r, &t->text, "_.*+-", FILTER_ANY) &&
                 decimal_read((struct span){r->p->texts + t->text.at, t->text.len}, &t->number);
    if (!t->numeric && t->op != FILTER_EQUAL && t->op != FILTER_DIFFERENT)
        fail(r, start, NO_NUMBER);
    link_parts(r->p, t->text);
}

/* An operator and a value, or words. */
COLD static void
read_comparison(struct reader *r, struct filter_test *t)
{
    static const struct {
        char token[7];
        uint8_t op;
    } ops[] = {{"!=", FILTER_DIFFERENT},     {"<=", FILTER_LESS_EQUAL},
               {">=", FILTER_GREATER_EQUAL}, {"=", FILTER_EQUAL},
               {"<", FILTER_LESS},           {">", FILTER_GREATER},
               {"NULL", FILTER_IS},          {"TRUE", FILTER_IS},
               {"FALSE", FILTER_IS},         {"EXISTS", FILTER_NOT_EXISTS}};
    unsigned kind = r->p->form != FILTER_JSON ? 0 : take(r, "IS") ? 1 : take(r, "NOT") ? 2 : 0;
    size_t i = 0;

    while (i < sizeof ops / sizeof *ops && !(ops[i].op >> 3 == kind && take(r, ops[i].token)))
        i++;
    if (i == sizeof ops / sizeof *ops) {
        not_this(r);
        return;
    }
    t->op = ops[i].op;
    if (kind == 0)
        read_value(r, t);
    /* in small letters, as JSON has these words */
    for (const char *c = ops[i].token; kind == 1 && *c != '\0'; c++)
        put(r, &t->text, *c | 0x20);
}

/* What stands in brackets, and the closing one. */
COLD static void
read_index(struct reader *r, struct filter_step *s)
{
    struct span digits;
    uint64_t index = 0;

    if (*r->rest == '"' || *r->rest == '\'') {
        (void)read_text(r, &s->name, "", '*');
    } else {
        s->element = true;
        s->any = take(r, "*");
        if (!s->any) {
            digits = take_word(r);
            if (span_number(digits, UINT16_MAX, &index) != 0)
                fail(r, digits.p, NO_NUMBER);
            s->index = (uint16_t)index;
        }
    }
    expect(r, "]");
}

COLD static void
read_step(struct reader *r, struct filter_step *s)
{
    struct span name;

    if (take(r, ".[") || take(r, "[")) {
        read_index(r, s);
        return;
    }
    expect(r, ".");
    s->any = take(r, "*");
    if (s->any)
        return;
    name = take_word(r);
    if (name.len == 0)
        not_this(r);
    for (; name.len > 0; name = span_skip(name, 1))
        put(r, &s->name, *name.p);
}

COLD static void
read_selector(struct reader *r, struct filter_test *t)
{
    struct filter_pattern *p = r->p;

    expect(r, "$");
    t->at = p->steps_len;
    do {
        if (t->length == FILTER_DEPTH_MAX || p->steps_len == FILTER_STEPS_MAX) {
            fail(r, r->rest, TOO_MUCH);
            return;
        }
        t->length++;
        read_step(r, &p->steps[p->steps_len++]);
    } while (*r->rest == '.' || *r->rest == '[');
}

COLD static void
read_test(struct reader *r)
{
    struct filter_test *t = add_test(r);
    struct span name;

    if (r->p->form == FILTER_JSON) {
        read_selector(r, t);
    } else {
        t->at = r->p->fields;
        name = take_word(r);
        if (r->field.len == 0)
            r->field = name;
        else if (!span_same(r->field, name))
            fail(r, name.p, NOT_HERE);
    }
    read_comparison(r, t);
}

/* More than there is room for comes only after a failure. */
COLD static void
emit(struct reader *r, unsigned code)
{
    if (r->p->program_len < sizeof r->p->program)
        r->p->program[r->p->program_len++] = (uint8_t)code;
}

/* What FILTER_OR joins, or only what FILTER_AND joins. */
COLD static void
read_expression(struct reader *r, unsigned code)
{
    bool more = false;

    do {
        if (code == FILTER_OR) {
            read_expression(r, FILTER_AND);
        } else if (take(r, "(")) {
            if (++r->depth > DEPTH_MAX)
                fail(r, r->rest, TOO_MUCH);
            read_expression(r, FILTER_OR);
            expect(r, ")");
            r->depth--;
        } else {
            read_test(r);
            emit(r, r->p->tests_len - 1u);
        }
        if (more)
            emit(r, code);
        more = take(r, code == FILTER_OR ? "||" : "&&");
    } while (more);
}

COLD static void
read_field(struct reader *r)
{
    struct filter_pattern *p = r->p;
    bool first = p->program_len == 0;

    if (p->fields == FILTER_FIELDS_MAX)
        fail(r, r->rest, TOO_MUCH);
    r->field = take_word(r);
    skip_blanks(r);
    if (*r->rest != ',' && *r->rest != ']' && r->reason == NULL) {
        r->rest = r->field.p;
        read_expression(r, FILTER_OR);
        if (!first)
            emit(r, FILTER_AND);
    }
    p->fields++;
}

COLD static void
read_fields(struct reader *r)
{
    struct filter_pattern *p = r->p;

    do {
        if (!take(r, "...")) {
            read_field(r);
        } else {
            if (p->gapped)
                fail(r, r->rest, TOO_MUCH);
            p->gapped = true;
            p->gap = p->fields;
        }
    } while (take(r, ","));
    if (!p->gapped)
        p->gap = p->fields;
    expect(r, "]");
}

COLD static void
read_term(struct reader *r)
{
    struct filter_pattern *p = r->p;
    struct filter_test *t = add_test(r);
    const char *start = r->rest;
    bool any = take(r, "?");
    size_t len;

    t->op = !any && take(r, "-") ? FILTER_DIFFERENT : FILTER_EQUAL;
    put(r, &t->text, FILTER_ANY);
    (void)read_text(r, &t->text, "_", '*');
    /* a phrase of blanks is in every line */
    for (len = t->text.len; span_white(p->texts[t->text.at + len - 1]);)
        len--;
    if (len == 1) {
        t->text.len = 1;
        p->texts_len = (uint16_t)(t->text.at + 1);
    }
    put(r, &t->text, FILTER_ANY);
    link_parts(p, t->text);
    emit(r, p->tests_len - 1u);
    if (p->tests_len > 1) {
        emit(r, any ? FILTER_OR : FILTER_AND);
        if (any != r->any)
            fail(r, start, "CloudWatch ignores ?terms beside others");
    }
    r->any = any;
    if (*r->rest != '\0' && !span_white(*r->rest))
        not_this(r);
    skip_blanks(r);
}

/* What filter_match need not find out for each line. */
COLD static void
look_over(struct filter_pattern *p)
{
    p->grows = true;
    p->all = (uint32_t)(((uint64_t)1 << p->tests_len) - 1);
    for (size_t i = 0; i < p->tests_len; i++)
        if (p->tests[i].op == FILTER_NOT_EXISTS)
            p->grows = false;
    if (!p->grows ||
        span_char((struct span){(const char *)p->program, p->program_len}, FILTER_OR) != NULL)
        p->all = 0;
}

COLD int
filter_pattern_read(struct filter_pattern *p, const char *pattern, struct filter_error *error)
{
    struct reader r = {.rest = pattern, .p = p};

    *p = (struct filter_pattern){.form = FILTER_TERMS};
    if (strlen(pattern) > FILTER_PATTERN_MAX_BYTES)
        fail(&r, pattern + FILTER_PATTERN_MAX_BYTES, TOO_MUCH);
    if (take(&r, "{")) {
        p->form = FILTER_JSON;
        read_expression(&r, FILTER_OR);
        expect(&r, "}");
    } else if (take(&r, "[")) {
        p->form = FILTER_FIELDS;
        read_fields(&r);
    } else {
        while (*r.rest != '\0')
            read_term(&r);
    }
    skip_blanks(&r);
    if (*r.rest != '\0')
        not_this(&r);
    look_over(p);
    if (r.reason == NULL)
        return 0;
    *error = (struct filter_error){(size_t)(r.failed - pattern) + 1, r.reason};
    return ERR_BAD;
}
