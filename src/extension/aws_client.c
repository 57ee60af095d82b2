#include "extension/aws_client.h"

#include <string.h>

#include "io/ca_bundle.h"
#include "io/clock.h"
#include "io/error_text.h"
#include "io/log.h"
#include "io/trust_anchors.h"
#include "protocol/aws_error.h"
#include "protocol/check.h"
#include "protocol/format.h"
#include "protocol/sha256.h"
#include "protocol/timestamp.h"

/* see aws_client.h */

enum {
    /* A clock that is off by less is no reason to refuse a signature; and Date has whole seconds. */
    SKEW_MIN_MS = 30000,
    /* If the clocks differ by more, the peer's is more likely to be wrong. */
    SKEW_MAX_MS = 86400000,
    FIELDS_MAX = 6,
    RETRY_AFTER_MAX_MS = 3600000
};

size_t
aws_client_bytes(size_t reply_max_bytes)
{
    return sizeof(struct tls) + HTTP_CLIENT_HEAD_BYTES + 2 * (size_t)CONNECTION_BUFFER +
           reply_max_bytes + 256;
}

static uint64_t
service_time_ms(const struct aws_client *c)
{
    return clock_wall_ms() + (uint64_t)c->clock_offset_ms;
}

static size_t
read_body(void *context, char *buffer, size_t cap)
{
    struct aws_client *c = context;

    return c->call->read(c->call->context, buffer, cap);
}

/* Reads the whole body once and rewinds it. Returns its length. */
static uint64_t
hash_body(struct aws_client *c, uint8_t digest[SHA256_LEN])
{
    char part[16384];
    struct sha256 hash;
    uint64_t len = 0;
    size_t n;

    sha256_start(&hash);
    c->call->rewind(c->call->context);
    while ((n = read_body(c, part, sizeof part)) > 0) {
        sha256_add(&hash, part, n);
        len += n;
    }
    sha256_end(&hash, digest);
    c->call->rewind(c->call->context);
    return len;
}

static void
put_field(struct out *o, struct span name, struct span value)
{
    out_put(o, name);
    out_put(o, SPAN(": "));
    out_put(o, value);
    out_put(o, SPAN("\r\n"));
}

static void
put_signed_fields(struct aws_client *c, struct out *o, const uint8_t *digest)
{
    const struct sigv4_credentials *identity = &c->environment->credentials->now;
    char timestamp[TIMESTAMP_BASIC_LEN];
    char hex[2 * SHA256_LEN];
    struct out hash = out_to(hex, sizeof hex);
    /* sorted by name; those without a value are left out */
    const struct sigv4_field all[FIELDS_MAX] = {
        {SPAN("content-type"), c->call->content_type},
        {SPAN("host"), {c->host, c->host_len}},
        {SPAN("x-amz-content-sha256"), {hex, c->call->body_hash ? sizeof hex : 0}},
        {SPAN("x-amz-date"), {timestamp, sizeof timestamp}},
        {SPAN("x-amz-security-token"), identity->session_token},
        {SPAN("x-amz-target"), c->call->target},
    };
    struct sigv4_field fields[FIELDS_MAX];
    struct sigv4_scope scope = {{timestamp, sizeof timestamp}, c->region, c->service};
    struct sigv4_request request = {
        .method = c->call->method,
        .path = c->call->path,
        .fields = fields,
        .body_sha256 = digest,
        .path_encoded_again = !span_same(c->service, SPAN("s3")),
    };

    timestamp_basic(service_time_ms(c), timestamp);
    out_hex(&hash, digest, SHA256_LEN);
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        if (all[i].value.len == 0)
            continue;
        fields[request.fields_len++] = all[i];
        put_field(o, all[i].name, all[i].value);
    }
    out_put(o, SPAN("authorization: "));
    if (sigv4_authorization(o, identity, &scope, &request, &c->key) != 0)
        o->full = true;
    out_put(o, SPAN("\r\n"));
}

static bool
keyless(const struct aws_client *c)
{
    return c->environment->credentials->now.access_key.len == 0;
}

static int
write_head(void *context, struct out *o)
{
    struct aws_client *c = context;
    uint8_t digest[SHA256_LEN];
    uint64_t len;

    /* they may have gone while the connection was being opened, or before the call is made again */
    if (keyless(c))
        return ERR_BAD;
    len = hash_body(c, digest);
    c->status = 0;
    c->reply_len = c->error_type_len = c->bucket_region_len = 0;
    out_put(o, c->call->method);
    out_byte(o, ' ');
    out_put(o, c->call->path);
    out_put(o, SPAN(" HTTP/1.1\r\n"));
    put_signed_fields(c, o, digest);
    put_field(o, SPAN("user-agent"), SPAN("kinesis-telemetry-api-extension/" VERSION));
    out_put(o, SPAN("content-length: "));
    out_number(o, len);
    out_put(o, SPAN("\r\n\r\n"));
    return out_end(o);
}

