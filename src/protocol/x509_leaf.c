#include "protocol/x509_leaf.h"

/* see x509_leaf.h */

enum { SEQUENCE = 0x30, OCTETS = 0x04, OID = 0x06, EXTENSIONS = 0xa3 };

/* The depth: how many elements are open around the current byte. */
enum {
    IN_CERTIFICATE = 1,
    IN_SIGNED_PART,
    IN_EXTENSIONS,
    IN_LIST,
    IN_EXTENSION,
    IN_VALUE, /* of extendedKeyUsage */
    IN_PURPOSES
};

/* 2.5.29.17, 2.5.29.37, 1.3.6.1.5.5.7.3.1, 2.5.29.37.0 */
#define ALTERNATIVE_NAME SPAN("\x55\x1d\x11")
#define KEY_USAGE SPAN("\x55\x1d\x25")
#define SERVER_AUTH SPAN("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define ANY_USAGE SPAN("\x55\x1d\x25\x00")

void
x509_leaf_start(struct x509_leaf *l)
{
    *l = (struct x509_leaf){.state = X509_TAG};
}

static bool
is(const struct x509_leaf *l, struct span oid)
{
    return span_same((struct span){l->oid, l->oid_len}, oid);
}

/* Whether what is wanted lies within this element. */
static bool
to_be_entered(struct x509_leaf *l)
{
    switch (l->depth) {
    case IN_CERTIFICATE:
        /* what follows it is not signed */
        if (l->signed_part)
            return false;
        l->signed_part = true;
        return l->tag == SEQUENCE;
    case IN_SIGNED_PART:
        return l->tag == EXTENSIONS;
    case IN_EXTENSION:
        l->has_names = l->has_names || (l->tag == OCTETS && is(l, ALTERNATIVE_NAME));
        if (l->tag != OCTETS || !is(l, KEY_USAGE))
            return false;
        l->has_purposes = true;
        return true;
    case IN_PURPOSES:
        return false;
    default:
        return l->tag == SEQUENCE;
    }
}

/* Tag and length have been read. */
static void
begin(struct x509_leaf *l)
{
    bool oid = l->tag == OID && (l->depth == IN_EXTENSION || l->depth == IN_PURPOSES);

    l->state = l->len == 0 ? X509_TAG : oid ? X509_OID : X509_SKIP;
    if (oid) {
        l->oid_len = 0;
    } else if (to_be_entered(l)) {
        l->ends[l->depth++] = l->at + l->len;
        l->state = X509_TAG;
    }
}

static void
oid_byte(struct x509_leaf *l, unsigned char byte)
{
    /* a longer identifier is not one of those that are looked for */
    if (l->oid_len < sizeof l->oid)
        l->oid[l->oid_len++] = (char)byte;
    else
        l->oid[0] = '\0';
    if (--l->len > 0)
        return;
    if (l->depth == IN_PURPOSES)
        l->for_servers = l->for_servers || is(l, SERVER_AUTH) || is(l, ANY_USAGE);
    l->state = X509_TAG;
}

static void
length_byte(struct x509_leaf *l, unsigned char byte)
{
    if (l->state == X509_LENGTH && byte >= 0x80) {
        l->more = byte & 0x7fu;
        l->len = 0;
        l->state = l->more == 0 || l->more > 3 ? X509_LOST : X509_LONG_LENGTH;
        return;
    }
    l->len = l->state == X509_LENGTH ? byte : l->len << 8 | byte;
    if (l->state == X509_LENGTH || --l->more == 0)
        begin(l);
}

void
x509_leaf_take(struct x509_leaf *l, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len && l->state != X509_LOST; i++) {
        l->at++;
        if (l->state == X509_TAG) {
            l->tag = bytes[i];
            l->state = X509_LENGTH;
        } else if (l->state == X509_OID) {
            oid_byte(l, bytes[i]);
        } else if (l->state == X509_SKIP) {
            l->state = --l->len == 0 ? X509_TAG : X509_SKIP;
        } else {
            length_byte(l, bytes[i]);
        }
        while (l->state == X509_TAG && l->depth > 0 && l->at >= l->ends[l->depth - 1])
            l->depth--;
    }
}
