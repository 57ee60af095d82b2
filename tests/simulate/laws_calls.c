#include "laws.h"

/*
 * Calls to the stream: what they are made of, how they follow each other, what a failure leads to. What the
 * service does is told by the life, never asked of the machine.
 */

enum {
    PROBE_RECORDS =
        25,      /* of a call while the breaker is open, and the least of a batch: delivery.h */
    GROWTH = 25, /* of batches, by each call that succeeds */
    FIRST_PROBE_MS = 500,  /* half of the first interval: breaker.h */
    LAST_PROBE_MS = 15000, /* half of the longest */
    SILENT_MAX = 3,
    HINT_MAX_MS = 5000,
    BACK_OFF_MAX_MS = 20000, /* retry.h */
    TRANSIENT_BASE_MS = 50,
    THROTTLED_BASE_MS = 1000,
    TRANSIENT_COST = 14,
    THROTTLED_COST = 5,
    LEAST_SILENCE_MS = 50,
};

static bool
ending(const struct life *w)
{
    return w->platform.state == LIFE_ENDING;
}

/* --- how calls follow each other --- */

void
laws_calls_begin(struct life *w)
{
    struct laws *l = &w->laws;

    l->well = l->failed = l->may_at_once = l->at_once = l->hopeless = false;
    l->hint_ms = l->in_a_row = l->silent = l->probes = 0;
    l->tokens = LAWS_QUOTA;
    l->cost = 0;
    l->batch_most = BATCH_MAX_RECORDS;
    l->letter_at_once = true;
    l->keys = w->plan.settings.key == KEY_NONE ? KEYS_DOUBTED : KEYS_SENT;
    l->keyed = false;
}

/*
 * After a call that failed as a whole the next one waits, and as long as the service asks for unless somebody
 * waits for delivery; but for the one call that may do better at once, with other credentials or another
 * clock, of which there is one before something is accepted again.
 */
static void
back_off(struct life *w)
{
    struct laws *l = &w->laws;
    uint64_t waited = life_now(w).ms - l->failed_ms;

    if (!l->failed || l->may_at_once)
        return;
    if (waited == 0)
        laws_break(w, "back-off: a call was made at once after one that failed");
    if (!l->hurried && waited < l->hint_ms)
        laws_break(w, "back-off: a call after %llu ms, and the service asked for %u",
                   (unsigned long long)waited, l->hint_ms);
}

/* Half of the breaker's present interval. */
static uint64_t
half_interval_ms(const struct laws *l)
{
    uint64_t ms = FIRST_PROBE_MS;

    for (unsigned i = 1; i < l->probes && ms < LAST_PROBE_MS; i++)
        ms *= 2;
    return ms < LAST_PROBE_MS ? ms : LAST_PROBE_MS;
}

/*
 * An open breaker lets one small call through an interval, which doubles; the sandbox's end is the last
 * chance for all that is left. The wall clock counts, for it goes on in a freeze; where it was set
 * nothing can be told.
 */
static void
probe(struct life *w)
{
    struct laws *l = &w->laws;
    uint64_t waited = life_now(w).wall_ms - l->probe_wall_ms;

    if (l->probes == 0 || ending(w))
        return;
    if (w->client.call.len > PROBE_RECORDS)
        laws_break(w, "breaker: a probe of %u records", w->client.call.len);
    if (l->jumps == l->jumps_seen && waited < half_interval_ms(l))
        laws_break(w, "breaker: probe %u after %llu ms", l->probes, (unsigned long long)waited);
}

static uint32_t
cost(const struct laws *l)
{
    return l->class == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;
}

/* Each call after a failure is paid for while the breaker is closed, and a call that succeeds pays back. */
static void
quota(struct life *w)
{
    struct laws *l = &w->laws;

    if (l->in_a_row == 0 || l->probes > 0 || ending(w))
        return;
    l->cost = cost(l);
    if (l->tokens < l->cost)
        laws_break(w, "quota: a retry that is not paid for");
    else
        l->tokens -= l->cost;
}

