#ifndef LAMBDA_API_H
#define LAMBDA_API_H
/*
 * Between lambda_api.c, which has the connections of the runtime API and the events that wait for `next`, and
 * lambda_calls.c, which knows the calls.
 */
#include "lambda.h"

#define LAMBDA_EXTENSION "kinesis-telemetry-api-extension"

struct connection;

/* --- lambda_calls.c ------------------------------------------------------------------------------------- */

/* A run begins; not called for a copy of the snapshot, which goes on. */
void calls_begin(void);

/* A call has come whole. */
void calls_take(struct connection *c, const struct http_message *m);

/* How often `next` was called. */
unsigned calls_of_next(void);

/* --- lambda_api.c --------------------------------------------------------------------------------------- */

/* Fields are lines that end in \r\n. The reply may come late. */
void api_reply(struct connection *c, unsigned status, const char *fields, const char *body);

/* With the body of an error. */
void api_refuse(struct connection *c, unsigned status, const char *type);

/* The call is not answered as it should be, if only by silence. */
void api_strikes(void);

/* A refusal or a broken connection, for no reason. Returns whether the call is done with by that. */
bool api_strike(struct connection *c);

/* `next` waits on this connection, for an event that may be there already. */
void api_wait(struct connection *c);
void api_hand(void);

#endif
