/*
 * The second POST of a record that was cut in two: the record's envelope, a quotation mark, any bytes, and the
 * events behind them. These have to come, and the damage counts once at most.
 */
#include "fuzz.h"
#include "protocol/envelope.h"
#include "protocol/splitter.h"

#define HEAD "{\"time\":\"2026-11-20T10:00:00.123Z\",\"type\":\"function\",\"record\":"
#define BEHIND HEAD "\"a\"}," HEAD "{\"b\":1}}]"

/* All that came of a body, each event behind its length. */
struct got {
    struct out events;
    struct span last, last_but_one;
    size_t cuts;
    int end;
};

static void
feed(struct splitter *s, struct span in, struct got *got)
{
    struct span event;

    while ((got->end = splitter_next(s, &in, &event)) == 1 || got->end == SPLITTER_CUT) {
        if (got->end == SPLITTER_CUT) {
            got->cuts++;
            continue;
        }
        out_number(&got->events, event.len);
        out_byte(&got->events, ':');
        got->last_but_one = got->last;
        got->last = (struct span){got->events.p + got->events.len, event.len};
        out_put(&got->events, event);
        FACT(out_end(&got->events) == 0);
    }
    FACT(in.len == 0 && got->end != ERR_FULL);
}

/* In pieces of at most so many bytes; 0: of any size. */
static struct got
split(struct span body, size_t most)
{
    size_t cap = body.len * 12 + 1;
    struct got got = {.events = out_to(fuzz_room(cap), cap)};
    char *room = fuzz_room(body.len);
    size_t room_len = body.len;
    struct splitter s;

    splitter_start(&s, fuzz_room(body.len + ENVELOPE_MAX), body.len + ENVELOPE_MAX);
    while (body.len > 0) {
        size_t size = most > 0 ? most : 1 + fuzz_dice(60);
        struct span piece = {body.p, size < body.len ? size : body.len};

        feed(&s, fuzz_lay(room, room_len, piece), &got);
        body = span_skip(body, piece.len);
    }
    splitter_end(&s);
    feed(&s, (struct span){NULL, 0}, &got);
    return got;
}

static void
check_same(const struct got *a, const struct got *b)
{
    FACT(a->end == b->end && a->cuts == b->cuts);
    FACT(span_same(out_span(&a->events), out_span(&b->events)));
}

void
fuzz(struct span in)
{
    size_t cap = in.len + sizeof("[" HEAD "\"}," BEHIND);
    struct out o = out_to(fuzz_room(cap), cap);
    struct got whole, bytes, any;
    size_t at, behind;

    out_put(&o, SPAN("[" HEAD "\""));
    out_put(&o, in);
    out_put(&o, SPAN("},"));
    behind = o.len;
    out_put(&o, SPAN(BEHIND));
    whole = split(out_span(&o), o.len);
    bytes = split(out_span(&o), 1);
    any = split(out_span(&o), 0);
    check_same(&whole, &bytes);
    check_same(&whole, &any);
    /* bytes that look like an event themselves may be taken for one */
    if (envelope_find(out_span(&o), sizeof("[" HEAD) - 1, false, &at) != 1 || at != behind)
        return;
    FACT(whole.end == 0 && whole.cuts <= 1);
    FACT(span_same(whole.last_but_one, SPAN(HEAD "\"a\"}")));
    FACT(span_same(whole.last, SPAN(HEAD "{\"b\":1}}")));
}
