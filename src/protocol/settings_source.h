#ifndef SETTINGS_SOURCE_H
#define SETTINGS_SOURCE_H
/*
 * Where the values of settings come from and where complaints go, and how to read a setting that is one of a few
 * words, a number between two bounds, or a switch. Values that are not allowed are reported.
 */
#include "protocol/span.h"

struct settings_source {
    /* The value of a variable, or NULL. An empty one counts as not set. */
    const char *(*get)(void *context, const char *name);
    /* Called once for each value that is refused; used: what is taken instead, for people to read. */
    void (*refuse)(void *context, const char *name, const char *value, const char *allowed,
                   const char *used);
    void *context;
};

/* The value of a variable, valid as long as what `get` returned; empty when it is not set. */
struct span settings_source_get(const struct settings_source *source, const char *name);

/* value must end in a zero. */
void settings_source_refuse(const struct settings_source *source, const char *name,
                            struct span value, const char *allowed, const char *used);

/* A setting that is true or false, whatever the letters' case; false if it is not set or refused. */
bool settings_source_switch(const struct settings_source *source, const char *name);

/* A setting that is one of a few words. The texts are part of the row: pointers would take as much room again. */
struct setting_word {
    char name[24];
    char allowed[40]; /* as a complaint lists them: "end, continuous, adaptive" */
    uint16_t at;      /* for the caller: offset in its struct */
    uint16_t preset;  /* the default, in the form of the result */
};

/* Returns the index of the word in the list, from 0 on. */
unsigned settings_source_word(const struct settings_source *source, const struct setting_word *w);

struct setting_number {
    char name[32];
    uint16_t at;
    uint32_t preset, least, most;
};

/* preset: the value if there is none that is allowed. except: a number between the bounds that is not allowed. */
uint32_t settings_source_number(const struct settings_source *source,
                                const struct setting_number *n, uint32_t preset, uint32_t except);

/* A number that is allowed by itself is above what another setting leaves: `allowed`, with `most` behind it. */
void settings_source_refuse_above(const struct settings_source *source, const char *name,
                                  const char *allowed, uint32_t most, uint32_t used);

#endif
