#ifndef JSON_H
#define JSON_H
/*
 * Small JSON documents as an array of tokens, over jsmn: replies to control calls, events,
 * credentials. For large ones see json_walk.h.
 *
 * A document refers to the text that it was parsed from, which must stay unchanged as long as the
 * document is used. Tokens are identified by index, the root is 0. Calls that look something up accept
 * a negative index and return ERR_BAD, so that look-ups nest:
 *
 *     json_text(doc, json_member(doc, json_member(doc, 0, SPAN("tracing")), SPAN("value")), o)
 *
 * jsmn accepts some texts that are not JSON: commas and colons left out, doubled or out of place
 * ({"a" "b"}, [1 2], [1,,2]), words such as "nil" or "1-2" for scalars, control bytes within
 * strings. Brackets always match and escapes are always sound. A reader that looks up what it
 * needs and checks what it found is not harmed; nobody else should rely on this as a validator.
 */
#include "protocol/out.h"
#include "protocol/span.h"

#define JSON_TOKENS_MAX 128

enum json_kind { JSON_OBJECT = 1, JSON_ARRAY, JSON_STRING, JSON_SCALAR };

struct json_token {
    enum json_kind kind;
    int start; /* offsets into the text: a string's without its quotes */
    int end;
    int size;   /* elements, or members, or 1 for a name that has a value */
    int parent; /* a value's is its name's token */
};

struct json {
    struct span text;
    int len; /* tokens in use */
    struct json_token tokens[JSON_TOKENS_MAX];
};

/*
 * Parses a whole document; white space may surround it.
 *
 * Returns 0; ERR_BAD when it is malformed, cut short, empty, has anything after the first value,
 * or is a number or word that nothing follows (jsmn needs to see where it ends); ERR_BIG beyond
 * JSON_TOKENS_MAX tokens (a member is two) or 2 GiB.
 */
int json_parse(struct json *doc, struct span text);

/*
 * The value of a member. Names are compared byte by byte as they stand in the text, so one that is
 * written with escapes does not match. Of several members with the same name the first is returned.
 *
 * Returns its token, or ERR_BAD when it is absent or the token is not an object.
 */
int json_member(const struct json *doc, int object, struct span name);

/* An array's element, counted from 0: its token, or ERR_BAD when absent or not an array. */
int json_element(const struct json *doc, int array, int index);

/*
 * Appends a string's value: escapes become UTF-8, an unpaired surrogate becomes U+FFFD, all other
 * bytes stay as they are.
 *
 * Returns 0; ERR_BAD when the token is not a string; ERR_FULL.
 */
int json_text(const struct json *doc, int token, struct out *o);

/* Returns 0 and a whole number 0..max, or ERR_BAD: anything else, such as a sign, fraction or exponent. */
int json_number(const struct json *doc, int token, uint64_t max, uint64_t *number);

/*
 * The bytes of a token as they stand in the text: a string's without its quotes and with its
 * escapes; a null span for a negative index. Valid as long as the text.
 */
struct span json_raw(const struct json *doc, int token);

#endif
