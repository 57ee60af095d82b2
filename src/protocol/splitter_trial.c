#include "protocol/splitter_trial.h"

#include "protocol/check.h"
#include "protocol/envelope.h"
#include "protocol/json_walk.h"

/* see splitter_trial.h */

/*
 * Follows the array in the text from `searched` to `to`, or to the byte that breaks it. After the array's end
 * only a brace and a comma do so: the rest of a cut record has them sooner or later, with nothing but brackets
 * before.
 */
static void
walk(struct splitter *s, struct span text, size_t to)
{
    const char *end = text.p + to;
    const char *p = text.p + s->searched;

    s->searched = to;
    while (p < end && s->state != LOST) {
        if (s->state == INSIDE) {
            p = splitter_value_end(s, p, end);
            if (p == NULL)
                return;
            s->state = BETWEEN;
            if (s->first == 0)
                s->first = (size_t)(p - text.p);
            continue;
        }
        if (s->state == DONE && !span_white(*p)) {
            s->state = *p == '}' || *p == ',' ? BROKEN : *p == ']' ? DONE : LOST;
        } else if (!span_white(*p) && splitter_begins(s, *p)) {
            continue;
        }
        if (s->state == BROKEN) {
            s->searched = (size_t)(p - text.p);
            return;
        }
        p++;
    }
}

/* Whether the event on trial has ended, and is JSON as far as a walk looks. */
static bool
first_is_sound(const struct splitter *s, struct span text)
{
    struct json_walk w;
    struct span name;
    struct span value;
    int r;

    text.len = s->first;
    if (s->first == 0 || json_walk_open(&w, text) != 0)
        return false;
    do
        r = json_walk_next(&w, &name, &value);
    while (r == 1);
    return r == 0 && w.rest.len == 1;
}

/* Two objects without a comma, or two commas without a value: the rest of a record never breaks an array so. */
static enum splitter_verdict
verdict_broken(const struct splitter *s, struct span text)
{
    char c = text.p[s->searched];
    bool other = c == '{' || (c == ',' && envelope_comma(text, s->searched, false));

    return other && first_is_sound(s, text) ? SOUND : DAMAGED;
}

/* The verdict at the POST's end, when the text is complete. begun: it ends in what may be an event. */
static enum splitter_verdict
verdict_at_end(struct splitter *s, struct span text, bool begun)
{
    walk(s, text, text.len);
    if (s->first == 0) /* the event has no end here: the record was cut, or cut again */
        return SOUND;
    if (s->state == BROKEN)
        return verdict_broken(s, text);
    if (s->state == INSIDE && s->container && !begun)
        return DAMAGED;
    return first_is_sound(s, text) ? SOUND : DAMAGED;
}

enum splitter_verdict
splitter_verdict(struct splitter *s, struct span text)
{
    size_t at;
    int found;

    CHECK(s->trial && s->searched <= text.len);
    if (s->searched == 0) {
        int len = envelope_len(text);

        if (len == ERR_MORE && !s->ended)
            return UNDECIDED;
        if (len < 0 || text.p[len] != '"')
            return SOUND;
        walk(s, text, (size_t)len);
    }
    found = envelope_find(text, s->searched, false, &at);
    walk(s, text, at);
    if (s->state == BROKEN)
        return verdict_broken(s, text);
    if (found == 1)
        return s->state == VALUE && first_is_sound(s, text) ? SOUND : DAMAGED_AND_FOUND;
    return s->ended ? verdict_at_end(s, text, at < text.len) : UNDECIDED;
}
