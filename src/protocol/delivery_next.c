#include "protocol/check.h"
#include "protocol/delivery_parts.h"
#include "protocol/put_records.h"

/* What is due when, and which order follows from it. */

enum {
    /* Source: Kinesis quotas: a request takes 5 MiB everywhere. That is meant before base64; we
     * keep the whole body below it, since its ceiling is not documented. */
    REQUEST_MAX_BYTES = 5 * 1024 * 1024 - 4096,
    FULL_BYTES = 1048576, /* a batch of this size does not wait for more */
    POST_END_MS = 5       /* when there is haste, the rest of a POST is waited for no longer */
};

static uint64_t
later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Whether someone waits for all that comes, too. */
static bool
awaited(const struct delivery *d)
{
    return d->urgency.deadline_ms != 0;
}

static bool
resting(const struct delivery *d)
{
    return breaker_open(&d->breaker) && !d->urgency.last_chance;
}

/* --- what is due --- */

/* The next call, given that none is under way; UINT64_MAX: it is not due by itself. */
struct due {
    uint64_t at_ms;
    enum queue_take_what what;
    uint32_t records;
};

/* The moment of the breaker's probe on the monotonic clock. */
static uint64_t
probe_ms(const struct delivery *d, struct moment now)
{
    uint64_t at = breaker_probe_at_ms(&d->breaker);

    /* a wall clock that was set back must not put it off for ever */
    if (at <= now.wall_ms || at - now.wall_ms > BREAKER_LONGEST_MS)
        return now.ms;
    return now.ms + (at - now.wall_ms);
}

/* How long what waits for no flush waits for company. */
static uint64_t
linger_ms(const struct delivery *d)
{
    return awaited(d) ? moment_earlier(POST_END_MS, d->settings->linger_ms)
                      : d->settings->linger_ms;
}

/* The open record; UINT64_MAX: there is none that could go. */
static uint64_t
open_due_ms(const struct delivery *d, struct moment now, bool haste)
{
    const struct delivery_urgency *u = &d->urgency;

    if (d->intake.open.events == 0 || u->open_stuck)
        return UINT64_MAX;
    return u->flush_open || haste ? now.ms : u->open_since_ms + linger_ms(d);
}

static uint64_t
fresh_due_ms(const struct delivery *d, struct moment now, bool haste)
{
    uint32_t fresh = d->queue.count[QUEUE_FRESH];

    if (fresh == 0)
        return UINT64_MAX;
    if (d->urgency.flush_fresh > 0 || haste || fresh >= BATCH_MAX_RECORDS ||
        d->queue.fresh_bytes >= FULL_BYTES)
        return now.ms;
    return d->urgency.fresh_since_ms + linger_ms(d);
}

/*
 * While the stream throttles, batches are small, and failed records might fill each of them for ever:
 * fresh ones have every other.
 */
static bool
take_turns(const struct delivery *d, struct moment now, uint64_t fresh_due)
{
    return d->pace.per_second > 0 && fresh_due <= now.ms && d->call.what == QUEUE_TAKE_FAILED;
}

/* haste: fresh records do not wait for others. */
static struct due
next_due(const struct delivery *d, struct moment now, bool haste)
{
    uint64_t failed = d->backoff.failed_at_ms;
    uint64_t fresh = moment_earlier(fresh_due_ms(d, now, haste), open_due_ms(d, now, haste));
    struct due due = {.at_ms = fresh, .what = QUEUE_TAKE_FRESH};
    enum queue_take_what by_themselves;
    uint32_t searched = suspect_next(&d->suspect, &d->queue, &by_themselves);

    if (searched > 0 || d->queue.count[QUEUE_FAILED] > 0) {
        due.at_ms = moment_earlier(failed, fresh);
        if (failed <= now.ms && searched > 0)
            due.what = by_themselves;
        else if (failed <= now.ms && !take_turns(d, now, fresh))
            due.what = QUEUE_TAKE_FAILED;
    }
    due.records =
        due.what > QUEUE_TAKE_FAILED ? searched : pace_records(&d->pace, now.ms, d->batch_max);
    if (resting(d) && due.records > LEAST_BATCH)
        due.records = LEAST_BATCH;
    if (due.at_ms == UINT64_MAX)
        return due;
    due.at_ms = later(due.at_ms, later(d->backoff.calls_at_ms, d->pace.next_ms));
    if (resting(d))
        due.at_ms = later(due.at_ms, probe_ms(d, now));
    return due;
}

