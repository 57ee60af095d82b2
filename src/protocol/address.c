#include "protocol/address.h"

#include <arpa/inet.h>
#include <string.h>

/* see address.h */

int
address_read(struct span text, struct address *a)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof copy || memchr(text.p, '\0', text.len) != NULL)
        return ERR_BAD;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, a->bytes) == 1)
        a->len = ADDRESS_V4_BYTES;
    else if (inet_pton(AF_INET6, copy, a->bytes) == 1)
        a->len = ADDRESS_V6_BYTES;
    else
        return ERR_BAD;
    return 0;
}

void
addresses_add(struct addresses *list, const struct address *a)
{
    if (a->len == ADDRESS_V4_BYTES && list->v4_len < ADDRESSES_MAX)
        memcpy(list->v4[list->v4_len++], a->bytes, ADDRESS_V4_BYTES);
    else if (a->len == ADDRESS_V6_BYTES && list->v6_len < ADDRESSES_MAX)
        memcpy(list->v6[list->v6_len++], a->bytes, ADDRESS_V6_BYTES);
}
