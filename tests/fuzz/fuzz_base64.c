/*
 * Base64 as PEM has it: the bytes that a slow reader finds, whatever the text's parts and the room for them are; and any
 * bytes as the program itself writes them, with blanks between.
 */
#include "fuzz.h"
#include "protocol/base64.h"
#include "protocol/segment.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a text comes to. */
struct result {
    bool good, whole;
    struct span bytes;
};

static struct span
without_blanks(struct span in)
{
    struct out o = out_to(fuzz_room(in.len), in.len);

    for (size_t i = 0; i < in.len; i++)
        if (in.p[i] != ' ' && in.p[i] != '\t')
            out_byte(&o, in.p[i]);
    return out_span(&o);
}

/* All letters first, bit by bit; then what pads them; then nothing. */
static struct result
slow(struct span in)
{
    struct span text = without_blanks(in);
    size_t letters = 0, pads = 0, over;
    struct out o = out_to(fuzz_room(in.len), in.len);

    while (letters < text.len && memchr(alphabet, text.p[letters], 64) != NULL)
        letters++;
    while (letters + pads < text.len && text.p[letters + pads] == '=')
        pads++;
    over = letters % 4;
    for (size_t i = 0; i < (letters - over + (over + pads == 4 ? over : 0)) * 6 / 8; i++) {
        unsigned byte = 0;

        for (size_t bit = 8 * i; bit < 8 * i + 8; bit++) {
            const char *letter = memchr(alphabet, text.p[bit / 6], 64);

            byte = byte << 1 | ((unsigned)(letter - alphabet) >> (5 - bit % 6) & 1);
        }
        out_byte(&o, (char)byte);
    }
    return (struct result){
        .good = letters + pads == text.len && (pads == 0 || (over >= 2 && pads <= 4 - over)),
        .whole = text.len % 4 == 0,
        .bytes = out_span(&o),
    };
}

/* In parts of up to so many characters, into room for up to so many groups of three bytes. */
static struct result
read_all(struct span in, uint32_t part, uint32_t groups)
{
    struct base64 b = {0};
    struct out o = out_to(fuzz_room(in.len), in.len);

    while (in.len > 0) {
        struct span now = fuzz_take(&in, 1 + fuzz_dice(part));

        while (now.len > 0) {
            size_t before = now.len, cap = 3 * (1 + fuzz_dice(groups)) + fuzz_dice(3);
            char *room = fuzz_room(cap);
            int n = base64_read(&b, &now, (uint8_t *)room, cap);

            if (n == ERR_BAD)
                return (struct result){.good = false};
            FACT(n >= 0 && (size_t)n <= cap && now.len < before);
            out_put(&o, (struct span){room, (size_t)n});
        }
    }
    FACT(out_end(&o) == 0);
    return (struct result){true, base64_whole(&b), out_span(&o)};
}

static void
check_same(struct result got, struct result want)
{
    FACT(got.good == want.good);
    if (want.good)
        FACT(got.whole == want.whole && span_same(got.bytes, want.bytes));
}

static void
check_round_trip(struct span in)
{
    struct segment segment = {SEGMENT_BASE64, in};
    struct segment_cursor cursor = {0};
    size_t cap = 2 * segment_len(&segment);
    struct out o = out_to(fuzz_room(cap), cap);
    char c;

    while (segment_read(&segment, &cursor, &c, 1) > 0) {
        if (fuzz_dice(8) == 0)
            out_byte(&o, fuzz_dice(2) == 0 ? ' ' : '\t');
        out_byte(&o, c);
    }
    FACT(out_end(&o) == 0);
    check_same(read_all(out_span(&o), 100, 20), (struct result){true, true, in});
}

void
fuzz(struct span in)
{
    struct result want = slow(in);

    check_same(read_all(in, (uint32_t)in.len + 1, (uint32_t)in.len + 1), want);
    check_same(read_all(in, 3, 1), want);
    check_same(read_all(in, 1 + fuzz_dice(20), 1 + fuzz_dice(8)), want);
    check_round_trip(in);
}
