#ifndef DNS_H
#define DNS_H
/*
 * Questions to a name server and its replies, as messages.
 * Source: RFC 1035, section 4; RFC 3596 for AAAA.
 */
#include "protocol/address.h"
#include "protocol/out.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

struct dns_question {
    struct span name; /* with or without a dot at its end */
    enum dns_type type;
    uint16_t id; /* random: whoever cannot see the query cannot answer it */
};

/* The longest query: its head, a name of 255 bytes, type and class. */
#define DNS_QUERY_MAX (12 + 255 + 4)

/* What a message means to whoever asked. */
enum dns_reply {
    DNS_FOREIGN,    /* not a reply to this question: to be ignored */
    DNS_FOUND,      /* has addresses */
    DNS_NO_ADDRESS, /* the name is known, and has none of this type */
    DNS_NO_NAME,    /* the name does not exist */
    DNS_CUT,        /* the reply was too long: ask again over TCP */
    DNS_FAILED      /* the server does not know, refuses, or sent nonsense */
};

/*
 * Writes a query, recursion desired.
 * Returns 0; ERR_BAD if the name is not valid; ERR_FULL.
 */
int dns_query(struct out *o, const struct dns_question *question);

/*
 * Reads what may be the reply to a question; appends the addresses that are in it.
 *
 * All records of the question's type count, whatever their name: the answer of a recursive server
 * consists of the chain of CNAMEs and the records at its end, in any order.
 *
 * A message may be incomplete, as its TC bit says or because it was not received whole: addresses in the part
 * that is there are used, and nothing needs to be asked again.
 */
enum dns_reply dns_read(struct span message, const struct dns_question *question,
                        struct addresses *found);

#endif
