/* The level of a line, be it an event's record as it stands, or within a string. */
#include "fuzz.h"
#include "protocol/log_level.h"
#include "strict_json.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum line_level level;
} names[] = {
    {"trace", LEVEL_TRACE}, {"trce", LEVEL_TRACE},     {"verbose", LEVEL_TRACE},
    {"debug", LEVEL_DEBUG}, {"dbug", LEVEL_DEBUG},     {"fine", LEVEL_DEBUG},
    {"info", LEVEL_INFO},   {"notice", LEVEL_INFO},    {"information", LEVEL_INFO},
    {"warn", LEVEL_WARN},   {"warning", LEVEL_WARN},   {"err", LEVEL_ERROR},
    {"error", LEVEL_ERROR}, {"fail", LEVEL_ERROR},     {"severe", LEVEL_ERROR},
    {"fatal", LEVEL_FATAL}, {"critical", LEVEL_FATAL}, {"crit", LEVEL_FATAL},
    {"alert", LEVEL_FATAL}, {"panic", LEVEL_FATAL},    {"emergency", LEVEL_FATAL},
};

static enum line_level
plain_named(struct span s)
{
    for (size_t i = 0; i < FUZZ_LEN(names); i++)
        if (s.len == strlen(names[i].name) && strncasecmp(s.p, names[i].name, s.len) == 0)
            return names[i].level;
    return LEVEL_NONE;
}

/* Whether anything is there that could be this level: one of its names, or digits that begin with its number; or an
 * escape that might stand for anything. Of others only what follows the backslash may be part of a name. */
static bool
told(struct span in, enum line_level level)
{
    struct out o = out_to(fuzz_room(in.len), in.len);
    struct span s;

    if (span_find(in, SPAN("\\u")) != NULL)
        return true;
    for (size_t i = 0; i < in.len; i++)
        if (in.p[i] != '\\')
            out_byte(&o, in.p[i]);
    s = out_span(&o);
    for (size_t i = 0; i < s.len; i++) {
        struct span rest = span_skip(s, i);

        if (rest.p[0] >= '0' + (int)level &&
            rest.p[0] <= (level == LEVEL_FATAL ? '9' : '0' + (int)level))
            return true;
        for (size_t k = 0; k < FUZZ_LEN(names); k++)
            if (names[k].level == level && rest.len >= strlen(names[k].name) &&
                strncasecmp(rest.p, names[k].name, strlen(names[k].name)) == 0)
                return true;
    }
    return false;
}

static enum line_level
level_of(struct span record)
{
    enum line_level level = log_level_line(record, fuzz_room(record.len));

    FACT(level <= LEVEL_FATAL);
    return level;
}

void
fuzz(struct span in)
{
    size_t cap = 6 * in.len + 2;
    struct out o = out_to(fuzz_room(cap), cap);
    enum line_level level = level_of(in);
    enum line_level named = log_level_named(in);

    FACT(level == LEVEL_NONE || told(in, level));
    FACT(named == plain_named(in));
    FACT(log_level_value(in) <= LEVEL_FATAL);
    out_byte(&o, '"');
    out_json(&o, in);
    out_byte(&o, '"');
    if (strict_json(in) && in.p[0] == '{')
        FACT(level_of(fuzz_copy(out_span(&o))) == level);
    else
        (void)level_of(fuzz_copy(out_span(&o)));
    /* in brackets a name is a level, whatever the name */
    o.len = 0;
    out_put(&o, SPAN("\"["));
    out_put(&o, in);
    out_put(&o, SPAN("] x\""));
    if (named != LEVEL_NONE)
        FACT(level_of(fuzz_copy(out_span(&o))) == named);
}
