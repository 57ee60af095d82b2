#include "protocol/delivery.h"

#include "check.h"
#include "guard.h"
#include "protocol/oversize.h"

#include <stdio.h>
#include <stdlib.h>

/* An event of EVENT_LEAST bytes and more is this, filled with as many x. */
#define EVENT_BEGIN "{\"type\":\"function\",\"record\":\""
#define EVENT_END "\"}"
#define EVENT_LEAST (sizeof EVENT_BEGIN EVENT_END - 1)

#define NAMES_MAX 26

/*
 * The intake as a part of delivery, whose rules say what has to give way where there is no room.
 */
static struct settings settings;
static struct delivery delivery;
static struct queue *const queue = &delivery.queue;
static struct ledger *const ledger = &delivery.ledger;
static struct intake *const intake = &delivery.intake;
static char large_ring[4 << 20] __attribute__((aligned(8)));
static uint32_t offsets[2][DEAD_LETTER_RECORDS_MAX];

static struct intake_seed
next_seed(void)
{
    static uint64_t seeds;
    struct intake_seed seed = {.numbers = ++seeds};

    memset(seed.sandbox, (int)seeds, sizeof seed.sandbox);
    return seed;
}

/* The settings are the test's; all else is new. A ring of up to 1 MiB ends at an unreadable page. */
static void
begin(uint32_t cap)
{
    static char *memory;
    struct intake_seed seed = next_seed();
    struct span common_key;

    assert_true(cap <= sizeof large_ring);
    settings.queue_max_bytes = sizeof large_ring;
    if (memory == NULL) {
        struct settings largest = settings;

        largest.dead_letter = DEAD_LETTER_S3;
        memory = malloc(delivery_bytes(&largest));
    }
    delivery_init(&delivery, &settings, memory, &seed);
    common_key = queue->common_key;
    queue_open(queue, cap <= GUARD_ROOM ? guard_buffer(cap) : large_ring, cap);
    queue->common_key = common_key;
    queue_batch_open(queue, QUEUE_STREAM, offsets[0], BATCH_MAX_RECORDS);
    queue_batch_open(queue, QUEUE_DEAD_LETTER, offsets[1], DEAD_LETTER_RECORDS_MAX);
}

static size_t
one_byte(void *context, const struct queue_record *record)
{
    (void)context;
    (void)record;
    return 1;
}

/* Takes into the batch of the stream. What is left in it is to be sent again. */
static void
take_as(uint32_t records, enum queue_take_what what)
{
    struct queue_limits limits = {.records = records, .bytes = UINT64_MAX, .size = one_byte};

    queue_return(queue, QUEUE_STREAM, QUEUE_FAILED);
    (void)queue_take(queue, QUEUE_STREAM, &limits, what);
}

/* All that may be sent, failed records first. */
static void
take(void)
{
    take_as(BATCH_MAX_RECORDS, QUEUE_TAKE_FAILED);
}

static void
take_dead(void)
{
    take_as(BATCH_MAX_RECORDS, QUEUE_TAKE_DEAD);
}

static uint32_t
batch_len(void)
{
    return queue_batch_len(queue, QUEUE_STREAM);
}

static struct queue_record
taken(uint32_t i)
{
    return queue_at(queue, QUEUE_STREAM, i);
}

static void
again(uint32_t i)
{
    queue_mark(queue, QUEUE_STREAM, i, QUEUE_FAILED);
}

static void
delivered(uint32_t i)
{
    ledger->delivered += queue_end(queue, QUEUE_STREAM, i);
}

static void
restore(void)
{
    struct intake_seed seed = next_seed();

    delivery_restored(&delivery, &seed);
}

static int
put_text(struct span text)
{
    struct event event;
    int r;

    assert_int_equal(event_read(text, NULL, &event), 0);
    r = delivery_event(&delivery, (struct moment){1000, 1000}, &event);
    assert_true(ledger_holds(ledger, queue->events));
    return r;
}

/* Valid until the next call. */
static struct span
event_of(size_t len)
{
    static char *text;
    static char larger[EVENT_MAX_BYTES];
    char *at = len > GUARD_ROOM ? larger : guard_last(&text, len);

    assert_in_range(len, EVENT_LEAST, EVENT_MAX_BYTES);
    memset(at, 'x', len);
    memcpy(at, EVENT_BEGIN, sizeof EVENT_BEGIN - 1);
    memcpy(at + len - (sizeof EVENT_END - 1), EVENT_END, sizeof EVENT_END - 1);
    return (struct span){at, len};
}

/* --- what a record is ------------------------------------------------------------------------ */

#define START "{\"type\":\"platform.start\",\"record\":{\"requestId\":\"req-2\"}}"
#define TEXT_LINE "{\"type\":\"function\",\"record\":\"a line\\n\"}"
#define OBJECT "{\"type\":\"function\",\"record\":{\"message\":{\"a\":1},\"requestId\":\"req-3\"}}"

/* $ stands for the sandbox. */
#define FROM                                                                                       \
    ",\"functionName\":\"f\",\"functionVersion\":\"7\",\"region\":\"eu-west-1\",\"sandbox\":\"$\""

static const struct {
    const char *name;
    enum event_format format;
    const char *event, *want;
} formats[] = {
    {"message, text", EVENT_MESSAGE, TEXT_LINE, "\"a line\""},
    {"message, object", EVENT_MESSAGE, OBJECT, "{\"a\":1}"},
    {"message, platform", EVENT_MESSAGE, START, START},
    {"event, text", EVENT_VERBATIM, TEXT_LINE, TEXT_LINE},
    {"event, object", EVENT_VERBATIM, OBJECT, OBJECT},
    {"enriched, of no request", EVENT_ENRICHED, TEXT_LINE,
     "{\"type\":\"function\",\"record\":\"a line\\n\"" FROM ",\"seq\":0,\"coldStart\":false}"},
    {"enriched, of its own request", EVENT_ENRICHED, OBJECT,
     "{\"type\":\"function\",\"record\":{\"message\":{\"a\":1},\"requestId\":\"req-3\"}" FROM
     ",\"seq\":0,\"requestId\":\"req-3\",\"coldStart\":false}"},
};

/* The text with the intake's sandbox in place of each $. */
static struct span
with_sandbox(const char *text)
{
    static char room[2048];
    struct out o = out_to(room, sizeof room);

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '$')
            out_put(&o, (struct span){intake->sandbox, SANDBOX_LEN});
        else
            out_byte(&o, *p);
    }
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static void
format(void **state)
{
    static const struct settings none;

    (void)state;
    for (size_t i = 0; i < LEN(formats); i++) {
        const char *name = formats[i].name;

        settings = none;
        settings.format = formats[i].format;
        settings.key = KEY_SANDBOX;
        settings.function_name = SPAN("f");
        settings.function_version = SPAN("7");
        settings.function_region = SPAN("eu-west-1");
        begin(4096);
        CHECK_INT(name, put_text(span_of(formats[i].event)), 0);
        CHECK_INT(name, ledger->received, 1);
        take();
        CHECK_INT(name, batch_len(), 1);
        CHECK_SPAN(name, taken(0).data, with_sandbox(formats[i].want));
        CHECK_INT(name, queue->bytes, taken(0).data.len);
    }
}

