#include "protocol/suspect.h"

#include "delivery_driver.h"

/*
 * A stream that refuses each call in which there is a poisoned record, and nothing else: which ones
 * those are, by the numbers of their events.
 */
static bool poisoned[2000];
static bool names_it;  /* whether the service tells which one it is */
static uint64_t takes; /* so many bytes of data in one call; what lies before it refuses more */
static unsigned refused, calls;

/* Nothing but a refusal can drop what is in this test. */
static bool
has_poison(uint32_t *index)
{
    uint32_t len = queue_batch_len(&delivery.queue, QUEUE_STREAM);

    for (*index = 0; *index < len; ++*index)
        if (poisoned[queue_at(&delivery.queue, QUEUE_STREAM, *index).origin.sequence])
            return true;
    return false;
}

static uint64_t
batch_bytes(void)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < queue_batch_len(&delivery.queue, QUEUE_STREAM); i++)
        if (queue_in_batch(&delivery.queue, QUEUE_STREAM, i))
            bytes += queue_at(&delivery.queue, QUEUE_STREAM, i).data.len;
    return bytes;
}

static void
answer(void)
{
    uint32_t len = queue_batch_len(&delivery.queue, QUEUE_STREAM);
    struct delivery_reply r = {.status = 200, .records = true, .form = WIRE_CBOR, .requests = 1};
    char text[128] = "";
    uint32_t index;

    calls++;
    pass(5);
    if (batch_bytes() > takes) {
        refused++;
        r.status = 413;
        r.records = false;
        r.class = RETRY_RECORD;
    } else if (has_poison(&index)) {
        refused++;
        r.status = 400;
        r.records = false;
        r.class = RETRY_RECORD;
        if (names_it)
            snprintf(text, sizeof text, "Value at 'records.%u.member.partitionKey' is bad",
                     index + 1);
        r.message = span_of(text);
    }
    for (uint32_t i = 0; i < len && r.records; i++)
        delivery_record(&delivery, i, SPAN(""));
    (void)delivery_replied(&delivery, now, &r);
}

/* Until nothing is left for the stream, or so many seconds have passed. */
static void
live(uint64_t seconds)
{
    uint64_t end = now.ms + seconds * 1000;

    while (now.ms < end && delivery.queue.records > 0) {
        enum delivery_act act = delivery_next(&delivery, now, &order);

        delivery_check(&delivery);
        if (act == DELIVERY_CREDENTIALS)
            delivery_credentials(&delivery, now, DELIVERY_READY);
        else if (act == DELIVERY_SEND)
            answer();
        else if (act == DELIVERY_WAIT)
            pass(order.at_ms == UINT64_MAX ? end - now.ms : order.at_ms - now.ms);
    }
}

static void
begin_with(uint32_t events)
{
    settings = (struct settings){.key = KEY_SANDBOX, .format = EVENT_VERBATIM};
    begin();
    memset(poisoned, 0, sizeof poisoned);
    takes = UINT64_MAX;
    refused = calls = 0;
    for (uint32_t i = 0; i < events; i++)
        assert_int_equal(offer(60), 0);
    delivery_flush(&delivery);
}

/* One poisoned record at each place of batches of all sizes, and among more than one batch takes. */
static void
one(void **state)
{
    static const uint32_t sizes[] = {2,  3,  4,   5,   7,   8,   25,  26,
                                     63, 64, 100, 255, 256, 499, 500, 777};

    (void)state;
    for (size_t n = 0; n < 2 * LEN(sizes); n++)
        for (uint32_t at = 0, size = sizes[n / 2]; at<size; at += size> 100 ? 7 : 1) {
            char name[64];

            snprintf(name, sizeof name, "%u of %u%s", at, size, n % 2 ? ", named" : "");
            begin_with(size);
            poisoned[at] = true;
            names_it = n % 2;
            live(60);
            CHECK_INT(name, delivery.queue.records, 0);
            CHECK_INT(name, delivery.ledger.delivered, size - 1);
            CHECK_INT(name, delivery.ledger.dropped[DROP_REFUSED], 1);
            CHECK(name, refused <= (names_it ? 2 : 9) + settings.max_attempts);
            /* others were accepted meanwhile, so nothing speaks against the stream */
            CHECK_INT(name, delivery.ledger.breaker_openings, 0);
        }
}

