#include "protocol/delivery.h"

#include "check.h"
#include "inflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Records of several events, as the intake fills and closes them. The owner's part, when a record is closed by time or
 * for a flush, is in test_delivery_events.c.
 */
static struct settings settings;
static struct delivery delivery;
static struct queue *const queue = &delivery.queue;
static struct ledger *const ledger = &delivery.ledger;
static struct intake *const intake = &delivery.intake;
static struct aggregate *const open = &delivery.intake.open;

#define USUAL                                                                                      \
    .aggregation = AGGREGATION_LINES, .aggregation_max_bytes = 1024, .max_attempts = 5,            \
    .linger_ms = 200

static void
begin(void)
{
    static char *memory;
    struct intake_seed seed = {.sandbox = {1, 2, 3}, .numbers = 7};

    if (settings.queue_max_bytes == 0)
        settings.queue_max_bytes = 1 << 20;
    free(memory);
    memory = malloc(delivery_bytes(&settings));
    assert_non_null(memory);
    delivery_init(&delivery, &settings, memory, &seed);
}

static int
put_text(struct span text)
{
    struct event event;
    int r;

    assert_int_equal(event_read(text, NULL, &event), 0);
    r = delivery_event(&delivery, (struct moment){1000, 1000}, &event);
    assert_true(ledger_holds(ledger, delivery_queued(&delivery)));
    queue_check(queue);
    return r;
}

