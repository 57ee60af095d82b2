#include "protocol/pace.h"

#include "delivery_driver.h"

/* --- the arithmetic ---------------------------------------------------------------------------- */

/* A reply to `sent` records at this moment, of which some were throttled. */
static void
reply(struct pace *p, uint64_t at_ms, uint32_t sent, uint32_t accepted, bool full)
{
    struct pace_reply r = {
        .sent = sent,
        .accepted = accepted,
        .throttled = sent - accepted,
        .full = full,
        .most = 500,
        .left_ms = 2000,
        .dice = UINT32_MAX / 2,
    };

    (void)pace_replied(p, at_ms, &r);
}

static void
nothing_throttled(void **state)
{
    struct pace p = {0};

    (void)state;
    for (uint64_t at = 100000; at < 101000; at += 10) {
        reply(&p, at, 500, 500, true);
        assert_int_equal(pace_records(&p, at, 500), 500);
        assert_true(p.next_ms == 0);
    }
}

/* What a second gave before the first throttle is the first guess. */
static void
first_guess(void **state)
{
    struct pace p = {0};

    (void)state;
    reply(&p, 100000, 500, 500, true);
    reply(&p, 100020, 500, 500, true);
    reply(&p, 100040, 500, 40, true);
    assert_int_equal(p.per_second, 1040);
    assert_in_range(p.next_ms, 100040 + 38, 100040 + 64);
    /* half as many again as 50 ms give */
    assert_int_equal(pace_records(&p, 100090, 500), 78);
    assert_int_equal(pace_records(&p, 100090, 60), 60);
    /* no more than a second's worth, however long nothing was sent */
    assert_int_equal(pace_records(&p, 190000, 5000), 1560);
}

/* The rate follows what is accepted between two replies that throttle, and rises while none does. */
static void
follows(void **state)
{
    struct pace p = {.per_second = 1000, .empty_ms = 100000};

    (void)state;
    reply(&p, 100100, 150, 40, true);
    assert_int_equal(p.per_second, 700);
    reply(&p, 100150, 80, 80, true);
    assert_int_equal(p.per_second, 1051);
    reply(&p, 100200, 120, 100, true);
    assert_int_equal(p.per_second, 1426);
    /* no faster than to the double at once: two replies may have met at the same moment */
    reply(&p, 100200, 120, 100, true);
    assert_int_equal(p.per_second, 2852);
}

static void
ends(void **state)
{
    struct pace p = {.per_second = 1000, .empty_ms = 100000};

    (void)state;
    /* all that there was: the next ones do not wait, but their number is kept low */
    reply(&p, 100050, 20, 20, false);
    assert_true(p.next_ms == 0);
    assert_int_equal(pace_records(&p, 100100, 500), 130);
    /* a whole batch is accepted */
    reply(&p, 100100, 500, 500, true);
    assert_int_equal(p.per_second, 0);
    assert_int_equal(pace_records(&p, 100100, 500), 500);
    /* or the bucket is full by now */
    p = (struct pace){.per_second = 100, .empty_ms = 100000};
    reply(&p, 101000, 20, 20, false);
    assert_int_equal(p.per_second, 0);
}

/* A stream that takes one record a second, and one that takes none at all. */
static void
slow(void **state)
{
    struct pace p = {.per_second = 1, .empty_ms = 100000};

    (void)state;
    reply(&p, 101000, 2, 1, true);
    assert_int_equal(p.per_second, 1);
    assert_in_range(p.next_ms, 101000 + 751, 101000 + 1251);
    assert_int_equal(pace_records(&p, 102000, 500), 1);
    p = (struct pace){0};
    for (uint64_t at = 100000; at < 110000; at += 100)
        reply(&p, at, 10, 0, true);
    assert_int_equal(p.per_second, 1);
    assert_int_equal(pace_records(&p, 110000, 500), 1);
}

