#include "protocol/filter_pattern.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

/* Not zeros at first. */
static struct filter_pattern *
room(void)
{
    static struct filter_pattern p;

    memset(&p, 0xa5, sizeof p);
    return &p;
}

/* The pattern ends, with its zero byte, at an unreadable page. */
static int
read_first(const char *pattern, size_t len, struct filter_pattern *p, struct filter_error *error)
{
    char *at = guard_buffer(len + 1);

    memcpy(at, pattern, len);
    at[len] = '\0';
    return filter_pattern_read(p, at, error);
}

/* What is refused, the column, and a word of the reason. */
static const struct {
    const char *pattern;
    size_t column;
    const char *reason;
} refused[] = {
    /* regular expressions, in each form */
    {"%ERROR%", 1, "regular"},
    {"  %[0-9]+%", 3, "regular"},
    {"ERROR %x%", 7, "regular"},
    {"-%x%", 2, "regular"},
    {"?%x%", 2, "regular"},
    {"{ $.event = %Trail% }", 13, "regular"},
    {"{ $.list[*] = %val.{2}% }", 15, "regular"},
    {"{ $.* = %10\\.1[0-9]{1,2}% }", 9, "regular"},
    {"[ip=%10\\.0\\.0\\.[1-9]%, user]", 5, "regular"},
    {"[level, url=%/a/[0-9]+$%, ms]", 13, "regular"},

    /* terms */
    {"[ERROR", 7, "expected"},
    {"ERROR:", 6, "expected"},
    {"a@example", 2, "expected"},
    {"/var/task", 1, "expected"},
    {"ERR*", 4, "expected"},
    {"ERROR && WARN", 7, "expected"},
    {"ERROR, WARN", 6, "expected"},
    {"not-found", 4, "expected"},
    {"--x", 2, "expected"},
    {"??x", 2, "expected"},
    {"?-x", 2, "expected"},
    {"-?x", 2, "expected"},
    {"?", 2, "expected"},
    {"ERROR -", 8, "expected"},
    {"- ", 3, "expected"},
    {"\"ERROR", 7, "expected"},
    {"\"", 2, "expected"},
    {"\"a\\\"", 5, "expected"},
    {"\"a\"b", 4, "expected"},
    {"a\"b\"", 2, "expected"},
    {"'a\"", 4, "expected"},
    {"don't", 4, "expected"},
    {"\"a\"\"b\"", 4, "expected"},
    {"ERROR }", 7, "expected"},
    {"?ERROR ?ARGUMENTS REQUEST", 19, "?terms"},
    {"REQUEST ?ERROR", 9, "?terms"},
    {"?ERROR -health", 8, "?terms"},
    {"-health ?ERROR", 9, "?terms"},
    {"\"a b\" ?\"c d\"", 7, "?terms"},

    /* objects: brackets, operators, values */
    {"{", 2, "expected"},
    {"{}", 2, "expected"},
    {"{ }", 3, "expected"},
    {"{ $.a = 1", 10, "expected"},
    {"{ $.a = 1 } x", 13, "expected"},
    {"{ $.a = 1 }}", 12, "expected"},
    {"{ $.a = 1 $.b = 2 }", 11, "expected"},
    {"{ $.a }", 7, "expected"},
    {"{ $.a = }", 9, "expected"},
    {"{ $.a == 1 }", 8, "expected"},
    {"{ $.a =! 1 }", 8, "expected"},
    {"{ $.a ! 1 }", 7, "expected"},
    {"{ $.a <> 1 }", 8, "expected"},
    {"{ $.a => 1 }", 8, "expected"},
    {"{ $.a = \"x }", 13, "expected"},
    {"{ $.a = x y }", 11, "expected"},
    {"{ $.a = a@b }", 10, "expected"},
    {"{ $.a = 1 & $.b = 2 }", 11, "expected"},
    {"{ $.a = 1 && }", 14, "expected"},
    {"{ && $.a = 1 }", 3, "expected"},
    {"{ $.a = 1 | $.b = 2 }", 11, "expected"},
    {"{ $.a = 1 || || $.b = 2 }", 14, "expected"},
    {"{ ($.a = 1 }", 12, "expected"},
    {"{ $.a = 1) }", 10, "expected"},
    {"{ () }", 4, "expected"},
    {"{ (($.a = 1) && $.b = 2 }", 25, "expected"},
    {"{ !($.a = 1) }", 3, "expected"},
    {"{ $.a IS }", 10, "expected"},
    {"{ $.a IS NOT NULL }", 10, "expected"},
    {"{ $.a IS NULLS }", 14, "expected"},
    {"{ $.a EXISTS }", 7, "expected"},
    {"{ $.a NOT }", 11, "expected"},
    {"{ $.a NOT EXIST }", 11, "expected"},
    {"{ $.a is null }", 7, "expected"},
    {"{ $.a > x }", 9, "number"},
    {"{ $.a > \"5\" }", 9, "number"},
    {"{ $.a >= 5* }", 10, "number"},
    {"{ $.a < 1.2.3 }", 9, "number"},
    {"{ $.a <= 1e }", 10, "number"},
    {"{ $.a < * }", 9, "number"},

    /* selectors */
    {"{ a = 1 }", 3, "expected"},
    {"{ .a = 1 }", 3, "expected"},
    {"{ $ = 1 }", 5, "expected"},
    {"{ $a = 1 }", 4, "expected"},
    {"{ $. = 1 }", 6, "expected"},
    {"{ $..a = 1 }", 5, "expected"},
    {"{ $.a. = 1 }", 8, "expected"},
    {"{ $.a b = 1 }", 7, "expected"},
    {"{ $.a[ = 1 }", 8, "number"},
    {"{ $.a[] = 1 }", 7, "number"},
    {"{ $.a[-1] = 1 }", 7, "number"},
    {"{ $.a[x] = 1 }", 7, "number"},
    {"{ $.a[65536] = 1 }", 7, "number"},
    {"{ $.a[1 = 1 }", 9, "expected"},
    {"{ $.a[*x] = 1 }", 8, "expected"},
    {"{ $.[\"a] = 1 }", 15, "expected"},
    {"{ $.['a\"] = 1 }", 16, "expected"},
    {"{ $.[\"a\" = 1 }", 10, "expected"},
    {"{ $.a:b = 1 }", 6, "expected"},

    /* fields */
    {"[", 2, "expected"},
    {"[a", 3, "expected"},
    {"[a b]", 4, "expected"},
    {"[a,", 4, "expected"},
    {"[a] b", 5, "expected"},
    {"[a = ]", 6, "expected"},
    {"[a = 1 b]", 8, "expected"},
    {"[a > x]", 6, "number"},
    {"[a = 4* && b > 1000]", 12, "expected"},
    {"[a = 1 || b = 2, c]", 11, "expected"},
    {"[(a = 1 || b = 2), c]", 12, "expected"},
    {"[..., a, ...]", 13, "too much"},
    {"[...a]", 5, "expected"},
    {"[a...]", 3, "expected"},
    {"[a = 1) ]", 7, "expected"},
    {"[a IS NULL]", 4, "expected"},
    {"[a NOT EXISTS]", 4, "expected"},
    {"{ $.a IS EXISTS }", 10, "expected"},
    {"{ $.a NOT NULL }", 11, "expected"},
};

