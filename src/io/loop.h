#ifndef LOOP_H
#define LOOP_H
/*
 * The event loop: watched files and timers. Nothing else ever waits.
 *
 * A watch or a timer belongs to its owner and lies in the owner's struct; the loop keeps pointers.
 * A callback may change, close or start any other watch or timer. Each turn serves files before
 * timers, so that after a freeze what has arrived is read before what seems overdue.
 */
#include <stdbool.h>
#include <stdint.h>

#include "io/system.h"
#include "protocol/moment.h"

struct loop_watch {
    int fd;          /* -1 when not watched */
    uint32_t events; /* SYSTEM_IN, SYSTEM_OUT or 0 */
    bool added;
    void (*ready)(void *context, uint32_t events);
    void *context;
};

struct loop_timer {
    uint64_t at_ms; /* monotonic clock; 0: off */
    bool awake;     /* the timer pauses during a freeze, when no peer could be heard */
    void (*fire)(void *context);
    void *context;
    struct loop_timer *next;
};

struct loop {
    int epoll;
    bool stopped;
    bool watchful; /* freezes are noticed even while nothing is waited for */
    struct loop_timer *timers;
    struct moment now;             /* of this turn */
    unsigned thaws;                /* how often a freeze of the process has been noticed */
    struct system_ready ready[16]; /* its tags are watches, NULL once they are closed */
    int ready_len;
};

/* Returns 0, or ERR_IO. */
int loop_open(struct loop *loop);

/* Watches fd for these events from now on; with 0 only errors and hang-ups are reported. */
int loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events);

/* Stops watching and closes the file; does nothing if none is watched. */
void loop_close(struct loop *loop, struct loop_watch *watch);

/* Once per timer, at start-up. It fires when at_ms is set and has come, after at_ms was reset to 0. */
void loop_add_timer(struct loop *loop, struct loop_timer *timer);

/* Sets a timer to ms milliseconds from now, not from the beginning of this turn. */
void loop_set(struct loop *loop, struct loop_timer *timer, uint64_t ms);

/* Sets the timer to a moment unless it is set to an earlier one. */
void loop_set_earlier(struct loop_timer *timer, uint64_t at_ms);

/*
 * Looks for a freeze since the present turn's wait, and brings `now` up to date. For whoever reads what a freeze may have
 * come before: a peer can stop the process as soon as it has been asked, and what it then says is read in the same turn.
 */
void loop_look(struct loop *loop);

/* Waits until something happens, and deals with it. Returns 0, or ERR_IO. */
int loop_turn(struct loop *loop);

/* Runs until stopped is set. Returns 0, or ERR_IO. */
int loop_run(struct loop *loop);

#endif
