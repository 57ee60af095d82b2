#include "protocol/queue.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "protocol/out.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

/* The ring lies before an unreadable page. */
static struct queue
open_queue(uint32_t cap)
{
    struct queue q;

    memset(&q, 0xff, sizeof q);
    queue_open(&q, guard_buffer(cap), cap);
    return q;
}

/* A record of a whole event. */
static struct queue_origin
event(uint64_t sequence)
{
    return (struct queue_origin){.sequence = sequence, .events = 1};
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    ++*(size_t *)context;
    return record->data.len + record->partition_key.len;
}

static void
take(struct queue *q, uint32_t records, uint64_t bytes, bool with_failed, struct queue_batch *batch)
{
    size_t asked = 0;
    struct queue_limits limits = {records, bytes, record_size, &asked};

    queue_take(q, &limits, with_failed, batch);
    assert_true(asked >= batch->len);
}

static void
take_only(struct queue *q, uint32_t records, enum queue_state state, struct queue_batch *batch)
{
    size_t asked = 0;
    struct queue_limits limits = {records, UINT64_MAX, record_size, &asked};

    queue_take_only(q, &limits, state, batch);
}

/*
 * Scripts. A slot takes 24 bytes besides its record and ends at a multiple of 8. The first record
 * is called a, the next b, and so on.
 *
 *   +N    room for N bytes, then a record of so many; ~N/M the same, but with M bytes in the end
 *   t     takes a batch; tN at most N records, sN at most N bytes, f only fresh ones
 *   -a    a is ended; !a is to be sent again; ?a was refused; ^a is set aside; _a is dead;
 *         /a is in doubt
 *   AN    takes at most N of those aside; DN of the dead, IN of those in doubt
 *   R     those aside rejoin the others; X all are dead; % the oldest is rolled
 *   #     all move together
 *
 * log: of +, the record's name and its place, or full, or never; of t, s, f, A and D, the batch; of
 * #, where the oldest is and where the next one goes.
 */
