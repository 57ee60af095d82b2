#ifndef METRICS_H
#define METRICS_H
/*
 * Publishes the ledger as metrics: once a minute at most, and at the end, a line on standard output in
 * CloudWatch's embedded metric format with everything counted since the previous line (protocol/ledger).
 */
#include "extension/telemetry_dispatcher.h"

struct metrics {
    const struct settings *settings;

    /* private */
    uint64_t published_wall_ms;
    struct ledger published; /* as of the last line */
};

/* Publishes now, if TELEMETRY_METRICS asks for metrics and there is a dispatcher (it may be NULL). */
void metrics_publish(struct metrics *m, struct telemetry_dispatcher *d, struct moment now);

/* The ledger as a line of the log. */
void metrics_tell(const char *message, const struct ledger *ledger);

/* Before a snapshot (SnapStart) and the ledger's new beginning: publishes, tells the ledger, and begins anew too. */
void metrics_snapshot(struct metrics *m, struct telemetry_dispatcher *d, struct moment now);

/* The same if a minute has passed since the last time, by the wall clock: time spent frozen counts. */
void metrics_publish_if_due(struct metrics *m, struct telemetry_dispatcher *d, struct moment now);

#endif
