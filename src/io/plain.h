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

/* Nothing is there, in neither direction. */
void plain_start(struct plain *p);

/* Room for what is to be sent, *cap is 0 when there is none; so many bytes were written there. */
char *plain_room(struct plain *p, size_t *cap);
void plain_wrote(struct plain *p, size_t len);

/* What has arrived; so many bytes of it are done with. */
struct span plain_input(const struct plain *p);
void plain_used(struct plain *p, size_t len);

/* What the network is to take; so many bytes it took. */
struct span plain_output(const struct plain *p);
void plain_sent(struct plain *p, size_t len);

/* Room for what the network has, *cap is 0 when there is none; so many bytes were put there. */
char *plain_space(struct plain *p, size_t *cap);
void plain_received(struct plain *p, size_t len);

#endif
