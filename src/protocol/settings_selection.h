#ifndef SETTINGS_SELECTION_H
#define SETTINGS_SELECTION_H
/*
 * Settings of what is sent at all: a part of settings.h.
 */
#include "protocol/filter_pattern.h"
#include "protocol/log_level.h"
#include "protocol/settings_source.h"

/* TELEMETRY_SAMPLE_RATE is told in these: 1 is all of them. */
#define SAMPLE_ALL 1000000

struct settings_selection {
    enum line_level level; /* lines below it are not sent; LEVEL_NONE: all are */
    enum line_level
        level_default; /* of lines that tell none; LEVEL_NONE: they are not judged by it */
    enum line_level
        level_on_error; /* lines from it on are held for when the invocation fails; LEVEL_NONE: none */
    uint32_t held_max_bytes; /* of these together */
    uint32_t sample;         /* invocations whose lines are sent, of SAMPLE_ALL */
    bool filters;            /* by this pattern, which some lines may not match */
    struct filter_pattern filter;
    struct span redact; /* names of members whose values are replaced (redact.h); empty: none are */
};

/* All but held_max_bytes. */
void settings_selection_read(struct settings_selection *s, const struct settings_source *source);

#endif
