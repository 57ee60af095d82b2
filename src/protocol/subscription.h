#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H
/*
 * The message that a CloudWatch Logs subscription filter puts into a stream, compressed, as one record:
 *
 *     {"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/orders",
 *      "logStream":"2026/11/20/[$LATEST]22be...","subscriptionFilters":["kinesis-telemetry-api-extension"],
 *      "logEvents":[{"id":"3990...","timestamp":1795000000000,"message":"a line\n"},...]}
 *
 * without white space. It is written in parts: the head, log events with a comma between them, the tail.
 *
 * A message is a line of text as it came, with its newline, which is added if it is missing; of anything else its JSON
 * without white space. What the platform tells is as platform_line.h has it. Where a function ends, its report makes two
 * log events of one: END and REPORT.
 *
 * Source: CloudWatch Logs, "Real-time processing of log data with subscriptions".
 */
#include "protocol/event.h"

/* Digits of a log event's id. */
#define SUBSCRIPTION_ID_LEN 56

/* Random bytes of a sandbox that are part of it. */
#define SUBSCRIPTION_SANDBOX_LEN 10

/* Where the id of a log event begins that was written. */
#define SUBSCRIPTION_ID_AT (sizeof "{\"id\":\"" - 1)

/* A log event has at most so many bytes more than twice what the event has. */
#define SUBSCRIPTION_MORE 2048

#define SUBSCRIPTION_TAIL SPAN("]}")

/* Longest name of a stream; a head has room for it and a group of the same length. Source: CreateLogStream. */
#define SUBSCRIPTION_STREAM_MAX 512
#define SUBSCRIPTION_HEAD_MAX 1280

/* group: empty for that of the function; stream: as it stands in a JSON string. */
void subscription_head(struct out *o, const struct event_origin *origin, struct span group,
                       struct span stream);

/* The name of a log stream for want of the true one: 2026/11/20/[VERSION]SANDBOX, as Lambda makes them. */
void subscription_stream(struct out *o, uint64_t unix_ms, const struct event_origin *origin);

/*
 * The id of the first log event of a message: the milliseconds, which make up all bits from 144 on, as those of
 * CloudWatch do; the sandbox; a number that no other log event of the sandbox has.
 */
void subscription_id(char id[SUBSCRIPTION_ID_LEN], uint64_t unix_ms,
                     const uint8_t sandbox[SUBSCRIPTION_SANDBOX_LEN], uint64_t number);

/* An id whose number is so much higher: at most 9. Next to each other in a message they compress well. */
void subscription_id_add(char id[SUBSCRIPTION_ID_LEN], unsigned more);

/*
 * Writes the log event, with no id yet, at the begin of what o has room for. text: the platform's events are lines of
 * text. Returns where the id of a second one begins, 0: there is none.
 */
size_t subscription_event(struct out *o, const struct event *e, uint64_t unix_ms, bool text);

#endif