/* Each record has a number of its own; what is not taken has none. */
static void
sequence(void **state)
{
    unsigned n = 0;
    char want[32];

    (void)state;
    settings = (struct settings){.format = EVENT_ENRICHED, .key = KEY_SANDBOX};
    begin(1024);
    while (put_text(event_of(40)) == 0)
        n++;
    assert_in_range(n, 2, 20);
    assert_int_equal(put_text(event_of(40)), ERR_FULL);
    take();
    delivered(0);
    assert_int_equal(put_text(event_of(40)), 0);
    for (unsigned i = 1; i < n; i++)
        again(i);
    take();
    CHECK_INT("records", batch_len(), n);
    for (unsigned i = 0; i < n; i++) {
        struct span data = taken(i).data;

        CHECK_INT("number", taken(i).origin.sequence, i + 1);
        snprintf(want, sizeof want, "\"seq\":%u,", i + 1);
        CHECK(want, memmem(data.p, data.len, want, strlen(want)) != NULL);
    }
}

/* The number that an `enriched` record tells. */
static unsigned
seq_of(struct queue_record record)
{
    static const char before[] = "\"seq\":";
    const char *at = memmem(record.data.p, record.data.len, before, sizeof before - 1);

    assert_non_null(at);
    return (unsigned)strtoul(at + sizeof before - 1, NULL, 10);
}

/* Every event that is counted takes a number, so that what was dropped is missing from the row. */
static void
gaps(void **state)
{
    bool there[64] = {false};
    unsigned missing = 0;

    (void)state;
    settings =
        (struct settings){.format = EVENT_ENRICHED, .key = KEY_SANDBOX, .oversize = OVERSIZE_DROP};
    begin(1024);
    while (put_text(event_of(40)) == 0)
        ;
    /* handed over again and again, it is one event */
    assert_int_equal(put_text(event_of(40)), ERR_FULL);
    delivery.full.overflow = true;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(put_text(event_of(40)), 0);
    settings.drop = WHEN_FULL_OLDEST;
    assert_int_equal(put_text(event_of(40)), 0);
    delivery.full.overflow = false;
    assert_int_equal(put_text(event_of(5000)), 0);
    intake_lost(intake, DROP_CUT);
    intake_lost(intake, DROP_UNREADABLE);
    take();
    intake_bury(intake, 1, DROP_REFUSED);
    there[seq_of(taken(0))] = true;
    delivered(0);
    for (unsigned i = 2; i < batch_len(); i++)
        again(i);
    assert_int_equal(put_text(event_of(40)), 0);
    take();
    for (uint32_t i = 0; i < batch_len(); i++) {
        CHECK("twice", !there[seq_of(taken(i))]);
        there[seq_of(taken(i))] = true;
    }
    intake->over = true;
    assert_int_equal(put_text(event_of(40)), 0);
    CHECK_INT("the last that was written", there[ledger->received - 2], true);
    for (uint64_t i = 0; i < ledger->received; i++)
        missing += !there[i];
    CHECK_INT("missing", missing, 3 + 1 + 1 + 2 + 1 + 1);
    CHECK_INT("dropped", missing, ledger_dropped(ledger));
    CHECK("account", ledger_holds(ledger, queue->events));
}

static void
check_id(struct queue_record record, const char *want)
{
    struct span id = with_sandbox(want);

    CHECK(want, span_starts(span_skip(record.data, sizeof "{\"split\":{\"id\":\"" - 1), id));
}

/* The record becomes several, which are the batch now. */
static void
split_again(uint32_t index, size_t limit)
{
    assert_int_equal(intake_resize(intake, index, limit), 0);
    CHECK("account", ledger_holds(ledger, queue->events));
    take_as(BATCH_MAX_RECORDS, QUEUE_TAKE_FRESH);
}

/* The pieces have the number of their event, and those of a piece are told from them. */
static void
split_numbers(void **state)
{
    (void)state;
    settings =
        (struct settings){.format = EVENT_ENRICHED, .key = KEY_SANDBOX, .oversize = OVERSIZE_SPLIT};
    begin(32768);
    assert_int_equal(put_text(event_of(40)), 0);
    assert_int_equal(put_text(event_of(17000)), 0);
    assert_int_equal(put_text(event_of(40)), 0);
    take();
    CHECK_INT("records", batch_len(), 4);
    CHECK_INT("before", seq_of(taken(0)), 0);
    check_id(taken(1), "$-1\",\"part\":1,\"parts\":2}");
    check_id(taken(2), "$-1\",\"part\":2,\"parts\":2}");
    CHECK_INT("behind", seq_of(taken(3)), 2);
    split_again(2, 600);
    check_id(taken(0), "$-1.2\",\"part\":1,");
    check_id(taken(1), "$-1.2\",\"part\":2,");
    split_again(1, 300);
    check_id(taken(0), "$-1.2.2\",\"part\":1,");
    CHECK_INT("received", ledger->received, 3);
    CHECK_INT("queued", queue->events, 3);
}

/* A copy counts from 0 on; what it has of the one before keeps its name. */
static void
restored_numbers(void **state)
{
    char before[SANDBOX_LEN + 8] = {0};

    (void)state;
    settings =
        (struct settings){.format = EVENT_ENRICHED, .key = KEY_SANDBOX, .oversize = OVERSIZE_SPLIT};
    begin(4096);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(put_text(event_of(300)), 0);
    memcpy(before, intake->sandbox, SANDBOX_LEN);
    memcpy(before + SANDBOX_LEN, "-1\"", 3);
    restore();
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(put_text(event_of(300)), 0);
    take();
    for (unsigned i = 0; i < 4; i++)
        CHECK_INT("number", seq_of(taken(i)), i % 2);
    assert_int_equal(intake_resize(intake, 1, 300), 0);
    assert_int_equal(intake_resize(intake, 3, 300), 0);
    take_as(BATCH_MAX_RECORDS, QUEUE_TAKE_FRESH);
    CHECK("before", memmem(taken(0).data.p, taken(0).data.len, before, SANDBOX_LEN + 3) != NULL);
    memcpy(before, intake->sandbox, SANDBOX_LEN);
    CHECK("now", memmem(taken(batch_len() - 1).data.p, taken(batch_len() - 1).data.len, before,
                        SANDBOX_LEN + 3) != NULL);
    CHECK_INT("queued", queue->events, 4);
}

/* A copy may be named twice: what came in between has a name, too, and the pieces of each record that of its event. */
static void
named_twice(void **state)
{
    char ids[3][SANDBOX_LEN + 8] = {{0}};

    (void)state;
    settings =
        (struct settings){.format = EVENT_ENRICHED, .key = KEY_SANDBOX, .oversize = OVERSIZE_SPLIT};
    begin(8192);
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0)
            restore();
        /* nothing comes under this name */
        restore();
        for (unsigned j = 0; j < 2; j++)
            assert_int_equal(put_text(event_of(300)), 0);
        memcpy(ids[i], intake->sandbox, SANDBOX_LEN);
        memcpy(ids[i] + SANDBOX_LEN, "-1\"", 3);
    }
    take();
    for (unsigned i = 0; i < 3; i++) {
        CHECK_INT("number", seq_of(taken(2 * i + 1)), 1);
        assert_int_equal(intake_resize(intake, 2 * i + 1, 300), 0);
    }
    take_as(BATCH_MAX_RECORDS, QUEUE_TAKE_FRESH);
    for (unsigned i = 0; i < 3; i++) {
        struct span piece = taken(i * batch_len() / 3).data;

        CHECK("id", memmem(piece.p, piece.len, ids[i], SANDBOX_LEN + 3) != NULL);
    }
}

