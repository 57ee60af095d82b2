#ifndef SCALAR_SCAN_H
#define SCALAR_SCAN_H
/*
 * json_scan.c once more in plain C, as for a CPU whose instructions we do not use, beside the one that
 * is linked. And what both have to find, found byte by byte.
 */
#define BLOCK_SCALAR
#define json_scan_container scalar_container
#include "protocol/json_scan.c"
#undef json_scan_container

const char *json_scan_container(struct json_scan *s, const char *p, const char *end);

/* The place behind the container, or NULL; marks as far as the container goes, at most `max` of them. */
static inline const char *
bytewise_container(const char *p, const char *end, uint32_t *marks, uint32_t max,
                   uint32_t *marks_len)
{
    const char *start = p;
    bool in_string = false;
    uint64_t depth = 0;

    for (*marks_len = 0; p < end; p++) {
        if (*p == '"') {
            in_string = !in_string;
            if (*marks_len < max)
                marks[(*marks_len)++] = (uint32_t)(p - start);
        } else if (in_string && *p == '\\') {
            p++;
        } else if (!in_string && (*p == '{' || *p == '[')) {
            depth++;
        } else if (!in_string && (*p == '}' || *p == ']') && --depth == 0) {
            return p + 1;
        }
    }
    return NULL;
}

#endif
