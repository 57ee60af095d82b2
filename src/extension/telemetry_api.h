#ifndef TELEMETRY_API_H
#define TELEMETRY_API_H
/*
 * The Telemetry API (2022-07-01): subscribes once, with the newest schema that the platform takes.
 *
 * Whatever it answers, the extension goes on: without telemetry, if it must be so. A refused
 * subscription is logged once and tried with the older schema; a failed call is made again a few
 * times, quickly, since the first `next` waits for it: for a second at most in all. Telemetry that comes
 * although the reply did not is taken all the same.
 */
#include "extension/api_call.h"
#include "protocol/settings.h"

struct telemetry_api {
    struct api_call call;
    const struct settings *settings;
    bool subscribed; /* telemetry will come */
    void (*done)(void *context);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer again, limit;
    uint16_t port;
    struct span path;
    bool older_schema;
    unsigned tries;
    char body[512];
};

/* settings, callback and context are set by the caller. */
void telemetry_api_init(struct telemetry_api *api, struct api_peer *peer, struct loop *loop);

/* port, path: of the listener, which must listen by now. */
void telemetry_api_subscribe(struct telemetry_api *api, uint16_t port, struct span path);

/* A call that failed is not made again; one that is under way is not waited for. */
void telemetry_api_stop(struct telemetry_api *api);

#endif
