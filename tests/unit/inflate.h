#ifndef INFLATE_H
#define INFLATE_H
/*
 * A reader of deflate and of gzip members, for tests and simulators: what a consumer does with a compressed record. It
 * shares nothing with those who compress. Source: RFC 1951 and RFC 1952.
 *
 * It is strict: codes have to be complete, except a distance code of one bit; copies have to lie within the stream. And
 * it is quick, since lives are counted by the second: codes of up to INFLATE_TABLE_BITS bits are looked up in a table.
 */
#include "protocol/span.h"

#include <string.h>

enum { INFLATE_TABLE_BITS = 8, INFLATE_HEAD = 10, INFLATE_TAIL = 8 };

struct inflate {
    struct span in;
    size_t at;         /* bytes of it that were taken */
    uint64_t bits;     /* of these, what is not used yet, the lowest first */
    unsigned bits_len; /* what is above them is no more than a look ahead */
    char *out;
    size_t cap, len;       /* what is behind len may be written over */
    unsigned blocks[3];    /* stored, with fixed codes, with their own */
    unsigned max_distance; /* of all copies */
};

/* How many codes of each length, and their symbols in order. */
struct inflate_code {
    unsigned counts[16], len;
    uint16_t symbols[320];
    uint16_t table
        [1
         << INFLATE_TABLE_BITS]; /* by the next bits: length, and symbol << 4; 0: a longer one, or none */
};

/* What a symbol stands for: from base on, as many as there are of extra bits. */
struct inflate_range {
    unsigned base, extra;
};

/* Bits that were used already. */
static inline size_t
inflate_used(const struct inflate *i)
{
    return 8 * i->at - i->bits_len;
}

/* 56 bits at least, if there are so many. */
static inline void
inflate_refill(struct inflate *i)
{
    uint64_t v;
    unsigned n = (63 - i->bits_len) / 8;

    if (i->in.len - i->at >= sizeof v) {
        memcpy(&v, i->in.p + i->at, sizeof v);
        i->bits |= v << i->bits_len;
        i->at += n;
        i->bits_len += 8 * n;
        return;
    }
    for (; n > 0 && i->at < i->in.len; n--, i->bits_len += 8)
        i->bits |= (uint64_t)(uint8_t)i->in.p[i->at++] << i->bits_len;
}

static inline int
inflate_bits(struct inflate *i, unsigned n)
{
    int bits;

    if (i->bits_len < n)
        inflate_refill(i);
    if (i->bits_len < n)
        return ERR_MORE;
    bits = (int)(i->bits & ((1u << n) - 1));
    i->bits >>= n;
    i->bits_len -= n;
    return bits;
}

/* What is left of the byte that was begun is passed over, and the look ahead is given back. */
static inline void
inflate_to_byte(struct inflate *i)
{
    i->at -= i->bits_len / 8;
    i->bits = 0;
    i->bits_len = 0;
}

/* Codes count up, and their bits come highest first: so they do from the highest bit down in what is looked up. */
static inline void
inflate_table(struct inflate_code *c)
{
    unsigned code = 0, index = 0;

    memset(c->table, 0, sizeof c->table);
    for (unsigned length = 1; length <= INFLATE_TABLE_BITS; length++)
        for (unsigned left = c->counts[length]; left > 0; left--) {
            unsigned bit = 1u << (length - 1);

            for (unsigned k = code; k < 1u << INFLATE_TABLE_BITS; k += 1u << length)
                c->table[k] = (uint16_t)((unsigned)c->symbols[index] << 4 | length);
            index++;
            for (; (code & bit) != 0; bit >>= 1)
                code ^= bit;
            code |= bit;
        }
}

/* Returns ERR_BAD unless it is complete. */
static inline int
inflate_code(struct inflate_code *c, const uint8_t *lengths, unsigned n)
{
    unsigned next[16], left = 1;

    memset(c->counts, 0, sizeof c->counts);
    for (unsigned s = 0; s < n; s++)
        c->counts[lengths[s]]++;
    c->len = 0;
    for (unsigned length = 1; length < 16; length++) {
        next[length] = c->len;
        c->len += c->counts[length];
        left *= 2;
        if (c->counts[length] > left)
            return ERR_BAD;
        left -= c->counts[length];
    }
    for (unsigned s = 0; s < n; s++)
        if (lengths[s] > 0)
            c->symbols[next[lengths[s]]++] = (uint16_t)s;
    inflate_table(c);
    return left == 0 ? 0 : ERR_BAD;
}

/* The same for distances, of which there may be one alone. */
static inline int
inflate_distance_code(struct inflate_code *c, const uint8_t *lengths, unsigned n)
{
    return inflate_code(c, lengths, n) == 0 || (c->len == 1 && c->counts[1] == 1) ? 0 : ERR_BAD;
}

