#include <errno.h>
#include <string.h>

#include "streams.h"

/* How connections begin, and the world's ends of them. see kernel.h, streams.h */

enum { SERVICES_MAX = 32 };

static struct {
    struct system_address at;
    const struct service *service;
} services[SERVICES_MAX];
static unsigned services_len;

void
services_begin_anew(void)
{
    services_len = 0;
}

/* --- beginnings -------------------------------------------------------------------------------- */

void
kernel_serve(const struct system_address *at, const struct service *service)
{
    unsigned i = 0;

    while (i < services_len && !address_same(&services[i].at, at))
        i++;
    if (i == SERVICES_MAX)
        world_break("the simulated system has room for %d services", SERVICES_MAX);
    services[i].at = *at;
    services[i].service = service;
    services_len += i == services_len;
}

static const struct service *
service_at(const struct system_address *at)
{
    for (unsigned i = 0; i < services_len; i++)
        if (address_same(&services[i].at, at))
            return services[i].service;
    return NULL;
}

static bool
is_near(const struct system_address *a)
{
    static const struct address v6_loopback = {.bytes = {[15] = 1}, .len = ADDRESS_V6_BYTES};

    if (a->address.len == ADDRESS_V4_BYTES)
        return a->address.bytes[0] == 127;
    return memcmp(a->address.bytes, v6_loopback.bytes, ADDRESS_V6_BYTES) == 0;
}

bool
stream_port_taken(uint16_t port)
{
    for (unsigned i = 0; i < services_len; i++)
        if (services[i].at.port == port && services[i].service != NULL && is_near(&services[i].at))
            return true;
    return false;
}

bool
stream_routed(const struct system_address *to)
{
    if (to->address.len == ADDRESS_V4_BYTES || is_near(to))
        return true;
    for (unsigned i = 0; i < services_len; i++)
        if (services[i].at.address.len == ADDRESS_V6_BYTES)
            return true;
    return false;
}

static enum kernel_answer
ask(struct peer *s)
{
    const struct service *service = service_at(&s->to);
    enum kernel_answer answer = KERNEL_REFUSE;

    if (service != NULL)
        answer = service->connecting(service->context, s, &s->heard, &s->context);
    if (answer != KERNEL_ACCEPT)
        return answer;
    if (s->heard == NULL)
        world_break("an actor accepts a connection and does not say who hears of it");
    s->world_open = true;
    if (s->heard->opened != NULL)
        s->heard->opened(s->context, s);
    return answer;
}

static void
established(void *context)
{
    struct peer *s = context;

    if (s->held && s->state == STREAM_CONNECTING) {
        s->state = STREAM_CONNECTED;
        stream_to_program(s);
    }
    stream_happened(s);
}

static void
asked(void *context)
{
    struct peer *s = context;

    if (s->held && s->state == STREAM_CONNECTING) {
        enum kernel_answer answer = ask(s);

        if (answer == KERNEL_ACCEPT)
            stream_announce(s, established, stream_delay(s));
        else if (answer == KERNEL_REFUSE)
            stream_reset(s);
    }
    stream_happened(s);
}

struct peer *
stream_connect(const struct system_address *to, int *error)
{
    struct peer *s;
    enum kernel_answer answer;

    if (!stream_routed(to)) {
        *error = ENETUNREACH;
        return NULL;
    }
    s = stream_new(is_near(to));
    s->to = *to;
    s->held = true;
    if (!s->near) {
        stream_announce(s, asked, stream_delay(s));
        return s;
    }
    /* within one machine the result is there as soon as it is asked for */
    answer = ask(s);
    if (answer == KERNEL_ACCEPT) {
        s->state = STREAM_CONNECTED;
        stream_to_program(s);
    } else if (answer == KERNEL_REFUSE) {
        s->state = STREAM_DEAD;
        s->error = ECONNREFUSED;
    }
    return s;
}

static void
refused(void *context)
{
    stream_gone(context);
    stream_happened(context);
}

static void
knock(void *context)
{
    struct peer *s = context;
    struct listener *l = kernel.running ? listener_at(s->to.port) : NULL;

    if (s->world_open && l == NULL) {
        stream_announce(s, refused, stream_delay(s));
    } else if (s->world_open && l->len == BACKLOG_MAX) {
        stream_announce(s, knock, 1000000);
    } else if (s->world_open) {
        s->held = true;
        s->state = STREAM_CONNECTED;
        l->backlog[(l->first + l->len++) % BACKLOG_MAX] = s;
        if (s->heard->opened != NULL)
            s->heard->opened(s->context, s);
        stream_to_program(s);
    }
    stream_happened(s);
}

struct peer *
kernel_connect(uint16_t port, const struct peer_events *events, void *context)
{
    struct peer *s = stream_new(true);

    s->to.port = port;
    s->world_open = true;
    s->heard = events;
    s->context = context;
    stream_announce(s, knock, stream_delay(s));
    return s;
}

/* --- the world's ends -------------------------------------------------------------------------- */

void
peer_send(struct peer *s, struct span bytes)
{
    if (!s->world_open)
        return;
    if (s->world_finished)
        world_break("an actor sends after it has finished");
    bytes_add(&s->in, bytes);
    stream_to_program(s);
}

size_t
peer_unread(const struct peer *s)
{
    return s->in.len;
}

void
peer_hold(struct peer *s, bool holds)
{
    s->world_holds = holds;
    stream_to_world(s);
}

void
peer_finish(struct peer *s)
{
    s->world_finished = true;
    stream_to_program(s);
}

void
peer_close(struct peer *s)
{
    if (!s->world_open)
        return;
    s->world_open = false;
    s->world_finished = true;
    stream_to_program(s);
    stream_to_world(s);
    stream_settle(s);
}

void
peer_reset(struct peer *s)
{
    if (!s->world_open)
        return;
    s->world_open = false;
    stream_reset(s);
    stream_settle(s);
}
