#include <errno.h>

#include "streams.h"

/* The program's sockets: what io/system.h has on the network. see kernel_parts.h */

static int
connect_datagrams(const struct system_address *to)
{
    int result;
    int number;

    if (sweep_fails(CALL_CONNECT_DATAGRAM, &result))
        return result;
    if (!datagrams_routed(to))
        return file_error(ENETUNREACH, ERR_IO);
    number = file_new(FILE_DATAGRAM);
    if (number >= 0)
        process.files[number].datagram =
            (struct datagram_socket){.to = *to, .id = datagrams_new_id()};
    return number;
}

int
system_connect(enum system_socket kind, const struct system_address *to)
{
    struct peer *stream;
    int error = 0;
    int number, result;

    kernel_enter();
    if (kind == SYSTEM_DATAGRAM)
        return connect_datagrams(to);
    if (sweep_fails(CALL_CONNECT, &result))
        return result;
    number = file_new(FILE_STREAM);
    if (number < 0)
        return number;
    stream = stream_connect(to, &error);
    if (stream == NULL)
        return file_undo(number, error);
    process.files[number].stream = stream;
    return number;
}

int
system_connected(int file)
{
    struct peer *s;
    int result;

    kernel_enter();
    s = file_of(file, FILE_STREAM, "system_connected")->stream;
    if ((stream_look(s) & (SYSTEM_OUT | SYSTEM_ERROR | SYSTEM_HANGUP)) == 0)
        return file_error(EINPROGRESS, ERR_MORE);
    if (sweep_fails(CALL_CONNECTED, &result)) {
        stream_break(s);
        return result;
    }
    process.error = s->error;
    s->error = 0;
    return process.error == 0 ? 0 : ERR_IO;
}

/* --- listeners --------------------------------------------------------------------------------- */

struct listener *
listener_at(uint16_t port)
{
    for (unsigned i = 0; i < LISTENERS_MAX; i++)
        if (process.listeners[i].port == port)
            return &process.listeners[i];
    return NULL;
}

void
listener_end(struct listener *l)
{
    for (unsigned i = 0; i < l->len; i++)
        stream_end(l->backlog[(l->first + i) % BACKLOG_MAX]);
    l->len = 0;
    l->port = 0;
}

static bool
taken(uint16_t port)
{
    return listener_at(port) != NULL || stream_port_taken(port);
}

int
system_listen(uint16_t *port)
{
    struct listener *l = listener_at(0);
    uint16_t chosen = *port;
    int number, result;

    kernel_enter();
    if (sweep_fails(CALL_LISTEN, &result))
        return result;
    if (l == NULL)
        world_break("the simulated system has room for %d listeners", LISTENERS_MAX);
    if (chosen != 0 && taken(chosen))
        return file_error(EADDRINUSE, ERR_IO);
    while (chosen == 0 || taken(chosen))
        chosen = (uint16_t)dice_between(&kernel.dice, 32768, 60999);
    number = file_new(FILE_LISTENER);
    if (number < 0)
        return number;
    *l = (struct listener){.port = chosen};
    process.files[number].listener = l;
    *port = chosen;
    return number;
}

int
system_accept(int listener)
{
    struct listener *l;
    struct peer *s;
    int number, result;

    kernel_enter();
    l = file_of(listener, FILE_LISTENER, "system_accept")->listener;
    if (l->len == 0)
        return file_error(EAGAIN, ERR_MORE);
    if (sweep_fails(CALL_ACCEPT, &result))
        return result;
    s = l->backlog[l->first];
    number = s->state == STREAM_DEAD && dice_below(&kernel.dice, 2) > 0 ? FILES_MAX
                                                                        : file_new(FILE_STREAM);
    if (number < 0)
        return number;
    l->first = (l->first + 1) % BACKLOG_MAX;
    l->len--;
    kernel_progress();
    if (number == FILES_MAX) {
        stream_end(s);
        return file_error(ECONNABORTED, ERR_MORE);
    }
    process.files[number].stream = s;
    return number;
}

/* --- bytes ------------------------------------------------------------------------------------- */

int64_t
system_send(int file, struct span bytes, bool more)
{
    struct file *f;
    int64_t n;

    kernel_enter();
    f = file_of(file, FILE_NONE, "system_send");
    if (f->kind == FILE_DATAGRAM)
        n = datagram_send(&f->datagram, bytes);
    else if (f->kind == FILE_STREAM)
        n = stream_send(f->stream, bytes, more);
    else
        world_break("misuse: system_send to file %d, which is no socket", file);
    if (n > 0) {
        kernel.figures.sent_bytes += (uint64_t)n;
        kernel_sum((struct span){bytes.p, (size_t)n});
        kernel_progress();
    }
    return n;
}

int
system_uncork(int file)
{
    struct peer *s;
    int result;

    kernel_enter();
    s = file_of(file, FILE_STREAM, "system_uncork")->stream;
    if (sweep_fails(CALL_UNCORK, &result))
        return result;
    stream_uncork(s);
    return 0;
}

void
system_finish(int file)
{
    kernel_enter();
    stream_finish(file_of(file, FILE_STREAM, "system_finish")->stream);
}

size_t
system_waiting(int file)
{
    const struct peer *s;
    int result;

    kernel_enter();
    s = file_of(file, FILE_STREAM, "system_waiting")->stream;
    return sweep_fails(CALL_WAITING, &result) ? 0 : s->arrived;
}

uint32_t
system_interface(const char *name)
{
    static const char *const names[] = {"lo", "eth0"};
    int result;

    kernel_enter();
    if (!sweep_fails(CALL_INTERFACE, &result))
        for (uint32_t i = 0; i < 2; i++)
            if (strcmp(names[i], name) == 0)
                return i + 1;
    return 0;
}
