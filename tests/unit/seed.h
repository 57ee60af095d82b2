#ifndef SEED_H
#define SEED_H
/*
 * The rows of the tables are where fuzzing begins: with SEEDS=FOLDER in the environment a test
 * leaves the input of each row as a file FOLDER/<target>/<hash>, for tests/fuzz/fuzz_<target>.c.
 * Otherwise these calls do nothing.
 */
#include "protocol/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static inline void
seed(const char *target, struct span input)
{
    const char *folder = getenv("SEEDS");
    uint64_t hash = 14695981039346656037u; /* FNV-1a: the same input is the same file */
    char path[512];
    FILE *file;

    if (folder == NULL)
        return;
    for (size_t i = 0; i < input.len; i++)
        hash = (hash ^ (unsigned char)input.p[i]) * 1099511628211u;
    snprintf(path, sizeof path, "%s/%s", folder, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%016llx", folder, target, (unsigned long long)hash);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(input.p, 1, input.len, file) != input.len || fclose(file) != 0)
        abort();
}

#endif
