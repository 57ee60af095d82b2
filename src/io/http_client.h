#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H
/*
 * HTTP/1.1 calls to one peer, one at a time, over a connection that is kept from call to call.
 *
 * The head of a request is not written before the connection is open, so that a signature in it is as
 * recent as possible; the body is read from a generator and never stored. Replies with
 * Content-Length, chunked or ended by the close are streamed to the caller; 1xx ones are skipped.
 *
 * If a connection was kept, or was in use when the process was frozen, and turns out to be dead before the
 * first byte of the reply, it is replaced and the request is written again, once. This is not a failure of
 * the call. (RFC 9110, 9.2.2, leaves it to the client to know that a repetition does no harm; here a
 * record may come twice at worst, and is counted in `unanswered`.)
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
    /* The call has ended: 0, or ERR_IO, ERR_BAD (not an HTTP reply), ERR_LATE. The next call may be
     * made from here. http_client_error has the details. */
    void (*done)(void *context, int result);
    void *context;
    uint32_t silence_ms; /* the peer's longest silence, and a tenth of what a whole reply may take
                          * once the request is sent; 0: no limit */
    uint32_t idle_ms;    /* a connection kept unused for longer is not used again; 0: no limit */
};

struct http_client {
    struct connection connection;
    const struct http_call *call; /* NULL: idle */
    uint64_t sent_calls;          /* requests begun, repeats included */
    uint64_t opened;              /* connections that were opened */
    uint32_t hurry_ms; /* 0, or the longest silence on a connection that has served a call before,
                                   * after which the call is made again on a new one */
    uint64_t
        unanswered; /* requests sent whole without a whole reply, so that their outcome is unknown */

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
    unsigned thaws;  /* the loop's, when the connection was last opened or the call begun */
    uint64_t used_ms, used_wall_ms;
    uint64_t reply_by_ms; /* with a limit to silence: when the reply must be whole */
    unsigned reply_thaws; /* of the loop, when that was set */
    struct http_body body;
    char *head; /* of the reply, as far as it has come */
    size_t head_len;
    int result;
};

#define HTTP_CLIENT_HEAD_BYTES 16384

/* head: memory of HTTP_CLIENT_HEAD_BYTES. Connection peer and buffers are set by the caller. */
void http_client_init(struct http_client *c, struct loop *loop, char *head);

/* Opens a connection in advance, unless there is one that idle_ms (as of http_call) allows. */
void http_client_open(struct http_client *c, uint32_t idle_ms);

/* Makes a call; only when idle. call must stay valid until done. May call done before it returns. */
void http_client_start(struct http_client *c, const struct http_call *call);

/*
 * There is less time than when the current call was made: if its connection went through a freeze, or
 * had served a call before and hurry_ms is set, the peer is given little time to answer before the call is
 * made again on a new connection, once after each freeze. Where the reply had begun, the call fails instead.
 */
void http_client_hurry(struct http_client *c);

/* Ends the current call without done, and closes the connection; an orderly close if there was no call. */
void http_client_stop(struct http_client *c);

/* Why the last call failed, for a log line. */
const char *http_client_error(const struct http_client *c);

#endif
