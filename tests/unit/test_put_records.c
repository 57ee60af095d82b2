#include "protocol/put_records.h"

#include "check.h"
#include "diag.h"
#include "guard.h"
#include "protocol/sha256.h"

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

static const enum wire_form forms[] = {WIRE_CBOR, WIRE_JSON};

static struct put_records
request(enum wire_form form, const char *stream_name, const char *stream_arn, struct list *list)
{
    struct put_records p = {
        .form = form,
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

/* A name and a string as its value; diag_head is the tests' own. */
static void
plain_member(struct out *o, const char *name, unsigned major, struct span value)
{
    diag_head(o, 3, strlen(name));
    out_put(o, span_of(name));
    diag_head(o, major, value.len);
    out_put(o, value);
}

static struct span
plain_cbor(const struct put_records *p, const struct list *list)
{
    static char body[BODY_MAX];
    struct out o = out_to(body, sizeof body);

    out_byte(&o, (char)0xbf);
    if (p->stream_name.len > 0)
        plain_member(&o, "StreamName", 3, p->stream_name);
    if (p->stream_arn.len > 0)
        plain_member(&o, "StreamARN", 3, p->stream_arn);
    diag_head(&o, 3, 7);
    out_put(&o, SPAN("Records"));
    out_byte(&o, (char)0x9f);
    for (size_t i = 0; i < list->len; i++) {
        out_byte(&o, (char)0xbf);
        plain_member(&o, "Data", 2, list->records[i].data);
        if (list->records[i].partition_key.len > 0)
            plain_member(&o, "PartitionKey", 3, list->records[i].partition_key);
        out_byte(&o, (char)0xff);
    }
    out_put(&o, SPAN("\xff\xff"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static struct span
plain_json(const struct put_records *p, const struct list *list)
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
        if (list->records[i].partition_key.len > 0) {
            out_put(&o, SPAN("\",\"PartitionKey\":\""));
            out_json(&o, list->records[i].partition_key);
        }
        out_put(&o, SPAN("\"}"));
    }
    out_put(&o, SPAN("]}"));
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static struct span
plain_body(const struct put_records *p, const struct list *list)
{
    return p->form == WIRE_CBOR ? plain_cbor(p, list) : plain_json(p, list);
}

/* RFC 4648, section 10, and a few more; the last one is in CBOR's notation, diag.h. */
static const struct {
    struct span data, key;
    const char *body;
    const char *cbor;
} bodies[] = {
    {TEXT(""), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'', \"PartitionKey\": \"k\"}]}"},
    {TEXT("f"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zg==\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'66', \"PartitionKey\": \"k\"}]}"},
    {TEXT("fo"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm8=\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f', \"PartitionKey\": \"k\"}]}"},
    {TEXT("foo"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9v\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f6f', \"PartitionKey\": "
     "\"k\"}]}"},
    {TEXT("foob"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYg==\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f6f62', \"PartitionKey\": "
     "\"k\"}]}"},
    {TEXT("fooba"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYmE=\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f6f6261', \"PartitionKey\": "
     "\"k\"}]}"},
    {TEXT("foobar"), TEXT("k"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9vYmFy\",\"PartitionKey\":\"k\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f6f626172', \"PartitionKey\": "
     "\"k\"}]}"},
    {TEXT("\0\x10\x83\xff\xfb\xf0"), TEXT("\xc3\xa4\"\\\n\x01"),
     "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"ABCD//vw\","
     "\"PartitionKey\":\"\xc3\xa4\\\"\\\\\\n\\u0001\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'001083fffbf0', \"PartitionKey\": "
     "x'66c3a4225c0a01'}]}"},
    {TEXT("foo"), TEXT(""), "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"Zm9v\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h'666f6f'}]}"},
    {TEXT(""), TEXT(""), "{\"StreamName\":\"s1\",\"Records\":[{\"Data\":\"\"}]}",
     "{_ \"StreamName\": \"s1\", \"Records\": [_ {_ \"Data\": h''}]}"},
};

static void
known_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(bodies); i++) {
        struct put_record record = {guard_copy(bodies[i].data), bodies[i].key};
        struct list list = {&record, 1, 0};
        struct put_records p = request(WIRE_JSON, "s1", NULL, &list);
        struct put_records c = request(WIRE_CBOR, "s1", NULL, &list);

        CHECK_SPAN("body", read_all(&p, 1000), span_of(bodies[i].body));
        CHECK_INT(bodies[i].body, put_records_length(&p), strlen(bodies[i].body));
        CHECK_SPAN(bodies[i].cbor, read_all(&c, 1000), diag(bodies[i].cbor));
        CHECK_INT(bodies[i].cbor, put_records_length(&c), diag(bodies[i].cbor).len);
    }
}

/* The member is the first one, so that what follows is what would have been sent. */
static void
dry_runs(void **state)
{
    static const struct put_record record = {TEXT("f"), TEXT("k")};
    const struct span want = SPAN("{\"DryRun\":true,\"StreamName\":\"s1\",\"Records\":["
                                  "{\"Data\":\"Zg==\",\"PartitionKey\":\"k\"}]}");

    (void)state;
    for (size_t step = 1; step <= want.len + 1; step++) {
        struct list list = {&record, 1, 0};
        struct put_records p = request(WIRE_JSON, "s1", NULL, &list);

        p.dry_run = true;
        CHECK_SPAN("body", read_all(&p, step), want);
        CHECK_INT("length", put_records_length(&p), want.len);
    }
}

/* What Jackson's generator in the SDK for Java makes of the same. */
static void
known_cbor(void **state)
{
    static const struct put_record record = {TEXT("hello"), TEXT("pk")};
    struct span want =
        diag("x'bf6a53747265616d4e616d65627331675265636f7264739fbf64446174614568656c6c6f"
             "6c506172746974696f6e4b657962706bffffff'");

    (void)state;
    assert_int_equal(want.len, 55);
    for (size_t step = 1; step <= 60; step++) {
        struct list list = {&record, 1, 0};
        struct put_records p = request(WIRE_CBOR, "s1", NULL, &list);

        CHECK_SPAN("body", read_all(&p, step), want);
        CHECK_INT("length", put_records_length(&p), 55);
    }
}

/* The request whose SHA-256 the signer's test vectors start from. */
static void
known_digest(void **state)
{
    static const struct put_record record = {TEXT("hello"), TEXT("pk")};
    struct list list = {&record, 1, 0};
    struct put_records p = request(WIRE_JSON, "s1", "", &list);
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

#define RECORD "\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"k\"}]}"
#define CBOR_RECORD "\"Records\": [_ {_ \"Data\": h'', \"PartitionKey\": \"k\"}]}"

static void
check_stream(struct put_records *p, struct span want)
{
    for (size_t step = 1; step < 120; step++) {
        put_records_rewind(p);
        CHECK_SPAN("body", read_all(p, step), want);
    }
    CHECK_INT("length", put_records_length(p), want.len);
    CHECK_INT("base", put_records_base(p) + put_records_size(p->form, 0, SPAN("k")), want.len);
}

static void
stream(void **state)
{
    static const struct {
        const char *name, *arn, *json, *cbor;
    } rows[] = {
        {"n", NULL, "{\"StreamName\":\"n\"," RECORD, "{_ \"StreamName\": \"n\", " CBOR_RECORD},
        {NULL, ARN, "{\"StreamARN\":\"" ARN "\"," RECORD,
         "{_ \"StreamARN\": \"" ARN "\", " CBOR_RECORD},
        {"n", ARN, "{\"StreamName\":\"n\",\"StreamARN\":\"" ARN "\"," RECORD,
         "{_ \"StreamName\": \"n\", \"StreamARN\": \"" ARN "\", " CBOR_RECORD},
        {"a\"b", NULL, "{\"StreamName\":\"a\\\"b\"," RECORD,
         "{_ \"StreamName\": x'63612262' " CBOR_RECORD},
    };
    static const struct put_record record = {{NULL, 0}, TEXT("k")};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct list list = {&record, 1, 0};
        struct put_records json = request(WIRE_JSON, rows[i].name, rows[i].arn, &list);
        struct put_records cbor = request(WIRE_CBOR, rows[i].name, rows[i].arn, &list);

        check_stream(&json, span_of(rows[i].json));
        check_stream(&cbor, diag(rows[i].cbor));
    }
}

/* Records of every length up to 69 and every sort of key: each buffer size, the same bytes. */
static void
check_every_buffer_size(enum wire_form form, size_t want_len)
{
    static const struct span keys[] = {
        TEXT("k"),
        TEXT("\""),
        TEXT("\n\t\\"),
        TEXT("\x01"),
        TEXT("0123456789abcdef0123456789abcdef"),
        TEXT("\xf0\x9f\x98\x80\x1f\xf0\x9f\x98\x80\x02"),
        TEXT(""),
    };
    static char bytes[70];
    static struct put_record records[70];
    struct list list = {records, LEN(records), 0};
    struct put_records p = request(form, "stream", NULL, &list);
    struct span want;

    for (size_t i = 0; i < LEN(records); i++) {
        bytes[i] = (char)(i * 151 + 7);
        records[i] = (struct put_record){{bytes, i}, keys[i % LEN(keys)]};
    }
    want = plain_body(&p, &list);
    assert_int_equal(want.len, want_len);
    assert_true(put_records_length(&p) == want.len);
    for (size_t step = 1; step <= 70; step++) {
        CHECK_SPAN("fresh", read_all(&p, step), want);
        put_records_rewind(&p);
    }
    CHECK_SPAN("at once", read_all(&p, want.len), want);
    put_records_rewind(&p);
    /* more room than is needed, and none of it touched */
    CHECK_SPAN("too much room", read_all(&p, want.len + 100), want);
    put_records_rewind(&p);
    /* a record is asked for once, besides once per read that resumes within it */
    list.asked = 0;
    CHECK_SPAN("at once", read_all(&p, want.len), want);
    assert_int_equal(list.asked, LEN(records));
}

static void
every_buffer_size(void **state)
{
    (void)state;
    check_every_buffer_size(WIRE_JSON, 5937);
    check_every_buffer_size(WIRE_CBOR, 4381);
}

/* Stops in the middle at each byte, begins again, and reads on with buffers of changing size. */
static void
check_rewind_anywhere(enum wire_form form)
{
    static const struct put_record records[] = {
        {TEXT("hello, world"), TEXT("a\"b")},
        {TEXT("without"), TEXT("")},
        {TEXT(""), TEXT("k")},
        {TEXT("x"), TEXT("\n")},
    };
    struct list list = {records, LEN(records), 0};
    struct put_records p = request(form, "s", "a", &list);
    struct span want = plain_body(&p, &list);

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

static void
rewind_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(forms); i++)
        check_rewind_anywhere(forms[i]);
}

/* As many records as a request may have, and long data laid against an unreadable page. */
static void
check_large(enum wire_form form)
{
    static struct put_record records[PUT_RECORDS_MAX];
    static char bytes[4096];
    struct list list = {records, LEN(records), 0};
    struct put_records p = request(form, "s", NULL, &list);
    struct span data, want;

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

static void
large(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(forms); i++)
        check_large(forms[i]);
}

/* Where heads become longer; the key is laid against an unreadable page. */
static void
lengths(void **state)
{
    static const size_t rows[] = {0,   1,    7,    8,    9,    15,    16,     17,     23,    24,
                                  25,  31,   32,   33,   255,  256,   257,    65535,  65536, 65537,
                                  999, 1000, 1024, 4095, 4096, 16384, 100000, 1048576};
    static char bytes[1048576];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 11 + i / 256);
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t k = 0; k < LEN(rows) && rows[k] <= 1024; k++) {
            struct put_record records[] = {{{bytes, rows[i]}, {bytes + 1, rows[k]}},
                                           {{bytes, 3}, SPAN("k")}};
            struct list list = {records, 2, 0};
            struct put_records p = request(WIRE_CBOR, "s", NULL, &list);
            struct span want = plain_body(&p, &list);
            static const size_t steps[] = {64, 100, 4096, 65536, 131072};

            records[0].partition_key = guard_copy(records[0].partition_key);
            CHECK_INT("length", put_records_length(&p), want.len);
            for (size_t step = 0; step < LEN(steps); step++) {
                put_records_rewind(&p);
                CHECK_SPAN("body", read_all(&p, steps[step]), want);
            }
        }
}

/* A batch that is measured by JSON is within the limits in CBOR too. */
static void
json_is_larger(void **state)
{
    static const struct span keys[] = {TEXT(""), TEXT("k"), TEXT("\n\"\\"),
                                       TEXT("0123456789abcdef0123456789"), TEXT("\xc3\xa4\x01")};

    (void)state;
    for (size_t len = 0; len < 70000; len += 1 + len / 64)
        for (size_t k = 0; k < LEN(keys); k++)
            assert_true(put_records_size(WIRE_JSON, len, keys[k]) >=
                        put_records_size(WIRE_CBOR, len, keys[k]));
}

/* What a record without a key saves: in CBOR the member's name of 13 bytes, the head and the bytes of a short key. */
static void
keyless(void **state)
{
    static const size_t lens[] = {0, 23, 24, 200, 256, 65536};
    struct span key = SPAN("0f3a61c2");

    (void)state;
    for (size_t i = 0; i < LEN(lens); i++) {
        CHECK_INT("CBOR", put_records_size(WIRE_CBOR, lens[i], key),
                  put_records_size(WIRE_CBOR, lens[i], SPAN("")) + 13 + 1 + key.len);
        CHECK_INT("JSON", put_records_size(WIRE_JSON, lens[i], key),
                  put_records_size(WIRE_JSON, lens[i], SPAN("")) +
                      strlen(",\"PartitionKey\":\"\"") + key.len);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bodies),    cmocka_unit_test(known_cbor),
        cmocka_unit_test(dry_runs),        cmocka_unit_test(known_digest),
        cmocka_unit_test(stream),          cmocka_unit_test(every_buffer_size),
        cmocka_unit_test(rewind_anywhere), cmocka_unit_test(large),
        cmocka_unit_test(lengths),         cmocka_unit_test(json_is_larger),
        cmocka_unit_test(keyless),
    };

    return RUN(argc, argv, tests);
}
