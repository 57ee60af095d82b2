#include "io/http_exchange.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/out.h"

/* see http_exchange.h */

void
http_exchange_open(struct http_exchange *x, int file)
{
    CHECK(x->state == HTTP_EXCHANGE_NONE);
    x->state = HTTP_EXCHANGE_HEAD;
    x->file = file;
    x->head_len = 0;
}

/* A request whose body has begun will not end. */
static void
lose(struct http_exchange *x)
{
    if (x->state == HTTP_EXCHANGE_BODY)
        x->owner->lost(x->owner->context, x->which);
}

void
http_exchange_close(struct http_exchange *x)
{
    CHECK(x->state != HTTP_EXCHANGE_NONE);
    lose(x);
    x->state = HTTP_EXCHANGE_NONE;
}

/* --- answers ----------------------------------------------------------------------------------- */

/* Returns whether all of it was sent. */
static bool
answer(struct http_exchange *x, struct span reply)
{
    bool sent = system_send(x->file, reply, false) == (int64_t)reply.len;

    /* a peer that leaves no room for so few bytes does not read its answers */
    x->keep_alive = x->keep_alive && sent;
    return sent;
}

/* No request follows, and nothing more is sent; what still comes is read and discarded. */
static void
close_soon(struct http_exchange *x)
{
    system_finish(x->file);
    x->state = HTTP_EXCHANGE_CLOSING;
}

static const char *
reason_of(unsigned status)
{
    switch (status) {
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 431:
        return "Request Header Fields Too Large";
    case 400:
    default:
        return "Bad Request";
    }
}

/* Answers, then discards what still comes, so that the answer is not lost in a reset. */
void
http_exchange_refuse(struct http_exchange *x, unsigned status)
{
    const char *reason = reason_of(status);
    char reply[160];
    struct out o = out_to(reply, sizeof reply);

    CHECK(x->state == HTTP_EXCHANGE_HEAD || x->state == HTTP_EXCHANGE_BODY);
    out_put(&o, SPAN("HTTP/1.1 "));
    out_number(&o, status);
    out_byte(&o, ' ');
    out_put(&o, span_of(reason));
    if (status == 405)
        out_put(&o, SPAN("\r\nAllow: POST"));
    out_put(&o, SPAN("\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    (void)answer(x, out_span(&o));
    x->owner->refused(x->owner->context, status, reason);
    lose(x);
    close_soon(x);
}

static void
accept_body(struct http_exchange *x)
{
    bool heard;

    /* checked before answering: a peer that closes after the answer has heard it */
    heard = (system_look(x->file) & (SYSTEM_FINISHED | SYSTEM_HANGUP | SYSTEM_ERROR)) == 0;
    heard = answer(x, x->keep_alive ? SPAN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                                    : SPAN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                           "Connection: close\r\n\r\n")) &&
            heard;
    x->state = HTTP_EXCHANGE_HEAD;
    x->head_len = 0;
    if (!x->keep_alive)
        close_soon(x);
    x->owner->answered(x->owner->context, x->which, heard);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void
begin_body(struct http_exchange *x, const struct http_head *head)
{
    unsigned status = 0;

    x->keep_alive = http_keeps_alive(head);
    if (!span_same(head->method, SPAN("POST")))
        status = 405;
    else if (!http_has_host(head) || http_request_body(head, &x->body) != 0)
        status = 400;
    else
        status = x->owner->begin(x->owner->context, x->which, head);
    if (status != 0) {
        http_exchange_refuse(x, status);
        return;
    }
    /* in HTTP/1.0 it means nothing (RFC 9110, section 10.1.1) */
    if (head->minor > 0 && span_same_case(http_field(head, SPAN("expect")), SPAN("100-continue")))
        (void)answer(x, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
    x->state = HTTP_EXCHANGE_BODY;
}

/* Collects the head until it is complete. */
static void
read_head(struct http_exchange *x, struct span *in)
{
    struct http_head head;
    size_t had = x->head_len;
    size_t room = HTTP_EXCHANGE_HEAD_BYTES - had;
    int used;

    if (room > in->len)
        room = in->len;
    memcpy(x->head + had, in->p, room);
    x->head_len += room;
    used = http_request_head((struct span){x->head, x->head_len}, &head);
    if (used >= 0) {
        *in = span_skip(*in, (size_t)used - had);
        begin_body(x, &head);
        x->head_len = 0;
    } else if (used == ERR_MORE && x->head_len < HTTP_EXCHANGE_HEAD_BYTES) {
        *in = span_skip(*in, room);
    } else {
        http_exchange_refuse(x, used == ERR_BAD ? 400 : 431);
    }
}

/* Returns 0 to read on; below zero when reading has to stop, with ERR_FULL only for a while. */
static int
read_body(struct http_exchange *x, struct span *in)
{
    const struct http_exchange_owner *owner = x->owner;
    struct span piece;
    int r = http_body_next(&x->body, in, &piece);

    if (r == 1)
        return owner->body(owner->context, x->which, piece);
    if (r == ERR_MORE)
        return r;
    if (r != 0) {
        http_exchange_refuse(x, 400);
        return 0;
    }
    r = owner->end(owner->context, x->which);
    if (r == 0)
        accept_body(x);
    return r;
}

/* What follows a complete request is the next one. */
int
http_exchange_read(struct http_exchange *x, struct span *in)
{
    while (x->state == HTTP_EXCHANGE_BODY || (x->state == HTTP_EXCHANGE_HEAD && in->len > 0)) {
        int r = 0;

        if (x->state == HTTP_EXCHANGE_HEAD)
            read_head(x, in);
        else
            r = read_body(x, in);
        if (r != 0)
            return r == ERR_MORE ? 0 : r;
    }
    return 0;
}

bool
http_exchange_unfinished(const struct http_exchange *x)
{
    return x->state == HTTP_EXCHANGE_BODY || x->state == HTTP_EXCHANGE_CLOSING ||
           (x->state == HTTP_EXCHANGE_HEAD && x->head_len > 0);
}

bool
http_exchange_deserted(const struct http_exchange *x, size_t unread)
{
    uint32_t events = system_look(x->file);

    if ((events & (SYSTEM_HANGUP | SYSTEM_ERROR)) != 0)
        return true;
    /* without a Content-Length nobody knows whether what it left completes the body */
    if ((events & SYSTEM_FINISHED) == 0 || x->body.state != HTTP_BODY_LENGTH)
        return false;
    return x->body.left > unread + system_waiting(x->file);
}
