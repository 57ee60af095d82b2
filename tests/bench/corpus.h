#ifndef CORPUS_H
#define CORPUS_H
/*
 * What functions log, made from a seed: for measuring compression, so that request ids, trace ids, times and numbers
 * are as different from line to line as those of a real function, and all else is as alike. Ten lines an invocation.
 */
#include <stddef.h>
#include <stdint.h>

enum corpus {
    CORPUS_TEXT,        /* Lambda's text format: time, request id, level, message */
    CORPUS_LAMBDA_JSON, /* Lambda's JSON format: timestamp, level, requestId, message */
    CORPUS_POWERTOOLS, /* as Powertools for AWS Lambda writes: fifteen members, some of them nested */
    CORPORA
};

/* As it is called in tables. */
const char *corpus_name(enum corpus corpus);

/* Fills `to` with lines, the last of which is cut off. The same seed gives the same lines. */
void corpus_fill(enum corpus corpus, uint64_t seed, char *to, size_t len);

#endif
