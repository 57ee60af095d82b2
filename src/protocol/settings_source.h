#ifndef SETTINGS_SOURCE_H
#define SETTINGS_SOURCE_H
/*
 * Where the values of settings come from, and where complaints go.
 */
#include "protocol/span.h"

struct settings_source {
    /* The value of a variable, or NULL. An empty one counts as not set. */
    const char *(*get)(void *context, const char *name);
    /* Called once per value that is refused; used is what takes its place, for people. */
    void (*refuse)(void *context, const char *name, const char *value, const char *allowed,
                   const char *used);
    void *context;
};

/* The value of a variable, valid as long as what `get` returned; empty when it is not set. */
struct span settings_source_get(const struct settings_source *source, const char *name);

/* value must end in a zero. */
void settings_source_refuse(const struct settings_source *source, const char *name,
                            struct span value, const char *allowed, const char *used);

/* A variable that is true or false, in any case; false when it is not set, or refused. */
bool settings_source_switch(const struct settings_source *source, const char *name);

#endif
