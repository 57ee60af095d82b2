#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_parts.h"

/* Datagrams: each takes a time of its own, so that they may overtake each other. see kernel_parts.h */

enum { SERVICES_MAX = 16, WAITING_MAX = 32, DATAGRAM_MAX = 65507 };

struct datagram {
    struct datagram *next, **at; /* of all; where the pointer to this one is */
    struct datagram *after;      /* in the socket where it has come */
    struct system_address to;
    uint32_t id; /* of the program's socket */
    size_t len;
    char bytes[];
};

static struct {
    struct system_address at;
    void (*came)(void *context, uint32_t from, struct span bytes);
    void *context;
} services[SERVICES_MAX];
static unsigned services_len;

static struct datagram *all;
static uint32_t ids;

static void
drop(struct datagram *d)
{
    *d->at = d->next;
    if (d->next != NULL)
        d->next->at = d->at;
    free(d);
}

static struct datagram *
new_datagram(uint32_t id, struct span bytes)
{
    struct datagram *d = malloc(sizeof *d + bytes.len);

    if (d == NULL)
        abort();
    *d = (struct datagram){.next = all, .at = &all, .id = id, .len = bytes.len};
    if (all != NULL)
        all->at = &d->next;
    all = d;
    if (bytes.len > 0)
        memcpy(d->bytes, bytes.p, bytes.len);
    return d;
}

void
datagrams_begin(void)
{
    while (all != NULL) {
        struct datagram *next = all->next;

        free(all);
        all = next;
    }
    services_len = 0;
    ids = 0;
}

uint32_t
datagrams_new_id(void)
{
    return ++ids;
}

bool
address_same(const struct system_address *a, const struct system_address *b)
{
    return a->port == b->port && a->address.len == b->address.len &&
           memcmp(a->address.bytes, b->address.bytes, a->address.len) == 0;
}

void
kernel_serve_datagrams(const struct system_address *at,
                       void (*came)(void *context, uint32_t from, struct span bytes), void *context)
{
    unsigned i = 0;

    while (i < services_len && !address_same(&services[i].at, at))
        i++;
    if (i == SERVICES_MAX)
        world_break("the simulated system has room for %d services of datagrams", SERVICES_MAX);
    services[i].at = *at;
    services[i].came = came;
    services[i].context = context;
    services_len += i == services_len;
}

bool
datagrams_routed(const struct system_address *to)
{
    if (stream_routed(to))
        return true;
    for (unsigned i = 0; i < services_len; i++)
        if (services[i].at.address.len == ADDRESS_V6_BYTES)
            return true;
    return false;
}

static uint64_t
delay(void)
{
    return 5 + dice_below(&kernel.dice, kernel.faults.latency_us + 1);
}

static bool
lost(void)
{
    return dice_chance(&kernel.dice, kernel.faults.datagram_lost);
}

/* The socket of that number, if the program still has it. */
static struct datagram_socket *
socket_of(uint32_t id)
{
    for (int i = FILES_FIRST; i < process.files_top; i++) {
        struct file *f = &process.files[i];

        if (f->kind == FILE_DATAGRAM && f->datagram.id == id)
            return &f->datagram;
    }
    return NULL;
}

/* The other system says that nobody is there. */
static void
refused(void *context)
{
    struct datagram *d = context;
    struct datagram_socket *s = socket_of(d->id);

    if (s != NULL)
        s->error = ECONNREFUSED;
    drop(d);
}

static void
arrive_at_world(void *context)
{
    struct datagram *d = context;

    for (unsigned i = 0; i < services_len; i++)
        if (address_same(&services[i].at, &d->to)) {
            services[i].came(services[i].context, d->id, (struct span){d->bytes, d->len});
            drop(d);
            return;
        }
    kernel_at(kernel.us + delay(), refused, d);
}

static void
arrive_at_program(void *context)
{
    struct datagram *d = context;
    struct datagram_socket *s = socket_of(d->id);
    struct datagram **end = s == NULL ? NULL : &s->first;
    unsigned len = 0;

    for (; end != NULL && *end != NULL; end = &(*end)->after)
        len++;
    if (end == NULL || len == WAITING_MAX)
        drop(d);
    else
        *end = d;
}

void
kernel_answer_datagram(uint32_t to, struct span bytes)
{
    if (!lost())
        kernel_at(kernel.us + delay(), arrive_at_program, new_datagram(to, bytes));
}

int64_t
datagram_send(struct datagram_socket *s, struct span bytes)
{
    struct datagram *d;
    int result;

    if (sweep_fails(CALL_SEND_DATAGRAM, &result))
        return result;
    if (s->error != 0) {
        result = file_error(s->error, ERR_IO);
        s->error = 0;
        return result;
    }
    if (bytes.len > DATAGRAM_MAX)
        return file_error(EMSGSIZE, ERR_IO);
    if (!lost()) {
        d = new_datagram(s->id, bytes);
        d->to = s->to;
        kernel_at(kernel.us + delay(), arrive_at_world, d);
    }
    return (int64_t)bytes.len;
}

int64_t
datagram_read(struct datagram_socket *s, char *buffer, size_t cap)
{
    struct datagram *d = s->first;
    size_t n;
    int result;

    if (sweep_fails(CALL_READ_DATAGRAM, &result))
        return result;
    if (s->error != 0) {
        result = file_error(s->error, ERR_IO);
        s->error = 0;
        return result;
    }
    if (d == NULL)
        return file_error(EAGAIN, ERR_MORE);
    n = d->len < cap ? d->len : cap;
    memcpy(buffer, d->bytes, n);
    s->first = d->after;
    drop(d);
    return (int64_t)n;
}

void
datagram_close(struct datagram_socket *s)
{
    while (s->first != NULL) {
        struct datagram *d = s->first;

        s->first = d->after;
        drop(d);
    }
}
