/* see net.h */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void (*before_leaving)(void);

_Noreturn void
leave(int status)
{
    fflush(stdout);
    if (before_leaving)
        before_leaving();
    _exit(status);
}

_Noreturn void
die(const char *format, ...)
{
    va_list list;

    fputs("bench host: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    leave(1);
}

int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct timespec
clock_in(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

int
spare_cpu(void)
{
    cpu_set_t set;
    int cpu = CPU_SETSIZE - 1;

    if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) < 2)
        return -1;
    while (!CPU_ISSET((size_t)cpu, &set))
        cpu--;
    return cpu;
}

void
pin_to(int cpu)
{
    cpu_set_t set;

    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

void
pin_away_from(int cpu)
{
    cpu_set_t set;

    if (cpu < 0 || sched_getaffinity(0, sizeof(set), &set) < 0)
        return;
    CPU_CLR((size_t)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

int
net_listen(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        die("listen: %s", strerror(errno));
    *port = ntohs(at.sin_port);
    return fd;
}

static int
without_delay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int
net_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        die("accept: %s", strerror(errno));
    return without_delay(fd);
}

int
net_connect(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect to port %u: %s", port, strerror(errno));
    return without_delay(fd);
}

void
start_thread(void *(*body)(void *), void *context)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, context) != 0)
        die("no thread");
    pthread_detach(thread);
}

ssize_t
fd_read(void *fd, char *buffer, size_t cap)
{
    ssize_t got;

    do
        got = read(*(int *)fd, buffer, cap);
    while (got < 0 && errno == EINTR);
    return got;
}

void
fd_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = send(fd, bytes, len, MSG_NOSIGNAL);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return; /* the peer has gone: whoever waits for its next word will say so */
        bytes += put;
        len -= (size_t)put;
    }
}

void
http_in_init(struct http_in *in, read_fn *read, void *context)
{
    *in = (struct http_in){.read = read, .context = context, .buffer = malloc(MESSAGE_MAX)};
    if (!in->buffer)
        die("no memory");
}

void
http_in_free(struct http_in *in)
{
    free(in->buffer);
}

static bool
more(struct http_in *in)
{
    if (in->have == MESSAGE_MAX)
        die("a message above %zu bytes", MESSAGE_MAX);
    ssize_t got = in->read(in->context, in->buffer + in->have, MESSAGE_MAX - in->have);
    if (got <= 0)
        return false;
    in->have += (size_t)got;
    return true;
}

/* Where the text ends that begins at `from`, the text included; 0 when the connection ends before. */
static size_t
upto(struct http_in *in, size_t from, const char *text)
{
    size_t len = strlen(text), seen = from;

    for (;;) {
        char *at = memmem(in->buffer + seen, in->have - seen, text, len);

        if (at)
            return (size_t)(at - in->buffer) + len;
        seen = in->have - from < len ? from : in->have - len + 1;
        if (!more(in))
            return 0;
    }
}

/* The chunks are moved together, to where the first began. */
static bool
read_chunks(struct http_in *in)
{
    size_t at = in->used;

    for (;;) {
        size_t begin = upto(in, at, "\r\n");
        if (begin == 0)
            return false;
        size_t len = strtoul(in->buffer + at, NULL, 16);
        while (in->have < begin + len + 2)
            if (!more(in))
                return false;
        memmove(in->body + in->body_len, in->buffer + begin, len);
        in->body_len += len;
        at = begin + len + 2;
        in->used = at;
        if (len == 0)
            return true; /* trailers are not to be expected */
    }
}

static bool
read_body(struct http_in *in)
{
    size_t len;
    const char *value = http_field(in->head, "Transfer-Encoding", &len);

    if (value && len == 7 && strncasecmp(value, "chunked", 7) == 0)
        return read_chunks(in);
    value = http_field(in->head, "Content-Length", &len);
    in->body_len = value ? strtoul(value, NULL, 10) : 0;
    if (in->body_len > MESSAGE_MAX - in->head_len)
        die("a message of %zu bytes", in->body_len);
    while (in->have - in->used < in->body_len)
        if (!more(in))
            return false;
    in->used += in->body_len;
    return true;
}

bool
http_read(struct http_in *in)
{
    memmove(in->buffer, in->buffer + in->used, in->have - in->used);
    in->have -= in->used;
    in->used = 0;
    in->used = upto(in, 0, "\r\n\r\n");
    if (in->used == 0)
        return false;
    in->head = in->buffer;
    in->head_len = in->used;
    in->head[in->head_len - 1] = '\0';
    in->body = in->buffer + in->used;
    in->body_len = 0;
    return read_body(in);
}

const char *
http_field(const char *head, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        line += name_len + 1;
        line += strspn(line, " \t");
        *len = strcspn(line, "\r");
        while (*len > 0 && (line[*len - 1] == ' ' || line[*len - 1] == '\t'))
            *len -= 1;
        return line;
    }
    return NULL;
}
