#include "protocol/queue.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "protocol/out.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t offsets[2][BATCH_MAX_RECORDS];

/* The ring lies before an unreadable page. */
static struct queue
open_queue(uint32_t cap)
{
    struct queue q;

    memset(&q, 0xff, sizeof q);
    queue_open(&q, guard_buffer(cap), cap);
    for (enum queue_batch b = QUEUE_STREAM; b <= QUEUE_DEAD_LETTER; b++)
        queue_batch_open(&q, b, offsets[b], BATCH_MAX_RECORDS);
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

/* Whether no record is in the batch any more. */
static bool
free_batch(const struct queue *q, enum queue_batch b)
{
    for (uint32_t i = 0; i < queue_batch_len(q, b); i++)
        if (queue_in_batch(q, b, i))
            return false;
    return true;
}

/* Takes into whichever batch is free, and says which that is. */
static enum queue_batch
take(struct queue *q, uint32_t records, uint64_t bytes, enum queue_take_what what)
{
    size_t asked = 0;
    struct queue_limits limits = {records, bytes, record_size, &asked};
    enum queue_batch b = free_batch(q, QUEUE_STREAM) ? QUEUE_STREAM : QUEUE_DEAD_LETTER;
    uint32_t len;

    assert_true(free_batch(q, b));
    len = queue_take(q, b, &limits, what);
    assert_int_equal(len, queue_batch_len(q, b));
    assert_true(asked >= len);
    return b;
}

/* Where a record is; false when it is in no batch. */
static bool
find(const struct queue *q, uint64_t sequence, enum queue_batch *batch, uint32_t *index)
{
    for (*batch = QUEUE_STREAM; *batch <= QUEUE_DEAD_LETTER; ++*batch)
        for (*index = 0; *index < queue_batch_len(q, *batch); ++*index)
            if (queue_in_batch(q, *batch, *index) &&
                queue_at(q, *batch, *index).origin.sequence == sequence)
                return true;
    return false;
}

/*
 * Scripts. A slot takes 24 bytes besides its record and ends at a multiple of 8. The first record
 * is called a, the next b, and so on.
 *
 *   +N    room for N bytes, then a record of so many; ~N/M the same, but with M bytes in the end
 *   t     takes a batch; tN at most N records, sN at most N bytes, f only fresh ones
 *   -a    a is ended, or dropped when it is the oldest and in no batch; of those in a batch !a is to be
 *         sent again; ?a was refused; *a is suspected; ^a is set aside; _a is dead; /a is in doubt
 *   !     all that are left in the batches are to be sent again
 *   SN    takes at most N of the suspects; AN of those aside; DN of the dead, IN of those in doubt
 *   R     those aside, and suspects, rejoin the others; C suspects do
 *   X     all are dead; % the oldest is rolled; N the newest is dead
 *   #     all move together
 *
 * log: of +, the record's name and its place, or full, or never; of t, s, f, S, A, D and I, the batch; of
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
    {"fresh alone", 256, "+0 +0 t !a -b +0 f t", "a0 b24 (ab) c48 (c) (a) "},
    {"nothing fresh", 256, "+0 t !a f t", "a0 (a) () (a) "},
    {"nothing at all", 256, "t f +0 t t", "() () a0 (a) () "},
    {"failed across the turn", 136, "+8 +8 +8 +8 t -a -b !d !c +8 t",
     "a0 b32 c64 d96 (abcd) e0 (cde) "},
    {"a failed one holds the room behind it", 128, "+8 +8 t !a -b +8 +8 +0 t -c -d +0 ?a -a +0",
     "a0 b32 (ab) c64 d96 full (acd) full e0 "},
    {"others come and go behind a failed one", 128,
     "+0 +0 +0 t !b -a -c +0 +8 t !b -d -e +0 f -f +0",
     "a0 b24 c48 (abc) d72 e96 (bde) f0 (f) full "},

    {"by count", 256, "+0 +0 +0 t2 t2 -c t2", "a0 b24 c48 (ab) (c) () "},
    {"by count, one", 256, "+0 +0 t1 !a t1 t1", "a0 b24 (a) (a) (b) "},
    {"by count, failed leave no room", 256, "+0 +0 +0 t2 !a !b t2 t2", "a0 b24 c48 (ab) (ab) (c) "},
    {"by count, failed leave some", 256, "+0 +0 +0 +0 t2 !b -a t2 t2",
     "a0 b24 c48 d72 (ab) (bc) (d) "},
    {"by bytes", 256, "+8 +8 +8 s16 s16", "a0 b32 c64 (ab) (c) "},
    {"by bytes, one short", 256, "+8 +8 s15 s15", "a0 b32 (a) (b) "},
    {"by bytes, none but the first", 256, "+8 +1 s1 s1", "a0 b32 (a) (b) "},
    {"by bytes, larger than allowed", 256, "+1 +9 +1 s4 s4 -a s4", "a0 b32 c72 (a) (b) (c) "},
    {"by bytes, a small one waits behind a large one", 256, "+8 +16 +1 s12 s17",
     "a0 b32 c72 (a) (bc) "},
    {"by bytes, fresh ones fill up where a failed one did not fit", 256, "+8 +16 t !a !b +4 s12 t",
     "a0 b32 (ab) c72 (ac) (b) "},

    {"oldest fresh one dropped", 256, "+0 +0 -a +0 t", "a0 b24 c48 (bc) "},
    {"all fresh ones dropped", 256, "+0 +0 -a -b t +0 t", "a0 b24 () c0 (c) "},
    {"fresh one dropped behind ended ones", 256, "+0 +0 +0 t1 -a -b t +0 t",
     "a0 b24 c48 (a) (c) d72 (d) "},
    {"last fresh one dropped, then more", 256, "+0 +0 t1 -a -b +0 t", "a0 b24 (a) c0 (c) "},
    {"the newest is dead", 256, "+0 +0 N +0 N t D", "a0 b24 c48 (a) (bc) "},
    {"all that are left", 256, "+0 +0 +0 t -b ! t", "a0 b24 c48 (abc) (ac) "},
    {"suspects are not taken with others", 256, "+0 +0 +0 t *a !b *c t S1 -a S -b t",
     "a0 b24 c48 (abc) (b) (a) (c) () "},
    {"suspects cleared", 256, "+0 +0 +0 t *a ^b *c C t S A", "a0 b24 c48 (abc) (ac) () (b) "},
    {"suspects rejoin and die", 256, "+0 +0 +0 t *a *b ^c R t *a ^b !c X D",
     "a0 b24 c48 (abc) (abc) (abc) "},
    {"failed one dropped", 256, "+0 +0 t !a !b -a t", "a0 b24 (ab) (b) "},
    {"one aside is not taken", 256, "+0 +0 t ^a !b t A -b A", "a0 b24 (ab) (b) (a) () "},
    {"those aside one by one", 256, "+0 +0 +0 t ^c ^a -b A1 A1 -a A1",
     "a0 b24 c48 (abc) (a) (c) () "},
    {"one aside, ended", 256, "+0 +0 t ^a -b -a +0 t", "a0 b24 (ab) c0 (c) "},
    {"one suspect rejoins", 256, "+0 +0 t *a -b R t", "a0 b24 (ab) (a) "},
    {"one aside rejoins", 256, "+0 +0 t ^a -b R t", "a0 b24 (ab) (a) "},
    {"suspects go without fresh ones", 256, "+0 +0 +0 t2 *a *b S t", "a0 b24 c48 (ab) (ab) (c) "},
    {"those aside rejoin", 256, "+0 +0 +0 t ^a ^c R t -b A", "a0 b24 c48 (abc) (ac) () "},
    {"none to rejoin", 256, "+0 R t", "a0 (a) "},
    {"the dead are not taken", 256, "+0 +0 t _a !b t D -b D", "a0 b24 (ab) (b) (a) () "},
    {"the dead across the turn", 128, "+8 +8 +8 +8 t -a -b !c _d +8 N D t",
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
    {"a quarter of the ring is wasted", 256, "+8 +56 +8 t !a -b !c % t",
     "a0 b32 c112 (abc) % (ca) "},
    {"a little less than that", 256, "+8 +48 +8 t !a -b !c % t", "a0 b32 c104 (abc) - (ac) "},
    {"the newest, behind those that moved", 256, "+8 +8 +8 t !a -b !c +8 # N D t",
     "a0 b32 c64 (abc) d96 #0,96 (d) (ac) "},
    {"the newest, when all move to the beginning", 256, "+8 +8 +8 t -a !b !c +8 # N D t",
     "a0 b32 c64 (abc) d96 #0,96 (d) (bc) "},
    {"together, one gone on each side of the turn", 160,
     "+8 +8 +8 +8 +8 t -a -b !c -d !e +8 +8 f -f !g # t",
     "a0 b32 c64 d96 e128 (abcde) f0 g32 (fg) #96,32 (ceg) "},
    {"not while under way", 128, "+8 +8 +8 +8 t -b -c -d % +8", "a0 b32 c64 d96 (abcd) - full "},
    {"not before the first time", 128, "+8 +8 N +8 N +8 N D -b -c -d % +8",
     "a0 b32 c64 d96 (bcd) - full "},
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

/* What becomes of one record. */
static void
run_for_one(struct queue *q, const char *word)
{
    static const struct {
        char verb;
        enum queue_state state;
    } states[] = {{'!', QUEUE_FAILED}, {'?', QUEUE_FAILED}, {'*', QUEUE_SUSPECT},
                  {'^', QUEUE_ASIDE},  {'_', QUEUE_DEAD},   {'/', QUEUE_IN_DOUBT}};
    uint64_t sequence = (uint64_t)(word[1] - 'a');
    enum queue_batch batch;
    uint32_t index;
    struct queue_record oldest;

    if (!find(q, sequence, &batch, &index)) {
        assert_int_equal(word[0], '-');
        assert_true(queue_oldest(q, &oldest));
        assert_int_equal(oldest.origin.sequence, sequence);
        assert_int_equal(queue_lose_oldest(q), 1);
        return;
    }
    if (word[0] == '-')
        queue_end(q, batch, index);
    for (size_t i = 0; i < LEN(states); i++)
        if (word[0] == states[i].verb && word[0] == '?')
            queue_refused(q, batch, index, states[i].state);
        else if (word[0] == states[i].verb)
            queue_mark(q, batch, index, states[i].state);
}

static void
log_batch(const struct queue *q, enum queue_batch batch, struct out *log)
{
    out_byte(log, '(');
    for (uint32_t i = 0; i < queue_batch_len(q, batch); i++)
        out_byte(log, (char)('a' + queue_at(q, batch, i).origin.sequence));
    out_put(log, SPAN(") "));
}

static void
take_by(struct queue *q, char verb, unsigned long n, struct out *log)
{
    static const char verbs[] = "ftSADI";
    enum queue_take_what what =
        verb == 's' ? QUEUE_TAKE_FAILED : (enum queue_take_what)(strchr(verbs, verb) - verbs);
    uint32_t records = verb != 's' && n > 0 ? (uint32_t)n : BATCH_MAX_RECORDS;

    log_batch(q, take(q, records, verb == 's' ? n : UINT64_MAX, what), log);
}

/* Runs one word of a script. */
static void
run_word(struct queue *q, const char *word, size_t *records, struct out *log)
{
    char scratch[128];
    char *end;
    unsigned long n = strtoul(word + 1, &end, 10);
    char *room;

    switch (word[0]) {
    case '+':
    case '~':
        room = queue_room(q, n);
        if (room == NULL) {
            out_put(log, queue_fits(q, n) ? SPAN("full ") : SPAN("never "));
            break;
        }
        memset(room, '.', n);
        queue_add(q, room, 0, word[0] == '~' ? strtoul(end + 1, NULL, 10) : n, event(*records));
        out_byte(log, (char)('a' + (*records)++));
        out_number(log, (uint64_t)(room - q->ring.bytes) - 24);
        out_byte(log, ' ');
        break;
    case 'R':
        queue_rejoin(q);
        break;
    case 'C':
        queue_clear_suspects(q);
        break;
    case 'X':
        queue_mark_all_dead(q);
        break;
    case 'N':
        queue_bury_newest(q);
        break;
    case '#':
        queue_compact(q);
        out_byte(log, '#');
        out_number(log, q->ring.head);
        out_byte(log, ',');
        out_number(log, q->ring.tail);
        out_byte(log, ' ');
        break;
    case '%':
        memset(scratch, 0xff, sizeof scratch);
        out_put(log, queue_roll(q, scratch, sizeof scratch) ? SPAN("% ") : SPAN("- "));
        break;
    default:
        if (word[0] == '!' && (word[1] == ' ' || word[1] == '\0')) {
            queue_return(q, QUEUE_STREAM, QUEUE_FAILED);
            queue_return(q, QUEUE_DEAD_LETTER, QUEUE_FAILED);
        } else if (strchr("-!?*^_/", word[0]) != NULL) {
            run_for_one(q, word);
        } else {
            take_by(q, word[0], n, log);
        }
        break;
    }
    queue_check(q);
}

static void
script(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(scripts); i++) {
        struct queue q = open_queue(scripts[i].cap);
        struct span rest = span_of(scripts[i].script);
        char text[256];
        struct out log = out_to(text, sizeof text);
        size_t records = 0;

        seed_script(scripts[i].cap, scripts[i].script);
        while (rest.p != NULL)
            run_word(&q, span_cut(rest, ' ', &rest).p, &records, &log);
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
        struct span key, data;

        assert_non_null(room);
        memcpy(room, text, key_len + data_len);
        q.common_key = SPAN("common");
        queue_add(&q, room, key_len, data_len, event(UINT64_MAX - key_len));
        assert_true(queue_oldest(&q, &r));
        CHECK_SPAN("key", r.partition_key,
                   key_len == 0 ? SPAN("common") : ((struct span){text, key_len}));
        assert_int_equal(r.own_key, key_len > 0);
        CHECK_SPAN("data", r.data, ((struct span){text + key_len, data_len}));
        assert_true(r.origin.sequence == UINT64_MAX - key_len);
        assert_int_equal(r.state, QUEUE_FRESH);
        assert_int_equal(r.attempts, 0);
        assert_int_equal(r.refusals, 0);
        assert_int_equal(q.bytes, key_len + data_len);
        assert_int_equal(q.fresh_bytes, key_len + data_len);
        take(&q, 1, UINT64_MAX, QUEUE_TAKE_FRESH);
        queue_payload(&q, QUEUE_STREAM, 0, &key, &data);
        CHECK_SPAN("key", key, r.partition_key);
        CHECK_SPAN("data", data, r.data);
    }
}

