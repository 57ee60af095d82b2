#ifndef CLOCK_H
#define CLOCK_H
/*
 * The system's clocks, in milliseconds.
 */
#include "io/system.h"
#include "protocol/moment.h"

/* Since some moment in the past; never goes back. */
static inline uint64_t
clock_monotonic_ms(void)
{
    return system_monotonic_ms();
}

/* Since 1970. */
static inline uint64_t
clock_wall_ms(void)
{
    return system_wall_ms();
}

/* Both. */
static inline struct moment
clock_now(void)
{
    return (struct moment){.ms = clock_monotonic_ms(), .wall_ms = clock_wall_ms()};
}

#endif
