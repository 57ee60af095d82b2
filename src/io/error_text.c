#include "io/error_text.h"

#include <errno.h>
#include <stddef.h>

#include "protocol/out.h"

/* see error_text.h */

/* In place of pointers to the texts, each of which would take more room than its text. */
static const struct {
    unsigned char code;
    char text[31];
} texts[] = {
    {EPERM, "Operation not permitted"},
    {ENOENT, "No such file or directory"},
    {EIO, "I/O error"},
    {ENOMEM, "Out of memory"},
    {EACCES, "Permission denied"},
    {ENOTDIR, "Not a directory"},
    {EISDIR, "Is a directory"},
    {EINVAL, "Invalid argument"},
    {ENFILE, "Too many open files in system"},
    {EMFILE, "Too many open files"},
    {EPIPE, "Broken pipe"},
    {ENAMETOOLONG, "Filename too long"},
    {ELOOP, "Symbolic link loop"},
    {EAFNOSUPPORT, "Address family not supported"},
    {EADDRINUSE, "Address in use"},
    {EADDRNOTAVAIL, "Address not available"},
    {ENETDOWN, "Network is down"},
    {ENETUNREACH, "Network unreachable"},
    {ECONNABORTED, "Connection aborted"},
    {ECONNRESET, "Connection reset by peer"},
    {ENOBUFS, "No buffer space available"},
    {ETIMEDOUT, "Operation timed out"},
    {ECONNREFUSED, "Connection refused"},
    {EHOSTUNREACH, "Host is unreachable"},
};

const char *
error_text(int code)
{
    static char other[] = "error 4294967295";
    struct out o = out_to(other, sizeof other - 1);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    out_put(&o, SPAN("error "));
    out_number(&o, (unsigned)code);
    other[o.len] = '\0';
    return other;
}
