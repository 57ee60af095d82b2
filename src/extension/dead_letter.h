#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H
/*
 * Writes records that Kinesis does not take to TELEMETRY_DEAD_LETTER: as an object of a bucket, by
 * one PutObject call, or as lines on standard error. For the form of the lines and the names of objects see
 * protocol/dead_letter_object.h.
 *
 * If the bucket is in another region, S3's reply names it; this is learned once in the life of the sandbox.
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
    struct own_lines *lines; /* remembers lines written to standard error; NULL: they are not */
    uint32_t silence_ms;     /* as of http_call; may be changed before each put */
    /* The records have been written, or not; the result's spans are valid during the callback. */
    void (*done)(void *context, const struct dead_letter_result *result);
    void *context;

    /* private */
    struct aws_call call;
    struct dead_letter_object object;
    uint32_t first;                   /* index in the batch of the object's first record */
    uint64_t sequence;                /* of the latest object */
    bool moved;                       /* this call was redirected to another region already */
    bool torn;                        /* the last line on standard error is not whole */
    char region[SETTINGS_REGION_MAX]; /* where S3 says that the bucket is */
    char host[192];
    char *path;
    size_t path_max;
};

/* Memory taken from the storage: none unless records go to S3. */
size_t dead_letter_bytes(const struct settings *settings, struct span sandbox);

/*
 * The caller sets client.environment, queue, sandbox, done and context; sandbox may be changed later to
 * another value of the same length. Returns 0, or ERR_FULL.
 */
int dead_letter_init(struct dead_letter *d, struct loop *loop, struct storage *s);

/*
 * Writes the queue's batch QUEUE_DEAD_LETTER, 1 or more records; they must stay in it until done, which
 * may come before this returns.
 *
 * again: these are the records of the last put, and it is unknown whether they were written. They go into
 * an object of the same name, so that there is only one in the end.
 *
 * The caller decides by the result whether and when to try again. Standard error takes what it can within
 * 10 ms in each call.
 */
void dead_letter_put(struct dead_letter *d, bool again);

/* Abandons a call that is under way, without done. */
void dead_letter_stop(struct dead_letter *d);

#endif
