#ifndef INFLATE_H
#define INFLATE_H
/*
 * What a consumer does with a compressed record: RFC 1951 and RFC 1952, bit by bit, as plainly as they can be written.
 * Nothing of it is shared with those who compress.
 */
#include "protocol/span.h"

#include <string.h>

struct inflate {
    const uint8_t *in, *end;
    uint32_t bits, n; /* bits that were taken from in and not used yet */
    char *out;
    size_t cap, len;
    bool bad;
};

/* How many codes there are of each length, and the symbols in the order of their codes. */
struct inflate_codes {
    uint16_t count[16], symbols[288];
};

static uint32_t
inflate_bits(struct inflate *s, uint32_t n)
{
    uint32_t got;

    while (s->n < n) {
        if (s->in == s->end) {
            s->bad = true;
            return 0;
        }
        s->bits |= (uint32_t)*s->in++ << s->n;
        s->n += 8;
    }
    got = s->bits & ((1u << n) - 1);
    s->bits >>= n;
    s->n -= n;
    return got;
}

/* Whether the lengths are those of a code, none of whose words is the beginning of another. */
static bool
inflate_make(struct inflate_codes *c, const uint8_t *lengths, uint32_t n)
{
    uint16_t next[16] = {0};
    int32_t left = 1;

    memset(c, 0, sizeof *c);
    for (uint32_t i = 0; i < n; i++)
        c->count[lengths[i]]++;
    c->count[0] = 0;
    for (unsigned len = 1; len < 16; len++) {
        left = 2 * left - c->count[len];
        if (left < 0)
            return false;
        if (len < 15)
            next[len + 1] = (uint16_t)(next[len] + c->count[len]);
    }
    for (uint32_t i = 0; i < n; i++)
        if (lengths[i] > 0)
            c->symbols[next[lengths[i]]++] = (uint16_t)i;
    /* a single code of one bit is allowed */
    return left == 0 || (left == 1 << 14 && c->count[1] == 1);
}

static uint32_t
inflate_symbol(struct inflate *s, const struct inflate_codes *c)
{
    int32_t code = 0, first = 0, index = 0;

    for (unsigned len = 1; len < 16 && !s->bad; len++) {
        code |= (int32_t)inflate_bits(s, 1);
        if (code - first < c->count[len])
            return c->symbols[index + code - first];
        index += c->count[len];
        first = (first + c->count[len]) << 1;
        code <<= 1;
    }
    s->bad = true;
    return 0;
}

static void
inflate_byte(struct inflate *s, char byte)
{
    if (s->len == s->cap)
        s->bad = true;
    else
        s->out[s->len++] = byte;
}

static void
inflate_copy(struct inflate *s, uint32_t symbol, const struct inflate_codes *distances)
{
    static const uint16_t lengths[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                    2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t starts[] = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    uint32_t len, distance;

    if (symbol > 285) {
        s->bad = true;
        return;
    }
    len = lengths[symbol - 257] + inflate_bits(s, extra[symbol - 257]);
    symbol = inflate_symbol(s, distances);
    if (symbol > 29) {
        s->bad = true;
        return;
    }
    distance = starts[symbol] + inflate_bits(s, symbol < 4 ? 0 : symbol / 2 - 1);
    if (distance > s->len)
        s->bad = true;
    for (; len > 0 && !s->bad; len--)
        inflate_byte(s, s->out[s->len - distance]);
}

static void
inflate_block(struct inflate *s, const struct inflate_codes *literals,
              const struct inflate_codes *distances)
{
    while (!s->bad) {
        uint32_t symbol = inflate_symbol(s, literals);

        if (symbol == 256)
            return;
        if (symbol < 256)
            inflate_byte(s, (char)symbol);
        else
            inflate_copy(s, symbol, distances);
    }
}

static void
inflate_stored(struct inflate *s)
{
    uint32_t len, not ;

    s->bits = s->n = 0;
    len = inflate_bits(s, 16);
    not = inflate_bits(s, 16);
    if (len != (not ^0xffff))
        s->bad = true;
    for (; len > 0 && !s->bad; len--)
        inflate_byte(s, (char)inflate_bits(s, 8));
}

static void
inflate_fixed(struct inflate *s)
{
    static struct inflate_codes literals, distances;
    uint8_t lengths[288];

    if (literals.count[7] > 0) {
        inflate_block(s, &literals, &distances);
        return;
    }
    for (unsigned i = 0; i < 288; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    (void)inflate_make(&literals, lengths, 288);
    memset(lengths, 5, 32);
    (void)inflate_make(&distances, lengths, 32);
    inflate_block(s, &literals, &distances);
}

static void
inflate_dynamic(struct inflate *s)
{
    static const uint8_t order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
    struct inflate_codes codes, distances;
    uint8_t lengths[320] = {0};
    uint32_t n = inflate_bits(s, 5) + 257, m = inflate_bits(s, 5) + 1, k = inflate_bits(s, 4) + 4;

    for (uint32_t i = 0; i < k; i++)
        lengths[order[i]] = (uint8_t)inflate_bits(s, 3);
    s->bad = s->bad || n > 286 || m > 30 || !inflate_make(&codes, lengths, 19);
    for (uint32_t i = 0; i < n + m && !s->bad;) {
        uint32_t symbol = inflate_symbol(s, &codes), times = 1;
        uint8_t len = symbol < 16 ? (uint8_t)symbol : 0;

        if (symbol == 16) {
            s->bad = s->bad || i == 0;
            len = i > 0 ? lengths[i - 1] : 0;
            times = 3 + inflate_bits(s, 2);
        } else if (symbol > 16) {
            times = symbol == 17 ? 3 + inflate_bits(s, 3) : 11 + inflate_bits(s, 7);
        }
        s->bad = s->bad || i + times > n + m;
        for (; times > 0 && !s->bad; times--)
            lengths[i++] = len;
    }
    if (s->bad || lengths[256] == 0)
        s->bad = true;
    else if (!inflate_make(&codes, lengths, n) || !inflate_make(&distances, lengths + n, m))
        /* without any match there need not be a code of distances */
        s->bad = distances.count[1] + distances.symbols[0] > 0;
    inflate_block(s, &codes, &distances);
}

/* Four bits a step. */
static uint32_t
inflate_crc(const char *p, size_t len)
{
    uint32_t table[16], crc = UINT32_MAX;

    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (0xedb88320 & (0u - (table[i] & 1)));
    }
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* What a gzip member holds, which is all of the data. Returns its length, or -1: it is none. */
static long
inflate_member(struct span data, char *out, size_t cap)
{
    static const char head[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00";
    const uint8_t *in = (const uint8_t *)data.p;
    struct inflate s = {.in = in + 10, .end = in + data.len - 8, .out = out, .cap = cap};
    bool last = false;
    uint32_t crc;

    if (data.len < 18 || memcmp(data.p, head, 8) != 0)
        return -1;
    while (!last && !s.bad) {
        last = inflate_bits(&s, 1) != 0;
        switch (inflate_bits(&s, 2)) {
        case 0:
            inflate_stored(&s);
            break;
        case 1:
            inflate_fixed(&s);
            break;
        case 2:
            inflate_dynamic(&s);
            break;
        default:
            s.bad = true;
        }
    }
    if (s.bad || s.in != s.end)
        return -1;
    crc = inflate_crc(out, s.len);
    for (unsigned i = 0; i < 4; i++)
        if (s.end[i] != (uint8_t)(crc >> 8 * i) || s.end[4 + i] != (uint8_t)(s.len >> 8 * i))
            return -1;
    return (long)s.len;
}

#endif
