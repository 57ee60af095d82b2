#include "protocol/settings.h"

#include "check.h"
#include "guard.h"
#include "protocol/out.h"
#include "seed.h"

#include <stdio.h>

#define ENV_MAX 4
#define FIFTY "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abc"
#define HUNDRED FIFTY FIFTY

/* An environment: NAME=VALUE each, and what is set where a row does not say otherwise. */
struct environment {
    const char *const *row;
    struct out complaints;
    char text[4096];
};

static const char *
value_in(const char *const *pairs, size_t len, const char *name)
{
    size_t name_len = strlen(name);

    for (size_t i = 0; i < len && pairs[i] != NULL; i++)
        if (strncmp(pairs[i], name, name_len) == 0 && pairs[i][name_len] == '=')
            return pairs[i] + name_len + 1;
    return NULL;
}

static const char *
get(void *context, const char *name)
{
    static const char *const usual[] = {"AWS_REGION=us-east-1",
                                        "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"};
    const struct environment *env = context;
    const char *value = value_in(env->row, ENV_MAX, name);

    return value != NULL ? value : value_in(usual, LEN(usual), name);
}

/* NAME <value> allowed <allowed> used <used>; */
static void
refuse(void *context, const char *name, const char *value, const char *allowed, const char *used)
{
    struct environment *env = context;
    const char *const parts[] = {name, " <", value, "> allowed <", allowed, "> used <", used, ">;"};

    for (size_t i = 0; i < LEN(parts); i++)
        out_put(&env->complaints, span_of(parts[i]));
}

/* All settings, each as name=value and a new line. */
static void
list(struct out *o, const struct settings *s)
{
    bool s3 = s->dead_letter == DEAD_LETTER_S3;
    const struct {
        const char *name;
        struct span text;
        uint64_t number;
    } all[] = {
        {"stream_name", s->stream_name, 0},
        {"stream_arn", s->stream_arn, 0},
        {"region", s->region, 0},
        {"function_region", s->function_region, 0},
        {"host", s->kinesis.host, 0},
        {"port", {NULL, 0}, s->kinesis.port},
        {"tls", {NULL, 0}, s->kinesis.tls},
        {"custom", {NULL, 0}, s->kinesis.custom},
        {"path", s->kinesis.path, 0},
        {"ca_bundle", s->ca_bundle, 0},
        {"proxy", s->proxy.host, 0},
        {"types", {NULL, 0}, s->types},
        {"format", {NULL, 0}, s->format},
        {"log_group", s->log_group, 0},
        {"system_level", {NULL, 0}, s->system_level},
        {"json_lines", {NULL, 0}, s->json_lines},
        {"key", {NULL, 0}, s->key},
        {"fixed_key", s->key == KEY_FIXED ? s->fixed_key : SPAN(""), 0},
        {"oversize", {NULL, 0}, s->oversize},
        {"drop", {NULL, 0}, s->drop},
        {"metrics", {NULL, 0}, s->metrics},
        {"wire", {NULL, 0}, s->wire},
        {"aggregation", {NULL, 0}, s->aggregation},
        {"compression", {NULL, 0}, s->compression},
        {"aggregation_max_bytes", {NULL, 0}, s->aggregation_max_bytes},
        {"linger_ms", {NULL, 0}, s->linger_ms},
        {"level", {NULL, 0}, s->selection.level},
        {"level_default", {NULL, 0}, s->selection.level_default},
        {"level_on_error", {NULL, 0}, s->selection.level_on_error},
        {"held_max_bytes", {NULL, 0}, s->selection.held_max_bytes},
        {"sample", {NULL, 0}, s->selection.sample},
        {"filters", {NULL, 0}, s->selection.filters},
        {"filter_form", {NULL, 0}, s->selection.filters ? s->selection.filter.form : 0},
        {"filter_tests", {NULL, 0}, s->selection.filters ? s->selection.filter.tests_len : 0},
        {"redact", s->selection.redact, 0},
        {"dead_letter", {NULL, 0}, s->dead_letter},
        {"bucket", s3 ? s->bucket : SPAN(""), 0},
        {"prefix", s3 ? s->prefix : SPAN(""), 0},
        {"bucket_in_path", {NULL, 0}, s3 && s->bucket_in_path},
        {"s3_host", s3 ? s->s3.host : SPAN(""), 0},
        {"s3_port", {NULL, 0}, s3 ? s->s3.port : 0},
        {"s3_tls", {NULL, 0}, s3 && s->s3.tls},
        {"s3_path", s3 ? s->s3.path : SPAN(""), 0},
        {"flush", {NULL, 0}, s->flush},
        {"log_level", {NULL, 0}, s->log_level},
        {"flush_budget_ms", {NULL, 0}, s->flush_budget_ms},
        {"hold_silence_ms", {NULL, 0}, s->hold_silence_ms},
        {"buffer_timeout_ms", {NULL, 0}, s->buffer_timeout_ms},
        {"buffer_max_bytes", {NULL, 0}, s->buffer_max_bytes},
        {"buffer_max_items", {NULL, 0}, s->buffer_max_items},
        {"queue_max_bytes", {NULL, 0}, s->queue_max_bytes},
        {"listener_port", {NULL, 0}, s->listener_port},
        {"connect_timeout_ms", {NULL, 0}, s->connect_timeout_ms},
        {"request_timeout_ms", {NULL, 0}, s->request_timeout_ms},
        {"max_attempts", {NULL, 0}, s->max_attempts},
        {"managed_instances", {NULL, 0}, s->managed_instances},
        {"snap_start", {NULL, 0}, s->snap_start},
        {"access_key", s->access_key, 0},
        {"secret_key", s->secret_key, 0},
        {"session_token", s->session_token, 0},
        {"credentials_host", s->credentials.host, 0},
        {"credentials_port", {NULL, 0}, s->credentials.port},
        {"credentials_path", s->credentials.path, 0},
        {"credentials_token", s->credentials_token, 0},
        {"runtime_api", s->runtime_api, 0},
        {"function_name", s->function_name, 0},
        {"function_version", s->function_version, 0},
    };

    for (size_t i = 0; i < LEN(all); i++) {
        out_put(o, span_of(all[i].name));
        out_byte(o, '=');
        if (all[i].text.p == NULL && all[i].number > 0)
            out_number(o, all[i].number);
        out_put(o, all[i].text);
        out_byte(o, '\n');
    }
    assert_int_equal(out_end(o), 0);
}

/* The environment as the kernel lays it out: a zero byte behind each pair. */
static void
seed_environment(const char *const *pairs)
{
    char text[4096];
    struct out o = out_to(text, sizeof text);

    for (size_t i = 0; i < ENV_MAX && pairs[i] != NULL; i++) {
        out_put(&o, span_of(pairs[i]));
        out_byte(&o, '\0');
    }
    assert_int_equal(out_end(&o), 0);
    seed("settings", out_span(&o));
}

/* What these settings say: every line of theirs, as a list makes them. */
static struct span
settings_of(const char *const *row, char *text, size_t cap, struct environment *env)
{
    struct settings s = {0};
    struct settings_source source = {get, refuse, env};
    struct out o = out_to(text, cap);

    env->row = row;
    env->complaints = out_to(env->text, sizeof env->text);
    seed_environment(row);
    settings_read_early(&s, &source);
    assert_int_equal(env->complaints.len, 0);
    settings_read(&s, &source);
    assert_int_equal(out_end(&env->complaints), 0);
    list(&o, &s);
    return out_span(&o);
}

