#include "protocol/cbor.h"

#include <limits.h>

/* see cbor.h */

/* The lower five bits of a first byte. */
enum {
    INFO_8 = 24, /* the argument is in the next byte; in the next two, four, eight */
    INFO_16,
    INFO_32,
    INFO_64,
    INFO_ENDLESS = 31,
};

struct head {
    enum cbor_major major;
    unsigned info;
    uint64_t argument;
    size_t len;
};

size_t
cbor_head_len(uint64_t argument)
{
    if (argument < INFO_8)
        return 1;
    if (argument <= UINT8_MAX)
        return 2;
    if (argument <= UINT16_MAX)
        return 3;
    return argument <= UINT32_MAX ? 5 : 9;
}

COLD size_t
cbor_head(char *to, enum cbor_major major, uint64_t argument)
{
    size_t len = cbor_head_len(argument);
    unsigned info = (unsigned)argument;

    if (len > 1)
        info = len == 2 ? INFO_8 : len == 3 ? INFO_16 : len == 5 ? INFO_32 : INFO_64;
    to[0] = (char)((unsigned)major << 5 | info);
    for (size_t i = len - 1; i > 0; i--, argument >>= 8)
        to[i] = (char)(argument & 0xff);
    return len;
}

/*
 * The length of a string of definite length below 256 bytes, as nearly all items of a reply are; 0 for
 * all else. Its head has one byte, or two for 24 bytes and more.
 */
static inline size_t
short_string(struct span s)
{
    unsigned first = s.len > 1 ? (unsigned char)s.p[0] : 0;
    size_t len = first & 31;

    if (first >> 5 != CBOR_TEXT && first >> 5 != CBOR_BYTES)
        return 0;
    if (len == INFO_8)
        len = 1 + (size_t)(unsigned char)s.p[1];
    else if (len > INFO_8)
        return 0;
    return 1 + len <= s.len ? 1 + len : 0;
}

/* Its contents. */
static inline struct span
short_string_text(struct span s, size_t len)
{
    size_t head = ((unsigned char)s.p[0] & 31) == INFO_8 ? 2 : 1;

    return (struct span){s.p + head, len - head};
}

static bool
is_break(const struct head *h)
{
    return h->major == CBOR_OTHER && h->info == INFO_ENDLESS;
}

/* Returns 0, ERR_MORE, or ERR_BAD for what the specification leaves undefined. */
COLD static int
read_head(struct span s, struct head *h)
{
    size_t more;

    if (s.len == 0)
        return ERR_MORE;
    h->major = (enum cbor_major)((unsigned char)s.p[0] >> 5);
    h->info = (unsigned char)s.p[0] & 31;
    h->argument = h->info;
    h->len = 1;
    if (h->info < INFO_8)
        return 0;
    if (h->info > INFO_64)
        return h->info == INFO_ENDLESS && h->major >= CBOR_BYTES && h->major != CBOR_TAG ? 0
                                                                                         : ERR_BAD;
    more = (size_t)1 << (h->info - INFO_8);
    if (more > s.len - 1)
        return ERR_MORE;
    h->argument = 0;
    for (size_t i = 1; i <= more; i++)
        h->argument = h->argument << 8 | (unsigned char)s.p[i];
    h->len += more;
    /* simple values below 32 have the short form only */
    return h->major == CBOR_OTHER && h->info == INFO_8 && h->argument < 32 ? ERR_BAD : 0;
}

/* Steps over a head and, if it is a string's of definite length, the string. */
COLD static int
step(struct span *s, struct head *h)
{
    int got = read_head(*s, h);
    struct span rest;

    if (got < 0)
        return got;
    rest = span_skip(*s, h->len);
    if ((h->major == CBOR_BYTES || h->major == CBOR_TEXT) && h->info != INFO_ENDLESS) {
        if (h->argument > INT_MAX)
            return ERR_BIG;
        if (h->argument > rest.len)
            return ERR_MORE;
        rest = span_skip(rest, (size_t)h->argument);
    }
    *s = rest;
    return 0;
}

