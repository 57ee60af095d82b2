#ifndef TELEMETRY_ROUTER_H
#define TELEMETRY_ROUTER_H
/*
 * Routes the events that the listener receives: to the dispatcher, those of a type that is to be forwarded, that we
 * have not written ourselves (protocol/own_line, own_lines) and that are wanted (protocol/selection), without what is
 * not to be seen (protocol/redact); to protocol/hold, what events of the platform say about invocations. The life cycle
 * sees none of them, it only learns that something may have changed.
 *
 * Also measures how long senders wait for a full queue, which hold limits.
 */
#include "extension/telemetry_dispatcher.h"
#include "extension/telemetry_listener.h"
#include "protocol/hold.h"
#include "protocol/redact.h"
#include "protocol/selection.h"

struct telemetry_router {
    /* set by the owner */
    const struct settings *settings;
    struct loop *loop;
    struct hold *hold;
    struct telemetry_dispatcher *dispatcher;
    /* This sandbox is a copy made from a snapshot. Called before the first of its own events is forwarded. */
    void (*restored)(void *context);
    /* A POST has been read to its end, or is broken off for good. */
    void (*posted)(void *context);
    /* Events of the platform may have been lost. May be called while a POST is being read. */
    void (*disturbed)(void *context);
    void *context;

    struct selection selection; /* these two are initialised by the owner */
    struct redact redact;

    bool platform_heard; /* an event of the platform has arrived: we are subscribed */
    bool init_done;      /* the runtime is initialised */

    /* private */
    struct telemetry_listener *listener;
};

/* Sets the listener's callbacks, context and ledger. To be called before telemetry_listener_init. */
void telemetry_router_serve(struct telemetry_router *r, struct telemetry_listener *listener);

/*
 * Forwards the lines that were held and are due, as far as there is room. To be called when there may be room again,
 * before the listener goes on. Returns 0, or ERR_FULL: some are left.
 */
int telemetry_router_let_go(struct telemetry_router *r);

/*
 * The sandbox ends, or may be copied: nothing more is heard of the invocations whose lines are held. Returns whether
 * there are such lines; they are due.
 */
bool telemetry_router_last(struct telemetry_router *r);

/* When telemetry last arrived, by the monotonic clock; now, as long as it waits because we do not read it. */
uint64_t telemetry_router_heard_ms(const struct telemetry_router *r);

#endif