/* A record is rolled by way of memory that just holds it, and of none that is smaller. */
static void
rolled(void **state)
{
    (void)state;
    for (size_t cap = 7; cap <= 8; cap++) {
        struct queue q = open_queue(128);
        struct queue_record r;
        char scratch[8];

        for (uint32_t i = 0; i < 4; i++)
            queue_add(&q, queue_room(&q, 8), 0, 8, event(i));
        take(&q, 4, UINT64_MAX, QUEUE_TAKE_FRESH);
        queue_mark(&q, QUEUE_STREAM, 0, QUEUE_FAILED);
        for (uint32_t i = 1; i < 4; i++)
            queue_end(&q, QUEUE_STREAM, i);
        assert_int_equal(queue_roll(&q, scratch, cap), cap == 8);
        assert_true(queue_oldest(&q, &r));
        assert_int_equal(r.data.len, 8);
    }
}

/* What a batch held before it was shorter is none of it. */
static void
shorter(void **state)
{
    struct queue q = open_queue(128);

    (void)state;
    memset(offsets, 0, sizeof offsets);
    for (uint32_t i = 0; i < 4; i++)
        queue_add(&q, queue_room(&q, 8), 0, 8, event(i));
    take(&q, 2, UINT64_MAX, QUEUE_TAKE_FRESH);
    assert_true(queue_in_batch(&q, QUEUE_STREAM, 1));
    assert_false(queue_in_batch(&q, QUEUE_STREAM, 2));
    assert_false(queue_in_batch(&q, QUEUE_STREAM, 3));
}

