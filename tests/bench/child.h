#ifndef CHILD_H
#define CHILD_H
/*
 * The extension as a process: started as Lambda starts it, watched, ended.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    int64_t start_ns; /* just before it was made */

    /* once it has ended */
    int64_t end_ns;
    int status; /* as of wait */
    struct rusage usage;
};

/*
 * environment  as of execve.
 * log          file that its output is added to.
 * cpu          the only one it runs on; -1: any.
 *
 * Should the host leave before it, it is killed.
 */
void child_start(struct child *c, const char *program, char *const *environment, const char *log,
                 int cpu);

/* Whether it has ended by itself; it can still be waited for. */
bool child_ended(const struct child *c);

/* Waits for its end. */
void child_wait(struct child *c);

/* Seconds of CPU that all its threads have used. */
double child_cpu_s(const struct child *c);

/* Kilobytes: the peak of resident memory, and what is resident now, by the page tables. */
long child_peak_kb(const struct child *c);
long child_resident_kb(const struct child *c);

#endif
