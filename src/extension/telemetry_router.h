#ifndef TELEMETRY_ROUTER_H
#define TELEMETRY_ROUTER_H
/*
 * Where each event goes that the listener receives: to the dispatcher, if it is of a type that is to be
 * forwarded and was not written by ourselves (protocol/own_line, own_lines); and what an event of the
 * platform tells of invocations, to protocol/hold. The life cycle sees none of them: it hears only that
 * something may have changed.
 *
 * While the queue is full, what the sender waits is taken off what it may have to wait while an invocation
 * is held.
 */
#include "extension/telemetry_dispatcher.h"
#include "extension/telemetry_listener.h"
#include "protocol/hold.h"

struct telemetry_router {
    /* set by the owner */
    const struct settings *settings;
    struct loop *loop;
    struct hold *hold;
    struct telemetry_dispatcher *dispatcher;
    /* This sandbox was made from a snapshot. Called before the first event of its own is forwarded. */
    void (*restored)(void *context);
    /* A POST has been read to its end. */
    void (*posted)(void *context);
    /* Events of the platform may have been lost. Called in the midst of a POST, too. */
    void (*disturbed)(void *context);
    void *context;

    bool
        platform_heard; /* an event of the platform has come, whatever the subscription was answered */

    /* private */
    struct telemetry_listener *listener;
};

/* The listener's callbacks, context and ledger; to be called before its init. */
void telemetry_router_serve(struct telemetry_router *r, struct telemetry_listener *listener);

/* When telemetry last came, by the monotonic clock; while it waits because we do not read it: now. */
uint64_t telemetry_router_heard_ms(const struct telemetry_router *r);

#endif
