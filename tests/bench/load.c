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
    "order",     "4711",   "accepted", "customer", "in",      "took",   "12.7",   "ms",
    "\\\"late\\\"", "Zürich", "retry",    "of",       "payment", "€",      "queue",  "depth",
    "3",         "cache",  "miss",     "for",      "key",     "user:9", "status", "\\\"200\\\"",
    "東京",      "done",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

#define BEFORE_TIMESTAMP "\",\"type\":\"function\",\"record\":{\"timestamp\":\""
#define BEFORE_REQUEST "\",\"level\":\"INFO\",\"requestId\":\""
#define BEFORE_MESSAGE "\",\"message\":"
#define REQUEST_ID "459921b5-681c-4a96-beb0-000000000000"
#define A_TIME "2026-11-20T10:00:00.000Z"
#define PREFIX                                                                                     \
    "{\"time\":\"" A_TIME BEFORE_TIMESTAMP A_TIME BEFORE_REQUEST REQUEST_ID BEFORE_MESSAGE
#define AT_TIME (sizeof("{\"time\":\"") - 1)
#define AT_TIMESTAMP (AT_TIME + LOAD_TIME_BYTES + sizeof(BEFORE_TIMESTAMP) - 1)
#define AT_REQUEST (AT_TIMESTAMP + LOAD_TIME_BYTES + sizeof(BEFORE_REQUEST) - 1)
#define AT_MESSAGE (sizeof(PREFIX) - 1)
#define ID_DIGITS 8

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
    size_t at = LOAD_ID_BYTES;

    memcpy(to, "\"#00000000 ", LOAD_ID_BYTES);
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

static void
make_event(char *to, size_t size, uint32_t *state)
{
    memcpy(to, PREFIX, AT_MESSAGE);
    make_message(to + AT_MESSAGE, size, state);
    memcpy(to + AT_MESSAGE + size, "}},", 3);
}

void
load_init(struct load *l, size_t events, size_t size, size_t post_events, size_t post_bytes)
{
    uint32_t state = 1;

    *l = (struct load){.size = size, .events_len = events, .event_size = AT_MESSAGE + size + 3};
    l->texts_len = post_bytes / l->event_size;
    if (l->texts_len > post_events)
        l->texts_len = post_events;
    if (l->texts_len == 0 || l->texts_len > UINT16_MAX || size < 32 || events > 99999999)
        die("such a load cannot be made");
    l->text = malloc(l->texts_len * l->event_size);
    l->shape = calloc(events + 1, sizeof(l->shape[0]));
    if (!l->text || !l->shape)
        die("no memory");
    for (size_t i = 0; i < l->texts_len; i++)
        make_event(l->text + i * l->event_size, size, &state);
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
        char *event = l->text + i * l->event_size;

        memcpy(event + AT_TIME, time, LOAD_TIME_BYTES);
        memcpy(event + AT_TIMESTAMP, time, LOAD_TIME_BYTES);
        memcpy(event + AT_REQUEST, id, 36);
        digits(event + AT_MESSAGE + 2, ID_DIGITS, first + i);
        l->shape[first + i] = (uint16_t)i;
    }
    *bytes = len * l->event_size - 1;
    return l->text;
}

void
load_record(const struct load *l, size_t id, char *record)
{
    memcpy(record, l->text + l->shape[id] * l->event_size + AT_MESSAGE, l->size);
    digits(record + 2, ID_DIGITS, id);
}

int64_t
load_id(const char *record, size_t len)
{
    int64_t id = 0;

    if (len < LOAD_ID_BYTES || record[0] != '"' || record[1] != '#' || record[10] != ' ')
        return -1;
    for (size_t i = 2; i < 10; i++) {
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