/* It is not the stream that throttles a few of many, or one by itself, or some while others go. */
static void
few(void **state)
{
    static const struct {
        const char *name;
        uint32_t per_second, accepted_before, sent, accepted;
        bool about_stream;
    } rows[] = {
        {"one of one", 0, 0, 1, 0, false},
        {"two of two", 0, 0, 2, 0, true},
        {"two of five", 0, 0, 5, 3, false},
        {"three of five", 0, 0, 5, 2, true},
        {"ten of 80", 0, 0, 80, 70, true},
        {"ten of 81", 0, 0, 81, 71, false},
        {"63 of 500", 0, 0, 500, 437, true},
        {"62 of 500", 0, 0, 500, 438, false},
        {"a few, at a pace", 100, 50, 100, 88, false},
        {"some, at a pace", 100, 50, 100, 87, true},
        {"all, and nothing since", 100, 0, 10, 0, true},
        {"all, and others were accepted", 100, 1, 10, 0, false},
        {"all, and others were accepted, at one a second", 1, 1, 10, 0, false},
        {"all but one", 100, 50, 10, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct pace p = {.per_second = rows[i].per_second,
                         .accepted = rows[i].accepted_before,
                         .empty_ms = 99900};
        struct pace_reply r = {.sent = rows[i].sent,
                               .accepted = rows[i].accepted,
                               .throttled = rows[i].sent - rows[i].accepted,
                               .most = 500,
                               .left_ms = UINT32_MAX};

        /* at a pace all of them go on at it */
        CHECK_INT(rows[i].name, pace_replied(&p, 100000, &r),
                  rows[i].about_stream || rows[i].per_second > 0);
        CHECK_INT(rows[i].name, p.empty_ms == 100000, rows[i].about_stream);
    }
}

static void
hurry(void **state)
{
    struct pace p = {.per_second = 1, .next_ms = 100900};

    (void)state;
    pace_hurry(&p, 100000, 2000);
    assert_true(p.next_ms == 100050);
    pace_hurry(&p, 100010, 2000);
    assert_true(p.next_ms == 100050);
    /* there is time for a call before the end */
    pace_hurry(&p, 100010, 40);
    assert_true(p.next_ms == 100030);
    p.next_ms = 100900;
    pace_hurry(&p, 100000, 120);
    assert_true(p.next_ms == 100050);
    pace_hurry(&p, 100000, 60);
    assert_true(p.next_ms == 100030);
}

/* The wait after one of many was throttled: least and greatest, as the dice say. */
static void
waits(void **state)
{
    static const struct {
        const char *name;
        uint32_t per_second, left_ms, hint_ms, least_ms, most_ms;
    } rows[] = {
        {"someone waits", 1000, 2000, 0, 37, 61},
        {"nobody does", 1000, UINT32_MAX, 0, 150, 249},
        {"until there are ten", 10, 20000, 0, 499, 831},
        {"a second at most", 1, 20000, 0, 750, 1249},
        {"until there is a batch", 10000, 20000, 0, 24, 39},
        {"as the service asks", 1000, 20000, 700, 525, 874},
        {"it asks for less", 1000, 20000, 49, 37, 61},
        {"it asks for more than is believed", 1000, 20000, 9000, 3750, 6249},
        {"half of what is left", 1000, 60, 0, 22, 36},
        {"until there is one", 10, 60, 0, 49, 81},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (unsigned most = 0; most < 2; most++) {
            struct pace p = {.per_second = rows[i].per_second, .empty_ms = 99900};
            struct pace_reply r = {
                .sent = 100,
                .accepted = 99,
                .throttled = 1,
                .most = 500,
                .left_ms = rows[i].left_ms,
                .hint_ms = rows[i].hint_ms,
                .dice = most ? UINT32_MAX : 0,
            };

            CHECK_INT(rows[i].name, pace_replied(&p, 100000, &r), true);
            CHECK_INT(rows[i].name, p.next_ms - 100001, most ? rows[i].most_ms : rows[i].least_ms);
        }
}

/* What a reply that throttles half of its records says of the rate. */
static void
measures(void **state)
{
    static const struct {
        const char *name;
        uint32_t per_second, recent, accepted;
        uint64_t ms;
        uint32_t want;
    } rows[] = {
        {"nothing known, one accepted before", 0, 1, 0, 100, 1},
        {"nothing known, none accepted", 0, 0, 0, 100, 25},
        {"in a second", 10000, 0, 10000, 1000, 10000},
        {"in a millisecond", 1000, 0, 3, 1, 2000},
        {"in less than that", 1000, 0, 3, 0, 2000},
        {"just less than four times as much", 1000, 0, 399, 100, 2495},
        {"four times as much", 1000, 0, 4, 1, 2000},
        {"more than that", 1000, 0, 9, 2, 2000},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint32_t accepted = rows[i].accepted;
        struct pace p = {.per_second = rows[i].per_second,
                         .recent = rows[i].recent,
                         .recent_ms = 100000,
                         .empty_ms = 100000 - rows[i].ms};
        struct pace_reply r = {.sent = 2 * accepted + 20,
                               .accepted = accepted,
                               .throttled = accepted + 20,
                               .most = 500,
                               .left_ms = 2000};

        CHECK_INT(rows[i].name, pace_replied(&p, 100000, &r), true);
        CHECK_INT(rows[i].name, p.per_second, rows[i].want);
    }
}

/* What was accepted in about the last second: of a hundred before, and of ten now. */
static void
recently(void **state)
{
    static const struct {
        uint64_t at_ms;
        uint32_t want;
    } rows[] = {{100999, 110}, {101000, 60}, {101999, 60}, {102000, 10}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct pace p = {.recent = 100, .recent_ms = 100000};

        reply(&p, rows[i].at_ms, 10, 10, true);
        CHECK_INT("recent", p.recent, rows[i].want);
    }
}

/* What a reply that throttles nothing changes; what a call takes is time in which records are due, too. */
static void
throttles_none(void **state)
{
    struct pace p = {.next_ms = 99000};
    struct pace_reply none = {
        .sent = 10, .throttled = 10, .full = true, .most = 500, .took_ms = 40};

    (void)state;
    /* no pace, and none begins */
    reply(&p, 100000, 100, 100, true);
    assert_int_equal(p.per_second, 0);
    assert_true(p.next_ms == 0);
    p = (struct pace){.per_second = 1, .empty_ms = 99900};
    reply(&p, 100000, 1, 1, true);
    assert_int_equal(p.per_second, 2);
    /* nothing was accepted: no higher rate shows */
    p = (struct pace){.per_second = 100, .accepted = 1, .empty_ms = 99900};
    assert_true(pace_replied(&p, 100000, &none));
    assert_int_equal(p.per_second, 100);
    /* 160 ms since then, at half as many again, less the one */
    assert_int_equal(pace_records(&p, 100020, 500), 23);
}

/* --- a stream of shards -------------------------------------------------------------------------- */

/* Source: Kinesis quotas: 1,000 records and 1 MB a second for each shard; a second's worth at once. */
static struct shard {
    double records, bytes;
} shards[4];

static uint32_t sent, accepted;

static void
fill(size_t n, double seconds)
{
    for (size_t i = 0; i < n; i++) {
        shards[i].records += 1000 * seconds;
        shards[i].bytes += 1000000 * seconds;
        shards[i].records = shards[i].records > 1000 ? 1000 : shards[i].records;
        shards[i].bytes = shards[i].bytes > 1000000 ? 1000000 : shards[i].bytes;
    }
}

/* Which shard a key is for: any spread will do. */
static struct shard *
shard_of(struct span key, size_t n)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < key.len; i++)
        hash = hash * 31 + (unsigned char)key.p[i];
    return &shards[hash * 2654435761u >> 16 & (n - 1)];
}

