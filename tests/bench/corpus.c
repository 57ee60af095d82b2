#include "corpus.h"

#include <string.h>

#include "protocol/out.h"
#include "protocol/splitmix.h"

/* see corpus.h */

enum { LINES_OF_INVOCATION = 10, UUID_BYTES = 36, TRACE_BYTES = 35, LINE_MAX = 2048 };

struct source {
    uint64_t dice;
    uint64_t ms; /* of the day's first hours */
    unsigned line;
    bool cold;
    char request[UUID_BYTES];
    char trace[TRACE_BYTES];
};

/*
 * Messages: # is a number of up to five digits, $ money, @ an IPv4 address, % a short hexadecimal id, ! a word,
 * ~ a duration in milliseconds.
 */
static const char *const messages[] = {
    "Received order # from customer #",
    "Charged customer # with $ EUR by !",
    "Query took ~ ms, # rows returned",
    "GET /v1/orders/#/items 200 ~ ms",
    "POST /v1/customers/#/payments 201 ~ ms",
    "Cache miss for key session:%, reading from table !-sessions",
    "Request from @ accepted, token % expires in # s",
    "Retrying call to ! service, attempt 2 of 5, last error: ECONNRESET",
    "Wrote object s3://!-exports/2026/11/%.json (# bytes)",
    "Published event % to bus ! in ~ ms",
    "Validation of field ! failed: expected a number, got '%'",
    "Processed batch of # messages, # failed",
};

static const char *const words[] = {"inventory", "payment", "shipping", "billing",
                                    "catalog",   "invoice", "customer", "warehouse"};

static const char *const levels[] = {"INFO",  "INFO", "INFO", "INFO",
                                     "DEBUG", "INFO", "WARN", "INFO"};

static uint32_t
dice(struct source *s, uint32_t sides)
{
    return splitmix_next(&s->dice) % sides;
}

static void
hex(struct source *s, struct out *o, unsigned digits)
{
    for (; digits > 0; digits--)
        out_byte(o, "0123456789abcdef"[dice(s, 16)]);
}

static void
uuid(struct source *s, char id[UUID_BYTES])
{
    struct out o = out_to(id, UUID_BYTES);

    hex(s, &o, 8);
    out_byte(&o, '-');
    hex(s, &o, 4);
    out_put(&o, SPAN("-4"));
    hex(s, &o, 3);
    out_put(&o, SPAN("-a"));
    hex(s, &o, 3);
    out_byte(&o, '-');
    hex(s, &o, 12);
}

static void
trace(struct source *s, char id[TRACE_BYTES])
{
    struct out o = out_to(id, TRACE_BYTES);

    out_put(&o, SPAN("1-"));
    hex(s, &o, 8);
    out_byte(&o, '-');
    hex(s, &o, 24);
}

static void
place(struct source *s, struct out *o, char kind)
{
    static const uint32_t scales[] = {10, 100, 1000, 10000, 100000};

    if (kind == '#') {
        out_number(o, dice(s, scales[dice(s, 5)]));
    } else if (kind == '$' || kind == '~') {
        out_number(o, dice(s, kind == '$' ? 500 : 80));
        out_byte(o, '.');
        out_padded(o, dice(s, 100), 2);
    } else if (kind == '@') {
        out_put(o, SPAN("10.0."));
        out_number(o, dice(s, 256));
        out_byte(o, '.');
        out_number(o, dice(s, 256));
    } else if (kind == '%') {
        hex(s, o, 12);
    } else {
        out_put(o, span_of(words[dice(s, sizeof words / sizeof *words)]));
    }
}

static void
message(struct source *s, struct out *o)
{
    const char *text = messages[dice(s, sizeof messages / sizeof *messages)];

    for (; *text != 0; text++)
        if (strchr("#$@%!~", *text) != NULL)
            place(s, o, *text);
        else
            out_byte(o, *text);
}

static const char *
level(struct source *s)
{
    return levels[dice(s, sizeof levels / sizeof *levels)];
}

