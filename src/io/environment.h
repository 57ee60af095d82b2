#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H
/*
 * The environment variables, and which of them somebody has asked for: what is set in the hope that
 * somebody does, and nobody did, is misspelt.
 */
#include "protocol/span.h"

/* Those that are marked as asked for; the first of them in the environment, where there are more. */
#define ENVIRONMENT_MARKED "TELEMETRY_"
#define ENVIRONMENT_MARKS 64

/* The value of a variable, or NULL. Valid as long as the process. */
const char *environment_get(const char *name);

/*
 * Tells the name of each variable that begins with ENVIRONMENT_MARKED, is not empty, and was not asked
 * for so far.
 */
void environment_unasked(void (*tell)(struct span name));

#endif
