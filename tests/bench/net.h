#ifndef NET_H
#define NET_H
/*
 * What the bench host needs of the system: a clock, loopback sockets, HTTP/1.1 messages.
 *
 * This is a test tool: what it cannot go on without ends it, with one line on stderr.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A PutRecords request of 500 records of 10 KB in base64 fits, and any POST of telemetry. */
#define MESSAGE_MAX ((size_t)12 << 20)

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the process at once: what exit() would tidy up, other threads still use. */
_Noreturn void leave(int status);

/* What leave has to do first; NULL: nothing. */
extern void (*before_leaving)(void);

/* Monotonic. */
int64_t now_ns(void);

/* The wall clock's time in so many milliseconds, as pthread_cond_timedwait wants it. */
struct timespec clock_in(unsigned ms);

/* The last CPU that this process may use; -1 when it is the only one, and there is nothing to choose. */
int spare_cpu(void);

/* The calling thread, and what it starts, run on that CPU alone, or on all others. Nothing when cpu < 0. */
void pin_to(int cpu);
void pin_away_from(int cpu);

/* Listens on a free port of 127.0.0.1. */
int net_listen(uint16_t *port);
int net_accept(int listener);
int net_connect(uint16_t port);

/* A thread that is never waited for. */
void start_thread(void *(*body)(void *), void *context);

/* Where bytes come from: at most cap; 0 at the end, below on an error. */
typedef ssize_t read_fn(void *context, char *buffer, size_t cap);
ssize_t fd_read(void *fd, char *buffer, size_t cap);
void fd_write(int fd, const char *bytes, size_t len);

/* One side of a connection. head and body stay valid until the next http_read. */
struct http_in {
    read_fn *read;
    void *context;
    char *buffer; /* MESSAGE_MAX, touched as far as it is used */
    size_t have, used;
    char *head; /* with its empty line; ended by a NUL in place of the last newline */
    size_t head_len;
    char *body;
    size_t body_len;
};

void http_in_init(struct http_in *in, read_fn *read, void *context);
void http_in_free(struct http_in *in);

/* The next message, its body whole. False at the end of the connection. */
bool http_read(struct http_in *in);

/* A field's value, NULL when there is none; *len without the blanks around it. */
const char *http_field(const char *head, const char *name, size_t *len);

#endif
