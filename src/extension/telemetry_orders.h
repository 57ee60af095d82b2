#ifndef TELEMETRY_ORDERS_H
#define TELEMETRY_ORDERS_H
/*
 * Carries out what protocol/delivery orders, and reports the results. The inner half of
 * telemetry_dispatcher.h, and private to it.
 */
#include "extension/telemetry_dispatcher.h"

/* Connects the dispatcher's parts with each other, before they are initialised. */
void telemetry_orders_join(struct telemetry_dispatcher *d);

/*
 * Carries out what is due and sets the timer for the rest. May be called from anywhere: during a drive, what
 * was reported is handled by the drive under way.
 */
void telemetry_orders_drive(struct telemetry_dispatcher *d);

/* Abandons the calls that are under way. */
void telemetry_orders_stop(struct telemetry_dispatcher *d);

#endif
