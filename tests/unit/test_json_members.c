#include "protocol/json_members.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define LONG_1K LONG_128 LONG_128 LONG_128 LONG_128 LONG_128 LONG_128 LONG_128 LONG_128
#define LONG_128                                                                                   \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct span wanted[] = {TEXT("id"), TEXT("n"), TEXT("kind"), {NULL, 0}};

static const struct {
    const char *name, *in, *want;
} rows[] = {
    {"all that is wanted", "{\"id\":\"a\",\"n\":5,\"kind\":true}",
     "{\"id\":\"a\",\"n\":5,\"kind\":true}"},
    {"others left out", "{\"x\":\"a\",\"n\":5,\"y\":null,\"id\":\"b\",\"z\":[1]}",
     "{\"n\":5,\"id\":\"b\"}"},
    {"behind a long one", "{\"x\":\"" LONG_1K LONG_1K LONG_1K LONG_1K "\",\"id\":\"b\"}",
     "{\"id\":\"b\"}"},
    {"behind a long name", "{\"" LONG_1K "\":1,\"id\":\"b\"}", "{\"id\":\"b\"}"},
    {"behind what lies deep", "{\"x\":{\"id\":\"a\",\"y\":[{\"id\":\"}\"},\"]\"]},\"id\":\"b\"}",
     "{\"id\":\"b\"}"},
    {"wanted, but too long", "{\"id\":\"" LONG_1K "\",\"n\":1}", "{\"n\":1}"},
    {"wanted, but an object", "{\"id\":{\"n\":2},\"n\":1}", "{\"n\":1}"},
    {"wanted, but an array", "{\"id\":[\"n\",2],\"n\":1}", "{\"n\":1}"},
    {"blanks", " \r\n{\t\"id\" : \"a b\" ,\n\"n\" : -1.5e3\n, \"kind\":null }\n",
     "{\"id\":\"a b\",\"n\":-1.5e3,\"kind\":null}"},
    {"escapes", "{\"id\":\"\\\"\\\\\",\"x\":\"\\\"\",\"n\":\"\\\\\"}",
     "{\"id\":\"\\\"\\\\\",\"n\":\"\\\\\"}"},
    {"twice", "{\"id\":1,\"id\":2}", "{\"id\":1,\"id\":2}"},
    {"a value that is a name", "{\"x\":\"id\",\"y\":\"n\"}", ""},
    {"longer than the room",
     "{\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"id\":\"" LONG_128 LONG_128 LONG_128
     "\",\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"id\":\"" LONG_128 LONG_128 LONG_128
     "\",\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"id\":\"" LONG_128 LONG_128 LONG_128
     "\",\"n\":1}",
     "{\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"id\":\"" LONG_128 LONG_128 LONG_128
     "\",\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"id\":\"" LONG_128 LONG_128 LONG_128
     "\",\"id\":\"" LONG_128 LONG_128 LONG_128 "\",\"n\":1}"},
    {"something behind", "{\"id\":1}{\"n\":2}", "{\"id\":1}"},
    {"nothing in it", "{}", ""},

    {"cut in a text", "{\"n\":1,\"id\":\"a", "{\"n\":1}"},
    {"cut in a number", "{\"id\":\"a\",\"n\":12", "{\"id\":\"a\"}"},
    {"cut in a name", "{\"n\":1,\"i", "{\"n\":1}"},
    {"cut behind a name", "{\"n\":1,\"id\":", "{\"n\":1}"},
    {"cut deep", "{\"n\":1,\"x\":{\"id\":1", "{\"n\":1}"},

    {"no colon", "{\"id\"\"a\",\"n\":1}", "{\"n\":1}"},
    {"no value", "{\"id\":,\"n\":1}", "{\"n\":1}"},
    {"brackets of two kinds", "{\"x\":[1},\"n\":1}", "{\"n\":1}"},
    {"an array", "[{\"id\":1}]", ""},
    {"a text", "\"{\\\"id\\\":1}\"", ""},
    {"HTML", "<p>{\"id\":1}", ""},
    {"nothing", "", ""},
};

static struct span
in_pieces(struct json_members *m, struct span in, size_t size)
{
    memset(m, 0xff, sizeof *m);
    m->wanted = wanted;
    json_members_start(m);
    while (in.len > 0) {
        size_t n = in.len < size ? in.len : size;

        json_members_take(m, guard_copy((struct span){in.p, n}));
        in = span_skip(in, n);
    }
    return json_members_end(m);
}

static void
members(void **state)
{
    struct json_members m;

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span in = span_of(rows[i].in);

        seed("json_members", in);
        CHECK_SPAN(rows[i].name, in_pieces(&m, in, in.len), span_of(rows[i].want));
        CHECK_SPAN(rows[i].name, in_pieces(&m, in, 1), span_of(rows[i].want));
        CHECK_SPAN(rows[i].name, in_pieces(&m, in, 7), span_of(rows[i].want));
    }
}

/* What lies beyond the limit is not looked at, and what lies just before it is. */
static void
limit(void **state)
{
    static char text[JSON_MEMBERS_MAX_BYTES + 64];
    static const char begin[] = "{\"n\":1,\"x\":\"", end[] = "\",\"id\":\"b\"}";
    struct json_members m;

    (void)state;
    for (size_t over = 0; over < 3; over++) {
        size_t len = JSON_MEMBERS_MAX_BYTES + over;

        memset(text, 'x', sizeof text);
        memcpy(text, begin, sizeof begin - 1);
        memcpy(text + len - sizeof end + 1, end, sizeof end - 1);
        CHECK_SPAN("limit", in_pieces(&m, (struct span){text, len}, 16384),
                   over < 2 ? SPAN("{\"n\":1,\"id\":\"b\"}") : SPAN("{\"n\":1}"));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(limit),
    };

    return RUN(argc, argv, tests);
}
