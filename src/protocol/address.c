#include "protocol/address.h"

#include <string.h>

#include "protocol/format.h"

/* see address.h */

/* Four numbers without leading zeros, as inet_pton takes them. */
static int
read_v4(struct span text, uint8_t *bytes)
{
    for (int i = 0; i < ADDRESS_V4_BYTES; i++) {
        struct span part;
        uint64_t number;

        if (text.len == 0)
            return ERR_BAD;
        part = span_cut(text, '.', &text);
        if (span_number(part, UINT8_MAX, &number) != 0 || (part.len > 1 && *part.p == '0'))
            return ERR_BAD;
        bytes[i] = (uint8_t)number;
    }
    return text.p == NULL ? 0 : ERR_BAD;
}

/* At most four digits; returns how many there are. */
static size_t
read_group(struct span text, uint8_t *bytes)
{
    unsigned group = 0;
    size_t n = 0;

    for (; n < text.len && n < 4 && span_hex(text.p[n]) >= 0; n++)
        group = group << 4 | (unsigned)span_hex(text.p[n]);
    bytes[0] = (uint8_t)(group >> 8);
    bytes[1] = (uint8_t)group;
    return n;
}

/* Expands "::": moves the bytes from `at` on to the end and fills the gap with zeros. */
static void
widen(uint8_t *bytes, size_t at, size_t len)
{
    memmove(bytes + ADDRESS_V6_BYTES - (len - at), bytes + at, len - at);
    memset(bytes + at, 0, ADDRESS_V6_BYTES - len);
}

/* Source: RFC 4291, section 2.2. */
static int
read_v6(struct span text, uint8_t *bytes)
{
    const struct span gap = SPAN("::");
    size_t gap_at = SIZE_MAX;
    size_t len = 0;

    for (;;) {
        size_t digits;

        if (span_starts(text, gap)) {
            if (gap_at != SIZE_MAX)
                return ERR_BAD;
            gap_at = len;
            text = span_skip(text, gap.len);
            if (text.len == 0)
                break;
        } else if (len > 0) {
            if (*text.p != ':')
                return ERR_BAD;
            text = span_skip(text, 1);
        }
        if (len == ADDRESS_V6_BYTES)
            return ERR_BAD;
        digits = read_group(text, bytes + len);
        if (digits == 0)
            return ERR_BAD;
        if (digits < text.len && text.p[digits] == '.') {
            if (len + ADDRESS_V4_BYTES > ADDRESS_V6_BYTES || read_v4(text, bytes + len) != 0)
                return ERR_BAD;
            len += ADDRESS_V4_BYTES;
            break;
        }
        len += 2;
        text = span_skip(text, digits);
        if (text.len == 0)
            break;
    }
    if (gap_at == SIZE_MAX)
        return len == ADDRESS_V6_BYTES ? 0 : ERR_BAD;
    if (len == ADDRESS_V6_BYTES)
        return ERR_BAD;
    widen(bytes, gap_at, len);
    return 0;
}

int
address_read(struct span text, struct address *a)
{
    if (read_v4(text, a->bytes) == 0)
        a->len = ADDRESS_V4_BYTES;
    else if (text.len > 0 && read_v6(text, a->bytes) == 0)
        a->len = ADDRESS_V6_BYTES;
    else
        return ERR_BAD;
    return 0;
}

COLD void
address_write(struct out *o, const struct address *a)
{
    if (a->len == ADDRESS_V4_BYTES) {
        (void)format_text(o, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
        return;
    }
    for (size_t i = 0; i < ADDRESS_V6_BYTES; i += 2) {
        out_byte(o, i == 0 ? '[' : ':');
        out_hex(o, a->bytes + i, 2);
    }
    out_byte(o, ']');
}

void
addresses_add(struct addresses *list, const struct address *a)
{
    if (a->len == ADDRESS_V4_BYTES && list->v4_len < ADDRESSES_MAX)
        memcpy(list->v4[list->v4_len++], a->bytes, ADDRESS_V4_BYTES);
    else if (a->len == ADDRESS_V6_BYTES && list->v6_len < ADDRESSES_MAX)
        memcpy(list->v6[list->v6_len++], a->bytes, ADDRESS_V6_BYTES);
}
