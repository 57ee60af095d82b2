#include "protocol/check.h"
#include "protocol/delivery_parts.h"

/*
 * Events that come, and what has to give way where there is no room for them.
 */

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

/* What was open is a record of the queue, and as old and as urgent as it was. */
static void
closed(struct delivery *d, uint32_t fresh)
{
    if (fresh == 0)
        d->urgency.fresh_since_ms = d->urgency.open_since_ms;
    if (d->urgency.flush_open)
        d->urgency.flush_fresh = d->queue.count[QUEUE_FRESH];
    d->urgency.flush_open = false;
}

bool
delivery_close(struct delivery *d)
{
    uint32_t fresh = d->queue.count[QUEUE_FRESH];
    bool room = !cramped(d);

    while (room && intake_close(&d->intake) != 0)
        room = sacrifice(d);
    d->urgency.open_stuck = !room;
    if (room)
        closed(d, fresh);
    else /* what it writes makes room */
        d->dead.flush = true;
    return room;
}

COLD void
delivery_seal(struct delivery *d)
{
    uint32_t fresh = d->queue.count[QUEUE_FRESH];

    if (d->intake.open.events == 0)
        return;
    d->intake.open.sealed = intake_close(&d->intake) != 0;
    if (!d->intake.open.sealed)
        closed(d, fresh);
}

COLD void
delivery_account(struct delivery *d, struct span account_id)
{
    delivery_seal(d);
    intake_account(&d->intake, account_id);
}

COLD void
delivery_log_stream(struct delivery *d, struct span name)
{
    delivery_seal(d);
    intake_stream(&d->intake, name);
}

/* The event has found no room. Returns 0 when it has been taken, or dropped; else ERR_FULL. */
COLD static int
make_room(struct delivery *d, struct moment now, const struct event *event)
{
    bool room = !cramped(d);

    /* the open record may need room first, and then the event */
    for (int needs = 0; room && needs < 2; needs++) {
        while (room && !intake_has_room(&d->intake))
            room = sacrifice(d);
        if (room && intake_event(&d->intake, event) == 0)
            return 0;
    }
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

/* The number of the oldest event of the open record; UINT64_MAX: none is open. */
static uint64_t
open_sequence(const struct delivery *d)
{
    return d->intake.open.events > 0 ? d->intake.open.sequence : UINT64_MAX;
}

/* What was open before is in the queue, or another record is open, or both. */
COLD static void
turned(struct delivery *d, uint64_t before, uint32_t fresh, uint64_t now_ms)
{
    if (before != UINT64_MAX)
        closed(d, fresh);
    /* one that is full waits for nothing, and gets out of the way of what is still read */
    if (d->intake.open.full)
        d->urgency.flush_fresh = d->queue.count[QUEUE_FRESH];
    d->intake.open.full = false;
    d->urgency.open_since_ms = now_ms;
    d->pending.connect = d->news = true;
}

int
delivery_event(struct delivery *d, struct moment now, const struct event *event)
{
    uint64_t before = open_sequence(d);
    uint32_t fresh = d->queue.count[QUEUE_FRESH];
    int r;

    d->intake.messages.wall_ms = now.wall_ms;
    r = cramped(d) ? ERR_FULL : intake_event(&d->intake, event);

    if (r != 0)
        r = make_room(d, now, event);
    if (open_sequence(d) != before)
        turned(d, before, fresh, now.ms);
    else if (fresh == 0 && d->queue.count[QUEUE_FRESH] > 0) {
        d->urgency.fresh_since_ms = now.ms;
        d->pending.connect = d->news = true;
    }
    if (r != 0)
        return ERR_FULL;
    /* while the rest of a large POST is read, what has come is sent */
    if (d->queue.count[QUEUE_FRESH] == BATCH_MAX_RECORDS)
        d->news = true;
    CHECK(ledger_holds(&d->ledger, delivery_queued(d)));
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
    d->urgency.flush_open = d->intake.open.events > 0;
}

void
delivery_open(struct delivery *d)
{
    const uint32_t *count = d->queue.count;
    bool waits = count[QUEUE_FRESH] + count[QUEUE_FAILED] + d->intake.open.events > 0;

    if (ahead_connect(&d->ahead, d->ledger.received, waits))
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
