#include "protocol/cbor.h"

#include "check.h"
#include "diag.h"
#include "guard.h"
#include "seed.h"

/* Source: RFC 8949, appendix A, and the limits between the forms. */
static const struct {
    uint64_t argument;
    const char *unsigned_form; /* x'...' for diag */
} heads[] = {
    {0, "x'00'"},
    {1, "x'01'"},
    {10, "x'0a'"},
    {23, "x'17'"},
    {24, "x'1818'"},
    {100, "x'1864'"},
    {255, "x'18ff'"},
    {256, "x'190100'"},
    {1000, "x'1903e8'"},
    {65535, "x'19ffff'"},
    {65536, "x'1a00010000'"},
    {1000000, "x'1a000f4240'"},
    {4294967295, "x'1affffffff'"},
    {4294967296, "x'1b0000000100000000'"},
    {1000000000000, "x'1b000000e8d4a51000'"},
    {UINT64_MAX, "x'1bffffffffffffffff'"},
};

static void
head(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(heads); i++)
        for (unsigned major = CBOR_UNSIGNED; major <= CBOR_TAG; major++) {
            struct span want = diag(heads[i].unsigned_form);
            char *to = guard_buffer(CBOR_HEAD_MAX);
            size_t len = cbor_head(to, (enum cbor_major)major, heads[i].argument);
            uint64_t number = 1;

            CHECK_INT(heads[i].unsigned_form, len, want.len);
            CHECK_INT(heads[i].unsigned_form, cbor_head_len(heads[i].argument), len);
            CHECK_INT(heads[i].unsigned_form, (unsigned char)to[0],
                      (unsigned char)want.p[0] | major << 5);
            CHECK(heads[i].unsigned_form, memcmp(to + 1, want.p + 1, len - 1) == 0);
            if (major != CBOR_UNSIGNED)
                continue;
            CHECK_INT(heads[i].unsigned_form, cbor_number((struct span){to, len}, &number), 0);
            CHECK(heads[i].unsigned_form, number == heads[i].argument);
        }
}

/* Behind a whole value stands a byte that is not read. */
static const struct {
    const char *diag;
    int want; /* 0: all but the last byte */
} values[] = {
    {"0 0", 0},
    {"23 0", 0},
    {"-500 0", 0},
    {"18446744073709551615 0", 0},
    {"\"\" 0", 0},
    {"\"text\" 0", 0},
    {"h'' 0", 0},
    {"h'00ff' 0", 0},
    {"(_ ) 0", 0},
    {"(_ \"a\", \"\", \"bc\") 0", 0},
    {"(_ h'01', h'') 0", 0},
    {"null 0", 0},
    {"true 0", 0},
    {"x'e0' 0", 0},     /* a simple value */
    {"x'f820' 0", 0},   /* one of two bytes */
    {"x'f97e00' 0", 0}, /* floating-point numbers */
    {"x'fa47c35000' 0", 0},
    {"x'fb3ff199999999999a' 0", 0},
    {"[] 0", 0},
    {"[_ ] 0", 0},
    {"{} 0", 0},
    {"{_ } 0", 0},
    {"[1, [2, 3], {\"a\": [_ 4, {_ }]}] 0", 0},
    {"{_ \"a\": 1, 2: [_ [], {}]} 0", 0},
    {"{[1]: {}} 0", 0},
    {"1(0) 0", 0},
    {"1(2(3([1(1)]))) 0", 0},
    {"55799({_ }) 0", 0},
    {"[_ 1([_ ])] 0", 0},
    {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]] 0", 0}, /* 16 */
    {"[[[[[[[[[[[[[[[[], 1], 2]]]]]]]]]]]]]] 0", 0},
    {"{_ 0: [_ {_ 0: [_ {_ 0: [_ {_ 0: [_ {_ 0: [_ {_ 0: [_ {_ 0: [_ {_ 0: [_ ]}]}]}]}]}]}]}]} 0",
     0},

    {"", ERR_MORE},
    {"x'18'", ERR_MORE},
    {"x'1900'", ERR_MORE},
    {"x'1a000000'", ERR_MORE},
    {"x'1b00000000000000'", ERR_MORE},
    {"x'61'", ERR_MORE},
    {"x'636162'", ERR_MORE},
    {"x'7f'", ERR_MORE},
    {"x'7f61'", ERR_MORE},
    {"x'7f6161'", ERR_MORE},
    {"x'81'", ERR_MORE},
    {"x'8201'", ERR_MORE},
    {"x'9f01'", ERR_MORE},
    {"x'a1'", ERR_MORE},
    {"x'a101'", ERR_MORE},
    {"x'bf01'", ERR_MORE},
    {"x'bf0102'", ERR_MORE},
    {"x'c1'", ERR_MORE},
    {"x'c1c2'", ERR_MORE},
    {"x'f8'", ERR_MORE},
    {"x'f97e'", ERR_MORE},
    {"x'9a7fffffff00'", ERR_MORE},
    {"x'ba7fffffff00'", ERR_MORE},
    {"x'5a7fffffff00'", ERR_MORE},

    {"x'1c'", ERR_BAD}, /* reserved */
    {"x'1d'", ERR_BAD},
    {"x'1e'", ERR_BAD},
    {"x'fc'", ERR_BAD},
    {"x'1f'", ERR_BAD}, /* no indefinite form */
    {"x'3f'", ERR_BAD},
    {"x'df'", ERR_BAD},
    {"x'f800'", ERR_BAD}, /* too long a form of a simple value */
    {"x'f81f'", ERR_BAD},
    {"x'ff'", ERR_BAD}, /* an end of nothing */
    {"x'81ff'", ERR_BAD},
    {"x'a1ff'", ERR_BAD},
    {"x'a101ff'", ERR_BAD},
    {"x'bf01ff'", ERR_BAD}, /* between name and value */
    {"x'bf010203ff'", ERR_BAD},
    {"x'c1ff'", ERR_BAD}, /* as a tag's value */
    {"x'9fc1ff'", ERR_BAD},
    {"x'bf01c1ff'", ERR_BAD},
    {"x'7f4161ff'", ERR_BAD}, /* bytes in text */
    {"x'5f6161ff'", ERR_BAD},
    {"x'7f7f6161ffff'", ERR_BAD}, /* an endless string in one */
    {"x'7f01ff'", ERR_BAD},
    {"x'7fc16161ff'", ERR_BAD},
    {"x'5f80ff'", ERR_BAD},
    {"x'811c'", ERR_BAD},

    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", ERR_BIG}, /* 17 */
    {"[_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ [_ ]]]]]]]]]]]]]]]]]", ERR_BIG},
    {"x'5a80000000'", ERR_BIG},
    {"x'7bffffffffffffffff'", ERR_BIG},
    {"x'9b0000000080000000'", ERR_BIG},
    {"x'bb8000000000000000'", ERR_BIG}, /* twice as many are none */
    {"x'bbffffffffffffffff'", ERR_BIG},
    {"x'9f7bffffffffffffffff'", ERR_BIG},
    {"x'7f7bffffffffffffffff'", ERR_BIG},
};

