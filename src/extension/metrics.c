#include "extension/metrics.h"

#include "io/log.h"

/* see metrics.h */

enum { INTERVAL_MS = 60000 };

void
metrics_publish(struct metrics *m, struct telemetry_dispatcher *d, struct moment now)
{
    char line[4096];
    struct out o = out_to(line, sizeof line);
    struct ledger_source about = {
        .time_ms = now.wall_ms,
        .function_name = m->settings->function_name,
        .function_version = m->settings->function_version,
        .logger = SPAN(LOG_LOGGER),
    };
    const struct ledger *ledger;

    if (d == NULL || m->settings->metrics != METRICS_EMF)
        return;
    m->published_wall_ms = now.wall_ms;
    telemetry_dispatcher_account(d);
    ledger = telemetry_dispatcher_ledger(d);
    about.sandbox = telemetry_dispatcher_sandbox(d);
    about.queued = telemetry_dispatcher_queued(d);
    if (ledger_write_metrics(&o, ledger, &m->published, &about) == 0)
        log_raw(out_span(&o));
    m->published = *ledger;
}

void
metrics_tell(const char *message, const struct ledger *ledger)
{
    char members[1344];
    struct out o = out_to(members, sizeof members);

    (void)ledger_write(&o, ledger);
    log_always(message, out_span(&o));
}

COLD void
metrics_snapshot(struct metrics *m, struct telemetry_dispatcher *d, struct moment now)
{
    metrics_publish(m, d, now);
    telemetry_dispatcher_account(d);
    metrics_tell("ledger of init", telemetry_dispatcher_ledger(d));
    m->published = (struct ledger){.received = 0};
    m->published_wall_ms = 0;
}

void
metrics_publish_if_due(struct metrics *m, struct telemetry_dispatcher *d, struct moment now)
{
    /* a clock that was set back does not suspend publication */
    if (now.wall_ms < m->published_wall_ms || now.wall_ms - m->published_wall_ms >= INTERVAL_MS)
        metrics_publish(m, d, now);
}
