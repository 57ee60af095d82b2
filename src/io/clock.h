#ifndef CLOCK_H
#define CLOCK_H
/*
 * The system's clocks, in milliseconds.
 */
#include "protocol/moment.h"

/* Since some moment in the past; never goes back. */
uint64_t clock_monotonic_ms(void);

/* Since 1970. */
uint64_t clock_wall_ms(void);

/* Both. */
struct moment clock_now(void);

#endif
