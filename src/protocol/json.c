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

#include "protocol/line_text.h"

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

int
json_text(const struct json *doc, int token, struct out *o)
{
    struct span s = json_raw(doc, token);

    if (token_of(doc, token, JSON_STRING) == NULL)
        return ERR_BAD;
    while (s.len > 0) {
        const char *escape = span_char(s, '\\');
        size_t plain = escape == NULL ? s.len : (size_t)(escape - s.p);
        char text[4];
        char *end = text;

        out_put(o, (struct span){s.p, plain});
        s = span_skip(s, plain);
        if (s.len > 0)
            s = span_skip(s, line_escape(s, &end));
        out_put(o, (struct span){text, (size_t)(end - text)});
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
