/*
 * The simulated system with programs of a few lines in the place of the real one: that misuse and spinning are
 * noticed, what a freeze, a signal, a snapshot do to a program, what may become of its connections and datagrams.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_parts.h"

struct world world;

static jmp_buf broken;
static char law[500];
static unsigned failed;

void
world_say(const char *who, const char *format, ...)
{
    (void)who;
    (void)format;
}

void
world_break(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(law, sizeof law, format, arguments);
    va_end(arguments);
    longjmp(broken, 1);
}

static void
expect(const char *what, bool holds)
{
    if (holds)
        return;
    printf("NOT ok: %s\n", what);
    failed++;
}

/* --- the program ------------------------------------------------------------------------------- */

int extension_main(int argc, char **argv);

/* Its variables, one of each kind. */
static int counted __attribute__((section("program_data"))) = 7;
static int zeroed __attribute__((section("program_bss")));

static int (*program)(void);

int
extension_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return program();
}

static const struct system_address far_away = {.address = {{10, 0, 0, 2}, 4}, .port = 80};
static const struct system_address beside = {.address = {{127, 0, 0, 1}, 4}, .port = 80};

static void
begin(uint64_t seed, const struct kernel_faults *faults)
{
    kernel_begin((struct dice){seed}, faults);
}

static const struct kernel_faults no_faults = {.buffer_bytes = 4096, .latency_us = 1000};

static enum kernel_end
run(int (*main_of_it)(void), int *status)
{
    static char name[] = "program";
    char *arguments[] = {name, NULL};

    program = main_of_it;
    return kernel_run(1, arguments, NULL, status);
}

/* Waits, with nothing to wait for, so that the world can act. */
static void
pause_ms(int ms)
{
    struct system_ready ready[1];
    int poller = system_poller();

    (void)system_wait(poller, ready, 1, ms);
    system_close(poller);
}

/* --- misuse ------------------------------------------------------------------------------------ */

static int
closes_twice(void)
{
    int file = system_poller();

    system_close(file);
    system_close(file);
    return 0;
}

static int
reads_closed(void)
{
    int file = system_signals();
    char byte;

    system_close(file);
    return (int)system_read(file, &byte, 1);
}

static int
reads_poller(void)
{
    char byte;

    return (int)system_read(system_poller(), &byte, 1);
}

static int
watches_closed(void)
{
    return system_watch(system_poller(), 9, SYSTEM_IN, NULL, false);
}

static int
watches_twice(void)
{
    int poller = system_poller(), file = system_signals();

    (void)system_watch(poller, file, SYSTEM_IN, NULL, false);
    return system_watch(poller, file, SYSTEM_IN, NULL, false);
}

static int
watches_again_at_first(void)
{
    return system_watch(system_poller(), system_signals(), SYSTEM_IN, NULL, true);
}

static int
sends_to_listener(void)
{
    uint16_t port = 0;

    return (int)system_send(system_listen(&port), SPAN("x"), false);
}

static int
unmaps_nothing(void)
{
    system_unmap(SPAN("x"));
    return 0;
}

static int
waits_for_ever(void)
{
    struct system_ready ready[1];

    return system_wait(system_poller(), ready, 1, -1);
}

static int
spins_asking(void)
{
    while (system_monotonic_ms() > 0)
        ;
    return 0;
}

static int
spins_waiting(void)
{
    struct system_ready ready[1];
    int poller = system_poller();

    while (system_wait(poller, ready, 1, 0) == 0)
        ;
    return 0;
}

/* Always ready, never read: the level triggers again and again. */
static int
spins_ready(void)
{
    struct system_ready ready[1];
    int poller = system_poller(), file = system_connect(SYSTEM_DATAGRAM, &far_away);

    (void)system_watch(poller, file, SYSTEM_OUT, NULL, false);
    while (system_wait(poller, ready, 1, -1) > 0)
        ;
    return 0;
}

static const struct {
    const char *name, *law;
    int (*main)(void);
} misuses[] = {
    {"a file closed twice", "misuse", closes_twice},
    {"a closed file read", "misuse", reads_closed},
    {"a poller read", "misuse", reads_poller},
    {"a closed file watched", "misuse", watches_closed},
    {"a file watched twice", "misuse", watches_twice},
    {"a file watched again at first", "misuse", watches_again_at_first},
    {"bytes sent to a listener", "misuse", sends_to_listener},
    {"something unmapped that is not mapped", "misuse", unmaps_nothing},
    {"a wait for nothing", "liveness", waits_for_ever},
    {"the time asked again and again", "spinning", spins_asking},
    {"waits of no time", "spinning", spins_waiting},
    {"readiness that is not used", "spinning", spins_ready},
};

