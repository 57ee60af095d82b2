#include "protocol/dead_letter_object.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

/* Each part behind a byte that tells its length. */
static void
seed_parts(struct span a, struct span b, struct span c)
{
    const struct span parts[] = {a, b, c};
    char text[512];
    struct out o = out_to(text, sizeof text);

    for (size_t i = 0; i < LEN(parts); i++) {
        out_byte(&o, (char)parts[i].len);
        out_put(&o, parts[i]);
    }
    assert_int_equal(out_end(&o), 0);
    seed("dead_letter_object", out_span(&o));
}

/* asked counts how often the generator asked for a record. */
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

static struct dead_letter_object
object_of(struct list *list)
{
    struct dead_letter_object d = {.records_len = list->len, .record = tell, .context = list};

    dead_letter_object_rewind(&d);
    return d;
}

/* The lines, read with a buffer of so many bytes that ends at an unreadable page. */
static struct span
read_all(struct dead_letter_object *d, size_t step, char *text, size_t cap)
{
    size_t len = 0, got;

    do {
        char *buffer = guard_buffer(step);

        got = dead_letter_object_read(d, buffer, step);
        assert_true(got <= step && got <= cap - len);
        memcpy(text + len, buffer, got);
        len += got;
    } while (got == step);
    assert_int_equal(dead_letter_object_read(d, guard_buffer(1), 1), 0);
    return (struct span){text, len};
}

#define AS_TEXT(inside, key) "{\"Data\":\"" inside "\",\"PartitionKey\":\"" key "\"}\n"
#define AS_BASE64(inside, key) "{\"DataBase64\":\"" inside "\",\"PartitionKey\":\"" key "\"}\n"

static const struct {
    struct span data, key;
    const char *line;
} rows[] = {
    {TEXT(""), TEXT("k"), AS_TEXT("", "k")},
    {TEXT("plain"), TEXT("k"), AS_TEXT("plain", "k")},
    {TEXT("{\"a\":\"b\\n\"}\n"), TEXT("k"), AS_TEXT("{\\\"a\\\":\\\"b\\\\n\\\"}\\n", "k")},
    {TEXT("\0\x1f\x7f"), TEXT("\"\\\xc3\xa4\n"),
     AS_TEXT("\\u0000\\u001f\x7f", "\\\"\\\\\xc3\xa4\\n")},

    /* the bounds of what is UTF-8. Source: RFC 3629, section 4 */
    {TEXT("\x7f\xc2\x80\xdf\xbf"), TEXT("k"), AS_TEXT("\x7f\xc2\x80\xdf\xbf", "k")},
    {TEXT("\xe0\xa0\x80\xec\xbf\xbf"), TEXT("k"), AS_TEXT("\xe0\xa0\x80\xec\xbf\xbf", "k")},
    {TEXT("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), TEXT("k"),
     AS_TEXT("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", "k")},
    {TEXT("\xf0\x90\x80\x80\xf3\xbf\xbf\xbf"), TEXT("k"),
     AS_TEXT("\xf0\x90\x80\x80\xf3\xbf\xbf\xbf", "k")},
    {TEXT("\xf4\x8f\xbf\xbf"), TEXT("k"), AS_TEXT("\xf4\x8f\xbf\xbf", "k")},

    {TEXT("\x80"), TEXT("k"), AS_BASE64("gA==", "k")},
    {TEXT("\xbf"), TEXT("k"), AS_BASE64("vw==", "k")},
    {TEXT("a\xff"), TEXT("k"), AS_BASE64("Yf8=", "k")},
    {TEXT("\xc0\x80"), TEXT("k"), AS_BASE64("wIA=", "k")},
    {TEXT("\xc1\xbf"), TEXT("k"), AS_BASE64("wb8=", "k")},
    {TEXT("\xc2"), TEXT("k"), AS_BASE64("wg==", "k")},
    {TEXT("\xc2\x7f"), TEXT("k"), AS_BASE64("wn8=", "k")},
    {TEXT("\xc2\xc0"), TEXT("k"), AS_BASE64("wsA=", "k")},
    {TEXT("\xe0\x9f\xbf"), TEXT("k"), AS_BASE64("4J+/", "k")},
    {TEXT("\xe1\x80"), TEXT("k"), AS_BASE64("4YA=", "k")},
    {TEXT("\xe1\x80\x7f"), TEXT("k"), AS_BASE64("4YB/", "k")},
    {TEXT("\xed\xa0\x80"), TEXT("k"), AS_BASE64("7aCA", "k")},
    {TEXT("\xf0\x8f\xbf\xbf"), TEXT("k"), AS_BASE64("8I+/vw==", "k")},
    {TEXT("\xf1\x80\x80"), TEXT("k"), AS_BASE64("8YCA", "k")},
    {TEXT("\xf1\x80\x80\xc0"), TEXT("k"), AS_BASE64("8YCAwA==", "k")},
    {TEXT("\xf4\x90\x80\x80"), TEXT("k"), AS_BASE64("9JCAgA==", "k")},
    {TEXT("\xf5\x80\x80\x80"), TEXT("k"), AS_BASE64("9YCAgA==", "k")},
};

static void
line(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        seed_parts(rows[i].data, rows[i].key, SPAN(""));
        for (size_t step = 1; step <= strlen(rows[i].line) + 1; step++) {
            struct put_record record = {guard_copy(rows[i].data), rows[i].key};
            struct list list = {&record, 1, 0};
            struct dead_letter_object d = object_of(&list);
            char text[256];

            CHECK_SPAN(rows[i].line, read_all(&d, step, text, sizeof text), span_of(rows[i].line));
            CHECK_INT(rows[i].line, dead_letter_object_line_size(&record), strlen(rows[i].line));
        }
    }
}

