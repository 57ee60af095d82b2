#ifndef LINE_FILE_H
#define LINE_FILE_H
/*
 * Small text files of the system, line by line; see protocol/lines.h for what a line is.
 */
#include "protocol/span.h"

/* Calls take for each line, which is valid until take returns. A file that cannot be read has no lines. */
void line_file_read(const char *path, void (*take)(void *context, struct span line), void *context);

#endif
