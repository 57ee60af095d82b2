#ifndef API_CALL_H
#define API_CALL_H
/*
 * One call to an API of the Lambda platform (AWS_LAMBDA_RUNTIME_API): small JSON both ways, over
 * one kept connection that all these calls share.
 */
#include "io/http_client.h"
#include "protocol/json_members.h"

#define API_REPLY_MAX_BYTES 8192

/* The platform as a peer, shared by the calls. */
struct api_peer {
    struct http_client http;
    struct span host;    /* host:port, for the Host field */
    char identifier[64]; /* Lambda-Extension-Identifier, once registered */
    size_t identifier_len;
};

struct api_call {
    struct api_peer *peer;
    struct span method, path;  /* set by the owner */
    struct span name, value;   /* one more header field; none when name is empty */
    struct span fields;        /* more fields as they are sent, each with its CR LF */
    struct span body;          /* sent as JSON when not empty; at most some KiB */
    const struct span *wanted; /* members of the reply, as of json_members.h; NULL: none */
    uint32_t silence_ms;       /* as of http_call; 0: no limit */
    /* The call has ended. result as of http_call; status and reply are valid when it is 0. */
    void (*done)(void *context, int result);
    void *context;

    /* of the reply */
    unsigned status;
    struct span reply;   /* its first API_REPLY_MAX_BYTES */
    struct span members; /* the wanted ones, of a reply of any length */

    /* private */
    struct http_call call;
    struct json_members reader;
    char buffer[API_REPLY_MAX_BYTES];
    size_t len;
};

/* Makes the call; only when no other call is under way. */
void api_call_start(struct api_call *c);

#endif
