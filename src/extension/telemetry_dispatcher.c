#include "extension/telemetry_dispatcher.h"

#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"
#include "protocol/refusal.h"

/* see telemetry_dispatcher.h */

enum {
    /* Source: Kinesis quotas: a request takes 5 MiB everywhere. That is meant before base64; we
     * keep the whole body below it, since its ceiling is not documented. */
    REQUEST_MAX_BYTES = 5 * 1024 * 1024 - 4096,
    FULL_BYTES = 1048576, /* a batch of this size does not wait for more */
    LINGER_MS = 200,
    POST_END_MS = 5, /* when there is haste, the rest of a POST is waited for no longer */
    /* A batch that brought no reply in time is halved, since a slow service is slower with more
     * records; each success lets the next one grow a little. The breaker's probe is as small. */
    LEAST_BATCH = 25,
    BATCH_GROWTH = 25,
    LEAST_HALF_BYTES = 1024, /* a record that is refused for its size is not cut below this */
};

/* In a batch: no record any more; as queue_batch_moved has it. */
#define GONE UINT32_MAX

size_t
telemetry_dispatcher_bytes(const struct settings *settings)
{
    return kinesis_bytes() + credentials_bytes(settings) + telemetry_intake_bytes() +
           dead_letter_dispatcher_bytes(settings) + settings->queue_max_bytes + 64;
}

/* Debug builds look after every step whether each event is accounted for. */
static void
check_ledger(const struct telemetry_dispatcher *d)
{
#ifdef CHECKED
    if (!ledger_holds(&d->ledger, d->queue.events)) {
        log_error("the ledger does not hold: %llu received, %llu queued",
                  (unsigned long long)d->ledger.received, (unsigned long long)d->queue.events);
        __builtin_trap();
    }
#else
    (void)d;
#endif
}

/* Connects, unless it is known to be in vain. */
static void
connect_stream(struct telemetry_dispatcher *d)
{
    if (breaker_open(&d->breaker) || d->over)
        return;
    (void)credentials_coming(&d->credentials);
    aws_client_open(&d->kinesis.client);
}

void
telemetry_dispatcher_open(struct telemetry_dispatcher *d)
{
    http_client_hurry(&d->kinesis.client.http);
    if (ahead_connect(&d->ahead, d->ledger.received, d->queue.fresh + d->queue.failed > 0))
        connect_stream(d);
}

void
telemetry_dispatcher_flush(struct telemetry_dispatcher *d)
{
    d->flush = true;
    d->flush_fresh = d->queue.fresh;
}

/* Whether someone waits for all that comes, too. */
static bool
awaited(const struct telemetry_dispatcher *d)
{
    return d->deadline_ms != 0;
}

/* Whether a record waits for room to be split, which others may not take; unless it is all in vain. */
static bool
cramped(const struct telemetry_dispatcher *d)
{
    return d->cramped && (d->queue.aside > 0 || (d->sending && d->alone)) &&
           d->breaker.failures == 0 && !d->intake.overflow;
}

int
telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event)
{
    bool first = d->queue.fresh == 0;
    int r;

    r = cramped(d) ? ERR_FULL : telemetry_intake_event(&d->intake, event);
    check_ledger(d);
    if (r != 0) {
        /* the POST that filled the queue ends only when there is room again */
        telemetry_dispatcher_flush(d);
        loop_set_earlier(&d->timer, d->loop->now.ms);
        if (d->full_timer.at_ms == 0)
            loop_set(d->loop, &d->full_timer, d->patience_ms);
        return r;
    }
    if (first && d->queue.fresh > 0) {
        d->fresh_since_ms = d->loop->now.ms;
        connect_stream(d);
        /* the end of the POST would send it, but it may never come */
        if (!d->sending)
            loop_set_earlier(&d->timer, d->loop->now.ms + (awaited(d) ? POST_END_MS : LINGER_MS));
    }
    /* while the rest of a large POST is read, what has come is sent */
    if (d->queue.fresh == QUEUE_BATCH_MAX)
        loop_set_earlier(&d->timer, d->loop->now.ms);
    return 0;
}

