#ifndef TELEMETRY_ORDERS_H
#define TELEMETRY_ORDERS_H
/*
 * Carries out what protocol/delivery orders, and reports what came of it: the inner half of
 * telemetry_dispatcher.h, for nobody else.
 */
#include "extension/telemetry_dispatcher.h"

/* Tells the dispatcher's parts of each other, before they are initialised. */
void telemetry_orders_join(struct telemetry_dispatcher *d);

/*
 * Carries out what is due and sets the timer for the rest. What is reported meanwhile is taken up by
 * the drive that is under way, so this may be called from anywhere.
 */
void telemetry_orders_drive(struct telemetry_dispatcher *d);

/* Gives up the calls that are under way. */
void telemetry_orders_stop(struct telemetry_dispatcher *d);

#endif
