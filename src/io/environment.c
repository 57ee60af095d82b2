#include "io/environment.h"

#include <string.h>

#include "io/system.h"

/* see environment.h */

static uint64_t asked;

/* What follows the name and its equals sign; NULL if the pair has another name. */
static const char *
value_of(const char *pair, struct span name)
{
    if (!span_starts(span_of(pair), name) || pair[name.len] != '=')
        return NULL;
    return pair + name.len + 1;
}

static bool
is_marked(const char *pair)
{
    return span_starts(span_of(pair), SPAN(ENVIRONMENT_MARKED));
}

const char *
environment_get(const char *name)
{
    const char *value = NULL;
    uint64_t mark = 1;

    for (char **pair = system_environment(); *pair != NULL && value == NULL; pair++) {
        value = value_of(*pair, span_of(name));
        if (is_marked(*pair)) {
            asked |= value != NULL ? mark : 0;
            mark <<= 1;
        }
    }
    return value;
}

void
environment_unasked(void (*tell)(struct span name))
{
    uint64_t mark = 1;

    for (char **pair = system_environment(); *pair != NULL && mark != 0; pair++) {
        struct span value;
        struct span name = span_cut(span_of(*pair), '=', &value);

        if (!is_marked(*pair))
            continue;
        if ((asked & mark) == 0 && value.len > 0)
            tell(name);
        mark <<= 1;
    }
}
