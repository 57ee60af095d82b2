#include "extension/kinesis.h"

#include <errno.h>
#include <string.h>

#include "io/ca_bundle.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/trust_anchors.h"
#include "protocol/aws_error.h"
#include "protocol/sha256.h"
#include "protocol/stamp.h"

/* see kinesis.h */

#define NO_CREDENTIALS "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"

size_t
kinesis_bytes(void)
{
    return sizeof(struct tls) + HTTP_CLIENT_HEAD_BYTES + 2 * CONNECTION_BUFFER +
           KINESIS_REPLY_MAX_BYTES + 256;
}

static struct span
key_of(const struct kinesis *k, const struct queue_record *record)
{
    return record->partition_key.len > 0 ? record->partition_key : k->common_key;
}

size_t
kinesis_record_size(const struct kinesis *k, const struct queue_record *record)
{
    return put_records_size(record->data.len, key_of(k, record));
}

static void
tell_record(void *context, size_t index, struct put_record *r)
{
    struct kinesis *k = context;
    struct queue_record record = queue_at(k->queue, k->batch->places[index]);

    r->data = record.data;
    r->partition_key = key_of(k, &record);
}

static size_t
read_body(void *context, char *buffer, size_t cap)
{
    struct kinesis *k = context;

    return put_records_read(&k->body, buffer, cap);
}

/* Runs through the body once; leaves it at its beginning. Returns its length. */
static uint64_t
hash_body(struct kinesis *k, uint8_t digest[SHA256_LEN])
{
    char part[4096];
    struct sha256 hash;
    uint64_t len = 0;
    size_t n;

    sha256_start(&hash);
    put_records_rewind(&k->body);
    while ((n = put_records_read(&k->body, part, sizeof part)) > 0) {
        sha256_add(&hash, part, n);
        len += n;
    }
    sha256_end(&hash, digest);
    put_records_rewind(&k->body);
    return len;
}

static void
put_field(struct out *o, const char *name, struct span value)
{
    out_put(o, span_of(name));
    out_put(o, SPAN(": "));
    out_put(o, value);
    out_put(o, SPAN("\r\n"));
}

static struct sigv4_credentials
credentials(const struct settings *s)
{
    return (struct sigv4_credentials){s->access_key, s->secret_key, s->session_token};
}

static void
put_signed_fields(struct kinesis *k, struct out *o, const uint8_t *digest)
{
    const struct settings *s = k->settings;
    struct sigv4_credentials identity = credentials(s);
    char stamp[STAMP_BASIC_LEN];
    /* sorted by name; the token, where there is one, stands before the target */
    struct sigv4_field fields[5] = {
        {SPAN("content-type"), SPAN("application/x-amz-json-1.1")},
        {SPAN("host"), {k->host, k->host_len}},
        {SPAN("x-amz-date"), {stamp, sizeof stamp}},
        {SPAN("x-amz-security-token"), identity.session_token},
    };
    size_t len = identity.session_token.len > 0 ? 4 : 3;
    struct sigv4_scope scope = {{stamp, sizeof stamp}, s->region, SPAN("kinesis")};
    struct sigv4_request request = {SPAN("POST"), s->kinesis.path, SPAN(""),
                                    fields,       len + 1,         digest};

    stamp_basic(clock_wall_ms(), stamp);
    fields[len] = (struct sigv4_field){SPAN("x-amz-target"), SPAN("Kinesis_20131202.PutRecords")};
    for (size_t i = 0; i <= len; i++) {
        out_put(o, fields[i].name);
        put_field(o, "", fields[i].value);
    }
    out_put(o, SPAN("authorization: "));
    if (sigv4_authorization(o, &identity, &scope, &request, &k->key) != 0)
        o->full = true;
    out_put(o, SPAN("\r\n"));
}

static int
write_head(void *context, struct out *o)
{
    struct kinesis *k = context;
    uint8_t digest[SHA256_LEN];
    uint64_t len = hash_body(k, digest);

    k->status = 0;
    k->reply_len = k->error_type_len = 0;
    out_put(o, SPAN("POST "));
    out_put(o, k->settings->kinesis.path);
    out_put(o, SPAN(" HTTP/1.1\r\n"));
    put_signed_fields(k, o, digest);
    out_put(o, SPAN("user-agent: kinesis-telemetry-api-extension/" VERSION "\r\n"));
    out_put(o, SPAN("content-length: "));
    out_number(o, len);
    out_put(o, SPAN("\r\n\r\n"));
    return out_end(o);
}

static void
reply(void *context, const struct http_head *head)
{
    struct kinesis *k = context;
    struct span type = http_field(head, SPAN("x-amzn-errortype"));

    k->status = head->status;
    if (type.len <= sizeof k->error_type && type.len > 0) {
        memcpy(k->error_type, type.p, type.len);
        k->error_type_len = type.len;
    }
}