static void
check_misuse(size_t i)
{
    int status;

    law[0] = '\0';
    begin(i, &no_faults);
    if (setjmp(broken) == 0)
        (void)run(misuses[i].main, &status);
    if (strncmp(law, misuses[i].law, strlen(misuses[i].law)) == 0)
        return;
    printf("NOT ok: %s: \"%s\", not %s\n", misuses[i].name, law, misuses[i].law);
    failed++;
}

/* --- runs -------------------------------------------------------------------------------------- */

static int
takes_all_files(void)
{
    int last = 0, file;

    while ((file = system_signals()) >= 0)
        last = file;
    return last == FILES_MAX - 1 && system_error() == EMFILE ? 0 : 1;
}

/* Finds all as it is at its start, and changes it. */
static int
changes_all(void)
{
    char *memory = system_memory(100000);
    bool fresh = counted == 7 && zeroed == 0 && memory[99999] == 0;

    counted = zeroed = 1;
    memset(memory, 1, 100000);
    return fresh ? 0 : 1;
}

static void
terminate(void *context)
{
    (void)context;
    kernel_signal(SIGTERM);
}

static int
holds_no_signals(void)
{
    kernel_at(kernel_us() + 1000, terminate, NULL);
    pause_ms(100);
    return 0;
}

static int
holds_signals(void)
{
    int file = system_signals();

    system_hold_signals(true);
    kernel_at(kernel_us() + 1000, terminate, NULL);
    pause_ms(100);
    return system_signal(file);
}

static void
end_it(void *context)
{
    (void)context;
    kernel_signal(SIGKILL);
}

static int
is_killed(void)
{
    system_hold_signals(true);
    kernel_at(kernel_us() + 1000, end_it, NULL);
    pause_ms(100);
    return 0;
}

static void
check_runs(void)
{
    int status;

    begin(1, &no_faults);
    expect("256 files at most", run(takes_all_files, &status) == KERNEL_EXITED && status == 0);
    for (int i = 0; i < 3; i++)
        expect("a run begins anew", run(changes_all, &status) == KERNEL_EXITED && status == 0);
    expect("SIGTERM ends it", run(holds_no_signals, &status) == KERNEL_KILLED && status == SIGTERM);
    expect("or is read", run(holds_signals, &status) == KERNEL_EXITED && status == SIGTERM);
    expect("SIGKILL ends it", run(is_killed, &status) == KERNEL_KILLED && status == SIGKILL);
}

/* --- freezes and clocks ------------------------------------------------------------------------ */

static struct {
    bool stops_monotonic, thawed;
    uint64_t monotonic_ms, wall_ms;
    int64_t set_ms;
} frozen;

static void
thawed(void *context)
{
    (void)context;
    frozen.thawed = true;
}

static void
freeze(void *context)
{
    (void)context;
    kernel_freeze(1000000, 3600000000, frozen.stops_monotonic, thawed, NULL);
    kernel_set_clock(frozen.set_ms);
}

static int
is_frozen(void)
{
    uint64_t monotonic = system_monotonic_ms(), wall = system_wall_ms();

    kernel_at(kernel_us() + 10000, freeze, NULL);
    pause_ms(100);
    frozen.monotonic_ms = system_monotonic_ms() - monotonic;
    frozen.wall_ms = system_wall_ms() - wall;
    return 0;
}

static bool
about(uint64_t ms, uint64_t wanted)
{
    return ms >= wanted && ms < wanted + 150;
}

static void
check_freezes(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        int status;

        memset(&frozen, 0, sizeof frozen);
        frozen.stops_monotonic = seed % 2 > 0;
        frozen.set_ms = seed % 3 > 0 ? 5000 : 0;
        begin(seed, &no_faults);
        (void)run(is_frozen, &status);
        expect("the freeze ends", frozen.thawed);
        expect("the wall clock goes on, and is set",
               about(frozen.wall_ms, 3600000u + (uint64_t)frozen.set_ms));
        expect("the monotonic clock stands still if it is to",
               about(frozen.monotonic_ms, frozen.stops_monotonic ? 0 : 3600000));
    }
}

/* --- snapshots --------------------------------------------------------------------------------- */

static struct peer *near_peer, *far_peer;
static unsigned gone_near, gone_far, seen_reset, seen_late, seen_silent;
static char heard[16];

static void
opened(void *context, struct peer *peer)
{
    *(struct peer **)context = peer;
}

static void
came(void *context, struct span bytes)
{
    (void)context;
    if (bytes.len < sizeof heard - strlen(heard))
        strncat(heard, bytes.p, bytes.len);
}

static void
nothing(void *context)
{
    (void)context;
}

static void
gone(void *context)
{
    ++*(context == &near_peer ? &gone_near : &gone_far);
}

static const struct peer_events hears = {opened, came, nothing, gone};

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events, void **peer_context)
{
    (void)peer;
    *events = &hears;
    *peer_context = context;
    return KERNEL_ACCEPT;
}

