#include "protocol/dns.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61
#define ID "\x12\x34"

static const struct {
    const char *name;
    enum dns_type type;
    int want;
    struct span query;
} queries[] = {
    {"kinesis.test", DNS_A, 0, TEXT(ID "\1\0\0\1\0\0\0\0\0\0\7kinesis\4test\0\0\1\0\1")},
    {"kinesis.test.", DNS_AAAA, 0, TEXT(ID "\1\0\0\1\0\0\0\0\0\0\7kinesis\4test\0\0\34\0\1")},
    {"a", DNS_A, 0, TEXT(ID "\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1")},
    {LABEL_63, DNS_A, 0, TEXT(ID "\1\0\0\1\0\0\0\0\0\0\77" LABEL_63 "\0\0\1\0\1")},
    {LABEL_63 "0", DNS_A, ERR_BAD, TEXT("")},
    {"", DNS_A, ERR_BAD, TEXT("")},
    {".", DNS_A, ERR_BAD, TEXT("")},
    {"..", DNS_A, ERR_BAD, TEXT("")},
    {"a..b", DNS_A, ERR_BAD, TEXT("")},
    {".a", DNS_A, ERR_BAD, TEXT("")},
    {"a..", DNS_A, ERR_BAD, TEXT("")},
};

static void
query(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(queries); i++) {
        struct dns_question q = {.type = queries[i].type, .id = 0x1234};
        struct span want = queries[i].query;

        q.name = guard_copy(span_of(queries[i].name));
        for (size_t cap = 0; cap <= want.len + 1; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(queries[i].name, dns_query(&o, &q),
                      queries[i].want != 0 ? queries[i].want : (cap < want.len ? ERR_FULL : 0));
            if (queries[i].want == 0 && cap >= want.len)
                CHECK_SPAN(queries[i].name, out_span(&o), want);
        }
    }
}

/* The longest name fits just so. */
static void
longest(void **state)
{
    struct dns_question q = {SPAN(NAME_253), DNS_A, 1};
    struct dns_question dotted = {SPAN(NAME_253 "."), DNS_A, 1};
    struct dns_question longer = {SPAN(NAME_253 "z"), DNS_A, 1};
    struct out o = out_to(guard_buffer(DNS_QUERY_MAX), DNS_QUERY_MAX);

    (void)state;
    assert_int_equal(strlen(NAME_253), 253);
    assert_int_equal(dns_query(&o, &q), 0);
    assert_int_equal(o.len, DNS_QUERY_MAX);
    o.len = 0;
    assert_int_equal(dns_query(&o, &dotted), 0);
    o.len = 0;
    assert_int_equal(dns_query(&o, &longer), ERR_BAD);
}

/* A message: flags, numbers of questions and answers, then the question and what follows. */
#define MESSAGE(flags, questions, answers) ID flags "\0" questions "\0" answers "\0\0\0\0"
#define QUESTION "\7kinesis\4test\0\0\1\0\1"
#define QUESTION_6 "\7kinesis\4test\0\0\34\0\1"
#define OK "\x81\x80"
#define TTL "\0\0\0\74"
/* Records: the name is a pointer to the question's. */
#define A(last) "\xc0\14\0\1\0\1" TTL "\0\4\12\0\0" last
#define AAAA(last) "\xc0\14\0\34\0\1" TTL "\0\20\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0" last
#define CNAME "\xc0\14\0\5\0\1" TTL "\0\10\5alias\xc0\24"

