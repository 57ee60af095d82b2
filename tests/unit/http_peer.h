#ifndef HTTP_PEER_H
#define HTTP_PEER_H
/*
 * A server for tests of the actors: it lives in their own loop, on 127.0.0.1, takes one request per
 * connection and answers with the next of the replies that the test laid out.
 */
#include "check.h"
#include "io/loop.h"
#include "protocol/http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_REQUESTS_MAX 8

struct http_peer {
    struct loop *loop;
    struct loop_watch listener, connection;
    uint16_t port;
    const char *const *replies; /* whole ones; NULL closes without one */
    size_t replies_len;
    size_t requests_len;
    struct span requests[PEER_REQUESTS_MAX]; /* head and body */
    char text[1 << 18];                      /* where they lie */
    size_t len;
    size_t start; /* of the request that is being read */
};

/* Whether the request from `start` on is whole. */
static inline bool
http_peer_whole(const struct http_peer *p)
{
    struct span in = {p->text + p->start, p->len - p->start};
    struct http_head head;
    uint64_t body = 0;
    int used = http_request_head(in, &head);

    if (used == ERR_MORE)
        return false;
    assert_true(used > 0);
    if (http_field(&head, SPAN("content-length")).len > 0)
        assert_int_equal(
            span_number(http_field(&head, SPAN("content-length")), sizeof p->text, &body), 0);
    return in.len >= (size_t)used + body;
}

static inline void
http_peer_read(void *context, uint32_t events)
{
    struct http_peer *p = context;
    int fd = p->connection.fd;
    ssize_t n = read(fd, p->text + p->len, sizeof p->text - p->len);
    const char *reply;

    (void)events;
    assert_true(n > 0);
    p->len += (size_t)n;
    if (!http_peer_whole(p))
        return;
    assert_true(p->requests_len < p->replies_len && p->requests_len < PEER_REQUESTS_MAX);
    p->requests[p->requests_len] = (struct span){p->text + p->start, p->len - p->start};
    p->start = p->len;
    reply = p->replies[p->requests_len++];
    if (reply != NULL)
        assert_int_equal(write(fd, reply, strlen(reply)), strlen(reply));
    loop_close(p->loop, &p->connection);
}

static inline void
http_peer_accept(void *context, uint32_t events)
{
    struct http_peer *p = context;
    int fd = accept(p->listener.fd, NULL, NULL);

    (void)events;
    assert_true(fd >= 0 && p->connection.fd < 0);
    assert_int_equal(loop_watch(p->loop, &p->connection, fd, EPOLLIN), 0);
}

static inline void
http_peer_open(struct http_peer *p, struct loop *loop, const char *const *replies, size_t len)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t address_len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memset(p, 0, sizeof *p);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &address_len), 0);
    p->port = ntohs(address.sin_port);
    p->loop = loop;
    p->replies = replies;
    p->replies_len = len;
    p->listener = (struct loop_watch){.fd = -1, .ready = http_peer_accept, .context = p};
    p->connection = (struct loop_watch){.fd = -1, .ready = http_peer_read, .context = p};
    assert_int_equal(loop_watch(loop, &p->listener, fd, EPOLLIN), 0);
}

static inline void
http_peer_close(struct http_peer *p)
{
    loop_close(p->loop, &p->listener);
}

/* A field of a request that the peer has got; a null span when absent. */
static inline struct span
http_peer_field(const struct http_peer *p, size_t request, struct span name)
{
    struct http_head head;

    assert_true(request < p->requests_len);
    assert_true(http_request_head(p->requests[request], &head) > 0);
    return http_field(&head, name);
}

static inline struct span
http_peer_body(const struct http_peer *p, size_t request)
{
    struct http_head head;

    assert_true(request < p->requests_len);
    return span_skip(p->requests[request], (size_t)http_request_head(p->requests[request], &head));
}

#endif
