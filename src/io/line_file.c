#include "io/line_file.h"

#include "io/system.h"
#include "protocol/lines.h"

/* see line_file.h */

void
line_file_read(const char *path, void (*take)(void *context, struct span line), void *context)
{
    struct lines lines;
    char bytes[512];
    int64_t n = 0;
    int file = system_open(path);

    lines.len = 0;
    lines.too_long = false;
    do {
        struct span in = SPAN("\n"); /* the file's last line may lack it */
        struct span line;

        n = file < 0 ? 0 : system_read(file, bytes, sizeof bytes);
        if (n > 0)
            in = (struct span){bytes, (size_t)n};
        while (lines_next(&lines, &in, &line))
            take(context, line);
    } while (n > 0);
    if (file >= 0)
        system_close(file);
}
