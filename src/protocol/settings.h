#ifndef SETTINGS_H
#define SETTINGS_H
/*
 * Everything that the environment variables say, checked. A value that is not allowed is reported
 * and the default stands in for it: no setting ever stops the extension.
 *
 * Text settings point into the values that `get` returned and are valid as long as those.
 */
#include "protocol/event.h"
#include "protocol/flush.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum key_policy {
    KEY_RANDOM,  /* another key for every record */
    KEY_SANDBOX, /* one key for the life of the sandbox */
    KEY_REQUEST, /* the request id; the sandbox's key for what belongs to no request */
    KEY_FIXED    /* the text in fixed_key */
};

/* An AWS endpoint. */
struct endpoint {
    struct span host; /* without brackets for an IPv6 address */
    uint16_t port;
    bool tls;
    bool custom;      /* given by the user, not made from the region */
    struct span path; /* "/" or what the user gave, without a slash at its end */
};

struct settings {
    struct span stream_name; /* one of these two is empty */
    struct span stream_arn;
    struct span region;          /* of the stream: what requests are signed for */
    struct span function_region; /* where the function runs */
    struct endpoint kinesis;
    struct span ca_bundle; /* file name; empty: the built-in roots */
    unsigned types;        /* of enum event_type, to forward */
    enum event_format format;
    enum key_policy key;
    struct span fixed_key;
    enum flush_policy flush;
    enum log_level log_level;
    uint32_t flush_budget_ms;
    uint32_t buffer_timeout_ms, buffer_max_bytes, buffer_max_items;
    uint32_t queue_max_bytes;
    uint16_t listener_port;
    uint32_t connect_timeout_ms, request_timeout_ms;
    unsigned max_attempts;
    bool managed_instances; /* Lambda Managed Instances: SHUTDOWN alone, no runtimeDone */
    bool snap_start;        /* nothing may be connected before the first invocation */
    struct span access_key, secret_key, session_token; /* empty when the environment has none */
    struct span runtime_api;                           /* host:port; empty outside Lambda */
    struct span function_name, function_version;
    char host_text[192]; /* where kinesis.host lies unless it is custom */
};

/* Where the values come from and where complaints go. */
struct settings_source {
    /* The value of a variable, or NULL. An empty one counts as not set. */
    const char *(*get)(void *context, const char *name);
    /* Called once per value that is refused; used is what takes its place, for people. */
    void (*refuse)(void *context, const char *name, const char *value, const char *allowed,
                   const char *used);
    void *context;
};

/* Only what is needed before anything else is done: runtime_api, managed_instances, snap_start. */
void settings_read_early(struct settings *s, const struct settings_source *source);

/* All the rest. */
void settings_read(struct settings *s, const struct settings_source *source);

/*
 * An endpoint URL: http or https, host, optional port and path; no user, query or fragment.
 * Returns 0 or ERR_BAD. The spans point into url.
 */
int settings_url(struct span url, struct endpoint *endpoint);

/*
 * Host name of Kinesis for a region, by partition, FIPS and dual-stack.
 * Source: endpoint rule set of the Kinesis service model; partitions file of the SDKs.
 */
int settings_kinesis_host(struct out *o, struct span region, bool fips, bool dual_stack);

#endif
