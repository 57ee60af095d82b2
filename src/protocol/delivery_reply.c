#include "protocol/check.h"
#include "protocol/delivery_parts.h"

/*
 * What became of a call, and what follows from it: one outcome, and one switch over the outcomes.
 */

/* What a call came to, as far as it matters for the next one. */
enum outcome {
    DELIVERED,     /* every record was accepted */
    PARTLY,        /* some were */
    AGAIN_AT_ONCE, /* none, but what was wrong has been put right */
    KEYED,         /* none, for want of keys, which the next call has */
    POISONED,      /* the call was refused for what one of its records is, or for its size */
    SICK_RECORDS,  /* each record was refused; others are accepted */
    FAILED         /* the stream took nothing */
};

/* --- one record --- */

static void
count_accepted(struct delivery *d, const struct queue_record *record)
{
    uint64_t key = d->keys == KEYS_SENT ? record->partition_key.len : 0;
    uint64_t bytes = record->data.len + key;
    struct ledger *l = &d->ledger;

    l->records++;
    l->bytes += bytes;
    l->payload_bytes += aggregate_payload(&d->intake.open, record->data);
    l->units += (bytes + 1023) / 1024;
}

/* Whether what was refused may be so for want of keys, which no record is blamed for. */
static bool
wants_keys(struct delivery *d, enum retry_class class)
{
    bool wants = d->keys == KEYS_DOUBTED && (class == RETRY_RECORD || class == RETRY_REQUEST);

    d->call.wants_keys = d->call.wants_keys || wants;
    return wants;
}

void
delivery_record(struct delivery *d, size_t index, struct span code)
{
    struct delivery_call *call = &d->call;
    uint32_t i = (uint32_t)index;
    struct queue_record record = queue_at(&d->queue, QUEUE_STREAM, i);
    enum retry_class class;

    if (code.len == 0) {
        call->accepted++;
        count_accepted(d, &record);
        d->ledger.delivered += queue_end(&d->queue, QUEUE_STREAM, i);
        return;
    }
    if (record.attempts > call->most_attempts)
        call->most_attempts = record.attempts;
    /* as of a call: a code that is not known may ask for keys */
    class = retry_class(code, 400);
    if (wants_keys(d, class)) {
        call->hopeful = true;
        queue_mark(&d->queue, QUEUE_STREAM, i, QUEUE_FAILED);
    } else if (class == RETRY_THROTTLED) {
        /* the shard's limit, not the record */
        call->class = RETRY_THROTTLED;
        call->hopeful = true;
        call->throttled++;
        queue_mark(&d->queue, QUEUE_STREAM, i, QUEUE_FAILED);
    } else if (record.refusals + 1 < d->settings->max_attempts) {
        call->hopeful = true;
        queue_refused(&d->queue, QUEUE_STREAM, i, QUEUE_FAILED);
    } else if (d->settings->dead_letter != DEAD_LETTER_NONE) {
        intake_bury(&d->intake, i, DROP_REFUSED);
    } else {
        /* it stays as long as there is room for others */
        queue_refused(&d->queue, QUEUE_STREAM, i, QUEUE_FAILED);
    }
}

/* --- waits --- */

uint32_t
delivery_wait_ms(struct delivery *d, struct moment now, unsigned failures, uint32_t hint_ms)
{
    struct retry retry = {
        .class = d->call.class,
        .failures = failures,
        .hint_ms = hint_ms,
        .left_ms = d->call.hopeful ? delivery_left_ms(d, now) : UINT32_MAX,
    };

    return retry_wait_ms(&retry, delivery_dice(d));
}

void
delivery_breaker_failed(struct delivery *d, struct moment now, enum breaker_failure failure)
{
    if (!breaker_fail(&d->breaker, failure, d->settings->max_attempts, now.wall_ms,
                      delivery_dice(d)))
        return;
    d->ledger.breaker_openings++;
    d->pending.opened = true;
    d->pending.failures = d->breaker.failures;
    /* since others were refused as well, it was not the fault of these */
    queue_rejoin(&d->queue);
}

void
delivery_check_quota(struct delivery *d, struct moment now)
{
    if (delivery_is_paid(d) && !retry_quota_covers(&d->quota, d->call.class))
        delivery_breaker_failed(d, now, BREAKER_EXHAUSTED);
}

/* One failure more; the next call waits. */
static void
failed(struct delivery *d, struct moment now, enum breaker_failure failure, uint32_t hint_ms)
{
    delivery_breaker_failed(d, now, failure);
    d->backoff.failed_at_ms = 0;
    d->backoff.cramped = 0;
    /* one millisecond at least: a peer that refuses at once must not keep the loop busy */
    d->backoff.calls_at_ms = now.ms + 1 + delivery_wait_ms(d, now, d->breaker.failures, hint_ms);
    /* the stream had its last chance */
    if (d->urgency.bury_at_ms != 0 && breaker_open(&d->breaker))
        d->urgency.bury_at_ms = now.ms;
}

/*
 * A record waits for room that only the dead letter can make: until then the call would be refused as before.
 * That is no wait that anybody could hurry.
 */
