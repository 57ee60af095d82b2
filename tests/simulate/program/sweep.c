#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_parts.h"

/* see kernel.h, kernel_parts.h */

enum { VARIANTS_MAX = 12 };

/*
 * What can go wrong in each call, by the manual pages of what system_linux.c does for it: the error, and what the
 * call then returns. What a broken program alone can meet (EBADF, EFAULT) is left out.
 */
static const struct {
    const char *name;
    struct {
        int error, result;
    } variants[VARIANTS_MAX];
} calls[CALLS] = {
    [CALL_RANDOM] = {"system_random", {{ENOSYS, ERR_IO}}},
    [CALL_MEMORY] = {"system_memory", {{ENOMEM, ERR_IO}}},
    [CALL_POLLER] = {"system_poller", {{EMFILE, ERR_IO}, {ENFILE, ERR_IO}, {ENOMEM, ERR_IO}}},
    [CALL_WATCH] = {"system_watch", {{ENOMEM, ERR_IO}, {ENOSPC, ERR_IO}}},
    [CALL_WAIT] = {"system_wait", {{EINTR, 0}, {ENOMEM, ERR_IO}}},
    [CALL_LOOK] = {"system_look", {{ENOMEM, 0}}},
    [CALL_CONNECT] = {"system_connect of a stream",
                      {{EMFILE, ERR_IO},
                       {ENFILE, ERR_IO},
                       {ENOMEM, ERR_IO},
                       {ENOBUFS, ERR_IO},
                       {EAFNOSUPPORT, ERR_IO},
                       {EACCES, ERR_IO},
                       {EPERM, ERR_IO},
                       {EADDRNOTAVAIL, ERR_IO},
                       {EAGAIN, ERR_IO},
                       {ECONNREFUSED, ERR_IO},
                       {ENETUNREACH, ERR_IO},
                       {EHOSTUNREACH, ERR_IO}}},
    [CALL_CONNECT_DATAGRAM] = {"system_connect of datagrams",
                               {{EMFILE, ERR_IO},
                                {ENFILE, ERR_IO},
                                {ENOMEM, ERR_IO},
                                {EAFNOSUPPORT, ERR_IO},
                                {EACCES, ERR_IO},
                                {EAGAIN, ERR_IO},
                                {ENETUNREACH, ERR_IO},
                                {EHOSTUNREACH, ERR_IO}}},
    [CALL_CONNECTED] = {"system_connected",
                        {{ECONNREFUSED, ERR_IO},
                         {ETIMEDOUT, ERR_IO},
                         {EHOSTUNREACH, ERR_IO},
                         {ENETUNREACH, ERR_IO},
                         {ECONNRESET, ERR_IO},
                         {ENOBUFS, ERR_IO}}},
    [CALL_LISTEN] = {"system_listen",
                     {{EMFILE, ERR_IO},
                      {ENFILE, ERR_IO},
                      {ENOMEM, ERR_IO},
                      {ENOBUFS, ERR_IO},
                      {EADDRINUSE, ERR_IO},
                      {EACCES, ERR_IO}}},
    [CALL_ACCEPT] = {"system_accept",
                     {{EMFILE, ERR_IO},
                      {ENFILE, ERR_IO},
                      {ENOMEM, ERR_IO},
                      {ENOBUFS, ERR_IO},
                      {EPERM, ERR_IO},
                      {ECONNABORTED, ERR_MORE},
                      {EINTR, ERR_MORE}}},
    [CALL_SEND] = {"system_send on a stream",
                   {{EAGAIN, ERR_MORE},
                    {EINTR, ERR_MORE},
                    {ECONNRESET, ERR_BAD},
                    {EPIPE, ERR_BAD},
                    {ETIMEDOUT, ERR_IO},
                    {EHOSTUNREACH, ERR_IO},
                    {ENOMEM, ERR_IO},
                    {ENOBUFS, ERR_IO}}},
    [CALL_SEND_DATAGRAM] = {"system_send of a datagram",
                            {{EAGAIN, ERR_MORE},
                             {EINTR, ERR_MORE},
                             {ECONNREFUSED, ERR_IO},
                             {ENETUNREACH, ERR_IO},
                             {EHOSTUNREACH, ERR_IO},
                             {EPERM, ERR_IO},
                             {EMSGSIZE, ERR_IO},
                             {ENOBUFS, ERR_IO},
                             {ENOMEM, ERR_IO}}},
    [CALL_UNCORK] = {"system_uncork", {{ENOMEM, ERR_IO}}},
    [CALL_WAITING] = {"system_waiting", {{ENOMEM, 0}}},
    [CALL_INTERFACE] = {"system_interface", {{ENODEV, 0}}},
    [CALL_OPEN] = {"system_open",
                   {{ENOENT, ERR_IO},
                    {EACCES, ERR_IO},
                    {EMFILE, ERR_IO},
                    {ENFILE, ERR_IO},
                    {ENOMEM, ERR_IO},
                    {EINTR, ERR_IO},
                    {ELOOP, ERR_IO}}},
    [CALL_READ] = {"system_read of a stream",
                   {{EAGAIN, ERR_MORE},
                    {EINTR, ERR_MORE},
                    {ECONNRESET, ERR_IO},
                    {ETIMEDOUT, ERR_IO},
                    {EHOSTUNREACH, ERR_IO},
                    {ENOMEM, ERR_IO}}},
    [CALL_READ_DATAGRAM] = {"system_read of a datagram",
                            {{EAGAIN, ERR_MORE},
                             {EINTR, ERR_MORE},
                             {ECONNREFUSED, ERR_IO},
                             {EHOSTUNREACH, ERR_IO},
                             {ENOMEM, ERR_IO}}},
    [CALL_READ_FILE] = {"system_read of a file",
                        {{EIO, ERR_IO}, {EISDIR, ERR_IO}, {EINTR, ERR_MORE}}},
    [CALL_MAP] = {"system_map",
                  {{ESPIPE, ERR_IO},
                   {ENODEV, ERR_IO},
                   {ENOMEM, ERR_IO},
                   {ENFILE, ERR_IO},
                   {EFBIG, ERR_BIG}}},
    [CALL_PRINT] =
        {"system_print",
         {{EPIPE, ERR_IO}, {EIO, ERR_IO}, {EINTR, ERR_IO}, {ENOSPC, ERR_IO}, {EAGAIN, ERR_MORE}}},
    [CALL_SIGNALS] = {"system_signals",
                      {{EMFILE, ERR_IO}, {ENFILE, ERR_IO}, {ENOMEM, ERR_IO}, {ENODEV, ERR_IO}}},
    [CALL_SIGNAL] = {"system_signal", {{EAGAIN, ERR_MORE}}},
};

