#ifndef SETTINGS_H
#define SETTINGS_H
/*
 * All settings, read from environment variables and checked. A value that is not allowed is reported and
 * replaced by the default: no setting stops the extension.
 *
 * Text settings point into the values that `get` returned, and are valid as long as those.
 */
#include "protocol/aws_names.h"
#include "protocol/endpoint.h"
#include "protocol/event.h"
#include "protocol/flush.h"
#include "protocol/proxy.h"
#include "protocol/settings_selection.h"
#include "protocol/wire.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum key_policy {
    KEY_RANDOM,  /* a new key for every record */
    KEY_SANDBOX, /* one key for the lifetime of the sandbox */
    KEY_REQUEST, /* the request id; the sandbox's key for records outside of any request */
    KEY_FIXED,   /* the text in fixed_key */
    KEY_NONE     /* no key is sent, unless the stream wants them: as KEY_RANDOM then */
};

/* Whether a record holds one event, or several, each ended by a newline. */
enum aggregation { AGGREGATION_NONE, AGGREGATION_LINES };

/* Whether each record is one gzip member. */
enum compression { COMPRESSION_NONE, COMPRESSION_GZIP };

/* Which of the platform's events a function has that logs in JSON. */
enum system_level { SYSTEM_DEBUG, SYSTEM_INFO, SYSTEM_WARN };

/* What to do with a record that is larger than Kinesis takes. */
enum oversize_policy { OVERSIZE_TRUNCATE, OVERSIZE_SPLIT, OVERSIZE_DROP };

/* Which records are dropped when the queue is full and waiting is no option. */
enum drop_policy { WHEN_FULL_NEWEST, WHEN_FULL_OLDEST };

/* Where records go that Kinesis refuses. */
enum dead_letter_to { DEAD_LETTER_NONE, DEAD_LETTER_STDERR, DEAD_LETTER_S3 };

enum metrics_policy { METRICS_NONE, METRICS_EMF };

/* Longest prefix of dead letters, and longest region of which s3.host is made, in bytes. */
#define SETTINGS_PREFIX_MAX 512
#define SETTINGS_REGION_MAX AWS_NAMES_REGION_MAX
#define SETTINGS_LOG_GROUP_MAX 512

struct settings {
    struct span stream_name; /* one of these two is empty */
    struct span stream_arn;
    struct span region;          /* of the stream: what requests are signed for */
    struct span function_region; /* where the function runs */
    struct endpoint kinesis;
    bool fips, dual_stack; /* of endpoints that are made from a region */
    struct proxy proxy;    /* see proxy_for */
    struct span ca_bundle; /* file name; empty: the built-in roots */
    unsigned types;        /* of enum event_type, to forward */
    enum event_format format;
    struct span
        log_group; /* these three of EVENT_CLOUDWATCH alone; empty: that of the function's name */
    enum system_level system_level;
    bool json_lines; /* the function is known to log in JSON */
    enum key_policy key;
    struct span fixed_key;
    struct settings_selection selection;
    enum aggregation aggregation;
    enum compression compression;
    uint32_t aggregation_max_bytes; /* before compression; of AGGREGATION_LINES alone */
    uint32_t linger_ms;             /* how long what waits for no flush waits for company */
    enum oversize_policy oversize;
    enum drop_policy drop;
    enum metrics_policy metrics;
    enum wire_form wire; /* of PutRecords: what is tried first, if it is CBOR */
    enum dead_letter_to dead_letter;
    struct span bucket; /* these five of DEAD_LETTER_S3 alone */
    struct span prefix; /* any bytes but control characters, no slash at either end; or empty */
    struct endpoint s3; /* of function_region */
    bool bucket_in_path;
    char s3_text[192]; /* where s3.host lies unless it is custom */
    enum flush_policy flush;
    enum log_level log_level;
    uint32_t flush_budget_ms;
    uint32_t hold_silence_ms; /* 0: silence ends no hold */
    uint32_t buffer_timeout_ms, buffer_max_bytes, buffer_max_items;
    uint32_t queue_max_bytes;
    uint32_t listener_port;
    uint32_t connect_timeout_ms, request_timeout_ms;
    uint32_t max_attempts;
    bool managed_instances; /* Lambda Managed Instances: SHUTDOWN alone, no runtimeDone */
    bool snap_start;        /* init ends in a snapshot, of which there will be copies */
    struct span access_key, secret_key, session_token; /* empty when the environment has none */
    struct endpoint credentials;   /* where to fetch them then; an empty host: nowhere */
    struct span credentials_token; /* Authorization for that; may be empty */
    struct span runtime_api;       /* host:port; empty outside Lambda */
    struct span function_name, function_version;
    char host_text[192]; /* where kinesis.host lies unless it is custom */
};

/* Only what is needed before anything else: runtime_api, managed_instances, snap_start. */
void settings_read_early(struct settings *s, const struct settings_source *source);

/*
 * Everything else. Every setting is looked up whatever the others say, because variables that are never looked
 * up are reported to the user as unknown (io/environment.h).
 */
void settings_read(struct settings *s, const struct settings_source *source);

#endif
