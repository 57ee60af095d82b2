#include "protocol/out.h"

#include <string.h>

#include "protocol/copy.h"

/* see out.h */

struct out
out_to(char *buffer, size_t cap)
{
    return (struct out){.p = buffer, .cap = cap};
}

void
out_put(struct out *o, struct span bytes)
{
    if (o->full || bytes.len > o->cap - o->len) {
        o->full = true;
        return;
    }
    if (bytes.len > 0)
        (void)copy(o->p + o->len, bytes);
    o->len += bytes.len;
}

size_t
out_keep(char *buffer, size_t cap, size_t len, struct span bytes)
{
    size_t n = bytes.len < cap - len ? bytes.len : cap - len;

    if (n > 0)
        memcpy(buffer + len, bytes.p, n);
    return len + n;
}

void
out_byte(struct out *o, char byte)
{
    out_put(o, (struct span){&byte, 1});
}

void
out_padded(struct out *o, uint64_t number, unsigned width)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (at > 0 && sizeof digits - at < width)
        digits[--at] = '0';
    out_put(o, (struct span){digits + at, sizeof digits - at});
}

void
out_number(struct out *o, uint64_t number)
{
    out_padded(o, number, 1);
}

static const char hex_digits[] = "0123456789abcdef";

void
out_hex(struct out *o, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char pair[2] = {hex_digits[bytes[i] >> 4], hex_digits[bytes[i] & 15]};

        out_put(o, (struct span){pair, 2});
    }
}

static void
json_escape(struct out *o, unsigned char c)
{
    char code[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
    char brief = 0;

    switch (c) {
    case '"':
    case '\\':
        brief = (char)c;
        break;
    case '\b':
        brief = 'b';
        break;
    case '\f':
        brief = 'f';
        break;
    case '\n':
        brief = 'n';
        break;
    case '\r':
        brief = 'r';
        break;
    case '\t':
        brief = 't';
        break;
    default:
        break;
    }
    if (brief != 0)
        code[1] = brief;
    out_put(o, (struct span){code, brief == 0 ? sizeof code : 2});
}

void
out_json(struct out *o, struct span bytes)
{
    size_t start = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.p[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        out_put(o, (struct span){bytes.p + start, i - start});
        json_escape(o, c);
        start = i + 1;
    }
    if (start < bytes.len)
        out_put(o, (struct span){bytes.p + start, bytes.len - start});
}

struct span
out_span(const struct out *o)
{
    return (struct span){o->p, o->len};
}

int
out_end(const struct out *o)
{
    return o->full ? ERR_FULL : 0;
}
