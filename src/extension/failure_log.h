#ifndef FAILURE_LOG_H
#define FAILURE_LOG_H
/*
 * Logs why calls to a service fail: one line for each failure that differs from the previous one.
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

/* A call has failed. what: text to put before the error code of the reply, if there is one; or NULL. */
void failure_log_tell(struct failure_log *f, enum log_level level, const char *what,
                      const struct aws_result *r);

/* A call has succeeded: the next failure is logged whatever it is. */
void failure_log_reset(struct failure_log *f);

#endif
