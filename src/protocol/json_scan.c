#include "protocol/json_scan.h"

#include <string.h>

/* see json_scan.h */

/* The bit in which the two kinds of brackets differ: '[' | BRACE == '{', ']' | BRACE == '}'. */
enum { BRACE = 0x20 };

/* A block as a bit for each of its bytes. */
struct bits {
    uint64_t quotes, slashes;
    uint64_t open, brackets; /* opening ones; all */
    unsigned len;            /* bytes that count; those after them are zeros */
};

static uint64_t
bit_at(unsigned at)
{
    return (uint64_t)1 << at;
}

/* For each bit, whether the number of ones up to and including it is odd. */
static uint64_t
parity(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

static void
note(struct json_scan *s, uint64_t quotes)
{
    struct json_marks *marks = s->marks;

    /* once there was no room for a block, none is noted any more, so that the marks have no gaps */
    if (marks == NULL || !json_marks_all(marks))
        return;
    for (; quotes != 0; quotes &= quotes - 1)
        marks->at[marks->len++] = s->passed + (unsigned)__builtin_ctzll(quotes);
}

/* Follows these brackets. Returns the offset just after the one that closes the container, or 0. */
static unsigned
follow(struct json_scan *s, uint64_t brackets, uint64_t open)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        unsigned at = (unsigned)__builtin_ctzll(brackets);

        if ((open & bit_at(at)) != 0)
            s->depth++;
        else if (--s->depth == 0)
            return at + 1;
    }
    return 0;
}

/* One significant byte after the other, for text that is not JSON. Returns as follow. */
static unsigned
step(struct json_scan *s, const struct bits *b)
{
    unsigned at = s->escaped ? 1 : 0;

    s->escaped = false;
    while (at < b->len) {
        uint64_t marks = (b->quotes | (s->in_string ? b->slashes : b->brackets)) >> at;
        uint64_t bit;

        if (marks == 0)
            break;
        at += (unsigned)__builtin_ctzll(marks);
        bit = bit_at(at++);
        if ((b->quotes & bit) != 0) {
            s->in_string = !s->in_string;
            note(s, bit);
        } else if (s->in_string) {
            s->escaped = at == b->len;
            at++;
        } else if (follow(s, bit, b->open) != 0) {
            return at;
        }
    }
    return 0;
}

/*
 * Which bytes of a block are escaped, and which backslashes escape them (those that are not escaped
 * themselves). Returns whether the block ends in such a backslash.
 */
static bool
escapes(const struct json_scan *s, const struct bits *b, uint64_t *escaped, uint64_t *escaping)
{
    uint64_t left = b->slashes;
    bool last = false;

    *escaped = s->escaped ? 1 : 0;
    *escaping = 0;
    for (left &= ~*escaped; left != 0;) {
        uint64_t bit = left & (0 - left);

        *escaping |= bit;
        *escaped |= bit << 1;
        last = bit == bit_at(b->len - 1);
        left &= ~(bit | bit << 1);
    }
    return last;
}

/* Returns as follow. */
static unsigned
scan_bits(struct json_scan *s, const struct bits *b)
{
    uint64_t escaped, escaping, quotes, strings;
    bool last = escapes(s, b, &escaped, &escaping);
    unsigned at;

    quotes = b->quotes & ~escaped;
    strings = parity(quotes) ^ (s->in_string ? UINT64_MAX : 0);
    /* backslashes outside of strings escape nothing */
    if ((escaping & ~strings) != 0)
        return step(s, b);
    note(s, quotes);
    at = follow(s, b->brackets & ~strings, b->open);
    s->escaped = last;
    s->in_string = (strings & bit_at(b->len - 1)) != 0;
    return at;
}

static unsigned
scan_block(struct json_scan *s, const char *p, unsigned len)
{
    struct block block = block_at(p);
    struct block braces = block_with(block, BRACE);
    struct bits b = {
        .quotes = block_equal(block, '"'),
        .slashes = block_equal(block, '\\'),
        .open = block_equal(braces, '{'),
        .len = len,
    };

    b.brackets = b.open | block_equal(braces, '}');
    return scan_bits(s, &b);
}

/* Less than a block. */
static unsigned
scan_rest(struct json_scan *s, const char *p, unsigned len)
{
    char rest[BLOCK_BYTES] = {0};

    memcpy(rest, p, len);
    return scan_block(s, rest, len);
}

const char *
json_scan_container(struct json_scan *s, const char *p, const char *end)
{
    for (; end - p >= BLOCK_BYTES; p += BLOCK_BYTES, s->passed += BLOCK_BYTES) {
        unsigned at = scan_block(s, p, BLOCK_BYTES);

        if (at != 0)
            return p + at;
    }
    if (p < end) {
        unsigned len = (unsigned)(end - p);
        unsigned at = scan_rest(s, p, len);

        s->passed += len;
        return at == 0 ? NULL : p + at;
    }
    return NULL;
}