/* The call that was ordered, answered after so many milliseconds. */
static void
answer(size_t n, uint64_t latency_ms)
{
    uint32_t len = queue_batch_len(&delivery.queue, QUEUE_STREAM);
    struct delivery_reply r = {.status = 200, .records = true, .form = WIRE_CBOR, .requests = 1};

    pass(latency_ms);
    fill(n, (double)latency_ms / 1000);
    sent += len;
    for (uint32_t i = 0; i < len; i++) {
        struct queue_record record = queue_at(&delivery.queue, QUEUE_STREAM, i);
        struct shard *s = shard_of(record.partition_key, n);
        double bytes = (double)(record.data.len + record.partition_key.len);
        bool takes = s->records >= 1 && s->bytes >= bytes;

        s->records -= takes;
        s->bytes -= takes ? bytes : 0;
        accepted += takes;
        delivery_record(&delivery, i,
                        takes ? SPAN("") : SPAN("ProvisionedThroughputExceededException"));
    }
    (void)delivery_replied(&delivery, now, &r);
}

/* Until that moment, at which nobody asks any more. */
static void
live_until(uint64_t end_ms, size_t n, uint64_t latency_ms)
{
    while (now.ms < end_ms) {
        enum delivery_act act = delivery_next(&delivery, now, &order);

        if (act == DELIVERY_CREDENTIALS) {
            delivery_credentials(&delivery, now, DELIVERY_READY);
        } else if (act == DELIVERY_SEND) {
            answer(n, latency_ms);
        } else if (act == DELIVERY_WAIT) {
            uint64_t at = order.at_ms < end_ms ? order.at_ms : end_ms;

            assert_true(order.at_ms > now.ms);
            fill(n, (double)(at - now.ms) / 1000);
            pass(at - now.ms);
        }
    }
}