/* The text of an event whose message is a string, so that it comes to a line of so many bytes. */
static struct span
line_of(size_t len, char fill)
{
    static char text[2 * EVENT_MAX_BYTES];
    struct out o = out_to(text, sizeof text);

    out_put(&o, SPAN("{\"type\":\"function\",\"record\":\""));
    assert_true(len >= 3);
    memset(text + o.len, fill, len - 3);
    o.len += len - 3;
    out_put(&o, SPAN("\"}"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static int
put(size_t len)
{
    return put_text(line_of(len, (char)('a' + ledger->received % 26)));
}

static size_t
one_byte(void *context, const struct queue_record *record)
{
    (void)context;
    (void)record;
    return 1;
}

/* Takes all that may be sent; what is left in the batch goes first. */
static uint32_t
take(void)
{
    struct queue_limits limits = {
        .records = BATCH_MAX_RECORDS, .bytes = UINT64_MAX, .size = one_byte};

    queue_return(queue, QUEUE_STREAM, QUEUE_FAILED);
    return queue_take(queue, QUEUE_STREAM, &limits, QUEUE_TAKE_FAILED);
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

/* --- what is in one record ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t lines[8];   /* their lengths, newlines included */
    size_t records[6]; /* of the data of those in the queue */
    size_t open;       /* of that of the open one */
} fills[] = {
    {"one", {100}, {0}, 100},
    {"exactly full", {512, 512}, {0}, 1024},
    {"one byte more", {512, 513}, {512}, 513},
    {"full, and the shortest that there is", {512, 512, 3}, {1024}, 3},
    {"one that is longer by itself", {1025}, {0}, 1025},
    {"nothing comes to that", {1025, 3}, {1025}, 3},
    {"it comes to nothing", {3, 2000}, {3}, 2000},
    /* the limit, and 8 KiB for what is not known before */
    {"the longest that may be open", {3, 9216 - 29}, {3}, 9216 - 29},
    {"longer than that: a record of its own", {3, 20000, 3}, {3, 20000}, 3},
    {"two of these", {20000, 20001}, {20000, 20001}, 0},
    {"many", {400, 400, 400, 400, 400, 400, 400, 400}, {800, 800, 800}, 800},
};

static void
filled(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX};
    for (size_t i = 0; i < LEN(fills); i++) {
        uint32_t records = 0;

        begin();
        for (size_t k = 0; k < LEN(fills[i].lines) && fills[i].lines[k] > 0; k++)
            CHECK_INT(fills[i].name, put(fills[i].lines[k]), 0);
        CHECK_INT(fills[i].name, open->len, fills[i].open);
        CHECK_INT(fills[i].name, open->events > 0, fills[i].open > 0);
        while (fills[i].records[records] > 0)
            records++;
        CHECK_INT(fills[i].name, take(), records);
        for (uint32_t k = 0; k < records; k++)
            CHECK_INT(fills[i].name, taken(k).data.len, fills[i].records[k]);
        CHECK_INT(fills[i].name, queue->events + open->events, ledger->received);
    }
}

#define FUNCTION(record) "{\"type\":\"function\",\"record\":" record "}"

/* Each line is what a record of its own would be. */
static void
written(void **state)
{
    static const struct {
        const char *name;
        enum event_format format;
        const char *events[3], *want;
    } rows[] = {
        {"messages",
         EVENT_MESSAGE,
         {FUNCTION("\"a\\n\""), FUNCTION("{\"message\":{\"b\":1}}"), FUNCTION("\"\"")},
         "\"a\"\n{\"b\":1}\n\"\"\n"},
        {"events",
         EVENT_VERBATIM,
         {FUNCTION("1"), FUNCTION("\"\\u0000\xff\"")},
         FUNCTION("1") "\n" FUNCTION("\"\\u0000\xff\"") "\n"},
        {"enriched",
         EVENT_ENRICHED,
         {FUNCTION("1"), FUNCTION("2")},
         "{\"type\":\"function\",\"record\":1,\"sandbox\":\"01020300000000000000000000000000\","
         "\"seq\":0,\"coldStart\":false}\n"
         "{\"type\":\"function\",\"record\":2,\"sandbox\":\"01020300000000000000000000000000\","
         "\"seq\":1,\"coldStart\":false}\n"},
        /* JSON's own are no ends of lines */
        {"newlines between tokens",
         EVENT_VERBATIM,
         {"{\n\"type\":\n\n\"function\",\"record\":{\"a\":\r\n1}}", FUNCTION("2")},
         "{ \"type\":  \"function\",\"record\":{\"a\":\r 1}}\n" FUNCTION("2") "\n"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint32_t events = 0;

        settings = (struct settings){USUAL, .format = rows[i].format, .key = KEY_SANDBOX};
        begin();
        for (; events < 3 && rows[i].events[events] != NULL; events++)
            CHECK_INT(rows[i].name, put_text(span_of(rows[i].events[events])), 0);
        CHECK_INT(rows[i].name, intake_close(intake), 0);
        CHECK_INT(rows[i].name, open->events, 0);
        CHECK_INT(rows[i].name, take(), 1);
        CHECK_SPAN(rows[i].name, taken(0).data, span_of(rows[i].want));
        CHECK_INT(rows[i].name, taken(0).origin.events, events);
        CHECK_INT(rows[i].name, queue->events, events);
    }
}

/* A record counts no more than 65,535. */
static void
counted(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX};
    settings.aggregation_max_bytes = 400000;
    begin();
    for (unsigned i = 0; i < 65536; i++)
        assert_int_equal(put(3), 0);
    assert_int_equal(open->events, 1);
    assert_int_equal(open->sequence, 65535);
    assert_int_equal(take(), 1);
    assert_int_equal(taken(0).origin.events, 65535);
    assert_int_equal(taken(0).origin.sequence, 0);
    assert_int_equal(queue->events, 65535);
    assert_int_equal(queue_batch_events(queue, QUEUE_STREAM), 65535);
    assert_int_equal(queue_all_events(queue), 65535);
    assert_int_equal(queue_end(queue, QUEUE_STREAM, 0), 65535);
    ledger->delivered += 65535;
    assert_int_equal(delivery_queued(&delivery), 1);
}

/* Nothing is open where records hold one event each, and no memory is for it. */
static void
none(void **state)
{
    struct settings lines = {USUAL, .queue_max_bytes = 1 << 20};

    (void)state;
    settings = lines;
    settings.aggregation = AGGREGATION_NONE;
    assert_int_equal(delivery_bytes(&lines) - delivery_bytes(&settings), 7 + 64 + 1024 + 8192 + 8);
    lines.compression = COMPRESSION_GZIP;
    assert_int_equal(delivery_bytes(&lines) - delivery_bytes(&settings),
                     7 + sizeof(struct gzip) + 64 + RECORD_MAX_BYTES + 8);
    begin();
    assert_int_equal(put(100), 0);
    assert_int_equal(open->events, 0);
    assert_int_equal(queue->records, 1);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(queue->records, 1);
}

/* One part behind the other, wherever the memory begins; the state of the compression where it may lie. */
static void
placed(void **state)
{
    static char memory[8 + 2 * RECORD_MAX_BYTES];

    (void)state;
    settings = (struct settings){USUAL};
    for (unsigned gzip = 0; gzip < 2; gzip++) {
        settings.compression = gzip ? COMPRESSION_GZIP : COMPRESSION_NONE;
        for (char *from = memory; from < memory + 8; from++) {
            struct aggregate a;
            char *key_from = from;

            aggregate_init(&a, &settings, from, RECORD_MAX_BYTES);
            assert_int_equal(a.gzip != NULL, gzip);
            if (gzip) {
                assert_int_equal((uintptr_t)a.gzip % _Alignof(struct gzip), 0);
                assert_true((char *)a.gzip >= from);
                key_from = (char *)(a.gzip + 1);
            }
            assert_true(a.data - AGGREGATE_KEY_MAX >= key_from);
            assert_true(a.data + a.cap + DEFLATE_SLACK <= from + aggregate_bytes(&settings));
        }
    }
}

/* --- partition keys ----------------------------------------------------------------------------- */

#define OF(id) FUNCTION("{\"message\":1,\"requestId\":\"" id "\"}")

static void
keys(void **state)
{
    static const struct {
        const char *name;
        enum key_policy key;
        const char *events[5];
        const char *want[5]; /* of each record; "*": a random one */
    } rows[] = {
        {"random", KEY_RANDOM, {OF("a"), OF("b")}, {"*"}},
        {"none", KEY_NONE, {OF("a"), OF("b")}, {"*"}},
        {"sandbox", KEY_SANDBOX, {OF("a"), OF("b")}, {"01020300000000000000000000000000"}},
        {"fixed", KEY_FIXED, {OF("a"), OF("b")}, {"k"}},
        {"request", KEY_REQUEST, {OF("a"), OF("a"), OF("b"), OF("b"), OF("a")}, {"a", "b", "a"}},
        {"request, as long, and longer",
         KEY_REQUEST,
         {OF("aa"), OF("ab"), OF("abc")},
         {"aa", "ab", "abc"}},
        {"of none",
         KEY_REQUEST,
         {FUNCTION("1"), OF("a"), FUNCTION("1")},
         {"01020300000000000000000000000000", "a", "01020300000000000000000000000000"}},
        {"the longest",
         KEY_REQUEST,
         {OF("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), OF("a")},
         {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "a"}},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint32_t records = 0;

        settings = (struct settings){USUAL, .key = rows[i].key, .fixed_key = SPAN("k")};
        begin();
        for (size_t k = 0; k < 5 && rows[i].events[k] != NULL; k++)
            CHECK_INT(rows[i].name, put_text(span_of(rows[i].events[k])), 0);
        CHECK_INT(rows[i].name, intake_close(intake), 0);
        while (records < 5 && rows[i].want[records] != NULL)
            records++;
        CHECK_INT(rows[i].name, take(), records);
        for (uint32_t k = 0; k < records; k++) {
            if (rows[i].want[k][0] == '*')
                CHECK_INT(rows[i].name, taken(k).partition_key.len, 8);
            else
                CHECK_SPAN(rows[i].name, taken(k).partition_key, span_of(rows[i].want[k]));
            CHECK_INT(rows[i].name, taken(k).data.p[0], '1');
        }
    }
}

/* One is drawn for each record, whatever it holds. */
static void
random_keys(void **state)
{
    char before[8] = {0};

    (void)state;
    settings = (struct settings){USUAL, .key = KEY_RANDOM};
    begin();
    for (unsigned i = 0; i < 4 * 50; i++)
        assert_int_equal(put(20), 0);
    assert_int_equal(intake->random_left, 256 - 4);
    assert_int_equal(take(), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(taken(i).partition_key.len, 8);
        assert_memory_not_equal(taken(i).partition_key.p, before, 8);
        memcpy(before, taken(i).partition_key.p, 8);
    }
}

/* --- no room ------------------------------------------------------------------------------------ */

/* An event whose record would have to be closed is as if it had not come; what is open stays, and is whole. */
static void
no_room(void **state)
{
    uint64_t received;

    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 4096};
    begin();
    while (put(505) == 0)
        ;
    received = ledger->received;
    assert_int_equal(queue->records, 3);
    assert_int_equal(received, 8);
    assert_int_equal(open->len, 1010);
    /* what there is room for is taken, and nothing else, as often as it comes */
    assert_int_equal(put(14), 0);
    assert_int_equal(put(3), ERR_FULL);
    assert_int_equal(put(20000), ERR_FULL);
    assert_int_equal(intake_close(intake), ERR_FULL);
    assert_int_equal(ledger->received, received + 1);
    assert_int_equal(take(), 3);
    ledger->delivered += queue_end(queue, QUEUE_STREAM, 0);
    ledger->delivered += queue_end(queue, QUEUE_STREAM, 1);
    assert_int_equal(put(505), 0);
    assert_int_equal(open->len, 505);
    assert_int_equal(take(), 2);
    assert_int_equal(taken(1).data.len, 1024);
    assert_int_equal(taken(1).origin.events, 3);
    assert_int_equal(taken(1).origin.sequence, 6);
    assert_int_equal(taken(1).data.p[0], '"');
    assert_int_equal(taken(1).data.p[1], 'g');
    assert_int_equal(taken(1).data.p[506], 'h');
    assert_int_equal(taken(1).data.p[1011], 'i');
    assert_int_equal(taken(1).data.p[1023], '\n');
    assert_int_equal(open->data[1], 'j');
}

/* The oldest record goes for the room that the newest needs, and with it all of its events. */
static void
oldest(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 4096,
                                 .drop = WHEN_FULL_OLDEST};
    begin();
    while (put(102) == 0)
        ;
    assert_int_equal(queue->records, 3);
    assert_int_equal(open->events, 10);
    delivery.full.overflow = true;
    assert_int_equal(put(102), 0);
    assert_int_equal(ledger->dropped[DROP_OVERFLOW], 10);
    assert_int_equal(queue->records, 3);
    assert_int_equal(open->events, 1);
    settings.drop = WHEN_FULL_NEWEST;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(put(102), 0);
    assert_int_equal(open->events, 10);
    assert_int_equal(ledger->dropped[DROP_OVERFLOW], 11);
}

/* The open record needs the room first that an event of its own record then has to find, too. */
static void
twice_no_room(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 65536,
                                 .drop = WHEN_FULL_OLDEST};
    begin();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(put(20000), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(put(1024), 0);
    assert_int_equal(put(1000), 0);
    assert_int_equal(put(20000), ERR_FULL);
    delivery.full.overflow = true;
    assert_int_equal(put(20000), 0);
    assert_int_equal(ledger->dropped[DROP_OVERFLOW], 2);
    assert_int_equal(open->events, 0);
}

/* --- what is too large -------------------------------------------------------------------------- */

static void
check_lines(struct span data, size_t most)
{
    CHECK("the most", data.len <= most);
    CHECK("the end", data.p[data.len - 1] == '\n');
    CHECK("one line", memchr(data.p, '\n', data.len) == data.p + data.len - 1);
}

/* What TELEMETRY_OVERSIZE makes of an event ends in a newline like everything else. */
static void
oversize(void **state)
{
    (void)state;
    for (unsigned policy = OVERSIZE_TRUNCATE; policy <= OVERSIZE_SPLIT; policy++) {
        uint32_t records;

        settings = (struct settings){USUAL, .key = KEY_RANDOM, .queue_max_bytes = 200000,
                                     .oversize = (enum oversize_policy)policy};
        begin();
        assert_int_equal(put(100), 0);
        assert_int_equal(put(150000), 0);
        records = take();
        assert_int_equal(records, policy == OVERSIZE_SPLIT ? 3 : 2);
        assert_int_equal(taken(0).data.len, 100);
        for (uint32_t i = 1; i < records; i++)
            check_lines(taken(i).data, 100000 - 8);
        /* and not much shorter */
        assert_true(taken(1).data.len > 100000 - 40);
        assert_int_equal(ledger->truncated, policy == OVERSIZE_TRUNCATE);
        assert_int_equal(ledger->split, policy == OVERSIZE_SPLIT);
        assert_int_equal(queue->events, 2);
    }
}

/* One that is just as long as may be, with its newline, and one byte more. */
static void
just_fits(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 65536,
                                 .oversize = OVERSIZE_DROP};
    begin();
    assert_int_equal(put(32768 - 32), 0);
    assert_int_equal(ledger->dropped[DROP_OVERSIZE], 0);
    assert_int_equal(put(32768 - 31), 0);
    assert_int_equal(ledger->dropped[DROP_OVERSIZE], 1);
    settings.dead_letter = DEAD_LETTER_STDERR;
    assert_int_equal(put(32768 - 31), 0);
    assert_int_equal(queue->count[QUEUE_DEAD], 1);
}

/* The stream takes less: a record of one event is cut down as without lines. */
static void
resized(void **state)
{
    (void)state;
    for (unsigned policy = OVERSIZE_TRUNCATE; policy <= OVERSIZE_DROP; policy++) {
        uint32_t records;

        settings =
            (struct settings){USUAL, .key = KEY_SANDBOX, .oversize = (enum oversize_policy)policy};
        begin();
        assert_int_equal(put(1000), 0);
        assert_int_equal(put(500), 0);
        assert_int_equal(put(500), 0);
        assert_int_equal(put(500), 0);
        assert_int_equal(take(), 2);
        assert_int_equal(intake_resize(intake, 0, 1), ERR_BIG);
        if (policy == OVERSIZE_DROP) {
            assert_int_equal(intake_resize(intake, 0, 600), ERR_BIG);
            continue;
        }
        assert_int_equal(intake_resize(intake, 0, 600), 0);
        if (policy == OVERSIZE_TRUNCATE) {
            check_lines(taken(0).data, 600);
            assert_true(taken(0).data.len > 580);
            assert_int_equal(queue_in_batch(queue, QUEUE_STREAM, 0), true);
            continue;
        }
        records = take();
        assert_int_equal(records, ledger->split + 2);
        for (uint32_t i = 1; i < records; i++)
            check_lines(taken(i).data, 600);
        /* and once more */
        assert_int_equal(intake_resize(intake, 1, 400), 0);
        assert_true(take() > records);
        assert_int_equal(batch_len(), ledger->split + 2);
        for (uint32_t i = 1; i < batch_len(); i++)
            check_lines(taken(i).data, 600);
        assert_int_equal(queue->events, 3);
    }
}

static const struct {
    const char *name;
    size_t lines[5];
    size_t halves[2];
    unsigned first; /* lines of the first half */
} halves[] = {
    {"two", {500, 500}, {500, 500}, 1},
    {"the first is long", {900, 100}, {900, 100}, 1},
    {"the last is long", {100, 900}, {100, 900}, 1},
    {"the middle within a line", {100, 200, 300, 400}, {600, 400}, 3},
    {"the middle between two", {100, 400, 300, 200}, {500, 500}, 2},
    {"a long one behind many", {10, 10, 10, 970}, {30, 970}, 3},
};

static void
check_halves(size_t i, struct span whole, struct span key)
{
    const char *name = halves[i].name;

    for (uint32_t k = 0; k < 2; k++) {
        struct queue_record half = taken(k);

        CHECK_INT(name, half.data.len, halves[i].halves[k]);
        CHECK(name, memcmp(half.data.p, whole.p, half.data.len) == 0);
        CHECK_SPAN(name, half.partition_key, key);
        whole = span_skip(whole, half.data.len);
    }
    CHECK_INT(name, taken(0).origin.events, halves[i].first);
    CHECK_INT(name, taken(1).origin.sequence, taken(0).origin.sequence + halves[i].first);
    CHECK_INT(name, taken(0).origin.events + taken(1).origin.events, queue->events);
}

/* One of several becomes two, with the key that it had; whatever TELEMETRY_OVERSIZE says, since nothing is lost. */
static void
halved(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * LEN(halves); i++) {
        char bytes[1024], key_bytes[64];
        struct span whole, key;

        settings = (struct settings){USUAL, .key = i % 2 > 0 ? KEY_RANDOM : KEY_SANDBOX,
                                     .oversize = OVERSIZE_DROP};
        begin();
        for (size_t k = 0; halves[i / 2].lines[k] > 0; k++)
            assert_int_equal(put(halves[i / 2].lines[k]), 0);
        assert_int_equal(intake_close(intake), 0);
        assert_int_equal(take(), 1);
        whole = (struct span){bytes, taken(0).data.len};
        key = (struct span){key_bytes, taken(0).partition_key.len};
        memcpy(bytes, taken(0).data.p, whole.len);
        memcpy(key_bytes, taken(0).partition_key.p, key.len);
        assert_int_equal(intake_resize(intake, 0, 500), 0);
        assert_int_equal(take(), 2);
        check_halves(i / 2, whole, key);
        assert_int_equal(ledger->split + ledger->truncated, 0);
    }
}

