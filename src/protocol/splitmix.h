#ifndef SPLITMIX_H
#define SPLITMIX_H
/*
 * Random numbers that have to be spread evenly, no more: partition keys and jitter, never secrets.
 *
 * Source: SplitMix64 of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators".
 */
#include <stdint.h>

/* The next number. state: any seed at first. */
static inline uint32_t
splitmix_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(z >> 32);
}

#endif
