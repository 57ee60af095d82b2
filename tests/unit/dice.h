#ifndef DICE_H
#define DICE_H
/* Numbers for tests at random: the same in every run. Source: xorshift32 of Marsaglia. */
#include <stdint.h>

/* Any number below sides. */
static inline uint32_t
dice(uint32_t sides)
{
    static uint32_t x = 2463534242;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x % sides;
}

#endif
