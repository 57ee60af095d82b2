#include "protocol/hosts.h"

#include "protocol/lines.h"

/* see hosts.h */

bool
hosts_line(struct span line, struct span name, struct addresses *found)
{
    struct span comment;
    struct span rest = span_cut(line, '#', &comment);
    struct span text = lines_word(&rest);
    struct span word = lines_word(&rest);
    struct address a;

    while (word.len > 0 && !span_same_case(word, name))
        word = lines_word(&rest);
    if (word.len == 0 || address_read(text, &a) != 0)
        return false;
    addresses_add(found, &a);
    return true;
}

bool
hosts_local(struct span name, struct addresses *found)
{
    static const struct address v4 = {{127, 0, 0, 1}, ADDRESS_V4_BYTES};
    static const struct address v6 = {{[15] = 1}, ADDRESS_V6_BYTES};
    const struct span local = SPAN(".localhost");
    struct span end = span_skip(name, name.len > local.len ? name.len - local.len : 0);

    if (!span_same_case(end, local) && !span_same_case(end, span_skip(local, 1)))
        return false;
    addresses_add(found, &v6);
    addresses_add(found, &v4);
    return true;
}
