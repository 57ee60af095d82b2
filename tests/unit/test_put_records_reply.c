#include "protocol/put_records_reply.h"

#include "check.h"
#include "diag.h"
#include "guard.h"
#include "seed.h"

#define ID "\"SequenceNumber\":\"49\",\"ShardId\":\"shardId-000000000001\""
#define THROTTLED "ProvisionedThroughputExceededException"

/* seen: for each callback, index:code:message; */
struct row {
    const char *name;
    struct span body;
    size_t records_len;
    int want;
    const char *seen;
};

static const struct row replies[] = {
    {"one accepted", TEXT("{\"FailedRecordCount\":0,\"Records\":[{" ID "}]}"), 1, 0, "0::;"},
    {"documented",
     TEXT("{\"FailedRecordCount\":1,\"EncryptionType\":\"KMS\",\"Records\":[\n {" ID "},\n"
          " {\"ErrorCode\":\"" THROTTLED "\",\"ErrorMessage\":\"Rate \\\"x\\\"\"}]}\n"),
     2, 1, "0::;1:" THROTTLED ":Rate \\\"x\\\";"},
    {"order of members",
     TEXT("{\"Records\":[{\"ErrorMessage\":\"m\",\"ErrorCode\":\"c\"},{"
          "\"ShardId\":\"x\",\"SequenceNumber\":\"1\"}],\"FailedRecordCount\":1}"),
     2, 1, "0:c:m;1::;"},
    {"nulls",
     TEXT("{\"FailedRecordCount\":1,\"EncryptionType\":null,\"Records\":[{" ID
          ",\"ErrorCode\":null,\"ErrorMessage\":null},{\"SequenceNumber\":null,"
          "\"ShardId\":null,\"ErrorCode\":\"InternalFailure\",\"ErrorMessage\":"
          "\"Internal service failure.\"}]}"),
     2, 1, "0::;1:InternalFailure:Internal service failure.;"},
    {"empty code", TEXT("{\"Records\":[{" ID ",\"ErrorCode\":\"\"}]}"), 1, 0, "0::;"},
    {"code without message", TEXT("{\"Records\":[{\"ErrorCode\":\"c\"}]}"), 1, 1, "0:c:;"},
    {"code and sequence number", TEXT("{\"Records\":[{" ID ",\"ErrorCode\":\"c\"}]}"), 1, 1,
     "0:c:;"},
    {"all failed",
     TEXT("{\"FailedRecordCount\":3,\"Records\":[{\"ErrorCode\":\"a\"},{\"ErrorCode\""
          ":\"b\"},{\"ErrorCode\":\"c\"}]}"),
     3, 3, "0:a:;1:b:;2:c:;"},
    {"count left out", TEXT("{\"Records\":[{" ID "}]}"), 1, 0, "0::;"},
    {"count wrong", TEXT("{\"FailedRecordCount\":7,\"Records\":[{" ID "}]}"), 1, 0, "0::;"},
    {"members unknown",
     TEXT("{\"a\":[{\"Records\":[]}],\"Records\":[{\"b\":{\"ErrorCode\":\"c\"}," ID "}]}"), 1, 0,
     "0::;"},

    {"one too few", TEXT("{\"Records\":[{" ID "}]}"), 2, ERR_BAD, ""},
    {"one too many", TEXT("{\"Records\":[{" ID "},{" ID "}]}"), 1, ERR_BAD, ""},
    {"none", TEXT("{\"Records\":[]}"), 1, ERR_BAD, ""},
    {"no Records", TEXT("{\"FailedRecordCount\":0}"), 1, ERR_BAD, ""},
    {"Records null", TEXT("{\"Records\":null}"), 1, ERR_BAD, ""},
    {"Records an object", TEXT("{\"Records\":{\"a\":{" ID "}}}"), 1, ERR_BAD, ""},
    {"an entry null", TEXT("{\"Records\":[{" ID "},null]}"), 2, ERR_BAD, ""},
    {"an entry an array",
     TEXT("{\"Records\":[["
          "\"ErrorCode\""
          "]]}"),
     1, ERR_BAD, ""},
    {"an entry that says neither", TEXT("{\"Records\":[{" ID "},{}]}"), 2, ERR_BAD, ""},
    {"an entry with nulls only",
     TEXT("{\"Records\":[{\"SequenceNumber\":null,\"ErrorCode\":null}]}"), 1, ERR_BAD, ""},
    {"an entry broken", TEXT("{\"Records\":[{\"ErrorCode\":\"c\",}]}"), 1, ERR_BAD, ""},
    {"count no number", TEXT("{\"FailedRecordCount\":\"0\",\"Records\":[{" ID "}]}"), 1, ERR_BAD,
     ""},
    {"broken behind Records", TEXT("{\"Records\":[{" ID "}],}"), 1, ERR_BAD, ""},
    {"comma at the end", TEXT("{\"Records\":[{" ID "},]}"), 1, ERR_BAD, ""},
    {"comma left out", TEXT("{\"Records\":[{" ID "}{" ID "}]}"), 2, ERR_BAD, ""},
    {"an error reply", TEXT("{\"__type\":\"ValidationException\",\"message\":\"m\"}"), 1, ERR_BAD,
     ""},
    {"array", TEXT("[{" ID "}]"), 1, ERR_BAD, ""},
    {"HTML", TEXT("<html>"), 1, ERR_BAD, ""},
    {"nothing", TEXT(""), 1, ERR_BAD, ""},
};

