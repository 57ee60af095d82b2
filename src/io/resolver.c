#include "io/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* see resolver.h */

/* musl's resolver keeps its packets on the stack: some 10 KiB in all. */
enum { STACK_BYTES = 128 * 1024 };

void
resolver_open(struct resolver *r, struct loop *loop, void (*done)(void *context), void *context)
{
    *r = (struct resolver){.loop = loop, .done = done, .context = context, .watch.fd = -1};
}

socklen_t
resolver_address_len(const union resolver_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static bool
literal(struct resolver *r)
{
    union resolver_address *a = &r->addresses[0];

    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, r->host, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(r->port);
    } else if (inet_pton(AF_INET6, r->host, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(r->port);
    } else {
        return false;
    }
    r->len = 1;
    return true;
}

static void
keep(struct resolver *r, const struct addrinfo *list)
{
    for (r->len = 0; list != NULL && r->len < RESOLVER_ADDRESSES_MAX; list = list->ai_next) {
        union resolver_address *a = &r->addresses[r->len];

        if (list->ai_addrlen > sizeof *a)
            continue;
        memcpy(a, list->ai_addr, list->ai_addrlen);
        if (a->any.sa_family == AF_INET6)
            a->v6.sin6_port = htons(r->port);
        else
            a->v4.sin_port = htons(r->port);
        r->len++;
    }
}

/* The helper thread: all that it touches is its own until the eventfd has told its end. */
static void *
look_up(void *context)
{
    struct resolver *r = context;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    uint64_t one = 1;

    r->status = getaddrinfo(r->host, NULL, &hints, &list);
    keep(r, r->status == 0 ? list : NULL);
    if (r->status == 0)
        freeaddrinfo(list);
    (void)!write(r->watch.fd, &one, sizeof one);
    return NULL;
}

static void
ended(void *context, uint32_t events)
{
    struct resolver *r = context;
    uint64_t n;

    (void)events;
    if (read(r->watch.fd, &n, sizeof n) != sizeof n)
        return;
    r->busy = false;
    if (!r->wanted)
        return;
    r->wanted = false;
    r->done(r->context);
}

static int
start_thread(struct resolver *r)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;

    if (r->watch.fd < 0) {
        r->watch = (struct loop_watch){.ready = ended, .context = r, .fd = -1};
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0 || loop_watch(r->loop, &r->watch, fd, EPOLLIN) != 0)
            return ERR_IO;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    r->busy = true;
    failed = pthread_create(&thread, &attributes, look_up, r);
    pthread_attr_destroy(&attributes);
    r->busy = failed == 0;
    return failed == 0 ? 0 : ERR_IO;
}

int
resolver_start(struct resolver *r, struct span host, uint16_t port)
{
    if (host.len >= sizeof r->host)
        return ERR_BAD;
    if (r->busy) {
        if (!span_same(host, span_of(r->host)) || port != r->port)
            return ERR_FULL;
        r->wanted = true;
        return ERR_MORE;
    }
    memcpy(r->host, host.p, host.len);
    r->host[host.len] = '\0';
    r->port = port;
    r->len = 0;
    if (literal(r))
        return 0;
    if (start_thread(r) != 0)
        return ERR_IO;
    r->wanted = true;
    return ERR_MORE;
}

void
resolver_cancel(struct resolver *r)
{
    r->wanted = false;
}

const char *
resolver_error(const struct resolver *r)
{
    return r->status == 0 ? "no address" : gai_strerror(r->status);
}