void
telemetry_dispatcher_patience(struct telemetry_dispatcher *d, uint32_t ms)
{
    d->patience_ms = ms;
    if (d->full_timer.at_ms != 0)
        loop_set_earlier(&d->full_timer, d->loop->now.ms + ms);
}

static void
full_for_long(void *context)
{
    struct telemetry_dispatcher *d = context;

    if (!d->told_full)
        log_warn("the queue is full: dropping the %s events",
                 d->settings->drop == WHEN_FULL_OLDEST ? "oldest" : "newest");
    d->told_full = true;
    d->intake.overflow = true;
    d->room(d->context);
}

static void
room_came(struct telemetry_dispatcher *d)
{
    d->full_timer.at_ms = 0;
    d->intake.overflow = false;
    d->told_full = d->told_full && telemetry_dispatcher_crowded(d);
}

void
telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason)
{
    telemetry_intake_lost(&d->intake, reason);
}

bool
telemetry_dispatcher_delivered(const struct telemetry_dispatcher *d)
{
    return d->queue.fresh + d->queue.failed + d->queue.aside == 0 && !d->sending;
}

bool
telemetry_dispatcher_drained(const struct telemetry_dispatcher *d)
{
    return d->queue.records == 0;
}

bool
telemetry_dispatcher_crowded(const struct telemetry_dispatcher *d)
{
    return d->queue.bytes > d->queue.cap / 2;
}

static bool
resting(const struct telemetry_dispatcher *d)
{
    return breaker_open(&d->breaker) && !d->last_chance;
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    return kinesis_record_size(context, record);
}

/* As many bytes as records; at the end no more than a slow processor can sign and encrypt at once. */
static uint64_t
request_bytes(const struct telemetry_dispatcher *d, uint32_t records)
{
    uint64_t bytes = (uint64_t)REQUEST_MAX_BYTES * records / QUEUE_BATCH_MAX;

    return d->last_chance && bytes > FULL_BYTES ? FULL_BYTES : bytes;
}

static void
breaker_failed(struct telemetry_dispatcher *d, enum breaker_failure failure)
{
    if (!breaker_fail(&d->breaker, failure, d->settings->max_attempts, clock_wall_ms(),
                      entropy_dice()))
        return;
    d->ledger.breaker_openings++;
    log_info("PutRecords: nothing is sent for a while after %u failures", d->breaker.failures);
    /* since others were refused as well, it was not the fault of these */
    queue_rejoin(&d->queue);
}

/* A call after one that failed is paid for, unless it is the breaker's probe. */
static bool
may_send(struct telemetry_dispatcher *d)
{
    if (d->breaker.failures == 0 || breaker_open(&d->breaker) || d->last_chance ||
        retry_quota_take(&d->quota, d->class))
        return true;
    breaker_failed(d, BREAKER_EXHAUSTED);
    return false;
}

/* At the end a connection that may be dead must leave time for another one. */
static uint32_t
hurry_ms(const struct telemetry_dispatcher *d)
{
    enum { LEAST_MS = 50 };
    uint64_t now = d->loop->now.ms;
    uint64_t share = d->deadline_ms > now ? (d->deadline_ms - now) / 3 : 0;

    if (!d->last_chance)
        return 0;
    return share > LEAST_MS ? (uint32_t)share : LEAST_MS;
}

static void
send_batch(struct telemetry_dispatcher *d, bool with_failed, bool alone)
{
    uint32_t most = resting(d) && d->batch_max > LEAST_BATCH ? LEAST_BATCH : d->batch_max;
    struct queue_limits limits = {
        .records = alone ? 1 : most,
        .bytes = request_bytes(d, most),
        .size = record_size,
        .context = &d->kinesis,
    };
    uint32_t fresh = d->queue.fresh;

    if (alone)
        queue_take_only(&d->queue, &limits, QUEUE_ASIDE, &d->batch);
    else
        queue_take(&d->queue, &limits, with_failed, &d->batch);
    fresh -= d->queue.fresh;
    d->flush_fresh -= d->flush_fresh < fresh ? d->flush_fresh : fresh;
    if (d->batch.len == 0)
        return;
    d->resent = 0;
    for (uint32_t i = 0; i < d->batch.len; i++)
        if (queue_at(&d->queue, d->batch.places[i]).attempts > 1)
            d->resent++;
    d->kinesis.client.http.hurry_ms = hurry_ms(d);
    d->calls_before = d->kinesis.client.http.sent_calls;
    d->unanswered_before = d->kinesis.client.http.unanswered;
    d->sending = true;
    d->alone = alone;
    d->hopeful = false;
    d->accepted = d->most_attempts = 0;
    d->class = RETRY_TRANSIENT;
    d->fresh_since_ms = d->loop->now.ms;
    kinesis_put(&d->kinesis, &d->batch);
}

