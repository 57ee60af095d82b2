#include "protocol/own_lines.h"

#include "protocol/check.h"

/* see own_lines.h */

enum { PLAIN, ESCAPE, DIGITS }; /* DIGITS + n: n digits have come */

#define AWAITED UINT64_C(1) /* in a hash: the line has not come back */

static uint64_t
hashed(uint64_t hash, unsigned char byte)
{
    /* FNV-1a */
    return (hash ^ byte) * 0x100000001b3;
}

static const uint64_t begun = 0xcbf29ce484222325;

static unsigned
digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') & 15 : (unsigned)((c | 0x20) - 'a' + 10) & 15;
}

/* The bytes of a character that was written as \uXXXX. */
static size_t
put_unit(uint16_t unit, char to[3])
{
    if (unit < 0x80) {
        to[0] = (char)unit;
        return 1;
    }
    to[0] = (char)(unit < 0x800 ? (0xc0 | unit >> 6) : (0xe0 | unit >> 12));
    to[1] = (char)(0x80 | ((unit < 0x800 ? unit : unit >> 6) & 0x3f));
    to[2] = (char)(0x80 | (unit & 0x3f));
    return unit < 0x800 ? 2 : 3;
}

/* Returns how many bytes it has produced. */
static size_t
unescape(struct unescape *u, char c, char to[3])
{
    static const char from[] = "nrtbf";
    static const char into[] = "\n\r\t\b\f";
    const char *at;

    if (u->state == PLAIN && c == '\\') {
        u->state = ESCAPE;
        return 0;
    }
    if (u->state >= DIGITS) {
        u->unit = (uint16_t)((unsigned)u->unit << 4 | digit(c));
        if (++u->state < DIGITS + 4)
            return 0;
        u->state = PLAIN;
        return put_unit(u->unit, to);
    }
    if (u->state == ESCAPE && c == 'u') {
        u->state = DIGITS;
        u->unit = 0;
        return 0;
    }
    at = u->state == ESCAPE ? span_char((struct span){from, sizeof from - 1}, c) : NULL;
    to[0] = at != NULL ? into[at - from] : c;
    u->state = PLAIN;
    return 1;
}

static uint64_t
add(uint64_t hash, struct unescape *u, char c)
{
    char bytes[3];
    /* the line's own end, which the platform may not pass on */
    size_t n = c == '\n' ? 0 : unescape(u, c, bytes);

    /* a character that was cut in two, in a line that had to be, comes back as another one */
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)bytes[i] < 0x80)
            hash = hashed(hash, (unsigned char)bytes[i]);
    return hash;
}

void
own_lines_begin(struct own_lines *o)
{
    o->text = (struct unescape){.state = PLAIN};
    o->hash = begun;
}

void
own_lines_add(struct own_lines *o, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        o->hash = add(o->hash, &o->text, bytes.p[i]);
}

void
own_lines_end(struct own_lines *o)
{
    CHECK(o->next < OWN_LINES_MAX);
    o->forgotten += o->hashes[o->next] & AWAITED;
    o->hashes[o->next] = o->hash | AWAITED;
    o->next = (o->next + 1) % OWN_LINES_MAX;
}

/* The hash of a record: of a value as it stands, or of a string's contents. */
static uint64_t
hash_of(struct span record)
{
    bool text = record.p[0] == '"';
    struct unescape outer = {.state = PLAIN};
    struct unescape inner = {.state = PLAIN};
    uint64_t hash = begun;

    if (text && record.len >= 2)
        record = (struct span){record.p + 1, record.len - 2};
    for (size_t i = 0; i < record.len; i++) {
        char bytes[3] = {record.p[i]};
        size_t n = text ? unescape(&outer, record.p[i], bytes) : 1;

        for (size_t k = 0; k < n; k++)
            hash = add(hash, &inner, bytes[k]);
    }
    return hash;
}

bool
own_lines_take(struct own_lines *o, const struct event *e, bool looks_so)
{
    bool again = false;
    uint64_t hash;

    if (e->type != EVENT_EXTENSION || !looks_so)
        return false;
    hash = hash_of(e->record) | AWAITED;
    for (size_t i = 0; i < OWN_LINES_MAX; i++) {
        if (o->hashes[i] == hash) {
            o->hashes[i] &= ~AWAITED;
            return true;
        }
        again = again || o->hashes[i] == (hash & ~AWAITED);
    }
    if (again || o->forgotten == 0)
        return again;
    o->forgotten--;
    return true;
}