void
laws_sent(struct life *w, const struct delivery_order *order)
{
    struct laws *l = &w->laws;
    const struct client_call *c = &w->client.call;
    uint64_t now = life_now(w).ms;
    uint64_t left = l->wait_until_ms > now ? l->wait_until_ms - now : 0;

    laws_news(w);
    if (l->to_refresh)
        laws_break(w, "credentials: those that were refused are used again");
    if (client_coming(w) || !l->ready)
        laws_break(w, "credentials: a call before they have come");
    l->ready = false;
    /* at the end there has to be time for another connection */
    if (order->silence_ms > 0 && !ending(w))
        laws_break(w, "batch: a call that is given little time");
    if (ending(w) &&
        (order->silence_ms == 0 ||
         order->silence_ms > (left / 2 > LEAST_SILENCE_MS ? left / 2 : LEAST_SILENCE_MS)))
        laws_break(w, "last chance: %u ms for a call, %llu left", order->silence_ms,
                   (unsigned long long)left);
    laws_keys_sent(w, order);
    laws_batch(w);
    back_off(w);
    probe(w);
    quota(w);
    l->sent += c->len;
    l->fresh_ms = w->machine.intake.open.events > 0 ? l->open_ms : now;
    /* nothing is known of it, and a fetch of credentials may fail before its end */
    l->class = RETRY_TRANSIENT;
}

/* --- what a failure leads to --- */

static uint32_t
accepted(const struct client_call *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; c->reply.records && i < c->len; i++)
        n += c->codes[i] == 0;
    return n;
}

void
laws_replies(struct life *w)
{
    const struct client_call *c = &w->client.call;
    struct laws *l = &w->laws;
    uint32_t n = accepted(c);

    laws_keys_replied(w);
    l->failures_before = w->machine.breaker.failures;
    l->answered_ms = c->begun_ms;
    l->accepted += n;
    l->refused_calls += c->for_record && !l->keyed && !ending(w);
    for (uint32_t i = 0; c->reply.records && i < c->len; i++)
        l->bytes += c->codes[i] == 0 ? c->bytes[i] : 0;
    if (c->reply.requests > 0)
        l->retried += c->resent;
    if (c->reply.result != 0)
        life_say(w, "the call ends after %u ms: error %d, %u requests, %u unanswered",
                 (unsigned)(w->clock.ms - c->begun_ms), c->reply.result, c->reply.requests,
                 c->reply.unanswered);
    else
        life_say(w, "the call ends after %u ms: %u %.*s, %u of %u accepted%s%.*s",
                 (unsigned)(w->clock.ms - c->begun_ms), c->reply.status, (int)c->code.len,
                 c->code.len > 0 ? c->code.p : "", n, c->len, c->reply.message.len > 0 ? ": " : "",
                 (int)c->reply.message.len, c->reply.message.len > 0 ? c->reply.message.p : "");
}

/* One failure more of those that open the breaker, or that it stays open for. */
static void
failed_once(struct life *w)
{
    struct laws *l = &w->laws;

    l->in_a_row++;
    l->probes += l->probes > 0;
    l->probe_wall_ms = life_now(w).wall_ms;
    l->jumps_seen = l->jumps;
}

/*
 * So many failures in a row open the breaker: an invocation is not to be held for a stream that cannot be
 * reached. So does a single one after which only a change from outside helps, and a retry that
 * there is no quota for; and nothing else.
 */
void
laws_breaker(struct life *w)
{
    struct laws *l = &w->laws;
    bool open = breaker_open(&w->machine.breaker);
    bool reason = l->in_a_row >= w->plan.settings.max_attempts || l->silent >= SILENT_MAX ||
                  (l->hopeless && l->in_a_row > 0);

    if (open && l->probes == 0) {
        if (!reason && l->tokens >= cost(l))
            laws_break(w, "breaker: open after %u failures", l->in_a_row);
        l->probes = 1;
        l->in_a_row = w->machine.breaker.failures; /* a retry without quota is one of them */
        l->openings++;
        l->to_tell_open = true;
        l->probe_wall_ms = life_now(w).wall_ms;
        l->jumps_seen = l->jumps;
    }
    if (!open && reason)
        laws_break(w, "breaker: closed after %u failures in a row", l->in_a_row);
    if (!open && l->probes > 0)
        laws_break(w, "breaker: closed, and nothing was accepted");
    if (w->machine.ledger.breaker_openings != l->openings)
        laws_break(w, "breaker: %u openings are not counted as such", l->openings);
}

void
laws_fetched(struct life *w, bool failed)
{
    laws_news(w);
    w->laws.held_calls = 0;
    w->laws.fetched_at_end = w->laws.fetched_at_end || ending(w);
    if (failed) {
        failed_once(w);
        w->laws.silent = 0;
    }
    laws_breaker(w);
}

void
laws_refreshed(struct life *w)
{
    if (!w->laws.to_refresh && w->plan.settings.dead_letter != DEAD_LETTER_S3)
        laws_break(w, "credentials: fetched anew, and nobody has refused them");
    w->laws.to_refresh = false;
}

