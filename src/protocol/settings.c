#include "protocol/settings.h"

#include <stddef.h>
#include <string.h>

#include "protocol/format.h"
#include "protocol/utf8.h"

/* see settings.h */

/* Source: Telemetry API, buffering. */
enum { BUFFER_TIMEOUT_LEAST_MS = 25 };

static struct span
get(const struct settings_source *source, const char *name)
{
    return span_of(source->get(source->context, name));
}

static void
refuse(const struct settings_source *source, const char *name, struct span value,
       const char *allowed, const char *used)
{
    source->refuse(source->context, name, value.p, allowed, used);
}

/*
 * A setting that is one of a few words, as a complaint lists them: "end, continuous, adaptive". Returns
 * the place of the word in the list, which is its value in the enumeration.
 */
static unsigned
read_word(const struct settings_source *source, const char *name, const char *allowed,
          unsigned preset)
{
    struct span value = get(source, name);
    struct span rest = span_of(allowed);
    char used[16];
    struct out o = out_to(used, sizeof used);

    for (unsigned i = 0; rest.p != NULL; i++) {
        struct span word = span_trim(span_cut(rest, ',', &rest));

        if (span_same(value, word))
            return i;
        if (i == preset)
            out_put(&o, word);
    }
    out_byte(&o, '\0');
    if (value.len > 0)
        refuse(source, name, value, allowed, used);
    return preset;
}

/* Names lie in the table itself, since each pointer would take as much room again. */
struct number {
    char name[29];
    uint16_t at; /* in the settings */
    uint32_t preset, least, most;
};

/* Source: SDK reference, smart configuration defaults: so much for a connection to another region. */
enum { FAR_TIMEOUT_MS = 3100 };

/* How long a peer may take is longer by default where that is far away. */
static uint32_t
preset_of(const struct settings *s, const struct number *n)
{
    bool timeout = n->at == offsetof(struct settings, connect_timeout_ms) ||
                   n->at == offsetof(struct settings, request_timeout_ms);

    return timeout && !span_same(s->region, s->function_region) ? FAR_TIMEOUT_MS : n->preset;
}

static void
refuse_number(const struct settings_source *source, const struct number *n, struct span value,
              const char *less, uint32_t preset)
{
    char allowed[48], used[16];
    struct out o = out_to(allowed, sizeof allowed);

    (void)format_text(&o, "%u to %u%s", n->least, n->most, less);
    out_byte(&o, '\0');
    o = out_to(used, sizeof used);
    out_number(&o, preset);
    out_byte(&o, '\0');
    refuse(source, n->name, value, allowed, used);
}

static void
read_number(struct settings *s, const struct settings_source *source, const struct number *n)
{
    /* the platform's own port. Source: Telemetry API, destination */
    enum { PLATFORM_PORT = 9001 };
    bool port = n->at == offsetof(struct settings, listener_port);
    struct span value = get(source, n->name);
    uint32_t preset = preset_of(s, n);
    uint64_t number = preset;

    if (value.len > 0 && (span_number(value, n->most, &number) != 0 || number < n->least ||
                          (port && number == PLATFORM_PORT))) {
        refuse_number(source, n, value, port ? ", less 9001" : "", preset);
        number = preset;
    }
    *(uint32_t *)(void *)((char *)s + n->at) = (uint32_t)number;
}

static bool
read_switch(const struct settings_source *source, const char *name)
{
    struct span value = get(source, name);

    if (span_same_case(value, SPAN("true")))
        return true;
    if (value.len > 0 && !span_same_case(value, SPAN("false")))
        refuse(source, name, value, "true, false", "false");
    return false;
}

/* Names of regions are half as long; the limit keeps host names within host_text and s3_text. */
static bool
region_name(struct span s)
{
    return s.len <= SETTINGS_REGION_MAX && span_made_of(s, "-");
}

/* arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME; region receives its part. */
static bool
stream_arn(struct span arn, struct span *region)
{
    struct span rest = arn;
    struct span prefix = span_cut(rest, ':', &rest);
    struct span partition = span_cut(rest, ':', &rest);
    struct span service = span_cut(rest, ':', &rest);
    struct span account;
    uint64_t number;

    *region = span_cut(rest, ':', &rest);
    account = span_cut(rest, ':', &rest);
    return arn.len <= 2048 && span_same(prefix, SPAN("arn")) && span_made_of(partition, "-") &&
           span_starts(partition, SPAN("aws")) && span_same(service, SPAN("kinesis")) &&
           region_name(*region) && account.len == 12 &&
           span_number(account, 999999999999, &number) == 0 && span_starts(rest, SPAN("stream/")) &&
           rest.len <= 7 + 128 && span_made_of(span_skip(rest, 7), "_.-");
}

