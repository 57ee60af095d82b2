#include "protocol/oversize_split.h"

#include "protocol/check.h"
#include "protocol/utf8.h"

/* see oversize_split.h */

enum { WIDEST_NUMBER = 10, WIDEST_ESCAPE = 6 };

static const char split_id[] = "{\"split\":{\"id\":\"";
static const char split_part[] = "\",\"part\":";
static const char split_parts[] = ",\"parts\":";
static const char split_text[] = "},\"text\":\"";
static const char split_end[] = "\"}";

#define SPLIT_FRAME                                                                                \
    (sizeof split_id + sizeof split_part + sizeof split_parts + sizeof split_text +                \
     sizeof split_end - 5)

static size_t
number_len(uint32_t n)
{
    size_t len = 1;

    while (n >= 10) {
        n /= 10;
        len++;
    }
    return len;
}

/* The length of one byte in a JSON string. */
static size_t
escaped_len(const char *byte)
{
    unsigned char c = (unsigned char)*byte;
    char code[WIDEST_ESCAPE];
    struct out o = out_to(code, sizeof code);

    if (c > '\\' || (c > '"' && c < '\\'))
        return 1; /* nearly all bytes are, and a record has a million of them */
    out_json(&o, (struct span){byte, 1});
    return o.len;
}

/* The text of the next part, and its length as JSON. */
static struct span
next_text(struct span rest, size_t room, size_t *json_len)
{
    size_t at = 0;

    *json_len = 0;
    while (at < rest.len) {
        size_t len = utf8_char(span_skip(rest, at));
        size_t adds = len > 1 ? len : escaped_len(rest.p + at);

        if (adds > room - *json_len)
            break;
        *json_len += adds;
        at += len > 1 ? len : 1;
    }
    return (struct span){rest.p, at};
}

int
oversize_split(struct oversize_split *s, struct span record, struct span id, size_t max)
{
    size_t frame = SPLIT_FRAME + id.len;
    struct span rest = record;

    if (max < frame + WIDEST_NUMBER + WIDEST_NUMBER + WIDEST_ESCAPE || record.len > UINT32_MAX)
        return ERR_BIG;
    *s = (struct oversize_split){.rest = record, .id = id};
    s->room = max - frame - WIDEST_NUMBER - WIDEST_NUMBER;
    do {
        size_t text;

        rest = span_skip(rest, next_text(rest, s->room, &text).len);
        s->parts++;
        s->bytes += frame + number_len(s->parts) + text;
    } while (rest.len > 0);
    s->bytes += (size_t)s->parts * number_len(s->parts);
    s->part = 1;
    return 0;
}

size_t
oversize_split_size(const struct oversize_split *s)
{
    size_t text;

    if (s->part > s->parts)
        return 0;
    (void)next_text(s->rest, s->room, &text);
    return SPLIT_FRAME + s->id.len + number_len(s->part) + number_len(s->parts) + text;
}

int
oversize_split_next(struct oversize_split *s, struct out *o)
{
    struct span text;
    size_t len;

    if (s->part > s->parts)
        return 0;
    text = next_text(s->rest, s->room, &len);
    out_put(o, span_of(split_id));
    out_put(o, s->id);
    out_put(o, span_of(split_part));
    out_number(o, s->part);
    out_put(o, span_of(split_parts));
    out_number(o, s->parts);
    out_put(o, span_of(split_text));
    out_json(o, text);
    out_put(o, span_of(split_end));
    if (out_end(o) != 0)
        return ERR_FULL;
    s->rest = span_skip(s->rest, text.len);
    s->part++;
    CHECK((s->part > s->parts) == (s->rest.len == 0));
    return 1;
}
