#include "protocol/oversize.h"

#include "protocol/json.h"
#include "protocol/json_walk.h"
#include "protocol/oversize_split.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "seed.h"

/* --- a strict reader of JSON of its own, so that ours do not judge themselves ----------------- */

struct reader {
    const unsigned char *p, *end;
};

static bool read_value(struct reader *r);

static void
space(struct reader *r)
{
    while (r->p < r->end && strchr(" \t\r\n", *r->p) != NULL && *r->p != 0)
        r->p++;
}

static bool
next_is(struct reader *r, char c)
{
    space(r);
    if (r->p == r->end || *r->p != (unsigned char)c)
        return false;
    r->p++;
    return true;
}

/* \uXXXX: its value, or -1. */
static int
read_hex(struct reader *r)
{
    int n = 0;

    if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = r->p[i] == 0 ? NULL : strchr(digits, r->p[i] | 0x20);

        if (r->p[i] < '0' || at == NULL)
            return -1;
        n = n * 16 + (int)(at - digits);
    }
    r->p += 6;
    return n;
}

static bool
read_escape(struct reader *r)
{
    int n;

    if (r->end - r->p < 2)
        return false;
    if (r->p[1] != 'u') {
        if (r->p[1] == 0 || strchr("\"\\/bfnrt", r->p[1]) == NULL)
            return false;
        r->p += 2;
        return true;
    }
    n = read_hex(r);
    if (n >= 0xd800 && n < 0xdc00) {
        n = read_hex(r);
        return n >= 0xdc00 && n < 0xe000;
    }
    return n >= 0 && (n < 0xdc00 || n >= 0xe000);
}

/* One character beyond ASCII: decoded, and compared with the least that so many bytes are for. */
static bool
read_wide(struct reader *r)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned len = *r->p >= 0xf0 ? 4 : *r->p >= 0xe0 ? 3 : 2;
    unsigned n = *r->p & (0x7fu >> len);

    if (*r->p < 0xc0 || *r->p >= 0xf8 || r->end - r->p < (ptrdiff_t)len)
        return false;
    for (unsigned i = 1; i < len; i++) {
        if ((r->p[i] & 0xc0) != 0x80)
            return false;
        n = n << 6 | (r->p[i] & 0x3f);
    }
    r->p += len;
    return n >= least[len] && n <= 0x10ffff && (n < 0xd800 || n > 0xdfff);
}

static bool
read_string(struct reader *r)
{
    if (!next_is(r, '"'))
        return false;
    while (r->p < r->end && *r->p != '"') {
        if (*r->p == '\\') {
            if (!read_escape(r))
                return false;
        } else if (*r->p >= 0x80) {
            if (!read_wide(r))
                return false;
        } else if (*r->p++ < 0x20) {
            return false;
        }
    }
    return next_is(r, '"');
}

static bool
read_digits(struct reader *r)
{
    const unsigned char *start = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > start;
}

static bool
read_scalar(struct reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    const unsigned char *start;

    for (size_t i = 0; i < LEN(words); i++)
        if ((size_t)(r->end - r->p) >= strlen(words[i]) &&
            memcmp(r->p, words[i], strlen(words[i])) == 0) {
            r->p += strlen(words[i]);
            return true;
        }
    if (*r->p == '-')
        r->p++;
    start = r->p;
    if (!read_digits(r) || (*start == '0' && r->p > start + 1))
        return false;
    if (r->p < r->end && *r->p == '.' && (r->p++, !read_digits(r)))
        return false;
    if (r->p < r->end && (*r->p | 0x20) == 'e') {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        return read_digits(r);
    }
    return true;
}

static bool
read_members(struct reader *r, char close)
{
    if (next_is(r, close))
        return true;
    do {
        if (close == '}' && (!read_string(r) || !next_is(r, ':')))
            return false;
        if (!read_value(r))
            return false;
    } while (next_is(r, ','));
    return next_is(r, close);
}

static bool
read_value(struct reader *r)
{
    space(r);
    if (r->p == r->end)
        return false;
    if (*r->p == '"')
        return read_string(r);
    if (*r->p != '{' && *r->p != '[')
        return read_scalar(r);
    return read_members(r, *r->p++ == '{' ? '}' : ']');
}

static bool
valid(struct span text)
{
    struct reader r = {(const unsigned char *)text.p, (const unsigned char *)text.p + text.len};

    if (!read_value(&r))
        return false;
    space(&r);
    return r.p == r.end;
}

/*
 * The project's own reader agrees: one value, whose members can all be walked through. Of a scalar
 * it wants to see what follows.
 */