/* Copies a field if it is short enough. */
static size_t
keep(const struct http_head *head, struct span name, char *buffer, size_t cap)
{
    struct span value = http_field(head, name);

    if (value.len == 0 || value.len > cap)
        return 0;
    memcpy(buffer, value.p, value.len);
    return value.len;
}

/* How long the service asks to wait: by AWS's own field, in milliseconds, or HTTP's, in seconds. */
static uint32_t
retry_after_ms(const struct http_head *head)
{
    uint64_t n;

    if (span_number(http_field(head, SPAN("x-amz-retry-after")), RETRY_AFTER_MAX_MS, &n) == 0)
        return (uint32_t)n;
    if (span_number(http_field(head, SPAN("retry-after")), RETRY_AFTER_MAX_MS / 1000, &n) == 0)
        return (uint32_t)n * 1000;
    return 0;
}

static void
reply(void *context, const struct http_head *head)
{
    struct aws_client *c = context;

    c->status = head->status;
    c->error_type_len = keep(head, SPAN("x-amzn-errortype"), c->error_type, sizeof c->error_type);
    c->bucket_region_len =
        keep(head, SPAN("x-amz-bucket-region"), c->bucket_region, sizeof c->bucket_region);
    c->retry_after_ms = retry_after_ms(head);
    if (timestamp_http_date(http_field(head, SPAN("date")), &c->date_s) != 0)
        c->date_s = 0;
}

/* The end of a reply that is too long is lost, so that it will not be readable. */
static void
piece(void *context, struct span part)
{
    struct aws_client *c = context;

    c->reply_len = out_keep(c->reply, c->reply_cap, c->reply_len, part);
}

/* Sets our clock by the service's if they differ. Returns whether they did. */
static bool
correct_clock(struct aws_client *c)
{
    int64_t now = (int64_t)(c->date_s * 1000) - (int64_t)clock_wall_ms();
    int64_t change = now - c->clock_offset_ms;

    /* nothing to correct by: no Date, about the time that we signed by, or one that is too far off */
    if (c->date_s == 0 || (change < SKEW_MIN_MS && change > -SKEW_MIN_MS) || now > SKEW_MAX_MS ||
        now < -SKEW_MAX_MS)
        return false;
    c->clock_offset_ms = now;
    log_info("%.*s: its clock is %s ours by %llu s; signing by it", LOG_SPAN(c->service),
             now < 0 ? "behind" : "ahead of", (unsigned long long)((now < 0 ? -now : now) / 1000));
    return true;
}

static void
read_error(struct aws_client *c, struct aws_result *r)
{
    struct aws_error error;

    aws_error((struct span){c->error_type, c->error_type_len}, r->body, &error);
    r->code = error.code;
    r->message = error.message;
    r->class = retry_class(r->code, r->status);
    r->skewed = r->class == RETRY_SKEW && correct_clock(c);
}

/* Without keys the service could only refuse: nothing is sent, and the reason is the message. */
static struct aws_result
not_sent(const struct aws_client *c)
{
    return (struct aws_result){
        .message = span_of(credentials_error(c->environment->credentials)),
        .class = RETRY_CONFIGURATION,
    };
}

static void
done(void *context, int result)
{
    struct aws_client *c = context;
    struct aws_result r = {.result = result, .class = RETRY_TRANSIENT};

    if (result == ERR_BAD && !c->http.answered && keyless(c)) {
        r = not_sent(c);
    } else if (result == 0) {
        r.status = c->status;
        r.body = (struct span){c->reply, c->reply_len};
        r.region = (struct span){c->bucket_region, c->bucket_region_len};
        r.retry_after_ms = c->retry_after_ms;
        if (r.status / 100 != 2)
            read_error(c, &r);
    }
    c->call->done(c->call->context, &r);
}

void
aws_client_moved(struct aws_client *c)
{
    struct out host = out_to(c->host, sizeof c->host);

    connection_close(&c->http.connection);
    c->http.connection.peer.host = c->endpoint.host;
    c->http.connection.peer.port = c->endpoint.port;
    c->http.connection.peer.proxy = proxy_for(&c->environment->settings->proxy, &c->endpoint);
    (void)endpoint_authority(&host, &c->endpoint);
    c->host_len = host.len;
}

