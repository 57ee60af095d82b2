#include "protocol/ledger.h"

/* see ledger.h */

void
ledger_drop(struct ledger *l, enum ledger_drop reason, uint64_t events)
{
    l->dropped[reason] += events;
}

void
ledger_lose(struct ledger *l, enum ledger_drop reason)
{
    l->received++;
    ledger_drop(l, reason, 1);
}

void
ledger_filter(struct ledger *l, enum ledger_filter reason, uint64_t events)
{
    l->received += events;
    l->filtered[reason] += events;
}

static uint64_t
sum(const uint64_t *counts, size_t len)
{
    uint64_t n = 0;

    while (len > 0)
        n += counts[--len];
    return n;
}

uint64_t
ledger_dropped(const struct ledger *l)
{
    return sum(l->dropped, DROP_REASONS);
}

uint64_t
ledger_filtered(const struct ledger *l)
{
    return sum(l->filtered, FILTERED_REASONS);
}

bool
ledger_holds(const struct ledger *l, uint64_t queued)
{
    return l->received ==
           l->delivered + l->dead_lettered + ledger_dropped(l) + ledger_filtered(l) + queued;
}

/* Offset of a counter; these two, which are past the struct, stand for the sums of what was dropped, and filtered. */
#define AT(field) offsetof(struct ledger, field)
#define SUM sizeof(struct ledger)
#define SUM_FILTERED (SUM + 1)

/* In the order of the line. A name may open an object, which the object's last member closes. */
static const struct counter {
    char name[27];   /* the text itself: a pointer would need a relocation */
    char metric[20]; /* empty: only in the line */
    uint8_t at;
    bool closes;
} counters[] = {
    {"received", "Received", AT(received), false},
    {"delivered", "Delivered", AT(delivered), false},
    {"deadLettered", "DeadLettered", AT(dead_lettered), false},
    {"retried", "Retried", AT(retried), false},
    {"duplicatesPossible", "DuplicatesPossible", AT(duplicates_possible), false},
    {"repeated", "Repeated", AT(repeated), false},
    {"truncated", "", AT(truncated), false},
    {"split", "", AT(split), false},
    {"ownLines", "", AT(own_lines), false},
    {"dropped\":{\"total", "Dropped", SUM, false},
    {"oversize", "", AT(dropped[DROP_OVERSIZE]), false},
    {"cut", "", AT(dropped[DROP_CUT]), false},
    {"unreadable", "", AT(dropped[DROP_UNREADABLE]), false},
    {"refused", "", AT(dropped[DROP_REFUSED]), false},
    {"overflow", "", AT(dropped[DROP_OVERFLOW]), false},
    {"shutdown", "", AT(dropped[DROP_SHUTDOWN]), true},
    {"filtered\":{\"total", "Filtered", SUM_FILTERED, false},
    {"level", "", AT(filtered[FILTERED_LEVEL]), false},
    {"pattern", "", AT(filtered[FILTERED_PATTERN]), false},
    {"sample", "", AT(filtered[FILTERED_SAMPLE]), false},
    {"held", "", AT(filtered[FILTERED_HELD]), true},
    {"platformDropped\":{\"records", "PlatformDropped", AT(platform_dropped_records), false},
    {"bytes", "", AT(platform_dropped_bytes), true},
    {"bytes", "BytesDelivered", AT(bytes), false},
    {"records", "Records", AT(records), false},
    {"payloadBytes", "PayloadBytes", AT(payload_bytes), false},
    {"units", "Units", AT(units), false},
    {"requests", "Requests", AT(requests), false},
    {"connections", "Connections", AT(connections), false},
    {"handshakes", "Handshakes", AT(handshakes), false},
    {"breakerOpenings", "BreakerOpenings", AT(breaker_openings), false},
};

#define COUNTERS (sizeof counters / sizeof *counters)

static uint64_t
count(const struct ledger *l, const struct counter *c)
{
    if (c->at >= SUM)
        return c->at == SUM ? ledger_dropped(l) : ledger_filtered(l);
    return *(const uint64_t *)(const void *)((const char *)l + c->at);
}

static void
member(struct out *o, const char *name, uint64_t number)
{
    out_byte(o, '"');
    out_put(o, span_of(name));
    out_put(o, SPAN("\":"));
    out_number(o, number);
}

int
ledger_write(struct out *o, const struct ledger *l)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        if (i > 0)
            out_byte(o, ',');
        member(o, counters[i].name, count(l, &counters[i]));
        if (counters[i].closes)
            out_byte(o, '}');
    }
    return out_end(o);
}

static void
text_member(struct out *o, const char *name, struct span text)
{
    if (text.len > 64)
        text.len = 64;
    out_put(o, SPAN(",\""));
    out_put(o, span_of(name));
    out_put(o, SPAN("\":\""));
    out_json(o, text);
    out_byte(o, '"');
}

static void
definition(struct out *o, const char *metric, const char *unit)
{
    out_put(o, SPAN("{\"Name\":\""));
    out_put(o, span_of(metric));
    out_put(o, SPAN("\",\"Unit\":\""));
    out_put(o, span_of(unit));
    out_put(o, SPAN("\"}"));
}

int
ledger_write_metrics(struct out *o, const struct ledger *now, const struct ledger *before,
                     const struct ledger_source *about)
{
    out_put(o, SPAN("{\"_aws\":{\"Timestamp\":"));
    out_number(o, about->time_ms);
    out_put(o, SPAN(",\"CloudWatchMetrics\":[{\"Namespace\":\"KinesisTelemetryExtension\","
                    "\"Dimensions\":[[\"FunctionName\"]],\"Metrics\":["));
    for (const struct counter *c = counters; c < counters + COUNTERS; c++) {
        if (c->metric[0] == '\0')
            continue;
        definition(o, c->metric,
                   c->at == AT(bytes) || c->at == AT(payload_bytes) ? "Bytes" : "Count");
        out_byte(o, ',');
    }
    definition(o, "Queued", "Count");
    out_put(o, SPAN("]}]}"));
    text_member(o, "FunctionName",
                about->function_name.len > 0 ? about->function_name : SPAN("unknown"));
    text_member(o, "functionVersion", about->function_version);
    text_member(o, "sandbox", about->sandbox);
    text_member(o, "logger", about->logger);
    for (const struct counter *c = counters; c < counters + COUNTERS; c++) {
        if (c->metric[0] == '\0')
            continue;
        out_byte(o, ',');
        member(o, c->metric, count(now, c) - count(before, c));
    }
    out_byte(o, ',');
    member(o, "Queued", about->queued);
    out_byte(o, '}');
    return out_end(o);
}
