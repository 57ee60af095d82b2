#include "protocol/ledger.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define MOST UINT64_MAX
#define MOST_TEXT "18446744073709551615"

static const struct {
    const char *name;
    struct ledger ledger;
    const char *want;
} ledgers[] = {
    {"nothing happened",
     {0},
     "\"received\":0,\"delivered\":0,\"deadLettered\":0,\"retried\":0,"
     "\"duplicatesPossible\":0,\"repeated\":0,\"truncated\":0,\"split\":0,\"ownLines\":0,"
     "\"dropped\":{\"total\":0,\"oversize\":0,\"cut\":0,\"unreadable\":0,\"refused\":0,"
     "\"overflow\":0,\"shutdown\":0},"
     "\"filtered\":{\"total\":0,\"level\":0,\"pattern\":0,\"sample\":0,\"held\":0},"
     "\"platformDropped\":{\"records\":0,\"bytes\":0},"
     "\"bytes\":0,\"records\":0,\"payloadBytes\":0,\"units\":0,\"requests\":0,"
     "\"connections\":0,\"handshakes\":0,\"breakerOpenings\":0"},
    {"each its own",
     {.received = 1234,
      .delivered = 1150,
      .dead_lettered = 50,
      .retried = 56,
      .duplicates_possible = 25,
      .repeated = 21,
      .truncated = 9,
      .split = 8,
      .own_lines = 3,
      .dropped = {1, 2, 4, 8, 16, 32},
      .filtered = {3, 5, 10, 20},
      .platform_dropped_records = 7,
      .platform_dropped_bytes = 4096,
      .bytes = 70000,
      .records = 1020,
      .payload_bytes = 60000,
      .units = 1021,
      .requests = 30,
      .connections = 3,
      .handshakes = 6,
      .breaker_openings = 5},
     "\"received\":1234,\"delivered\":1150,\"deadLettered\":50,\"retried\":56,"
     "\"duplicatesPossible\":25,\"repeated\":21,\"truncated\":9,\"split\":8,\"ownLines\":3,"
     "\"dropped\":{\"total\":63,\"oversize\":1,\"cut\":2,\"unreadable\":4,\"refused\":8,"
     "\"overflow\":16,\"shutdown\":32},"
     "\"filtered\":{\"total\":38,\"level\":3,\"pattern\":5,\"sample\":10,\"held\":20},"
     "\"platformDropped\":{\"records\":7,\"bytes\":4096},"
     "\"bytes\":70000,\"records\":1020,\"payloadBytes\":60000,\"units\":1021,\"requests\":30,"
     "\"connections\":3,\"handshakes\":6,\"breakerOpenings\":5"},
    {"all that can be",
     {.received = MOST,
      .delivered = MOST,
      .dead_lettered = MOST,
      .retried = MOST,
      .duplicates_possible = MOST,
      .repeated = MOST,
      .truncated = MOST,
      .split = MOST,
      .own_lines = MOST,
      .dropped = {0, MOST, 0, 0, 0, 0},
      .filtered = {0, 0, MOST, 0},
      .platform_dropped_records = MOST,
      .platform_dropped_bytes = MOST,
      .bytes = MOST,
      .records = MOST,
      .payload_bytes = MOST,
      .units = MOST,
      .requests = MOST,
      .connections = MOST,
      .handshakes = MOST,
      .breaker_openings = MOST},
     "\"received\":" MOST_TEXT ",\"delivered\":" MOST_TEXT ",\"deadLettered\":" MOST_TEXT
     ",\"retried\":" MOST_TEXT ",\"duplicatesPossible\":" MOST_TEXT ",\"repeated\":" MOST_TEXT
     ",\"truncated\":" MOST_TEXT ",\"split\":" MOST_TEXT ",\"ownLines\":" MOST_TEXT
     ",\"dropped\":{\"total\":" MOST_TEXT ",\"oversize\":0,\"cut\":" MOST_TEXT
     ",\"unreadable\":0,\"refused\":0,\"overflow\":0,\"shutdown\":0},"
     "\"filtered\":{\"total\":" MOST_TEXT ",\"level\":0,\"pattern\":0,\"sample\":" MOST_TEXT
     ",\"held\":0},"
     "\"platformDropped\":{\"records\":" MOST_TEXT ",\"bytes\":" MOST_TEXT "},\"bytes\":" MOST_TEXT
     ",\"records\":" MOST_TEXT ",\"payloadBytes\":" MOST_TEXT ",\"units\":" MOST_TEXT
     ",\"requests\":" MOST_TEXT ",\"connections\":" MOST_TEXT ",\"handshakes\":" MOST_TEXT
     ",\"breakerOpenings\":" MOST_TEXT},
};

