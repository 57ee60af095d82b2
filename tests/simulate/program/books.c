#include "books.h"

#include <stdlib.h>
#include <string.h>

#include "laws_ledger.h"
#include "poster.h"
#include "protocol/event.h"

/* see books.h */

enum { SEQS = 65536, ORIGINS = 256, RUNS = 256, UNWANTED = 1000000 };

static struct book books[BOOKS_MAX];
static uint32_t books_used;

/* Texts of a life, one after the other; kept from life to life, since it only grows. */
static char *texts;
static size_t texts_len, texts_cap;

/* Numbers of those whose text does not tell which they are. */
static uint32_t nameless[BOOKS_MAX], nameless_used;

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

static uint32_t old[RUNS];  /* of earlier runs, in each */
static uint64_t arrived_us; /* when a record has last arrived in the stream */

void
books_begin(void)
{
    books_used = nameless_used = origins_used = 0;
    texts_len = 0;
    memset(old, 0, sizeof old);
    arrived_us = 0;
    life++;
    books_begin_parts();
}

size_t
books_id(uint32_t number, char *to)
{
    char digits[10];
    size_t n = 0;
    size_t len = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    to[len++] = '#';
    while (n > 0)
        to[len++] = digits[--n];
    to[len++] = '#';
    return len;
}

uint32_t
books_enter(const struct book *book, struct span text)
{
    struct book *b = &books[books_used];

    if (books_used == BOOKS_MAX)
        world_break("books: more events than %u", BOOKS_MAX);
    if (texts_cap - texts_len < text.len) {
        texts_cap = 2 * texts_cap + text.len + 1048576;
        texts = realloc(texts, texts_cap);
        if (texts == NULL)
            abort();
    }
    *b = *book;
    b->text = texts_len;
    b->len = text.len;
    memcpy(texts + texts_len, text.p, text.len);
    texts_len += text.len;
    if (b->nameless)
        nameless[nameless_used++] = books_used;
    return books_used++;
}

struct book *
books_at(uint32_t number)
{
    return &books[number];
}

uint32_t
books_len(void)
{
    return books_used;
}

struct span
books_text(uint32_t number)
{
    return (struct span){texts + books[number].text, books[number].len};
}

/* --- which event a record is ------------------------------------------------------------------------ */

/* The next "#<number>#" from *at on; *at is then behind its first character. */
static bool
next_id(struct span data, size_t *at, uint32_t *number)
{
    while (*at < data.len) {
        const char *mark = memchr(data.p + *at, '#', data.len - *at);
        uint64_t n = 0;
        size_t i;

        if (mark == NULL)
            return false;
        *at = (size_t)(mark - data.p) + 1;
        for (i = *at; i < data.len && i < *at + 7 && data.p[i] >= '0' && data.p[i] <= '9'; i++)
            n = n * 10 + (uint64_t)(data.p[i] - '0');
        if (i > *at && i < data.len && data.p[i] == '#' && n < books_used) {
            *number = (uint32_t)n;
            return true;
        }
    }
    return false;
}

static bool
find_named(struct span data, bool (*match)(const struct book *book, struct span data),
           uint32_t *number)
{
    size_t at = 0;

    while (next_id(data, &at, number))
        if (match(&books[*number], data))
            return true;
    return false;
}

/* --- enriched records --------------------------------------------------------------------------------- */

static uint32_t
origin_of(struct span token, uint32_t sandbox)
{
    struct origin *o;

    for (uint32_t i = 0; i < origins_used; i++)
        if (span_same((struct span){origins[i].token, origins[i].token_len}, token))
            return i;
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

    if (b->request[0] == '\0' || !poster_in_order())
        return;
    for (size_t i = 0; i < sizeof disorder / sizeof *disorder; i++)
        if (world.plan.per_mille[disorder[i]] > 0)
            return;
    if (!span_same(request, span_of(b->request)))
        world_break("enriched: event %u has the request id %.*s and not %s", event,
                    (int)request.len, request.p, b->request);
}

/* Each run of the program has a sandbox of its own; what a snapshot received may keep its name in the copies. */
static void
check_enriched(const struct book *b, uint32_t event, struct span members)
{
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
    o->seqs++;
    if (named.seq >= o->seq_most)
        o->seq_most = (uint32_t)named.seq + 1;
}

/* Which event has this number of an enriched record, if one has come with it. */
static bool
find_numbered(const struct book *b, struct span data, uint32_t *number)
{
    struct books_origin named;
    uint32_t at;

    if (world.plan.format != EVENT_ENRICHED || !books_origin(span_skip(data, b->len - 1), &named))
        return false;
    at = place_of(origin_of(named.sandbox, b->sandbox), named.seq);
    *number = seqs[at].event;
    return seqs[at].life == life;
}