/* The lines in which got differs from usual, a blank behind each. */
static struct span
changes(struct span got, struct span usual, char *text, size_t cap)
{
    struct out o = out_to(text, cap);

    while (got.p != NULL) {
        struct span line = span_cut(got, '\n', &got);

        if (span_same(line, span_cut(usual, '\n', &usual)))
            continue;
        out_put(&o, line);
        out_byte(&o, ' ');
    }
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static const char usual_settings[] = "stream_name=telemetry-kinesis-stream\n"
                                     "stream_arn=\n"
                                     "region=us-east-1\n"
                                     "function_region=us-east-1\n"
                                     "host=kinesis.us-east-1.amazonaws.com\n"
                                     "port=443\n"
                                     "tls=1\n"
                                     "custom=\n"
                                     "path=/\n"
                                     "ca_bundle=\n"
                                     "proxy=\n"
                                     "types=2\n"
                                     "format=\n"
                                     "log_group=\n"
                                     "system_level=1\n"
                                     "json_lines=\n"
                                     "key=\n"
                                     "fixed_key=\n"
                                     "oversize=\n"
                                     "drop=\n"
                                     "metrics=\n"
                                     "wire=\n"
                                     "aggregation=\n"
                                     "compression=\n"
                                     "aggregation_max_bytes=262144\n"
                                     "linger_ms=200\n"
                                     "level=\n"
                                     "level_default=\n"
                                     "level_on_error=\n"
                                     "held_max_bytes=262144\n"
                                     "sample=1000000\n"
                                     "filters=\n"
                                     "filter_form=\n"
                                     "filter_tests=\n"
                                     "redact=\n"
                                     "dead_letter=\n"
                                     "bucket=\n"
                                     "prefix=\n"
                                     "bucket_in_path=\n"
                                     "s3_host=\n"
                                     "s3_port=\n"
                                     "s3_tls=\n"
                                     "s3_path=\n"
                                     "flush=2\n"
                                     "log_level=1\n"
                                     "flush_budget_ms=500\n"
                                     "hold_silence_ms=\n"
                                     "buffer_timeout_ms=25\n"
                                     "buffer_max_bytes=1048576\n"
                                     "buffer_max_items=10000\n"
                                     "queue_max_bytes=4194304\n"
                                     "listener_port=4243\n"
                                     "connect_timeout_ms=500\n"
                                     "request_timeout_ms=500\n"
                                     "max_attempts=5\n"
                                     "managed_instances=\n"
                                     "snap_start=\n"
                                     "access_key=\n"
                                     "secret_key=\n"
                                     "session_token=\n"
                                     "credentials_host=\n"
                                     "credentials_port=\n"
                                     "credentials_path=\n"
                                     "credentials_token=\n"
                                     "runtime_api=\n"
                                     "function_name=\n"
                                     "function_version=\n";

/* What differs from the usual settings, and the complaints. */
struct row {
    const char *env[ENV_MAX];
    const char *want;
    const char *complaints;
};

static void
check_rows(const struct row *rows, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        static struct environment env;
        char text[4096], changed[4096];
        struct span got = settings_of(rows[i].env, text, sizeof text, &env);

        CHECK_SPAN(rows[i].env[0], changes(got, SPAN(usual_settings), changed, sizeof changed),
                   span_of(rows[i].want));
        CHECK_SPAN(rows[i].env[0], out_span(&env.complaints), span_of(rows[i].complaints));
    }
}

#define REFUSED(name, value, allowed, used)                                                        \
    name " <" value "> allowed <" allowed "> used <" used ">;"

static void
usual(void **state)
{
    static const char *const nothing[ENV_MAX];
    static struct environment env;
    char text[4096];

    (void)state;
    CHECK_SPAN("usual", settings_of(nothing, text, sizeof text, &env), SPAN(usual_settings));
    assert_int_equal(env.complaints.len, 0);
    assert_int_equal(EVENT_FUNCTION, 2);
    assert_int_equal(EVENT_MESSAGE, 0);
    assert_int_equal(KEY_RANDOM, 0);
    assert_int_equal(FLUSH_ADAPTIVE, 2);
    assert_int_equal(LOG_WARN, 1);
    assert_int_equal(OVERSIZE_TRUNCATE, 0);
    assert_int_equal(WHEN_FULL_NEWEST, 0);
    assert_int_equal(METRICS_NONE, 0);
    assert_int_equal(WIRE_CBOR, 0);
    assert_int_equal(DEAD_LETTER_NONE, 0);
}

/* An empty variable counts as one that is not set. */
static void
empty(void **state)
{
    static const char *const names[] = {
        "KINESIS_STREAM_NAME",
        "KINESIS_STREAM_ARN",
        "TELEMETRY_TYPES",
        "TELEMETRY_RECORD_FORMAT",
        "TELEMETRY_LOG_GROUP",
        "TELEMETRY_SYSTEM_LEVEL",
        "AWS_LAMBDA_LOG_FORMAT",
        "TELEMETRY_PARTITION_KEY",
        "TELEMETRY_FLUSH",
        "TELEMETRY_FLUSH_BUDGET_MS",
        "TELEMETRY_HOLD_SILENCE_MS",
        "TELEMETRY_BUFFER_TIMEOUT_MS",
        "TELEMETRY_BUFFER_MAX_BYTES",
        "TELEMETRY_BUFFER_MAX_ITEMS",
        "TELEMETRY_QUEUE_MAX_BYTES",
        "TELEMETRY_LISTENER_PORT",
        "TELEMETRY_CONNECT_TIMEOUT_MS",
        "TELEMETRY_REQUEST_TIMEOUT_MS",
        "TELEMETRY_LOG_LEVEL",
        "TELEMETRY_OVERSIZE",
        "TELEMETRY_DROP",
        "TELEMETRY_DEAD_LETTER",
        "TELEMETRY_METRICS",
        "TELEMETRY_WIRE",
        "TELEMETRY_AGGREGATION",
        "TELEMETRY_AGGREGATION_MAX_BYTES",
        "TELEMETRY_LINGER_MS",
        "TELEMETRY_COMPRESSION",
        "TELEMETRY_LEVEL",
        "TELEMETRY_LEVEL_DEFAULT",
        "TELEMETRY_LEVEL_ON_ERROR",
        "TELEMETRY_HELD_MAX_BYTES",
        "TELEMETRY_SAMPLE_RATE",
        "TELEMETRY_FILTER",
        "TELEMETRY_REDACT",
        "TELEMETRY_PROXY",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_ENDPOINT_URL_S3",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_KINESIS",
        "AWS_ENDPOINT_URL",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_CA_BUNDLE",
        "AWS_MAX_ATTEMPTS",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
    };

    (void)state;
    for (size_t i = 0; i < LEN(names); i++) {
        char pair[64];

        snprintf(pair, sizeof pair, "%s=", names[i]);
        check_rows(&(struct row){{pair}, "", ""}, 1);
    }
}

/* Each number: its bounds, one past each, and what is no number. */
static const struct number_row {
    const char *name, *setting, *usual, *least, *too_little, *most, *too_much, *allowed;
} numbers[] = {
    {"TELEMETRY_FLUSH_BUDGET_MS", "flush_budget_ms", "500", "0", "-1", "5400000", "5400001",
     "0 to 5400000"},
    {"TELEMETRY_BUFFER_TIMEOUT_MS", "buffer_timeout_ms", "25", "25", "24", "30000", "30001",
     "25 to 30000"},
    {"TELEMETRY_HOLD_SILENCE_MS", "hold_silence_ms", "0", "0", "-1", "5400000", "5400001",
     "0 to 5400000"},
    {"TELEMETRY_BUFFER_MAX_BYTES", "buffer_max_bytes", "1048576", "262144", "262143", "1048576",
     "1048577", "262144 to 1048576"},
    {"TELEMETRY_BUFFER_MAX_ITEMS", "buffer_max_items", "10000", "1000", "999", "10000", "10001",
     "1000 to 10000"},
    {"TELEMETRY_QUEUE_MAX_BYTES", "queue_max_bytes", "4194304", "65536", "65535", "1073741824",
     "1073741825", "65536 to 1073741824"},
    {"TELEMETRY_LINGER_MS", "linger_ms", "200", "0", "-1", "60000", "60001", "0 to 60000"},
    {"TELEMETRY_HELD_MAX_BYTES", "held_max_bytes", "262144", "4096", "4095", "1073741824",
     "1073741825", "4096 to 1073741824"},
    {"TELEMETRY_LISTENER_PORT", "listener_port", "4243", "1", "0", "65535", "65536",
     "1 to 65535, less 9001"},
    {"TELEMETRY_CONNECT_TIMEOUT_MS", "connect_timeout_ms", "500", "1", "0", "60000", "60001",
     "1 to 60000"},
    {"TELEMETRY_REQUEST_TIMEOUT_MS", "request_timeout_ms", "500", "1", "0", "60000", "60001",
     "1 to 60000"},
    {"AWS_MAX_ATTEMPTS", "max_attempts", "5", "1", "0", "100", "101", "1 to 100"},
};

static void
check_number(const struct number_row *n, const char *value, bool good)
{
    /* buffering is bounded by the budget */
    bool bounded = strcmp(n->name, "TELEMETRY_BUFFER_TIMEOUT_MS") == 0;
    const char *beside = bounded ? "flush_budget_ms=30000 " : "";
    char pair[128], want[128], complaint[512];

    snprintf(pair, sizeof pair, "%s=%s", n->name, value);
    snprintf(want, sizeof want, "%s%s=%s ", beside, n->setting,
             strcmp(value, "0") == 0 ? "" : value);
    snprintf(complaint, sizeof complaint, REFUSED("%s", "%s", "%s", "%s"), n->name, value,
             n->allowed, n->usual);
    check_rows(&(struct row){{pair, bounded ? "TELEMETRY_FLUSH_BUDGET_MS=30000" : NULL},
                             good && strcmp(value, n->usual) != 0 ? want : beside,
                             good ? "" : complaint},
               1);
}

