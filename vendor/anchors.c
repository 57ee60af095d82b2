/*
 * usage: anchors -q FILE      the certificates in FILE (PEM) as a table in C
 *
 * The part of the command line tool of BearSSL that does so, without the rest of that tool. Runs during the build.
 */
#include <strings.h>

/* Of its command "ta". Arguments as the tool's main has them, less its own two. Returns 0, or what main is to return. */
int do_ta(int argc, char *argv[]);

/* The tool compares the names of options and PEM objects by this one; its own passes over hyphens and blanks as well. */
int eqstr(const char *a, const char *b);

int
eqstr(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

int
main(int argc, char *argv[])
{
    return do_ta(argc - 1, argv + 1);
}