bool
delivery_pointless_until(const struct delivery *d, struct moment now, uint64_t until_ms, bool known)
{
    if (resting(d))
        return true;
    return known && !delivery_delivered(d) && !d->call.under_way &&
           next_due(d, now, true).at_ms >= until_ms;
}

/* --- a call --- */

static size_t
record_size(void *context, const struct queue_record *record)
{
    const struct delivery *d = context;

    return put_records_size(d->form, record->data.len, record->partition_key);
}

/* As many bytes as records; at the end no more than a slow processor can sign and encrypt at once. */
static uint64_t
request_bytes(const struct delivery *d, uint32_t records)
{
    uint64_t bytes = (uint64_t)REQUEST_MAX_BYTES * records / BATCH_MAX_RECORDS;

    return d->urgency.last_chance && bytes > FULL_BYTES ? FULL_BYTES : bytes;
}

static void
take_batch(struct delivery *d, struct moment now, const struct due *due)
{
    uint32_t fresh = d->queue.count[QUEUE_FRESH];
    uint32_t most = resting(d) && d->batch_max > LEAST_BATCH ? LEAST_BATCH : d->batch_max;
    struct queue_limits limits = {
        .records = due->records,
        /* a stream that throttles is not slow: only the number is smaller */
        .bytes = request_bytes(d, due->what > QUEUE_TAKE_FAILED ? BATCH_MAX_RECORDS : most),
        .size = record_size,
        .context = d,
    };
    struct delivery_call call = {.under_way = true, .what = due->what, .begun_ms = now.ms};

    call.len = queue_take(&d->queue, QUEUE_STREAM, &limits, due->what);
    CHECK(call.len > 0);
    call.events = queue_batch_events(&d->queue, QUEUE_STREAM);
    call.full = call.len >= due->records;
    fresh -= d->queue.count[QUEUE_FRESH];
    call.resent = call.len - fresh;
    d->urgency.flush_fresh -= (uint32_t)moment_earlier(d->urgency.flush_fresh, fresh);
    d->urgency.fresh_since_ms = now.ms;
    d->call = call;
}

/* --- orders --- */

bool
delivery_is_paid(const struct delivery *d)
{
    return d->breaker.failures > 0 && !breaker_open(&d->breaker) && !d->urgency.last_chance;
}

/* Nothing goes to the stream any more: what is left, and what still comes, to the dead letter. */
static void
bury_all(struct delivery *d)
{
    d->urgency.bury_at_ms = 0;
    d->urgency.over = d->intake.last = true;
    (void)delivery_close(d);
    queue_mark_all_dead(&d->queue);
    d->pending.resume = d->full.refused;
}

/* What has been decided, and waits to be told. */
static enum delivery_act
pending(struct delivery *d, struct delivery_order *order)
{
    struct delivery_pending *p = &d->pending;
    bool connect =
        p->connect && !breaker_open(&d->breaker) && !d->urgency.over && !d->urgency.asleep;

    if (p->full || p->recovers || p->opened) {
        order->note = p->full ? DELIVERY_FULL : p->recovers ? DELIVERY_RECOVERS : DELIVERY_OPENED;
        order->failures = order->note == DELIVERY_OPENED ? p->failures : p->failures_before;
        *(p->full ? &p->full : p->recovers ? &p->recovers : &p->opened) = false;
        return DELIVERY_NOTE;
    }
    if (p->refresh) {
        p->refresh = false;
        return DELIVERY_REFRESH;
    }
    if (p->resume) {
        p->resume = d->full.refused = false;
        return DELIVERY_RESUME;
    }
    p->connect = false;
    return connect ? DELIVERY_CONNECT : DELIVERY_WAIT;
}

/* The next call, which may have to wait for credentials. */
static struct due
next_due_signed(const struct delivery *d, struct moment now)
{
    struct due due = next_due(d, now, false);

    if (due.at_ms != UINT64_MAX)
        due.at_ms = later(due.at_ms, d->pending.credentials_at_ms);
    return due;
}