static void
number(void **state)
{
    static const char *const never[] = {
        "x",     " ",   "500 ",  "+500",       "-500",
        "500.0", "5e2", "0x500", "4294967297", "18446744073709551617"};

    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        check_number(&numbers[i], numbers[i].least, true);
        check_number(&numbers[i], numbers[i].most, true);
        check_number(&numbers[i], numbers[i].usual, true);
        check_number(&numbers[i], numbers[i].too_little, false);
        check_number(&numbers[i], numbers[i].too_much, false);
        for (size_t k = 0; k < LEN(never); k++)
            check_number(&numbers[i], never[k], false);
    }
}

#define BAD_PORT(value) REFUSED("TELEMETRY_LISTENER_PORT", value, "1 to 65535, less 9001", "4243")
#define BAD_TYPES(value)                                                                           \
    REFUSED("TELEMETRY_TYPES", value, "a comma list of platform, function, extension", "function")
#define BAD_FORMAT(value)                                                                          \
    REFUSED("TELEMETRY_RECORD_FORMAT", value, "message, event, enriched, cloudwatch", "message")
#define BAD_FLUSH(value) REFUSED("TELEMETRY_FLUSH", value, "end, continuous, adaptive", "adaptive")
#define BAD_LEVEL(value) REFUSED("TELEMETRY_LOG_LEVEL", value, "error, warn, info, debug", "warn")
#define BAD_OVERSIZE(value)                                                                        \
    REFUSED("TELEMETRY_OVERSIZE", value, "truncate, split, drop", "truncate")
#define BAD_KEY(value)                                                                             \
    REFUSED("TELEMETRY_PARTITION_KEY", value,                                                      \
            "random, sandbox, request, none, fixed:TEXT with 1 to 256 characters", "random")

#define FIVE_UMLAUTS "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x84\xc3\x96"
#define TEN_SMILES                                                                                 \
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"             \
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
#define FIFTY_SMILES TEN_SMILES TEN_SMILES TEN_SMILES TEN_SMILES TEN_SMILES
#define ALMOST_FULL_KEY                                                                            \
    FIFTY_SMILES FIFTY_SMILES FIFTY_SMILES FIFTY_SMILES FIFTY_SMILES FIVE_UMLAUTS

#define BAD_BUFFERING(value, budget, used)                                                         \
    REFUSED("TELEMETRY_BUFFER_TIMEOUT_MS", value, "at most TELEMETRY_FLUSH_BUDGET_MS, " budget,    \
            used)

#define LINES "TELEMETRY_AGGREGATION=lines"
#define LINES_MAX "TELEMETRY_AGGREGATION_MAX_BYTES"
#define ALONE(value)                                                                               \
    REFUSED(LINES_MAX, value, "TELEMETRY_AGGREGATION=lines with it", "one event a record")

#define CLOUDWATCH "TELEMETRY_RECORD_FORMAT=cloudwatch"
#define OF_MESSAGES "format=3 aggregation=1 compression=1 "
#define BAD_GROUP(value)                                                                           \
    REFUSED("TELEMETRY_LOG_GROUP", value, "1 to 512 letters, digits, '_', '-', '/', '.' or '#'",   \
            "/aws/lambda/ and the function's name")

