#include "protocol/settings_source.h"

#include "protocol/check.h"
#include "protocol/format.h"

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

unsigned
settings_source_word(const struct settings_source *source, const struct setting_word *w)
{
    struct span value = settings_source_get(source, w->name);
    struct span rest = span_of(w->allowed);
    char used[16];
    struct out o = out_to(used, sizeof used);

    for (unsigned i = 0; rest.p != NULL; i++) {
        struct span word = span_trim(span_cut(rest, ',', &rest));

        if (span_same(value, word))
            return i;
        if (i == w->preset)
            out_put(&o, word);
    }
    CHECK(o.len > 0 && o.len < sizeof used);
    out_byte(&o, '\0');
    if (value.len > 0)
        settings_source_refuse(source, w->name, value, w->allowed, used);
    return w->preset;
}

/* allowed has what is allowed, and room for a zero behind it. */
static void
refuse_used(const struct settings_source *source, const char *name, struct out *allowed,
            uint32_t used)
{
    char number[16];
    struct out o = out_to(number, sizeof number);

    out_byte(allowed, '\0');
    out_number(&o, used);
    out_byte(&o, '\0');
    settings_source_refuse(source, name, settings_source_get(source, name), allowed->p, number);
}

static void
refuse_number(const struct settings_source *source, const struct setting_number *n, uint32_t preset,
              uint32_t except)
{
    char allowed[48];
    struct out o = out_to(allowed, sizeof allowed);

    (void)format_text(&o, "%u to %u", n->least, n->most);
    if (except != UINT32_MAX)
        (void)format_text(&o, ", less %u", except);
    refuse_used(source, n->name, &o, preset);
}

uint32_t
settings_source_number(const struct settings_source *source, const struct setting_number *n,
                       uint32_t preset, uint32_t except)
{
    struct span value = settings_source_get(source, n->name);
    uint64_t number = preset;

    if (value.len > 0 &&
        (span_number(value, n->most, &number) != 0 || number < n->least || number == except)) {
        refuse_number(source, n, preset, except);
        number = preset;
    }
    CHECK(number >= n->least && number <= n->most && number != except);
    return (uint32_t)number;
}

void
settings_source_refuse_above(const struct settings_source *source, const char *name,
                             const char *allowed, uint32_t most, uint32_t used)
{
    char text[64];
    struct out o = out_to(text, sizeof text);

    out_put(&o, span_of(allowed));
    out_number(&o, most);
    refuse_used(source, name, &o, used);
}
