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
    uint16_t id; /* random: who cannot see it cannot answer */
};

/* The longest query: its head, a name of 255 bytes, type and class. */
#define DNS_QUERY_MAX (12 + 255 + 4)

/* What a message is to the one who asked. */
enum dns_reply {
    DNS_FOREIGN,    /* no reply to this question: as if it had not come */
    DNS_FOUND,      /* has addresses */
    DNS_NO_ADDRESS, /* the name is known, and has none of this type */
    DNS_NO_NAME,    /* the name does not exist */
    DNS_CUT,        /* was too long: ask again over TCP */
    DNS_FAILED      /* the server does not know, does not want to, or speaks nonsense */
};

/*
 * Writes a query, recursion desired.
 * Returns 0, ERR_BAD for what is no name, ERR_FULL.
 */
int dns_query(struct out *o, const struct dns_question *question);

/*
 * Reads what may be the reply to a question; appends the addresses that are in it.
 *
 * All records of the question's type count, whatever name they have: a server that recurses puts
 * nothing into the answer but the chain of CNAMEs and what stands at its end, in any order.
 *
 * A message may end early, by its own word (TC) or because it was not received whole: if there are
 * addresses in what is there, they are as good as any, and there is nothing to ask for again.
 */
enum dns_reply dns_read(struct span message, const struct dns_question *question,
                        struct addresses *found);

#endif
