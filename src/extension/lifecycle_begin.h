#ifndef LIFECYCLE_BEGIN_H
#define LIFECYCLE_BEGIN_H
/*
 * The begin of a life: from the registration to the first `next`, and with SnapStart to the copy that a sandbox is.
 * A part of lifecycle.h, and private to it.
 */
#include "extension/lifecycle.h"

/* Of extensions_api. */
void lifecycle_registered(void *context);

/* Continues once both are done, in either order: the platform may answer before the storage is allocated. */
void lifecycle_registered_and_prepared(struct lifecycle *life);

/* Of telemetry_api: the subscription has been answered. Asks for the first event, or begins to wait for that. */
void lifecycle_ready(void *context);

/* While init_ms is set: whether the wait is over. */
void lifecycle_check_init(struct lifecycle *life);

/*
 * Of telemetry_router: this is a copy of a snapshot. The platform says so by platform.restoreStart, which may be late
 * or lost; without it the first invocation does.
 */
void lifecycle_restored(void *context);

/* When telemetry last came, or its silence began to matter; monotonic clock. */
uint64_t lifecycle_heard_ms(const struct lifecycle *life);

/* Whether telemetry is to be expected. */
bool lifecycle_subscribed(const struct lifecycle *life);

#endif
