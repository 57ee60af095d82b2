/*
 * The queue against a plain model. The input is a script in the language of the unit test's table
 * (tests/unit/test_queue.c), the ring's size before it, so what is found can be put there as a row:
 *
 *     128 +8 +8 t !b ^a -b +8 A X
 *
 * Here a letter stands for the last record of that letter, and a word that makes no sense is skipped.
 * `k` before a number of bytes, as in +k8, makes them a partition key, `p` a part of an event, of the
 * same one as the record before if that is a part, too; =a5 leaves a the last 5 bytes of its data, when it
 * is in a batch, and xa loses a.
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
    enum queue_batch batch; /* when it is sent, as at */
    uint32_t at;
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

/* It turned too early: what lies before the turn goes to the end. */
static void
move_up(struct model *m)
{
    uint32_t head = m->records[m->oldest].place;
    uint32_t gain = m->q.ring.cap - m->turn;

    if (m->turn == 0)
        return;
    for (size_t i = m->oldest; i < m->len; i++)
        if (m->records[i].place >= head)
            m->records[i].place += gain;
    m->turn = 0;
    m->touched = m->q.ring.cap;
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
        return need <= m->q.ring.cap;
    head = m->records[m->oldest].place;
    tail = m->records[m->len - 1].place + m->records[m->len - 1].size;
    if (tail <= head) {
        if (need > head - tail && need <= m->q.ring.cap)
            move_up(m);
        *place = tail;
        return need <= m->records[m->oldest].place - tail;
    }
    m->turn = 0;
    if (need <= m->q.ring.cap - tail && m->touched >= m->q.ring.quiet && tail + need > m->touched &&
        need <= head && head >= m->touched / 2)
        m->turn = tail;
    if (need <= m->q.ring.cap - tail && m->turn == 0)
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
    FACT(queue_fits(&m->q, room_len) && room == m->q.ring.bytes + place + SLOT);
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

/* Whether nothing is left in the batch. */
static bool
free_batch(const struct model *m, enum queue_batch batch)
{
    for (uint32_t i = 0; i < queue_batch_len(&m->q, batch); i++)
        if (queue_in_batch(&m->q, batch, i))
            return false;
    return true;
}

/* Takes what the model says has to come next, all of one state. */
static void
expect(struct model *m, const struct queue_limits *limits, enum queue_state state,
       enum queue_batch batch, uint32_t *at, uint64_t *bytes)
{
    for (size_t i = m->oldest; i < m->len; i++) {
        struct record *r = &m->records[i];
        uint64_t size = r->data_len + (r->key_len > 0 ? r->key_len : m->q.common_key.len);

        /* those of this very batch were marked by the first round */
        if (r->state != state)
            continue;
        if (*at == limits->records || *at == BATCH_MAX_RECORDS ||
            (*at > 0 && size > limits->bytes - *bytes))
            return;
        FACT(*at < queue_batch_len(&m->q, batch));
        FACT(m->q.batches[batch].offsets[*at] == r->place);
        *bytes = size > limits->bytes - *bytes ? limits->bytes : *bytes + size;
        r->state = QUEUE_SENT;
        r->batch = batch;
        r->at = *at;
        r->attempts++;
        ++*at;
    }
}

static void
take(struct model *m, uint32_t records, uint64_t bytes, enum queue_take_what what)
{
    static const enum queue_state states[] = {
        [QUEUE_TAKE_FRESH] = QUEUE_FRESH,      [QUEUE_TAKE_FAILED] = QUEUE_FAILED,
        [QUEUE_TAKE_SUSPECTS] = QUEUE_SUSPECT, [QUEUE_TAKE_ASIDE] = QUEUE_ASIDE,
        [QUEUE_TAKE_DEAD] = QUEUE_DEAD,        [QUEUE_TAKE_IN_DOUBT] = QUEUE_IN_DOUBT};
    struct queue_limits limits = {records, bytes, record_size, NULL};
    enum queue_batch batch = free_batch(m, QUEUE_STREAM) ? QUEUE_STREAM : QUEUE_DEAD_LETTER;
    uint64_t sum = 0;
    uint32_t at = 0;

    if (!free_batch(m, batch))
        return;
    (void)queue_take(&m->q, batch, &limits, what);
    expect(m, &limits, states[what], batch, &at, &sum);
    if (what == QUEUE_TAKE_FAILED)
        expect(m, &limits, QUEUE_FRESH, batch, &at, &sum);
    FACT(queue_batch_len(&m->q, batch) == at);
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

/* What is in no batch can be dropped when it is the oldest. */
static void
drop(struct model *m, struct record *r)
{
    if (r != &m->records[m->oldest])
        return;
    FACT(queue_lose_oldest(&m->q) == ended(m, r, true));
    r->state = QUEUE_ENDED;
    skip_ended(m);
}

static void
finish(struct model *m, char verb, char letter)
{
    static const char verbs[] = "!?*^_/";
    static const enum queue_state states[] = {QUEUE_FAILED, QUEUE_FAILED, QUEUE_SUSPECT,
                                              QUEUE_ASIDE,  QUEUE_DEAD,   QUEUE_IN_DOUBT};
    struct record *r = record_of(m, letter);
    bool leaves = verb == '-' || verb == 'x';

    if (r == NULL)
        return;
    if (r->state != QUEUE_SENT) {
        if (leaves)
            drop(m, r);
        return;
    }
    if (leaves) {
        FACT((verb == '-' ? queue_end : queue_lose)(&m->q, r->batch, r->at) ==
             ended(m, r, verb == 'x'));
        r->state = QUEUE_ENDED;
        skip_ended(m);
        return;
    }
    r->state = states[strchr(verbs, verb) - verbs];
    if (verb == '?')
        queue_refused(&m->q, r->batch, r->at, r->state);
    else
        queue_mark(&m->q, r->batch, r->at, r->state);
    r->refusals += verb == '?';
}

/* The data lie where they are written to, and may overlap with that. */
static void
rewrite(struct model *m, char letter, size_t len)
{
    struct record *r = record_of(m, letter);
    struct span data;

    if (r == NULL || r->state != QUEUE_SENT || len > r->data_len)
        return;
    data = queue_at(&m->q, r->batch, r->at).data;
    r->gone += data.len - len;
    r->data_len = len;
    queue_rewrite(&m->q, r->batch, r->at, span_skip(data, data.len - len));
}

/* Those of some states go over to another. */
static void
move_all(struct model *m, unsigned states, enum queue_state state)
{
    for (size_t i = m->oldest; i < m->len; i++)
        if ((states >> m->records[i].state & 1) != 0)
            m->records[i].state = state;
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
    FACT(r.state != QUEUE_FRESH && r.state != QUEUE_SENT && r.state != QUEUE_ENDED);
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
    uint32_t cap = m->q.ring.cap, used = 0;
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
    for (size_t i = m->oldest, at = m->q.ring.head; i < m->len; i++) {
        struct record *r = &m->records[i];

        if (r->state == QUEUE_ENDED)
            continue;
        at = at == cap ? 0 : at;
        r->place = (uint32_t)at;
        at += r->size;
    }
    FACT(m->q.ring.head == 0 || m->q.ring.head + used >= cap);
    FACT(used + SLOT > cap || queue_room(&m->q, cap - used - SLOT) != NULL);
}

static void
check_record(const struct model *m, size_t index)
{
    const struct record *want = &m->records[index];
    struct queue_record got;

    if (want->state == QUEUE_SENT)
        got = queue_at(&m->q, want->batch, want->at);
    else if (index != m->oldest || !queue_oldest(&m->q, &got))
        return;
    FACT(got.origin.sequence == want->origin.sequence && got.state == want->state);
    FACT(got.origin.events == want->origin.events && got.origin.part == want->origin.part);
    FACT(got.attempts == want->attempts && got.refusals == want->refusals);
    FACT(got.own_key == (want->key_len > 0) && got.data.len == want->data_len);
    FACT(got.partition_key.len == (got.own_key ? want->key_len : m->q.common_key.len));
    for (size_t i = 0; i < want->key_len; i++)
        FACT(got.partition_key.p[i] == byte_of(want->index, i));
    for (size_t i = 0; i < want->data_len; i++)
        FACT(got.data.p[i] == byte_of(want->index, want->key_len + want->gone + i));
}

static void
check(const struct model *m)
{
    uint64_t bytes = 0, fresh_bytes = 0, events = 0;
    uint32_t records = 0, counts[QUEUE_STATES] = {0};
    struct queue_record oldest;

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
    /* ended ones are left behind by compact, at other times than the model forgets them: its own check counts those */
    FACT(memcmp(m->q.count, counts, QUEUE_ENDED * sizeof *counts) == 0);
    queue_check(&m->q);
    FACT(queue_oldest(&m->q, &oldest) == (records > 0));
    FACT(records == 0 || m->q.ring.head == m->records[m->oldest].place);
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
    static const char verbs[] = "ftSADI";
    uint32_t records = n > 0 && n < BATCH_MAX_RECORDS ? (uint32_t)n : BATCH_MAX_RECORDS;
    const char *what = verb == '\0' ? NULL : strchr(verbs, verb);

    if (what != NULL) {
        take(m, records, UINT64_MAX, (enum queue_take_what)(what - verbs));
    } else if (verb == 's') {
        take(m, BATCH_MAX_RECORDS, n, QUEUE_TAKE_FAILED);
    } else if (verb == 'R') {
        queue_rejoin(&m->q);
        move_all(m, 1u << QUEUE_ASIDE | 1u << QUEUE_SUSPECT, QUEUE_FAILED);
    } else if (verb == 'C') {
        queue_clear_suspects(&m->q);
        move_all(m, 1u << QUEUE_SUSPECT, QUEUE_FAILED);
    } else if (verb == 'X') {
        queue_mark_all_dead(&m->q);
        move_all(m,
                 1u << QUEUE_FRESH | 1u << QUEUE_FAILED | 1u << QUEUE_SUSPECT | 1u << QUEUE_ASIDE,
                 QUEUE_DEAD);
    } else if (verb == '!') {
        queue_return(&m->q, QUEUE_STREAM, QUEUE_FAILED);
        queue_return(&m->q, QUEUE_DEAD_LETTER, QUEUE_FAILED);
        move_all(m, 1u << QUEUE_SENT, QUEUE_FAILED);
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
    if (verb != '\0' && strchr("-x!?*^_/", verb) != NULL && word.len > 0) {
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
    static uint32_t offsets[2][BATCH_MAX_RECORDS];
    uint32_t cap = (uint32_t)number(&in, 4096) & ~7u;

    m.len = m.oldest = 0;
    m.touched = m.turn = 0;
    queue_open(&m.q, fuzz_room(cap), cap);
    for (enum queue_batch b = QUEUE_STREAM; b <= QUEUE_DEAD_LETTER; b++)
        queue_batch_open(&m.q, b, offsets[b], BATCH_MAX_RECORDS);
    if (fuzz_dice(2) == 0)
        m.q.common_key = SPAN("common");
    if (fuzz_dice(2) == 0)
        m.q.ring.quiet = fuzz_dice(cap + 1);
    while (in.len > 0) {
        struct span rest;

        run_word(&m, span_cut(in, ' ', &rest));
        check(&m);
        in = rest;
    }
}