#define SIXTEEN "0123456789abcdef"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN

/* Invocations start, one after the other: which one runs, and whether it is the first. */
static void
request(void **state)
{
    static const struct {
        const char *id, *want;
        bool cold_start;
    } starts[] = {
        {"", "", false},       {SIXTY_FOUR "x", "", false},
        {"one", "one", true},  {"one", "one", true},
        {"two", "two", false}, {"", "two", false},
        {"two", "two", false}, {SIXTY_FOUR, SIXTY_FOUR, false},
        {"one", "one", false}, {SIXTY_FOUR "x", "one", false},
    };

    (void)state;
    settings = (struct settings){.key = KEY_SANDBOX};
    begin(1024);
    for (size_t i = 0; i < LEN(starts); i++) {
        char id[128];

        /* that the caller's text goes does no harm */
        strcpy(id, starts[i].id);
        intake_request(intake, span_of(id));
        memset(id, '?', sizeof id);
        CHECK_SPAN(starts[i].id, intake->origin.request_id, span_of(starts[i].want));
        CHECK_INT(starts[i].id, intake->origin.cold_start, starts[i].cold_start);
    }
}

/* --- partition keys -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum key_policy key;
    const char *running, *event;
    const char *own;    /* the record's; NULL: random digits */
    const char *common; /* of those that have none; $ is the sandbox */
} keys[] = {
    {"random", KEY_RANDOM, "req-1", OBJECT, NULL, "$"},
    {"none: for a stream that wants them", KEY_NONE, "req-1", OBJECT, NULL, "$"},
    {"sandbox", KEY_SANDBOX, "req-1", OBJECT, "", "$"},
    {"fixed", KEY_FIXED, "req-1", OBJECT, "", "a fixed key"},
    {"request of the event", KEY_REQUEST, "req-1", OBJECT, "req-3", "$"},
    {"request of a platform event", KEY_REQUEST, "", START, "req-2", "$"},
    {"request that runs", KEY_REQUEST, "req-1", TEXT_LINE, "req-1", "$"},
    {"no request", KEY_REQUEST, "", TEXT_LINE, "", "$"},
};

static void
check_random(const char *name, struct span key)
{
    CHECK_INT(name, key.len, 8);
    for (size_t i = 0; i < key.len; i++)
        CHECK(name, memchr("0123456789abcdef", key.p[i], 16) != NULL);
}

static void
key(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(keys); i++) {
        const char *name = keys[i].name;
        struct queue_record record;

        settings = (struct settings){
            .format = EVENT_VERBATIM, .key = keys[i].key, .fixed_key = SPAN("a fixed key")};
        begin(1024);
        intake_request(intake, span_of(keys[i].running));
        CHECK_INT(name, put_text(span_of(keys[i].event)), 0);
        CHECK_SPAN(name, queue->common_key, with_sandbox(keys[i].common));
        take();
        record = taken(0);
        if (keys[i].own == NULL)
            check_random(name, record.partition_key);
        else
            CHECK_SPAN(name, record.partition_key,
                       record.own_key ? span_of(keys[i].own) : queue->common_key);
        CHECK_INT(name, record.own_key, keys[i].own == NULL || keys[i].own[0] != '\0');
        CHECK_SPAN(name, record.data, span_of(keys[i].event));
        CHECK_INT(name, queue->bytes,
                  (record.own_key ? record.partition_key.len : 0) + record.data.len);
    }
}

/* More of them than one refill of the supply makes. */
static void
random_keys(void **state)
{
    enum { KEYS = 100 };

    (void)state;
    settings = (struct settings){.format = EVENT_VERBATIM, .key = KEY_RANDOM};
    begin(65536);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(put_text(event_of(40)), 0);
    take();
    CHECK_INT("records", batch_len(), KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        check_random("key", taken(i).partition_key);
        for (size_t j = 0; j < i; j++)
            CHECK("alike", !span_same(taken(i).partition_key, taken(j).partition_key));
    }
}

static void
check_sandbox(const char *name)
{
    CHECK_INT(name, intake->origin.sandbox.len, SANDBOX_LEN);
    for (size_t i = 0; i < SANDBOX_LEN; i++)
        CHECK(name, memchr("0123456789abcdef", intake->sandbox[i], 16) != NULL);
}

/* Two copies of one process: neither sandbox nor keys may be the same; and not those of before. */
static void
restored(void **state)
{
    struct intake frozen;
    struct {
        char sandbox[SANDBOX_LEN], key[8];
    } seen[3];

    (void)state;
    settings = (struct settings){.format = EVENT_VERBATIM, .key = KEY_RANDOM};
    begin(1024);
    assert_int_equal(put_text(event_of(40)), 0);
    frozen = *intake;
    for (size_t i = 0; i < LEN(seen); i++) {
        *intake = frozen;
        if (i > 0)
            restore();
        check_sandbox("sandbox");
        CHECK_SPAN("origin", intake->origin.sandbox, ((struct span){intake->sandbox, SANDBOX_LEN}));
        CHECK_SPAN("common key", queue->common_key, intake->origin.sandbox);
        assert_int_equal(put_text(event_of(40)), 0);
        take();
        memcpy(seen[i].sandbox, intake->sandbox, SANDBOX_LEN);
        memcpy(seen[i].key, taken(batch_len() - 1).partition_key.p, 8);
        for (size_t j = 0; j < i; j++) {
            CHECK("another sandbox", memcmp(seen[i].sandbox, seen[j].sandbox, SANDBOX_LEN) != 0);
            CHECK("another key", memcmp(seen[i].key, seen[j].key, 8) != 0);
        }
    }
}

/* --- scripts --------------------------------------------------------------------------------- */

/*
 * Scripts. The first record is called a, the next b, and so on, in the order of their numbers. The
 * common key has 12 bytes, so that half the ring less 12 is the most that a record may have.
 *
 *   +N    an event of N bytes
 *   t     takes all that may be sent, or N records; what is left in the batch is to be sent again
 *   -a    a is delivered; =a is to be sent again; ?a was refused; ^a is set aside
 *   ra/N  resizes a to N bytes; Ba buries it as refused
 *   O     the queue has been full for long; L nothing goes to the stream any more; V all is over
 *   Q     the ring starts over early from now on
 *
 * results  of + and r: 0, F for ERR_FULL, G for ERR_BIG
 * queue    what there is in the end, each name with the length of its data: (those in a batch),
 *          those to be sent, ^ those set aside, + those for the dead letter
 * account  the ledger's counters that are not 0
 */
