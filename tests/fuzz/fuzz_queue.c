/*
 * The queue against a plain model. The input is a script in the language of the unit test's table
 * (tests/unit/test_queue.c), the ring's size before it, so what is found can be put there as a row:
 *
 *     128 +8 +8 t !b ^a -b +8 A X
 *
 * Here a letter stands for the last record of that letter, and a word that makes no sense is skipped.
 * `k` before a number of bytes, as in +k8, makes them a partition key, `p` a part of an event, of the
 * same one as the record before if that is a part, too; =a5 leaves a the last 5 bytes of its data, and
 * xa loses a.
 */
#include "fuzz.h"
#include "protocol/queue.h"

#include <string.h>

enum { RECORDS_MAX = 400, SLOT = 24, LETTERS = 26 };

/* A record of the model. The index that it had first tells its bytes. */
struct record {
    size_t index;
    struct queue_origin origin; /* its events are those that are counted with it now */
    uint32_t place;
    uint32_t size; /* of its slot */
    size_t key_len, data_len;
    size_t gone; /* bytes that its data has lost at the front */
    enum queue_state state;
    unsigned attempts, refusals;
};

struct model {
    struct queue q;
    struct record records[RECORDS_MAX];
    size_t len;
    size_t oldest;    /* index of the oldest record that has not ended; len when there is none */
    uint32_t touched; /* how far the ring was used since it last was empty */
    uint32_t turn;    /* where it turned early; 0: it did not */
};

static char
byte_of(size_t index, size_t at)
{
    return (char)(index * 31 + at * 7 + 1);
}

/* It turned too early: what lies before the turn goes to the end, unless others know where it is. */
static void
move_up(struct model *m)
{
    uint32_t head = m->records[m->oldest].place;
    uint32_t gain = m->q.cap - m->turn;

    for (size_t i = m->oldest; i < m->len; i++)
        if (m->turn == 0 || (m->records[i].state == QUEUE_SENT && m->q.moved == NULL))
            return;
    for (size_t i = m->oldest; i < m->len; i++)
        if (m->records[i].place >= head)
            m->records[i].place += gain;
    m->turn = 0;
    m->touched = m->q.cap;
}

/* Whoever wants to be told: then records in a batch move, too. */
static void
told(void *context, uint32_t from, uint32_t by)
{
    (void)context;
    FACT(by > 0 && from % 8 == 0);
}

/*
 * Where a record of so many bytes has to go: behind the last one, or, if it must, at the front; there
 * too if that saves using more of the ring.
 */
static bool
place_for(struct model *m, size_t len, uint32_t *place)
{
    uint32_t need = (uint32_t)(SLOT + len + 7) & ~7u;
    uint32_t head, tail;

    *place = 0;
    if (m->oldest == m->len)
        return need <= m->q.cap;
    head = m->records[m->oldest].place;
    tail = m->records[m->len - 1].place + m->records[m->len - 1].size;
    if (tail <= head) {
        if (need > head - tail && need <= m->q.cap)
            move_up(m);
        *place = tail;
        return need <= m->records[m->oldest].place - tail;
    }
    m->turn = 0;
    if (need <= m->q.cap - tail && m->touched >= m->q.quiet && tail + need > m->touched &&
        need <= head && head >= m->touched / 2)
        m->turn = tail;
    if (need <= m->q.cap - tail && m->turn == 0)
        *place = tail;
    return *place == tail || need <= head;
}

/* A record is at its place. */
static void
used(struct model *m, const struct record *r)
{
    if (m->touched < r->place + r->size)
        m->touched = r->place + r->size;
}

/* What the next record stands for: an event, or one more part of the latest. */
static struct queue_origin
next_origin(const struct model *m, bool part)
{
    struct queue_origin origin = {m->len, 1, part};

    if (part && m->len > 0 && m->records[m->len - 1].origin.part > 0) {
        origin = m->records[m->len - 1].origin;
        origin.events = 0;
        origin.part++;
    }
    return origin;
}

