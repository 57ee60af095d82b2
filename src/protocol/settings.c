#include "protocol/settings.h"

#include <string.h>

#include "protocol/settings_tables.h"
#include "protocol/utf8.h"

/* see settings.h; the settings that are words or numbers alone are in settings_tables.c */

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

    s->region = settings_source_get(source, name);
    if (s->region.len == 0 && settings_source_get(source, "AWS_DEFAULT_REGION").len > 0) {
        name = "AWS_DEFAULT_REGION";
        s->region = settings_source_get(source, name);
    }
    if (!region_name(s->region)) {
        settings_source_refuse(source, name, s->region.len == 0 ? SPAN("") : s->region,
                               "the name of a region, as us-east-1", "us-east-1");
        s->region = SPAN("us-east-1");
    }
    s->function_region = s->region;
}

static void
read_stream(struct settings *s, const struct settings_source *source)
{
    struct span region;

    s->stream_name = settings_source_get(source, "KINESIS_STREAM_NAME");
    if (s->stream_name.len > 0 &&
        (s->stream_name.len > 128 || !span_made_of(s->stream_name, "_.-"))) {
        settings_source_refuse(source, "KINESIS_STREAM_NAME", s->stream_name,
                               "1 to 128 letters, digits, '_', '.' or '-'",
                               "telemetry-kinesis-stream");
        s->stream_name.len = 0;
    }
    if (s->stream_name.len == 0)
        s->stream_name = SPAN("telemetry-kinesis-stream");
    s->stream_arn = settings_source_get(source, "KINESIS_STREAM_ARN");
    if (s->stream_arn.len == 0)
        return;
    if (!stream_arn(s->stream_arn, &region)) {
        settings_source_refuse(source, "KINESIS_STREAM_ARN", s->stream_arn,
                               "arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME",
                               "KINESIS_STREAM_NAME");
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
    struct span value = settings_source_get(source, "TELEMETRY_PARTITION_KEY");

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
        settings_source_refuse(source, "TELEMETRY_PARTITION_KEY", value,
                               "random, sandbox, request, fixed:TEXT with 1 to 256 characters",
                               "random");
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
        /* its value is nobody's business */
        settings_source_refuse(source, token, SPAN("(a token)"), "no control characters",
                               "no token");
        s->credentials_token.len = 0;
    }
}

void
settings_read_early(struct settings *s, const struct settings_source *source)
{
    struct span init = settings_source_get(source, "AWS_LAMBDA_INITIALIZATION_TYPE");

    s->runtime_api = settings_source_get(source, "AWS_LAMBDA_RUNTIME_API");
    s->managed_instances = span_same(init, SPAN("lambda-managed-instances"));
    /* where the kind is not told, the keys that a snapshot must not hold are missing all the same */
    s->snap_start = span_same(init, SPAN("snap-start")) ||
                    (init.len == 0 && settings_source_get(source, "AWS_ACCESS_KEY_ID").len == 0 &&
                     settings_source_get(source, "AWS_CONTAINER_CREDENTIALS_FULL_URI").len > 0);
}

void
settings_read(struct settings *s, const struct settings_source *source)
{
    read_region(s, source);
    read_stream(s, source);
    settings_tables_read(s, source);
    read_types(s, source);
    read_key(s, source);
    read_dead_letter(s, source);
    read_endpoints(s, source);
    read_credentials(s, source);
    s->ca_bundle = settings_source_get(source, "AWS_CA_BUNDLE");
    s->function_name = settings_source_get(source, "AWS_LAMBDA_FUNCTION_NAME");
    s->function_version = settings_source_get(source, "AWS_LAMBDA_FUNCTION_VERSION");
}
