#ifndef JSON_STRING_H
#define JSON_STRING_H
/* A line as a string of JSON, for tests. */
#include "check.h"
#include "protocol/out.h"

enum { AS_NEEDED = 1 << 20 };

/* With an escape for each byte of ASCII from this one on, before it only where JSON wants one. Valid until the next call. */
static inline struct span
as_string(struct span line, size_t from)
{
    static char text[8192];
    struct out o = out_to(text, sizeof text);

    out_byte(&o, '"');
    for (size_t i = 0; i < line.len; i++) {
        uint8_t byte = (uint8_t)line.p[i];

        if (i >= from && byte < 0x80) {
            out_put(&o, SPAN("\\u00"));
            out_hex(&o, &byte, 1);
        } else {
            out_json(&o, (struct span){line.p + i, 1});
        }
    }
    out_byte(&o, '"');
    assert_int_equal(out_end(&o), 0);
    return out_span(&o);
}

#endif
