#include "io/loop.h"

#include <stddef.h>

#include "io/clock.h"
#include "protocol/check.h"

/* see loop.h */

/* A delay beyond this is taken for a freeze; a busy machine delays a turn by less. */
enum { FREEZE_MS = 300, AWAKE_MS = 500 };

int
loop_open(struct loop *loop)
{
    *loop = (struct loop){.now = clock_now(), .epoll = system_poller()};
    return loop->epoll < 0 ? ERR_IO : 0;
}

int
loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events)
{
    CHECK(fd >= 0);
    CHECK(!watch->added || watch->fd == fd);
    if (watch->added && watch->events == events)
        return 0;
    if (system_watch(loop->epoll, fd, events, watch, watch->added) != 0)
        return ERR_IO;
    watch->fd = fd;
    watch->events = events;
    watch->added = true;
    return 0;
}

void
loop_close(struct loop *loop, struct loop_watch *watch)
{
    CHECK(watch->added == (watch->fd >= 0));
    if (!watch->added)
        return;
    system_close(watch->fd);
    watch->added = false;
    watch->fd = -1;
    watch->events = 0;
    /* events of this file that this turn has not reported yet are void */
    for (int i = 0; i < loop->ready_len; i++)
        if (loop->ready[i].tag == watch)
            loop->ready[i].tag = NULL;
}

void
loop_add_timer(struct loop *loop, struct loop_timer *timer)
{
    CHECK(timer->fire != NULL && timer != loop->timers);
    timer->next = loop->timers;
    loop->timers = timer;
}

void
loop_set(struct loop *loop, struct loop_timer *timer, uint64_t ms)
{
    (void)loop;
    timer->at_ms = clock_monotonic_ms() + ms;
}

void
loop_set_earlier(struct loop_timer *timer, uint64_t at_ms)
{
    if (timer->at_ms == 0 || timer->at_ms > at_ms)
        timer->at_ms = at_ms;
}

/*
 * Milliseconds until the next timer; -1 when none is set. A freeze is recognised by a wait that took longer
 * than it should have, so the wait is short when a timer has to notice freezes.
 */
static int
wait_ms(const struct loop *loop, uint64_t now)
{
    uint64_t at = loop->watchful ? now + AWAKE_MS : UINT64_MAX;

    for (const struct loop_timer *t = loop->timers; t != NULL; t = t->next) {
        uint64_t t_at = t->awake && t->at_ms > now + AWAKE_MS ? now + AWAKE_MS : t->at_ms;

        if (t_at != 0 && t_at < at)
            at = t_at;
    }
    if (at == UINT64_MAX)
        return -1;
    if (at <= now)
        return 0;
    return at - now > 60000 ? 60000 : (int)(at - now);
}

/*
 * A freeze may make a timer seem overdue when nothing was looked for since: the wait may have ended before it, or by
 * it. So one that waits for a peer fires only after a wait that began when it was due: looked_ms.
 */
static void
fire_timers(struct loop *loop, uint64_t looked_ms)
{
    for (struct loop_timer *t = loop->timers; t != NULL; t = t->next) {
        if (t->at_ms == 0 || t->at_ms > (t->awake ? looked_ms : loop->now.ms) || loop->stopped)
            continue;
        t->at_ms = 0;
        t->fire(t->context);
    }
}

/*
 * The process was frozen: what arrived meanwhile may not have been read yet, so peers are given that
 * time again.
 */
static void
thaw(struct loop *loop, uint64_t ms)
{
    loop->thaws++;
    for (struct loop_timer *t = loop->timers; t != NULL; t = t->next)
        if (t->awake && t->at_ms != 0)
            t->at_ms += ms;
}

/* Compares how long the wait took by either clock with how long it should have been. */
static void
look_for_freeze(struct loop *loop, uint64_t before_ms, uint64_t wall_before_ms, int wait)
{
    uint64_t took = loop->now.ms - before_ms;
    uint64_t late = 0;

    if (wait >= 0 && took > (uint64_t)wait)
        late = took - (uint64_t)wait;
    if (late > FREEZE_MS)
        thaw(loop, late);
    else if (loop->now.wall_ms > wall_before_ms + took + FREEZE_MS)
        thaw(loop, 0);
}

void
loop_look(struct loop *loop)
{
    struct moment before = loop->now;

    loop->now = clock_now();
    look_for_freeze(loop, before.ms, before.wall_ms, 0);
}

int
loop_turn(struct loop *loop)
{
    enum { READY_MAX = sizeof loop->ready / sizeof *loop->ready };
    uint64_t before = loop->now.ms;
    uint64_t wall = clock_wall_ms();
    uint64_t looked = clock_monotonic_ms();
    int wait = wait_ms(loop, looked);
    int n = system_wait(loop->epoll, loop->ready, READY_MAX, wait);

    loop->now = clock_now();
    look_for_freeze(loop, before, wall, wait);
    if (n < 0)
        return ERR_IO;
    loop->ready_len = n;
    for (int i = 0; i < n; i++) {
        struct loop_watch *watch = loop->ready[i].tag;

        if (watch != NULL && !loop->stopped)
            watch->ready(watch->context, loop->ready[i].events);
    }
    loop->ready_len = 0;
    fire_timers(loop, looked);
    return 0;
}

int
loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        int r = loop_turn(loop);

        if (r != 0)
            return r;
    }
    return 0;
}