static const struct script {
    const char *name;
    uint32_t cap;
    enum oversize_policy oversize;
    enum drop_policy drop;
    enum dead_letter_to dead_letter;
    const char *script, *results, *queue, *account;
} scripts[] = {
#define CUT OVERSIZE_TRUNCATE, WHEN_FULL_NEWEST
#define CUT_OLDEST OVERSIZE_TRUNCATE, WHEN_FULL_OLDEST
#define SPLIT OVERSIZE_SPLIT, WHEN_FULL_NEWEST
#define SPLIT_OLDEST OVERSIZE_SPLIT, WHEN_FULL_OLDEST
#define DROP OVERSIZE_DROP, WHEN_FULL_NEWEST
#define DROP_OLDEST OVERSIZE_DROP, WHEN_FULL_OLDEST
#define NONE DEAD_LETTER_NONE
#define S3 DEAD_LETTER_S3
#define STDERR DEAD_LETTER_STDERR

    /* a queue with and without room */
    {"one", 1024, CUT, NONE, "+40", "0", "a40", "received 1"},
    {"some", 1024, CUT, NONE, "+40 +50 +60", "000", "a40 b50 c60", "received 3"},
    {"delivered", 1024, CUT, NONE, "+40 +50 t -a +60", "000", "(b50) c60",
     "received 3 delivered 1"},
    {"exactly full", 1024, CUT, NONE, "+488 +488 +32", "00F", "a488 b488", "received 2"},
    {"full, then room", 1024, CUT, NONE, "+488 +488 t +40 -a +40", "00F0", "(b488) c40",
     "received 3 delivered 1"},
    {"full again and again", 1024, CUT, NONE, "+488 +488 +40 +40 +40", "00FFF", "a488 b488",
     "received 2"},

    /* the queue has been full for long */
    {"newest", 1024, CUT, NONE, "+488 +488 O +40 +40", "0000", "a488 b488",
     "received 4 overflow 2"},
    {"newest, room for others", 1024, CUT, NONE, "+488 +400 O +100 +40", "0000", "a488 b400 c40",
     "received 4 overflow 1"},
    {"newest, and a dead letter", 1024, CUT, S3, "+488 +488 O +40", "000", "a488 b488",
     "received 3 overflow 1"},
    {"oldest", 1024, CUT_OLDEST, NONE, "+488 +488 O +40", "000", "b488 c40",
     "received 3 overflow 1"},
    {"oldest, and a dead letter", 1024, CUT_OLDEST, S3, "+488 +488 O +40", "000", "b488 c40",
     "received 3 overflow 1"},
    {"oldest, as many as it takes", 1024, CUT_OLDEST, NONE, "+200 +200 +200 +200 O +488", "00000",
     "d200 e488", "received 5 overflow 3"},
    {"oldest, but there is room", 1024, CUT_OLDEST, NONE, "+488 O +40", "00", "a488 b40",
     "received 2"},
    {"oldest, not yet", 1024, CUT_OLDEST, NONE, "+488 +488 +40", "00F", "a488 b488", "received 2"},
    {"oldest, being sent", 1024, CUT_OLDEST, NONE, "+488 t +488 O +40", "000", "(a488) b488",
     "received 3 overflow 1"},
    {"oldest, sent in vain", 1024, CUT_OLDEST, NONE, "+488 t +488 =a O +40", "000", "b488 c40",
     "received 3 overflow 1"},
    {"oldest, set aside", 1024, CUT_OLDEST, NONE, "+488 +488 t ^a =b O +40", "000", "b488 c40",
     "received 3 overflow 1"},
    {"oldest, for the dead letter", 1024, CUT_OLDEST, S3, "+488 +488 t Ba =b O +40", "000",
     "b488 c40", "received 3 overflow 1"},
    {"oldest, until one is being sent", 1024, CUT_OLDEST, NONE, "+200 +200 +200 +200 t =a O +488",
     "00000", "(b200 c200 d200)", "received 5 overflow 2"},

    /* refused twice, which is as often as may be */
    {"refused, and its room is needed", 1024, CUT, NONE, "+488 +488 t1 ?a t ?a +40", "000",
     "(b488) c40", "received 3 refused 1"},
    {"refused, and there is room", 1024, CUT, NONE, "+488 +400 t1 ?a t ?a +40", "000",
     "(b400) a488 c40", "received 3"},
    {"refused once", 1024, CUT, NONE, "+488 +488 t ?a +40", "00F", "(b488) a488", "received 2"},
    {"refused, but being sent again", 1024, CUT, NONE, "+488 +488 t1 ?a t ?a t +40", "00F",
     "(a488 b488)", "received 2"},
    {"refused, but not the oldest", 1024, CUT, NONE, "+488 +488 t ?b t ?b +40", "00F",
     "(a488) b488", "received 2"},
    {"not refused but sent in vain", 1024, CUT, NONE, "+488 +488 t1 =a t1 =a t =a +40", "00F",
     "(b488) a488", "received 2"},
    {"refused, now set aside", 1024, CUT, NONE, "+488 +488 t1 ?a t1 ?a t ^a +40", "00F",
     "(b488) ^a488", "received 2"},
    {"refused, the newest go", 1024, CUT, NONE, "+488 +488 t1 ?a t ?a O +40", "000", "(b488) c40",
     "received 3 refused 1"},
    {"refused, the oldest go", 1024, CUT_OLDEST, NONE, "+488 +488 t1 ?a t ?a O +40", "000",
     "(b488) c40", "received 3 overflow 1"},

    /* the oldest keeps the room of those behind it */
    {"in the way", 1024, CUT, NONE, "+100 +300 +300 t =a -b -c +488", "0000", "a100 d488",
     "received 4 delivered 2"},
    {"in the way, for the dead letter", 1024, CUT, S3, "+100 +300 +300 t Ba -b -c +488", "0000",
     "d488 +a100", "received 4 delivered 2"},
    {"in the way, being sent", 1024, CUT, NONE, "+100 +300 +300 t -b -c +488", "000F", "(a100)",
     "received 3 delivered 2"},
    {"in the way, and the oldest go", 1024, CUT_OLDEST, NONE, "+100 +300 +300 t =a -b -c O +488",
     "0000", "a100 d488", "received 4 delivered 2"},
    {"in the way, refused often", 1024, CUT, NONE, "+100 +300 +300 t1 ?a t ?a -b -c +488", "0000",
     "a100 d488", "received 4 delivered 2"},

    /* larger than a record may be */
    {"as large as may be", 1024, DROP, NONE, "+500", "0", "a500", "received 1"},
    {"one byte more", 1024, DROP, NONE, "+501", "0", "", "received 1 oversize 1"},
    {"dropped", 1024, DROP, NONE, "+40 +600 +50", "000", "a40 b50", "received 3 oversize 1"},
    {"dropped from a full queue", 1024, DROP, NONE, "+488 +488 +600", "000", "a488 b488",
     "received 3 oversize 1"},
    {"dead", 1024, DROP, S3, "+40 +600 +50", "000", "a40 c50 +b600", "received 3"},
    {"dead, on standard error", 1024, DROP, STDERR, "+501", "0", "+a501", "received 1"},
    {"dead, as large as the queue", 1024, DROP, S3, "+1000", "0", "+a1000", "received 1"},
    {"larger than the queue", 1024, DROP, S3, "+1001", "0", "", "received 1 oversize 1"},
    {"dead, no room", 1024, DROP, S3, "+488 +600", "0F", "a488", "received 1"},
    {"dead, no room for long", 1024, DROP, S3, "+488 O +600", "00", "a488",
     "received 2 overflow 1"},
    {"dead, the oldest gives way", 1024, DROP_OLDEST, S3, "+488 O +600", "00", "+b600",
     "received 2 overflow 1"},

    {"cut", 1024, CUT, NONE, "+501", "0", "a492", "received 1 truncated 1"},
    {"cut, and a dead letter", 1024, CUT, S3, "+501", "0", "a492", "received 1 truncated 1"},
    {"cut by much", 1024, CUT, NONE, "+40000 +40", "00", "a495 b40", "received 2 truncated 1"},
    {"cut, no room", 1024, CUT, NONE, "+488 +488 +600", "00F", "a488 b488", "received 2"},
    {"cut, no room for long", 1024, CUT, NONE, "+488 +488 O +600", "000", "a488 b488",
     "received 3 overflow 1"},
    {"cut, the oldest give way", 1024, CUT_OLDEST, NONE, "+488 +488 O +600", "000", "c493",
     "received 3 truncated 1 overflow 2"},
    {"cannot be cut", 64, CUT, NONE, "+40", "0", "", "received 1 oversize 1"},
    {"cannot be cut, dead", 64, CUT, S3, "+40", "0", "+a40", "received 1"},
    {"cannot be cut, dead, no room", 64, CUT, S3, "+40 +40", "0F", "+a40", "received 1"},
    {"cannot be cut nor be dead", 64, CUT, S3, "+41", "0", "", "received 1 oversize 1"},

    {"split", 1024, SPLIT, NONE, "+501", "0", "a482 b191", "received 1 split 1"},
    {"split among others", 1024, SPLIT, NONE, "+40 +501 +50", "000", "a40 b482 c191 d50",
     "received 3 split 1"},
    {"split in a larger queue", 4096, SPLIT, NONE, "+3000", "0", "a2018 b1154",
     "received 1 split 1"},
    {"split, no room", 1024, SPLIT, NONE, "+300 +501", "0F", "a300", "received 1"},
    {"split, no room for long", 1024, SPLIT, NONE, "+300 O +501", "00", "a300",
     "received 2 overflow 1"},
    {"split, the oldest gives way", 1024, SPLIT_OLDEST, NONE, "+300 O +501", "00", "b482 c191",
     "received 2 split 1 overflow 1"},
    {"split, pieces too large together", 1024, SPLIT, NONE, "+1000", "0", "",
     "received 1 oversize 1"},
    {"split, pieces too large together, dead", 1024, SPLIT, S3, "+1000", "0", "+a1000",
     "received 1"},
    {"cannot be split", 128, SPLIT, NONE, "+60", "0", "", "received 1 oversize 1"},
    {"cannot be split, dead", 128, SPLIT, S3, "+60", "0", "+a60", "received 1"},

    /* nothing goes to the stream any more */
    {"dead from now on", 1024, CUT, S3, "+40 L +50 +60", "000", "a40 +b50 +c60", "received 3"},
    {"dead, and not cut", 1024, CUT, S3, "L +600", "0", "+a600", "received 1"},
    {"dead, and not split", 1024, SPLIT, S3, "L +501", "0", "+a501", "received 1"},
    {"dead, and whole", 1024, DROP, S3, "L +600", "0", "+a600", "received 1"},
    {"dead, and the queue is full", 1024, CUT, S3, "L +488 +488 +40", "00F", "+a488 +b488",
     "received 2"},

    /* all is over */
    {"over", 1024, CUT, S3, "+40 V +50 +60", "000", "a40", "received 3 shutdown 2"},
    {"over, and too large", 1024, SPLIT, S3, "V +5000", "0", "", "received 1 shutdown 1"},
    {"over, and full", 1024, CUT_OLDEST, NONE, "+488 +488 O V +40", "000", "a488 b488",
     "received 3 shutdown 1"},
    {"over, after nothing more goes", 1024, CUT, S3, "L V +40", "0", "", "received 1 shutdown 1"},

    /* a record that the stream has refused for its size */
    {"resized by cutting", 1024, CUT, NONE, "+40 +300 t rb/200", "000", "(a40 b193)",
     "received 2 truncated 1"},
    {"cut twice", 1024, CUT, NONE, "+300 t ra/200 ra/100", "000", "(a93)",
     "received 1 truncated 2"},
    {"cut in a full queue", 1024, CUT, NONE, "+488 +488 t ra/100 +40", "000F", "(a93 b488)",
     "received 2 truncated 1"},
    {"cut, then delivered", 1024, CUT, NONE, "+300 t ra/200 -a", "00", "",
     "received 1 delivered 1 truncated 1"},
    {"cannot be resized by cutting", 1024, CUT, NONE, "+300 t ra/30", "0G", "(a300)", "received 1"},
    {"not to be resized", 1024, DROP, S3, "+300 t ra/200", "0G", "(a300)", "received 1"},
    {"resized by splitting", 2048, SPLIT, NONE, "+40 +300 t rb/250", "000", "(a40) c232 d232 e90",
     "received 2 split 2"},
    {"split, and the head is gone", 1024, SPLIT, NONE, "+300 t ra/250 +40", "000",
     "b232 c232 d90 e40", "received 2 split 2"},
    {"split, no room for the pieces", 1024, SPLIT, NONE, "+488 +400 t rb/300", "00F", "(a488 b400)",
     "received 2"},
    {"split, the others move together", 1152, SPLIT, NONE,
     "+200 +200 +200 t =a -b +200 =c t -d =a rc/150", "00000", "a200 e132 f132 g132 h132 i90",
     "received 4 delivered 2 split 4"},
    {"split, pieces never fit", 1024, SPLIT, NONE, "+500 t ra/120", "0G", "(a500)", "received 1"},
    {"cannot be resized by splitting", 1024, SPLIT, NONE, "+300 t ra/100", "0G", "(a300)",
     "received 1"},
    {"split, what was refused stays if it can", 1600, SPLIT, NONE, "+700 +300 t1 ?a t ?a rb/250",
     "000", "a700 c232 d232 e90", "received 2 split 2"},
    {"split, and what was refused does not give way", 1024, SPLIT, NONE,
     "+488 +300 t1 ?a t ?a rb/250", "00F", "(b300) a488", "received 2"},
    {"split, the oldest stays if it can", 1600, SPLIT_OLDEST, NONE, "+700 +300 t =a O rb/250",
     "000", "a700 c232 d232 e90", "received 2 split 2"},
    {"split, the newest do not", 1600, SPLIT, NONE, "+700 +300 t O rb/250", "00F", "(a700 b300)",
     "received 2"},
    {"split, the oldest moves on", 1600, SPLIT, NONE, "+700 +300 t =a O rb/250", "000",
     "a700 c232 d232 e90", "received 2 split 2"},
    {"split, nothing goes any more", 1024, SPLIT, S3, "+300 t L ra/250", "00", "+b232 +c232 +d90",
     "received 1 split 2"},
    {"split, the early turn has room for some of the pieces", 8192, SPLIT, NONE,
     "Q +440 +440 +440 +900 t -a -b -c rd/250", "00000", "e232 f232 g232 h232 i232 j232 k90",
     "received 4 delivered 3 split 6"},
    {"split, the early turn has room for all of them", 8192, SPLIT, NONE,
     "Q +1000 +1000 +900 t -a -b rc/250", "0000", "d232 e232 f232 g232 h232 i232 j90",
     "received 3 delivered 2 split 6"},

    /* to the dead letter, or nowhere */
    {"buried", 1024, CUT, S3, "+40 +50 t Ba", "00", "(b50) +a40", "received 2"},
    {"buried on standard error", 1024, CUT, STDERR, "+40 t Ba", "0", "+a40", "received 1"},
    {"dropped as refused", 1024, CUT, NONE, "+40 +50 t Ba", "00", "(b50)", "received 2 refused 1"},
    {"buried after it was cut", 1024, CUT, S3, "+300 t ra/200 Ba", "00", "+a193",
     "received 1 truncated 1"},
};

