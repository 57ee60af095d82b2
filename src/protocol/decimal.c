#include "protocol/decimal.h"

/* see decimal.h */

#define FULL 1000000000000000000u /* the least of 19 digits */
#define EXPONENT_MAX 1000000000

/* Steps over a sign, if there is one; whether it is a minus. */
static bool
minus(const char **c, const char *end)
{
    return *c < end && (**c == '-' || **c == '+') && *(*c)++ == '-';
}

/* What follows the letter e, up to the end. */
static bool
read_exponent(const char *c, const char *end, struct decimal *d)
{
    bool negative = minus(&c, end);
    bool any = c < end;
    int64_t n = 0;

    for (; c < end && *c >= '0' && *c <= '9'; c++)
        if (n < EXPONENT_MAX)
            n = n * 10 + (*c - '0');
    d->exponent += negative ? -n : n;
    return any && c == end;
}

bool
decimal_read(struct span s, struct decimal *d)
{
    const char *c = s.p;
    const char *end = c + s.len;
    bool any = false;
    bool point = false;
    bool all;

    *d = (struct decimal){.negative = minus(&c, end)};
    for (; c < end && ((*c >= '0' && *c <= '9') || (*c == '.' && !point)); c++) {
        if (*c == '.') {
            point = true;
            continue;
        }
        any = true;
        if (d->digits < FULL)
            d->digits = d->digits * 10 + (unsigned)(*c - '0');
        else
            d->exponent++;
        d->exponent -= point;
    }
    all = any && (c == end || ((*c | 0x20) == 'e' && read_exponent(c + 1, end, d)));
    if (d->digits == 0)
        *d = (struct decimal){.exponent = INT64_MIN};
    /* most numbers are short */
    for (; d->digits > 0 && d->digits < FULL / 10000000; d->exponent -= 8)
        d->digits *= 100000000;
    for (; d->digits > 0 && d->digits < FULL; d->exponent--)
        d->digits *= 10;
    return all;
}

int
decimal_compare(const struct decimal *a, const struct decimal *b)
{
    int sizes = a->exponent != b->exponent ? (a->exponent < b->exponent ? -1 : 1)
                                           : (a->digits > b->digits) - (a->digits < b->digits);

    if (a->negative != b->negative)
        sizes = 1;
    return a->negative ? -sizes : sizes;
}
