#include "scalar_scan.h"

#include "check.h"
#include "dice.h"
#include "guard.h"
#include "seed.h"

#define EIGHT(text) text text text text text text text text
#define SIXTY_FOUR(text) EIGHT(EIGHT(text))

/* want: the container's length, or -1 when it does not end. */
static const struct {
    const char *name;
    struct span in;
    int want;
} containers[] = {
    {"empty object", TEXT("{}"), 2},
    {"empty array, more behind it", TEXT("[]]"), 2},
    {"nested", TEXT("{\"a\":[{\"b\":\"]}\\\"\"},[[]]]}}"), 25},
    {"brackets cross", TEXT("[1,,2}"), 6},
    {"cut", TEXT("{\"a\":[]"), -1},
    {"cut in a string", TEXT("{\"a\":\"}"), -1},
    {"cut behind a backslash", TEXT("{\"a\":\"\\"), -1},
    {"escaped quote", TEXT("{\"\\\"}\":1}"), 9},
    {"escaped backslash", TEXT("{\"\\\\\"}"), 6},
    {"backslash outside of strings", TEXT("{\\\"}\"}"), 6},
    {"two backslashes outside of strings", TEXT("{\\\\\"}\"}"), 7},
    {"backslash before a bracket", TEXT("{\\}"), 3},
    {"end at a block's end", TEXT("{\"" EIGHT("abcdefg") "1234\"}"), 64},
    {"string of a block", TEXT("{\"" SIXTY_FOUR("x") "\"}"), 68},
    {"string of two blocks, brackets", TEXT("{\"" SIXTY_FOUR("}") SIXTY_FOUR("[") "\"}"), 132},
    {"deep", TEXT(SIXTY_FOUR("[") SIXTY_FOUR("{") SIXTY_FOUR("}") SIXTY_FOUR("]")), 256},
    {"not deep enough", TEXT(SIXTY_FOUR("[") "[" SIXTY_FOUR("]")), -1},
    {"block of backslashes", TEXT("[\"" SIXTY_FOUR("\\") "\"]"), 68},
    {"odd number of backslashes", TEXT("[\"\\" SIXTY_FOUR("\\") "\"]"), -1},
    {"backslashes, then a quote", TEXT("[\"\\" SIXTY_FOUR("\\") "\"\"]"), 70},
    {"backslash is a block's last byte", TEXT("{\"" EIGHT("abcdefg") "12345\\\"}\"}"), 68},
    {"escaped quotes only", TEXT("[\"" SIXTY_FOUR("\\\"") "\"]"), 132},
    {"quotes only", TEXT("[" SIXTY_FOUR("\"\"") "]"), 130},
    {"more strings than marks", TEXT("[" EIGHT(SIXTY_FOUR("\"\"")) "]"), 1026},
    {"beyond ASCII", TEXT("{\"\xfb\xfd\xa2\xdc\":1}"), 10},
};

typedef const char *scan(struct json_scan *s, const char *p, const char *end);

/* Pieces of size bytes, the last one shorter; each lies against an unreadable page. */
static const char *
in_pieces(scan *container, struct json_scan *s, struct span in, size_t size)
{
    for (size_t at = 0; at < in.len; at += size) {
        struct span part = {in.p + at, in.len - at < size ? in.len - at : size};
        struct span copy = guard_copy(part);
        const char *end = container(s, copy.p, copy.p + copy.len);

        if (end != NULL)
            return part.p + (end - copy.p);
    }
    return NULL;
}

static void
check_one(const char *name, scan *container, struct span in, size_t size)
{
    static uint32_t want[4096];
    static struct json_marks marks;
    struct json_scan s = {.marks = &marks};
    uint32_t want_len;
    const char *end = bytewise_container(in.p, in.p + in.len, want, LEN(want), &want_len);

    marks.len = 0;
    if (in_pieces(container, &s, in, size) != end)
        fail_msg("%s: the end is elsewhere, in pieces of %zu", name, size);
    /* more from behind the container, or less for want of room */
    CHECK(name, marks.len >= want_len || marks.len > JSON_MARKS_MAX - BLOCK_BYTES);
    for (uint32_t i = 0; i < marks.len && i < want_len; i++)
        CHECK_INT(name, marks.at[i], want[i]);
}

static void
check_all(const char *name, struct span in)
{
    static const size_t sizes[] = {1, 2, 3, 16, 31, 63, 64, 65, 127, 128, 129};
    scan *const both[] = {json_scan_container, scalar_container};

    for (size_t i = 0; i < LEN(both); i++) {
        check_one(name, both[i], in, in.len);
        for (size_t j = 0; j < LEN(sizes); j++)
            check_one(name, both[i], in, sizes[j]);
    }
}

/* At each place within a block, too: white space goes before. */
static void
finds_ends(void **state)
{
    static char text[4096];

    (void)state;
    for (size_t i = 0; i < LEN(containers); i++) {
        struct span in = containers[i].in;
        struct json_scan s = {0};
        const char *end = json_scan_container(&s, in.p, in.p + in.len);

        seed("json_scan", in);
        CHECK_INT(containers[i].name, end == NULL ? -1 : end - in.p, containers[i].want);
        for (size_t before = 0; before < BLOCK_BYTES; before++) {
            text[0] = '[';
            memset(text + 1, ' ', before);
            memcpy(text + 1 + before, in.p, in.len);
            check_all(containers[i].name, (struct span){text, 1 + before + in.len});
        }
    }
}

/* Any bytes, those that mean something more often than others; the same at each run. */
static void
finds_the_same_in_anything(void **state)
{
    static const char alphabet[] = "\"\"\"\\\\{}[]:,ax";
    static char text[300];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = 1 + dice(sizeof text - 1);

        text[0] = '{';
        for (size_t i = 1; i < len; i++)
            text[i] = dice(16) == 0 ? (char)dice(256) : alphabet[dice(sizeof alphabet - 1)];
        check_one("random", json_scan_container, (struct span){text, len}, len);
        check_one("random", scalar_container, (struct span){text, len}, len);
        check_one("random", json_scan_container, (struct span){text, len}, 1 + len / 3);
    }
}

static const struct {
    const char *name, *in;
    int want; /* bytes before the last quotation mark, or -1 */
} strings[] = {
    {"empty", "\"", 0},
    {"short", "abc\"def\"", 3},
    {"escaped quote", "a\\\"b\"", 4},
    {"escaped backslash", "a\\\\\"", 3},
    {"sixteen bytes", "0123456789abcdef\"", 16},
    {"quote is the sixteenth", "0123456789abcde\"", 15},
    {"escape across sixteen", "0123456789abcde\\\"x\"", 18},
    {"long", "0123456789abcdef0123456789abcdef0123456789abcdef01\"", 50},
    {"cut", "abc", -1},
    {"nothing", "", -1},
    {"cut behind a backslash", "abc\\", -1},
    {"cut behind an escaped quote", "0123456789abcdef\\\"", -1},
};

static void
finds_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(strings); i++) {
        struct span in = guard_copy(span_of(strings[i].in));
        const char *end = json_scan_string(in.p, in.p + in.len);

        CHECK_INT(strings[i].name, end == NULL ? -1 : end - in.p, strings[i].want);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_ends),
        cmocka_unit_test(finds_the_same_in_anything),
        cmocka_unit_test(finds_strings),
    };

    return RUN(argc, argv, tests);
}
