#ifndef UTF8_H
#define UTF8_H
/*
 * Where characters begin and end in UTF-8. Source: RFC 3629, section 4.
 */
#include "protocol/span.h"

/*
 * The length of the character that s begins with, 1..4; 0 when these bytes are not a character: an overlong
 * form, a surrogate, beyond U+10FFFF, cut short by the end, a byte out of place, or s is empty.
 */
size_t utf8_char(struct span s);

#endif
