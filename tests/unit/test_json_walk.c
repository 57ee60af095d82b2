#include "protocol/json_walk.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

/* The value, and what follows it; want: 0 for the length of the value, or an error. */
static const struct {
    const char *name;
    struct span in;
    const char *rest;
    int want;
} values[] = {
    {"string", TEXT("\"abc\""), "", 0},
    {"empty string", TEXT("\"\"x"), "x", 0},
    {"escaped quotes", TEXT("\"\\\"a\\\\\\\"b\\\\\","), ",", 0},
    {"string of backslashes", TEXT("\"\\\\\\\\\\\\\""), "", 0},
    {"brackets in string", TEXT("\"]}[{\"]"), "]", 0},
    {"object", TEXT("{},"), ",", 0},
    {"array", TEXT("[]"), "", 0},
    {"nested", TEXT("{\"a\":[{\"b\":\"]}\\\"\"},[[]]]}}"), "}", 0},
    {"white space before", TEXT(" \t\r\n[ ] "), " ", 0},
    {"true", TEXT("true,"), ",", 0},
    {"false", TEXT("false]"), "]", 0},
    {"null", TEXT("null}"), "}", 0},
    {"null and blank", TEXT("\nnull\n"), "\n", 0},
    {"zero", TEXT("0 "), " ", 0},
    {"negative", TEXT("-0\t"), "\t", 0},
    {"number", TEXT("-120.050e+10\r"), "\r", 0},
    {"number, small e", TEXT("1e5,"), ",", 0},
    {"number, great E", TEXT("1.5E-05]"), "]", 0},

    {"nothing", TEXT(""), "", ERR_MORE},
    {"white space", TEXT(" \n"), "", ERR_MORE},
    {"string cut", TEXT("\"ab"), "", ERR_MORE},
    {"string cut in escape", TEXT("\"ab\\"), "", ERR_MORE},
    {"string cut behind escaped quote", TEXT("\"ab\\\""), "", ERR_MORE},
    {"object cut", TEXT("{\"a\":[]"), "", ERR_MORE},
    {"cut in inner string", TEXT("[\"]"), "", ERR_MORE},
    {"number without end", TEXT("12"), "", ERR_MORE},
    {"number cut in fraction", TEXT("12."), "", ERR_MORE},
    {"number cut in exponent", TEXT("12e"), "", ERR_MORE},
    {"number cut behind sign", TEXT("12e-"), "", ERR_MORE},
    {"sign only", TEXT("-"), "", ERR_MORE},
    {"word cut", TEXT("nul"), "", ERR_MORE},
    {"word without end", TEXT("null"), "", ERR_MORE},

    {"closing bracket", TEXT("]"), "", ERR_BAD},
    {"comma", TEXT(","), "", ERR_BAD},
    {"colon", TEXT(":1"), "", ERR_BAD},
    {"letter", TEXT("x"), "", ERR_BAD},
    {"zero byte", TEXT("\0"), "", ERR_BAD},
    {"other white space", TEXT("\v1 "), "", ERR_BAD},
    {"byte order mark", TEXT("\xef\xbb\xbf{}"), "", ERR_BAD},
    {"other word", TEXT("nil "), "", ERR_BAD},
    {"word goes on", TEXT("nulls"), "", ERR_BAD},
    {"word and bracket", TEXT("true[1]"), "", ERR_BAD},
    {"great letters", TEXT("True "), "", ERR_BAD},
    {"plus", TEXT("+1 "), "", ERR_BAD},
    {"zero before digits", TEXT("01 "), "", ERR_BAD},
    {"zero before digits, negative", TEXT("-01 "), "", ERR_BAD},
    {"no digits", TEXT("-x"), "", ERR_BAD},
    {"no digits before the point", TEXT(".5 "), "", ERR_BAD},
    {"no digits behind the point", TEXT("1. "), "", ERR_BAD},
    {"no digits in exponent", TEXT("1e+ "), "", ERR_BAD},
    {"two points", TEXT("1.2.3 "), "", ERR_BAD},
    {"hex", TEXT("0x1 "), "", ERR_BAD},

    /* inside a value only strings and depth are followed, see json_walk.h */
    {"brackets cross", TEXT("[1,,2}"), "", 0},
    {"rubbish within", TEXT("{x \xff y}"), "", 0},
};

