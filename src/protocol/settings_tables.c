#include "protocol/settings_tables.h"

#include <stddef.h>

#include "protocol/check.h"
#include "protocol/format.h"

/* see settings_tables.h */

/* --- words --- */

/* Texts lie in the tables themselves, since each pointer would take as much room again. */
struct word {
    char name[24];
    char allowed[32]; /* as a complaint lists them, in the order of the enumeration, from 0 on */
    uint16_t at;      /* in the settings */
    uint16_t preset;
};

/* A value of an enumeration is the place of its word in the list. */
_Static_assert(LOG_ERROR == 0 && LOG_WARN == 1 && LOG_INFO == 2 && LOG_DEBUG == 3, "");
_Static_assert(EVENT_MESSAGE == 0 && EVENT_VERBATIM == 1 && EVENT_ENRICHED == 2, "");
_Static_assert(FLUSH_END == 0 && FLUSH_CONTINUOUS == 1 && FLUSH_ADAPTIVE == 2, "");
_Static_assert(OVERSIZE_TRUNCATE == 0 && OVERSIZE_SPLIT == 1 && OVERSIZE_DROP == 2, "");
_Static_assert(WHEN_FULL_NEWEST == 0 && WHEN_FULL_OLDEST == 1, "");
_Static_assert(METRICS_NONE == 0 && METRICS_EMF == 1, "");
_Static_assert(WIRE_CBOR == 0 && WIRE_JSON == 1, "");

#define WORD(name, member, allowed, preset)                                                        \
    {                                                                                              \
        name, allowed, offsetof(struct settings, member), preset                                   \
    }
/* and is written as an unsigned */
#define IS_WORD(member) sizeof((struct settings *)NULL)->member == sizeof(unsigned)
_Static_assert(IS_WORD(log_level) && IS_WORD(format) && IS_WORD(flush) && IS_WORD(oversize) &&
                   IS_WORD(drop) && IS_WORD(metrics) && IS_WORD(wire),
               "");

static const struct word words[] = {
    WORD("TELEMETRY_LOG_LEVEL", log_level, "error, warn, info, debug", LOG_WARN),
    WORD("TELEMETRY_RECORD_FORMAT", format, "message, event, enriched", EVENT_MESSAGE),
    WORD("TELEMETRY_FLUSH", flush, "end, continuous, adaptive", FLUSH_ADAPTIVE),
    WORD("TELEMETRY_OVERSIZE", oversize, "truncate, split, drop", OVERSIZE_TRUNCATE),
    WORD("TELEMETRY_DROP", drop, "newest, oldest", WHEN_FULL_NEWEST),
    WORD("TELEMETRY_METRICS", metrics, "none, emf", METRICS_NONE),
    WORD("TELEMETRY_WIRE", wire, "cbor, json", WIRE_CBOR),
};

static unsigned
read_word(const struct settings_source *source, const struct word *w)
{
    struct span value = settings_source_get(source, w->name);
    struct span rest = span_of(w->allowed);
    char used[16];
    struct out o = out_to(used, sizeof used);

    for (unsigned i = 0; rest.p != NULL; i++) {
        struct span word = span_trim(span_cut(rest, ',', &rest));

        if (span_same(value, word))
            return i;
        if (i == w->preset)
            out_put(&o, word);
    }
    CHECK(o.len > 0 && o.len < sizeof used);
    out_byte(&o, '\0');
    if (value.len > 0)
        settings_source_refuse(source, w->name, value, w->allowed, used);
    return w->preset;
}

/* --- numbers --- */

struct number {
    char name[29];
    uint16_t at; /* in the settings */
    uint32_t preset, least, most;
};

/* Source: SDK reference, smart configuration defaults: so much for a connection to another region. */
enum { FAR_TIMEOUT_MS = 3100 };

/* Source: Telemetry API, buffering. */
enum { BUFFER_TIMEOUT_LEAST_MS = 25 };

#define NUMBER(name, member, preset, least, most)                                                  \
    {                                                                                              \
        name, offsetof(struct settings, member), preset, least, most                               \
    }
