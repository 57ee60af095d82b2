#include "protocol/settings.h"

#include <string.h>

/* see settings.h */

enum { DEFAULT_ATTEMPTS = 5 };

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

struct word {
    const char *text;
    int value;
};

/* A setting that is one of a few words; the default's word is only for the complaint. */
static int
read_word(const struct settings_source *source, const char *name, const struct word *words,
          size_t len, const char *allowed, size_t preset)
{
    struct span value = get(source, name);

    for (size_t i = 0; i < len; i++)
        if (span_same(value, span_of(words[i].text)))
            return words[i].value;
    if (value.len > 0)
        refuse(source, name, value, allowed, words[preset].text);
    return words[preset].value;
}

#define READ_WORD(source, name, words, allowed, preset)                                            \
    read_word(source, name, words, sizeof(words) / sizeof *(words), allowed, preset)

struct number {
    const char *name;
    uint32_t *value;
    uint32_t preset, least, most;
    const char *allowed;
    const char *used;
};

static void
read_number(const struct settings_source *source, const struct number *n)
{
    struct span value = get(source, n->name);
    uint64_t number;

    *n->value = n->preset;
    if (value.len == 0)
        return;
    if (span_number(value, n->most, &number) == 0 && number >= n->least)
        *n->value = (uint32_t)number;
    else
        refuse(source, n->name, value, n->allowed, n->used);
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

/* Whether s is made of letters, digits and the given others, and is not empty. */
static bool
made_of(struct span s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return s.len > 0;
}

/* Names of regions are half as long; the limit keeps the host name within host_text. */
static bool
region_name(struct span s)
{
    return s.len <= 40 && made_of(s, "-");
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
    return arn.len <= 2048 && span_same(prefix, SPAN("arn")) && made_of(partition, "-") &&
           span_starts(partition, SPAN("aws")) && span_same(service, SPAN("kinesis")) &&
           region_name(*region) && account.len == 12 &&
           span_number(account, 999999999999, &number) == 0 && span_starts(rest, SPAN("stream/")) &&
           rest.len <= 7 + 128 && made_of(span_skip(rest, 7), "_.-");
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
    if (s->stream_name.len > 0 && (s->stream_name.len > 128 || !made_of(s->stream_name, "_.-"))) {
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

int
settings_url(struct span url, struct endpoint *e)
{
    struct span rest = url;
    struct span authority;
    struct span port = {NULL, 0};
    uint64_t number;

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
    if (span_starts(authority, SPAN("["))) {
        e->host = span_cut(span_skip(authority, 1), ']', &port);
        if (port.p == NULL || !made_of(e->host, ":.") || (port.len > 0 && port.p[0] != ':'))
            return ERR_BAD;
        port = span_skip(port, 1);
    } else {
        e->host = span_cut(authority, ':', &port);
        if (!made_of(e->host, "-._"))
            return ERR_BAD;
    }
    if (port.len > 0) {
        if (span_number(port, 65535, &number) != 0 || number == 0)
            return ERR_BAD;
        e->port = (uint16_t)number;
    }
    return e->host.len <= 253 && made_of(e->path, "/-._~%") ? 0 : ERR_BAD;
}

int
settings_kinesis_host(struct out *o, struct span region, bool fips, bool dual_stack)
{
    static const struct {
        const char *prefix, *suffix, *dual_stack;
    } partitions[] = {
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

    while (!span_starts(region, span_of(partitions[i].prefix)))
        i++;
    /* in us-gov the plain host is the FIPS one */
    if (fips && !dual_stack && span_starts(region, SPAN("us-gov-")))
        fips = false;
    out_put(o, fips ? SPAN("kinesis-fips.") : SPAN("kinesis."));
    out_put(o, region);
    out_byte(o, '.');
    out_put(o, span_of(dual_stack ? partitions[i].dual_stack : partitions[i].suffix));
    return out_end(o);
}

/* The user's endpoint for Kinesis, the service's own variable before the general one. */
static bool
custom_endpoint(struct settings *s, const struct settings_source *source)
{
    static const struct {
        const char *name, *next;
    } urls[] = {
        {"AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL or the region's endpoint"},
        {"AWS_ENDPOINT_URL", "the region's endpoint"},
    };

    if (read_switch(source, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return false;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct span url = get(source, urls[i].name);

        if (url.len == 0)
            continue;
        if (settings_url(url, &s->kinesis) == 0)
            return true;
        refuse(source, urls[i].name, url, "http:// or https://, host, optional :port and /path",
               urls[i].next);
    }
    return false;
}

static void
read_endpoint(struct settings *s, const struct settings_source *source)
{
    bool fips = read_switch(source, "AWS_USE_FIPS_ENDPOINT");
    bool dual_stack = read_switch(source, "AWS_USE_DUALSTACK_ENDPOINT");
    struct out host = out_to(s->host_text, sizeof s->host_text);

    if (custom_endpoint(s, source)) {
        if (fips || dual_stack)
            refuse(source, fips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT",
                   SPAN("true"), "false where an endpoint URL is given", "the endpoint URL");
        return;
    }
    (void)settings_kinesis_host(&host, s->region, fips, dual_stack);
    s->kinesis =
        (struct endpoint){.host = out_span(&host), .port = 443, .tls = true, .path = SPAN("/")};
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

/* Counts as Kinesis does: characters of UTF-8, not bytes. */
static size_t
characters(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            n++;
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

static void
read_words(struct settings *s, const struct settings_source *source)
{
    static const struct word formats[] = {
        {"message", EVENT_MESSAGE}, {"event", EVENT_VERBATIM}, {"enriched", EVENT_ENRICHED}};
    static const struct word policies[] = {
        {"end", FLUSH_END}, {"continuous", FLUSH_CONTINUOUS}, {"adaptive", FLUSH_ADAPTIVE}};
    static const struct word levels[] = {
        {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}};

    s->log_level = (enum log_level)READ_WORD(source, "TELEMETRY_LOG_LEVEL", levels,
                                             "error, warn, info, debug", 1);
    s->format = (enum event_format)READ_WORD(source, "TELEMETRY_RECORD_FORMAT", formats,
                                             "message, event, enriched", 0);
    s->flush = (enum flush_policy)READ_WORD(source, "TELEMETRY_FLUSH", policies,
                                            "end, continuous, adaptive", 2);
}

static void
read_numbers(struct settings *s, const struct settings_source *source)
{
    uint32_t port;
    uint32_t attempts;
    const struct number numbers[] = {
        {"TELEMETRY_FLUSH_BUDGET_MS", &s->flush_budget_ms, 500, 0, 900000, "0 to 900000", "500"},
        {"TELEMETRY_BUFFER_TIMEOUT_MS", &s->buffer_timeout_ms, 25, 25, 30000, "25 to 30000", "25"},
        {"TELEMETRY_BUFFER_MAX_BYTES", &s->buffer_max_bytes, 1048576, 262144, 1048576,
         "262144 to 1048576", "1048576"},
        {"TELEMETRY_BUFFER_MAX_ITEMS", &s->buffer_max_items, 10000, 1000, 10000, "1000 to 10000",
         "10000"},
        {"TELEMETRY_QUEUE_MAX_BYTES", &s->queue_max_bytes, 4194304, 65536, 1073741824,
         "65536 to 1073741824", "4194304"},
        {"TELEMETRY_LISTENER_PORT", &port, 4243, 1, 65535, "1 to 65535, less 9001", "4243"},
        {"TELEMETRY_CONNECT_TIMEOUT_MS", &s->connect_timeout_ms, 500, 1, 60000, "1 to 60000",
         "500"},
        {"TELEMETRY_REQUEST_TIMEOUT_MS", &s->request_timeout_ms, 500, 1, 60000, "1 to 60000",
         "500"},
        {"AWS_MAX_ATTEMPTS", &attempts, DEFAULT_ATTEMPTS, 1, 100, "1 to 100", "5"},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        read_number(source, &numbers[i]);
    if (port == 9001) {
        /* the platform's own. Source: Telemetry API, destination */
        refuse(source, "TELEMETRY_LISTENER_PORT", SPAN("9001"), "1 to 65535, less 9001", "4243");
        port = 4243;
    }
    s->listener_port = (uint16_t)port;
    s->max_attempts = attempts;
}

void
settings_read_early(struct settings *s, const struct settings_source *source)
{
    struct span init = get(source, "AWS_LAMBDA_INITIALIZATION_TYPE");

    s->runtime_api = get(source, "AWS_LAMBDA_RUNTIME_API");
    s->managed_instances = span_same(init, SPAN("lambda-managed-instances"));
    s->snap_start = span_same(init, SPAN("snap-start"));
}

void
settings_read(struct settings *s, const struct settings_source *source)
{
    read_words(s, source);
    read_numbers(s, source);
    read_types(s, source);
    read_key(s, source);
    read_region(s, source);
    read_stream(s, source);
    read_endpoint(s, source);
    s->ca_bundle = get(source, "AWS_CA_BUNDLE");
    s->access_key = get(source, "AWS_ACCESS_KEY_ID");
    s->secret_key = get(source, "AWS_SECRET_ACCESS_KEY");
    s->session_token = get(source, "AWS_SESSION_TOKEN");
    s->function_name = get(source, "AWS_LAMBDA_FUNCTION_NAME");
    s->function_version = get(source, "AWS_LAMBDA_FUNCTION_VERSION");
}
