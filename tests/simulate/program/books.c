#include "books.h"

#include <stdlib.h>
#include <string.h>

#include "lambda.h"
#include "protocol/event.h"
#include "protocol/settings.h"

/* see books.h */

enum { UNWANTED = 1000000, IMPOSSIBLE = 2 * UNWANTED };

static struct book books[BOOKS_MAX];
static uint32_t books_used;

/* Texts of a life, one after the other; kept from life to life, since it only grows. */
static char *texts;
static size_t texts_len, texts_cap;

/* Numbers of those whose text does not tell which they are. */
static uint32_t nameless[BOOKS_MAX], nameless_used;

static uint32_t old[WORLD_RUNS]; /* of earlier runs, in each */
static uint64_t arrived_us;      /* when a record has last arrived in the stream */

/* Room for the parts of events that the stream has refused for their size, and of which no part has come: now, at most. */
static struct {
    uint64_t now, most;
} to_split[WORLD_RUNS];

void
books_begin(void)
{
    books_used = nameless_used = 0;
    texts_len = 0;
    memset(old, 0, sizeof old);
    memset(to_split, 0, sizeof to_split);
    arrived_us = 0;
    seq_begin();
    books_begin_parts();
    books_begin_unfold();
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
    b->made_us = kernel_us();
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

/* --- what the poster tells ---------------------------------------------------------------------------- */

void
books_posted(uint32_t number, uint32_t post, uint32_t *place)
{
    struct book *b = &books[number];

    b->posted = true;
    b->post = post;
    b->place = *place;
    *place += b->wanted;
}

void
books_given(const uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct book *b = &books[numbers[i]];

        if (!b->given)
            b->given_us = kernel_us();
        b->given = true;
    }
}

void
books_repeated(const uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        books[numbers[i]].loose = true;
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

/* Of those that are not wanted: the program's own lines, when they are more than it can remember. */
static bool
may_come(const struct book *b)
{
    return b->type == EVENT_EXTENSION && printed_many_letters(b->sandbox);
}

/*
 * Of those that look the same the one that has come least often; one of the program's own lines only if it may come.
 */
static bool
find_nameless(struct span data, uint32_t *number)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t i = 0; i < nameless_used; i++) {
        const struct book *b = &books[nameless[i]];
        uint32_t times = b->in_stream + b->in_dead_letter;

        times += b->wanted ? 0 : may_come(b) ? UNWANTED : IMPOSSIBLE;
        if (!seq_may_be(b, data))
            continue;
        if (times >= least || b->sends == 0 || !books_match(b, data))
            continue;
        if (seq_find(b, data, number))
            return true;
        least = times;
        *number = nameless[i];
    }
    return least < UINT32_MAX;
}

/* --- what arrives ------------------------------------------------------------------------------------- */

static void
check_key(enum books_where where, struct span key)
{
    /* kinesis_keyless.c tells when they may be without */
    if (where == BOOKS_STREAM && key.len == 0 && world.plan.key == KEY_NONE)
        return;
    if (key.len < 1 || key.len > 256)
        world_break("partition key: %zu bytes", key.len);
    if (world.plan.key == 3 && !span_same(key, SPAN("key")))
        world_break("partition key: %.*s although it is fixed", (int)key.len, key.p);
}

static void
count(enum books_where where, uint32_t number, struct span data)
{
    struct span members;
    struct book *b = &books[number];

    if (!b->wanted && !may_come(b))
        world_break("types: event %u arrived, and is not of the types to forward", number);
    if (b->sends == 0)
        world_break("books: event %u arrived, and was never sent", number);
    if (b->sandbox != world.sandbox && world.sandbox < WORLD_RUNS)
        old[world.sandbox]++;
    if (where == BOOKS_STREAM)
        b->in_stream++;
    else
        b->in_dead_letter++;
    if (world.plan.format != EVENT_ENRICHED || data.len < b->len)
        return;
    members = span_skip(data, b->len - 1);
    /* where little is taken the event fits, and what is added to it does not */
    if (world.plan.per_mille[WORLD_RECORD_LARGE] > 0 &&
        span_find(members, SPAN("...[truncated ")) != NULL)
        b->truncated++;
    else
        seq_came(number, members);
}