static bool
walks(struct span text)
{
    struct json_walk w;
    struct span name, value;
    int got;

    if (json_walk_open(&w, text) != 0) {
        got = json_value(text);
        return got == (text.p[text.len - 1] == '"' ? (int)text.len : ERR_MORE);
    }
    while ((got = json_walk_next(&w, &name, &value)) == 1)
        ;
    return got == 0 && w.rest.len == 1 && json_value(text) == (int)text.len;
}

static void
reader_is_strict(void **state)
{
    static const char *const good[] = {
        "12", "null", " [ ] ", "{\"a\":[true,{}]}", "\"\\ud83d\\uDE00\\n\"", "\"\xf0\x9f\x98\x80\"",
    };
    static const char *const bad[] = {
        "",
        "[",
        "[0,]",
        "{\"a\"}",
        "{\"a\":0,}",
        "[0}",
        "nul",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud83d\"",
        "\"\\ude00",
        "0 0",
        "[] ]",
        "\"\xc0\x80\"",
        "\"\\ud83d\\u0041\"",
        "\"\xed\xa0\x80\"",
        "\"\n\"",
        "[0 0]",
        "\"\xc3\"",
        "{0:0}",
        "[,0]",
        "{\"a\":0,,}",
        "01",
        "1.",
        "1e",
        "-",
        "1.e5",
        "+1",
    };

    (void)state;
    for (size_t i = 0; i < LEN(good); i++)
        CHECK(good[i], valid(span_of(good[i])));
    for (size_t i = 0; i < LEN(bad); i++)
        CHECK(bad[i], !valid(span_of(bad[i])));
}

/* --- truncate --------------------------------------------------------------------------------- */

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A100 A50 A50
#define E_ACUTE "\xc3\xa9"
#define SMILE "\xf0\x9f\x98\x80"
#define SMILE_ESCAPED "\\ud83D\\uDe00"
#define MARK(n) "...[truncated " n " bytes]"

