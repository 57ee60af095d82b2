#include "protocol/envelope.h"

#include "protocol/check.h"

/* see envelope.h */

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes these bytes off the text, a digit for each 0. Returns 0, ERR_MORE or ERR_BAD. */
static int
take(struct span *text, const char *form)
{
    for (; *form != '\0'; form++, *text = span_skip(*text, 1)) {
        if (text->len == 0)
            return ERR_MORE;
        if (*form == '0' ? !digit(text->p[0]) : text->p[0] != *form)
            return ERR_BAD;
    }
    return 0;
}

/* The same, white space before it allowed. */
static int
take_token(struct span *text, const char *token)
{
    while (text->len > 0 && span_white(text->p[0]))
        *text = span_skip(*text, 1);
    return take(text, token);
}

static int
take_tokens(struct span *text, const char *const *tokens)
{
    int r = 0;

    while (r == 0 && *tokens != NULL)
        r = take_token(text, *tokens++);
    return r;
}

/* From a time's first digit to just after its closing quotation mark. */
static int
take_time(struct span *text)
{
    int r = take(text, "0000-00-00T00:00:00");

    if (r == 0 && text->len > 0 && text->p[0] == '.') {
        r = take(text, ".0");
        while (r == 0 && text->len > 0 && digit(text->p[0]))
            *text = span_skip(*text, 1);
    }
    if (r != 0 || text->len == 0)
        return r != 0 ? r : ERR_MORE;
    if (text->p[0] == 'Z')
        return take(text, "Z\"");
    return take(text, text->p[0] == '-' ? "-00:00\"" : "+00:00\"");
}

static int
take_type(struct span *text)
{
    struct span type = {text->p, 0};

    while (type.len < text->len && text->p[type.len] != '"')
        type.len++;
    if (type.len == text->len)
        return ERR_MORE;
    *text = span_skip(*text, type.len + 1);
    return span_same(type, SPAN("function")) || span_same(type, SPAN("extension")) ||
                   span_starts(type, SPAN("platform."))
               ? 0
               : ERR_BAD;
}

int
envelope_len(struct span text)
{
    static const char *const time[] = {"{", "\"time\"", ":", "\"", NULL};
    static const char *const type[] = {",", "\"type\"", ":", "\"", NULL};
    static const char *const record[] = {",", "\"record\"", ":", "", NULL};
    struct span rest = {text.p, text.len < ENVELOPE_MAX ? text.len : ENVELOPE_MAX};
    size_t len = rest.len;
    int r = take_tokens(&rest, time);

    if (r == 0)
        r = take_time(&rest);
    if (r == 0)
        r = take_tokens(&rest, type);
    if (r == 0)
        r = take_type(&rest);
    if (r == 0)
        r = take_tokens(&rest, record);
    if (r == 0 && rest.len == 0)
        r = ERR_MORE;
    if (r == 0)
        return (int)(len - rest.len);
    return r == ERR_MORE && len == ENVELOPE_MAX ? ERR_BAD : r;
}

bool
envelope_comma(struct span text, size_t at, bool comma)
{
    while (at > 0 && span_white(text.p[at - 1]))
        at--;
    return at == 0 ? comma : text.p[at - 1] == ',';
}

int
envelope_find(struct span text, size_t from, bool comma, size_t *at)
{
    CHECK(from <= text.len);
    while (from < text.len) {
        const char *brace = span_char(span_skip(text, from), '{');
        int r;

        if (brace == NULL)
            break;
        *at = (size_t)(brace - text.p);
        from = *at + 1;
        if (!envelope_comma(text, *at, comma))
            continue;
        r = envelope_len(span_skip(text, *at));
        if (r != ERR_BAD)
            return r == ERR_MORE ? 0 : 1;
    }
    *at = text.len;
    return 0;
}
