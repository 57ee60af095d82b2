#include "io/plain.h"

#include <string.h>

#include "protocol/check.h"

/* see plain.h */

void
plain_start(struct plain *p)
{
    p->in_from = p->in_len = p->out_from = p->out_len = 0;
}

char *
plain_room(struct plain *p, size_t *cap)
{
    *cap = PLAIN_BUFFER - p->out_len;
    return p->out + p->out_len;
}

void
plain_wrote(struct plain *p, size_t len)
{
    CHECK(len <= PLAIN_BUFFER - p->out_len);
    p->out_len += len;
}

struct span
plain_input(const struct plain *p)
{
    return (struct span){p->in + p->in_from, p->in_len - p->in_from};
}

void
plain_used(struct plain *p, size_t len)
{
    CHECK(len <= p->in_len - p->in_from);
    p->in_from += len;
}

struct span
plain_output(const struct plain *p)
{
    return (struct span){p->out + p->out_from, p->out_len - p->out_from};
}

void
plain_sent(struct plain *p, size_t len)
{
    CHECK(len <= p->out_len - p->out_from);
    p->out_from += len;
    if (p->out_from == p->out_len)
        p->out_from = p->out_len = 0;
}

char *
plain_space(struct plain *p, size_t *cap)
{
    if (p->in_from > 0) {
        memmove(p->in, p->in + p->in_from, p->in_len - p->in_from);
        p->in_len -= p->in_from;
        p->in_from = 0;
    }
    *cap = PLAIN_BUFFER - p->in_len;
    return p->in + p->in_len;
}

void
plain_received(struct plain *p, size_t len)
{
    CHECK(len <= PLAIN_BUFFER - p->in_len);
    p->in_len += len;
}
