#include "protocol/put_records.h"

#include "check.h"
#include "guard.h"
#include "protocol/out.h"
#include "protocol/sha256.h"
#include "seed.h"

#define BODY_MAX (4 << 20)

/* A request as a list; asked counts how often the generator asked for a record. */
struct list {
    const struct put_record *records;
    size_t len;
    size_t asked;
};

static void
tell(void *context, size_t index, struct put_record *r)
{
    struct list *list = context;

    assert_in_range(index, 0, list->len - 1);
    list->asked++;
    *r = list->records[index];
}

static struct put_records
request(const char *stream_name, const char *stream_arn, struct list *list)
{
    struct put_records p = {
        .stream_name = span_of(stream_name),
        .stream_arn = span_of(stream_arn),
        .records_len = list->len,
        .record = tell,
        .context = list,
    };

    put_records_rewind(&p);
    return p;
}

/* The whole body, read with a buffer of so many bytes that ends at an unreadable page. */
static struct span
read_all(struct put_records *p, size_t step)
{
    static char body[BODY_MAX];
    size_t len = 0, got;

    while ((got = put_records_read(p, guard_buffer(step), step)) > 0) {
        assert_true(got <= sizeof body - len);
        memcpy(body + len, guard_buffer(step), got);
        len += got;
        if (got < step)
            break;
    }
    assert_int_equal(put_records_read(p, body + len, 1), 0);
    return (struct span){body, len};
}

/* What base64 is, said in the plainest way: six bits at a time. */
static void
plain_base64(struct out *o, struct span data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t chars = 0;

    for (size_t bit = 0; bit < data.len * 8; bit += 6, chars++) {
        int six = 0;

        for (size_t b = bit; b < bit + 6; b++)
            six = six * 2 + (b < data.len * 8 && (data.p[b / 8] >> (7 - b % 8) & 1));
        out_byte(o, digits[six]);
    }
    for (; chars % 4 != 0; chars++)
        out_byte(o, '=');
}