/* A row's max is meant as written: room for a count of ten digits is kept, whatever it is. */
static const struct {
    const char *name;
    struct span in;
    size_t max;
    const char *want; /* NULL: ERR_BIG */
} cuts[] = {
    {"fits", TEXT("{\"a\":1}"), 7, "{\"a\":1}"},
    {"nothing", TEXT(""), 0, ""},
    {"a string", TEXT("\"" A100 "\""), 60, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaa" MARK("73") "\""},
    {"one byte less", TEXT("\"" A100 "\""), 101, "\"" A50 A10 "aaaaaaaa" MARK("32") "\""},
    {"a string, all of it", TEXT("\"" A100 "\""), 33, "\"" MARK("100") "\""},
    {"a string, too small", TEXT("\"" A100 "\""), 32, NULL},
    {"an event", TEXT("{\"time\":\"t\",\"type\":\"function\",\"record\":\"" A100 "\"}"), 100,
     "{\"time\":\"t\",\"type\":\"function\",\"record\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaa" MARK(
         "73") "\"}"},
    {"the longest of three", TEXT("[\"" A50 "\",{\"b\":\"" A100 "\"},\"" A50 "\",12]"), 200,
     "[\"" A50 "\",{\"b\":\"" A50 MARK("50") "\"},\"" A50 "\",12]"},
    {"the first of two equals", TEXT("[\"" A50 "\",\"" A50 "\"]"), 100,
     "[\"aaaaaaaaaaaa" MARK("38") "\",\"" A50 "\"]"},
    {"a long name stays", TEXT("{\"" A100 "\" : \"" A50 "\"}"), 150,
     "{\"" A100 "\" : \"" A10 MARK("40") "\"}"},
    {"names and brackets in strings", TEXT("{\"a\":\"\\\":{[" A100 "\"}"), 80,
     "{\"a\":\"\\\":{[" A10 A10 A10 "aaaaaa" MARK("64") "\"}"},
    {"before a character", TEXT("\"" A50 "a" E_ACUTE A50 "\""), 84, "\"" A50 "a" MARK("52") "\""},
    {"not within a character", TEXT("\"" A50 "a" E_ACUTE A50 "\""), 85,
     "\"" A50 "a" MARK("52") "\""},
    {"behind a character", TEXT("\"" A50 "a" E_ACUTE A50 "\""), 86,
     "\"" A50 "a" E_ACUTE MARK("50") "\""},
    {"a character of four", TEXT("\"" A50 SMILE A50 "\""), 86, "\"" A50 MARK("54") "\""},
    {"behind a character of four", TEXT("\"" A50 SMILE A50 "\""), 87,
     "\"" A50 SMILE MARK("50") "\""},
    {"no UTF-8", TEXT("\"" A50 "\xff\xfe\x80\x80" A50 "\""), 85,
     "\"" A50 "\xff\xfe" MARK("52") "\""},
    {"not within an escape", TEXT("\"" A50 "\\n" A50 "\""), 84, "\"" A50 MARK("52") "\""},
    {"behind an escape", TEXT("\"" A50 "\\n" A50 "\""), 85, "\"" A50 "\\n" MARK("50") "\""},
    {"a quote", TEXT("\"" A50 "\\\"\\\\" A50 "\""), 86, "\"" A50 "\\\"" MARK("52") "\""},
    {"not within \\u", TEXT("\"" A50 "\\u00e9" A50 "\""), 88, "\"" A50 MARK("56") "\""},
    {"behind \\u", TEXT("\"" A50 "\\u00e9" A50 "\""), 89, "\"" A50 "\\u00e9" MARK("50") "\""},
    {"not between surrogates", TEXT("\"" A50 SMILE_ESCAPED A50 "\""), 94, "\"" A50 MARK("62") "\""},
    {"behind surrogates", TEXT("\"" A50 SMILE_ESCAPED A50 "\""), 95,
     "\"" A50 SMILE_ESCAPED MARK("50") "\""},
    {"the first surrogates", TEXT("\"" A50 "\\ud800\\uDC00" A50 "\""), 94,
     "\"" A50 MARK("62") "\""},
    {"the last surrogates", TEXT("\"" A50 "\\uDBFF\\udfff" A50 "\""), 94, "\"" A50 MARK("62") "\""},
    {"before the first surrogate", TEXT("\"" A50 "\\uD7ff\\uDC00" A50 "\""), 94,
     "\"" A50 "\\uD7ff" MARK("56") "\""},
    {"behind the first half", TEXT("\"" A50 "\\uDC00\\uDC00" A50 "\""), 94,
     "\"" A50 "\\uDC00" MARK("56") "\""},
    {"before the second half", TEXT("\"" A50 "\\ud800\\udbff" A50 "\""), 94,
     "\"" A50 "\\ud800" MARK("56") "\""},
    {"behind the surrogates", TEXT("\"" A50 "\\ud800\\ue000" A50 "\""), 94,
     "\"" A50 "\\ud800" MARK("56") "\""},
    {"a surrogate alone", TEXT("\"" A50 "\\ud83d\\u0041" A50 "\""), 94,
     "\"" A50 "\\ud83d" MARK("56") "\""},
    {"the other one alone", TEXT("\"" A50 "\\ude00\\ude00" A50 "\""), 94,
     "\"" A50 "\\ude00" MARK("56") "\""},

    {"array of numbers", TEXT("[12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]"), 56,
     "[12,12,12,\"" MARK("51") "\"]"},
    {"array, one number less",
     TEXT("[12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]"), 55,
     "[12,12,\"" MARK("54") "\"]"},
    {"array, none", TEXT("[12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]"), 48,
     "[\"" MARK("59") "\"]"},
    {"array, too small", TEXT("[12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]"), 47,
     NULL},
    {"object", TEXT("{\"a\":12,\"b\":12,\"c\":12,\"d\":12,\"e\":12,\"f\":12,\"g\":12,\"h\":12}"),
     54, "{\"a\":12,\"truncated\":\"" MARK("49") "\"}"},
    {"object, none",
     TEXT("{\"a\":12,\"b\":12,\"c\":12,\"d\":12,\"e\":12,\"f\":12,\"g\":12,\"h\":12}"), 53,
     "{\"truncated\":\"" MARK("55") "\"}"},
    {"nested",
     TEXT("{\"a\":[[12],{\"b\":{\"c\":0,\"d\":[12,12,12,12,12,12,12,12,12,12,12,12,12]}}]}"), 67,
     "{\"a\":[[12],{\"b\":{\"truncated\":\"" MARK("50") "\"}}]}"},
    {"behind a value that closed", TEXT("[[12],[12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]]"),
     53, "[[12],\"" MARK("50") "\"]"},
    {"within a second string", TEXT("[\"" A50 "\",\"" A50 "\",\"" A50 "\"]"), 108,
     "[\"" A50 "\",\"aaaaaaaaaaaaaaaaaaaa" MARK("83") "\"]"},
    {"within a string in an object", TEXT("{\"a\":\"" A50 "\",\"b\":{\"c\":\"" A50 "\"}}"), 70,
     "{\"a\":\"" A10 A10 A10 "a" MARK("82") "\"}"},
    {"not within a name", TEXT("{\"a\":12,\"" A100 "\":12}"), 100,
     "{\"a\":12,\"truncated\":\"" MARK("106") "\"}"},
    {"not between surrogates, in an array",
     TEXT("[\"" A50 "\",\"aaaaaaa" SMILE_ESCAPED A50 "\",\"" A50 "\"]"), 100,
     "[\"" A50 "\",\"aaaaaaa" MARK("115") "\"]"},
    {"white space",
     TEXT(" { \"a\" : 12 , \"b\" : [ 12 , 12 , 12 , 12 , 12 , 12 , 12 , 12 , 12 ] } "), 66,
     " { \"a\" : 12,\"truncated\":\"" MARK("57") "\"}"},
    {"a bracket that nothing opened",
     TEXT("][12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12]"), 55, NULL},
    {"brackets that cross",
     TEXT("{\"a\":12],12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12,12"), 60,
     "{\"a\":12,\"truncated\":\"" MARK("54") "\"}"},
    {"only white space to take", TEXT("\"" A10 "\"                                        "), 48,
     "\"" A10 MARK("40") "\""},
};

