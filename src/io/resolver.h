#ifndef RESOLVER_H
#define RESOLVER_H
/*
 * Addresses of a host name, found without holding the loop: the system's resolver waits for its
 * servers, so a helper thread asks it. Address literals need no thread.
 *
 * One name is looked up at a time; a look-up that never ends costs its thread and nothing else.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/loop.h"
#include "protocol/span.h"

#define RESOLVER_ADDRESSES_MAX 8

union resolver_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct resolver {
    struct loop *loop;
    struct loop_watch watch; /* of an eventfd by which the thread tells its end */
    void (*done)(void *context);
    void *context;
    bool busy;   /* a thread is under way */
    bool wanted; /* someone still waits for it */
    int status;  /* of the last look-up: 0 or what getaddrinfo returned */
    char host[254];
    uint16_t port;
    unsigned len;
    union resolver_address addresses[RESOLVER_ADDRESSES_MAX];
};

/* done is called when a look-up has ended, with resolver->len addresses found. */
void resolver_open(struct resolver *r, struct loop *loop, void (*done)(void *context),
                   void *context);

/*
 * Looks up a host.
 *
 * Returns 0 when the addresses are there at once (done is not called), ERR_MORE when done will be
 * called, ERR_BAD for a name that is too long, ERR_FULL while an earlier look-up is still under way
 * without anyone waiting for it, ERR_IO when no thread can be had.
 */
int resolver_start(struct resolver *r, struct span host, uint16_t port);

/* done is not called any more. */
void resolver_cancel(struct resolver *r);

/* What went wrong, for a log line. */
const char *resolver_error(const struct resolver *r);

socklen_t resolver_address_len(const union resolver_address *a);

#endif