static const struct {
    const char *name;
    uint32_t cap;
    const char *script, *log;
} scripts[] = {
    {"exactly full", 128, "+8 +8 +8 +8 +0", "a0 b32 c64 d96 full "},
    {"just one more", 120, "+8 +8 +8 +0 +0", "a0 b32 c64 d96 full "},
    {"one past", 120, "+8 +8 +8 +1", "a0 b32 c64 full "},
    {"no room for a slot", 16, "+0", "never "},
    {"room for an empty one", 24, "+0 +0 +1", "a0 full never "},
    {"as large as the ring", 128, "+104 +0 t -a +104", "a0 full (a) b0 "},
    {"larger than the ring", 128, "+105 +8 +105 t -a +105", "never a0 never (a) never "},
    {"slots end at a multiple of 8", 256, "+0 +1 +7 +8 +9 +0", "a0 b24 c56 d88 e120 f160 "},

    {"starts over when empty", 128, "+8 +8 t -a -b +8", "a0 b32 (ab) c0 "},
    {"starts over, ended in any order", 128, "+8 +8 +8 t -b -c -a +104", "a0 b32 c64 (abc) d0 "},
    {"does not start over before that", 128, "+8 +8 t -a +8", "a0 b32 (ab) c64 "},
    {"room comes back in order", 128, "+8 +8 +8 +8 t -b -c +0 -a +72 +0",
     "a0 b32 c64 d96 (abcd) full e0 full "},
    {"wraps at the very end", 128, "+8 +8 +8 +8 t -a +8 +0 -b +8 t",
     "a0 b32 c64 d96 (abcd) e0 full f32 (ef) "},
    {"wraps behind a gap", 136, "+8 +8 +8 +8 t -a -b +8 +8 +0 -c -d +8 +8 +8 t",
     "a0 b32 c64 d96 (abcd) e0 f32 full g64 h96 full (efgh) "},
    {"wraps twice", 96, "+8 +8 +8 t -a -b +8 +8 t -c -d +8 t -e -f +72",
     "a0 b32 c64 (abc) d0 e32 (de) f64 (f) g0 "},
    {"no room before the head for the one that wraps", 128, "+8 +8 +8 t -a +9 +8 +8",
     "a0 b32 c64 (abc) full d96 e0 "},
    {"exactly full when wrapped", 128, "+8 +8 +8 t -a -b +40 +0", "a0 b32 c64 (abc) d0 full "},
    {"less than its room", 128, "~64/8 +8 ~8/0 +0", "a0 b32 c64 d88 "},
    {"wraps for the sake of its room", 128, "+8 +8 +8 t -a -b ~40/8 +8 +0 t",
     "a0 b32 c64 (abc) d0 e32 full (de) "},

    {"failed first, oldest first", 256, "+0 +0 +0 t !c !a +0 t", "a0 b24 c48 (abc) d72 (acd) "},
    {"refused first as well", 256, "+0 +0 t ?b +0 t", "a0 b24 (ab) c48 (bc) "},
    {"fresh alone", 256, "+0 +0 t !a +0 f t", "a0 b24 (ab) c48 (c) (a) "},
    {"nothing fresh", 256, "+0 t !a f t", "a0 (a) () (a) "},
    {"nothing at all", 256, "t f +0 t t", "() () a0 (a) () "},
    {"failed across the turn", 136, "+8 +8 +8 +8 t -a -b !d !c +8 t",
     "a0 b32 c64 d96 (abcd) e0 (cde) "},
    {"a failed one holds the room behind it", 128, "+8 +8 t !a -b +8 +8 +0 t -c -d +0 ?a -a +0",
     "a0 b32 (ab) c64 d96 full (acd) full e0 "},
    {"others come and go behind a failed one", 128,
     "+0 +0 +0 t !b -a -c +0 +8 t !b -d -e +0 f -f +0",
     "a0 b24 c48 (abc) d72 e96 (bde) f0 (f) full "},

    {"by count", 256, "+0 +0 +0 t2 t2 t2", "a0 b24 c48 (ab) (c) () "},
    {"by count, one", 256, "+0 +0 t1 !a t1 t1", "a0 b24 (a) (a) (b) "},
    {"by count, failed leave no room", 256, "+0 +0 +0 t2 !a !b t2 t2", "a0 b24 c48 (ab) (ab) (c) "},
    {"by count, failed leave some", 256, "+0 +0 +0 +0 t2 !b t2 t2",
     "a0 b24 c48 d72 (ab) (bc) (d) "},
    {"by bytes", 256, "+8 +8 +8 s16 s16", "a0 b32 c64 (ab) (c) "},
    {"by bytes, one short", 256, "+8 +8 s15 s15", "a0 b32 (a) (b) "},
    {"by bytes, none but the first", 256, "+8 +1 s1 s1", "a0 b32 (a) (b) "},
    {"by bytes, larger than allowed", 256, "+1 +9 +1 s4 s4 s4", "a0 b32 c72 (a) (b) (c) "},
    {"by bytes, a small one waits behind a large one", 256, "+8 +16 +1 s12 s17",
     "a0 b32 c72 (a) (bc) "},
    {"by bytes, fresh ones fill up where a failed one did not fit", 256, "+8 +16 t !a !b +4 s12 t",
     "a0 b32 (ab) c72 (ac) (b) "},

    {"fresh one dropped", 256, "+0 +0 +0 -b t", "a0 b24 c48 (ac) "},
    {"oldest fresh one dropped", 256, "+0 +0 -a +0 t", "a0 b24 c48 (bc) "},
    {"all fresh ones dropped", 256, "+0 +0 -b -a t +0 t", "a0 b24 () c0 (c) "},
    {"fresh one dropped behind sent ones", 256, "+0 +0 +0 t1 -b -a t +0 t",
     "a0 b24 c48 (a) (c) d72 (d) "},
    {"last fresh one dropped, then more", 256, "+0 +0 t1 -b +0 t", "a0 b24 (a) c48 (c) "},
    {"failed one dropped", 256, "+0 +0 t !a !b -a t", "a0 b24 (ab) (b) "},
    {"one aside is not taken", 256, "+0 +0 t ^a !b t A A", "a0 b24 (ab) (b) (a) () "},
    {"fresh one set aside", 256, "+0 +0 ^a t A", "a0 b24 (b) (a) "},
    {"those aside one by one", 256, "+0 +0 +0 t ^c ^a A1 A1 A1", "a0 b24 c48 (abc) (a) (c) () "},
    {"one aside, ended", 256, "+0 +0 t ^a -b -a +0 t", "a0 b24 (ab) c0 (c) "},
    {"those aside rejoin", 256, "+0 +0 +0 t ^a ^c R t A", "a0 b24 c48 (abc) (ac) () "},
    {"none to rejoin", 256, "+0 R t", "a0 (a) "},
    {"the dead are not taken", 256, "+0 +0 _a t D D", "a0 b24 (b) (a) () "},
    {"the dead across the turn", 128, "+8 +8 +8 +8 t -a -b !c _d +8 _e D t",
     "a0 b32 c64 d96 (abcd) e0 (de) (c) "},
    {"all are dead", 256, "+0 +0 +0 +0 t2 !a ^b X t A D2 D",
     "a0 b24 c48 d72 (ab) () () (ab) (cd) "},
    {"ended ones are not dead", 256, "+0 +0 +0 t -b !a !c X D", "a0 b24 c48 (abc) (ac) "},
    {"those under way are not dead", 256, "+0 +0 +0 t1 X D !a t", "a0 b24 c48 (a) (bc) (a) "},
    {"behind the dead comes a fresh one", 256, "+0 X +0 t D", "a0 b24 (b) (a) "},
    {"room of the dead comes back", 128, "+104 X +0 D -a +104", "a0 full (a) b0 "},

    {"a record that pins the others' room", 128, "+8 +8 +8 +8 t !a -b -c -d +8 % +8 +8 +8 t",
     "a0 b32 c64 d96 (abcd) full % e32 f64 g96 (aefg) "},
    {"in doubt, it stays so", 160, "+8 +8 +8 +8 t /a !b /d _c X R t D I",
     "a0 b32 c64 d96 (abcd) () (bc) (ad) "},
    {"in doubt, it is rolled", 128, "+8 +8 +8 +8 t /a -b -c -d % +8 t I",
     "a0 b32 c64 d96 (abcd) % e32 (e) (a) "},
    {"together", 128, "+8 +8 +8 +8 t !a -b !c -d # t -a +56",
     "a0 b32 c64 d96 (abcd) #0,64 (ac) full "},
    {"together at the beginning", 128, "+8 +8 +8 +8 t -a !b -c !d # +40 t",
     "a0 b32 c64 d96 (abcd) #0,64 e64 (bde) "},
    {"together on both sides of the turn", 160, "+8 +8 +8 +8 +8 t -a -b !c -d !e +8 +8 # +8 +0 t",
     "a0 b32 c64 d96 e128 (abcde) f0 g32 #96,64 h64 full (cefgh) "},
    {"not together while one is in a batch", 128, "+8 +8 +8 t !a -b # t",
     "a0 b32 c64 (abc) #0,96 (a) "},
    {"together when empty", 128, "# +8 t -a # +104", "#0,0 a0 (a) #0,0 b0 "},
    {"rolled, it goes on", 128, "+8 +8 +8 +8 t ?a -b -c -d % +8 t",
     "a0 b32 c64 d96 (abcd) % e32 (ae) "},
    {"aside, it stays aside", 128, "+8 +8 +8 +8 t ^a -b -c -d % t A",
     "a0 b32 c64 d96 (abcd) % () (a) "},
    {"dead, it stays dead", 128, "+8 +8 +8 +8 t _a -b -c -d % t D",
     "a0 b32 c64 d96 (abcd) % () (a) "},
    {"the largest", 128, "+72 +0 t !a -b % +72 t", "a0 b96 (ab) - full (a) "},
    {"not worth it", 128, "+8 +8 +8 +8 t !a -b % +8", "a0 b32 c64 d96 (abcd) - full "},
    {"not while under way", 128, "+8 +8 +8 +8 t -b -c -d % +8", "a0 b32 c64 d96 (abcd) - full "},
    {"not before the first time", 128, "+8 +8 +8 +8 -b -c -d % +8", "a0 b32 c64 d96 - full "},
    {"none to roll", 128, "%", "- "},

    {"fresh one dropped at the turn", 96, "+8 +8 +8 t2 -a -b +8 -c +8 t",
     "a0 b32 c64 (ab) d0 e32 (de) "},
};

