#include "protocol/deflate_parts.h"

/* see deflate_parts.h */

/* Tokens: lengths stand for themselves, and these. Source: RFC 1951, section 3.2.7. */
enum { REPEAT = 16, ZEROS = 17, MANY_ZEROS = 18, TOKEN_CODE_MAX = 7 };

/* The order in which the tokens' own lengths are told. */
static const uint8_t order[DEFLATE_TOKENS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                              11, 4,  12, 3, 13, 2, 14, 1, 15};

static void
tell(struct deflate_dynamic *y, unsigned token, unsigned extra)
{
    y->counts[token]++;
    y->told[y->told_len++] = (uint16_t)(token | extra << 8);
}

/* The same length so many times. Returns how many of them one token tells. */
static unsigned
tell_run(struct deflate_dynamic *y, unsigned length, unsigned run, bool again)
{
    unsigned most = length == 0 ? 138 : 6;

    run = run < most ? run : most;
    if (run < 3 || (length != 0 && !again)) {
        tell(y, length, 0);
        return 1;
    }
    if (length != 0)
        tell(y, REPEAT, run - 3);
    else if (run < 11)
        tell(y, ZEROS, run - 3);
    else
        tell(y, MANY_ZEROS, run - 11);
    return run;
}

/* The lengths of so many codes. */
static void
tell_lengths(struct deflate_dynamic *y, const uint32_t *codes, unsigned len)
{
    unsigned before = 0;

    for (unsigned i = 0; i < len;) {
        unsigned length = codes[i] >> 16, run = 1;

        while (i + run < len && codes[i + run] >> 16 == length)
            run++;
        i += tell_run(y, length, run, length == before);
        before = length;
    }
}

static unsigned
token_extra(unsigned token)
{
    return token < REPEAT ? 0 : token == REPEAT ? 2 : token == ZEROS ? 3 : 7;
}

/* Bits in front of the first symbol, the block's three apart. */
static uint32_t
head_bits(struct deflate_dynamic *y)
{
    uint32_t bits = 5 + 5 + 4;

    deflate_huffman(y->counts, DEFLATE_TOKENS, TOKEN_CODE_MAX, y->tokens);
    for (unsigned i = 0; i < DEFLATE_TOKENS; i++)
        bits += y->counts[i] * ((y->tokens[i] >> 16) + token_extra(i));
    y->tokens_len = DEFLATE_TOKENS;
    while (y->tokens[order[y->tokens_len - 1]] == 0)
        y->tokens_len--;
    return bits + 3 * y->tokens_len;
}

/* Without those at the end that do not occur. Some do: two at least, and the end of the block. */
static unsigned
len_of(const uint32_t *codes, unsigned len)
{
    while (codes[len - 1] == 0)
        len--;
    return len;
}

uint32_t
deflate_dynamic(const struct deflate *d, struct deflate_dynamic *y)
{
    deflate_huffman(d->literal_counts, DEFLATE_LITERALS, DEFLATE_CODE_MAX, y->literals);
    deflate_huffman(d->distance_counts, DEFLATE_DISTANCES, DEFLATE_CODE_MAX, y->distances);
    y->literals_len = len_of(y->literals, DEFLATE_LITERALS);
    y->distances_len = len_of(y->distances, DEFLATE_DISTANCES);
    y->told_len = 0;
    memset(y->counts, 0, sizeof y->counts);
    tell_lengths(y, y->literals, y->literals_len);
    tell_lengths(y, y->distances, y->distances_len);
    return deflate_coded_bits(d, y->literals, y->distances) + head_bits(y);
}

static void
put(struct deflate_bits *b, uint32_t bits, unsigned len)
{
    deflate_put(b, bits, len);
    deflate_flush(b);
}

void
deflate_dynamic_head(const struct deflate_dynamic *y, struct deflate_bits *b)
{
    put(b, y->literals_len - DEFLATE_LEN_SYMBOL, 5);
    put(b, y->distances_len - 1, 5);
    put(b, y->tokens_len - 4, 4);
    for (unsigned i = 0; i < y->tokens_len; i++)
        put(b, y->tokens[order[i]] >> 16, 3);
    for (unsigned i = 0; i < y->told_len; i++) {
        unsigned token = y->told[i] & 255;
        uint32_t code = y->tokens[token];

        put(b, code & 0xffff, code >> 16);
        put(b, y->told[i] >> 8, token_extra(token));
    }
}
