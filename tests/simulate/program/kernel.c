#include "kernel_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* see kernel.h, kernel_parts.h */

struct kernel_state kernel;

/* The world's wall clock when a life begins. */
#define EPOCH_MS 1796000000000

enum {
    IDLE_CALLS_MAX = 20000,
    IDLE_WAITS_MAX = 1000,
};

/* --- what will happen -------------------------------------------------------------------------- */

/* A heap: each is not later than the two below it. */
static struct event {
    uint64_t us, number;
    void (*happens)(void *context);
    void *context;
} * events;
static size_t events_len, events_cap;
static uint64_t events_number;

static bool
earlier(const struct event *a, const struct event *b)
{
    return a->us != b->us ? a->us < b->us : a->number < b->number;
}

static void
swap(size_t a, size_t b)
{
    struct event e = events[a];

    events[a] = events[b];
    events[b] = e;
}

static void
sink(size_t at)
{
    for (;;) {
        size_t least = at;

        for (size_t below = 2 * at + 1; below <= 2 * at + 2 && below < events_len; below++)
            if (earlier(&events[below], &events[least]))
                least = below;
        if (least == at)
            return;
        swap(at, least);
        at = least;
    }
}

void
kernel_at(uint64_t us, void (*happens)(void *context), void *context)
{
    size_t at = events_len++;

    if (events_len > events_cap) {
        events_cap = events_cap == 0 ? 256 : events_cap * 2;
        events = realloc(events, events_cap * sizeof *events);
        if (events == NULL)
            abort();
    }
    events[at] = (struct event){us, events_number++, happens, context};
    for (; at > 0 && earlier(&events[at], &events[(at - 1) / 2]); at = (at - 1) / 2)
        swap(at, (at - 1) / 2);
}

void
kernel_cancel(void (*happens)(void *context), void *context)
{
    for (size_t i = 0; i < events_len; i++)
        if (events[i].happens == happens && events[i].context == context)
            events[i].happens = NULL;
}

void
kernel_forget(const void *context)
{
    for (size_t i = 0; i < events_len; i++)
        if (events[i].context == context)
            events[i].happens = NULL;
}

static struct event
take_first(void)
{
    struct event first = events[0];

    events[0] = events[--events_len];
    sink(0);
    return first;
}

/* When something happens next. */
static uint64_t
next_us(void)
{
    while (events_len > 0 && events[0].happens == NULL)
        (void)take_first();
    return events_len > 0 ? events[0].us : UINT64_MAX;
}

void
kernel_until(uint64_t us)
{
    for (;;) {
        struct event e;

        if (kernel.killed != 0)
            sandbox_end(KERNEL_KILLED, kernel.killed);
        if (next_us() > us)
            break;
        e = take_first();
        if (e.us > kernel.us)
            kernel.us = e.us;
        e.happens(e.context);
    }
    if (us > kernel.us)
        kernel.us = us;
}

/* --- clocks ------------------------------------------------------------------------------------ */

uint64_t
kernel_us(void)
{
    return kernel.us;
}

uint64_t
kernel_wall_ms(void)
{
    return EPOCH_MS + kernel.us / 1000;
}

uint64_t
kernel_monotonic_us(void)
{
    return kernel.monotonic_begin_us + kernel.us - kernel.stood_us;
}

void
kernel_set_clock(int64_t ms)
{
    world_say("system", "the wall clock is set by %lld ms", (long long)ms);
    kernel.wall_off_ms += ms;
}

uint64_t
system_monotonic_ms(void)
{
    kernel_enter();
    return kernel_monotonic_us() / 1000;
}

uint64_t
system_wall_ms(void)
{
    kernel_enter();
    return (uint64_t)((int64_t)kernel_wall_ms() + kernel.wall_off_ms);
}

/* --- freezes ----------------------------------------------------------------------------------- */

void
kernel_stands(bool stands)
{
    if (stands)
        kernel.stands_since_us = kernel.us;
    else
        kernel.figures.frozen_us += kernel.us - kernel.stands_since_us;
    kernel.stands = stands;
}

static void
stand_still(uint64_t us, bool stops_monotonic)
{
    world_say("system", "frozen for %llu.%03u ms%s", (unsigned long long)us / 1000,
              (unsigned)(us % 1000), stops_monotonic ? ", the monotonic clock as well" : "");
    kernel_stands(true);
    kernel_until(kernel.us + us);
    kernel_stands(false);
    if (stops_monotonic)
        kernel.stood_us += us;
}