int
aws_client_init(struct aws_client *c, struct loop *loop, struct storage *s, size_t reply_max_bytes)
{
    struct connection *connection = &c->http.connection;

    http_client_init(&c->http, loop, storage_take(s, HTTP_CLIENT_HEAD_BYTES));
    connection->peer.open_within_ms = c->environment->settings->connect_timeout_ms;
    if (c->endpoint.tls) {
        connection->peer.anchors = &c->environment->anchors;
        connection->stream.tls = storage_take(s, sizeof(struct tls));
    } else {
        connection->stream.plain.in = storage_take(s, CONNECTION_BUFFER);
        connection->stream.plain.out = storage_take(s, CONNECTION_BUFFER);
    }
    c->reply = storage_take(s, reply_max_bytes);
    c->reply_cap = reply_max_bytes;
    c->http_call = (struct http_call){
        .head = write_head,
        .body = read_body,
        .reply = reply,
        .piece = piece,
        .done = done,
        .context = c,
        .idle_ms = AWS_CLIENT_IDLE_MS,
    };
    aws_client_moved(c);
    return c->reply == NULL ? ERR_FULL : 0;
}

static void
tell_bundle(struct span bundle, int r, const struct ca_bundle_skipped *skipped)
{
    char text[96];
    struct out o = out_to(text, sizeof text);

    if (skipped->unreadable + skipped->weak > 0)
        (void)format_text(
            &o, " (passed over: %u that cannot be read, %u with an RSA key below %u bits)",
            skipped->unreadable, skipped->weak, TLS_RSA_MIN_BITS);
    if (r < 0)
        log_error(
            "AWS_CA_BUNDLE: \"%.*s\": %s%.*s; allowed: a file of PEM certificates of at most 2 "
            "MiB; using the built-in Amazon roots",
            LOG_SPAN(bundle),
            r == ERR_IO ? error_text(system_error())
                        : (r == ERR_BIG ? "too large" : "no certificate in it"),
            LOG_SPAN(out_span(&o)));
    else if (o.len > 0)
        log_warn("AWS_CA_BUNDLE: \"%.*s\": certificates used: %d%.*s", LOG_SPAN(bundle), r,
                 LOG_SPAN(out_span(&o)));
}

/* A version of a layer stays as it is, and is used for years. */
COLD static void
tell_age(void)
{
    enum { BEFORE_S = 180 * 86400 };

    if (clock_wall_ms() / 1000 + BEFORE_S >= TRUST_ANCHORS_UNTIL_S)
        log_warn("TLS: the last of the built-in roots is good until " TRUST_ANCHORS_UNTIL
                 "; use a newer version of the layer, or AWS_CA_BUNDLE");
}

/* The user's roots or the built-in ones; not before the first connection, since reading them takes time. */
static void
load_anchors(struct aws_client *c)
{
    struct aws_environment *e = c->environment;
    struct span bundle = e->settings->ca_bundle;
    struct ca_bundle_skipped skipped;
    int r = 0;

    if (!c->endpoint.tls || e->anchors.anchors != NULL)
        return;
    if (bundle.len > 0) {
        r = ca_bundle_read(bundle.p, &e->anchors, &skipped);
        tell_bundle(bundle, r, &skipped);
    }
    if (r <= 0) {
        e->anchors = (struct tls_anchors){trust_anchors, trust_anchors_len};
        tell_age();
    }
}

void
aws_client_open(struct aws_client *c)
{
    load_anchors(c);
    http_client_open(&c->http, AWS_CLIENT_IDLE_MS);
}

void
aws_client_start(struct aws_client *c, const struct aws_call *call)
{
    c->call = call;
    if (keyless(c)) {
        const struct aws_result none = not_sent(c);

        call->done(call->context, &none);
        return;
    }
    load_anchors(c);
    c->http_call.silence_ms = call->silence_ms;
    c->date_s = c->retry_after_ms = 0;
    http_client_start(&c->http, &c->http_call);
}

void
aws_client_stop(struct aws_client *c)
{
    http_client_stop(&c->http);
}

COLD void
aws_client_forget(struct aws_client *c)
{
    CHECK(c->http.call == NULL);
    http_client_stop(&c->http);
    connection_forget(&c->http.connection);
    c->clock_offset_ms = 0;
    c->http.sent_calls = c->http.opened = c->http.connection.handshakes = 0;
}
