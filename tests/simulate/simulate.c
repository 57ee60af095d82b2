/*
 * Lives of the delivery machine, each from one seed, against laws (laws.h).
 *
 *   simulate                      new seeds on all CPUs for 5 seconds
 *   simulate SECONDS [SEED]       so long, from this seed on
 *   simulate --seeds FILE         the seeds of a file alone: one a line, the rest of which tells of it
 *   simulate --life SEED          one life, told line by line
 *   simulate --hash SEED [LIVES]  of all orders of so many lives: the same in every build
 *
 * Status 1 when a law is broken: its seed, the law and the life go to standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "life.h"

enum { CPUS_MAX = 64, LIVES_A_LOOK = 64 };

/* What the processes of one run have in common. */
struct shared {
    uint64_t lives[CPUS_MAX];
    uint64_t events[CPUS_MAX], calls[CPUS_MAX], faults[CPUS_MAX];
    uint64_t seed[CPUS_MAX]; /* of the life that is lived */
    bool found[CPUS_MAX];    /* it breaks a law */
};

static uint64_t
now_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Tells a life again, this time aloud. */
static void
tell(uint64_t seed)
{
    struct life_result result;

    printf("seed %llu\n", (unsigned long long)seed);
    life_live(seed, true, &result);
    if (result.broken != NULL)
        printf("broken: %s\n", result.broken);
    fflush(stdout);
}

/* One life. Returns whether all laws held. */
static bool
one(uint64_t seed, struct shared *s, unsigned cpu)
{
    struct life_result result;

    s->seed[cpu] = seed;
    life_live(seed, false, &result);
    s->lives[cpu]++;
    s->events[cpu] += result.events;
    s->calls[cpu] += result.calls;
    s->faults[cpu] += result.faults;
    s->found[cpu] = result.broken != NULL;
    return result.broken == NULL;
}

static void
run(struct shared *s, unsigned cpu, unsigned cpus, uint64_t seed, uint64_t until_ms)
{
    for (uint64_t i = cpu;; i += cpus) {
        if (!one(seed + i, s, cpu))
            return;
        if (s->lives[cpu] % LIVES_A_LOOK == 0 && now_ms(CLOCK_MONOTONIC) >= until_ms)
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

/* Processor time of the lives, in milliseconds. */
static uint64_t
used_ms(void)
{
    struct rusage r;

    if (getrusage(RUSAGE_CHILDREN, &r) != 0)
        return 0;
    return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
           (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

static void
sum_up(const struct shared *s, unsigned cpus)
{
    uint64_t lives = sum(s->lives, cpus);

    printf(
        "%llu lives, %llu a second of processor time; each %llu events, %llu calls, %llu faults\n",
        (unsigned long long)lives, (unsigned long long)(lives * 1000 / (used_ms() + 1)),
        (unsigned long long)(sum(s->events, cpus) / (lives + !lives)),
        (unsigned long long)(sum(s->calls, cpus) / (lives + !lives)),
        (unsigned long long)(sum(s->faults, cpus) / (lives + !lives)));
}

static int
run_new(unsigned seconds, uint64_t seed)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cpus = online < 1 ? 1 : (online > CPUS_MAX ? CPUS_MAX : (unsigned)online);
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t until = now_ms(CLOCK_MONOTONIC) + seconds * 1000ull;
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
            tell(s->seed[i]);
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
        struct life_result result;
        char *end;
        uint64_t seed = strtoull(line, &end, 10);

        if (end == line)
            continue;
        life_live(seed, false, &result);
        passed += result.broken == NULL;
        failed += result.broken != NULL;
        if (result.broken != NULL) {
            printf("kept:%s", end);
            tell(seed);
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
        struct life_result result;

        life_live(seed + i, false, &result);
        if (result.broken != NULL) {
            tell(seed + i);
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
        tell(second);
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
                   argc > 2 ? second : now_ms(CLOCK_REALTIME) * 1000);
}