static const struct number numbers[] = {
    NUMBER("TELEMETRY_FLUSH_BUDGET_MS", flush_budget_ms, 500, 0, 900000),
    NUMBER("TELEMETRY_HOLD_SILENCE_MS", hold_silence_ms, 0, 0, 5400000),
    NUMBER("TELEMETRY_BUFFER_TIMEOUT_MS", buffer_timeout_ms, BUFFER_TIMEOUT_LEAST_MS,
           BUFFER_TIMEOUT_LEAST_MS, 30000),
    NUMBER("TELEMETRY_BUFFER_MAX_BYTES", buffer_max_bytes, 1048576, 262144, 1048576),
    NUMBER("TELEMETRY_BUFFER_MAX_ITEMS", buffer_max_items, 10000, 1000, 10000),
    NUMBER("TELEMETRY_QUEUE_MAX_BYTES", queue_max_bytes, 4194304, 65536, 1073741824),
    NUMBER("TELEMETRY_LISTENER_PORT", listener_port, 4243, 1, 65535),
    NUMBER("TELEMETRY_CONNECT_TIMEOUT_MS", connect_timeout_ms, 500, 1, 60000),
    NUMBER("TELEMETRY_REQUEST_TIMEOUT_MS", request_timeout_ms, 500, 1, 60000),
    NUMBER("AWS_MAX_ATTEMPTS", max_attempts, 5, 1, 100),
};

/* How long a peer may take is longer by default where that is far away. */
static uint32_t
preset_of(const struct settings *s, const struct number *n)
{
    bool timeout = n->at == offsetof(struct settings, connect_timeout_ms) ||
                   n->at == offsetof(struct settings, request_timeout_ms);

    return timeout && !span_same(s->region, s->function_region) ? FAR_TIMEOUT_MS : n->preset;
}

static void
refuse_number(const struct settings_source *source, const struct number *n, struct span value,
              const char *less, uint32_t preset)
{
    char allowed[48], used[16];
    struct out o = out_to(allowed, sizeof allowed);

    (void)format_text(&o, "%u to %u%s", n->least, n->most, less);
    out_byte(&o, '\0');
    o = out_to(used, sizeof used);
    out_number(&o, preset);
    out_byte(&o, '\0');
    settings_source_refuse(source, n->name, value, allowed, used);
}

static void
read_number(struct settings *s, const struct settings_source *source, const struct number *n)
{
    /* the platform's own port. Source: Telemetry API, destination */
    enum { PLATFORM_PORT = 9001 };
    bool port = n->at == offsetof(struct settings, listener_port);
    struct span value = settings_source_get(source, n->name);
    uint32_t preset = preset_of(s, n);
    uint64_t number = preset;

    if (value.len > 0 && (span_number(value, n->most, &number) != 0 || number < n->least ||
                          (port && number == PLATFORM_PORT))) {
        refuse_number(source, n, value, port ? ", less 9001" : "", preset);
        number = preset;
    }
    CHECK(number >= n->least && number <= n->most);
    *(uint32_t *)(void *)((char *)s + n->at) = (uint32_t)number;
}

/*
 * The end of an invocation is told as late as the platform holds telemetry back, so a budget that is
 * shorter could not be kept; where nothing is held it does not matter.
 */
static void
bound_buffering(struct settings *s, const struct settings_source *source)
{
    static const char name[] = "TELEMETRY_BUFFER_TIMEOUT_MS";
    uint32_t most = s->flush_budget_ms;
    char allowed[64], used[16];
    struct out o = out_to(allowed, sizeof allowed);

    if (most < BUFFER_TIMEOUT_LEAST_MS)
        most = BUFFER_TIMEOUT_LEAST_MS;
    if (s->flush == FLUSH_CONTINUOUS || s->buffer_timeout_ms <= most)
        return;
    (void)format_text(&o, "at most TELEMETRY_FLUSH_BUDGET_MS, %u", s->flush_budget_ms);
    out_byte(&o, '\0');
    o = out_to(used, sizeof used);
    out_number(&o, most);
    out_byte(&o, '\0');
    settings_source_refuse(source, name, settings_source_get(source, name), allowed, used);
    s->buffer_timeout_ms = most;
}

void
settings_tables_read(struct settings *s, const struct settings_source *source)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *(unsigned *)(void *)((char *)s + words[i].at) = read_word(source, &words[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        read_number(s, source, &numbers[i]);
    bound_buffering(s, source);
}
