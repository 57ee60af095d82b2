#ifndef POSTER_H
#define POSTER_H
/*
 * Between poster.c, which decides what goes into a POST, and poster_posts.c, which makes it.
 */
#include "world.h"

/* Under way or waiting to come again. */
#define POSTER_POSTS 8

struct poster_subscription {
    uint16_t port; /* 0: none */
    char path[256];
    uint32_t timeout_ms, max_bytes, max_items;
};
extern struct poster_subscription poster_subscription;

/* When the program last had reason to believe that telemetry was lost; when any last came. World's moments. */
uint64_t poster_trouble_us(void);
uint64_t poster_heard_us(void);
bool poster_in_order(void);
bool poster_dropped(void); /* anything in this run, the platform's own events perhaps among it */
void poster_note_trouble(void);
void poster_note_heard(void);

/* --- poster.c, for poster_posts.c: a POST has come to its end; so many events of one are lost. */
void poster_freed(void);
void poster_lost(uint32_t n, size_t bytes);

/* --- poster_posts.c --------------------------------------------------------------------------------- */

/* copy: of the snapshot, at which posts_keep was called. */
void posts_begin(bool copy);
void posts_keep(void);

/* Connections to the program. */
unsigned posts_lines(void);

/* POSTs that are under way, queued, or come again. */
unsigned posts_busy(void);

/*
 * Posts these events, in this order. cut: the last event ends there, a place in its text; 0: whole. rest: text that
 * stands before the first; may be empty. again: what fails comes again. With so many outstanding it waits.
 */
void posts_make(const uint32_t *numbers, uint32_t n, size_t cut, struct span rest, bool again,
                unsigned outstanding_most);

#endif
