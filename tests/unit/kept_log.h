#ifndef KEPT_LOG_H
#define KEPT_LOG_H
/*
 * Log lines of the code under test: from keep_log to kept_log standard output is a file in memory.
 * Nothing may fail in between, since cmocka says so on standard output.
 */
#include "protocol/span.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int kept_output, kept_file;

static inline void
keep_log(void)
{
    fflush(stdout);
    kept_output = dup(STDOUT_FILENO);
    kept_file = memfd_create("log", MFD_CLOEXEC);
    dup2(kept_file, STDOUT_FILENO);
}

/* All that was logged, valid until the next call. */
static inline struct span
kept_log(void)
{
    static char text[16384];
    ssize_t n;

    dup2(kept_output, STDOUT_FILENO);
    n = pread(kept_file, text, sizeof text, 0);
    close(kept_output);
    close(kept_file);
    return (struct span){text, n < 0 ? 0 : (size_t)n};
}

/* The next line, from its level on, without what stands before; an empty span behind the last. */
static inline struct span
next_log_line(struct span *log)
{
    static const char level[] = "\"level\":";
    struct span line = span_cut(*log, '\n', log);
    const char *at = line.len == 0 ? NULL : memmem(line.p, line.len, level, sizeof level - 1);

    return at == NULL ? line : span_skip(line, (size_t)(at - line.p));
}

#endif
