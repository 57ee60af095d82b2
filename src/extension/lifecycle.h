#ifndef LIFECYCLE_H
#define LIFECYCLE_H
/*
 * The course of a sandbox's life, from register to the ledger at its end.
 *
 *   register -> listen -> subscribe -> next -> (INVOKE -> hold -> next)* -> SHUTDOWN -> exit
 *
 * Joins the actors: telemetry from the listener goes to the dispatcher; events of the Extensions
 * API and of the platform decide when the dispatcher is to flush and when `next` is due.
 */
#include "extension/extensions_api.h"
#include "extension/telemetry_api.h"
#include "extension/telemetry_dispatcher.h"
#include "extension/telemetry_listener.h"
#include "io/storage.h"
#include "protocol/invocations.h"

struct lifecycle {
    const struct settings *settings;
    struct loop *loop;
    struct api_peer peer;
    struct extensions_api extensions;
    struct telemetry_api telemetry;
    struct telemetry_listener *listener;
    struct telemetry_dispatcher *dispatcher; /* NULL: no memory or port, nothing is delivered */

    /* private */
    bool registered, prepared;
    struct loop_timer timer;
    enum { LIFE_STARTING, LIFE_WAITING, LIFE_HOLDING, LIFE_ENDING, LIFE_ENDED } state;
    struct invocations invocations;
    bool restored; /* SnapStart: what must differ between copies has been made anew */
    uint64_t metrics_wall_ms;
    struct ledger published; /* what the metrics have told so far */
    uint64_t deadline_ms;    /* of the invocation, or of the end; monotonic clock */
    uint64_t quiet_from_ms;  /* telemetry is silent since then, or since it last came */
    uint64_t stalled_ms;     /* since when the listener waits for room; 0: it does not */
    uint32_t patience_ms;    /* so long it may still wait while this invocation is held */
    char buffers[2][CONNECTION_BUFFER];
    char head[HTTP_CLIENT_HEAD_BYTES];
};

/*
 * Sends the registration, before anything else that takes time.
 *
 * name  file name under which the extension was started.
 *
 * Returns 0, or ERR_BAD when settings->runtime_api names no host and port.
 */
int lifecycle_register(struct lifecycle *life, struct loop *loop, const struct settings *settings,
                       struct span name);

/*
 * Takes all memory that the settings ask for and readies the rest. What fails is logged, and the
 * life goes on without delivery.
 */
void lifecycle_prepare(struct lifecycle *life);

/* A signal asks to end: as SHUTDOWN, with a short deadline. */
void lifecycle_terminate(struct lifecycle *life);

#endif
