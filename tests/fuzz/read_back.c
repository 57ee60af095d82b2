#include "read_back.h"

#include "fuzz.h"
#include "protocol/json.h"

#include <string.h>

/* see read_back.h */

struct span
read_back_member(struct json_walk *w, struct span name)
{
    struct span got, value;

    FACT(json_walk_next(w, &got, &value) == 1 && span_same(got, name));
    return value;
}

struct span
read_back_text(struct span value)
{
    /* an escape is never shorter than what it stands for */
    struct out o = out_to(fuzz_room(value.len), value.len);
    struct json doc;

    FACT(json_parse(&doc, value) == 0 && json_text(&doc, 0, &o) == 0);
    return out_span(&o);
}

/* Says in another way what base64 is: each character stands for six bits. */
struct span
read_back_base64(struct span value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct span base64 = json_walk_string(value);
    struct out o = out_to(fuzz_room(base64.len), base64.len);
    size_t chars = base64.len;
    unsigned bits = 0, held = 0;

    FACT(base64.p != NULL && chars % 4 == 0);
    while (chars > 0 && base64.len - chars < 2 && base64.p[chars - 1] == '=')
        chars--;
    for (size_t i = 0; i < chars; i++) {
        const char *digit = memchr(digits, base64.p[i], 64);

        FACT(digit != NULL);
        held = held << 6 | (unsigned)(digit - digits);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        out_byte(&o, (char)(held >> bits));
    }
    /* what is left over are zeros, and less than a character */
    FACT(bits < 6 && (held & ((1u << bits) - 1)) == 0);
    return out_span(&o);
}
