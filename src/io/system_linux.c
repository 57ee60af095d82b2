#include "io/system.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/cpu.h"
#include "protocol/check.h"
#include "protocol/out.h"

/* see system.h */

_Static_assert(SYSTEM_IN == (int)EPOLLIN && SYSTEM_IN == POLLIN, "as Linux has it");
_Static_assert(SYSTEM_OUT == (int)EPOLLOUT && SYSTEM_OUT == POLLOUT, "as Linux has it");
_Static_assert(SYSTEM_ERROR == (int)EPOLLERR && SYSTEM_ERROR == POLLERR, "as Linux has it");
_Static_assert(SYSTEM_HANGUP == (int)EPOLLHUP && SYSTEM_HANGUP == POLLHUP, "as Linux has it");
_Static_assert(SYSTEM_FINISHED == POLLRDHUP, "as Linux has it");
_Static_assert(SYSTEM_TIMED_OUT == ETIMEDOUT, "as Linux has it");

enum { READY_MAX = 16, BACKLOG = 128 };

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* --- time, chance, and what the machine is ------------------------------------------------------- */

static uint64_t
read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
system_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t
system_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int
system_random(void *buffer, size_t len)
{
    ssize_t n;

    CHECK(len <= 256);
    /* so few bytes are never returned in part */
    do
        n = getrandom(buffer, len, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len ? 0 : ERR_IO;
}

unsigned
system_cpu(void)
{
    return cpu_features();
}

char **
system_environment(void)
{
    return environ;
}

void *
system_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* --- waiting ------------------------------------------------------------------------------------- */

/* The result of a system call for which the reason of a failure only matters to the log. */
static int
done(int result)
{
    return result < 0 ? ERR_IO : result;
}

/* The same for a call that may succeed later. */
static int64_t
done_or_later(int64_t result)
{
    if (result >= 0)
        return result;
    return errno == EAGAIN || errno == EINTR ? ERR_MORE : ERR_IO;
}

int
system_poller(void)
{
    int poller;

    /* if a standard file was closed at start, its number must not become a socket that receives the log */
    do
        poller = epoll_create1(EPOLL_CLOEXEC);
    while (poller >= 0 && poller <= STDERR_FILENO);
    return done(poller);
}

int
system_watch(int poller, int file, uint32_t events, void *tag, bool watched)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};

    CHECK((events & ~(uint32_t)(SYSTEM_IN | SYSTEM_OUT)) == 0);
    return done(epoll_ctl(poller, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, file, &event));
}

int
system_wait(int poller, struct system_ready *ready, int max, int ms)
{
    struct epoll_event events[READY_MAX];
    int n = epoll_wait(poller, events, max < READY_MAX ? max : READY_MAX, ms);

    for (int i = 0; i < n; i++)
        ready[i] = (struct system_ready){.tag = events[i].data.ptr, .events = events[i].events};
    return n < 0 && errno == EINTR ? 0 : done(n);
}

uint32_t
system_look(int file)
{
    struct pollfd p = {.fd = file, .events = POLLIN | POLLOUT | POLLRDHUP};

    return poll(&p, 1, 0) == 1 ? (uint32_t)p.revents : 0;
}

/* --- the network --------------------------------------------------------------------------------- */

static socklen_t
socket_address(union socket_address *to, const struct system_address *from)
{
    memset(to, 0, sizeof *to);
    if (from->address.len == ADDRESS_V4_BYTES) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(from->port);
        memcpy(&to->v4.sin_addr, from->address.bytes, ADDRESS_V4_BYTES);
        return sizeof to->v4;
    }
    CHECK(from->address.len == ADDRESS_V6_BYTES);
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(from->port);
    to->v6.sin6_scope_id = from->scope;
    memcpy(&to->v6.sin6_addr, from->address.bytes, ADDRESS_V6_BYTES);
    return sizeof to->v6;
}

/* Closes it, and preserves errno. */
static int
give_up(int file)
{
    int code = errno;

    (void)close(file);
    errno = code;
    return ERR_IO;
}

