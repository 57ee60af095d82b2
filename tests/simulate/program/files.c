#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "streams.h"

/* The program's files: numbers, readiness, what is read from those that are no sockets. see kernel_parts.h */

enum { SMALL_MAX = 16 };

struct process process;

/* Those that system_open finds. */
static struct {
    const char *path;
    struct span bytes;
} small[SMALL_MAX];
static unsigned small_len;

/* What is mapped, each a copy that is freed when it is unmapped, so that nobody reads it later unseen. */
enum { MAPPED_MAX = 4 };
static char *mapped[MAPPED_MAX];

void
files_begin(void)
{
    small_len = 0;
    for (unsigned i = 0; i < MAPPED_MAX; i++) {
        free(mapped[i]);
        mapped[i] = NULL;
    }
}

void
kernel_file(const char *path, struct span bytes)
{
    for (unsigned i = 0; i < small_len; i++)
        if (strcmp(small[i].path, path) == 0) {
            small[i].bytes = bytes;
            return;
        }
    if (small_len == SMALL_MAX)
        world_break("the simulated system has room for %d files", SMALL_MAX);
    small[small_len].path = path;
    small[small_len++].bytes = bytes;
}

/* --- numbers ----------------------------------------------------------------------------------- */

int
file_error(int error, int result)
{
    process.error = error;
    return result;
}

struct file *
file_of(int number, enum file_kind kind, const char *call)
{
    struct file *f;

    if (number < 0 || number >= process.files_top || process.files[number].kind == FILE_NONE)
        world_break("misuse: %s of file %d, which is not open", call, number);
    f = &process.files[number];
    if (kind != FILE_NONE && f->kind != kind)
        world_break("misuse: %s of file %d, which is of another kind", call, number);
    return f;
}

int
file_new(enum file_kind kind)
{
    int number = FILES_FIRST;

    while (number < process.files_top && process.files[number].kind != FILE_NONE)
        number++;
    if (number == FILES_MAX)
        return file_error(EMFILE, ERR_IO);
    memset(&process.files[number], 0, sizeof *process.files);
    process.files[number].kind = kind;
    if (number >= process.files_top)
        process.files_top = number + 1;
    if (++kernel.figures.files > kernel.figures.files_most)
        kernel.figures.files_most = kernel.figures.files;
    return number;
}

int
file_undo(int number, int error)
{
    process.files[number].kind = FILE_NONE;
    kernel.figures.files--;
    return file_error(error, ERR_IO);
}

/* A closed poller watches nothing any more. */
static void
unwatch_all(int poller)
{
    for (int i = FILES_FIRST; i < process.files_top; i++)
        if (process.files[i].poller == poller)
            process.files[i].poller = 0;
}

void
system_close(int file)
{
    struct file *f;

    kernel_enter();
    f = file_of(file, FILE_NONE, "system_close");
    if (f->kind == FILE_STREAM)
        stream_close(f->stream);
    else if (f->kind == FILE_DATAGRAM)
        datagram_close(&f->datagram);
    else if (f->kind == FILE_LISTENER)
        listener_end(f->listener);
    else if (f->kind == FILE_POLLER)
        unwatch_all(file);
    f->kind = FILE_NONE;
    f->poller = 0;
    kernel.figures.files--;
}

int
system_error(void)
{
    return process.error;
}

/* --- readiness --------------------------------------------------------------------------------- */

uint32_t
file_look(const struct file *f)
{
    switch (f->kind) {
    case FILE_STREAM:
        return stream_look(f->stream);
    case FILE_DATAGRAM:
        return SYSTEM_OUT | (f->datagram.first != NULL ? SYSTEM_IN : 0) |
               (f->datagram.error != 0 ? SYSTEM_ERROR : 0);
    case FILE_LISTENER:
        return f->listener->len > 0 ? SYSTEM_IN : 0;
    case FILE_SIGNALS:
        return process.signals != 0 ? SYSTEM_IN : 0;
    case FILE_SMALL:
        return SYSTEM_IN | SYSTEM_OUT;
    case FILE_POLLER:
    case FILE_NONE:
    default:
        return 0;
    }
}

uint32_t
system_look(int file)
{
    int result;

    kernel_enter();
    (void)file_of(file, FILE_NONE, "system_look");
    if (sweep_fails(CALL_LOOK, &result))
        return (uint32_t)result;
    return file_look(&process.files[file]);
}

