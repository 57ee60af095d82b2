#include "delivery_calls.h"

/* Events of the open record (aggregate.h): when it is closed, and that they are accounted for until then. */

static struct aggregate *const open = &delivery.intake.open;

/* Records of several events from now on, with these options besides. */
static void
lines(const char *options)
{
    set(options);
    settings.aggregation = AGGREGATION_LINES;
    settings.aggregation_max_bytes = 1024;
    begin();
}

static void
put(uint32_t events)
{
    for (uint32_t i = 0; i < events; i++)
        assert_int_equal(offer(100), 0);
}

/* What there is to do now, of calls: WAIT, or what is to be sent. */
static enum delivery_act
due(void)
{
    enum delivery_act act;

    do {
        act = delivery_next(&delivery, now, &order);
        if (act == DELIVERY_CREDENTIALS)
            delivery_credentials(&delivery, now, DELIVERY_READY);
    } while (act != DELIVERY_WAIT && act != DELIVERY_SEND && act != DELIVERY_BURY);
    return act;
}

static void
accepted(void)
{
    static const char *const codes[500];
    struct delivery_reply r = {.status = 200, .requests = 1, .form = WIRE_CBOR, .records = true};

    for (uint32_t i = 0; i < delivery.call.len; i++)
        delivery_record(&delivery, i, span_of(codes[i]));
    (void)delivery_replied(&delivery, now, &r);
}

/* The oldest event waits for TELEMETRY_LINGER_MS, and those that came after it go with it. */
static void
lingers(void **state)
{
    static const uint32_t rows[] = {1, 200, 60000};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        lines("");
        settings.linger_ms = rows[i];
        put(1);
        assert_true(delivery.news);
        assert_int_equal(due(), DELIVERY_WAIT);
        assert_int_equal(order.at_ms, now.ms + rows[i]);
        pass(rows[i] - 1);
        if (rows[i] > 1)
            assert_int_equal(due(), DELIVERY_WAIT);
        put(1);
        pass(1);
        assert_int_equal(due(), DELIVERY_SEND);
        assert_int_equal(delivery.call.len, 1);
        assert_int_equal(delivery.call.events, 2);
        assert_int_equal(open->events, 0);
    }
}

/* Not at all, where it is 0: what was read together goes together. */
static void
no_linger(void **state)
{
    (void)state;
    lines("");
    settings.linger_ms = 0;
    put(3);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.events, 3);
}

/* The same of records of one event. */
static void
fresh_lingers(void **state)
{
    (void)state;
    set("");
    settings.linger_ms = 3000;
    begin();
    put(1);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 3000);
    delivery_await(&delivery, now, now.ms + 10000);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 5);
    settings.linger_ms = 2;
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 2);
}

/* What is full goes at once; what is closed for another key is as old as its oldest event, whenever that was. */
static void
full_goes(void **state)
{
    (void)state;
    lines("");
    put(1);
    pass(150);
    put(9);
    assert_int_equal(open->events, 10);
    assert_int_equal(due(), DELIVERY_WAIT);
    pass(20);
    put(1);
    assert_true(delivery.news);
    assert_int_equal(delivery.queue.records, 1);
    assert_int_equal(open->events, 1);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.events, 10);
    accepted();
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 200);
}

static void
other_key_lingers(void **state)
{
    (void)state;
    lines("");
    settings.key = KEY_REQUEST;
    intake_request(&delivery.intake, SPAN("a"));
    put(1);
    pass(150);
    intake_request(&delivery.intake, SPAN("b"));
    put(1);
    assert_int_equal(delivery.queue.records, 1);
    assert_int_equal(open->events, 1);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 50);
    pass(50);
    assert_int_equal(due(), DELIVERY_SEND);
    /* what is open has waited for 50 ms alone */
    assert_int_equal(delivery.call.events, 1);
    accepted();
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 150);
}

/* A flush wants what there is, and nothing that comes after it. */
static void
flushed(void **state)
{
    (void)state;
    lines("");
    put(3);
    assert_false(delivery_delivered(&delivery));
    assert_false(delivery_drained(&delivery));
    delivery_flush(&delivery);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.events, 3);
    /* while a call is under way more come into the same record */
    put(2);
    delivery_flush(&delivery);
    put(2);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(open->events, 4);
    accepted();
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.events, 4);
    put(1);
    accepted();
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 200);
    assert_int_equal(delivery.ledger.delivered, 7);
    assert_int_equal(delivery.ledger.records, 2);
    assert_int_equal(delivery.ledger.payload_bytes, 7 * 101);
    assert_int_equal(delivery.ledger.units, 2);
    assert_int_equal(delivery_queued(&delivery), 1);
}

