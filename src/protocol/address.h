#ifndef ADDRESS_H
#define ADDRESS_H
/*
 * Addresses of a host, of both kinds.
 */
#include "protocol/out.h"

enum { ADDRESS_V4_BYTES = 4, ADDRESS_V6_BYTES = 16 };

struct address {
    uint8_t bytes[ADDRESS_V6_BYTES]; /* network order */
    uint8_t len;                     /* ADDRESS_V4_BYTES or ADDRESS_V6_BYTES */
};

#define ADDRESSES_MAX 8 /* of each kind */

/* In the order in which they were found. */
struct addresses {
    unsigned v4_len, v6_len;
    uint8_t v4[ADDRESSES_MAX][ADDRESS_V4_BYTES];
    uint8_t v6[ADDRESSES_MAX][ADDRESS_V6_BYTES];
};

/* Reads an address in its text form, without a scope. Returns 0, or ERR_BAD. */
int address_read(struct span text, struct address *a);

/* Writes an address in its text form: of IPv6 all eight groups, in brackets. */
void address_write(struct out *o, const struct address *a);

/* Appends an address; one for which there is no room is left out. */
void addresses_add(struct addresses *list, const struct address *a);

#endif
