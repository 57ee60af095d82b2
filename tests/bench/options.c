/* see options.h */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "net.h"

struct options o = {.log = "/dev/null",
                    .size = 200,
                    .per_invocation = 1000,
                    .post_events = 1000,
                    .one_in = 1,
                    .post_bytes = 262144,
                    .patience_s = 60,
                    .limit_s = 120};

static const struct {
    const char *name;
    const char **text;
    unsigned long *number;
} options[] = {
    {"--certificate", &o.certificate, NULL},
    {"--key", &o.key, NULL},
    {"--ca", &o.ca, NULL},
    {"--log", &o.log, NULL},
    {"--settings", &o.settings, NULL},
    {"--events", NULL, &o.events},
    {"--size", NULL, &o.size},
    {"--per-invocation", NULL, &o.per_invocation},
    {"--post-events", NULL, &o.post_events},
    {"--post-bytes", NULL, &o.post_bytes},
    {"--objects", NULL, &o.objects},
    {"--one-in", NULL, &o.one_in},
    {"--delay-ms", NULL, &o.delay_ms},
    {"--idle-ms", NULL, &o.idle_ms},
    {"--patience-s", NULL, &o.patience_s},
    {"--limit-s", NULL, &o.limit_s},
};

static unsigned long
number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0')
        die("not a number: %s", text);
    return value;
}

static void
parse_marks(char *list)
{
    for (char *one = strtok(list, ","); one && o.marks_len < MARKS_MAX; one = strtok(NULL, ","))
        o.marks[o.marks_len++] = number(one);
}

void
options_parse(char **at)
{
    for (; at[0]; at += 2) {
        size_t i = 0;

        if (!at[1])
            die("%s needs a value", at[0]);
        if (strcmp(at[0], "--marks") == 0) {
            parse_marks(at[1]);
            continue;
        }
        while (i < sizeof(options) / sizeof(options[0]) && strcmp(options[i].name, at[0]) != 0)
            i++;
        if (i == sizeof(options) / sizeof(options[0]))
            die("no such option: %s", at[0]);
        if (options[i].text)
            *options[i].text = at[1];
        else
            *options[i].number = number(at[1]);
    }
}
