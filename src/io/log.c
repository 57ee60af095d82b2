#include "io/log.h"

#include <stdarg.h>

#include "io/clock.h"
#include "protocol/format.h"
#include "protocol/timestamp.h"
#include "protocol/utf8.h"

/* see log.h */

/* How long lines that should not be missing wait for room. */
enum { ALWAYS_WAIT_MS = 40, RAW_WAIT_MS = 10 };

static enum log_level least = LOG_WARN;
static void (*diverted)(enum log_level level, struct span message);

static uint64_t moments[LOG_MOMENTS]; /* a ring; 0: none yet */
static unsigned latest;
static uint64_t earliest; /* of all */

static void
remember(uint64_t ms)
{
    if (moments[latest] == ms)
        return;
    latest = (latest + 1) % LOG_MOMENTS;
    moments[latest] = ms;
    if (earliest == 0 || ms < earliest)
        earliest = ms;
}

bool
log_wrote_at(uint64_t ms)
{
    uint64_t oldest = moments[(latest + 1) % LOG_MOMENTS];

    for (unsigned i = 0; i < LOG_MOMENTS; i++)
        if (moments[i] == ms)
            return true;
    return ms < oldest && ms >= earliest;
}

void
log_divert(void (*to)(enum log_level level, struct span message))
{
    diverted = to;
}

void
log_set_level(enum log_level level)
{
    least = level;
}

bool
log_prints(enum log_level level)
{
    return level <= least;
}

/* Each run of bytes that are not UTF-8, sent by a peer or left by a cut, becomes one U+FFFD. */
void
log_text(struct out *o, struct span text)
{
    while (text.len > 0) {
        size_t good = 0;
        size_t len;

        while ((len = utf8_char(span_skip(text, good))) > 0)
            good += len;
        out_json(o, (struct span){text.p, good});
        text = span_skip(text, good);
        if (text.len > 0)
            out_put(o, SPAN("\xef\xbf\xbd"));
        while (text.len > 0 && utf8_char(text) == 0)
            text = span_skip(text, 1);
    }
}

static void
print(enum log_level level, struct span message, struct span members, uint32_t wait_ms)
{
    static const char names[][6] = {"error", "warn", "info", "debug"};
    char line[SYSTEM_PRINT_BYTES];
    char time[24];
    struct out o = out_to(line, sizeof line);
    uint64_t now = clock_wall_ms();

    if (diverted != NULL) {
        diverted(level, message);
        return;
    }
    remember(now);
    timestamp_rfc3339(now, time);
    out_put(&o, SPAN("{\"time\":\""));
    out_put(&o, (struct span){time, sizeof time});
    out_put(&o, SPAN("\",\"level\":\""));
    out_put(&o, span_of(names[level]));
    out_put(&o, SPAN("\",\"logger\":\"" LOG_LOGGER "\",\"message\":\""));
    log_text(&o, message);
    out_byte(&o, '"');
    if (members.len > 0) {
        out_byte(&o, ',');
        out_put(&o, members);
    }
    out_put(&o, SPAN("}\n"));
    if (out_end(&o) == 0)
        (void)system_print(SYSTEM_OUTPUT, out_span(&o), wait_ms);
}

void
log_line(enum log_level level, const char *format, ...)
{
    char message[1500];
    struct out o = out_to(message, sizeof message);
    va_list arguments;

    if (!log_prints(level))
        return;
    va_start(arguments, format);
    (void)format_list(&o, format, arguments);
    va_end(arguments);
    print(level, out_span(&o), (struct span){NULL, 0}, 0);
}

void
log_always(const char *message, struct span members)
{
    print(LOG_INFO, span_of(message), members, ALWAYS_WAIT_MS);
}

void
log_raw(struct span line)
{
    char text[SYSTEM_PRINT_BYTES];
    struct out o = out_to(text, sizeof text);

    out_put(&o, line);
    out_byte(&o, '\n');
    if (out_end(&o) == 0)
        (void)system_print(SYSTEM_OUTPUT, out_span(&o), RAW_WAIT_MS);
}