static void
value(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(values); i++) {
        size_t rest = strlen(values[i].rest);
        int whole = values[i].want == 0 ? (int)(values[i].in.len - rest) : values[i].want;
        bool scalar = rest > 0 && memchr("\"]}", values[i].in.p[whole - 1], 3) == NULL;
        int got = ERR_MORE;

        seed("json_walk", values[i].in);
        for (size_t n = 0; n <= values[i].in.len; n++) {
            int before = got;

            got = json_value(guard_copy((struct span){values[i].in.p, n}));
            CHECK(values[i].name, got == before || before == ERR_MORE);
            /* the end of a scalar is seen only by what follows */
            if (values[i].want == 0)
                CHECK_INT(values[i].name, got, (int)n < whole + scalar ? ERR_MORE : whole);
        }
        CHECK_INT(values[i].name, got, whole);
    }
}

/* What a walk meets, one member after the other: name=value; */
static int
walk_all(struct span in, char *seen)
{
    struct json_walk w;
    struct span name, element;
    int got = json_walk_open(&w, in);

    *seen = 0;
    if (got < 0)
        return got;
    while ((got = json_walk_next(&w, &name, &element)) == 1) {
        strncat(seen, name.len == 0 ? "" : name.p, name.len);
        strcat(seen, "=");
        strncat(seen, element.p, element.len);
        strcat(seen, ";");
    }
    if (got == 0) {
        CHECK("the end stays", json_walk_next(&w, &name, &element) == 0);
        CHECK("rest", w.rest.len > 0 && w.rest.p[0] == w.close);
    } else {
        CHECK_INT("the error stays", json_walk_next(&w, &name, &element), got);
    }
    return got;
}

/* want: of the whole text. All prefixes of one that is well-formed give ERR_MORE. */
static const struct {
    const char *name, *in;
    int want;
    const char *seen;
} walks[] = {
    {"empty object", "{}", 0, ""},
    {"empty array", " [ \n] ", 0, ""},
    {"array", "[1,\"a\",[2,3],{\"b\":null},true]", 0, "=1;=\"a\";=[2,3];={\"b\":null};=true;"},
    {"object", "{\"a\":1,\"b\":\"c\",\"\":{}}", 0, "a=1;b=\"c\";={};"},
    {"white space", "\t{ \"a\" : 1\n,\r\"b\"\t:[ ] }x", 0, "a=1;b=[ ];"},
    {"escapes in name", "{\"\\\"a\\\\\":\"}\"}", 0, "\\\"a\\\\=\"}\";"},

    {"nothing", "", ERR_BAD, ""},
    {"string", "\"a\"", ERR_BAD, ""},
    {"number", "1 ", ERR_BAD, ""},
    {"wrong bracket", "[1}", ERR_BAD, "=1;"},
    {"wrong bracket at once", "{]", ERR_BAD, ""},
    {"comma at the end", "[1,]", ERR_BAD, "=1;"},
    {"comma at the end of an object", "{\"a\":1,}", ERR_BAD, "a=1;"},
    {"comma first", "[,1]", ERR_BAD, ""},
    {"comma doubled", "[1,,2]", ERR_BAD, "=1;"},
    {"comma left out", "[\"a\" \"b\"]", ERR_BAD, "=\"a\";"},
    {"colon left out", "{\"a\" 1}", ERR_BAD, ""},
    {"colon in array", "[1:2]", ERR_BAD, ""},
    {"value left out", "{\"a\":}", ERR_BAD, ""},
    {"value and colon left out", "{\"a\"}", ERR_BAD, ""},
    {"name no string", "{a:1}", ERR_BAD, ""},
    {"word", "[1,nil]", ERR_BAD, "=1;"},

    {"cut at once", "[", ERR_MORE, ""},
    {"cut behind comma", "[1,", ERR_MORE, "=1;"},
    {"cut in value", "[1,[2]", ERR_MORE, "=1;=[2];"},
    {"cut in name", "{\"a", ERR_MORE, ""},
    {"cut behind name", "{\"a\" ", ERR_MORE, ""},
    {"cut behind colon", "{\"a\":\n", ERR_MORE, ""},
    {"cut behind scalar", "{\"a\":1", ERR_MORE, ""},
};