/* The script with the ring's size before it. */
static void
seed_script(uint32_t cap, const char *script)
{
    char text[256];
    struct out o = out_to(text, sizeof text);

    out_number(&o, cap);
    out_byte(&o, ' ');
    out_put(&o, span_of(script));
    assert_int_equal(out_end(&o), 0);
    seed("queue", out_span(&o));
}

/* Runs one word of a script; places holds the place of each record by its letter. */
static void
run_word(struct queue *q, const char *word, uint32_t *places, size_t *records, struct out *log)
{
    char *end;
    unsigned long n = strtoul(word + 1, &end, 10);
    uint32_t taken[QUEUE_BATCH_MAX];
    struct queue_batch batch = {.places = taken};

    if (word[0] == '+' || word[0] == '~') {
        char *room = queue_room(q, n);

        if (room == NULL) {
            out_put(log, queue_fits(q, n) ? SPAN("full ") : SPAN("never "));
            return;
        }
        memset(room, '.', n);
        queue_add(q, room, 0, word[0] == '~' ? strtoul(end + 1, NULL, 10) : n, event(*records));
        places[*records] = (uint32_t)(room - q->ring) - 24;
        out_byte(log, (char)('a' + *records));
        out_number(log, places[(*records)++]);
        out_byte(log, ' ');
    } else if (word[0] == '-') {
        queue_end(q, places[word[1] - 'a']);
    } else if (word[0] == '!') {
        queue_again(q, places[word[1] - 'a']);
    } else if (word[0] == '?') {
        queue_refused(q, places[word[1] - 'a']);
    } else if (word[0] == '^' || word[0] == '_' || word[0] == '/') {
        queue_mark(q, places[word[1] - 'a'],
                   word[0] == '^' ? QUEUE_ASIDE : (word[0] == '_' ? QUEUE_DEAD : QUEUE_IN_DOUBT));
    } else if (word[0] == 'R') {
        queue_rejoin(q);
    } else if (word[0] == 'X') {
        queue_mark_all_dead(q);
    } else if (word[0] == '#') {
        queue_compact(q);
        out_byte(log, '#');
        out_number(log, q->head);
        out_byte(log, ',');
        out_number(log, q->tail);
        out_byte(log, ' ');
    } else if (word[0] == '%') {
        char scratch[128];
        uint32_t place;

        memset(scratch, 0xff, sizeof scratch);
        if (!queue_roll(q, scratch, sizeof scratch)) {
            out_put(log, SPAN("- "));
            return;
        }
        out_put(log, SPAN("% "));
        place = q->tail - 32;
        places[queue_at(q, place).origin.sequence] = place;
    } else {
        if (word[0] == 'A' || word[0] == 'D' || word[0] == 'I')
            take_only(q, n > 0 ? (uint32_t)n : QUEUE_BATCH_MAX,
                      word[0] == 'A' ? QUEUE_ASIDE : (word[0] == 'D' ? QUEUE_DEAD : QUEUE_IN_DOUBT),
                      &batch);
        else
            take(q, word[0] == 't' && n > 0 ? (uint32_t)n : QUEUE_BATCH_MAX,
                 word[0] == 's' ? n : UINT64_MAX, word[0] != 'f', &batch);
        out_byte(log, '(');
        for (uint32_t i = 0; i < batch.len; i++)
            out_byte(log, (char)('a' + queue_at(q, batch.places[i]).origin.sequence));
        out_put(log, SPAN(") "));
    }
}