/* Less data for a record: its key, its neighbours and its room stay. */
static void
rewritten(void **state)
{
    struct queue q = open_queue(128);
    char *room;

    (void)state;
    room = queue_room(&q, 20);
    memcpy(room, "keydata-of-the-first", 20);
    queue_add(&q, room, 3, 17, event(0));
    room = queue_room(&q, 6);
    memcpy(room, "second", 6);
    queue_add(&q, room, 0, 6, event(1));
    take(&q, 2, UINT64_MAX, QUEUE_TAKE_FRESH);
    queue_rewrite(&q, QUEUE_STREAM, 0, SPAN("less"));
    CHECK_SPAN("data", queue_at(&q, QUEUE_STREAM, 0).data, SPAN("less"));
    CHECK_SPAN("key", queue_at(&q, QUEUE_STREAM, 0).partition_key, SPAN("key"));
    assert_int_equal(q.bytes, 13);
    queue_rewrite(&q, QUEUE_STREAM, 0, SPAN(""));
    CHECK_SPAN("empty", queue_at(&q, QUEUE_STREAM, 0).data, SPAN(""));
    CHECK_SPAN("neighbour", queue_at(&q, QUEUE_STREAM, 1).data, SPAN("second"));
    assert_int_equal(q.bytes, 9);
    assert_null(queue_room(&q, 60));
    queue_end(&q, QUEUE_STREAM, 0);
    queue_end(&q, QUEUE_STREAM, 1);
    assert_int_equal(q.bytes, 0);
    assert_non_null(queue_room(&q, 104));
    /* much the same for the fuzz target, whose scripts know =aN */
    seed("queue", SPAN("128 +17 +k6 t =a4 =a0 +60 -a -b +104"));
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
    struct queue q = open_queue(24 * (BATCH_MAX_RECORDS + 1));

    (void)state;
    for (uint32_t i = 0; i <= BATCH_MAX_RECORDS; i++)
        queue_add(&q, queue_room(&q, 0), 0, 0, event(i));
    assert_null(queue_room(&q, 0));
    take(&q, UINT32_MAX, UINT64_MAX, QUEUE_TAKE_FAILED);
    assert_int_equal(queue_batch_len(&q, QUEUE_STREAM), BATCH_MAX_RECORDS);
    for (uint32_t i = 0; i < BATCH_MAX_RECORDS; i++)
        assert_int_equal(queue_at(&q, QUEUE_STREAM, i).origin.sequence, i);
    for (uint32_t i = 1; i < BATCH_MAX_RECORDS; i++)
        queue_end(&q, QUEUE_STREAM, i);
    for (uint32_t i = 1; i <= 300; i++) {
        struct queue_record r;

        queue_refused(&q, QUEUE_STREAM, 0, QUEUE_FAILED);
        take(&q, 1, UINT64_MAX, QUEUE_TAKE_FAILED);
        assert_int_equal(queue_batch_len(&q, QUEUE_STREAM), 1);
        r = queue_at(&q, QUEUE_STREAM, 0);
        assert_int_equal(r.origin.sequence, 0);
        assert_int_equal(r.refusals, i < UINT8_MAX ? i : UINT8_MAX);
        assert_int_equal(r.attempts, i < UINT8_MAX ? i + 1 : UINT8_MAX);
    }
    assert_int_equal(q.records, 2);
    assert_int_equal(q.count[QUEUE_FRESH], 1);
}

