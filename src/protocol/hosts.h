#ifndef HOSTS_H
#define HOSTS_H
/*
 * Host names that need no name server.
 */
#include "protocol/address.h"

/*
 * Looks a name up in a line of /etc/hosts: an address, then names, then perhaps a comment after '#'.
 * Appends the address and returns true if the line has this name, in any case.
 */
bool hosts_line(struct span line, struct span name, struct addresses *found);

/*
 * "localhost" and all names below it are this machine, whatever other sources say.
 * Appends its addresses and returns true if the name is one of these.
 * Source: RFC 6761, section 6.3.
 */
bool hosts_local(struct span name, struct addresses *found);

#endif
