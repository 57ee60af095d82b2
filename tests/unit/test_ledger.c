#include "protocol/ledger.h"

#include "check.h"
#include "guard.h"

#define MOST UINT64_MAX
#define MOST_TEXT "18446744073709551615"

static const struct {
    const char *name;
    struct ledger ledger;
    const char *want;
} ledgers[] = {
    {"nothing happened",
     {0},
     "\"received\":0,\"delivered\":0,\"retried\":0,"
     "\"dropped\":{\"total\":0,\"oversize\":0,\"cut\":0,\"unreadable\":0,\"refused\":0,"
     "\"shutdown\":0},\"platformDropped\":{\"records\":0,\"bytes\":0},"
     "\"requests\":0,\"connections\":0"},
    {"each its own",
     {.received = 1234,
      .delivered = 1200,
      .retried = 56,
      .dropped = {1, 2, 4, 8, 16},
      .platform_dropped_records = 7,
      .platform_dropped_bytes = 4096,
      .requests = 30,
      .connections = 3},
     "\"received\":1234,\"delivered\":1200,\"retried\":56,"
     "\"dropped\":{\"total\":31,\"oversize\":1,\"cut\":2,\"unreadable\":4,\"refused\":8,"
     "\"shutdown\":16},\"platformDropped\":{\"records\":7,\"bytes\":4096},"
     "\"requests\":30,\"connections\":3"},
    {"all that can be",
     {.received = MOST,
      .delivered = MOST,
      .retried = MOST,
      .dropped = {0, MOST, 0, 0, 0},
      .platform_dropped_records = MOST,
      .platform_dropped_bytes = MOST,
      .requests = MOST,
      .connections = MOST},
     "\"received\":" MOST_TEXT ",\"delivered\":" MOST_TEXT ",\"retried\":" MOST_TEXT ","
     "\"dropped\":{\"total\":" MOST_TEXT ",\"oversize\":0,\"cut\":" MOST_TEXT
     ",\"unreadable\":0,\"refused\":0,\"shutdown\":0},"
     "\"platformDropped\":{\"records\":" MOST_TEXT ",\"bytes\":" MOST_TEXT "},"
     "\"requests\":" MOST_TEXT ",\"connections\":" MOST_TEXT},
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
    struct out o = out_to(guard_buffer(1024), 1024);

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
    assert_int_equal(ledger_dropped(&l), (1ull << 40) + 31);
    assert_int_equal(l.received, 5);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_all),
        cmocka_unit_test(room_suffices),
        cmocka_unit_test(drop),
    };

    return RUN(argc, argv, tests);
}
