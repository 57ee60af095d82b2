#include "protocol/delivery.h"

#include "protocol/check.h"
#include "protocol/delivery_parts.h"
#include "protocol/splitmix.h"

/*
 * What is known, and how much time there is. Events that come are in delivery_events.c; what is due, and which
 * order follows from it, in delivery_next.c; what a reply means in delivery_reply.c.
 */

enum {
    CREDENTIALS_WAIT_MS = 1000,
    STDERR_MS = 150 /* what the dead letter needs at the end */
};

/* --- begin --- */

size_t
delivery_bytes(const struct settings *settings)
{
    size_t dead = settings->dead_letter == DEAD_LETTER_NONE ? 0 : DEAD_LETTER_RECORDS_MAX;

    return (settings->queue_max_bytes & ~7u) + (dead + BATCH_MAX_RECORDS) * sizeof(uint32_t) +
           intake_bytes(settings);
}

/* Nothing is known of the stream yet. */
COLD static void
forget_stream(struct delivery *d)
{
    d->batch_max = BATCH_MAX_RECORDS;
    d->breaker = (struct breaker){.failures = 0};
    d->backoff = (struct delivery_backoff){.calls_at_ms = 0};
    d->pace = (struct pace){.per_second = 0};
    d->dead.again_ms = d->dead.failures = 0;
    d->pending.credentials_at_ms = 0;
    d->keys = d->settings->key == KEY_NONE ? KEYS_DOUBTED : KEYS_SENT;
    retry_quota_open(&d->quota);
}

COLD void
delivery_init(struct delivery *d, const struct settings *settings, char *memory,
              const struct intake_seed *seed)
{
    uint32_t cap = settings->queue_max_bytes & ~7u;
    uint32_t *offsets = (uint32_t *)(void *)(memory + cap);

    *d = (struct delivery){
        .settings = settings,
        .form = WIRE_JSON, /* the larger one, until the other is proven */
        .full = {.patience_ms = DELIVERY_PATIENCE_MS},
        .dead = {.settings = settings, .queue = &d->queue},
        .intake = {.settings = settings, .queue = &d->queue, .ledger = &d->ledger},
    };
    queue_open(&d->queue, memory, cap);
    queue_batch_open(&d->queue, QUEUE_STREAM, offsets, BATCH_MAX_RECORDS);
    offsets += BATCH_MAX_RECORDS;
    if (settings->dead_letter != DEAD_LETTER_NONE) {
        queue_batch_open(&d->queue, QUEUE_DEAD_LETTER, offsets, DEAD_LETTER_RECORDS_MAX);
        offsets += DEAD_LETTER_RECORDS_MAX;
    }
    forget_stream(d);
    intake_init(&d->intake, (char *)offsets, seed);
    delivery_reseed(d, seed->numbers);
}

COLD void
delivery_reseed(struct delivery *d, uint64_t seed)
{
    intake_reseed(&d->intake, seed);
    d->random = ~seed;
}

COLD void
delivery_sleep(struct delivery *d)
{
    CHECK(!d->call.under_way && !d->dead.sending);
    d->urgency.asleep = true;
    /* what is queued is sent once more, if it was sent before */
    d->ledger = (struct ledger){
        .received = delivery_queued(d),
        .duplicates_possible = delivery_drained(d) ? 0 : d->ledger.duplicates_possible,
    };
    forget_stream(d);
}

COLD void
delivery_rename(struct delivery *d, const struct intake_seed *seed)
{
    /* a key that other copies have, too, is not for what comes here alone */
    delivery_seal(d);
    intake_restored(&d->intake, seed);
    delivery_reseed(d, seed->numbers);
}

COLD void
delivery_restored(struct delivery *d, const struct intake_seed *seed)
{
    /* those that are there were given to the sandbox of the snapshot */
    d->pending.ready = false;
    d->urgency.asleep = false;
    /* other copies have them, too */
    d->ledger.duplicates_possible += queue_all_events(&d->queue) + d->intake.open.events;
    delivery_rename(d, seed);
}

bool
delivery_wants_seed(const struct delivery *d)
{
    return d->intake.random_left == 0;
}

uint32_t
delivery_dice(struct delivery *d)
{
    return splitmix_next(&d->random);
}

/* --- questions --- */

bool
delivery_delivered(const struct delivery *d)
{
    const uint32_t *count = d->queue.count;
    bool open = d->intake.open.events > 0 && !d->intake.last;

    return !d->call.under_way && !open &&
           count[QUEUE_FRESH] + count[QUEUE_FAILED] + count[QUEUE_SUSPECT] + count[QUEUE_ASIDE] ==
               0;
}

uint64_t
delivery_queued(const struct delivery *d)
{
    return d->queue.events + d->intake.open.events;
}

bool
delivery_drained(const struct delivery *d)
{
    return d->queue.records == 0 && d->intake.open.events == 0;
}

