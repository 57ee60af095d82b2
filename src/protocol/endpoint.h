#ifndef ENDPOINT_H
#define ENDPOINT_H
/*
 * Where a service is reached: by a URL that somebody gave, or by the region's host name.
 */
#include "protocol/out.h"

struct endpoint {
    struct span host; /* without brackets for an IPv6 address */
    uint16_t port;
    bool tls;
    bool custom;      /* given by the user, not made from the region */
    struct span path; /* "/" or what the user gave, without a slash at its end */
};

/*
 * Host and port of an authority, HOST or HOST:PORT; an IPv6 address comes without its brackets. The host
 * consists of letters, digits and these others, and may be empty; what the port is made of is not looked
 * at. Returns 0 or ERR_BAD. The spans point into authority.
 */
int endpoint_split(struct span authority, const char *others, struct span *host, struct span *port);

/*
 * HOST:PORT, both of them, as AWS_LAMBDA_RUNTIME_API is: the port follows the last colon. An IPv6 address
 * may stand in brackets, which are taken off. A URL is none, so that it is not looked up as a host.
 * Returns 0 or ERR_BAD. The host points into text.
 */
int endpoint_host_port(struct span text, struct span *host, uint16_t *port);

/*
 * An endpoint URL: http or https, host, optional port and path; no user, query or fragment.
 * Returns 0 or ERR_BAD. The spans point into url.
 */
int endpoint_url(struct span url, struct endpoint *endpoint);

/*
 * The URL of the container's credentials: as above, but path and query are kept as they stand. Only
 * http to this machine or its link: 127.0.0.0/8, [::1], localhost, 169.254.0.0/16, since keys come
 * from there in the clear.
 * Source: SDK reference, container credential provider.
 */
int endpoint_credentials_url(struct span url, struct endpoint *endpoint);

/*
 * Appends the value of Host, as a client forms it from a URL: an IPv6 address in brackets, without
 * the scheme's own port. Returns 0 or ERR_FULL.
 */
int endpoint_authority(struct out *o, const struct endpoint *endpoint);

/*
 * Host name of Kinesis for a region, by partition, FIPS and dual-stack. Returns 0 or ERR_FULL.
 * Source: endpoint rule set of the Kinesis service model; partitions file of the SDKs.
 */
int endpoint_kinesis_host(struct out *o, struct span region, bool fips, bool dual_stack);

/*
 * The same of S3; with a bucket, whose name then goes first, the host of its virtual-hosted style.
 * Source: endpoint rule set of the S3 service model.
 */
int endpoint_s3_host(struct out *o, struct span bucket, struct span region, bool fips,
                     bool dual_stack);

#endif