static void
script(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(scripts); i++) {
        struct queue q = open_queue(scripts[i].cap);
        struct span rest = span_of(scripts[i].script);
        uint32_t places[26];
        char text[256];
        struct out log = out_to(text, sizeof text);
        size_t records = 0;

        seed_script(scripts[i].cap, scripts[i].script);
        while (rest.p != NULL)
            run_word(&q, span_cut(rest, ' ', &rest).p, places, &records, &log);
        CHECK_SPAN(scripts[i].name, out_span(&log), span_of(scripts[i].log));
    }
}

/* Partition keys of every length, with data of every length behind them. */
static void
keys(void **state)
{
    static char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t key_len = 0; key_len <= 255; key_len++) {
        size_t data_len = key_len * 5 % 256;
        struct queue q = open_queue(((uint32_t)(24 + key_len + data_len) + 7) & ~7u);
        char *room = queue_room(&q, key_len + data_len);
        struct queue_record r;
        uint32_t place;

        assert_non_null(room);
        memcpy(room, text, key_len + data_len);
        queue_add(&q, room, key_len, data_len, event(UINT64_MAX - key_len));
        assert_true(queue_oldest(&q, &place));
        r = queue_at(&q, place);
        CHECK_SPAN("key", r.partition_key, ((struct span){text, key_len}));
        CHECK_SPAN("data", r.data, ((struct span){text + key_len, data_len}));
        assert_true(r.origin.sequence == UINT64_MAX - key_len);
        assert_int_equal(r.state, QUEUE_FRESH);
        assert_int_equal(r.attempts, 0);
        assert_int_equal(r.refusals, 0);
        assert_int_equal(q.bytes, key_len + data_len);
        assert_int_equal(q.fresh_bytes, key_len + data_len);
    }
}

/* Less data for a record: its key, its neighbours and its room stay. */
static void
rewritten(void **state)
{
    struct queue q = open_queue(128);
    uint32_t first;
    uint32_t second;
    char *room;

    (void)state;
    room = queue_room(&q, 20);
    memcpy(room, "keydata-of-the-first", 20);
    first = queue_add(&q, room, 3, 17, event(0));
    room = queue_room(&q, 6);
    memcpy(room, "second", 6);
    second = queue_add(&q, room, 0, 6, event(1));
    queue_rewrite(&q, first, SPAN("less"));
    CHECK_SPAN("fresh", queue_at(&q, first).data, SPAN("less"));
    CHECK_SPAN("fresh", queue_at(&q, first).partition_key, SPAN("key"));
    assert_int_equal(q.bytes, 13);
    assert_int_equal(q.fresh_bytes, 13);
    queue_again(&q, first);
    queue_rewrite(&q, first, SPAN(""));
    CHECK_SPAN("failed", queue_at(&q, first).data, SPAN(""));
    CHECK_SPAN("failed", queue_at(&q, second).data, SPAN("second"));
    assert_int_equal(q.bytes, 9);
    assert_int_equal(q.fresh_bytes, 6);
    assert_null(queue_room(&q, 60));
    queue_end(&q, first);
    queue_end(&q, second);
    assert_int_equal(q.bytes, 0);
    assert_non_null(queue_room(&q, 104));
    /* much the same for the fuzz target, whose scripts know =aN */
    seed("queue", SPAN("128 +17 +k6 =a4 t !a =a0 +60 -a -b +104"));
}