/* What a script knows of its records. */
static struct {
    struct queue_origin origin[NAMES_MAX];
    size_t names;
    char results[64];
    size_t results_len;
} run;

/* The latest of the names for what this record stands for. */
static size_t
name_of(struct queue_origin origin)
{
    size_t n = run.names;

    while (n > 0 &&
           (run.origin[n - 1].sequence != origin.sequence || run.origin[n - 1].part != origin.part))
        n--;
    assert_true(n > 0);
    return n - 1;
}

/* So many more records of this event have been added: the whole of it, or parts. */
static void
name_records(uint64_t sequence, uint64_t parts)
{
    assert_true(run.names + parts <= NAMES_MAX);
    for (uint16_t part = 1; part <= parts; part++)
        run.origin[run.names++] = (struct queue_origin){sequence, 0, parts == 1 ? 0 : part};
}

/* Where in the batch the record of this name is. */
static uint32_t
index_of(const char *script, size_t name)
{
    for (uint32_t i = 0; i < batch_len(); i++)
        if (queue_in_batch(queue, QUEUE_STREAM, i) && name_of(taken(i).origin) == name)
            return i;
    fail_msg("%s: %c is in no batch", script, (int)('a' + name));
    return 0;
}

static void
add_result(int r)
{
    assert_true(r == 0 || r == ERR_FULL || r == ERR_BIG);
    assert_true(run.results_len + 1 < sizeof run.results);
    run.results[run.results_len++] = r == 0 ? '0' : (r == ERR_FULL ? 'F' : 'G');
}

