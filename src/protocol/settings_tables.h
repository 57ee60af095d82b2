#ifndef SETTINGS_TABLES_H
#define SETTINGS_TABLES_H
/*
 * The settings that are one of a few words, or a number between two bounds. A new one of these is a member of
 * struct settings and a line in a table.
 */
#include "protocol/settings.h"

/* The regions have been read before, since defaults depend on them. */
void settings_tables_read(struct settings *s, const struct settings_source *source);

#endif