static const struct row words[] = {
    {{CLOUDWATCH}, OF_MESSAGES, ""},
    {{CLOUDWATCH, LINES, "TELEMETRY_COMPRESSION=gzip", "TELEMETRY_OVERSIZE=truncate"},
     OF_MESSAGES,
     ""},
    {{CLOUDWATCH, "TELEMETRY_AGGREGATION=none"},
     OF_MESSAGES,
     REFUSED("TELEMETRY_AGGREGATION", "none", "lines, nothing else with cloudwatch", "lines")},
    {{CLOUDWATCH, "TELEMETRY_COMPRESSION=none"},
     OF_MESSAGES,
     REFUSED("TELEMETRY_COMPRESSION", "none", "gzip, nothing else with cloudwatch", "gzip")},
    {{CLOUDWATCH, "TELEMETRY_OVERSIZE=split"},
     OF_MESSAGES,
     REFUSED("TELEMETRY_OVERSIZE", "split", "truncate, drop, no more with cloudwatch", "truncate")},
    {{CLOUDWATCH, "TELEMETRY_OVERSIZE=drop"},
     "format=3 oversize=2 aggregation=1 compression=1 ",
     ""},
    {{CLOUDWATCH, "TELEMETRY_AGGREGATION=kpl"},
     OF_MESSAGES,
     REFUSED("TELEMETRY_AGGREGATION", "kpl", "lines, nothing else with cloudwatch", "lines")},
    {{CLOUDWATCH, LINES_MAX "=2048"}, OF_MESSAGES "aggregation_max_bytes=2048 ", ""},
    {{CLOUDWATCH, "TELEMETRY_QUEUE_MAX_BYTES=65536"},
     OF_MESSAGES "aggregation_max_bytes=32768 queue_max_bytes=65536 ",
     ""},
    {{"TELEMETRY_OVERSIZE=split", "TELEMETRY_AGGREGATION=none"}, "oversize=1 ", ""},
    {{"TELEMETRY_LOG_GROUP=/aws/lambda/a_b-c.d#1"}, "log_group=/aws/lambda/a_b-c.d#1 ", ""},
    {{"TELEMETRY_LOG_GROUP=" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0123456789ab"},
     "log_group=" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0123456789ab ",
     ""},
    {{"TELEMETRY_LOG_GROUP=" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0123456789abc"},
     "",
     BAD_GROUP(HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0123456789abc")},
    {{"TELEMETRY_LOG_GROUP=a b"}, "", BAD_GROUP("a b")},
    {{"TELEMETRY_LOG_GROUP=a\"b"}, "", BAD_GROUP("a\"b")},
    {{"TELEMETRY_SYSTEM_LEVEL=DEBUG"}, "system_level= ", ""},
    {{"TELEMETRY_SYSTEM_LEVEL=INFO"}, "", ""},
    {{"TELEMETRY_SYSTEM_LEVEL=WARN"}, "system_level=2 ", ""},
    {{"TELEMETRY_SYSTEM_LEVEL=warn"},
     "",
     REFUSED("TELEMETRY_SYSTEM_LEVEL", "warn", "DEBUG, INFO, WARN", "INFO")},
    {{"AWS_LAMBDA_LOG_FORMAT=JSON"}, "json_lines=1 ", ""},
    {{"AWS_LAMBDA_LOG_FORMAT=Text"}, "", ""},

    {{"TELEMETRY_BUFFER_TIMEOUT_MS=500"}, "buffer_timeout_ms=500 ", ""},
    {{"TELEMETRY_BUFFER_TIMEOUT_MS=501"},
     "buffer_timeout_ms=500 ",
     BAD_BUFFERING("501", "500", "500")},
    {{"TELEMETRY_BUFFER_TIMEOUT_MS=5000", "TELEMETRY_FLUSH_BUDGET_MS=0", "TELEMETRY_FLUSH=end"},
     "flush= flush_budget_ms= ",
     BAD_BUFFERING("5000", "0", "25")},
    {{"TELEMETRY_FLUSH_BUDGET_MS=0"}, "flush_budget_ms= ", ""},
    {{"TELEMETRY_BUFFER_TIMEOUT_MS=5000", "TELEMETRY_FLUSH=continuous"},
     "flush=1 buffer_timeout_ms=5000 ",
     ""},

    {{"TELEMETRY_LISTENER_PORT=9000"}, "listener_port=9000 ", ""},
    {{"TELEMETRY_LISTENER_PORT=9001"}, "", BAD_PORT("9001")},
    {{"TELEMETRY_LISTENER_PORT=9002"}, "listener_port=9002 ", ""},

    {{"TELEMETRY_TYPES=function"}, "", ""},
    {{"TELEMETRY_TYPES=platform"}, "types=1 ", ""},
    {{"TELEMETRY_TYPES=extension"}, "types=4 ", ""},
    {{"TELEMETRY_TYPES=platform,function,extension"}, "types=7 ", ""},
    {{"TELEMETRY_TYPES=extension,function"}, "types=6 ", ""},
    {{"TELEMETRY_TYPES= platform ,\textension "}, "types=5 ", ""},
    {{"TELEMETRY_TYPES=platform,platform"}, "types=1 ", ""},
    {{"TELEMETRY_TYPES=function,"}, "", BAD_TYPES("function,")},
    {{"TELEMETRY_TYPES=,platform"}, "", BAD_TYPES(",platform")},
    {{"TELEMETRY_TYPES=platform,,function"}, "", BAD_TYPES("platform,,function")},
    {{"TELEMETRY_TYPES=platform function"}, "", BAD_TYPES("platform function")},
    {{"TELEMETRY_TYPES=Platform"}, "", BAD_TYPES("Platform")},
    {{"TELEMETRY_TYPES=platform,all"}, "", BAD_TYPES("platform,all")},
    {{"TELEMETRY_TYPES= "}, "", BAD_TYPES(" ")},

    {{"TELEMETRY_RECORD_FORMAT=message"}, "", ""},
    {{"TELEMETRY_RECORD_FORMAT=event"}, "format=1 ", ""},
    {{"TELEMETRY_RECORD_FORMAT=enriched"}, "format=2 ", ""},
    {{"TELEMETRY_RECORD_FORMAT=Event"}, "", BAD_FORMAT("Event")},
    {{"TELEMETRY_RECORD_FORMAT=event "}, "", BAD_FORMAT("event ")},
    {{"TELEMETRY_RECORD_FORMAT=even"}, "", BAD_FORMAT("even")},

    {{"TELEMETRY_FLUSH=adaptive"}, "", ""},
    {{"TELEMETRY_FLUSH=end"}, "flush= ", ""},
    {{"TELEMETRY_FLUSH=continuous"}, "flush=1 ", ""},
    {{"TELEMETRY_FLUSH=never"}, "", BAD_FLUSH("never")},

    {{"TELEMETRY_LOG_LEVEL=warn"}, "", ""},
    {{"TELEMETRY_LOG_LEVEL=error"}, "log_level= ", ""},
    {{"TELEMETRY_LOG_LEVEL=info"}, "log_level=2 ", ""},
    {{"TELEMETRY_LOG_LEVEL=debug"}, "log_level=3 ", ""},
    {{"TELEMETRY_LOG_LEVEL=WARN"}, "", BAD_LEVEL("WARN")},
    {{"TELEMETRY_LOG_LEVEL=0"}, "", BAD_LEVEL("0")},

    {{"TELEMETRY_OVERSIZE=truncate"}, "", ""},
    {{"TELEMETRY_OVERSIZE=split"}, "oversize=1 ", ""},
    {{"TELEMETRY_OVERSIZE=drop"}, "oversize=2 ", ""},
    {{"TELEMETRY_OVERSIZE=cut"}, "", BAD_OVERSIZE("cut")},
    {{"TELEMETRY_OVERSIZE=Split"}, "", BAD_OVERSIZE("Split")},

    {{"TELEMETRY_DROP=newest"}, "", ""},
    {{"TELEMETRY_DROP=oldest"}, "drop=1 ", ""},
    {{"TELEMETRY_DROP=old"}, "", REFUSED("TELEMETRY_DROP", "old", "newest, oldest", "newest")},

    {{"TELEMETRY_METRICS=none"}, "", ""},
    {{"TELEMETRY_METRICS=emf"}, "metrics=1 ", ""},
    {{"TELEMETRY_METRICS=EMF"}, "", REFUSED("TELEMETRY_METRICS", "EMF", "none, emf", "none")},

    {{"TELEMETRY_WIRE=cbor"}, "", ""},
    {{"TELEMETRY_WIRE=json"}, "wire=1 ", ""},
    {{"TELEMETRY_WIRE=CBOR"}, "", REFUSED("TELEMETRY_WIRE", "CBOR", "cbor, json", "cbor")},

    {{"TELEMETRY_AGGREGATION=none"}, "", ""},
    {{"TELEMETRY_AGGREGATION=lines"}, "aggregation=1 ", ""},
    {{"TELEMETRY_AGGREGATION=kpl"},
     "",
     REFUSED("TELEMETRY_AGGREGATION", "kpl", "none, lines", "none")},
    {{"TELEMETRY_COMPRESSION=none"}, "", ""},
    {{"TELEMETRY_COMPRESSION=gzip"}, "compression=1 ", ""},
    {{"TELEMETRY_COMPRESSION=GZIP"},
     "",
     REFUSED("TELEMETRY_COMPRESSION", "GZIP", "none, gzip", "none")},

    {{LINES, LINES_MAX "=1024"}, "aggregation=1 aggregation_max_bytes=1024 ", ""},
    {{LINES, LINES_MAX "=1000000"}, "aggregation=1 aggregation_max_bytes=1000000 ", ""},
    {{LINES, LINES_MAX "=1023"},
     "aggregation=1 ",
     REFUSED(LINES_MAX, "1023", "1024 to 1000000", "262144")},
    {{LINES, LINES_MAX "=1000001"},
     "aggregation=1 ",
     REFUSED(LINES_MAX, "1000001", "1024 to 1000000", "262144")},
    /* what is wrong is told once, whatever else is wrong with it */
    {{LINES_MAX "=1 KB"}, "", REFUSED(LINES_MAX, "1 KB", "1024 to 1000000", "262144")},
    {{LINES_MAX "=2048"}, "aggregation_max_bytes=2048 ", ALONE("2048")},
    {{LINES_MAX "=262144", "TELEMETRY_AGGREGATION=none"}, "", ALONE("262144")},
    {{LINES_MAX "=2048", "TELEMETRY_AGGREGATION=line", "TELEMETRY_COMPRESSION=gzip"},
     "compression=1 aggregation_max_bytes=2048 ",
     REFUSED("TELEMETRY_AGGREGATION", "line", "none, lines", "none") ALONE("2048")},
    {{LINES, LINES_MAX "=32768", "TELEMETRY_QUEUE_MAX_BYTES=65536"},
     "aggregation=1 aggregation_max_bytes=32768 queue_max_bytes=65536 ",
     ""},
    {{LINES, LINES_MAX "=32769", "TELEMETRY_QUEUE_MAX_BYTES=65536"},
     "aggregation=1 aggregation_max_bytes=32768 queue_max_bytes=65536 ",
     REFUSED(LINES_MAX, "32769", "at most half of TELEMETRY_QUEUE_MAX_BYTES, 32768", "32768")},
    {{LINES, LINES_MAX "=262144", "TELEMETRY_QUEUE_MAX_BYTES=100000"},
     "aggregation=1 aggregation_max_bytes=50000 queue_max_bytes=100000 ",
     REFUSED(LINES_MAX, "262144", "at most half of TELEMETRY_QUEUE_MAX_BYTES, 50000", "50000")},
    /* nobody has chosen it */
    {{LINES, "TELEMETRY_QUEUE_MAX_BYTES=100000"},
     "aggregation=1 aggregation_max_bytes=50000 queue_max_bytes=100000 ",
     ""},
    {{LINES, LINES_MAX "=x", "TELEMETRY_QUEUE_MAX_BYTES=100000"},
     "aggregation=1 aggregation_max_bytes=50000 queue_max_bytes=100000 ",
     REFUSED(LINES_MAX, "x", "1024 to 1000000", "50000")},

    {{"TELEMETRY_PARTITION_KEY=random"}, "", ""},
    {{"TELEMETRY_PARTITION_KEY=sandbox"}, "key=1 ", ""},
    {{"TELEMETRY_PARTITION_KEY=request"}, "key=2 ", ""},
    {{"TELEMETRY_PARTITION_KEY=none"}, "key=4 ", ""},
    {{"TELEMETRY_PARTITION_KEY=None"}, "", BAD_KEY("None")},
    {{"TELEMETRY_PARTITION_KEY=none "}, "", BAD_KEY("none ")},
    {{"TELEMETRY_PARTITION_KEY=fixed:k"}, "key=3 fixed_key=k ", ""},
    {{"TELEMETRY_PARTITION_KEY=fixed: a:b "}, "key=3 fixed_key= a:b  ", ""},
    {{"TELEMETRY_PARTITION_KEY=fixed:fixed:"}, "key=3 fixed_key=fixed: ", ""},
    /* 256 characters in 1,011 bytes, and one more */
    {{"TELEMETRY_PARTITION_KEY=fixed:" ALMOST_FULL_KEY "x"},
     "key=3 fixed_key=" ALMOST_FULL_KEY "x ",
     ""},
    {{"TELEMETRY_PARTITION_KEY=fixed:" ALMOST_FULL_KEY "xy"},
     "",
     BAD_KEY("fixed:" ALMOST_FULL_KEY "xy")},
    {{"TELEMETRY_PARTITION_KEY=fixed:"}, "", BAD_KEY("fixed:")},
    {{"TELEMETRY_PARTITION_KEY=fixed:\xff\x80"}, "", BAD_KEY("fixed:\xff\x80")},
    {{"TELEMETRY_PARTITION_KEY=fixed:\xc3"}, "", BAD_KEY("fixed:\xc3")},
    {{"TELEMETRY_PARTITION_KEY=fixed"}, "", BAD_KEY("fixed")},
    {{"TELEMETRY_PARTITION_KEY=Random"}, "", BAD_KEY("Random")},
    {{"TELEMETRY_PARTITION_KEY=k"}, "", BAD_KEY("k")},

    {{"AWS_CA_BUNDLE=/opt/ca.pem"}, "ca_bundle=/opt/ca.pem ", ""},
    {{"TELEMETRY_PROXY=http://u:p@a:1"}, "proxy=a ", ""},
    {{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_SESSION_TOKEN=c"},
     "access_key=a secret_key=b session_token=c ",
     ""},
    {{"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST"},
     "function_name=f function_version=$LATEST ",
     ""},
    {{"AWS_LAMBDA_RUNTIME_API=169.254.100.1:9001"}, "runtime_api=169.254.100.1:9001 ", ""},
    {{"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"}, "", ""},
    {{"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"}, "", ""},
    {{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"}, "snap_start=1 ", ""},
    {{"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"},
     "json_lines=1 managed_instances=1 ",
     ""},
    {{"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instance"}, "", ""},

    /* each is complained of, and none hides another */
    {{"TELEMETRY_FLUSH=x", "TELEMETRY_TYPES=y", "AWS_MAX_ATTEMPTS=z", "TELEMETRY_LOG_LEVEL=debug"},
     "log_level=3 ",
     BAD_FLUSH("x") REFUSED("AWS_MAX_ATTEMPTS", "z", "1 to 100", "5") BAD_TYPES("y")},
};

static void
word(void **state)
{
    (void)state;
    check_rows(words, LEN(words));
}

#define ARN "arn:aws:kinesis:eu-central-1:123456789012:stream/logs"
#define THIRTY "abcdefghijABCDEFGHIJ0123456789"
#define NAME_128 THIRTY THIRTY THIRTY THIRTY "_.-_.-_."
#define FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define ARN_2048                                                                                   \
    "arn:aws-" FIVE_HUNDRED FIVE_HUNDRED FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED              \
    ":kinesis:us-east-1:123456789012:stream/" FIFTY                                                \
    "012345678901234567890123456789012345678901234567890"
#define BAD_NAME(value)                                                                            \
    REFUSED("KINESIS_STREAM_NAME", value, "1 to 128 letters, digits, '_', '.' or '-'",             \
            "telemetry-kinesis-stream")
#define BAD_ARN(value)                                                                             \
    REFUSED("KINESIS_STREAM_ARN", value, "arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME",       \
            "KINESIS_STREAM_NAME")
#define BAD_REGION(name, value)                                                                    \
    REFUSED(name, value, "the name of a region, as us-east-1", "us-east-1")
#define REGION_40 "abcdefghijklmnopqrst-abcdefghijklmnopqrs"
/* What a stream in another region than the function's changes besides. */
#define FAR "connect_timeout_ms=3100 request_timeout_ms=3100 "
#define BY_ARN(arn, region)                                                                        \
    "stream_name= stream_arn=" arn " region=" region " host=kinesis." region ".amazonaws.com "
#define BY_REGION(region)                                                                          \
    "region=" region " function_region=" region " host=kinesis." region ".amazonaws.com "

static const struct row streams[] = {
    {{"KINESIS_STREAM_NAME=logs"}, "stream_name=logs ", ""},
    {{"KINESIS_STREAM_NAME=a"}, "stream_name=a ", ""},
    {{"KINESIS_STREAM_NAME=" NAME_128}, "stream_name=" NAME_128 " ", ""},
    {{"KINESIS_STREAM_NAME=" NAME_128 "x"}, "", BAD_NAME(NAME_128 "x")},
    {{"KINESIS_STREAM_NAME=a b"}, "", BAD_NAME("a b")},
    {{"KINESIS_STREAM_NAME=logs\n"}, "", BAD_NAME("logs\n")},
    {{"KINESIS_STREAM_NAME=a/b"}, "", BAD_NAME("a/b")},
    {{"KINESIS_STREAM_NAME=\xc3\xa4"}, "", BAD_NAME("\xc3\xa4")},
    {{"KINESIS_STREAM_NAME=" ARN}, "", BAD_NAME(ARN)},

    {{"KINESIS_STREAM_ARN=" ARN}, BY_ARN(ARN, "eu-central-1") FAR, ""},
    {{"KINESIS_STREAM_ARN=" ARN, "KINESIS_STREAM_NAME=other"}, BY_ARN(ARN, "eu-central-1") FAR, ""},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:123456789012:stream/" NAME_128},
     "stream_name= stream_arn=arn:aws:kinesis:us-east-1:123456789012:stream/" NAME_128 " ",
     ""},
    {{"KINESIS_STREAM_ARN=arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s"},
     "stream_name= stream_arn=arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s "
     "region=cn-north-1 host=kinesis.cn-north-1.amazonaws.com.cn " FAR,
     ""},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:" REGION_40 ":123456789012:stream/s"},
     BY_ARN("arn:aws:kinesis:" REGION_40 ":123456789012:stream/s", REGION_40) FAR,
     ""},
    {{"KINESIS_STREAM_ARN=" ARN, "AWS_ENDPOINT_URL_KINESIS=http://localhost:4567"},
     "stream_name= stream_arn=" ARN
     " region=eu-central-1 host=localhost port=4567 tls= custom=1 " FAR,
     ""},
    {{"KINESIS_STREAM_ARN=" ARN, "TELEMETRY_CONNECT_TIMEOUT_MS=500",
      "TELEMETRY_REQUEST_TIMEOUT_MS=x"},
     "stream_name= stream_arn=" ARN " region=eu-central-1 host=kinesis.eu-central-1.amazonaws.com "
     "request_timeout_ms=3100 ",
     REFUSED("TELEMETRY_REQUEST_TIMEOUT_MS", "x", "1 to 60000", "3100")},
    {{"KINESIS_STREAM_ARN=" ARN, "AWS_REGION=eu-central-1"},
     "stream_name= stream_arn=" ARN " region=eu-central-1 function_region=eu-central-1 "
     "host=kinesis.eu-central-1.amazonaws.com ",
     ""},
    {{"KINESIS_STREAM_ARN=x", "KINESIS_STREAM_NAME=logs"}, "stream_name=logs ", BAD_ARN("x")},
    {{"KINESIS_STREAM_ARN=x", "KINESIS_STREAM_NAME=/"}, "", BAD_NAME("/") BAD_ARN("x")},

    {{"KINESIS_STREAM_ARN=" ARN_2048}, "stream_name= stream_arn=" ARN_2048 " ", ""},
    {{"KINESIS_STREAM_ARN=" ARN_2048 "n"}, "", BAD_ARN(ARN_2048 "n")},
    {{"KINESIS_STREAM_ARN=arn"}, "", BAD_ARN("arn")},
    {{"KINESIS_STREAM_ARN=:::::"}, "", BAD_ARN(":::::")},
    {{"KINESIS_STREAM_ARN=aRn:aws:kinesis:us-east-1:123456789012:stream/s"},
     "",
     BAD_ARN("aRn:aws:kinesis:us-east-1:123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:azure:kinesis:us-east-1:123456789012:stream/s"},
     "",
     BAD_ARN("arn:azure:kinesis:us-east-1:123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn::kinesis:us-east-1:123456789012:stream/s"},
     "",
     BAD_ARN("arn::kinesis:us-east-1:123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:firehose:us-east-1:123456789012:stream/s"},
     "",
     BAD_ARN("arn:aws:firehose:us-east-1:123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis::123456789012:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis::123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us east:123456789012:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:us east:123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:x" REGION_40 ":123456789012:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:x" REGION_40 ":123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:" HUNDRED HUNDRED ":123456789012:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:" HUNDRED HUNDRED ":123456789012:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:12345678901:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:12345678901:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:1234567890123:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:1234567890123:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:12345678901x:stream/s"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:12345678901x:stream/s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:123456789012:stream/"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:123456789012:stream/")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:123456789012:logs"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:123456789012:logs")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:123456789012:stream:s"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:123456789012:stream:s")},
    {{"KINESIS_STREAM_ARN=arn:aws:kinesis:us-east-1:123456789012:stream/" NAME_128 "x"},
     "",
     BAD_ARN("arn:aws:kinesis:us-east-1:123456789012:stream/" NAME_128 "x")},
    {{"KINESIS_STREAM_ARN=" ARN "/consumer/c:1"}, "", BAD_ARN(ARN "/consumer/c:1")},
    {{"KINESIS_STREAM_ARN=" ARN " "}, "", BAD_ARN(ARN " ")},
    {{"KINESIS_STREAM_ARN=logs"}, "", BAD_ARN("logs")},

    {{"AWS_REGION=eu-west-1"}, BY_REGION("eu-west-1"), ""},
    {{"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=sa-east-1"}, BY_REGION("eu-west-1"), ""},
    {{"AWS_REGION=", "AWS_DEFAULT_REGION=sa-east-1"}, BY_REGION("sa-east-1"), ""},
    {{"AWS_REGION=", "AWS_DEFAULT_REGION=x y"}, "", BAD_REGION("AWS_DEFAULT_REGION", "x y")},
    {{"AWS_REGION="}, "", BAD_REGION("AWS_REGION", "")},
    {{"AWS_REGION=x.example"}, "", BAD_REGION("AWS_REGION", "x.example")},
    {{"AWS_REGION=us-east-1/"}, "", BAD_REGION("AWS_REGION", "us-east-1/")},
    {{"AWS_REGION=x y", "AWS_DEFAULT_REGION=sa-east-1"}, "", BAD_REGION("AWS_REGION", "x y")},
    {{"AWS_REGION=" REGION_40}, BY_REGION(REGION_40), ""},
    {{"AWS_REGION=" REGION_40 "t"}, "", BAD_REGION("AWS_REGION", REGION_40 "t")},
};

static void
stream(void **state)
{
    (void)state;
    check_rows(streams, LEN(streams));
}

#define BAD_SWITCH(name, value) REFUSED(name, value, "true, false", "false")
#define URL_FORM "http:// or https://, host, optional :port and /path"
#define BAD_OWN_URL(value)                                                                         \
    REFUSED("AWS_ENDPOINT_URL_KINESIS", value, URL_FORM,                                           \
            "AWS_ENDPOINT_URL or the region's endpoint")
#define BAD_S3_URL(value)                                                                          \
    REFUSED("AWS_ENDPOINT_URL_S3", value, URL_FORM, "AWS_ENDPOINT_URL or the region's endpoint")
#define BAD_URL(value) REFUSED("AWS_ENDPOINT_URL", value, URL_FORM, "the region's endpoint")
#define TOGETHER(name)                                                                             \
    REFUSED(name, "true", "false where an endpoint URL is given", "the endpoint URL")

static const struct row endpoints[] = {
    {{"AWS_ENDPOINT_URL_KINESIS=http://a:1"}, "host=a port=1 tls= custom=1 ", ""},
    {{"AWS_ENDPOINT_URL=https://a/p/"}, "host=a custom=1 path=/p ", ""},
    {{"AWS_ENDPOINT_URL_KINESIS=http://a", "AWS_ENDPOINT_URL=http://b"},
     "host=a port=80 tls= custom=1 ",
     ""},
    {{"AWS_ENDPOINT_URL_KINESIS=", "AWS_ENDPOINT_URL=http://b"},
     "host=b port=80 tls= custom=1 ",
     ""},
    {{"AWS_ENDPOINT_URL_KINESIS=a", "AWS_ENDPOINT_URL=http://b"},
     "host=b port=80 tls= custom=1 ",
     BAD_OWN_URL("a")},
    {{"AWS_ENDPOINT_URL_KINESIS=http://", "AWS_ENDPOINT_URL=ftp://b"},
     "",
     BAD_OWN_URL("http://") BAD_URL("ftp://b")},
    {{"AWS_ENDPOINT_URL_KINESIS=http://a:0"}, "", BAD_OWN_URL("http://a:0")},
    {{"AWS_ENDPOINT_URL=http://a b"}, "", BAD_URL("http://a b")},

    {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL_KINESIS=http://a",
      "AWS_ENDPOINT_URL=http://b"},
     "",
     ""},
    {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL_KINESIS=bad"}, "", ""},
    {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL_KINESIS=http://a",
      "AWS_USE_FIPS_ENDPOINT=true"},
     "host=kinesis-fips.us-east-1.amazonaws.com ",
     ""},
    {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false", "AWS_ENDPOINT_URL_KINESIS=http://a"},
     "host=a port=80 tls= custom=1 ",
     ""},
    {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=1", "AWS_ENDPOINT_URL_KINESIS=http://a"},
     "host=a port=80 tls= custom=1 ",
     BAD_SWITCH("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1")},

    {{"AWS_USE_FIPS_ENDPOINT=true"}, "host=kinesis-fips.us-east-1.amazonaws.com ", ""},
    {{"AWS_USE_FIPS_ENDPOINT=TRUE"}, "host=kinesis-fips.us-east-1.amazonaws.com ", ""},
    {{"AWS_USE_FIPS_ENDPOINT=false"}, "", ""},
    {{"AWS_USE_FIPS_ENDPOINT=False"}, "", ""},
    {{"AWS_USE_FIPS_ENDPOINT=yes"}, "", BAD_SWITCH("AWS_USE_FIPS_ENDPOINT", "yes")},
    {{"AWS_USE_DUALSTACK_ENDPOINT=true"}, "host=kinesis.us-east-1.api.aws ", ""},
    {{"AWS_USE_DUALSTACK_ENDPOINT=false"}, "", ""},
    {{"AWS_USE_DUALSTACK_ENDPOINT=0"}, "", BAD_SWITCH("AWS_USE_DUALSTACK_ENDPOINT", "0")},
    {{"AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true"},
     "host=kinesis-fips.us-east-1.api.aws ",
     ""},
    {{"AWS_USE_FIPS_ENDPOINT=true", "AWS_ENDPOINT_URL=http://b"},
     "host=b port=80 tls= custom=1 ",
     TOGETHER("AWS_USE_FIPS_ENDPOINT")},
    {{"AWS_USE_DUALSTACK_ENDPOINT=True", "AWS_ENDPOINT_URL=http://b"},
     "host=b port=80 tls= custom=1 ",
     TOGETHER("AWS_USE_DUALSTACK_ENDPOINT")},
    {{"AWS_USE_FIPS_ENDPOINT=true", "AWS_ENDPOINT_URL=b"},
     "host=kinesis-fips.us-east-1.amazonaws.com ",
     BAD_URL("b")},
};

static void
endpoint(void **state)
{
    (void)state;
    check_rows(endpoints, LEN(endpoints));
}

#define BAD_DEAD(value)                                                                            \
    REFUSED("TELEMETRY_DEAD_LETTER", value,                                                        \
            "stderr, s3://BUCKET, s3://BUCKET/PREFIX with at most 512 bytes of prefix",            \
            "no dead letter")
#define BUCKET_63 "0123456789.abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghij-klm"
#define PREFIX_512 FIVE_HUNDRED "012345 \xc3\xa4%/b"
#define TO(bucket, prefix, host)                                                                   \
    "dead_letter=2 bucket=" bucket " prefix=" prefix " s3_host=" host                              \
    " s3_port=443 s3_tls=1 s3_path=/ "
#define TO_DOTTED(bucket, prefix, host)                                                            \
    "dead_letter=2 bucket=" bucket " prefix=" prefix " bucket_in_path=1 s3_host=" host             \
    " s3_port=443 s3_tls=1 s3_path=/ "
/* The usual line of an empty text is left out of the changes. */
#define TO_ROOT(bucket, host)                                                                      \
    "dead_letter=2 bucket=" bucket " s3_host=" host " s3_port=443 s3_tls=1 s3_path=/ "

static const struct row dead_letters[] = {
    {{"TELEMETRY_DEAD_LETTER=stderr"}, "dead_letter=1 ", ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs"}, TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com"), ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/"}, TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com"), ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs///"},
     TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/a"}, TO("logs", "a", "logs.s3.us-east-1.amazonaws.com"), ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs//a//b c//"},
     TO("logs", "a//b c", "logs.s3.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/" PREFIX_512},
     TO("logs", PREFIX_512, "logs.s3.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/" PREFIX_512 "x"},
     "",
     BAD_DEAD("s3://logs/" PREFIX_512 "x")},
    {{"TELEMETRY_DEAD_LETTER=s3://0-9/p", "AWS_REGION=cn-north-1"},
     "region=cn-north-1 function_region=cn-north-1 host=kinesis.cn-north-1.amazonaws.com.cn " TO(
         "0-9", "p", "0-9.s3.cn-north-1.amazonaws.com.cn"),
     ""},
    /* the function's region, not the stream's */
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "KINESIS_STREAM_ARN=" ARN},
     BY_ARN(ARN, "eu-central-1") TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com") FAR,
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://a.b/p"}, TO_DOTTED("a.b", "p", "s3.us-east-1.amazonaws.com"), ""},
    {{"TELEMETRY_DEAD_LETTER=s3://" BUCKET_63 "/p"},
     TO_DOTTED(BUCKET_63, "p", "s3.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://" BUCKET_63 "n"}, "", BAD_DEAD("s3://" BUCKET_63 "n")},
    {{"TELEMETRY_DEAD_LETTER=s3://ab"}, "", BAD_DEAD("s3://ab")},
    {{"TELEMETRY_DEAD_LETTER=s3://"}, "", BAD_DEAD("s3://")},
    {{"TELEMETRY_DEAD_LETTER=s3:///p"}, "", BAD_DEAD("s3:///p")},
    {{"TELEMETRY_DEAD_LETTER=s3://Logs"}, "", BAD_DEAD("s3://Logs")},
    {{"TELEMETRY_DEAD_LETTER=s3://lo_gs"}, "", BAD_DEAD("s3://lo_gs")},
    {{"TELEMETRY_DEAD_LETTER=s3://-logs"}, "", BAD_DEAD("s3://-logs")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs-"}, "", BAD_DEAD("s3://logs-")},
    {{"TELEMETRY_DEAD_LETTER=s3://.logs"}, "", BAD_DEAD("s3://.logs")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs."}, "", BAD_DEAD("s3://logs.")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs:1/p"}, "", BAD_DEAD("s3://logs:1/p")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/a\nb"}, "", BAD_DEAD("s3://logs/a\nb")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs/a\x7f"}, "", BAD_DEAD("s3://logs/a\x7f")},
    {{"TELEMETRY_DEAD_LETTER=S3://logs"}, "", BAD_DEAD("S3://logs")},
    {{"TELEMETRY_DEAD_LETTER=logs"}, "", BAD_DEAD("logs")},
    {{"TELEMETRY_DEAD_LETTER=stdout"}, "", BAD_DEAD("stdout")},
    {{"TELEMETRY_DEAD_LETTER=none"}, "", BAD_DEAD("none")},

    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_USE_FIPS_ENDPOINT=true"},
     "host=kinesis-fips.us-east-1.amazonaws.com " TO_ROOT("logs",
                                                          "logs.s3-fips.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_USE_DUALSTACK_ENDPOINT=true"},
     "host=kinesis.us-east-1.api.aws " TO_ROOT("logs", "logs.s3.dualstack.us-east-1.amazonaws.com"),
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_S3=http://a:9/p/"},
     "dead_letter=2 bucket=logs bucket_in_path=1 s3_host=a s3_port=9 s3_path=/p ",
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_S3=https://a",
      "AWS_ENDPOINT_URL=http://b"},
     "host=b port=80 tls= custom=1 dead_letter=2 bucket=logs bucket_in_path=1 s3_host=a "
     "s3_port=443 s3_tls=1 s3_path=/ ",
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL=http://b/p"},
     "host=b port=80 tls= custom=1 path=/p dead_letter=2 bucket=logs bucket_in_path=1 s3_host=b "
     "s3_port=80 s3_path=/p ",
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_KINESIS=http://k",
      "AWS_ENDPOINT_URL=http://b"},
     "host=k port=80 tls= custom=1 dead_letter=2 bucket=logs bucket_in_path=1 s3_host=b "
     "s3_port=80 s3_path=/ ",
     ""},
    /* each bad one is complained of once */
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_S3=a", "AWS_ENDPOINT_URL=b"},
     TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com"),
     BAD_S3_URL("a") BAD_URL("b")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_KINESIS=http://k",
      "AWS_ENDPOINT_URL_S3=http://a", "AWS_ENDPOINT_URL=bad"},
     "host=k port=80 tls= custom=1 dead_letter=2 bucket=logs bucket_in_path=1 s3_host=a "
     "s3_port=80 s3_path=/ ",
     ""},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_S3=http://a",
      "AWS_USE_FIPS_ENDPOINT=true"},
     "host=kinesis-fips.us-east-1.amazonaws.com dead_letter=2 bucket=logs bucket_in_path=1 "
     "s3_host=a s3_port=80 s3_path=/ ",
     TOGETHER("AWS_USE_FIPS_ENDPOINT")},
    {{"TELEMETRY_DEAD_LETTER=s3://logs", "AWS_ENDPOINT_URL_S3=http://a",
      "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"},
     TO_ROOT("logs", "logs.s3.us-east-1.amazonaws.com"),
     ""},
    /* not looked at unless it is needed */
    {{"TELEMETRY_DEAD_LETTER=stderr", "AWS_ENDPOINT_URL_S3=bad"}, "dead_letter=1 ", ""},
    {{"AWS_ENDPOINT_URL_S3=bad"}, "", ""},
};