static void
script_add(size_t len)
{
    uint32_t tail = queue->ring.tail;
    uint64_t sequence = intake->sequence, split = ledger->split;

    add_result(put_text(event_of(len)));
    if (queue->ring.tail != tail)
        name_records(sequence, 1 + ledger->split - split);
}

/* What has become of the record n. */
static void
script_fate(const char *name, char act, size_t n)
{
    uint32_t i = index_of(name, n);

    switch (act) {
    case '-':
        delivered(i);
        break;
    case '=':
        again(i);
        break;
    case '?':
        queue_refused(queue, QUEUE_STREAM, i, QUEUE_FAILED);
        break;
    case '^':
        queue_mark(queue, QUEUE_STREAM, i, QUEUE_ASIDE);
        break;
    case 'B':
        intake_bury(intake, i, DROP_REFUSED);
        break;
    default:
        fail_msg("%s: what is %c?", name, act);
    }
}

/* Resizing without other records: what it has become, or the record as it was. */
static void
script_resize(const char *name, size_t n, size_t limit)
{
    static char want[4096];
    uint32_t i = index_of(name, n);
    struct queue_record before = taken(i);
    struct queue_record after;
    int64_t len = (int64_t)before.data.len;
    uint64_t split = ledger->split;
    int r;

    assert_in_range(len, 0, sizeof want);
    memcpy(want, before.data.p, before.data.len);
    r = intake_resize(intake, i, limit);
    add_result(r);
    if (r == 0 && settings.oversize == OVERSIZE_SPLIT) {
        name_records(before.origin.sequence, 1 + ledger->split - split);
        return;
    }
    if (r == 0)
        len = oversize_truncate(want, before.data.len, limit);
    after = taken(i);
    CHECK_SPAN(name, after.data, ((struct span){want, (size_t)len}));
    CHECK_INT(name, after.state, before.state);
    CHECK_INT(name, after.origin.sequence, before.origin.sequence);
    CHECK_INT(name, after.attempts, before.attempts);
}

static void
step(const char *name, const char *word)
{
    size_t n = word[0] == '\0' ? 0 : (size_t)(word[1] - 'a');

    switch (word[0]) {
    case '+':
        script_add(strtoul(word + 1, NULL, 10));
        break;
    case 't':
        take_as(word[1] == '\0' ? BATCH_MAX_RECORDS : (uint32_t)strtoul(word + 1, NULL, 10),
                QUEUE_TAKE_FAILED);
        break;
    case 'r':
        script_resize(name, n, strtoul(word + 3, NULL, 10));
        break;
    case 'O':
        delivery.full.overflow = true;
        break;
    case 'L':
        intake->last = true;
        break;
    case 'V':
        intake->over = true;
        break;
    case 'Q':
        queue->ring.quiet = 0;
        break;
    default:
        script_fate(name, word[0], n);
    }
}

/* A list of words with blanks between. */
static char described[512];
static size_t described_len;

static void
describe(const char *word, uint64_t number)
{
    int n = snprintf(described + described_len, sizeof described - described_len, "%s%s%llu",
                     described_len == 0 ? "" : " ", word, (unsigned long long)number);

    assert_true(n > 0 && described_len + (size_t)n < sizeof described);
    described_len += (size_t)n;
}

static void
describe_record(const char *mark, const struct queue_record *record)
{
    char word[8];

    snprintf(word, sizeof word, "%s%c", mark, (int)('a' + name_of(record->origin)));
    describe(word, record->data.len);
}

static void
describe_taken(const char *mark, enum queue_take_what what)
{
    struct queue_limits limits = {
        .records = BATCH_MAX_RECORDS, .bytes = UINT64_MAX, .size = one_byte};
    uint32_t len = queue_take(queue, QUEUE_DEAD_LETTER, &limits, what);

    for (uint32_t i = 0; i < len; i++) {
        struct queue_record record = queue_at(queue, QUEUE_DEAD_LETTER, i);

        describe_record(mark, &record);
    }
    queue_return(queue, QUEUE_DEAD_LETTER, QUEUE_IN_DOUBT);
}

/* Takes all that there is out of its state, so that nothing can follow. */
static struct span
describe_queue(void)
{
    size_t in_batch = 0;

    described_len = 0;
    for (uint32_t i = 0; i < batch_len(); i++)
        if (queue_in_batch(queue, QUEUE_STREAM, i)) {
            struct queue_record record = taken(i);

            describe_record(in_batch++ == 0 ? "(" : "", &record);
        }
    if (in_batch > 0)
        described[described_len++] = ')';
    describe_taken("", QUEUE_TAKE_FAILED);
    describe_taken("^", QUEUE_TAKE_ASIDE);
    describe_taken("+", QUEUE_TAKE_DEAD);
    return (struct span){described, described_len};
}

static struct span
describe_account(void)
{
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {
        {"received ", ledger->received},
        {"delivered ", ledger->delivered},
        {"dead-lettered ", ledger->dead_lettered},
        {"truncated ", ledger->truncated},
        {"split ", ledger->split},
        {"oversize ", ledger->dropped[DROP_OVERSIZE]},
        {"cut ", ledger->dropped[DROP_CUT]},
        {"unreadable ", ledger->dropped[DROP_UNREADABLE]},
        {"refused ", ledger->dropped[DROP_REFUSED]},
        {"overflow ", ledger->dropped[DROP_OVERFLOW]},
        {"shutdown ", ledger->dropped[DROP_SHUTDOWN]},
    };

    described_len = 0;
    for (size_t i = 0; i < LEN(counters); i++)
        if (counters[i].n > 0)
            describe(counters[i].name, counters[i].n);
    return (struct span){described, described_len};
}

