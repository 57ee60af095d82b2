#include "functions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lambda_api.h"
#include "protocol/event.h"

/* see functions.h */

/* What is written here: an event as it grows. Kept from life to life, since it only grows. */
static char *text;
static size_t text_len, text_cap;

/* Of this life. */
static bool json_format, newlines, as_go;

/* Of this line: the level that it tells. */
static enum { TELLS_NONE, TELLS_INFO, TELLS_ERROR } tells;

void
functions_begin(void)
{
    json_format = dice_chance(&world.function, 500) || world.plan.managed;
    newlines = dice_chance(&world.function, 500);
    as_go = dice_chance(&world.function, 700);
}

/* --- writing -------------------------------------------------------------------------------------- */

static void
put(struct span s)
{
    if (text_cap - text_len < s.len) {
        text_cap = 2 * text_cap + s.len + 65536;
        text = realloc(text, text_cap);
        if (text == NULL)
            abort();
    }
    memcpy(text + text_len, s.p, s.len);
    text_len += s.len;
}

static void
put_text(const char *s)
{
    put((struct span){s, strlen(s)});
}

static void __attribute__((format(printf, 1, 0))) put_list(const char *format, va_list arguments)
{
    char some[2048];
    int n = vsnprintf(some, sizeof some, format, arguments);

    if (n < 0 || (size_t)n >= sizeof some)
        abort();
    put((struct span){some, (size_t)n});
}

static void __attribute__((format(printf, 1, 2))) put_format(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_list(format, arguments);
    va_end(arguments);
}

/* Days since 1970 as year, month, day. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static void
civil(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    uint64_t of_era = z - era * 146097;
    uint64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    uint64_t m = (5 * of_year + 2) / 153;

    *day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = (unsigned)(y + era * 400 + (*month <= 2));
}

void
functions_time(uint64_t wall_ms, char *to)
{
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned ms = (unsigned)(wall_ms % 86400000);

    civil(wall_ms / 86400000, &year, &month, &day);
    snprintf(to, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000, month % 100, day % 100,
             ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

/* The time is written anew only when it is another. */
static void
begin_event(const char *type)
{
    static uint64_t last_ms;
    static char time[32];
    uint64_t now_ms = kernel_wall_ms();

    if (now_ms != last_ms)
        functions_time(now_ms, time);
    last_ms = now_ms;
    text_len = 0;
    put_text("{\"time\":\"");
    put_text(time);
    put_text("\",\"type\":\"");
    put_text(type);
    put_text("\",\"record\":");
}

/* The id of the event that is being written. */
static void
put_id(void)
{
    char id[16];

    put((struct span){id, books_id(books_len(), id)});
}

static uint32_t
enter(struct book *b)
{
    b->wanted = (world.plan.types & b->type) != 0;
    b->sandbox = world.sandbox;
    b->record_len = (uint32_t)(text_len - b->record - 1);
    return books_enter(b, (struct span){text, text_len});
}

/* --- contents ------------------------------------------------------------------------------------- */

/*
 * Pieces of text as they stand in JSON strings, as JavaScript and as Go write them: what is escaped, what is not,
 * what looks like JSON, telemetry or a mark of ours and is none.
 */
static const struct {
    const char *plain, *go;
} pieces[] = {
    {"the quick brown fox ", "the quick brown fox "},
    {"lorem ipsum dolor sit amet, ", "lorem ipsum dolor sit amet, "},
    {"0123456789", "0123456789"},
    {"GET /orders?id=7&x=<y> ", "GET /orders?id=7\\u0026x=\\u003cy\\u003e "},
    {"\xe2\x9c\x93 \xf0\x9f\x98\x80 \xc3\xa9\xc3\xa0 ",
     "\xe2\x9c\x93 \xf0\x9f\x98\x80 \xc3\xa9\xc3\xa0 "},
    {"\\ud83d\\ude00 ", "\xf0\x9f\x98\x80 "},
    {"\\\"quoted\\\" ", "\\\"quoted\\\" "},
    {"C:\\\\path\\\\new ", "C:\\\\path\\\\new "},
    {"tab\\tline\\nreturn\\r ", "tab\\tline\\nreturn\\r "},
    {"\\u0000\\u001b[31m ", "\\u0000\\u001b[31m "},
    {"\\ufffd ", "\\ufffd "}, /* what was not UTF-8 */
    {"\xe2\x80\xa8 ", "\\u2028 "},
    {"},{ ]} ", "},{ ]} "},
    {"{\\\"time\\\":\\\"2026-11-20T10:00:00.000Z\\\",\\\"type\\\":\\\"platform.runtimeDone\\\",",
     "{\\\"time\\\":\\\"2026-11-20T10:00:00.000Z\\\",\\\"type\\\":\\\"platform.runtimeDone\\\","},
    {"...[truncated 12 bytes] ", "...[truncated 12 bytes] "},
    {"# #12 12# ", "# #12 12# "},
};

