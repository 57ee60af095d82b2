#include "protocol/span.h"

#include <string.h>

#include "protocol/block.h"

/* see span.h */

struct span
span_of(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

extern inline bool span_same(struct span a, struct span b);
extern inline bool span_white(char c);
extern inline bool span_blank(char c);
extern inline uint64_t span_word(const char *p);

static char
lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

bool
span_same_case(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool
span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_same((struct span){s.p, prefix.len}, prefix);
}

struct span
span_skip(struct span s, size_t n)
{
    if (n > s.len)
        n = s.len;
    /* a null pointer may not be added to, not even zero */
    return (struct span){n == 0 ? s.p : s.p + n, s.len - n};
}

struct span
span_trim(struct span s)
{
    while (s.len > 0 && span_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.len > 0 && span_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool
span_made_of(struct span s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        const char *other = others;
        char c = s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            continue;
        while (*other != '\0' && *other != c)
            other++;
        if (*other == '\0')
            return false;
    }
    return s.len > 0;
}

int
span_number(struct span s, uint64_t max, uint64_t *number)
{
    uint64_t n = 0;

    if (s.len == 0)
        return ERR_BAD;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');

        if (s.p[i] < '0' || s.p[i] > '9' || n > max / 10 || digit > max - n * 10)
            return ERR_BAD;
        n = n * 10 + digit;
    }
    *number = n;
    return 0;
}

int
span_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *
span_char(struct span s, char c)
{
    unsigned n = 16;

    for (; n == 16 && s.len >= 16; s.p += n, s.len -= n)
        n = block_before(s.p, c, c);
    while (s.len > 0 && *s.p != c) {
        s.p++;
        s.len--;
    }
    return s.len > 0 ? s.p : NULL;
}

/* Smaller than the C library's, and fast enough for texts as short as ours. */
const char *
span_find(struct span s, struct span text)
{
    for (; s.len >= text.len; s = span_skip(s, 1)) {
        const char *at =
            text.len == 0 ? s.p : span_char((struct span){s.p, s.len - text.len + 1}, *text.p);

        if (at == NULL)
            return NULL;
        s = span_skip(s, (size_t)(at - s.p));
        if (span_starts(s, text))
            return at;
    }
    return NULL;
}

struct span
span_cut(struct span s, char separator, struct span *rest)
{
    const char *at = span_char(s, separator);

    if (at == NULL) {
        *rest = (struct span){NULL, 0};
        return s;
    }
    *rest = span_skip(s, (size_t)(at - s.p) + 1);
    return (struct span){s.p, (size_t)(at - s.p)};
}