static void
run_script(const struct script *s)
{
    char text[128];
    char *rest = NULL;

    settings = (struct settings){.format = EVENT_VERBATIM,
                                 .key = KEY_FIXED,
                                 .fixed_key = SPAN("a common key"),
                                 .oversize = s->oversize,
                                 .drop = s->drop,
                                 .dead_letter = s->dead_letter,
                                 .max_attempts = 2};
    begin(s->cap);
    memset(&run, 0, sizeof run);
    assert_true(strlen(s->script) < sizeof text);
    strcpy(text, s->script);
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        step(s->name, word);
        CHECK(s->name, ledger_holds(ledger, queue->events));
    }
    CHECK_SPAN(s->name, ((struct span){run.results, run.results_len}), span_of(s->results));
    CHECK_SPAN(s->name, describe_queue(), span_of(s->queue));
    CHECK_SPAN(s->name, describe_account(), span_of(s->account));
}

static void
script(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(scripts); i++)
        run_script(&scripts[i]);
}

/* --- what becomes of a large record ---------------------------------------------------------- */

/* How much of a record's limit each policy's key takes. */
static const struct {
    const char *name;
    enum key_policy key;
    size_t key_len;
} shares[] = {
    {"random", KEY_RANDOM, 8}, {"none", KEY_NONE, 8},       {"sandbox", KEY_SANDBOX, SANDBOX_LEN},
    {"fixed", KEY_FIXED, 12},  {"request", KEY_REQUEST, 5},
};

static void
begin_large(size_t i, enum oversize_policy oversize)
{
    settings = (struct settings){.format = EVENT_VERBATIM,
                                 .key = shares[i].key,
                                 .fixed_key = SPAN("a common key"),
                                 .oversize = oversize};
    begin(sizeof large_ring);
    intake_request(intake, SPAN("req-1"));
}

/* What there is, all of it at most as large as Kinesis takes. */
static void
take_large(const char *name, size_t records, size_t key_len)
{
    take();
    CHECK_INT(name, batch_len(), records);
    for (uint32_t i = 0; i < batch_len(); i++) {
        struct queue_record r = taken(i);

        CHECK_INT(name, r.partition_key.len, key_len);
        CHECK(name, r.data.len + key_len <= RECORD_MAX_BYTES);
    }
}

static void
largest(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(shares); i++) {
        struct span event = event_of(RECORD_MAX_BYTES - shares[i].key_len);

        begin_large(i, OVERSIZE_TRUNCATE);
        CHECK_INT(shares[i].name, put_text(event), 0);
        take_large(shares[i].name, 1, shares[i].key_len);
        CHECK(shares[i].name, span_same(taken(0).data, event));
        CHECK_INT(shares[i].name, ledger->truncated, 0);
    }
}

/* Events of one byte more, and as large as there can be. */
static const size_t too_large[] = {0, EVENT_MAX_BYTES - RECORD_MAX_BYTES};

static struct span
large_event(size_t share, size_t i)
{
    return event_of(RECORD_MAX_BYTES + too_large[i] + (i == 0 ? 1 - shares[share].key_len : 0));
}

static void
truncated(void **state)
{
    static char want[EVENT_MAX_BYTES];

    (void)state;
    for (size_t i = 0; i < LEN(shares); i++)
        for (size_t j = 0; j < LEN(too_large); j++) {
            struct span event = large_event(i, j);
            int64_t len;

            memcpy(want, event.p, event.len);
            len = oversize_truncate(want, event.len, RECORD_MAX_BYTES - shares[i].key_len);
            begin_large(i, OVERSIZE_TRUNCATE);
            CHECK_INT(shares[i].name, put_text(event), 0);
            take_large(shares[i].name, 1, shares[i].key_len);
            CHECK(shares[i].name, span_same(taken(0).data, (struct span){want, (size_t)len}));
            CHECK_INT(shares[i].name, ledger->truncated, 1);
        }
}

/* Appends the text of a piece, after what has to stand before it. */
static void
join(struct out *whole, struct span piece, const char *before)
{
    CHECK(before, span_starts(piece, span_of(before)));
    piece = span_skip(piece, strlen(before));
    CHECK(before, piece.len >= 2 && memcmp(piece.p + piece.len - 2, "\"}", 2) == 0);
    for (size_t i = 0; i < piece.len - 2; i++) {
        if (piece.p[i] == '\\')
            i++;
        out_byte(whole, piece.p[i]);
    }
}

/* The batch holds the pieces of the event of this number, which one of them counts. */
static void
check_pieces(const char *name, struct span record, unsigned number)
{
    static char room[EVENT_MAX_BYTES];
    struct out whole = out_to(room, sizeof room);

    for (uint32_t i = 0; i < batch_len(); i++) {
        char before[128];

        snprintf(before, sizeof before,
                 "{\"split\":{\"id\":\"%.*s-%u\",\"part\":%u,\"parts\":%u},\"text\":\"",
                 SANDBOX_LEN, intake->sandbox, number, i + 1, batch_len());
        join(&whole, taken(i).data, before);
        CHECK_SPAN(name, taken(i).partition_key, taken(0).partition_key);
        CHECK_INT(name, taken(i).origin.sequence, number);
        CHECK_INT(name, taken(i).origin.part, i + 1);
        CHECK_INT(name, taken(i).origin.events, i == 0);
    }
    CHECK(name, span_same(out_span(&whole), record));
}

static void
split(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(shares); i++)
        for (size_t j = 0; j < LEN(too_large); j++) {
            struct span event = large_event(i, j);

            begin_large(i, OVERSIZE_SPLIT);
            CHECK_INT(shares[i].name, put_text(event), 0);
            take_large(shares[i].name, 2, shares[i].key_len);
            check_pieces(shares[i].name, event, 0);
            CHECK_INT(shares[i].name, ledger->received, 1);
            CHECK_INT(shares[i].name, ledger->split, 1);
        }
}

/* Nothing but what becomes twice as long: as much as three pieces take. */
static void
split_escapes(void **state)
{
    static char text[EVENT_MAX_BYTES];

    (void)state;
    memcpy(text, event_of(sizeof text).p, sizeof text);
    for (size_t i = sizeof EVENT_BEGIN - 1; i + 2 <= sizeof text - (sizeof EVENT_END - 1); i += 2)
        memcpy(text + i, i % 4 < 2 ? "\\\\" : "\\\"", 2);
    begin_large(0, OVERSIZE_SPLIT);
    assert_int_equal(put_text((struct span){text, sizeof text}), 0);
    take_large("escapes", 3, shares[0].key_len);
    check_pieces("escapes", (struct span){text, sizeof text}, 0);
    CHECK_INT("split", ledger->split, 2);
}