static int64_t
truncate_copy(struct span in, size_t max, struct span *out)
{
    char *data = guard_buffer(in.len);
    int64_t got;

    if (in.len > 0)
        memcpy(data, in.p, in.len);
    got = oversize_truncate(data, in.len, max);
    *out = (struct span){data, got < 0 ? in.len : (size_t)got};
    return got;
}

static void
truncate_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(cuts); i++) {
        struct span want = cuts[i].want == NULL ? cuts[i].in : span_of(cuts[i].want);
        struct span out;
        int64_t got = truncate_copy(cuts[i].in, cuts[i].max, &out);

        seed("oversize", cuts[i].in);
        CHECK_SPAN(cuts[i].name, out, want);
        CHECK_INT(cuts[i].name, got, cuts[i].want == NULL ? ERR_BIG : (int64_t)want.len);
    }
}

/* Records that end anywhere, as one that was cut by the platform, into all sizes. */
static void
truncate_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(cuts); i++)
        for (size_t n = 0; n <= cuts[i].in.len; n++)
            for (size_t max = 0; max <= n + 1; max++) {
                struct span in = {cuts[i].in.p, n};
                struct span out;
                int64_t got = truncate_copy(in, max, &out);

                CHECK(cuts[i].name, got == ERR_BIG || (got >= 0 && (size_t)got <= max));
                if (got == ERR_BIG || n <= max)
                    CHECK_SPAN(cuts[i].name, out, in);
            }
}

/* --- records at random, the same in every run ------------------------------------------------- */

static void
random_string(struct out *o, uint32_t longest)
{
    static const char *const units[] = {
        "a",
        "b",
        " ",
        "}",
        "]",
        "{",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "\\n",
        "\\u00e9",
        "\\/",
        "\\ud83d\\ude00",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\\uD83D\\uDE00",
        "\\u0000",
        "'",
        "\x7f",
    };

    out_byte(o, '"');
    for (uint32_t n = dice(longest + 1); n > 0; n--)
        out_put(o, span_of(units[dice(LEN(units))]));
    out_byte(o, '"');
}

static void
random_space(struct out *o)
{
    if (dice(12) == 0)
        out_byte(o, " \t\r\n"[dice(4)]);
}

static void
random_value(struct out *o, unsigned depth)
{
    static const char *const scalars[] = {"true", "false", "null", "-1.5e+10", "0", "12", "3E5"};
    uint32_t kind = dice(10);

    random_space(o);
    if (depth == 0 || kind < 2) {
        out_put(o, span_of(scalars[dice(LEN(scalars))]));
    } else if (kind < 6) {
        random_string(o, dice(4) == 0 ? 60 : 8);
    } else {
        bool object = kind < 8;

        out_byte(o, object ? '{' : '[');
        for (uint32_t n = dice(5), i = 0; i < n; i++) {
            if (i > 0)
                out_byte(o, ',');
            random_space(o);
            if (object) {
                random_string(o, 6);
                random_space(o);
                out_byte(o, ':');
            }
            random_value(o, depth - 1);
            random_space(o);
        }
        out_byte(o, object ? '}' : ']');
    }
}

