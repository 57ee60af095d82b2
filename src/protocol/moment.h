#ifndef MOMENT_H
#define MOMENT_H
/*
 * A moment by both clocks, so that a time of one is never compared with a time of the other.
 */
#include <stdint.h>

struct moment {
    uint64_t ms;      /* monotonic: never goes back; on some machines it stands still in a freeze */
    uint64_t wall_ms; /* since 1970: goes on in a freeze, and may jump either way */
};

/* The first of two moments of one clock. */
static inline uint64_t
moment_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
