/*
 * The ledger's line and its metrics. The input is four texts, each behind a byte that tells its
 * length, then counters of eight bytes; those that are missing are 0.
 */
#include "fuzz.h"
#include "protocol/json.h"
#include "protocol/ledger.h"
#include "strict_json.h"

#include <string.h>

static struct span
part(struct span *in)
{
    return fuzz_copy(fuzz_take(in, fuzz_byte(in)));
}

static void
counters(struct span *in, struct ledger *l)
{
    struct span bytes = fuzz_take(in, sizeof *l);

    memset(l, 0, sizeof *l);
    memcpy(l, bytes.p, bytes.len);
}

static uint64_t
number(const struct json *doc, int object, struct span name)
{
    uint64_t n;

    FACT(json_number(doc, json_member(doc, object, name), UINT64_MAX, &n) == 0);
    return n;
}

/* A text's beginning, as much of it as is used. */
static void
check_text(const struct json *doc, struct span name, struct span want)
{
    struct out o = out_to(fuzz_room(64), 64);

    FACT(json_text(doc, json_member(doc, 0, name), &o) == 0);
    FACT(span_same(out_span(&o), (struct span){want.p, want.len < 64 ? want.len : 64}));
}

/* Written once more into less room, it is the beginning. */
static struct out
less_room(struct span whole)
{
    size_t cap = fuzz_dice((uint32_t)whole.len);

    return out_to(fuzz_room(cap), cap);
}

static void
check_line(const struct ledger *l)
{
    struct out o = out_to(fuzz_room(1344), 1344);
    struct out small, whole = out_to(fuzz_room(1346), 1346);
    struct json doc;
    int dropped;
    int filtered;

    FACT(ledger_write(&o, l) == 0);
    small = less_room(out_span(&o));
    FACT(ledger_write(&small, l) == ERR_FULL && span_starts(out_span(&o), out_span(&small)));
    out_byte(&whole, '{');
    out_put(&whole, out_span(&o));
    out_byte(&whole, '}');
    FACT(strict_json(out_span(&whole)) && json_parse(&doc, out_span(&whole)) == 0);
    dropped = json_member(&doc, 0, SPAN("dropped"));
    FACT(number(&doc, 0, SPAN("received")) == l->received);
    FACT(number(&doc, dropped, SPAN("total")) == ledger_dropped(l));
    FACT(number(&doc, dropped, SPAN("shutdown")) == l->dropped[DROP_SHUTDOWN]);
    filtered = json_member(&doc, 0, SPAN("filtered"));
    FACT(number(&doc, filtered, SPAN("total")) == ledger_filtered(l));
    FACT(number(&doc, filtered, SPAN("held")) == l->filtered[FILTERED_HELD]);
    FACT(number(&doc, 0, SPAN("bytes")) == l->bytes);
    FACT(number(&doc, 0, SPAN("payloadBytes")) == l->payload_bytes);
    FACT(number(&doc, 0, SPAN("breakerOpenings")) == l->breaker_openings);
}

/* Without the definitions of its metrics, which are more than json_parse takes. */
static struct span
without_definitions(struct span line)
{
    const char *begin = memchr(line.p, '[', line.len); /* of CloudWatchMetrics */
    const char *end = memchr(begin, ']', line.len - (size_t)(begin - line.p)); /* of a dimension */
    struct out o = out_to(fuzz_room(4096), 4096);

    begin = memchr(end, '[', line.len - (size_t)(end - line.p)); /* of Metrics */
    end = memchr(begin, ']', line.len - (size_t)(begin - line.p));
    out_put(&o, (struct span){line.p, (size_t)(begin + 1 - line.p)});
    out_put(&o, (struct span){end, (size_t)(line.p + line.len - end)});
    FACT(out_end(&o) == 0);
    return out_span(&o);
}

static void
check_metrics(const struct ledger *now, const struct ledger *before,
              const struct ledger_source *about)
{
    struct span name = about->function_name;
    struct out o = out_to(fuzz_room(4096), 4096);
    struct out small;
    struct json doc;

    FACT(ledger_write_metrics(&o, now, before, about) == 0);
    small = less_room(out_span(&o));
    FACT(ledger_write_metrics(&small, now, before, about) == ERR_FULL);
    FACT(span_starts(out_span(&o), out_span(&small)));
    /* a line of its own */
    FACT(strict_json(out_span(&o)) && memchr(o.p, '\n', o.len) == NULL);
    FACT(json_parse(&doc, without_definitions(out_span(&o))) == 0);
    check_text(&doc, SPAN("FunctionName"), name.len > 0 ? name : SPAN("unknown"));
    check_text(&doc, SPAN("functionVersion"), about->function_version);
    check_text(&doc, SPAN("sandbox"), about->sandbox);
    check_text(&doc, SPAN("logger"), about->logger);
    FACT(number(&doc, 0, SPAN("Received")) == now->received - before->received);
    FACT(number(&doc, 0, SPAN("Dropped")) == ledger_dropped(now) - ledger_dropped(before));
    FACT(number(&doc, 0, SPAN("BreakerOpenings")) ==
         now->breaker_openings - before->breaker_openings);
    FACT(number(&doc, 0, SPAN("Queued")) == about->queued);
    FACT(number(&doc, json_member(&doc, 0, SPAN("_aws")), SPAN("Timestamp")) == about->time_ms);
}

/* Nothing is missing for just one number of records in the queue. */
static void
check_sum(const struct ledger *l)
{
    uint64_t queued =
        l->received - l->delivered - l->dead_lettered - ledger_dropped(l) - ledger_filtered(l);

    FACT(ledger_holds(l, queued));
    FACT(!ledger_holds(l, queued + 1 + fuzz_dice(UINT32_MAX)));
}

void
fuzz(struct span in)
{
    struct ledger_source about = {0};
    struct ledger now, before;

    about.function_name = part(&in);
    about.function_version = part(&in);
    about.sandbox = part(&in);
    about.logger = part(&in);
    counters(&in, &now);
    counters(&in, &before);
    about.time_ms = now.bytes;
    about.queued = before.requests;
    check_line(&now);
    check_metrics(&now, &before, &about);
    check_sum(&now);
}
