#include "protocol/deflate_parts.h"

/* see deflate_parts.h */

enum {
    EXACT = 16,             /* counts below are ranks of their own */
    RANKS = EXACT + 12 * 8, /* behind them eight for each power of two */
    SYMBOLS = DEFLATE_FIXED_LITERALS
};

/* Symbols that occur, by number and by count. */
struct symbols {
    unsigned len;
    uint16_t used[SYMBOLS + 1];
    uint16_t rising[SYMBOLS];
    uint32_t weights[SYMBOLS]; /* of those in rising */
};

static uint32_t
reversed(uint32_t code, unsigned len)
{
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
    code = (code & 0x0f0f) << 4 | (code >> 4 & 0x0f0f);
    code = (code & 0x00ff) << 8 | code >> 8;
    return code >> (16 - len);
}

/* Larger counts have larger ranks; those of one rank differ by less than an eighth, which costs next to nothing. */
static unsigned
rank_of(unsigned count)
{
    unsigned power;

    if (count < EXACT)
        return count;
    power = 31 - (unsigned)__builtin_clz(count);
    return EXACT + (power - 4) * 8 + (count >> (power - 3) & 7);
}

static void
sort(struct symbols *s, const uint16_t *counts, unsigned n)
{
    uint16_t first[RANKS + 1] = {0};

    s->len = 0;
    for (unsigned i = 0; i < n; i++) {
        s->used[s->len] = (uint16_t)i;
        s->len += counts[i] != 0;
    }
    for (unsigned i = 0; i < s->len; i++)
        first[rank_of(counts[s->used[i]]) + 1]++;
    for (unsigned i = 1; i < RANKS; i++)
        first[i] = (uint16_t)(first[i] + first[i - 1]);
    for (unsigned i = 0; i < s->len; i++) {
        unsigned count = counts[s->used[i]];
        unsigned to = first[rank_of(count)]++;

        s->rising[to] = s->used[i];
        s->weights[to] = count;
    }
}

/*
 * Joins the two lightest of symbols and joints until one is left. Either kind comes to its turn in order of weight, so
 * a joint's number is that of its turn. parents: of each joint, the one that it went into.
 * Source: van Leeuwen, "On the Construction of Huffman Trees", 1976.
 */
static void
join(const struct symbols *s, uint16_t *parents)
{
    uint32_t joints[SYMBOLS];
    unsigned symbol = 0, joint = 0;

    for (unsigned made = 0; made + 1 < s->len; made++) {
        joints[made] = 0;
        for (int i = 0; i < 2; i++) {
            if (joint == made || (symbol < s->len && s->weights[symbol] <= joints[joint])) {
                joints[made] += s->weights[symbol++];
            } else {
                joints[made] += joints[joint];
                parents[joint++] = (uint16_t)made;
            }
        }
    }
}

/* How many codes of each length: what is no joint on a level is a symbol. */
static void
count_lengths(uint16_t *parents, unsigned joints, unsigned max, uint16_t *of_length)
{
    unsigned left = joints - 1, places = 2;

    /* the last joint is the root; a parent becomes a depth */
    parents[left] = 0;
    for (unsigned i = left; i-- > 0;)
        parents[i] = (uint16_t)(parents[parents[i]] + 1);
    for (unsigned depth = 1; places > 0; depth++) {
        unsigned inner = 0, length = depth < max ? depth : max;

        for (; left > 0 && parents[left - 1] == depth; left--)
            inner++;
        of_length[length] = (uint16_t)(of_length[length] + places - inner);
        places = 2 * inner;
    }
}

/*
 * Codes that were longer than max have that length now, and so there are too many. A shorter one that becomes longer by
 * a bit makes room for another beside it.
 */
static void
limit_lengths(uint16_t *of_length, unsigned max)
{
    uint32_t taken = 0;

    for (unsigned i = 1; i <= max; i++)
        taken += (uint32_t)of_length[i] << (max - i);
    for (; taken > 1u << max; taken--) {
        unsigned i = max - 1;

        while (of_length[i] == 0)
            i--;
        of_length[i]--;
        of_length[i + 1] = (uint16_t)(of_length[i + 1] + 2);
        of_length[max]--;
    }
}

/* Codes of one length count up, in the order of their symbols. Source: RFC 1951, section 3.2.2. */
static void
number(const struct symbols *s, const uint16_t *of_length, uint32_t *codes)
{
    uint32_t next[DEFLATE_CODE_MAX + 2] = {0};

    for (unsigned i = 1; i <= DEFLATE_CODE_MAX; i++)
        next[i + 1] = (next[i] + of_length[i]) << 1;
    for (unsigned i = 0; i < s->len; i++) {
        uint32_t *code = &codes[s->used[i]];

        *code = reversed(next[*code]++, *code) | *code << 16;
    }
}

void
deflate_huffman(const uint16_t *counts, unsigned n, unsigned max, uint32_t *codes)
{
    struct symbols s;
    uint16_t parents[SYMBOLS], of_length[DEFLATE_CODE_MAX + 1] = {0};

    memset(codes, 0, n * sizeof *codes);
    sort(&s, counts, n);
    if (s.len < 2) {
        codes[0] = 1u << 16;
        codes[s.len == 0 || s.used[0] == 0 ? 1 : s.used[0]] = 1u << 16 | 1;
        return;
    }
    join(&s, parents);
    count_lengths(parents, s.len - 1, max, of_length);
    limit_lengths(of_length, max);
    for (unsigned i = 0, length = max; length > 0; length--)
        for (unsigned left = of_length[length]; left > 0; left--)
            codes[s.rising[i++]] = length;
    number(&s, of_length, codes);
}