static void
add(struct model *m, size_t room_len, size_t key_len, size_t data_len, bool part)
{
    char *room = queue_room(&m->q, room_len);
    struct record *r = &m->records[m->len];
    struct queue_origin origin = next_origin(m, part);
    uint32_t place;

    FACT((room != NULL) == place_for(m, room_len, &place));
    if (room == NULL)
        return;
    FACT(queue_fits(&m->q, room_len) && room == m->q.ring + place + SLOT);
    memset(room, '.', room_len);
    for (size_t i = 0; i < key_len + data_len; i++)
        room[i] = byte_of(m->len, i);
    queue_add(&m->q, room, key_len, data_len, origin);
    *r = (struct record){.index = m->len,
                         .origin = origin,
                         .place = place,
                         .size = (uint32_t)(SLOT + key_len + data_len + 7) & ~7u,
                         .key_len = key_len,
                         .data_len = data_len,
                         .state = QUEUE_FRESH};
    used(m, r);
    m->len++;
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    (void)context;
    return record->data.len + record->partition_key.len;
}

/* Takes what the model says has to come next, all of one state. */
static void
expect(struct model *m, const struct queue_limits *limits, enum queue_state state,
       const struct queue_batch *batch, uint32_t *at, uint64_t *bytes)
{
    for (size_t i = m->oldest; i < m->len; i++) {
        struct record *r = &m->records[i];
        uint64_t size = r->key_len + r->data_len;

        /* those of this very batch were marked by the first round */
        if (r->state != state)
            continue;
        if (*at == limits->records || (*at > 0 && size > limits->bytes - *bytes))
            return;
        FACT(*at < batch->len && batch->places[*at] == r->place);
        *bytes = size > limits->bytes - *bytes ? limits->bytes : *bytes + size;
        r->state = QUEUE_SENT;
        r->attempts++;
        ++*at;
    }
}

static void
take(struct model *m, uint32_t records, uint64_t bytes, bool with_failed)
{
    struct queue_limits limits = {records, bytes, record_size, NULL};
    uint32_t places[QUEUE_BATCH_MAX];
    struct queue_batch batch = {.places = places};
    uint64_t sum = 0;
    uint32_t at = 0;

    queue_take(&m->q, &limits, with_failed, &batch);
    if (with_failed)
        expect(m, &limits, QUEUE_FAILED, &batch, &at, &sum);
    expect(m, &limits, QUEUE_FRESH, &batch, &at, &sum);
    FACT(batch.len == at);
}

/* The same of one state alone. */
static void
take_only(struct model *m, uint32_t records, enum queue_state state)
{
    struct queue_limits limits = {records, UINT64_MAX, record_size, NULL};
    uint32_t places[QUEUE_BATCH_MAX];
    struct queue_batch batch = {.places = places};
    uint64_t sum = 0;
    uint32_t at = 0;

    queue_take_only(&m->q, &limits, state, &batch);
    expect(m, &limits, state, &batch, &at, &sum);
    FACT(batch.len == at);
}

/* The last record of that letter; NULL when there is none, or it has ended. */
static struct record *
record_of(struct model *m, char letter)
{
    size_t n = (size_t)(letter - 'a');

    if (letter < 'a' || letter > 'z' || n >= m->len)
        return NULL;
    n += (m->len - 1 - n) / LETTERS * LETTERS;
    return m->records[n].state == QUEUE_ENDED ? NULL : &m->records[n];
}

static void
skip_ended(struct model *m)
{
    while (m->oldest < m->len && m->records[m->oldest].state == QUEUE_ENDED)
        m->oldest++;
    if (m->oldest == m->len)
        m->touched = m->turn = 0;
}

/* The events that are counted when this record ends; what others of the same event count then. */
static uint32_t
ended(struct model *m, const struct record *r, bool lost)
{
    uint32_t events = r->origin.events;

    for (size_t i = m->oldest; i < m->len && r->origin.part > 0; i++) {
        struct record *other = &m->records[i];

        if (other == r || other->state == QUEUE_ENDED || other->origin.part == 0 ||
            other->origin.sequence != r->origin.sequence)
            continue;
        if (!lost) {
            other->origin.events = (uint16_t)(other->origin.events + events);
            return 0;
        }
        events += other->origin.events;
        other->origin.events = 0;
    }
    return events;
}

static void
finish(struct model *m, char verb, char letter)
{
    struct record *r = record_of(m, letter);

    if (r == NULL)
        return;
    if (verb == '-' || verb == 'x') {
        FACT((verb == '-' ? queue_end : queue_lose)(&m->q, r->place) == ended(m, r, verb == 'x'));
        r->state = QUEUE_ENDED;
        skip_ended(m);
    } else if (verb == '^' || verb == '_' || verb == '/') {
        r->state = verb == '^' ? QUEUE_ASIDE : (verb == '_' ? QUEUE_DEAD : QUEUE_IN_DOUBT);
        queue_mark(&m->q, r->place, r->state);
    } else if (r->state == QUEUE_SENT) {
        (verb == '!' ? queue_again : queue_refused)(&m->q, r->place);
        r->state = QUEUE_FAILED;
        r->refusals += verb == '?';
    }
}