static void
value(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(values); i++) {
        struct span text = diag(values[i].diag);
        bool whole = values[i].want == 0;
        int want = whole ? (int)text.len - 1 : values[i].want;

        seed("cbor", text);
        CHECK_INT(values[i].diag, cbor_value(guard_copy(text)), want);
        if (!whole)
            continue;
        text.len--;
        CHECK_INT(values[i].diag, cbor_value(guard_copy(text)), want);
        while (text.len > 0) {
            text.len--;
            CHECK_INT(values[i].diag, cbor_value(guard_copy(text)), ERR_MORE);
        }
    }
}

/* seen: name=value; of each member, both in hexadecimal digits. */
static const struct {
    const char *diag, *seen;
    int end; /* what comes behind the last member */
} walks[] = {
    {"[]", "", 0},
    {"[_ ]", "", 0},
    {"{}", "", 0},
    {"{_ }", "", 0},
    {"[1, \"a\", [2]]", "=01;=6161;=8102;", 0},
    {"[_ 1, \"a\", [_ 2]]", "=01;=6161;=9f02ff;", 0},
    {"{\"a\": 1, \"b\": {}}", "6161=01;6162=a0;", 0},
    {"{_ \"a\": 1, 7: (_ \"b\")}", "6161=01;07=7f6162ff;", 0},
    {"1(2([1(3)]))", "=c103;", 0},
    {"[1] 2", "=01;", 0},
    {"x'8201'", "=01;", ERR_MORE},
    {"x'9f01'", "=01;", ERR_MORE},
    {"x'a10102'", "01=02;", 0},
    {"x'a20102'", "01=02;", ERR_MORE},
    {"x'a2010203'", "01=02;", ERR_MORE},
    {"x'bf010203ff'", "01=02;", ERR_BAD},
    {"x'bfff'", "", 0},
    {"x'82011c'", "=01;", ERR_BAD},
    {"x'9f01bf02ffff'", "=01;", ERR_BAD},
    {"x'9f015bffffffffffffffff'", "=01;", ERR_BIG},
    {"x'9a7fffffff01'", "=01;", ERR_MORE},
};