/* Bit by bit. */
static inline int
inflate_long_symbol(struct inflate *i, const struct inflate_code *c)
{
    unsigned code = 0, first = 0, index = 0;

    for (unsigned length = 1; length < 16; length++) {
        int bit = inflate_bits(i, 1);

        if (bit < 0)
            return bit;
        code |= (unsigned)bit;
        if (code - first < c->counts[length])
            return c->symbols[index + code - first];
        index += c->counts[length];
        first = (first + c->counts[length]) << 1;
        code <<= 1;
    }
    return ERR_BAD;
}

static inline int
inflate_symbol(struct inflate *i, const struct inflate_code *c)
{
    unsigned found, length;

    if (i->bits_len < INFLATE_TABLE_BITS)
        inflate_refill(i);
    found = c->table[i->bits & ((1u << INFLATE_TABLE_BITS) - 1)];
    length = found & 15;
    if (length == 0)
        return inflate_long_symbol(i, c);
    if (length > i->bits_len)
        return ERR_MORE;
    i->bits >>= length;
    i->bits_len -= length;
    return (int)(found >> 4);
}

/* Bytes that were copied may be copied again, so what there is to copy from doubles. */
static inline void
inflate_repeat(char *to, size_t len, size_t distance)
{
    while (len > 0) {
        size_t n = len < distance ? len : distance;

        memcpy(to, to - distance, n);
        to += n;
        len -= n;
        distance += n;
    }
}

static inline int
inflate_copy(struct inflate *i, unsigned len, unsigned distance)
{
    char *to = i->out + i->len;

    if (distance > i->len || len > i->cap - i->len)
        return ERR_BAD;
    i->max_distance = distance > i->max_distance ? distance : i->max_distance;
    if (distance == 1)
        memset(to, to[-1], len);
    else if (distance < 8 || i->cap - i->len < len + 8)
        inflate_repeat(to, len, distance);
    else
        for (unsigned k = 0; k < len; k += 8)
            memcpy(to + k, to + k - distance, 8);
    i->len += len;
    return 0;
}

/* The base of a symbol's range and the bits behind it, by counting up as the RFC's tables do. */
static inline unsigned
inflate_base(unsigned symbol, unsigned first, unsigned plain, unsigned each, unsigned *extra)
{
    unsigned base = first;

    *extra = 0;
    for (unsigned s = 0; s < symbol; s++) {
        base += 1u << *extra;
        *extra = s + 1 < plain ? 0 : (s + 1 - plain) / each + 1;
    }
    return base;
}

/* Of all symbols; those of distances begin at 32. */
static inline const struct inflate_range *
inflate_ranges(void)
{
    static struct inflate_range ranges[32 + 30];

    if (ranges[0].base > 0)
        return ranges;
    for (unsigned s = 0; s < 28; s++)
        ranges[s].base = inflate_base(s, 3, 8, 4, &ranges[s].extra);
    ranges[28].base = 258;
    for (unsigned s = 0; s < 30; s++)
        ranges[32 + s].base = inflate_base(s, 1, 4, 2, &ranges[32 + s].extra);
    return ranges;
}

/* Returns the length or distance, which is above zero, or less than zero. */
static inline int
inflate_ranged(struct inflate *i, struct inflate_range range)
{
    int more = inflate_bits(i, range.extra);

    return more < 0 ? more : (int)range.base + more;
}

static inline int
inflate_match(struct inflate *i, int symbol, const struct inflate_code *distances)
{
    const struct inflate_range *ranges = inflate_ranges();
    int len, distance;

    if (symbol > 285)
        return ERR_BAD;
    len = inflate_ranged(i, ranges[symbol - 257]);
    symbol = inflate_symbol(i, distances);
    if (len < 0 || symbol < 0 || symbol > 29)
        return ERR_BAD;
    distance = inflate_ranged(i, ranges[32 + symbol]);
    return distance < 0 ? ERR_BAD : inflate_copy(i, (unsigned)len, (unsigned)distance);
}

static inline int
inflate_coded(struct inflate *i, const struct inflate_code *literals,
              const struct inflate_code *distances)
{
    for (;;) {
        int symbol = inflate_symbol(i, literals);

        if (symbol < 0 || symbol == 256)
            return symbol < 0 ? ERR_BAD : 0;
        if (symbol > 256) {
            if (inflate_match(i, symbol, distances) != 0)
                return ERR_BAD;
            continue;
        }
        if (i->len == i->cap)
            return ERR_BAD;
        i->out[i->len++] = (char)symbol;
    }
}

static inline int
inflate_stored(struct inflate *i)
{
    int len, not_len;

    inflate_to_byte(i);
    len = inflate_bits(i, 16);
    not_len = inflate_bits(i, 16);
    inflate_to_byte(i);
    if (len < 0 || not_len < 0 || (len ^ not_len) != 0xffff || (size_t)len > i->cap - i->len ||
        (size_t)len > i->in.len - i->at)
        return ERR_BAD;
    memcpy(i->out + i->len, i->in.p + i->at, (size_t)len);
    i->len += (size_t)len;
    i->at += (size_t)len;
    return 0;
}

