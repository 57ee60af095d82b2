#ifndef OWN_LINES_H
#define OWN_LINES_H
/*
 * Recognises the dead letters that we write to standard error when they come back to us, which they do
 * if `extension` is among the subscribed types. They contain nothing that identifies the writer, so a hash
 * of each is kept. It is kept after the line has come back, too: a POST whose answer was lost comes again.
 *
 * The platform delivers a line as a JSON value or as the text of one, and may use other escapes than the
 * original; the hash is therefore taken over the unescaped characters, as far as they are ASCII: one that was cut
 * in two comes back as another. A line that could not be written whole is one that may come back, too.
 * Source: Telemetry API, records of type extension; encoding of JSON in Go.
 */
#include "protocol/event.h"

/* Lines that may be on their way back; beyond that the oldest are forgotten. */
#define OWN_LINES_MAX 1024

/* Resolves the escapes of JSON strings, byte by byte. */
struct unescape {
    uint8_t state;
    uint16_t unit; /* of \uXXXX, the digits so far */
};

/* All zero at first. */
struct own_lines {
    /* a ring; 0: none; the lowest bit is set until the line comes back */
    uint64_t hashes[OWN_LINES_MAX];
    uint32_t next;
    uint64_t forgotten; /* without having come back */
    /* of the line being written */
    struct unescape text;
    uint64_t hash;
};

/* A line of JSON is being written: begin, its bytes in any number of calls, end once all are written. */
void own_lines_begin(struct own_lines *o);
void own_lines_add(struct own_lines *o, struct span bytes);
void own_lines_end(struct own_lines *o);

/*
 * Whether the record of an extension's event is such a line, for the first time or again.
 *
 * looks_so  whether the record looks like a dead letter. If not, it is not one; if so, that alone suffices once
 *           for each line that has been forgotten.
 */
bool own_lines_take(struct own_lines *o, const struct event *e, bool looks_so);

#endif
