#include "mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* see mutant.h; linked beside what is broken, which knows no environment */

unsigned mutant;
unsigned char mutants_reached[MUTANTS_MAX];

static void
limit(int resource, const char *most)
{
    struct rlimit r = {.rlim_cur = strtoul(most, NULL, 10)};

    r.rlim_max = r.rlim_cur;
    setrlimit(resource, &r);
}

/* Seconds of processor time: how long it takes does not depend on what else runs. And no mutant takes all memory. */
__attribute__((constructor)) static void
choose(void)
{
    const char *number = getenv("MUTANT");
    const char *seconds = getenv("MUTANT_SECONDS");

    if (number != NULL)
        mutant = (unsigned)strtoul(number, NULL, 10);
    if (seconds != NULL)
        limit(RLIMIT_CPU, seconds);
    limit(RLIMIT_AS, "4294967296");
    limit(RLIMIT_CORE, "0");
}

__attribute__((destructor)) static void
tell(void)
{
    const char *path = getenv("MUTANTS_REACHED");
    FILE *file = path == NULL ? NULL : fopen(path, "wb");

    if (file == NULL)
        return;
    fwrite(mutants_reached, 1, sizeof mutants_reached, file);
    fclose(file);
}
