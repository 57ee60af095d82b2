#include "protocol/span.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

static void
of(void **state)
{
    (void)state;
    CHECK_SPAN("text", span_of("abc"), SPAN("abc"));
    CHECK_INT("empty", span_of("").len, 0);
    CHECK_INT("null", span_of(NULL).len, 0);
    CHECK("null", span_of(NULL).p == NULL);
}

static const struct {
    const char *name;
    struct span a, b;
    bool same, same_case, starts; /* a starts with b */
} pairs[] = {
    {"equal", TEXT("Host"), TEXT("Host"), true, true, true},
    {"other case", TEXT("Host"), TEXT("hOST"), false, true, false},
    {"shorter", TEXT("Host"), TEXT("Hos"), false, false, true},
    {"longer", TEXT("Hos"), TEXT("Host"), false, false, false},
    {"other", TEXT("Host"), TEXT("Hose"), false, false, false},
    {"only letters have a case", TEXT("@[`{"), TEXT("`{@["), false, false, false},
    {"beyond ASCII", TEXT("\xc4"), TEXT("\xe4"), false, false, false},
    {"zero bytes", TEXT("a\0b"), TEXT("a\0c"), false, false, false},
    {"both null", {NULL, 0}, {NULL, 0}, true, true, true},
    {"null and empty", {NULL, 0}, TEXT(""), true, true, true},
    {"null and text", {NULL, 0}, TEXT("a"), false, false, false},
    {"text and null", TEXT("a"), {NULL, 0}, false, false, true},
};

static void
same(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(pairs); i++) {
        CHECK_INT(pairs[i].name, span_same(pairs[i].a, guard_copy(pairs[i].b)), pairs[i].same);
        CHECK_INT(pairs[i].name, span_same_case(pairs[i].a, guard_copy(pairs[i].b)),
                  pairs[i].same_case);
        CHECK_INT(pairs[i].name, span_starts(guard_copy(pairs[i].a), pairs[i].b), pairs[i].starts);
    }
}

static void
skipping(void **state)
{
    (void)state;
    CHECK_SPAN("none", span_skip(SPAN("abc"), 0), SPAN("abc"));
    CHECK_SPAN("one", span_skip(SPAN("abc"), 1), SPAN("bc"));
    CHECK_SPAN("all", span_skip(SPAN("abc"), 3), SPAN(""));
    CHECK_SPAN("beyond", span_skip(SPAN("abc"), SIZE_MAX), SPAN(""));
    CHECK_SPAN("null", span_skip((struct span){NULL, 0}, 1), SPAN(""));
}

static const struct {
    struct span in, want;
} trims[] = {
    {TEXT(""), TEXT("")},
    {TEXT(" "), TEXT("")},
    {TEXT("\t \t"), TEXT("")},
    {TEXT("a"), TEXT("a")},
    {TEXT(" \ta b\t "), TEXT("a b")},
    {TEXT("\na\r"), TEXT("\na\r")},
};

static void
trim(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(trims); i++)
        CHECK_SPAN("trim", span_trim(guard_copy(trims[i].in)), trims[i].want);
    CHECK_INT("null", span_trim((struct span){NULL, 0}).len, 0);
}

static const struct {
    struct span in;
    uint64_t max;
    int want;
    uint64_t number;
} numbers[] = {
    {TEXT("0"), 0, 0, 0},
    {TEXT("007"), 7, 0, 7},
    {TEXT("1"), 0, ERR_BAD, 0},
    {TEXT("255"), 255, 0, 255},
    {TEXT("256"), 255, ERR_BAD, 0},
    {TEXT("18446744073709551615"), UINT64_MAX, 0, UINT64_MAX},
    {TEXT("18446744073709551616"), UINT64_MAX, ERR_BAD, 0},
    {TEXT("99999999999999999999"), UINT64_MAX, ERR_BAD, 0},
    {TEXT("184467440737095516150"), UINT64_MAX, ERR_BAD, 0},
    {TEXT(""), 9, ERR_BAD, 0},
    {TEXT("-1"), 9, ERR_BAD, 0},
    {TEXT("+1"), 9, ERR_BAD, 0},
    {TEXT(" 1"), 9, ERR_BAD, 0},
    {TEXT("1 "), 9, ERR_BAD, 0},
    {TEXT("1a"), 99, ERR_BAD, 0},
    {TEXT("1/"), 99, ERR_BAD, 0},
    {TEXT("1:"), 99, ERR_BAD, 0},
};

