#include "extension/kinesis.h"

#include "io/log.h"
#include "protocol/put_records_reply.h"

/* see kinesis.h */

/* A reply to 500 records has some 60 KiB, or twice that if each has a message. */
enum { REPLY_MAX_BYTES = 262144 };

size_t
kinesis_bytes(void)
{
    return aws_client_bytes(REPLY_MAX_BYTES);
}

static void
tell_record(void *context, size_t index, struct put_record *r)
{
    struct kinesis *k = context;

    queue_payload(k->queue, QUEUE_STREAM, (uint32_t)index, &r->partition_key, &r->data);
    if (k->keyless)
        r->partition_key.len = 0;
}

static void
rewind_body(void *context)
{
    struct kinesis *k = context;

    put_records_rewind(&k->body);
}

static size_t
read_body(void *context, char *buffer, size_t cap)
{
    struct kinesis *k = context;

    return put_records_read(&k->body, buffer, cap);
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
start(struct kinesis *k)
{
    k->body.form = k->wire.form;
    k->call.content_type = wire_content_type(k->wire.form);
    aws_client_start(&k->client, &k->call);
}

static void
tell_json(const struct kinesis *k, unsigned status, struct span code)
{
    const struct endpoint *e = &k->client.endpoint;

    log_info("PutRecords at %.*s:%u: CBOR is refused (%u%s%.*s); sending JSON from now on",
             LOG_SPAN(e->host), e->port, status,
             status / 100 == 2 ? ", which cannot be read" : (code.len > 0 ? " " : ""),
             LOG_SPAN(code));
}

/* Whether the call may have been refused because of its form; if so, has repeated it in JSON. */
static bool
made_again(struct kinesis *k, const struct aws_result *call)
{
    if (!wire_refused(&k->wire, call->status, call->code))
        return false;
    if (k->wire.trial == 0)
        tell_json(k, call->status, call->code);
    start(k);
    return true;
}

/* Reports the outcome of each record, if the reply states it. */
static bool
read_records(struct kinesis *k, struct span body)
{
    unsigned status;

    k->first_code = (struct span){NULL, 0};
    if (put_records_reply(body, k->body.records_len, record_result, k) < 0)
        return false;
    status = wire_accepted(&k->wire);
    if (status != 0)
        tell_json(k, status, (struct span){NULL, 0});
    return true;
}

static void
done(void *context, const struct aws_result *call)
{
    struct kinesis *k = context;
    struct kinesis_result r = {.call = *call};
    unsigned status = call->result == 0 ? call->status : 0;

    if (status == 200) {
        r.records = read_records(k, call->body);
        r.call.code = k->first_code;
    }
    if (status != 0 && !r.records) {
        /* after a gateway's error, or a reply that cannot be read, it is unknown what the service did */
        if (status == 200 || (status >= 500 && status != 503))
            k->doubtful++;
        if (made_again(k, call))
            return;
    }
    r.doubtful = k->doubtful;
    r.form = wire_measure(&k->wire);
    k->done(k->context, &r);
}

int
kinesis_init(struct kinesis *k, struct loop *loop, struct storage *s)
{
    const struct settings *settings = k->client.environment->settings;

    k->client.service = SPAN("kinesis");
    k->client.region = settings->region;
    k->client.endpoint = settings->kinesis;
    k->wire = (struct wire){.form = settings->wire};
    k->body = (struct put_records){
        .stream_name = settings->stream_name,
        .stream_arn = settings->stream_arn,
        .record = tell_record,
        .context = k,
    };
    k->call = (struct aws_call){
        .method = SPAN("POST"),
        .path = settings->kinesis.path,
        .target = SPAN("Kinesis_20131202.PutRecords"),
        .rewind = rewind_body,
        .read = read_body,
        .done = done,
        .context = k,
        .silence_ms = settings->request_timeout_ms,
    };
    return aws_client_init(&k->client, loop, s, REPLY_MAX_BYTES);
}

void
kinesis_put(struct kinesis *k, bool keyless)
{
    /* what was refused for want of keys may have looked like the wrong form */
    if (k->keyless && !keyless && !k->wire.proven)
        k->wire = (struct wire){.form = k->client.environment->settings->wire};
    k->keyless = keyless;
    k->doubtful = 0;
    k->body.records_len = queue_batch_len(k->queue, QUEUE_STREAM);
    start(k);
}