static void
put_pieces(uint32_t bytes)
{
    size_t until = text_len + bytes;
    uint32_t last = dice_below(&world.function, sizeof pieces / sizeof *pieces);

    while (text_len < until) {
        if (dice_chance(&world.function, 400))
            last = dice_below(&world.function, sizeof pieces / sizeof *pieces);
        put_text(as_go ? pieces[last].go : pieces[last].plain);
    }
}

/* Where lines may be long, some are as long as a record may be, or longer than maxBytes. */
static uint32_t
draw_bytes(void)
{
    if (world.plan.event_bytes > 100000 && dice_chance(&world.function, 30))
        return dice_between(&world.function, 1047000, 1050000);
    return dice_magnitude(&world.function, 1, world.plan.event_bytes);
}

/* A JSON string with the id at its beginning. */
static void
put_string(struct book *b, bool may_end)
{
    put_text("\"");
    put_id();
    put_pieces(draw_bytes());
    if (dice_chance(&world.function, 100))
        put_text("\\\\n"); /* a backslash and an n, no newline */
    b->newline = may_end && newlines;
    if (b->newline)
        put_text("\\n");
    put_text("\"");
}

/* A number has no room for an id, but is one of its own. */
static void
put_number(struct book *b)
{
    b->nameless = true;
    put_format("%u", 1000000000 + books_len());
}

static void
put_value(struct book *b)
{
    switch (dice_below(&world.function, 10)) {
    case 0:
        put_number(b);
        return;
    case 1:
        put_text("{\"massage\":\"");
        put_id();
        put_text("\",\"a\":[1,2.5e-3,null,true,{\"message\":1}]}");
        return;
    case 2:
        put_text("[\"");
        put_id();
        put_text("\", [], {\"x\":\"]\"} ]");
        return;
    default:
        put_string(b, false);
    }
}

static void
put_message(struct book *b)
{
    put_text("\"message\":");
    b->message = (uint32_t)text_len;
    put_value(b);
    b->message_len = (uint32_t)text_len - b->message;
}

/* A record of the runtimes' JSON log format, or what a function printed that is JSON. */
static void
put_object(struct book *b, struct span request_id)
{
    bool first = dice_chance(&world.function, 300);
    bool without = dice_chance(&world.function, 150);

    put_text("{");
    if (first && !without) {
        put_message(b);
        put_text(",");
    }
    tells = dice_chance(&world.function, 800) ? TELLS_INFO : TELLS_ERROR;
    put_format("\"timestamp\":\"2026-11-20T12:00:00.000Z\",\"level\":\"%s\"",
               tells == TELLS_INFO ? "INFO" : "ERROR");
    if (request_id.len > 0 && dice_chance(&world.function, 800))
        put_format(",\"requestId\":\"%.*s\"", (int)request_id.len, request_id.p);
    if (without) {
        put_text(",\"inner\":{\"message\":\"of no concern\"},\"id\":\"");
        put_id();
        put_text(dice_chance(&world.function, 500) ? "\",\"message\":null" : "\"");
    } else if (!first) {
        put_text(",");
        put_message(b);
    }
    put_text("}");
}

static void
put_text_record(struct book *b)
{
    if (dice_chance(&world.function, 20)) {
        b->nameless = b->blank = true;
        b->newline = newlines;
        put_text(newlines ? "\"\\n\"" : "\"\"");
        return;
    }
    put_string(b, true);
}

static uint32_t
write_line(const char *type, enum event_type of, struct span request_id)
{
    struct book b = {.type = (uint8_t)of};

    if (request_id.len > 0 && request_id.len < sizeof b.request && !world.plan.managed)
        memcpy(b.request, request_id.p, request_id.len);
    begin_event(type);
    b.record = (uint32_t)text_len;
    tells = TELLS_NONE;
    if (json_format && dice_chance(&world.function, 800))
        put_object(&b, request_id);
    else if (json_format && dice_chance(&world.function, 100))
        put_value(&b);
    else
        put_text_record(&b);
    b.quiet = world.plan.selects && tells != TELLS_ERROR &&
              (tells == TELLS_INFO || !world.plan.level_alone);
    put_text("}");
    return enter(&b);
}

uint32_t
functions_line(struct span request_id)
{
    return write_line("function", EVENT_FUNCTION, request_id);
}