static void
dead_letter(void **state)
{
    (void)state;
    check_rows(dead_letters, LEN(dead_letters));
}

#define CREDENTIALS_URI "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define CREDENTIALS_TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define BAD_URI(value)                                                                             \
    REFUSED(CREDENTIALS_URI, value,                                                                \
            "http://, localhost or 127.x.x.x or 169.254.x.x or [::1], optional :port and /path",   \
            "no credentials")
#define FETCHED "credentials_host=127.0.0.1 credentials_port=9 credentials_path=/c "

static const struct row credentials[] = {
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c", CREDENTIALS_TOKEN "=a b=="},
     FETCHED "credentials_token=a b== ",
     ""},
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c"}, FETCHED, ""},
    {{CREDENTIALS_TOKEN "=a"}, "", ""},
    /* half a key is none */
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c", "AWS_ACCESS_KEY_ID=a"}, "access_key=a " FETCHED, ""},
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c", "AWS_SECRET_ACCESS_KEY=b"},
     "secret_key=b " FETCHED,
     ""},
    {{CREDENTIALS_URI "=bad", CREDENTIALS_TOKEN "=a\nb", "AWS_ACCESS_KEY_ID=a",
      "AWS_SECRET_ACCESS_KEY=b"},
     "access_key=a secret_key=b ",
     ""},
    {{CREDENTIALS_URI "=http://example.com/c", CREDENTIALS_TOKEN "=a"},
     "",
     BAD_URI("http://example.com/c")},
    {{CREDENTIALS_URI "=https://127.0.0.1/c"}, "", BAD_URI("https://127.0.0.1/c")},
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c", CREDENTIALS_TOKEN "=a\r\nx: y"},
     FETCHED,
     REFUSED(CREDENTIALS_TOKEN, "(a token)", "no control characters", "no token")},
    {{CREDENTIALS_URI "=http://127.0.0.1:9/c", CREDENTIALS_TOKEN "=\x7f"},
     FETCHED,
     REFUSED(CREDENTIALS_TOKEN, "(a token)", "no control characters", "no token")},
};

