#ifndef SYSTEM_H
#define SYSTEM_H
/*
 * All that the program asks of the operating system: src/ makes no other system call, and uses no C
 * library function that makes one. Everything that may differ from run to run comes in here: time, chance,
 * the environment, the CPU, files, the network.
 *
 * One implementation is linked: system_linux.c, a few lines for each call, or a simulated one.
 *
 * Files and sockets are small numbers; -1 is none. Only system_wait and system_print wait. Unless it
 * says otherwise, a call returns 0 or more on success, and otherwise
 *
 *   ERR_MORE  nothing now: try again when the file is ready
 *   ERR_IO    failed; system_error() has the reason until the next call
 */
#include "protocol/address.h"
#include "protocol/span.h"

/* --- time, chance, and what the machine is ------------------------------------------------------- */

/* Milliseconds since some moment in the past; never goes back. */
uint64_t system_monotonic_ms(void);

/* Milliseconds since 1970. */
uint64_t system_wall_ms(void);

/*
 * Fills a buffer of at most 256 bytes, fresh from the kernel each time: a snapshot of this process that is
 * restored many times must not repeat them.
 */
int system_random(void *buffer, size_t len);

/*
 * Which instructions may be used, of those that our own code and BearSSL's have.
 * On x86-64 each call traps into the hypervisor, which takes some microseconds.
 */
enum { SYSTEM_CPU_SHA256 = 1, SYSTEM_CPU_AES_GCM = 2, SYSTEM_CPU_AVX2 = 4, SYSTEM_CPU_CRC32 = 8 };
unsigned system_cpu(void);

/* Pairs "NAME=value", ended by NULL. Valid as long as the process. */
char **system_environment(void);

/* Zeroed memory for the life of the process, resident once it is touched; NULL when there is none. */
void *system_memory(size_t bytes);

/* --- waiting ------------------------------------------------------------------------------------- */

/* What a file is ready for. Errors and hang-ups are reported whatever is watched for. */
enum {
    SYSTEM_IN = 0x1,
    SYSTEM_OUT = 0x4,
    SYSTEM_ERROR = 0x8,
    SYSTEM_HANGUP = 0x10,
    SYSTEM_FINISHED = 0x2000 /* the peer sends nothing more; by system_look only */
};

struct system_ready {
    void *tag;
    uint32_t events;
};

/* A set of files to wait for. Returns its number, which is above those of standard input, output and error. */
int system_poller(void);

/*
 * Watches a file for these events, level-triggered; or changes the events if it is watched already. Closing the
 * file ends it.
 */
int system_watch(int poller, int file, uint32_t events, void *tag, bool watched);

/*
 * Waits until a file is ready, for at most ms milliseconds; -1: without limit. Returns how many of
 * ready[0..max) are filled; 0 also when a signal ended the wait.
 */
int system_wait(int poller, struct system_ready *ready, int max, int ms);

/* What the file is ready for at this moment, watched or not. */
uint32_t system_look(int file);

/* --- the network --------------------------------------------------------------------------------- */

struct system_address {
    struct address address;
    uint16_t port;
    uint32_t scope; /* of a link-local IPv6 address: the interface's index; else 0 */
};

enum system_socket { SYSTEM_STREAM, SYSTEM_DATAGRAM };

/*
 * A socket that is connecting to the address. With SYSTEM_DATAGRAM nothing is sent: it only fails when the
 * system has no route. A stream sends at once what it is given, unless more is announced.
 */
int system_connect(enum system_socket kind, const struct system_address *to);

/* Whether a stream has reached its peer. */
int system_connected(int file);

/* The code of an address that did not answer in time, as system_error() has it. */
enum { SYSTEM_TIMED_OUT = 110 };

/*
 * A socket that listens on all IPv4 addresses. *port is the port, or 0 for any free one; it receives the
 * actual port.
 */
int system_listen(uint16_t *port);

/* The next connection of a listening socket; ERR_MORE also if the peer has given it up already. */
int system_accept(int listener);

/*
 * Sends as much as there is room for. With `more` it may be held back for what will follow.
 * ERR_BAD: the peer accepts nothing more; what it sent before may still be there to be read.
 */
int64_t system_send(int file, struct span bytes, bool more);

/* Sends what was held back for more. */
int system_uncork(int file);

/* Nothing more will be sent. */
void system_finish(int file);

/* Bytes of a stream that have arrived and have not been read. */
size_t system_waiting(int file);

/* The index of a network interface; 0 if there is none of that name. */
uint32_t system_interface(const char *name);

/* --- files, and what is read from all kinds ------------------------------------------------------ */

/* For reading. */
int system_open(const char *path);

/* Reads what is there, at most cap bytes, 0 at the end; of a datagram what does not fit is lost. */
int64_t system_read(int file, void *buffer, size_t cap);

/* The bytes of a file, valid until system_unmap. ERR_BIG when they are more than max. */
int system_map(int file, size_t max, struct span *bytes);
void system_unmap(struct span bytes);

void system_close(int file);

/* Why the last call failed: a code for io/error_text.h. */
int system_error(void);

/* --- standard output and signals ----------------------------------------------------------------- */

enum { SYSTEM_OUTPUT = 1, SYSTEM_ERROR_OUTPUT = 2 };

/* The most that a pipe takes as a whole or not at all. Source: PIPE_BUF of Linux. */
#define SYSTEM_PRINT_BYTES 4096

/*
 * Writes at most SYSTEM_PRINT_BYTES to standard output or error, if there is room within ms
 * milliseconds and there is a reader. Returns how many were written.
 */
int64_t system_print(int file, struct span bytes, uint32_t ms);

/* SIGTERM and SIGINT as a file, from system_hold_signals on. */
int system_signals(void);

/*
 * Blocks SIGPIPE, so that a write to a reader that has gone fails instead of ending the process. With
 * `ends` SIGTERM and SIGINT are blocked too, for the file to report.
 */
void system_hold_signals(bool ends);

/* The number of the signal that the file reports. */
int system_signal(int file);

#endif
