#ifndef ERROR_TEXT_H
#define ERROR_TEXT_H
/*
 * What a code of system_error() means, for a log line: those that files and sockets can end in here. The C library
 * has a text for each of more than a hundred, which is a hundredth of the whole program.
 *
 * Returns the text, or "error N" for any other, valid until the next call.
 */
const char *error_text(int code);

#endif
