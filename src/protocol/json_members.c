#include "protocol/json_members.h"

/* see json_members.h */

enum { CLOSING_BRACKET = 1 }; /* kept free at the end of the room */

/* Forgets the member that is being kept, if there is one. */
static void
drop(struct json_members *m)
{
    size_t most = sizeof m->text - CLOSING_BRACKET;

    m->kept =
        out_to(m->text, m->mark + JSON_MEMBERS_ONE < most ? m->mark + JSON_MEMBERS_ONE : most);
    m->kept.len = m->mark;
    m->keeping = false;
}

void
json_members_start(struct json_members *m)
{
    *m = (struct json_members){.wanted = m->wanted};
    drop(m);
}

static bool
is_wanted(const struct json_members *m, struct span name)
{
    const struct span *wanted = m->wanted;

    while (wanted->len > 0 && !span_same(*wanted, name))
        wanted++;
    return wanted->len > 0;
}

/* The name follows the mark, a comma and its opening quotation mark. */
static void
name_ended(struct json_members *m)
{
    struct span name = span_skip(out_span(&m->kept), m->mark + 2);

    name.len -= name.len > 0;
    if (m->kept.full || !is_wanted(m, name))
        drop(m);
    m->want = MEMBERS_COLON;
}

static void
value_ended(struct json_members *m)
{
    if (m->keeping && !m->kept.full)
        m->mark = m->kept.len;
    drop(m);
    m->scalar = false;
    m->want = MEMBERS_COMMA;
}

static void
string_byte(struct json_members *m, char c)
{
    if (m->keeping)
        out_byte(&m->kept, c);
    m->in_string = m->escaped || c != '"';
    m->escaped = !m->escaped && c == '\\';
    if (m->in_string || m->depth != 1)
        return;
    if (m->want == MEMBERS_NAME)
        name_ended(m);
    else
        value_ended(m);
}

/* A quotation mark at depth 1: of a name, of a value, or out of place. */
static void
open_string(struct json_members *m)
{
    if (m->want == MEMBERS_COLON)
        drop(m);
    if (m->want == MEMBERS_NAME) {
        m->keeping = true;
        out_byte(&m->kept, ',');
    }
    if (m->keeping)
        out_byte(&m->kept, '"');
}

static void
close_bracket(struct json_members *m)
{
    if (m->depth == 1 && m->scalar)
        value_ended(m);
    m->depth -= m->depth > 0;
    m->ended = m->whole = m->depth == 0;
}

/* Any other byte at depth 1. */
static void
member_byte(struct json_members *m, char c)
{
    if (m->scalar && (span_white(c) || c == ','))
        value_ended(m);
    if (span_white(c))
        return;
    if (c == ',') {
        drop(m);
        m->want = MEMBERS_NAME;
        return;
    }
    m->scalar = m->want == MEMBERS_VALUE;
    if (c == ':' && m->want == MEMBERS_COLON)
        m->want = MEMBERS_VALUE;
    if (m->keeping)
        out_byte(&m->kept, c);
}

/* Outside of strings. */
static void
plain_byte(struct json_members *m, char c)
{
    if (m->depth == 0) {
        m->ended = c != '{' && !span_white(c);
        m->depth = c == '{';
    } else if (c == '"') {
        m->in_string = true;
        if (m->depth == 1)
            open_string(m);
    } else if (c == '{' || c == '[') {
        m->depth++;
        drop(m);
    } else if (c == '}' || c == ']') {
        close_bracket(m);
    } else if (m->depth == 1) {
        member_byte(m, c);
    }
}

void
json_members_take(struct json_members *m, struct span piece)
{
    for (size_t i = 0; i < piece.len && !m->ended; i++, m->taken++) {
        if (m->taken == JSON_MEMBERS_MAX_BYTES)
            return;
        if (m->in_string)
            string_byte(m, piece.p[i]);
        else
            plain_byte(m, piece.p[i]);
    }
}

struct span
json_members_end(struct json_members *m)
{
    drop(m);
    m->ended = true;
    if (m->kept.len == 0)
        return (struct span){m->text, 0};
    m->text[0] = '{';
    m->text[m->kept.len] = '}';
    return (struct span){m->text, m->kept.len + 1};
}
