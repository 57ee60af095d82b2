#include "protocol/json.h"

#include <limits.h>
#include <string.h>

/* jsmn is not ours to warn about */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>
#pragma GCC diagnostic pop

/* see json.h */

static const enum json_kind kinds[] = {
    [JSMN_OBJECT] = JSON_OBJECT,
    [JSMN_ARRAY] = JSON_ARRAY,
    [JSMN_STRING] = JSON_STRING,
    [JSMN_PRIMITIVE] = JSON_SCALAR,
};

static bool
only_space(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!span_white(s.p[i]))
            return false;
    return true;
}

int
json_parse(struct json *doc, struct span text)
{
    jsmntok_t tokens[JSON_TOKENS_MAX];
    jsmn_parser parser;
    size_t quote;

    doc->text = text;
    doc->len = 0;
    if (text.len > INT_MAX)
        return ERR_BIG;
    jsmn_init(&parser);
    doc->len = jsmn_parse(&parser, text.p, text.len, tokens, JSON_TOKENS_MAX);
    if (doc->len <= 0) {
        int got = doc->len == JSMN_ERROR_NOMEM ? ERR_BIG : ERR_BAD;

        doc->len = 0;
        return got;
    }
    for (int i = 0; i < doc->len; i++)
        doc->tokens[i] = (struct json_token){
            .kind = kinds[tokens[i].type],
            .start = tokens[i].start,
            .end = tokens[i].end,
            .size = tokens[i].size,
            .parent = tokens[i].parent,
        };
    /* jsmn continues after the first value, and takes a zero byte for the end of the text */
    quote = tokens[0].type == JSMN_STRING ? 1 : 0;
    if (!only_space((struct span){text.p, (size_t)tokens[0].start - quote}) ||
        !only_space(span_skip(text, (size_t)tokens[0].end + quote)))
        return ERR_BAD;
    return 0;
}

static const struct json_token *
token_of(const struct json *doc, int token, enum json_kind kind)
{
    if (token < 0 || token >= doc->len || doc->tokens[token].kind != kind)
        return NULL;
    return &doc->tokens[token];
}

struct span
json_raw(const struct json *doc, int token)
{
    if (token < 0 || token >= doc->len)
        return (struct span){NULL, 0};
    return (struct span){doc->text.p + doc->tokens[token].start,
                         (size_t)(doc->tokens[token].end - doc->tokens[token].start)};
}

int
json_member(const struct json *doc, int object, struct span name)
{
    if (token_of(doc, object, JSON_OBJECT) == NULL)
        return ERR_BAD;
    /* a name's value is the token after it, if that has the name as its parent */
    for (int i = object + 1; i + 1 < doc->len; i++)
        if (doc->tokens[i].parent == object && doc->tokens[i + 1].parent == i &&
            doc->tokens[i].kind == JSON_STRING && span_same(json_raw(doc, i), name))
            return i + 1;
    return ERR_BAD;
}

int
json_element(const struct json *doc, int array, int index)
{
    if (token_of(doc, array, JSON_ARRAY) == NULL || index < 0)
        return ERR_BAD;
    for (int i = array + 1; i < doc->len; i++)
        if (doc->tokens[i].parent == array && index-- == 0)
            return i;
    return ERR_BAD;
}

/* Four hexadecimal digits; jsmn has checked that they are. */
static unsigned
hex4(const char *p)
{
    unsigned n = 0;

    for (int i = 0; i < 4; i++)
        n = n << 4 | (unsigned)((p[i] & 15) + (p[i] > '9' ? 9 : 0));
    return n;
}

static void
put_utf8(struct out *o, unsigned c)
{
    if (c < 0x80) {
        out_byte(o, (char)c);
    } else if (c < 0x800) {
        out_byte(o, (char)(0xc0 | c >> 6));
        out_byte(o, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        out_byte(o, (char)(0xe0 | c >> 12));
        out_byte(o, (char)(0x80 | (c >> 6 & 0x3f)));
        out_byte(o, (char)(0x80 | (c & 0x3f)));
    } else {
        out_byte(o, (char)(0xf0 | c >> 18));
        out_byte(o, (char)(0x80 | (c >> 12 & 0x3f)));
        out_byte(o, (char)(0x80 | (c >> 6 & 0x3f)));
        out_byte(o, (char)(0x80 | (c & 0x3f)));
    }
}

/* \uXXXX, or two that make a pair of surrogates, at the beginning of s; returns what follows. */
static struct span
unescape_unicode(struct span s, struct out *o)
{
    unsigned c = hex4(s.p + 2);

    s = span_skip(s, 6);
    if (c >= 0xd800 && c < 0xdc00 && s.len >= 6 && s.p[0] == '\\' && s.p[1] == 'u') {
        unsigned low = hex4(s.p + 2);

        if (low >= 0xdc00 && low < 0xe000) {
            put_utf8(o, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
            return span_skip(s, 6);
        }
    }
    put_utf8(o, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    return s;
}

/* One escape at the beginning of s; returns what follows. */
static struct span
unescape(struct span s, struct out *o)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const char *at;

    if (s.p[1] == 'u')
        return unescape_unicode(s, o);
    at = memchr(from, s.p[1], sizeof from - 1);
    out_put(o, at == NULL ? (struct span){s.p + 1, 1} : (struct span){to + (at - from), 1});
    return span_skip(s, 2);
}

int
json_text(const struct json *doc, int token, struct out *o)
{
    struct span s = json_raw(doc, token);

    if (token_of(doc, token, JSON_STRING) == NULL)
        return ERR_BAD;
    while (s.len > 0) {
        const char *escape = memchr(s.p, '\\', s.len);
        size_t plain = escape == NULL ? s.len : (size_t)(escape - s.p);

        out_put(o, (struct span){s.p, plain});
        s = span_skip(s, plain);
        if (s.len > 0)
            s = unescape(s, o);
    }
    return out_end(o);
}

int
json_number(const struct json *doc, int token, uint64_t max, uint64_t *number)
{
    struct span s = json_raw(doc, token);

    if (token_of(doc, token, JSON_SCALAR) == NULL || (s.len > 1 && s.p[0] == '0'))
        return ERR_BAD;
    return span_number(s, max, number);
}