/* Steps over the chunks of a string of indefinite length: each has the string's type and a definite length. */
COLD static int
step_chunks(struct span *s, enum cbor_major major)
{
    struct head h;
    int got;

    while ((got = step(s, &h)) == 0 && !is_break(&h))
        if (h.major != major || h.info == INFO_ENDLESS)
            return ERR_BAD;
    return got;
}

/* A map or array that has begun and not ended. */
struct level {
    bool map, endless;
    uint64_t items; /* still to come; in an endless one, seen */
};

struct levels {
    struct level at[CBOR_DEPTH_MAX];
    unsigned len;
};

COLD static int
descend(struct levels *l, const struct head *h)
{
    struct level level = {.map = h->major == CBOR_MAP, .endless = h->info == INFO_ENDLESS};

    if (l->len == CBOR_DEPTH_MAX || (!level.endless && h->argument > INT_MAX))
        return ERR_BIG;
    if (!level.endless)
        level.items = h->argument * (level.map ? 2 : 1);
    l->at[l->len++] = level;
    return 0;
}

/* A break: ends an endless map or array, but may not stand between a name and its value. */
COLD static int
ascend(struct levels *l)
{
    const struct level *level = l->len == 0 ? NULL : &l->at[l->len - 1];

    if (level == NULL || !level->endless || (level->map && level->items % 2 != 0))
        return ERR_BAD;
    l->len--;
    return 0;
}

/* A whole item has been seen, which may have been the last one of the containers around it. */
COLD static void
count(struct levels *l)
{
    for (; l->len > 0; l->len--) {
        struct level *level = &l->at[l->len - 1];

        if (level->endless) {
            level->items++;
            return;
        }
        if (level->items > 0 && --level->items > 0)
            return;
    }
}

/* Follows the item with this head, which `step` has passed. Returns 0 or an error. */
COLD static int
met(struct span *rest, const struct head *h, struct levels *l, bool tagged)
{
    if (is_break(h))
        return tagged ? ERR_BAD : ascend(l);
    if (h->major == CBOR_ARRAY || h->major == CBOR_MAP)
        return descend(l, h);
    return h->info == INFO_ENDLESS ? step_chunks(rest, h->major) : 0;
}

/* Whether the item continues after its head: a tag, or a container that is not empty. */
COLD static bool
opens(const struct head *h)
{
    if (h->major == CBOR_ARRAY || h->major == CBOR_MAP)
        return h->info == INFO_ENDLESS || h->argument > 0;
    return h->major == CBOR_TAG;
}

COLD static int
any_value(struct span text)
{
    struct levels levels = {.len = 0};
    struct span rest = text;
    bool tagged = false;

    do {
        struct head h;
        int got = step(&rest, &h);

        if (got == 0)
            got = met(&rest, &h, &levels, tagged);
        if (got < 0)
            return got;
        tagged = h.major == CBOR_TAG;
        if (!opens(&h))
            count(&levels);
    } while (levels.len > 0 || tagged);
    return text.len - rest.len > INT_MAX ? ERR_BIG : (int)(text.len - rest.len);
}

int
cbor_value(struct span text)
{
    size_t len = short_string(text);

    return len > 0 ? (int)len : any_value(text);
}

/* Steps over tags and the head that follows them. */
COLD static int
skip_tags(struct span *s, struct head *h)
{
    int got;

    while ((got = read_head(*s, h)) == 0) {
        *s = span_skip(*s, h->len);
        if (h->major != CBOR_TAG)
            return 0;
    }
    return got;
}

COLD int
cbor_walk_open(struct cbor_walk *w, struct span text)
{
    struct head h;
    int got = skip_tags(&text, &h);

    if (got < 0)
        return got;
    if (h.major != CBOR_ARRAY && h.major != CBOR_MAP)
        return ERR_BAD;
    if (h.info != INFO_ENDLESS && h.argument > INT_MAX)
        return ERR_BIG;
    *w = (struct cbor_walk){
        .rest = text,
        .map = h.major == CBOR_MAP,
        .endless = h.info == INFO_ENDLESS,
        .left = h.argument,
    };
    return 0;
}