/* When the next batch is due, given that nothing is under way; UINT64_MAX: not by itself. */
struct due {
    uint64_t at_ms;
    bool with_failed, alone;
};

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The moment of the breaker's probe on the loop's clock. */
static uint64_t
probe_ms(const struct telemetry_dispatcher *d)
{
    uint64_t wall = clock_wall_ms();
    uint64_t at = breaker_probe_at_ms(&d->breaker);

    /* a wall clock that was set back must not put it off for ever */
    if (at <= wall || at - wall > BREAKER_LONGEST_MS)
        return d->loop->now.ms;
    return d->loop->now.ms + (at - wall);
}

static uint64_t
fresh_due_ms(const struct telemetry_dispatcher *d, bool haste)
{
    if (d->queue.fresh == 0)
        return UINT64_MAX;
    if (d->flush_fresh > 0 || haste || d->queue.fresh >= QUEUE_BATCH_MAX ||
        d->queue.fresh_bytes >= FULL_BYTES)
        return d->loop->now.ms;
    return d->fresh_since_ms + LINGER_MS;
}

/* haste: fresh records do not wait for others. */
static struct due
next_due(const struct telemetry_dispatcher *d, bool haste)
{
    uint64_t now = d->loop->now.ms;
    uint64_t failed = d->queue.failed > 0 ? d->failed_at_ms : UINT64_MAX;
    uint64_t fresh = fresh_due_ms(d, haste);
    uint64_t alone = UINT64_MAX;
    struct due due;

    if (d->queue.aside > 0 && (d->evidence || d->queue.failed + d->queue.fresh == 0))
        alone = d->failed_at_ms;
    due = (struct due){
        .at_ms = earlier(alone, earlier(failed, fresh)),
        .with_failed = failed <= now,
        .alone = alone <= now,
    };
    if (due.at_ms == UINT64_MAX)
        return due;
    due.at_ms = later(due.at_ms, d->calls_at_ms);
    if (resting(d))
        due.at_ms = later(due.at_ms, probe_ms(d));
    return due;
}

void
telemetry_dispatcher_run(struct telemetry_dispatcher *d)
{
    uint64_t now = d->loop->now.ms;
    struct due due;

    d->dead_letter.flush = d->dead_letter.flush || d->flush;
    dead_letter_dispatcher_run(&d->dead_letter);
    if (d->sending || d->over)
        return;
    due = next_due(d, awaited(d));
    d->timer.at_ms = 0;
    if (due.at_ms > now)
        d->timer.at_ms = due.at_ms == UINT64_MAX ? 0 : due.at_ms;
    else if (credentials_coming(&d->credentials))
        d->timer.at_ms = now + CREDENTIALS_WAIT_MS;
    else if (may_send(d))
        send_batch(d, due.with_failed, due.alone);
    else
        d->timer.at_ms = probe_ms(d); /* the breaker has just opened */
    if (telemetry_dispatcher_delivered(d))
        d->flush = false;
}

