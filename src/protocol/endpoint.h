#ifndef ENDPOINT_H
#define ENDPOINT_H
/*
 * Where a service is reached: at a URL given by the user, or at the region's host name.
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
 * Splits an authority, HOST or HOST:PORT; an IPv6 address is returned without its brackets. The host consists
 * of letters, digits and the given others, and may be empty; the port is not checked. Returns 0 or ERR_BAD.
 * The spans point into authority.
 */
int endpoint_split(struct span authority, const char *others, struct span *host, struct span *port);

/*
 * HOST:PORT, both required, as in AWS_LAMBDA_RUNTIME_API: the port follows the last colon. An IPv6 address may
 * be in brackets, which are removed. A URL is refused, so that it is not looked up as a host name.
 * Returns 0 or ERR_BAD. The host points into text.
 */
int endpoint_host_port(struct span text, struct span *host, uint16_t *port);

/*
 * The same as a URL has it: the host is not empty, and the port, if there is one, becomes *port.
 * Returns 0 or ERR_BAD. The host points into authority.
 */
int endpoint_place(struct span authority, struct span *host, uint16_t *port);

/*
 * An endpoint URL: http or https, host, optional port and path; no user, query or fragment.
 * Returns 0 or ERR_BAD. The spans point into url.
 */
int endpoint_url(struct span url, struct endpoint *endpoint);

/*
 * The URL of container credentials: as above, but path and query are kept unchanged. Only http to this
 * machine or its link (127.0.0.0/8, [::1], localhost, 169.254.0.0/16), since the keys are sent in the clear.
 * Source: SDK reference, container credential provider.
 */
int endpoint_credentials_url(struct span url, struct endpoint *endpoint);

/*
 * Appends the value of the Host field as clients form it: an IPv6 address in brackets, the port only if it is
 * not the scheme's default. Returns 0 or ERR_FULL.
 */
int endpoint_authority(struct out *o, const struct endpoint *endpoint);

/*
 * Host name of Kinesis for a region, by partition, FIPS and dual-stack. Returns 0 or ERR_FULL.
 * Source: endpoint rule set of the Kinesis service model; partitions file of the SDKs.
 */
int endpoint_kinesis_host(struct out *o, struct span region, bool fips, bool dual_stack);

/*
 * The same for S3; with a bucket, the virtual-hosted-style name, which begins with the bucket's.
 * Source: endpoint rule set of the S3 service model.
 */
int endpoint_s3_host(struct out *o, struct span bucket, struct span region, bool fips,
                     bool dual_stack);

#endif
