#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "lambda.h"
#include "protocol/event.h"

/*
 * What the program prints: lines that the platform collects, some of which come back as telemetry. Those on standard
 * error are dead letters.
 */

enum { LONGEST = 65536 };

static struct collected {
    char *text;
    size_t len, cap;
} files[2]; /* standard output and error */

/* No line may contain any of these: the values that plan.c sets or credentials.c hands out. */
static void
check_secrets(struct span line)
{
    static const char *const secrets[] = {"wJalrSECRET",   "tokenSECRET",        "fetchedSECRET",
                                          "fetchedTOKEN",  "authorizationTOKEN", "proxySECRET",
                                          "proxy%53ECRET", PLAN_PROXY_BASIC};

    for (size_t s = 0; s < sizeof secrets / sizeof *secrets; s++)
        if (span_find(line, span_of(secrets[s])) != NULL)
            world_break("secrets: %s in the line %.*s", secrets[s], (int)line.len, line.p);
}

static uint64_t bound;
static uint32_t letters[WORLD_RUNS];

bool
printed_many_letters(uint32_t sandbox)
{
    enum { KNOWN = 1000 };

    return letters[sandbox] > KNOWN;
}

uint64_t
printed_bound(void)
{
    return bound;
}

static void
look_for_bound(struct span line)
{
    static const struct span says = {"start: at most ", 15};
    const char *at = span_find(line, says);

    if (at == NULL)
        return;
    bound = 0;
    for (at += says.len; at < line.p + line.len && *at >= '0' && *at <= '9'; at++)
        bound = bound * 10 + (uint64_t)(*at - '0');
}

/* --- lines --------------------------------------------------------------------------------------------------- */

static void
line_came(int file, struct span line)
{
    bool whole = true;

    check_secrets(line);
    proxy_told(line);
    if (file == SYSTEM_ERROR_OUTPUT) {
        letters[world.sandbox]++;
        whole = letter_arrived(line);
        if (!whole && world.plan.kernel.pipe_full == 0)
            world_break("standard error: no dead letter: %.*s",
                        (int)(line.len < 300 ? line.len : 300), line.p);
    } else {
        if (line.len < 2 || line.p[0] != '{' || line.p[line.len - 1] != '}')
            world_break("standard output: no line of JSON: %.*s", (int)line.len, line.p);
        ledger_line(line);
        hold_line(line);
        look_for_bound(line);
    }
    /* a longer one would come back in pieces, which nobody could tell from those of another extension, nor a torn one */
    if (whole && (world.plan.types & EVENT_EXTENSION) != 0 && line.len < LONGEST &&
        books_len() < BOOKS_MAX - 1000)
        poster_event(functions_own_line(line));
}

static void
collect(struct collected *c, struct span bytes)
{
    if (c->cap - c->len < bytes.len) {
        c->cap = 2 * c->cap + bytes.len;
        c->text = realloc(c->text, c->cap);
        if (c->text == NULL)
            abort();
    }
    memcpy(c->text + c->len, bytes.p, bytes.len);
    c->len += bytes.len;
}

void
lambda_printed(int file, struct span bytes)
{
    struct collected *c = &files[file == SYSTEM_ERROR_OUTPUT];
    const char *newline;

    while (bytes.len > 0 && (newline = memchr(bytes.p, '\n', bytes.len)) != NULL) {
        collect(c, (struct span){bytes.p, (size_t)(newline - bytes.p)});
        bytes = span_skip(bytes, (size_t)(newline - bytes.p) + 1);
        line_came(file, (struct span){c->text, c->len});
        c->len = 0;
    }
    collect(c, bytes);
}

void
printed_begin(void)
{
    files[0].len = files[1].len = 0;
    bound = 0;
    letters[world.sandbox] = 0;
}