/* One of any shape, up to deeper than brackets can be closed. */
static struct span
random_record(char *buffer, size_t cap)
{
    struct out o;
    uint32_t deeper;

    do {
        o = out_to(buffer, cap);
        deeper = dice(6) == 0 ? dice(90) : 0;
        for (uint32_t i = 0; i < deeper; i++)
            out_put(&o, i % 2 == 0 ? SPAN("[0,") : SPAN("{\"a\":"));
        random_value(&o, 6);
        for (uint32_t i = deeper; i > 0; i--)
            out_put(&o, i % 2 == 1 ? SPAN("]") : SPAN("}"));
    } while (out_end(&o) != 0);
    return out_span(&o);
}

/*
 * What stands before the marker is how the record begins, up to what was added; what stands behind
 * it is how the record goes on, or closes what is open. Between the two the record had as many
 * bytes as the marker says.
 */
static bool
marked(struct span in, struct span before, struct span after, uint64_t gone, struct span added)
{
    struct span start = {before.p, before.len - added.len};
    bool closes = true;

    if (added.len > before.len || !span_same(span_skip(before, start.len), added) ||
        !span_starts(in, start))
        return false;
    for (size_t i = 1; i < after.len; i++)
        closes = closes && memchr("]}", after.p[i], 2) != NULL;
    if (added.len > 0)
        return closes && start.len + gone + after.len - 1 == in.len;
    if (start.len + gone + after.len != in.len)
        return false;
    return closes || span_same(after, span_skip(in, start.len + gone));
}

static void
check_marker(struct span in, struct span out)
{
    static const char *const added[] = {
        "", "\"", ",\"", "\"truncated\":\"", ",\"truncated\":\"",
    };
    struct span start = SPAN("...[truncated ");
    const char *at = memmem(out.p, out.len, start.p, start.len);
    struct span before, after, count;
    uint64_t gone;
    bool found = false;

    assert_non_null(at);
    before = (struct span){out.p, (size_t)(at - out.p)};
    count = span_cut(span_skip(out, before.len + start.len), ' ', &after);
    assert_int_equal(span_number(count, in.len, &gone), 0);
    assert_true(span_starts(after, SPAN("bytes]\"")));
    after = span_skip(after, sizeof "bytes]" - 1);
    for (size_t i = 0; i < LEN(added); i++)
        found = found || marked(in, before, after, gone, span_of(added[i]));
    if (!found)
        fail_msg("<%.*s> of <%.*s>", (int)out.len, out.p, (int)in.len, in.p);
}

/* All sizes: the result fits, is valid and says what is missing; or it was too small for it. */
static void
truncate_random(void **state)
{
    static char text[1200];
    size_t cut = 0, refused = 0;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct span in = random_record(text, sizeof text);
        char first = in.p[0];

        CHECK_SPAN("generated", in, valid(in) ? in : SPAN("valid"));
        for (size_t max = 0; max <= in.len; max += in.len < 400 ? 1 : 1 + dice(5)) {
            struct span out;
            int64_t got = truncate_copy(in, max, &out);

            if (got == ERR_BIG) {
                CHECK_SPAN("untouched", out, in);
                assert_true(max < 48 || (first != '{' && first != '[' && first != '"'));
                refused++;
                continue;
            }
            assert_true(got >= 0 && (size_t)got <= max);
            if (!valid(out) || !walks(out))
                fail_msg("%zu: <%.*s> of <%.*s>", max, (int)out.len, out.p, (int)in.len, in.p);
            if (max < in.len) {
                check_marker(in, out);
                cut++;
            }
        }
    }
    assert_true(cut > 10000 && refused > 5000);
}

/* Any bytes at all do no harm. */
static void
truncate_rubbish(void **state)
{
    static const char bytes[] = "\"\"\"\\\\{}[]:,au0dD8\n \x80\xc3\xf0\xff";
    char text[120];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = dice(sizeof text + 1);
        size_t max = dice((uint32_t)len + 1);
        struct span out;
        int64_t got;

        for (size_t i = 0; i < len; i++)
            text[i] = bytes[dice(sizeof bytes)];
        got = truncate_copy((struct span){text, len}, max, &out);
        assert_true(got == ERR_BIG || (got >= 0 && (size_t)got <= max));
        if (got == ERR_BIG)
            CHECK_SPAN("untouched", out, ((struct span){text, len}));
    }
}