static void
record_done(void *context, size_t index, struct span code)
{
    struct telemetry_dispatcher *d = context;
    uint32_t place = d->batch.places[index];
    struct queue_record record = queue_at(&d->queue, place);

    if (code.len == 0) {
        d->accepted++;
        d->ledger.bytes += record.data.len + queue_key(&record, d->kinesis.common_key).len;
        d->ledger.delivered += queue_end(&d->queue, place);
        return;
    }
    if (record.attempts > d->most_attempts)
        d->most_attempts = record.attempts;
    if (retry_class(code, 0) == RETRY_THROTTLED) {
        /* the shard's limit, not the record */
        d->class = RETRY_THROTTLED;
        d->hopeful = true;
        queue_again(&d->queue, place);
        return;
    }
    queue_refused(&d->queue, place);
    if (record.refusals + 1 < d->settings->max_attempts)
        d->hopeful = true;
    else if (d->settings->dead_letter != DEAD_LETTER_NONE)
        telemetry_intake_bury(&d->intake, place, DROP_REFUSED);
}

static uint32_t
left_ms(const struct telemetry_dispatcher *d)
{
    if (d->deadline_ms == 0 || !d->hopeful)
        return UINT32_MAX;
    return d->deadline_ms <= d->loop->now.ms ? 0 : (uint32_t)(d->deadline_ms - d->loop->now.ms);
}

static uint32_t
wait_ms(const struct telemetry_dispatcher *d, unsigned failures, uint32_t hint_ms)
{
    struct retry retry = {
        .class = d->class,
        .failures = failures,
        .hint_ms = hint_ms,
        .left_ms = left_ms(d),
    };

    return retry_wait_ms(&retry, entropy_dice());
}

static void
tell(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    failure_log_tell(&d->failures, r->records && d->accepted > 0 ? LOG_INFO : LOG_ERROR,
                     r->records ? "records were refused" : NULL, &r->call);
}

static void
brought_something(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    if (d->breaker.failures > 0)
        log_info("PutRecords: delivering again after %u failures", d->breaker.failures);
    breaker_succeed(&d->breaker);
    retry_quota_refund(&d->quota);
    room_came(d);
    d->at_once = false;
    d->evidence = true;
    d->calls_at_ms = 0;
    if (!d->alone)
        d->batch_max += BATCH_GROWTH;
    if (d->batch_max > QUEUE_BATCH_MAX)
        d->batch_max = QUEUE_BATCH_MAX;
    if (d->accepted == d->batch.len) {
        failure_log_reset(&d->failures);
        return;
    }
    tell(d, r);
    d->failed_at_ms = d->loop->now.ms + wait_ms(d, d->most_attempts, r->call.retry_after_ms);
}

/* All records of the batch that have not been dealt with. */
static void
all_again(struct telemetry_dispatcher *d)
{
    for (uint32_t i = 0; i < d->batch.len; i++)
        if (d->batch.places[i] != GONE &&
            queue_at(&d->queue, d->batch.places[i]).state == QUEUE_SENT)
            queue_again(&d->queue, d->batch.places[i]);
}

/* One failure more; the next call waits. */
static void
failed(struct telemetry_dispatcher *d, enum breaker_failure failure, uint32_t hint_ms)
{
    breaker_failed(d, failure);
    d->failed_at_ms = 0;
    /* one millisecond at least: a peer that refuses at once must not keep the loop busy */
    d->calls_at_ms = d->loop->now.ms + 1 + wait_ms(d, d->breaker.failures, hint_ms);
}

/* The next call needs no wait, but a turn of the loop. */
static void
soon(struct telemetry_dispatcher *d)
{
    d->failed_at_ms = 0;
    d->calls_at_ms = d->loop->now.ms + 1;
    /* but where only the dead letter can make room */
    if (d->cramped && d->queue.failed + d->queue.fresh == 0)
        d->calls_at_ms += wait_ms(d, d->breaker.failures + 1, 0);
}

static void
set_aside(struct telemetry_dispatcher *d, uint32_t place)
{
    queue_refused(&d->queue, place);
    queue_mark(&d->queue, place, QUEUE_ASIDE);
    d->evidence = false;
}

/*
 * TELEMETRY_OVERSIZE for the record at this index of the batch. What is to be split waits until there
 * is room for the pieces; what cannot be made smaller leaves the way to the stream.
 */