static void
credential(void **state)
{
    (void)state;
    check_rows(credentials, LEN(credentials));
}

/* The longest region, which comes from either variable, leaves room for the longest suffix. */
static void
longest_host(void **state)
{
    static struct environment env;
    static const char *const row[ENV_MAX] = {
        "AWS_REGION=cn-abcdefghijklmnopqrstuvwxyz-0123456789", "AWS_USE_FIPS_ENDPOINT=true",
        "AWS_USE_DUALSTACK_ENDPOINT=true", "TELEMETRY_DEAD_LETTER=s3://" FIFTY "0123456789abc"};
    struct settings_source source = {get, refuse, &env};
    struct settings s = {0};

    (void)state;
    env.row = row;
    env.complaints = out_to(env.text, sizeof env.text);
    settings_read(&s, &source);
    assert_int_equal(s.region.len, 40);
    CHECK_SPAN("host", s.kinesis.host,
               SPAN("kinesis-fips.cn-abcdefghijklmnopqrstuvwxyz-0123456789"
                    ".api.amazonwebservices.com.cn"));
    CHECK_SPAN("S3 host", s.s3.host,
               SPAN(FIFTY "0123456789abc.s3-fips.dualstack."
                          "cn-abcdefghijklmnopqrstuvwxyz-0123456789.amazonaws.com.cn"));
}