/* A reply that is too long is none that we can read: what is kept of it ends too early. */
static void
piece(void *context, struct span part)
{
    struct kinesis *k = context;
    size_t room = KINESIS_REPLY_MAX_BYTES - k->reply_len;

    if (part.len < room)
        room = part.len;
    memcpy(k->reply + k->reply_len, part.p, room);
    k->reply_len += room;
}

static void
record_result(void *context, size_t index, struct span code, struct span message)
{
    struct kinesis *k = context;

    (void)message;
    if (code.len > 0 && k->first_code.len == 0)
        k->first_code = code;
    k->record(k->context, index, code);
}

static void
done(void *context, int result)
{
    struct kinesis *k = context;
    struct span body = {k->reply, k->reply_len};
    struct kinesis_result r = {.result = result, .status = result == 0 ? k->status : 0};

    if (result == 0 && k->status == 200) {
        k->first_code = (struct span){NULL, 0};
        r.records = put_records_reply(body, k->batch->len, record_result, k) >= 0;
        r.code = k->first_code;
    } else if (result == 0) {
        struct aws_error error;

        aws_error((struct span){k->error_type, k->error_type_len}, body, &error);
        r.code = error.code;
        r.message = error.message;
    }
    k->done(k->context, &r);
}

/* Value of Host: as a client forms it from the URL, without the scheme's own port. */
static void
set_host(struct kinesis *k)
{
    const struct endpoint *e = &k->settings->kinesis;
    struct out o = out_to(k->host, sizeof k->host);
    bool bracketed = memchr(e->host.p, ':', e->host.len) != NULL;

    if (bracketed)
        out_byte(&o, '[');
    out_put(&o, e->host);
    if (bracketed)
        out_byte(&o, ']');
    if (e->port != (e->tls ? 443 : 80)) {
        out_byte(&o, ':');
        out_number(&o, e->port);
    }
    k->host_len = o.len;
}

int
kinesis_init(struct kinesis *k, struct loop *loop, struct storage *s)
{
    struct connection *c = &k->http.connection;
    const struct settings *settings = k->settings;

    http_client_init(&k->http, loop, storage_take(s, HTTP_CLIENT_HEAD_BYTES));
    c->peer.host = settings->kinesis.host;
    c->peer.port = settings->kinesis.port;
    c->peer.open_within_ms = settings->connect_timeout_ms;
    if (settings->kinesis.tls) {
        c->peer.anchors = &k->anchors;
        c->tls = storage_take(s, sizeof(struct tls));
    } else {
        c->in = storage_take(s, CONNECTION_BUFFER);
        c->out = storage_take(s, CONNECTION_BUFFER);
    }
    k->reply = storage_take(s, KINESIS_REPLY_MAX_BYTES);
    k->body = (struct put_records){
        .stream_name = settings->stream_name,
        .stream_arn = settings->stream_arn,
        .record = tell_record,
        .context = k,
    };
    k->call = (struct http_call){
        .head = write_head,
        .body = read_body,
        .reply = reply,
        .piece = piece,
        .done = done,
        .context = k,
        .silence_ms = settings->request_timeout_ms,
        .idle_ms = KINESIS_IDLE_MS,
    };
    set_host(k);
    return k->reply == NULL ? ERR_FULL : 0;
}

/* The user's roots or the built-in ones; at the first connection, since reading them takes time. */
static void
load_anchors(struct kinesis *k)
{
    struct span bundle = k->settings->ca_bundle;
    int r = 0;

    if (k->anchors.anchors != NULL || !k->settings->kinesis.tls)
        return;
    if (bundle.len > 0)
        r = ca_bundle_read(bundle.p, &k->anchors);
    if (r < 0)
        log_error("AWS_CA_BUNDLE: \"%.*s\": %s; allowed: a file of PEM certificates of at most 2 "
                  "MiB; using the built-in Amazon roots",
                  LOG_SPAN(bundle),
                  r == ERR_IO ? strerror(errno)
                              : (r == ERR_BIG ? "too large" : "no certificate in it"));
    if (r <= 0)
        k->anchors = (struct tls_anchors){trust_anchors, trust_anchors_len};
}

void
kinesis_open(struct kinesis *k)
{
    load_anchors(k);
    http_client_open(&k->http, KINESIS_IDLE_MS);
}

void
kinesis_put(struct kinesis *k, const struct queue_batch *batch)
{
    static const struct kinesis_result no_credentials = {
        .message = {NO_CREDENTIALS, sizeof NO_CREDENTIALS - 1}};

    if (k->settings->access_key.len == 0 || k->settings->secret_key.len == 0) {
        k->done(k->context, &no_credentials);
        return;
    }
    load_anchors(k);
    k->batch = batch;
    k->body.records_len = batch->len;
    http_client_start(&k->http, &k->call);
}

void
kinesis_stop(struct kinesis *k)
{
    http_client_stop(&k->http);
}
