#ifndef PROXY_H
#define PROXY_H
/*
 * A proxy on the way to a service: which endpoints are reached through it, and how it is asked for a tunnel.
 * Source: RFC 9110, section 9.3.6 (CONNECT); RFC 7617 (Basic).
 *
 * The tunnel is asked for whatever is spoken inside: with TLS, the proxy sees no more than host and port, and the
 * certificate is verified as without it. An endpoint of plain http, which only tests have, gets a tunnel too, where
 * curl would send it the whole URL: so a request is the same with a proxy and without, its signature included, and
 * proxies cannot store, change or repeat it.
 */
#include "protocol/endpoint.h"

/* Longest user and password, as they stand in the URL. */
#define PROXY_USER_MAX 512

struct proxy {
    struct span host; /* without brackets for an IPv6 address; empty: there is no proxy */
    uint16_t port;
    struct span user;   /* USER:PASSWORD as in the URL, escapes included; a secret. Empty: none */
    bool https_only;    /* not for endpoints of plain http */
    struct span exempt; /* hosts that are reached without it, as no_proxy.h has it */
};

/*
 * http://[USER[:PASSWORD]@]HOST[:PORT][/] into host, port (80 without one, as botocore has it; curl takes 1080) and
 * user; the other members are cleared. bare: the scheme may be missing.
 * Returns 0; ERR_BAD for anything else, such as another scheme. The spans point into url.
 */
int proxy_url(struct span url, bool bare, struct proxy *proxy);

/*
 * The proxy by which the endpoint is to be reached; NULL: directly. This machine and its link never go through one:
 * localhost and names below it, 127.0.0.0/8, 169.254.0.0/16, ::1, fe80::/10.
 */
const struct proxy *proxy_for(const struct proxy *proxy, const struct endpoint *endpoint);

/*
 * Appends the request for a tunnel to a host, a name or an address without brackets, which the proxy looks up. What
 * is no escape in user and password stands for itself. Returns 0 or ERR_FULL.
 */
int proxy_request(struct out *o, const struct proxy *proxy, struct span host, uint16_t port);

/*
 * Reads the reply to that, from its first byte each time. Interim replies (1xx) before it are passed over. Any 2xx
 * opens the tunnel, whatever its fields say of a body; nothing may follow it, since in the tunnel we speak first.
 *
 * Returns the status, 200..999, or 101; ERR_MORE; ERR_BAD for what is no such reply.
 */
int proxy_reply(struct span in);

#endif
