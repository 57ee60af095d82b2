#ifndef KINESIS_H
#define KINESIS_H
/*
 * PutRecords calls to the stream, one at a time.
 *
 * A call that may have been refused for CBOR (protocol/wire.h) is made again at once in JSON with the
 * same batch, within the same call: who started it hears of the second reply, and how many of the two
 * leave open what has been written.
 */
#include "extension/aws_client.h"
#include "protocol/put_records.h"
#include "protocol/queue.h"

/* How a call ended. */
struct kinesis_result {
    struct aws_result call; /* code: of an error reply, or of the first record that failed */
    bool records;           /* `record` has been called for each record */
    unsigned doubtful;      /* replies after which the batch may have been written, or not */
};

struct kinesis {
    struct aws_client client; /* its environment is set by the caller */
    const struct queue *queue;
    struct span common_key; /* partition key of records that have none of their own */
    /* One record's fate; code is empty when it was accepted. */
    void (*record)(void *context, size_t index, struct span code);
    /* The call has ended; the result's spans are valid during the callback. */
    void (*done)(void *context, const struct kinesis_result *result);
    void *context;

    /* private */
    const struct queue_batch *batch;
    struct wire wire; /* body.form and call.content_type follow it */
    unsigned doubtful;
    struct put_records body;
    struct aws_call call;
    struct span first_code;
};

size_t kinesis_bytes(void);

/* client.environment, queue, callbacks and context are set by the caller. Returns 0, or ERR_FULL. */
int kinesis_init(struct kinesis *k, struct loop *loop, struct storage *s);

/* The bytes that a record adds to a request body, in the larger form that the body may come to have. */
size_t kinesis_record_size(const struct kinesis *k, const struct queue_record *record);

/* Sends a batch, 1 to QUEUE_BATCH_MAX records; it must not change until done. */
void kinesis_put(struct kinesis *k, const struct queue_batch *batch);

#endif
