#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H
/*
 * Writes records that Kinesis does not take to TELEMETRY_DEAD_LETTER: as an object of a bucket, by
 * one PutObject call, or as lines on standard error. What lines look like and how objects are named
 * stands in protocol/dead_letter_object.h.
 *
 * A bucket in another region is found by what S3 says about it, once for the sandbox's life.
 */
#include "extension/aws_client.h"
#include "protocol/dead_letter_object.h"
#include "protocol/own_lines.h"
#include "protocol/queue.h"

struct dead_letter_result {
    struct aws_result call; /* of S3; for standard error all zeros */
    uint32_t written;       /* records of the batch, from its first on, that have been written: all
                             * or none with S3 */
};

struct dead_letter {
    struct aws_client client; /* its environment is set by the caller */
    const struct queue *queue;
    struct span sandbox;     /* goes into the names of objects */
    struct own_lines *lines; /* where lines on standard error are remembered; NULL: they are not */
    uint32_t silence_ms;     /* as of http_call; may be changed before each put */
    /* The records are written, or are not; the result's spans are valid during the callback. */
    void (*done)(void *context, const struct dead_letter_result *result);
    void *context;

    /* private */
    struct aws_call call;
    struct dead_letter_object object;
    uint32_t first;                   /* place in the batch of the object's first record */
    uint64_t sequence;                /* of the latest object */
    bool moved;                       /* this call has been sent to another region already */
    bool torn;                        /* the last line on standard error is not whole */
    char region[SETTINGS_REGION_MAX]; /* where S3 says that the bucket is */
    char host[192];
    char *path;
    size_t path_max;
};

/* Memory taken from the storage: none unless records go to S3. */
size_t dead_letter_bytes(const struct settings *settings, struct span sandbox);

/*
 * client.environment, queue, sandbox, done and context are set by the caller; sandbox may get another
 * value of the same length later. Returns 0, or ERR_FULL.
 */
int dead_letter_init(struct dead_letter *d, struct loop *loop, struct storage *s);

/*
 * Writes the queue's batch QUEUE_DEAD_LETTER, 1 or more records; they must stay in it until done, which
 * may come before this returns.
 *
 * again: these are the records of the last put, of which nobody knows whether they were written. They
 * go into an object of the same name, so that there is one in the end.
 *
 * Whether and when it is worth another try is for the caller to decide, by the result of the call.
 * Standard error takes what it can within 10 ms at a time.
 */
void dead_letter_put(struct dead_letter *d, bool again);

/* Gives up a call that is under way, without done. */
void dead_letter_stop(struct dead_letter *d);

#endif