static void
ask_for_snapshot(void *context)
{
    (void)context;
    kernel_snapshot();
}

static void
answer(void *context)
{
    (void)context;
    peer_send(near_peer, SPAN("yes"));
}

/* What the far connection looks like in a copy. */
static void
look_far(int file)
{
    pause_ms(100);
    if ((system_look(file) & SYSTEM_ERROR) != 0) {
        seen_reset++;
        return;
    }
    (void)system_send(file, SPAN("x"), false);
    pause_ms(100);
    if ((system_look(file) & SYSTEM_ERROR) != 0)
        seen_late++;
    else
        seen_silent++;
}

static int
is_copied(void)
{
    int near = system_connect(SYSTEM_STREAM, &beside);
    int far = system_connect(SYSTEM_STREAM, &far_away);
    char *memory = system_memory(1 << 20);
    char text[] = "on the stack";
    char buffer[8] = "";
    uint64_t before, after;

    pause_ms(100);
    (void)system_send(near, SPAN("one?"), false);
    pause_ms(100);
    memory[1 << 19] = 1;
    counted = 8;
    before = system_monotonic_ms();
    kernel_at(kernel_us(), ask_for_snapshot, NULL);
    pause_ms(1000);
    /* only copies come here */
    after = system_monotonic_ms();
    if (memory[1 << 19] != 1 || memory[1] != 0 || counted != 8 || after < before ||
        strcmp(text, "on the stack") != 0)
        return 1;
    memory[1 << 19] = 2;
    counted = 9;
    text[0] = 'x';
    kernel_at(kernel_us() + 1000, answer, NULL);
    pause_ms(100);
    if (system_read(near, buffer, sizeof buffer) != 3 || memcmp(buffer, "yes", 3) != 0)
        return 2;
    look_far(far);
    return 0;
}

static void
check_copies(uint64_t seed)
{
    static const struct service near_service = {connecting, &near_peer};
    static const struct service far_service = {connecting, &far_peer};
    int status = -1;

    begin(seed, &no_faults);
    kernel_serve(&beside, &near_service);
    kernel_serve(&far_away, &far_service);
    gone_near = gone_far = 0;
    heard[0] = '\0';
    expect("a snapshot ends it", run(is_copied, &status) == KERNEL_KILLED && status == SIGKILL);
    expect("what was sent before came", strcmp(heard, "one?") == 0);
    expect("the near connection is kept", gone_near == 0 && gone_far == 1);
    for (unsigned i = 1; i <= 5; i++) {
        expect("a copy goes on", kernel_restore(&status) == KERNEL_EXITED);
        expect("as it was", status == 0);
        expect("the near connection ends with it", gone_near == i && gone_far == 1);
    }
}

/* --- datagrams --------------------------------------------------------------------------------- */

static unsigned in_order, out_of_order, lost_some;

static void
datagram_came(void *context, uint32_t from, struct span bytes)
{
    (void)context;
    kernel_answer_datagram(from, bytes);
}

static int
sends_datagrams(void)
{
    int file = system_connect(SYSTEM_DATAGRAM, &far_away);
    char last = 0;
    bool orderly = true;
    unsigned n = 0;

    for (const char *text = "aaabbbcccddd"; *text != '\0'; text += 3)
        (void)system_send(file, (struct span){text, 3}, false);
    pause_ms(100);
    for (char text[2]; system_read(file, text, 2) == 2; n++) {
        orderly = orderly && text[0] > last && text[1] == text[0];
        last = text[0];
    }
    lost_some += n < 4;
    in_order += n == 4 && orderly;
    out_of_order += n == 4 && !orderly;
    return 0;
}

static void
check_datagrams(void)
{
    static const struct kernel_faults faults = {.latency_us = 1000, .datagram_lost = 50};
    int status;

    for (uint64_t seed = 0; seed < 100; seed++) {
        begin(seed, &faults);
        kernel_serve_datagrams(&far_away, datagram_came, NULL);
        (void)run(sends_datagrams, &status);
    }
    expect("datagrams come, overtake each other, get lost",
           in_order > 0 && out_of_order > 0 && lost_some > 0);
}

int
main(void)
{
    for (size_t i = 0; i < sizeof misuses / sizeof *misuses; i++)
        check_misuse(i);
    if (setjmp(broken) != 0) {
        printf("NOT ok: %s\n", law);
        return 1;
    }
    check_runs();
    check_freezes();
    for (uint64_t seed = 0; seed < 20; seed++)
        check_copies(seed);
    expect("what is far is reset, or is when something is sent, or silent",
           seen_reset > 0 && seen_late > 0 && seen_silent > 0);
    check_datagrams();
    printf("%u failed\n", failed);
    return failed > 0;
}
