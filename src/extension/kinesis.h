#ifndef KINESIS_H
#define KINESIS_H
/*
 * PutRecords calls to the stream, one at a time.
 *
 * A request that may have been refused because of CBOR (protocol/wire.h) is repeated at once in JSON with
 * the same batch, as part of the same call: the result is that of the second reply, and says for how many
 * of the two requests it is unknown whether the batch was written.
 */
#include "extension/aws_client.h"
#include "protocol/put_records.h"
#include "protocol/queue.h"

/* How a call ended. */
struct kinesis_result {
    struct aws_result call; /* code: of an error reply, or of the first record that failed */
    bool records;           /* `record` has been called for each record */
    unsigned doubtful;      /* replies after which it is unknown whether the batch was written */
    enum wire_form form;    /* by which to measure records: the larger one that a body may have */
};

struct kinesis {
    struct aws_client client; /* its environment is set by the caller */
    const struct queue *queue;
    /* The outcome of one record; code is empty when it was accepted. */
    void (*record)(void *context, size_t index, struct span code);
    /* The call has ended; the result's spans are valid during the callback. */
    void (*done)(void *context, const struct kinesis_result *result);
    void *context;

    /* private */
    struct wire wire; /* body.form and call.content_type follow it */
    unsigned doubtful;
    bool keyless;
    struct put_records body;
    struct aws_call call;
    struct span first_code;
};

size_t kinesis_bytes(void);

/* client.environment, queue, callbacks and context are set by the caller. Returns 0, or ERR_FULL. */
int kinesis_init(struct kinesis *k, struct loop *loop, struct storage *s);

/* Sends the queue's batch QUEUE_STREAM, 1 or more records, without their keys or with; they must stay in it until done. */
void kinesis_put(struct kinesis *k, bool keyless);

#endif
