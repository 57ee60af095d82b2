/* Calls of delivery_driver.h's machine, one at a time: for the tests of its parts. */
#include "delivery_driver.h"

#define TRANSIENT "InternalFailure"
#define THROTTLED "ProvisionedThroughputExceededException"

/*
 * Options, each a letter:
 *
 *   S E   a dead letter: S3, standard error        o   TELEMETRY_DROP=oldest
 *   q     a queue of 2 KiB                         p   TELEMETRY_OVERSIZE=split
 *   c     credentials are fetched from somewhere   1   AWS_MAX_ATTEMPTS=1
 *   k     TELEMETRY_PARTITION_KEY=none
 */
static inline void
set(const char *options)
{
    settings = (struct settings){.key = KEY_SANDBOX, .format = EVENT_VERBATIM};
    for (const char *o = options; *o != '\0'; o++) {
        if (*o == 'S' || *o == 'E')
            settings.dead_letter = *o == 'S' ? DEAD_LETTER_S3 : DEAD_LETTER_STDERR;
        else if (*o == 'o')
            settings.drop = WHEN_FULL_OLDEST;
        else if (*o == 'q')
            settings.queue_max_bytes = 2048;
        else if (*o == 'p')
            settings.oversize = OVERSIZE_SPLIT;
        else if (*o == 'c')
            settings.credentials.host = SPAN("h");
        else if (*o == 'k')
            settings.key = KEY_NONE;
        else if (*o == '1')
            settings.max_attempts = 1;
        else
            fail_msg("what is %c?", *o);
    }
}

static inline void
anew(uint32_t events)
{
    set("");
    begin();
    for (uint32_t i = 0; i < events; i++)
        assert_int_equal(offer(100), 0);
}

/* Orders until there is a call; its records. */
static inline uint32_t
sent(void)
{
    while (!delivery.call.under_way) {
        enum delivery_act act = delivery_next(&delivery, now, &order);

        assert_true(act != DELIVERY_WAIT);
        if (act == DELIVERY_CREDENTIALS)
            delivery_credentials(&delivery, now, DELIVERY_READY);
    }
    return delivery.call.len;
}

static inline void
answer(const char *const codes[], struct delivery_reply r)
{
    r.form = WIRE_CBOR;
    for (uint32_t i = 0; codes != NULL && i < delivery.call.len; i++)
        delivery_record(&delivery, i, span_of(codes[i]));
    r.records = codes != NULL;
    (void)delivery_replied(&delivery, now, &r);
}

/* Until it may be sent, whatever it waits for. */
static inline void
sent_again(void)
{
    pass(60000);
    (void)sent();
}

/* Takes so many of the oldest records that wait into a batch, of which delivery knows nothing. */
static inline void
take(uint32_t records)
{
    uint32_t before = delivery.queue.count[QUEUE_SENT];

    delivery_flush(&delivery);
    delivery.batch_max = records;
    assert_int_equal(sent(), records);
    assert_int_equal(delivery.queue.count[QUEUE_SENT], before + records);
    delivery.call.under_way = false;
    delivery.batch_max = 500;
    delivery.urgency.flush = false;
    delivery.urgency.flush_fresh = 0;
}

/* Makes them what is said. */
static inline void
make(uint32_t records, enum queue_state state)
{
    take(records);
    queue_return(&delivery.queue, QUEUE_STREAM, state);
}