static void
walk(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(walks); i++) {
        char text[256];
        struct out seen = out_to(text, sizeof text);
        struct span in = diag(walks[i].diag);
        struct span name, item;
        struct cbor_walk w;
        int got;

        seed("cbor", in);
        CHECK_INT(walks[i].diag, cbor_walk_open(&w, guard_copy(in)), 0);
        while ((got = cbor_walk_next(&w, &name, &item)) == 1) {
            out_hex(&seen, (const uint8_t *)name.p, name.len);
            out_byte(&seen, '=');
            out_hex(&seen, (const uint8_t *)item.p, item.len);
            out_byte(&seen, ';');
        }
        CHECK_INT(walks[i].diag, got, walks[i].end);
        CHECK_INT(walks[i].diag, cbor_walk_next(&w, &name, &item), walks[i].end);
        CHECK_SPAN(walks[i].diag, out_span(&seen), span_of(walks[i].seen));
    }
}

static void
walk_open(void **state)
{
    static const struct {
        const char *diag;
        int want;
    } rows[] = {
        {"", ERR_MORE},
        {"x'c1'", ERR_MORE},
        {"x'98'", ERR_MORE},
        {"1", ERR_BAD},
        {"\"a\"", ERR_BAD},
        {"null", ERR_BAD},
        {"x'ff'", ERR_BAD},
        {"x'9c'", ERR_BAD},
        {"1(\"a\")", ERR_BAD},
        {"x'9b0000000080000000'", ERR_BIG},
        {"x'9a7fffffff'", 0},
        {"x'7b22612230'", ERR_MORE}, /* JSON */
        {"x'7b2261223a317d20202020'", ERR_BAD},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct cbor_walk w;

        CHECK_INT(rows[i].diag, cbor_walk_open(&w, guard_copy(diag(rows[i].diag))), rows[i].want);
    }
}

/* string: NULL for what is none. same: what the value is the same as, and nothing else is. */
static const struct {
    const char *diag, *string, *same;
} strings[] = {
    {"\"\"", "", ""},
    {"\"a\"", "a", "a"},
    {"h'6162'", "ab", "ab"},
    {"1(\"a\")", "a", "a"},
    {"(_ )", "", ""},
    {"(_ \"\")", "", ""},
    {"(_ \"ab\")", "ab", "ab"},
    {"(_ \"\", \"ab\", \"\")", "ab", "ab"},
    {"(_ h'6162')", "ab", "ab"},
    {"55799((_ \"ab\"))", "ab", "ab"},
    /* in several chunks: known by all of it, told by the first */
    {"(_ \"Error\", \"Code\")", "Error", "ErrorCode"},
    {"(_ \"\", \"a\", \"\", \"b\", \"c\")", "a", "abc"},
    {"1", NULL, NULL},
    {"-1", NULL, NULL},
    {"null", NULL, NULL},
    {"undefined", NULL, NULL},
    {"[\"a\"]", NULL, NULL},
    {"[_ \"a\"]", NULL, NULL},
    {"{_ \"a\": \"b\"}", NULL, NULL},
    {"1(2)", NULL, NULL},
    {"x'f97e00'", NULL, NULL},
    {"", NULL, NULL},
};

static void
string(void **state)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "abcd", "Error", "ErrorCode", "b"};

    (void)state;
    for (size_t i = 0; i < LEN(strings); i++) {
        struct span item = guard_copy(diag(strings[i].diag));
        struct span got = cbor_string(item);

        CHECK_INT(strings[i].diag, got.p == NULL, strings[i].string == NULL);
        CHECK_SPAN(strings[i].diag, got, span_of(strings[i].string));
        for (size_t k = 0; k < LEN(texts); k++)
            CHECK_INT(strings[i].diag, cbor_same(item, span_of(texts[k])),
                      strings[i].same != NULL && strcmp(strings[i].same, texts[k]) == 0);
    }
}

static void
number(void **state)
{
    static const char *const others[] = {"-1",   "\"1\"",     "null", "[1]",
                                         "true", "x'f93c00'", "",     "h'01'"};
    uint64_t n = 0;

    (void)state;
    for (size_t i = 0; i < LEN(others); i++)
        CHECK_INT(others[i], cbor_number(guard_copy(diag(others[i])), &n), ERR_BAD);
    assert_int_equal(cbor_number(guard_copy(diag("1(42)")), &n), 0);
    assert_int_equal(n, 42);
    /* not the shortest form, which readers have to take */
    assert_int_equal(cbor_number(guard_copy(diag("x'190007'")), &n), 0);
    assert_int_equal(n, 7);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(head),      cmocka_unit_test(value),  cmocka_unit_test(walk),
        cmocka_unit_test(walk_open), cmocka_unit_test(string), cmocka_unit_test(number),
    };

    return RUN(argc, argv, tests);
}
