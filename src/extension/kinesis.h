#ifndef KINESIS_H
#define KINESIS_H
/*
 * PutRecords calls to the stream, one at a time, each signed just before it is written.
 */
#include "io/http_client.h"
#include "io/storage.h"
#include "protocol/put_records.h"
#include "protocol/queue.h"
#include "protocol/settings.h"
#include "protocol/sigv4.h"

/* A reply to 500 records has some 60 KiB, or twice that when all carry a message. */
#define KINESIS_REPLY_MAX_BYTES 262144

/* A connection that was unused for longer may have been given up by the far side. */
#define KINESIS_IDLE_MS 5000

/* How a call ended. */
struct kinesis_result {
    int result;          /* 0: there is a reply. ERR_IO, ERR_BAD, ERR_LATE as of http_client */
    unsigned status;     /* of the reply; 0 with result 0: nothing was sent, message says why */
    bool records;        /* `record` has been called for each record */
    struct span code;    /* of an error reply, or of the first record that failed */
    struct span message; /* of an error reply: the peer's text */
};

struct kinesis {
    struct http_client http;
    const struct settings *settings;
    const struct queue *queue;
    struct span common_key; /* partition key of records that have none of their own */
    /* One record's fate; code is empty when it was accepted. */
    void (*record)(void *context, size_t index, struct span code);
    /* The call has ended; the result's spans are valid during the callback. */
    void (*done)(void *context, const struct kinesis_result *result);
    void *context;

    /* private */
    const struct queue_batch *batch;
    struct put_records body;
    struct http_call call;
    struct sigv4_key key;
    struct tls_anchors anchors;
    char host[280]; /* value of Host */
    size_t host_len;
    unsigned status;
    char error_type[96]; /* of x-amzn-ErrorType */
    size_t error_type_len;
    char *reply;
    size_t reply_len;
    struct span first_code;
};

size_t kinesis_bytes(void);

/* settings, queue, callbacks and context are set by the caller. Returns 0, or ERR_FULL. */
int kinesis_init(struct kinesis *k, struct loop *loop, struct storage *s);

/* Connects ahead of need. */
void kinesis_open(struct kinesis *k);

/* The bytes that a record adds to a request body. */
size_t kinesis_record_size(const struct kinesis *k, const struct queue_record *record);

/* Sends a batch, 1 to QUEUE_BATCH_MAX records; it must not change until done. */
void kinesis_put(struct kinesis *k, const struct queue_batch *batch);

/* Gives up a call that is under way, without done. */
void kinesis_stop(struct kinesis *k);

#endif
