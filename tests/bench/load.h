#ifndef LOAD_H
#define LOAD_H
/*
 * The telemetry that the host posts: events of a function that logs in JSON.
 *
 *     {"time":"2026-11-20T10:00:00.951Z","type":"function","record":{"timestamp":"2026-11-20T10:00:00.951Z",
 *      "level":"INFO","requestId":"459921b5-681c-4a96-beb0-000000000007","message":"#00000042 order ..."}}
 *
 * or, of a function that logs objects, "message":{"id":"#00000042 ","path":"/orders/4711",...}.
 *
 * The level is WARN of one event in ten, of those whose number ends in 0.
 *
 * The value of message, quotes and escapes included, is what arrives in Kinesis, and has exactly the
 * size asked for. As many events as one POST may hold are written once; before each POST the times,
 * the request's id and the events' numbers are put into them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    size_t size;       /* bytes of a record in Kinesis */
    size_t events_len; /* events in all */
    size_t texts_len;  /* events in a POST at most */
    bool objects;      /* set after load_init: messages are objects */

    /* private */
    char *messages;  /* of each text: size bytes */
    char *text;      /* the events, a comma after each */
    size_t *begin;   /* of each event; and of what would follow the last */
    size_t stamp_at; /* in each event: the record's timestamp, level, request id, and number */
    size_t level_at, request_at, number_at;
    uint16_t *shape; /* of each event posted: which text it has */
};

/* Without any text yet. */
void load_init(struct load *l, size_t events, size_t size);

/*
 * Writes the texts.
 *
 * post_events, post_bytes  the most that one POST may hold.
 * strings                  the record is a string with the JSON object in it, as in schema 2022-07-01.
 */
void load_write(struct load *l, size_t post_events, size_t post_bytes, bool strings);

/* Events number first to first + len - 1, len <= texts_len: a comma after each but the last. */
const char *load_events(struct load *l, size_t first, size_t len, uint64_t request,
                        const char *time, size_t *bytes);

/* The whole record that event number id has become: writes size bytes. False before load_write. */
bool load_record(const struct load *l, size_t id, char *record);

/* The number at the beginning of a record of which len bytes are there; -1: it is none of ours. */
#define LOAD_ID_BYTES 18
int64_t load_id(const char *record, size_t len);

/* "2026-11-20T10:00:00.951Z", of now. */
#define LOAD_TIME_BYTES 24
void load_time(char time[LOAD_TIME_BYTES + 1]);

/* The request ids differ in their last digits. Writes 36 characters and a NUL. */
void load_request_id(char id[37], uint64_t request);

#endif
