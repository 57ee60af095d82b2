#include "protocol/ahead.h"

/* see ahead.h */

/* The first interval is the one between the sandbox being ready and its first invocation. */
enum { SILENT_MAX = 2 };

COLD bool
ahead_connect(struct ahead *a, uint64_t received, bool queued)
{
    if (received != a->received)
        a->silent = 0;
    else if (a->silent <= SILENT_MAX)
        a->silent++;
    a->received = received;
    return queued || a->silent <= SILENT_MAX;
}