/* A flush is not forgotten where the record that it meant is full before it can go. */
static void
flushed_and_full(void **state)
{
    (void)state;
    lines("");
    put(1);
    delivery_flush(&delivery);
    (void)due();
    put(5);
    delivery_flush(&delivery);
    put(6);
    assert_int_equal(delivery.queue.count[QUEUE_FRESH], 1);
    assert_int_equal(open->events, 1);
    accepted();
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.events, 10);
    accepted();
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(open->events, 1);
    /* or is pushed out by one that has a record of its own */
    delivery_flush(&delivery);
    assert_int_equal(offer(20000), 0);
    assert_int_equal(open->events, 0);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.len, 2);
}

/* Somebody waits: 5 ms. */
static void
awaited(void **state)
{
    (void)state;
    lines("");
    delivery_await(&delivery, now, now.ms + 500);
    put(1);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, now.ms + 5);
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 1, true));
    assert_true(delivery_pointless_until(&delivery, now, now.ms, true));
}

/* In a back-off what is open stays so, and more events come into it. */
static void
backing_off(void **state)
{
    struct delivery_reply r = {.status = 500, .class = RETRY_TRANSIENT, .requests = 1};

    (void)state;
    lines("");
    put(1);
    delivery_flush(&delivery);
    (void)due();
    put(1);
    delivery_flush(&delivery);
    r.form = WIRE_CBOR;
    (void)delivery_replied(&delivery, now, &r);
    assert_int_equal(due(), DELIVERY_WAIT);
    put(3);
    delivery_flush(&delivery);
    assert_int_equal(delivery.queue.records, 1);
    assert_int_equal(open->events, 4);
    pass(20000);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.len, 2);
    assert_int_equal(delivery.call.events, 5);
    assert_int_equal(delivery.call.resent, 1);
}

/* Records whose outcome is unknown are counted by their events; a part of an event as one. */
static void
doubles(void **state)
{
    struct delivery_reply r = {
        .status = 500, .class = RETRY_TRANSIENT, .requests = 1, .doubtful = 1, .form = WIRE_CBOR};

    (void)state;
    lines("p");
    put(25);
    delivery_flush(&delivery);
    (void)due();
    assert_int_equal(delivery.call.len, 3);
    (void)delivery_replied(&delivery, now, &r);
    assert_int_equal(delivery.ledger.duplicates_possible, 25);
    assert_int_equal(delivery.ledger.retried, 0);
    sent_again();
    delivery_aborted(&delivery, 1);
    assert_int_equal(delivery.ledger.duplicates_possible, 50);
    lines("p");
    settings.oversize = OVERSIZE_SPLIT;
    assert_int_equal(offer(1048576 + 20000), 0);
    delivery_flush(&delivery);
    (void)due();
    assert_int_equal(delivery.call.len, 2);
    assert_int_equal(delivery.call.events, 2);
}

/* The queue has no room for what is open: it stays so until there is, and nobody is kept busy meanwhile. */
static void
no_room(void **state)
{
    (void)state;
    lines("q");
    settings.aggregation_max_bytes = 512;
    begin();
    while (offer(100) == 0)
        ;
    assert_int_equal(delivery.queue.records, 3);
    delivery_flush(&delivery);
    (void)due();
    assert_int_equal(delivery.call.len, 3);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(open->events, 5);
    for (unsigned i = 0; i < 3; i++)
        queue_mark(&delivery.queue, QUEUE_STREAM, i, QUEUE_DEAD);
    delivery.call.under_way = false;
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_true(delivery.urgency.open_stuck);
    /* when it is full for too long */
    assert_int_equal(order.at_ms, now.ms + 500);
    assert_true(delivery_pointless_until(&delivery, now, now.ms + 100, true));
    assert_int_equal(delivery_queued(&delivery), 20);
}

/* A record that was refused as often as may be gives way to what is open. */
static void
gives_way(void **state)
{
    (void)state;
    lines("q1");
    settings.aggregation_max_bytes = 512;
    begin();
    while (offer(100) == 0)
        ;
    delivery_flush(&delivery);
    (void)due();
    delivery_record(&delivery, 0, SPAN("InternalFailure"));
    delivery_record(&delivery, 1, SPAN(THROTTLED));
    delivery_record(&delivery, 2, SPAN(THROTTLED));
    (void)delivery_replied(
        &delivery, now,
        &(struct delivery_reply){.status = 200, .records = true, .requests = 1, .form = WIRE_CBOR});
    pass(60000);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.ledger.dropped[DROP_REFUSED], 5);
    assert_int_equal(delivery.call.len, 3);
    assert_int_equal(open->events, 0);
}

