#include "protocol/dns.h"

#include <string.h>

/* see dns.h */

enum { HEAD_BYTES = 12, LABEL_MAX = 63, NAME_MAX_BYTES = 253, CLASS_IN = 1 };
/* Type, class, time to live and length, between a record's name and its data. */
enum { RECORD_BYTES = 10 };

/* Byte 2: the bits that mark a reply to a plain query, and the one that marks it as cut. */
enum { KIND_BITS = 0xf8, KIND_REPLY = 0x80, CUT_BIT = 0x02 };
/* Byte 3. Source: RFC 1035, 4.1.1. */
enum { CODE_BITS = 0x0f, CODE_NO_NAME = 3 };

static void
put_16(struct out *o, unsigned n)
{
    out_byte(o, (char)(n >> 8));
    out_byte(o, (char)n);
}

static int
put_name(struct out *o, struct span name)
{
    struct span rest = name;

    if (name.len > 0 && name.p[name.len - 1] == '.')
        rest.len--;
    if (rest.len == 0 || rest.len > NAME_MAX_BYTES)
        return ERR_BAD;
    while (rest.p != NULL) {
        struct span label = span_cut(rest, '.', &rest);

        if (label.len == 0 || label.len > LABEL_MAX)
            return ERR_BAD;
        out_byte(o, (char)label.len);
        out_put(o, label);
    }
    out_byte(o, 0);
    return 0;
}

int
dns_query(struct out *o, const struct dns_question *question)
{
    put_16(o, question->id);
    /* recursion desired, one question */
    out_put(o, SPAN("\1\0\0\1\0\0\0\0\0\0"));
    if (put_name(o, question->name) != 0)
        return ERR_BAD;
    put_16(o, question->type);
    put_16(o, CLASS_IN);
    return out_end(o);
}

static unsigned
get_16(struct span in, size_t at)
{
    return (unsigned)(uint8_t)in.p[at] << 8 | (uint8_t)in.p[at + 1];
}

/*
 * Where a record's fixed part begins, after its name: a pointer ends the name and need not be
 * followed. Returns ERR_BAD when that part is missing.
 */
static int
skip_name(struct span in, size_t at)
{
    while (at < in.len) {
        unsigned len = (uint8_t)in.p[at++];

        if (len > LABEL_MAX && len < 0xc0)
            break;
        if (len == 0 || len > LABEL_MAX) {
            at += len != 0;
            return at + RECORD_BYTES <= in.len ? (int)at : ERR_BAD;
        }
        at += len;
    }
    return ERR_BAD;
}

/* The records of the answer, from here on. Returns whether all were there. */
static bool
read_answers(struct span in, size_t at, enum dns_type type, struct addresses *found)
{
    unsigned len = type == DNS_A ? ADDRESS_V4_BYTES : ADDRESS_V6_BYTES;

    for (unsigned left = get_16(in, 6); left > 0; left--) {
        struct address a = {.len = (uint8_t)len};
        int record = skip_name(in, at);
        unsigned data;

        if (record < 0)
            return false;
        at = (size_t)record + RECORD_BYTES;
        data = get_16(in, at - 2);
        if (data > in.len - at)
            return false;
        if (get_16(in, (size_t)record) == type && get_16(in, (size_t)record + 2) == CLASS_IN &&
            data == len) {
            memcpy(a.bytes, in.p + at, len);
            addresses_add(found, &a);
        }
        at += data;
    }
    return true;
}

/* Whether the message repeats this question, in any case. The length bytes in it are not letters. */
static bool
asked(struct span in, struct span query)
{
    return in.len >= query.len && get_16(in, 4) == 1 &&
           span_same_case((struct span){in.p + HEAD_BYTES, query.len - HEAD_BYTES},
                          span_skip(query, HEAD_BYTES));
}

enum dns_reply
dns_read(struct span message, const struct dns_question *question, struct addresses *found)
{
    unsigned before = found->v4_len + found->v6_len;
    char query[DNS_QUERY_MAX];
    struct out o = out_to(query, sizeof query);
    unsigned code;
    bool whole;

    if (dns_query(&o, question) != 0 || message.len < HEAD_BYTES ||
        get_16(message, 0) != question->id || ((uint8_t)message.p[2] & KIND_BITS) != KIND_REPLY)
        return DNS_FOREIGN;
    code = (uint8_t)message.p[3] & CODE_BITS;
    /* a server that could not read the query cannot repeat the question */
    if (!asked(message, out_span(&o)))
        return code != 0 && get_16(message, 4) == 0 ? DNS_FAILED : DNS_FOREIGN;
    if (code != 0)
        return code == CODE_NO_NAME ? DNS_NO_NAME : DNS_FAILED;
    whole = read_answers(message, o.len, question->type, found);
    if (found->v4_len + found->v6_len > before)
        return DNS_FOUND;
    if (((uint8_t)message.p[2] & CUT_BIT) != 0)
        return DNS_CUT;
    return whole ? DNS_NO_ADDRESS : DNS_FAILED;
}
