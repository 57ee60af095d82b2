#include <errno.h>
#include <signal.h>
#include <string.h>

#include "kernel_parts.h"

/* What is left of io/system.h: chance, the machine, memory, standard output, signals. see kernel_parts.h */

int
system_random(void *buffer, size_t len)
{
    char *to = buffer;
    int result;

    kernel_enter();
    if (len > 256)
        world_break("misuse: %zu bytes of entropy at once", len);
    if (sweep_fails(CALL_RANDOM, &result))
        return result;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(dice_draw(&kernel.entropy) >> 56);
    return 0;
}

/* The same on all machines: what TLS needs, and nothing else. */
unsigned
system_cpu(void)
{
    kernel_enter();
    return SYSTEM_CPU_AES_GCM;
}

char **
system_environment(void)
{
    return process.environment;
}

void *
system_memory(size_t bytes)
{
    int result;

    kernel_enter();
    return sweep_fails(CALL_MEMORY, &result) ? NULL : sandbox_memory(bytes);
}

/* A pipe that nobody empties for a while. Returns whether there is room in time. */
static bool
has_room(uint32_t ms)
{
    uint64_t now = kernel_monotonic_us();
    uint64_t limit = now + ms * 1000ull;
    uint64_t free_at = now;

    if (dice_chance(&kernel.dice, kernel.faults.pipe_full)) {
        free_at += 1 + dice_below(&kernel.dice, ms * 2000 + 1000);
        world_say("system", "the pipe of standard output is full");
    }
    kernel_stands(true);
    while (kernel_monotonic_us() < free_at && kernel_monotonic_us() < limit)
        kernel_pass(free_at < limit ? free_at : limit);
    kernel_stands(false);
    return kernel_monotonic_us() >= free_at;
}

int64_t
system_print(int file, struct span bytes, uint32_t ms)
{
    int result;

    kernel_enter();
    if (bytes.len > SYSTEM_PRINT_BYTES || (file != SYSTEM_OUTPUT && file != SYSTEM_ERROR_OUTPUT))
        world_break("misuse: %zu bytes printed to file %d", bytes.len, file);
    if (sweep_fails(CALL_PRINT, &result))
        return result;
    if (!has_room(ms))
        return file_error(EAGAIN, ERR_IO);
    kernel_sum(bytes);
    kernel_progress();
    if (kernel.printed != NULL)
        kernel.printed(file, bytes);
    return (int64_t)bytes.len;
}

int
system_signals(void)
{
    int result;

    kernel_enter();
    return sweep_fails(CALL_SIGNALS, &result) ? result : file_new(FILE_SIGNALS);
}

void
system_hold_signals(bool ends)
{
    kernel_enter();
    process.holds_ends = ends;
}

int
system_signal(int file)
{
    int result;

    kernel_enter();
    (void)file_of(file, FILE_SIGNALS, "system_signal");
    if (sweep_fails(CALL_SIGNAL, &result))
        return result;
    for (int number = 1; number < 32; number++)
        if ((process.signals & 1u << number) != 0) {
            process.signals &= ~(1u << number);
            return number;
        }
    return file_error(EAGAIN, ERR_MORE);
}