/*
 * What is open and due becomes a record when a call may be made, and not before: also while one is aside, which waits for
 * others. What is for the dead letter does not wait.
 */
static void
close_due(struct delivery *d, struct moment now)
{
    bool busy = d->call.under_way || d->urgency.over || d->urgency.asleep;

    d->urgency.open_stuck = false;
    if (d->intake.last ||
        (!busy && open_due_ms(d, now, false) <= now.ms && next_due_signed(d, now).at_ms <= now.ms))
        (void)delivery_close(d);
}

/* What is due of the dead letter; else brings *at_ms forward to when something will be. */
static enum delivery_act
next_burial(struct delivery *d, struct moment now, struct delivery_order *order, uint64_t *at_ms)
{
    struct dead_letter_schedule *s = &d->dead;
    bool s3 = d->settings->dead_letter == DEAD_LETTER_S3;
    uint64_t due;

    s->flush = s->flush || d->urgency.flush;
    due = s->sending ? (s->abort_at_ms > 0 ? s->abort_at_ms : UINT64_MAX)
                     : dead_letter_schedule_due_ms(s, now.ms);
    if (s3 && !s->sending && due != UINT64_MAX)
        due = later(due, d->pending.credentials_at_ms);
    if (due > now.ms) {
        *at_ms = moment_earlier(*at_ms, due);
        return DELIVERY_WAIT;
    }
    if (s->sending)
        return DELIVERY_ABORT_DEAD;
    if (s3 && !d->pending.ready)
        return DELIVERY_CREDENTIALS;
    d->pending.ready = false;
    order->again = s->queue->count[QUEUE_IN_DOUBT] > 0;
    order->silence_ms = dead_letter_schedule_silence_ms(s, now.ms);
    dead_letter_schedule_take(s);
    return DELIVERY_BURY;
}

/* The same of the stream. */
static enum delivery_act
next_call(struct delivery *d, struct moment now, struct delivery_order *order, uint64_t *at_ms)
{
    struct due due;

    if (d->call.under_way || d->urgency.over)
        return DELIVERY_WAIT;
    due = next_due_signed(d, now);
    if (due.at_ms <= now.ms && !d->pending.ready)
        return DELIVERY_CREDENTIALS;
    if (due.at_ms > now.ms) {
        *at_ms = moment_earlier(*at_ms, due.at_ms);
        return DELIVERY_WAIT;
    }
    d->pending.ready = false;
    if (delivery_is_paid(d))
        retry_quota_take(&d->quota, d->call.class);
    take_batch(d, now, &due);
    order->silence_ms = delivery_hurry_ms(d, now);
    order->keyless = d->keys != KEYS_SENT;
    return DELIVERY_SEND;
}

enum delivery_act
delivery_next(struct delivery *d, struct moment now, struct delivery_order *order)
{
    uint64_t bury_at = d->urgency.bury_at_ms;
    uint64_t at = bury_at > 0 ? bury_at : UINT64_MAX;
    enum delivery_act act;

    *order = (struct delivery_order){.at_ms = 0};
    if (bury_at > 0 && bury_at <= now.ms) {
        if (d->call.under_way)
            return DELIVERY_ABORT;
        bury_all(d);
        at = UINT64_MAX;
    }
    delivery_count_patience(d, now);
    close_due(d, now);
    act = pending(d, order);
    if (act == DELIVERY_WAIT && !d->urgency.asleep)
        act = next_burial(d, now, order, &at);
    if (act == DELIVERY_WAIT && !d->urgency.asleep)
        act = next_call(d, now, order, &at);
    if (act != DELIVERY_WAIT)
        return act;
    if (d->full.waits)
        at = moment_earlier(at, now.ms + moment_earlier(d->full.left_ms, DELIVERY_TICK_MS));
    if (delivery_delivered(d))
        d->urgency.flush = false;
    d->news = d->pending.ready = false;
    order->at_ms = at;
    CHECK(at > now.ms);
    delivery_check(d);
    return DELIVERY_WAIT;
}
