#ifndef OWN_LINES_H
#define OWN_LINES_H
/*
 * Lines that we have written to standard error and that come back to us, with `extension` among the
 * subscribed types: dead letters, which carry nothing that tells whose they are. Each is known by a
 * hash of what it says, until it has come back.
 *
 * The platform hands a line over as a JSON value or as the text of one, and may write its characters
 * with other escapes; so what is hashed are the characters that are meant.
 * Source: Telemetry API, records of type extension; encoding of JSON in Go.
 */
#include "protocol/event.h"

/* So many may be on their way back; of more the oldest are forgotten. */
#define OWN_LINES_MAX 1024

/* Undoes the escapes of JSON strings, a byte at a time. */
struct unescape {
    uint8_t state;
    uint16_t unit; /* of \uXXXX, as far as it has come */
};

/* All zero at first. */
struct own_lines {
    uint64_t hashes[OWN_LINES_MAX]; /* a ring; 0: none */
    uint32_t next;
    uint64_t forgotten; /* that were not seen to come back */
    /* of the line that is being written */
    struct unescape text;
    uint64_t hash;
};

/* A line of JSON is written: begin, its bytes in pieces, and end once all of them are written. */
void own_lines_begin(struct own_lines *o);
void own_lines_add(struct own_lines *o, struct span bytes);
void own_lines_end(struct own_lines *o);

/*
 * Whether the record of an extension's event is such a line; it is taken for one once.
 *
 * looks_so  whether it looks like one: else it is none, and for as many as were forgotten that is enough.
 */
bool own_lines_take(struct own_lines *o, const struct event *e, bool looks_so);

#endif