static const struct {
    const char *name;
    size_t shards;
    uint64_t latency_ms;
    uint32_t events, bytes;
    uint32_t hold_ms, shutdown_ms, alone_ms; /* one after the other */
} streams[] = {
    {"one shard, SHUTDOWN", 1, 0, 5000, 200, 0, 2000, 0},
    {"one shard, SHUTDOWN, 20 ms", 1, 20, 5000, 200, 0, 2000, 0},
    {"four shards, SHUTDOWN", 4, 0, 15000, 200, 0, 2000, 0},
    {"four shards, SHUTDOWN, 20 ms", 4, 20, 15000, 200, 0, 2000, 0},
    {"one shard, hold", 1, 0, 5000, 200, 500, 0, 0},
    {"one shard, hold, 20 ms", 1, 20, 5000, 200, 500, 0, 0},
    {"four shards, hold", 4, 0, 15000, 200, 500, 0, 0},
    {"four shards, hold, 20 ms", 4, 20, 15000, 200, 500, 0, 0},
    {"one shard, hold and SHUTDOWN", 1, 20, 5000, 200, 500, 1900, 0},
    {"one shard, 1 ms", 1, 1, 5000, 200, 500, 1900, 0},
    {"one shard, nobody waits", 1, 5, 8000, 200, 0, 0, 6000},
    {"four shards, nobody waits", 4, 5, 15000, 200, 0, 0, 2500},
    {"by bytes", 1, 5, 1000, 10000, 0, 2000, 0},
    {"by bytes, four shards", 4, 5, 1400, 10000, 0, 2000, 0},
    {"large records", 1, 5, 60, 200000, 0, 2000, 0},
    {"slow service", 1, 200, 5000, 200, 0, 2000, 0},
};

