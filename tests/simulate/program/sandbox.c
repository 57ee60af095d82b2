#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel_parts.h"

/*
 * The sandbox that the program runs in: its objects are linked into the simulator with `main` under another name and
 * with their writable sections gathered in two. What these contain before the first run is put back before each;
 * a copy of them, of the stack and of the memory taken is a snapshot.
 *
 * The program runs on the stack of this process, always from the same address on, below all that the simulator
 * has called by then. What ends it jumps back over its frames. see kernel.h, kernel_parts.h
 */

/* main of the program. */
int extension_main(int argc, char **argv);

/* The bounds of its variables, by the linker. */
extern char data_begin[] __asm__("__start_program_data"), data_end[] __asm__("__stop_program_data");
extern char bss_begin[] __asm__("__start_program_bss"), bss_end[] __asm__("__stop_program_bss");

/* What looks at, or overwrites, more than C allows: redzones, dead frames, all pages of a region. */
#define RAW __attribute__((noinline, no_sanitize("address"), no_sanitize("undefined")))

#ifdef __SANITIZE_ADDRESS__
void poison(const volatile void *p, size_t len) __asm__("__asan_poison_memory_region");
void unpoison(const volatile void *p, size_t len) __asm__("__asan_unpoison_memory_region");

/* Locals stay on the stack, which is what a snapshot copies: from gcc 13 on, the sanitizer has them elsewhere. */
const char *sanitizer_options(void) __asm__("__asan_default_options");

RAW const char *
sanitizer_options(void)
{
    return "detect_stack_use_after_return=0";
}
#else
#define poison(p, len) ((void)(p), (void)(len))
#define unpoison(p, len) ((void)(p), (void)(len))
#endif

/* The driver's frames have this much room above the program's. */
enum { DRIVER_BYTES = 1 << 18, PAGE = 4096 };

/* Reserved, not taken; what the program takes comes from its beginning. */
#define MEMORY_BYTES ((size_t)1 << 30)

struct region {
    char *p;
    size_t len;
};

static struct {
    jmp_buf driver; /* where the one who runs the program waits for its end */
    enum kernel_end end;
    int status;
    char *base; /* of the program's stack, the same for all runs */
    int argc;
    char **argv;
    char *memory;
    size_t memory_used; /* by any run since it was cleared */
    char *data, *bss;   /* as they are before a run */
} sandbox;

static struct snapshot {
    bool taken;
    jmp_buf jump;
    struct process process;
    uint64_t monotonic_us;
    char *low; /* of the stack, which goes up to sandbox.base */
    char *stack, *data, *bss;
    struct region memory; /* pairs of a page's number and its bytes */
    size_t memory_cap;
} snapshot;

/* Words at addresses of any alignment; not memcpy, which is watched. */
static RAW void
copy_raw(char *to, const char *from, size_t len)
{
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
        *(volatile uint64_t *)(void *)to = *(const volatile uint64_t *)(const void *)from;
        to += sizeof(uint64_t);
        from += sizeof(uint64_t);
    }
    while (len-- > 0)
        *(volatile char *)to++ = *(const volatile char *)from++;
}

static char *
allocate(char *old, size_t len)
{
    char *p = realloc(old, len + !len);

    if (p == NULL)
        abort();
    return p;
}

static size_t
data_len(void)
{
    return (size_t)(data_end - data_begin);
}

static size_t
bss_len(void)
{
    return (size_t)(bss_end - bss_begin);
}

static void
keep_variables(char **data, char **bss)
{
    *data = allocate(*data, data_len());
    *bss = allocate(*bss, bss_len());
    copy_raw(*data, data_begin, data_len());
    copy_raw(*bss, bss_begin, bss_len());
}

static void
put_variables(const char *data, const char *bss)
{
    copy_raw(data_begin, data, data_len());
    copy_raw(bss_begin, bss, bss_len());
}

/* --- memory ------------------------------------------------------------------------------------ */

static void
clear_memory(void)
{
    if (sandbox.memory == NULL) {
        sandbox.memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (sandbox.memory == MAP_FAILED)
            abort();
    }
    if (sandbox.memory_used > 0 && madvise(sandbox.memory, sandbox.memory_used, MADV_DONTNEED) != 0)
        abort();
    sandbox.memory_used = 0;
}

void *
sandbox_memory(size_t bytes)
{
    /* followed by at least one page that nobody may touch */
    size_t len = (bytes + (size_t)2 * PAGE - 1) & ~(size_t)(PAGE - 1);
    char *p = sandbox.memory + process.memory_len;

    if (len < bytes || len > MEMORY_BYTES - process.memory_len)
        return NULL;
    process.memory_len += len;
    if (process.memory_len > sandbox.memory_used)
        sandbox.memory_used = process.memory_len;
    process.memory_bytes += bytes;
    unpoison(p, bytes);
    poison(p + bytes, len - bytes);
    return p;
}

static RAW bool
page_is_zero(const char *page)
{
    for (size_t i = 0; i < PAGE; i += sizeof(uint64_t))
        if (*(const volatile uint64_t *)(const void *)(page + i) != 0)
            return false;
    return true;
}

