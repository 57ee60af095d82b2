#ifndef DEAD_LETTER_OBJECT_H
#define DEAD_LETTER_OBJECT_H
/*
 * The form in which records that Kinesis did not take are kept: an object in a bucket, its name and its
 * lines. Each line is an entry of PutRecords,
 *
 *     {"Data":"the record's bytes","PartitionKey":"pk"}
 *     {"DataBase64":"gIE=","PartitionKey":"pk"}
 *
 * the latter for data that is not valid UTF-8, which a JSON string could not hold. Lines of the
 * former kind can be put into a stream by the AWS CLI (--cli-binary-format raw-in-base64-out).
 *
 * The lines are generated, never stored: read out in pieces of any size, as often as wanted, with
 * the same bytes each time.
 */
#include "protocol/out.h"
#include "protocol/put_records.h"

struct dead_letter_object {
    size_t records_len;

    /* Returns record index, 0..records_len - 1, in *r; see the same member of struct put_records. */
    void (*record)(void *context, size_t index, struct put_record *r);
    void *context;

    /* private: where the next read goes on; dead_letter_object_rewind sets them */
    size_t index;
    unsigned part;
    struct segment_cursor cursor;
    bool text; /* the present record's data is valid UTF-8 */
};

/* The bytes of one record's line, its newline included. Looks at every byte of the record. */
size_t dead_letter_object_line_size(const struct put_record *record);

/*
 * Whether a record of the Telemetry API is such a line: written to standard error it comes back to
 * those who have subscribed to extensions' logs, as an object or as a string.
 */
bool dead_letter_object_is_line(struct span record);

/* Back to the first byte. Needed before the first read too. */
void dead_letter_object_rewind(struct dead_letter_object *d);

/*
 * Writes the next bytes of the lines.
 *
 * Returns how many: cap unless the lines end before; 0 only at the end (or when cap is 0).
 */
size_t dead_letter_object_read(struct dead_letter_object *d, char *buffer, size_t cap);

struct dead_letter_name {
    struct span base;   /* the endpoint's path, which comes first, or "/"; as it is sent */
    struct span bucket; /* empty when it is in the host name */
    struct span prefix; /* without slashes at its ends; empty: none */
    uint64_t unix_ms;
    struct span function_name;
    struct span sandbox;
    uint64_t sequence; /* of the sandbox's objects; should have at most eight digits */
};

/*
 * Appends the path of a request for the object
 *
 *     PREFIX/2026/11/20/20261120T120000123Z-FUNCTION-SANDBOX-00000001.ndjson
 *
 * encoded once, as S3 signs it: all but letters, digits, "-", ".", "_", "~" and the slash as
 * %XX. At most DEAD_LETTER_FUNCTION_MAX bytes of the function's name are used.
 *
 * Returns 0 or ERR_FULL; dead_letter_object_path_max returns how much room is always enough.
 * Source: S3 API reference, "Authenticating Requests", canonical URI.
 */
int dead_letter_object_path(struct out *o, const struct dead_letter_name *n);

/* Lambda's own limit is 64, or 140 with an ARN in front of it. */
#define DEAD_LETTER_FUNCTION_MAX 140

/* Room that is enough for every moment and sequence. */
size_t dead_letter_object_path_max(const struct dead_letter_name *n);

#endif
