#include <string.h>

#include "lambda.h"
#include "laws_ledger.h"
#include "poster.h"
#include "protocol/event.h"

/*
 * The numbers of enriched records: src/README.md, "Gaps and doubles". A number that is missing in the stream is a loss,
 * one that comes twice a double.
 */

enum { SEQS = 65536, ORIGINS = 256 };

/* The sandboxes that enriched records name. */
static struct origin {
    char token[80];
    size_t token_len;
    uint32_t sandbox; /* the run of the program that the first event of it was given to */
    uint32_t seqs, seq_most;
} origins[ORIGINS];
static uint32_t origins_used;

/* Which event has which number of which origin; entries of earlier lives are of no `life`. */
static struct {
    uint32_t life, origin, event;
    uint64_t seq;
} seqs[SEQS];
static uint32_t life;

void
seq_begin(void)
{
    origins_used = 0;
    life++;
}

/* The origin of this name; origins_used if there is none. */
static uint32_t
find_origin(struct span token)
{
    uint32_t i = 0;

    while (i < origins_used &&
           !span_same((struct span){origins[i].token, origins[i].token_len}, token))
        i++;
    return i;
}

static uint32_t
origin_of(struct span token, uint32_t sandbox)
{
    struct origin *o;
    uint32_t known = find_origin(token);

    if (known < origins_used)
        return known;
    if (origins_used == ORIGINS || token.len > sizeof origins->token)
        world_break("enriched: too many sandboxes, or one with a name of %zu bytes", token.len);
    o = &origins[origins_used];
    *o = (struct origin){.token_len = token.len, .sandbox = sandbox};
    memcpy(o->token, token.p, token.len);
    return origins_used++;
}

/* Where the event is that has this number, or nothing of this life. */
static uint32_t
place_of(uint32_t origin, uint64_t seq)
{
    uint32_t at = (uint32_t)((seq * ORIGINS + origin) * 0x9e3779b1u >> 7) % SEQS;

    while (seqs[at].life == life && (seqs[at].origin != origin || seqs[at].seq != seq))
        at = (at + 1) % SEQS;
    return at;
}

/* A number of a sandbox is that of one event. Returns whether it has come before. */
static bool
number_came(uint32_t origin, uint64_t seq, uint32_t event)
{
    uint32_t at = place_of(origin, seq);

    if (seqs[at].life == life) {
        if (seqs[at].event != event)
            world_break("enriched: seq %u is that of event %u and of event %u", (unsigned)seq,
                        seqs[at].event, event);
        return true;
    }
    seqs[at].life = life;
    seqs[at].origin = origin;
    seqs[at].seq = seq;
    seqs[at].event = event;
    return false;
}

/* Where telemetry comes in order and at once, a line has the id of the invocation that logged it. */
static void
check_request(const struct book *b, uint32_t event, struct span request)
{
    static const enum world_fault disorder[] = {
        WORLD_POST_BREAKS, WORLD_POST_LOST,          WORLD_POST_DOUBLED, WORLD_RECORD_CUT,
        WORLD_DROPS,       WORLD_FUNCTION_LOGS_LATE, WORLD_DONE_LATE,    WORLD_DONE_DOUBLED,
        WORLD_API_RESETS,  WORLD_API_SLOW,           WORLD_API_REFUSES};

    /*
     * An answer that was written in part alone is none: the POST comes again. And what waits too long, for a queue
     * that is full, is dropped, platform.start with it: then INVOKE alone tells of an invocation, and the next takes
     * its place.
     */
    if (b->request[0] == '\0' || !poster_in_order() || poster_dropped() ||
        world.plan.kernel.short_write > 0)
        return;
    if (world_may_strike(disorder, sizeof disorder / sizeof *disorder))
        return;
    if (!span_same(request, span_of(b->request)))
        world_break("enriched: event %u has the request id %.*s and not %s", event,
                    (int)request.len, request.p, b->request);
}

/* Each run of the program has a sandbox of its own; what a snapshot received may keep its name in the copies. */
void
seq_came(uint32_t event, struct span members)
{
    struct book *b = books_at(event);
    struct books_origin named;
    struct origin *o;
    uint32_t i;

    if (!books_origin(members, &named))
        world_break("enriched: event %u has the members %.*s", event, (int)members.len, members.p);
    check_request(b, event, named.request);
    i = origin_of(named.sandbox, b->sandbox);
    o = &origins[i];
    if (o->sandbox != b->sandbox && o->sandbox != ledger_snapshot())
        world_break("enriched: sandbox %.*s is named by runs %u and %u", (int)named.sandbox.len,
                    named.sandbox.p, o->sandbox, b->sandbox);
    if (number_came(i, named.seq, event))
        return;
    if (b->origin == 0)
        b->base = named.seq - b->place;
    b->origin = i + 1;
    o->seqs++;
    if (named.seq >= o->seq_most)
        o->seq_most = (uint32_t)named.seq + 1;
}