/* All that is there is under way: only the record's own room may be used, and that comes back last. */
static void
halved_later(void **state)
{
    uint32_t records;

    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 65536};
    begin();
    /* 64 would take all of it */
    while (queue->records < 63)
        assert_int_equal(put(500), 0);
    records = take();
    assert_int_equal(intake_resize(intake, records - 1, 500), ERR_FULL);
    assert_int_equal(taken(records - 1).data.len, 1000);
    assert_int_equal(queue_in_batch(queue, QUEUE_STREAM, records - 1), true);
    /* by itself in its batch: the others may move */
    queue_return(queue, QUEUE_STREAM, QUEUE_FAILED);
    assert_int_equal(queue_take(queue, QUEUE_STREAM,
                                &(struct queue_limits){.records = 1, .bytes = 1, .size = one_byte},
                                QUEUE_TAKE_FAILED),
                     1);
    assert_int_equal(intake_resize(intake, 0, 500), 0);
    queue_check(queue);
    assert_int_equal(take(), records + 1);
}

/* A number that nothing of the record has ends it: the numbers of its second half are told by those of the first. */
static void
gap(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX};
    begin();
    assert_int_equal(put(100), 0);
    assert_int_equal(put(100), 0);
    intake_lost(intake, DROP_CUT);
    assert_int_equal(put(100), 0);
    assert_int_equal(put(100), 0);
    assert_int_equal(take(), 1);
    assert_int_equal(taken(0).data.len, 200);
    assert_int_equal(open->sequence, 3);
    assert_int_equal(open->events, 2);
}

