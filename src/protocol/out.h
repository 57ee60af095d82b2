#ifndef OUT_H
#define OUT_H
/*
 * A cursor that writes into a buffer of fixed size and remembers overflow, so that a dozen appends
 * need one check. After an overflow nothing more is written, and out_end reports it.
 */
#include "protocol/span.h"

struct out {
    char *p;
    size_t cap;
    size_t len;
    bool full;
};

struct out out_to(char *buffer, size_t cap);

void out_put(struct out *o, struct span bytes);

void out_byte(struct out *o, char byte);

/* Decimal digits, no sign. */
void out_number(struct out *o, uint64_t number);

/* Decimal digits, filled up with zeros on the left to the given width. */
void out_padded(struct out *o, uint64_t number, unsigned width);

/* Two lower-case hexadecimal digits a byte. */
void out_hex(struct out *o, const uint8_t *bytes, size_t len);

/*
 * Bytes as the inside of a JSON string, without the quotes around it: quotation mark, backslash
 * and control characters escaped, all else as it is. Source: RFC 8259, section 7.
 */
void out_json(struct out *o, struct span bytes);

/*
 * Without a cursor: appends as much as there is room for to a buffer of cap bytes that holds len.
 * Returns the new length.
 */
size_t out_keep(char *buffer, size_t cap, size_t len, struct span bytes);

/* What was written so far; valid as long as the buffer. */
struct span out_span(const struct out *o);

/* Returns 0, or ERR_FULL when something did not fit. */
int out_end(const struct out *o);

#endif