/* A poisoned record and nothing else: the breaker opens, and it is asked for some time all the same. */
static void
alone(void **state)
{
    (void)state;
    names_it = false;
    begin_with(1);
    poisoned[0] = true;
    live(600);
    CHECK_INT("left", delivery.queue.records, 0);
    CHECK_INT("refused", refused, 2 * settings.max_attempts);
    CHECK_INT("dropped", delivery.ledger.dropped[DROP_REFUSED], 1);
}

/* Some of them, at random: each is found for the price of one. */
static void
several(void **state)
{
    (void)state;
    srand(1);
    names_it = false;
    for (unsigned run = 0; run < 200; run++) {
        unsigned poisons = 0;

        begin_with(1000);
        for (unsigned i = 0; i < 2 + run % 4; i++)
            poisoned[rand() % 1000] = true;
        for (unsigned i = 0; i < 1000; i++)
            poisons += poisoned[i];
        live(600);
        CHECK_INT("left", delivery.queue.records, 0);
        CHECK_INT("delivered", delivery.ledger.delivered, 1000 - poisons);
        CHECK_INT("dropped", delivery.ledger.dropped[DROP_REFUSED], poisons);
        CHECK("refused", refused <= poisons * (9 + settings.max_attempts));
    }
}

/*
 * All calls are refused for a while, as if each record were poisoned: none is convicted for it. Where there
 * are few of them, the while is shorter than it takes to use up their tries.
 */
static void
innocent(void **state)
{
    (void)state;
    names_it = false;
    for (uint32_t size = 1; size <= 600; size += size < 10 ? 1 : 59) {
        char name[32];

        snprintf(name, sizeof name, "%u", size);
        begin_with(size);
        memset(poisoned, true, sizeof poisoned);
        live(size < 10 ? 5 : 60);
        memset(poisoned, 0, sizeof poisoned);
        live(120);
        CHECK_INT(name, delivery.ledger.delivered, size);
        CHECK_INT(name, ledger_dropped(&delivery.ledger), 0);
    }
}

/*
 * Something before the service takes no more than so much in a call, and says 413 to the rest: records of several events
 * are taken apart until they pass, none of them is lost, and later ones are no longer than that from the beginning.
 */
static void
narrow(void **state)
{
    (void)state;
    for (uint32_t limit = 32768; limit < 200000; limit *= 2) {
        char name[32];

        snprintf(name, sizeof name, "%u", limit);
        begin_with(0);
        settings = (struct settings){.key = KEY_SANDBOX,
                                     .format = EVENT_VERBATIM,
                                     .aggregation = AGGREGATION_LINES,
                                     .aggregation_max_bytes = 100000,
                                     .queue_max_bytes = 1 << 20};
        begin();
        takes = limit;
        for (unsigned i = 0; i < 2000; i++)
            assert_int_equal(offer(199), 0);
        delivery_flush(&delivery);
        live(60);
        CHECK_INT(name, delivery.ledger.delivered, 2000);
        CHECK_INT(name, ledger_dropped(&delivery.ledger), 0);
        CHECK_INT(name, delivery.ledger.breaker_openings, 0);
        CHECK(name, limit > 100000 || delivery.intake.open.max <= limit);
        CHECK(name, refused < 60);
    }
}

/* It takes nothing at all: that is no matter of size, and few calls are made of it. */
static void
shut(void **state)
{
    (void)state;
    begin_with(0);
    settings = (struct settings){.key = KEY_SANDBOX,
                                 .format = EVENT_VERBATIM,
                                 .aggregation = AGGREGATION_LINES,
                                 .aggregation_max_bytes = 100000,
                                 .queue_max_bytes = 1 << 20};
    begin();
    takes = 0;
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(offer(199), 0);
    delivery_flush(&delivery);
    live(60);
    CHECK("the breaker", delivery.ledger.breaker_openings > 0);
    CHECK("calls", refused < 100);
    takes = UINT64_MAX;
    live(120);
    CHECK_INT("delivered", delivery.ledger.delivered, 2000);
}

/* --- one call ------------------------------------------------------------------------------------ */

/*
 * A batch of `in` records, the first of which was refused before, and what else is in the queue. limit: what the
 * message allows a member of the first record, in bytes more than its partition key has.
 */