/*
 * What is counted: an event of N records is added by N, and named by its first record's number;
 * -N: the record of that number ends, xN: it is lost, oN: the same of the oldest, which it is, while it is in no
 * batch. Want: how many events that was, each time.
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
    {"the oldest is lost, of a whole event", "1 1 o0 -1", "11"},
    {"the oldest is lost, of one in parts", "3 o0 -1 -2", "100"},
    {"the oldest is lost, the others have ended", "3 -1 -2 o0", "001"},
    {"an event of many parts", "9 -8 -0 -7 -1 -6 -2 -5 -3 -4", "000000001"},
};

/* Adds an event in so many records; the last of several are taken into one batch below. */
static void
add_event(struct queue *q, uint64_t sequence, int records)
{
    struct queue_origin origin = {sequence, 1, records > 1};

    for (; records > 0; records--, origin.events = 0, origin.part++)
        queue_add(q, queue_room(q, 8), 0, 8, origin);
}

/* Returns how many events that was. */
static uint32_t
gone(struct queue *q, char how, uint32_t index)
{
    if (how == '-')
        return queue_end(q, QUEUE_STREAM, index);
    if (how == 'x')
        return queue_lose(q, QUEUE_STREAM, index);
    queue_mark(q, QUEUE_STREAM, index, QUEUE_FAILED);
    return queue_lose_oldest(q);
}