/* Which event has this number of an enriched record, if one has come with it. */
bool
seq_find(const struct book *b, struct span data, uint32_t *number)
{
    struct books_origin named;
    uint32_t at;

    if (world.plan.format != EVENT_ENRICHED || !books_origin(span_skip(data, b->len - 1), &named))
        return false;
    at = place_of(origin_of(named.sandbox, b->sandbox), named.seq);
    *number = seqs[at].event;
    return seqs[at].life == life;
}

bool
seq_may_be(const struct book *b, struct span data)
{
    struct books_origin named;
    uint32_t i;

    if (world.plan.format != EVENT_ENRICHED || data.len < b->len ||
        !books_origin(span_skip(data, b->len - 1), &named))
        return true;
    i = find_origin(named.sandbox);
    /* one that was not seen before is that of the program that runs */
    if (i == origins_used)
        return b->sandbox == world.sandbox || b->sandbox == ledger_snapshot();
    return origins[i].sandbox == b->sandbox || origins[i].sandbox == ledger_snapshot();
}

/* What is known of a POST: the numbers that its events have, less their places; how many took one. */
static struct numbered {
    uint64_t base;
    uint32_t origin; /* 0: no event with a number; a POST that is `loose` has none, either */
    uint32_t total, first;
    bool loose, mistaken; /* mistaken: may_be_mistaken, some of its events */
} posts[BOOKS_MAX];

/* In order and at once: of several POSTs at a time, or when one has broken off, events come in any order. */
static bool
in_order(void)
{
    const uint32_t *of = world.plan.per_mille;

    return poster_in_order() && world.plan.kernel.short_write == 0 &&
           of[WORLD_POST_BREAKS] + of[WORLD_POST_LOST] + of[WORLD_POST_DOUBLED] == 0;
}

/*
 * Where the program has written many dead letters to standard error it need not know each (see many_letters in
 * books.c): another's line that looks like one may be passed over, and one of its own may come, and has a number.
 */
static bool
may_be_mistaken(const struct book *b)
{
    return (b->letter && b->origin == 0) ||
           (!b->wanted && b->type == EVENT_EXTENSION && printed_many_letters(b->sandbox));
}

static void
number_post(struct numbered *p, uint32_t event)
{
    const struct book *b = books_at(event);

    p->mistaken = p->mistaken || may_be_mistaken(b);
    p->loose = p->loose || b->loose || (!b->given && !b->cut) || p->mistaken;
    if (b->wanted && b->place + 1 > p->total)
        p->total = b->place + 1;
    if (b->origin == 0 || b->blank || b->sends != 1)
        return;
    if (p->origin == b->origin && p->base != b->base && !p->mistaken)
        world_break("seq: events %u and %u of one POST are %lld apart, not %d", p->first, event,
                    (long long)(b->base + b->place - p->base - books_at(p->first)->place),
                    (int)(b->place - books_at(p->first)->place));
    p->origin = b->origin;
    p->base = b->base;
    p->first = event;
}

/*
 * src/README.md, "Gaps and doubles": every event that is accounted for takes a number. So those of one POST have numbers
 * that are as far apart as they are, whatever has become of the others, and those of the next come after all of them.
 */
void
seq_check(void)
{
    const struct numbered *last = NULL;
    uint32_t used = 0;

    if (world.plan.format != EVENT_ENRICHED || !in_order())
        return;
    for (uint32_t i = 0; i < books_len(); i++)
        used = books_at(i)->post >= used ? books_at(i)->post + 1 : used;
    if (used > BOOKS_MAX)
        return;
    memset(posts, 0, used * sizeof *posts);
    for (uint32_t i = 0; i < books_len(); i++)
        if (books_at(i)->posted)
            number_post(&posts[books_at(i)->post], i);
    for (const struct numbered *p = posts; p < posts + used; p++) {
        if (p->loose || p->origin == 0)
            continue;
        if (last != NULL && last->origin == p->origin && p->base < last->base + last->total)
            world_break("seq: after event %u, whose POST ends with %llu, event %u has %llu",
                        last->first, (unsigned long long)(last->base + last->total - 1), p->first,
                        (unsigned long long)(p->base + books_at(p->first)->place));
        last = p;
    }
}

void
seq_sum(uint32_t sandbox, struct books_sums *sums)
{
    for (uint32_t i = 0; i < origins_used; i++)
        if (origins[i].sandbox == sandbox) {
            sums->seqs += origins[i].seqs;
            if (origins[i].seq_most > sums->seq_most)
                sums->seq_most = origins[i].seq_most;
        }
}
