/* Small documents as tokens (json.h), and out_json's way into them and back. */
#include "fuzz.h"
#include "protocol/json.h"
#include "strict_json.h"

static void
check_token(const struct json *doc, int i)
{
    const struct json_token *t = &doc->tokens[i];
    struct span raw = json_raw(doc, i);
    /* an escape of six bytes gives three at most, one of two gives one */
    struct out o = out_to(fuzz_room(raw.len), raw.len);
    uint64_t number, same;
    int member, element;

    FACT(t->start >= 0 && t->start <= t->end && (size_t)t->end <= doc->text.len);
    FACT(t->parent < i && (i == 0 ? t->parent == -1 : t->parent >= 0));
    FACT(fuzz_within(raw, doc->text));
    FACT(json_text(doc, i, &o) == (t->kind == JSON_STRING ? 0 : ERR_BAD));
    FACT(!strict_utf8(raw) || strict_utf8(out_span(&o)));
    if (json_number(doc, i, UINT64_MAX, &number) == 0) {
        FACT(t->kind == JSON_SCALAR);
        FACT(json_number(doc, i, number, &same) == 0 && same == number);
        FACT(number == 0 || json_number(doc, i, number - 1, &same) == ERR_BAD);
    }
    member = json_member(doc, i, SPAN("a"));
    FACT(member == ERR_BAD || (t->kind == JSON_OBJECT && member > i + 1 && member < doc->len));
    element = json_element(doc, i, (int)fuzz_dice(4));
    FACT(element == ERR_BAD || (t->kind == JSON_ARRAY && element > i && element < doc->len));
}

/* Any bytes, put into a JSON string, come out of it as they were. */
static void
check_round_trip(struct span bytes)
{
    size_t cap = bytes.len * 6 + 2;
    struct out o = out_to(fuzz_room(cap), cap);
    struct out back = out_to(fuzz_room(bytes.len), bytes.len);
    struct json doc;

    out_byte(&o, '"');
    out_json(&o, bytes);
    out_byte(&o, '"');
    FACT(out_end(&o) == 0 && strict_json(out_span(&o)));
    FACT(json_parse(&doc, fuzz_copy(out_span(&o))) == 0 && doc.len == 1);
    FACT(json_text(&doc, 0, &back) == 0 && span_same(out_span(&back), bytes));
}

void
fuzz(struct span in)
{
    struct json doc;
    int got = json_parse(&doc, in);

    FACT(got == 0 || got == ERR_BAD || got == ERR_BIG);
    if (got == 0)
        for (int i = 0; i < doc.len; i++)
            check_token(&doc, i);
    else if (strict_json(in) && (in.p[0] == '{' || in.p[0] == '[' || in.p[0] == '"'))
        FACT(got == ERR_BIG);
    check_round_trip(in);
}
