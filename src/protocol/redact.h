#ifndef REDACT_H
#define REDACT_H
/*
 * TELEMETRY_REDACT: what members of the names given hold is replaced by "***", before a record is made of the event.
 *
 * Looked at are all members of the record, at any depth, and all strings in it: what looks like a member there is
 * taken for one, so a line of text may have JSON anywhere in it, and JSON may have JSON in its strings, three times
 * over. A name is one however its letters are escaped, small or capital. What follows the colon of such a member goes,
 * an object or array as a whole; within a string, if that is no JSON value, all to the end of the string.
 *
 * A record of which nothing is to be replaced stays byte for byte as it is, and so does each string of one. One that is
 * no JSON, or has become too long for an event, is replaced as a whole.
 */
#include "protocol/event.h"

struct redact {
    struct span names; /* as TELEMETRY_REDACT has them */
    /* private */
    char *text, *room;
    struct out out;
    unsigned found;
    bool writing, broken;
};

/* Whether names separated by commas are such; each may begin or end with *, which stands for anything. */
bool redact_allows(struct span names);

/* Memory that it needs; none without names. */
size_t redact_bytes(struct span names);

/* memory: redact_bytes of it. */
void redact_init(struct redact *r, struct span names, char *memory);

/*
 * Returns whether there was anything to replace: then text is the event without, valid until the next call, and
 * event_read reads it.
 */
bool redact_event(struct redact *r, const struct event *event, struct span *text);

#endif