/* More than half of the queue is full with what is open. */
static void
crowded(void **state)
{
    (void)state;
    lines("q");
    begin();
    put(10);
    assert_int_equal(open->events, 1);
    assert_false(delivery_crowded(&delivery));
    put(2);
    assert_true(delivery_crowded(&delivery));
}

/* At the end it goes at once, and what the stream does not take to the dead letter, whatever still comes. */
static void
last(void **state)
{
    (void)state;
    lines("E");
    put(2);
    delivery_last_chance(&delivery, now, now.ms + 1000);
    assert_int_equal(due(), DELIVERY_SEND);
    put(2);
    delivery_aborted(&delivery, 0);
    pass(1000);
    assert_int_equal(due(), DELIVERY_BURY);
    assert_int_equal(open->events, 0);
    assert_true(delivery_delivered(&delivery));
    assert_int_equal(queue_batch_len(&delivery.queue, QUEUE_DEAD_LETTER), 2);
    delivery_buried(&delivery, now, &(struct dead_letter_reply){.written = 1});
    assert_int_equal(delivery.ledger.dead_lettered, 2);
    put(3);
    assert_int_equal(open->events, 3);
    assert_true(delivery_delivered(&delivery));
    assert_false(delivery_drained(&delivery));
    pass(1);
    assert_int_equal(due(), DELIVERY_BURY);
    assert_int_equal(queue_batch_len(&delivery.queue, QUEUE_DEAD_LETTER), 2);
    delivery_buried(&delivery, now, &(struct dead_letter_reply){.written = 2});
    assert_int_equal(delivery.ledger.dead_lettered, 7);
    put(1);
    delivery_end(&delivery);
    assert_int_equal(delivery.ledger.dropped[DROP_SHUTDOWN], 1);
    assert_int_equal(open->events, 0);
    assert_true(ledger_holds(&delivery.ledger, 0));
}

/*
 * Each copy of a process has what was open, and what came while it slept. What comes then is in another record, with a
 * key of its own, also where there is no room for the former in the queue.
 */
static void
slept(void **state)
{
    struct intake_seed seed = {.sandbox = {9}, .numbers = 9};

    (void)state;
    lines("");
    put(3);
    delivery.ledger.duplicates_possible = 1;
    delivery_sleep(&delivery);
    assert_int_equal(delivery.ledger.received, 3);
    put(2);
    pass(1000);
    assert_int_equal(due(), DELIVERY_WAIT);
    assert_int_equal(order.at_ms, UINT64_MAX);
    delivery_restored(&delivery, &seed);
    assert_int_equal(delivery.ledger.duplicates_possible, 6);
    put(1);
    assert_int_equal(due(), DELIVERY_SEND);
    assert_int_equal(delivery.call.len, 1);
    assert_int_equal(delivery.call.events, 5);
    accepted();
    lines("q");
    settings.aggregation_max_bytes = 512;
    begin();
    while (offer(100) == 0)
        ;
    delivery_sleep(&delivery);
    delivery_restored(&delivery, &seed);
    assert_int_equal(open->events, 5);
    assert_true(open->sealed);
    assert_int_equal(offer(40), ERR_FULL);
    (void)sent();
    accepted();
    assert_int_equal(offer(40), 0);
    assert_int_equal(open->events, 1);
    assert_false(open->sealed);
}

/* A connection is opened for what is open, as it is for a fresh record. */
static void
connects(void **state)
{
    (void)state;
    lines("");
    put(1);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_CONNECT);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_WAIT);
    put(1);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_WAIT);
    delivery_open(&delivery);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_CONNECT);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lingers),
        cmocka_unit_test(no_linger),
        cmocka_unit_test(fresh_lingers),
        cmocka_unit_test(full_goes),
        cmocka_unit_test(other_key_lingers),
        cmocka_unit_test(flushed),
        cmocka_unit_test(flushed_and_full),
        cmocka_unit_test(awaited),
        cmocka_unit_test(backing_off),
        cmocka_unit_test(doubles),
        cmocka_unit_test(no_room),
        cmocka_unit_test(gives_way),
        cmocka_unit_test(crowded),
        cmocka_unit_test(last),
        cmocka_unit_test(slept),
        cmocka_unit_test(connects),
    };

    return RUN(argc, argv, tests);
}
