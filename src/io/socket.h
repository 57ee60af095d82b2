#ifndef SOCKET_H
#define SOCKET_H
/*
 * Outgoing sockets in the loop; loop_close ends them.
 */
#include "io/loop.h"

/* Connects and watches a new socket for these events. Returns 0, or ERR_IO as system_connect. */
int socket_connect(struct loop *loop, struct loop_watch *watch, enum system_socket kind,
                   const struct system_address *to, uint32_t events);

#endif
