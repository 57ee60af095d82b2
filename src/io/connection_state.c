#include "io/connection.h"

#include "io/error_text.h"

/* see connection.h; here: how a connection is, and how it ended */

bool
connection_flushed(struct connection *c)
{
    return c->state == CONNECTION_OPEN && stream_output(&c->stream).len == 0;
}

bool
connection_idle(struct connection *c)
{
    /* unread input would be taken for the reply to the next call */
    return c->state == CONNECTION_OPEN && !c->peer_closed && stream_input(&c->stream).len == 0 &&
           (system_look(c->watch.fd) & ~(uint32_t)SYSTEM_OUT) == 0;
}

/* Of the proxy's replies that mean the request: not that it was too slow, or one too many. */
static bool
refused_for_good(int status)
{
    return status / 100 == 4 && status != 408 && status != 429;
}

COLD bool
connection_hopeless(const struct connection *c)
{
    return c->end == CONNECTION_NOT_TLS ||
           (c->end == CONNECTION_NO_TUNNEL && refused_for_good(c->code)) ||
           (c->end == CONNECTION_TLS_FAILED && tls_hopeless(c->code));
}

const char *
connection_error(const struct connection *c)
{
    switch (c->end) {
    case CONNECTION_NO_NAME:
        return resolver_error(&c->resolver);
    case CONNECTION_REFUSED:
    case CONNECTION_BROKEN:
        return error_text(c->code);
    case CONNECTION_TIMED_OUT:
        return c->resolver.len == 0 ? "no answer from the name servers in time"
                                    : "no connection in time";
    case CONNECTION_TLS_FAILED:
        return tls_error(c->code);
    case CONNECTION_NOT_TLS:
        return "the peer answered in plain HTTP where TLS was expected";
    case CONNECTION_BY_PEER:
        return "closed by the peer";
    case CONNECTION_NO_TUNNEL:
        return "the proxy answered";
    case CONNECTION_NO_PROXY:
        return "the proxy's reply is not valid HTTP";
    case CONNECTION_BY_PROXY:
        return "closed by the proxy";
    default:
        return "no error";
    }
}
