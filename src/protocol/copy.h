#ifndef COPY_H
#define COPY_H
/*
 * memcpy for what is mostly some hundred bytes: in steps of sixteen, the last of which reaches back. The
 * C library's way with so few, and the compiler's when it compiles for size, is the processor's own copy,
 * which takes tens of cycles to begin.
 */
#include <string.h>

#include "protocol/span.h"

/* Copies to where there is room. Returns the place behind the copy. */
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