/* After a refusal for size records get half of what that one had, and never more. */
static void
limited(void **state)
{
    struct span refused;

    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX};
    begin();
    for (int i = 0; i < 11; i++)
        assert_int_equal(put(100), 0);
    assert_int_equal(take(), 1);
    refused = taken(0).data;
    assert_int_equal(refused.len, 1000);
    aggregate_limit(open, refused);
    aggregate_limit(open, (struct span){refused.p, 1010});
    for (int i = 0; i < 5; i++)
        assert_int_equal(put(100), 0);
    assert_int_equal(open->events, 1);
    assert_int_equal(take(), 2);
    assert_int_equal(taken(1).data.len, 500);
}

/* One of several events is given up whole: to the dead letter, or counted with all of them. */
static void
buried(void **state)
{
    (void)state;
    for (unsigned to = DEAD_LETTER_NONE; to <= DEAD_LETTER_STDERR; to++) {
        settings =
            (struct settings){USUAL, .key = KEY_SANDBOX, .dead_letter = (enum dead_letter_to)to};
        begin();
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(put(100), 0);
        assert_int_equal(intake_close(intake), 0);
        assert_int_equal(take(), 1);
        intake_bury(intake, 0, DROP_OVERSIZE);
        assert_int_equal(ledger->dropped[DROP_OVERSIZE], to == DEAD_LETTER_NONE ? 5 : 0);
        assert_int_equal(queue->count[QUEUE_DEAD], to == DEAD_LETTER_NONE ? 0 : 1);
        assert_int_equal(queue->events, to == DEAD_LETTER_NONE ? 0 : 5);
    }
}

/* A queue that is hardly larger than a record bounds it. */
static void
small_queue(void **state)
{
    (void)state;
    settings = (struct settings){USUAL, .key = KEY_SANDBOX, .queue_max_bytes = 1600};
    begin();
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(put(100), 0);
    assert_int_equal(take(), 1);
    assert_int_equal(taken(0).data.len, 700);
}

/* --- compressed --------------------------------------------------------------------------------- */

/* What a record holds. */
static struct span
unpacked(struct queue_record record)
{
    static char room[2 * EVENT_MAX_BYTES];
    long len = inflate_member(record.data, room, sizeof room);

    assert_true(len >= 0);
    return (struct span){room, (size_t)len};
}

static void
packed(bool with_lines)
{
    settings =
        (struct settings){USUAL, .compression = COMPRESSION_GZIP, .queue_max_bytes = 4 << 20};
    if (!with_lines)
        settings.aggregation = AGGREGATION_NONE;
}

