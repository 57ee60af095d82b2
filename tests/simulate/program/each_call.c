/*
 * Each system call of a life fails once, with each error that it can have by its manual: what the program may then do
 * wrong is in a table, and everywhere else all laws hold. The lives are the first ones that make calls from where
 * none before them did.
 *
 *   each_call [FIRST [SEEDS]]             of the lives from this seed on, so many; of 100 from 1 on
 *   each_call --life SEED CALL VARIANT    one life with its failure, told line by line
 *
 * Status 1 when a life breaks a law that it may not break.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lives.h"
#include "kernel.h"

enum { SEEDS = 100, CALLS_MAX = 6000, SITES_MAX = 512, LIVES_MAX = 64, CPUS_MAX = 64 };

/* What a failing call excuses: a law that begins like this. */
static const struct {
    const char *call, *law, *why;
} allowed[] = {
    {"system_poller", "standard error: ", "before register it says so on standard error"},
    {"system_poller", "exit: with 2", "before register it may end with status 2"},
    {"system_memory", "subscribe: not done", "no memory: it says so and goes on without telemetry"},
    {"system_wait", "exit: with 1", "nothing can be waited for: it ends with status 1"},
    {"system_print", "ledger: none at the end", "a line that cannot be printed is lost"},
};

enum { ALLOWED = sizeof allowed / sizeof *allowed };

/* What the processes have in common. */
static struct shared {
    uint64_t lives[CPUS_MAX], excused[CPUS_MAX][ALLOWED], broken[CPUS_MAX];
    /* of the life that a process lives */
    struct at {
        unsigned life;
        uint64_t call;
        unsigned variant;
    } at[CPUS_MAX];
} * shared;

static uint64_t seeds[LIVES_MAX];
static uint64_t calls_of[LIVES_MAX];
static unsigned seeds_len;

static uint32_t sites[SITES_MAX];
static unsigned sites_len;

static const struct lives_less all = {0};

/* --- which lives ------------------------------------------------------------------------------- */

static bool
is_new(uint32_t site)
{
    for (unsigned i = 0; i < sites_len; i++)
        if (sites[i] == site)
            return false;
    if (sites_len == SITES_MAX)
        abort();
    sites[sites_len++] = site;
    return true;
}

/* A life that is long would take long, once for each of its calls. */
static void
consider(uint64_t seed)
{
    struct lives_result result;
    bool any = false;

    lives_live(seed, &all, false, &result);
    if (result.broken != NULL || kernel_calls() > CALLS_MAX || result.events > 2000)
        return;
    for (uint64_t call = 1; call <= kernel_calls(); call++)
        any = is_new(kernel_call_site(call)) || any;
    if (!any)
        return;
    if (seeds_len == LIVES_MAX)
        abort();
    calls_of[seeds_len] = kernel_calls();
    seeds[seeds_len++] = seed;
}

/* --- lives that fail --------------------------------------------------------------------------- */

static bool
excused(unsigned cpu, const char *call, const char *law)
{
    for (unsigned i = 0; i < ALLOWED; i++)
        if (strcmp(allowed[i].call, call) == 0 &&
            strncmp(allowed[i].law, law, strlen(allowed[i].law)) == 0) {
            shared->excused[cpu][i]++;
            return true;
        }
    return false;
}

static void
tell(const struct at *at, const char *call, const char *law)
{
    printf("each_call --life %llu %llu %u (%s): %s\n", (unsigned long long)seeds[at->life],
           (unsigned long long)at->call, at->variant, call, law);
    fflush(stdout);
}

/* Returns how many errors this call may have. */
static unsigned
fail(unsigned cpu, const struct at *at)
{
    struct lives_result result;
    const char *name;

    kernel_fail(&(struct kernel_failure){at->call, at->variant});
    lives_live(seeds[at->life], &all, false, &result);
    name = kernel_call_name(at->call);
    shared->lives[cpu]++;
    if (result.broken != NULL && !excused(cpu, name, result.broken)) {
        shared->broken[cpu]++;
        tell(at, name, result.broken);
    }
    return kernel_variants(at->call);
}

/* This process' share of the calls, from a failure on. */
static void
go_on(unsigned cpu, unsigned cpus, struct at from)
{
    struct at *at = &shared->at[cpu];

    *at = from;
    while (at->life < seeds_len) {
        if (at->call > calls_of[at->life]) {
            *at = (struct at){.life = at->life + 1, .call = 1 + cpu};
        } else if (at->variant + 1 < fail(cpu, at)) {
            at->variant++;
        } else {
            at->call += cpus;
            at->variant = 0;
        }
    }
}

/* A process that ends where it must not is followed by one that goes on behind that. */
static void
share(unsigned cpu, unsigned cpus)
{
    struct at from = {.call = 1 + cpu};

    for (;;) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            go_on(cpu, cpus, from);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            abort();
        if (status == 0)
            return;
        shared->broken[cpu]++;
        tell(&shared->at[cpu], "?", "the process ended");
        from = shared->at[cpu];
        from.variant++;
    }
}

/* --- all --------------------------------------------------------------------------------------- */

static uint64_t
sum(const uint64_t *numbers)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < CPUS_MAX; i++)
        n += numbers[i];
    return n;
}

static void
sum_up(void)
{
    printf("%u places that call, %u lives, %llu failures", sites_len, seeds_len,
           (unsigned long long)sum(shared->lives));
    for (unsigned i = 0; i < ALLOWED; i++) {
        uint64_t n = 0;

        for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
            n += shared->excused[cpu][i];
        printf("\n  %llu of %s: %s", (unsigned long long)n, allowed[i].call, allowed[i].why);
    }
    printf("\n%llu break a law that they may not break\n", (unsigned long long)sum(shared->broken));
}

static int
sweep(uint64_t first, uint64_t count)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cpus = online < 1 ? 1 : (online > CPUS_MAX ? CPUS_MAX : (unsigned)online);
    pid_t pids[CPUS_MAX];
    int status;

    for (uint64_t i = 0; i < count; i++)
        consider(first + i);
    for (unsigned i = 0; i < cpus; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return 2;
        if (pids[i] == 0) {
            share(i, cpus);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < cpus; i++)
        if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
            shared->broken[i]++;
    sum_up();
    return sum(shared->broken) > 0;
}

static uint64_t
number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int
main(int argc, char **argv)
{
    struct lives_result result;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (argc == 5 && strcmp(argv[1], "--life") == 0) {
        kernel_fail(&(struct kernel_failure){number(argv[3]), (unsigned)number(argv[4])});
        lives_live(number(argv[2]), &all, true, &result);
        return result.broken != NULL;
    }
    if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
        fputs("usage: each_call [FIRST [SEEDS]] | --life SEED CALL VARIANT\n", stderr);
        return 2;
    }
    return sweep(argc > 1 ? number(argv[1]) : 1, argc > 2 ? number(argv[2]) : SEEDS);
}
