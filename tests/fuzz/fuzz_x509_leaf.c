/* A server's certificate, as it comes: the same however it is cut, and never out of its depth. */
#include "fuzz.h"
#include "protocol/x509_leaf.h"

static struct x509_leaf
in_pieces(struct span in, uint32_t most)
{
    struct x509_leaf l;

    x509_leaf_start(&l);
    while (in.len > 0) {
        struct span part = fuzz_copy(fuzz_take(&in, 1 + fuzz_dice(most)));

        x509_leaf_take(&l, (const unsigned char *)part.p, part.len);
        FACT(l.depth <= X509_LEAF_DEPTH && l.oid_len <= sizeof l.oid);
    }
    return l;
}

void
fuzz(struct span in)
{
    struct x509_leaf whole = in_pieces(in, UINT32_MAX - 1), pieces = in_pieces(in, 8);

    FACT(whole.has_names == pieces.has_names && whole.has_purposes == pieces.has_purposes);
    FACT(whole.for_servers == pieces.for_servers && whole.at == pieces.at);
    FACT(whole.has_purposes || !whole.for_servers);
}