/* Each event is a member of its own, and no line. */
static void
members(void **state)
{
    (void)state;
    packed(false);
    begin();
    assert_int_equal(put_text(SPAN(FUNCTION("{\n\"message\":[\n1]}"))), 0);
    assert_int_equal(put_text(SPAN(FUNCTION("\"b\""))), 0);
    assert_int_equal(open->events, 0);
    assert_int_equal(take(), 2);
    CHECK_SPAN("the first", unpacked(taken(0)), SPAN("[\n1]"));
    CHECK_SPAN("the second", unpacked(taken(1)), SPAN("\"b\""));
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(taken(i).origin.sequence, i);
        assert_int_equal(taken(i).origin.events, 1);
        assert_int_equal(taken(i).partition_key.len, 8);
    }
    assert_memory_not_equal(taken(0).partition_key.p, taken(1).partition_key.p, 8);
}

/* The limit is that of the lines, not of the member. */
static void
packed_lines(void **state)
{
    (void)state;
    packed(true);
    begin();
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(put(256), 0);
    assert_int_equal(open->events, 1);
    assert_int_equal(put_text(SPAN(FUNCTION("{\n\"message\":[\n1]}"))), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 3);
    for (uint32_t i = 0; i < 2; i++) {
        struct span data = unpacked(taken(i));

        assert_true(taken(i).data.len < 150);
        assert_int_equal(taken(i).origin.events, 4);
        assert_int_equal(data.len, 1024);
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(data.p[256 * k + 100], 'a' + 4 * i + k);
            assert_int_equal(data.p[256 * k + 255], '\n');
        }
    }
    assert_int_equal(unpacked(taken(2)).len, 256 + 5);
    CHECK("a blank for the newline",
          span_starts(span_skip(unpacked(taken(2)), 256), SPAN("[ 1]\n")));
}