void
kernel_freeze(unsigned calls_later, uint64_t us, bool stops_monotonic,
              void (*thawed)(void *context), void *context)
{
    kernel.freeze.due = true;
    kernel.freeze.calls = calls_later;
    kernel.freeze.us = us;
    kernel.freeze.stops_monotonic = stops_monotonic;
    kernel.freeze.thawed = thawed;
    kernel.freeze.context = context;
}

bool
kernel_freeze_now(void)
{
    void (*thawed)(void *context) = kernel.freeze.thawed;
    void *context = kernel.freeze.context;

    if (!kernel.freeze.due)
        return false;
    kernel.freeze.due = false;
    stand_still(kernel.freeze.us, kernel.freeze.stops_monotonic);
    if (thawed != NULL)
        thawed(context);
    kernel_until(kernel.us);
    return true;
}

/* The machine has no time for it, or stops it. */
static void
stumble(void)
{
    uint32_t most = kernel.faults.freeze_ms > 0 ? kernel.faults.freeze_ms : 1;
    uint32_t ms = dice_magnitude(&kernel.dice, 1, most);

    stand_still(1000ull * ms, dice_below(&kernel.dice, 2) > 0);
}

/* --- the program's calls ----------------------------------------------------------------------- */

void
kernel_progress(void)
{
    kernel.idle_calls = kernel.idle_waits = 0;
}

void
kernel_enter_from(const void *site)
{
    const struct kernel_faults *f = &kernel.faults;

    if (!kernel.running)
        world_break("a system call outside of the program");
    kernel.site = site;
    kernel.figures.calls++;
    if (++kernel.idle_calls > IDLE_CALLS_MAX)
        world_break("spinning: %d system calls in which nothing came about", IDLE_CALLS_MAX);
    if (kernel.idle_waits > IDLE_WAITS_MAX)
        world_break("spinning: %d waits that did not wait, and nothing came about", IDLE_WAITS_MAX);
    kernel_until(kernel.us + dice_between(&kernel.dice, 1, 5));
    if (kernel.freeze.due && kernel.freeze.calls-- == 0)
        (void)kernel_freeze_now();
    else if (dice_chance(&kernel.dice, f->freeze))
        stumble();
}

void
kernel_pass(uint64_t monotonic_until_us)
{
    uint64_t now = kernel_monotonic_us();
    uint64_t at = next_us();

    if (at == UINT64_MAX && monotonic_until_us == UINT64_MAX)
        world_break("liveness: the program waits, and nothing will ever happen any more");
    if (monotonic_until_us != UINT64_MAX) {
        uint64_t end = kernel.us + (monotonic_until_us > now ? monotonic_until_us - now : 0);

        at = end < at ? end : at;
    }
    kernel_progress();
    kernel_until(at);
}

void
kernel_sum(struct span bytes)
{
    uint64_t sum = kernel.figures.sent_hash + bytes.len;

    while (bytes.len > 0) {
        size_t n = bytes.len < 8 ? bytes.len : 8;
        uint64_t word = 0;

        memcpy(&word, bytes.p, n);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 29;
        bytes.p += n;
        bytes.len -= n;
    }
    kernel.figures.sent_hash = sum;
}

void
kernel_signal(int number)
{
    if (!kernel.running)
        return;
    world_say("system", "signal %d", number);
    if (number == SIGKILL || !process.holds_ends)
        kernel.killed = number;
    else
        process.signals |= 1u << number;
}

bool
kernel_runs(void)
{
    return kernel.running;
}

void
kernel_snapshot(void)
{
    kernel.snapshot = true;
}

struct kernel_figures
kernel_figures(void)
{
    struct kernel_figures figures = kernel.figures;

    figures.memory_bytes = process.memory_bytes;
    if (kernel.stands)
        figures.frozen_us += kernel.us - kernel.stands_since_us;
    return figures;
}

void
kernel_on_print(void (*printed)(int file, struct span bytes))
{
    kernel.printed = printed;
}

void
kernel_begin(struct dice dice, const struct kernel_faults *faults)
{
    memset(&kernel, 0, sizeof kernel);
    kernel.dice = dice;
    kernel.faults = *faults;
    kernel.entropy.state = dice_draw(&kernel.dice);
    /* any time since the machine was started, from a second to some days */
    kernel.monotonic_begin_us = 1000ull * dice_magnitude(&kernel.dice, 1000, 1u << 30);
    kernel.monotonic_begin_us += dice_below(&kernel.dice, 1000);
    events_len = 0;
    events_number = 0;
    sweep_begin();
    streams_begin();
    datagrams_begin();
    files_begin();
    sandbox_begin();
}