static void
wait_for_room(struct delivery *d, struct moment now)
{
    struct retry retry = {
        .class = RETRY_TRANSIENT,
        .failures = ++d->backoff.cramped,
        .left_ms = UINT32_MAX,
    };

    d->dead.flush = true;
    d->backoff.calls_at_ms = now.ms + 1 + retry_wait_ms(&retry, delivery_dice(d));
}

/* The next call needs no wait, but a turn of the loop. */
static void
soon(struct delivery *d, struct moment now)
{
    const uint32_t *count = d->queue.count;

    d->backoff.failed_at_ms = 0;
    d->backoff.calls_at_ms = now.ms + 1;
    if (!d->suspect.cramped)
        d->backoff.cramped = 0;
    else if (count[QUEUE_FAILED] + count[QUEUE_SUSPECT] + count[QUEUE_FRESH] == 0)
        wait_for_room(d, now);
}

/* --- what a call came to --- */

/* Whether what was refused can be put right without waiting, which is done once in a row of failures. */
static bool
mended(const struct delivery *d, const struct delivery_reply *r)
{
    if (d->backoff.at_once || r->result != 0)
        return false;
    return (r->class == RETRY_SKEW && r->skewed) ||
           (r->class == RETRY_CREDENTIALS && d->settings->credentials.host.len > 0);
}

/*
 * Whether the records of the call fail while others were accepted since the last time: because they have
 * failed for long, or because their shard throttles. That says nothing of the stream.
 */
static bool
fails_alone(const struct delivery *d)
{
    bool others = d->ledger.bytes > d->backoff.bytes_before;
    bool throttled = d->call.at_pace && d->call.throttled == d->call.len;

    return others && (!d->call.hopeful || throttled);
}

static enum outcome
outcome_of(const struct delivery *d, const struct delivery_reply *r)
{
    if (d->call.accepted == d->call.len)
        return DELIVERED;
    if (d->call.accepted > 0)
        return PARTLY;
    if (d->call.wants_keys)
        return KEYED;
    if (r->records)
        return fails_alone(d) ? SICK_RECORDS : FAILED;
    if (mended(d, r))
        return AGAIN_AT_ONCE;
    return r->result == 0 && r->status != 0 && r->class == RETRY_RECORD ? POISONED : FAILED;
}

static enum breaker_failure
kind_of(const struct delivery *d, const struct delivery_reply *r)
{
    if (r->result == ERR_LATE)
        return BREAKER_SILENT;
    if (r->result != 0 || d->call.class == RETRY_TRANSIENT || d->call.class == RETRY_THROTTLED)
        return BREAKER_FAILED;
    return BREAKER_HOPELESS;
}

/* Whether a call was made, or tried, that only a change from outside can make succeed. */
static bool
in_vain(const struct delivery *d, const struct delivery_reply *r)
{
    if (r->result != 0)
        return r->hopeless;
    return r->status != 0 && kind_of(d, r) == BREAKER_HOPELESS;
}

/* --- what follows --- */

static bool
keep_pace(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    const struct delivery_call *call = &d->call;
    struct pace_reply reply = {
        .sent = call->len,
        .accepted = call->accepted,
        .throttled = call->throttled,
        .full = call->full && call->what <= QUEUE_TAKE_FAILED,
        .most = d->batch_max,
        .took_ms = (uint32_t)(now.ms - call->begun_ms),
        .left_ms = delivery_left_ms(d, now),
        .hint_ms = r->retry_after_ms,
        .dice = call->throttled > 0 ? delivery_dice(d) : UINT32_MAX / 2,
    };

    return pace_replied(&d->pace, now.ms, &reply);
}

/* The stream takes records. */
static void
succeeded(struct delivery *d)
{
    if (d->breaker.failures > 0) {
        d->pending.recovers = true;
        d->pending.failures_before = d->breaker.failures;
    }
    breaker_succeed(&d->breaker);
    retry_quota_refund(&d->quota);
    delivery_room_came(d);
    d->backoff.at_once = false;
    d->backoff.calls_at_ms = 0;
    if (d->call.what != QUEUE_TAKE_ASIDE)
        d->batch_max += BATCH_GROWTH;
    if (d->batch_max > BATCH_MAX_RECORDS)
        d->batch_max = BATCH_MAX_RECORDS;
}

/* When those go that were refused while others were accepted. */
static void
some_again(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    bool all_throttled = d->call.throttled == d->call.len - d->call.accepted;

    if (all_throttled && d->call.at_pace)
        d->backoff.failed_at_ms = 0;
    else
        d->backoff.failed_at_ms =
            now.ms + delivery_wait_ms(d, now, d->call.most_attempts, r->retry_after_ms);
}

