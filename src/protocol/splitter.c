#include "protocol/splitter.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/envelope.h"
#include "protocol/splitter_trial.h"

/* see splitter.h */

enum {
    BEGINS = 3,       /* goes on, beside what splitter_next returns */
    STEP_BYTES = 1024 /* the most that is added to the carry at once while an event is on trial */
};

void
splitter_start(struct splitter *s, char *carry, size_t cap)
{
    *s = (struct splitter){.carry = carry, .cap = cap, .state = START};
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
 * The end of a value that is not an object or array, and so not an event: of a string, or before the first
 * byte that cannot belong to a scalar. Damaged text in the place of a value may contain strings and brackets.
 */
static const char *
other_end(struct json_scan *scan, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (scan->in_string) {
            if (ends_string(scan, *p) && scan->depth == 0)
                return p + 1;
        } else if (*p == ',' || *p == ']' || span_white(*p)) {
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

/* see splitter_trial.h */
const char *
splitter_value_end(struct splitter *s, const char *p, const char *end)
{
    return s->container ? json_scan_container(&s->scan, p, end) : other_end(&s->scan, p, end);
}

/* see splitter_trial.h */
bool
splitter_begins(struct splitter *s, char c)
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
        s->trial = s->trial || (s->state == FIRST && c == '{');
        s->state = INSIDE;
        s->scan = (struct json_scan){.marks = s->marks};
        if (s->marks != NULL)
            s->marks->len = 0;
        s->container = c == '{' || c == '[';
        return true;
    }
    s->comma = c == ',';
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
        /* the input may itself lie further on in the carry */
        memmove(s->carry + s->len, in->p, n);
        s->len += n;
    }
    *in = span_skip(*in, n);
    return 0;
}

/* The event at the beginning of the input, or as much of it as is there. */
static int
inside(struct splitter *s, struct span *in, struct span *event)
{
    struct json_scan before = s->scan;
    const char *end = splitter_value_end(s, in->p, in->p + in->len);
    const char *to = end == NULL ? in->p + in->len : end;

    s->marked = end != NULL && s->len == 0 && !s->skipping;
    if (s->marked) {
        *event = (struct span){in->p, (size_t)(end - in->p)};
        *in = span_skip(*in, event->len);
    } else if (collect(s, in, to) != 0) {
        s->scan = before;
        return ERR_FULL;
    } else if (end == NULL) {
        return ERR_MORE;
    } else if (!s->skipping) {
        *event = (struct span){s->carry, s->len};
    }
    s->state = BETWEEN;
    s->len = 0;
    if (!s->skipping)
        return 1;
    s->skipping = false;
    return ERR_MORE;
}

/* Keeps the end of the input, which may be the beginning of an event, until more has come. */
static void
keep_tail(struct splitter *s, struct span text, size_t at)
{
    size_t n = text.len - at;

    s->comma = envelope_comma(text, at, s->comma);
    s->len = 0;
    if (n <= s->cap && n > 0) {
        memmove(s->carry, text.p + at, n);
        s->len = n;
    }
}

/* The same as search, while the carry holds what may be an event's beginning. */
COLD static bool
search_carry(struct splitter *s, struct span *in)
{
    while (s->len > 0 && in->len > 0) {
        size_t most = 2 * (size_t)ENVELOPE_MAX;
        size_t room = (s->cap < most ? s->cap : most) - s->len;
        struct span text = {s->carry, s->len};
        size_t at;

        if (room == 0) {
            s->len = 0;
            break;
        }
        (void)collect(s, in, in->p + (room < in->len ? room : in->len));
        text.len = s->len;
        if (envelope_find(text, 0, s->comma, &at) == 1) {
            s->from = at;
            s->kept = s->len;
            s->len = 0;
            return true;
        }
        keep_tail(s, text, at);
    }
    return false;
}

/* Looks for the beginning of an event. Returns true if the input, or the carry, then begins with one. */
COLD static bool
search(struct splitter *s, struct span *in)
{
    size_t at;

    if (search_carry(s, in))
        return true;
    if (in->len == 0)
        return false;
    if (envelope_find(*in, 0, s->comma, &at) == 1) {
        *in = span_skip(*in, at);
        return true;
    }
    keep_tail(s, *in, at);
    *in = span_skip(*in, in->len);
    return false;
}

/* Within or after a damage, or after the array. Returns as splitter_next, or BEGINS: no damage to count. */
COLD static int
beyond(struct splitter *s, struct span *in)
{
    if (search(s, in)) {
        int r = s->state == LOST ? BEGINS : SPLITTER_CUT;

        s->state = VALUE;
        return r;
    }
    if (s->state == CUT && s->ended) {
        s->state = DONE;
        return SPLITTER_CUT;
    }
    return s->state == DONE ? 0 : s->state == BROKEN ? ERR_BAD : ERR_MORE;
}

