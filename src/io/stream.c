#include "io/stream.h"

/* see stream.h */

char *
stream_room(struct stream *s, size_t *cap)
{
    return s->encrypted ? tls_room(s->tls, cap) : plain_room(&s->plain, cap);
}

void
stream_wrote(struct stream *s, size_t len)
{
    if (s->encrypted)
        tls_wrote(s->tls, len);
    else
        plain_wrote(&s->plain, len);
}

void
stream_flush(struct stream *s)
{
    if (s->encrypted)
        tls_flush(s->tls);
}

struct span
stream_input(struct stream *s)
{
    return s->encrypted ? tls_input(s->tls) : plain_input(&s->plain);
}

void
stream_used(struct stream *s, size_t len)
{
    if (s->encrypted)
        tls_used(s->tls, len);
    else
        plain_used(&s->plain, len);
}

struct span
stream_output(struct stream *s)
{
    return s->encrypted ? tls_output(s->tls) : plain_output(&s->plain);
}

void
stream_sent(struct stream *s, size_t len)
{
    if (s->encrypted)
        tls_sent(s->tls, len);
    else
        plain_sent(&s->plain, len);
}

char *
stream_space(struct stream *s, size_t *cap)
{
    return s->encrypted ? tls_space(s->tls, cap) : plain_space(&s->plain, cap);
}

void
stream_received(struct stream *s, size_t len)
{
    if (s->encrypted)
        tls_received(s->tls, len);
    else
        plain_received(&s->plain, len);
}
