#include "protocol/utf8.h"

/* see utf8.h */

/* The range of the second byte; for first bytes that are not listed it is 80..BF. */
static void
second(unsigned char first, unsigned char *least, unsigned char *most)
{
    *least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
}

size_t
utf8_char(struct span s)
{
    unsigned char first = s.len == 0 ? 0xff : (unsigned char)s.p[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned char least;
    unsigned char most;

    if (len == 1)
        return 1;
    if (first < 0xc2 || first > 0xf4 || s.len < len)
        return 0;
    second(first, &least, &most);
    for (size_t i = 1; i < len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < least || c > most)
            return 0;
        least = 0x80;
        most = 0xbf;
    }
    return len;
}
