#ifndef DER_H
#define DER_H
/*
 * Writes certificates for tests, element by element. Each call lays its text into one of the rooms, which go round.
 */
#include "check.h"
#include "protocol/out.h"

static char der_rooms[1024][2048];
static unsigned der_next_room;

static inline struct span
der(unsigned tag, struct span content)
{
    char *room = der_rooms[der_next_room++ % LEN(der_rooms)];
    struct out o = out_to(room, sizeof der_rooms[0]);

    out_byte(&o, (char)tag);
    if (content.len > 255) {
        out_byte(&o, (char)0x82);
        out_byte(&o, (char)(content.len >> 8));
    } else if (content.len > 127) {
        out_byte(&o, (char)0x81);
    }
    out_byte(&o, (char)content.len);
    out_put(&o, content);
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

static inline struct span
join(struct span a, struct span b)
{
    struct out o = out_to(der_rooms[der_next_room++ % LEN(der_rooms)], sizeof der_rooms[0]);

    out_put(&o, a);
    out_put(&o, b);
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

#define NONE ((struct span){NULL, 0})

static inline struct span
extension(struct span oid, bool critical, struct span value)
{
    struct span flag = critical ? SPAN("\x01\x01\xff") : NONE;

    return der(0x30, join(der(0x06, oid), join(flag, der(0x04, value))));
}

#endif
