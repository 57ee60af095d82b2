#ifndef GENERATOR_H
#define GENERATOR_H
/*
 * Posts telemetry to a listener over one kept-alive connection, as the platform does: a POST only
 * when the one before it has been answered.
 */
#include <stdbool.h>

#include "load.h"
#include "net.h"

struct generator {
    struct load *load;
    uint16_t port;
    const char *path;

    /* private */
    int fd;
    struct http_in in;
};

/* Connects. */
void generator_init(struct generator *g, struct load *load, uint16_t port, const char *path);
void generator_free(struct generator *g);

/*
 * All that the platform tells of one invocation: platform.start, the function's events number first
 * to first + len - 1, platform.runtimeDone. Returns when all is answered.
 *
 * Returns when the POST with runtimeDone, which is the last, began to be written.
 */
int64_t generator_invocation(struct generator *g, uint64_t request, size_t first, size_t len);

#endif
