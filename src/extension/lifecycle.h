#ifndef LIFECYCLE_H
#define LIFECYCLE_H
/*
 * The course of a sandbox's life, from register to the ledger at its end.
 *
 *   register -> listen -> subscribe -> next -> (INVOKE -> hold -> next)* -> SHUTDOWN -> exit
 *
 * Says when each step is taken, and no more: which telemetry goes where is telemetry_router's business,
 * how long an invocation is held protocol/hold's, what is sent when the dispatcher's.
 */
#include "extension/extensions_api.h"
#include "extension/metrics.h"
#include "extension/telemetry_api.h"
#include "extension/telemetry_router.h"

struct lifecycle {
    const struct settings *settings;
    struct loop *loop;
    struct api_peer peer;
    struct extensions_api extensions;
    struct telemetry_api telemetry;
    struct telemetry_listener *listener;
    struct telemetry_dispatcher *dispatcher; /* NULL: no memory or port, nothing is delivered */
    struct telemetry_router router;
    struct hold hold;
    struct metrics metrics;

    /* private */
    bool registered, prepared;
    struct loop_timer timer; /* of the hold, or of the end */
    enum { LIFE_RUNNING, LIFE_ENDING, LIFE_ENDED } state;
    bool restored;          /* SnapStart: what must differ between copies has been made anew */
    uint64_t deadline_ms;   /* of the end; monotonic clock */
    uint64_t quiet_from_ms; /* telemetry is silent since then, or since it last came */
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