struct call {
    const char *name, *message;
    const char *want; /* the verdict, where the records are, what is known, what was dropped */
    enum queue_take_what what;
    unsigned status, refusals;
    uint32_t in, fresh, failed, suspects, aside;
    size_t bytes, others_bytes; /* of each record; 60, where it is not said */
    struct suspect before;
    unsigned max_attempts; /* 5, where it is not said */
    enum oversize_policy oversize;
    uint32_t queue_bytes;
    int limit;
    bool last_chance;
};

#define DATA "'records.1.member.data': less than or equal to #"
#define KEY "'records.1.member.partitionKey': less than or equal to #"
#define EVIDENCE .before.evidence = true
#define EXONERATED .before.exonerated = true

static const struct call refusals[] = {
    /* alone: nobody knows whether it is the record */
    {"alone", "", "not it: aside 1", .in = 1},
    {"alone, what was known is of others", "", "not it: aside 1", .in = 1, EVIDENCE, EXONERATED},
    {"alone, another one waits", "", "again: fresh 1 aside 1", .in = 1, .fresh = 1},
    {"alone, a failed one waits", "", "again: failed 1 aside 1", .in = 1, .failed = 1},
    {"alone, suspects wait", "", "again: failed 1 aside 1", .in = 1, .suspects = 1},
    {"a second one, none accepted since", "", "not it: fresh 1 aside 2", .in = 1, .fresh = 1,
     .aside = 1},
    {"a second one, some accepted", "", "again: fresh 1 aside 2", .in = 1, .fresh = 1, .aside = 1,
     EVIDENCE},

    /* how often it is tried where there are no others */
    {"nine times", "", "not it: aside 1", .in = 1, .refusals = 8},
    {"ten times", "", "again: refused 1", .in = 1, .refusals = 9},
    {"ten times, but a fresh one waits", "", "again: fresh 1 aside 1", .in = 1, .refusals = 9,
     .fresh = 1},
    {"a failed one waits", "", "again: failed 1 aside 1", .in = 1, .refusals = 9, .failed = 1},
    {"a suspect waits", "", "again: failed 1 aside 1", .in = 1, .refusals = 9, .suspects = 1},
    {"the last chance has no such end", "", "not it: aside 1", .in = 1, .refusals = 9,
     .last_chance = true},
    {"others of its call were accepted", "", "not it: aside 1 exonerated", QUEUE_TAKE_ASIDE,
     .in = 1, .refusals = 3, EXONERATED},
    {"five times", "", "again: exonerated refused 1", QUEUE_TAKE_ASIDE, .in = 1, .refusals = 4,
     EXONERATED},
    {"five times, none accepted", "", "not it: aside 1", QUEUE_TAKE_ASIDE, .in = 1, .refusals = 4},
    {"five times, sent with others", "", "again: exonerated refused 1", .in = 1, .refusals = 4,
     EXONERATED},
    {"aside, others of its call accepted", "", "not it: aside 1 exonerated", QUEUE_TAKE_ASIDE,
     .in = 1, .refusals = 1, EXONERATED},
    {"the last suspect", "", "not it: aside 1 exonerated", QUEUE_TAKE_SUSPECTS, .in = 1,
     EXONERATED},

    /* convicted */
    {"aside, others accepted since", "", "again: fresh 1 evidence refused 1", QUEUE_TAKE_ASIDE,
     .in = 1, .refusals = 1, .fresh = 1, EVIDENCE},
    {"aside, none accepted", "", "again: fresh 1 aside 1", QUEUE_TAKE_ASIDE, .in = 1, .refusals = 1,
     .fresh = 1},
    {"not aside", "", "again: fresh 1 aside 1", QUEUE_TAKE_FAILED, .in = 1, .refusals = 1,
     .fresh = 1, EVIDENCE},
    {"suspect, one attempt", "", "again: failed 1 exonerated refused 1", QUEUE_TAKE_SUSPECTS,
     .in = 1, .failed = 1, EXONERATED, .max_attempts = 1},
    {"suspect, one attempt, none accepted", "", "again: failed 1 aside 1", QUEUE_TAKE_SUSPECTS,
     .in = 1, .failed = 1, .max_attempts = 1},
    {"suspect, two attempts", "", "again: failed 1 aside 1 exonerated", QUEUE_TAKE_SUSPECTS,
     .in = 1, .failed = 1, EXONERATED, .max_attempts = 2},
    {"aside, one attempt, none accepted since", "", "again: failed 1 aside 1 exonerated",
     QUEUE_TAKE_ASIDE, .in = 1, .refusals = 1, .failed = 1, EXONERATED, .max_attempts = 1},

    /* half of it may not be too large */
    {"too large, alone", "", "again: fresh 1 evidence cut", QUEUE_TAKE_ASIDE, 413, 1, .in = 1,
     .fresh = 1, EVIDENCE, .bytes = 2048},
    {"refused for something else", "", "again: fresh 1 evidence refused 1", QUEUE_TAKE_ASIDE, 400,
     1, .in = 1, .fresh = 1, EVIDENCE, .bytes = 2048},
    {"too small to be cut", "", "again: fresh 1 evidence refused 1", QUEUE_TAKE_ASIDE, 413, 1,
     .in = 1, .fresh = 1, EVIDENCE, .bytes = 2047},
    {"the last chance, four times", "", "not it: aside 1", QUEUE_TAKE_ASIDE, 413, 3, .in = 1,
     .bytes = 2048, .last_chance = true},
    {"the last chance, five times", "", "again: cut", QUEUE_TAKE_ASIDE, 413, 4, .in = 1,
     .bytes = 2048, .last_chance = true},
    {"the last chance, nothing to cut", "", "not it: aside 1", QUEUE_TAKE_ASIDE, 413, 4, .in = 1,
     .last_chance = true},

    /* cut in pieces */
    {"in pieces, of which three have room for what is around each", "", "again: fresh 4 evidence",
     QUEUE_TAKE_ASIDE, 413, 1, .in = 1, .fresh = 1, EVIDENCE, .bytes = 5000,
     .oversize = OVERSIZE_SPLIT},
    {"no room for them", "", "again: fresh 1 aside 1 cramped", QUEUE_TAKE_ASIDE, 413, 1, .in = 1,
     .fresh = 1, EVIDENCE, .bytes = 5000, .others_bytes = 4950, .oversize = OVERSIZE_SPLIT,
     .queue_bytes = 10240},
    {"none that others could make", "", "again: aside 2 evidence refused 1", QUEUE_TAKE_ASIDE, 413,
     1, .in = 1, .aside = 2, EVIDENCE, .bytes = 5000, .others_bytes = 2450,
     .oversize = OVERSIZE_SPLIT, .queue_bytes = 10240},

    /* the service names it */
    {"named for its key", KEY, "again: failed 1 aside 1", .in = 2, .limit = 10},
    {"named, and its data is short enough", DATA, "again: failed 1 aside 1", .in = 2, .bytes = 200,
     .limit = 200},
    {"named, and its data is too long", DATA, "again: failed 1 cut", .in = 2, .bytes = 200,
     .limit = 199},
    {"named, with no limit for data", DATA, "again: failed 1 aside 1", .in = 2, .bytes = 200},
    {"too long, not to be cut", DATA, "again: failed 1 oversize 1", .in = 2, .bytes = 200,
     .limit = 199, .oversize = OVERSIZE_DROP},
    {"named twice", DATA "; " KEY, "again: failed 1 cut", .in = 2, .bytes = 200, .limit = 199},
    {"named, alone", KEY, "not it: aside 1", .in = 1, .limit = 10},
    {"no such record", "records.3.member.data", "again: suspects 2", .in = 2},
    {"nor such a one", "records.9.member.data", "again: suspects 2", .in = 2},
    {"named, suspects wait", KEY, "again: failed 3 aside 1", .in = 2, .suspects = 2, .limit = 10},

    /* one of them */
    {"one of four", "", "again: suspects 4", .in = 4, EXONERATED, .before.halved = true},
    {"one of these suspects", "", "again: failed 2 suspects 4 exonerated", QUEUE_TAKE_SUSPECTS,
     .in = 4, .suspects = 2, EXONERATED, .before.halved = true},
};

