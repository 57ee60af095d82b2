/*
 * A record of any bytes: cut down, closed and split to many sizes.
 */
#include "fuzz.h"
#include "protocol/oversize.h"
#include "protocol/oversize_split.h"
#include "read_back.h"
#include "strict_json.h"

#include <string.h>

struct record {
    struct span text;
    bool json, utf8, paired;
};

/* The value of \uXXXX at the beginning; -1 when there is none. */
static int32_t
unicode_escape(struct span s)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    int32_t c = 0;

    if (!span_starts(s, SPAN("\\u")) || s.len < 6)
        return -1;
    for (size_t i = 2; i < 6; i++) {
        const char *digit = memchr(digits, s.p[i], sizeof digits - 1);

        if (digit == NULL)
            return -1;
        c = c << 4 | (int32_t)((digit - digits) % 16);
    }
    return c;
}

/* Whether each escape of a surrogate has its other half. */
static bool
paired(struct span s)
{
    while (s.len > 0) {
        int32_t c = unicode_escape(s);
        int32_t second = unicode_escape(span_skip(s, 6));
        bool high = c >= 0xd800 && c < 0xdc00;

        if (high ? second < 0xdc00 || second > 0xdfff : c >= 0xdc00 && c <= 0xdfff)
            return false;
        s = span_skip(s, high ? 12 : c >= 0 ? 6 : s.p[0] == '\\' ? 2 : 1);
    }
    return true;
}

/* What the record is, the result has to be. */
static void
check_kept(const struct record *r, struct span out)
{
    FACT(!r->json || strict_json(out));
    FACT(!r->json || !r->utf8 || strict_utf8(out));
    FACT(!r->json || !r->paired || paired(out));
}

/*
 * Where the text before the marker stops to be the record's beginning: it may end in what was
 * added, of which so many bytes. SIZE_MAX when it is no beginning.
 */
static size_t
start_len(struct span text, struct span before, struct span added)
{
    struct span start = {before.p, before.len - added.len};

    if (added.len > before.len || !span_same(span_skip(before, start.len), added) ||
        !span_starts(text, start))
        return SIZE_MAX;
    return start.len;
}

/* A quotation mark and closing brackets alone. */
static bool
closes(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (s.p[i] != ']' && s.p[i] != '}')
            return false;
    return s.len > 0 && s.p[0] == '"';
}

static const char *const added[] = {"", "\"", ",\"", "\"truncated\":\"", ",\"truncated\":\""};

/* Whether the record lost, between what is before the marker and after it, so many bytes. */
static bool
lost(struct span text, struct span before, struct span after, uint64_t gone)
{
    for (size_t i = 0; i < FUZZ_LEN(added); i++) {
        size_t len = start_len(text, before, span_of(added[i]));

        if (len == SIZE_MAX || gone > text.len - len)
            continue;
        if (i > 0 && closes(after) && len + gone + after.len - 1 == text.len)
            return true;
        if (i == 0 && len + gone + after.len == text.len &&
            (closes(after) || span_same(after, span_skip(text, len + gone))))
            return true;
    }
    return false;
}

/* The record may have such words itself, so that any of them may be the marker. */
static bool
marked(struct span text, struct span out)
{
    struct span word = SPAN("...[truncated ");
    struct span rest = out;
    const char *at;

    while (rest.len > 0 && (at = memmem(rest.p, rest.len, word.p, word.len)) != NULL) {
        struct span before = {out.p, (size_t)(at - out.p)};
        struct span after;
        uint64_t gone;

        rest = span_skip(out, before.len + word.len);
        if (span_number(span_cut(rest, ' ', &after), UINT32_MAX, &gone) == 0 &&
            span_starts(after, SPAN("bytes]\"")) &&
            lost(text, before, span_skip(after, sizeof "bytes]" - 1), gone))
            return true;
    }
    return false;
}

static bool
has_bracket(struct span s)
{
    return s.len > 0 && (s.p[0] == '{' || s.p[0] == '[');
}

/* 48 bytes suffice for a record that begins with a bracket or is one string. */
static bool
suffices(const struct record *r, size_t max)
{
    struct span s = r->text;

    return max >= 48 && (has_bracket(s) || (r->json && s.p[0] == '"' && s.p[s.len - 1] == '"'));
}