static void
time_of_day(const struct source *s, struct out *o)
{
    out_put(o, SPAN("2026-11-30T"));
    out_padded(o, s->ms / 3600000 % 24, 2);
    out_byte(o, ':');
    out_padded(o, s->ms / 60000 % 60, 2);
    out_byte(o, ':');
    out_padded(o, s->ms / 1000 % 60, 2);
    out_byte(o, '.');
    out_padded(o, s->ms % 1000, 3);
    out_byte(o, 'Z');
}

static struct span
request(const struct source *s)
{
    return (struct span){s->request, sizeof s->request};
}

static void
text_line(struct source *s, struct out *o)
{
    time_of_day(s, o);
    out_byte(o, '\t');
    out_put(o, request(s));
    out_byte(o, '\t');
    out_put(o, span_of(level(s)));
    out_byte(o, '\t');
    message(s, o);
}

static void
lambda_line(struct source *s, struct out *o)
{
    out_put(o, SPAN("{\"timestamp\":\""));
    time_of_day(s, o);
    out_put(o, SPAN("\",\"level\":\""));
    out_put(o, span_of(level(s)));
    out_put(o, SPAN("\",\"requestId\":\""));
    out_put(o, request(s));
    out_put(o, SPAN("\",\"message\":\""));
    message(s, o);
    out_put(o, SPAN("\"}"));
}

static void
powertools_line(struct source *s, struct out *o)
{
    out_put(o, SPAN("{\"level\":\""));
    out_put(o, span_of(level(s)));
    out_put(o, SPAN("\",\"location\":\"handler:"));
    out_number(o, 20 + dice(s, 12) * 7);
    out_put(o, SPAN("\",\"message\":\""));
    message(s, o);
    out_put(o, SPAN("\",\"timestamp\":\""));
    time_of_day(s, o);
    out_put(o, SPAN("\",\"service\":\"orders\",\"cold_start\":"));
    out_put(o, s->cold ? SPAN("true") : SPAN("false"));
    out_put(o,
            SPAN(",\"function_name\":\"orders-api-production\",\"function_memory_size\":\"512\","
                 "\"function_arn\":\"arn:aws:lambda:eu-central-1:123456789012:function:orders-api-"
                 "production\",\"function_request_id\":\""));
    out_put(o, request(s));
    out_put(o, SPAN("\",\"correlation_id\":\""));
    hex(s, o, 8);
    out_put(o, SPAN("\",\"order\":{\"id\":"));
    out_number(o, dice(s, 1000000));
    out_put(o, SPAN(",\"total\":"));
    place(s, o, '$');
    out_put(o, SPAN(",\"currency\":\"EUR\"},\"xray_trace_id\":\""));
    out_put(o, (struct span){s->trace, sizeof s->trace});
    out_put(o, SPAN("\"}"));
}

static void (*const lines[])(struct source *, struct out *) = {
    [CORPUS_TEXT] = text_line,
    [CORPUS_LAMBDA_JSON] = lambda_line,
    [CORPUS_POWERTOOLS] = powertools_line,
};

const char *
corpus_name(enum corpus corpus)
{
    static const char *const names[] = {[CORPUS_TEXT] = "text",
                                        [CORPUS_LAMBDA_JSON] = "Lambda JSON",
                                        [CORPUS_POWERTOOLS] = "Powertools"};

    return names[corpus];
}

static void
next_line(struct source *s, enum corpus corpus, struct out *o)
{
    if (s->line++ % LINES_OF_INVOCATION == 0) {
        s->cold = s->line == 1;
        s->ms += 50 + dice(s, 2000);
        uuid(s, s->request);
        trace(s, s->trace);
    }
    s->ms += dice(s, 20);
    lines[corpus](s, o);
    out_byte(o, '\n');
}

void
corpus_fill(enum corpus corpus, uint64_t seed, char *to, size_t len)
{
    struct source s = {.dice = seed, .ms = seed % 7200000};

    for (size_t at = 0; at < len;) {
        char line[LINE_MAX];
        struct out o = out_to(line, sizeof line);
        size_t n;

        next_line(&s, corpus, &o);
        n = o.len < len - at ? o.len : len - at;
        memcpy(to + at, line, n);
        at += n;
    }
}