static void
number(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(numbers); i++) {
        uint64_t n = 4711;

        seed("timestamp", numbers[i].in);
        CHECK_INT(numbers[i].in.p, span_number(guard_copy(numbers[i].in), numbers[i].max, &n),
                  numbers[i].want);
        CHECK(numbers[i].in.p, n == (numbers[i].want == 0 ? numbers[i].number : 4711));
    }
}

static const struct {
    struct span in;
    const char *others;
    bool want;
} made[] = {
    {TEXT("azAZ09"), "", true}, {TEXT("a-b.c"), ".-", true}, {TEXT("-"), "-", true},
    {TEXT(""), "-", false},     {TEXT("a-b"), "", false},    {TEXT("a-b.c"), "-", false},
    {TEXT("a\0"), "-", false},  {TEXT("\0"), "", false},     {TEXT("\xc3\xa4"), "-", false},
    {TEXT("a`"), "-", false},   {TEXT("a{"), "-", false},    {TEXT("a@"), "-", false},
    {TEXT("a["), "-", false},   {TEXT("a/"), "-", false},    {TEXT("a:"), "-", false},
};

static void
made_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(made); i++)
        CHECK_INT(made[i].in.p, span_made_of(guard_copy(made[i].in), made[i].others), made[i].want);
}

static const struct {
    struct span in;
    size_t parts;
    const char *want; /* all parts, a bar behind each */
} cuts[] = {
    {TEXT("a"), 1, "a|"},       {TEXT("a,b"), 2, "a|b|"}, {TEXT(",b"), 2, "|b|"},
    {TEXT("a,"), 2, "a||"},     {TEXT(","), 2, "||"},     {TEXT(""), 1, "|"},
    {TEXT("a,,b"), 3, "a||b|"},
};

static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(cuts); i++) {
        struct span rest = guard_copy(cuts[i].in);
        char all[32];
        size_t len = 0, parts = 0;

        do {
            struct span part = span_cut(rest, ',', &rest);

            memcpy(all + len, part.len == 0 ? "" : part.p, part.len);
            len += part.len;
            all[len++] = '|';
            parts++;
        } while (rest.p != NULL);
        CHECK_INT(cuts[i].in.p, parts, cuts[i].parts);
        CHECK_SPAN(cuts[i].in.p, ((struct span){all, len}), span_of(cuts[i].want));
    }
}

static const struct {
    struct span in, text;
    int want; /* -1: nowhere */
} finds[] = {
    {TEXT("abc"), TEXT("a"), 0},     {TEXT("abc"), TEXT("c"), 2},
    {TEXT("abc"), TEXT("abc"), 0},   {TEXT("abc"), TEXT("abcd"), -1},
    {TEXT("abc"), TEXT("d"), -1},    {TEXT(""), TEXT("a"), -1},
    {TEXT("aaab"), TEXT("aab"), 1},  {TEXT("abab"), TEXT("ba"), 1},
    {TEXT("abab"), TEXT("abb"), -1}, {TEXT("ab"), TEXT("bc"), -1},
    {TEXT("a\0b"), TEXT("\0b"), 1},  {TEXT("abc"), TEXT(""), 0},
    {{NULL, 0}, TEXT("a"), -1},
};

static void
find(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(finds); i++) {
        struct span in = finds[i].in.p == NULL ? finds[i].in : guard_copy(finds[i].in);
        const char *at = span_find(in, finds[i].text);

        CHECK_INT(finds[i].text.p, at == NULL ? -1 : (int)(at - in.p), finds[i].want);
    }
}

/* Of all bytes there are. */
static void
hex(void **state)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *at = memchr(digits, c, sizeof digits - 1);

        assert_int_equal(span_hex((char)c) < 0 ? -1 : span_hex((char)c),
                         at == NULL ? -1 : (at - digits) % 16);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(of),      cmocka_unit_test(same),   cmocka_unit_test(skipping),
        cmocka_unit_test(trim),    cmocka_unit_test(number), cmocka_unit_test(cut),
        cmocka_unit_test(made_of), cmocka_unit_test(find),   cmocka_unit_test(hex),
    };

    return RUN(argc, argv, tests);
}