static void
read_region(struct settings *s, const struct settings_source *source)
{
    const char *name = "AWS_REGION";

    s->region = get(source, name);
    if (s->region.len == 0 && get(source, "AWS_DEFAULT_REGION").len > 0) {
        name = "AWS_DEFAULT_REGION";
        s->region = get(source, name);
    }
    if (!region_name(s->region)) {
        refuse(source, name, s->region.len == 0 ? SPAN("") : s->region,
               "the name of a region, as us-east-1", "us-east-1");
        s->region = SPAN("us-east-1");
    }
    s->function_region = s->region;
}

static void
read_stream(struct settings *s, const struct settings_source *source)
{
    struct span region;

    s->stream_name = get(source, "KINESIS_STREAM_NAME");
    if (s->stream_name.len > 0 &&
        (s->stream_name.len > 128 || !span_made_of(s->stream_name, "_.-"))) {
        refuse(source, "KINESIS_STREAM_NAME", s->stream_name,
               "1 to 128 letters, digits, '_', '.' or '-'", "telemetry-kinesis-stream");
        s->stream_name.len = 0;
    }
    if (s->stream_name.len == 0)
        s->stream_name = SPAN("telemetry-kinesis-stream");
    s->stream_arn = get(source, "KINESIS_STREAM_ARN");
    if (s->stream_arn.len == 0)
        return;
    if (!stream_arn(s->stream_arn, &region)) {
        refuse(source, "KINESIS_STREAM_ARN", s->stream_arn,
               "arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME", "KINESIS_STREAM_NAME");
        s->stream_arn.len = 0;
        return;
    }
    s->stream_name.len = 0;
    /* only the stream's own region can take its records */
    s->region = region;
}

/* An endpoint that the user gives; next is what takes its place. */
static bool
read_url(const struct settings_source *source, const char *name, const char *next,
         struct endpoint *e)
{
    struct span url = get(source, name);

    if (url.len == 0)
        return false;
    if (endpoint_url(url, e) == 0)
        return true;
    refuse(source, name, url, "http:// or https://, host, optional :port and /path", next);
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

    if (read_switch(source, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return;
    own = read_url(source, "AWS_ENDPOINT_URL_KINESIS", next, kinesis);
    own_s3 = s3 == NULL || read_url(source, "AWS_ENDPOINT_URL_S3", next, s3);
    if (own && own_s3)
        return;
    /* read once, so that it is complained of once */
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

    s->fips = read_switch(source, "AWS_USE_FIPS_ENDPOINT");
    s->dual_stack = read_switch(source, "AWS_USE_DUALSTACK_ENDPOINT");
    s->kinesis.custom = s->s3.custom = false;
    read_custom(source, &s->kinesis, s3 ? &s->s3 : NULL);
    if ((s->fips || s->dual_stack) && (s->kinesis.custom || (s3 && s->s3.custom)))
        refuse(source, s->fips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT",
               SPAN("true"), "false where an endpoint URL is given", "the endpoint URL");
    if (!s->kinesis.custom) {
        (void)endpoint_kinesis_host(&host, s->region, s->fips, s->dual_stack);
        s->kinesis = made_endpoint(&host);
    }
    if (!s3)
        return;
    /* a certificate's asterisk stands for one label; a given host may not know others before it */
    s->bucket_in_path = s->s3.custom || memchr(s->bucket.p, '.', s->bucket.len) != NULL;
    if (!s->s3.custom) {
        (void)endpoint_s3_host(&s3_host, s->bucket_in_path ? SPAN("") : s->bucket,
                               s->function_region, s->fips, s->dual_stack);
        s->s3 = made_endpoint(&s3_host);
    }
}

static void
read_types(struct settings *s, const struct settings_source *source)
{
    struct span value = get(source, "TELEMETRY_TYPES");
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
            refuse(source, "TELEMETRY_TYPES", value,
                   "a comma list of platform, function, extension", "function");
            return;
        }
    }
    s->types = types;
}

