#include "protocol/endpoint.h"

#include <string.h>

#include "protocol/check.h"

/* see endpoint.h */

int
endpoint_split(struct span authority, const char *others, struct span *host, struct span *port)
{
    if (!span_starts(authority, SPAN("["))) {
        *host = span_cut(authority, ':', port);
        return host->len == 0 || span_made_of(*host, others) ? 0 : ERR_BAD;
    }
    *host = span_cut(span_skip(authority, 1), ']', port);
    if (port->p == NULL || !span_made_of(*host, ":.") || (port->len > 0 && port->p[0] != ':'))
        return ERR_BAD;
    *port = span_skip(*port, 1);
    return 0;
}

int
endpoint_host_port(struct span text, struct span *host, uint16_t *port)
{
    uint64_t number;

    *host = text;
    while (host->len > 0 && host->p[host->len - 1] != ':')
        host->len--;
    if (host->len < 2 || span_number(span_skip(text, host->len), 65535, &number) != 0 ||
        number == 0)
        return ERR_BAD;
    *port = (uint16_t)number;
    host->len--;
    if (host->len > 2 && host->p[0] == '[' && host->p[host->len - 1] == ']')
        *host = (struct span){host->p + 1, host->len - 2};
    return span_made_of(*host, "-._:") ? 0 : ERR_BAD;
}

int
endpoint_place(struct span authority, struct span *host, uint16_t *port)
{
    struct span digits = {NULL, 0};
    uint64_t number = *port;

    if (endpoint_split(authority, "-._", host, &digits) != 0 || host->len == 0 || host->len > 253 ||
        (digits.len > 0 && span_number(digits, 65535, &number) != 0) || number == 0)
        return ERR_BAD;
    *port = (uint16_t)number;
    return 0;
}

int
endpoint_url(struct span url, struct endpoint *e)
{
    struct span rest = url;
    struct span authority;

    *e = (struct endpoint){.custom = true, .port = 80, .path = SPAN("/")};
    if (span_starts(url, SPAN("https://"))) {
        e->tls = true;
        e->port = 443;
    } else if (!span_starts(url, SPAN("http://"))) {
        return ERR_BAD;
    }
    rest = span_skip(url, e->tls ? 8 : 7);
    authority = span_cut(rest, '/', &rest);
    if (rest.p != NULL)
        e->path = (struct span){rest.p - 1, rest.len + 1};
    while (e->path.len > 1 && e->path.p[e->path.len - 1] == '/')
        e->path.len--;
    return span_made_of(e->path, "/-._~%") ? endpoint_place(authority, &e->host, &e->port)
                                           : ERR_BAD;
}

/* An IPv4 address, without leading zeros: some readers take 0127 as octal, and 09 as a host name. */
static bool
local_address(struct span host)
{
    struct span rest = host;
    uint64_t number;
    size_t parts = 0;

    if (!span_starts(host, SPAN("127.")) && !span_starts(host, SPAN("169.254.")))
        return false;
    for (; rest.p != NULL; parts++) {
        struct span part = span_cut(rest, '.', &rest);

        if (span_number(part, 255, &number) != 0 || (part.len > 1 && part.p[0] == '0'))
            return false;
    }
    return parts == 4;
}

int
endpoint_credentials_url(struct span url, struct endpoint *e)
{
    struct span query;
    struct span plain = span_cut(url, '?', &query);
    const char *path;

    if (endpoint_url(plain, e) != 0 || e->tls)
        return ERR_BAD;
    if (!local_address(e->host) && !span_same(e->host, SPAN("::1")) &&
        !span_same_case(e->host, SPAN("localhost")))
        return ERR_BAD;
    path = span_char(span_skip(plain, 7), '/');
    if (path == NULL)
        return query.p == NULL ? 0 : ERR_BAD;
    e->path = (struct span){path, (size_t)(url.p + url.len - path)};
    return query.len == 0 || span_made_of(query, "/-._~%?=&+:@,;!$'()*") ? 0 : ERR_BAD;
}

int
endpoint_authority(struct out *o, const struct endpoint *e)
{
    bool bracketed = span_char(e->host, ':') != NULL;

    CHECK(e->host.len > 0 && e->port > 0);
    if (bracketed)
        out_byte(o, '[');
    out_put(o, e->host);
    if (bracketed)
        out_byte(o, ']');
    if (e->port != (e->tls ? 443 : 80)) {
        out_byte(o, ':');
        out_number(o, e->port);
    }
    return out_end(o);
}

struct suffixes {
    char region[9]; /* how the names of the partition's regions begin */
    char plain[17], dual_stack[29];
};

static const struct suffixes *
suffixes_of(struct span region)
{
    static const struct suffixes partitions[] = {
        {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
        {"us-gov-", "amazonaws.com", "api.aws"},
        {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
        {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
        {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
        {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
        {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
        {"", "amazonaws.com", "api.aws"},
    };
    size_t i = 0;

    while (!span_starts(region, span_of(partitions[i].region)))
        i++;
    return &partitions[i];
}

static int
put_host(struct out *o, struct span service, struct span region, const char *suffix)
{
    out_put(o, service);
    out_put(o, region);
    out_byte(o, '.');
    out_put(o, span_of(suffix));
    return out_end(o);
}

int
endpoint_kinesis_host(struct out *o, struct span region, bool fips, bool dual_stack)
{
    const struct suffixes *suffixes = suffixes_of(region);

    /* in us-gov the plain host is the FIPS one */
    if (fips && !dual_stack && span_starts(region, SPAN("us-gov-")))
        fips = false;
    return put_host(o, fips ? SPAN("kinesis-fips.") : SPAN("kinesis."), region,
                    dual_stack ? suffixes->dual_stack : suffixes->plain);
}

int
endpoint_s3_host(struct out *o, struct span bucket, struct span region, bool fips, bool dual_stack)
{
    if (bucket.len > 0) {
        out_put(o, bucket);
        out_byte(o, '.');
    }
    out_put(o, fips ? SPAN("s3-fips.") : SPAN("s3."));
    /* S3 is older than the dual-stack suffixes and has a prefix instead */
    return put_host(o, dual_stack ? SPAN("dualstack.") : SPAN(""), region,
                    suffixes_of(region)->plain);
}