/* Large records of one pattern; any that took square time would not end. */
static void
truncate_large(void **state)
{
    static const struct {
        const char *pattern;
        bool cut, valid;
    } rows[] = {
        {"[", true, true},      {"{\"a\":", true, true},
        {"[0,", true, true},    {"{\"a\":[],\"b\":", true, true},
        {"[{},", true, true},   {"[\"a\",\"\\n\",", true, true},
        {"\"", true, false},    {"\"\\\\", true, false},
        {"[]", true, true},     {"\":", false, false},
        {"\\\"", false, false}, {" ", false, false},
        {"]", false, false},    {"0", false, false},
        {"\xff", false, false},
    };
    static char text[GUARD_ROOM];

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        size_t step = strlen(rows[i].pattern);
        size_t max = sizeof text - 100;
        struct span out;
        int64_t got;

        for (size_t at = 0; at < sizeof text; at++)
            text[at] = rows[i].pattern[at % step];
        got = truncate_copy((struct span){text, sizeof text}, max, &out);
        if (rows[i].cut)
            CHECK(rows[i].pattern, got > 0 && (size_t)got <= max);
        else
            CHECK_INT(rows[i].pattern, got, ERR_BIG);
        CHECK_INT(rows[i].pattern, valid(out), rows[i].valid);
    }
}

/* Brackets beyond those that can be closed: what lies in them is kept whole or not at all. */
static void
truncate_deep(void **state)
{
    char text[400], want[200];
    struct span out;

    (void)state;
    for (size_t depth = 60; depth <= 70; depth++) {
        struct out o = out_to(text, sizeof text);
        struct out w = out_to(want, sizeof want);
        size_t kept = depth < 64 ? depth : 64;

        for (size_t i = 0; i < depth; i++)
            out_byte(&o, '[');
        for (size_t i = 0; i < 50; i++)
            out_put(&o, SPAN("12,"));
        out_put(&o, SPAN("0"));
        for (size_t i = 0; i < depth; i++)
            out_byte(&o, ']');
        seed("oversize", out_span(&o));
        assert_true(truncate_copy(out_span(&o), 2 * depth + 50, &out) > 0);
        for (size_t i = 0; i < kept; i++)
            out_byte(&w, '[');
        /* just room for one number more, where it can be closed */
        out_put(&w, depth <= 64 ? SPAN("12,\"...[truncated ") : SPAN("\"...[truncated "));
        out_number(&w, o.len - 2 * kept - (depth <= 64 ? 2 : 0));
        out_put(&w, SPAN(" bytes]\""));
        for (size_t i = 0; i < kept; i++)
            out_byte(&w, ']');
        CHECK_SPAN("deep", out, out_span(&w));
    }
}

/* A string as long as a record can be, of the characters that are slowest to step over. */
static void
truncate_long_string(void **state)
{
    static char text[GUARD_ROOM];
    struct span out;
    size_t max = sizeof text - 256;

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t at = 1; at + 12 < sizeof text; at += 12)
        memcpy(text + at, "\\ud83d\\ude00", 12);
    text[0] = text[sizeof text - 1] = '"';
    assert_true(truncate_copy((struct span){text, sizeof text}, max, &out) > (int64_t)max - 24);
    assert_true(valid(out));
    check_marker((struct span){text, sizeof text}, out);
}

/* --- split ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    struct span record;
    size_t max; /* the frame of "id", with two numbers of ten digits, takes 68 */
    const char *want[5];
} splits[] = {
    {"nothing", TEXT(""), 74, {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":1},\"text\":\"\"}"}},
    {"fits",
     TEXT("0123456789"),
     78,
     {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":1},\"text\":\"0123456789\"}"}},
    {"two",
     TEXT("01234567890"),
     78,
     {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":2},\"text\":\"0123456789\"}",
      "{\"split\":{\"id\":\"id\",\"part\":2,\"parts\":2},\"text\":\"0\"}"}},
    {"escapes",
     TEXT("{\"a\":\"\\n\"}\n\x01"),
     76,
     {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":3},\"text\":\"{\\\"a\\\":\"}",
      "{\"split\":{\"id\":\"id\",\"part\":2,\"parts\":3},\"text\":\"\\\"\\\\n\\\"}\"}",
      "{\"split\":{\"id\":\"id\",\"part\":3,\"parts\":3},\"text\":\"\\n\\u0001\"}"}},
    {"characters",
     TEXT("01234" E_ACUTE SMILE "678" E_ACUTE),
     74,
     {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":3},\"text\":\"01234\"}",
      "{\"split\":{\"id\":\"id\",\"part\":2,\"parts\":3},\"text\":\"" E_ACUTE SMILE "\"}",
      "{\"split\":{\"id\":\"id\",\"part\":3,\"parts\":3},\"text\":\"678" E_ACUTE "\"}"}},
    {"no UTF-8",
     TEXT("\x80\x80\x80\x80\x80\x80\xe2\x82\xff"),
     74,
     {"{\"split\":{\"id\":\"id\",\"part\":1,\"parts\":2},\"text\":\"\x80\x80\x80\x80\x80\x80\"}",
      "{\"split\":{\"id\":\"id\",\"part\":2,\"parts\":2},\"text\":\"\xe2\x82\xff\"}"}},
};

