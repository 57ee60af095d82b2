#include "strict_json.h"

#include <string.h>

/* see strict_json.h */

static bool value(struct span *s, unsigned depth);

static bool
next_is(const struct span *s, const char *bytes)
{
    return s->len > 0 && s->p[0] != '\0' && strchr(bytes, s->p[0]) != NULL;
}

static bool
take(struct span *s, const char *bytes)
{
    if (!next_is(s, bytes))
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static void
space(struct span *s)
{
    while (take(s, " \t\r\n"))
        ;
}

static bool
digits(struct span *s)
{
    bool some = false;

    while (take(s, "0123456789"))
        some = true;
    return some;
}

static bool
number(struct span *s)
{
    (void)take(s, "-");
    if (!take(s, "0") && !digits(s))
        return false;
    if (take(s, ".") && !digits(s))
        return false;
    if (take(s, "eE")) {
        (void)take(s, "+-");
        return digits(s);
    }
    return true;
}

static bool
escape(struct span *s)
{
    if (!take(s, "u"))
        return take(s, "\"\\/bfnrt");
    for (int i = 0; i < 4; i++)
        if (!take(s, "0123456789abcdefABCDEF"))
            return false;
    return true;
}

static bool
string(struct span *s)
{
    if (!take(s, "\""))
        return false;
    while (!take(s, "\"")) {
        if (s->len == 0 || (unsigned char)s->p[0] < 0x20)
            return false;
        if (take(s, "\\")) {
            if (!escape(s))
                return false;
        } else {
            *s = span_skip(*s, 1);
        }
    }
    return true;
}

/* Members or elements, from behind the opening bracket to behind the closing one. */
static bool
list(struct span *s, bool members, unsigned depth)
{
    const char *close = members ? "}" : "]";

    space(s);
    if (take(s, close))
        return true;
    do {
        space(s);
        if (members) {
            if (!string(s))
                return false;
            space(s);
            if (!take(s, ":"))
                return false;
        }
        if (!value(s, depth))
            return false;
    } while (take(s, ","));
    return take(s, close);
}

static bool
word(struct span *s, struct span name)
{
    if (!span_starts(*s, name))
        return false;
    *s = span_skip(*s, name.len);
    return true;
}

static bool
value(struct span *s, unsigned depth)
{
    bool good;

    space(s);
    if (depth == 0)
        return false;
    if (take(s, "{"))
        good = list(s, true, depth - 1);
    else if (take(s, "["))
        good = list(s, false, depth - 1);
    else if (next_is(s, "\""))
        good = string(s);
    else
        good =
            word(s, SPAN("true")) || word(s, SPAN("false")) || word(s, SPAN("null")) || number(s);
    space(s);
    return good;
}

bool
strict_json(struct span text)
{
    return value(&text, STRICT_DEPTH) && text.len == 0;
}

/* The character that the text begins with; -1 when there is none. */
static int32_t
character(struct span *s)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)s->p[0];
    size_t more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    int32_t c = first < 0x80 ? first : first & (0x3f >> more);

    if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || s->len <= more)
        return -1;
    for (size_t i = 1; i <= more; i++) {
        if (((uint8_t)s->p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | ((uint8_t)s->p[i] & 0x3f);
    }
    *s = span_skip(*s, more + 1);
    return c >= least[more] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? c : -1;
}

bool
strict_utf8(struct span text)
{
    while (text.len > 0)
        if (character(&text) < 0)
            return false;
    return true;
}
