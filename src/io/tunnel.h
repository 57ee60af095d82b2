#ifndef TUNNEL_H
#define TUNNEL_H
/*
 * A stream's first bytes, where a proxy is on the way: the request for a tunnel, in the clear, and the reply.
 */
#include "io/stream.h"
#include "protocol/proxy.h"

/*
 * Begins a connection: puts the request to the stream's output. What is to be encrypted later lends its memory, which
 * is not used before. Returns 0, or ERR_FULL.
 */
int tunnel_ask(struct stream *s, const struct proxy *proxy, struct span host, uint16_t port);

/* Reads the reply in the input, as proxy_reply does, and uses it up; ERR_BAD for one beyond PLAIN_BUFFER, too. */
int tunnel_reply(struct stream *s);

#endif
