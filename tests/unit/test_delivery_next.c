#include "delivery_calls.h"
#include "protocol/put_records.h"

/* When which call is due, and what it takes: what the scripts of test_delivery.c do not tell. */

/* Whether it is pointless to wait for an event that has come just now. */
static void
pointless(void **state)
{
    (void)state;
    anew(0);
    assert_false(delivery_pointless_until(&delivery, now, 0, true));
    anew(1);
    assert_false(delivery_pointless_until(&delivery, now, 0, false));
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 1, true));
    assert_true(delivery_pointless_until(&delivery, now, now.ms, true));
    delivery_flush(&delivery);
    (void)sent();
    assert_false(delivery_pointless_until(&delivery, now, 0, true));
    anew(1);
    delivery.backoff.calls_at_ms = now.ms + 100;
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 101, true));
    assert_true(delivery_pointless_until(&delivery, now, now.ms + 100, true));
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 100, false));
    anew(0);
    delivery.breaker.intervals = 1;
    assert_true(delivery_pointless_until(&delivery, now, UINT64_MAX, false));
    delivery.urgency.last_chance = true;
    assert_false(delivery_pointless_until(&delivery, now, UINT64_MAX, false));
}

/* The breaker's probe is as far away as it may be, by a wall clock that was set back; further is not believed. */
static void
far_probe(void **state)
{
    (void)state;
    for (unsigned further = 0; further < 2; further++) {
        anew(1);
        delivery.breaker.intervals = delivery.breaker.failures = 1;
        delivery.breaker.probe_at_ms = now.wall_ms + 30000 + further;
        delivery_flush(&delivery);
        delivery.pending.connect = false;
        assert_int_equal(delivery_next(&delivery, now, &order),
                         further ? DELIVERY_CREDENTIALS : DELIVERY_WAIT);
        assert_int_equal(order.at_ms, further ? 0 : now.ms + 30000);
    }
}

/* While the stream throttles, fresh records and those that failed take turns. */
static void
turns(void **state)
{
    (void)state;
    for (uint32_t per_second = 0; per_second < 2; per_second++) {
        struct delivery_reply r = {.status = 200, .records = true, .requests = 1};

        anew(1);
        delivery_flush(&delivery);
        assert_int_equal(sent(), 1);
        delivery_record(&delivery, 0, SPAN("InternalFailure"));
        (void)delivery_replied(&delivery, now, &r);
        delivery.call.what = QUEUE_TAKE_FAILED;
        delivery.pace.per_second = per_second;
        assert_int_equal(offer(100), 0);
        delivery_flush(&delivery);
        pass(20000);
        delivery.backoff.failed_at_ms = 0;
        (void)sent();
        assert_int_equal(delivery.call.what, per_second ? QUEUE_TAKE_FRESH : QUEUE_TAKE_FAILED);
    }
}

static size_t
no_size(void *context, const struct queue_record *record)
{
    (void)context;
    (void)record;
    return 0;
}

/* All records that there are become what is said. */
static void
become(uint32_t records, enum queue_state state)
{
    struct queue_limits limits = {records, UINT64_MAX, no_size, NULL};

    if (state == QUEUE_FRESH)
        return;
    assert_int_equal(queue_take(&delivery.queue, QUEUE_STREAM, &limits, QUEUE_TAKE_FRESH), records);
    queue_return(&delivery.queue, QUEUE_STREAM, state);
    delivery.suspect.halved = true;
}

/* What a request takes: as many bytes as records, by how they are written. */
static void
request_sizes(void **state)
{
    static const struct {
        const char *name;
        uint32_t batch_max;
        bool last_chance, rests;
        uint32_t bytes;
        enum queue_state state;
    } rows[] = {
        {"suspects", 26, false, false, 5 * 1024 * 1024 - 4096, QUEUE_SUSPECT},
        {"failed", 100, false, false, (5 * 1024 * 1024 - 4096) / 5, QUEUE_FAILED},
        {"whole", 500, false, false, 5 * 1024 * 1024 - 4096, QUEUE_FRESH},
        {"fifth", 100, false, false, (5 * 1024 * 1024 - 4096) / 5, QUEUE_FRESH},
        {"last chance", 500, true, false, 1048576, QUEUE_FRESH},
        {"last chance, small", 50, true, false, (5 * 1024 * 1024 - 4096) / 10, QUEUE_FRESH},
        {"probe", 26, false, true, (5 * 1024 * 1024 - 4096) / 20, QUEUE_FRESH},
        {"probe of many", 500, false, true, (5 * 1024 * 1024 - 4096) / 20, QUEUE_FRESH},
    };

    (void)state;
    for (size_t i = 0; i < 2 * LEN(rows); i++) {
        const char *name = rows[i / 2].name;
        bool over = i % 2;
        size_t left = rows[i / 2].bytes + over;
        uint32_t records = 0;
        struct queue_record one;

        set("");
        settings.queue_max_bytes = 16 << 20;
        begin();
        delivery.form = WIRE_CBOR;
        assert_int_equal(offer(100), 0);
        assert_true(queue_oldest(&delivery.queue, &one));
        for (left -= put_records_size(WIRE_CBOR, 100, one.partition_key); left > 0; records++) {
            size_t bytes = left > 1000000 ? 500000 : left > 200000 ? 100000 : left;

            if (bytes == left)
                bytes -= put_records_size(WIRE_CBOR, bytes, one.partition_key) - bytes;
            assert_int_equal(offer(bytes), 0);
            left -= put_records_size(WIRE_CBOR, bytes, one.partition_key);
        }
        become(records + 1, rows[i / 2].state);
        delivery_flush(&delivery);
        delivery.batch_max = rows[i / 2].batch_max;
        delivery.urgency.last_chance = rows[i / 2].last_chance;
        delivery.breaker.intervals = rows[i / 2].rests;
        CHECK_INT(name, sent(), records + !over);
    }
}

