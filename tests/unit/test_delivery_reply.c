#include "delivery_calls.h"
#include "protocol/splitmix.h"

/* What follows from a reply: what the scripts of test_delivery.c do not tell. */

/* What a call's records say of it together. */
static void
of_records(void **state)
{
    static const struct {
        const char *name, *codes[2];
        uint32_t accepted, throttled;
        enum retry_class class;
        unsigned refusals; /* of the first, before */
        unsigned max_attempts;
        bool hopeful;
    } rows[] = {
        {"throttled", {THROTTLED, ""}, 1, 1, RETRY_THROTTLED, 0, 5, true},
        {"throttled, as often as it may be refused",
         {THROTTLED, ""},
         1,
         1,
         RETRY_THROTTLED,
         4,
         5,
         true},
        {"failed", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 0, 5, true},
        {"failed for the last time", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 4, 5, false},
        {"failed for the last but one", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 3, 5, true},
        {"one of each", {THROTTLED, TRANSIENT}, 0, 1, RETRY_THROTTLED, 0, 5, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = {.status = 200, .requests = 1};

        anew(1);
        delivery_flush(&delivery);
        (void)sent();
        for (unsigned n = 0; n < rows[i].refusals; n++) {
            answer((const char *const[]){TRANSIENT}, r);
            delivery.breaker = (struct breaker){0};
            sent_again();
        }
        answer((const char *const[]){THROTTLED}, r);
        assert_int_equal(offer(100), 0);
        sent_again();
        CHECK_INT(rows[i].name, delivery.call.len, 2);
        answer(rows[i].codes, r);
        CHECK_INT(rows[i].name, delivery.call.accepted, rows[i].accepted);
        CHECK_INT(rows[i].name, delivery.call.throttled, rows[i].throttled);
        CHECK_INT(rows[i].name, delivery.call.class, rows[i].class);
        CHECK_INT(rows[i].name, delivery.call.hopeful, rows[i].hopeful);
        CHECK_INT(rows[i].name, delivery.call.most_attempts, rows[i].refusals + 2);
    }
}

/* The longest wait of many after a call that failed so, and after a part of one. */
static void
waits(void **state)
{
    static const struct {
        const char *name, *codes[2];
        enum retry_class class;
        uint32_t hint_ms;
        unsigned failures; /* before */
        unsigned max_attempts;
        uint64_t deadline_ms;
        uint64_t least_ms, most_ms;
    } rows[] = {
        {"transient", {NULL}, RETRY_TRANSIENT, 0, 0, 5, 0, 40, 51},
        {"transient, second", {NULL}, RETRY_TRANSIENT, 0, 1, 5, 0, 80, 101},
        {"transient, someone waits", {NULL}, RETRY_TRANSIENT, 0, 0, 5, 20, 15, 21},
        {"throttled", {NULL}, RETRY_THROTTLED, 0, 0, 5, 0, 800, 1001},
        {"as asked for", {NULL}, RETRY_TRANSIENT, 300, 0, 5, 0, 301, 301},
        {"a part, transient", {"", TRANSIENT}, RETRY_TRANSIENT, 0, 0, 5, 0, 40, 50},
        {"a part, someone waits", {"", TRANSIENT}, RETRY_TRANSIENT, 0, 0, 5, 20, 15, 20},
        {"a part, without hope", {"", TRANSIENT}, RETRY_TRANSIENT, 0, 0, 1, 20, 40, 50},
        {"a part, as asked for", {"", TRANSIENT}, RETRY_TRANSIENT, 300, 0, 5, 0, 300, 300},
        {"a part, throttled", {"", THROTTLED}, RETRY_TRANSIENT, 0, 0, 5, 0, 800, 1000},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint64_t longest = 0;

        for (uint64_t seed = 0; seed < 64; seed++) {
            struct delivery_reply r = {
                .status = 200, .requests = 1, .retry_after_ms = rows[i].hint_ms};
            bool whole = rows[i].codes[0] == NULL;
            uint64_t at;

            anew(2);
            settings.max_attempts = rows[i].max_attempts;
            delivery_reseed(&delivery, seed);
            delivery_flush(&delivery);
            (void)sent();
            delivery.breaker.failures = rows[i].failures;
            if (rows[i].deadline_ms > 0)
                delivery_await(&delivery, now, now.ms + rows[i].deadline_ms);
            r.class = rows[i].class;
            r.status = whole ? 500 : 200;
            answer(whole ? NULL : rows[i].codes, r);
            at = whole ? delivery.backoff.calls_at_ms : delivery.backoff.failed_at_ms;
            longest = at - now.ms > longest ? at - now.ms : longest;
        }
        CHECK_INT(rows[i].name, longest >= rows[i].least_ms && longest <= rows[i].most_ms, true);
    }
}

/* A call fails while there is almost nothing left to pay for another one with. */
static void
exhausted(void **state)
{
    static const struct {
        const char *name;
        enum retry_class class;
        bool last_chance;
        unsigned failures;
        bool open;
    } rows[] = {
        {"failed", RETRY_TRANSIENT, false, 2, true},
        {"failed at the last chance", RETRY_TRANSIENT, true, 1, false},
        {"in vain", RETRY_CONFIGURATION, false, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = {.status = 500, .class = rows[i].class, .requests = 1};

        anew(1);
        delivery_flush(&delivery);
        (void)sent();
        delivery.quota.tokens = 3;
        delivery.urgency.last_chance = rows[i].last_chance;
        delivery.backoff.failed_at_ms = now.ms + 5000;
        delivery.backoff.cramped = 3;
        answer(NULL, r);
        CHECK_INT(rows[i].name, delivery.breaker.failures, rows[i].failures);
        CHECK_INT(rows[i].name, breaker_open(&delivery.breaker), rows[i].open);
        CHECK_INT(rows[i].name, delivery.backoff.failed_at_ms, 0);
        CHECK_INT(rows[i].name, delivery.backoff.cramped, 0);
    }
}

/*
 * The same where the reply is no failure of the stream, after one that was: the next call is paid for whatever the
 * last one came to, and nobody is to wait for one that is not made.
 */
static void
exhausted_otherwise(void **state)
{
    static const struct {
        const char *name, *codes[2];
        enum retry_class class;
        uint32_t tokens;
        bool open;
    } rows[] = {
        {"throttled, others were not", {"ProvisionedThroughputExceededException"}, 0, 4, true},
        {"and there is enough", {"ProvisionedThroughputExceededException"}, 0, 5, false},
        {"for a record", {NULL}, RETRY_RECORD, 13, true},
        {"accepted", {""}, 0, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *const *codes = rows[i].codes[0] == NULL ? NULL : rows[i].codes;
        unsigned status = codes == NULL ? 400 : 200;
        bool accepted = codes != NULL && codes[0][0] == '\0';

        anew(1);
        delivery_flush(&delivery);
        delivery.breaker.failures = accepted ? 0 : 1;
        (void)sent();
        delivery.ledger.bytes = 100;
        delivery.quota.tokens = rows[i].tokens;
        answer(codes,
               (struct delivery_reply){.status = status, .class = rows[i].class, .requests = 1});
        CHECK_INT(rows[i].name, breaker_open(&delivery.breaker), rows[i].open);
    }
    /* no credentials */
    anew(1);
    delivery.quota.tokens = 13;
    delivery_credentials(&delivery, now, DELIVERY_NONE);
    assert_true(breaker_open(&delivery.breaker));
}

/* What is refused for one of its records goes on at once, unless a record that waits for room is all there is. */
static void
goes_on(void **state)
{
    static const struct {
        const char *name, *message;
        uint32_t in, fresh;
        bool cramped;
        unsigned waits; /* calls in a row, afterwards */
    } rows[] = {
        {"suspects", "", 2, 0, true, 3},
        {"a failed one", "records.1.member.partitionKey", 2, 0, true, 3},
        {"a fresh one", "", 1, 1, true, 3},
        {"none waits for room", "", 2, 0, false, 0},
        {"it does, and there are no others", "records.1.member.data less than or equal to 60", 1, 0,
         true, 4},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = {.status = 400,
                                   .class = RETRY_RECORD,
                                   .requests = 1,
                                   .message = span_of(rows[i].message)};
        struct retry retry = {.failures = 4, .left_ms = UINT32_MAX};
        bool waits = rows[i].waits == 4;
        uint64_t random;

        anew(rows[i].in);
        delivery_flush(&delivery);
        (void)sent();
        for (uint32_t n = 0; n < rows[i].fresh; n++)
            assert_int_equal(offer(100), 0);
        delivery.suspect.cramped = rows[i].cramped;
        delivery.backoff.cramped = 3;
        delivery.backoff.failed_at_ms = now.ms + 5000;
        random = delivery.random;
        answer(NULL, r);
        CHECK_INT(rows[i].name, delivery.backoff.failed_at_ms, 0);
        CHECK_INT(rows[i].name, delivery.backoff.cramped, rows[i].waits);
        CHECK_INT(rows[i].name, delivery.dead.flush, waits);
        CHECK_INT(rows[i].name, delivery.backoff.calls_at_ms,
                  now.ms + 1 + (waits ? retry_wait_ms(&retry, splitmix_next(&random)) : 0));
    }
}

/* When the breaker opens, none of those aside is to blame. */
static void
rejoin(void **state)
{
    (void)state;
    anew(2);
    delivery_flush(&delivery);
    (void)sent();
    answer(NULL, (struct delivery_reply){.status = 400,
                                         .class = RETRY_RECORD,
                                         .requests = 1,
                                         .message = SPAN("records.1.member.partitionKey")});
    assert_int_equal(delivery.queue.count[QUEUE_ASIDE], 1);
    pass(1);
    assert_int_equal(sent(), 1);
    answer(NULL,
           (struct delivery_reply){.status = 400, .class = RETRY_CONFIGURATION, .requests = 1});
    assert_int_equal(delivery.queue.count[QUEUE_ASIDE], 0);
    assert_int_equal(delivery.queue.count[QUEUE_FAILED], 2);
}

/* Two records fail; whether that is a failure of the stream, or theirs since others were accepted. */
static void
fails(void **state)
{
    static const struct {
        const char *name, *codes[2];
        unsigned max_attempts;
        bool others, paced;
        unsigned failures;
    } rows[] = {
        {"throttled at a pace", {THROTTLED, THROTTLED}, 5, true, true, 0},
        {"no others", {THROTTLED, THROTTLED}, 5, false, true, 1},
        {"only one was throttled", {THROTTLED, TRANSIENT}, 5, true, true, 1},
        {"failed for long", {TRANSIENT, TRANSIENT}, 1, true, false, 0},
        {"no others, failed for long", {TRANSIENT, TRANSIENT}, 1, false, false, 1},
        {"failed", {TRANSIENT, TRANSIENT}, 5, true, false, 1},
        {"failed, at a pace", {TRANSIENT, TRANSIENT}, 5, true, true, 1},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(2);
        settings.max_attempts = rows[i].max_attempts;
        delivery_flush(&delivery);
        (void)sent();
        delivery.ledger.bytes = 100;
        delivery.backoff.bytes_before = rows[i].others ? 99 : 100;
        delivery.pace = (struct pace){
            .per_second = rows[i].paced ? 100 : 0, .accepted = 1, .empty_ms = now.ms - 10};
        delivery.breaker.failures = 0;
        answer(rows[i].codes, (struct delivery_reply){.status = 200, .requests = 1});
        CHECK_INT(rows[i].name, delivery.breaker.failures > 0, rows[i].failures);
        CHECK_INT(rows[i].name, delivery.suspect.evidence, false);
        CHECK_INT(rows[i].name, delivery.backoff.bytes_before, 100);
    }
}

/* Replies that tell nothing of single records: whether a record is searched for, and what the breaker hears. */
static void
outcomes(void **state)
{
    static const struct {
        const char *name;
        struct delivery_reply r;
        uint32_t suspects;
        unsigned failures, silent;
        bool open;
    } rows[] = {
        {"refused for a record", {.status = 400, .class = RETRY_RECORD}, 2, 0, 0, false},
        {"no reply", {.result = ERR_BAD, .status = 400, .class = RETRY_RECORD}, 0, 1, 0, false},
        {"nothing sent", {.class = RETRY_RECORD}, 0, 1, 0, true},
        {"server error", {.status = 500}, 0, 1, 0, false},
        {"throttled", {.status = 400, .class = RETRY_THROTTLED}, 0, 1, 0, false},
        {"for good", {.status = 400, .class = RETRY_CONFIGURATION}, 0, 1, 0, true},
        {"silent", {.result = ERR_LATE}, 0, 1, 1, false},
        {"no connection", {.result = ERR_IO, .class = RETRY_CONFIGURATION}, 0, 1, 0, false},
        {"the clock was wrong",
         {.status = 403, .class = RETRY_SKEW, .skewed = true},
         0,
         0,
         0,
         false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(2);
        delivery_flush(&delivery);
        (void)sent();
        delivery.backoff.calls_at_ms = now.ms - 1;
        delivery.ledger.bytes = 9;
        delivery.backoff.bytes_before = 7;
        answer(NULL, rows[i].r);
        CHECK_INT(rows[i].name, delivery.backoff.bytes_before, 7);
        CHECK_INT(rows[i].name, delivery.backoff.calls_at_ms == 0, rows[i].r.skewed);
        CHECK_INT(rows[i].name, delivery.backoff.at_once, rows[i].r.skewed);
        CHECK_INT(rows[i].name, delivery.queue.count[QUEUE_SUSPECT], rows[i].suspects);
        CHECK_INT(rows[i].name, delivery.breaker.failures, rows[i].failures);
        CHECK_INT(rows[i].name, delivery.breaker.silent, rows[i].silent);
        CHECK_INT(rows[i].name, breaker_open(&delivery.breaker), rows[i].open);
    }
}

/* At the last chance a call that only a change from outside can help is made at a few moments of the time left. */
static void
vain(void **state)
{
    static const struct {
        const char *name;
        struct delivery_reply r;
        bool in_vain;
    } rows[] = {
        {"for good", {.status = 400, .class = RETRY_CONFIGURATION, .requests = 1}, true},
        {"server error", {.status = 500, .requests = 1}, false},
        {"no credentials yet", {.class = RETRY_CONFIGURATION}, false},
        {"no such host", {.result = ERR_IO, .hopeless = true}, true},
        {"no connection", {.result = ERR_IO}, false},
        {"no connection, of that class",
         {.result = ERR_IO, .status = 400, .class = RETRY_CONFIGURATION},
         false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(1);
        delivery_last_chance(&delivery, now, now.ms + 2000);
        pass(1);
        (void)sent();
        for (unsigned n = 1; n <= 2; n++) {
            answer(NULL, rows[i].r);
            CHECK_INT(rows[i].name, delivery.backoff.in_vain, rows[i].in_vain ? n : 0);
            if (rows[i].in_vain)
                CHECK_INT(rows[i].name, delivery.backoff.calls_at_ms, now.ms + 1 + 100 * n);
            pass(delivery.backoff.calls_at_ms - now.ms);
            (void)sent();
        }
    }
}

/* At the end a stream that fails has had its chance; what is put right at once, or is one record's fault, has not. */
static void
last_words(void **state)
{
    static const struct {
        const char *name;
        struct delivery_reply r;
        bool open, buries;
    } rows[] = {
        {"failed", {.status = 500, .requests = 1}, true, true},
        {"failed while closed", {.status = 500, .requests = 1}, false, false},
        {"a clock that was wrong",
         {.status = 400, .class = RETRY_SKEW, .skewed = true, .requests = 1},
         true,
         false},
        {"a bad record", {.status = 400, .class = RETRY_RECORD, .requests = 1}, true, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(2);
        settings.dead_letter = DEAD_LETTER_S3;
        delivery.breaker.intervals = rows[i].open;
        delivery_last_chance(&delivery, now, now.ms + 2000);
        pass(1);
        (void)sent();
        answer(NULL, rows[i].r);
        CHECK_INT(rows[i].name, delivery.urgency.bury_at_ms, now.ms + (rows[i].buries ? 0 : 999));
    }
}

/* The pace hears of a reply what there is to hear. */
static void
at_pace(void **state)
{
    static const struct {
        const char *name, *codes[2];
        enum queue_take_what what;
        uint32_t batch_max, hint_ms;
        bool full;
        uint64_t deadline_ms;
    } rows[] = {
        {"a full batch", {"", ""}, QUEUE_TAKE_FRESH, 3, 0, true, 0},
        {"the largest", {"", ""}, QUEUE_TAKE_FRESH, 2, 0, true, 0},
        {"one that is not full", {"", ""}, QUEUE_TAKE_FRESH, 3, 0, false, 0},
        {"failed ones", {"", ""}, QUEUE_TAKE_FAILED, 3, 0, true, 0},
        {"suspects", {"", ""}, QUEUE_TAKE_SUSPECTS, 3, 0, true, 0},
        {"one aside", {"", ""}, QUEUE_TAKE_ASIDE, 3, 0, true, 0},
        {"one throttled", {"", THROTTLED}, QUEUE_TAKE_FRESH, 3, 0, false, 0},
        {"as the service asks", {"", THROTTLED}, QUEUE_TAKE_FRESH, 2, 300, true, 0},
        {"someone waits", {"", THROTTLED}, QUEUE_TAKE_FRESH, 2, 0, true, 90},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = {.status = 200, .requests = 1, .retry_after_ms = rows[i].hint_ms};
        bool throttled = rows[i].codes[1][0] != '\0';
        struct pace want;
        struct pace_reply heard = {
            .sent = 2,
            .accepted = 2 - throttled,
            .throttled = throttled,
            .full = rows[i].full && rows[i].what <= QUEUE_TAKE_FAILED,
            .most = rows[i].batch_max,
            .took_ms = 7,
            .left_ms = rows[i].deadline_ms > 0 ? (uint32_t)rows[i].deadline_ms : UINT32_MAX,
            .hint_ms = rows[i].hint_ms,
            .dice = UINT32_MAX / 2,
        };
        uint64_t random;

        anew(2);
        delivery_flush(&delivery);
        delivery.batch_max = rows[i].batch_max;
        (void)sent();
        delivery.call.what = rows[i].what;
        delivery.call.full = rows[i].full;
        pass(7);
        if (rows[i].deadline_ms > 0)
            delivery_await(&delivery, now, now.ms + rows[i].deadline_ms);
        delivery.call.hopeful = true;
        want = delivery.pace =
            (struct pace){.per_second = 40, .accepted = 7, .empty_ms = now.ms - 400};
        random = delivery.random;
        if (throttled)
            heard.dice = splitmix_next(&random);
        (void)pace_replied(&want, now.ms, &heard);
        delivery.suspect.cramped = true;
        delivery.backoff.failed_at_ms = now.ms + 5000;
        answer(rows[i].codes, r);
        CHECK_INT(rows[i].name, delivery.suspect.cramped, rows[i].what != QUEUE_TAKE_ASIDE);
        CHECK_INT(rows[i].name, delivery.backoff.failed_at_ms, throttled ? 0 : now.ms + 5000);
        CHECK_INT(rows[i].name, delivery.form, WIRE_CBOR);
        CHECK_INT(rows[i].name, delivery.pace.per_second, want.per_second);
        CHECK_INT(rows[i].name, delivery.pace.accepted, want.accepted);
        CHECK_INT(rows[i].name, delivery.pace.recent, want.recent);
        CHECK_INT(rows[i].name, delivery.pace.took_ms, want.took_ms);
        CHECK_INT(rows[i].name, delivery.pace.next_ms, want.next_ms);
    }
}

/* Nothing waits after a call of which all was accepted, and the next one may be a little larger. */
static void
success(void **state)
{
    static const struct {
        enum queue_take_what what;
        uint32_t before, want;
    } rows[] = {
        {QUEUE_TAKE_FRESH, 25, 50},   {QUEUE_TAKE_FAILED, 475, 500},   {QUEUE_TAKE_FRESH, 476, 500},
        {QUEUE_TAKE_FRESH, 500, 500}, {QUEUE_TAKE_SUSPECTS, 100, 125}, {QUEUE_TAKE_ASIDE, 100, 100},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(1);
        delivery_flush(&delivery);
        (void)sent();
        delivery.call.what = rows[i].what;
        delivery.batch_max = rows[i].before;
        delivery.backoff.calls_at_ms = now.ms - 1;
        answer((const char *const[]){""}, (struct delivery_reply){.status = 200, .requests = 1});
        CHECK_INT("most", delivery.batch_max, rows[i].want);
        CHECK_INT("next", delivery.backoff.calls_at_ms, 0);
    }
}

/* The only record there is was refused so often before, and is so again. */
static void
refused_again(unsigned times, size_t bytes, struct delivery_reply r)
{
    assert_int_equal(offer(bytes), 0);
    delivery_flush(&delivery);
    (void)sent();
    for (unsigned n = 0; n < times; n++) {
        answer((const char *const[]){TRANSIENT}, (struct delivery_reply){.requests = 1});
        delivery.breaker = (struct breaker){0};
        delivery.quota.tokens = 500;
        sent_again();
    }
    r.class = RETRY_RECORD;
    r.requests = 1;
    answer(NULL, r);
}

/* What the search for the record hears of the call; it is like any failure when it is not the record. */
static void
searched(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    anew(0);
    refused_again(9, 100, (struct delivery_reply){.status = 400});
    assert_int_equal(delivery.ledger.dropped[DROP_REFUSED], 1);
    anew(0);
    refused_again(9, 4000, (struct delivery_reply){.status = 413});
    assert_int_equal(delivery.ledger.truncated, 1);
    anew(0);
    delivery.urgency.last_chance = true;
    refused_again(9, 100, (struct delivery_reply){.status = 400});
    assert_int_equal(delivery.queue.count[QUEUE_ASIDE], 1);
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint64_t wait;

        anew(0);
        delivery_reseed(&delivery, seed);
        refused_again(0, 100, (struct delivery_reply){.status = 400});
        wait = delivery.backoff.calls_at_ms - now.ms;
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_true(least == 1 && most > 40 && most <= 51);
}

/* Since when fresh records wait: those that a record was cut into, since now; others as before. */
static void
pieces(void **state)
{
    struct delivery_reply refused = {.status = 400, .class = RETRY_RECORD, .requests = 1};

    (void)state;
    anew(0);
    settings.oversize = OVERSIZE_SPLIT;
    refused_again(9, 4000, (struct delivery_reply){.status = 413});
    assert_true(delivery.queue.count[QUEUE_FRESH] > 1);
    assert_int_equal(delivery.urgency.fresh_since_ms, now.ms);
    anew(2);
    delivery_flush(&delivery);
    (void)sent();
    assert_int_equal(offer(100), 0);
    pass(10);
    answer(NULL, refused);
    assert_int_equal(delivery.urgency.fresh_since_ms, now.ms - 10);
}

/* A call that is given up: its records may be there, and go again. */
static void
given_up(void **state)
{
    (void)state;
    anew(2);
    delivery_flush(&delivery);
    (void)sent();
    delivery_aborted(&delivery, 3);
    assert_int_equal(delivery.ledger.duplicates_possible, 6);
    assert_int_equal(delivery.queue.count[QUEUE_FAILED], 2);
    assert_false(delivery.call.under_way);
}

/* Credentials that were refused are used for nothing more, whoever was told so. */
static void
refused_credentials(void **state)
{
    struct delivery_reply r = {.status = 403, .class = RETRY_CREDENTIALS, .requests = 1};

    (void)state;
    anew(1);
    delivery_flush(&delivery);
    (void)sent();
    delivery.pending.ready = true;
    answer(NULL, r);
    assert_true(delivery.pending.refresh && !delivery.pending.ready);
}

/* Records have been written to the dead letter, or not: whether one goes that waits for room. */
static void
room(void **state)
{
    static const struct {
        uint32_t written;
        unsigned cramped;
        uint64_t wait_ms;
        bool told;
    } rows[] = {{1, 1, 1, false}, {1, 0, 5000, false}, {0, 1, 5000, true}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        set("1S");
        begin();
        assert_int_equal(offer(100), 0);
        delivery_flush(&delivery);
        (void)sent();
        answer((const char *const[]){TRANSIENT}, (struct delivery_reply){.requests = 1});
        delivery_flush(&delivery);
        delivery.pending.ready = true;
        while (delivery_next(&delivery, now, &order) != DELIVERY_BURY)
            delivery.pending.ready = true;
        delivery.backoff.cramped = rows[i].cramped;
        delivery.backoff.calls_at_ms = now.ms + 5000;
        delivery.full.overflow = delivery.full.told = delivery.full.waits = true;
        delivery_buried(&delivery, now, &(struct dead_letter_reply){.written = rows[i].written});
        CHECK_INT("wait", delivery.backoff.calls_at_ms - now.ms, rows[i].wait_ms);
        CHECK_INT("told", delivery.full.told, rows[i].told);
        CHECK_INT("overflow", delivery.full.overflow, rows[i].told);
        CHECK_INT("waits", delivery.full.waits, rows[i].told);
        CHECK_INT("dead", delivery.ledger.dead_lettered, rows[i].written);
    }
}

/* --- records without keys --------------------------------------------------------------------- */

#define INVALID "ValidationException"
#define UNREADABLE "SerializationException"
#define UNKNOWN "SomethingOrOtherException"

/* Two records for a stream that may want keys, for which they have some. */
static void
keyless(const char *options)
{
    set(options);
    begin();
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(offer(100), 0);
    delivery_flush(&delivery);
    assert_int_equal(sent(), 2);
    assert_true(order.keyless);
}

/* A reply before any record was accepted without a key: whether keys are given then, and nothing else follows. */
static void
wants_keys(void **state)
{
    static const struct {
        const char *name, *codes[2];
        struct delivery_reply r;
        enum delivery_keys keys;
    } rows[] = {
        {"invalid", {NULL}, {.status = 400, .class = RETRY_RECORD}, KEYS_SENT},
        {"one is named",
         {NULL},
         {.status = 400,
          .class = RETRY_RECORD,
          .message = SPAN("Value null at 'records.1.member.partitionKey' failed")},
         KEYS_SENT},
        {"for its size, it says", {NULL}, {.status = 413, .class = RETRY_RECORD}, KEYS_SENT},
        {"not understood", {NULL}, {.status = 400, .class = RETRY_REQUEST}, KEYS_SENT},
        {"each is invalid", {INVALID, INVALID}, {.status = 200}, KEYS_SENT},
        {"each is not understood", {UNREADABLE, UNREADABLE}, {.status = 200}, KEYS_SENT},
        {"each is refused by a code that is not known",
         {UNKNOWN, UNKNOWN},
         {.status = 200},
         KEYS_SENT},
        {"one failed, one is invalid", {TRANSIENT, INVALID}, {.status = 200}, KEYS_SENT},
        {"one is invalid, one was throttled", {INVALID, THROTTLED}, {.status = 200}, KEYS_SENT},
        {"each failed", {TRANSIENT, TRANSIENT}, {.status = 200}, KEYS_DOUBTED},
        {"each was throttled", {THROTTLED, THROTTLED}, {.status = 200}, KEYS_DOUBTED},
        {"one was accepted, one is invalid", {"", INVALID}, {.status = 200}, KEYS_NEEDLESS},
        {"accepted", {"", ""}, {.status = 200}, KEYS_NEEDLESS},
        {"denied", {NULL}, {.status = 400, .class = RETRY_CONFIGURATION}, KEYS_DOUBTED},
        {"expired", {NULL}, {.status = 400, .class = RETRY_CREDENTIALS}, KEYS_DOUBTED},
        {"skewed", {NULL}, {.status = 400, .class = RETRY_SKEW, .skewed = true}, KEYS_DOUBTED},
        {"throttled", {NULL}, {.status = 400, .class = RETRY_THROTTLED}, KEYS_DOUBTED},
        {"server error", {NULL}, {.status = 500}, KEYS_DOUBTED},
        {"no reply",
         {NULL},
         {.result = ERR_BAD, .status = 400, .class = RETRY_RECORD},
         KEYS_DOUBTED},
        {"nothing sent", {NULL}, {.class = RETRY_RECORD}, KEYS_DOUBTED},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = rows[i].r;
        enum delivery_worth worth;

        keyless("kS");
        settings.max_attempts = 2;
        delivery.backoff.failed_at_ms = now.ms + 5000;
        r.form = WIRE_CBOR;
        r.records = rows[i].codes[0] != NULL;
        for (uint32_t n = 0; r.records && n < 2; n++)
            delivery_record(&delivery, n, span_of(rows[i].codes[n]));
        worth = delivery_replied(&delivery, now, &r);
        CHECK_INT(rows[i].name, worth == DELIVERY_KEYED, rows[i].keys == KEYS_SENT);
        CHECK_INT(rows[i].name, delivery.keys, rows[i].keys);
        if (rows[i].keys == KEYS_NEEDLESS)
            CHECK_INT(rows[i].name, delivery.call.hopeful, rows[i].codes[1][0] != '\0');
        if (rows[i].keys != KEYS_SENT)
            continue;
        CHECK_INT(rows[i].name, delivery.backoff.calls_at_ms, 0);
        CHECK_INT(rows[i].name, delivery.backoff.failed_at_ms, 0);
        /* at once, and nothing has been made of it that was refused */
        CHECK_INT(rows[i].name, delivery.breaker.failures, 0);
        CHECK_INT(rows[i].name, delivery.backoff.at_once, false);
        CHECK_INT(rows[i].name, sent(), 2);
        CHECK_INT(rows[i].name, delivery.call.what, QUEUE_TAKE_FAILED);
        for (uint32_t n = 0; n < 2; n++)
            CHECK_INT(rows[i].name, queue_at(&delivery.queue, QUEUE_STREAM, n).refusals,
                      rows[i].codes[0] != NULL && strcmp(rows[i].codes[n], TRANSIENT) == 0);
        CHECK_INT(rows[i].name, order.keyless, false);
    }
}

/* Keys are the same with each try, whether they go along or not; what is refused with them is dealt with as ever. */
static void
keyed(void **state)
{
    char keys[2][8];

    (void)state;
    keyless("k");
    for (uint32_t i = 0; i < 2; i++)
        memcpy(keys[i], queue_at(&delivery.queue, QUEUE_STREAM, i).partition_key.p, 8);
    assert_memory_not_equal(keys[0], keys[1], 8);
    for (unsigned tries = 0; tries < 3; tries++) {
        answer(NULL, (struct delivery_reply){.status = tries == 0 ? 400 : 500,
                                             .class = tries == 0 ? RETRY_RECORD : RETRY_TRANSIENT});
        assert_int_equal(delivery.breaker.failures, tries);
        sent_again();
        assert_false(order.keyless);
        for (uint32_t i = 0; i < 2; i++)
            CHECK_SPAN("key", queue_at(&delivery.queue, QUEUE_STREAM, i).partition_key,
                       ((struct span){keys[i], 8}));
    }
    answer(NULL, (struct delivery_reply){.status = 400, .class = RETRY_RECORD});
    assert_int_equal(delivery.queue.count[QUEUE_SUSPECT], 2);
}

/* What is accepted without keys is counted without them; a refusal then is as ever. */
static void
needless(void **state)
{
    (void)state;
    keyless("k");
    answer((const char *const[]){"", ""}, (struct delivery_reply){.status = 200});
    assert_int_equal(delivery.ledger.bytes, 200);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(offer(100), 0);
    delivery_flush(&delivery);
    assert_int_equal(sent(), 2);
    assert_true(order.keyless);
    answer(NULL, (struct delivery_reply){.status = 400, .class = RETRY_RECORD});
    assert_int_equal(delivery.keys, KEYS_NEEDLESS);
    assert_int_equal(delivery.queue.count[QUEUE_SUSPECT], 2);
    /* beside keys that are sent */
    keyless("k");
    answer(NULL, (struct delivery_reply){.status = 400, .class = RETRY_RECORD});
    assert_int_equal(sent(), 2);
    answer((const char *const[]){"", ""}, (struct delivery_reply){.status = 200});
    assert_int_equal(delivery.ledger.bytes, 216);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_records), cmocka_unit_test(waits),
        cmocka_unit_test(exhausted),  cmocka_unit_test(exhausted_otherwise),
        cmocka_unit_test(goes_on),    cmocka_unit_test(rejoin),
        cmocka_unit_test(fails),      cmocka_unit_test(outcomes),
        cmocka_unit_test(vain),       cmocka_unit_test(last_words),
        cmocka_unit_test(at_pace),    cmocka_unit_test(success),
        cmocka_unit_test(searched),   cmocka_unit_test(pieces),
        cmocka_unit_test(given_up),   cmocka_unit_test(refused_credentials),
        cmocka_unit_test(room),       cmocka_unit_test(wants_keys),
        cmocka_unit_test(keyed),      cmocka_unit_test(needless),
    };

    return RUN(argc, argv, tests);
}