/* Every piece, and the sizes told before; into a room that fits exactly, and one too small. */
static void
split_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(splits); i++) {
        struct oversize_split s;
        struct out o;
        size_t bytes = 0, parts = 0;

        seed("oversize", splits[i].record);
        CHECK_INT(splits[i].name,
                  oversize_split(&s, guard_copy(splits[i].record), SPAN("id"), splits[i].max), 0);
        for (; parts < LEN(splits[i].want) && splits[i].want[parts] != NULL; parts++) {
            struct span want = span_of(splits[i].want[parts]);

            CHECK_INT(splits[i].name, oversize_split_size(&s), want.len);
            for (size_t cap = 0; cap < want.len; cap++) {
                o = out_to(guard_buffer(cap), cap);
                CHECK_INT(splits[i].name, oversize_split_next(&s, &o), ERR_FULL);
            }
            o = out_to(guard_buffer(want.len), want.len);
            CHECK_INT(splits[i].name, oversize_split_next(&s, &o), 1);
            CHECK_SPAN(splits[i].name, out_span(&o), want);
            bytes += want.len;
        }
        CHECK_INT(splits[i].name, s.parts, parts);
        CHECK_INT(splits[i].name, s.bytes, bytes);
        CHECK_INT(splits[i].name, oversize_split_size(&s), 0);
        CHECK_INT(splits[i].name, oversize_split_next(&s, &o), 0);
    }
}

static void
split_least(void **state)
{
    static const char *const ids[] = {"", "7f3a-12", "00112233445566778899aabbccddeeff-12345678"};
    struct oversize_split s;

    (void)state;
    for (size_t i = 0; i < LEN(ids); i++)
        for (size_t max = 0; max < 200; max++)
            CHECK_INT(ids[i],
                      oversize_split(&s, SPAN("\x01\xf0\x9f\x98\x80"), span_of(ids[i]), max),
                      max < 72 + strlen(ids[i]) ? ERR_BIG : 0);
}

/* The pieces' texts, read as JSON, one after the other. */
static void
join(struct span record, size_t max, bool good)
{
    static struct json doc;
    static char joined[4000];
    char piece[4000];
    struct out all = out_to(joined, sizeof joined);
    struct oversize_split s;
    size_t bytes = 0;
    uint32_t part = 1;
    struct out o;

    assert_int_equal(oversize_split(&s, guard_copy(record), SPAN("7f3a-12"), max), 0);
    for (;; part++) {
        size_t size = oversize_split_size(&s);
        uint64_t n;
        int head;

        o = out_to(guard_buffer(size), size);
        if (oversize_split_next(&s, &o) == 0)
            break;
        assert_int_equal(o.len, size);
        assert_true(size <= max && size <= sizeof piece);
        assert_true(!good || (valid(out_span(&o)) && walks(out_span(&o))));
        memcpy(piece, o.p, size);
        assert_int_equal(json_parse(&doc, (struct span){piece, size}), 0);
        head = json_member(&doc, 0, SPAN("split"));
        assert_int_equal(json_number(&doc, json_member(&doc, head, SPAN("part")), 9999, &n), 0);
        assert_int_equal(n, part);
        assert_int_equal(json_number(&doc, json_member(&doc, head, SPAN("parts")), 9999, &n), 0);
        assert_int_equal(n, s.parts);
        CHECK_SPAN("id", json_raw(&doc, json_member(&doc, head, SPAN("id"))), SPAN("7f3a-12"));
        assert_int_equal(json_text(&doc, json_member(&doc, 0, SPAN("text")), &all), 0);
        bytes += size;
    }
    assert_int_equal(part, s.parts + 1);
    assert_int_equal(bytes, s.bytes);
    CHECK_SPAN("joined", out_span(&all), record);
}

static void
split_random(void **state)
{
    static char text[1200];

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct span record = random_record(text, sizeof text);

        for (size_t max = 79; max <= record.len + 100; max += 1 + dice(3))
            join(record, max, true);
    }
    for (int round = 0; round < 500; round++) {
        size_t len = dice(sizeof text);

        for (size_t i = 0; i < len; i++)
            text[i] = (char)dice(256);
        join((struct span){text, len}, 79 + dice(300), false);
    }
}

