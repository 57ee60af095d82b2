#include "protocol/x509_anchor.h"

#include "protocol/format.h"

/* see x509_anchor.h */

enum {
    BOOLEAN = 0x01,
    INTEGER = 0x02,
    BITS = 0x03,
    OCTETS = 0x04,
    OID = 0x06,
    SEQUENCE = 0x30,
    EXPLICIT_VERSION = 0xa0,
    EXTENSIONS = 0xa3
};

/* Takes the next element off the rest, if it has this tag. */
COLD static bool
take(struct span *rest, unsigned tag, struct span *inside)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    size_t head = 2, len;

    if (rest->len < head || p[0] != tag)
        return false;
    len = p[1];
    if (len >= 0x80) {
        head += len & 0x7f;
        if (head == 2 || head > 5 || rest->len < head)
            return false;
        len = 0;
        for (size_t i = 2; i < head; i++)
            len = len << 8 | p[i];
    }
    if (len > rest->len - head)
        return false;
    *inside = (struct span){rest->p + head, len};
    *rest = span_skip(*rest, head + len);
    return true;
}

/* A positive number without zeros at the beginning. */
COLD static bool
take_number(struct span *rest, struct span *number)
{
    if (!take(rest, INTEGER, number))
        return false;
    while (number->len > 0 && *number->p == '\0')
        *number = span_skip(*number, 1);
    return number->len > 0;
}

/* By how the algorithm and the curve are written. */
COLD static bool
read_kind(struct span algorithm, struct x509_anchor *a)
{
    static const struct {
        char written[20];
        uint8_t len, key;
    } kinds[] = {
        {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 11, X509_RSA},
        {"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 19,
         X509_P256},
        {"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 16, X509_P384},
        {"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", 16, X509_P521},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        a->key = (enum x509_key)kinds[i].key;
        if (span_starts(algorithm, (struct span){kinds[i].written, kinds[i].len}))
            return true;
    }
    return false;
}

COLD static int
read_key(struct span info, struct x509_anchor *a)
{
    struct span algorithm, numbers;

    /* the bits of the last byte count, all of them */
    if (!take(&info, SEQUENCE, &algorithm) || !read_kind(algorithm, a) ||
        !take(&info, BITS, &a->point) || a->point.len == 0 || *a->point.p != '\0')
        return ERR_BAD;
    a->point = span_skip(a->point, 1);
    if (a->key != X509_RSA)
        return 0;
    if (!take(&a->point, SEQUENCE, &numbers) || !take_number(&numbers, &a->modulus) ||
        !take_number(&numbers, &a->exponent) || a->modulus.len > X509_MODULUS_MAX_BYTES)
        return ERR_BAD;
    return 0;
}

/* Whether an extension says so; of the others nothing is asked. */
COLD static bool
says_ca(struct span extension)
{
    struct span name, inside, value;

    if (!take(&extension, OID, &name) || !span_same(name, SPAN("\x55\x1d\x13")))
        return false;
    (void)take(&extension, BOOLEAN, &inside); /* critical */
    return take(&extension, OCTETS, &inside) && take(&inside, SEQUENCE, &value) &&
           take(&value, BOOLEAN, &inside) && inside.len == 1 && *inside.p != '\0';
}

COLD int
x509_anchor_read(struct span der, struct x509_anchor *a)
{
    struct span whole, body, any, list, extension;

    *a = (struct x509_anchor){.is_ca = false};
    if (!take(&der, SEQUENCE, &whole) || !take(&whole, SEQUENCE, &body))
        return ERR_BAD;
    (void)take(&body, EXPLICIT_VERSION, &any);
    /* serial number, algorithm, issuer, validity */
    if (!take(&body, INTEGER, &any) || !take(&body, SEQUENCE, &any) ||
        !take(&body, SEQUENCE, &any) || !take(&body, SEQUENCE, &any))
        return ERR_BAD;
    a->validity = any;
    a->subject = body;
    if (!take(&body, SEQUENCE, &any))
        return ERR_BAD;
    a->subject.len -= body.len;
    if (!take(&body, SEQUENCE, &any) || read_key(any, a) != 0)
        return ERR_BAD;
    /* unique identifiers, which nobody uses, may come before */
    while (body.len > 0 && !take(&body, EXTENSIONS, &any)) {
        if (!take(&body, (uint8_t)*body.p, &any))
            return ERR_BAD;
        any.len = 0;
    }
    if (take(&any, SEQUENCE, &list))
        while (take(&list, SEQUENCE, &extension))
            a->is_ca = a->is_ca || says_ca(extension);
    return 0;
}

/* Both forms of a time end in yymmddhhmmssZ; before it is the century, or the length of a UTCTime. */
COLD void
x509_anchor_until(struct out *o, struct span validity)
{
    enum { END = sizeof "yymmddhhmmssZ" - 1, CENTURY = 2 };
    const char *time = validity.p + validity.len - END;

    if (validity.len < END + CENTURY)
        return;
    (void)format_text(o, " until %.2s%.2s-%.2s-%.2s", time[-1] == END ? "20" : time - CENTURY, time,
                      time + 2, time + 4);
}