int
system_poller(void)
{
    int result;

    kernel_enter();
    return sweep_fails(CALL_POLLER, &result) ? result : file_new(FILE_POLLER);
}

int
system_watch(int poller, int file, uint32_t events, void *tag, bool watched)
{
    struct file *f;
    int result;

    kernel_enter();
    (void)file_of(poller, FILE_POLLER, "system_watch");
    f = file_of(file, FILE_NONE, "system_watch");
    if ((events & ~(uint32_t)(SYSTEM_IN | SYSTEM_OUT)) != 0)
        world_break("misuse: file %d is watched for events %x", file, events);
    if (watched != (f->poller == poller))
        world_break("misuse: file %d is %s watched already", file, watched ? "not" : "");
    if (f->kind == FILE_SMALL)
        return file_error(EPERM, ERR_IO);
    if (sweep_fails(CALL_WATCH, &result))
        return result;
    f->poller = poller;
    f->events = events;
    f->tag = tag;
    return 0;
}

/* Fills ready[0..max) with those that are ready; which of them, and in which order, is left to chance. */
static int
collect(int poller, struct system_ready *ready, int max)
{
    struct system_ready all[FILES_MAX];
    int len = 0;

    for (int i = FILES_FIRST; i < process.files_top; i++) {
        const struct file *f = &process.files[i];
        uint32_t events;

        if (f->kind == FILE_NONE || f->poller != poller)
            continue;
        events = file_look(f) & (f->events | SYSTEM_ERROR | SYSTEM_HANGUP);
        if (events != 0)
            all[len++] = (struct system_ready){.tag = f->tag, .events = events};
    }
    for (int i = 0; i < len && i < max; i++) {
        int other = len - i > 1 ? i + (int)dice_below(&kernel.dice, (uint32_t)(len - i)) : i;

        ready[i] = all[other];
        all[other] = all[i];
    }
    return len < max ? len : max;
}

/* How much later than asked for a wait ends: little, unless the machine is busy. */
static uint64_t
slack_us(void)
{
    return dice_below(&kernel.dice, dice_below(&kernel.dice, 64) == 0 ? 20000 : 300);
}

int
system_wait(int poller, struct system_ready *ready, int max, int ms)
{
    uint64_t until = UINT64_MAX;
    int result;

    kernel_enter();
    kernel.figures.waits++;
    kernel.idle_waits++;
    (void)file_of(poller, FILE_POLLER, "system_wait");
    if (max <= 0)
        world_break("misuse: a wait that has no room for what is ready");
    if (sweep_fails(CALL_WAIT, &result))
        return result;
    if (ms >= 0)
        until = kernel_monotonic_us() + (uint64_t)ms * 1000 + (ms > 0 ? slack_us() : 0);
    for (;;) {
        result = collect(poller, ready, max);
        if (result > 0)
            return result;
        if (kernel_freeze_now()) {
            /* what thaws a process may end its wait */
            if (dice_below(&kernel.dice, 2) > 0)
                return 0;
        } else if (kernel.snapshot && ms != 0) {
            sandbox_snapshot();
        } else if (kernel_monotonic_us() >= until) {
            return 0;
        } else {
            kernel_pass(until);
        }
    }
}

/* --- what is read ------------------------------------------------------------------------------ */

int
system_open(const char *path)
{
    int number, result;

    kernel_enter();
    if (sweep_fails(CALL_OPEN, &result))
        return result;
    for (unsigned i = 0; i < small_len; i++) {
        if (strcmp(small[i].path, path) != 0)
            continue;
        number = file_new(FILE_SMALL);
        if (number >= 0)
            process.files[number].bytes = process.files[number].all = small[i].bytes;
        return number;
    }
    return file_error(ENOENT, ERR_IO);
}

static int64_t
read_small(struct file *f, char *buffer, size_t cap)
{
    size_t n = f->bytes.len < cap ? f->bytes.len : cap;
    int result;

    if (sweep_fails(CALL_READ_FILE, &result))
        return result;
    if (n > 1 && dice_chance(&kernel.dice, kernel.faults.short_read))
        n = dice_between(&kernel.dice, 1, (uint32_t)n);
    if (n > 0)
        memcpy(buffer, f->bytes.p, n);
    f->bytes = span_skip(f->bytes, n);
    return (int64_t)n;
}