/* A call was refused for what one of its records is, or as if it were: whether that counts, the search tells. */
static void
fails_for_record(struct life *w)
{
    struct laws *l = &w->laws;
    const struct delivery *m = &w->machine;
    uint32_t half = w->client.call.len / 2 > PROBE_RECORDS ? w->client.call.len / 2 : PROBE_RECORDS;
    bool ended = breaker_open(&m->breaker) && l->probes == 0;

    l->hint_ms = 0;
    l->hopeless = false;
    if (m->breaker.failures > l->failures_before)
        failed_once(w);
    l->in_a_row = m->breaker.failures;
    l->silent = m->breaker.silent;
    /* a search that ends as it begins, since the next call cannot be paid for, is told by the batches alone */
    if (m->call.what <= QUEUE_TAKE_FAILED &&
        (m->queue.count[QUEUE_SUSPECT] > 0 || (ended && m->batch_max == half)))
        l->batch_most = half;
}

/* A call brought nothing at all. */
static void
fails(struct life *w)
{
    const struct client_call *c = &w->client.call;
    enum retry_class class = c->reply.class;
    struct laws *l = &w->laws;

    l->failed = true;
    l->failed_ms = life_now(w).ms;
    l->hint_ms = c->reply.retry_after_ms < HINT_MAX_MS ? c->reply.retry_after_ms : HINT_MAX_MS;
    l->hurried = ending(w) || l->held;
    l->class = class;
    l->to_refresh = c->reply.result == 0 && class == RETRY_CREDENTIALS;
    l->may_at_once = !l->at_once && c->reply.result == 0 &&
                     ((class == RETRY_SKEW && c->reply.skewed) ||
                      (class == RETRY_CREDENTIALS && w->plan.fetches));
    if (class == RETRY_RECORD && c->reply.result == 0) {
        fails_for_record(w);
        return;
    }
    if (c->reply.result == ERR_LATE && c->reply.requests > 0 && l->batch_most / 2 >= PROBE_RECORDS)
        l->batch_most /= 2;
    if (l->may_at_once) {
        l->at_once = true;
        return;
    }
    failed_once(w);
    l->hopeless = c->reply.result == 0 && class != RETRY_TRANSIENT && class != RETRY_THROTTLED;
    l->silent = c->reply.result == ERR_LATE ? l->silent + 1 : 0;
}

static void
succeeds(struct life *w)
{
    struct laws *l = &w->laws;

    laws_room_came(w);
    l->to_tell_recovery = l->failures_before > 0;
    l->at_once = l->hopeless = false;
    l->in_a_row = l->silent = l->probes = 0;
    l->tokens += l->cost > 0 ? l->cost : 1;
    l->tokens = l->tokens < LAWS_QUOTA ? l->tokens : LAWS_QUOTA;
    l->cost = 0;
    if (w->machine.call.what != QUEUE_TAKE_ASIDE)
        l->batch_most += GROWTH;
    if (l->batch_most > BATCH_MAX_RECORDS)
        l->batch_most = BATCH_MAX_RECORDS;
}

/* A line for each failure, but for one that is made good at once. */
static void
worth(struct life *w, enum delivery_worth worth)
{
    const struct client_call *c = &w->client.call;
    uint32_t n = accepted(c);
    enum delivery_worth should = n == c->len                             ? DELIVERY_WELL
                                 : n > 0                                 ? DELIVERY_PARTLY
                                 : w->laws.keyed                         ? DELIVERY_KEYED
                                 : w->laws.failed && w->laws.may_at_once ? DELIVERY_UNREMARKABLE
                                                                         : DELIVERY_ERROR;

    if (worth != should)
        laws_break(w, "log: a reply is worth %d, not %d", (int)worth, (int)should);
}

void
laws_replied(struct life *w, enum delivery_worth told)
{
    const struct client_call *c = &w->client.call;
    struct laws *l = &w->laws;

    laws_news(w);
    l->failed = l->may_at_once = false;
    l->well = accepted(c) > 0;
    /* also of a call that went well: the next thing that fails may be a fetch of credentials */
    if (c->reply.records)
        l->class = c->throttled ? RETRY_THROTTLED : RETRY_TRANSIENT;
    if (c->throttled)
        l->throttled_ms = life_now(w).ms;
    if (l->well) {
        succeeds(w);
    } else if (l->keyed) {
        l->class = c->reply.records ? l->class : c->reply.class;
    } else if (!c->reply.records) {
        fails(w);
    } else {
        /* whether that is the stream's fault or the records' is for the machine to tell */
        if (w->machine.breaker.failures > l->failures_before)
            failed_once(w);
        l->in_a_row = w->machine.breaker.failures;
        l->silent = w->machine.breaker.silent;
        l->hopeless = false;
    }
    worth(w, told);
    laws_breaker(w);
}

