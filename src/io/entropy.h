#ifndef ENTROPY_H
#define ENTROPY_H
/*
 * Random bytes, fresh from the kernel each time: a snapshot of this process that is restored many
 * times must not repeat them.
 */
#include <stddef.h>
#include <stdint.h>

/* Fills a buffer of at most 256 bytes. Returns 0, or ERR_IO. */
int entropy_fill(void *buffer, size_t len);

/* A random number, for jitter; 0 when there is no randomness, which does no harm there. */
uint32_t entropy_dice(void);

#endif