/* Into every room from none to just enough and one more. */
static void
write_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ledgers); i++) {
        struct span want = span_of(ledgers[i].want);

        for (size_t cap = 0; cap <= want.len + 1; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(ledgers[i].name, ledger_write(&o, &ledgers[i].ledger),
                      cap < want.len ? ERR_FULL : 0);
            CHECK(ledgers[i].name, span_starts(want, out_span(&o)));
        }
        CHECK_SPAN(ledgers[i].name, ((struct span){guard_buffer(want.len + 1), want.len}), want);
    }
}

/* The room that the header promises to suffice, for the longest numbers everywhere. */
static void
room_suffices(void **state)
{
    struct ledger l;
    struct out o = out_to(guard_buffer(1344), 1344);

    (void)state;
    memset(&l, 0xff, sizeof l);
    assert_int_equal(ledger_write(&o, &l), 0);
}

static void
drop(void **state)
{
    struct ledger l = {.received = 5};

    (void)state;
    assert_int_equal(ledger_dropped(&l), 0);
    for (unsigned reason = 0; reason < DROP_REASONS; reason++) {
        ledger_drop(&l, (enum ledger_drop)reason, 1 << reason);
        ledger_drop(&l, (enum ledger_drop)reason, 0);
        assert_int_equal(l.dropped[reason], 1 << reason);
        assert_int_equal(ledger_dropped(&l), (2 << reason) - 1);
    }
    ledger_drop(&l, DROP_CUT, 1ull << 40);
    assert_int_equal(l.dropped[DROP_CUT], (1ull << 40) + 2);
    assert_int_equal(ledger_dropped(&l), (1ull << 40) + 63);
    assert_int_equal(l.received, 5);
}

static void
filter(void **state)
{
    struct ledger l = {.received = 5};

    (void)state;
    assert_int_equal(ledger_filtered(&l), 0);
    for (unsigned reason = 0; reason < FILTERED_REASONS; reason++) {
        ledger_filter(&l, (enum ledger_filter)reason, 1 << reason);
        ledger_filter(&l, (enum ledger_filter)reason, 0);
        assert_int_equal(l.filtered[reason], 1 << reason);
        assert_int_equal(ledger_filtered(&l), (2 << reason) - 1);
        assert_int_equal(l.received, 5 + (2 << reason) - 1);
    }
    assert_int_equal(ledger_dropped(&l), 0);
}

static const struct {
    const char *name;
    struct ledger ledger;
    uint64_t queued;
    bool want;
} sums[] = {
    {"nothing happened", {0}, 0, true},
    {"queued from nowhere", {0}, 1, false},
    {"delivered", {.received = 3, .delivered = 3}, 0, true},
    {"one missing", {.received = 3, .delivered = 2}, 0, false},
    {"one too many", {.received = 3, .delivered = 3}, 1, false},
    {"one of each",
     {.received = 13,
      .delivered = 1,
      .dead_lettered = 1,
      .dropped = {1, 1, 1, 1, 1, 1},
      .filtered = {1, 1, 1, 1}},
     1,
     true},
    {"one in two places",
     {.received = 9, .delivered = 2, .dead_lettered = 1, .dropped = {1, 1, 1, 1, 1, 1}},
     1,
     false},
    {"others do not count",
     {.received = 2,
      .delivered = 1,
      .retried = 7,
      .duplicates_possible = 7,
      .truncated = 7,
      .split = 7,
      .platform_dropped_records = 7,
      .platform_dropped_bytes = 7,
      .bytes = 7,
      .requests = 7,
      .connections = 7,
      .handshakes = 7,
      .breaker_openings = 7},
     1,
     true},
};

static void
holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(sums); i++)
        CHECK_INT(sums[i].name, ledger_holds(&sums[i].ledger, sums[i].queued), sums[i].want);
}

