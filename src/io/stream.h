#ifndef STREAM_H
#define STREAM_H
/*
 * The bytes of a connection on their way between its owner and the network, through TLS or as they are: what
 * io/tls.h and io/plain.h have in common.
 */
#include "io/plain.h"
#include "io/tls.h"

struct stream {
    bool encrypted;     /* by tls, else plain */
    struct tls *tls;    /* its buffers serve both directions; zeroed before its first use */
    struct plain plain; /* two buffers */
};

char *stream_room(struct stream *s, size_t *cap);
void stream_wrote(struct stream *s, size_t len);
void stream_flush(struct stream *s);

struct span stream_input(struct stream *s);
void stream_used(struct stream *s, size_t len);

struct span stream_output(struct stream *s);
void stream_sent(struct stream *s, size_t len);

char *stream_space(struct stream *s, size_t *cap);
void stream_received(struct stream *s, size_t len);

#endif