/* The data lie where they are written to, and may overlap with that. */
static void
rewrite(struct model *m, char letter, size_t len)
{
    struct record *r = record_of(m, letter);
    struct span data;

    if (r == NULL || len > r->data_len)
        return;
    data = queue_at(&m->q, r->place).data;
    r->gone += data.len - len;
    r->data_len = len;
    queue_rewrite(&m->q, r->place, span_skip(data, data.len - len));
}

/* Those of one state, or all that have not ended, go over to another. */
static void
move_all(struct model *m, bool only_aside, enum queue_state state)
{
    for (size_t i = m->oldest; i < m->len; i++) {
        struct record *r = &m->records[i];

        if (only_aside
                ? r->state == QUEUE_ASIDE
                : r->state != QUEUE_ENDED && r->state != QUEUE_SENT && r->state != QUEUE_IN_DOUBT)
            r->state = state;
    }
}

/* The oldest record moves behind the youngest, and is the same but for its place. */
static void
roll(struct model *m)
{
    static char scratch[4096];
    struct record r;
    uint32_t place;

    if (m->len == RECORDS_MAX || !queue_roll(&m->q, scratch, sizeof scratch))
        return;
    FACT(m->oldest < m->len);
    r = m->records[m->oldest];
    FACT(r.state == QUEUE_FAILED || r.state == QUEUE_ASIDE || r.state == QUEUE_DEAD ||
         r.state == QUEUE_IN_DOUBT);
    m->records[m->oldest].state = QUEUE_ENDED;
    skip_ended(m);
    FACT(place_for(m, r.key_len + r.data_len, &place));
    r.place = place;
    r.size = (uint32_t)(SLOT + r.key_len + r.data_len + 7) & ~7u;
    used(m, &r);
    m->records[m->len++] = r;
}

/* All that is not needed for records is one room. */
static void
compact(struct model *m)
{
    uint32_t cap = m->q.cap, used = 0;
    bool sent = false;

    for (size_t i = m->oldest; i < m->len; i++) {
        used += m->records[i].state == QUEUE_ENDED ? 0 : m->records[i].size;
        sent = sent || m->records[i].state == QUEUE_SENT;
    }
    queue_compact(&m->q);
    if (sent || m->oldest == m->len)
        return;
    m->touched = cap;
    m->turn = 0;
    while (m->records[m->len - 1].state == QUEUE_ENDED)
        m->len--;
    /* what is first in the ring is at its beginning, or at its end when the rest is there */
    for (size_t i = m->oldest, at = m->q.head; i < m->len; i++) {
        struct record *r = &m->records[i];

        if (r->state == QUEUE_ENDED)
            continue;
        at = at == cap ? 0 : at;
        r->place = (uint32_t)at;
        at += r->size;
    }
    FACT(m->q.head == 0 || m->q.head + used >= cap);
    FACT(used + SLOT > cap || queue_room(&m->q, cap - used - SLOT) != NULL);
}

static void
check_record(const struct model *m, size_t index)
{
    const struct record *want = &m->records[index];
    struct queue_record got = queue_at(&m->q, want->place);

    FACT(got.origin.sequence == want->origin.sequence && got.state == want->state);
    FACT(got.origin.events == want->origin.events && got.origin.part == want->origin.part);
    FACT(got.attempts == want->attempts && got.refusals == want->refusals);
    FACT(got.partition_key.len == want->key_len && got.data.len == want->data_len);
    for (size_t i = 0; i < want->key_len; i++)
        FACT(got.partition_key.p[i] == byte_of(want->index, i));
    for (size_t i = 0; i < want->data_len; i++)
        FACT(got.data.p[i] == byte_of(want->index, want->key_len + want->gone + i));
}