#define CBOR_ID "\"SequenceNumber\": \"49\", \"ShardId\": \"shardId-000000000001\""

/* The same in CBOR's notation, diag.h. */
static const struct {
    const char *name;
    const char *body;
    size_t records_len;
    int want;
    const char *seen;
} cbor_replies[] = {
    {"definite", "{\"FailedRecordCount\": 0, \"Records\": [{" CBOR_ID "}]}", 1, 0, "0::;"},
    {"indefinite", "{_ \"FailedRecordCount\": 0, \"Records\": [_ {_ " CBOR_ID "}]}", 1, 0, "0::;"},
    {"mixed", "{_ \"Records\": [{_ " CBOR_ID "}, {\"ErrorCode\": \"c\"}]}", 2, 1, "0::;1:c:;"},
    {"documented",
     "{_ \"FailedRecordCount\": 1, \"EncryptionType\": \"KMS\", \"Records\": [_ {_ " CBOR_ID "},"
     " {_ \"ErrorCode\": \"" THROTTLED "\", \"ErrorMessage\": \"Rate\\x\"}]}",
     2, 1, "0::;1:" THROTTLED ":Rate\\x;"},
    {"order of members",
     "{\"Records\": [{\"ErrorMessage\": \"m\", \"ErrorCode\": \"c\"},"
     " {\"ShardId\": \"x\", \"SequenceNumber\": \"1\"}], \"FailedRecordCount\": 1}",
     2, 1, "0:c:m;1::;"},
    {"nulls",
     "{\"EncryptionType\": null, \"FailedRecordCount\": 1, \"Records\": [{" CBOR_ID
     ", \"ErrorCode\": null, \"ErrorMessage\": null}, {\"SequenceNumber\": null, \"ShardId\": null,"
     " \"ErrorCode\": \"InternalFailure\", \"ErrorMessage\": \"Internal service failure.\"}]}",
     2, 1, "0::;1:InternalFailure:Internal service failure.;"},
    {"undefined", "{\"Records\": [{" CBOR_ID ", \"ErrorCode\": undefined}]}", 1, 0, "0::;"},
    {"empty code", "{\"Records\": [{" CBOR_ID ", \"ErrorCode\": \"\"}]}", 1, 0, "0::;"},
    {"empty code in chunks", "{\"Records\": [{" CBOR_ID ", \"ErrorCode\": (_ \"\", \"\")}]}", 1, 0,
     "0::;"},
    {"code in one chunk",
     "{\"Records\": [{\"ErrorCode\": (_ \"InternalFailure\"), \"ErrorMessage\": (_ \"\", \"m\")}]}",
     1, 1, "0:InternalFailure:m;"},
    {"code in two: a failure all the same, by the name of the first",
     "{\"Records\": [{\"ErrorCode\": (_ \"Internal\", \"Failure\")}]}", 1, 1, "0:Internal:;"},
    {"names in chunks",
     "{_ (_ \"Rec\", \"ords\"): [{(_ \"Error\", \"Code\"): \"c\", (_ \"Error\", \"Message\"): "
     "\"m\"}]}",
     1, 1, "0:c:m;"},
    {"a name in chunks that only begins so",
     "{\"Records\": [{(_ \"ErrorCode\", \"s\"): \"c\", " CBOR_ID "}]}", 1, 0, "0::;"},
    {"sequence number in chunks", "{\"Records\": [{\"SequenceNumber\": (_ \"4\", \"9\")}]}", 1, 0,
     "0::;"},
    {"tags", "55799({\"Records\": 1([2({3(\"SequenceNumber\"): 4(\"1\")})])})", 1, 0, "0::;"},
    {"members unknown",
     "{\"a\": [{\"Records\": []}, -1, x'f93e00'], 7: {}, \"Records\": [{\"b\": {\"ErrorCode\": "
     "\"c\"}, " CBOR_ID "}]}",
     1, 0, "0::;"},
    {"count left out", "{\"Records\": [{" CBOR_ID "}]}", 1, 0, "0::;"},
    {"count wrong", "{\"FailedRecordCount\": 7, \"Records\": [{" CBOR_ID "}]}", 1, 0, "0::;"},
    {"count in a long form",
     "{\"FailedRecordCount\": x'1b0000000000000000', \"Records\": [{" CBOR_ID "}]}", 1, 0, "0::;"},

    {"one too few", "{\"Records\": [{" CBOR_ID "}]}", 2, ERR_BAD, ""},
    {"one too many", "{\"Records\": [{" CBOR_ID "}, {" CBOR_ID "}]}", 1, ERR_BAD, ""},
    {"none", "{\"Records\": []}", 1, ERR_BAD, ""},
    {"no Records", "{\"FailedRecordCount\": 0}", 1, ERR_BAD, ""},
    {"Records null", "{\"Records\": null}", 1, ERR_BAD, ""},
    {"Records a map", "{\"Records\": {\"a\": {" CBOR_ID "}}}", 1, ERR_BAD, ""},
    {"an entry null", "{\"Records\": [{" CBOR_ID "}, null]}", 2, ERR_BAD, ""},
    {"an entry an array", "{\"Records\": [[\"ErrorCode\"]]}", 1, ERR_BAD, ""},
    {"an entry that says neither", "{\"Records\": [{" CBOR_ID "}, {}]}", 2, ERR_BAD, ""},
    {"an entry with nulls only", "{\"Records\": [{\"SequenceNumber\": null, \"ErrorCode\": null}]}",
     1, ERR_BAD, ""},
    {"codes that are no strings", "{\"Records\": [{\"ErrorCode\": 1}]}", 1, ERR_BAD, ""},
    {"count no number", "{\"FailedRecordCount\": \"0\", \"Records\": [{" CBOR_ID "}]}", 1, ERR_BAD,
     ""},
    {"count below zero", "{\"FailedRecordCount\": -1, \"Records\": [{" CBOR_ID "}]}", 1, ERR_BAD,
     ""},
    {"broken behind Records", "{_ \"Records\": [{" CBOR_ID "}], x'1c'}", 1, ERR_BAD, ""},
    {"broken in an entry", "{_ \"Records\": [{_ " CBOR_ID ", \"a\" }]}", 1, ERR_BAD, ""},
    {"too deep", "{\"Records\": [{" CBOR_ID "}], \"a\": [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", 1,
     ERR_BAD, ""},
    {"absurd length", "{\"Records\": [{" CBOR_ID "}], \"a\": x'5bffffffffffffffff'}", 1, ERR_BAD,
     ""},
    {"absurd count", "x'bbffffffffffffffff00'", 1, ERR_BAD, ""},
    {"an error reply", "{\"__type\": \"ValidationException\", \"message\": \"m\"}", 1, ERR_BAD, ""},
    {"array", "[{" CBOR_ID "}]", 1, ERR_BAD, ""},
    {"JSON in CBOR's clothes", "\"{}\"", 1, ERR_BAD, ""},
};

