/*
 * What stands in for the C library's heap. Only its look-up of names wants memory, once for each
 * look-up, to be freed soon after; nothing else in the program allocates anything. musl's own heap
 * would be the largest part of the program that is hardly ever used.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef __GLIBC__

enum {
    BLOCKS = 4, /* look-ups at the same time: the platform, the stream, the bucket, credentials */
    BLOCK_BYTES = 8192 /* 48 addresses, the most that musl finds, and the host's name */
};

static _Alignas(16) char blocks[BLOCKS][BLOCK_BYTES];
static atomic_bool used[BLOCKS];

void *
calloc(size_t n, size_t size)
{
    if (size != 0 && n > BLOCK_BYTES / size)
        return NULL;
    for (size_t i = 0; i < BLOCKS; i++)
        if (!atomic_exchange(&used[i], true))
            return memset(blocks[i], 0, BLOCK_BYTES);
    return NULL;
}

void *
malloc(size_t size)
{
    return calloc(1, size);
}

void
free(void *p)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (p == blocks[i])
            atomic_store(&used[i], false);
}

#endif