static void
poisoned(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    struct suspect_call call = {
        .what = d->call.what,
        .status = r->status,
        .message = r->message,
        .last_chance = d->urgency.last_chance,
    };
    uint32_t half = d->call.len / 2, fresh = d->queue.count[QUEUE_FRESH];
    enum suspect_verdict verdict = suspect_refused(&d->suspect, &d->intake, &call);

    /* the pieces of a record that has been cut are fresh */
    if (fresh == 0 && d->queue.count[QUEUE_FRESH] > 0)
        d->urgency.fresh_since_ms = now.ms;
    if (verdict == SUSPECT_NOT_THE_RECORD) {
        failed(d, now, BREAKER_FAILED, 0);
        return;
    }
    /* it may be the size of the whole, too */
    if (d->queue.count[QUEUE_SUSPECT] > 0 && d->call.what <= QUEUE_TAKE_FAILED)
        d->batch_max = half > LEAST_BATCH ? half : LEAST_BATCH;
    soon(d, now);
}

static void
took_nothing(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    if (!r->records)
        suspect_unanswered(&d->queue, d->call.what);
    if (r->result == ERR_LATE && r->requests > 0 && d->batch_max / 2 >= LEAST_BATCH)
        d->batch_max /= 2;
    failed(d, now, kind_of(d, r), r->retry_after_ms);
    if (d->urgency.last_chance && in_vain(d, r))
        d->backoff.calls_at_ms =
            now.ms + 1 + retry_in_vain_ms(++d->backoff.in_vain, d->urgency.stream_ms);
}

/* None that are there are good for another call. */
static void
refuse_credentials(struct delivery *d)
{
    d->pending.refresh = true;
    d->pending.ready = false;
}

/* What the reply says about all records together, before what follows from it. */
static void
learn(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    struct delivery_call *call = &d->call;

    call->under_way = false;
    d->form = r->form;
    if (call->accepted > 0 && d->keys == KEYS_DOUBTED)
        d->keys = KEYS_NEEDLESS;
    if (call->what == QUEUE_TAKE_ASIDE)
        d->suspect.cramped = false;
    d->ledger.duplicates_possible += (uint64_t)(r->unanswered + r->doubtful) * call->events;
    /* without a connection nothing was sent, so nothing was sent again */
    if (r->requests > 0)
        d->ledger.retried += call->resent;
    if (r->records) {
        suspect_answered(&d->suspect, &d->queue, call->what, call->accepted > 0);
        call->at_pace = keep_pace(d, now, r);
        return;
    }
    call->hopeful = true;
    call->class = r->class;
    if (r->result == 0 && r->status != 0)
        (void)wants_keys(d, r->class);
    if (r->result == 0 && r->class == RETRY_CREDENTIALS)
        refuse_credentials(d);
}

enum delivery_worth
delivery_replied(struct delivery *d, struct moment now, const struct delivery_reply *r)
{
    enum delivery_worth worth = DELIVERY_ERROR;
    enum outcome outcome;

    CHECK(d->call.under_way);
    learn(d, now, r);
    outcome = outcome_of(d, r);
    switch (outcome) {
    case DELIVERED:
        succeeded(d);
        worth = DELIVERY_WELL;
        break;
    case PARTLY:
        succeeded(d);
        some_again(d, now, r);
        worth = DELIVERY_PARTLY;
        break;
    case AGAIN_AT_ONCE:
        suspect_unanswered(&d->queue, d->call.what);
        d->backoff.at_once = true;
        d->backoff.failed_at_ms = d->backoff.calls_at_ms = 0;
        worth = DELIVERY_UNREMARKABLE;
        break;
    case KEYED:
        suspect_unanswered(&d->queue, d->call.what);
        d->keys = KEYS_SENT;
        d->backoff.failed_at_ms = d->backoff.calls_at_ms = 0;
        worth = DELIVERY_KEYED;
        break;
    case POISONED:
        poisoned(d, now, r);
        break;
    case SICK_RECORDS:
        some_again(d, now, r);
        break;
    case FAILED:
    default:
        took_nothing(d, now, r);
        break;
    }
    if (r->records && d->call.accepted == 0)
        d->backoff.bytes_before = d->ledger.bytes;
    delivery_check_quota(d, now);
    d->pending.resume = d->pending.resume || d->full.refused;
    CHECK(!queue_in_batch(&d->queue, QUEUE_STREAM, 0));
    delivery_check(d);
    return worth;
}

/* --- other ends --- */

void
delivery_aborted(struct delivery *d, unsigned unanswered)
{
    CHECK(d->call.under_way);
    d->call.under_way = false;
    d->ledger.duplicates_possible += (uint64_t)unanswered * d->call.events;
    suspect_unanswered(&d->queue, d->call.what);
}

void
delivery_buried(struct delivery *d, struct moment now, const struct dead_letter_reply *r)
{
    bool refresh;

    d->ledger.dead_lettered +=
        dead_letter_schedule_replied(&d->dead, now.ms, delivery_dice(d), r, &refresh);
    if (refresh)
        refuse_credentials(d);
    if (r->written > 0) {
        if (d->backoff.cramped > 0)
            d->backoff.calls_at_ms = moment_earlier(d->backoff.calls_at_ms, now.ms + 1);
        delivery_room_came(d);
    }
    d->pending.resume = d->pending.resume || d->full.refused;
    delivery_check(d);
}

void
delivery_dead_aborted(struct delivery *d, bool unanswered)
{
    dead_letter_schedule_aborted(&d->dead, unanswered);
}
