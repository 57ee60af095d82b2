#include "protocol/settings.h"

#include <stddef.h>
#include <string.h>

#include "protocol/settings_proxy.h"
#include "protocol/settings_stream.h"
#include "protocol/utf8.h"

/* see settings.h */

/* An endpoint given by the user. next: what is used in its place if it is refused, for the complaint. */
static bool
read_url(const struct settings_source *source, const char *name, const char *next,
         struct endpoint *e)
{
    struct span url = settings_source_get(source, name);

    if (url.len == 0)
        return false;
    if (endpoint_url(url, e) == 0)
        return true;
    settings_source_refuse(source, name, url, "http:// or https://, host, optional :port and /path",
                           next);
    return false;
}

/* The user's endpoints, a service's own variable before the general one. */
static void
read_custom(const struct settings_source *source, struct endpoint *kinesis, struct endpoint *s3)
{
    static const char next[] = "AWS_ENDPOINT_URL or the region's endpoint";
    struct endpoint general;
    bool own;
    bool own_s3;

    if (settings_source_switch(source, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return;
    own = read_url(source, "AWS_ENDPOINT_URL_KINESIS", next, kinesis);
    own_s3 = s3 == NULL || read_url(source, "AWS_ENDPOINT_URL_S3", next, s3);
    if (own && own_s3)
        return;
    /* read once, so that it is reported once */
    if (!read_url(source, "AWS_ENDPOINT_URL", "the region's endpoint", &general))
        general = (struct endpoint){.custom = false};
    if (!own)
        *kinesis = general;
    if (!own_s3)
        *s3 = general;
}

static struct endpoint
made_endpoint(const struct out *host)
{
    return (struct endpoint){.host = out_span(host), .port = 443, .tls = true, .path = SPAN("/")};
}

static void
read_endpoints(struct settings *s, const struct settings_source *source)
{
    bool s3 = s->dead_letter == DEAD_LETTER_S3;
    struct out host = out_to(s->host_text, sizeof s->host_text);
    struct out s3_host = out_to(s->s3_text, sizeof s->s3_text);

    s->fips = settings_source_switch(source, "AWS_USE_FIPS_ENDPOINT");
    s->dual_stack = settings_source_switch(source, "AWS_USE_DUALSTACK_ENDPOINT");
    s->kinesis.custom = s->s3.custom = false;
    read_custom(source, &s->kinesis, s3 ? &s->s3 : NULL);
    if ((s->fips || s->dual_stack) && (s->kinesis.custom || (s3 && s->s3.custom)))
        settings_source_refuse(
            source, s->fips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT", SPAN("true"),
            "false where an endpoint URL is given", "the endpoint URL");
    if (!s->kinesis.custom) {
        (void)endpoint_kinesis_host(&host, s->region, s->fips, s->dual_stack);
        s->kinesis = made_endpoint(&host);
    }
    if (!s3)
        return;
    /* a certificate's asterisk stands for one label; a given host may not know others before it */
    s->bucket_in_path = s->s3.custom || span_char(s->bucket, '.') != NULL;
    if (!s->s3.custom) {
        (void)endpoint_s3_host(&s3_host, s->bucket_in_path ? SPAN("") : s->bucket,
                               s->function_region, s->fips, s->dual_stack);
        s->s3 = made_endpoint(&s3_host);
    }
}

static void
read_types(struct settings *s, const struct settings_source *source)
{
    struct span value = settings_source_get(source, "TELEMETRY_TYPES");
    struct span rest = value;
    unsigned types = 0;

    s->types = EVENT_FUNCTION;
    if (value.len == 0)
        return;
    while (rest.p != NULL) {
        struct span word = span_trim(span_cut(rest, ',', &rest));

        if (span_same(word, SPAN("platform"))) {
            types |= EVENT_PLATFORM;
        } else if (span_same(word, SPAN("function"))) {
            types |= EVENT_FUNCTION;
        } else if (span_same(word, SPAN("extension"))) {
            types |= EVENT_EXTENSION;
        } else {
            settings_source_refuse(source, "TELEMETRY_TYPES", value,
                                   "a comma list of platform, function, extension", "function");
            return;
        }
    }
    s->types = types;
}

/* The length as Kinesis counts: characters, not bytes; 0 when it is not valid UTF-8. */
static size_t
characters(struct span s)
{
    size_t n = 0;
    size_t len;

    for (; s.len > 0; s = span_skip(s, len), n++)
        if ((len = utf8_char(s)) == 0)
            return 0;
    return n;
}

static void
read_key(struct settings *s, const struct settings_source *source)
{
    struct span value = settings_source_get(source, "TELEMETRY_PARTITION_KEY");

    s->key = KEY_RANDOM;
    if (value.len == 0 || span_same(value, SPAN("random")))
        return;
    if (span_same(value, SPAN("sandbox"))) {
        s->key = KEY_SANDBOX;
    } else if (span_same(value, SPAN("request"))) {
        s->key = KEY_REQUEST;
    } else if (span_same(value, SPAN("none"))) {
        s->key = KEY_NONE;
    } else if (span_starts(value, SPAN("fixed:"))) {
        s->fixed_key = span_skip(value, 6);
        if (characters(s->fixed_key) >= 1 && characters(s->fixed_key) <= 256)
            s->key = KEY_FIXED;
    }
    if (s->key == KEY_RANDOM)
        settings_source_refuse(
            source, "TELEMETRY_PARTITION_KEY", value,
            "random, sandbox, request, none, fixed:TEXT with 1 to 256 characters", "random");
}

static bool
has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* What follows s3:// */
static bool
bucket_and_prefix(struct settings *s, struct span value)
{
    s->bucket = span_cut(value, '/', &s->prefix);
    while (s->prefix.len > 0 && s->prefix.p[0] == '/')
        s->prefix = span_skip(s->prefix, 1);
    while (s->prefix.len > 0 && s->prefix.p[s->prefix.len - 1] == '/')
        s->prefix.len--;
    return aws_names_bucket(s->bucket) && s->prefix.len <= SETTINGS_PREFIX_MAX &&
           !has_control(s->prefix);
}

static void
read_dead_letter(struct settings *s, const struct settings_source *source)
{
    struct span value = settings_source_get(source, "TELEMETRY_DEAD_LETTER");

    s->dead_letter = DEAD_LETTER_NONE;
    if (value.len == 0)
        return;
    if (span_same(value, SPAN("stderr")))
        s->dead_letter = DEAD_LETTER_STDERR;
    else if (span_starts(value, SPAN("s3://")) && bucket_and_prefix(s, span_skip(value, 5)))
        s->dead_letter = DEAD_LETTER_S3;
    else
        settings_source_refuse(
            source, "TELEMETRY_DEAD_LETTER", value,
            "stderr, s3://BUCKET, s3://BUCKET/PREFIX with at most 512 bytes of prefix",
            "no dead letter");
}

static void
read_credentials(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    static const char token[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    struct span url = settings_source_get(source, name);

    s->access_key = settings_source_get(source, "AWS_ACCESS_KEY_ID");
    s->secret_key = settings_source_get(source, "AWS_SECRET_ACCESS_KEY");
    s->session_token = settings_source_get(source, "AWS_SESSION_TOKEN");
    s->credentials = (struct endpoint){.port = 0};
    s->credentials_token = (struct span){NULL, 0};
    if ((s->access_key.len > 0 && s->secret_key.len > 0) || url.len == 0)
        return;
    if (endpoint_credentials_url(url, &s->credentials) != 0) {
        settings_source_refuse(
            source, name, url,
            "http://, localhost or 127.x.x.x or 169.254.x.x or [::1], optional :port and /path",
            "no credentials");
        s->credentials = (struct endpoint){.port = 0};
        return;
    }
    s->credentials_token = settings_source_get(source, token);
    if (has_control(s->credentials_token)) {
        /* its value is a secret */
        settings_source_refuse(source, token, SPAN("(a token)"), "no control characters",
                               "no token");
        s->credentials_token.len = 0;
    }
}

/* --- words and numbers --- */

/* The value of an enumeration is the index of its word in the list. */
_Static_assert(LOG_ERROR == 0 && LOG_WARN == 1 && LOG_INFO == 2 && LOG_DEBUG == 3, "");
_Static_assert(EVENT_MESSAGE == 0 && EVENT_VERBATIM == 1 && EVENT_ENRICHED == 2 &&
                   EVENT_CLOUDWATCH == 3,
               "");
_Static_assert(SYSTEM_DEBUG == 0 && SYSTEM_INFO == 1 && SYSTEM_WARN == 2, "");
_Static_assert(FLUSH_END == 0 && FLUSH_CONTINUOUS == 1 && FLUSH_ADAPTIVE == 2, "");
_Static_assert(OVERSIZE_TRUNCATE == 0 && OVERSIZE_SPLIT == 1 && OVERSIZE_DROP == 2, "");
_Static_assert(WHEN_FULL_NEWEST == 0 && WHEN_FULL_OLDEST == 1, "");
_Static_assert(METRICS_NONE == 0 && METRICS_EMF == 1, "");
_Static_assert(WIRE_CBOR == 0 && WIRE_JSON == 1, "");
_Static_assert(AGGREGATION_NONE == 0 && AGGREGATION_LINES == 1, "");
_Static_assert(COMPRESSION_NONE == 0 && COMPRESSION_GZIP == 1, "");

#define WORD(name, member, allowed, preset)                                                        \
    {                                                                                              \
        name, allowed, offsetof(struct settings, member), preset                                   \
    }
/* and is written as an unsigned */
#define IS_WORD(member) sizeof((struct settings *)NULL)->member == sizeof(unsigned)
_Static_assert(IS_WORD(log_level) && IS_WORD(format) && IS_WORD(flush) && IS_WORD(oversize) &&
                   IS_WORD(drop) && IS_WORD(metrics) && IS_WORD(wire) && IS_WORD(aggregation) &&
                   IS_WORD(compression) && IS_WORD(system_level),
               "");

static const struct setting_word words[] = {
    WORD("TELEMETRY_LOG_LEVEL", log_level, "error, warn, info, debug", LOG_WARN),
    WORD("TELEMETRY_RECORD_FORMAT", format, "message, event, enriched, cloudwatch", EVENT_MESSAGE),
    WORD("TELEMETRY_SYSTEM_LEVEL", system_level, "DEBUG, INFO, WARN", SYSTEM_INFO),
    WORD("TELEMETRY_FLUSH", flush, "end, continuous, adaptive", FLUSH_ADAPTIVE),
    WORD("TELEMETRY_DROP", drop, "newest, oldest", WHEN_FULL_NEWEST),
    WORD("TELEMETRY_METRICS", metrics, "none, emf", METRICS_NONE),
    WORD("TELEMETRY_WIRE", wire, "cbor, json", WIRE_CBOR),
    WORD("TELEMETRY_AGGREGATION", aggregation, "none, lines", AGGREGATION_NONE),
    WORD("TELEMETRY_COMPRESSION", compression, "none, gzip", COMPRESSION_NONE),
    WORD("TELEMETRY_OVERSIZE", oversize, "truncate, split, drop", OVERSIZE_TRUNCATE),
};

/* The last of these with TELEMETRY_RECORD_FORMAT=cloudwatch; the end of each list is for people to read. */
static const struct setting_word of_messages[] = {
    WORD("TELEMETRY_AGGREGATION", aggregation, "lines, nothing else with cloudwatch", 0),
    WORD("TELEMETRY_COMPRESSION", compression, "gzip, nothing else with cloudwatch", 0),
    WORD("TELEMETRY_OVERSIZE", oversize, "truncate, drop, no more with cloudwatch", 0),
};

/* For a connection to another region. Source: SDK reference, smart configuration defaults. */
enum { FAR_TIMEOUT_MS = 3100 };

/* Source: Telemetry API, buffering. */
enum { BUFFER_TIMEOUT_LEAST_MS = 25 };

/*
 * The longest time-out of a function: 30 minutes, and 90 on Managed Instances for most kinds of invocations.
 * Source: API models of Lambda, November 2026.
 */
enum { LONGEST_TIMEOUT_MS = 5400000 };

#define NUMBER(name, member, preset, least, most)                                                  \
    {                                                                                              \
        name, offsetof(struct settings, member), preset, least, most                               \
    }
static const struct setting_number numbers[] = {
    NUMBER("TELEMETRY_FLUSH_BUDGET_MS", flush_budget_ms, 500, 0, LONGEST_TIMEOUT_MS),
    NUMBER("TELEMETRY_HOLD_SILENCE_MS", hold_silence_ms, 0, 0, LONGEST_TIMEOUT_MS),
    NUMBER("TELEMETRY_BUFFER_TIMEOUT_MS", buffer_timeout_ms, BUFFER_TIMEOUT_LEAST_MS,
           BUFFER_TIMEOUT_LEAST_MS, 30000),
    NUMBER("TELEMETRY_BUFFER_MAX_BYTES", buffer_max_bytes, 1048576, 262144, 1048576),
    NUMBER("TELEMETRY_BUFFER_MAX_ITEMS", buffer_max_items, 10000, 1000, 10000),
    NUMBER("TELEMETRY_QUEUE_MAX_BYTES", queue_max_bytes, 4194304, 65536, 1073741824),
    NUMBER("TELEMETRY_AGGREGATION_MAX_BYTES", aggregation_max_bytes, 262144, 1024, 1000000),
    NUMBER("TELEMETRY_LINGER_MS", linger_ms, 200, 0, 60000),
    NUMBER("TELEMETRY_HELD_MAX_BYTES", selection.held_max_bytes, 262144, 4096, 1073741824),
    NUMBER("TELEMETRY_LISTENER_PORT", listener_port, 4243, 1, 65535),
    NUMBER("TELEMETRY_CONNECT_TIMEOUT_MS", connect_timeout_ms, 500, 1, 60000),
    NUMBER("TELEMETRY_REQUEST_TIMEOUT_MS", request_timeout_ms, 500, 1, 60000),
    NUMBER("AWS_MAX_ATTEMPTS", max_attempts, 5, 1, 100),
};

/* The default: a peer in another region may take longer, and a small queue gets small records. */
static uint32_t
preset_of(const struct settings *s, const struct setting_number *n)
{
    bool timeout = n->at == offsetof(struct settings, connect_timeout_ms) ||
                   n->at == offsetof(struct settings, request_timeout_ms);
    bool lines = n->at == offsetof(struct settings, aggregation_max_bytes) &&
                 s->aggregation == AGGREGATION_LINES;

    if (timeout && !span_same(s->region, s->function_region))
        return FAR_TIMEOUT_MS;
    return lines && s->queue_max_bytes / 2 < n->preset ? s->queue_max_bytes / 2 : n->preset;
}

static void
read_number(struct settings *s, const struct settings_source *source,
            const struct setting_number *n)
{
    /* the platform's own port. Source: Telemetry API, destination */
    enum { PLATFORM_PORT = 9001 };
    bool port = n->at == offsetof(struct settings, listener_port);

    *(uint32_t *)(void *)((char *)s + n->at) =
        settings_source_number(source, n, preset_of(s, n), port ? PLATFORM_PORT : UINT32_MAX);
}

/*
 * The end of an invocation is reported up to as late as the platform buffers telemetry, so a shorter budget
 * could not be kept. It does not matter where no invocation is held.
 */
static void
bound_buffering(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_BUFFER_TIMEOUT_MS";
    uint32_t most = s->flush_budget_ms;

    if (most < BUFFER_TIMEOUT_LEAST_MS)
        most = BUFFER_TIMEOUT_LEAST_MS;
    if (s->flush == FLUSH_CONTINUOUS || s->buffer_timeout_ms <= most)
        return;
    settings_source_refuse_above(source, name, "at most TELEMETRY_FLUSH_BUDGET_MS, ",
                                 s->flush_budget_ms, most);
    s->buffer_timeout_ms = most;
}

/* The queue has room for one while another is filled. */
static void
bound_aggregation(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_AGGREGATION_MAX_BYTES";
    uint32_t most = s->queue_max_bytes / 2;
    struct span value = settings_source_get(source, name);
    uint64_t number;

    if (s->aggregation == AGGREGATION_NONE) {
        /* what is no such number has been complained of */
        if (span_number(value, UINT32_MAX, &number) == 0 && number == s->aggregation_max_bytes)
            settings_source_refuse(source, name, value, "TELEMETRY_AGGREGATION=lines with it",
                                   "one event a record");
    } else if (s->aggregation_max_bytes > most) {
        settings_source_refuse_above(source, name, "at most half of TELEMETRY_QUEUE_MAX_BYTES, ",
                                     most, most);
        s->aggregation_max_bytes = most;
    }
}

/* Source: CloudWatch Logs API, CreateLogGroup. */
static void
read_log_group(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_LOG_GROUP";

    s->log_group = settings_source_get(source, name);
    if (s->log_group.len == 0 ||
        (s->log_group.len <= SETTINGS_LOG_GROUP_MAX && span_made_of(s->log_group, "_-/.#")))
        return;
    settings_source_refuse(source, name, s->log_group,
                           "1 to 512 letters, digits, '_', '-', '/', '.' or '#'",
                           "/aws/lambda/ and the function's name");
    s->log_group.len = 0;
}

static void
read_tables(struct settings *s, const struct settings_source *source)
{
    enum { WORDS = sizeof words / sizeof *words };
    enum { OTHERS = WORDS - sizeof of_messages / sizeof *of_messages };

    for (size_t i = 0; i < WORDS; i++) {
        bool other = i >= OTHERS && s->format == EVENT_CLOUDWATCH;
        const struct setting_word *w = other ? &of_messages[i - OTHERS] : &words[i];

        *(unsigned *)(void *)((char *)s + w->at) = settings_source_word(source, w);
    }
    if (s->format == EVENT_CLOUDWATCH) {
        s->aggregation = AGGREGATION_LINES;
        s->compression = COMPRESSION_GZIP;
        if (s->oversize != OVERSIZE_TRUNCATE)
            s->oversize = OVERSIZE_DROP;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        read_number(s, source, &numbers[i]);
    bound_buffering(s, source);
    bound_aggregation(s, source);
}

void
settings_read_early(struct settings *s, const struct settings_source *source)
{
    struct span init = settings_source_get(source, "AWS_LAMBDA_INITIALIZATION_TYPE");

    s->runtime_api = settings_source_get(source, "AWS_LAMBDA_RUNTIME_API");
    s->managed_instances = span_same(init, SPAN("lambda-managed-instances"));
    /* if it is not of a kind that is known, SnapStart shows by the absence of keys, which a snapshot must not contain */
    s->snap_start = span_same(init, SPAN("snap-start")) ||
                    (!s->managed_instances && !span_same(init, SPAN("on-demand")) &&
                     !span_same(init, SPAN("provisioned-concurrency")) &&
                     settings_source_get(source, "AWS_ACCESS_KEY_ID").len == 0 &&
                     settings_source_get(source, "AWS_CONTAINER_CREDENTIALS_FULL_URI").len > 0);
}

void
settings_read(struct settings *s, const struct settings_source *source)
{
    settings_stream_read(s, source);
    read_tables(s, source);
    read_types(s, source);
    s->json_lines = s->managed_instances ||
                    span_same(settings_source_get(source, "AWS_LAMBDA_LOG_FORMAT"), SPAN("JSON"));
    read_log_group(s, source);
    settings_selection_read(&s->selection, source);
    read_key(s, source);
    read_dead_letter(s, source);
    read_endpoints(s, source);
    settings_proxy_read(&s->proxy, source);
    read_credentials(s, source);
    s->ca_bundle = settings_source_get(source, "AWS_CA_BUNDLE");
    s->function_name = settings_source_get(source, "AWS_LAMBDA_FUNCTION_NAME");
    s->function_version = settings_source_get(source, "AWS_LAMBDA_FUNCTION_VERSION");
}
