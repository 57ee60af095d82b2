#include "io/route.h"

#include <string.h>

/* see route.h */

static struct system_address
system_address(const uint8_t *bytes, uint8_t len, uint16_t port)
{
    struct system_address a = {.address.len = len, .port = port};

    memcpy(a.address.bytes, bytes, len);
    return a;
}

static bool
routed(const struct system_address *a)
{
    int fd = system_connect(SYSTEM_DATAGRAM, a);

    if (fd >= 0)
        system_close(fd);
    return fd >= 0;
}

unsigned
route_order(const struct addresses *found, uint16_t port, struct system_address *to)
{
    enum { MAX = ROUTE_ADDRESSES_MAX, HALF = MAX / 2 };
    unsigned v6_max = MAX - (found->v4_len < HALF ? found->v4_len : HALF);
    struct system_address all[MAX];
    bool near[MAX];
    unsigned len = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < found->v6_len && len < v6_max; i++)
        all[len++] = system_address(found->v6[i], ADDRESS_V6_BYTES, port);
    for (unsigned i = 0; i < found->v4_len && len < MAX; i++)
        all[len++] = system_address(found->v4[i], ADDRESS_V4_BYTES, port);
    for (unsigned i = 0; i < len; i++)
        near[i] = routed(&all[i]);
    for (int pass = 1; pass >= 0; pass--)
        for (unsigned i = 0; i < len; i++)
            if (near[i] == pass)
                to[n++] = all[i];
    return n;
}

bool
route_found(const struct addresses *found, uint16_t port)
{
    struct system_address v4 = system_address(found->v4[0], ADDRESS_V4_BYTES, port);
    struct system_address v6 = system_address(found->v6[0], ADDRESS_V6_BYTES, port);

    return (found->v4_len > 0 && routed(&v4)) || (found->v6_len > 0 && routed(&v6));
}
