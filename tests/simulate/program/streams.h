#ifndef STREAMS_H
#define STREAMS_H
/*
 * Connections: on the way between the program and the world (streams.c), how they begin and the world's ends of
 * them (peers.c), the program's ends (stream_ends.c).
 */
#include "kernel_parts.h"

struct bytes {
    char *p;
    size_t start, len, cap;
};

/*
 * A connection. What is said of its state is what the program's end of it knows; the world's end learns of all
 * things later.
 */
struct peer {
    enum { STREAM_CONNECTING, STREAM_CONNECTED, STREAM_DEAD } state;
    struct system_address to;
    bool near; /* within this machine */
    bool held; /* the program's end is open: it has a file, or waits in a backlog */
    bool world_open;
    unsigned announced; /* things that will happen to it */

    struct bytes in; /* to the program: what it has not read */
    size_t arrived;  /* so many of them it can read */
    size_t in_cap;
    bool in_due; /* more will arrive */
    bool world_finished, finish_arrived, reset_due;

    struct bytes out; /* from the program: what the world has not received */
    size_t released;  /* so many of them are not held back for more */
    size_t out_cap;
    bool out_due, uncork_due, world_holds;
    bool finished; /* the program sends nothing more */
    bool finish_told;
    bool closed; /* and it has closed the file */
    bool silent; /* nothing reaches anybody */

    int error; /* that the next call reports */
    uint32_t latency_us;
    const struct peer_events *heard;
    void *context;
    bool used;
    struct peer *saved; /* in a snapshot, or of which it is the copy there */
    struct peer *next;  /* of those that are free */
};

void bytes_add(struct bytes *b, struct span more);

/* They stay where they are until more is added. */
struct span bytes_take(struct bytes *b, size_t len);
void bytes_clear(struct bytes *b);

/* A connection with drawn buffers and latency. */
struct peer *stream_new(bool near);

/* Something will happen to it, so much later; and it has. */
void stream_announce(struct peer *s, void (*happens)(void *context), uint64_t us);
void stream_happened(struct peer *s);
uint64_t stream_delay(const struct peer *s);

/* When nobody has to do with it any more it may become another one. */
void stream_settle(struct peer *s);

/* What will not happen any more. */
void stream_cancel(struct peer *s);

/* If there is something that can arrive, it will, be it bytes or an end; there and here. */
void stream_to_program(struct peer *s);
void stream_to_world(struct peer *s);

/* A reset goes to the program. What is on its way there is lost. */
void stream_reset(struct peer *s);

/* Bytes are there, or the end. */
void stream_deliver(struct peer *s);

/* The world hears that it is gone, unless it has closed it itself. */
void stream_gone(struct peer *s);

/* No service is left of the life before. */
void services_begin_anew(void);

#endif