static void
walk(void **state)
{
    char seen[256];

    (void)state;
    for (size_t i = 0; i < LEN(walks); i++) {
        struct span in = span_of(walks[i].in);

        seed("json_walk", in);
        CHECK_INT(walks[i].name, walk_all(guard_copy(in), seen), walks[i].want);
        CHECK_SPAN(walks[i].name, span_of(seen), span_of(walks[i].seen));
        if (walks[i].want == ERR_BAD)
            continue;
        while (in.len > 0 && walks[i].want == 0 && in.p[in.len - 1] != ']' &&
               in.p[in.len - 1] != '}')
            in.len--;
        while (in.len > 0 && strchr(" \t\n", in.p[0]) != NULL)
            in = span_skip(in, 1);
        while (in.len > 1) {
            in.len--;
            CHECK_INT(walks[i].name, walk_all(guard_copy(in), seen), ERR_MORE);
            CHECK(walks[i].name, span_starts(span_of(walks[i].seen), span_of(seen)));
        }
    }
}

static void
string(void **state)
{
    static const struct {
        struct span in;
        const char *want;
    } rows[] = {
        {TEXT("\"\""), ""},      {TEXT("\"a\\n\""), "a\\n"}, {TEXT("null"), NULL},
        {TEXT("[\"a\"]"), NULL}, {TEXT("\""), NULL},         {TEXT("1"), NULL},
        {{NULL, 0}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span got = json_walk_string(guard_copy(rows[i].in));

        CHECK_SPAN("string", got, span_of(rows[i].want));
        CHECK("string", (got.p == NULL) == (rows[i].want == NULL));
    }
}

#define DEEP 100000

static void
deep(void **state)
{
    static char text[2 * DEEP];
    struct json_walk w;
    struct span name, inner;
    int levels = 0;

    (void)state;
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_int_equal(json_value(guard_copy((struct span){text, sizeof text})), sizeof text);
    assert_int_equal(json_value(guard_copy((struct span){text, sizeof text - 1})), ERR_MORE);
    assert_int_equal(json_value(guard_copy((struct span){text, DEEP})), ERR_MORE);
    memset(text + 1000, ']', 1000);
    inner = guard_copy((struct span){text, 2000});
    while (json_walk_open(&w, inner) == 0) {
        levels++;
        if (json_walk_next(&w, &name, &inner) != 1)
            break;
    }
    assert_int_equal(levels, 1000);
}

/* Many elements, and long strings with many escapes: every one is met once. */
static void
wide(void **state)
{
    static char text[GUARD_ROOM];
    struct json_walk w;
    struct span name, element;
    size_t len = 1, met = 0, items = 0;

    (void)state;
    text[0] = '[';
    while (len + 40 < sizeof text) {
        static const char item[] = "\"\\\\\\\"0123456789012345678901234567\",";

        memcpy(text + len, item, sizeof item - 1);
        len += sizeof item - 1;
        items++;
    }
    text[len - 1] = ']';
    assert_int_equal(json_walk_open(&w, guard_copy((struct span){text, len})), 0);
    while (json_walk_next(&w, &name, &element) == 1) {
        assert_int_equal(element.len, 34);
        met++;
    }
    assert_int_equal(met, items);
    assert_true(met > 25000);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(value), cmocka_unit_test(walk), cmocka_unit_test(string),
        cmocka_unit_test(deep),  cmocka_unit_test(wide),
    };

    return RUN(argc, argv, tests);
}
