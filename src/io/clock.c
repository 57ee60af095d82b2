#include "io/clock.h"

#include <time.h>

/* see clock.h */

static uint64_t
read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

struct moment
clock_now(void)
{
    return (struct moment){.ms = clock_monotonic_ms(), .wall_ms = clock_wall_ms()};
}
