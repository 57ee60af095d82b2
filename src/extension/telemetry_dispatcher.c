#include "extension/telemetry_dispatcher.h"

#include <string.h>

#include "io/entropy.h"
#include "io/log.h"
#include "protocol/format.h"

/* see telemetry_dispatcher.h */

enum {
    /* Source: Kinesis quotas: a request takes 5 MiB everywhere. That is meant before base64; we
     * keep the whole body below it, since its ceiling is not documented. */
    REQUEST_MAX_BYTES = 5 * 1024 * 1024 - 4096,
    /* Source: Kinesis quotas: data and partition key of one record, unless the stream allows more */
    RECORD_MAX_BYTES = 1048576,
    FULL_BYTES = 1048576, /* a batch of this size does not wait for more */
    LINGER_MS = 200,
    FIRST_REST_MS = 1000,
    LONGEST_REST_MS = 30000,
    /* A batch that brought no reply in time is halved, since a slow service is slower with more
     * records; each success lets the next one grow a little. */
    LEAST_BATCH = 25,
    BATCH_GROWTH = 25,
    RANDOM_KEY_LEN = 8
};

size_t
telemetry_dispatcher_bytes(const struct settings *settings)
{
    return kinesis_bytes() + settings->queue_max_bytes + 64;
}

static uint32_t
dice(void)
{
    uint32_t n = 0;

    /* without randomness there is no jitter, which does no harm */
    (void)entropy_fill(&n, sizeof n);
    return n;
}

/* Hexadecimal digits at random; from a supply, since each refill is a system call. */
static void
random_text(struct telemetry_dispatcher *d, char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    if (d->random_left < len) {
        (void)entropy_fill(d->random, sizeof d->random);
        d->random_left = sizeof d->random;
    }
    for (size_t i = 0; i < len; i++)
        text[i] = digits[d->random[--d->random_left] & 15];
}

/* The partition key that a record carries by itself; empty when the common one serves. */
static struct span
own_key(struct telemetry_dispatcher *d, const struct event *event, char random[RANDOM_KEY_LEN])
{
    struct span id = event->request_id.len > 0 ? event->request_id : d->origin.request_id;

    if (d->settings->key == KEY_RANDOM) {
        random_text(d, random, RANDOM_KEY_LEN);
        return (struct span){random, RANDOM_KEY_LEN};
    }
    return d->settings->key == KEY_REQUEST ? id : (struct span){NULL, 0};
}

/* Room at the price of the oldest record, if that was refused as often as it may be. */
static bool
make_room(struct telemetry_dispatcher *d)
{
    struct queue_record oldest;
    uint32_t place;

    if (!queue_oldest(&d->queue, &place))
        return false;
    oldest = queue_at(&d->queue, place);
    if (oldest.state != QUEUE_FAILED || oldest.refusals < d->settings->max_attempts)
        return false;
    queue_end(&d->queue, place);
    ledger_drop(&d->ledger, DROP_REFUSED, 1);
    return true;
}

int
telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event)
{
    char random[RANDOM_KEY_LEN];
    struct span key = own_key(d, event, random);
    size_t key_len = key.len > 0 ? key.len : d->kinesis.common_key.len;
    size_t size = key.len + event_size(d->settings->format, event, &d->origin);
    struct out o;
    char *room;

    if (d->over) {
        telemetry_dispatcher_lost(d, DROP_SHUTDOWN);
        return 0;
    }
    d->origin.sequence = d->sequence;
    while ((room = queue_room(&d->queue, size)) == NULL && queue_fits(&d->queue, size)) {
        if (make_room(d))
            continue;
        /* the POST that filled the queue ends only when there is room again */
        d->flush = true;
        loop_set_earlier(&d->timer, d->loop->now_ms);
        return ERR_FULL;
    }
    d->ledger.received++;
    if (room == NULL) {
        ledger_drop(&d->ledger, DROP_OVERSIZE, 1);
        return 0;
    }
    o = out_to(room, size);
    out_put(&o, key);
    if (event_write(&o, d->settings->format, event, &d->origin) != 0 ||
        o.len - key.len + key_len > RECORD_MAX_BYTES) {
        ledger_drop(&d->ledger, DROP_OVERSIZE, 1);
        return 0;
    }
    if (d->queue.fresh == 0)
        d->fresh_since_ms = d->loop->now_ms;
    queue_add(&d->queue, room, key.len, o.len - key.len, d->sequence++);
    /* while the rest of a large POST is read, what has come is sent */
    if (d->queue.fresh == QUEUE_BATCH_MAX)
        loop_set_earlier(&d->timer, d->loop->now_ms);
    return 0;
}

