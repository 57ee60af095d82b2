#include "protocol/line_text.h"

#include "protocol/json_walk.h"
#include "protocol/line_steps.h"

/* see line_text.h */

#ifdef CHECKED
uint64_t line_steps;
#endif

static char *
put_utf8(char *to, unsigned c)
{
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    *to++ = (char)(first[more] | c >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return to;
}

/* Of \uXXXX at the beginning of s its number; beyond all numbers if there is none. */
static unsigned
unit(struct span s)
{
    unsigned n = 0;

    if (!span_starts(s, SPAN("\\u")) || s.len < 6 || !span_made_of((struct span){s.p + 2, 4}, ""))
        return ~0u;
    for (size_t i = 2; i < 6; i++) {
        unsigned c = (unsigned char)s.p[i];

        if (c > '9')
            c = (c | 0x20) - 'a' + 10 + '0';
        if (c > '0' + 15)
            return ~0u;
        n = n << 4 | (c - '0');
    }
    return n;
}

size_t
line_escape(struct span s, char **to)
{
    static const char from[] = "bfnrt";
    static const char become[] = "\b\f\n\r\t";
    unsigned c = unit(s);
    unsigned low = unit(span_skip(s, 6));
    const char *at;

    if (c == ~0u) {
        at = span_char((struct span){from, sizeof from - 1}, s.p[1]);
        *(*to)++ = at == NULL ? s.p[1] : become[at - from];
        return 2;
    }
    if (c - 0xd800 < 0x400 && low - 0xdc00 < 0x400) {
        *to = put_utf8(*to, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
        return 12;
    }
    *to = put_utf8(*to, c - 0xd800 < 0x800 ? 0xfffd : c);
    return 6;
}

size_t
line_unescape(struct span inside, char *to)
{
    char *start = to;

    LINE_STEPS(inside.len);
    while (inside.len > 0) {
        const char *escape = span_char(inside, '\\');
        size_t plain = escape == NULL ? inside.len : (size_t)(escape - inside.p);

        memmove(to, inside.p, plain);
        to += plain;
        inside = span_skip(inside, plain);
        if (inside.len == 1) /* no string ends so, but one byte more would be read */
            break;
        if (inside.len > 0)
            inside = span_skip(inside, line_escape(inside, &to));
    }
    return (size_t)(to - start);
}

struct span
line_text(struct span record, char *room)
{
    struct span text = json_walk_string(record);

    if (text.p == NULL)
        return record;
    if (span_char(text, '\\') != NULL)
        text = (struct span){room, line_unescape(text, room)};
    text.len -= text.len > 0 && text.p[text.len - 1] == '\n';
    return text;
}