static void
wrong(void **state)
{
    struct filter_pattern *p = room();

    (void)state;
    for (size_t i = 0; i < LEN(refused); i++) {
        const char *pattern = refused[i].pattern;
        struct filter_error error = {0, NULL};

        seed("filter_pattern", span_of(pattern));
        CHECK_INT(pattern, read_first(pattern, strlen(pattern), p, &error), ERR_BAD);
        CHECK_INT(pattern, error.column, refused[i].column);
        CHECK(pattern, strstr(error.reason, refused[i].reason) != NULL);
    }
}

/* What is accepted, and how it is understood: the form, tests, steps of selectors, and fields. */
static const struct {
    const char *pattern;
    enum filter_form form;
    int tests, steps, fields;
} accepted[] = {
    {"", FILTER_TERMS, 0, 0, 0},
    {" \t\n ", FILTER_TERMS, 0, 0, 0},
    {"\" \"", FILTER_TERMS, 1, 0, 0},
    {"\"\"", FILTER_TERMS, 1, 0, 0},
    {"ERROR", FILTER_TERMS, 1, 0, 0},
    {"  ERROR\tWARN_2 ", FILTER_TERMS, 2, 0, 0},
    {"\"ERROR\" - \"Exiting\"", FILTER_TERMS, 2, 0, 0},
    {"-a -\"b c\" d", FILTER_TERMS, 3, 0, 0},
    {"?a ?\"b c\" ? d", FILTER_TERMS, 3, 0, 0},
    {"'a \"b\"' -'c\\'d'", FILTER_TERMS, 2, 0, 0},
    {"\xc3\xa4rger", FILTER_TERMS, 1, 0, 0},
    {"{$.a=1}", FILTER_JSON, 1, 1, 0},
    {" { $.a = 1 } ", FILTER_JSON, 1, 1, 0},
    {"{\n$.a\t!=\r\"x\" && $.b.c[0] IS NULL || ( $.d NOT EXISTS )\n}", FILTER_JSON, 3, 5, 0},
    {"{$.a=1&&$.b=2||$.c=3}", FILTER_JSON, 3, 3, 0},
    {"{((($.a=1)))}", FILTER_JSON, 1, 1, 0},
    {"{$.[\"a.b\"].['c'][\"d\"][*].*[65535] = 1}", FILTER_JSON, 1, 6, 0},
    {"{$.a-b_c = -1e+3}", FILTER_JSON, 1, 1, 0},
    {"{$.a=*}", FILTER_JSON, 1, 1, 0},
    {"[]", FILTER_FIELDS, 0, 0, 1},
    {"[...]", FILTER_FIELDS, 0, 0, 0},
    {"[a]", FILTER_FIELDS, 0, 0, 1},
    {"[a,b,,d,]", FILTER_FIELDS, 0, 0, 5},
    {"[ a , ... , b ]", FILTER_FIELDS, 0, 0, 2},
    {"[a=1,b!=x&&b!=y,...,c>=5||c=-]", FILTER_FIELDS, 5, 0, 3},
    {"[(s = 404 || s = 410) && s != 4*0]", FILTER_FIELDS, 3, 0, 1},
    {"[=1, x]", FILTER_FIELDS, 1, 0, 2},
};

