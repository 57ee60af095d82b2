#include "protocol/segment.h"

#include "check.h"
#include "guard.h"

static const struct {
    const char *name;
    struct segment segment;
    struct span want;
} segments[] = {
    {"nothing", {SEGMENT_PLAIN, TEXT("")}, TEXT("")},
    {"no text", {SEGMENT_ESCAPED, TEXT("")}, TEXT("")},
    {"no bytes", {SEGMENT_BASE64, TEXT("")}, TEXT("")},
    {"null", {SEGMENT_PLAIN, {NULL, 0}}, TEXT("")},
    {"null text", {SEGMENT_ESCAPED, {NULL, 0}}, TEXT("")},
    {"null bytes", {SEGMENT_BASE64, {NULL, 0}}, TEXT("")},
    {"plain", {SEGMENT_PLAIN, TEXT("a\"\\\n\0\xff")}, TEXT("a\"\\\n\0\xff")},
    {"text", {SEGMENT_ESCAPED, TEXT("abc")}, TEXT("abc")},
    {"escapes", {SEGMENT_ESCAPED, TEXT("\"\\\n\x01")}, TEXT("\\\"\\\\\\n\\u0001")},
    {"mixed",
     {SEGMENT_ESCAPED, TEXT("ab\0\0cd\re\x7f\xc3\xa4")},
     TEXT("ab\\u0000\\u0000cd\\re\x7f\xc3\xa4")},
    {"escape first and last", {SEGMENT_ESCAPED, TEXT("\tab\x1f")}, TEXT("\\tab\\u001f")},
    /* RFC 4648, section 10 */
    {"f", {SEGMENT_BASE64, TEXT("f")}, TEXT("Zg==")},
    {"fo", {SEGMENT_BASE64, TEXT("fo")}, TEXT("Zm8=")},
    {"foo", {SEGMENT_BASE64, TEXT("foo")}, TEXT("Zm9v")},
    {"foob", {SEGMENT_BASE64, TEXT("foob")}, TEXT("Zm9vYg==")},
    {"fooba", {SEGMENT_BASE64, TEXT("fooba")}, TEXT("Zm9vYmE=")},
    {"foobar", {SEGMENT_BASE64, TEXT("foobar")}, TEXT("Zm9vYmFy")},
    {"all of the alphabet",
     {SEGMENT_BASE64,
      TEXT("\0\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97"
           "\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf"
           "\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf")},
     TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")},
};

/* With buffers of every size, each ending at an unreadable page. */
static void
steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(segments); i++)
        for (size_t step = 1; step <= segments[i].want.len + 2; step++) {
            struct segment segment = {segments[i].segment.form,
                                      guard_copy(segments[i].segment.bytes)};
            struct segment_cursor cursor = {0, 0};
            char got[128];
            size_t len = 0;

            if (segments[i].segment.bytes.p == NULL)
                segment.bytes.p = NULL;
            CHECK_INT(segments[i].name, segment_len(&segment), segments[i].want.len);
            while (!segment_ended(&segment, &cursor)) {
                char *buffer = guard_buffer(step);
                size_t n = segment_read(&segment, &cursor, buffer, step);

                CHECK(segments[i].name,
                      n == step || (n < step && segment_ended(&segment, &cursor)));
                memcpy(got + len, buffer, n);
                len += n;
            }
            CHECK_INT(segments[i].name, segment_read(&segment, &cursor, guard_buffer(step), step),
                      0);
            CHECK_SPAN(segments[i].name, ((struct span){got, len}), segments[i].want);
        }
}

/* Without room nothing is read, and the cursor stays. */
static void
no_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(segments); i++) {
        struct segment_cursor cursor = {0, 0};

        CHECK_INT(segments[i].name, segment_read(&segments[i].segment, &cursor, guard_buffer(0), 0),
                  0);
        CHECK_INT(segments[i].name, cursor.at + cursor.within, 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(no_room),
    };

    return RUN(argc, argv, tests);
}
