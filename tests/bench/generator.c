/* see generator.h */
#include "generator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void
generator_init(struct generator *g, struct load *load, uint16_t port, const char *path)
{
    *g = (struct generator){.load = load, .port = port, .path = path, .fd = net_connect(port)};
    http_in_init(&g->in, fd_read, &g->fd);
}

void
generator_free(struct generator *g)
{
    close(g->fd);
    http_in_free(&g->in);
}

static void
write_all(int fd, struct iovec *parts, int len)
{
    while (len > 0) {
        ssize_t put = writev(fd, parts, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            die("the listener takes no more: %s", strerror(errno));
        while (len > 0 && (size_t)put >= parts->iov_len) {
            put -= (ssize_t)parts->iov_len;
            parts++;
            len--;
        }
        if (len > 0) {
            parts->iov_base = (char *)parts->iov_base + put;
            parts->iov_len -= (size_t)put;
        }
    }
}

/* The array's beginning, with platform.start where the invocation begins. */
static size_t
beginning(char *to, size_t cap, bool start, const char *time, const char *id, bool more)
{
    if (!start)
        return (size_t)snprintf(to, cap, "[");
    return (size_t)snprintf(
        to, cap,
        "[{\"time\":\"%s\",\"type\":\"platform.start\",\"record\":{\"requestId\":"
        "\"%s\",\"version\":\"$LATEST\"}}%s",
        time, id, more ? "," : "");
}

static size_t
ending(char *to, size_t cap, bool done, const char *time, const char *id)
{
    if (!done)
        return (size_t)snprintf(to, cap, "]");
    return (size_t)snprintf(to, cap,
                            ",{\"time\":\"%s\",\"type\":\"platform.runtimeDone\",\"record\":{"
                            "\"requestId\":\"%s\",\"status\":\"success\",\"spans\":[{\"name\":"
                            "\"responseLatency\",\"start\":\"%s\",\"durationMs\":0.847}],"
                            "\"metrics\":{\"durationMs\":1.148,\"producedBytes\":58}}}]",
                            time, id, time);
}

/* first, len: the events of this POST. Returns when it began to be written. */
static int64_t
post(struct generator *g, uint64_t request, size_t first, size_t len, bool start, bool done)
{
    char head[256], begin[256], end[512], time[LOAD_TIME_BYTES + 1], id[37];
    size_t bytes = 0;

    load_time(time);
    load_request_id(id, request);
    const char *events = len > 0 ? load_events(g->load, first, len, request, time, &bytes) : "";
    size_t begin_len = beginning(begin, sizeof(begin), start, time, id, len > 0);
    size_t end_len = ending(end, sizeof(end), done, time, id);
    int head_len = snprintf(head, sizeof(head),
                            "POST %s HTTP/1.1\r\nHost: sandbox.localdomain:%u\r\n"
                            "User-Agent: Go-http-client/1.1\r\nContent-Length: %zu\r\n"
                            "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
                            g->path, g->port, begin_len + bytes + end_len);
    struct iovec parts[] = {{head, (size_t)head_len},
                            {begin, begin_len},
                            {(void *)(uintptr_t)events, bytes},
                            {end, end_len}};
    int64_t began = now_ns();

    write_all(g->fd, parts, 4);
    if (!http_read(&g->in) || strncmp(g->in.head, "HTTP/1.1 200", 12) != 0)
        die("the listener answered a POST with: %.40s", g->in.head ? g->in.head : "nothing");
    return began;
}

int64_t
generator_invocation(struct generator *g, uint64_t request, size_t first, size_t len)
{
    size_t at = 0;

    for (;;) {
        size_t now = len - at > g->load->texts_len ? g->load->texts_len : len - at;
        bool last = at + now == len;
        int64_t began = post(g, request, first + at, now, at == 0, last);

        if (last)
            return began;
        at += now;
    }
}
