/* A URL, or a host and port; and any piece of it as a region or a bucket, of which host names are made. */
#include "fuzz.h"
#include "protocol/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

/* Goes into a request's head. */
static void
check_endpoint(const struct endpoint *e, struct span url, const char *not_in_path)
{
    FACT(e->host.len > 0 && e->host.len <= 253 && fuzz_within(e->host, url));
    FACT(e->port > 0 && e->custom && e->tls == span_starts(url, SPAN("https:")));
    FACT(e->path.len > 0 && e->path.p[0] == '/' && (e->path.len == 1 || fuzz_within(e->path, url)));
    for (size_t i = 0; i < e->path.len; i++)
        FACT(e->path.p[i] > ' ' && e->path.p[i] < 0x7f &&
             strchr(not_in_path, e->path.p[i]) == NULL);
    for (size_t i = 0; i < e->host.len; i++)
        FACT(e->host.p[i] > ' ' && e->host.p[i] < 0x7f && strchr("/?#@[]", e->host.p[i]) == NULL);
}

/* What Host says; refused when there is a byte less of room. */
static struct span
authority(const struct endpoint *e)
{
    size_t cap = e->host.len + sizeof "[]:65535";
    struct out o = out_to(fuzz_room(cap), cap);
    struct out small;

    FACT(endpoint_authority(&o, e) == 0);
    small = out_to(fuzz_room(o.len - 1), o.len - 1);
    FACT(endpoint_authority(&small, e) == ERR_FULL);
    return out_span(&o);
}

/* The shortest URL that means the same. */
static struct span
url_of(const struct endpoint *e)
{
    struct span host = authority(e);
    size_t cap = sizeof "https://" + host.len + e->path.len;
    struct out o = out_to(fuzz_room(cap), cap);

    out_put(&o, e->tls ? SPAN("https://") : SPAN("http://"));
    out_put(&o, host);
    out_put(&o, e->path);
    FACT(out_end(&o) == 0);
    return out_span(&o);
}

static bool
same(const struct endpoint *a, const struct endpoint *b)
{
    return span_same(a->host, b->host) && a->port == b->port && a->tls == b->tls &&
           span_same(a->path, b->path);
}

static void
check_url(struct span url)
{
    struct endpoint e, again;
    int got = endpoint_url(url, &e);

    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    check_endpoint(&e, url, "?#@");
    FACT(e.path.len == 1 || e.path.p[e.path.len - 1] != '/');
    FACT(endpoint_url(url_of(&e), &again) == 0 && same(&e, &again));
}

/* A host that a URL can have, too, and with a port of its own. */
static void
check_host_port(struct span text)
{
    struct endpoint e = {.path = SPAN("/")}, again;
    int got = endpoint_host_port(text, &e.host, &e.port);

    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    FACT(e.host.len > 0 && fuzz_within(e.host, text) && e.port > 0);
    /* colons may stand anywhere here, and a host may be longer than any name */
    if (e.host.len <= 253 && memchr(e.host.p, ':', e.host.len) == NULL)
        FACT(endpoint_url(url_of(&e), &again) == 0 && same(&e, &again));
}

/* What the system makes of it is an address of this machine or its link. */
static bool
is_near(struct span host)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in_addr v4;
    struct in6_addr v6;

    if (span_same_case(host, SPAN("localhost")))
        return true;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.p, host.len);
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || ntohl(v4.s_addr) >> 16 == (169 << 8 | 254);
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static void
check_credentials_url(struct span url)
{
    struct endpoint e, again;
    struct span rest = span_skip(url, sizeof "http://" - 1), query;
    int got = endpoint_credentials_url(url, &e);

    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    check_endpoint(&e, url, "#");
    FACT(!e.tls && is_near(e.host));
    /* path and query are all that follows the authority, as it stands there */
    if (memchr(rest.p, '/', rest.len) != NULL || memchr(rest.p, '?', rest.len) != NULL)
        FACT(fuzz_within(e.path, url) && e.path.p + e.path.len == url.p + url.len);
    FACT(endpoint_credentials_url(url_of(&e), &again) == 0 && same(&e, &again));
    FACT(endpoint_url(span_cut(url, '?', &query), &again) == 0);
    FACT(span_same(e.host, again.host) && e.port == again.port && !again.tls);
}

struct name {
    bool s3, fips, dual_stack;
    struct span bucket, region;
};

static int
put_host(struct out *o, const struct name *n)
{
    if (n->s3)
        return endpoint_s3_host(o, n->bucket, n->region, n->fips, n->dual_stack);
    return endpoint_kinesis_host(o, n->region, n->fips, n->dual_stack);
}

/* Has the bucket before and the region within, and can be used in a URL if these two can. */
static void
check_host(const struct name *n, struct span host)
{
    struct endpoint e = {.host = host, .port = 443, .tls = true, .path = SPAN("/")}, again;
    bool usable = span_made_of(n->region, "-") && host.len <= 253;

    FACT(memmem(host.p, host.len, n->region.p, n->region.len) != NULL || n->region.len == 0);
    FACT(!n->s3 || span_starts(host, n->bucket));
    if (n->s3 && n->bucket.len > 0)
        usable = usable && span_made_of(n->bucket, "-.");
    if (usable)
        FACT(endpoint_url(url_of(&e), &again) == 0 && same(&e, &again));
}

/* Is written into just as much room as it needs, and not into less. */
static void
check_name(const struct name *n)
{
    size_t cap = 100 + n->bucket.len + n->region.len;
    struct out o = out_to(fuzz_room(cap), cap);
    struct out exact, small;
    size_t less;

    FACT(put_host(&o, n) == 0);
    exact = out_to(fuzz_room(o.len), o.len);
    FACT(put_host(&exact, n) == 0 && span_same(out_span(&exact), out_span(&o)));
    less = fuzz_dice((uint32_t)o.len);
    small = out_to(fuzz_room(less), less);
    FACT(put_host(&small, n) == ERR_FULL && span_starts(out_span(&o), out_span(&small)));
    check_host(n, out_span(&o));
}

static struct span
any_piece(struct span text)
{
    size_t from = fuzz_dice((uint32_t)text.len + 1);

    return (struct span){text.p + from, fuzz_dice((uint32_t)(text.len - from) + 1)};
}

void
fuzz(struct span in)
{
    struct name whole = {.region = in, .fips = fuzz_dice(2) == 0, .dual_stack = fuzz_dice(2) == 0};
    struct name any = {.s3 = true, .bucket = any_piece(in), .region = any_piece(in)};

    check_url(in);
    check_credentials_url(in);
    check_host_port(in);
    any.fips = fuzz_dice(2) == 0;
    any.dual_stack = fuzz_dice(2) == 0;
    check_name(&whole);
    check_name(&any);
}