static size_t
any_size(void *context, const struct queue_record *record)
{
    (void)context;
    return record->data.len;
}

/* Takes so many fresh records, and makes them what is said. */
static void
make(uint32_t records, enum queue_state state)
{
    static uint32_t offsets[8];
    struct queue *q = &delivery.queue;
    size_t asked = 0;
    struct queue_limits limits = {records, UINT64_MAX, any_size, &asked};

    if (records == 0)
        return;
    queue_batch_open(q, QUEUE_DEAD_LETTER, offsets, LEN(offsets));
    assert_int_equal(queue_take(q, QUEUE_DEAD_LETTER, &limits, QUEUE_TAKE_FRESH), records);
    queue_return(q, QUEUE_DEAD_LETTER, state);
}

static void
set_up(const struct call *c)
{
    struct queue *q = &delivery.queue;
    size_t asked = 0;
    struct queue_limits limits = {c->in, UINT64_MAX, any_size, &asked};
    uint32_t others = c->failed + c->suspects + c->aside + c->fresh;

    settings = (struct settings){.key = KEY_SANDBOX,
                                 .format = EVENT_VERBATIM,
                                 .oversize = c->oversize,
                                 .max_attempts = c->max_attempts,
                                 .queue_max_bytes = c->queue_bytes};
    begin();
    for (uint32_t i = 0; i < c->in; i++)
        assert_int_equal(offer(c->bytes > 0 ? c->bytes : 60), 0);
    for (uint32_t i = 0; i < others; i++)
        assert_int_equal(offer(c->others_bytes > 0 ? c->others_bytes : 60), 0);
    if (c->in > 0)
        assert_int_equal(queue_take(q, QUEUE_STREAM, &limits, QUEUE_TAKE_FRESH), c->in);
    for (unsigned i = 0; i < c->refusals; i++) {
        queue_refused(q, QUEUE_STREAM, 0, QUEUE_FAILED);
        limits.records = 1;
        queue_take(q, QUEUE_STREAM, &limits, QUEUE_TAKE_FAILED);
    }
    make(c->failed, QUEUE_FAILED);
    make(c->suspects, QUEUE_SUSPECT);
    make(c->aside, QUEUE_ASIDE);
}