static void
note(void *context, size_t index, struct span code, struct span message)
{
    struct out *seen = context;

    out_number(seen, index);
    out_byte(seen, ':');
    out_put(seen, code);
    out_byte(seen, ':');
    out_put(seen, message);
    out_byte(seen, ';');
}

static void
check_reply(const struct row *row)
{
    char text[256];
    struct out seen = out_to(text, sizeof text);

    seed("put_records_reply", row->body);
    CHECK_INT(row->name, put_records_reply(guard_copy(row->body), row->records_len, note, &seen),
              row->want);
    CHECK_SPAN(row->name, out_span(&seen), span_of(row->seen));
}

/* A reply that is cut short anywhere says nothing about any record. */
static void
check_cut(const struct row *row)
{
    struct span body = row->body;

    while (body.len > 0 && body.p[body.len - 1] == '\n')
        body.len--;
    while (body.len > 0) {
        char text[256];
        struct out seen = out_to(text, sizeof text);

        body.len--;
        CHECK_INT(row->name, put_records_reply(guard_copy(body), row->records_len, note, &seen),
                  ERR_BAD);
        CHECK_INT(row->name, seen.len, 0);
    }
}

static void
json(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        check_reply(&replies[i]);
        check_cut(&replies[i]);
    }
}

static void
cbor(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(cbor_replies); i++) {
        const struct row row = {cbor_replies[i].name, diag(cbor_replies[i].body),
                                cbor_replies[i].records_len, cbor_replies[i].want,
                                cbor_replies[i].seen};

        check_reply(&row);
        check_cut(&row);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(json),
        cmocka_unit_test(cbor),
    };

    return RUN(argc, argv, tests);
}