/* Bytes that nothing is saved of, in a string. */
static struct span
noise(size_t len)
{
    static char text[2 * EVENT_MAX_BYTES];
    static uint64_t random = 1;
    struct out o = out_to(text, sizeof text);

    out_put(&o, SPAN("{\"type\":\"function\",\"record\":\""));
    for (size_t i = 0; i < len; i++) {
        unsigned char c;

        random = random * 6364136223846793005u + 1442695040888963407u;
        c = (unsigned char)(random >> 56);
        out_byte(&o, (char)(c < 0x20 || c == '"' || c == '\\' ? c | 0x80 : c));
    }
    out_put(&o, SPAN("\"}"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

/* An event that is longer than a record passes where it is not when it is compressed, by itself. */
static void
packed_large(void **state)
{
    (void)state;
    for (unsigned with_lines = 0; with_lines < 2; with_lines++) {
        packed(with_lines);
        begin();
        assert_int_equal(put(100), 0);
        assert_int_equal(put(EVENT_MAX_BYTES - 100), 0);
        assert_int_equal(put(100), 0);
        assert_int_equal(intake_close(intake), 0);
        assert_int_equal(take(), 3);
        /* without lines there is no newline */
        assert_int_equal(unpacked(taken(1)).len, EVENT_MAX_BYTES - 100 - !with_lines);
        assert_true(taken(1).data.len < 20000);
        assert_int_equal(ledger->truncated + ledger->split + ledger_dropped(ledger), 0);
    }
}

/* What does not is cut down or split before, and each record is a member again. */
static void
packed_oversize(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        bool with_lines = i % 2 == 1;
        uint32_t records;

        packed(with_lines);
        settings.oversize = (enum oversize_policy)(i / 2);
        begin();
        assert_int_equal(put(100), 0);
        assert_int_equal(put_text(noise(800000)), 0);
        assert_int_equal(ledger->truncated + ledger->split + ledger_dropped(ledger), 0);
        assert_int_equal(put_text(noise(1110000)), 0);
        assert_int_equal(put(100), 0);
        assert_int_equal(intake_close(intake), 0);
        records = take();
        assert_int_equal(ledger->truncated, settings.oversize == OVERSIZE_TRUNCATE);
        assert_int_equal(ledger->split > 0, settings.oversize == OVERSIZE_SPLIT);
        assert_int_equal(ledger->dropped[DROP_OVERSIZE], settings.oversize == OVERSIZE_DROP);
        assert_int_equal(records, 4 + ledger->split - ledger->dropped[DROP_OVERSIZE]);
        for (uint32_t k = 0; k < records; k++) {
            struct span data = unpacked(taken(k));

            assert_true(taken(k).data.len + 8 <= RECORD_MAX_BYTES);
            assert_int_equal(data.p[data.len - 1],
                             with_lines ? '\n' : (data.p[0] == '{' ? '}' : '"'));
        }
        assert_int_equal(queue->events, 4 - ledger->dropped[DROP_OVERSIZE]);
    }
}

/* What is cut down is certain to fit then, in a queue of any size. */
static void
packed_queues(void **state)
{
    (void)state;
    for (unsigned cap = 65536; cap < 65536 + 128; cap += 8)
        for (unsigned key = KEY_RANDOM; key <= KEY_SANDBOX; key++) {
            packed(true);
            settings.queue_max_bytes = cap;
            settings.key = (enum key_policy)key;
            begin();
            assert_int_equal(put_text(noise(60000)), 0);
            assert_int_equal(ledger->truncated, 1);
            assert_int_equal(take(), 1);
            assert_true(taken(0).data.len <= cap / 2);
            assert_true(unpacked(taken(0)).len > cap / 2 - 300);
        }
}

/* Where lines come near what a record may have, the encoder's bound decides: 36 bytes more, if nothing is saved. */
static const struct {
    const char *name;
    bool noisy;
    size_t less;   /* than the most that the data may have, both lines together */
    unsigned open; /* lines in the open one */
} near[] = {
    {"far enough without asking", true, 200, 2},
    {"as much as fits, whatever becomes of it", true, 36, 2},
    {"one byte more", true, 35, 1},
    {"all of it, but much is saved", false, 0, 2},
};

static int
put_near(bool noisy, size_t len)
{
    return noisy ? put_text(noise(len - 3)) : put(len);
}

static void
packed_near(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(near); i++) {
        size_t lens[2] = {20000};

        packed(true);
        settings.aggregation_max_bytes = 262144;
        settings.queue_max_bytes = 65536;
        begin();
        lens[1] = open->cap - near[i].less - lens[0];
        for (unsigned k = 0; k < 2; k++)
            CHECK_INT(near[i].name, put_near(near[i].noisy, lens[k]), 0);
        CHECK_INT(near[i].name, open->events, near[i].open);
        CHECK_INT(near[i].name, intake_close(intake), 0);
        CHECK_INT(near[i].name, take(), 3 - near[i].open);
        CHECK_INT(near[i].name, unpacked(taken(0)).len, lens[0] + (near[i].open > 1 ? lens[1] : 0));
    }
}

/* A first line that is too large is not open any more, and what follows is as if it had not been. */
static void
packed_again(void **state)
{
    struct event event;
    struct span large;

    (void)state;
    packed(true);
    begin();
    assert_int_equal(event_read(noise(1110000), NULL, &event), 0);
    large = event_message(&event);
    aggregate_begin(open, SPAN("key"), 1);
    assert_int_equal(aggregate_pack(open, large), ERR_BIG);
    assert_int_equal(open->events, 0);
    assert_false(open->sealed);
    aggregate_begin(open, SPAN(""), 2);
    assert_int_equal(aggregate_pack(open, SPAN("line\n")), 0);
    assert_int_equal(open->events, 1);
    assert_true(aggregate_end(open).p == open->data);
    CHECK_SPAN("the second", unpacked((struct queue_record){.data = {open->data, open->len}}),
               SPAN("line\n"));
}

/* The last four bytes of a member; nothing else is taken for one that has no room for them. */
static void
payload(void **state)
{
    static const struct {
        const char *name;
        struct span data;
        uint32_t plain, packed;
    } rows[] = {
        {"nothing", TEXT(""), 0, 0},
        {"three bytes", TEXT("abc"), 3, 3},
        {"four", TEXT("\4\3\2\1"), 4, 0x01020304},
        {"a member's end", TEXT("abcdefgh\xfe\xff\0\x80"), 12, 0x8000fffe},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        settings = (struct settings){USUAL};
        begin();
        CHECK_INT(rows[i].name, aggregate_payload(open, rows[i].data), rows[i].plain);
        packed(false);
        begin();
        CHECK_INT(rows[i].name, aggregate_payload(open, rows[i].data), rows[i].packed);
    }
}

/* It goes to the dead letter as it is where it does not fit, and is no member then. */
static void
packed_dead(void **state)
{
    (void)state;
    packed(true);
    settings.oversize = OVERSIZE_DROP;
    settings.dead_letter = DEAD_LETTER_STDERR;
    begin();
    assert_int_equal(put_text(noise(1200000)), 0);
    assert_int_equal(ledger->dropped[DROP_OVERSIZE], 1);
    assert_int_equal(put_text(noise(1110000)), 0);
    assert_int_equal(queue->count[QUEUE_DEAD], 1);
    intake->last = true;
    assert_int_equal(put(100), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(queue->count[QUEUE_DEAD], 2);
    intake->over = true;
    assert_int_equal(put(100), 0);
    assert_int_equal(ledger->dropped[DROP_SHUTDOWN], 1);
}

/* Records that are refused for their size are not made smaller. */
static void
packed_resized(void **state)
{
    (void)state;
    packed(false);
    begin();
    assert_int_equal(put_text(noise(5000)), 0);
    assert_int_equal(take(), 1);
    assert_int_equal(intake_resize(intake, 0, 3000), ERR_BIG);
}

/* A member that has no room is not begun anew, and is sent once there is. */
static void
packed_no_room(void **state)
{
    (void)state;
    for (unsigned with_lines = 0; with_lines < 2; with_lines++) {
        uint64_t received;

        packed(with_lines);
        settings.queue_max_bytes = 8192;
        settings.aggregation_max_bytes = 2000;
        begin();
        while (put_text(noise(1500)) == 0)
            ;
        received = ledger->received;
        assert_int_equal(put_text(noise(1500)), ERR_FULL);
        assert_int_equal(put_text(noise(15)), ERR_FULL);
        assert_int_equal(ledger->received, received);
        assert_int_equal(open->events, 1);
        assert_true(open->sealed);
        assert_int_equal(queue->events, received - 1);
        assert_int_equal(take(), received - 1);
        ledger->delivered += queue_end(queue, QUEUE_STREAM, 0);
        ledger->delivered += queue_end(queue, QUEUE_STREAM, 1);
        assert_int_equal(put_text(noise(15)), 0);
        assert_false(open->sealed);
        assert_int_equal(open->events, with_lines);
        assert_int_equal(take() + with_lines, received - 1);
        assert_int_equal(unpacked(taken((uint32_t)received - 3)).len, 1502 + with_lines);
    }
}

/* --- messages ----------------------------------------------------------------------------------- */

#define OWNER SPAN("123456789012")
#define STREAM SPAN("2026/11/20/[1]ab")
#define T "2026-11-20T12:00:00.123Z"
#define T_MS UINT64_C(1795176000123)
#define TIMED(time, type, record)                                                                  \
    "{\"time\":\"" time "\",\"type\":\"" type "\",\"record\":" record "}"
#define LOGGED(text) TIMED(T, "function", text)
#define MADE_STREAM "2026/11/20/[7]01020300000000000000000000000000"

static void
messages(void)
{
    settings = (struct settings){USUAL,
                                 .compression = COMPRESSION_GZIP,
                                 .format = EVENT_CLOUDWATCH,
                                 .key = KEY_SANDBOX,
                                 .function_name = SPAN("f"),
                                 .function_version = SPAN("7")};
    begin();
    delivery_account(&delivery, OWNER);
    delivery_log_stream(&delivery, STREAM);
}

static struct out
message_begun(char *room, size_t cap, struct span stream)
{
    struct out o = out_to(room, cap);

    out_put(&o, SPAN("{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":"
                     "\"/aws/lambda/f\",\"logStream\":\""));
    out_put(&o, stream);
    out_put(&o, SPAN("\",\"subscriptionFilters\":[\"kinesis-telemetry-api-extension\"],"
                     "\"logEvents\":["));
    return o;
}

/* A log event of this time, in a message of that one. */
static void
message_event(struct out *o, uint64_t first_ms, uint64_t ms, uint64_t number, const char *text)
{
    static const uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN] = {1, 2, 3};
    char id[SUBSCRIPTION_ID_LEN];

    subscription_id(id, first_ms, sandbox, number);
    if (o->p[o->len - 1] == '}')
        out_byte(o, ',');
    out_put(o, SPAN("{\"id\":\""));
    out_put(o, (struct span){id, sizeof id});
    out_put(o, SPAN("\",\"timestamp\":"));
    out_number(o, ms);
    out_put(o, SPAN(",\"message\":\""));
    out_put(o, span_of(text));
    out_put(o, SPAN("\"}"));
}

static struct span
message_ended(struct out *o)
{
    out_put(o, SPAN("]}"));
    return out_span(o);
}

/* One of several events, whose ids count from that of the first; a report is two. */
static void
message(void **state)
{
    char room[4096];
    struct out o = message_begun(room, sizeof room, STREAM);

    (void)state;
    messages();
    settings.aggregation_max_bytes = open->max = 4096;
    assert_int_equal(put_text(SPAN(LOGGED("\"a\\n\""))), 0);
    assert_int_equal(put_text(SPAN(TIMED("2026-11-20T12:00:00.120Z", "extension", "\"b\""))), 0);
    assert_int_equal(put_text(SPAN(TIMED(T, "platform.report", "{\"requestId\":\"r\"}"))), 0);
    intake->origin.json = true;
    assert_int_equal(put_text(SPAN(LOGGED("{ \"c\": 1 }"))), 0);
    assert_int_equal(put_text(SPAN(TIMED(T, "platform.report", "{}"))), 0);
    assert_int_equal(open->events, 5);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 1);
    assert_int_equal(taken(0).origin.events, 5);
    message_event(&o, T_MS, T_MS, 0, "a\\n");
    message_event(&o, T_MS, T_MS - 3, 2, "b\\n");
    message_event(&o, T_MS, T_MS, 4, "END RequestId: r\\n");
    message_event(&o, T_MS, T_MS, 5, "REPORT RequestId: r\\tDuration:  ms\\t\\n");
    message_event(&o, T_MS, T_MS, 6, "{\\\"c\\\":1}");
    message_event(&o, T_MS, T_MS, 8,
                  "{\\\"time\\\":\\\"" T
                  "\\\",\\\"type\\\":\\\"platform.report\\\",\\\"record\\\":{}}");
    CHECK_SPAN("message", unpacked(taken(0)), message_ended(&o));
    assert_int_equal(aggregate_payload(open, taken(0).data), unpacked(taken(0)).len);
}