void
telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason)
{
    d->ledger.received++;
    ledger_drop(&d->ledger, reason, 1);
}

void
telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id)
{
    struct span *known = &d->origin.request_id;

    if (request_id.len == 0 || request_id.len > sizeof d->request_id ||
        span_same(*known, request_id))
        return;
    d->origin.cold_start = known->len == 0;
    memcpy(d->request_id, request_id.p, request_id.len);
    *known = (struct span){d->request_id, request_id.len};
}

bool
telemetry_dispatcher_drained(const struct telemetry_dispatcher *d)
{
    return d->queue.records == 0;
}

static bool
resting(const struct telemetry_dispatcher *d)
{
    return d->rest_until_ms > d->loop->now_ms && !d->last_chance;
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    return kinesis_record_size(context, record);
}

/* As many bytes as records; at the end no more than a slow processor can sign and encrypt at once. */
static uint64_t
request_bytes(const struct telemetry_dispatcher *d)
{
    uint64_t bytes = (uint64_t)REQUEST_MAX_BYTES * d->batch_max / QUEUE_BATCH_MAX;

    return d->last_chance && bytes > FULL_BYTES ? FULL_BYTES : bytes;
}

static void
send_batch(struct telemetry_dispatcher *d, bool with_failed)
{
    struct queue_limits limits = {
        .records = d->batch_max,
        .bytes = request_bytes(d),
        .size = record_size,
        .context = &d->kinesis,
    };

    queue_take(&d->queue, &limits, with_failed, &d->batch);
    if (d->batch.len == 0)
        return;
    d->resent = 0;
    for (uint32_t i = 0; i < d->batch.len; i++)
        if (queue_at(&d->queue, d->batch.places[i]).attempts > 1)
            d->resent++;
    d->calls_before = d->kinesis.http.sent_calls;
    d->sending = true;
    d->accepted = d->most_attempts = 0;
    d->class = RETRY_TRANSIENT;
    d->fresh_since_ms = d->loop->now_ms;
    kinesis_put(&d->kinesis, &d->batch);
}

/* When the next batch is due, given that nothing is under way; UINT64_MAX: not by itself. */
static uint64_t
due_ms(const struct telemetry_dispatcher *d, bool *with_failed)
{
    uint64_t now = d->loop->now_ms;
    uint64_t failed = UINT64_MAX;
    uint64_t fresh = UINT64_MAX;
    uint64_t due;

    if (d->queue.records > d->queue.fresh)
        failed = d->failed_at_ms;
    if (d->queue.fresh > 0)
        fresh = d->flush || d->queue.fresh >= QUEUE_BATCH_MAX || d->queue.fresh_bytes >= FULL_BYTES
                    ? now
                    : d->fresh_since_ms + LINGER_MS;
    *with_failed = failed <= now;
    due = failed < fresh ? failed : fresh;
    if (due != UINT64_MAX && due < d->calls_at_ms)
        due = d->calls_at_ms;
    if (due != UINT64_MAX && resting(d) && due < d->rest_until_ms)
        due = d->rest_until_ms;
    return due;
}

void
telemetry_dispatcher_run(struct telemetry_dispatcher *d)
{
    bool with_failed;
    uint64_t due;

    if (d->sending || d->over)
        return;
    due = due_ms(d, &with_failed);
    d->timer.at_ms = 0;
    if (due <= d->loop->now_ms)
        send_batch(d, with_failed);
    else if (due != UINT64_MAX)
        d->timer.at_ms = due;
    if (d->queue.records == 0)
        d->flush = false;
}

static void
timer(void *context)
{
    struct telemetry_dispatcher *d = context;

    if (d->rest_until_ms != 0 && d->rest_until_ms <= d->loop->now_ms)
        d->rest_until_ms = 0;
    telemetry_dispatcher_run(d);
}

static void
record_done(void *context, size_t index, struct span code)
{
    struct telemetry_dispatcher *d = context;
    uint32_t place = d->batch.places[index];

    if (code.len == 0) {
        d->accepted++;
        d->ledger.delivered++;
        queue_end(&d->queue, place);
        return;
    }
    queue_refused(&d->queue, place);
    if (retry_class(code, 0) == RETRY_THROTTLED)
        d->class = RETRY_THROTTLED;
    if (queue_at(&d->queue, place).attempts > d->most_attempts)
        d->most_attempts = queue_at(&d->queue, place).attempts;
}

