#ifndef SETTINGS_SOURCE_H
#define SETTINGS_SOURCE_H
/*
 * Where the values of settings come from, and where complaints go; and how a value is read that is one of a
 * few words, a number between two bounds, or a switch. What is not allowed is complained of.
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

/* A setting that is one of a few words. Texts lie in the rows, since each pointer would take as much room. */
struct setting_word {
    char name[24];
    char allowed[32]; /* as a complaint lists them: "end, continuous, adaptive" */
    uint16_t at;      /* where it belongs: the caller's */
    uint16_t preset;  /* as the result */
};

/* The place of the word in the list, from 0 on. */
unsigned settings_source_word(const struct settings_source *source, const struct setting_word *w);

struct setting_number {
    char name[29];
    uint16_t at;
    uint32_t preset, least, most;
};

/* preset: what stands in for a number that is not set or not allowed. except: one that is not allowed. */
uint32_t settings_source_number(const struct settings_source *source,
                                const struct setting_number *n, uint32_t preset, uint32_t except);

#endif
