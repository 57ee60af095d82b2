#ifndef EXTENSIONS_API_H
#define EXTENSIONS_API_H
/*
 * The Extensions API (2020-01-01): registers, then asks for one event after the other.
 *
 * No answer of the platform ends the extension. A call that fails is made again, at growing
 * intervals up to 5 seconds; each different failure is logged once. Of an event as much is used as
 * can be read, up to 1 MiB of it. One that cannot be read, or is of a kind that we did not ask for,
 * is passed over: the next one is asked for at once, since the invocation would wait for us
 * otherwise; when ten of them came within 100 ms, 100 ms later.
 */
#include "extension/api_call.h"
#include "protocol/lambda_messages.h"

struct extensions_api {
    struct api_call call;
    struct span name;   /* Lambda-Extension-Name: the file name under which we were started */
    bool shutdown_only; /* Managed Instances: INVOKE cannot be had */
    struct lambda_registered registered_as;
    void (*registered)(void *context);
    void (*event)(void *context, const struct lambda_event *event);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer again;
    bool is_registered;
    unsigned failures;
    unsigned unreadable;    /* events passed over */
    uint64_t unreadable_ms; /* since then */
    unsigned logged_status;
    int logged_result;
};

/* name, shutdown_only, callbacks and context are set by the caller. */
void extensions_api_init(struct extensions_api *api, struct api_peer *peer, struct loop *loop);

void extensions_api_register(struct extensions_api *api);

/* Asks for the next event, which says that everything before is done with. */
void extensions_api_next(struct extensions_api *api);

/* A call that failed is not made again. */
void extensions_api_stop(struct extensions_api *api);

#endif
