#include "io/socket.h"

#include "protocol/check.h"

/* see socket.h */

int
socket_connect(struct loop *loop, struct loop_watch *watch, enum system_socket kind,
               const struct system_address *to, uint32_t events)
{
    int fd = system_connect(kind, to);

    CHECK(!watch->added);
    if (fd < 0)
        return ERR_IO;
    if (loop_watch(loop, watch, fd, events) == 0)
        return 0;
    system_close(fd);
    return ERR_IO;
}
