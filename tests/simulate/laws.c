#include "laws.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    IDLE_WAKES_MAX = 3,
    IDLE_WAKE_MS = 400, /* while time itself counts: 500 ms, delivery.h */
    TICK_MS = 500,
    SEARCH_CALLS = 9, /* suspect.h */
    STOPPED_MAX_MS = DELIVERY_PATIENCE_MS + 1000,
};

void
laws_break(struct life *w, const char *format, ...)
{
    va_list arguments;

    if (w->laws.broken != NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(w->broken_text, sizeof w->broken_text, format, arguments);
    va_end(arguments);
    w->laws.broken = w->broken_text;
    life_say(w, "BROKEN: %s", w->broken_text);
}

/* Time without freezes. */
static uint64_t
awake_ms(const struct life *w)
{
    return w->clock.ms - w->clock.frozen_ms;
}

/* Time without what can be told to have been freezes: by a clock that goes on, what is longer than a tick. */
static uint64_t
counted_ms(const struct life *w)
{
    return w->clock.ms - w->clock.long_frozen_ms;
}

void
laws_begin(struct life *w)
{
    w->laws = (struct laws){.wait_ms = UINT64_MAX};
    laws_calls_begin(w);
}

/* --- no spinning: whoever asks to be called again without time or news keeps a processor busy --- */

void
laws_news(struct life *w)
{
    w->laws.idle_wakes = 0;
    w->laws.news_ms = life_now(w).ms;
}

void
laws_waits(struct life *w, unsigned orders)
{
    struct laws *l = &w->laws;
    uint64_t now = life_now(w).ms;

    laws_calls_wait(w);
    if (w->machine_at_ms <= now)
        laws_break(w, "no spinning: it waits until %llu ms ago",
                   (unsigned long long)(now - w->machine_at_ms));
    if (orders > 0 || l->wait_ms > now)
        laws_news(w);
    else if (++l->idle_wakes > IDLE_WAKES_MAX + (now - l->news_ms) / IDLE_WAKE_MS)
        laws_break(w, "no spinning: woken %u times in a row for nothing", l->idle_wakes);
    l->wait_ms = w->machine_at_ms;
}

/* --- records: what arrives is what was logged --- */

/* Whether the event may be too large for a record of this queue or stream, whatever the format adds. */
static bool
too_large(const struct life *w, const struct logged *e)
{
    uint64_t size = (uint64_t)e->len + 1024;

    return size > w->plan.settings.queue_max_bytes / 2 || size > w->plan.stream_limit ||
           size > w->plan.body_limit || e->bytes > w->plan.stream_limit ||
           e->bytes > w->plan.body_limit;
}

void
laws_intact(struct life *w, uint32_t event, uint32_t number, struct span data, char letter)
{
    const struct logged *e = &w->events[event];
    const struct settings *s = &w->plan.settings;
    size_t len = e->len + 2;
    size_t end = data.len > 20 ? data.len - 3 : 0;

    /* what is cut down may have lost its number */
    if (number != event && !(s->oversize == OVERSIZE_TRUNCATE && too_large(w, e)))
        laws_break(w, "the record that counts for event %u is of event %u", event, number);
    if (e->lost)
        laws_break(w, "event %u was lost, and is here", event);
    if (s->format == EVENT_ENRICHED || s->oversize == OVERSIZE_TRUNCATE)
        return;
    if (s->format == EVENT_VERBATIM)
        len +=
            sizeof "{\"time\":\"2026-11-29T00:00:00.000Z\",\"type\":\"function\",\"record\":}" - 1;
    if (data.len != len || (end > 0 && data.p[end] != letter && e->len > 12))
        laws_break(w, "the record of event %u is not what was logged", event);
}

/* A record of several events holds as many lines as it counts, and no more bytes than it may. */
void
laws_counted(struct life *w, const struct queue_record *record, size_t len, uint32_t found)
{
    const struct settings *s = &w->plan.settings;
    uint32_t event = (uint32_t)record->origin.sequence;

    if (found != record->origin.events)
        laws_break(w, "lines: the record of event %u has %u of them, and counts %u", event, found,
                   record->origin.events);
    if (found > 1 && s->aggregation == AGGREGATION_NONE)
        laws_break(w, "lines: the record of event %u has %u events", event, found);
    if (found > 1 && len > s->aggregation_max_bytes)
        laws_break(w, "lines: %zu bytes of %u events in a record", len, found);
    if (s->compression == COMPRESSION_GZIP && record->data.len > len + len / 1000 + 32 &&
        record->data.len != len)
        laws_break(w, "gzip: %zu bytes for %zu", record->data.len, len);
}

/* --- the dead letter --- */

void
laws_buries(struct life *w, const struct delivery_order *order)
{
    struct laws *l = &w->laws;
    uint64_t now = life_now(w).ms;
    uint64_t left = l->wait_until_ms > now ? l->wait_until_ms - now : 0;
    bool ending = w->platform.state == LIFE_ENDING;

    laws_news(w);
    if (w->plan.settings.dead_letter == DEAD_LETTER_NONE)
        laws_break(w, "dead letter: there is to be none");
    if (w->letter.len == 0)
        laws_break(w, "dead letter: of no record");
    if (order->silence_ms < (ending ? 50 : 1000) ||
        (ending && order->silence_ms > (left / 2 > 50 ? left / 2 : 50)))
        laws_break(w, "dead letter: %u ms for it, %llu left", order->silence_ms,
                   (unsigned long long)left);
    if (now == l->letter_ended_ms && !l->letter_at_once)
        laws_break(w, "dead letter: one at once after one that failed");
    laws_burst_is_buried(w);
}

void
laws_bury_ended(struct life *w)
{
    const struct dead_letter_reply *r = &w->letter.reply;

    laws_news(w);
    w->laws.letter_ended_ms = life_now(w).ms;
    w->laws.letter_at_once = w->plan.settings.dead_letter == DEAD_LETTER_S3 &&
                             (r->written > 0 || r->skewed || r->class == RETRY_CREDENTIALS);
    if (r->written > 0)
        laws_room_came(w);
}

/*
 * Whether an event may leave the way to the stream before the end: it is refused whatever the others are, or
 * was as often as AWS_MAX_ATTEMPTS allows, or is too large for a record of this queue.
 */
static bool
guilty(const struct life *w, uint32_t event)
{
    const struct logged *e = &w->events[event];

    return e->poison || e->named || e->large ||
           e->refused + e->alone >= (int)w->plan.settings.max_attempts || too_large(w, e);
}

/* The same of an event that it may be in one record with. */
bool
laws_guilty(const struct life *w, uint32_t event)
{
    for (int32_t i = (int32_t)w->events[event].record; i >= 0; i = w->events[i].next)
        if (guilty(w, (uint32_t)i))
            return true;
    return guilty(w, event);
}

void
laws_buried(struct life *w, struct known known)
{
    if (w->platform.state != LIFE_ENDING && !laws_guilty(w, known.event))
        laws_break(w, "justice: event %u is for the dead letter, and nothing is wrong with it",
                   known.event);
}

void
laws_refused(struct life *w, uint32_t event)
{
    const struct settings *s = &w->plan.settings;

    if (s->dead_letter != DEAD_LETTER_NONE && w->events[event].refused > (int)s->max_attempts &&
        !w->events[event].split)
        laws_break(w, "dead letter: event %u was refused %u times, and is sent again", event,
                   w->events[event].refused);
}

/*
 * Without others a record has twice as many tries, as long as somebody may want its room; a few by searches. More while
 * it waits for room to be split, which a queue that stays full does not give.
 */
void
laws_refused_alone(struct life *w, uint32_t event)
{
    const struct plan *p = &w->plan;
    bool splits = p->settings.oversize == OVERSIZE_SPLIT && p->per_mille[FAULT_LARGE] > 0;
    int most = 2 * ((int)p->settings.max_attempts + SEARCH_CALLS) * (splits ? 5 : 1);

    if (w->events[event].alone > most && w->platform.state != LIFE_ENDING && !w->plan.framed)
        laws_break(w, "poison: a call of event %u alone was refused %u times", event,
                   w->events[event].alone);
}

/* --- the queue that is full --- */

void
laws_offers(struct life *w)
{
    w->laws.before = w->machine.ledger;
}

/* Events are dropped for want of room after the queue was full for as long as there is patience. */
void
laws_offered(struct life *w)
{
    const struct ledger *now = &w->machine.ledger, *before = &w->laws.before;
    const struct laws *l = &w->laws;

    uint64_t dropped = now->dropped[DROP_OVERFLOW] - before->dropped[DROP_OVERFLOW];

    w->laws.came_ms = w->clock.ms;
    if (now->received != before->received + 1)
        laws_break(w, "ledger: an event was taken and not counted");
    if (w->plan.settings.drop == WHEN_FULL_NEWEST && dropped > 1)
        laws_break(w, "patience: %llu events are dropped for one that is newer",
                   (unsigned long long)dropped);
    if (dropped > 0 && (!l->full || counted_ms(w) < l->drop_from_ms))
        laws_break(w, "patience: an event is dropped, and the queue has not been full for long");
}

/* An event found no room, and is to come again. Where that lasts it is dropped. */
void
laws_full(struct life *w)
{
    struct laws *l = &w->laws;

    if (!l->full) {
        l->full = true;
        l->drop_from_ms = counted_ms(w) + l->patience_ms;
        l->drop_by_ms = awake_ms(w) + l->patience_ms;
    }
    if (!w->platform.stopped)
        l->stopped_ms = awake_ms(w);
    if (awake_ms(w) > l->drop_by_ms + TICK_MS)
        laws_break(w, "patience: an event is refused, and the queue has been full for too long");
}

void
laws_patience(struct life *w, uint32_t ms)
{
    struct laws *l = &w->laws;

    l->patience_ms = ms;
    if (!l->full)
        return;
    if (l->drop_from_ms > counted_ms(w) + ms)
        l->drop_from_ms = counted_ms(w) + ms;
    if (l->drop_by_ms > awake_ms(w) + ms)
        l->drop_by_ms = awake_ms(w) + ms;
}

/* Records have left the queue: it is not the same that is full. */
void
laws_room_came(struct life *w)
{
    w->laws.full = false;
    w->laws.stopped_ms = awake_ms(w);
}

/*
 * Reading stops while there is no room, but no longer than we have patience: the platform drops what it
 * cannot send, and does not say which. While it is frozen it cannot send.
 */
static void
patience(struct life *w)
{
    const struct platform *p = &w->platform;
    struct laws *l = &w->laws;

    if (!p->stopped)
        return;
    if (p->feed_ms == UINT64_MAX && w->machine.queue.records == 0)
        laws_break(w, "patience: reading has stopped, and the queue is empty");
    if (awake_ms(w) - l->stopped_ms > STOPPED_MAX_MS)
        laws_break(w, "patience: reading has stopped for %llu ms",
                   (unsigned long long)(awake_ms(w) - l->stopped_ms));
}

/* --- invocations: none is held for what is pointless --- */

void
laws_held(struct life *w, uint64_t until_ms)
{
    struct laws *l = &w->laws;

    l->hurried = true;
    if (!l->held) {
        l->wait_from_ms = life_now(w).ms;
        l->held = true;
        l->held_calls = w->calls + (w->client.call.under_way ? 0 : 1);
        l->held_ms = life_now(w).ms;
        l->held_crowded = delivery_crowded(&w->machine);
    }
    l->wait_until_ms = until_ms;
    if (breaker_open(&w->machine.breaker))
        laws_break(w, "hold: an invocation is held while the breaker is open");
}

/*
 * It was held for a call, then: one that was under way, or that was made; or for one that was due, when what is open
 * turned out to have no room in the queue; or, by `adaptive`, for a queue that was crowded, and that the dead letter has
 * emptied.
 */
void
laws_released(struct life *w)
{
    struct laws *l = &w->laws;
    bool relieved = w->plan.settings.flush == FLUSH_ADAPTIVE && l->held_crowded &&
                    !delivery_crowded(&w->machine);

    if (l->held && !relieved && !w->machine.urgency.open_stuck && life_now(w).ms - l->held_ms > 1 &&
        w->calls < l->held_calls && !w->client.fetching)
        laws_break(w, "hold: an invocation was held for %llu ms without any call",
                   (unsigned long long)(life_now(w).ms - l->held_ms));
    l->held = false;
    l->wait_until_ms = 0;
}

/* --- the ledger --- */

/*
 * Each event is accounted for at any time; what may be there twice is said to be so, but for the call
 * that is under way, of which nothing is known yet.
 */
void
laws_ledger(struct life *w)
{
    const struct delivery *m = &w->machine;
    const struct client_call *c = &w->client.call;
    uint64_t unknown = c->under_way ? (uint64_t)c->events * c->reply.requests : 0;

    if (!ledger_holds(&m->ledger, delivery_queued(m)))
        laws_break(w, "ledger: %llu received, %llu delivered, %llu dead, %llu dropped, %llu queued",
                   (unsigned long long)m->ledger.received, (unsigned long long)m->ledger.delivered,
                   (unsigned long long)m->ledger.dead_lettered,
                   (unsigned long long)ledger_dropped(&m->ledger),
                   (unsigned long long)delivery_queued(m));
    if (m->ledger.received != w->events_len)
        laws_break(w, "ledger: %llu received, %u logged", (unsigned long long)m->ledger.received,
                   w->events_len);
    if (m->queue.records == 0 && (m->queue.bytes > 0 || m->queue.fresh_bytes > 0))
        laws_break(w, "ledger: the queue is empty, and has %llu bytes",
                   (unsigned long long)m->queue.bytes);
    if (m->queue.bytes > m->queue.ring.cap || m->queue.fresh_bytes > m->queue.bytes)
        laws_break(w, "ledger: %llu bytes are queued, %llu of them fresh, in a queue of %u",
                   (unsigned long long)m->queue.bytes, (unsigned long long)m->queue.fresh_bytes,
                   m->queue.ring.cap);
    if (m->ledger.bytes != w->laws.bytes)
        laws_break(w, "ledger: %llu bytes, %llu accepted", (unsigned long long)m->ledger.bytes,
                   (unsigned long long)w->laws.bytes);
    if (m->ledger.retried != w->laws.retried)
        laws_break(w, "ledger: %llu records retried, %llu were",
                   (unsigned long long)m->ledger.retried, (unsigned long long)w->laws.retried);
    if (w->laws.doubles > m->ledger.duplicates_possible + unknown)
        laws_break(w, "doubles: %llu events are there twice, %llu may be",
                   (unsigned long long)w->laws.doubles,
                   (unsigned long long)m->ledger.duplicates_possible);
    if (!w->over && m->ledger.dropped[DROP_SHUTDOWN] > 0)
        laws_break(w, "ledger: dropped for SHUTDOWN before the end");
}

/*
 * A copy counts what it has of the snapshot, each record of which may be there twice, and nothing else. In this
 * life, which goes on with the only one, the books do, too.
 */
void
laws_snapshot(struct life *w)
{
    w->laws.before = w->machine.ledger;
}

void
laws_restored(struct life *w)
{
    struct delivery *m = &w->machine;
    const struct queue *q = &m->queue;
    struct ledger own = {.received = delivery_queued(m),
                         .duplicates_possible = queue_all_events(q) + m->intake.open.events};

    if (delivery_queued(m) > 0)
        own.duplicates_possible += w->laws.before.duplicates_possible;

    if (memcmp(&m->ledger, &own, sizeof own) != 0)
        laws_break(w, "copies: %llu received and %llu perhaps twice, of %llu events and %u records",
                   (unsigned long long)m->ledger.received,
                   (unsigned long long)m->ledger.duplicates_possible, (unsigned long long)q->events,
                   q->records);
    m->ledger = w->laws.before;
    m->backoff.bytes_before = m->ledger.bytes;
    laws_calls_begin(w);
    laws_news(w);
}

static void
tell_drops(struct life *w)
{
    static const char *const reasons[DROP_REASONS] = {
        [DROP_OVERSIZE] = "too large",    [DROP_CUT] = "cut",
        [DROP_UNREADABLE] = "unreadable", [DROP_REFUSED] = "refused",
        [DROP_OVERFLOW] = "of no room",   [DROP_SHUTDOWN] = "of SHUTDOWN",
    };
    const struct ledger *now = &w->machine.ledger;

    for (unsigned i = 0; i < DROP_REASONS; i++) {
        if (now->dropped[i] != w->laws.told.dropped[i])
            life_say(w, "  %llu events are dropped: %s",
                     (unsigned long long)(now->dropped[i] - w->laws.told.dropped[i]), reasons[i]);
    }
    w->laws.told = *now;
}

void
laws_step(struct life *w)
{
    if (w->aloud)
        tell_drops(w);
    laws_burst_goes_on(w);
    if (w->machine.urgency.over)
        laws_given_up(w);
    laws_ledger(w);
    patience(w);
}