/* want_v4: the last bytes of the addresses. */
static const struct {
    const char *name;
    struct span message;
    enum dns_reply want;
    const char *addresses;
    enum dns_type type; /* DNS_A when 0 */
} replies[] = {
    {"one", TEXT(MESSAGE(OK, "\1", "\1") QUESTION A("\1")), DNS_FOUND, "\1", 0},
    {"two", TEXT(MESSAGE(OK, "\1", "\2") QUESTION A("\1") A("\2")), DNS_FOUND, "\1\2", 0},
    {"one of IPv6", TEXT(MESSAGE(OK, "\1", "\1") QUESTION_6 AAAA("\7")), DNS_FOUND, "\7", DNS_AAAA},
    {"behind a chain",
     TEXT(MESSAGE(OK, "\1", "\2") QUESTION CNAME "\5alias\xc0\24\0\1\0\1" TTL "\0\4\12\0\0\5"),
     DNS_FOUND, "\5", 0},
    {"chain behind the address", TEXT(MESSAGE(OK, "\1", "\2") QUESTION A("\5") CNAME), DNS_FOUND,
     "\5", 0},
    {"the name written out",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\7kinesis\4test\0\0\1\0\1" TTL "\0\4\12\0\0\6"),
     DNS_FOUND, "\6", 0},
    {"a name that is the root",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\0\0\1\0\1" TTL "\0\4\12\0\0\6"), DNS_FOUND, "\6", 0},
    {"another case", TEXT(MESSAGE(OK, "\1", "\1") "\7KINESIS\4Test\0\0\1\0\1" A("\1")), DNS_FOUND,
     "\1", 0},
    {"authoritative", TEXT(MESSAGE("\x85\x00", "\1", "\1") QUESTION A("\1")), DNS_FOUND, "\1", 0},
    {"more sections", TEXT(ID OK "\0\1\0\1\0\1\0\1" QUESTION A("\1") A("\2") A("\3")), DNS_FOUND,
     "\1", 0},
    {"nine, of which there is room for eight",
     TEXT(MESSAGE(OK, "\1", "\11") QUESTION A("\1") A("\2") A("\3") A("\4") A("\5") A("\6") A("\7")
              A("\10") A("\11")),
     DNS_FOUND, "\1\2\3\4\5\6\7\10", 0},
    {"other types between",
     TEXT(MESSAGE(OK, "\1", "\4") QUESTION AAAA("\1") A("\2") AAAA("\3") A("\4")), DNS_FOUND,
     "\2\4", 0},
    {"another class", TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\xc0\14\0\1\0\3" TTL "\0\4\12\0\0\1"),
     DNS_NO_ADDRESS, "", 0},
    {"an address of five bytes",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\xc0\14\0\1\0\1" TTL "\0\5\12\0\0\1\1"), DNS_NO_ADDRESS,
     "", 0},

    {"no answers", TEXT(MESSAGE(OK, "\1", "\0") QUESTION), DNS_NO_ADDRESS, "", 0},
    {"a chain without end", TEXT(MESSAGE(OK, "\1", "\1") QUESTION CNAME), DNS_NO_ADDRESS, "", 0},
    {"NXDOMAIN", TEXT(MESSAGE("\x81\x83", "\1", "\0") QUESTION), DNS_NO_NAME, "", 0},
    {"NXDOMAIN at the end of a chain", TEXT(MESSAGE("\x81\x83", "\1", "\1") QUESTION CNAME),
     DNS_NO_NAME, "", 0},
    {"FORMERR", TEXT(MESSAGE("\x81\x81", "\1", "\0") QUESTION), DNS_FAILED, "", 0},
    {"FORMERR without a question", TEXT(MESSAGE("\x81\x81", "\0", "\0")), DNS_FAILED, "", 0},
    {"SERVFAIL", TEXT(MESSAGE("\x81\x82", "\1", "\0") QUESTION), DNS_FAILED, "", 0},
    {"SERVFAIL with an address", TEXT(MESSAGE("\x81\x82", "\1", "\1") QUESTION A("\1")), DNS_FAILED,
     "", 0},
    {"REFUSED", TEXT(MESSAGE("\x81\x85", "\1", "\0") QUESTION), DNS_FAILED, "", 0},

    {"cut", TEXT(MESSAGE("\x83\x80", "\1", "\0") QUESTION), DNS_CUT, "", 0},
    {"cut behind the chain", TEXT(MESSAGE("\x83\x80", "\1", "\1") QUESTION CNAME), DNS_CUT, "", 0},
    {"cut in the midst", TEXT(MESSAGE("\x83\x80", "\1", "\2") QUESTION CNAME "\xc0\14"), DNS_CUT,
     "", 0},
    {"cut behind an address", TEXT(MESSAGE("\x83\x80", "\1", "\2") QUESTION A("\1")), DNS_FOUND,
     "\1", 0},

    {"less answers than said", TEXT(MESSAGE(OK, "\1", "\2") QUESTION A("\1")), DNS_FOUND, "\1", 0},
    {"none of the answers said", TEXT(MESSAGE(OK, "\1", "\1") QUESTION), DNS_FAILED, "", 0},
    {"data longer than the message",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\xc0\14\0\1\0\1" TTL "\0\5\12\0\0\1"), DNS_FAILED, "",
     0},
    {"a label longer than the message",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\77\0\1\0\1" TTL "\0\4\12\0\0\1"), DNS_FAILED, "", 0},
    {"a label of a kind not in use",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\x40\0\0\1\0\1" TTL "\0\4\12\0\0\1"), DNS_FAILED, "",
     0},
    {"a pointer to itself",
     TEXT(MESSAGE(OK, "\1", "\1") QUESTION "\xc0\36\0\1\0\1" TTL "\0\4\12\0\0\1"), DNS_FOUND, "\1",
     0},

    {"another id", TEXT("\x12\x35" OK "\0\1\0\1\0\0\0\0" QUESTION A("\1")), DNS_FOREIGN, "", 0},
    {"a query", TEXT(MESSAGE("\1\0", "\1", "\1") QUESTION A("\1")), DNS_FOREIGN, "", 0},
    {"another operation", TEXT(MESSAGE("\xa1\x80", "\1", "\1") QUESTION A("\1")), DNS_FOREIGN, "",
     0},
    {"another name", TEXT(MESSAGE(OK, "\1", "\1") "\7kinesit\4test\0\0\1\0\1" A("\1")), DNS_FOREIGN,
     "", 0},
    {"another type", TEXT(MESSAGE(OK, "\1", "\1") QUESTION_6 A("\1")), DNS_FOREIGN, "", 0},
    {"another class asked for", TEXT(MESSAGE(OK, "\1", "\1") "\7kinesis\4test\0\0\1\0\3" A("\1")),
     DNS_FOREIGN, "", 0},
    {"two questions", TEXT(MESSAGE(OK, "\2", "\1") QUESTION QUESTION A("\1")), DNS_FOREIGN, "", 0},
    {"no question", TEXT(MESSAGE(OK, "\0", "\1") QUESTION A("\1")), DNS_FOREIGN, "", 0},
    {"NXDOMAIN for another name", TEXT(MESSAGE("\x81\x83", "\1", "\0") "\7kinesit\4test\0\0\1\0\1"),
     DNS_FOREIGN, "", 0},
    {"empty", TEXT(""), DNS_FOREIGN, "", 0},
};

static struct dns_question
question(size_t i)
{
    return (struct dns_question){SPAN("kinesis.test"),
                                 replies[i].type == 0 ? DNS_A : replies[i].type, 0x1234};
}

static void
reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct dns_question q = question(i);
        struct addresses found = {0};
        const char *row = replies[i].name;
        bool v6 = q.type == DNS_AAAA;

        seed("dns", replies[i].message);
        CHECK_INT(row, dns_read(guard_copy(replies[i].message), &q, &found), replies[i].want);
        CHECK_INT(row, v6 ? found.v6_len : found.v4_len, strlen(replies[i].addresses));
        CHECK_INT(row, v6 ? found.v4_len : found.v6_len, 0);
        for (size_t n = 0; n < strlen(replies[i].addresses); n++)
            CHECK_INT(row, v6 ? found.v6[n][15] : found.v4[n][3], replies[i].addresses[n]);
    }
}

