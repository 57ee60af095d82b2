#ifndef EXTENSION_CHECK_H
#define EXTENSION_CHECK_H
/*
 * --check: goes through the steps that a delivery takes, with the settings that the extension would have here, and tells
 * of each on standard output how it went. Started by hand or by a deployment, never by Lambda, it waits where
 * the extension never does.
 *
 *   tls         ok          12 ms       TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256; …
 *   permission  failed      0 ms        400 AccessDeniedException: …; remedy: …
 *
 *   {"step":"tls","status":"ok","ms":12,"message":"…"}                          as JSON
 *   {"step":"permission","status":"failed","ms":0,"message":"…","remedy":"…"}
 *
 * Each of the steps of enum check_step has one line, in that order. After one that failed the others are not reached.
 * PutRecords with DryRun is made, which writes nothing where it is known. What can be found out only by writing is
 * not checked unless that is asked for: then one record and one empty object are written.
 */
#include <stdbool.h>

#include "io/loop.h"
#include "protocol/settings.h"

/* The longest that a step takes. */
#define CHECK_STEP_MS 3000

/* Reads --check, --check=write and --json. Returns false if the arguments are others. */
bool check_asked(int argc, char **argv);

/* From now on what is logged belongs to the step settings. */
void check_begin(void);

/* All steps; settings have been read, and are changed. Returns whether none has failed. */
bool check_run(struct loop *loop, struct settings *settings);

#endif