/* room: for just the record. */
static void
check_truncate(const struct record *r, size_t max, char *room)
{
    struct span data = fuzz_lay(room, r->text.len, r->text);
    int64_t got = oversize_truncate(room, data.len, max);

    if (got == ERR_BIG || data.len <= max) {
        FACT(got == ERR_BIG ? data.len > max && !suffices(r, max) : (size_t)got == data.len);
        FACT(span_same(data, r->text));
        return;
    }
    FACT(got >= 0 && (size_t)got <= max);
    data.len = (size_t)got;
    FACT(marked(r->text, data));
    check_kept(r, data);
}

/* The record's beginning, of which 64 bytes and more are not kept. */
static void
check_close(const struct record *r, struct span text, size_t max)
{
    char *room = fuzz_room(text.len);
    struct span data = fuzz_lay(room, text.len, text);
    struct span word = SPAN("...[truncated]");
    int64_t got = oversize_close(room, data.len, max);

    if (got == ERR_BIG) {
        FACT(max < 48 || !has_bracket(text));
        FACT(span_same(data, text));
        return;
    }
    FACT(got >= 0 && (size_t)got <= max);
    data.len = (size_t)got;
    FACT(memmem(data.p, data.len, word.p, word.len) != NULL);
    check_kept(r, data);
}

static uint64_t
number_of(struct span value)
{
    uint64_t n;

    FACT(span_number(value, UINT32_MAX, &n) == 0);
    return n;
}

/* One piece: what it tells of itself, and its text. */
static struct span
read_piece(const struct oversize_split *s, struct span piece, uint32_t part)
{
    struct json_walk w, inner;
    struct span name, value;

    FACT(strict_json(piece) && json_walk_open(&w, piece) == 0);
    FACT(json_walk_open(&inner, read_back_member(&w, SPAN("split"))) == 0);
    FACT(span_same(read_back_text(read_back_member(&inner, SPAN("id"))), s->id));
    FACT(number_of(read_back_member(&inner, SPAN("part"))) == part);
    FACT(number_of(read_back_member(&inner, SPAN("parts"))) == s->parts);
    FACT(json_walk_next(&inner, &name, &value) == 0);
    value = read_back_member(&w, SPAN("text"));
    FACT(json_walk_next(&w, &name, &value) == 0);
    return read_back_text(value);
}

/* Writes the next piece into just as much room as it needs, after one byte less was refused. */
static struct span
next_piece(struct oversize_split *s, char *room, size_t size)
{
    struct out o = out_to(room, size - 1);

    FACT(oversize_split_next(s, &o) == ERR_FULL && oversize_split_size(s) == size);
    o = out_to(room, size);
    FACT(oversize_split_next(s, &o) == 1 && o.len == size);
    return out_span(&o);
}

static void
check_split(const struct record *r, struct span id, size_t max)
{
    struct oversize_split s;
    struct span rest = r->text;
    char *room = fuzz_room(max);
    size_t bytes = 0, size;
    uint32_t part = 1;
    struct out none = out_to(NULL, 0);

    if (oversize_split(&s, r->text, id, max) != 0) {
        FACT(oversize_split(&s, r->text, id, max) == ERR_BIG && max < 72 + id.len);
        return;
    }
    for (; (size = oversize_split_size(&s)) > 0; part++) {
        struct span piece, text;

        FACT(size <= max);
        piece = next_piece(&s, room + max - size, size);
        text = read_piece(&s, piece, part);
        FACT(span_starts(rest, text) && (text.len > 0 || r->text.len == 0));
        FACT(!r->utf8 || strict_utf8(piece));
        rest = span_skip(rest, text.len);
        bytes += size;
    }
    FACT(rest.len == 0 && part == s.parts + 1 && bytes == s.bytes);
    FACT(oversize_split_next(&s, &none) == 0);
}

void
fuzz(struct span in)
{
    static const char *const ids[] = {"", "7f3a-12", "00112233445566778899aabbccddeeff-12345678"};
    struct record r = {in, strict_json(in), strict_utf8(in), paired(in)};
    struct span id = span_of(ids[fuzz_dice(FUZZ_LEN(ids))]);
    uint32_t step = in.len <= 200 ? 1 : (uint32_t)in.len / 8;
    char *room = fuzz_room(in.len);

    for (size_t max = 0; max <= in.len + 1; max += 1 + fuzz_dice(step))
        check_truncate(&r, max, room);
    for (size_t i = 0; i < 8 && in.len > 64; i++) {
        uint32_t len = 64 + fuzz_dice((uint32_t)in.len - 63);

        check_close(&r, (struct span){in.p, len}, fuzz_dice(len - 63));
    }
    check_split(&r, id, 66 + id.len + fuzz_dice((uint32_t)in.len / 4 + 40));
}
