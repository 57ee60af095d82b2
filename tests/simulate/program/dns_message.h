#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H
/*
 * Messages of name servers as the wire has them. Source: RFC 1035, section 4.
 */
#include "services.h"

enum { DNS_HEADER = 12, DNS_MAX = 512 };
enum { DNS_A = 1, DNS_CNAME = 5, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_code {
    DNS_NO_ERROR,
    DNS_FORMAT_ERROR,
    DNS_SERVER_FAILURE,
    DNS_NAME_ERROR,
    DNS_NOT_IMPLEMENTED,
    DNS_REFUSED
};

struct dns_message {
    unsigned char bytes[DNS_MAX];
    size_t len;
};

struct dns_question {
    uint16_t id, type;
    char name[256];
    size_t end; /* of the question section */
};

/* A number of two bytes. */
unsigned dns_number(const unsigned char *p);

/* Reads a query; what is none breaks a law. */
void dns_read(struct span bytes, struct dns_question *q);

/* The head and the question of a reply. */
void dns_begin(struct dns_message *m, struct span query, const struct dns_question *q,
               enum dns_code code);

void dns_put(struct dns_message *m, const void *p, size_t len);

/* A record of the name that the pointer is to; its data, of len bytes, follows. */
void dns_put_record(struct dns_message *m, unsigned pointer, unsigned type, size_t len);

void dns_put_address(struct dns_message *m, unsigned pointer, struct system_address a);

#endif
