#ifndef LOAD_H
#define LOAD_H
/*
 * The telemetry that the host posts: events of a function that logs in JSON.
 *
 *     {"time":"2026-11-20T10:00:00.951Z","type":"function","record":{"timestamp":"2026-11-20T10:00:00.951Z",
 *      "level":"INFO","requestId":"459921b5-681c-4a96-beb0-000000000007","message":"#00000042 order ..."}}
 *
 * The value of message, quotes and escapes included, is what arrives in Kinesis, and has exactly the
 * size asked for. As many texts as one POST may hold are made once; before each POST the times, the
 * request's id and the events' numbers are written into them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    size_t size;       /* bytes of a record in Kinesis */
    size_t texts_len;  /* texts, and thereby events in a POST at most */
    size_t events_len; /* events in all */

    /* private */
    char *text;        /* the events, a comma after each */
    size_t event_size; /* comma included */
    uint16_t *shape;   /* of each event posted: which text it has */
};

/*
 * post_events, post_bytes  the most that one POST may hold.
 */
void load_init(struct load *l, size_t events, size_t size, size_t post_events, size_t post_bytes);

/* Events number first to first + len - 1, len <= texts_len: a comma after each but the last. */
const char *load_events(struct load *l, size_t first, size_t len, uint64_t request,
                        const char *time, size_t *bytes);

/* The whole record that event number id has become. Writes load->size bytes. */
void load_record(const struct load *l, size_t id, char *record);

/* The number at the beginning of a record of which len bytes are there; -1: it is none of ours. */
#define LOAD_ID_BYTES 11
int64_t load_id(const char *record, size_t len);

/* "2026-11-20T10:00:00.951Z", of now. */
#define LOAD_TIME_BYTES 24
void load_time(char time[LOAD_TIME_BYTES + 1]);

/* The request ids differ in their last digits. Writes 36 characters and a NUL. */
void load_request_id(char id[37], uint64_t request);

#endif