/* --- what has to be split ----------------------------------------------------------------------------- */

/* What parts need is less than four times what they have, their keys and ids included. */
static size_t
parts_room(const struct book *b)
{
    enum { PARTS_BYTES = 1000 };

    return 4 * b->len + PARTS_BYTES;
}

/* Of one that cannot be told from others nobody knows when its parts come. */
void
books_refused(struct span data)
{
    uint32_t number = 0;
    uint64_t now;
    struct book *b;

    if (!find_named(data, books_match, &number) && !find_nameless(data, &number))
        return;
    b = &books[number];
    if (b->refused || b->sandbox >= WORLD_RUNS)
        return;
    b->refused = true;
    now = to_split[b->sandbox].now += b->nameless ? world.plan.queue_bytes : parts_room(b);
    if (now > to_split[b->sandbox].most)
        to_split[b->sandbox].most = now;
}

/* A part has come that may be the first of an event. */
static void
split(struct span data)
{
    uint32_t number;
    size_t at = 0;

    while (next_id(data, &at, &number)) {
        struct book *b = &books[number];

        if (!b->refused || b->nameless)
            continue;
        b->refused = false;
        to_split[b->sandbox].now -= parts_room(b);
        return;
    }
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
    check_key(where, partition_key);
    if (find_named(data, books_match, &number) || find_nameless(data, &number)) {
        count(where, number, data);
        return;
    }
    if (data.len > 10 && memcmp(data.p, "{\"split\":{", 10) == 0) {
        split(data);
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

/* A line of the program's own may be taken for another's when they are more than it can remember. */
static void
add_own(struct books_sums *sums, const struct book *b)
{
    if (!printed_many_letters(b->sandbox)) {
        sums->own += b->given;
        return;
    }
    sums->again += b->sends;
    sums->extra += b->in_stream;
    sums->letters += b->in_dead_letter;
}

static void
add_size(struct books_sums *sums, const struct book *b)
{
    enum { KEPT_WHOLE_BYTES = 1000000 };

    if (parts_room(b) > world.plan.queue_bytes || b->len > KEPT_WHOLE_BYTES)
        sums->large += b->sends;
}

static void
add(struct books_sums *sums, const struct book *b)
{
    if (!b->wanted && b->type == EVENT_EXTENSION)
        add_own(sums, b);
    sums->cut += b->cut;
    if (!b->wanted || b->cut || b->sends == 0)
        return;
    if (b->letter && printed_many_letters(b->sandbox) && b->in_stream + b->in_dead_letter == 0) {
        sums->maybe++;
        return;
    }
    if (b->given)
        sums->given++;
    else
        sums->maybe++;
    sums->again += b->again;
    add_size(sums, b);
    if (b->blank) {
        sums->blanks += b->sends;
        return;
    }
    sums->letters_extra += b->in_dead_letter > 0 && !b->nameless ? b->in_dead_letter - 1 : 0;
    sums->truncated += b->truncated;
    sums->letters += b->in_dead_letter;
    if (b->in_stream > 0) {
        sums->in_stream++;
        sums->extra += b->in_stream - 1;
    } else if (b->in_dead_letter > 0) {
        sums->in_letter++;
    } else if (b->given && b->quiet) {
        sums->quiet++;
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
    sums.parts_bytes = sandbox < WORLD_RUNS ? to_split[sandbox].most : UINT64_MAX;
    seq_sum(sandbox, &sums);
    return sums;
}

uint32_t
books_late(uint32_t sandbox, uint64_t from_us)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < books_used; i++) {
        const struct book *b = &books[i];

        n += b->sandbox == sandbox && b->wanted && (!b->given || b->given_us > from_us);
    }
    return n;
}

uint32_t
books_old(uint32_t sandbox)
{
    return sandbox < WORLD_RUNS ? old[sandbox] : 0;
}

void
books_check(void)
{
    books_check_parts();
    seq_check();
}
