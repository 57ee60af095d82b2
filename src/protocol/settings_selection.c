#include "protocol/settings_selection.h"

#include "protocol/format.h"
#include "protocol/redact.h"

/* see settings_selection.h */

static enum line_level
read_level(const struct settings_source *source, const char *name)
{
    struct span value = settings_source_get(source, name);
    enum line_level level = log_level_named(value);

    if (value.len > 0 && level == LEVEL_NONE)
        settings_source_refuse(source, name, value, "TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
                               "none");
    return level;
}

/* A wrong pattern is told where it is wrong, and everything is sent. */
static void
read_filter(struct settings_selection *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_FILTER";
    struct span value = settings_source_get(source, name);
    struct filter_error error;
    char allowed[96];
    struct out o = out_to(allowed, sizeof allowed - 1);

    s->filters = false;
    if (value.len == 0)
        return;
    s->filters = filter_pattern_read(&s->filter, value.p, &error) == 0;
    if (s->filters)
        return;
    (void)format_text(&o, "a filter pattern, and in column %zu: %s", error.column, error.reason);
    allowed[o.len] = '\0';
    settings_source_refuse(source, name, value, allowed, "no filter");
}

/* Returns whether the text is such a number. */
static bool
read_rate(struct span text, uint32_t *rate)
{
    struct span digits;
    uint64_t whole;
    uint64_t part = 0;

    if (span_number(span_cut(text, '.', &digits), 1, &whole) != 0 || digits.len > 6 ||
        (digits.p != NULL && span_number(digits, SAMPLE_ALL, &part) != 0))
        return false;
    for (size_t i = digits.len; i < 6; i++)
        part *= 10;
    *rate = (uint32_t)(whole * SAMPLE_ALL + part);
    return *rate <= SAMPLE_ALL;
}

static void
read_sample(struct settings_selection *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_SAMPLE_RATE";
    struct span value = settings_source_get(source, name);

    if (value.len > 0 && read_rate(value, &s->sample))
        return;
    s->sample = SAMPLE_ALL;
    if (value.len > 0)
        settings_source_refuse(source, name, value, "0 to 1, at most six digits behind the point",
                               "1");
}

static void
read_redact(struct settings_selection *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_REDACT";

    s->redact = settings_source_get(source, name);
    if (s->redact.len == 0 || redact_allows(s->redact))
        return;
    settings_source_refuse(source, name, s->redact,
                           "a comma list of names, * at either end of each", "none");
    s->redact.len = 0;
}

/* Where each line is sent that could be held, or is below what is, nothing ever would be. */
static void
bound_held(struct settings_selection *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_LEVEL_ON_ERROR";

    if (s->level_on_error == LEVEL_NONE || s->level_on_error < s->level || s->sample < SAMPLE_ALL)
        return;
    settings_source_refuse(
        source, name, settings_source_get(source, name),
        "a level below TELEMETRY_LEVEL, or a TELEMETRY_SAMPLE_RATE below 1 with it", "none");
    s->level_on_error = LEVEL_NONE;
}

void
settings_selection_read(struct settings_selection *s, const struct settings_source *source)
{
    s->level = read_level(source, "TELEMETRY_LEVEL");
    s->level_default = read_level(source, "TELEMETRY_LEVEL_DEFAULT");
    s->level_on_error = read_level(source, "TELEMETRY_LEVEL_ON_ERROR");
    read_filter(s, source);
    read_sample(s, source);
    bound_held(s, source);
    read_redact(s, source);
}