/* The only three that are wanted before the registration is on its way. */
static void
early(void **state)
{
    static const struct {
        const char *env[ENV_MAX];
        const char *runtime_api;
        bool managed_instances, snap_start;
    } rows[] = {
        {{NULL}, "", false, false},
        {{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001"}, "127.0.0.1:9001", false, false},
        {{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "TELEMETRY_FLUSH=bad"}, "", false, true},
        {{"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"}, "", true, false},
        {{"AWS_LAMBDA_INITIALIZATION_TYPE=SnapStart"}, "", false, false},
        {{CREDENTIALS_URI "=http://localhost/"}, "", false, false},
        {{CREDENTIALS_URI "=http://localhost/", "AWS_LAMBDA_INITIALIZATION_TYPE="},
         "",
         false,
         true},
        {{CREDENTIALS_URI "=http://localhost/", "AWS_LAMBDA_INITIALIZATION_TYPE=SnapStart"},
         "",
         false,
         true},
        {{CREDENTIALS_URI "=http://localhost/", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"},
         "",
         false,
         false},
        {{CREDENTIALS_URI "=http://localhost/",
          "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"},
         "",
         false,
         false},
        {{CREDENTIALS_URI "=http://localhost/",
          "AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"},
         "",
         true,
         false},
        {{CREDENTIALS_URI "=http://localhost/",
          "AWS_LAMBDA_INITIALIZATION_TYPE=", "AWS_ACCESS_KEY_ID=a"},
         "",
         false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        static struct environment env;
        struct settings_source source = {get, refuse, &env};
        struct settings s;

        memset(&s, 0xff, sizeof s);
        env.row = rows[i].env;
        env.complaints = out_to(env.text, sizeof env.text);
        settings_read_early(&s, &source);
        CHECK_SPAN("runtime_api", s.runtime_api, span_of(rows[i].runtime_api));
        CHECK_INT("managed_instances", s.managed_instances, rows[i].managed_instances);
        CHECK_INT("snap_start", s.snap_start, rows[i].snap_start);
        assert_int_equal(env.complaints.len, 0);
    }
}

#define LEVELS "TRACE, DEBUG, INFO, WARN, ERROR, FATAL"
#define BELOW "a level below TELEMETRY_LEVEL, or a TELEMETRY_SAMPLE_RATE below 1 with it"
#define NAMES "a comma list of names, * at either end of each"
#define RATES "0 to 1, at most six digits behind the point"

static const struct row selections[] = {
    {{"TELEMETRY_LEVEL=TRACE"}, "level=1 ", ""},
    {{"TELEMETRY_LEVEL=debug"}, "level=2 ", ""},
    {{"TELEMETRY_LEVEL=Info"}, "level=3 ", ""},
    {{"TELEMETRY_LEVEL=WARN"}, "level=4 ", ""},
    {{"TELEMETRY_LEVEL=warning"}, "level=4 ", ""},
    {{"TELEMETRY_LEVEL=ERROR"}, "level=5 ", ""},
    {{"TELEMETRY_LEVEL=FATAL"}, "level=6 ", ""},
    {{"TELEMETRY_LEVEL=none"}, "", REFUSED("TELEMETRY_LEVEL", "none", LEVELS, "none")},
    {{"TELEMETRY_LEVEL=40"}, "", REFUSED("TELEMETRY_LEVEL", "40", LEVELS, "none")},
    {{"TELEMETRY_LEVEL_DEFAULT=info"}, "level_default=3 ", ""},
    {{"TELEMETRY_LEVEL_DEFAULT=x"}, "", REFUSED("TELEMETRY_LEVEL_DEFAULT", "x", LEVELS, "none")},
    {{"TELEMETRY_LEVEL_ON_ERROR=DEBUG", "TELEMETRY_LEVEL=WARN"}, "level=4 level_on_error=2 ", ""},
    {{"TELEMETRY_LEVEL_ON_ERROR=INFO", "TELEMETRY_LEVEL=WARN"}, "level=4 level_on_error=3 ", ""},
    {{"TELEMETRY_LEVEL_ON_ERROR=x", "TELEMETRY_LEVEL=WARN"},
     "level=4 ",
     REFUSED("TELEMETRY_LEVEL_ON_ERROR", "x", LEVELS, "none")},
    /* with which nothing would ever be held */
    {{"TELEMETRY_LEVEL_ON_ERROR=WARN", "TELEMETRY_LEVEL=WARN"},
     "level=4 ",
     REFUSED("TELEMETRY_LEVEL_ON_ERROR", "WARN", BELOW, "none")},
    {{"TELEMETRY_LEVEL_ON_ERROR=DEBUG"},
     "",
     REFUSED("TELEMETRY_LEVEL_ON_ERROR", "DEBUG", BELOW, "none")},
    {{"TELEMETRY_LEVEL_ON_ERROR=DEBUG", "TELEMETRY_SAMPLE_RATE=0.1"},
     "level_on_error=2 sample=100000 ",
     ""},
    {{"TELEMETRY_LEVEL_ON_ERROR=WARN", "TELEMETRY_LEVEL=WARN", "TELEMETRY_SAMPLE_RATE=0"},
     "level=4 level_on_error=4 sample= ",
     ""},

    {{"TELEMETRY_SAMPLE_RATE=0"}, "sample= ", ""},
    {{"TELEMETRY_SAMPLE_RATE=1"}, "", ""},
    {{"TELEMETRY_SAMPLE_RATE=0.1"}, "sample=100000 ", ""},
    {{"TELEMETRY_SAMPLE_RATE=0.000001"}, "sample=1 ", ""},
    {{"TELEMETRY_SAMPLE_RATE=0.999999"}, "sample=999999 ", ""},
    {{"TELEMETRY_SAMPLE_RATE=1.0"}, "", ""},
    {{"TELEMETRY_SAMPLE_RATE=1.000001"},
     "",
     REFUSED("TELEMETRY_SAMPLE_RATE", "1.000001", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=2"}, "", REFUSED("TELEMETRY_SAMPLE_RATE", "2", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=0."}, "", REFUSED("TELEMETRY_SAMPLE_RATE", "0.", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=.5"}, "", REFUSED("TELEMETRY_SAMPLE_RATE", ".5", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=0.0000001"},
     "",
     REFUSED("TELEMETRY_SAMPLE_RATE", "0.0000001", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=10%"}, "", REFUSED("TELEMETRY_SAMPLE_RATE", "10%", RATES, "1")},
    {{"TELEMETRY_SAMPLE_RATE=-0.5"}, "", REFUSED("TELEMETRY_SAMPLE_RATE", "-0.5", RATES, "1")},

    {{"TELEMETRY_REDACT=password"}, "redact=password ", ""},
    {{"TELEMETRY_REDACT=a, *b,c*,*d*,*"}, "redact=a, *b,c*,*d*,* ", ""},
    {{"TELEMETRY_REDACT=a,"}, "", REFUSED("TELEMETRY_REDACT", "a,", NAMES, "none")},
    {{"TELEMETRY_REDACT=a,,b"}, "", REFUSED("TELEMETRY_REDACT", "a,,b", NAMES, "none")},
    {{"TELEMETRY_REDACT=a*b"}, "", REFUSED("TELEMETRY_REDACT", "a*b", NAMES, "none")},
    {{"TELEMETRY_REDACT=***"}, "", REFUSED("TELEMETRY_REDACT", "***", NAMES, "none")},

    {{"TELEMETRY_FILTER=ERROR -health"}, "filters=1 filter_tests=2 ", ""},
    {{"TELEMETRY_FILTER={ $.level = ERROR }"}, "filters=1 filter_form=1 filter_tests=1 ", ""},
    {{"TELEMETRY_FILTER=[a, b = 4*]"}, "filters=1 filter_form=2 filter_tests=1 ", ""},
    {{"TELEMETRY_FILTER=[a, b]"}, "filters=1 filter_form=2 ", ""},
    {{"TELEMETRY_FILTER=\" \""}, "filters=1 filter_tests=1 ", ""},
    {{"TELEMETRY_FILTER={ $.a = %x% }"},
     "",
     REFUSED("TELEMETRY_FILTER", "{ $.a = %x% }",
             "a filter pattern, and in column 9: regular expressions are not supported",
             "no filter")},
    {{"TELEMETRY_FILTER={ $.a = 1"},
     "",
     REFUSED("TELEMETRY_FILTER", "{ $.a = 1",
             "a filter pattern, and in column 10: not expected here", "no filter")},
    {{"TELEMETRY_FILTER=?a b"},
     "",
     REFUSED("TELEMETRY_FILTER", "?a b",
             "a filter pattern, and in column 4: CloudWatch ignores ?terms beside others",
             "no filter")},
};

static void
selection(void **state)
{
    (void)state;
    check_rows(selections, LEN(selections));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual),       cmocka_unit_test(empty),      cmocka_unit_test(number),
        cmocka_unit_test(word),        cmocka_unit_test(stream),     cmocka_unit_test(endpoint),
        cmocka_unit_test(dead_letter), cmocka_unit_test(credential), cmocka_unit_test(longest_host),
        cmocka_unit_test(early),       cmocka_unit_test(selection),
    };

    return RUN(argc, argv, tests);
}
