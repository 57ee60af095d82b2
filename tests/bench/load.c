/* see load.h */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"

/* An escape or a character of several bytes is never cut, being part of a word. */
static const char *const words[] = {
    "order",  "4711",         "accepted",    "customer", "in",   "took",    "12.7",
    "ms",     "\\\"late\\\"", "Zürich",      "retry",    "of",   "payment", "€",
    "queue",  "depth",        "3",           "cache",    "miss", "for",     "key",
    "user:9", "status",       "\\\"200\\\"", "東京",     "done",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

#define REQUEST_ID "459921b5-681c-4a96-beb0-000000000000"
#define A_TIME "2026-11-20T10:00:00.000Z"
#define BEFORE_RECORD "{\"time\":\"" A_TIME "\",\"type\":\"function\",\"record\":"
#define BEFORE_LEVEL "{\"timestamp\":\"" A_TIME "\",\"level\":\""
#define BEFORE_REQUEST BEFORE_LEVEL "INFO\",\"requestId\":\""
#define BEFORE_MESSAGE REQUEST_ID "\",\"message\":"
/* What is before a message's number. */
#define STRING "\"#"
#define OBJECT "{\"id\":\"#"
#define TIME_AT (sizeof("{\"time\":\"") - 1)
#define ID_DIGITS 8
#define ENVELOPE 512 /* an event without its message is smaller, strings or not */

static uint32_t
dice(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

/* "#00000000 words and digits", quotes included. */
static void
make_message(char *to, size_t size, uint32_t *state)
{
    size_t at = sizeof(STRING "00000000 ") - 1;

    memcpy(to, STRING "00000000 ", at);
    for (;;) {
        const char *word = words[dice(state) % WORDS];
        size_t len = strlen(word);

        if (at + len + 1 > size - 1)
            break;
        memcpy(to + at, word, len);
        to[at + len] = ' ';
        at += len + 1;
    }
    memset(to + at, '7', size - 1 - at);
    to[size - 1] = '"';
}

/* {"id":"#00000000 ","path":"/orders/4711",...}: the same members each time, and other values. */
static void
make_object(char *to, size_t size, uint32_t *state)
{
    static const char *const texts[] = {
        "order accepted, payment is pending", "order shipped to the customer",
        "stock reserved in the warehouse", "no stock left, order is waiting"};
    char text[256];
    int len = snprintf(
        text, sizeof(text),
        OBJECT "00000000 \",\"path\":\"/orders/%u\",\"status\":%u,\"ms\":%u.%u,\"customer\":"
               "\"c-%04u\",\"text\":\"",
        dice(state) % 10000, 200 + dice(state) % 3, dice(state) % 100, dice(state) % 10,
        dice(state) % 10000);
    size_t at = (size_t)len < size - 2 ? (size_t)len : size - 2;

    memcpy(to, text, at);
    while (at < size - 2) {
        const char *line = texts[dice(state) % 4];
        size_t n = strlen(line);

        n = n < size - 2 - at ? n : size - 2 - at;
        memcpy(to + at, line, n);
        at += n;
        if (at < size - 2)
            to[at++] = ' ';
    }
    memcpy(to + at, "\"}", 2);
}

/* Appends, escaped when it goes into a string. Returns the end. */
static char *
append(char *to, const char *bytes, size_t len, bool string)
{
    for (size_t i = 0; i < len; i++) {
        if (string && (bytes[i] == '"' || bytes[i] == '\\'))
            *to++ = '\\';
        *to++ = bytes[i];
    }
    return to;
}

/* Returns the event's end. Where its varying parts stand is the same in all. */
static char *
make_event(struct load *l, char *to, const char *message, bool string)
{
    char *at = append(to, BEFORE_RECORD, sizeof(BEFORE_RECORD) - 1, false);

    at = append(at, "\"", string, false);
    l->stamp_at = (size_t)(append(at, "{\"timestamp\":\"", 14, string) - to);
    l->level_at = (size_t)(append(at, BEFORE_LEVEL, sizeof(BEFORE_LEVEL) - 1, string) - to);
    at = append(at, BEFORE_REQUEST, sizeof(BEFORE_REQUEST) - 1, string);
    l->request_at = (size_t)(at - to);
    at = append(at, BEFORE_MESSAGE, sizeof(BEFORE_MESSAGE) - 1, string);
    l->number_at = l->objects ? (size_t)(append(at, OBJECT, sizeof(OBJECT) - 1, string) - to)
                              : (size_t)(append(at, STRING, sizeof(STRING) - 1, string) - to);
    at = append(at, message, l->size, string);
    at = append(at, "}\"", 1 + string, false);
    return append(at, "},", 2, false);
}

void
load_init(struct load *l, size_t events, size_t size)
{
    *l = (struct load){.size = size, .events_len = events};
    l->shape = calloc(events + 1, sizeof(l->shape[0]));
    if (!l->shape || size < 32 || events > 99999999)
        die("such a load cannot be made");
}

void
load_write(struct load *l, size_t post_events, size_t post_bytes, bool strings)
{
    size_t cap = post_events < UINT16_MAX ? post_events : UINT16_MAX;
    uint32_t state = 1;

    l->messages = malloc(cap * l->size);
    l->text = malloc(post_bytes + 2 * l->size + ENVELOPE);
    l->begin = calloc(cap + 1, sizeof(l->begin[0]));
    if (!l->messages || !l->text || !l->begin)
        die("no memory");
    while (l->texts_len < cap) {
        char *message = l->messages + l->texts_len * l->size;
        char *begin = l->text + l->begin[l->texts_len];

        (l->objects ? make_object : make_message)(message, l->size, &state);
        size_t end = (size_t)(make_event(l, begin, message, strings) - l->text);
        if (end > post_bytes)
            break;
        l->begin[++l->texts_len] = end;
    }
    if (l->texts_len == 0)
        die("no event fits into a POST");
}

static void
digits(char *to, size_t len, uint64_t value)
{
    while (len > 0) {
        to[--len] = (char)('0' + value % 10);
        value /= 10;
    }
}

const char *
load_events(struct load *l, size_t first, size_t len, uint64_t request, const char *time,
            size_t *bytes)
{
    char id[37];

    load_request_id(id, request);
    for (size_t i = 0; i < len; i++) {
        char *event = l->text + l->begin[i];

        memcpy(event + TIME_AT, time, LOAD_TIME_BYTES);
        memcpy(event + l->stamp_at, time, LOAD_TIME_BYTES);
        memcpy(event + l->level_at, (first + i) % 10 == 0 ? "WARN" : "INFO", 4);
        memcpy(event + l->request_at, id, 36);
        digits(event + l->number_at, ID_DIGITS, first + i);
        l->shape[first + i] = (uint16_t)i;
    }
    *bytes = l->begin[len] - 1;
    return l->text;
}

bool
load_record(const struct load *l, size_t id, char *record)
{
    if (!l->messages)
        return false;
    memcpy(record, l->messages + l->shape[id] * l->size, l->size);
    digits(record + (l->objects ? sizeof(OBJECT) : sizeof(STRING)) - 1, ID_DIGITS, id);
    return true;
}

int64_t
load_id(const char *record, size_t len)
{
    size_t begin = len > 0 && record[0] == '{' ? sizeof(OBJECT) - 1 : sizeof(STRING) - 1;
    int64_t id = 0;

    if (len < LOAD_ID_BYTES || record[begin - 1] != '#' || record[begin + ID_DIGITS] != ' ')
        return -1;
    for (size_t i = begin; i < begin + ID_DIGITS; i++) {
        if (record[i] < '0' || record[i] > '9')
            return -1;
        id = id * 10 + record[i] - '0';
    }
    return id;
}

void
load_time(char time[LOAD_TIME_BYTES + 1])
{
    struct timespec now;
    struct tm parts;
    char second[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(time, LOAD_TIME_BYTES + 1, "%.19s.%03uZ", second,
             (unsigned)(now.tv_nsec / 1000000) % 1000);
}

void
load_request_id(char id[37], uint64_t request)
{
    snprintf(id, 37, "%.24s%012" PRIu64, REQUEST_ID, request % 1000000000000);
}
