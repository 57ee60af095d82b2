/* see child.h */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

static volatile pid_t running;

static void
kill_it(void)
{
    if (running > 0)
        kill(running, SIGKILL);
}

/* vfork: what the host has in memory does not slow down the start. */
void
child_start(struct child *c, const char *program, char *const *environment, const char *log,
            int cpu)
{
    char *arguments[] = {strdup(program), NULL};
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (output < 0 || input < 0)
        die("%s: %s", log, strerror(errno));
    before_leaving = kill_it;
    c->start_ns = now_ns();
    c->pid = vfork();
    if (c->pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin_to(cpu);
        dup2(input, 0);
        dup2(output, 1);
        dup2(output, 2);
        execve(program, arguments, environment);
        _exit(127);
    }
    if (c->pid < 0)
        die("vfork: %s", strerror(errno));
    running = c->pid;
    close(output);
    close(input);
    free(arguments[0]);
}

bool
child_ended(const struct child *c)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

void
child_wait(struct child *c)
{
    while (wait4(c->pid, &c->status, 0, &c->usage) < 0)
        if (errno != EINTR)
            die("wait4: %s", strerror(errno));
    c->end_ns = now_ns();
    running = 0;
}

double
child_cpu_s(const struct child *c)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        die("no CPU clock of the extension");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
kilobytes(const struct child *c, const char *file, const char *name)
{
    char path[64], line[256];
    long value = -1;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)c->pid, file);
    FILE *f = fopen(path, "r");
    if (!f)
        die("%s: %s", path, strerror(errno));
    while (value < 0 && fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    fclose(f);
    return value;
}

long
child_peak_kb(const struct child *c)
{
    return kilobytes(c, "status", "VmHWM:");
}

long
child_resident_kb(const struct child *c)
{
    return kilobytes(c, "smaps_rollup", "Rss:");
}
