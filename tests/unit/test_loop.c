#include "io/loop.h"

#include "check.h"

#include <string.h>

/*
 * Turns as they are played: a wait reports these files, and by then so much time has passed by either clock; or more,
 * if it reports none and a signal did not end it.
 */
struct play {
    const char *ready; /* names of watches; "!": none, a signal; NULL: the end */
    uint64_t ms, wall_ms;
};

enum { BETWEEN_CLOCKS_MS = 1000000, TURNS = 8 };

static uint64_t now_ms, now_wall_ms;
static const struct play *playing;
static char happened[32]; /* names of watches and timers, `,` between turns */
static bool waited;       /* since something happened */

struct one {
    struct loop_watch watch;
    struct loop_timer timer;
    char name;
};

static struct loop loop;
static struct one ones[2];

uint64_t
system_monotonic_ms(void)
{
    return now_ms;
}

uint64_t
system_wall_ms(void)
{
    return now_wall_ms;
}

int
system_poller(void)
{
    return 3;
}

int
system_watch(int poller, int file, uint32_t events, void *tag, bool watched)
{
    (void)poller, (void)file, (void)events, (void)tag, (void)watched;
    return 0;
}

void
system_close(int file)
{
    (void)file;
}

static void
happens(char name)
{
    size_t len = strlen(happened);

    if (len + 2 >= sizeof happened)
        return;
    if (waited && len > 0)
        happened[len++] = ',';
    happened[len] = name;
    waited = false;
}

int
system_wait(int poller, struct system_ready *ready, int max, int ms)
{
    const struct play *p = playing++;
    int n = 0;

    (void)poller, (void)max;
    waited = true;
    if (p->ready == NULL) {
        loop.stopped = true;
        return 0;
    }
    for (const char *name = p->ready; *name >= 'a'; name++)
        ready[n++] = (struct system_ready){.tag = &ones[*name - 'a'].watch};
    /* nothing came: the wait was as long as it should have been, at least */
    if (*p->ready == '\0' && ms > 0) {
        now_ms += (uint64_t)ms;
        now_wall_ms += (uint64_t)ms;
    }
    now_ms += p->ms;
    now_wall_ms += p->wall_ms;
    return n;
}

static void
is_ready(void *context, uint32_t events)
{
    (void)events;
    happens(((struct one *)context)->name);
}

static void
fires(void *context)
{
    happens((char)(((struct one *)context)->name - 'a' + 'A'));
}

static void
begin(bool awake)
{
    now_ms = 1000;
    now_wall_ms = now_ms + BETWEEN_CLOCKS_MS;
    memset(happened, 0, sizeof happened);
    (void)loop_open(&loop);
    for (size_t i = 0; i < LEN(ones); i++) {
        ones[i] = (struct one){.watch = {.fd = -1, .ready = is_ready, .context = &ones[i]},
                               .timer = {.fire = fires, .context = &ones[i]},
                               .name = (char)('a' + i)};
        (void)loop_watch(&loop, &ones[i].watch, (int)i, SYSTEM_IN);
        loop_add_timer(&loop, &ones[i].timer);
    }
    ones[0].timer.awake = awake;
    loop_set(&loop, &ones[0].timer, 500);
}

/* What has arrived is read before what seems overdue: a timer that waits for a peer, `A`, and the peer's file, `a`. */
static void
freezes(void **state)
{
    static const struct {
        const char *name;
        bool awake;
        struct play turns[TURNS];
        const char *want;
        unsigned thaws;
    } rows[] = {
        {"nothing comes", true, {{"", 0, 0}, {"", 0, 0}}, "A", 0},
        {"it comes in time", true, {{"a", 499, 499}}, "a", 0},
        {"it comes when time is up", true, {{"", 0, 0}, {"a", 0, 0}}, "aA", 0},
        {"another comes, then nothing", true, {{"b", 499, 499}, {"", 0, 0}, {"", 0, 0}}, "b,A", 0},
        /* shorter than what is taken for a freeze: between the wait and the clock, and in a wait that it ends */
        {"frozen behind the wait", true, {{"b", 564, 564}, {"a", 0, 0}}, "b,aA", 0},
        {"frozen behind the wait, nothing came", true, {{"b", 564, 564}, {"", 0, 0}}, "b,A", 0},
        {"frozen in the wait", true, {{"!", 564, 564}, {"a", 0, 0}}, "aA", 0},
        {"frozen in the wait, nothing came", true, {{"!", 564, 564}, {"", 0, 0}}, "A", 0},
        {"frozen for long", true, {{"b", 5000, 5000}, {"a", 0, 0}}, "b,aA", 1},
        {"frozen, the wall clock alone went on", true, {{"b", 0, 5000}, {"a", 0, 0}}, "b,a", 1},

        {"a timer for anything else", false, {{"", 0, 0}}, "A", 0},
        {"frozen with such a timer", false, {{"b", 564, 564}, {"a", 0, 0}}, "bA,a", 0},
        {"frozen for long with it", false, {{"b", 5000, 5000}, {"a", 0, 0}}, "bA,a", 1},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        begin(rows[i].awake);
        playing = rows[i].turns;
        CHECK_INT(rows[i].name, loop_run(&loop), 0);
        CHECK_SPAN(rows[i].name, span_of(happened), span_of(rows[i].want));
        CHECK_INT(rows[i].name, loop.thaws, rows[i].thaws);
    }
}

/* Within a turn it is noticed by who looks for it, and not once more by the next one. */
static void
within_a_turn(void **state)
{
    static const struct play turns[] = {{"b", 0, 0}, {"a", 0, 0}, {NULL, 0, 0}};

    (void)state;
    for (unsigned long_one = 0; long_one < 2; long_one++) {
        begin(true);
        now_ms += long_one ? 5000 : 200;
        now_wall_ms += long_one ? 5000 : 200;
        loop_look(&loop);
        assert_int_equal(loop.thaws, long_one);
        assert_int_equal(loop.now.ms, now_ms);
        playing = turns;
        assert_int_equal(loop_run(&loop), 0);
        assert_int_equal(loop.thaws, long_one);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(freezes),
        cmocka_unit_test(within_a_turn),
    };

    return RUN(argc, argv, tests);
}
