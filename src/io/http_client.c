#include "io/http_client.h"

#include <string.h>

#include "io/clock.h"
#include "protocol/check.h"

/* see http_client.h */

/* How many times the longest silence a reply may take that trickles in. */
enum { REPLY_SILENCES = 10 };

/* An answer that came during a freeze is read at once afterwards, so there is little to wait for. */
enum { THAWED_MS = 250 };

static void progress(void *context);

/* Whether the process has been frozen since the connection was opened, or the call begun. */
static bool
frozen(const struct http_client *c)
{
    return c->thaws != c->loop->thaws;
}

static void
used(struct http_client *c)
{
    c->used_ms = c->loop->now.ms;
    c->used_wall_ms = clock_wall_ms();
}

static void
finish(struct http_client *c, int result)
{
    const struct http_call *call = c->call;

    CHECK(call != NULL && c->state != HTTP_IDLE);
    c->result = result;
    c->state = HTTP_IDLE;
    c->call = NULL;
    c->silence.at_ms = 0;
    c->kept = true;
    /* a reply that was read after a freeze may have come before it, and says nothing of how the connection is now */
    if (!frozen(c))
        used(c);
    if (result != 0 && c->sent_all)
        c->unanswered++;
    if (result != 0 || !c->sent_all)
        connection_close(&c->connection);
    else if (!c->keep_alive)
        connection_end(&c->connection);
    call->done(call->context, result);
}

static void
open_connection(struct http_client *c)
{
    c->kept = c->sent_all = c->answered = false;
    c->thaws = c->loop->thaws;
    c->opened++;
    used(c);
    c->state = HTTP_OPENING;
    connection_start(&c->connection);
}

/* The same call on a new connection, which does not count as a failure. */
static void
repeat(struct http_client *c)
{
    if (c->sent_all)
        c->unanswered++;
    c->silence.at_ms = 0;
    open_connection(c);
}

/* Whether the peer may be silent because the connection is dead. */
static bool
doubtful(const struct http_client *c)
{
    return !c->answered && (frozen(c) || (c->kept && c->hurry_ms > 0));
}

/* The connection is lost: repeats the call on a new one if it may have timed out at the peer, kept or in a freeze. */
static void
lost(struct http_client *c)
{
    bool kept = c->kept && c->connection.end != CONNECTION_TIMED_OUT;

    if (!c->answered && (kept || frozen(c)))
        repeat(c);
    /* a body without framing ends with the connection */
    else if (c->state == HTTP_READING && c->connection.end == CONNECTION_BY_PEER &&
             http_body_eof(&c->body) == 0)
        finish(c, 0);
    else
        finish(c, c->connection.end == CONNECTION_TIMED_OUT ? ERR_LATE : ERR_IO);
}

static void
silent(void *context)
{
    struct http_client *c = context;

    connection_close(&c->connection);
    if (doubtful(c))
        repeat(c);
    else
        finish(c, ERR_LATE);
}

static void
heard(struct http_client *c)
{
    if (c->call == NULL || c->call->silence_ms == 0)
        return;
    loop_set(c->loop, &c->silence,
             doubtful(c) && c->hurry_ms > 0 && c->hurry_ms < c->call->silence_ms
                 ? c->hurry_ms
                 : c->call->silence_ms);
    /* the limit for the whole reply counts from the last byte sent, so it moves on while sending; and from a freeze */
    if (c->state == HTTP_SENDING || c->reply_thaws != c->loop->thaws) {
        c->reply_thaws = c->loop->thaws;
        c->reply_by_ms = c->silence.at_ms + (uint64_t)REPLY_SILENCES * c->call->silence_ms;
    } else if (c->silence.at_ms > c->reply_by_ms) {
        c->silence.at_ms = c->reply_by_ms;
    }
}

/* Fills the connection with what there is to send. Returns whether anything was written. */
static bool
send_body(struct http_client *c)
{
    bool wrote = false;

    while (!c->sent_all) {
        size_t cap;
        size_t n;
        char *room = connection_room(&c->connection, &cap);

        if (room == NULL)
            break;
        n = c->call->body == NULL ? 0 : c->call->body(c->call->context, room, cap);
        c->sent_all = n == 0;
        connection_wrote(&c->connection, n);
        wrote = wrote || n > 0;
    }
    return wrote;
}

static void
send_request(struct http_client *c)
{
    size_t cap;
    char *room = connection_room(&c->connection, &cap);
    struct out o = out_to(room, room == NULL ? 0 : cap);

    c->state = HTTP_SENDING;
    c->sent_all = c->answered = false;
    c->keep_alive = true;
    c->head_len = 0;
    if (c->call->head(c->call->context, &o) != 0) {
        connection_close(&c->connection);
        finish(c, ERR_BAD);
        return;
    }
    c->sent_calls++;
    connection_wrote(&c->connection, o.len);
    heard(c);
}

/* Reads as much of the reply's head as is there. Returns bytes of input used, or an error. */
static int
read_head(struct http_client *c, struct span in)
{
    struct http_head head;
    size_t room = HTTP_CLIENT_HEAD_BYTES - c->head_len;
    size_t had = c->head_len;
    int used;

    if (room > in.len)
        room = in.len;
    memcpy(c->head + had, in.p, room);
    c->head_len += room;
    used = http_response_head((struct span){c->head, c->head_len}, &head);
    if (used == ERR_MORE)
        return c->head_len < HTTP_CLIENT_HEAD_BYTES ? (int)room : ERR_BAD;
    if (used < 0)
        return ERR_BAD;
    c->head_len = 0;
    /* after any other 1xx the actual reply follows */
    if (head.status >= 200 || head.status == 101) {
        if (http_response_body(&head, &c->body) != 0)
            return ERR_BAD;
        c->keep_alive = http_keeps_alive(&head);
        c->state = HTTP_READING;
        if (c->call->reply != NULL)
            c->call->reply(c->call->context, &head);
    }
    return used - (int)had;
}

