#ifndef FORMAT_H
#define FORMAT_H
/*
 * The part of printf that log lines need. The C library's own would add floating point and wide
 * characters, a twentieth of the whole program.
 *
 *   %s  %.*s  %.Ns   text; with a precision at most that many bytes of it
 *   %u  %zu  %llu    unsigned numbers
 *   %d               signed numbers
 *   %%               a per cent sign
 */
#include <stdarg.h>

#include "protocol/out.h"

/*
 * Appends the text; what does not fit is cut off and o->full stays false.
 * Returns 0, or ERR_BAD when the format holds anything else, which is appended as it stands.
 */
int format_list(struct out *o, const char *format, va_list arguments);

/* The same with the arguments themselves. */
int format_text(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
