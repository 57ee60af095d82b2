/*
 * Lives, each from one seed, against laws: of the delivery machine (laws.h), or of the whole program.
 *
 *   simulate                      new seeds on all CPUs for 5 seconds
 *   simulate SECONDS [SEED]       so long, from this seed on
 *   simulate --seeds FILE         the seeds of a file alone: one a line, the rest of which tells of it
 *   simulate --life SEED          one life, told line by line
 *   simulate --hash SEED [LIVES]  of all orders of so many lives: the same in every build
 *
 * Status 1 when a law is broken: its seed, the law and the life go to standard output, made as small as the
 * law is still broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lives.h"

enum { CPUS_MAX = 64, LIVES_A_LOOK = 16, HALVES_MAX = 10 };

/* What the processes of one run have in common. */
struct shared {
    uint64_t lives[CPUS_MAX], used_us[CPUS_MAX];
    uint64_t tls_lives[CPUS_MAX], tls_used_us[CPUS_MAX]; /* of these, over TLS */
    uint64_t events[CPUS_MAX], calls[CPUS_MAX], faults[CPUS_MAX], simulated_ms[CPUS_MAX];
    uint64_t snapshots[CPUS_MAX], copies[CPUS_MAX];
    uint64_t seed[CPUS_MAX]; /* of the life that is lived */
    bool found[CPUS_MAX];    /* it breaks a law */
};

static uint64_t
now_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Whether the life, with less, breaks the same law: what stands before the colon. */
static bool
breaks(uint64_t seed, const struct lives_less *less, const char *law)
{
    struct lives_result result;

    lives_live(seed, less, false, &result);
    return result.broken != NULL && strncmp(result.broken, law, strcspn(law, ":")) == 0;
}

/* Takes away faults and events as long as the law is broken without them. */
static struct lives_less
shrink(uint64_t seed, const char *law)
{
    struct lives_less less = {0};

    for (unsigned i = 0; i < lives_faults; i++) {
        less.without |= 1ull << i;
        if (!breaks(seed, &less, law))
            less.without &= ~(1ull << i);
    }
    do
        less.halved++;
    while (less.halved < HALVES_MAX && breaks(seed, &less, law));
    less.halved--;
    return less;
}

/* Tells a life aloud. */
static void
tell(uint64_t seed, const struct lives_less *less)
{
    struct lives_result result;

    printf("seed %llu\n", (unsigned long long)seed);
    lives_live(seed, less, true, &result);
    if (result.broken != NULL)
        printf("broken: %s\n", result.broken);
    fflush(stdout);
}

/* A life that broke this law, or ended its process, is told once more. */
static void
tell_broken(uint64_t seed)
{
    struct lives_less less = {0};
    struct lives_result result;
    char law[256];
    pid_t child;
    int status = 0;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        lives_live(seed, &less, false, &result);
        snprintf(law, sizeof law, "%s", result.broken != NULL ? result.broken : "");
        if (result.broken != NULL)
            less = shrink(seed, law);
        if (less.without != 0 || less.halved > 0)
            printf("without the faults %llx, events halved %u times:\n",
                   (unsigned long long)less.without, less.halved);
        tell(seed, &less);
        _exit(0);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
        tell(seed, &(struct lives_less){0});
}

/* One life. Returns whether all laws held. */
static bool
one(uint64_t seed, struct shared *s, unsigned cpu)
{
    struct lives_result result;
    uint64_t before = now_us(CLOCK_PROCESS_CPUTIME_ID), used;

    s->seed[cpu] = seed;
    lives_live(seed, &(struct lives_less){0}, false, &result);
    used = now_us(CLOCK_PROCESS_CPUTIME_ID) - before;
    s->lives[cpu]++;
    s->used_us[cpu] += used;
    s->tls_lives[cpu] += result.tls;
    s->tls_used_us[cpu] += result.tls ? used : 0;
    s->events[cpu] += result.events;
    s->calls[cpu] += result.calls;
    s->faults[cpu] += result.faults;
    s->simulated_ms[cpu] += result.simulated_ms;
    s->snapshots[cpu] += result.copies > 0;
    s->copies[cpu] += result.copies;
    s->found[cpu] = result.broken != NULL;
    return result.broken == NULL;
}

/* One broken law is enough. */
static bool
found_any(const struct shared *s, unsigned cpus)
{
    for (unsigned i = 0; i < cpus; i++)
        if (s->found[i])
            return true;
    return false;
}

static void
run(struct shared *s, unsigned cpu, unsigned cpus, uint64_t seed, uint64_t until_us)
{
    for (uint64_t i = cpu;; i += cpus) {
        if (!one(seed + i, s, cpu))
            return;
        if (s->lives[cpu] % LIVES_A_LOOK == 0 &&
            (found_any(s, cpus) || now_us(CLOCK_MONOTONIC) >= until_us))
            return;
    }
}