static void
right(void **state)
{
    struct filter_pattern *p = room();

    (void)state;
    for (size_t i = 0; i < LEN(accepted); i++) {
        const char *pattern = accepted[i].pattern;
        struct filter_error error;

        seed("filter_pattern", span_of(pattern));
        CHECK_INT(pattern, read_first(pattern, strlen(pattern), p, &error), 0);
        CHECK_INT(pattern, p->form, accepted[i].form);
        CHECK_INT(pattern, p->tests_len, accepted[i].tests);
        CHECK_INT(pattern, p->steps_len, accepted[i].steps);
        CHECK_INT(pattern, p->fields, accepted[i].fields);
        CHECK_INT(pattern, p->program_len, accepted[i].tests > 0 ? 2 * accepted[i].tests - 1 : 0);
    }
}

static void
each_cut(const char *pattern, struct filter_pattern *p)
{
    for (size_t n = 0; n <= strlen(pattern); n++) {
        struct filter_error error = {0, NULL};
        int got = read_first(pattern, n, p, &error);

        CHECK(pattern, got == 0 || (got == ERR_BAD && error.reason != NULL));
        CHECK(pattern, got == 0 || (error.column >= 1 && error.column <= n + 1));
    }
}

/* Cut anywhere, each is understood or refused, and nothing beyond its end is looked at. */
static void
cut(void **state)
{
    struct filter_pattern *p = room();

    (void)state;
    for (size_t i = 0; i < LEN(refused); i++)
        each_cut(refused[i].pattern, p);
    for (size_t i = 0; i < LEN(accepted); i++)
        each_cut(accepted[i].pattern, p);
}

/* So many times the middle part. With one more it is too much, said at the given column. */
static void
limit(const char *name, const char *first, const char *middle, const char *last, size_t times,
      size_t column)
{
    static char text[2 * FILTER_PATTERN_MAX_BYTES];
    struct filter_pattern *p = room();

    for (size_t n = times; n <= times + 1; n++) {
        struct filter_error error = {0, ""};
        int got;

        strcpy(text, first);
        for (size_t i = 0; i < n; i++)
            strcat(text, middle);
        strcat(text, last);
        got = read_first(text, strlen(text), p, &error);
        CHECK_INT(name, got, n == times ? 0 : ERR_BAD);
        if (n > times) {
            CHECK_INT(name, error.column, column);
            CHECK(name, strstr(error.reason, "too much") != NULL);
        }
    }
}

