#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "protocol/event.h"
#include "world.h"

/*
 * Records that were split: {"split":{"id":"SANDBOX-42","part":1,"parts":3},"text":"..."}. The texts of all
 * parts, one after the other, are a record. A part that was split again has an id of its own, SANDBOX-SEQ.PART, and is
 * put together first. Whether that is an event is seen at the end of the life.
 */

/* A stream that takes 4,000 bytes makes some 300 parts of a line of 1 MB, and a life may have dozens of those. */
enum { PARTS = 16384, ID_MAX = 120 };

static struct part {
    char id[ID_MAX];
    size_t id_len;
    uint32_t part, parts;
    char *text;
    size_t text_len;
    uint32_t in_stream, in_dead_letter;
    bool used;
} parts[PARTS];
static uint32_t parts_used;

void
books_begin_parts(void)
{
    for (uint32_t i = 0; i < parts_used; i++)
        free(parts[i].text);
    parts_used = 0;
}

static bool
take(struct span *s, struct span text)
{
    if (s->len < text.len || memcmp(s->p, text.p, text.len) != 0)
        return false;
    *s = span_skip(*s, text.len);
    return true;
}

static bool
take_number(struct span *s, uint32_t *number)
{
    size_t len = 0;

    *number = 0;
    while (len < s->len && len < 9 && s->p[len] >= '0' && s->p[len] <= '9')
        *number = *number * 10 + (uint32_t)(s->p[len++] - '0');
    *s = span_skip(*s, len);
    return len > 0;
}

static unsigned
hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

static size_t
put_utf8(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The four digits at p. */
static uint32_t
unit(const char *p)
{
    return hex(p[0]) << 12 | hex(p[1]) << 8 | hex(p[2]) << 4 | hex(p[3]);
}

/* \uXXXX, of which the u has been read, or two of them that belong together. */
static size_t
unescape_unit(struct span *s, char *to)
{
    uint32_t c = unit(s->p);
    uint32_t low;

    *s = span_skip(*s, 4);
    if (c >= 0xd800 && c < 0xdc00 && s->len >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
        low = unit(s->p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *s = span_skip(*s, 6);
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return put_utf8(c, to);
}

bool
books_unescape(struct span *s, char *to, size_t *len)
{
    static const char named[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    *len = 0;
    while (s->len > 0 && *s->p != '"') {
        const char *n = named;
        char c = *s->p;

        *s = span_skip(*s, 1);
        if (c != '\\') {
            to[(*len)++] = c;
            continue;
        }
        if (s->len == 0)
            return false;
        c = *s->p;
        *s = span_skip(*s, 1);
        if (c == 'u' && s->len >= 4) {
            *len += unescape_unit(s, to + *len);
            continue;
        }
        while (*n != '\0' && *n != c)
            n += 2;
        if (*n == '\0')
            return false;
        to[(*len)++] = n[1];
    }
    return s->len > 0;
}

static bool
read_part(struct span data, struct part *p)
{
    const char *quote;

    if (!take(&data, SPAN("{\"split\":{\"id\":\"")))
        return false;
    quote = memchr(data.p, '"', data.len);
    if (quote == NULL || (size_t)(quote - data.p) > sizeof p->id)
        return false;
    p->id_len = (size_t)(quote - data.p);
    memcpy(p->id, data.p, p->id_len);
    data = span_skip(data, p->id_len);
    if (!take(&data, SPAN("\",\"part\":")) || !take_number(&data, &p->part) ||
        !take(&data, SPAN(",\"parts\":")) || !take_number(&data, &p->parts) ||
        !take(&data, SPAN("},\"text\":\"")))
        return false;
    p->text = malloc(data.len + 1);
    if (p->text == NULL || !books_unescape(&data, p->text, &p->text_len) ||
        !span_same(data, SPAN("\"}"))) {
        free(p->text);
        return false;
    }
    return p->part >= 1 && p->part <= p->parts;
}

void
books_part(enum books_where where, struct span data)
{
    struct part p = {.used = false};
    struct part *same = NULL;

    if (world.plan.oversize != 1)
        world_break("split: a part of a record, although none is to be split");
    if (parts_used == PARTS)
        world_break("split: more than %u parts", PARTS);
    if (!read_part(data, &p))
        world_break("split: not a part: %.*s", (int)(data.len < 200 ? data.len : 200), data.p);
    for (uint32_t i = 0; i < parts_used && same == NULL; i++)
        if (parts[i].part == p.part && parts[i].id_len == p.id_len &&
            memcmp(parts[i].id, p.id, p.id_len) == 0)
            same = &parts[i];
    if (same == NULL) {
        same = &parts[parts_used++];
        *same = p;
    } else {
        if (same->parts != p.parts || same->text_len != p.text_len ||
            memcmp(same->text, p.text, p.text_len) != 0)
            world_break("split: part %u of %.*s came with two contents", p.part, (int)p.id_len,
                        p.id);
        free(p.text);
    }
    if (where == BOOKS_STREAM)
        same->in_stream++;
    else
        same->in_dead_letter++;
}

/* --- at the end --------------------------------------------------------------------------------------- */

static struct part *
part_of(const struct part *p, uint32_t part)
{
    for (uint32_t i = 0; i < parts_used; i++)
        if (!parts[i].used && parts[i].part == part && parts[i].id_len == p->id_len &&
            memcmp(parts[i].id, p->id, p->id_len) == 0)
            return &parts[i];
    return NULL;
}

/* Whether any is in the stream, any in the dead letter: the last that was taken says what the ledger calls the event. */
struct joined {
    bool all, in_stream, in_dead_letter;
};

static struct joined
join(struct part *first, char **text, size_t *len)
{
    struct joined is = {.all = true};

    *text = NULL;
    *len = 0;
    for (uint32_t n = 1; n <= first->parts; n++) {
        struct part *p = part_of(first, n);

        if (p == NULL) {
            is.all = false;
            continue;
        }
        *text = realloc(*text, *len + p->text_len + 1);
        if (*text == NULL)
            abort();
        memcpy(*text + *len, p->text, p->text_len);
        *len += p->text_len;
        is.in_stream = is.in_stream || p->in_stream > 0;
        is.in_dead_letter = is.in_dead_letter || p->in_dead_letter > 0;
        if (p != first)
            p->used = true;
    }
    first->used = true;
    return is;
}

/* The deepest ids first: what they make up is a part in turn. */
static struct part *
next_first(void)
{
    struct part *best = NULL;

    for (uint32_t i = 0; i < parts_used; i++)
        if (!parts[i].used && (best == NULL || parts[i].id_len > best->id_len))
            best = &parts[i];
    return best;
}

void
books_check_parts(void)
{
    struct part *first;

    while ((first = next_first()) != NULL) {
        char *text;
        size_t len;
        struct joined is = join(first, &text, &len);

        if (is.all && is.in_stream)
            books_arrived(BOOKS_STREAM, (struct span){text, len}, SPAN("key"));
        if (is.all && is.in_dead_letter)
            books_arrived(BOOKS_DEAD_LETTER, (struct span){text, len}, SPAN("key"));
        free(text);
    }
}
