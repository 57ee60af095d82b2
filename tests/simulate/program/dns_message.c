#include "dns_message.h"

/* see dns_message.h */

enum { INTERNET = 1 };

unsigned
dns_number(const unsigned char *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

static void
put_number(struct dns_message *m, unsigned n)
{
    if (m->len + 2 > sizeof m->bytes)
        world_break("names: no room for a reply");
    m->bytes[m->len++] = (unsigned char)(n >> 8);
    m->bytes[m->len++] = (unsigned char)n;
}

void
dns_put(struct dns_message *m, const void *p, size_t len)
{
    if (m->len + len > sizeof m->bytes)
        world_break("names: no room for a reply");
    memcpy(m->bytes + m->len, p, len);
    m->len += len;
}

/* Reads a query; what is none breaks a law. */
void
dns_read(struct span bytes, struct dns_question *q)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t i = DNS_HEADER, len = 0;

    if (bytes.len < DNS_HEADER + 5 || bytes.len > DNS_MAX || (dns_number(p + 2) & 0xfe8f) != 0 ||
        (p[2] & 1) == 0 || dns_number(p + 4) != 1 || dns_number(p + 6) != 0 ||
        dns_number(p + 8) != 0)
        world_break("names: no query");
    q->id = (uint16_t)dns_number(p);
    while (i < bytes.len && p[i] != 0) {
        size_t label = p[i];

        if (label > 63 || i + 1 + label >= bytes.len || len + label + 2 > sizeof q->name)
            world_break("names: no name in a query");
        if (len > 0)
            q->name[len++] = '.';
        memcpy(q->name + len, p + i + 1, label);
        len += label;
        i += label + 1;
    }
    q->name[len] = '\0';
    if (i + 5 > bytes.len || dns_number(p + i + 3) != INTERNET)
        world_break("names: no question in a query");
    q->type = (uint16_t)dns_number(p + i + 1);
    q->end = i + 5;
    if (q->type != DNS_A && q->type != DNS_AAAA)
        world_break("names: a question for a record of type %u", q->type);
}

/* The head and the question of a reply. */
void
dns_begin(struct dns_message *m, struct span query, const struct dns_question *q,
          enum dns_code code)
{
    m->len = 0;
    put_number(m, q->id);
    put_number(m, 0x8180u | (unsigned)code);
    put_number(m, 1);
    put_number(m, 0);
    put_number(m, 0);
    put_number(m, 0);
    dns_put(m, query.p + DNS_HEADER, q->end - DNS_HEADER);
}

static void
count_answer(struct dns_message *m)
{
    m->bytes[7]++;
}

/* A record of the name that the pointer is to; its data follows. */
void
dns_put_record(struct dns_message *m, unsigned pointer, unsigned type, size_t len)
{
    put_number(m, 0xc000u | pointer);
    put_number(m, type);
    put_number(m, INTERNET);
    put_number(m, 0);
    put_number(m, 60);
    put_number(m, (unsigned)len);
    count_answer(m);
}

void
dns_put_address(struct dns_message *m, unsigned pointer, struct system_address a)
{
    dns_put_record(m, pointer, a.address.len == ADDRESS_V4_BYTES ? DNS_A : DNS_AAAA, a.address.len);
    dns_put(m, a.address.bytes, a.address.len);
}
