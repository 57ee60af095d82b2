#ifndef TELEMETRY_API_H
#define TELEMETRY_API_H
/*
 * The Telemetry API (2022-07-01): subscribes once, with the newest schema that the platform accepts.
 *
 * Whatever the answer, the extension continues, without telemetry if necessary. A refused subscription is
 * logged and repeated with the older schema. A failed call is repeated a few times in quick
 * succession, within one second in total, because the first `next` waits for the outcome. Telemetry that
 * arrives although no reply did is accepted all the same.
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

/* port, path: those of the listener, which must be listening already. */
void telemetry_api_subscribe(struct telemetry_api *api, uint16_t port, struct span path);

/* Failed calls are no longer repeated, and there is no time-out for one under way. */
void telemetry_api_stop(struct telemetry_api *api);

#endif