int64_t
system_read(int file, void *buffer, size_t cap)
{
    struct file *f;
    int64_t n;

    kernel_enter();
    f = file_of(file, FILE_NONE, "system_read");
    if (f->kind == FILE_STREAM)
        n = stream_read(f->stream, buffer, cap);
    else if (f->kind == FILE_DATAGRAM)
        n = datagram_read(&f->datagram, buffer, cap);
    else if (f->kind == FILE_SMALL)
        n = read_small(f, buffer, cap);
    else
        world_break("misuse: system_read of file %d, which cannot be read", file);
    if (n > 0)
        kernel_progress();
    return n;
}

int
system_map(int file, size_t max, struct span *bytes)
{
    struct file *f;
    unsigned i = 0;
    int result;

    kernel_enter();
    f = file_of(file, FILE_NONE, "system_map");
    if (sweep_fails(CALL_MAP, &result))
        return result;
    if (f->kind != FILE_SMALL)
        return file_error(ESPIPE, ERR_IO);
    /* its length is asked for by going to its end */
    f->bytes.len = 0;
    if (f->all.len > max)
        return ERR_BIG;
    *bytes = (struct span){NULL, 0};
    if (f->all.len == 0)
        return 0;
    while (i < MAPPED_MAX && mapped[i] != NULL)
        i++;
    if (i == MAPPED_MAX)
        world_break("%d files are mapped", MAPPED_MAX);
    mapped[i] = malloc(f->all.len);
    if (mapped[i] == NULL)
        abort();
    memcpy(mapped[i], f->all.p, f->all.len);
    *bytes = (struct span){mapped[i], f->all.len};
    return 0;
}

void
system_unmap(struct span bytes)
{
    kernel_enter();
    if (bytes.len == 0)
        return;
    for (unsigned i = 0; i < MAPPED_MAX; i++)
        if (mapped[i] == bytes.p) {
            free(mapped[i]);
            mapped[i] = NULL;
            return;
        }
    world_break("misuse: something is unmapped that is not mapped");
}

/* --- ends and copies --------------------------------------------------------------------------- */

void
files_end(void)
{
    for (int i = FILES_FIRST; i < process.files_top; i++) {
        struct file *f = &process.files[i];

        if (f->kind == FILE_STREAM)
            stream_end(f->stream);
        else if (f->kind == FILE_DATAGRAM)
            datagram_close(&f->datagram);
        else if (f->kind == FILE_LISTENER)
            listener_end(f->listener);
        f->kind = FILE_NONE;
    }
    streams_end();
    process.files_top = 0;
    kernel.figures.files = 0;
}

/* Those of the live process that the copies take over are not to be closed. */
static void
keep_stream(struct file *kept, struct file *live)
{
    kept->stream = stream_keep(live->stream);
    if (live->stream->near)
        live->kind = FILE_NONE;
}

/* The connections that wait at a listener come from this machine, and go on. */
static void
keep_backlog(struct listener *kept, struct listener *live)
{
    for (unsigned i = 0; i < live->len; i++) {
        unsigned at = (live->first + i) % BACKLOG_MAX;

        kept->backlog[at] = stream_keep(live->backlog[at]);
    }
    live->len = 0;
}

void
files_keep(struct process *kept)
{
    *kept = process;
    for (int i = FILES_FIRST; i < kept->files_top; i++) {
        struct file *f = &kept->files[i];

        if (f->kind == FILE_STREAM)
            keep_stream(f, &process.files[i]);
        else if (f->kind == FILE_DATAGRAM)
            f->datagram.first = NULL;
    }
    for (unsigned i = 0; i < LISTENERS_MAX; i++)
        keep_backlog(&kept->listeners[i], &process.listeners[i]);
    kept->signals = 0;
}

void
files_restore(const struct process *kept)
{
    process = *kept;
    for (int i = FILES_FIRST; i < process.files_top; i++) {
        struct file *f = &process.files[i];

        if (f->kind == FILE_STREAM)
            f->stream = stream_restore(f->stream);
        else if (f->kind == FILE_DATAGRAM)
            f->datagram.id = datagrams_new_id();
        kernel.figures.files += f->kind != FILE_NONE;
    }
    for (unsigned l = 0; l < LISTENERS_MAX; l++)
        for (unsigned i = 0; i < process.listeners[l].len; i++) {
            unsigned at = (process.listeners[l].first + i) % BACKLOG_MAX;

            process.listeners[l].backlog[at] = stream_restore(process.listeners[l].backlog[at]);
        }
}
