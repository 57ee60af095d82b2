#ifndef DIAG_H
#define DIAG_H
/*
 * CBOR from its diagnostic notation, so that tables can be read. Source: RFC 8949, section 8.
 *
 *     {"a": [1, -2, null]}   definite lengths      (_ "a", "b")   a string in chunks
 *     {_ "a": [_ true]}      indefinite lengths    h'0aff'        a byte string
 *     1("a")                 a tag                 x'f97e00'      these bytes, whatever they are
 *
 * Strings have no escapes. What is no such notation ends the program.
 */
#include "protocol/out.h"

#include <stdlib.h>
#include <string.h>

static inline void
diag_head(struct out *o, unsigned major, uint64_t n)
{
    int bytes = n < 24 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8;
    int info = bytes == 0 ? (int)n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;

    out_byte(o, (char)(major * 32 + (unsigned)info));
    for (int i = bytes - 1; i >= 0; i--)
        out_byte(o, (char)(n >> (8 * i)));
}

static inline void
diag_between(const char **at)
{
    *at += strspn(*at, " ,:\n");
}

static inline void diag_item(const char **at, struct out *o);

/* Items up to the closing bracket; returns how many. */
static inline uint64_t
diag_items(const char **at, char close, struct out *o)
{
    uint64_t n = 0;

    for (diag_between(at); **at != close; diag_between(at), n++)
        diag_item(at, o);
    (*at)++;
    return n;
}

/* h'0aff', with or without a head. */
static inline void
diag_hex(const char **at, bool head, struct out *o)
{
    const char *digits = *at + 2;
    size_t len = strcspn(digits, "'");

    if (head)
        diag_head(o, 2, len / 2);
    for (size_t i = 0; i < len; i += 2) {
        char pair[3] = {digits[i], digits[i + 1], 0};

        out_byte(o, (char)strtol(pair, NULL, 16));
    }
    *at = digits + len + 1;
}

static inline void
diag_container(const char **at, char close, unsigned major, struct out *o)
{
    char room[65536];
    struct out inner = out_to(room, sizeof room);
    uint64_t n;

    (*at)++;
    if (**at == '_') {
        (*at)++;
        out_byte(o, (char)(major * 32 + 31));
        diag_items(at, close, o);
        out_byte(o, (char)0xff);
        return;
    }
    n = diag_items(at, close, &inner);
    diag_head(o, major, major == 5 ? n / 2 : n);
    out_put(o, out_span(&inner));
    if (out_end(&inner) != 0)
        abort();
}

static inline void
diag_number(const char **at, struct out *o)
{
    bool negative = **at == '-';
    char *end;
    uint64_t n = strtoull(*at + negative, &end, 10);

    if (end == *at + negative)
        abort();
    *at = end;
    if (**at != '(') {
        diag_head(o, negative, n - negative);
        return;
    }
    (*at)++;
    diag_head(o, 6, n);
    diag_items(at, ')', o);
}

static inline void
diag_item(const char **at, struct out *o)
{
    static const struct {
        const char *word;
        char byte;
    } words[] = {{"false", (char)0xf4},
                 {"true", (char)0xf5},
                 {"null", (char)0xf6},
                 {"undefined", (char)0xf7}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(*at, words[i].word, strlen(words[i].word)) == 0) {
            *at += strlen(words[i].word);
            out_byte(o, words[i].byte);
            return;
        }
    if (**at == '{') {
        diag_container(at, '}', 5, o);
    } else if (**at == '[') {
        diag_container(at, ']', 4, o);
    } else if (**at == '(') {
        *at += strspn(*at, "(_ ");
        out_byte(o, (char)(**at == 'h' ? 0x5f : 0x7f));
        diag_items(at, ')', o);
        out_byte(o, (char)0xff);
    } else if (**at == '"') {
        size_t len = strcspn(*at + 1, "\"");

        diag_head(o, 3, len);
        out_put(o, (struct span){*at + 1, len});
        *at += len + 2;
    } else if ((**at == 'h' || **at == 'x') && (*at)[1] == '\'') {
        diag_hex(at, **at == 'h', o);
    } else {
        diag_number(at, o);
    }
}

/* The bytes of all items in the text; valid until the next call. */
static inline struct span
diag(const char *text)
{
    static char room[1 << 20];
    struct out o = out_to(room, sizeof room);

    for (diag_between(&text); *text != 0; diag_between(&text))
        diag_item(&text, &o);
    if (out_end(&o) != 0)
        abort();
    return out_span(&o);
}

#endif
