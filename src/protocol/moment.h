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

#endif