static inline int
inflate_fixed(struct inflate *i)
{
    static struct inflate_code literals, distances;
    uint8_t lengths[288];

    if (literals.len == 0) {
        for (unsigned s = 0; s < 288; s++)
            lengths[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
        (void)inflate_code(&literals, lengths, 288);
        memset(lengths, 5, 32);
        (void)inflate_code(&distances, lengths, 32);
    }
    return inflate_coded(i, &literals, &distances);
}

/* Lengths of codes, told by tokens. */
static inline int
inflate_lengths(struct inflate *i, const struct inflate_code *tokens, uint8_t *lengths, unsigned n)
{
    for (unsigned at = 0; at < n;) {
        int token = inflate_symbol(i, tokens);
        int more = inflate_bits(i, token == 16 ? 2 : token == 17 ? 3 : token == 18 ? 7 : 0);
        unsigned run = token < 16 ? 1 : (unsigned)more + (token == 18 ? 11 : 3);

        if (token < 0 || more < 0 || run > n - at || (token == 16 && at == 0))
            return ERR_BAD;
        memset(lengths + at, token < 16 ? token : token == 16 ? lengths[at - 1] : 0, run);
        at += run;
    }
    return 0;
}

static inline int
inflate_dynamic(struct inflate *i)
{
    static const uint8_t order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
    struct inflate_code tokens, literals, distances;
    uint8_t lengths[320] = {0};
    unsigned literals_len = 257 + (unsigned)inflate_bits(i, 5);
    unsigned distances_len = 1 + (unsigned)inflate_bits(i, 5);
    int n = inflate_bits(i, 4);

    if (n < 0 || literals_len > 286 || distances_len > 30)
        return ERR_BAD;
    for (int k = 0; k < n + 4; k++) {
        int length = inflate_bits(i, 3);

        if (length < 0)
            return ERR_BAD;
        lengths[order[k]] = (uint8_t)length;
    }
    if (inflate_code(&tokens, lengths, 19) != 0 ||
        inflate_lengths(i, &tokens, lengths, literals_len + distances_len) != 0 ||
        lengths[256] == 0 || inflate_code(&literals, lengths, literals_len) != 0 ||
        inflate_distance_code(&distances, lengths + literals_len, distances_len) != 0)
        return ERR_BAD;
    return inflate_coded(i, &literals, &distances);
}

/* Returns how many bytes the stream has, which i->out then has the contents of, or less than zero. */
static inline long
inflate(struct inflate *i)
{
    static int (*const kinds[])(struct inflate *) = {inflate_stored, inflate_fixed,
                                                     inflate_dynamic};

    for (int last = 0; last == 0;) {
        int kind;

        last = inflate_bits(i, 1);
        kind = inflate_bits(i, 2);
        if (last < 0 || kind < 0 || kind > 2)
            return ERR_BAD;
        i->blocks[kind]++;
        if (kinds[kind](i) != 0)
            return ERR_BAD;
    }
    return (long)((inflate_used(i) + 7) / 8);
}

static inline uint32_t
inflate_number(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Of each byte with so many zeros behind it. */
static inline void
inflate_crc_tables(uint32_t tables[8][256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (unsigned zeros = 0; zeros < 8; zeros++) {
            for (unsigned bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (0xedb88320 & (0u - (crc & 1)));
            tables[zeros][byte] = crc;
        }
    }
}

/* Eight bytes a step. */
static inline uint32_t
inflate_crc(const char *p, size_t len)
{
    static uint32_t tables[8][256];
    uint32_t crc = UINT32_MAX;

    if (tables[0][1] == 0)
        inflate_crc_tables(tables);
    for (; len >= 8; len -= 8, p += 8) {
        uint32_t low = crc ^ inflate_number(p), high = inflate_number(p + 4);

        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^
              tables[4][low >> 24] ^ tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^
              tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    for (; len > 0; len--)
        crc = crc >> 8 ^ tables[0][(crc ^ (uint8_t)*p++) & 255];
    return ~crc;
}

/* What a gzip member holds, which is all of the data. Returns its length, or -1: it is none. */
static inline long
inflate_member(struct span data, char *out, size_t cap)
{
    static const char head[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00";
    struct inflate i = {.out = out, .cap = cap};
    const char *tail;

    if (data.len < INFLATE_HEAD + INFLATE_TAIL || memcmp(data.p, head, sizeof head - 1) != 0)
        return -1;
    tail = data.p + data.len - INFLATE_TAIL;
    i.in = (struct span){data.p + INFLATE_HEAD, data.len - INFLATE_HEAD - INFLATE_TAIL};
    if (inflate(&i) != (long)i.in.len || inflate_number(tail) != inflate_crc(out, i.len) ||
        inflate_number(tail + 4) != (uint32_t)i.len)
        return -1;
    return (long)i.len;
}

#endif