static void
counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(counts); i++) {
        struct queue q = open_queue(1024);
        const char *p = counts[i].script;
        char got[16];
        uint32_t events = 0;
        size_t len = 0;

        for (; *p >= '0' && *p <= '9'; p += 2) {
            add_event(&q, events, *p - '0');
            CHECK_INT(counts[i].name, q.events, ++events);
        }
        take(&q, BATCH_MAX_RECORDS, UINT64_MAX, QUEUE_TAKE_FRESH);
        for (; *p != '\0'; p += p[2] == ' ' ? 3 : 2)
            got[len++] = (char)('0' + gone(&q, *p, (uint32_t)(p[1] - '0')));
        CHECK_SPAN(counts[i].name, ((struct span){got, len}), span_of(counts[i].want));
        CHECK_INT(counts[i].name, q.events, 0);
    }
    /* much the same for the fuzz target, whose scripts know +pN and xa */
    seed("queue", SPAN("256 +p8 +p8 +8 +p8 +p8 t -a xd -b !e ! % t -c -e"));
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
    enum queue_batch batch; /* when it is sent, as index */
    uint32_t index;
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
    FOLLOWED, /* and a record of a batch was among those that moved */
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
    char row[64];
    unsigned met[TURNS];
};

static char
byte_of(const struct item *item, size_t i)
{
    return (char)(item->sequence * 31 + i * 7);
}

