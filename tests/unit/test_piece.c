#include "protocol/piece.h"

#include "check.h"
#include "guard.h"

static const struct {
    const char *name;
    struct piece piece;
    struct span want;
} pieces[] = {
    {"nothing", {PIECE_PLAIN, TEXT("")}, TEXT("")},
    {"no text", {PIECE_ESCAPED, TEXT("")}, TEXT("")},
    {"no bytes", {PIECE_BASE64, TEXT("")}, TEXT("")},
    {"null", {PIECE_PLAIN, {NULL, 0}}, TEXT("")},
    {"null text", {PIECE_ESCAPED, {NULL, 0}}, TEXT("")},
    {"null bytes", {PIECE_BASE64, {NULL, 0}}, TEXT("")},
    {"plain", {PIECE_PLAIN, TEXT("a\"\\\n\0\xff")}, TEXT("a\"\\\n\0\xff")},
    {"text", {PIECE_ESCAPED, TEXT("abc")}, TEXT("abc")},
    {"escapes", {PIECE_ESCAPED, TEXT("\"\\\n\x01")}, TEXT("\\\"\\\\\\n\\u0001")},
    {"mixed",
     {PIECE_ESCAPED, TEXT("ab\0\0cd\re\x7f\xc3\xa4")},
     TEXT("ab\\u0000\\u0000cd\\re\x7f\xc3\xa4")},
    {"escape first and last", {PIECE_ESCAPED, TEXT("\tab\x1f")}, TEXT("\\tab\\u001f")},
    /* RFC 4648, section 10 */
    {"f", {PIECE_BASE64, TEXT("f")}, TEXT("Zg==")},
    {"fo", {PIECE_BASE64, TEXT("fo")}, TEXT("Zm8=")},
    {"foo", {PIECE_BASE64, TEXT("foo")}, TEXT("Zm9v")},
    {"foob", {PIECE_BASE64, TEXT("foob")}, TEXT("Zm9vYg==")},
    {"fooba", {PIECE_BASE64, TEXT("fooba")}, TEXT("Zm9vYmE=")},
    {"foobar", {PIECE_BASE64, TEXT("foobar")}, TEXT("Zm9vYmFy")},
    {"all of the alphabet",
     {PIECE_BASE64, TEXT("\0\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97"
                         "\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf"
                         "\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf")},
     TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")},
};

/* With buffers of every size, each ending at an unreadable page. */
static void
steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(pieces); i++)
        for (size_t step = 1; step <= pieces[i].want.len + 2; step++) {
            struct piece piece = {pieces[i].piece.form, guard_copy(pieces[i].piece.bytes)};
            struct piece_place place = {0, 0};
            char got[128];
            size_t len = 0;

            if (pieces[i].piece.bytes.p == NULL)
                piece.bytes.p = NULL;
            CHECK_INT(pieces[i].name, piece_len(&piece), pieces[i].want.len);
            while (!piece_ended(&piece, &place)) {
                char *buffer = guard_buffer(step);
                size_t n = piece_read(&piece, &place, buffer, step);

                CHECK(pieces[i].name, n == step || (n < step && piece_ended(&piece, &place)));
                memcpy(got + len, buffer, n);
                len += n;
            }
            CHECK_INT(pieces[i].name, piece_read(&piece, &place, guard_buffer(step), step), 0);
            CHECK_SPAN(pieces[i].name, ((struct span){got, len}), pieces[i].want);
        }
}

/* Without room nothing is read, and the place stays. */
static void
no_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(pieces); i++) {
        struct piece_place place = {0, 0};

        CHECK_INT(pieces[i].name, piece_read(&pieces[i].piece, &place, guard_buffer(0), 0), 0);
        CHECK_INT(pieces[i].name, place.at + place.within, 0);
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
