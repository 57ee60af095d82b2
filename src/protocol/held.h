#ifndef HELD_H
#define HELD_H
/*
 * Lines that may be wanted later: a ring of events as they came, each of one owner, in the order in which they came.
 * Any of them can leave; what makes room is that the oldest ones do.
 */
#include "protocol/span.h"

struct held {
    /* private */
    uint32_t lines; /* in the ring, those that were removed and still take up room among them */
    char *bytes;
    size_t cap;
    size_t first, end; /* where the oldest begins, and the next one */
    size_t wrap; /* where those end that are followed by the one at the beginning; 0: none is */
};

/* In place of where a line is: there is none. */
#define HELD_NONE 0

/* memory: aligned to 8, and a multiple of that. */
void held_open(struct held *h, char *memory, size_t cap);

/* Whether a line of this length has room in the empty ring. */
bool held_fits(const struct held *h, size_t len);

/* Returns whether there was room: if not, again without the oldest ones. */
bool held_add(struct held *h, uint32_t owner, struct span event);

/* The oldest line, and the one that follows it. Between, others may be added, but not removed. */
size_t held_first(const struct held *h);
size_t held_next(const struct held *h, size_t at);

/* Valid until it is removed and another one added. */
struct span held_event(const struct held *h, size_t at);

/* HELD_REMOVED: it was removed, and is not to be looked at. */
uint32_t held_owner(const struct held *h, size_t at);
#define HELD_REMOVED UINT32_MAX

/* Returns the line that follows. Its room comes back when all that are older have left, too. */
size_t held_remove(struct held *h, size_t at);

#endif