static void
told(const char *name, uint64_t number, char *text, size_t cap)
{
    size_t len = strlen(text);

    if (number > 0)
        snprintf(text + len, cap - len, number == UINT64_MAX ? " %s" : " %s %u", name,
                 (unsigned)number);
}

static uint64_t
flag(bool set)
{
    return set ? UINT64_MAX : 0;
}

/* The text with the number for each #. */
static void
with_limit(char *out, size_t cap, const char *text, unsigned limit)
{
    *out = '\0';
    for (; *text != '\0'; text++) {
        size_t len = strlen(out);

        if (*text == '#')
            snprintf(out + len, cap - len, "%u", limit);
        else
            snprintf(out + len, cap - len, "%c", *text);
    }
}

static void
rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(refusals); i++) {
        const struct call *c = &refusals[i];
        struct queue *q = &delivery.queue;
        struct suspect s = c->before;
        struct suspect_call call = {c->what, c->status, .last_chance = c->last_chance};
        uint32_t bytes = (uint32_t)(c->bytes > 0 ? c->bytes : 60);
        struct queue_record first;
        unsigned limit;
        char message[200], got[200];
        bool cut;

        set_up(c);
        first = queue_at(q, QUEUE_STREAM, 0);
        CHECK_INT(c->name, first.data.len, bytes);
        limit = (unsigned)first.partition_key.len + (unsigned)c->limit;
        with_limit(message, sizeof message, c->message, limit);
        call.message = span_of(message);
        strcpy(got, suspect_refused(&s, &delivery.intake, &call) == SUSPECT_AGAIN ? "again:"
                                                                                  : "not it:");
        cut = delivery.ledger.truncated > 0;
        told("fresh", q->count[QUEUE_FRESH], got, sizeof got);
        told("failed", q->count[QUEUE_FAILED] - cut, got, sizeof got);
        told("suspects", q->count[QUEUE_SUSPECT], got, sizeof got);
        told("aside", q->count[QUEUE_ASIDE], got, sizeof got);
        told("evidence", flag(s.evidence), got, sizeof got);
        told("exonerated", flag(s.exonerated), got, sizeof got);
        told("halved", flag(s.halved), got, sizeof got);
        told("cramped", flag(s.cramped), got, sizeof got);
        told("cut", flag(cut), got, sizeof got);
        told("refused", delivery.ledger.dropped[DROP_REFUSED], got, sizeof got);
        told("oversize", delivery.ledger.dropped[DROP_OVERSIZE], got, sizeof got);
        CHECK_SPAN(c->name, span_of(got), span_of(c->want));
        CHECK_INT(c->name, q->count[QUEUE_SENT], 0);
        delivery_check(&delivery);
    }
}

