#include "io/tunnel.h"

/* see tunnel.h */

int
tunnel_ask(struct stream *s, const struct proxy *proxy, struct span host, uint16_t port)
{
    struct out o;
    size_t cap;
    char *room;

    _Static_assert(sizeof s->tls->records >= 2 * (size_t)PLAIN_BUFFER, "");
    if (s->tls != NULL) {
        s->plain.in = (char *)s->tls->records;
        s->plain.out = s->plain.in + PLAIN_BUFFER;
    }
    s->encrypted = false;
    room = stream_room(s, &cap);
    o = out_to(room, cap);
    if (proxy_request(&o, proxy, host, port) != 0)
        return ERR_FULL;
    stream_wrote(s, o.len);
    return 0;
}

int
tunnel_reply(struct stream *s)
{
    struct span in = stream_input(s);
    int r = proxy_reply(in);

    if (r != ERR_MORE)
        stream_used(s, in.len);
    return r == ERR_MORE && in.len == PLAIN_BUFFER ? ERR_BAD : r;
}