/* A record that was refused: its pieces have its key. */
static void
resized(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(shares); i++) {
        struct span event = event_of(100000);
        char key[64];
        size_t key_len;

        begin_large(i, OVERSIZE_SPLIT);
        CHECK_INT(shares[i].name, put_text(event), 0);
        take();
        key_len = taken(0).partition_key.len;
        memcpy(key, taken(0).partition_key.p, key_len);
        CHECK_INT(shares[i].name, intake_resize(intake, 0, 30000), 0);
        CHECK(shares[i].name, ledger_holds(ledger, queue->events));
        take_large(shares[i].name, 4, shares[i].key_len);
        CHECK_SPAN(shares[i].name, taken(0).partition_key, ((struct span){key, key_len}));
        for (uint32_t n = 0; n < batch_len(); n++)
            CHECK(shares[i].name, taken(n).data.len <= 30000);
        check_pieces(shares[i].name, event, 0);
    }
}

/* For the dead letter it stays whole. */
static void
dead_whole(void **state)
{
    struct span event = event_of(EVENT_MAX_BYTES);

    (void)state;
    begin_large(0, OVERSIZE_DROP);
    settings.dead_letter = DEAD_LETTER_S3;
    assert_int_equal(put_text(event), 0);
    take_dead();
    CHECK_INT("records", batch_len(), 1);
    check_random("key", taken(0).partition_key);
    CHECK("whole", span_same(taken(0).data, event));
}

/* A record that is in the way moves on to make room, while the new one may lie in the scratch. */
static const struct {
    const char *name;
    enum event_format format;
    enum oversize_policy oversize;
    enum dead_letter_to dead_letter;
    size_t len;    /* of the new event */
    size_t resize; /* or the last record of before is resized to so many bytes */
} moves[] = {
    {"in the ring", EVENT_VERBATIM, OVERSIZE_DROP, DEAD_LETTER_NONE, 600, 0},
    {"by the scratch", EVENT_ENRICHED, OVERSIZE_DROP, DEAD_LETTER_NONE, 560, 0},
    {"cut", EVENT_VERBATIM, OVERSIZE_TRUNCATE, DEAD_LETTER_NONE, 900, 0},
    {"split", EVENT_VERBATIM, OVERSIZE_SPLIT, DEAD_LETTER_NONE, 700, 0},
    {"dead", EVENT_VERBATIM, OVERSIZE_DROP, DEAD_LETTER_S3, 700, 0},
    {"resized", EVENT_VERBATIM, OVERSIZE_SPLIT, DEAD_LETTER_NONE, 0, 250},
};

/* The oldest record, of many p, and one that is delivered; behind it one that is being sent, or not. */
static void
begin_move(bool last_is_sent)
{
    static char in_the_way[100];

    memcpy(in_the_way, event_of(sizeof in_the_way).p, sizeof in_the_way);
    for (size_t i = 0; i < sizeof in_the_way; i++)
        in_the_way[i] = in_the_way[i] == 'x' ? 'p' : in_the_way[i];
    begin(1400);
    assert_int_equal(put_text((struct span){in_the_way, sizeof in_the_way}), 0);
    assert_int_equal(put_text(event_of(560)), 0);
    assert_int_equal(put_text(event_of(300)), 0);
    take();
    CHECK_INT("records", batch_len(), 3);
    again(0);
    delivered(1);
    if (last_is_sent)
        return;
    delivered(2);
}

/* Whether bytes of the oldest record are in another one. */
static bool
mixed_up(void)
{
    for (uint32_t i = 0; i < batch_len(); i++) {
        struct span data = taken(i).data;

        if (taken(i).origin.sequence > 0 && memmem(data.p, data.len, "ppp", 3) != NULL)
            return true;
    }
    return false;
}

static void
moved_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(moves); i++) {
        const char *name = moves[i].name;
        int r;

        settings = (struct settings){.format = EVENT_VERBATIM,
                                     .key = KEY_FIXED,
                                     .fixed_key = SPAN("a common key"),
                                     .oversize = moves[i].oversize,
                                     .dead_letter = moves[i].dead_letter,
                                     .max_attempts = 2};
        begin_move(moves[i].resize > 0);
        settings.format = moves[i].format;
        if (moves[i].resize > 0)
            r = intake_resize(intake, 2, moves[i].resize);
        else
            r = put_text(event_of(moves[i].len));
        CHECK_INT(name, r, 0);
        CHECK(name, ledger_holds(ledger, queue->events));
        take();
        CHECK_INT(name, taken(0).origin.sequence, 0);
        CHECK_INT(name, taken(0).attempts, 2);
        r = mixed_up();
        take_dead();
        CHECK(name, !r && !mixed_up());
    }
}

/* The event is too large, but not what is made of it. */
static void
small_message(void **state)
{
    static char text[8192];
    static const char event[] = "{\"type\":\"function\",\"record\":{\"message\":\"m\",\"more\":\"";

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, event, sizeof event - 1);
    memcpy(text + sizeof text - 3, "\"}}", 3);
    settings =
        (struct settings){.format = EVENT_MESSAGE, .key = KEY_RANDOM, .oversize = OVERSIZE_DROP};
    begin(4096);
    assert_int_equal(put_text((struct span){text, sizeof text}), 0);
    CHECK_INT("received", ledger->received, 1);
    take();
    CHECK_SPAN("message", taken(0).data, SPAN("\"m\""));
    check_random("key", taken(0).partition_key);
    /* and it waits for room as others do */
    while (queue_room(queue, 40) != NULL)
        assert_int_equal(put_text(event_of(32)), 0);
    assert_int_equal(put_text(event_of(1000)), ERR_FULL);
}

/* Larger than all that the listener hands over, and than the scratch. */
static void
beyond_the_scratch(void **state)
{
    static const struct {
        const char *name;
        enum dead_letter_to to;
    } rows[] = {{"without a dead letter", DEAD_LETTER_NONE}, {"with one", DEAD_LETTER_S3}};
    static char text[EVENT_MAX_BYTES + 8192 + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, EVENT_BEGIN, sizeof EVENT_BEGIN - 1);
    memcpy(text + sizeof text - 2, EVENT_END, 2);
    for (size_t i = 0; i < LEN(rows); i++) {
        begin_large(0, OVERSIZE_TRUNCATE);
        settings.dead_letter = rows[i].to;
        CHECK_INT(rows[i].name, put_text((struct span){text, sizeof text}), 0);
        CHECK_INT(rows[i].name, ledger->received, 1);
        CHECK_INT(rows[i].name, ledger->dropped[DROP_OVERSIZE], 1);
        CHECK_INT(rows[i].name, queue->records, 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(format),
        cmocka_unit_test(sequence),
        cmocka_unit_test(gaps),
        cmocka_unit_test(split_numbers),
        cmocka_unit_test(request),
        cmocka_unit_test(key),
        cmocka_unit_test(random_keys),
        cmocka_unit_test(restored),
        cmocka_unit_test(script),
        cmocka_unit_test(largest),
        cmocka_unit_test(truncated),
        cmocka_unit_test(split),
        cmocka_unit_test(split_escapes),
        cmocka_unit_test(resized),
        cmocka_unit_test(dead_whole),
        cmocka_unit_test(moved_on),
        cmocka_unit_test(small_message),
        cmocka_unit_test(beyond_the_scratch),
        cmocka_unit_test(restored_numbers),
        cmocka_unit_test(named_twice),
    };

    return RUN(argc, argv, tests);
}