/* Counts as Kinesis does: characters of UTF-8, not bytes; 0 when it is no UTF-8. */
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
    struct span value = get(source, "TELEMETRY_PARTITION_KEY");

    s->key = KEY_RANDOM;
    if (value.len == 0 || span_same(value, SPAN("random")))
        return;
    if (span_same(value, SPAN("sandbox"))) {
        s->key = KEY_SANDBOX;
    } else if (span_same(value, SPAN("request"))) {
        s->key = KEY_REQUEST;
    } else if (span_starts(value, SPAN("fixed:"))) {
        s->fixed_key = span_skip(value, 6);
        if (characters(s->fixed_key) >= 1 && characters(s->fixed_key) <= 256)
            s->key = KEY_FIXED;
    }
    if (s->key == KEY_RANDOM)
        refuse(source, "TELEMETRY_PARTITION_KEY", value,
               "random, sandbox, request, fixed:TEXT with 1 to 256 characters", "random");
}

/* Source: S3 user guide, "General purpose bucket naming rules", as far as they make names safe. */
static bool
bucket_name(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return false;
    return s.len >= 3 && s.len <= 63 && span_made_of(s, ".-") &&
           span_made_of((struct span){s.p, 1}, "") && span_made_of(span_skip(s, s.len - 1), "");
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
    return bucket_name(s->bucket) && s->prefix.len <= SETTINGS_PREFIX_MAX &&
           !has_control(s->prefix);
}

static void
read_dead_letter(struct settings *s, const struct settings_source *source)
{
    struct span value = get(source, "TELEMETRY_DEAD_LETTER");

    s->dead_letter = DEAD_LETTER_NONE;
    if (value.len == 0)
        return;
    if (span_same(value, SPAN("stderr")))
        s->dead_letter = DEAD_LETTER_STDERR;
    else if (span_starts(value, SPAN("s3://")) && bucket_and_prefix(s, span_skip(value, 5)))
        s->dead_letter = DEAD_LETTER_S3;
    else
        refuse(source, "TELEMETRY_DEAD_LETTER", value,
               "stderr, s3://BUCKET, s3://BUCKET/PREFIX with at most 512 bytes of prefix",
               "no dead letter");
}

