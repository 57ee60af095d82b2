#ifndef FUNCTIONS_H
#define FUNCTIONS_H
/*
 * What a sandbox says: lines of a function in all sizes and shapes, the platform's own events, lines of extensions;
 * each as an event of the Telemetry API, entered in the books.
 */
#include "books.h"

/* The shapes of a life: the log format, whether text lines keep their newline, how Go writes JSON. */
void functions_begin(void);

/* A line of a function; request_id may be empty. Returns its number. */
uint32_t functions_line(struct span request_id);

/* A line of another extension. */
uint32_t functions_extension_line(void);

/* A line of another extension that looks like one of the program's, or like a dead letter. */
uint32_t functions_mimic(void);

/* A line that the program printed, without its newline: it comes back, and is not to be forwarded. */
uint32_t functions_own_line(struct span line);

/*
 * An event of the platform; the format writes the members of its record, to which one with the event's number is
 * added.
 */
uint32_t functions_platform(const char *type, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * What Lambda makes of the rest of a record that it has cut off at `at`, a place in the event's text: its envelope, a
 * quotation mark, and the rest. Returns whether that is an event, which is then entered and *number is its number;
 * otherwise *text is what it looks like, valid until the next is written.
 */
bool functions_rest(uint32_t of, size_t at, uint32_t *number, struct span *text);

/* Writes "2026-11-20T12:00:00.123Z", 24 bytes and a zero. */
void functions_time(uint64_t wall_ms, char *to);

#endif