/* Reads the reply's body from in. Returns as http_body_next at its end or the input's. */
static int
read_body(struct http_client *c, struct span *in)
{
    struct span piece;
    int r;

    while ((r = http_body_next(&c->body, in, &piece)) == 1)
        if (c->call->piece != NULL)
            c->call->piece(c->call->context, piece);
    return r;
}

/* Handles input that is there. Returns ERR_MORE, 0 at the end of the reply, or ERR_BAD. */
static int
read_reply(struct http_client *c)
{
    struct span in = connection_input(&c->connection);

    while (in.len > 0 || c->state == HTTP_READING) {
        struct span rest = in;
        int r = ERR_MORE;

        if (in.len > 0) {
            c->answered = true;
            heard(c);
        }
        if (c->state == HTTP_READING) {
            r = read_body(c, &rest);
        } else {
            int used = read_head(c, in);

            if (used < 0)
                return ERR_BAD;
            rest = span_skip(in, (size_t)used);
        }
        connection_used(&c->connection, in.len - rest.len);
        if (r != ERR_MORE)
            return r;
        if (in.len == 0)
            break;
        in = connection_input(&c->connection);
    }
    return ERR_MORE;
}

/* Alternately writes and sends, as long as the network takes it. */
static void
send_all(struct http_client *c)
{
    do {
        while (send_body(c)) {
            heard(c);
            c->connection.more = !c->sent_all;
            connection_flush(&c->connection);
        }
        c->connection.more = false;
        connection_flush(&c->connection);
        /* what was in the way may have left only now, and then nothing else would wake us for the rest */
    } while (!c->sent_all && connection_flushed(&c->connection));
    /* the time that our own work took does not count as the peer's silence */
    heard(c);
    if (c->sent_all)
        c->state = HTTP_WAITING;
}

static void
progress(void *context)
{
    struct http_client *c = context;
    int r;

    if (c->state == HTTP_IDLE) {
        /* nothing is expected now, so whatever comes ends the connection */
        if (c->connection.state == CONNECTION_OPEN && connection_input(&c->connection).len > 0)
            connection_close(&c->connection);
        return;
    }
    if (c->state == HTTP_OPENING && c->connection.state == CONNECTION_OPEN)
        send_request(c);
    if (c->state == HTTP_SENDING && c->connection.state == CONNECTION_OPEN)
        send_all(c);
    if (c->state == HTTP_SENDING || c->state >= HTTP_WAITING) {
        r = read_reply(c);
        if (r != ERR_MORE) {
            finish(c, r);
            return;
        }
    }
    if (c->state != HTTP_IDLE && c->connection.state == CONNECTION_CLOSED)
        lost(c);
}

void
http_client_init(struct http_client *c, struct loop *loop, char *head)
{
    *c = (struct http_client){.loop = loop, .head = head, .state = HTTP_IDLE};
    connection_init(&c->connection, loop, progress, c);
    c->silence = (struct loop_timer){.awake = true, .fire = silent, .context = c};
    loop_add_timer(loop, &c->silence);
}

/* By the clock by which more time has passed: one of them may stand still in a freeze. */
static bool
unused_for(const struct http_client *c, uint32_t ms)
{
    uint64_t wall = clock_wall_ms();

    return c->loop->now.ms - c->used_ms > ms || wall < c->used_wall_ms ||
           wall - c->used_wall_ms > ms;
}

/* Closes a connection that was unused for too long, or that the peer has given up. */
static void
close_stale(struct http_client *c, uint32_t idle_ms)
{
    if (c->connection.state == CONNECTION_OPEN &&
        ((idle_ms > 0 && unused_for(c, idle_ms)) || !connection_idle(&c->connection)))
        connection_end(&c->connection);
}

void
http_client_open(struct http_client *c, uint32_t idle_ms)
{
    if (c->state != HTTP_IDLE)
        return;
    close_stale(c, idle_ms);
    if (c->connection.state != CONNECTION_CLOSED)
        return;
    c->kept = false;
    c->opened++;
    used(c);
    connection_start(&c->connection);
}

void
http_client_start(struct http_client *c, const struct http_call *call)
{
    CHECK(c->state == HTTP_IDLE && c->call == NULL);
    c->call = call;
    c->result = 0;
    c->sent_all = c->answered = false;
    c->thaws = c->loop->thaws;
    close_stale(c, call->idle_ms);
    if (c->connection.state == CONNECTION_CLOSED) {
        open_connection(c);
        return;
    }
    /* a connection that was opened in advance may still be on its way */
    used(c);
    c->state = HTTP_OPENING;
    if (c->connection.state == CONNECTION_OPEN) {
        c->kept = true;
        progress(c);
    }
}

void
http_client_hurry(struct http_client *c)
{
    if (c->call != NULL && (doubtful(c) || frozen(c)))
        loop_set_earlier(&c->silence, c->loop->now.ms + (frozen(c) ? THAWED_MS : c->hurry_ms));
}

void
http_client_stop(struct http_client *c)
{
    if (c->call != NULL && c->sent_all)
        c->unanswered++;
    if (c->call == NULL)
        connection_end(&c->connection);
    else
        connection_close(&c->connection);
    c->call = NULL;
    c->state = HTTP_IDLE;
    c->silence.at_ms = 0;
}

const char *
http_client_error(const struct http_client *c)
{
    if (c->result == ERR_BAD)
        return "the reply is not valid HTTP";
    if (c->result == ERR_LATE && c->connection.end != CONNECTION_TIMED_OUT)
        return "no reply in time";
    return connection_error(&c->connection);
}
