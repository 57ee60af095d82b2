#ifndef FAILURE_LOG_H
#define FAILURE_LOG_H
/*
 * Tells why calls to a service fail: one line for each failure that differs from the one before.
 */
#include "extension/aws_client.h"
#include "io/log.h"

struct failure_log {
    const char *act;    /* such as PutRecords */
    struct span target; /* such as the stream */
    const struct aws_client *client;
    /* private */
    char last[256];
    size_t last_len;
};

/* A call has failed; what, unless it is NULL, stands before the code of a reply that says why. */
void failure_log_tell(struct failure_log *f, enum log_level level, const char *what,
                      const struct aws_result *r);

/* All is well again: the next failure is told whatever it is. */
void failure_log_reset(struct failure_log *f);

#endif
