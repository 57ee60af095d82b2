/* The wanted members of an object that comes in pieces: the same however it is cut, and no others. */
#include "fuzz.h"
#include "protocol/json_members.h"

#include <string.h>

static const struct span wanted[] = {{"id", 2}, {"n", 1}, {"kind", 4}, {NULL, 0}};

static struct span
in_pieces(struct json_members *m, struct span in, uint32_t most)
{
    memset(m, 0xff, sizeof *m);
    m->wanted = wanted;
    json_members_start(m);
    while (in.len > 0)
        json_members_take(m, fuzz_copy(fuzz_take(&in, 1 + fuzz_dice(most))));
    return json_members_end(m);
}

void
fuzz(struct span in)
{
    static struct json_members whole, pieces, again;
    struct span members = in_pieces(&whole, in, UINT32_MAX - 1);

    FACT(span_same(in_pieces(&pieces, in, 8), members));
    FACT(members.len <= sizeof whole.text);
    if (members.len == 0)
        return;
    FACT(members.p[0] == '{' && members.p[members.len - 1] == '}');
    /* nothing more is to be left out of what was kept */
    FACT(span_same(in_pieces(&again, members, 8), members));
}
