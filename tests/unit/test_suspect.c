#include "protocol/suspect.h"

#include "delivery_driver.h"

/*
 * A stream that refuses each call in which there is a poisoned record, and nothing else: which ones
 * those are, by the numbers of their events.
 */
static bool poisoned[2000];
static bool names_it; /* whether the service tells which one it is */
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

static void
answer(void)
{
    uint32_t len = queue_batch_len(&delivery.queue, QUEUE_STREAM);
    struct delivery_reply r = {.status = 200, .records = true, .form = WIRE_CBOR, .requests = 1};
    char text[128] = "";
    uint32_t index;

    calls++;
    pass(5);
    if (has_poison(&index)) {
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

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one),
        cmocka_unit_test(alone),
        cmocka_unit_test(several),
        cmocka_unit_test(innocent),
    };

    return RUN(argc, argv, tests);
}