/* What arrives is what the shards have, and not many times as much is sent for it. */
static void
of_shards(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(streams); i++) {
        const char *name = streams[i].name;
        size_t n = streams[i].shards;
        double capacity = streams[i].bytes < 1000 ? 1000 : 1000000 / (double)(streams[i].bytes + 8);
        uint64_t total = streams[i].hold_ms + streams[i].shutdown_ms + streams[i].alone_ms;
        double most;

        settings = (struct settings){
            .key = KEY_RANDOM, .format = EVENT_VERBATIM, .queue_max_bytes = 16 << 20};
        begin();
        memset(shards, 0, sizeof shards);
        fill(n, 1);
        sent = accepted = 0;
        for (uint32_t e = 0; e < streams[i].events; e++)
            assert_int_equal(offer(streams[i].bytes), 0);
        delivery_flush(&delivery);
        if (streams[i].hold_ms > 0) {
            delivery_await(&delivery, now, now.ms + streams[i].hold_ms);
            live_until(now.ms + streams[i].hold_ms, n, streams[i].latency_ms);
            delivery_await(&delivery, now, 0);
        }
        if (streams[i].shutdown_ms > 0) {
            delivery_last_chance(&delivery, now, now.ms + streams[i].shutdown_ms);
            live_until(now.ms + streams[i].shutdown_ms, n, streams[i].latency_ms);
        }
        if (streams[i].alone_ms > 0)
            live_until(now.ms + streams[i].alone_ms, n, streams[i].latency_ms);
        most = (double)n * capacity * (1 + (double)total / 1000);
        most = most < streams[i].events ? most : streams[i].events;
        if (getenv("PACE") != NULL)
            fprintf(stderr, "%s: %u sent, %u accepted of %.0f: %.2f, %.2f\n", name, sent, accepted,
                    most, (double)sent / accepted, accepted / most);
        CHECK(name, sent <= 2.5 * accepted);
        CHECK(name, accepted >= 0.9 * most);
    }
}

/*
 * Records of one shard are throttled for ever, by which the others have to pass: as many as fill the
 * queue many times.
 */
static void
pass_by(void **state)
{
    static const uint32_t hot[] = {1, 2, 12, 200};

    (void)state;
    for (size_t i = 0; i < LEN(hot); i++) {
        uint32_t passed = 0;
        char name[32];

        snprintf(name, sizeof name, "%u", hot[i]);
        settings = (struct settings){
            .key = KEY_RANDOM, .format = EVENT_VERBATIM, .queue_max_bytes = 128 << 10};
        begin();
        for (uint32_t e = 0; e < hot[i]; e++)
            assert_int_equal(offer(101), 0);
        for (uint64_t end = now.ms + 60000; now.ms < end && passed < 20000;) {
            enum delivery_act act;

            for (uint32_t e = 0; e < 50 && offer(100) == 0; e++)
                ;
            act = delivery_next(&delivery, now, &order);
            if (act == DELIVERY_CREDENTIALS) {
                delivery_credentials(&delivery, now, DELIVERY_READY);
            } else if (act == DELIVERY_SEND) {
                struct delivery_reply r = {.status = 200, .records = true, .requests = 1};

                pass(5);
                for (uint32_t n = 0; n < delivery.call.len; n++) {
                    bool is_hot = queue_at(&delivery.queue, QUEUE_STREAM, n).data.len == 101;

                    passed += !is_hot;
                    delivery_record(&delivery, n,
                                    is_hot ? SPAN("ProvisionedThroughputExceededException")
                                           : SPAN(""));
                }
                (void)delivery_replied(&delivery, now, &r);
            } else {
                pass(1);
            }
        }
        if (getenv("PACE") != NULL)
            fprintf(stderr, "%u hot: %u passed in %u ms\n", hot[i], passed,
                    (unsigned)(now.ms - 100000));
        CHECK(name, passed >= 20000);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_throttled),
        cmocka_unit_test(first_guess),
        cmocka_unit_test(follows),
        cmocka_unit_test(ends),
        cmocka_unit_test(slow),
        cmocka_unit_test(hurry),
        cmocka_unit_test(waits),
        cmocka_unit_test(measures),
        cmocka_unit_test(recently),
        cmocka_unit_test(throttles_none),
        cmocka_unit_test(of_shards),
        cmocka_unit_test(few),
        cmocka_unit_test(pass_by),
    };

    return RUN(argc, argv, tests);
}
