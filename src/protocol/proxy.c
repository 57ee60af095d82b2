#include "protocol/proxy.h"

#include "protocol/http.h"
#include "protocol/no_proxy.h"
#include "protocol/segment.h"

/* see proxy.h */

int
proxy_url(struct span url, bool bare, struct proxy *proxy)
{
    static const char scheme[] = "http://";
    enum { SCHEME = sizeof scheme - 1 };
    struct span rest = url;
    struct span authority;
    size_t at;

    *proxy = (struct proxy){.port = 80};
    if (url.len > SCHEME && span_same_case((struct span){url.p, SCHEME}, SPAN(scheme)))
        rest = span_skip(url, SCHEME);
    else if (!bare || span_find(url, SPAN("://")) != NULL)
        return ERR_BAD;
    authority = span_cut(rest, '/', &rest);
    /* the last one, since passwords with it are often given as they are */
    for (at = authority.len; at > 0 && authority.p[at - 1] != '@';)
        at--;
    if (at > 0)
        proxy->user = (struct span){authority.p, at - 1};
    return rest.len == 0 && proxy->user.len <= PROXY_USER_MAX
               ? endpoint_place(span_skip(authority, at), &proxy->host, &proxy->port)
               : ERR_BAD;
}

const struct proxy *
proxy_for(const struct proxy *proxy, const struct endpoint *e)
{
    static const char local[] = "localhost,127.0.0.0/8,169.254.0.0/16,::1,fe80::/10";

    return proxy->host.len == 0 || (proxy->https_only && !e->tls) ||
                   no_proxy(SPAN(local), e->host) || no_proxy(proxy->exempt, e->host)
               ? NULL
               : proxy;
}

/* Resolves escapes, which are two hexadecimal digits behind a per cent sign. Returns the length. */
static size_t
unescape(struct span s, char *to)
{
    size_t len = 0;

    while (s.len > 0) {
        int high = s.len > 2 && *s.p == '%' ? span_hex(s.p[1]) : -1;
        int low = high < 0 ? -1 : span_hex(s.p[2]);

        to[len++] = (char)(low < 0 ? *s.p : high << 4 | low);
        s = span_skip(s, low < 0 ? 1 : 3);
    }
    return len;
}

static void
put_user(struct out *o, struct span user)
{
    char plain[PROXY_USER_MAX + 1];
    struct segment segment = {SEGMENT_BASE64, {plain, unescape(user, plain)}};
    struct segment_cursor cursor = {.at = 0};

    /* a user without a password has an empty one */
    if (span_char(user, ':') == NULL)
        plain[segment.bytes.len++] = ':';
    out_put(o, SPAN("\r\nproxy-authorization: Basic "));
    o->len += segment_read(&segment, &cursor, o->p + o->len, o->cap - o->len);
    o->full = o->full || !segment_ended(&segment, &cursor);
}

int
proxy_request(struct out *o, const struct proxy *proxy, struct span host, uint16_t port)
{
    /* always with its port, so of a scheme that has another one */
    const struct endpoint e = {.host = host, .port = port, .tls = port == 80};

    out_put(o, SPAN("CONNECT "));
    (void)endpoint_authority(o, &e);
    out_put(o, SPAN(" HTTP/1.1\r\nhost: "));
    (void)endpoint_authority(o, &e);
    if (proxy->user.len > 0)
        put_user(o, proxy->user);
    out_put(o, SPAN("\r\n\r\n"));
    return out_end(o);
}

int
proxy_reply(struct span in)
{
    struct http_head head;
    int used;

    do {
        used = http_response_head(in, &head);
        if (used < 0)
            return used == ERR_MORE ? used : ERR_BAD;
        in = span_skip(in, (size_t)used);
    } while (head.status < 200 && head.status != 101);
    return head.status / 100 == 2 && in.len > 0 ? ERR_BAD : (int)head.status;
}
