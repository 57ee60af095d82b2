#include "laws.h"

/* What a call to the stream is made of. */

enum { FULL_BYTES = 1048576, REQUEST_BYTES = 5 * 1024 * 1024 };

/* A record is in a batch once, and not after it was accepted. Counts those that were in one before. */
static void
each_once(struct life *w)
{
    struct client_call *c = &w->client.call;

    for (uint32_t i = 0; i < c->len; i++) {
        struct known k = c->known[i];
        struct piece *piece = k.piece < 0 ? NULL : &w->pieces[k.piece];

        c->resent += (piece == NULL ? w->events[k.event].in_call : piece->in_call) > 0;
        EACH_EVENT(w, k, n)
        {
            struct logged *e = &w->events[n];
            uint32_t *mark = piece == NULL ? &e->in_call : &piece->in_call;

            if (*mark == w->calls)
                laws_break(w, "batch: event %d is in it twice", n);
            if ((piece == NULL ? e->accepted : piece->accepted) > 0)
                laws_break(w, "batch: event %d was accepted, and is sent again", n);
            *mark = w->calls;
        }
    }
}

/*
 * A batch is as large as it may be: a slow service gets smaller ones, and nothing else makes them small but
 * the search for a record and a stream that throttles.
 */
static void
as_large_as_may_be(struct life *w)
{
    const struct delivery *m = &w->machine;
    const struct client_call *c = &w->client.call;
    uint32_t most = w->laws.batch_most;
    uint64_t bytes = 0, largest = 0;

    if (m->call.what > QUEUE_TAKE_FAILED)
        return;
    for (uint32_t i = 0; i < c->len; i++) {
        bytes += c->bytes[i];
        largest = c->bytes[i] > largest ? c->bytes[i] : largest;
    }
    if (c->len > most)
        laws_break(w, "batch: %u records, where %u are the most", c->len, most);
    if (c->len > 1 && bytes > (uint64_t)REQUEST_BYTES * most / BATCH_MAX_RECORDS)
        laws_break(w, "batch: %llu bytes of %u records", (unsigned long long)bytes, c->len);
    if (w->platform.state == LIFE_ENDING && c->len > 1 && bytes > FULL_BYTES)
        laws_break(w, "batch: %llu bytes at the end", (unsigned long long)bytes);
    if (m->pace.per_second == 0 && w->laws.probes == 0 && m->queue.count[QUEUE_FRESH] > 0 &&
        c->len < most && (bytes + 65536) * 2 < (uint64_t)REQUEST_BYTES * most / BATCH_MAX_RECORDS)
        laws_break(w, "batch: %u records, and %u more may be in it", c->len, most - c->len);
}

/* Fresh records wait for others, so that calls are few: unless there is a reason to hurry. */
static void
lingers(struct life *w)
{
    const struct laws *l = &w->laws;
    const struct client_call *c = &w->client.call;
    uint64_t waited = life_now(w).ms - l->fresh_ms;

    if (c->resent > 0 || c->len + w->machine.queue.count[QUEUE_FRESH] >= BATCH_MAX_RECORDS ||
        c->known[0].event < l->flushed || w->platform.state == LIFE_ENDING || l->held ||
        waited >= w->plan.settings.linger_ms)
        return;
    if (w->machine.call.what == QUEUE_TAKE_FRESH && w->machine.queue.bytes < FULL_BYTES)
        laws_break(w, "linger: %u fresh records are sent after %llu ms", c->len,
                   (unsigned long long)waited);
}

void
laws_fresh(struct life *w)
{
    w->laws.before_open = w->machine.intake.open;
    if (w->machine.queue.count[QUEUE_FRESH] == 0 && w->machine.intake.open.events == 0)
        w->laws.fresh_ms = life_now(w).ms;
}

/* What is open now began with the event that came. */
void
laws_came(struct life *w)
{
    const struct aggregate *before = &w->laws.before_open, *open = &w->machine.intake.open;

    if (open->events > 0 && (before->events == 0 || before->sequence != open->sequence))
        w->laws.open_ms = life_now(w).ms;
    /* what has no room for the event goes at once; where it may be of another key that cannot be told here */
    if (before->events > 0 && (open->events == 0 || before->sequence != open->sequence) &&
        w->laws.flushed < w->events_len)
        w->laws.flushed = w->events_len;
}

void
laws_flushed(struct life *w)
{
    laws_news(w);
    w->laws.flushed = w->events_len;
}

void
laws_batch(struct life *w)
{
    const struct client_call *c = &w->client.call;

    if (c->len == 0 || c->len > BATCH_MAX_RECORDS)
        laws_break(w, "batch: %u records", c->len);
    each_once(w);
    as_large_as_may_be(w);
    lingers(w);
}
