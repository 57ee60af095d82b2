#include "io/storage.h"

#include <stdint.h>
#include <sys/mman.h>

#include "protocol/span.h"

/* see storage.h */

int
storage_open(struct storage *s, size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    if (p == MAP_FAILED)
        return ERR_IO;
    *s = (struct storage){.p = p, .cap = bytes};
    return 0;
}

void *
storage_take(struct storage *s, size_t n)
{
    void *p;

    n = (n + 15) & ~(size_t)15;
    if (n > s->cap - s->len)
        return NULL;
    p = s->p + s->len;
    s->len += n;
    return p;
}