/* Room that was not taken is forgotten. */
static void
room_forgotten(void **state)
{
    struct queue q = open_queue(64);
    char *room = queue_room(&q, 40);

    (void)state;
    assert_non_null(room);
    assert_ptr_equal(queue_room(&q, 40), room);
    assert_ptr_equal(queue_room(&q, 0), room);
    queue_add(&q, room, 0, 0, event(0));
    assert_int_equal(q.records, 1);
    assert_null(queue_room(&q, 40));
    assert_non_null(queue_room(&q, 16));
    assert_int_equal(q.records, 1);
}

static void
sizes(void **state)
{
    static const struct {
        size_t len;
        uint32_t cap;
        bool fits;
    } rows[] = {
        {0, 64, true},
        {40, 64, true},
        {41, 64, false},
        {64, 64, false},
        {SIZE_MAX, 64, false},
        {SIZE_MAX - 24, 64, false},
        {1ull << 32, 64, false},
        {0, 24, true},
        {1, 24, false},
        {0, 16, false},
        {0, 0, false},
        {(1 << 20) - 24, 1 << 20, true},
        {(1 << 20) - 23, 1 << 20, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct queue q = open_queue(rows[i].cap);

        CHECK_INT("fits", queue_fits(&q, rows[i].len), rows[i].fits);
        CHECK_INT("room", queue_room(&q, rows[i].len) != NULL, rows[i].fits);
    }
}

/* More than a batch takes, and counts that stay at their greatest value. */
static void
large_numbers(void **state)
{
    struct queue q = open_queue(24 * (QUEUE_BATCH_MAX + 1));
    uint32_t places[QUEUE_BATCH_MAX];
    struct queue_batch batch = {.places = places};
    uint32_t place;

    (void)state;
    for (uint32_t i = 0; i <= QUEUE_BATCH_MAX; i++)
        queue_add(&q, queue_room(&q, 0), 0, 0, event(i));
    assert_null(queue_room(&q, 0));
    take(&q, QUEUE_BATCH_MAX, UINT64_MAX, true, &batch);
    assert_int_equal(batch.len, QUEUE_BATCH_MAX);
    for (uint32_t i = 0; i < batch.len; i++)
        assert_int_equal(queue_at(&q, batch.places[i]).origin.sequence, i);
    for (uint32_t i = 1; i < batch.len; i++)
        queue_end(&q, batch.places[i]);
    assert_true(queue_oldest(&q, &place));
    for (uint32_t i = 1; i <= 300; i++) {
        struct queue_record r;

        queue_refused(&q, place);
        take(&q, 1, UINT64_MAX, true, &batch);
        assert_int_equal(batch.len, 1);
        assert_int_equal(batch.places[0], place);
        r = queue_at(&q, place);
        assert_int_equal(r.refusals, i < UINT8_MAX ? i : UINT8_MAX);
        assert_int_equal(r.attempts, i < UINT8_MAX ? i + 1 : UINT8_MAX);
    }
    assert_int_equal(q.records, 2);
    assert_int_equal(q.fresh, 1);
}

/*
 * What is counted: an event of N records is added by N, and named by its first record's number;
 * -N: the record of that number ends, xN: it is lost. Want: how many events that was, each time.
 */
static const struct {
    const char *name, *script, *want;
} counts[] = {
    {"whole events", "1 1 1 -1 x0 -2", "111"},
    {"in parts", "3 -0 -1 -2", "001"},
    {"in parts, from the last on", "3 -2 -1 -0", "001"},
    {"the first part is lost", "3 x0 -1 -2", "100"},
    {"one between is", "3 -0 x1 -2", "010"},
    {"the last one is", "3 -0 -1 x2", "001"},
    {"all are", "3 x1 x2 x0", "100"},
    {"two events in parts, and one between them", "2 1 2 -0 -3 -2 x1 -4", "00111"},
    {"an event of many parts", "9 -8 -0 -7 -1 -6 -2 -5 -3 -4", "000000001"},
};

static void
counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(counts); i++) {
        struct queue q = open_queue(1024);
        const char *p = counts[i].script;
        uint32_t places[16], records = 0, events = 0;
        char got[16];
        size_t len = 0;

        for (; *p != '\0'; p += p[1] == ' ' ? 2 : 1) {
            struct queue_origin origin = {events, 1, *p > '1'};
            uint32_t ended;

            if (*p != '-' && *p != 'x') {
                for (int n = *p - '0'; n > 0; n--, origin.events = 0, origin.part++)
                    places[records++] = queue_add(&q, queue_room(&q, 8), 0, 8, origin);
                CHECK_INT(counts[i].name, q.events, ++events);
                continue;
            }
            ended = (*p == '-' ? queue_end : queue_lose)(&q, places[p[1] - '0']);
            got[len++] = (char)('0' + ended);
            p++;
        }
        CHECK_SPAN(counts[i].name, ((struct span){got, len}), span_of(counts[i].want));
        CHECK_INT(counts[i].name, q.events, 0);
    }
    /* much the same for the fuzz target, whose scripts know +pN and xa */
    seed("queue", SPAN("256 +p8 +p8 +8 +p8 +p8 -a xd t -b !e % -c -e"));
}