/* All rows as one object, and the same once more, from wherever the first run was given up. */
static void
object(void **state)
{
    struct put_record records[LEN(rows)];
    struct list list = {records, LEN(rows), 0};
    struct dead_letter_object d = object_of(&list);
    char want[4096], text[4096];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        records[i] = (struct put_record){rows[i].data, rows[i].key};
        memcpy(want + len, rows[i].line, strlen(rows[i].line));
        len += strlen(rows[i].line);
    }
    for (size_t n = 0; n <= len; n++) {
        dead_letter_object_rewind(&d);
        assert_int_equal(dead_letter_object_read(&d, text, n), n);
        dead_letter_object_rewind(&d);
        CHECK_SPAN("again", read_all(&d, sizeof text, text, sizeof text),
                   ((struct span){want, len}));
    }
    list.asked = 0;
    dead_letter_object_rewind(&d);
    (void)read_all(&d, sizeof text, text, sizeof text);
    assert_int_equal(list.asked, LEN(rows));
}

static void
nothing(void **state)
{
    struct list list = {NULL, 0, 0};
    struct dead_letter_object d = object_of(&list);

    (void)state;
    assert_int_equal(dead_letter_object_read(&d, guard_buffer(1), 1), 0);
}

#define NOON UINT64_C(1795176000123)
#define MOMENT "2026/11/20/20261120T120000123Z"

static const struct {
    struct dead_letter_name name;
    const char *path;
} names[] = {
    {{TEXT("/"), TEXT(""), TEXT(""), NOON, TEXT("f"), TEXT("s"), 1},
     "/" MOMENT "-f-s-00000001.ndjson"},
    {{TEXT("/"), TEXT("logs"), TEXT(""), NOON, TEXT("f"), TEXT("s"), 1},
     "/logs/" MOMENT "-f-s-00000001.ndjson"},
    {{TEXT("/"), TEXT(""), TEXT("a/b"), NOON, TEXT("f"), TEXT("s"), 99999999},
     "/a/b/" MOMENT "-f-s-99999999.ndjson"},
    {{TEXT("/p/q"), TEXT("lo.gs"), TEXT("x"), 0, TEXT("my-function_2"), TEXT("0a1b"), 12345},
     "/p/q/lo.gs/x/1970/01/01/19700101T000000000Z-my-function_2-0a1b-00012345.ndjson"},
    {{TEXT("/%7e"), TEXT(""), TEXT("AZaz09-._~/ %+&=?#:@\"\\\xc3\xa4\xff"), NOON, TEXT("$f"),
      TEXT("s"), 1},
     "/%7e/AZaz09-._~/%20%25%2B%26%3D%3F%23%3A%40%22%5C%C3%A4%FF/" MOMENT
     "-%24f-s-00000001.ndjson"},
    {{TEXT("/"), TEXT(""), TEXT("a//b"), UINT64_MAX, TEXT(""), TEXT(""), UINT64_MAX},
     "/a//b/9999/12/31/99991231T235959999Z---18446744073709551615.ndjson"},
};

static void
path(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(names); i++) {
        struct span want = span_of(names[i].path);

        seed_parts(names[i].name.prefix, names[i].name.function_name, names[i].name.sandbox);
        CHECK(want.p, dead_letter_object_path_max(&names[i].name) >= want.len);
        for (size_t cap = 0; cap <= want.len; cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            CHECK_INT(want.p, dead_letter_object_path(&o, &names[i].name),
                      cap < want.len ? ERR_FULL : 0);
            if (cap == want.len)
                CHECK_SPAN(want.p, out_span(&o), want);
        }
    }
}

/* Names that grow as much as they can. */
static void
longest_path(void **state)
{
    static char bytes[600];
    struct span long_name = {bytes, sizeof bytes};
    struct dead_letter_name n = {
        TEXT("/base"), TEXT("bucket"), {bytes, 512}, UINT64_MAX, long_name, {bytes, 32}, UINT64_MAX,
    };
    struct out o;
    size_t cap;

    (void)state;
    memset(bytes, ' ', sizeof bytes);
    seed_parts(SPAN("a"), (struct span){bytes, 200}, SPAN("s"));
    cap = dead_letter_object_path_max(&n);
    o = out_to(guard_buffer(cap), cap);
    assert_int_equal(dead_letter_object_path(&o, &n), 0);
    assert_in_range(o.len, cap - 3, cap);
    assert_true(memmem(o.p, o.len, "%20-", 4) != NULL);
    /* the key itself, decoded, is one that S3 takes */
    assert_true((o.len - 5 - 8) - 2 * (512 + DEAD_LETTER_FUNCTION_MAX + 32) <= 1024);
}

static const struct {
    const char *record;
    bool want;
} own[] = {
    {"{\"Data\":\"x\",\"PartitionKey\":\"k\"}", true},
    {"{\"DataBase64\":\"eA==\",\"PartitionKey\":\"k\"}", true},
    {"\"{\\\"Data\\\":\\\"x\\\",\\\"PartitionKey\\\":\\\"k\\\"}\\n\"", true},
    {"\"{\\\"DataBase64\\\":\\\"eA==\\\"}\"", true},
    {"{\"Data\":1}", false},
    {"{\"data\":\"x\"}", false},
    {"\"Data\"", false},
    {"", false},
};

static void
own_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(own); i++)
        CHECK_INT(own[i].record, dead_letter_object_is_line(guard_copy(span_of(own[i].record))),
                  own[i].want);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_lines), cmocka_unit_test(line), cmocka_unit_test(object),
        cmocka_unit_test(nothing),   cmocka_unit_test(path), cmocka_unit_test(longest_path),
    };

    return RUN(argc, argv, tests);
}