static int
take(struct span *rest, struct span *value)
{
    int len = cbor_value(*rest);

    if (len < 0)
        return len;
    *value = (struct span){rest->p, (size_t)len};
    *rest = span_skip(*rest, (size_t)len);
    return 0;
}

int
cbor_walk_name(struct cbor_walk *w, struct span *name)
{
    *name = (struct span){NULL, 0};
    if (w->endless ? w->rest.len > 0 && (unsigned char)w->rest.p[0] == 0xff : w->left == 0)
        return 0;
    if (w->map) {
        int got = take(&w->rest, name);

        if (got < 0)
            return got;
    }
    if (!w->endless)
        w->left--;
    return 1;
}

int
cbor_walk_value(struct cbor_walk *w, struct span *value)
{
    return take(&w->rest, value);
}

int
cbor_walk_next(struct cbor_walk *w, struct span *name, struct span *value)
{
    struct cbor_walk before = *w;
    int got = cbor_walk_name(w, name);

    if (got == 1) {
        got = cbor_walk_value(w, value);
        if (got == 0)
            return 1;
    }
    if (got < 0)
        *w = before;
    return got;
}

int
cbor_walk_enter(const struct cbor_walk *w, struct cbor_walk *inner)
{
    return cbor_walk_open(inner, w->rest);
}

void
cbor_walk_leave(struct cbor_walk *w, const struct cbor_walk *inner)
{
    w->rest = inner->endless ? span_skip(inner->rest, 1) : inner->rest;
}

/*
 * The next chunk of a string that is known to be well-formed, or all of one of definite length.
 * Returns false after the last one. `rest` is at first the value without its tags.
 */
COLD static bool
next_chunk(struct span *rest, bool *endless, struct span *chunk)
{
    struct span from = *rest;
    struct head h;

    if (rest->len == 0 || step(rest, &h) < 0 || is_break(&h))
        return false;
    if (h.info == INFO_ENDLESS) {
        *endless = true;
        from = *rest;
        if (step(rest, &h) < 0 || is_break(&h))
            return false;
    }
    *chunk = (struct span){from.p + h.len, (size_t)h.argument};
    if (!*endless)
        rest->len = 0;
    return true;
}

/* Whether a value is a string; it loses its tags. */
COLD static bool
is_string(struct span *value)
{
    struct span rest = *value;
    struct head h;

    while (read_head(rest, &h) == 0 && h.major == CBOR_TAG)
        rest = span_skip(rest, h.len);
    *value = rest;
    return rest.len > 0 && (h.major == CBOR_BYTES || h.major == CBOR_TEXT);
}

struct span
cbor_string(struct span value)
{
    size_t len = short_string(value);
    bool endless = false;
    struct span chunk;

    if (len > 0)
        return short_string_text(value, len);
    if (!is_string(&value))
        return (struct span){NULL, 0};
    while (next_chunk(&value, &endless, &chunk))
        if (chunk.len > 0)
            return chunk;
    /* not a null span, since it is a string, though an empty one */
    return SPAN("");
}

COLD bool
cbor_same_any(struct span value, struct span text)
{
    size_t len = short_string(value);
    bool endless = false;
    struct span chunk;

    if (len > 0)
        return span_same(short_string_text(value, len), text);
    if (!is_string(&value))
        return false;
    while (next_chunk(&value, &endless, &chunk)) {
        if (!span_starts(text, chunk))
            return false;
        text = span_skip(text, chunk.len);
    }
    return text.len == 0;
}

COLD int
cbor_number(struct span value, uint64_t *number)
{
    struct head h;

    if (skip_tags(&value, &h) < 0 || h.major != CBOR_UNSIGNED)
        return ERR_BAD;
    *number = h.argument;
    return 0;
}