/* From an input that is not on trial. Returns as splitter_next, or BEGINS: to be called again. */
static int
next_in(struct splitter *s, struct span *in, struct span *event)
{
    while (in->len > 0 && s->state < DONE) {
        if (s->state == INSIDE) {
            int r = inside(s, in, event);

            /* after an event that was skipped, the next one may follow in the same input */
            if (r != ERR_MORE || in->len == 0)
                return r;
        } else if (span_white(in->p[0]) || !splitter_begins(s, in->p[0])) {
            *in = span_skip(*in, 1);
        } else if (s->trial) {
            return BEGINS;
        }
    }
    return s->state < DONE ? ERR_MORE : beyond(s, in);
}

/* From what the carry keeps, which comes before any input. Returns as next_in; BEGINS when it is used up. */
COLD static int
next_kept(struct splitter *s, struct span *event)
{
    struct span kept = {s->carry + s->from, s->kept - s->from};
    int r = next_in(s, &kept, event);

    s->from = s->kept - kept.len;
    if (kept.len == 0)
        s->from = s->kept = 0;
    return r == 1 || r == SPLITTER_CUT ? r : BEGINS;
}

/* The trial is over: goes on at this place of the text, which is the input or in the carry. */
static void
go_on(struct splitter *s, struct span *in, size_t at)
{
    s->trial = false;
    if (s->len == 0) {
        *in = span_skip(*in, at);
        return;
    }
    s->from = at;
    s->kept = s->len;
    s->len = 0;
}

/* Returns BEGINS, or SPLITTER_CUT: there is a damage, and an event begins after it. */
static int
decide(struct splitter *s, struct span *in, struct span text, enum splitter_verdict v)
{
    s->comma = envelope_comma(text, s->searched, false);
    go_on(s, in, v == SOUND ? 0 : s->searched);
    s->state = v == DAMAGED ? CUT : VALUE;
    return v == DAMAGED_AND_FOUND ? SPLITTER_CUT : BEGINS;
}

/* The event on trial, in place. Returns as try. */
static int
try_input(struct splitter *s, struct span *in)
{
    struct splitter before = *s;
    enum splitter_verdict v = splitter_verdict(s, *in);

    if (v != UNDECIDED)
        return decide(s, in, *in, v);
    if (collect(s, in, in->p + in->len) != 0) {
        *s = before;
        return ERR_FULL;
    }
    return ERR_MORE;
}

/* Returns as splitter_next, or BEGINS: the trial is over. */
static int
try(struct splitter *s, struct span *in)
{
    if (s->len == 0)
        return in->len == 0 ? ERR_MORE : try_input(s, in);
    while (in->len > 0 || s->ended) {
        size_t n = in->len < STEP_BYTES ? in->len : STEP_BYTES;
        struct span text;
        enum splitter_verdict v;

        if (n > s->cap - s->len)
            n = s->cap - s->len;
        if (n == 0 && in->len > 0)
            return ERR_FULL;
        if (n > 0)
            (void)collect(s, in, in->p + n);
        text = (struct span){s->carry, s->len};
        v = splitter_verdict(s, text);
        if (v != UNDECIDED)
            return decide(s, in, text, v);
    }
    return ERR_MORE;
}

int
splitter_next(struct splitter *s, struct span *in, struct span *event)
{
    int r;

    do {
        if (s->trial)
            r = try(s, in);
        else if (s->kept > 0)
            r = next_kept(s, event);
        else
            r = next_in(s, in, event);
    } while (r == BEGINS);
    CHECK(s->len <= s->cap && s->kept <= s->cap && s->from <= s->kept);
    CHECK(r != ERR_MORE || in->len == 0);
    return r;
}

void
splitter_end(struct splitter *s)
{
    s->ended = true;
}

bool
splitter_settle(struct splitter *s)
{
    struct span none = {NULL, 0};

    if (!s->trial || s->first == 0 || s->len == 0)
        return false;
    go_on(s, &none, 0);
    s->state = VALUE;
    return true;
}

const struct json_marks *
splitter_marks(const struct splitter *s)
{
    return s->marked ? s->marks : NULL;
}

void
splitter_carry(struct splitter *s, char *carry, size_t cap)
{
    CHECK(s->kept == 0 && s->len <= cap);
    memcpy(carry, s->carry, s->len);
    s->carry = carry;
    s->cap = cap;
}

void
splitter_skip(struct splitter *s)
{
    s->marked = false;
    if (s->trial) {
        struct span none = {NULL, 0};

        /* if it was the rest of a cut record, its end cannot be recognised */
        s->state = s->searched > 0 ? LOST : INSIDE;
        s->comma = false;
        go_on(s, &none, s->searched);
    }
    s->skipping = s->state != LOST;
    s->len = 0;
}

bool
splitter_inside(const struct splitter *s)
{
    return s->trial || s->state == INSIDE;
}
