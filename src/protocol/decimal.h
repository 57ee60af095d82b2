#ifndef DECIMAL_H
#define DECIMAL_H
/*
 * Decimal numbers as they are written, compared by their first 19 digits that count, which is all of a 64-bit integer's
 * but its twentieth, and more than a double has. What follows these is cut off.
 */
#include "protocol/span.h"

struct decimal {
    bool negative;
    /* Of ten, by which the digits are multiplied; of zero less than of any other number. */
    int64_t exponent;
    uint64_t digits; /* 19, of which the first is not zero; 0 for zero */
};

/*
 * Reads a number: a sign or none, digits with a point or none among, before or behind them, and e or E, a
 * sign or none, and digits, or nothing. That is what JSON has, and somewhat more. Exponents beyond a
 * thousand million count as about that.
 *
 * Returns whether all of s is one.
 */
bool decimal_read(struct span s, struct decimal *d);

/* Below, at or above zero: a is less than b, equal, or greater. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

#endif