/* It turned too early: what lies before the turn goes to the end, and its batches know. */
static bool
move_up(struct model *m, uint32_t head)
{
    uint32_t gain = m->q.ring.cap - m->turn;

    if (m->turn == 0)
        return false;
    for (size_t i = 0; i < m->len; i++)
        if (m->items[i].place >= head) {
            m->items[i].place += gain;
            m->met[FOLLOWED] += m->items[i].state == QUEUE_SENT;
        }
    m->turn = 0;
    m->touched = m->q.ring.cap;
    m->met[MOVED]++;
    return true;
}

/* Where the list says that a slot of so many bytes goes; UINT32_MAX for nowhere. */
static uint32_t
place_for(struct model *m, uint32_t size)
{
    uint32_t cap = m->q.ring.cap;
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
    if (size <= cap - tail && m->touched >= m->q.ring.quiet && tail + size > m->touched &&
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
        return m->q.ring.cap - 24 + dice(2);
    if (dice(5) != 0 || m->len == 0)
        return len;
    head = m->items[0].place;
    tail = m->items[m->len - 1].place + m->items[m->len - 1].size;
    if (tail < head && head - tail >= 24)
        return head - tail - 24 + dice(2);
    if (tail > head && m->q.ring.cap - tail >= 24 && dice(2) == 0)
        return m->q.ring.cap - tail - 24 + dice(2);
    return tail > head && head >= 24 ? head - 24 + dice(2) : len;
}

static void
note_add(struct model *m, const struct item *item)
{
    const struct item *before = m->len > 0 ? &m->items[m->len - 1] : NULL;
    uint32_t end = item->place + item->size;

    if (before != NULL && item->place < before->place) {
        m->met[before->place + before->size == m->q.ring.cap ? WRAPPED : GAP]++;
        m->met[PINNED] += m->items[0].state == QUEUE_FAILED;
    }
    if (item->size == m->q.ring.cap)
        m->met[WHOLE_RING]++;
    else if (before != NULL && end == (m->items[0].place == 0 ? m->q.ring.cap : m->items[0].place))
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

    CHECK_INT(m->row, queue_fits(&m->q, len), slot_of(len) <= m->q.ring.cap);
    if (place == UINT32_MAX) {
        CHECK(m->row, room == NULL);
        m->met[queue_fits(&m->q, len) ? FULL : NEVER]++;
        return;
    }
    CHECK(m->row, room != NULL);
    CHECK_INT(m->row, room - m->q.ring.bytes, place + 24);
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
    static struct item *want[ITEMS_MAX];
    uint32_t records = dice(3) == 0 ? BATCH_MAX_RECORDS : 1 + dice(8);
    uint64_t bytes = dice(3) == 0 ? UINT64_MAX : dice(4 * m->most_len + 8);
    bool with_failed = dice(4) != 0;
    enum queue_batch batch;
    uint64_t sum = 0;
    size_t len = 0;

    if (!free_batch(&m->q, QUEUE_STREAM) && !free_batch(&m->q, QUEUE_DEAD_LETTER))
        return;
    if (with_failed)
        expect(m, QUEUE_FAILED, records, bytes, want, &len, &sum);
    expect(m, QUEUE_FRESH, records, bytes, want, &len, &sum);
    batch = take(&m->q, records, bytes, with_failed ? QUEUE_TAKE_FAILED : QUEUE_TAKE_FRESH);
    CHECK_INT(m->row, queue_batch_len(&m->q, batch), len);
    for (uint32_t i = 0; i < len; i++) {
        CHECK_INT(m->row, m->q.batches[batch].offsets[i], want[i]->place);
        want[i]->state = QUEUE_SENT;
        want[i]->batch = batch;
        want[i]->index = i;
        want[i]->attempts++;
    }
}

static void
end(struct model *m, struct item *item)
{
    size_t ended = 0;
    uint32_t last = m->items[m->len - 1].place;

    if (item->state == QUEUE_SENT)
        queue_end(&m->q, item->batch, item->index);
    else
        queue_lose_oldest(&m->q);
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
        queue_mark(&m->q, item->batch, item->index, QUEUE_FAILED);
    } else {
        item->refusals++;
        queue_refused(&m->q, item->batch, item->index, QUEUE_FAILED);
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

/* As when room has to be made. */
static void
drop_oldest(struct model *m)
{
    if (m->len > 0 && !m->pin && m->items[0].state != QUEUE_SENT)
        end(m, &m->items[0]);
}

static void
check_item(const struct model *m, const struct item *item)
{
    bool in_batch = item->state == QUEUE_SENT;
    struct queue_record r;
    bool same = true;

    if (!in_batch && item != m->items)
        return;
    if (in_batch)
        r = queue_at(&m->q, item->batch, item->index);
    else
        CHECK(m->row, queue_oldest(&m->q, &r));
    CHECK_INT(m->row, r.state, item->state);
    CHECK_INT(m->row, r.origin.sequence, item->sequence);
    CHECK_INT(m->row, r.attempts, item->attempts);
    CHECK_INT(m->row, r.refusals, item->refusals);
    CHECK_INT(m->row, r.own_key, item->key_len > 0);
    CHECK_INT(m->row, r.data.len, item->data_len);
    for (size_t i = 0; i < item->key_len; i++)
        same = same && r.partition_key.p[i] == byte_of(item, i);
    for (size_t i = 0; i < item->data_len; i++)
        same = same && r.data.p[i] == byte_of(item, item->key_len + i);
    CHECK(m->row, same);
}

static void
check_model(const struct model *m)
{
    uint32_t records = 0, fresh = 0;
    struct queue_record oldest;
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
    CHECK_INT(m->row, m->q.count[QUEUE_FRESH], fresh);
    CHECK_INT(m->row, m->q.bytes, bytes);
    CHECK_INT(m->row, m->q.fresh_bytes, fresh_bytes);
    CHECK_INT(m->row, queue_oldest(&m->q, &oldest), records > 0);
    if (records > 0)
        CHECK_INT(m->row, m->q.ring.head, m->items[0].place);
    queue_check(&m->q);
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
        drop_oldest(m);
}

/* What is behind the batches' offsets stays, whatever moves. */
static void
check_behind(const struct model *m)
{
    static uint32_t before[2];
    const uint32_t mark = UINT32_MAX - 1;

    for (enum queue_batch b = QUEUE_STREAM; b <= QUEUE_DEAD_LETTER; b++) {
        uint32_t len = queue_batch_len(&m->q, b);

        if (len == before[b] && len > 0)
            CHECK_INT(m->row, offsets[b][len], mark);
        before[b] = len;
        offsets[b][len] = mark;
    }
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
    /* the usual way, turning early, and as early as can be */
    for (size_t i = 0; i < 3 * LEN(profiles); i++) {
        uint32_t cap = profiles[i / 3].cap;

        m.q = open_queue(cap);
        if (i % 3 > 0)
            m.q.ring.quiet = i % 3 == 1 ? cap / 4 : 0;
        m.most_len = profiles[i / 3].most_len;
        m.len = 0;
        m.touched = m.turn = 0;
        for (unsigned n = 0; n < 8000; n++) {
            snprintf(m.row, sizeof m.row, "ring of %u, step %u, run %zu", cap, n, i % 3);
            m.pin = n / 500 % 4 == 3;
            step(&m, n / 50 % 2 == 0);
            check_model(&m);
            check_behind(&m);
        }
    }
    for (size_t i = 0; i < TURNS; i++)
        assert_true(m.met[i] >= 100);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(script),    cmocka_unit_test(keys),
        cmocka_unit_test(rewritten), cmocka_unit_test(room_forgotten),
        cmocka_unit_test(sizes),     cmocka_unit_test(large_numbers),
        cmocka_unit_test(model),     cmocka_unit_test(counted),
        cmocka_unit_test(rolled),    cmocka_unit_test(shorter),
    };

    return RUN(argc, argv, tests);
}
