#ifndef ERROR_TEXT_H
#define ERROR_TEXT_H
/*
 * What a code of system_error() means, for a log line. It knows the codes with which our files and sockets can
 * fail; the C library's texts for more than a hundred codes would be a hundredth of the whole program.
 *
 * Returns the text, or "error N" for any other, valid until the next call.
 */
const char *error_text(int code);

#endif