/* Of those that look the same the one that has come least often. */
static bool
find_nameless(struct span data, uint32_t *number)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t i = 0; i < nameless_used; i++) {
        const struct book *b = &books[nameless[i]];
        uint32_t times = b->in_stream + b->in_dead_letter;

        times += b->wanted ? 0 : UNWANTED;
        if (times >= least || b->sends == 0 || !books_match(b, data))
            continue;
        if (find_numbered(b, data, number))
            return true;
        least = times;
        *number = nameless[i];
    }
    return least < UINT32_MAX;
}

/* --- what arrives ------------------------------------------------------------------------------------- */

static void
check_key(struct span key)
{
    if (key.len < 1 || key.len > 256)
        world_break("partition key: %zu bytes", key.len);
    if (world.plan.key == 3 && !span_same(key, SPAN("key")))
        world_break("partition key: %.*s although it is fixed", (int)key.len, key.p);
}

static void
count(enum books_where where, uint32_t number, struct span data)
{
    struct book *b = &books[number];

    if (!b->wanted && (b->type != EVENT_EXTENSION || b->sends < 2))
        world_break("types: event %u arrived, and is not of the types to forward", number);
    if (b->sends == 0)
        world_break("books: event %u arrived, and was never sent", number);
    if (b->sandbox != world.sandbox && world.sandbox < RUNS)
        old[world.sandbox]++;
    if (where == BOOKS_STREAM)
        b->in_stream++;
    else
        b->in_dead_letter++;
    if (world.plan.format == EVENT_ENRICHED && data.len >= b->len)
        check_enriched(b, number, span_skip(data, b->len - 1));
}

size_t
books_bytes(void)
{
    return texts_len;
}

uint64_t
books_arrived_us(void)
{
    return arrived_us;
}

void
books_arrived(enum books_where where, struct span data, struct span partition_key)
{
    uint32_t number = 0;

    if (where == BOOKS_STREAM)
        arrived_us = kernel_us();
    check_key(partition_key);
    if (find_named(data, books_match, &number) || find_nameless(data, &number)) {
        count(where, number, data);
        return;
    }
    if (data.len > 10 && memcmp(data.p, "{\"split\":{", 10) == 0) {
        books_part(where, data);
        return;
    }
    if (find_named(data, books_match_truncated, &number)) {
        count(where, number, (struct span){NULL, 0});
        books[number].truncated++;
        return;
    }
    world_break("format: a record of %zu bytes that is none of the events: %.*s", data.len,
                (int)(data.len < 600 ? data.len : 600), data.p);
}

/* --- at the end --------------------------------------------------------------------------------------- */

/* A line of the program's own that comes twice may be taken for another's, since it knows each once. */
static void
add_own(struct books_sums *sums, const struct book *b)
{
    if (b->sends < 2)
        return;
    sums->again += b->sends - 1;
    sums->extra += b->in_stream;
    sums->letters += b->in_dead_letter;
}

static void
add(struct books_sums *sums, const struct book *b)
{
    if (!b->wanted && b->type == EVENT_EXTENSION)
        add_own(sums, b);
    if (!b->wanted || b->cut || b->sends == 0)
        return;
    if (b->given)
        sums->given++;
    else
        sums->maybe++;
    sums->again += b->again;
    if (b->blank) {
        sums->blanks += b->sends;
        return;
    }
    sums->truncated += b->truncated;
    sums->letters += b->in_dead_letter;
    if (b->in_stream > 0) {
        sums->in_stream++;
        sums->extra += b->in_stream - 1;
    } else if (b->in_dead_letter > 0) {
        sums->in_letter++;
    } else if (b->given) {
        sums->missing++;
        sums->last_missing = (uint32_t)(b - books);
    }
}

struct books_sums
books_sum(uint32_t sandbox)
{
    struct books_sums sums = {0};

    for (uint32_t i = 0; i < books_used; i++)
        if (books[i].sandbox == sandbox)
            add(&sums, &books[i]);
    for (uint32_t i = 0; i < origins_used; i++)
        if (origins[i].sandbox == sandbox) {
            sums.seqs += origins[i].seqs;
            if (origins[i].seq_most > sums.seq_most)
                sums.seq_most = origins[i].seq_most;
        }
    return sums;
}

uint32_t
books_old(uint32_t sandbox)
{
    return sandbox < RUNS ? old[sandbox] : 0;
}

void
books_check(void)
{
    books_check_parts();
}
