#include "protocol/segment.h"

#include "protocol/out.h"

#include <string.h>

/* see segment.h */

static bool
is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* One byte as a JSON string has it: at most six. */
static struct out
escaped(const char *byte, char code[6])
{
    struct out o = out_to(code, 6);

    out_json(&o, (struct span){byte, 1});
    return o;
}

static size_t
escaped_len(struct span s)
{
    size_t len = s.len;
    char code[6];

    for (size_t i = 0; i < s.len; i++)
        if (!is_plain(s.p[i]))
            len += escaped(s.p + i, code).len - 1;
    return len;
}

size_t
segment_len(const struct segment *segment)
{
    if (segment->form == SEGMENT_BASE64)
        return (segment->bytes.len + 2) / 3 * 4;
    return segment->form == SEGMENT_ESCAPED ? escaped_len(segment->bytes) : segment->bytes.len;
}

bool
segment_ended(const struct segment *segment, const struct segment_cursor *cursor)
{
    return cursor->at >= segment->bytes.len;
}

/* Copies the rest of a code, as far as there is room. Returns how many bytes. */
static size_t
code_read(const char *code, size_t len, size_t bytes, struct segment_cursor *cursor, char *to,
          size_t cap)
{
    size_t n = len - cursor->within < cap ? len - cursor->within : cap;

    memcpy(to, code + cursor->within, n);
    cursor->within += n;
    if (cursor->within == len) {
        cursor->within = 0;
        cursor->at += bytes;
    }
    return n;
}

static size_t
plain_read(struct span s, struct segment_cursor *cursor, char *to, size_t cap)
{
    size_t n = s.len - cursor->at < cap ? s.len - cursor->at : cap;

    if (n > 0)
        memcpy(to, s.p + cursor->at, n);
    cursor->at += n;
    return n;
}

static size_t
escaped_read(struct span s, struct segment_cursor *cursor, char *to, size_t cap)
{
    size_t len = 0;

    while (len < cap && cursor->at < s.len) {
        size_t end = cursor->at;

        while (end < s.len && is_plain(s.p[end]) && end - cursor->at < cap - len)
            end++;
        if (end > cursor->at) {
            len += plain_read((struct span){s.p, end}, cursor, to + len, cap - len);
        } else {
            char code[6];
            struct out o = escaped(s.p + end, code);

            len += code_read(code, o.len, 1, cursor, to + len, cap - len);
        }
    }
    return len;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Whole groups: n times three bytes to four characters. */
static void
base64_bulk(const unsigned char *from, size_t n, char *to)
{
    for (; n > 0; n--, from += 3, to += 4) {
        unsigned group = (unsigned)from[0] << 16 | (unsigned)from[1] << 8 | from[2];

        to[0] = alphabet[group >> 18];
        to[1] = alphabet[group >> 12 & 63];
        to[2] = alphabet[group >> 6 & 63];
        to[3] = alphabet[group & 63];
    }
}

/* The group that begins with these bytes, the last one padded. */
static void
base64_group(struct span left, char group[4])
{
    unsigned char bytes[3] = {0};

    memcpy(bytes, left.p, left.len < 3 ? left.len : 3);
    base64_bulk(bytes, 1, group);
    for (size_t i = left.len + 1; i < 4; i++)
        group[i] = '=';
}

static size_t
base64_read(struct span data, struct segment_cursor *cursor, char *to, size_t cap)
{
    size_t len = 0;

    while (len < cap && cursor->at < data.len) {
        struct span left = span_skip(data, cursor->at);
        size_t bulk = (cap - len) / 4 < left.len / 3 ? (cap - len) / 4 : left.len / 3;

        if (cursor->within == 0 && bulk > 0) {
            base64_bulk((const unsigned char *)left.p, bulk, to + len);
            cursor->at += bulk * 3;
            len += bulk * 4;
        } else {
            char group[4];

            base64_group(left, group);
            len += code_read(group, 4, 3, cursor, to + len, cap - len);
        }
    }
    return len;
}

size_t
segment_read(const struct segment *segment, struct segment_cursor *cursor, char *buffer, size_t cap)
{
    if (segment->form == SEGMENT_BASE64)
        return base64_read(segment->bytes, cursor, buffer, cap);
    if (segment->form == SEGMENT_ESCAPED)
        return escaped_read(segment->bytes, cursor, buffer, cap);
    return plain_read(segment->bytes, cursor, buffer, cap);
}
