#ifndef PUT_RECORDS_H
#define PUT_RECORDS_H
/*
 * The body of a Kinesis PutRecords request, in AWS JSON 1.1 or in CBOR 1.1.
 *
 *     {"StreamName":"s1","Records":[{"Data":"aGVsbG8=","PartitionKey":"pk"}]}
 *
 * In CBOR it is the same map, with Data as a byte string. Maps and arrays have indefinite length,
 * strings definite length and the shortest heads: this is how the SDK for Java writes, which sends
 * CBOR to Kinesis by default, and no other form is known to be accepted.
 *
 * The body is generated, never stored: read out in pieces of any size, once for its SHA-256, then
 * again, after put_records_rewind, for the connection. Every run gives the same bytes.
 * Source: Kinesis API reference, PutRecords; RFC 8949, sections 3 and 3.2.2.
 */
#include "protocol/segment.h"
#include "protocol/wire.h"

/* Service limit: records in one request. */
#define PUT_RECORDS_MAX 500

struct put_record {
    struct span data; /* any bytes; JSON has them in base64 */
    /* UTF-8, 1..256 characters; escaped as JSON needs it. Empty: the record has none, and no such member */
    struct span partition_key;
};

struct put_records {
    enum wire_form form;     /* may be changed only before put_records_rewind */
    bool dry_run;            /* in JSON alone: nothing is written, and the reply is an error */
    struct span stream_name; /* whichever of the two is not empty is sent */
    struct span stream_arn;
    size_t records_len; /* 1..PUT_RECORDS_MAX */

    /*
     * Returns record index, 0..records_len - 1, in *r. Called at least once per record and again
     * whenever a read resumes within one or at its beginning, so it must be quick and must always return
     * the same. The spans must stay valid until the put_records call that asked returns.
     */
    void (*record)(void *context, size_t index, struct put_record *r);
    void *context;

    /* private: where the next read goes on; put_records_rewind sets them */
    size_t index;
    unsigned part;
    struct segment_cursor cursor;
};

/*
 * The bytes that one record adds to the body, one separator included. In JSON they are never fewer
 * than in CBOR.
 */
size_t put_records_size(enum wire_form form, size_t data_len, struct span partition_key);

/* The bytes around the records: base plus the sizes of all records is the body's length. */
size_t put_records_base(const struct put_records *p);

/* Content-Length: what put_records_read gives in one run. Asks for every record once. */
uint64_t put_records_length(const struct put_records *p);

/* Back to the first byte. Needed before the first read too. */
void put_records_rewind(struct put_records *p);

/*
 * Writes the next bytes of the body.
 *
 * Returns how many: cap unless the body ends before; 0 only at the end (or when cap is 0).
 */
size_t put_records_read(struct put_records *p, char *buffer, size_t cap);

#endif
