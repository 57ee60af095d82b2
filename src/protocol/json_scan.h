#ifndef JSON_SCAN_H
#define JSON_SCAN_H
/*
 * Finds the end of strings and containers in JSON text, at the speed of memory. Only quotation marks,
 * backslashes and brackets are looked at, and any closing bracket closes any opening one: callers that need
 * more check for themselves.
 *
 * A backslash has a meaning inside strings only, even in text that is not JSON.
 */
#include <stdbool.h>

#include "protocol/block.h"

#define JSON_MARKS_MAX 256

/*
 * Positions of the quotation marks that begin and end strings, alternately, counted from the container's
 * first byte: as many as there is room for, and possibly some from after the container. A later walk
 * through the container need not look for them again.
 */
struct json_marks {
    uint32_t len;
    uint32_t at[JSON_MARKS_MAX];
};

/* Whether there was room for all of them. */
static inline bool
json_marks_all(const struct json_marks *marks)
{
    return marks->len <= JSON_MARKS_MAX - BLOCK_BYTES;
}

/* State of a scan through a container that may arrive in pieces. Set to zeros before the first byte. */
struct json_scan {
    uint32_t depth; /* brackets that are open */
    bool in_string;
    bool escaped;             /* the text before ended in a backslash */
    uint32_t passed;          /* bytes of the container in earlier pieces */
    struct json_marks *marks; /* NULL: not wanted */
};

/*
 * Returns the byte after the bracket that matches the first one; NULL if the text ends first: call again
 * with the next piece.
 */
const char *json_scan_container(struct json_scan *s, const char *p, const char *end);

/* p: just after a string's opening quotation mark. Returns the closing one, or NULL if the text ends first. */
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
