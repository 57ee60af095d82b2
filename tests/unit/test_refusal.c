#include "protocol/refusal.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define VALUE_AT(n, member)                                                                        \
    "Value at 'records." n ".member." member "' failed to satisfy constraint: "
#define AT_MOST(n) "Member must have length less than or equal to " n

static const struct {
    const char *name;
    const char *message;
    struct refusal want[3];
    size_t want_len;
} messages[] = {
    {"one",
     "1 validation error detected: " VALUE_AT("3", "data") AT_MOST("1048576") ".",
     {{2, REFUSAL_DATA, 1048576}},
     1},
    {"the first",
     "1 validation error detected: " VALUE_AT("1", "data") AT_MOST("1048576"),
     {{0, REFUSAL_DATA, 1048576}},
     1},
    {"two",
     "2 validation errors detected: " VALUE_AT("3", "data")
         AT_MOST("1048576") "; " VALUE_AT("500", "data") AT_MOST("10485760"),
     {{2, REFUSAL_DATA, 1048576}, {499, REFUSAL_DATA, 10485760}},
     2},
    {"three, the second without limit",
     VALUE_AT("1", "data") AT_MOST("7") "; " VALUE_AT(
         "2", "explicitHashKey") "Member must satisfy regular expression pattern: "
                                 "0|([1-9]\\\\d{0,38}); " VALUE_AT("3", "partitionKey")
                                     AT_MOST("256") " and greater than or equal to 1.",
     {{0, REFUSAL_DATA, 7}, {1, REFUSAL_OTHER, 0}, {2, REFUSAL_PARTITION_KEY, 256}},
     3},
    {"one record twice",
     VALUE_AT("4", "data") AT_MOST("1") "; " VALUE_AT("4", "partitionKey"),
     {{3, REFUSAL_DATA, 1}, {3, REFUSAL_PARTITION_KEY, 0}},
     2},
    {"escaped quotes",
     "Value at \\u0027records.3.member.data\\u0027 failed: " AT_MOST("1048576."),
     {{2, REFUSAL_DATA, 1048576}},
     1},
    {"escaped double quotes",
     "at \\\"records.3.member.data\\\": " AT_MOST("12\\\""),
     {{2, REFUSAL_DATA, 12}},
     1},
    {"member in capitals", "records.3.member.Data", {{2, REFUSAL_DATA, 0}}, 1},
    {"member that begins alike", "records.3.member.dataset", {{2, REFUSAL_OTHER, 0}}, 1},
    {"member missing", "records.3.member.' " AT_MOST("5"), {{2, REFUSAL_OTHER, 5}}, 1},
    {"limit too large", "records.3.member.data " AT_MOST("4294967296"), {{2, REFUSAL_DATA, 0}}, 1},
    {"largest",
     "records.4294967295.member.data " AT_MOST("4294967295"),
     {{4294967294, REFUSAL_DATA, 4294967295}},
     1},
    {"limit cut", "records.3.member.data " AT_MOST(""), {{2, REFUSAL_DATA, 0}}, 1},
    {"limit before the name does not count",
     AT_MOST("9") " records.3.member.data",
     {{2, REFUSAL_DATA, 0}},
     1},
    {"a false one first",
     "records.x.member.data records.0.member.data records.3.member.key",
     {{2, REFUSAL_OTHER, 0}},
     1},

    {"nothing", "", {{0}}, 0},
    {"other message", "Stream arn:aws:kinesis:us-east-1:1:stream/a not found", {{0}}, 0},
    {"other member", "1 validation error detected: Value 'x!' at 'streamName' failed", {{0}}, 0},
    {"records as such",
     "Value '[]' at 'records' failed: length less than or equal to 500",
     {{0}},
     0},
    {"record as such", "Value null at 'records.3.member' failed", {{0}}, 0},
    {"zero", "records.0.member.data", {{0}}, 0},
    {"no number", "records..member.data", {{0}}, 0},
    {"number too large", "records.4294967296.member.data", {{0}}, 0},
    {"negative", "records.-1.member.data", {{0}}, 0},
    {"cut in the number", "records.3", {{0}}, 0},
    {"cut behind the name", "records.", {{0}}, 0},
};

/* Whole, and cut short anywhere. */
static void
names(void **state)
{
    struct span empty = {NULL, 0};
    struct refusal got;

    (void)state;
    assert_int_equal(refusal_next(&empty, &got), 0);
    for (size_t i = 0; i < LEN(messages); i++) {
        seed("refusal", span_of(messages[i].message));
        for (size_t n = strlen(messages[i].message), whole = n; n <= whole; n--) {
            struct span message = guard_copy((struct span){messages[i].message, n});
            size_t met = 0;

            while (refusal_next(&message, &got) == 1) {
                const struct refusal *want = &messages[i].want[met++];

                CHECK(messages[i].name, met <= messages[i].want_len || n < whole);
                if (n < whole)
                    continue;
                CHECK_INT(messages[i].name, got.index, want->index);
                CHECK_INT(messages[i].name, got.member, want->member);
                CHECK_INT(messages[i].name, got.limit_bytes, want->limit_bytes);
            }
            CHECK(messages[i].name,
                  n < whole ? met <= messages[i].want_len + 1 : met == messages[i].want_len);
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
    };

    return RUN(argc, argv, tests);
}