static uint32_t
left_ms(const struct telemetry_dispatcher *d)
{
    if (d->deadline_ms == 0)
        return UINT32_MAX;
    return d->deadline_ms <= d->loop->now_ms ? 0 : (uint32_t)(d->deadline_ms - d->loop->now_ms);
}

static uint32_t
wait_ms(const struct telemetry_dispatcher *d, unsigned failures)
{
    return retry_wait_ms(d->class, failures, dice(), left_ms(d));
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Services put values of the request into some messages, signed fields and data among them: only
 * those are logged that are known to be of use and to hold none. */
static bool
fit_for_log(struct span code)
{
    static const char *const codes[] = {
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ExpiredTokenException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (span_same(code, span_of(codes[i])))
            return true;
    return span_starts(code, SPAN("KMS"));
}

/* Up to the first escape or control byte: one line of text. */
static struct span
first_line(struct span message)
{
    size_t n = 0;

    while (n < message.len && message.p[n] != '\\' && (unsigned char)message.p[n] >= ' ')
        n++;
    return (struct span){message.p, n};
}

static void
describe(struct telemetry_dispatcher *d, const struct kinesis_result *r, struct out *o)
{
    const struct http_client *http = &d->kinesis.http;
    struct span line = first_line(r->message);

    if (r->result != 0 && http->connection.end == CONNECTION_TLS_FAILED)
        (void)format_text(o, "%s (BearSSL error %d)", http_client_error(http),
                          http->connection.code);
    else if (r->result != 0)
        (void)format_text(o, "%s", http_client_error(http));
    else if (r->status == 0)
        (void)format_text(o, "%.*s", LOG_SPAN(r->message));
    else if (r->records)
        (void)format_text(o, "records were refused: %.*s", LOG_SPAN(r->code));
    else if (r->status == 200)
        (void)format_text(o, "the reply cannot be read");
    else if (r->message.len > 0 && fit_for_log(r->code))
        (void)format_text(o, "%u %.*s: %.*s", r->status, LOG_SPAN(r->code), LOG_SPAN(line));
    else
        (void)format_text(o, "%u %.*s", r->status, LOG_SPAN(r->code));
}

/* One line for each failure that differs from the one before. */
static void
tell(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    const struct settings *s = d->settings;
    char text[sizeof d->logged];
    struct out o = out_to(text, sizeof text);
    bool partial = r->records && d->accepted > 0;

    describe(d, r, &o);
    if (span_same(out_span(&o), (struct span){d->logged, d->logged_len}))
        return;
    memcpy(d->logged, text, o.len);
    d->logged_len = o.len;
    log_line(partial ? LOG_INFO : LOG_ERROR, "PutRecords to %.*s at %.*s:%u: %.*s",
             LOG_SPAN(s->stream_arn.len > 0 ? s->stream_arn : s->stream_name),
             LOG_SPAN(s->kinesis.host), s->kinesis.port, LOG_SPAN(out_span(&o)));
}

static void
brought_something(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    if (d->failures > 0)
        log_info("PutRecords: delivering again after %u failures", d->failures);
    d->failures = d->rests = 0;
    d->calls_at_ms = d->rest_until_ms = 0;
    d->batch_max += BATCH_GROWTH;
    if (d->batch_max > QUEUE_BATCH_MAX)
        d->batch_max = QUEUE_BATCH_MAX;
    if (d->accepted == d->batch.len) {
        d->logged_len = 0;
        return;
    }
    tell(d, r);
    d->failed_at_ms = d->loop->now_ms + wait_ms(d, d->most_attempts);
}

static void
rest(struct telemetry_dispatcher *d)
{
    uint64_t ms = FIRST_REST_MS;

    for (unsigned i = 0; i < d->rests && ms < LONGEST_REST_MS; i++)
        ms *= 2;
    if (ms > LONGEST_REST_MS)
        ms = LONGEST_REST_MS;
    d->rests++;
    /* between half and all of it, so that sandboxes do not come back in step */
    d->rest_until_ms = d->loop->now_ms + ms / 2 + ((ms / 2 * dice()) >> 32);
    log_debug("PutRecords: resting for %u ms", (unsigned)(d->rest_until_ms - d->loop->now_ms));
}

/* Whether one record is at fault for which the whole call was refused. */
static bool
refused_for_a_record(const struct kinesis_result *r)
{
    return r->status == 413 || span_same(r->code, SPAN("ValidationException")) ||
           span_same(r->code, SPAN("InvalidArgumentException"));
}

/* Looks for that record by halves; alone in its batch it is found, and dropped. */
static void
bisect(struct telemetry_dispatcher *d)
{
    if (d->batch.len == 1) {
        queue_end(&d->queue, d->batch.places[0]);
        ledger_drop(&d->ledger, DROP_REFUSED, 1);
        d->batch_max = BATCH_GROWTH;
    } else {
        d->batch_max = d->batch.len / 2;
    }
    d->failed_at_ms = 0;
    d->calls_at_ms = d->loop->now_ms + 1;
}

static void
brought_nothing(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    if (!r->records) {
        d->class = retry_class(r->code, r->status);
        for (uint32_t i = 0; i < d->batch.len; i++)
            queue_again(&d->queue, d->batch.places[i]);
    }
    if (refused_for_a_record(r)) {
        tell(d, r);
        bisect(d);
        return;
    }
    if (r->result == ERR_LATE && d->kinesis.http.sent_calls > d->calls_before &&
        d->batch_max / 2 >= LEAST_BATCH)
        d->batch_max /= 2;
    tell(d, r);
    d->failures++;
    d->failed_at_ms = 0;
    /* one millisecond at least: a peer that refuses at once must not keep the loop busy */
    d->calls_at_ms = d->loop->now_ms + 1 + wait_ms(d, d->failures);
    /* after a rest one call is enough to tell that it was too early */
    if (!d->last_chance && (d->rests > 0 || d->failures >= d->settings->max_attempts))
        rest(d);
}

static void
put_done(void *context, const struct kinesis_result *r)
{
    struct telemetry_dispatcher *d = context;

    d->sending = false;
    /* without a connection nothing was sent, so nothing was sent again */
    if (d->kinesis.http.sent_calls > d->calls_before)
        d->ledger.retried += d->resent;
    if (d->accepted > 0)
        brought_something(d, r);
    else
        brought_nothing(d, r);
    d->room(d->context);
    telemetry_dispatcher_run(d);
    d->changed(d->context);
}

int
telemetry_dispatcher_init(struct telemetry_dispatcher *d, struct loop *loop, struct storage *s)
{
    const struct settings *settings = d->settings;
    uint32_t cap = settings->queue_max_bytes & ~7u;
    char *ring = storage_take(s, cap);

    d->loop = loop;
    d->batch_max = QUEUE_BATCH_MAX;
    d->timer = (struct loop_timer){.fire = timer, .context = d};
    loop_add_timer(loop, &d->timer);
    random_text(d, d->sandbox, sizeof d->sandbox);
    d->origin = (struct event_origin){
        .function_name = settings->function_name,
        .function_version = settings->function_version,
        .region = settings->function_region,
        .sandbox = {d->sandbox, sizeof d->sandbox},
    };
    d->kinesis.settings = settings;
    d->kinesis.queue = &d->queue;
    d->kinesis.common_key = settings->key == KEY_FIXED ? settings->fixed_key : d->origin.sandbox;
    d->kinesis.record = record_done;
    d->kinesis.done = put_done;
    d->kinesis.context = d;
    if (ring == NULL)
        return ERR_FULL;
    queue_open(&d->queue, ring, cap);
    return kinesis_init(&d->kinesis, loop, s);
}

bool
telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms, bool known)
{
    bool with_failed;

    if (resting(d))
        return true;
    return known && !d->sending && d->queue.records > 0 && due_ms(d, &with_failed) >= until_ms;
}

void
telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    uint64_t now = d->loop->now_ms;
    bool new = d->deadline_ms == 0;

    d->deadline_ms = deadline_ms;
    if (!new)
        return;
    /* waits that were chosen when nobody waited */
    if (d->calls_at_ms > now)
        d->calls_at_ms = earlier(d->calls_at_ms, now + 1 + wait_ms(d, d->failures));
    if (d->failed_at_ms > now)
        d->failed_at_ms = earlier(d->failed_at_ms, now + wait_ms(d, d->most_attempts));
    telemetry_dispatcher_run(d);
}

void
telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    d->deadline_ms = deadline_ms;
    d->last_chance = d->flush = true;
    /* waits that were chosen when there was more time */
    d->calls_at_ms = d->failed_at_ms = d->rest_until_ms = 0;
    telemetry_dispatcher_run(d);
}

void
telemetry_dispatcher_end(struct telemetry_dispatcher *d)
{
    kinesis_stop(&d->kinesis);
    d->over = true;
    d->timer.at_ms = 0;
    ledger_drop(&d->ledger, DROP_SHUTDOWN, d->queue.records);
    d->ledger.requests = d->kinesis.http.sent_calls;
    d->ledger.connections = d->kinesis.http.opened;
}
