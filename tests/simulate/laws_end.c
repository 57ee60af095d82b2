#include "laws.h"

/*
 * What can only be told when faults have ceased, at SHUTDOWN, and when the life is over.
 */

enum {
    CALM_MAX_MS = 120000,
    LEAST_BURST_MS = 300, /* or it is the way there and back that limits it */
    SEARCH_CALLS = 9,     /* suspect.h */
    PACE_MS = 1000,       /* what a shard takes at once is what it takes in that time */
};

/* --- liveness: once nothing fails any more all is delivered soon, and what is dead is written --- */

bool
laws_calm(struct life *w)
{
    const struct delivery *m = &w->machine;
    uint64_t ms = w->clock.ms - w->platform.calm_ms;
    uint64_t most = CALM_MAX_MS;

    if (delivery_drained(m))
        return true;
    if (w->plan.shards > 0)
        most += m->queue.records * 2;
    /*
     * a stream that goes on refusing what is too large, or what has a poisoned line among its many, opens the breaker, and
     * in each pause more of that comes
     */
    if (w->plan.per_mille[FAULT_LARGE] > 0 ||
        (w->plan.per_mille[FAULT_POISON] > 0 && w->plan.settings.aggregation == AGGREGATION_LINES))
        most *= 10;
    if (ms > most)
        laws_break(w, "liveness: %llu ms after the last fault %u records are not delivered",
                   (unsigned long long)ms, m->queue.records);
    return false;
}

void
laws_shut_down(struct life *w)
{
    w->laws.hurried = true;
    w->laws.wait_from_ms = life_now(w).ms;
    w->laws.wait_until_ms = w->platform.end_ms;
    w->laws.flushed = UINT32_MAX;
    /* waits that were chosen when there was more time are over */
    w->laws.failed = false;
    w->laws.letter_at_once = true;
    laws_news(w);
}

/*
 * A second is enough for little, where nothing fails: for less where records, or bodies, are too large and cost several
 * calls. That the stream throttled a moment ago is believed for a second (pace.h).
 */
static void
last_chance(struct life *w)
{
    const struct plan *p = &w->plan;
    unsigned few = p->per_mille[FAULT_LARGE] + p->per_mille[FAULT_BODY] > 0 ? 20 : 100;
    bool paced = w->laws.wait_from_ms < w->laws.throttled_ms + PACE_MS;

    if (w->platform.calm_ms > 0 && p->shutdown_ms >= 1000 && p->latency_ms <= 20 &&
        p->shards == 0 && p->events <= few && !paced && !delivery_drained(&w->machine))
        laws_break(w, "last chance: %u records are left after %u ms", w->machine.queue.records,
                   p->shutdown_ms);
}

/*
 * What the stream does not take by its end is in the dead letter, where that and the credentials are well: unless the
 * platform still has some to say, of which each object in S3 makes room for a queue's worth alone, or had until just
 * now, when an object may have been under way without it.
 */
static void
last_letter(struct life *w)
{
    const struct plan *p = &w->plan;
    const uint32_t *f = p->per_mille;
    const struct client *client = &w->client;
    bool signs = p->settings.dead_letter == DEAD_LETTER_S3;
    bool more = w->platform.feed_left > 0 || w->platform.posts_left > 0 ||
                (signs && w->clock.ms < w->laws.came_ms + 2 * LETTER_MAX_MS);

    if (p->settings.dead_letter == DEAD_LETTER_NONE || p->shutdown_ms < 1000 || more ||
        f[FAULT_LETTER] + f[FAULT_LETTER_LOST] + f[FAULT_LETTER_SLOW] > 0)
        return;
    if (signs &&
        (client->fetching || client->credentials != CREDENTIALS_GOOD || w->laws.fetched_at_end))
        return;
    if (!delivery_drained(&w->machine))
        laws_break(w, "last letter: %u records are left after %u ms", w->machine.queue.records,
                   p->shutdown_ms);
}

/* Of the time that is left at the end the stream has its share, unless it is known to be out of reach. */
void
laws_given_up(struct life *w)
{
    enum { STDERR_MS = 150 };
    const struct laws *l = &w->laws;
    uint64_t left = l->wait_until_ms - l->wait_from_ms;
    uint64_t share = left > STDERR_MS ? left - STDERR_MS : 0;

    if (w->platform.state != LIFE_ENDING || breaker_open(&w->machine.breaker) || w->over)
        return;
    if (w->plan.settings.dead_letter == DEAD_LETTER_S3)
        share = left / 2;
    if (life_now(w).ms < l->wait_from_ms + share)
        laws_break(w, "last chance: the stream is given up %llu ms before its time",
                   (unsigned long long)(l->wait_from_ms + share - life_now(w).ms));
}

void
laws_ends(struct life *w)
{
    last_chance(w);
    last_letter(w);
}

/* --- throttling --- */

void
laws_burst(struct life *w)
{
    w->laws.burst_ms = w->clock.ms;
    w->laws.burst_room = stream_room(&w->stream, w->clock.ms);
    w->laws.sent = w->laws.accepted = 0;
}

