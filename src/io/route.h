#ifndef ROUTE_H
#define ROUTE_H
/*
 * Which addresses of a host can be reached, as far as the system knows. Nothing is sent to find out.
 */
#include "io/system.h"

#define ROUTE_ADDRESSES_MAX 8

/*
 * Writes at most ROUTE_ADDRESSES_MAX of the addresses, with this port, in the order in which they are to be
 * tried: first those that the system has a route to, and IPv6 before IPv4. Each kind has half of the room
 * if both need it. Returns how many. Source: RFC 6724, section 6, rules 1 and 6.
 */
unsigned route_order(const struct addresses *found, uint16_t port, struct system_address *to);

/* Whether the system has a route to any of them. Only the first of each kind is tested. */
bool route_found(const struct addresses *found, uint16_t port);

#endif
