#ifndef ENTROPY_H
#define ENTROPY_H
/*
 * Random bytes, fresh each time; see system_random.
 */
#include "io/system.h"

/* Fills a buffer of at most 256 bytes. Returns 0, or ERR_IO. */
static inline int
entropy_fill(void *buffer, size_t len)
{
    return system_random(buffer, len);
}

/* A random number, for jitter; 0 when there is no randomness, which does no harm there. */
uint32_t entropy_dice(void);

#endif
