#ifndef DELIVERY_PARTS_H
#define DELIVERY_PARTS_H
/*
 * What the files that make up delivery.h have in common, and nobody else needs.
 */
#include "protocol/delivery.h"

/*
 * A batch that brought no reply in time is halved, since a slow service is slower with more records; each
 * success lets the next one grow a little. The breaker's probe is as small.
 */
enum { LEAST_BATCH = 25, BATCH_GROWTH = 25 };

/* While the queue is full, so often is looked whether time really passes: it does not in a freeze. */
enum { DELIVERY_TICK_MS = 500 };

/* A random number for jitter. */
uint32_t delivery_dice(struct delivery *d);

/* The time that is left for what may do better next time; UINT32_MAX: nobody waits, or it is in vain. */
uint32_t delivery_left_ms(const struct delivery *d, struct moment now);

/* The wait before the next try, of the last call's class, after so many failures. */
uint32_t delivery_wait_ms(struct delivery *d, struct moment now, unsigned failures,
                          uint32_t hint_ms);

/* One failure more, of whatever. */
void delivery_breaker_failed(struct delivery *d, struct moment now, enum breaker_failure failure);

/* Whether the next call is paid for: it follows a failure, and is neither the breaker's probe nor a last one. */
bool delivery_is_paid(const struct delivery *d);

/* Nobody is to wait for a call that cannot be paid for: the breaker opens at once. After each failure. */
void delivery_check_quota(struct delivery *d, struct moment now);

/*
 * The open record goes into the queue, if need be at the price of the oldest one. Returns whether it has; it is
 * tried again before the next order.
 */
bool delivery_close(struct delivery *d);

/* What comes from now on is not for the record that is open. */
void delivery_seal(struct delivery *d);

/* Takes off the patience with a full queue what time has passed. */
void delivery_count_patience(struct delivery *d, struct moment now);

/* Records have left the queue. */
void delivery_room_came(struct delivery *d);

#endif
