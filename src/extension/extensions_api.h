#ifndef EXTENSIONS_API_H
#define EXTENSIONS_API_H
/*
 * The Extensions API (2020-01-01): registers, then asks for one event after another.
 *
 * No answer of the platform ends the extension. A failed call is repeated at growing intervals of up to
 * 5 seconds; a failure is logged when it differs from the previous one. Of each event as much as can be read is
 * used, up to 1 MiB. An event that cannot be read, or is of a type that was not asked for, is skipped: the
 * next one is requested at once, because otherwise the invocation would wait for us, or 100 ms later
 * if there were ten such events within 100 ms.
 */
#include "extension/api_call.h"
#include "protocol/lambda_messages.h"

struct extensions_api {
    struct api_call call;
    struct span name;   /* Lambda-Extension-Name: the file name under which we were started */
    bool shutdown_only; /* Managed Instances: INVOKE is not offered */
    struct lambda_registered registered_as;
    void (*registered)(void *context);
    void (*event)(void *context, const struct lambda_event *event);
    void *context;

    /* private */
    struct loop *loop;
    struct loop_timer again;
    bool is_registered;
    unsigned failures;
    unsigned unreadable;    /* events skipped */
    uint64_t unreadable_ms; /* since this moment */
    unsigned logged_status;
    int logged_result;
};

/* name, shutdown_only, callbacks and context are set by the caller. */
void extensions_api_init(struct extensions_api *api, struct api_peer *peer, struct loop *loop);

void extensions_api_register(struct extensions_api *api);

/* Asks for the next event, by which the platform knows that everything before it is finished. */
void extensions_api_next(struct extensions_api *api);

/* Failed calls are no longer repeated. */
void extensions_api_stop(struct extensions_api *api);

#endif
