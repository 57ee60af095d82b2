/*
 * A message that a name server may have sent, and questions: the one that the message itself
 * repeats, and another one. The C library reads it for comparison.
 */
#include "fuzz.h"
#include "protocol/dns.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>

static unsigned
count(const struct addresses *a)
{
    return a->v4_len + a->v6_len;
}

/* The question in the message, as far as it can be written as a name; otherwise any. */
static struct dns_question
question_of(struct span in, char *name)
{
    struct dns_question q = {SPAN("kinesis.test"), DNS_A, 0};
    size_t at = 12, len = 0;

    if (in.len > 2)
        q.id = (uint16_t)((unsigned char)in.p[0] << 8 | (unsigned char)in.p[1]);
    while (at < in.len && in.p[at] > 0 && in.p[at] < 64 && at + (size_t)in.p[at] + 1 < in.len &&
           len + (size_t)in.p[at] < 254) {
        size_t label = (size_t)in.p[at++];

        if (len > 0)
            name[len++] = '.';
        memcpy(name + len, in.p + at, label);
        len += label;
        at += label;
    }
    if (len > 0)
        q.name = (struct span){name, len};
    if (at + 2 < in.len && in.p[at + 2] == DNS_AAAA)
        q.type = DNS_AAAA;
    return q;
}

/* What the C library finds: all addresses of the type, in order. False when it finds it unfit. */
static bool
read_plainly(struct span in, const struct dns_question *q, struct addresses *found)
{
    ns_msg message;
    ns_rr record;

    if (ns_initparse((const unsigned char *)in.p, (int)in.len, &message) != 0)
        return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        struct address a = {.len = q->type == DNS_A ? 4 : 16};

        if (ns_parserr(&message, ns_s_an, i, &record) != 0)
            return false;
        if (ns_rr_type(record) != (ns_type)q->type || ns_rr_class(record) != ns_c_in ||
            ns_rr_rdlen(record) != a.len)
            continue;
        memcpy(a.bytes, ns_rr_rdata(record), a.len);
        addresses_add(found, &a);
    }
    return true;
}

static bool
same(const struct addresses *a, const struct addresses *b)
{
    return a->v4_len == b->v4_len && a->v6_len == b->v6_len &&
           memcmp(a->v4, b->v4, sizeof a->v4) == 0 && memcmp(a->v6, b->v6, sizeof a->v6) == 0;
}

static void
check_read(struct span in, const struct dns_question *q)
{
    struct addresses found = {0}, again = {0}, plain = {0};
    enum dns_reply got = dns_read(in, q, &found);

    FACT((got == DNS_FOUND) == (count(&found) > 0));
    FACT(q->type == DNS_A ? found.v6_len == 0 : found.v4_len == 0);
    FACT(got == DNS_FOREIGN || in.len >= 12);
    FACT(got == DNS_FOREIGN || memcmp(in.p, (char[]){(char)(q->id >> 8), (char)q->id}, 2) == 0);
    FACT(dns_read(in, q, &again) == got && same(&found, &again));
    if ((got == DNS_FOUND || got == DNS_NO_ADDRESS) && read_plainly(in, q, &plain))
        FACT(same(&found, &plain));
}

/* What is there is found in any prefix, too, and nothing else. */
static void
check_prefix(struct span in, const struct dns_question *q)
{
    struct addresses whole = {0}, part = {0};
    struct span prefix = fuzz_copy((struct span){in.p, fuzz_dice((uint32_t)in.len + 1)});

    (void)dns_read(in, q, &whole);
    (void)dns_read(prefix, q, &part);
    FACT(count(&part) <= count(&whole));
    FACT(memcmp(part.v4, whole.v4, sizeof *part.v4 * part.v4_len) == 0);
    FACT(memcmp(part.v6, whole.v6, sizeof *part.v6 * part.v6_len) == 0);
}

/* What is asked can be read, and is no reply. */
static void
check_query(const struct dns_question *q)
{
    struct out o = out_to(fuzz_room(DNS_QUERY_MAX), DNS_QUERY_MAX);
    struct addresses found = {0};
    struct out less;
    ns_msg message;
    ns_rr record;
    int got = dns_query(&o, q);

    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    FACT(ns_initparse((const unsigned char *)o.p, (int)o.len, &message) == 0);
    FACT(ns_msg_id(message) == q->id && ns_msg_count(message, ns_s_qd) == 1);
    FACT(ns_parserr(&message, ns_s_qd, 0, &record) == 0);
    FACT(ns_rr_type(record) == (ns_type)q->type && ns_rr_class(record) == ns_c_in);
    FACT(dns_read(out_span(&o), q, &found) == DNS_FOREIGN);
    less = out_to(fuzz_room(o.len - 1), o.len - 1);
    FACT(dns_query(&less, q) == ERR_FULL);
    /* as a reply it is one without an address */
    o.p[2] = (char)0x81;
    FACT(dns_read(out_span(&o), q, &found) == DNS_NO_ADDRESS);
}

void
fuzz(struct span in)
{
    struct dns_question own = question_of(in, fuzz_room(256));
    struct dns_question other = own;

    other.name = SPAN("kinesis.test");
    check_read(in, &own);
    check_read(in, &other);
    check_prefix(in, &own);
    check_query(&own);
    own.name = in;
    check_query(&own);
}
