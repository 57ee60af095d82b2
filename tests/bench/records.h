#ifndef RECORDS_H
#define RECORDS_H
/*
 * Reads PutRecords requests, in JSON 1.1 or CBOR 1.1, as quickly as a benchmark's far end must.
 *
 * Members in any order, StreamName, StreamARN, Records, Data, PartitionKey, ExplicitHashKey; JSON
 * strings without escapes, which neither base64 nor the keys need; CBOR containers of definite or
 * indefinite length, strings of definite length. Anything else is refused.
 */
#include <stdbool.h>
#include <stddef.h>

struct a_record {
    const char *data; /* as it stands in the body: base64 in JSON */
    size_t data_len;
    size_t key_len;
};

/*
 * Calls back for each record. Returns how many there are, or -1: not such a request.
 */
int records_json(const char *body, size_t len, void (*record)(void *, const struct a_record *),
                 void *context);
int records_cbor(const char *body, size_t len, void (*record)(void *, const struct a_record *),
                 void *context);

/* Bytes of what base64 of that length stands for. */
size_t base64_size(const char *text, size_t len);

/* Writes what len characters stand for, len a multiple of four; returns how many bytes, -1: bad. */
long base64_bytes(const char *text, size_t len, char *bytes);

#endif
