/*
 * A filter pattern, up to the first newline, and a line. Terms and wildcards are also read and looked for in the
 * plainest way, which takes its time.
 */
#include "fuzz.h"
#include "protocol/filter_match.h"
#include "protocol/line_steps.h"
#include "strict_json.h"

#include <string.h>

static struct filter_pattern pattern;

static bool
white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* --- the plain way ----------------------------------------------------------------------------- */

static bool
occurs(struct span part, struct span s)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (part.len == 0 || memcmp(s.p + i, part.p, part.len) == 0)
            return true;
    return false;
}

/* The term at the pattern's beginning, written to text; blanks alone become nothing. Returns what follows. */
static const char *
next_term(const char *p, char *text, struct span *term)
{
    char quote = *p == '"' || *p == '\'' ? *p++ : '\0';
    size_t len = 0, blanks = 0;

    for (; *p != '\0' && (quote != '\0' ? *p != quote : !white(*p)); p++) {
        if (quote != '\0' && p[0] == '\\' && (p[1] == quote || p[1] == '\\'))
            p++;
        blanks += white(*p);
        text[len++] = *p;
    }
    *term = (struct span){text, len == blanks ? 0 : len};
    return quote != '\0' ? p + 1 : p;
}

/* The pattern has been found to be one of terms. */
static bool
plain_terms(const char *p, struct span line)
{
    char text[FILTER_PATTERN_MAX_BYTES];
    struct span term;
    bool any = false, all = true, optional = false;

    for (;;) {
        char sign;
        bool there;

        while (white(*p))
            p++;
        if (*p == '\0')
            return optional ? any : all;
        sign = *p == '?' || *p == '-' ? *p++ : '\0';
        while (white(*p))
            p++;
        p = next_term(p, text, &term);
        there = occurs(term, line) != (sign == '-');
        optional = sign == '?';
        any |= there;
        all &= there;
    }
}

/* Whether a text is like this one, in which * stands for anything. */
static bool
plain_wild(struct span wild, struct span s)
{
    bool fits[257] = {true}; /* a beginning of s of this length fits what has been seen of wild */

    for (size_t i = 0; i < wild.len; i++) {
        bool star = wild.p[i] == '*';

        for (size_t n = s.len; !star && n > 0; n--)
            fits[n] = fits[n - 1] && s.p[n - 1] == wild.p[i];
        fits[0] &= star;
        for (size_t n = 1; star && n <= s.len; n++)
            fits[n] |= fits[n - 1];
    }
    return fits[s.len];
}

/* --- what has to hold -------------------------------------------------------------------------- */

static void
check_text(struct filter_text t)
{
    FACT(t.at + t.len <= pattern.texts_len);
}

/* The program finds its operands, and ends with one answer. */
static void
check_program(void)
{
    size_t stack = 0;

    FACT(pattern.tests_len <= FILTER_TESTS_MAX && pattern.steps_len <= FILTER_STEPS_MAX);
    FACT(pattern.fields <= FILTER_FIELDS_MAX && pattern.gap <= pattern.fields);
    for (size_t i = 0; i < pattern.program_len; i++) {
        if (pattern.program[i] < FILTER_TESTS_MAX) {
            FACT(pattern.program[i] < pattern.tests_len);
            stack++;
        } else {
            FACT(stack >= 2);
            stack--;
        }
    }
    FACT(stack == (pattern.tests_len > 0));
    for (size_t i = 0; i < pattern.tests_len; i++) {
        check_text(pattern.tests[i].text);
        FACT(pattern.form != FILTER_JSON || pattern.tests[i].length > 0);
        FACT(pattern.tests[i].at + pattern.tests[i].length <= FILTER_STEPS_MAX);
    }
    for (size_t i = 0; i < pattern.steps_len; i++)
        check_text(pattern.steps[i].name);
}

static struct span
as_string(struct span first, struct span line, struct span last)
{
    size_t cap = first.len + 6 * line.len + last.len;
    struct out o = out_to(fuzz_room(cap), cap);

    out_put(&o, first);
    out_json(&o, line);
    out_put(&o, last);
    return fuzz_copy(out_span(&o));
}

static bool
match(struct span record, const struct json_marks *marks)
{
    uint64_t before = line_steps;
    bool got = filter_match(&pattern, record, record.p, marks, fuzz_room(record.len));

    FACT(line_steps - before <= (record.len + 1) * (9 + 3 * pattern.tests_len) + pattern.texts_len);
    return got;
}

static void
check_wild(struct span wild, struct span line)
{
    static const char head[] = "{$.a=\"";
    char text[300];
    struct filter_error error;

    if (wild.len > 256 || line.len > 256 || memchr(wild.p, '\0', wild.len) != NULL ||
        memchr(wild.p, '"', wild.len) != NULL || memchr(wild.p, '\\', wild.len) != NULL)
        return;
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, wild.p, wild.len);
    strcpy(text + sizeof head - 1 + wild.len, "\"}");
    FACT(filter_pattern_read(&pattern, text, &error) == 0);
    FACT(match(as_string(SPAN("{\"a\":\""), line, SPAN("\"}")), NULL) == plain_wild(wild, line));
}

void
fuzz(struct span in)
{
    const char *newline = in.len == 0 ? NULL : memchr(in.p, '\n', in.len);
    size_t len = newline == NULL ? in.len : (size_t)(newline - in.p);
    struct span line = newline == NULL ? SPAN("") : span_skip(in, len + 1);
    char *text = fuzz_room(len + 1);
    struct filter_error error = {0, NULL};
    struct json_marks marks = {0};
    struct json_scan scan = {.marks = &marks};
    bool got;

    if (len > 0)
        memcpy(text, in.p, len);
    text[len] = '\0';
    if (line.len > 0 && line.p[line.len - 1] == '\n')
        line.len--;
    if (filter_pattern_read(&pattern, text, &error) != 0) {
        FACT(error.reason != NULL && error.column >= 1 && error.column <= strlen(text) + 1);
    } else {
        check_program();
        got = match(as_string(SPAN("\""), line, SPAN("\"")), NULL);
        if (pattern.form == FILTER_TERMS)
            FACT(got == plain_terms(text, line));
        if (strict_json(line) && line.p[0] == '{') {
            FACT(match(fuzz_copy(line), NULL) == got);
            (void)json_scan_container(&scan, line.p, line.p + line.len);
            FACT(match(line, &marks) == got);
        }
        (void)match(fuzz_copy(line), NULL);
    }
    if (len > 0)
        check_wild((struct span){in.p, len}, line);
}
