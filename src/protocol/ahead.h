#ifndef AHEAD_H
#define AHEAD_H
/*
 * Whether to open a connection before there is anything to send: for a function that logs, so that the
 * connection is ready when it is needed; not for a silent one, where each invocation would open it for
 * nothing.
 */
#include "protocol/span.h"

/* Starts as all zeros. */
struct ahead {
    uint64_t received; /* as of the last call */
    unsigned silent;   /* calls in a row, up to now, between which nothing was received */
};

/*
 * To be called when the sandbox is ready and when each invocation begins.
 *
 * received  events of the sandbox so far.
 * queued    there is something to send.
 *
 * Returns true unless the last two invocations had nothing.
 */
bool ahead_connect(struct ahead *a, uint64_t received, bool queued);

#endif
