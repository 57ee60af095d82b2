#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H
/*
 * HTTP/1.1 calls to one peer, one at a time, over a connection that is kept from call to call.
 *
 * The head of a request is written when the connection is open and not before, so that a signature
 * in it is as young as can be; the body is read from a generator and never stored. Replies with
 * Content-Length, chunked or ended by the close are streamed to the caller; 1xx ones are skipped.
 *
 * A connection that was kept, or that was in use when the process was frozen, and that turns out
 * dead before the first byte of the reply, is replaced and the request written again, once; this is
 * no failure of the call. (Source: RFC 9110, 9.2.2 leaves it to the client to know that a repeat does
 * no harm; here a record may come twice at worst, and `unanswered` tells.)
 */
#include "io/connection.h"
#include "protocol/http.h"
#include "protocol/out.h"

struct http_call {
    /* Writes the request's head; called again when the request has to be written again, and then
     * the body generator starts over too. Returns 0 or ERR_FULL. */
    int (*head)(void *context, struct out *o);
    /* The next bytes of the body, 0 at its end; NULL without one. */
    size_t (*body)(void *context, char *buffer, size_t cap);
    /* The reply has begun; may be NULL. */
    void (*reply)(void *context, const struct http_head *head);
    /* A part of the reply's body; may be NULL. */
    void (*piece)(void *context, struct span piece);
    /* The call has ended: 0, or ERR_IO, ERR_BAD (no HTTP reply), ERR_LATE. The next call may be
     * made from here. http_client_error tells more. */
    void (*done)(void *context, int result);
    void *context;
    uint32_t silence_ms; /* the peer's longest silence, and a tenth of what a whole reply may take
                          * once the request is sent; 0: it may take for ever */
    uint32_t idle_ms;    /* a connection kept unused for longer is not used again; 0: any is */
};

struct http_client {
    struct connection connection;
    const struct http_call *call; /* NULL: idle */
    uint64_t sent_calls;          /* requests begun, repeats included */
    uint64_t opened;              /* connections that were opened */
    uint32_t hurry_ms; /* 0, or the longest silence of a peer on a connection that has served a
                                   * call before: then the call is made again on a new one */
    uint64_t
        unanswered; /* requests sent whole without a whole reply: who knows what became of them */

    /* private */
    struct loop *loop;
    struct loop_timer silence;
    enum {
        HTTP_IDLE,
        HTTP_OPENING,
        HTTP_SENDING,
        HTTP_WAITING, /* the request is with the network */
        HTTP_READING  /* the head of the reply has been read */
    } state;
    bool kept;     /* the connection has served a call before */
    bool answered; /* a byte of the reply has come */
    bool sent_all;
    bool keep_alive; /* of the reply */
    bool repeated;   /* the call was written again already, which is done once at most */
    unsigned thaws;  /* the loop's, when the connection was last opened or the call begun */
    uint64_t used_ms, used_wall_ms;
    uint64_t reply_by_ms; /* with a limit to silence: when the reply must be whole */
    struct http_body body;
    char *head; /* of the reply, as far as it has come */
    size_t head_len;
    int result;
};

#define HTTP_CLIENT_HEAD_BYTES 16384

/* head: memory of HTTP_CLIENT_HEAD_BYTES. Connection peer and buffers are set by the caller. */
void http_client_init(struct http_client *c, struct loop *loop, char *head);

/* Connects ahead of need, unless there is a connection that idle_ms (as of http_call) allows. */
void http_client_open(struct http_client *c, uint32_t idle_ms);

/* Makes a call; only when idle. call must stay valid until done. May call done before it returns. */
void http_client_start(struct http_client *c, const struct http_call *call);

/*
 * There is less time than when the call under way was made: if its connection went through a freeze,
 * or hurry_ms is set and it had served a call before, it is given little time to answer, and then the
 * call is made again on a new one.
 */
void http_client_hurry(struct http_client *c);

/* Ends the present call without done, and closes the connection: in good order if there was no call. */
void http_client_stop(struct http_client *c);

/* Why the last call failed, for a log line. */
const char *http_client_error(const struct http_client *c);

#endif
