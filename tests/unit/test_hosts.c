#include "protocol/hosts.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

/* The name is "kinesis.test" in all rows; want is the last byte of the address, 0 for none. */
static const struct {
    struct span line;
    unsigned v4, v6;
} lines[] = {
    {TEXT("127.0.0.2 kinesis.test"), 2, 0},
    {TEXT(" \t127.0.0.2\tkinesis.test\r"), 2, 0},
    {TEXT("127.0.0.2 KINESIS.Test"), 2, 0},
    {TEXT("127.0.0.2 other kinesis.test third"), 2, 0},
    {TEXT("fd00::9 kinesis.test # the stream"), 0, 9},
    {TEXT("127.0.0.2 kinesis.test#comment"), 2, 0},
    {TEXT(""), 0, 0},
    {TEXT("# 127.0.0.2 kinesis.test"), 0, 0},
    {TEXT("127.0.0.2 #kinesis.test"), 0, 0},
    {TEXT("127.0.0.2"), 0, 0},
    {TEXT("127.0.0.2 kinesis"), 0, 0},
    {TEXT("127.0.0.2 kinesis.test.example"), 0, 0},
    {TEXT("127.0.0.2 my.kinesis.test"), 0, 0},
    {TEXT("kinesis.test 127.0.0.2"), 0, 0},
    {TEXT("127.0.0.2.3 kinesis.test"), 0, 0},
    {TEXT("fe80::1%lo kinesis.test"), 0, 0},
};

static void
line(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(lines); i++) {
        const char *row = lines[i].line.p;
        struct addresses found = {0};

        seed("resolv_conf", lines[i].line);
        CHECK_INT(row, hosts_line(guard_copy(lines[i].line), SPAN("kinesis.test"), &found),
                  lines[i].v4 + lines[i].v6 > 0);
        CHECK_INT(row, found.v4_len, lines[i].v4 > 0);
        CHECK_INT(row, found.v6_len, lines[i].v6 > 0);
        if (found.v4_len > 0)
            CHECK_INT(row, found.v4[0][3], lines[i].v4);
        if (found.v6_len > 0)
            CHECK_INT(row, found.v6[0][15], lines[i].v6);
    }
}

static const struct {
    const char *name;
    bool want;
} names[] = {
    {"localhost", true},          {"LocalHost", true},     {"a.b.localhost", true},
    {".localhost", true},         {"localhos", false},     {"xlocalhost", false},
    {"localhost.example", false}, {"a.localhost2", false}, {"", false},
};

static void
local(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(names); i++) {
        struct addresses found = {0};

        CHECK_INT(names[i].name, hosts_local(guard_copy(span_of(names[i].name)), &found),
                  names[i].want);
        CHECK_INT(names[i].name, found.v4_len, names[i].want);
        CHECK_INT(names[i].name, found.v6_len, names[i].want);
        if (!names[i].want)
            continue;
        CHECK(names[i].name, memcmp(found.v4[0], "\x7f\0\0\1", 4) == 0);
        CHECK(names[i].name, memcmp(found.v6[0], "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16) == 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(line),
        cmocka_unit_test(local),
    };

    return RUN(argc, argv, tests);
}
