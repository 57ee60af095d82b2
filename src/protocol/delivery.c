#include "protocol/delivery.h"

#include "protocol/check.h"
#include "protocol/delivery_parts.h"
#include "protocol/splitmix.h"

/*
 * What is known, and how much time there is. What is due, and which order follows from it, is in
 * delivery_next.c; what a reply means in delivery_reply.c.
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
           intake_bytes();
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
        .received = d->queue.events,
        .duplicates_possible = d->queue.records > 0 ? d->ledger.duplicates_possible : 0,
    };
    forget_stream(d);
}

COLD void
delivery_rename(struct delivery *d, const struct intake_seed *seed)
{
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
    d->ledger.duplicates_possible += d->queue.records;
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

/* --- events --- */

/* Whether a record waits for room to be split, which others may not take; unless it is all in vain. */
static bool
cramped(const struct delivery *d)
{
    if (!d->suspect.cramped || d->breaker.failures > 0 || d->full.overflow)
        return false;
    return d->queue.count[QUEUE_ASIDE] > 0 ||
           (d->call.under_way && d->call.what == QUEUE_TAKE_ASIDE);
}

/*
 * Room at the price of the oldest record: if it was refused as often as it may be, or if events are
 * dropped by now and the oldest ones first.
 */
COLD static bool
sacrifice(struct delivery *d)
{
    struct queue_record oldest;
    enum ledger_drop reason;

    /* what may have arrived in the dead letter is written there again, with the same records */
    if (!queue_oldest(&d->queue, &oldest) || oldest.state == QUEUE_SENT ||
        oldest.state == QUEUE_IN_DOUBT)
        return false;
    if (d->full.overflow && d->settings->drop == WHEN_FULL_OLDEST)
        reason = DROP_OVERFLOW;
    else if (oldest.state == QUEUE_FAILED && oldest.refusals >= d->settings->max_attempts)
        reason = DROP_REFUSED;
    else
        return false;
    /* a flush counts the oldest of the fresh ones */
    if (oldest.state == QUEUE_FRESH && d->urgency.flush_fresh > 0)
        d->urgency.flush_fresh--;
    ledger_drop(&d->ledger, reason, queue_lose_oldest(&d->queue));
    return true;
}

/* The event has found no room. Returns 0 when it has been taken, or dropped; else ERR_FULL. */
COLD static int
make_room(struct delivery *d, struct moment now, const struct event *event)
{
    bool room = !cramped(d);

    while (room && !intake_has_room(&d->intake))
        room = sacrifice(d);
    if (room && intake_event(&d->intake, event) == 0)
        return 0;
    if (d->full.overflow) {
        delivery_lost(d, DROP_OVERFLOW);
        return 0;
    }
    /* the POST that filled the queue ends only when there is room again */
    delivery_flush(d);
    d->news = d->full.refused = true;
    if (!d->full.waits) {
        d->full.waits = true;
        d->full.left_ms = d->full.patience_ms;
        d->full.seen_ms = now.ms;
    }
    return ERR_FULL;
}

int
delivery_event(struct delivery *d, struct moment now, const struct event *event)
{
    uint32_t fresh = d->queue.count[QUEUE_FRESH];
    int r = cramped(d) ? ERR_FULL : intake_event(&d->intake, event);

    if (r != 0 && make_room(d, now, event) != 0)
        return ERR_FULL;
    if (fresh == 0 && d->queue.count[QUEUE_FRESH] > 0) {
        d->urgency.fresh_since_ms = now.ms;
        d->pending.connect = d->news = true;
    }
    /* while the rest of a large POST is read, what has come is sent */
    if (d->queue.count[QUEUE_FRESH] == BATCH_MAX_RECORDS)
        d->news = true;
    CHECK(ledger_holds(&d->ledger, d->queue.events));
    return 0;
}

void
delivery_lost(struct delivery *d, enum ledger_drop reason)
{
    intake_lost(&d->intake, reason);
}

void
delivery_flush(struct delivery *d)
{
    d->urgency.flush = true;
    d->urgency.flush_fresh = d->queue.count[QUEUE_FRESH];
}

void
delivery_open(struct delivery *d)
{
    const uint32_t *count = d->queue.count;

    if (ahead_connect(&d->ahead, d->ledger.received, count[QUEUE_FRESH] + count[QUEUE_FAILED] > 0))
        d->pending.connect = true;
}

/* --- a full queue --- */

void
delivery_count_patience(struct delivery *d, struct moment now)
{
    struct delivery_full *f = &d->full;
    uint64_t passed = moment_earlier(now.ms - f->seen_ms, DELIVERY_TICK_MS);

    if (!f->waits)
        return;
    f->seen_ms = now.ms;
    f->left_ms -= (uint32_t)moment_earlier(passed, f->left_ms);
    if (f->left_ms > 0)
        return;
    f->waits = false;
    f->overflow = true;
    d->pending.full = !f->told;
    d->pending.resume = f->told = true;
}

void
delivery_patience(struct delivery *d, struct moment now, uint32_t ms)
{
    delivery_count_patience(d, now);
    d->full.patience_ms = ms;
    if (d->full.waits && d->full.left_ms > ms)
        d->full.left_ms = ms;
}

void
delivery_room_came(struct delivery *d)
{
    d->full.waits = d->full.overflow = false;
    d->full.told = d->full.told && delivery_crowded(d);
}

/* --- questions --- */

bool
delivery_delivered(const struct delivery *d)
{
    const uint32_t *count = d->queue.count;

    return !d->call.under_way &&
           count[QUEUE_FRESH] + count[QUEUE_FAILED] + count[QUEUE_SUSPECT] + count[QUEUE_ASIDE] ==
               0;
}

bool
delivery_drained(const struct delivery *d)
{
    return d->queue.records == 0;
}

bool
delivery_crowded(const struct delivery *d)
{
    return d->queue.bytes > d->queue.ring.cap / 2;
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
    ledger_drop(&d->ledger, DROP_SHUTDOWN, d->queue.events);
    queue_open(&d->queue, before.ring.bytes, before.ring.cap);
    d->queue.common_key = before.common_key;
}

void
delivery_check(const struct delivery *d)
{
    CHECK(ledger_holds(&d->ledger, d->queue.events));
    CHECK(d->queue.count[QUEUE_SENT] == 0 || d->call.under_way || d->dead.sending);
    CHECK(d->batch_max >= 1 && d->batch_max <= BATCH_MAX_RECORDS);
    CHECK(!d->urgency.over || delivery_delivered(d));
    queue_check(&d->queue);
}