/* Cut short anywhere it is not for us, or garbled, or has the addresses that are there. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct dns_question q = question(i);
        struct addresses whole = {0};
        unsigned before = 0;

        (void)dns_read(replies[i].message, &q, &whole);
        for (size_t n = 0; n < replies[i].message.len; n++) {
            struct span message = guard_copy((struct span){replies[i].message.p, n});
            struct addresses found = {0};
            enum dns_reply got = dns_read(message, &q, &found);
            unsigned len = found.v4_len + found.v6_len;

            CHECK(replies[i].name, len >= before && (got == DNS_FOUND) == (len > 0));
            CHECK(replies[i].name, memcmp(found.v4, whole.v4, found.v4_len * 4) == 0);
            CHECK(replies[i].name, n >= 12 || got == DNS_FOREIGN);
            CHECK(replies[i].name, got == replies[i].want || got == DNS_FOREIGN ||
                                       got == DNS_FAILED || got == DNS_CUT || got == DNS_FOUND);
            before = len;
        }
    }
}

/* What is found is added to what is there. */
static void
added(void **state)
{
    struct dns_question q = question(0);
    struct addresses found = {.v4_len = 1, .v4 = {{1, 2, 3, 4}}};
    struct span none = TEXT(MESSAGE(OK, "\1", "\0") QUESTION);

    (void)state;
    assert_int_equal(dns_read(none, &q, &found), DNS_NO_ADDRESS);
    assert_int_equal(dns_read(replies[1].message, &q, &found), DNS_FOUND);
    assert_int_equal(found.v4_len, 3);
    assert_int_equal(found.v4[0][3], 4);
    assert_int_equal(found.v4[2][3], 2);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(query), cmocka_unit_test(longest), cmocka_unit_test(reply),
        cmocka_unit_test(cut),   cmocka_unit_test(added),
    };

    return RUN(argc, argv, tests);
}
