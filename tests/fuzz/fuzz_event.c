/* A telemetry event, and what is written for it in each format. */
#include "fuzz.h"
#include "protocol/own_line.h"
#include "protocol/platform_line.h"
#include "protocol/subscription.h"
#include "strict_json.h"

static const enum event_format formats[] = {EVENT_MESSAGE, EVENT_VERBATIM, EVENT_ENRICHED};

/* Made of any pieces of the event itself, which may hold whatever JSON has to escape. */
static struct span
any_piece(struct span text)
{
    size_t from = fuzz_dice((uint32_t)text.len + 1);

    return (struct span){text.p + from, fuzz_dice((uint32_t)(text.len - from) + 1)};
}

static struct event_origin
any_origin(struct span text)
{
    struct event_origin origin = {
        .function_name = any_piece(text),
        .function_version = any_piece(text),
        .account_id = any_piece(text),
        .region = any_piece(text),
        .sandbox = any_piece(text),
        .request_id = any_piece(text),
        .sequence = fuzz_dice(2) == 0 ? UINT64_MAX : fuzz_dice(UINT32_MAX),
        .cold_start = fuzz_dice(2) == 0,
        .trace_id = any_piece(text),
        .tenant_id = any_piece(text),
        .level = any_piece(text),
    };

    return origin;
}

static struct span
write_whole(enum event_format format, const struct event *e, const struct event_origin *origin)
{
    size_t size = event_size(format, e, origin);
    struct out o = out_to(fuzz_room(size), size);

    FACT(event_write(&o, format, e, origin) == 0);
    FACT(o.len > 0);
    return out_span(&o);
}

/* With too little room it says so, and what it wrote is the beginning. */
static void
check_cut(enum event_format format, const struct event *e, const struct event_origin *origin,
          struct span whole)
{
    size_t cap = fuzz_dice((uint32_t)whole.len);
    struct out o = out_to(fuzz_room(cap), cap);

    FACT(event_write(&o, format, e, origin) == ERR_FULL);
    FACT(span_starts(whole, out_span(&o)));
}

static void
check_event(const struct event *e, struct span in)
{
    struct span message = event_message(e);
    struct span time;
    enum own_line is;

    FACT(e->text.p == in.p && e->text.len == in.len);
    FACT(e->record.len > 0 && fuzz_within(e->record, in));
    FACT(e->request_id.len <= 64 && fuzz_within(e->request_id, e->record));
    FACT(message.len > 0 && fuzz_within(message, in));
    FACT(e->level.len == 0 || fuzz_within(e->level, e->record));
    FACT(e->type == EVENT_PLATFORM || e->kind == EVENT_OTHER);
    FACT(e->kind == EVENT_LOGS_DROPPED || (e->dropped_records == 0 && e->dropped_bytes == 0));
    is = own_line(e, any_piece(in), any_piece(in), &time);
    FACT(e->type == EVENT_EXTENSION || is == OWN_LINE_NOT);
    FACT(is != OWN_LINE_IF_WRITTEN || (time.len > 0 && fuzz_within(time, e->record)));
}

/* With the marks of a scan, of this text or, as nobody should, of another one. */
static void
check_marked(struct span in, int want, const struct event *e)
{
    static struct json_marks marks;
    struct json_scan scan = {.marks = &marks};
    struct event marked;

    marks.len = 0;
    if (in.len > 0 && in.p[0] == '{')
        (void)json_scan_container(&scan, in.p, in.p + in.len);
    FACT(event_read(in, &marks, &marked) == want);
    if (want == 0) {
        FACT(marked.record.p == e->record.p && marked.record.len == e->record.len);
        FACT(marked.message.p == e->message.p && marked.message.len == e->message.len);
        FACT(marked.request_id.p == e->request_id.p && marked.time.p == e->time.p);
        FACT(marked.type == e->type && marked.kind == e->kind);
    }
    for (uint32_t i = 0; i < marks.len; i++)
        marks.at[i] += fuzz_dice(3);
    (void)event_read(in, &marks, &marked);
}

/* As part of a message, whose log events are JSON where the event is, and where a second one has its id. */
static void
check_message(const struct event *e, bool strict)
{
    size_t most = 2 * e->text.len + SUBSCRIPTION_MORE;

    for (unsigned text = 0; text < 2; text++) {
        struct out o = out_to(fuzz_room(most), most);
        size_t second;
        struct span all;

        if (!platform_line_there(e, text, LEVEL_DEBUG) && e->type == EVENT_PLATFORM)
            continue;
        out_byte(&o, '[');
        o = (struct out){.p = o.p + 1, .cap = most - 2};
        second = subscription_event(&o, e, fuzz_dice(UINT32_MAX), text);
        FACT(out_end(&o) == 0);
        FACT(second == 0 || (text && e->kind == EVENT_REPORT));
        FACT(second == 0 || span_starts(span_skip(out_span(&o), second), SPAN("00000000")));
        o.p[o.len] = ']';
        all = (struct span){o.p - 1, o.len + 2};
        FACT(!strict || strict_json(fuzz_copy(all)));
        o = out_to(fuzz_room(o.len / 2), o.len / 2);
        (void)subscription_event(&o, e, 0, text);
        FACT(out_end(&o) == ERR_FULL);
    }
}

void
fuzz(struct span in)
{
    struct event e;
    struct event_origin origin;
    bool strict = strict_json(in);
    int got = event_read(in, NULL, &e);

    FACT(got == 0 || got == ERR_BAD);
    check_marked(in, got, &e);
    if (got != 0)
        return;
    check_event(&e, in);
    check_message(&e, strict);
    origin = any_origin(in);
    for (size_t i = 0; i < FUZZ_LEN(formats); i++) {
        struct span whole = write_whole(formats[i], &e, &origin);

        check_cut(formats[i], &e, &origin, whole);
        /* JSON in, JSON out */
        FACT(!strict || strict_json(fuzz_copy(whole)));
    }
}