/* The next one counts on, with the time of its own first event; one that does not say when it was, is of now. */
static void
next_message(void **state)
{
    char room[4096];
    struct out o = message_begun(room, sizeof room, STREAM);

    (void)state;
    messages();
    assert_int_equal(put_text(SPAN(LOGGED("\"a\""))), 0);
    assert_int_equal(intake_close(intake), 0);
    intake_lost(intake, DROP_CUT);
    assert_int_equal(put_text(SPAN(FUNCTION("\"b\""))), 0);
    assert_int_equal(put_text(SPAN(LOGGED("\"c\""))), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 2);
    message_event(&o, T_MS, T_MS, 0, "a\\n");
    CHECK_SPAN("the first", unpacked(taken(0)), message_ended(&o));
    o = message_begun(room, sizeof room, STREAM);
    message_event(&o, 1000, 1000, 4, "b\\n");
    message_event(&o, 1000, T_MS, 6, "c\\n");
    CHECK_SPAN("the second", unpacked(taken(1)), message_ended(&o));
}

/* No more than the limit, all of it, unless it is one event; whatever is not taken leaves no gap. */
static void
full_messages(void **state)
{
    size_t before = 0;

    (void)state;
    messages();
    for (unsigned i = 0; i < 20; i++) {
        char event[128];

        snprintf(event, sizeof event, LOGGED("\"line %u\""), i);
        assert_int_equal(put_text(span_of(event)), 0);
    }
    assert_int_equal(put_text(line_of(1200, 'x')), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_true(take() > 3);
    for (uint32_t i = 0; i < batch_len(); i++) {
        struct span text = unpacked(taken(i));
        char id[SUBSCRIPTION_ID_LEN];

        assert_true(text.len <= 1024 || taken(i).origin.events == 1);
        assert_int_equal(taken(i).origin.sequence, before);
        before += taken(i).origin.events;
        for (unsigned k = 0; k < taken(i).origin.events; k++) {
            subscription_id(id, i + 1 < batch_len() ? T_MS : 1000, intake->messages.sandbox,
                            2 * (taken(i).origin.sequence + k));
            assert_non_null(span_find(text, (struct span){id, sizeof id}));
        }
    }
    assert_int_equal(before, 21);
}

/* No byte more than the limit, and not many less, whatever the length of the lines. */
static void
limited_messages(void **state)
{
    size_t most = 0;

    (void)state;
    for (int width = 1; width < 150; width++) {
        messages();
        for (unsigned i = 0; i < 20; i++) {
            char event[256];
            int len = snprintf(event, sizeof event, LOGGED("\"%*u\""), width + (int)(i % 2), i);

            assert_true(len < (int)sizeof event);
            assert_int_equal(put_text(span_of(event)), 0);
        }
        assert_true(take() > 1);
        for (uint32_t i = 0; i < batch_len(); i++) {
            size_t len = unpacked(taken(i)).len;

            assert_true(len <= 1024);
            most = len > most ? len : most;
        }
    }
    assert_true(most > 1020);
}

/* As long as the account is not known there are lines of events; what is open then gets nothing else. */
static void
no_account(void **state)
{
    char room[4096];
    struct out o = message_begun(room, sizeof room, SPAN(MADE_STREAM));

    (void)state;
    messages();
    begin();
    assert_int_equal(put_text(SPAN(LOGGED("\"a\""))), 0);
    assert_int_equal(put_text(SPAN(LOGGED("{\"b\":\n1}"))), 0);
    delivery_account(&delivery, OWNER);
    assert_int_equal(put_text(SPAN(LOGGED("\"c\""))), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 2);
    CHECK_SPAN("events", unpacked(taken(0)), SPAN(LOGGED("\"a\"") "\n" LOGGED("{\"b\": 1}") "\n"));
    message_event(&o, T_MS, T_MS, 4, "c\\n");
    CHECK_SPAN("message", unpacked(taken(1)), message_ended(&o));
}

/* A message is of one stream. A restored sandbox has one of its own, and ids, though its numbers go on. */
static void
streams(void **state)
{
    static const struct intake_seed seed = {.sandbox = {1, 2, 3}};
    char long_name[SUBSCRIPTION_STREAM_MAX + 1];
    char room[4096];
    struct out o;

    (void)state;
    messages();
    assert_int_equal(put_text(SPAN(LOGGED("\"a\""))), 0);
    assert_int_equal(open->events, 1);
    delivery_log_stream(&delivery, SPAN("other"));
    assert_int_equal(put_text(SPAN(LOGGED("\"b\""))), 0);
    delivery_restored(&delivery, &seed);
    memset(long_name, 'x', sizeof long_name);
    delivery_log_stream(&delivery, (struct span){long_name, sizeof long_name});
    assert_int_equal(put_text(SPAN(LOGGED("\"c\""))), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 3);
    o = message_begun(room, sizeof room, STREAM);
    message_event(&o, T_MS, T_MS, 0, "a\\n");
    CHECK_SPAN("told", unpacked(taken(0)), message_ended(&o));
    o = message_begun(room, sizeof room, SPAN("other"));
    message_event(&o, T_MS, T_MS, 2, "b\\n");
    CHECK_SPAN("told again", unpacked(taken(1)), message_ended(&o));
    o = message_begun(room, sizeof room, SPAN(MADE_STREAM));
    message_event(&o, T_MS, T_MS, 4, "c\\n");
    CHECK_SPAN("restored", unpacked(taken(2)), message_ended(&o));
}

static void
log_group(void **state)
{
    (void)state;
    messages();
    settings.log_group = SPAN("my/group");
    assert_int_equal(put_text(SPAN(LOGGED("\"a\""))), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 1);
    assert_non_null(span_find(unpacked(taken(0)), SPAN(",\"logGroup\":\"my/group\",")));
}

/* An event of random letters, which compress to three quarters. */
static struct span
event_of(size_t len, bool object)
{
    static char text[EVENT_MAX_BYTES];
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    struct out o = out_to(text, sizeof text);
    uint32_t dice = 1;

    out_put(&o, object ? SPAN("{\"time\":\"" T "\",\"type\":\"function\",\"record\":[")
                       : SPAN("{\"time\":\"" T "\",\"type\":\"function\",\"record\":\""));
    while (o.len < len - 5) {
        dice = dice * 1664525 + 1013904223;
        out_put(&o, object ? SPAN("\"\",") : (struct span){digits + (dice >> 26), 1});
    }
    out_put(&o, object ? SPAN("\"\"]}") : SPAN("\"}"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

/* One that is twice as long in a string passes where it fits compressed. */
static void
long_object(void **state)
{
    (void)state;
    messages();
    begin();
    settings.queue_max_bytes = 4 << 20;
    begin();
    delivery_account(&delivery, OWNER);
    assert_int_equal(put_text(event_of(EVENT_MAX_BYTES - 8, true)), 0);
    assert_int_equal(intake_close(intake), 0);
    assert_int_equal(take(), 1);
    assert_int_equal(ledger->truncated + ledger->dropped[DROP_OVERSIZE], 0);
    assert_true(taken(0).data.len < 100000);
}

/* One that fits in no way loses the end of its line, is dropped, or goes to the dead letter, as a message that is whole. */
static void
too_large(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct span text;
        char room[4096];
        struct out o = message_begun(room, sizeof room, STREAM);

        messages();
        settings.queue_max_bytes = 131072;
        settings.oversize = i == 0 ? OVERSIZE_TRUNCATE : OVERSIZE_DROP;
        settings.dead_letter = i == 2 ? DEAD_LETTER_STDERR : DEAD_LETTER_NONE;
        begin();
        delivery_account(&delivery, OWNER);
        delivery_log_stream(&delivery, STREAM);
        assert_int_equal(put_text(SPAN(LOGGED("\"a\""))), 0);
        assert_int_equal(put_text(event_of(100000, false)), 0);
        assert_int_equal(put_text(SPAN(LOGGED("\"b\""))), 0);
        assert_int_equal(intake_close(intake), 0);
        message_event(&o, T_MS, T_MS, 4, "b\\n");
        if (i == 2)
            assert_int_equal(queue->count[QUEUE_DEAD], 1);
        assert_int_equal(take(), i == 0 ? 3 : 2);
        CHECK_SPAN("behind it", unpacked(taken(batch_len() - 1)), message_ended(&o));
        if (i == 1)
            assert_int_equal(ledger->dropped[DROP_OVERSIZE], 1);
        if (i > 0)
            continue;
        text = unpacked(taken(1));
        assert_int_equal(ledger->truncated, 1);
        assert_true(text.len > 60000 && text.len < 65536);
        assert_non_null(span_find(text, SPAN("...[truncated ")));
        assert_memory_equal(text.p + text.len - 9, " bytes]\"}]}" + 2, 9);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled),
        cmocka_unit_test(written),
        cmocka_unit_test(counted),
        cmocka_unit_test(none),
        cmocka_unit_test(keys),
        cmocka_unit_test(random_keys),
        cmocka_unit_test(no_room),
        cmocka_unit_test(oldest),
        cmocka_unit_test(twice_no_room),
        cmocka_unit_test(oversize),
        cmocka_unit_test(just_fits),
        cmocka_unit_test(resized),
        cmocka_unit_test(halved),
        cmocka_unit_test(halved_later),
        cmocka_unit_test(gap),
        cmocka_unit_test(limited),
        cmocka_unit_test(buried),
        cmocka_unit_test(small_queue),
        cmocka_unit_test(members),
        cmocka_unit_test(packed_lines),
        cmocka_unit_test(packed_large),
        cmocka_unit_test(packed_oversize),
        cmocka_unit_test(packed_queues),
        cmocka_unit_test(packed_dead),
        cmocka_unit_test(packed_resized),
        cmocka_unit_test(packed_no_room),
        cmocka_unit_test(message),
        cmocka_unit_test(next_message),
        cmocka_unit_test(full_messages),
        cmocka_unit_test(limited_messages),
        cmocka_unit_test(no_account),
        cmocka_unit_test(streams),
        cmocka_unit_test(log_group),
        cmocka_unit_test(long_object),
        cmocka_unit_test(too_large),
        cmocka_unit_test(placed),
        cmocka_unit_test(packed_near),
        cmocka_unit_test(packed_again),
        cmocka_unit_test(payload),
    };

    return RUN(argc, argv, tests);
}