static void
batch_moved(void **state)
{
    uint32_t places[] = {0, 96, 104, UINT32_MAX, 400};
    struct queue_batch batch = {.len = 4, .places = places};

    (void)state;
    queue_batch_moved(&batch, 104, 48);
    assert_int_equal(places[0], 0);
    assert_int_equal(places[1], 96);
    assert_int_equal(places[2], 152);
    assert_int_equal(places[3], UINT32_MAX);
    assert_int_equal(places[4], 400);
}

/*
 * The queue against a plain list that does the same in the plainest way, through thousands of steps
 * at random, the same in every run.
 */
struct item {
    uint32_t place, size;
    size_t key_len, data_len;
    uint64_t sequence;
    unsigned attempts, refusals;
    enum queue_state state;
};

#define ITEMS_MAX 512

/* What has to have happened, so that the run proves something. */
enum {
    FULL,       /* no room now */
    NEVER,      /* no room for good */
    FILLED,     /* not one byte is left */
    WHOLE_RING, /* by one record */
    WRAPPED,    /* at the very end of the ring */
    GAP,        /* before it */
    PINNED,     /* while a failed record was the oldest */
    RESTARTED,  /* ran empty and was not at its beginning */
    BY_COUNT,
    BY_BYTES,
    OVERSIZE, /* one record alone is more than the limit */
    EARLY,    /* turned back where there was room for more */
    MOVED,    /* that was too early */
    TOLD,     /* and the owner knows */
    TURNS     /* how many of these there are */
};

struct model {
    struct queue q;
    struct item items[ITEMS_MAX]; /* oldest first; the first is never an ended one */
    size_t len;
    uint64_t sequence;
    uint32_t most_len; /* of a record */
    bool pin;          /* the oldest record never succeeds */
    uint32_t touched;  /* how far it was used since it was empty */
    uint32_t turn;     /* where it turned early; 0: it did not */
    uint32_t from, by; /* what moved last */
    char row[64];
    unsigned met[TURNS];
};

static char
byte_of(const struct item *item, size_t i)
{
    return (char)(item->sequence * 31 + i * 7);
}

/* It turned too early: what lies before the turn goes to the end, unless others know where it is. */
static bool
move_up(struct model *m, uint32_t head)
{
    uint32_t gain = m->q.cap - m->turn;

    if (m->turn == 0)
        return false;
    for (size_t i = 0; i < m->len && m->q.moved == NULL; i++)
        if (m->items[i].state == QUEUE_SENT)
            return false;
    m->from = head;
    m->by = gain;
    for (size_t i = 0; i < m->len; i++)
        if (m->items[i].place >= head)
            m->items[i].place += gain;
    m->turn = 0;
    m->touched = m->q.cap;
    m->met[MOVED]++;
    return true;
}

/* Where the list says that a slot of so many bytes goes; UINT32_MAX for nowhere. */
static uint32_t
place_for(struct model *m, uint32_t size)
{
    uint32_t cap = m->q.cap;
    uint32_t head, tail;

    if (m->len == 0)
        return size <= cap ? 0 : UINT32_MAX;
    head = m->items[0].place;
    tail = m->items[m->len - 1].place + m->items[m->len - 1].size;
    if (m->items[m->len - 1].place < head) {
        if (size > head - tail && size <= cap && move_up(m, head))
            head = m->items[0].place;
        return size <= head - tail ? tail : UINT32_MAX;
    }
    m->turn = 0;
    if (size <= cap - tail && m->touched >= m->q.quiet && tail + size > m->touched &&
        size <= head && head >= m->touched / 2)
        m->turn = tail;
    if (size <= cap - tail && m->turn == 0)
        return tail;
    return size <= head ? 0 : UINT32_MAX;
}

static uint32_t
slot_of(size_t len)
{
    return ((uint32_t)len + 24 + 7) / 8 * 8;
}

/* Mostly what a log line may be; now and then what fills a gap, or the ring, to the last byte. */
static size_t
any_len(const struct model *m)
{
    size_t len = dice(m->most_len + 1);
    uint32_t head, tail;

    if (dice(50) == 0)
        return m->q.cap - 24 + dice(2);
    if (dice(5) != 0 || m->len == 0)
        return len;
    head = m->items[0].place;
    tail = m->items[m->len - 1].place + m->items[m->len - 1].size;
    if (tail < head && head - tail >= 24)
        return head - tail - 24 + dice(2);
    if (tail > head && m->q.cap - tail >= 24 && dice(2) == 0)
        return m->q.cap - tail - 24 + dice(2);
    return tail > head && head >= 24 ? head - 24 + dice(2) : len;
}