static void
keep_page(size_t number)
{
    struct region *kept = &snapshot.memory;
    const size_t len = sizeof number + PAGE;

    if (kept->len + len > snapshot.memory_cap) {
        snapshot.memory_cap = (kept->len + len) * 2;
        kept->p = allocate(kept->p, snapshot.memory_cap);
    }
    memcpy(kept->p + kept->len, &number, sizeof number);
    copy_raw(kept->p + kept->len + sizeof number, sandbox.memory + number * PAGE, PAGE);
    kept->len += len;
}

static void
keep_memory(void)
{
    snapshot.memory.len = 0;
    for (size_t i = 0; i < process.memory_len / PAGE; i++)
        if (!page_is_zero(sandbox.memory + i * PAGE))
            keep_page(i);
}

static void
put_memory(void)
{
    const struct region *kept = &snapshot.memory;
    size_t number;

    for (size_t at = 0; at < kept->len; at += sizeof number + PAGE) {
        memcpy(&number, kept->p + at, sizeof number);
        copy_raw(sandbox.memory + number * PAGE, kept->p + at + sizeof number, PAGE);
    }
}

/* --- runs -------------------------------------------------------------------------------------- */

void
sandbox_begin(void)
{
    snapshot.taken = false;
    process = (struct process){.environment = NULL};
}

/* It begins here, and never returns: the frames above are other ones when a copy goes on. */
static RAW void
begin_program(void)
{
    sandbox_end(KERNEL_EXITED, extension_main(sandbox.argc, sandbox.argv));
}

/* Calls it with the stack at or below an address. */
static RAW void
call_below(const char *address, void (*call)(void))
{
    const char *here = __builtin_frame_address(0);
    volatile char *room;

    if (here <= sandbox.base)
        abort();
    room = alloca((size_t)(here - address));
    /* so that the compiler keeps it */
    __asm__ volatile("" : : "r"(room) : "memory");
    call();
}

static enum kernel_end
ended(int *status)
{
    kernel.killed = 0;
    if (sandbox.end == KERNEL_EXITED)
        world_say("system", "the program has ended with status %d", sandbox.status);
    else
        world_say("system", "the program has ended by signal %d", sandbox.status);
    *status = sandbox.status;
    return sandbox.end;
}

static void
prepare(void)
{
    if (sandbox.base == NULL) {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);

        sandbox.base = (char *)((here - DRIVER_BYTES) & ~(uintptr_t)(PAGE - 1));
        keep_variables(&sandbox.data, &sandbox.bss);
    }
    clear_memory();
    kernel.running = true;
    kernel.killed = 0;
    kernel.snapshot = false;
    kernel.freeze.due = kernel.stands = false;
    kernel_progress();
}

enum kernel_end
kernel_run(int argc, char **argv, char **environment, int *status)
{
    prepare();
    put_variables(sandbox.data, sandbox.bss);
    memset(&process, 0, sizeof process);
    process.environment = environment;
    sandbox.argc = argc;
    sandbox.argv = argv;
    if (setjmp(sandbox.driver) == 0)
        call_below(sandbox.base, begin_program);
    return ended(status);
}

void
sandbox_end(enum kernel_end end, int status)
{
    kernel.running = false;
    if (kernel.stands)
        kernel_stands(false);
    sandbox.end = end;
    sandbox.status = status;
    files_end();
    longjmp(sandbox.driver, 1);
}

/* --- snapshots --------------------------------------------------------------------------------- */

static size_t
stack_len(void)
{
    return (size_t)(sandbox.base - snapshot.low);
}

/* Its own frame is below all that matters. */
static RAW void
keep_stack(void)
{
    snapshot.low = __builtin_frame_address(0);
    snapshot.stack = allocate(snapshot.stack, stack_len());
    copy_raw(snapshot.stack, snapshot.low, stack_len());
}

static RAW void
put_stack(void)
{
    copy_raw(snapshot.low, snapshot.stack, stack_len());
    longjmp(snapshot.jump, 1);
}

void
sandbox_snapshot(void)
{
    world_say("system", "a snapshot is taken");
    if (setjmp(snapshot.jump) != 0)
        return;
    keep_stack();
    keep_variables(&snapshot.data, &snapshot.bss);
    keep_memory();
    files_keep(&snapshot.process);
    snapshot.monotonic_us = kernel_monotonic_us();
    snapshot.taken = true;
    sandbox_end(KERNEL_KILLED, SIGKILL);
}

/* Either clock may be what it was at the snapshot, or have gone on. */
static void
restore_clock(void)
{
    uint64_t stood = kernel_monotonic_us() - snapshot.monotonic_us;

    if (dice_below(&kernel.dice, 2) > 0)
        kernel.stood_us += stood;
}

enum kernel_end
kernel_restore(int *status)
{
    if (!snapshot.taken)
        world_break("there is no snapshot to restore");
    prepare();
    put_variables(snapshot.data, snapshot.bss);
    files_restore(&snapshot.process);
    /* all of it is free to be used again, then what was taken is */
    sandbox.memory_used = process.memory_len;
    unpoison(sandbox.memory, process.memory_len);
    put_memory();
    restore_clock();
    world_say("system", "a copy goes on from the snapshot");
    if (setjmp(sandbox.driver) == 0)
        call_below(snapshot.low - PAGE, put_stack);
    return ended(status);
}