static void
check(const struct model *m)
{
    uint64_t bytes = 0, fresh_bytes = 0, events = 0;
    uint32_t records = 0, counts[QUEUE_ENDED + 1] = {0}, place;

    for (size_t i = m->oldest; i < m->len; i++) {
        const struct record *r = &m->records[i];

        counts[r->state]++;
        if (r->state == QUEUE_ENDED)
            continue;
        check_record(m, i);
        records++;
        events += r->origin.events;
        bytes += r->key_len + r->data_len;
        if (r->state == QUEUE_FRESH)
            fresh_bytes += r->key_len + r->data_len;
    }
    FACT(m->q.events == events);
    FACT(m->q.records == records && m->q.bytes == bytes && m->q.fresh_bytes == fresh_bytes);
    FACT(m->q.fresh == counts[QUEUE_FRESH] && m->q.failed == counts[QUEUE_FAILED]);
    FACT(m->q.aside == counts[QUEUE_ASIDE] && m->q.dead == counts[QUEUE_DEAD]);
    FACT(m->q.in_doubt == counts[QUEUE_IN_DOUBT]);
    FACT(queue_oldest(&m->q, &place) == (records > 0));
    FACT(records == 0 || place == m->records[m->oldest].place);
}

/* The number that the text begins with, at most so much; what follows it. */
static size_t
number(struct span *text, size_t most)
{
    size_t n = 0;

    while (text->len > 0 && text->p[0] >= '0' && text->p[0] <= '9') {
        n = n * 10 + (size_t)(text->p[0] - '0');
        n = n < most ? n : most;
        *text = span_skip(*text, 1);
    }
    return n;
}

/* Words that take records, and those about all of them. */
static void
run_for_many(struct model *m, char verb, size_t n)
{
    uint32_t records = n > 0 && n < QUEUE_BATCH_MAX ? (uint32_t)n : QUEUE_BATCH_MAX;

    if (verb == 't') {
        take(m, records, UINT64_MAX, true);
    } else if (verb == 's') {
        take(m, QUEUE_BATCH_MAX, n, true);
    } else if (verb == 'f') {
        take(m, QUEUE_BATCH_MAX, UINT64_MAX, false);
    } else if (verb == 'A' || verb == 'D') {
        take_only(m, records, verb == 'A' ? QUEUE_ASIDE : QUEUE_DEAD);
    } else if (verb == 'I') {
        take_only(m, records, QUEUE_IN_DOUBT);
    } else if (verb == 'R') {
        queue_rejoin(&m->q);
        move_all(m, true, QUEUE_FAILED);
    } else if (verb == 'X') {
        queue_mark_all_dead(&m->q);
        move_all(m, false, QUEUE_DEAD);
    } else if (verb == '%') {
        roll(m);
    } else if (verb == '#') {
        compact(m);
    }
}

static void
run_word(struct model *m, struct span word)
{
    char verb = (char)fuzz_byte(&word);
    bool key = verb == '+' && span_starts(word, SPAN("k"));
    bool part = verb == '+' && span_starts(word, SPAN("p"));
    size_t n, less;
    char letter;

    if (key || part)
        word = span_skip(word, 1);
    if (verb != '\0' && strchr("-x!?^_/", verb) != NULL) {
        finish(m, verb, (char)fuzz_byte(&word));
        return;
    }
    if (verb == '=') {
        letter = (char)fuzz_byte(&word);
        rewrite(m, letter, number(&word, 4096));
        return;
    }
    n = number(&word, key ? 255 : 4096);
    if (verb == '+' && m->len < RECORDS_MAX) {
        add(m, n, key ? n : 0, key ? 0 : n, part);
    } else if (verb == '~' && m->len < RECORDS_MAX) {
        word = span_skip(word, 1);
        less = number(&word, n);
        add(m, n, less / 2 < 255 ? less / 2 : 255, less - (less / 2 < 255 ? less / 2 : 255), false);
    } else {
        run_for_many(m, verb, n);
    }
}

void
fuzz(struct span in)
{
    static struct model m;
    uint32_t cap = (uint32_t)number(&in, 4096) & ~7u;

    m.len = m.oldest = 0;
    m.touched = m.turn = 0;
    queue_open(&m.q, fuzz_room(cap), cap);
    if (fuzz_dice(2) == 0)
        m.q.quiet = fuzz_dice(cap + 1);
    if (fuzz_dice(2) == 0)
        m.q.moved = told;
    while (in.len > 0) {
        struct span rest;

        run_word(&m, span_cut(in, ' ', &rest));
        check(&m);
        in = rest;
    }
}