static void
read_credentials(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    static const char token[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    struct span url = get(source, name);

    s->access_key = get(source, "AWS_ACCESS_KEY_ID");
    s->secret_key = get(source, "AWS_SECRET_ACCESS_KEY");
    s->session_token = get(source, "AWS_SESSION_TOKEN");
    s->credentials = (struct endpoint){.port = 0};
    s->credentials_token = (struct span){NULL, 0};
    if ((s->access_key.len > 0 && s->secret_key.len > 0) || url.len == 0)
        return;
    if (endpoint_credentials_url(url, &s->credentials) != 0) {
        refuse(source, name, url,
               "http://, localhost or 127.x.x.x or 169.254.x.x or [::1], optional :port and /path",
               "no credentials");
        s->credentials = (struct endpoint){.port = 0};
        return;
    }
    s->credentials_token = get(source, token);
    if (has_control(s->credentials_token)) {
        /* its value is nobody's business */
        refuse(source, token, SPAN("(a token)"), "no control characters", "no token");
        s->credentials_token.len = 0;
    }
}

static void
read_words(struct settings *s, const struct settings_source *source)
{
    s->log_level = (enum log_level)read_word(source, "TELEMETRY_LOG_LEVEL",
                                             "error, warn, info, debug", LOG_WARN);
    s->format = (enum event_format)read_word(source, "TELEMETRY_RECORD_FORMAT",
                                             "message, event, enriched", EVENT_MESSAGE);
    s->flush = (enum flush_policy)read_word(source, "TELEMETRY_FLUSH", "end, continuous, adaptive",
                                            FLUSH_ADAPTIVE);
    s->oversize = (enum oversize_policy)read_word(source, "TELEMETRY_OVERSIZE",
                                                  "truncate, split, drop", OVERSIZE_TRUNCATE);
    s->drop =
        (enum drop_policy)read_word(source, "TELEMETRY_DROP", "newest, oldest", WHEN_FULL_NEWEST);
    s->metrics =
        (enum metrics_policy)read_word(source, "TELEMETRY_METRICS", "none, emf", METRICS_NONE);
    s->wire = (enum wire_form)read_word(source, "TELEMETRY_WIRE", "cbor, json", WIRE_CBOR);
}

/*
 * The end of an invocation is told as late as the platform holds telemetry back, so a budget that is
 * shorter could not be kept; where nothing is held it does not matter.
 */
static void
bound_buffering(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_BUFFER_TIMEOUT_MS";
    uint32_t most = s->flush_budget_ms;
    char allowed[64], used[16];
    struct out o = out_to(allowed, sizeof allowed);

    if (most < BUFFER_TIMEOUT_LEAST_MS)
        most = BUFFER_TIMEOUT_LEAST_MS;
    if (s->flush == FLUSH_CONTINUOUS || s->buffer_timeout_ms <= most)
        return;
    (void)format_text(&o, "at most TELEMETRY_FLUSH_BUDGET_MS, %u", s->flush_budget_ms);
    out_byte(&o, '\0');
    o = out_to(used, sizeof used);
    out_number(&o, most);
    out_byte(&o, '\0');
    refuse(source, name, get(source, name), allowed, used);
    s->buffer_timeout_ms = most;
}

static void
read_numbers(struct settings *s, const struct settings_source *source)
{
#define NUMBER(name, member, preset, least, most)                                                  \
    {                                                                                              \
        name, offsetof(struct settings, member), preset, least, most                               \
    }
    static const struct number numbers[] = {
        NUMBER("TELEMETRY_FLUSH_BUDGET_MS", flush_budget_ms, 500, 0, 900000),
        NUMBER("TELEMETRY_HOLD_SILENCE_MS", hold_silence_ms, 0, 0, 5400000),
        NUMBER("TELEMETRY_BUFFER_TIMEOUT_MS", buffer_timeout_ms, BUFFER_TIMEOUT_LEAST_MS,
               BUFFER_TIMEOUT_LEAST_MS, 30000),
        NUMBER("TELEMETRY_BUFFER_MAX_BYTES", buffer_max_bytes, 1048576, 262144, 1048576),
        NUMBER("TELEMETRY_BUFFER_MAX_ITEMS", buffer_max_items, 10000, 1000, 10000),
        NUMBER("TELEMETRY_QUEUE_MAX_BYTES", queue_max_bytes, 4194304, 65536, 1073741824),
        NUMBER("TELEMETRY_LISTENER_PORT", listener_port, 4243, 1, 65535),
        NUMBER("TELEMETRY_CONNECT_TIMEOUT_MS", connect_timeout_ms, 500, 1, 60000),
        NUMBER("TELEMETRY_REQUEST_TIMEOUT_MS", request_timeout_ms, 500, 1, 60000),
        NUMBER("AWS_MAX_ATTEMPTS", max_attempts, 5, 1, 100),
    };
#undef NUMBER

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        read_number(s, source, &numbers[i]);
    bound_buffering(s, source);
}

void
settings_read_early(struct settings *s, const struct settings_source *source)
{
    struct span init = get(source, "AWS_LAMBDA_INITIALIZATION_TYPE");

    s->runtime_api = get(source, "AWS_LAMBDA_RUNTIME_API");
    s->managed_instances = span_same(init, SPAN("lambda-managed-instances"));
    /* where the kind is not told, the keys that a snapshot must not hold are missing all the same */
    s->snap_start = span_same(init, SPAN("snap-start")) ||
                    (init.len == 0 && get(source, "AWS_ACCESS_KEY_ID").len == 0 &&
                     get(source, "AWS_CONTAINER_CREDENTIALS_FULL_URI").len > 0);
}

void
settings_read(struct settings *s, const struct settings_source *source)
{
    read_region(s, source);
    read_stream(s, source);
    read_words(s, source);
    read_numbers(s, source);
    read_types(s, source);
    read_key(s, source);
    read_dead_letter(s, source);
    read_endpoints(s, source);
    read_credentials(s, source);
    s->ca_bundle = get(source, "AWS_CA_BUNDLE");
    s->function_name = get(source, "AWS_LAMBDA_FUNCTION_NAME");
    s->function_version = get(source, "AWS_LAMBDA_FUNCTION_VERSION");
}
