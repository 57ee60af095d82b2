#ifndef RUNTIME_API_H
#define RUNTIME_API_H
/*
 * The platform's side of the Extensions API and of the subscription to telemetry, for one extension.
 * A call to next is answered when an event is due, and not before.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct runtime_api {
    uint16_t port;

    /* private: under the lock */
    int listener;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t register_ns, subscribe_ns; /* when the request had arrived; 0: it has not yet */
    int64_t first_next_ns, next_ns;    /* of the first and of the latest next */
    unsigned nexts;                    /* calls of next */
    int64_t answered_ns;               /* just before the latest event was sent */
    char event[512];                   /* that is due; empty: none */
    uint16_t telemetry_port;           /* 0: no subscription */
    char telemetry_path[128];
    bool strings; /* schema 2022-07-01: the record of a function's event is a string */
};

void runtime_api_start(struct runtime_api *api);

/* Until next has been called that often, for that time at most. Whether it has. */
bool runtime_api_await_next(struct runtime_api *api, unsigned nexts, unsigned ms);

/* The answer to the call of next that waits, or to the one to come. */
void runtime_api_send(struct runtime_api *api, const char *event);

#endif