static void
note_add(struct model *m, const struct item *item)
{
    const struct item *before = m->len > 0 ? &m->items[m->len - 1] : NULL;
    uint32_t end = item->place + item->size;

    if (before != NULL && item->place < before->place) {
        m->met[before->place + before->size == m->q.cap ? WRAPPED : GAP]++;
        m->met[PINNED] += m->items[0].state == QUEUE_FAILED;
    }
    if (item->size == m->q.cap)
        m->met[WHOLE_RING]++;
    else if (before != NULL && end == (m->items[0].place == 0 ? m->q.cap : m->items[0].place))
        m->met[FILLED]++;
}

static void
add(struct model *m)
{
    size_t len = any_len(m);
    uint32_t place = place_for(m, slot_of(len));
    char *room = queue_room(&m->q, len);
    struct item item = {.place = place, .sequence = m->sequence, .state = QUEUE_FRESH};
    size_t used = dice(4) == 0 ? dice((uint32_t)len + 1) : len;

    CHECK_INT(m->row, queue_fits(&m->q, len), slot_of(len) <= m->q.cap);
    if (place == UINT32_MAX) {
        CHECK(m->row, room == NULL);
        m->met[queue_fits(&m->q, len) ? FULL : NEVER]++;
        return;
    }
    CHECK(m->row, room != NULL);
    CHECK_INT(m->row, room - m->q.ring, place + 24);
    /* all of the room may be written to, whatever is used of it in the end */
    memset(room, 0xee, len);
    item.key_len = dice((uint32_t)(used < 255 ? used : 255) + 1);
    item.data_len = used - item.key_len;
    item.size = slot_of(used);
    for (size_t i = 0; i < used; i++)
        room[i] = byte_of(&item, i);
    queue_add(&m->q, room, item.key_len, item.data_len, event(m->sequence++));
    note_add(m, &item);
    if (m->touched < item.place + item.size)
        m->touched = item.place + item.size;
    m->met[EARLY] += m->turn > 0 && item.place == 0;
    assert_true(m->len < ITEMS_MAX);
    m->items[m->len++] = item;
}

/* The items of one state that the batch takes, oldest first. */
static void
expect(struct model *m, enum queue_state state, uint32_t records, uint64_t bytes,
       struct item **want, size_t *len, uint64_t *sum)
{
    for (size_t i = 0; i < m->len; i++) {
        struct item *item = &m->items[i];
        uint64_t size = item->key_len + item->data_len;

        if (item->state != state)
            continue;
        if (*len == records || (*len > 0 && *sum + size > bytes)) {
            m->met[*len == records ? BY_COUNT : BY_BYTES]++;
            return;
        }
        m->met[OVERSIZE] += size > bytes;
        /* behind one that is too large, one without any bytes still fits */
        *sum = *sum + size < bytes ? *sum + size : bytes;
        want[(*len)++] = item;
    }
}

static void
take_some(struct model *m)
{
    static uint32_t places[QUEUE_BATCH_MAX];
    static struct queue_batch batch = {.places = places};
    static struct item *want[ITEMS_MAX];
    uint32_t records = dice(3) == 0 ? QUEUE_BATCH_MAX : 1 + dice(8);
    uint64_t bytes = dice(3) == 0 ? UINT64_MAX : dice(4 * m->most_len + 8);
    bool with_failed = dice(4) != 0;
    uint64_t sum = 0;
    size_t len = 0;

    if (with_failed)
        expect(m, QUEUE_FAILED, records, bytes, want, &len, &sum);
    expect(m, QUEUE_FRESH, records, bytes, want, &len, &sum);
    take(&m->q, records, bytes, with_failed, &batch);
    CHECK_INT(m->row, batch.len, len);
    for (size_t i = 0; i < len; i++) {
        CHECK_INT(m->row, batch.places[i], want[i]->place);
        want[i]->state = QUEUE_SENT;
        want[i]->attempts++;
    }
}

static void
end(struct model *m, struct item *item)
{
    size_t ended = 0;
    uint32_t last = m->items[m->len - 1].place;

    queue_end(&m->q, item->place);
    item->state = QUEUE_ENDED;
    while (ended < m->len && m->items[ended].state == QUEUE_ENDED)
        ended++;
    m->len -= ended;
    memmove(m->items, m->items + ended, m->len * sizeof *m->items);
    m->met[RESTARTED] += ended > 0 && m->len == 0 && last != 0;
    if (m->len == 0)
        m->touched = m->turn = 0;
}

/* What becomes of one record of a batch. */
static void
answer(struct model *m, struct item *item)
{
    uint32_t fate = dice(8);

    if (fate > 1 && !(m->pin && item == m->items)) {
        end(m, item);
        return;
    }
    item->state = QUEUE_FAILED;
    if (fate == 0) {
        queue_again(&m->q, item->place);
    } else {
        item->refusals++;
        queue_refused(&m->q, item->place);
    }
}