/* What is the same in every document. */
#define METRICS                                                                                    \
    ",\"CloudWatchMetrics\":[{\"Namespace\":\"KinesisTelemetryExtension\","                        \
    "\"Dimensions\":[[\"FunctionName\"]],\"Metrics\":["                                            \
    "{\"Name\":\"Received\",\"Unit\":\"Count\"},"                                                  \
    "{\"Name\":\"Delivered\",\"Unit\":\"Count\"},"                                                 \
    "{\"Name\":\"DeadLettered\",\"Unit\":\"Count\"},"                                              \
    "{\"Name\":\"Retried\",\"Unit\":\"Count\"},"                                                   \
    "{\"Name\":\"DuplicatesPossible\",\"Unit\":\"Count\"},"                                        \
    "{\"Name\":\"Repeated\",\"Unit\":\"Count\"},"                                                  \
    "{\"Name\":\"Dropped\",\"Unit\":\"Count\"},"                                                   \
    "{\"Name\":\"Filtered\",\"Unit\":\"Count\"},"                                                  \
    "{\"Name\":\"PlatformDropped\",\"Unit\":\"Count\"},"                                           \
    "{\"Name\":\"BytesDelivered\",\"Unit\":\"Bytes\"},"                                            \
    "{\"Name\":\"Records\",\"Unit\":\"Count\"},"                                                   \
    "{\"Name\":\"PayloadBytes\",\"Unit\":\"Bytes\"},"                                              \
    "{\"Name\":\"Units\",\"Unit\":\"Count\"},"                                                     \
    "{\"Name\":\"Requests\",\"Unit\":\"Count\"},"                                                  \
    "{\"Name\":\"Connections\",\"Unit\":\"Count\"},"                                               \
    "{\"Name\":\"Handshakes\",\"Unit\":\"Count\"},"                                                \
    "{\"Name\":\"BreakerOpenings\",\"Unit\":\"Count\"},"                                           \
    "{\"Name\":\"Queued\",\"Unit\":\"Count\"}]}]}"

static const struct {
    const char *name;
    struct ledger now, before;
    struct ledger_source about;
    const char *want;
} metrics[] = {
    {"nothing known",
     {0},
     {0},
     {0},
     "{\"_aws\":{\"Timestamp\":0" METRICS ",\"FunctionName\":\"unknown\",\"functionVersion\":\"\","
     "\"sandbox\":\"\",\"logger\":\"\",\"Received\":0,\"Delivered\":0,\"DeadLettered\":0,"
     "\"Retried\":0,\"DuplicatesPossible\":0,\"Repeated\":0,\"Dropped\":0,\"Filtered\":0,"
     "\"PlatformDropped\":0,"
     "\"BytesDelivered\":0,\"Records\":0,\"PayloadBytes\":0,\"Units\":0,\"Requests\":0,"
     "\"Connections\":0,\"Handshakes\":0,"
     "\"BreakerOpenings\":0,\"Queued\":0}"},
    {"differences",
     {.received = 1234,
      .delivered = 1150,
      .dead_lettered = 50,
      .retried = 56,
      .duplicates_possible = 25,
      .repeated = 21,
      .truncated = 9,
      .split = 8,
      .dropped = {1, 2, 4, 8, 16, 32},
      .filtered = {3, 5, 10, 20},
      .platform_dropped_records = 7,
      .platform_dropped_bytes = 4096,
      .bytes = 70000,
      .records = 1020,
      .payload_bytes = 60000,
      .units = 1021,
      .requests = 30,
      .connections = 3,
      .handshakes = 6,
      .breaker_openings = 5},
     {.received = 234,
      .delivered = 149,
      .dead_lettered = 48,
      .retried = 53,
      .duplicates_possible = 21,
      .repeated = 9,
      .truncated = 9,
      .split = 8,
      .dropped = {1, 2, 4, 8, 15, 28},
      .filtered = {3, 5, 0, 14},
      .platform_dropped_records = 1,
      .platform_dropped_bytes = 96,
      .bytes = 69993,
      .records = 1007,
      .payload_bytes = 59986,
      .units = 1006,
      .requests = 22,
      .connections = 3,
      .handshakes = 5,
      .breaker_openings = 3},
     {.time_ms = 1574109732004,
      .function_name = TEXT("o"),
      .function_version = TEXT("$LATEST"),
      .sandbox = TEXT("00112233445566778899aabbccddeeff"),
      .logger = TEXT("kinesis-telemetry-api-extension"),
      .queued = 11},
     "{\"_aws\":{\"Timestamp\":1574109732004" METRICS ",\"FunctionName\":\"o\","
     "\"functionVersion\":\"$LATEST\",\"sandbox\":\"00112233445566778899aabbccddeeff\","
     "\"logger\":\"kinesis-telemetry-api-extension\",\"Received\":1000,\"Delivered\":1001,"
     "\"DeadLettered\":2,\"Retried\":3,\"DuplicatesPossible\":4,\"Repeated\":12,\"Dropped\":5,"
     "\"Filtered\":16,"
     "\"PlatformDropped\":6,\"BytesDelivered\":7,\"Records\":13,\"PayloadBytes\":14,\"Units\":15,"
     "\"Requests\":8,\"Connections\":0,"
     "\"Handshakes\":1,\"BreakerOpenings\":2,\"Queued\":11}"},
    {"texts that need escapes, and one too long",
     {0},
     {0},
     {.function_name = TEXT("a\"b"),
      .function_version = TEXT("\n"),
      .sandbox = TEXT("0123456789012345678901234567890123456789012345678901234567890123x"),
      .logger = TEXT("\x01\\")},
     "{\"_aws\":{\"Timestamp\":0" METRICS ",\"FunctionName\":\"a\\\"b\","
     "\"functionVersion\":\"\\n\","
     "\"sandbox\":\"0123456789012345678901234567890123456789012345678901234567890123\","
     "\"logger\":\"\\u0001\\\\\",\"Received\":0,\"Delivered\":0,\"DeadLettered\":0,"
     "\"Retried\":0,\"DuplicatesPossible\":0,\"Repeated\":0,\"Dropped\":0,\"Filtered\":0,"
     "\"PlatformDropped\":0,"
     "\"BytesDelivered\":0,\"Records\":0,\"PayloadBytes\":0,\"Units\":0,\"Requests\":0,"
     "\"Connections\":0,\"Handshakes\":0,"
     "\"BreakerOpenings\":0,\"Queued\":0}"},
};

