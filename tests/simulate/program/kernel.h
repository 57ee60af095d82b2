#ifndef KERNEL_H
#define KERNEL_H
/*
 * The system that the whole program runs on in the simulator: io/system.h is what the program sees of it, this
 * is what the world sees, that is the actors around the program: Lambda, Kinesis, name servers.
 *
 * Everything happens in one thread. The program runs until it makes a system call; within it the world may
 * act. Time moves only when the program waits or is frozen, and by some microseconds with each call. Everything that is left to
 * chance follows from the seed of the life.
 *
 * Moments of the world are microseconds since the life began; they never stand still, whatever the program's
 * clocks do.
 */
#include "../dice.h"
#include "io/system.h"

/* --- time ---------------------------------------------------------------------------------------- */

uint64_t kernel_us(void);

/* The wall clock as the world has it, in milliseconds since 1970; the program's own may be off. */
uint64_t kernel_wall_ms(void);

/* Something happens at that moment; things of the same moment in the order in which they were announced. */
void kernel_at(uint64_t us, void (*happens)(void *context), void *context);

/* What was announced with these two does not happen. */
void kernel_cancel(void (*happens)(void *context), void *context);

/* --- streams ------------------------------------------------------------------------------------- */

/* The world's end of a connection. Valid until `gone` has been called, or it was closed or reset by the world. */
struct peer;

struct peer_events {
    /* The other side has accepted. */
    void (*opened)(void *context, struct peer *peer);
    /* Bytes came, in the order in which they were sent; pieces are as large as chance wants. */
    void (*came)(void *context, struct span bytes);
    /* The program sends nothing more; it may still read. */
    void (*finished)(void *context);
    /* Closed, reset or refused by the program, or it has ended. */
    void (*gone)(void *context);
};

enum kernel_answer { KERNEL_ACCEPT, KERNEL_REFUSE, KERNEL_SILENT };

/* One who accepts connections of the program. `connecting` decides, and says who hears of what follows. */
struct service {
    enum kernel_answer (*connecting)(void *context, struct peer *peer,
                                     const struct peer_events **events, void **peer_context);
    void *context;
};

/*
 * What listens at this address and port; NULL: nobody any more. Where nobody listens, connections are refused.
 * *service must stay valid. There is a route to IPv6 addresses if anybody serves at one.
 */
void kernel_serve(const struct system_address *at, const struct service *service);

/* A connection to a port that the program listens at; `gone` when it is refused. */
struct peer *kernel_connect(uint16_t port, const struct peer_events *events, void *context);

/* Bytes are copied; they reach the program in time, as its buffer has room. */
void peer_send(struct peer *peer, struct span bytes);

/* Bytes that were sent and that the program has not read; when it is `gone`: those that it never will. */
size_t peer_unread(const struct peer *peer);

/* While it holds, it takes nothing: what the program sends fills its buffer. */
void peer_hold(struct peer *peer, bool holds);

/* The world sends nothing more; takes what comes. */
void peer_finish(struct peer *peer);

/* Closes both ways: what was sent before still arrives; what the program sends now is answered with a reset. */
void peer_close(struct peer *peer);

/* What was sent and is still on its way is lost, too; what has arrived may still be read, as on Linux. */
void peer_reset(struct peer *peer);

/* --- datagrams ----------------------------------------------------------------------------------- */

/* Datagrams to this address come here; `from` is for the answer. */
void kernel_serve_datagrams(const struct system_address *at,
                            void (*came)(void *context, uint32_t from, struct span bytes),
                            void *context);

/* To the one that a datagram came from; nothing happens when it has closed meanwhile. */
void kernel_answer_datagram(uint32_t to, struct span bytes);

/* --- files and settings -------------------------------------------------------------------------- */

/* A small file that the program may open; the bytes must stay valid. */
void kernel_file(const char *path, struct span bytes);

/* What standard output and standard error receive. At most one of them. */
void kernel_on_print(void (*printed)(int file, struct span bytes));

/* --- faults -------------------------------------------------------------------------------------- */

/* What may go wrong by itself, of 1,000 calls; all zero: nothing. */
struct kernel_faults {
    uint32_t short_read, short_write; /* less than could be */
    uint32_t datagram_lost;
    uint32_t pipe_full; /* standard output has no room, for the time that the call waits */
    uint32_t freeze;    /* the program stands still at this call */
    uint32_t freeze_ms; /* for that long at most */
    uint32_t random_fails, memory_fails, open_fails, watch_fails, socket_fails, listen_fails;
    uint32_t buffer_bytes; /* least size of a socket's buffers; up to 256 KiB, drawn for each */
    uint32_t latency_us;   /* most of a connection's latency, drawn for each */
};

/* For the sweep: this fallible call, counted from 1, fails once with this error; 0: none. */
struct kernel_failure {
    uint64_t call;
    unsigned
        variant; /* which of the errors that the call may have; kernel_variants has how many there are */
};

/* --- the program --------------------------------------------------------------------------------- */

enum kernel_end { KERNEL_EXITED, KERNEL_KILLED };

/* A life begins: no events, no files, no sockets, time 0. */
void kernel_begin(struct dice dice, const struct kernel_faults *faults);

/* The sweep's failure, in all lives that follow. */
void kernel_fail(const struct kernel_failure *failure);

/* Fallible calls that were made in this life; of each, counted from 1, its name, and how many errors it may have. */
uint64_t kernel_calls(void);
const char *kernel_call_name(uint64_t call);
uint32_t
kernel_call_site(uint64_t call); /* where in the program it is made: a number for each place */
unsigned kernel_variants(uint64_t call);

/*
 * Starts the program from its beginning, all of its memory as it is then, and returns when it has ended. Files
 * and sockets that it leaves are closed. *status: of exit, or the signal's number.
 */
enum kernel_end kernel_run(int argc, char **argv, char **environment, int *status);

/* Goes on from the snapshot, as a copy of the program; returns as kernel_run does. */
enum kernel_end kernel_restore(int *status);

/* --- from within the world's handlers, about the program that runs ------------------------------------ */

/* False once it has ended, also while the world hears of the end of its connections. */
bool kernel_runs(void);

/*
 * SIGTERM or SIGINT; SIGKILL: it ends at once, and after the handler that says so none is called but those that
 * hear of the end of their connections.
 */
void kernel_signal(int number);

/*
 * Stands still from so many system calls later on, for so long; at the latest when it waits and nothing is
 * ready. stops_monotonic: that clock stands still as well (the wall clock always goes on). thawed is called when it
 * is over, before the program goes on.
 */
void kernel_freeze(unsigned calls_later, uint64_t us, bool stops_monotonic,
                   void (*thawed)(void *context), void *context);

/* The program's wall clock is set by so much. */
void kernel_set_clock(int64_t ms);

/*
 * When the program waits next and nothing is ready, its memory and files are kept for kernel_restore, its
 * connections too, and it ends there (KERNEL_KILLED). Those within this machine (127.0.0.0/8) go on in each copy, the
 * world's ends with the same pointers; the others are `gone`: what a copy finds of them is reset or silent, by chance.
 */
void kernel_snapshot(void);

/*
 * Of this life: files open now and at most, system calls, what was sent and printed, as a sum; of the program
 * that runs or has ended last: bytes of memory taken.
 */
struct kernel_figures {
    uint32_t files, files_most;
    uint64_t memory_bytes, calls, waits, sent_bytes, sent_hash;
    uint64_t frozen_us; /* for how long it stood still, or waited for a pipe that was full */
};

struct kernel_figures kernel_figures(void);

#endif