static void
answer_some(struct model *m)
{
    bool all = dice(2) == 0;

    for (uint32_t n = all ? ITEMS_MAX : 1 + dice(4); n > 0 && m->len > 0; n--) {
        size_t i = all ? n % m->len : dice((uint32_t)m->len);

        if (m->items[i].state == QUEUE_SENT)
            answer(m, &m->items[i]);
    }
}

/* Whatever state it is in, as when room has to be made. */
static void
drop_one(struct model *m)
{
    size_t i = m->len == 0 ? 0 : dice((uint32_t)m->len);

    if (m->len == 0 || (m->pin && i == 0) || m->items[i].state == QUEUE_ENDED)
        return;
    end(m, &m->items[i]);
}

static void
check_item(const struct model *m, const struct item *item)
{
    struct queue_record r = queue_at(&m->q, item->place);
    bool same = true;

    CHECK_INT(m->row, r.state, item->state);
    CHECK_INT(m->row, r.origin.sequence, item->sequence);
    CHECK_INT(m->row, r.attempts, item->attempts);
    CHECK_INT(m->row, r.refusals, item->refusals);
    CHECK_INT(m->row, r.partition_key.len, item->key_len);
    CHECK_INT(m->row, r.data.len, item->data_len);
    CHECK(m->row, r.data.p == r.partition_key.p + item->key_len);
    for (size_t i = 0; i < item->key_len + item->data_len; i++)
        same = same && r.partition_key.p[i] == byte_of(item, i);
    CHECK(m->row, same);
}

static void
check_model(const struct model *m)
{
    uint32_t records = 0, fresh = 0, place = UINT32_MAX;
    uint64_t bytes = 0, fresh_bytes = 0;

    for (size_t i = 0; i < m->len; i++) {
        const struct item *item = &m->items[i];
        uint64_t size = item->key_len + item->data_len;

        if (item->state == QUEUE_ENDED)
            continue;
        check_item(m, item);
        records++;
        bytes += size;
        if (item->state == QUEUE_FRESH) {
            fresh++;
            fresh_bytes += size;
        }
    }
    CHECK_INT(m->row, m->q.records, records);
    CHECK_INT(m->row, m->q.fresh, fresh);
    CHECK_INT(m->row, m->q.bytes, bytes);
    CHECK_INT(m->row, m->q.fresh_bytes, fresh_bytes);
    CHECK_INT(m->row, queue_oldest(&m->q, &place), records > 0);
    CHECK_INT(m->row, place, records > 0 ? m->items[0].place : UINT32_MAX);
}

/* Storms of arrivals and times in which everything is answered take turns. */
static void
step(struct model *m, bool storm)
{
    uint32_t act = dice(16);

    if (act < (storm ? 9u : 4u))
        add(m);
    else if (act < 12)
        take_some(m);
    else if (act < 15)
        answer_some(m);
    else
        drop_one(m);
}

static void
told(void *context, uint32_t from, uint32_t by)
{
    struct model *m = context;

    CHECK_INT(m->row, from, m->from);
    CHECK_INT(m->row, by, m->by);
    m->met[TOLD]++;
}

static void
model(void **state)
{
    static const struct {
        uint32_t cap, most_len;
    } profiles[] = {{24, 0},    {32, 8},     {64, 40},   {96, 16},    {120, 20},
                    {128, 104}, {256, 60},   {512, 30},  {1000, 200}, {1024, 90},
                    {4096, 40}, {4096, 900}, {8192, 200}};
    static struct model m;

    (void)state;
    /* the usual way, turning early, as early as can be, and with an owner that is told */
    for (size_t i = 0; i < 4 * LEN(profiles); i++) {
        uint32_t cap = profiles[i / 4].cap;

        m.q = open_queue(cap);
        if (i % 4 > 0)
            m.q.quiet = i % 4 == 1 ? cap / 4 : 0;
        if (i % 4 == 3) {
            m.q.moved = told;
            m.q.context = &m;
        }
        m.most_len = profiles[i / 4].most_len;
        m.len = 0;
        m.touched = m.turn = 0;
        for (unsigned n = 0; n < 8000; n++) {
            snprintf(m.row, sizeof m.row, "ring of %u, step %u, run %zu", cap, n, i % 4);
            m.pin = n / 500 % 4 == 3;
            step(&m, n / 50 % 2 == 0);
            check_model(&m);
        }
    }
    for (size_t i = 0; i < TURNS; i++)
        assert_true(m.met[i] >= 100);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(script),         cmocka_unit_test(keys),  cmocka_unit_test(rewritten),
        cmocka_unit_test(room_forgotten), cmocka_unit_test(sizes), cmocka_unit_test(large_numbers),
        cmocka_unit_test(batch_moved),    cmocka_unit_test(model), cmocka_unit_test(counted),
    };

    return RUN(argc, argv, tests);
}
