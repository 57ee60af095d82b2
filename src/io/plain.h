#ifndef PLAIN_H
#define PLAIN_H
/*
 * A connection without TLS: two buffers, with the byte operations that io/tls.h has too.
 *
 *   network -> space, received -> input, used -> owner
 *   owner -> room, wrote -> output, sent -> network
 */
#include "protocol/span.h"

#define PLAIN_BUFFER 16384

struct plain {
    char *in, *out; /* PLAIN_BUFFER bytes each */
    size_t in_from, in_len, out_from, out_len;
};

/* Empties both buffers. */
void plain_start(struct plain *p);

/* Room for what is to be sent; *cap is 0 when there is none. plain_wrote: len bytes were written there. */
char *plain_room(struct plain *p, size_t *cap);
void plain_wrote(struct plain *p, size_t len);

/* What has arrived. plain_used: the first len bytes of it are no longer needed. */
struct span plain_input(const struct plain *p);
void plain_used(struct plain *p, size_t len);

/* What the network has to take. plain_sent: it took len bytes. */
struct span plain_output(const struct plain *p);
void plain_sent(struct plain *p, size_t len);

/* Room for what comes from the network; *cap is 0 when there is none. plain_received: len bytes were put there. */
char *plain_space(struct plain *p, size_t *cap);
void plain_received(struct plain *p, size_t len);

#endif
