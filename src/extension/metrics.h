#ifndef METRICS_H
#define METRICS_H
/*
 * Publishes the ledger as metrics: at most once a minute, and at the end, a line on standard output in
 * CloudWatch's embedded metric format tells what was counted since the line before (protocol/ledger).
 */
#include "extension/telemetry_dispatcher.h"

struct metrics {
    const struct settings *settings;

    /* private */
    uint64_t published_wall_ms;
    struct ledger published; /* what has been told so far */
};

/* Now. Does nothing unless TELEMETRY_METRICS asks for it; the dispatcher may be NULL then. */
void metrics_publish(struct metrics *m, struct telemetry_dispatcher *d, struct moment now);

/* The same if a minute has gone by since the last time, by the wall clock: frozen ones count. */
void metrics_publish_if_due(struct metrics *m, struct telemetry_dispatcher *d, struct moment now);

#endif