/* main of the program. */
int extension_main(int argc, char **argv);

static struct kernel_failure failure;
static struct {
    enum call call;
    uint32_t site;
} * made; /* the calls of this life, in their order */
static size_t made_len, made_cap;

void
sweep_begin(void)
{
    made_len = 0;
}

void
kernel_fail(const struct kernel_failure *next)
{
    failure = *next;
}

uint64_t
kernel_calls(void)
{
    return made_len;
}

const char *
kernel_call_name(uint64_t call)
{
    return call == 0 || call > made_len ? "none" : calls[made[call - 1].call].name;
}

uint32_t
kernel_call_site(uint64_t call)
{
    return call == 0 || call > made_len ? 0 : made[call - 1].site;
}

static unsigned
variants_of(enum call call)
{
    unsigned n = 0;

    while (n < VARIANTS_MAX && calls[call].variants[n].error != 0)
        n++;
    return n;
}

unsigned
kernel_variants(uint64_t call)
{
    return call == 0 || call > made_len ? 0 : variants_of(made[call - 1].call);
}

/* How many of 1,000 such calls fail by themselves. */
static uint32_t
per_mille(enum call call)
{
    const struct kernel_faults *f = &kernel.faults;

    switch (call) {
    case CALL_RANDOM:
        return f->random_fails;
    case CALL_MEMORY:
        return f->memory_fails;
    case CALL_OPEN:
        return f->open_fails;
    case CALL_WATCH:
        return f->watch_fails;
    case CALL_CONNECT:
    case CALL_CONNECT_DATAGRAM:
    case CALL_ACCEPT:
        return f->socket_fails;
    case CALL_LISTEN:
        return f->listen_fails;
    default:
        return 0;
    }
}

static void
record(enum call call)
{
    if (made_len == made_cap) {
        made_cap = made_cap == 0 ? 4096 : made_cap * 2;
        made = realloc(made, made_cap * sizeof *made);
        if (made == NULL)
            abort();
    }
    made[made_len].call = call;
    /* the same in each process, wherever the program was loaded */
    made[made_len++].site = (uint32_t)((uintptr_t)kernel.site - (uintptr_t)extension_main);
}

bool
sweep_fails(enum call call, int *result)
{
    unsigned variants = variants_of(call);
    unsigned variant;

    record(call);
    if (failure.call == made_len && variants > 0)
        variant = failure.variant % variants;
    else if (dice_chance(&kernel.dice, per_mille(call)))
        variant = dice_below(&kernel.dice, variants);
    else
        return false;
    *result = calls[call].variants[variant].result;
    process.error = calls[call].variants[variant].error;
    world_say("system", "call %llu, %s, fails: %s", (unsigned long long)made_len, calls[call].name,
              strerror(process.error));
    return true;
}
