#include "extension/dead_letter.h"

#include <string.h>

#include "io/clock.h"
#include "io/log.h"

/* see dead_letter.h */

enum { REPLY_MAX_BYTES = 8192, STDERR_WAIT_MS = 10 };

static const struct settings *
settings_of(const struct dead_letter *d)
{
    return d->client.environment->settings;
}

static struct dead_letter_name
name_of(const struct settings *s, struct span sandbox)
{
    return (struct dead_letter_name){
        .base = s->s3.path,
        .bucket = s->bucket_in_path ? s->bucket : (struct span){NULL, 0},
        .prefix = s->prefix,
        .function_name = s->function_name,
        .sandbox = sandbox,
    };
}

size_t
dead_letter_bytes(const struct settings *settings, struct span sandbox)
{
    struct dead_letter_name name = name_of(settings, sandbox);

    if (settings->dead_letter != DEAD_LETTER_S3)
        return 0;
    return aws_client_bytes(REPLY_MAX_BYTES) + dead_letter_object_path_max(&name) + 16;
}

static void
tell_record(void *context, size_t index, struct put_record *r)
{
    struct dead_letter *d = context;

    queue_payload(d->queue, QUEUE_DEAD_LETTER, d->first + (uint32_t)index, &r->partition_key,
                  &r->data);
}

static uint32_t
batch_len(const struct dead_letter *d)
{
    return queue_batch_len(d->queue, QUEUE_DEAD_LETTER);
}

static void
rewind_body(void *context)
{
    struct dead_letter *d = context;

    dead_letter_object_rewind(&d->object);
}

static size_t
read_body(void *context, char *buffer, size_t cap)
{
    struct dead_letter *d = context;

    return dead_letter_object_read(&d->object, buffer, cap);
}

/* Whether the bucket is in another region than the one that was asked; if so, later calls go there. */
static bool
move(struct dead_letter *d, const struct aws_result *call)
{
    const struct settings *s = settings_of(d);
    struct out host = out_to(d->host, sizeof d->host);

    if (call->result != 0 || d->moved ||
        (call->status != 301 && call->status != 307 && call->status != 400))
        return false;
    if (!span_made_of(call->region, "-") || call->region.len > sizeof d->region ||
        span_same(call->region, d->client.region))
        return false;
    memcpy(d->region, call->region.p, call->region.len);
    d->client.region = (struct span){d->region, call->region.len};
    log_info("dead letters: bucket %.*s is in %.*s", LOG_SPAN(s->bucket),
             LOG_SPAN(d->client.region));
    if (!s->s3.custom) {
        (void)endpoint_s3_host(&host, s->bucket_in_path ? SPAN("") : s->bucket, d->client.region,
                               s->fips, s->dual_stack);
        d->client.endpoint.host = out_span(&host);
        aws_client_moved(&d->client);
    }
    d->moved = true;
    return true;
}

static void
put_done(void *context, const struct aws_result *call)
{
    struct dead_letter *d = context;
    struct dead_letter_result r = {.call = *call};

    if (move(d, call)) {
        aws_client_start(&d->client, &d->call);
        return;
    }
    if (call->result == 0 && call->status / 100 == 2)
        r.written = batch_len(d);
    d->done(d->context, &r);
}

int
dead_letter_init(struct dead_letter *d, struct loop *loop, struct storage *s)
{
    const struct settings *settings = settings_of(d);
    struct dead_letter_name name = name_of(settings, d->sandbox);

    d->object = (struct dead_letter_object){.record = tell_record, .context = d};
    if (settings->dead_letter != DEAD_LETTER_S3)
        return 0;
    d->client.service = SPAN("s3");
    d->client.region = settings->function_region;
    d->client.endpoint = settings->s3;
    d->call = (struct aws_call){
        .method = SPAN("PUT"),
        .content_type = SPAN("application/x-ndjson"),
        .body_hash = true,
        .rewind = rewind_body,
        .read = read_body,
        .done = put_done,
        .context = d,
    };
    d->path_max = dead_letter_object_path_max(&name);
    d->path = storage_take(s, d->path_max);
    return d->path == NULL ? ERR_FULL : aws_client_init(&d->client, loop, s, REPLY_MAX_BYTES);
}

/* A name that no other object has. */
static void
name_object(struct dead_letter *d)
{
    struct dead_letter_name name = name_of(settings_of(d), d->sandbox);
    struct out path = out_to(d->path, d->path_max);

    name.unix_ms = clock_wall_ms();
    name.sequence = ++d->sequence;
    (void)dead_letter_object_path(&path, &name);
    d->call.path = out_span(&path);
}

static void
put_object(struct dead_letter *d)
{
    d->first = 0;
    d->object.records_len = batch_len(d);
    d->moved = false;
    d->call.silence_ms = d->silence_ms;
    aws_client_start(&d->client, &d->call);
}

/* Writes bytes to standard error, until this moment of the monotonic clock. Returns how many it took. */
static size_t
write_out(struct dead_letter *d, struct span bytes, uint64_t until_ms)
{
    size_t taken = 0;

    while (taken < bytes.len) {
        uint64_t now = clock_monotonic_ms();
        int64_t n = system_print(SYSTEM_ERROR_OUTPUT, span_skip(bytes, taken),
                                 now < until_ms ? (uint32_t)(until_ms - now) : 0);

        if (n <= 0)
            break;
        taken += (size_t)n;
        d->torn = bytes.p[taken - 1] != '\n';
    }
    return taken;
}

/*
 * Writes one record's line, after terminating a line that was left incomplete: as that it is one that may come back,
 * too. Returns whether it is written whole.
 */
static bool
write_line(struct dead_letter *d, uint64_t until_ms)
{
    char part[SYSTEM_PRINT_BYTES];
    size_t n, taken = 0;

    if (d->torn && write_out(d, SPAN("\n"), until_ms) == 0)
        return false;
    dead_letter_object_rewind(&d->object);
    if (d->lines != NULL)
        own_lines_begin(d->lines);
    while ((n = dead_letter_object_read(&d->object, part, sizeof part)) > 0) {
        taken = write_out(d, (struct span){part, n}, until_ms);
        if (d->lines != NULL)
            own_lines_add(d->lines, (struct span){part, taken});
        if (taken < n)
            break;
    }
    if (d->lines != NULL && (n == 0 || d->torn))
        own_lines_end(d->lines);
    return n == 0;
}

static void
write_lines(struct dead_letter *d)
{
    uint64_t until = clock_monotonic_ms() + STDERR_WAIT_MS;
    struct dead_letter_result r = {.written = 0};

    d->object.records_len = 1;
    for (d->first = 0; d->first < batch_len(d) && write_line(d, until); d->first++)
        r.written++;
    d->done(d->context, &r);
}

void
dead_letter_put(struct dead_letter *d, bool again)
{
    if (settings_of(d)->dead_letter != DEAD_LETTER_S3) {
        write_lines(d);
        return;
    }
    if (!again)
        name_object(d);
    put_object(d);
}

void
dead_letter_stop(struct dead_letter *d)
{
    if (settings_of(d)->dead_letter == DEAD_LETTER_S3)
        aws_client_stop(&d->client);
}