int
system_uncork(int file)
{
    int one = 1;

    return done(setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
}

int
system_connect(enum system_socket kind, const struct system_address *to)
{
    union socket_address address;
    socklen_t len = socket_address(&address, to);
    int type = kind == SYSTEM_STREAM ? SOCK_STREAM : SOCK_DGRAM;
    int file = socket(address.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (file < 0)
        return ERR_IO;
    /* a request is written in whole records, the last of which must not wait for an acknowledgement */
    if (kind == SYSTEM_STREAM)
        (void)system_uncork(file);
    if (connect(file, &address.any, len) != 0 && errno != EINPROGRESS)
        return give_up(file);
    return file;
}

int
system_connected(int file)
{
    int error = 0;
    socklen_t len = sizeof error;

    if ((system_look(file) & (SYSTEM_OUT | SYSTEM_ERROR | SYSTEM_HANGUP)) == 0)
        return ERR_MORE;
    if (getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return ERR_IO;
    errno = error;
    return error == 0 ? 0 : ERR_IO;
}

int
system_listen(uint16_t *port)
{
    /* all addresses: the platform may use the sandbox's own address, not loopback */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof address;
    int one = 1;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (file < 0)
        return ERR_IO;
    (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(file, (const struct sockaddr *)&address, len) != 0 || listen(file, BACKLOG) != 0 ||
        getsockname(file, (struct sockaddr *)&address, &len) != 0)
        return give_up(file);
    *port = ntohs(address.sin_port);
    return file;
}

int
system_accept(int listener)
{
    int file = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    return file < 0 && errno == ECONNABORTED ? ERR_MORE : (int)done_or_later(file);
}

int64_t
system_send(int file, struct span bytes, bool more)
{
    ssize_t n = send(file, bytes.p, bytes.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

    if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
        return ERR_BAD;
    return done_or_later(n);
}

void
system_finish(int file)
{
    (void)shutdown(file, SHUT_WR);
}

size_t
system_waiting(int file)
{
    int n = 0;

    return ioctl(file, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

uint32_t
system_interface(const char *name)
{
    struct ifreq request = {.ifr_ifindex = 0};
    int file = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found;

    if (file < 0)
        return 0;
    (void)out_keep(request.ifr_name, sizeof request.ifr_name - 1, 0, span_of(name));
    found = ioctl(file, SIOCGIFINDEX, &request) == 0;
    (void)close(file);
    return found ? (uint32_t)request.ifr_ifindex : 0;
}

/* --- files, and what is read from all kinds ------------------------------------------------------ */

int
system_open(const char *path)
{
    return done(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

int64_t
system_read(int file, void *buffer, size_t cap)
{
    return done_or_later(read(file, buffer, cap));
}

int
system_map(int file, size_t max, struct span *bytes)
{
    off_t len = lseek(file, 0, SEEK_END);
    void *p;

    if (len < 0)
        return ERR_IO;
    if ((uint64_t)len > max)
        return ERR_BIG;
    *bytes = (struct span){NULL, 0};
    if (len == 0)
        return 0;
    p = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, file, 0);
    if (p == MAP_FAILED)
        return ERR_IO;
    *bytes = (struct span){p, (size_t)len};
    return 0;
}

void
system_unmap(struct span bytes)
{
    if (bytes.len > 0)
        (void)munmap((void *)(uintptr_t)bytes.p, bytes.len);
}

void
system_close(int file)
{
    (void)close(file);
}

int
system_error(void)
{
    return errno;
}

/* --- standard output and signals ----------------------------------------------------------------- */

int64_t
system_print(int file, struct span bytes, uint32_t ms)
{
    struct pollfd out = {.fd = file, .events = POLLOUT};

    CHECK(bytes.len <= SYSTEM_PRINT_BYTES);
    /* POLLERR as well means that nobody reads any more */
    if (poll(&out, 1, (int)ms) != 1 || out.revents != POLLOUT)
        return ERR_IO;
    return done_or_later(write(file, bytes.p, bytes.len));
}

/* The signals that ask us to end, or none. */
static sigset_t
end_signals(bool ends)
{
    sigset_t set;

    sigemptyset(&set);
    if (ends) {
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
    }
    return set;
}

int
system_signals(void)
{
    sigset_t set = end_signals(true);

    return done(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

void
system_hold_signals(bool ends)
{
    sigset_t set = end_signals(ends);

    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int
system_signal(int file)
{
    struct signalfd_siginfo info;

    return read(file, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : ERR_MORE;
}
