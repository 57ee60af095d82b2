#ifndef LIFECYCLE_H
#define LIFECYCLE_H
/*
 * The life cycle of a sandbox, from register to the final ledger.
 *
 *   register -> listen -> subscribe -> next -> (INVOKE -> hold -> next)* -> SHUTDOWN -> exit
 *
 * With SnapStart a snapshot is taken after the first `next`, and restored as often as there are sandboxes: before it
 * what init logs is delivered, and nothing of it is left open; after it nothing goes out until a copy knows what it is.
 *
 * Decides when each step is taken, and nothing else: telemetry_router routes the telemetry, protocol/hold
 * decides how long an invocation is held, and the dispatcher decides what is sent when.
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
    struct telemetry_dispatcher *dispatcher; /* NULL: no memory or no port, nothing is delivered */
    struct telemetry_router router;
    struct hold hold;
    struct metrics metrics;

    /* private */
    bool registered, prepared;
    struct loop_timer timer; /* of the hold, or of the end */
    enum { LIFE_RUNNING, LIFE_ENDING, LIFE_ENDED } state;
    uint64_t init_ms; /* SnapStart: since when what init logs is awaited; 0: it is not */
    bool asleep;      /* SnapStart: `next` was asked for, and this is not known to be a copy yet */
    unsigned thaws;   /* the loop's, when it fell asleep */
    uint64_t deadline_ms;   /* of the end; monotonic clock */
    uint64_t quiet_from_ms; /* silence of telemetry counts from here on */
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

/* A signal asks us to end: like SHUTDOWN with a short deadline. */
void lifecycle_terminate(struct lifecycle *life);

#endif
