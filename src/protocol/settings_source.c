#include "protocol/settings_source.h"

/* see settings_source.h */

struct span
settings_source_get(const struct settings_source *source, const char *name)
{
    return span_of(source->get(source->context, name));
}

void
settings_source_refuse(const struct settings_source *source, const char *name, struct span value,
                       const char *allowed, const char *used)
{
    source->refuse(source->context, name, value.p, allowed, used);
}

bool
settings_source_switch(const struct settings_source *source, const char *name)
{
    struct span value = settings_source_get(source, name);

    if (span_same_case(value, SPAN("true")))
        return true;
    if (value.len > 0 && !span_same_case(value, SPAN("false")))
        settings_source_refuse(source, name, value, "true, false", "false");
    return false;
}
