#ifndef JSON_SCAN_H
#define JSON_SCAN_H
/*
 * Where strings and containers of JSON text end, at the speed of memory. Nothing but quotation marks,
 * backslashes and brackets is looked at, and a bracket closes any other: who wants more checks it.
 *
 * A backslash means something within strings only, also in text that is no JSON.
 */
#include <stdbool.h>

#include "protocol/block.h"

#define JSON_MARKS_MAX 256

/*
 * Where the quotation marks are that begin and end strings, by turns, counted from a container's first
 * byte; as many as there is room for, and perhaps some from behind the container. Who then walks
 * through it need not look for them again.
 */
struct json_marks {
    uint32_t len;
    uint32_t at[JSON_MARKS_MAX];
};

/* Where text stands within a container; it may come in pieces. Set to zeros before the first byte. */
struct json_scan {
    uint32_t depth; /* brackets that are open */
    bool in_string;
    bool escaped;             /* the text before ended in a backslash */
    uint32_t passed;          /* bytes of the container in earlier pieces */
    struct json_marks *marks; /* NULL: not wanted */
};

/*
 * The place behind the bracket that closes the one that the text began with; NULL when the text ends
 * before, and then the scan goes on with what follows it.
 */
const char *json_scan_container(struct json_scan *s, const char *p, const char *end);

/* From behind a string's first quotation mark: its last one, or NULL when the text ends before. */
static inline const char *
json_scan_string(const char *p, const char *end)
{
    for (;;) {
        unsigned n = 16;

        while (n == 16 && end - p >= 16) {
            n = block_before(p, '"', '\\');
            p += n;
        }
        while (p < end && *p != '"' && *p != '\\')
            p++;
        if (p == end || *p == '"')
            return p == end ? NULL : p;
        if (end - p < 2)
            return NULL;
        p += 2;
    }
}

#endif