static void
resize(struct telemetry_dispatcher *d, uint32_t index, size_t limit, enum ledger_drop reason)
{
    uint32_t place = d->batch.places[index];
    int r = limit > 0 ? telemetry_intake_resize(&d->intake, place, limit) : ERR_BIG;

    /* unless no other record can make room any more */
    if (r == ERR_FULL && d->queue.records > d->queue.aside + 1) {
        set_aside(d, place);
        d->cramped = true;
    } else if (r != 0) {
        telemetry_intake_bury(&d->intake, place, reason);
    }
    /* where it was split, its place is free for others by now */
    if (r != 0 || d->settings->oversize == OVERSIZE_SPLIT)
        d->batch.places[index] = GONE;
}

/* The service says of a record that was sent alone only that it is too large: half may not be. */
static size_t
half_of(const struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    size_t half = queue_at(&d->queue, d->batch.places[0]).data.len / 2;

    return r->call.status == 413 && half >= LEAST_HALF_BYTES ? half : 0;
}

/*
 * A record that was sent by itself was refused for what it is. Others may tell whether that is true
 * of it alone; where there are none, it has twice as many attempts as open the breaker, and at the end
 * as many as there is time for.
 */
static void
refused_alone(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    uint32_t place = d->batch.places[0];
    unsigned refusals = queue_at(&d->queue, place).refusals + 1;
    unsigned most = d->settings->max_attempts * (d->last_chance ? 1 : 2);
    bool others = d->queue.failed + d->queue.fresh > 0;
    size_t half = half_of(d, r);
    /* at the end nobody waits for its room: as long as there is time, unless it can be made smaller */
    bool keep = d->last_chance && half == 0;

    if ((d->alone && d->evidence) || (!others && !keep && refusals >= most)) {
        resize(d, 0, half, DROP_REFUSED);
        all_again(d);
        soon(d);
        return;
    }
    d->batch_max = BATCH_GROWTH;
    /* the second one in a row: this is not about records */
    if ((d->queue.aside > 0 && !d->evidence) || !others) {
        set_aside(d, place);
        failed(d, BREAKER_FAILED, 0);
        return;
    }
    set_aside(d, place);
    d->calls_at_ms = d->loop->now.ms + 1;
}

/* What the service says of one record: whether it was found and dealt with. */
static bool
deal_with(struct telemetry_dispatcher *d, const struct refusal *named)
{
    uint32_t place;
    struct queue_record record;
    size_t key_len;

    if (named->index >= d->batch.len)
        return false;
    if (d->batch.places[named->index] == GONE)
        return true;
    place = d->batch.places[named->index];
    record = queue_at(&d->queue, place);
    if (record.state != QUEUE_SENT)
        return true;
    /* whether the limit is that of the data alone is not known for all of them */
    key_len = queue_key(&record, d->kinesis.common_key).len;
    if (named->member == REFUSAL_DATA && named->limit_bytes > key_len &&
        record.data.len > named->limit_bytes - key_len) {
        resize(d, named->index, named->limit_bytes - key_len, DROP_OVERSIZE);
        return true;
    }
    if (d->batch.len == 1)
        return false;
    set_aside(d, place);
    d->batch.places[named->index] = GONE;
    return true;
}

/* A call was refused for one of its records: the one that is named, or one that is looked for. */
static void
find_record(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    struct span rest = r->call.message;
    struct refusal named;
    bool found = false;

    while (refusal_next(&rest, &named) == 1)
        found = deal_with(d, &named) || found;
    if (!found && d->batch.len == 1) {
        refused_alone(d, r);
        return;
    }
    if (!found)
        d->batch_max = d->batch.len / 2;
    all_again(d);
    soon(d);
}

/* The one retry that waits for nothing, where it may do better at once. */
static bool
again_at_once(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    bool better = (d->class == RETRY_SKEW && r->call.skewed) ||
                  (d->class == RETRY_CREDENTIALS && credentials_refresh(&d->credentials));

    if (!better || d->at_once)
        return false;
    d->at_once = true;
    all_again(d);
    d->failed_at_ms = d->calls_at_ms = 0;
    return true;
}