/* A record of a million bytes in as many pieces as it would be at Kinesis's limit, and in many. */
static void
split_large(void **state)
{
    enum { BYTES = 1 << 20 };
    static char text[BYTES], piece[BYTES];
    static const struct {
        size_t max;
        uint32_t parts;
    } rows[] = {{BYTES, 2}, {1000, 1273}, {79, 196608}};

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "abcdefg\""[i % 8];
    for (size_t i = 0; i < LEN(rows); i++) {
        struct oversize_split s;
        struct span record = {text, sizeof text};
        size_t bytes = 0;
        struct out o;

        assert_int_equal(oversize_split(&s, record, SPAN("7f3a-12"), rows[i].max), 0);
        CHECK_INT("parts", s.parts, rows[i].parts);
        for (o = out_to(piece, rows[i].max); oversize_split_next(&s, &o) == 1;
             o = out_to(piece, rows[i].max))
            bytes += o.len;
        CHECK_INT("bytes", bytes, s.bytes);
        CHECK_INT("left", s.rest.len, 0);
    }
}

#define CUT "...[truncated]"
#define REST A50 A50

/* The beginning of a record, of which REST is more than can be kept. */
static const struct {
    const char *name;
    struct span in;
    size_t max;
    const char *want;
} beginnings[] = {
    {"an event", TEXT("{\"type\":\"function\",\"record\":\"" A50 REST), 100,
     "{\"type\":\"function\",\"record\":\"" A10 A10 A10 "aaaaaaaa" CUT "\"}"},
    {"a name that is cut", TEXT("{\"a\":1,\"" REST REST), 100,
     "{\"a\":1,\"truncated\":\"" CUT "\"}"},
    {"behind a name", TEXT("{\"a\":1,\"" REST REST "\""), 100,
     "{\"a\":1,\"truncated\":\"" CUT "\"}"},
    {"white space behind a name", TEXT("{\"a\":1,\"" REST REST "\" "), 100,
     "{\"a\":1,\"truncated\":\"" CUT "\"}"},
    {"behind a value", TEXT("{\"a\":\"" A50 REST "\""), 80,
     "{\"a\":\"" A10 A10 A10 A10 "a" CUT "\"}"},
    {"behind a string of an array", TEXT("[1,\"" A50 REST "\""), 80,
     "[1,\"" A10 A10 A10 A10 "aaa" CUT "\"]"},
    {"a string of an array", TEXT("{\"a\":[1,\"" A50 REST), 80,
     "{\"a\":[1,\"" A10 A10 A10 "aaaaaaa" CUT "\"]}"},
    {"numbers",
     TEXT("{\"a\":[1,22,333,44444444444444444444444444444444444444444444444444444444444"
          "44444444444444444444444444444444444"),
     70, "{\"a\":[1,22,333,\"" CUT "\"]}"},
    {"an escape at the cut", TEXT("[\"" A10 A10 "\\u00e9\\u00e9\\u00e9" REST), 72,
     "[\"" A10 A10 "\\u00e9\\u00e9" CUT "\"]"},
    {"nothing of it can be kept", TEXT("{\"" REST REST), 100, "{\"truncated\":\"" CUT "\"}"},
    {"no JSON", TEXT(REST REST), 100, NULL},
};

static void
closed_beginnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(beginnings); i++) {
        size_t len = beginnings[i].in.len;
        char *data = guard_buffer(len);
        int64_t got;

        seed("oversize", beginnings[i].in);
        memcpy(data, beginnings[i].in.p, len);
        got = oversize_close(data, len, beginnings[i].max);
        if (beginnings[i].want == NULL)
            CHECK_INT(beginnings[i].name, got, ERR_BIG);
        else
            CHECK_SPAN(beginnings[i].name, ((struct span){data, (size_t)got}),
                       span_of(beginnings[i].want));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_is_strict),     cmocka_unit_test(truncate_rows),
        cmocka_unit_test(closed_beginnings),    cmocka_unit_test(truncate_prefixes),
        cmocka_unit_test(truncate_random),      cmocka_unit_test(truncate_rubbish),
        cmocka_unit_test(truncate_large),       cmocka_unit_test(truncate_deep),
        cmocka_unit_test(truncate_long_string), cmocka_unit_test(split_rows),
        cmocka_unit_test(split_least),          cmocka_unit_test(split_random),
        cmocka_unit_test(split_large),
    };

    return RUN(argc, argv, tests);
}
