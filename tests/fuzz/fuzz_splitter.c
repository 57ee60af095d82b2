/* The body of a telemetry POST, whole, byte by byte, in pieces of any size, with any carry. */
#include "fuzz.h"
#include "protocol/envelope.h"
#include "protocol/json_walk.h"
#include "protocol/splitter.h"
#include "strict_json.h"

#include <string.h>

/* All events of a body, each behind its length; result is what splitter_next said at last. */
struct events {
    int result;
    bool inside;
    size_t count;
    size_t skipped;
    size_t cuts;
    struct out log;
};

static void
note(struct events *all, struct span event)
{
    FACT(event.len > 0);
    out_number(&all->log, event.len);
    out_byte(&all->log, ':');
    out_put(&all->log, event);
    FACT(out_end(&all->log) == 0);
    all->count++;
}

static struct events
no_events(size_t body_len)
{
    /* an event takes a byte at least, besides the comma */
    size_t cap = body_len * 12 + 1;

    return (struct events){.result = ERR_MORE, .log = out_to(fuzz_room(cap), cap)};
}

/* One piece of the body. Where the carry is too small: more room, or, given none, the event goes. */
static void
feed(struct splitter *s, struct span given, size_t enlarge, struct events *all)
{
    struct span in = given, event;

    while ((all->result = splitter_next(s, &in, &event)) == 1 || all->result == ERR_FULL ||
           all->result == SPLITTER_CUT) {
        FACT(fuzz_within(in, given));
        if (all->result == 1) {
            FACT(fuzz_within(event, given) || fuzz_within(event, (struct span){s->carry, s->cap}));
            note(all, event);
        } else if (all->result == SPLITTER_CUT) {
            all->cuts++;
        } else if (enlarge > 0) {
            FACT(s->cap < enlarge);
            splitter_carry(s, fuzz_room(enlarge), enlarge);
        } else {
            FACT(splitter_inside(s));
            splitter_skip(s);
            all->skipped++;
        }
    }
    FACT(in.len == 0);
    all->inside = splitter_inside(s);
}

/* Pieces of at most so many bytes; 0: of any size. */
static struct events
split(struct span body, size_t most, size_t cap, size_t enlarge)
{
    struct events all = no_events(body.len);
    size_t room_len = body.len;
    char *room = fuzz_room(room_len);
    struct splitter s;

    splitter_start(&s, fuzz_room(cap), cap);
    do {
        size_t size = most > 0 ? most : 1 + fuzz_dice(24);

        struct span piece = {body.p, size < body.len ? size : body.len};

        feed(&s, fuzz_lay(room, room_len, piece), enlarge, &all);
        body = span_skip(body, size);
    } while (body.len > 0);
    splitter_end(&s);
    feed(&s, (struct span){NULL, 0}, enlarge, &all);
    return all;
}

static void
check_same(const struct events *a, const struct events *b)
{
    FACT(a->result == b->result && a->inside == b->inside && a->count == b->count &&
         a->cuts == b->cuts);
    FACT(span_same(out_span(&a->log), out_span(&b->log)));
}

/* An array that is JSON throughout is cut as a walk through it meets its elements. */
static void
check_walk(struct span body, const struct events *whole)
{
    struct events met = no_events(body.len);
    struct span name, value;
    struct json_walk w;

    FACT(whole->result == 0 && json_walk_open(&w, body) == 0);
    while (json_walk_next(&w, &name, &value) == 1) {
        FACT(strict_json(value));
        note(&met, value);
    }
    FACT(span_same(out_span(&met.log), out_span(&whole->log)));
}

void
fuzz(struct span in)
{
    struct events whole = split(in, in.len + 1, in.len, 0);
    struct events bytes = split(in, 1, in.len, 0);
    /* what may be the rest of a record has no end that could be found without room for what follows */
    bool plain = span_find(in, SPAN("\"record\"")) == NULL;
    bool held = span_find(in, SPAN("\"time\"")) != NULL;
    struct events any =
        split(in, 0, fuzz_dice(32) + (held ? 2 * ENVELOPE_MAX : 0), in.len + 2 * ENVELOPE_MAX + 32);
    /* what does not fit is given up, and all else comes */
    struct events small = split(in, 0, fuzz_dice(32), 0);

    FACT(whole.result == 0 || whole.result == ERR_MORE || whole.result == ERR_BAD);
    FACT(whole.skipped == 0 && bytes.skipped == 0);
    check_same(&whole, &bytes);
    check_same(&whole, &any);
    if (plain) {
        FACT(small.result == whole.result && small.inside == whole.inside);
        FACT(small.count <= whole.count && small.count + small.skipped >= whole.count &&
             small.count + small.skipped <= whole.count + whole.inside);
    }
    if (strict_json(in) && memchr(in.p, '[', in.len) == in.p)
        check_walk(in, &whole);
}