static enum breaker_failure
kind_of(const struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    if (r->call.result == ERR_LATE)
        return BREAKER_SILENT;
    if (r->call.result != 0 || d->class == RETRY_TRANSIENT || d->class == RETRY_THROTTLED)
        return BREAKER_FAILED;
    return BREAKER_HOPELESS;
}

/* Whether a call was made, or tried, that only a change from outside can make succeed. */
static bool
in_vain(const struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    if (r->call.result != 0)
        return connection_hopeless(&d->kinesis.client.http.connection);
    return r->call.status != 0 && kind_of(d, r) == BREAKER_HOPELESS;
}

/*
 * Whether records fail that have failed for long while others were accepted since the last time:
 * that says nothing of the stream.
 */
static bool
fails_alone(struct telemetry_dispatcher *d)
{
    bool others = d->ledger.bytes > d->bytes_before;

    d->bytes_before = d->ledger.bytes;
    return others && !d->hopeful;
}

static void
brought_nothing(struct telemetry_dispatcher *d, const struct kinesis_result *r)
{
    bool asked = d->kinesis.client.http.sent_calls > d->calls_before;

    if (!r->records) {
        d->hopeful = true;
        d->class = r->call.result == 0 && r->call.status == 0
                       ? RETRY_CONFIGURATION
                       : retry_class(r->call.code, r->call.status);
        if (again_at_once(d, r))
            return;
    }
    tell(d, r);
    if (!r->records && r->call.result == 0 && d->class == RETRY_RECORD) {
        find_record(d, r);
        return;
    }
    if (r->records && fails_alone(d)) {
        d->failed_at_ms = d->loop->now.ms + wait_ms(d, d->most_attempts, r->call.retry_after_ms);
        return;
    }
    if (!r->records)
        all_again(d);
    if (r->call.result == ERR_LATE && asked && d->batch_max / 2 >= LEAST_BATCH)
        d->batch_max /= 2;
    failed(d, kind_of(d, r), r->call.retry_after_ms);
    if (d->last_chance && in_vain(d, r))
        d->calls_at_ms = d->loop->now.ms + 1 + retry_in_vain_ms(++d->in_vain, d->stream_ms);
}

/* Requests that may have been carried out although that was not heard. */
static void
count_unanswered(struct telemetry_dispatcher *d)
{
    uint64_t unanswered = d->kinesis.client.http.unanswered - d->unanswered_before;

    d->ledger.duplicates_possible += unanswered * d->batch.len;
}

/* Gives up the call that is under way, if there is one. */
static void
stop_sending(struct telemetry_dispatcher *d)
{
    aws_client_stop(&d->kinesis.client);
    if (d->sending)
        count_unanswered(d);
    d->sending = false;
}

/* Nothing goes to the stream any more: what is left, and what still comes, to the dead letter. */
static void
bury_all(struct telemetry_dispatcher *d)
{
    if (d->sending)
        all_again(d);
    stop_sending(d);
    d->burial_timer.at_ms = d->timer.at_ms = 0;
    d->over = d->intake.last = true;
    queue_mark_all_dead(&d->queue);
    d->room(d->context);
    telemetry_dispatcher_run(d);
}

static void
put_done(void *context, const struct kinesis_result *r)
{
    struct telemetry_dispatcher *d = context;

    d->sending = false;
    d->cramped = d->cramped && !d->alone;
    count_unanswered(d);
    d->ledger.duplicates_possible += (uint64_t)r->doubtful * d->batch.len;
    /* without a connection nothing was sent, so nothing was sent again */
    if (d->kinesis.client.http.sent_calls > d->calls_before)
        d->ledger.retried += d->resent;
    if (d->accepted > 0)
        brought_something(d, r);
    else
        brought_nothing(d, r);
    check_ledger(d);
    if (d->burial_timer.at_ms != 0 && d->accepted == 0 && breaker_open(&d->breaker))
        bury_all(d);
    d->room(d->context);
    telemetry_dispatcher_run(d);
    d->changed(d->context);
}

static void
timer(void *context)
{
    struct telemetry_dispatcher *d = context;

    telemetry_dispatcher_run(d);
    d->changed(d->context);
}

static void
time_to_bury(void *context)
{
    struct telemetry_dispatcher *d = context;

    bury_all(d);
    d->changed(d->context);
}