/* The texts behind a byte that tells their length, then the counters. */
static void
seed_metrics(const struct ledger *now, const struct ledger *before, const struct ledger_source *l)
{
    const struct span texts[] = {l->function_name, l->function_version, l->sandbox, l->logger};
    char text[1024];
    struct out o = out_to(text, sizeof text);

    for (size_t i = 0; i < LEN(texts); i++) {
        out_byte(&o, (char)texts[i].len);
        out_put(&o, texts[i]);
    }
    out_put(&o, (struct span){(const char *)now, sizeof *now});
    out_put(&o, (struct span){(const char *)before, sizeof *before});
    assert_int_equal(out_end(&o), 0);
    seed("ledger", out_span(&o));
}

static void
write_metrics(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(metrics); i++) {
        struct span want = span_of(metrics[i].want);

        seed_metrics(&metrics[i].now, &metrics[i].before, &metrics[i].about);
        for (size_t cap = 0; cap <= want.len + 1; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(
                metrics[i].name,
                ledger_write_metrics(&o, &metrics[i].now, &metrics[i].before, &metrics[i].about),
                cap < want.len ? ERR_FULL : 0);
            CHECK(metrics[i].name, span_starts(want, out_span(&o)));
        }
        CHECK_SPAN(metrics[i].name, ((struct span){guard_buffer(want.len + 1), want.len}), want);
    }
}

/* The parts of the sum that the header gives for the longest numbers and texts. */
static void
room_suffices_for_metrics(void **state)
{
    static const char worst[2000] = {1};
    struct span text = {worst, sizeof worst};
    struct ledger_source about = {MOST, text, text, text, text, MOST};
    struct ledger now;
    struct ledger before = {0};
    struct out o = out_to(guard_buffer(4096), 4096);

    (void)state;
    memset(&now, 0xff, sizeof now);
    assert_int_equal(ledger_write_metrics(&o, &now, &before, &about), 0);
    assert_true(o.len <= 1600 + 19 * 20 + 4 * 64 * 6);
    assert_int_equal(o.p[o.len - 1], '}');
    assert_null(memchr(o.p, '\n', o.len));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_all),
        cmocka_unit_test(room_suffices),
        cmocka_unit_test(drop),
        cmocka_unit_test(filter),
        cmocka_unit_test(holds),
        cmocka_unit_test(write_metrics),
        cmocka_unit_test(room_suffices_for_metrics),
    };

    return RUN(argc, argv, tests);
}
