#include "protocol/ledger.h"

/* see ledger.h */

void
ledger_drop(struct ledger *l, enum ledger_drop reason, uint64_t events)
{
    l->dropped[reason] += events;
}

uint64_t
ledger_dropped(const struct ledger *l)
{
    uint64_t n = 0;

    for (size_t i = 0; i < DROP_REASONS; i++)
        n += l->dropped[i];
    return n;
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
    static const char *const reasons[DROP_REASONS] = {"oversize", "cut", "unreadable", "refused",
                                                      "shutdown"};

    member(o, "received", l->received);
    out_byte(o, ',');
    member(o, "delivered", l->delivered);
    out_byte(o, ',');
    member(o, "retried", l->retried);
    out_put(o, SPAN(",\"dropped\":{"));
    member(o, "total", ledger_dropped(l));
    for (size_t i = 0; i < DROP_REASONS; i++) {
        out_byte(o, ',');
        member(o, reasons[i], l->dropped[i]);
    }
    out_put(o, SPAN("},\"platformDropped\":{"));
    member(o, "records", l->platform_dropped_records);
    out_byte(o, ',');
    member(o, "bytes", l->platform_dropped_bytes);
    out_put(o, SPAN("},"));
    member(o, "requests", l->requests);
    out_byte(o, ',');
    member(o, "connections", l->connections);
    return out_end(o);
}