/* Credentials have come, or could not be had. */
static void
credentials_changed(void *context)
{
    struct telemetry_dispatcher *d = context;

    if (d->credentials.now.access_key.len == 0)
        breaker_failed(d, BREAKER_FAILED);
    telemetry_dispatcher_run(d);
    d->changed(d->context);
}

static void
dead_letter_changed(void *context)
{
    struct telemetry_dispatcher *d = context;

    check_ledger(d);
    if (d->dead_letter.wrote)
        room_came(d);
    d->room(d->context);
    telemetry_dispatcher_run(d);
    d->changed(d->context);
}

static void
records_moved(void *context, uint32_t from, uint32_t by)
{
    struct telemetry_dispatcher *d = context;

    queue_batch_moved(&d->batch, from, by);
    queue_batch_moved(&d->dead_letter.batch, from, by);
}

/* What the parts need to know of each other. */
static void
join(struct telemetry_dispatcher *d)
{
    const struct settings *s = d->settings;

    d->environment = (struct aws_environment){.settings = s, .credentials = &d->credentials};
    d->credentials.settings = s;
    d->credentials.changed = credentials_changed;
    d->credentials.context = d;
    d->intake.settings = s;
    d->intake.queue = &d->queue;
    d->intake.ledger = &d->ledger;
    d->kinesis.client.environment = &d->environment;
    d->kinesis.queue = &d->queue;
    d->kinesis.record = record_done;
    d->kinesis.done = put_done;
    d->kinesis.context = d;
    d->dead_letter.settings = s;
    d->dead_letter.queue = &d->queue;
    d->dead_letter.ledger = &d->ledger;
    d->dead_letter.letter.client.environment = &d->environment;
    d->dead_letter.letter.sandbox = (struct span){d->intake.sandbox, sizeof d->intake.sandbox};
    if (s->dead_letter == DEAD_LETTER_STDERR && (s->types & EVENT_EXTENSION) != 0)
        d->dead_letter.letter.lines = &d->own_lines;
    d->dead_letter.changed = dead_letter_changed;
    d->dead_letter.context = d;
    d->failures = (struct failure_log){
        .act = "PutRecords",
        .target = s->stream_arn.len > 0 ? s->stream_arn : s->stream_name,
        .client = &d->kinesis.client,
    };
}

static void
add_timer(struct telemetry_dispatcher *d, struct loop_timer *t, void (*fire)(void *context))
{
    *t = (struct loop_timer){.fire = fire, .context = d};
    loop_add_timer(d->loop, t);
}

int
telemetry_dispatcher_init(struct telemetry_dispatcher *d, struct loop *loop, struct storage *s)
{
    uint32_t cap = d->settings->queue_max_bytes & ~7u;
    char *ring = storage_take(s, cap);

    if (ring == NULL)
        return ERR_FULL;
    d->loop = loop;
    d->batch_max = QUEUE_BATCH_MAX;
    d->patience_ms = DISPATCHER_PATIENCE_MS;
    d->batch.places = d->places;
    add_timer(d, &d->timer, timer);
    add_timer(d, &d->full_timer, full_for_long);
    add_timer(d, &d->burial_timer, time_to_bury);
    /* a freeze gives the platform no chance to send */
    d->full_timer.awake = true;
    retry_quota_open(&d->quota);
    queue_open(&d->queue, ring, cap);
    d->queue.moved = records_moved;
    d->queue.context = d;
    join(d);
    if (credentials_init(&d->credentials, loop, s) != 0 ||
        telemetry_intake_init(&d->intake, s) != 0 || kinesis_init(&d->kinesis, loop, s) != 0)
        return ERR_FULL;
    d->kinesis.common_key = d->dead_letter.common_key = d->intake.common_key;
    return dead_letter_dispatcher_init(&d->dead_letter, loop, s);
}

bool
telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms, bool known)
{
    if (resting(d))
        return true;
    return known && !telemetry_dispatcher_delivered(d) && !d->sending &&
           next_due(d, true).at_ms >= until_ms;
}