static void
limits(void **state)
{
    (void)state;
    limit("bytes", "", "x", "", FILTER_PATTERN_MAX_BYTES, FILTER_PATTERN_MAX_BYTES + 1);
    limit("bytes of a phrase", "\"", "*", "\"", FILTER_PATTERN_MAX_BYTES - 2,
          FILTER_PATTERN_MAX_BYTES + 1);
    limit("blanks", "", " ", "", FILTER_PATTERN_MAX_BYTES, FILTER_PATTERN_MAX_BYTES + 1);
    limit("terms", "", "x ", "", FILTER_TESTS_MAX, 2 * FILTER_TESTS_MAX + 1);
    limit("phrases", "", "\"xx\" ", "", FILTER_TESTS_MAX, 5 * FILTER_TESTS_MAX + 1);
    limit("comparisons", "{ $.a=1", "||$.a=1", " }", FILTER_TESTS_MAX - 1,
          10 + 7 * (FILTER_TESTS_MAX - 1));
    limit("comparisons to the right", "{ $.a=1", "||$.a=1&&$.b=2", " }", FILTER_TESTS_MAX / 2 - 1,
          10 + 14 * (FILTER_TESTS_MAX / 2 - 1) + 7);
    limit("steps of one", "{ $", ".a", " = 1 }", FILTER_DEPTH_MAX, 4 + 2 * FILTER_DEPTH_MAX);
    limit("steps of all", "{ $.a=1", "||$.a.a.a.a.a.a.a.a=1", " }", 15, 11 + 15 * 21 + 14);
    limit("fields", "[", ",", "]", FILTER_FIELDS_MAX - 1, FILTER_FIELDS_MAX + 2);
}

static void
parentheses(void **state)
{
    static char text[FILTER_PATTERN_MAX_BYTES];
    struct filter_pattern *p = room();
    struct filter_error error;

    (void)state;
    for (int open = 0; open <= 33; open++) {
        snprintf(text, sizeof text, "{%.*s$.a=1%.*s}", open, "(((((((((((((((((((((((((((((((((",
                 open, ")))))))))))))))))))))))))))))))))");
        CHECK_INT(text, read_first(text, strlen(text), p, &error), open <= 32 ? 0 : ERR_BAD);
    }
    CHECK_INT(text, error.column, 35);
}

/* As many operators and parentheses as there is room for, right of each other and within each other. */
static void
nested(void **state)
{
    static const char *const parts[] = {"$.a=1&&",   "$.a=1||", "($.a=1&&", "($.a=1||",
                                        "($.a=1)||", "(",       "$.a=1)&&"};
    static char text[3 * FILTER_PATTERN_MAX_BYTES];
    struct filter_pattern *p = room();
    struct filter_error error;

    (void)state;
    for (size_t i = 0; i < LEN(parts); i++)
        for (size_t j = 0; j < LEN(parts); j++)
            for (size_t n = 0; n < 100; n++) {
                strcpy(text, "{");
                for (size_t k = 0; k < n; k++)
                    strcat(text, parts[k % 2 == 0 ? i : j]);
                (void)read_first(text, strlen(text), p, &error);
                CHECK(text, p->program_len <= sizeof p->program);
            }
}

/* What * becomes in values, and what escapes become; 0 is FILTER_ANY. */
static void
texts(void **state)
{
    static const struct {
        const char *pattern;
        struct span want;
        bool numeric;
    } rows[] = {
        {"ERROR", TEXT("\0ERROR\0"), false},
        {"\"a * b\"", TEXT("\0a * b\0"), false},
        {"\" a \"", TEXT("\0 a \0"), false},
        {"\" \t \"", TEXT("\0"), false},
        {"\"\"", TEXT("\0"), false},
        {"\"\\\"\\\\\\n\"", TEXT("\0\"\\\\n\0"), false},
        {"{$.a=x}", TEXT("ax"), false},
        {"{$.a=\"\"}", TEXT("a"), false},
        {"{$.a=*x**y*}", TEXT("a\0x\0y\0"), false},
        {"{$.a=\"*\\\"*\"}", TEXT("a\0\"\0"), false},
        {"{$.a=-1.5e3}", TEXT("a-1.5e3"), true},
        {"{$.a=\"15\"}", TEXT("a15"), false},
        {"{$.a=1*}", TEXT("a1\0"), false},
        {"{$.a=1-2}", TEXT("a1-2"), false},
        {"[a='15']", TEXT("15"), false},
        {"[a=15]", TEXT("15"), true},
        {"'\"\\''", TEXT("\0\"'\0"), false},
    };
    struct filter_pattern *p = room();
    struct filter_error error;

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        CHECK_INT(rows[i].pattern, filter_pattern_read(p, rows[i].pattern, &error), 0);
        CHECK_SPAN(rows[i].pattern, ((struct span){p->texts, p->texts_len}), rows[i].want);
        CHECK_INT(rows[i].pattern, p->tests[0].numeric, rows[i].numeric);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong),  cmocka_unit_test(right),       cmocka_unit_test(cut),
        cmocka_unit_test(limits), cmocka_unit_test(parentheses), cmocka_unit_test(nested),
        cmocka_unit_test(texts),
    };

    return RUN(argc, argv, tests);
}
