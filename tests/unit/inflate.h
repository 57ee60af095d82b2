#ifndef INFLATE_H
#define INFLATE_H
/*
 * A reader of deflate for the tests: slow, and strict. Codes have to be complete, except a distance code of one bit;
 * copies have to lie within the stream. Source: RFC 1951.
 */
#include "protocol/span.h"

struct inflate {
    struct span in;
    size_t at; /* in bits */
    char *out;
    size_t cap, len;
    unsigned blocks[3];    /* stored, with fixed codes, with their own */
    unsigned max_distance; /* of all copies */
};

/* How many codes of each length, and their symbols in order. */
struct inflate_code {
    unsigned counts[16];
    unsigned symbols[320];
};

static inline int
inflate_bits(struct inflate *i, unsigned n)
{
    int bits = 0;

    for (unsigned k = 0; k < n; k++, i->at++) {
        if (i->at / 8 >= i->in.len)
            return ERR_MORE;
        bits |= ((uint8_t)i->in.p[i->at / 8] >> i->at % 8 & 1) << k;
    }
    return bits;
}

static inline int
inflate_code(struct inflate_code *c, const uint8_t *lengths, unsigned n)
{
    unsigned len = 0, left = 1;

    memset(c, 0, sizeof *c);
    for (unsigned length = 1; length < 16; length++) {
        for (unsigned s = 0; s < n; s++)
            if (lengths[s] == length) {
                c->symbols[len++] = s;
                c->counts[length]++;
            }
        left *= 2;
        if (c->counts[length] > left)
            return ERR_BAD;
        left -= c->counts[length];
    }
    return left == 0 || (len == 1 && c->counts[1] == 1) ? 0 : ERR_BAD;
}

static inline int
inflate_symbol(struct inflate *i, const struct inflate_code *c)
{
    unsigned code = 0, first = 0, index = 0;

    for (unsigned length = 1; length < 16; length++) {
        int bit = inflate_bits(i, 1);

        if (bit < 0)
            return bit;
        code |= (unsigned)bit;
        if (code - first < c->counts[length])
            return (int)c->symbols[index + code - first];
        index += c->counts[length];
        first = (first + c->counts[length]) << 1;
        code <<= 1;
    }
    return ERR_BAD;
}

static inline int
inflate_copy(struct inflate *i, unsigned len, unsigned distance)
{
    if (distance > i->len || distance > 32768 || len > i->cap - i->len)
        return ERR_BAD;
    i->max_distance = distance > i->max_distance ? distance : i->max_distance;
    for (; len > 0; len--, i->len++)
        i->out[i->len] = i->out[i->len - distance];
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

static inline int
inflate_coded(struct inflate *i, const struct inflate_code *literals,
              const struct inflate_code *distances)
{
    for (;;) {
        int symbol = inflate_symbol(i, literals), distance, more;
        unsigned extra, len;

        if (symbol < 0 || symbol == 256)
            return symbol < 0 ? symbol : 0;
        if (symbol < 256) {
            if (i->len == i->cap)
                return ERR_BAD;
            i->out[i->len++] = (char)symbol;
            continue;
        }
        if (symbol > 285)
            return ERR_BAD;
        len = inflate_base((unsigned)symbol - 257, 3, 8, 4, &extra);
        if (symbol == 285)
            len = 258, extra = 0;
        more = inflate_bits(i, extra);
        if (more < 0 || (distance = inflate_symbol(i, distances)) < 0 || distance > 29)
            return ERR_BAD;
        len += (unsigned)more;
        distance = (int)inflate_base((unsigned)distance, 1, 4, 2, &extra);
        more = inflate_bits(i, extra);
        if (more < 0 || inflate_copy(i, len, (unsigned)(distance + more)) != 0)
            return ERR_BAD;
    }
}

static inline int
inflate_stored(struct inflate *i)
{
    int len, not_len;

    i->at = (i->at + 7) / 8 * 8;
    len = inflate_bits(i, 16);
    not_len = inflate_bits(i, 16);
    if (len < 0 || not_len < 0 || (len ^ not_len) != 0xffff || (size_t)len > i->cap - i->len ||
        (size_t)len > i->in.len - i->at / 8)
        return ERR_BAD;
    memcpy(i->out + i->len, i->in.p + i->at / 8, (size_t)len);
    i->len += (size_t)len;
    i->at += 8 * (size_t)len;
    return 0;
}

static inline int
inflate_fixed(struct inflate *i)
{
    struct inflate_code literals, distances;
    uint8_t lengths[288];

    for (unsigned s = 0; s < 288; s++)
        lengths[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
    (void)inflate_code(&literals, lengths, 288);
    memset(lengths, 5, 32);
    (void)inflate_code(&distances, lengths, 32);
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
    unsigned n = 4 + (unsigned)inflate_bits(i, 4);

    if (i->at / 8 >= i->in.len || literals_len > 286 || distances_len > 30)
        return ERR_BAD;
    for (unsigned k = 0; k < n; k++)
        lengths[order[k]] = (uint8_t)inflate_bits(i, 3);
    if (inflate_code(&tokens, lengths, 19) != 0 ||
        inflate_lengths(i, &tokens, lengths, literals_len + distances_len) != 0 ||
        lengths[256] == 0 || inflate_code(&literals, lengths, literals_len) != 0 ||
        inflate_code(&distances, lengths + literals_len, distances_len) != 0)
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
    return (long)((i->at + 7) / 8);
}

#endif
