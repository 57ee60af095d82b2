#include "protocol/address.h"

#include "check.h"
#include "dice.h"
#include "guard.h"

#include <arpa/inet.h>

static const struct {
    struct span text;
    int want;
    unsigned len;
    const char *bytes;
} texts[] = {
    {TEXT("127.0.0.1"), 0, 4, "\x7f\0\0\1"},
    {TEXT("255.255.255.255"), 0, 4, "\xff\xff\xff\xff"},
    {TEXT("0.0.0.0"), 0, 4, "\0\0\0\0"},
    {TEXT("::1"), 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"},
    {TEXT("fd00:ec2::253"), 0, 16, "\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\2\x53"},
    {TEXT("1:2:3:4:5:6:7:8"), 0, 16, "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\10"},
    /* the longest one */
    {TEXT("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), 0, 16,
     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
    {TEXT("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"), ERR_BAD, 0, NULL},
    {TEXT(""), ERR_BAD, 0, NULL},
    {TEXT("127.0.0"), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.256"), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.1 "), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.1\0"), ERR_BAD, 0, NULL},
    {TEXT("fe80::1%lo"), ERR_BAD, 0, NULL},
    {TEXT("1::2::3"), ERR_BAD, 0, NULL},
    {TEXT("::"), 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
    {TEXT("1::"), 0, 16, "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
    {TEXT("::ffff:10.0.0.1"), 0, 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\12\0\0\1"},
    {TEXT("1:2:3:4:5:6:7::"), 0, 16, "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\0"},
    {TEXT("1:2:3:4::5:6:7:8"), ERR_BAD, 0, NULL},
    {TEXT("1:2:3:4:5:6:7:8:9"), ERR_BAD, 0, NULL},
    {TEXT("1:2:3:4:5:6:7:8::"), ERR_BAD, 0, NULL},
    {TEXT("1:2:3:4:5:6:7:1.2.3.4"), ERR_BAD, 0, NULL},
    {TEXT("1:2:3:4:5:6:7:"), ERR_BAD, 0, NULL},
    {TEXT(":1:2:3:4:5:6:7"), ERR_BAD, 0, NULL},
    {TEXT("1:::2"), ERR_BAD, 0, NULL},
    {TEXT("12345::"), ERR_BAD, 0, NULL},
    {TEXT("::1.2.3"), ERR_BAD, 0, NULL},
    {TEXT("::1.2.3.4:5"), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.01"), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.1."), ERR_BAD, 0, NULL},
    {TEXT("127..0.1"), ERR_BAD, 0, NULL},
    {TEXT("127.0.0.0001"), ERR_BAD, 0, NULL},
    {TEXT("localhost"), ERR_BAD, 0, NULL},
};

static void
read_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(texts); i++) {
        struct address a;

        CHECK_INT(texts[i].text.p, address_read(guard_copy(texts[i].text), &a), texts[i].want);
        if (texts[i].want != 0)
            continue;
        CHECK_INT(texts[i].text.p, a.len, texts[i].len);
        CHECK(texts[i].text.p, memcmp(a.bytes, texts[i].bytes, a.len) == 0);
    }
}

/* Texts at random, of what addresses are made of, against the C library's reader. */
static void
as_inet_pton(void **state)
{
    static const char parts[][6] = {":",  ":",  ":",   ":",   ".",  ".",  "::", "0",    "1",
                                    "01", "25", "255", "256", "a1", "F0", "g",  "fffe", "12345"};

    (void)state;
    for (int i = 0; i < 300000; i++) {
        char text[80] = "";
        uint8_t want[ADDRESS_V6_BYTES];
        struct address a;
        unsigned len = 0;

        /* mostly a part and what separates it from the next by turns, as good ones are */
        for (unsigned n = dice(16); n > 0; n--) {
            bool separator = dice(8) == 0 ? dice(2) == 0 : n % 2 == 0;

            strcat(text, parts[separator ? dice(7) : 7 + dice((uint32_t)LEN(parts) - 7)]);
        }
        if (inet_pton(AF_INET, text, want) == 1)
            len = ADDRESS_V4_BYTES;
        else if (inet_pton(AF_INET6, text, want) == 1)
            len = ADDRESS_V6_BYTES;
        CHECK_INT(text, address_read(guard_copy(span_of(text)), &a), len > 0 ? 0 : ERR_BAD);
        CHECK(text, len == 0 || (a.len == len && memcmp(a.bytes, want, len) == 0));
    }
}

/* Each kind has its own room; what comes after that is left out. */
static void
add(void **state)
{
    struct addresses list = {0};

    (void)state;
    for (uint8_t i = 0; i < ADDRESSES_MAX + 2; i++) {
        addresses_add(&list, &(struct address){{1, 2, 3, i}, ADDRESS_V4_BYTES});
        addresses_add(&list, &(struct address){{5, [15] = i}, ADDRESS_V6_BYTES});
    }
    assert_int_equal(list.v4_len, ADDRESSES_MAX);
    assert_int_equal(list.v6_len, ADDRESSES_MAX);
    for (unsigned i = 0; i < ADDRESSES_MAX; i++) {
        assert_int_equal(list.v4[i][0], 1);
        assert_int_equal(list.v4[i][3], i);
        assert_int_equal(list.v6[i][0], 5);
        assert_int_equal(list.v6[i][15], i);
    }
}

static void
write_text(void **state)
{
    static const char *const rows[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"255.10.0.99", "255.10.0.99"},
        {"::", "[0000:0000:0000:0000:0000:0000:0000:0000]"},
        {"2001:db8::a:10", "[2001:0db8:0000:0000:0000:0000:000a:0010]"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[64];
        struct out o = out_to(text, sizeof text);
        struct address a;

        CHECK_INT(rows[i][0], address_read(span_of(rows[i][0]), &a), 0);
        address_write(&o, &a);
        CHECK_SPAN(rows[i][0], out_span(&o), span_of(rows[i][1]));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_text),
        cmocka_unit_test(as_inet_pton),
        cmocka_unit_test(write_text),
        cmocka_unit_test(add),
    };

    return RUN(argc, argv, tests);
}