bool
delivery_crowded(const struct delivery *d)
{
    return d->queue.bytes + d->intake.open.len > d->queue.ring.cap / 2;
}

/* At the end a connection that may be dead must leave time for another one. */
uint32_t
delivery_hurry_ms(const struct delivery *d, struct moment now)
{
    enum { LEAST_MS = 50 };
    uint64_t deadline = d->urgency.deadline_ms;
    uint64_t share = deadline > now.ms ? (deadline - now.ms) / 3 : 0;

    if (!d->urgency.last_chance)
        return 0;
    return share > LEAST_MS ? (uint32_t)share : LEAST_MS;
}

uint32_t
delivery_left_ms(const struct delivery *d, struct moment now)
{
    const struct delivery_urgency *u = &d->urgency;
    uint64_t until = u->bury_at_ms > 0 ? u->bury_at_ms : u->deadline_ms;

    if (until == 0)
        return UINT32_MAX;
    return until <= now.ms ? 0 : (uint32_t)(until - now.ms);
}

/* --- how much time there is --- */

COLD void
delivery_credentials(struct delivery *d, struct moment now, enum delivery_credentials c)
{
    d->pending.ready = c == DELIVERY_READY;
    d->pending.credentials_at_ms = c == DELIVERY_COMING ? now.ms + CREDENTIALS_WAIT_MS : 0;
    if (c == DELIVERY_NONE) {
        delivery_breaker_failed(d, now, BREAKER_FAILED);
        delivery_check_quota(d, now);
    }
}

void
delivery_await(struct delivery *d, struct moment now, uint64_t deadline_ms)
{
    struct delivery_backoff *b = &d->backoff;
    bool new = d->urgency.deadline_ms == 0;

    d->urgency.deadline_ms = deadline_ms;
    if (!new || deadline_ms == 0 || !d->call.hopeful)
        return;
    /* waits that were chosen when nobody waited */
    if (b->calls_at_ms > now.ms)
        b->calls_at_ms = moment_earlier(
            b->calls_at_ms, now.ms + 1 + delivery_wait_ms(d, now, d->breaker.failures, 0));
    if (b->failed_at_ms > now.ms)
        b->failed_at_ms = moment_earlier(
            b->failed_at_ms, now.ms + delivery_wait_ms(d, now, d->call.most_attempts, 0));
    pace_hurry(&d->pace, now.ms, delivery_left_ms(d, now));
}

/* How much of the time that is left the stream gets; the dead letter gets the rest. */
static uint32_t
time_for_stream_ms(const struct delivery *d, uint32_t left)
{
    if (d->settings->dead_letter == DEAD_LETTER_NONE)
        return left;
    if (d->settings->dead_letter == DEAD_LETTER_S3)
        return left / 2;
    return left > STDERR_MS ? left - STDERR_MS : 0;
}

COLD void
delivery_last_chance(struct delivery *d, struct moment now, uint64_t deadline_ms)
{
    struct delivery_urgency *u = &d->urgency;

    u->deadline_ms = deadline_ms;
    u->last_chance = true;
    u->asleep = false;
    u->stream_ms =
        time_for_stream_ms(d, deadline_ms > now.ms ? (uint32_t)(deadline_ms - now.ms) : 0);
    delivery_flush(d);
    if (d->settings->dead_letter != DEAD_LETTER_NONE)
        u->bury_at_ms = now.ms + u->stream_ms;
    dead_letter_schedule_last_chance(&d->dead, now.ms, deadline_ms);
    /* waits that were chosen when there was more time */
    d->call.hopeful = true;
    d->backoff.calls_at_ms = moment_earlier(d->backoff.calls_at_ms, now.ms + 1);
    d->backoff.failed_at_ms = 0;
    pace_hurry(&d->pace, now.ms, delivery_left_ms(d, now));
}

COLD void
delivery_end(struct delivery *d)
{
    struct queue before = d->queue;

    CHECK(!d->call.under_way && !d->dead.sending);
    d->urgency.over = d->intake.over = true;
    d->urgency.bury_at_ms = 0;
    d->full.waits = false;
    ledger_drop(&d->ledger, DROP_SHUTDOWN, delivery_queued(d));
    aggregate_clear(&d->intake.open);
    queue_open(&d->queue, before.ring.bytes, before.ring.cap);
    d->queue.common_key = before.common_key;
}

void
delivery_check(const struct delivery *d)
{
    CHECK(ledger_holds(&d->ledger, delivery_queued(d)));
    CHECK(d->queue.count[QUEUE_SENT] == 0 || d->call.under_way || d->dead.sending);
    CHECK(d->batch_max >= 1 && d->batch_max <= BATCH_MAX_RECORDS);
    CHECK(!d->urgency.over || delivery_delivered(d));
    queue_check(&d->queue);
}