/* What a reply to a batch of two says, of which one is a suspect afterwards, or none. */
static void
answered(void **state)
{
    static const struct {
        const char *name;
        enum queue_take_what what;
        bool accepted;
        uint32_t suspects;
        struct suspect before, want;
    } rows[] = {
        {"accepted", QUEUE_TAKE_FRESH, true, 0, .want = {.evidence = true}},
        {"none accepted", QUEUE_TAKE_FRESH, false, 0, .want = {.evidence = false}},
        {"none, but before", QUEUE_TAKE_FRESH, false, 0, {.evidence = true}, {.evidence = true}},
        {"suspects", QUEUE_TAKE_SUSPECTS, true, 0, .want = {.evidence = true, .exonerated = true}},
        {"one half", QUEUE_TAKE_SUSPECTS, true, 1,
         .want = {.evidence = true, .exonerated = true, .halved = true}},
        {"one half, throttled", QUEUE_TAKE_SUSPECTS, false, 1, .want = {.halved = true}},
        {"the other half",
         QUEUE_TAKE_SUSPECTS,
         false,
         0,
         {.exonerated = true, .halved = true},
         {.exonerated = true}},
        {"aside", QUEUE_TAKE_ASIDE, true, 1, {.halved = true}, {.evidence = true, .halved = true}},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct suspect s = rows[i].before;

        set_up(&(struct call){.suspects = rows[i].suspects});
        suspect_answered(&s, &delivery.queue, rows[i].what, rows[i].accepted);
        CHECK_INT(rows[i].name, s.evidence, rows[i].want.evidence);
        CHECK_INT(rows[i].name, s.exonerated, rows[i].want.exonerated);
        CHECK_INT(rows[i].name, s.halved, rows[i].want.halved);
        CHECK_INT(rows[i].name, s.cramped, rows[i].want.cramped);
    }
}

static void
unanswered(void **state)
{
    static const struct {
        enum queue_take_what what;
        enum queue_state want;
    } rows[] = {
        {QUEUE_TAKE_FRESH, QUEUE_FAILED},
        {QUEUE_TAKE_FAILED, QUEUE_FAILED},
        {QUEUE_TAKE_SUSPECTS, QUEUE_SUSPECT},
        {QUEUE_TAKE_ASIDE, QUEUE_ASIDE},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        set_up(&(struct call){.in = 2});
        suspect_unanswered(&delivery.queue, rows[i].what);
        CHECK_INT("back", delivery.queue.count[rows[i].want], 2);
    }
}

/* What goes next by itself. */
static void
next(void **state)
{
    static const struct {
        struct call in;
        uint32_t want;
        enum queue_take_what what;
    } rows[] = {
        {{"none", .failed = 1, .fresh = 1}, 0, QUEUE_TAKE_ASIDE},
        {{"half of them", .suspects = 5}, 2, QUEUE_TAKE_SUSPECTS},
        {{"half of two", .suspects = 2}, 1, QUEUE_TAKE_SUSPECTS},
        {{"the other half", .suspects = 5, .before.halved = true}, 5, QUEUE_TAKE_SUSPECTS},
        {{"the last", .suspects = 1}, 1, QUEUE_TAKE_SUSPECTS},
        {{"before those aside", .suspects = 1, .aside = 1, EVIDENCE}, 1, QUEUE_TAKE_SUSPECTS},
        {{"aside, some accepted", .aside = 2, .failed = 1, .fresh = 1, EVIDENCE},
         1,
         QUEUE_TAKE_ASIDE},
        {{"aside, a failed one first", .aside = 1, .failed = 1}, 0, QUEUE_TAKE_ASIDE},
        {{"aside, a fresh one first", .aside = 1, .fresh = 1}, 0, QUEUE_TAKE_ASIDE},
        {{"aside, no others", .aside = 2}, 1, QUEUE_TAKE_ASIDE},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        enum queue_take_what what;

        set_up(&rows[i].in);
        CHECK_INT(rows[i].in.name, suspect_next(&rows[i].in.before, &delivery.queue, &what),
                  rows[i].want);
        CHECK_INT(rows[i].in.name, what, rows[i].what);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one),        cmocka_unit_test(alone), cmocka_unit_test(several),
        cmocka_unit_test(innocent),   cmocka_unit_test(rules), cmocka_unit_test(answered),
        cmocka_unit_test(unanswered), cmocka_unit_test(next),  cmocka_unit_test(narrow),
        cmocka_unit_test(shut),
    };

    return RUN(argc, argv, tests);
}
