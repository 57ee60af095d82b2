#ifndef GUARD_H
#define GUARD_H
/*
 * Memory whose end touches a page that can be neither read nor written, so that one step too far
 * ends the test. Each of the two rooms holds one thing at a time.
 */
#include "protocol/span.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A mebibyte, as long as a line may be, and what is around one. */
#define GUARD_ROOM ((1 << 20) + (1 << 16))

/* The last len bytes before the unreadable page, len at most GUARD_ROOM. */
static inline char *
guard_last(char **room, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (*room == NULL) {
        *room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
        if (*room == MAP_FAILED || mprotect(*room + GUARD_ROOM, page, PROT_NONE) != 0)
            abort();
    }
    if (len > GUARD_ROOM)
        abort();
    return *room + (GUARD_ROOM - len);
}

/* A copy of these bytes, valid until the next call. */
static inline struct span
guard_copy(struct span bytes)
{
    static char *room;
    char *at = guard_last(&room, bytes.len);

    if (bytes.len > 0)
        memcpy(at, bytes.p, bytes.len);
    return (struct span){at, bytes.len};
}

/* Room to write so many bytes, valid until the next call. */
static inline char *
guard_buffer(size_t cap)
{
    static char *room;

    return guard_last(&room, cap);
}

#endif
