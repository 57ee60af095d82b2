#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H
/*
 * The environment variables, and which of them have been asked for: one of ours that is set, and that
 * nothing asks for, is misspelt.
 */
#include "protocol/span.h"

/* Variables with this prefix are marked when asked for; of several with the same name, the first one. */
#define ENVIRONMENT_MARKED "TELEMETRY_"
#define ENVIRONMENT_MARKS 64

/* The value of a variable, or NULL. Valid as long as the process. */
const char *environment_get(const char *name);

/*
 * Calls back with the name of each variable that begins with ENVIRONMENT_MARKED, is not empty, and has
 * not been asked for.
 */
void environment_unasked(void (*tell)(struct span name));

#endif
