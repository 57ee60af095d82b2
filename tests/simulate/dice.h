#ifndef DICE_H
#define DICE_H
/*
 * Random numbers of a life: one sequence from one seed, the same on every machine.
 * Source: SplitMix64 of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators".
 */
#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t
dice_draw(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 0..n - 1; n is 1 or more. */
static inline uint32_t
dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)((dice_draw(d) >> 32) * n >> 32);
}

/* least..most */
static inline uint32_t
dice_between(struct dice *d, uint32_t least, uint32_t most)
{
    return least + dice_below(d, most - least + 1);
}

/* True so many times of a thousand. */
static inline bool
dice_chance(struct dice *d, uint32_t per_mille)
{
    return per_mille > 0 && dice_below(d, 1000) < per_mille;
}

/* Small numbers are as likely as large ones by orders of magnitude. */
static inline uint32_t
dice_magnitude(struct dice *d, uint32_t least, uint32_t most)
{
    uint32_t top = least;

    while (top < most && dice_below(d, 4) > 0)
        top = top >= most / 2 ? most : top * 2 + 1;
    return dice_between(d, least, top);
}

#endif
