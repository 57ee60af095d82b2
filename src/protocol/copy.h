#ifndef COPY_H
#define COPY_H
/*
 * memcpy for copies that are mostly a few hundred bytes: in steps of sixteen, the last of which overlaps the
 * one before. For such lengths the C library, and the compiler when it optimises for size, use the processor's
 * copy instruction, which takes tens of cycles to start.
 */
#include <string.h>

#include "protocol/span.h"

/* There must be room for all of it. Returns the end of the copy. */
static inline char *
copy(char *to, struct span from)
{
    size_t at = 0;

    if (from.len >= 16) {
        for (; from.len - at > 16; at += 16)
            memcpy(to + at, from.p + at, 16);
        memcpy(to + from.len - 16, from.p + from.len - 16, 16);
    } else if (from.len >= 8) {
        memcpy(to, from.p, 8);
        memcpy(to + from.len - 8, from.p + from.len - 8, 8);
    } else {
        for (; at < from.len; at++)
            to[at] = from.p[at];
    }
    return to + from.len;
}

#endif
