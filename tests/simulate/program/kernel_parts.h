#ifndef KERNEL_PARTS_H
#define KERNEL_PARTS_H
/*
 * What the parts of the simulated system know of each other: the clockwork (kernel.c), the sandbox that holds the
 * program (sandbox.c), its files (files.c), and what these may be: streams (streams.c, sockets.c), datagrams
 * (datagrams.c), small files and signals.
 *
 * All that belongs to the program, and that a snapshot of it takes along, is in `process`; all else in `kernel`.
 */
#include <stddef.h>

#include "kernel.h"
#include "world.h"

/* --- kernel.c: time ---------------------------------------------------------------------------- */

struct kernel_state {
    uint64_t us;
    struct dice dice;    /* of all that the system draws, but for: */
    struct dice entropy; /* what system_random gives */
    struct kernel_faults faults;
    struct kernel_figures figures;
    uint64_t monotonic_begin_us; /* the program's clock when the life began */
    uint64_t stood_us;           /* how long that clock has stood still since */
    int64_t wall_off_ms;
    uint32_t idle_calls, idle_waits; /* since anything was achieved */
    struct {
        bool due, stops_monotonic;
        unsigned calls;
        uint64_t us;
        void (*thawed)(void *context);
        void *context;
    } freeze;
    bool stands; /* still, since then */
    uint64_t stands_since_us;
    const void *site; /* of the call that is made */
    bool running;     /* the program */
    int killed;       /* the number of the signal that ends it */
    bool snapshot;    /* is asked for */
    void (*printed)(int file, struct span bytes);
};

extern struct kernel_state kernel;

/*
 * A system call begins: some time passes, in which the world acts; the program may be frozen or end here. Called by
 * the functions of io/system.h themselves, so that it is known from where they were called.
 */
#define kernel_enter() kernel_enter_from(__builtin_return_address(0))
void kernel_enter_from(const void *site);

/* The world acts until that moment. */
void kernel_until(uint64_t us);

/* Time passes until anything happens, at most until that moment of the program's monotonic clock. */
void kernel_pass(uint64_t monotonic_until_us);

/* It stands still, or waits for a pipe that is full, from now on; or no more. */
void kernel_stands(bool stands);

/* The freeze that was asked for, if it was. Returns whether there was one. */
bool kernel_freeze_now(void);

uint64_t kernel_monotonic_us(void);

/* Nothing that was announced with this context happens. */
void kernel_forget(const void *context);

/* The program has achieved something: bytes were moved, or time was waited for. */
void kernel_progress(void);

/* To the sum of all that was sent. */
void kernel_sum(struct span bytes);

/* --- sweep.c: calls that fail ------------------------------------------------------------------ */

enum call {
    CALL_RANDOM,
    CALL_MEMORY,
    CALL_POLLER,
    CALL_WATCH,
    CALL_WAIT,
    CALL_LOOK,
    CALL_CONNECT,
    CALL_CONNECT_DATAGRAM,
    CALL_CONNECTED,
    CALL_LISTEN,
    CALL_ACCEPT,
    CALL_SEND,
    CALL_SEND_DATAGRAM,
    CALL_UNCORK,
    CALL_WAITING,
    CALL_INTERFACE,
    CALL_OPEN,
    CALL_READ,
    CALL_READ_DATAGRAM,
    CALL_READ_FILE,
    CALL_MAP,
    CALL_PRINT,
    CALL_SIGNALS,
    CALL_SIGNAL,
    CALLS
};

void sweep_begin(void);

/* Whether this call fails, be it for the sweep or by chance. Then *result is what it returns. */
bool sweep_fails(enum call call, int *result);

/* --- files.c ----------------------------------------------------------------------------------- */

enum {
    FILES_FIRST = 3, /* after standard input, output, error */
    FILES_MAX = 256, /* a limit that the program is not meant to reach */
    BACKLOG_MAX = 128,
    LISTENERS_MAX = 4
};