/* A call of as many records as are allowed is full. */
static void
full_call(void **state)
{
    (void)state;
    for (uint32_t most = 3; most <= 4; most++) {
        anew(3);
        delivery_flush(&delivery);
        delivery.batch_max = most;
        assert_int_equal(sent(), 3);
        assert_int_equal(delivery.call.full, most == 3);
    }
}

/* A call after one that failed is paid for; the breaker's probe is not, nor one at the last chance. */
static void
paid_for(void **state)
{
    static const struct {
        const char *name;
        unsigned failures, intervals;
        bool last_chance;
        uint32_t tokens;
    } rows[] = {
        {"the first", 0, 0, false, 500},
        {"after a failure", 1, 0, false, 486},
        {"a probe", 5, 1, false, 500},
        {"at the last chance", 1, 0, true, 500},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(1);
        if (rows[i].last_chance)
            delivery_last_chance(&delivery, now, now.ms + 2000);
        delivery_flush(&delivery);
        delivery.breaker.failures = rows[i].failures;
        delivery.breaker.intervals = rows[i].intervals;
        pass(1);
        (void)sent();
        CHECK_INT(rows[i].name, delivery.quota.tokens, rows[i].tokens);
    }
}

/* What there is nothing to pay for with is not made: the breaker opens, and its probe is for nothing. */
static void
not_paid_for(void **state)
{
    (void)state;
    anew(1);
    delivery_flush(&delivery);
    (void)sent();
    delivery.quota.tokens = 13;
    answer(NULL, (struct delivery_reply){.status = 500, .requests = 1});
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_NOTE);
    assert_int_equal(order.note, DELIVERY_OPENED);
    assert_int_equal(order.failures, 2);
    assert_int_equal(delivery.ledger.breaker_openings, 1);
    while (delivery_next(&delivery, now, &order) != DELIVERY_WAIT)
        ;
    assert_in_range(order.at_ms, now.ms + 500, now.ms + 1000);
    assert_true(breaker_open(&delivery.breaker));
    /* the probe succeeds */
    pass(order.at_ms - now.ms);
    (void)sent();
    answer((const char *const[]){""}, (struct delivery_reply){.status = 200, .requests = 1});
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_NOTE);
    assert_int_equal(order.note, DELIVERY_RECOVERS);
    assert_int_equal(order.failures, 2);
}

/* Credentials are for one call, and asked for again before the next one. */
static void
asked_each_time(void **state)
{
    (void)state;
    anew(1);
    for (unsigned calls = 0; calls < 3; calls++) {
        unsigned asked = 0;

        assert_int_equal(calls == 0 ? 0 : offer(100), 0);
        delivery_flush(&delivery);
        while (!delivery.call.under_way) {
            enum delivery_act act = delivery_next(&delivery, now, &order);

            asked += act == DELIVERY_CREDENTIALS;
            assert_true(act != DELIVERY_WAIT);
            if (act == DELIVERY_CREDENTIALS)
                delivery_credentials(&delivery, now, DELIVERY_READY);
        }
        assert_int_equal(asked, 1);
        answer((const char *const[]){""}, (struct delivery_reply){.status = 200, .requests = 1});
        pass(1);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointless),    cmocka_unit_test(far_probe),
        cmocka_unit_test(turns),        cmocka_unit_test(request_sizes),
        cmocka_unit_test(full_call),    cmocka_unit_test(paid_for),
        cmocka_unit_test(not_paid_for), cmocka_unit_test(asked_each_time),
    };

    return RUN(argc, argv, tests);
}
