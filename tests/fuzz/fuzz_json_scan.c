/* Where a container ends, by blocks and in plain C, whole and in pieces: as found byte by byte. */
#include "fuzz.h"

#include "../unit/scalar_scan.h"

typedef const char *scan(struct json_scan *s, const char *p, const char *end);

static void
check(scan *container, struct span in, bool whole)
{
    static uint32_t want[1 << 16];
    static struct json_marks marks;
    struct json_scan s = {.marks = &marks};
    uint32_t want_len;
    const char *want_end = bytewise_container(in.p, in.p + in.len, want, FUZZ_LEN(want), &want_len);
    const char *end = NULL;
    struct span rest = in;

    marks.len = 0;
    while (end == NULL && rest.len > 0) {
        size_t len = whole ? rest.len : 1 + fuzz_dice((uint32_t)rest.len);
        struct span part = fuzz_copy((struct span){rest.p, len});

        end = container(&s, part.p, part.p + part.len);
        if (end != NULL)
            end = rest.p + (end - part.p);
        rest = span_skip(rest, len);
    }
    FACT(end == want_end);
    FACT(marks.len >= want_len || marks.len > JSON_MARKS_MAX - BLOCK_BYTES);
    for (uint32_t i = 0; i < marks.len && i < want_len; i++)
        FACT(marks.at[i] == want[i]);
}

void
fuzz(struct span in)
{
    if (in.len == 0 || (in.p[0] != '{' && in.p[0] != '['))
        return;
    check(json_scan_container, in, true);
    check(scalar_container, in, true);
    check(json_scan_container, in, false);
    check(scalar_container, in, false);
}
