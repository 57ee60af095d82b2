#include "io/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "protocol/span.h"

/* see entropy.h */

int
entropy_fill(void *buffer, size_t len)
{
    ssize_t n;

    /* up to 256 bytes come whole */
    do
        n = getrandom(buffer, len, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len ? 0 : ERR_IO;
}

uint32_t
entropy_dice(void)
{
    uint32_t n = 0;

    (void)entropy_fill(&n, sizeof n);
    return n;
}
