#include "io/storage.h"

#include "io/system.h"
#include "protocol/check.h"

/* see storage.h */

int
storage_open(struct storage *s, size_t bytes)
{
    void *p = system_memory(bytes);

    if (p == NULL)
        return ERR_IO;
    *s = (struct storage){.p = p, .cap = bytes};
    return 0;
}

void *
storage_take(struct storage *s, size_t n)
{
    void *p;

    CHECK(s->len <= s->cap);
    n = (n + 15) & ~(size_t)15;
    if (n > s->cap - s->len)
        return NULL;
    p = s->p + s->len;
    s->len += n;
    return p;
}
