#include "protocol/base64.h"

/* see base64.h */

enum { GROUP = 4, GROUP_BYTES = 3 };

/* Below zero for what is none of the 64. */
static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int
add(struct base64 *b, char c)
{
    int value = value_of(c);

    if (c == '=' && b->len >= 2) {
        b->padded++;
        value = 0;
    } else if (value < 0 || b->padded > 0) {
        return ERR_BAD;
    }
    b->bits = b->bits << 6 | (unsigned)value;
    b->len = (b->len + 1) % GROUP;
    return 0;
}

int
base64_read(struct base64 *b, struct span *text, uint8_t *to, size_t cap)
{
    size_t n = 0;

    for (; text->len > 0 && cap - n >= GROUP_BYTES; *text = span_skip(*text, 1)) {
        if (span_blank(*text->p))
            continue;
        if (add(b, *text->p) != 0)
            return ERR_BAD;
        if (b->len > 0)
            continue;
        for (size_t i = 0; i < GROUP_BYTES - b->padded; i++)
            to[n++] = (uint8_t)(b->bits >> (16 - 8 * i));
    }
    return (int)n;
}

bool
base64_whole(const struct base64 *b)
{
    return b->len == 0;
}