void
laws_noted(struct life *w, const struct delivery_order *order)
{
    struct laws *l = &w->laws;
    bool *told = order->note == DELIVERY_OPENED ? &l->to_tell_open : &l->to_tell_recovery;

    if (order->note == DELIVERY_FULL)
        return;
    laws_breaker(w);
    if (order->note == DELIVERY_RECOVERS && order->failures != l->failures_before)
        laws_break(w, "log: %u failures, %u are told", l->failures_before, order->failures);
    if (!*told)
        laws_break(w, "log: %s",
                   order->note == DELIVERY_OPENED ? "the breaker has not opened"
                                                  : "nothing was wrong before");
    *told = false;
}

/* --- what can be sent is sent in time --- */

/* The longest wait of the back-off after so many failures. */
static uint64_t
longest_ms(const struct laws *l)
{
    uint64_t ms = l->class == RETRY_THROTTLED ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS;

    for (unsigned i = 1; i < l->in_a_row && ms < BACK_OFF_MAX_MS; i++)
        ms *= 2;
    return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The same while somebody waits for delivery: a wait takes an eighth of the time at most, or 50 ms. */
static uint64_t
hurried_ms(const struct laws *l)
{
    uint64_t from = l->failed_ms > l->wait_from_ms ? l->failed_ms : l->wait_from_ms;
    uint64_t left = l->wait_until_ms > from ? l->wait_until_ms - from : 0;

    if (l->wait_until_ms == 0)
        return UINT64_MAX;
    return from + 1 + (left / 8 > TRANSIENT_BASE_MS ? left / 8 : TRANSIENT_BASE_MS);
}

/* The moment at which the next call is due at the latest, while nothing is under way. */
static uint64_t
latest_ms(const struct life *w)
{
    const struct laws *l = &w->laws;
    const uint32_t *count = w->machine.queue.count;
    struct moment now = life_now(w);
    uint64_t passed = now.wall_ms - l->probe_wall_ms;
    uint64_t interval = 2 * half_interval_ms(l);

    if (l->probes > 0 && !ending(w)) {
        if (l->jumps != l->jumps_seen)
            return now.ms + 2 * LAST_PROBE_MS;
        /* a back-off may outlast the first intervals */
        return now.ms + (passed < interval ? interval - passed : 0) + BACK_OFF_MAX_MS + HINT_MAX_MS;
    }
    /* what was set aside waits for others */
    if (l->failed && count[QUEUE_FAILED] + count[QUEUE_SUSPECT] > 0 && l->class != RETRY_RECORD &&
        !l->hopeless && !w->client.call.reply.hopeless)
        return earlier(l->failed_ms + 1 + longest_ms(l) + l->hint_ms, hurried_ms(l));
    if (l->well && count[QUEUE_FAILED] + count[QUEUE_ASIDE] + count[QUEUE_SUSPECT] == 0 &&
        w->machine.pace.per_second == 0)
        return (l->fresh_ms > now.ms ? l->fresh_ms : now.ms) + w->plan.settings.linger_ms;
    return now.ms + BACK_OFF_MAX_MS + HINT_MAX_MS + 2;
}

/*
 * Whether all that could be sent is open, and has no room but what a dead letter makes that is being written, or will
 * be once more.
 */
static bool
awaits_letter(const struct life *w)
{
    const struct queue *q = &w->machine.queue;
    const struct letter_call *l = &w->letter;

    return w->machine.urgency.open_stuck && (l->under_way || l->reply.written < l->len) &&
           q->count[QUEUE_SENT] + q->count[QUEUE_DEAD] + q->count[QUEUE_IN_DOUBT] == q->records;
}

void
laws_calls_wait(struct life *w)
{
    struct laws *l = &w->laws;
    const struct delivery *m = &w->machine;

    laws_breaker(w);
    if (l->to_tell_open || l->to_tell_recovery)
        laws_break(w, "log: nothing is told of the breaker");
    if (l->to_refresh)
        laws_break(w, "credentials: refused, and not fetched anew");
    if (m->call.under_way || m->urgency.over || w->client.fetching || delivery_delivered(m) ||
        awaits_letter(w))
        return;
    if ((l->keyed || (l->failed && l->may_at_once)) && l->probes == 0 && m->pace.per_second == 0 &&
        m->queue.count[QUEUE_FAILED] + m->queue.count[QUEUE_SUSPECT] > 0)
        laws_break(w, "back-off: what may do better at once is not tried");
    if (w->machine_at_ms > latest_ms(w) && w->machine_at_ms > life_now(w).ms + 1)
        laws_break(w, "liveness: the next call is due in %lld ms, which is %lld too late",
                   (long long)(w->machine_at_ms - life_now(w).ms),
                   (long long)(w->machine_at_ms - latest_ms(w)));
}