/*
 * What looks like a line of the program, or like a dead letter, and is another extension's: one that copies lines to
 * where it wants to have them, say.
 */
static void
put_mimic(struct book *b)
{
    static const char *const texts[] = {
        "\"{\\\"time\\\":\\\"2026-11-01T10:00:00.000Z\\\",\\\"level\\\":\\\"info\\\","
        "\\\"logger\\\":\\\"" LAMBDA_EXTENSION "\\\",\\\"message\\\":\\\"",
        "\"seen: {\\\"logger\\\":\\\"" LAMBDA_EXTENSION "\\\"} {\\\"at\\\":\\\"",
        "\"{\\\"Data\\\":\\\"",
    };
    /* of the latter the program need not tell apart thousands: own_lines.h */
    uint32_t which = dice_below(&world.function, world.plan.events <= 100 ? 3 : 2);

    b->letter = which == 2;
    if (!json_format || dice_chance(&world.function, 500)) {
        put_text(texts[which]);
        put_id();
        put_text(which == 2 ? "\\\",\\\"PartitionKey\\\":\\\"key\\\"}\"" : "\\\"}\"");
    } else if (which == 2) {
        put_text("{\"Data\":\"");
        put_id();
        put_text("\",\"PartitionKey\":\"key\"}");
    } else {
        put_text("{\"time\":\"2026-11-01T10:00:00.000Z\",\"level\":\"info\",\"logger\":"
                 "\"" LAMBDA_EXTENSION "\",");
        put_message(b);
        put_text("}");
    }
}

uint32_t
functions_mimic(void)
{
    struct book b = {.type = EVENT_EXTENSION, .quiet = world.plan.selects};

    begin_event("extension");
    b.record = (uint32_t)text_len;
    put_mimic(&b);
    put_text("}");
    return enter(&b);
}

uint32_t
functions_extension_line(void)
{
    return write_line("extension", EVENT_EXTENSION, (struct span){NULL, 0});
}

uint32_t
functions_platform(const char *type, const char *format, ...)
{
    struct book b = {.type = EVENT_PLATFORM};
    va_list arguments;

    begin_event(type);
    b.record = (uint32_t)text_len;
    put_text("{");
    va_start(arguments, format);
    put_list(format, arguments);
    va_end(arguments);
    put_text("\"simulated\":\"");
    put_id();
    put_text("\"}}");
    world_say("platform", "%u is %s %.*s", books_len(), type + sizeof "platform." - 1,
              (int)(text_len - b.record - 1), text + b.record);
    return enter(&b);
}

/* Whether this is one JSON string and nothing else. */
static bool
one_string(struct span s)
{
    size_t i = 1;

    while (i < s.len && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i + 1 == s.len;
}

static bool
ends_in_newline(struct span string)
{
    size_t slashes = 0;

    if (string.len < 4 || string.p[string.len - 2] != 'n')
        return false;
    while (string.p[string.len - 3 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

bool
functions_rest(uint32_t of, size_t at, uint32_t *number, struct span *rest)
{
    const struct book *cut = books_at(of);
    struct span whole = books_text(of);
    struct book b = {
        .type = cut->type, .nameless = true, .quiet = world.plan.selects, .record = cut->record};
    struct span record;

    text_len = 0;
    put((struct span){whole.p, cut->record});
    put(SPAN("\""));
    put(span_skip(whole, at));
    *rest = (struct span){text, text_len};
    record = (struct span){text + b.record, text_len - b.record - 1};
    if (!one_string(record))
        return false;
    b.newline = ends_in_newline(record);
    *number = enter(&b);
    return true;
}

/* As the platform writes the line of any extension: an object if it is one and the log format is JSON. */
uint32_t
functions_own_line(struct span line)
{
    struct book b = {.type = EVENT_EXTENSION, .nameless = true, .quiet = world.plan.selects};

    begin_event("extension");
    b.record = (uint32_t)text_len;
    if (json_format && line.len > 0 && line.p[0] == '{') {
        put(line);
    } else {
        put_text("\"");
        for (size_t i = 0; i < line.len; i++) {
            if (line.p[i] == '"' || line.p[i] == '\\')
                put_text("\\");
            if ((unsigned char)line.p[i] < 32)
                put_format("\\u%04x", (unsigned char)line.p[i]);
            else
                put((struct span){line.p + i, 1});
        }
        put_text(newlines ? "\\n\"" : "\"");
        b.newline = newlines;
    }
    put_text("}");
    b.record_len = (uint32_t)(text_len - b.record - 1);
    b.sandbox = world.sandbox;
    return books_enter(&b, (struct span){text, text_len});
}