void
telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    uint64_t now = d->loop->now.ms;
    bool new = d->deadline_ms == 0;

    d->deadline_ms = deadline_ms;
    if (!new || deadline_ms == 0)
        return;
    /* waits that were chosen when nobody waited */
    if (d->calls_at_ms > now && d->hopeful)
        d->calls_at_ms = earlier(d->calls_at_ms, now + 1 + wait_ms(d, d->breaker.failures, 0));
    if (d->failed_at_ms > now && d->hopeful)
        d->failed_at_ms = earlier(d->failed_at_ms, now + wait_ms(d, d->most_attempts, 0));
    telemetry_dispatcher_run(d);
}

/* How much of the time that is left the stream gets; the dead letter gets the rest. */
static uint64_t
time_for_stream_ms(const struct telemetry_dispatcher *d)
{
    enum { STDERR_MS = 150 };
    uint64_t left = left_ms(d);

    if (d->settings->dead_letter == DEAD_LETTER_NONE)
        return left;
    if (d->settings->dead_letter == DEAD_LETTER_S3)
        return left / 2;
    return left > STDERR_MS ? left - STDERR_MS : 0;
}

void
telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    d->deadline_ms = deadline_ms;
    d->last_chance = d->hopeful = true;
    d->stream_ms = (uint32_t)time_for_stream_ms(d);
    telemetry_dispatcher_flush(d);
    d->kinesis.client.http.hurry_ms = hurry_ms(d);
    http_client_hurry(&d->kinesis.client.http);
    if (d->settings->dead_letter != DEAD_LETTER_NONE)
        loop_set(d->loop, &d->burial_timer, d->stream_ms);
    dead_letter_dispatcher_last_chance(&d->dead_letter, deadline_ms);
    /* waits that were chosen when there was more time */
    d->calls_at_ms = d->failed_at_ms = 0;
    telemetry_dispatcher_run(d);
}

void
telemetry_dispatcher_restored(struct telemetry_dispatcher *d)
{
    telemetry_intake_restored(&d->intake);
    (void)credentials_refresh(&d->credentials);
    connection_forget(&d->kinesis.client.http.connection);
    connection_forget(&d->dead_letter.letter.client.http.connection);
    if (!d->sending)
        aws_client_stop(&d->kinesis.client);
}

void
telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id)
{
    telemetry_intake_request(&d->intake, request_id);
}

void
telemetry_dispatcher_of_account(struct telemetry_dispatcher *d, struct span account_id)
{
    d->intake.origin.account_id = account_id;
}

struct span
telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d)
{
    return d->intake.origin.sandbox;
}

bool
telemetry_dispatcher_wrote(struct telemetry_dispatcher *d, const struct event *event)
{
    return d->settings->dead_letter == DEAD_LETTER_STDERR &&
           own_lines_take(&d->own_lines, event, dead_letter_object_is_line(event->record));
}

struct ledger *
telemetry_dispatcher_ledger(struct telemetry_dispatcher *d)
{
    return &d->ledger;
}

uint64_t
telemetry_dispatcher_queued(const struct telemetry_dispatcher *d)
{
    return d->queue.events;
}

void
telemetry_dispatcher_account(struct telemetry_dispatcher *d)
{
    const struct http_client *stream = &d->kinesis.client.http;
    const struct http_client *letters = &d->dead_letter.letter.client.http;

    d->ledger.requests = stream->sent_calls + letters->sent_calls;
    d->ledger.connections = stream->opened + letters->opened;
    d->ledger.handshakes = stream->connection.handshakes + letters->connection.handshakes;
}

void
telemetry_dispatcher_end(struct telemetry_dispatcher *d)
{
    stop_sending(d);
    dead_letter_dispatcher_stop(&d->dead_letter);
    d->over = d->intake.over = true;
    d->timer.at_ms = d->full_timer.at_ms = d->burial_timer.at_ms = 0;
    ledger_drop(&d->ledger, DROP_SHUTDOWN, d->queue.events);
    queue_open(&d->queue, d->queue.ring, d->queue.cap);
    telemetry_dispatcher_account(d);
}