static uint64_t
sum(const uint64_t *numbers, unsigned len)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < len; i++)
        n += numbers[i];
    return n;
}

static unsigned long long
a_second(uint64_t lives, uint64_t used_us)
{
    return lives * 1000000 / (used_us + 1);
}

static void
sum_up(const struct shared *s, unsigned cpus)
{
    uint64_t lives = sum(s->lives, cpus), some = lives + !lives, used = sum(s->used_us, cpus);
    uint64_t tls = sum(s->tls_lives, cpus), tls_used = sum(s->tls_used_us, cpus);

    printf("%llu lives, %llu a second of processor time", (unsigned long long)lives,
           a_second(lives, used));
    if (tls > 0)
        printf(" (%llu without TLS, %llu with it)", a_second(lives - tls, used - tls_used),
               a_second(tls, tls_used));
    printf("; each %llu events, %llu calls, %llu faults; %.1f simulated hours a second\n",
           (unsigned long long)(sum(s->events, cpus) / some),
           (unsigned long long)(sum(s->calls, cpus) / some),
           (unsigned long long)(sum(s->faults, cpus) / some),
           (double)sum(s->simulated_ms, cpus) * 1000 / (double)(used + 1) / 3600);
    if (sum(s->snapshots, cpus) > 0)
        printf("%llu snapshots, %llu copies of them\n", (unsigned long long)sum(s->snapshots, cpus),
               (unsigned long long)sum(s->copies, cpus));
}

static int
run_new(unsigned seconds, uint64_t seed)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cpus = online < 1 ? 1 : (online > CPUS_MAX ? CPUS_MAX : (unsigned)online);
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t until = now_us(CLOCK_MONOTONIC) + seconds * 1000000ull;
    pid_t pids[CPUS_MAX];
    int failed = 0;

    if (s == MAP_FAILED)
        return 2;
    printf("seeds from %llu on, for %u seconds\n", (unsigned long long)seed, seconds);
    fflush(stdout);
    for (unsigned i = 0; i < cpus; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return 2;
        if (pids[i] == 0) {
            run(s, i, cpus, seed, until);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < cpus; i++) {
        int status = 0;

        /* a check of the machine's own ends its process */
        if (waitpid(pids[i], &status, 0) < 0 || status != 0)
            s->found[i] = true;
    }
    sum_up(s, cpus);
    for (unsigned i = 0; i < cpus && failed == 0; i++)
        if (s->found[i]) {
            failed = 1;
            tell_broken(s->seed[i]);
        }
    return failed;
}

static int
run_kept(const char *file)
{
    FILE *f = fopen(file, "r");
    char line[512];
    unsigned passed = 0, failed = 0;

    if (f == NULL) {
        perror(file);
        return 2;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        struct lives_result result;
        char *end;
        uint64_t seed = strtoull(line, &end, 10);

        if (end == line)
            continue;
        lives_live(seed, &(struct lives_less){0}, false, &result);
        passed += result.broken == NULL;
        failed += result.broken != NULL;
        if (result.broken != NULL) {
            printf("kept:%s", end);
            tell_broken(seed);
        }
    }
    fclose(f);
    printf("kept seeds: %u passed, %u failed\n", passed, failed);
    return failed > 0;
}

static int
print_hash(uint64_t seed, uint64_t lives)
{
    uint64_t hash = 0;

    for (uint64_t i = 0; i < lives; i++) {
        struct lives_result result;

        lives_live(seed + i, &(struct lives_less){0}, false, &result);
        if (result.broken != NULL) {
            tell_broken(seed + i);
            return 1;
        }
        hash = (hash ^ result.hash) * 0x100000001b3;
    }
    printf("%016llx\n", (unsigned long long)hash);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "5";
    uint64_t second = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (strcmp(first, "--seeds") == 0 && argc == 3)
        return run_kept(argv[2]);
    if (strcmp(first, "--life") == 0 && argc == 3) {
        tell(second, &(struct lives_less){0});
        return 0;
    }
    if (strcmp(first, "--hash") == 0 && argc > 2)
        return print_hash(second, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
    if (first[0] == '-' || argc > 3) {
        fputs(
            "usage: simulate [SECONDS] [SEED] | --seeds FILE | --life SEED | --hash SEED [LIVES]\n",
            stderr);
        return 2;
    }
    return run_new((unsigned)strtoul(first, NULL, 10),
                   argc > 2 ? second : now_us(CLOCK_REALTIME) / 1000 * 1000);
}