enum file_kind {
    FILE_NONE,
    FILE_POLLER,
    FILE_STREAM,
    FILE_DATAGRAM,
    FILE_LISTENER,
    FILE_SMALL,
    FILE_SIGNALS
};

struct file {
    enum file_kind kind;
    int poller; /* that watches it; 0: none */
    uint32_t events;
    void *tag;
    struct peer *stream;
    struct datagram_socket {
        struct system_address to;
        uint32_t id;
        int error;
        struct datagram *first; /* of those that have come */
    } datagram;
    struct listener {
        uint16_t port;
        unsigned first, len;
        struct peer *backlog[BACKLOG_MAX];
    } * listener;
    struct span bytes; /* of a small file: those that have not been read */
    struct span all;   /* and all of them */
};

struct process {
    struct file files[FILES_MAX];
    struct listener listeners[LISTENERS_MAX];
    int files_top; /* above the highest that is open */
    int error;
    bool holds_ends;                 /* SIGTERM and SIGINT wait to be read */
    uint32_t signals;                /* that came and were not read, by their bits */
    size_t memory_len, memory_bytes; /* where the next begins; all that was asked for */
    char **environment;
};

extern struct process process;

/* An open file; a number that is none breaks a law. FILE_NONE: of any kind. */
struct file *file_of(int number, enum file_kind kind, const char *call);

/* The lowest free number; ERR_IO when there is none. */
int file_new(enum file_kind kind);

/* A file that was just made and cannot be. Returns ERR_IO. */
int file_undo(int number, int error);

/* Fails with this error. */
int file_error(int error, int result);

uint32_t file_look(const struct file *f);

void files_begin(void);

/* The program has ended: all its files are closed, and the world learns of it at once. */
void files_end(void);

/* For a snapshot: what a copy will find of its files. For each file, and for each when the copy goes on. */
void files_keep(struct process *kept);
void files_restore(const struct process *kept);

/* --- streams.c, peers.c, stream_ends.c: see streams.h ------------------------------------------ */

void streams_begin(void);
bool stream_routed(const struct system_address *to);
bool stream_port_taken(uint16_t port);

/* A connection that the program asks for. NULL with its error when it failed at once. */
struct peer *stream_connect(const struct system_address *to, int *error);

uint32_t stream_look(const struct peer *s);
int64_t stream_read(struct peer *s, char *buffer, size_t cap);
int64_t stream_send(struct peer *s, struct span bytes, bool more);
void stream_uncork(struct peer *s);
void stream_finish(struct peer *s);
void stream_close(struct peer *s);

/* The connection has failed by itself, with an error that has been reported. */
void stream_break(struct peer *s);

/* The program has ended: what it has sent arrives now, and the world hears that it is gone. */
void stream_end(struct peer *s);

/* The same for all that it never accepted, or has closed before. */
void streams_end(void);

/*
 * A snapshot's connection, and the one that a copy finds. Within this machine it is the same that it was, and is
 * not to be closed before.
 */
struct peer *stream_keep(struct peer *s);
struct peer *stream_restore(struct peer *kept);

/* The listener of a port, or NULL. */
struct listener *listener_at(uint16_t port);
void listener_end(struct listener *l);

/* --- datagrams.c ------------------------------------------------------------------------------- */

void datagrams_begin(void);
bool datagrams_routed(const struct system_address *to);
uint32_t datagrams_new_id(void);
int64_t datagram_send(struct datagram_socket *s, struct span bytes);
int64_t datagram_read(struct datagram_socket *s, char *buffer, size_t cap);
void datagram_close(struct datagram_socket *s);

bool address_same(const struct system_address *a, const struct system_address *b);

/* --- sandbox.c --------------------------------------------------------------------------------- */

void sandbox_begin(void);

/* The program's next memory; NULL when there is none. */
void *sandbox_memory(size_t bytes);

/* The program ends here. */
void sandbox_end(enum kernel_end end, int status) __attribute__((noreturn));

/* Keeps the program as it is and ends it; returns in each of the copies. */
void sandbox_snapshot(void);

#endif