static bool
burst_lasts(const struct laws *l)
{
    return l->burst_ms > 0 && l->burst_over_ms == 0;
}

static void
burst_ends(struct life *w)
{
    struct laws *l = &w->laws;
    /* an end so near finds the stream between two calls, of which the second one may have no time for its reply */
    bool sudden = w->platform.state == LIFE_ENDING && w->machine.urgency.stream_ms < LEAST_BURST_MS;

    l->burst_over_ms = sudden ? l->answered_ms : w->clock.ms;
    if (l->burst_over_ms < l->burst_ms)
        l->burst_over_ms = l->burst_ms;
    l->burst_accepted = l->accepted;
}

/* When what a burst has brought is delivered, but for a few: they have to wait as after any failure. */
void
laws_burst_goes_on(struct life *w)
{
    if (!burst_lasts(&w->laws) || w->platform.feed_left > 0 ||
        w->machine.queue.records * 50 > w->plan.burst)
        return;
    burst_ends(w);
}

/* At the end the stream has a share of the time, and then it is the dead letter's turn. */
void
laws_burst_is_buried(struct life *w)
{
    if (burst_lasts(&w->laws) && w->platform.state == LIFE_ENDING)
        burst_ends(w);
}

/*
 * Of shards that throttle, what is sent is no more than 2.5 times what they take, and they get as much as they
 * can take: nothing arrives later for it.
 */
static void
throttled(struct life *w)
{
    struct laws *l = &w->laws;
    uint64_t ms;
    uint64_t room;

    if (!w->plan.throttled_alone)
        return;
    if (l->burst_over_ms == 0)
        burst_ends(w);
    ms = l->burst_over_ms - l->burst_ms;
    room = l->burst_room + stream_capacity(&w->stream, ms);
    if (ms >= LEAST_BURST_MS && l->burst_accepted * 4 < room * 3)
        laws_break(w, "throttling: %llu records accepted in %llu ms, %llu could be",
                   (unsigned long long)l->burst_accepted, (unsigned long long)ms,
                   (unsigned long long)room);
    if (l->sent * 2 > l->accepted * 5 + 2 * BATCH_MAX_RECORDS)
        laws_break(w, "throttling: %llu records sent, %llu accepted", (unsigned long long)l->sent,
                   (unsigned long long)l->accepted);
}

/*
 * A record that poisons its batches is found by few calls; or by twice AWS_MAX_ATTEMPTS where there are no
 * others. Where two of them in a row open the breaker the search begins anew.
 */
static void
poisoned(struct life *w)
{
    uint32_t attempts = w->plan.settings.max_attempts;
    uint32_t each = attempts + (attempts > SEARCH_CALLS ? attempts : SEARCH_CALLS);
    uint32_t bad = 0;

    if (!w->plan.poisoned_alone)
        return;
    for (uint32_t i = 0; i < w->events_len; i++)
        bad += w->events[i].poison || w->events[i].named;
    if (w->laws.refused_calls > (bad + w->laws.openings) * each)
        laws_break(w, "poison: %u calls refused for %u records", w->laws.refused_calls, bad);
}

/* What was counted as delivered is in the stream, and nothing else. */
static void
delivered(struct life *w)
{
    const struct ledger *g = &w->machine.ledger;
    uint32_t whole = 0, either = 0, split = 0;

    for (uint32_t i = 0; i < w->events_len; i++) {
        whole += records_whole(w, i, false);
        either += records_whole(w, i, true);
        split += w->events[i].split;
        if (w->events[i].accepted > w->events[i].in_stream)
            laws_break(w, "event %u was accepted, and is not in the stream", i);
    }
    if (g->delivered < whole || g->delivered > whole + split)
        laws_break(w, "ledger: %llu delivered, %u in the stream", (unsigned long long)g->delivered,
                   whole);
    if (g->delivered + g->dead_lettered > (uint64_t)either + split)
        laws_break(w, "ledger: %llu delivered and %llu dead, %u found",
                   (unsigned long long)g->delivered, (unsigned long long)g->dead_lettered, either);
}

/* No more was given up for what it is than had something wrong with it. */
static void
justice(struct life *w)
{
    const struct ledger *g = &w->machine.ledger;
    uint64_t dropped = g->dropped[DROP_REFUSED] + g->dropped[DROP_OVERSIZE];
    uint32_t guilty_ones = 0;

    /* the events of one record are looked at for each of them */
    for (uint32_t i = 0; i < w->events_len && guilty_ones < dropped; i++)
        guilty_ones += laws_guilty(w, i);
    if (dropped > guilty_ones)
        laws_break(w, "justice: %llu refused and %llu too large, %u had something wrong with them",
                   (unsigned long long)g->dropped[DROP_REFUSED],
                   (unsigned long long)g->dropped[DROP_OVERSIZE], guilty_ones);
}

void
laws_end(struct life *w)
{
    laws_ledger(w);
    if (!delivery_drained(&w->machine))
        laws_break(w, "ledger: %u records are queued after the end", w->machine.queue.records);
    throttled(w);
    poisoned(w);
    delivered(w);
    justice(w);
}