static struct span
plain_body(const struct put_records *p, const struct list *list)
{
    static char body[BODY_MAX];
    struct out o = out_to(body, sizeof body);

    out_byte(&o, '{');
    if (p->stream_name.len > 0) {
        out_put(&o, SPAN("\"StreamName\":\""));
        out_json(&o, p->stream_name);
        out_put(&o, SPAN("\","));
    }
    if (p->stream_arn.len > 0) {
        out_put(&o, SPAN("\"StreamARN\":\""));
        out_json(&o, p->stream_arn);
        out_put(&o, SPAN("\","));
    }
    out_put(&o, SPAN("\"Records\":["));
    for (size_t i = 0; i < list->len; i++) {
        out_put(&o, i == 0 ? SPAN("{\"Data\":\"") : SPAN(",{\"Data\":\""));
        plain_base64(&o, list->records[i].data);
        out_put(&o, SPAN("\",\"PartitionKey\":\""));
        out_json(&o, list->records[i].partition_key);
        out_put(&o, SPAN("\"}"));
    }
    out_put(&o, SPAN("]}"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

/* RFC 4648, section 10, and a few more. */
static const struct {
    struct span data, key;
    const char *body;
} bodies[] = {
    {TEXT(""), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("f"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zg==\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("fo"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm8=\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("foo"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9v\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("foob"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYg==\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("fooba"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYmE=\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("foobar"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYmFy\",\"PartitionKey\":\"k\"}]}"},
    {TEXT("\0\x10\x83\xff\xfb\xf0"), TEXT("\xc3\xa4\"\\\n\x01"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"ABCD//vw\","
     "\"PartitionKey\":\"\xc3\xa4\\\"\\\\\\n\\u0001\"}]}"},
};

static void
known_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(bodies); i++) {
        struct put_record record = {guard_copy(bodies[i].data), bodies[i].key};
        struct list list = {&record, 1, 0};
        struct put_records p = request("s1", NULL, &list);

        CHECK_SPAN("body", read_all(&p, 1000), span_of(bodies[i].body));
        CHECK_INT(bodies[i].body, put_records_length(&p), strlen(bodies[i].body));
    }
}

/* The request whose SHA-256 the signer's test vectors start from. */
static void
known_digest(void **state)
{
    static const struct put_record record = {TEXT("hello"), TEXT("pk")};
    struct list list = {&record, 1, 0};
    struct put_records p = request("s1", "", &list);
    struct span body = read_all(&p, 7);
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN];
    struct out o = out_to(hex, sizeof hex);
    struct sha256 hash;

    (void)state;
    sha256_start(&hash);
    sha256_add(&hash, body.p, body.len);
    sha256_end(&hash, digest);
    out_hex(&o, digest, sizeof digest);
    assert_int_equal(body.len, 71);
    CHECK_SPAN("digest", out_span(&o),
               SPAN("6796b63e3b75ffc4eca5be1072d93f3b55fb8fc7d9e4568f187fa1f3c0733561"));
}

#define ARN "arn:aws:kinesis:us-east-1:123456789012:stream/logs"

static void
stream(void **state)
{
    static const struct {
        const char *name, *arn, *want;
    } rows[] = {
        {"n", NULL, "{\"StreamName\":\"n\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"},
        {NULL, ARN,
         "{\"StreamARN\":\"" ARN "\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"},
        {"n", ARN,
         "{\"StreamName\":\"n\",\"StreamARN\":\"" ARN
         "\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"},
        {"a\"b", NULL,
         "{\"StreamName\":\"a\\\"b\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"},
    };
    static const struct put_record record = {{NULL, 0}, TEXT("k")};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct list list = {&record, 1, 0};
        struct put_records p = request(rows[i].name, rows[i].arn, &list);

        for (size_t step = 1; step < 100; step++) {
            put_records_rewind(&p);
            CHECK_SPAN("body", read_all(&p, step), span_of(rows[i].want));
        }
        CHECK_INT(rows[i].want, put_records_length(&p), strlen(rows[i].want));
        CHECK_INT(rows[i].want, put_records_base(&p) + put_records_size(0, SPAN("k")),
                  strlen(rows[i].want));
    }
}

/* Records of every length up to 69 and every sort of key: each buffer size, the same bytes. */
static void
every_buffer_size(void **state)
{
    static const struct span keys[] = {
        TEXT("k"),
        TEXT("\""),
        TEXT("\n\t\\"),
        TEXT("\x01"),
        TEXT("0123456789abcdef0123456789abcdef"),
        TEXT("\xf0\x9f\x98\x80\x1f\xf0\x9f\x98\x80\x02"),
    };
    static char bytes[70];
    static struct put_record records[70];
    struct list list = {records, LEN(records), 0};
    struct put_records p = request("stream", NULL, &list);
    struct span want;

    (void)state;
    for (size_t i = 0; i < LEN(records); i++) {
        bytes[i] = (char)(i * 151 + 7);
        records[i] = (struct put_record){{bytes, i}, keys[i % LEN(keys)]};
    }
    want = plain_body(&p, &list);
    assert_int_equal(want.len, 6199);
    assert_true(put_records_length(&p) == want.len);
    for (size_t step = 1; step <= 70; step++) {
        CHECK_SPAN("fresh", read_all(&p, step), want);
        put_records_rewind(&p);
    }
    CHECK_SPAN("at once", read_all(&p, want.len), want);
    put_records_rewind(&p);
    /* a record is asked for once, besides once per read that resumes within it */
    list.asked = 0;
    CHECK_SPAN("at once", read_all(&p, want.len), want);
    assert_int_equal(list.asked, LEN(records));
}

/* Stops in the middle at each byte, begins again, and reads on with buffers of changing size. */
static void
rewind_anywhere(void **state)
{
    static const struct put_record records[] = {
        {TEXT("hello, world"), TEXT("a\"b")},
        {TEXT(""), TEXT("k")},
        {TEXT("x"), TEXT("\n")},
    };
    struct list list = {records, LEN(records), 0};
    struct put_records p = request("s", "a", &list);
    struct span want = plain_body(&p, &list);

    (void)state;
    for (size_t stop = 0; stop <= want.len; stop++) {
        char body[256];
        size_t len;

        put_records_rewind(&p);
        assert_int_equal(put_records_read(&p, guard_buffer(stop), stop), stop);
        CHECK_SPAN("before", ((struct span){guard_buffer(stop), stop}),
                   ((struct span){want.p, stop}));
        len = put_records_read(&p, body, sizeof body);
        CHECK_SPAN("behind", ((struct span){body, len}), span_skip(want, stop));
        assert_int_equal(put_records_read(&p, body, 0), 0);
        assert_int_equal(put_records_read(&p, body, sizeof body), 0);
        put_records_rewind(&p);
        len = put_records_read(&p, body, sizeof body);
        CHECK_SPAN("again", ((struct span){body, len}), want);
    }
}

/* As many records as a request may have, and long data laid against an unreadable page. */
static void
large(void **state)
{
    static struct put_record records[PUT_RECORDS_MAX];
    static char bytes[4096];
    struct list list = {records, LEN(records), 0};
    struct put_records p = request("s", NULL, &list);
    struct span data, want;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    data = guard_copy((struct span){bytes, sizeof bytes});
    for (size_t i = 0; i < LEN(records); i++) {
        size_t len = i * 37 % sizeof bytes;

        records[i] = (struct put_record){span_skip(data, sizeof bytes - len), SPAN("key")};
    }
    want = plain_body(&p, &list);
    assert_int_equal(put_records_length(&p), want.len);
    CHECK_SPAN("16 KiB", read_all(&p, 16384), want);
    put_records_rewind(&p);
    CHECK_SPAN("odd", read_all(&p, 1021), want);
}

#define ID "\"SequenceNumber\":\"49\",\"ShardId\":\"shardId-000000000001\""
#define THROTTLED "ProvisionedThroughputExceededException"

/* seen: for each callback, index:code:message; */
static const struct {
    const char *name;
    struct span body;
    size_t records_len;
    int want;
    const char *seen;
} replies[] = {
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
reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        char text[256];
        struct out seen = out_to(text, sizeof text);

        seed("put_records_reply", replies[i].body);
        CHECK_INT(
            replies[i].name,
            put_records_reply(guard_copy(replies[i].body), replies[i].records_len, note, &seen),
            replies[i].want);
        CHECK_SPAN(replies[i].name, out_span(&seen), span_of(replies[i].seen));
    }
}

/* A reply that is cut short anywhere says nothing about any record. */
static void
reply_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct span body = replies[i].body;

        while (body.len > 0 && body.p[body.len - 1] == '\n')
            body.len--;
        while (body.len > 0) {
            char text[256];
            struct out seen = out_to(text, sizeof text);

            body.len--;
            CHECK_INT(replies[i].name,
                      put_records_reply(guard_copy(body), replies[i].records_len, note, &seen),
                      ERR_BAD);
            CHECK_INT(replies[i].name, seen.len, 0);
        }
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bodies),    cmocka_unit_test(known_digest),
        cmocka_unit_test(stream),          cmocka_unit_test(every_buffer_size),
        cmocka_unit_test(rewind_anywhere), cmocka_unit_test(large),
        cmocka_unit_test(reply),           cmocka_unit_test(reply_cut),
    };

    return RUN(argc, argv, tests);
}
