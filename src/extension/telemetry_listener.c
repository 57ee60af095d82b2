#include "extension/telemetry_listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/error_text.h"
#include "io/log.h"
#include "protocol/oversize.h"

/* see telemetry_listener.h */

enum {
    BACKLOG = 128,
    SILENCE_MAX_MS = 30000, /* within a request */
    CLOSING_MAX_MS = 1000,  /* for the peer to read an answer before the connection is cut */
    STALLED_MS = 1000,      /* within a request, when its buffer is needed */
    SWEEP_MS = 500,
    TOLD_MS = 60000, /* between two lines about the same */
    /* of an event that is larger than all: so that it is no more than Kinesis takes afterwards */
    BEGINNING_MAX_BYTES = 1048576 - 8192
};

size_t
telemetry_listener_bytes(void)
{
    return sizeof(struct telemetry_listener) + LISTENER_READ_BYTES +
           /* each tally is filled up to a multiple of 16 */
           LISTENER_CONNECTIONS * (LISTENER_SCRATCH_BYTES + sizeof(struct tally) + 15) +
           LISTENER_LARGE_EVENTS * LISTENER_EVENT_MAX_BYTES + 256;
}

static void
free_large(struct listener_connection *c)
{
    if (c->large >= 0)
        c->listener->large_used[c->large] = false;
    c->large = -1;
}

static void
free_kept(struct listener_connection *c)
{
    if (c->kept >= 0)
        c->listener->large_used[c->kept] = false;
    c->kept = -1;
    c->comparing = c->replaying = false;
}

/* The sender may not know that its POST was read, and send it again. */
static void
may_come_again(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;

    l->ledger->duplicates_possible += repeats_keep(&l->repeats, c->tally);
}

/* A POST that has begun will not end. The sweep tells, since this may be in the midst of anything. */
static void
break_off(struct listener_connection *c)
{
    if (c->state != LISTENER_BODY)
        return;
    c->listener->disturbed(c->listener->context);
    /* one that is still compared is known already */
    if (!c->comparing)
        may_come_again(c);
    free_kept(c);
    c->listener->broken_off = true;
    loop_set_earlier(&c->listener->sweep, c->listener->loop->now.ms);
}

static void
drop_connection(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;

    loop_close(l->loop, &c->watch);
    l->open--;
    free_large(c);
    break_off(c);
    if (l->stopped == c)
        l->stopped = NULL;
    c->state = LISTENER_FREE;
}

/* Returns whether it was sent. */
static bool
answer(struct listener_connection *c, struct span reply)
{
    ssize_t n = send(c->watch.fd, reply.p, reply.len, MSG_NOSIGNAL);

    /* a peer that leaves no room for so few bytes does not read its answers */
    if (n != (ssize_t)reply.len)
        c->keep_alive = false;
    return n == (ssize_t)reply.len;
}

/* What the peer has done so far: POLLRDHUP when it sends nothing more, POLLHUP and POLLERR when it is gone. */
static short
peer(const struct listener_connection *c)
{
    struct pollfd p = {.fd = c->watch.fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

/*
 * Whether the sender has gone, and what it left cannot complete the POST: it is not read on, since all of it
 * comes again. unread: bytes of the body that are in the read buffer.
 */
static bool
deserted(const struct listener_connection *c, size_t unread)
{
    short events = peer(c);
    int waiting = 0;

    if ((events & (POLLHUP | POLLERR)) != 0)
        return true;
    if ((events & POLLRDHUP) == 0 || c->body.state != HTTP_BODY_LENGTH ||
        ioctl(c->watch.fd, FIONREAD, &waiting) != 0)
        return false;
    return c->body.left > unread + (unsigned)waiting;
}

/* Answers, then discards what still comes, so that the answer is not lost in a reset. */
static void
refuse(struct listener_connection *c, unsigned status, const char *reason)
{
    char reply[160];
    struct out o = out_to(reply, sizeof reply);

    out_put(&o, SPAN("HTTP/1.1 "));
    out_number(&o, status);
    out_byte(&o, ' ');
    out_put(&o, span_of(reason));
    if (status == 405)
        out_put(&o, SPAN("\r\nAllow: POST"));
    out_put(&o, SPAN("\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    (void)answer(c, out_span(&o));
    log_debug("telemetry listener: answered %u %s", status, reason);
    /* another method or path is nothing that the platform uses */
    if (status != 404 && status != 405)
        c->listener->disturbed(c->listener->context);
    (void)shutdown(c->watch.fd, SHUT_WR);
    free_large(c);
    break_off(c);
    c->state = LISTENER_CLOSING;
}

static void
end_of_post(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;
    struct span none = {NULL, 0};
    struct span event;
    bool gone;

    if (splitter_next(&c->splitter, &none, &event) == ERR_BAD)
        l->lost(l->context, DROP_UNREADABLE);
    if (splitter_inside(&c->splitter)) {
        l->disturbed(l->context);
        if (!c->splitter.skipping)
            l->lost(l->context, DROP_CUT);
    }
    free_large(c);
    /* asked before: one that closes upon the answer has heard it */
    gone = peer(c) != 0;
    if (!answer(c, c->keep_alive ? SPAN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                                 : SPAN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                        "Connection: close\r\n\r\n")) ||
        gone)
        may_come_again(c);
    c->state = LISTENER_HEAD;
    c->scratch_len = 0;
    if (!c->keep_alive) {
        (void)shutdown(c->watch.fd, SHUT_WR);
        c->state = LISTENER_CLOSING;
    }
    l->posted(l->context);
}

/* The index of a large buffer; -1 when none is free. */
static int
take_buffer(struct telemetry_listener *l)
{
    for (int i = 0; i < LISTENER_LARGE_EVENTS; i++) {
        if (l->large_used[i])
            continue;
        l->large_used[i] = true;
        return i;
    }
    return -1;
}

/*
 * A large buffer for an event that has outgrown its carry; the holder that has been silent for
 * longest gives up its own when it seems dead. Returns false when there is none.
 */
static bool
take_large(struct listener_connection *c)
{
    c->large = take_buffer(c->listener);
    if (c->large >= 0)
        splitter_carry(&c->splitter, c->listener->large[c->large], LISTENER_EVENT_MAX_BYTES);
    return c->large >= 0;
}

static bool
take_large_from_another(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;

    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *other = &l->connections[i];

        if (other->state == LISTENER_BODY && (other->large >= 0 || other->kept >= 0) &&
            other != c && l->loop->now.ms - other->heard_ms > STALLED_MS) {
            drop_connection(other);
            return take_large(c);
        }
    }
    return false;
}

/*
 * An event is larger than any buffer: its beginning as an event of its own, if that is wanted and
 * can be; otherwise it is lost. Returns 1 with an event, or 0.
 */
static int
beginning(struct listener_connection *c, struct span *event)
{
    struct telemetry_listener *l = c->listener;
    struct splitter *s = &c->splitter;
    int64_t len = ERR_BIG;

    if (l->cut(l->context))
        len = oversize_close(s->carry, s->len, BEGINNING_MAX_BYTES);
    *event = (struct span){s->carry, len < 0 ? 0 : (size_t)len};
    splitter_skip(s);
    if (len < 0)
        l->lost(l->context, DROP_OVERSIZE);
    return len < 0 ? 0 : 1;
}

/*
 * The carry is too small for this event. Returns 0; 1 with what can be had of it; or ERR_IO when
 * the connection had to be closed: unanswered, its sender sends again.
 */
static int
enlarge(struct listener_connection *c, struct span *event)
{
    struct telemetry_listener *l = c->listener;

    if (c->large >= 0)
        return splitter_settle(&c->splitter) ? 0 : beginning(c, event);
    if (take_large(c) || take_large_from_another(c))
        return 0;
    if (l->told_ms == 0 || l->loop->now.ms - l->told_ms > TOLD_MS) {
        log_warn("telemetry listener: closed a connection, too many large events at once");
        l->told_ms = l->loop->now.ms;
    }
    drop_connection(c);
    return ERR_IO;
}

static void
watch_all(struct telemetry_listener *l, uint32_t events)
{
    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *c = &l->connections[i];

        if (c->state == LISTENER_FREE)
            continue;
        c->heard_ms = l->loop->now.ms;
        (void)loop_watch(l->loop, &c->watch, c->watch.fd, events);
    }
}

/* Reading stops for all: the queue is full, and the read buffer holds what is to be read next. */
static void
stop(struct listener_connection *c, struct span event, struct span piece, struct span in)
{
    struct telemetry_listener *l = c->listener;

    l->stopped = c;
    l->stopped_event = event;
    l->stopped_piece = piece;
    l->stopped_input = in;
    watch_all(l, 0);
}

/* Returns 0 or ERR_FULL. */
static int
hand_over(struct listener_connection *c, struct span event, const struct json_marks *marks)
{
    struct telemetry_listener *l = c->listener;
    int r = l->event(l->context, event, marks);

    if (r < 0)
        return ERR_FULL;
    repeats_add(&l->repeats, c->tally, event, r == 1);
    return 0;
}

static void
hand_over_damage(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;

    l->lost(l->context, DROP_CUT);
    repeats_add(&l->repeats, c->tally, (struct span){NULL, 0}, true);
}

/* Hands over the events in a piece of the body. Returns 0, or below it when reading has to end. */
static int
split(struct listener_connection *c, struct span piece, struct span in)
{
    for (;;) {
        struct span event;
        int r = splitter_next(&c->splitter, &piece, &event);

        bool more = r == 1 || r == ERR_FULL || r == SPLITTER_CUT;

        if (r == SPLITTER_CUT)
            hand_over_damage(c);
        if (r == ERR_FULL)
            r = enlarge(c, &event);
        if (r == ERR_IO)
            return ERR_IO;
        if (r == 1 && hand_over(c, event, splitter_marks(&c->splitter)) != 0) {
            stop(c, event, piece, in);
            return ERR_FULL;
        }
        if (!more)
            break;
    }
    if (c->replaying)
        free_kept(c);
    return 0;
}

static void
start_splitter(struct listener_connection *c)
{
    splitter_start(&c->splitter, c->scratch, LISTENER_SCRATCH_BYTES);
    c->splitter.marks = &c->listener->marks;
}

/* Returns whether there is room for another one. */
COLD static bool
keep_piece(struct listener_connection *c, struct span piece)
{
    struct listener_kept *kept = &c->listener->kept[c->kept];

    if (piece.len > 0)
        memcpy(c->listener->large[c->kept] + kept->len, piece.p, piece.len);
    kept->len += piece.len;
    return kept->len <= LISTENER_EVENT_MAX_BYTES - LISTENER_READ_BYTES;
}

/* What of the body the carry holds behind the event that came last. */
COLD static struct span
carried(const struct listener_connection *c)
{
    const struct splitter *s = &c->splitter;

    return (struct span){s->carry + s->from, s->kept - s->from};
}

/* All events up to here have come before: what is kept begins anew. */
COLD static void
mark(struct listener_connection *c)
{
    struct listener_kept *kept = &c->listener->kept[c->kept];

    kept->len = 0;
    kept->splitter = c->splitter;
    kept->splitter.from = kept->splitter.kept = 0;
    kept->tally = *c->tally;
    (void)keep_piece(c, carried(c));
}

/*
 * Begins to keep the body, from this first event on, or behind it if it is known to be the same. Returns false
 * when there is no room.
 */
COLD static bool
begin_keeping(struct listener_connection *c, struct span event, bool same)
{
    struct telemetry_listener *l = c->listener;
    struct listener_kept *kept;

    if ((same ? 0 : event.len) + carried(c).len > LISTENER_EVENT_MAX_BYTES / 2)
        return false;
    c->kept = take_buffer(l);
    if (c->kept < 0)
        return false;
    if (same) {
        mark(c);
        return true;
    }
    kept = &l->kept[c->kept];
    kept->len = 0;
    kept->tally = (struct tally){.items = 0};
    splitter_start(&kept->splitter, c->scratch, LISTENER_SCRATCH_BYTES);
    kept->splitter.marks = &l->marks;
    (void)keep_piece(c, SPAN("["));
    (void)keep_piece(c, event);
    return keep_piece(c, carried(c));
}

/*
 * The POST is none that comes again: all that was kept is handed out, and the piece behind it. Returns as
 * split.
 */
COLD static int
differs(struct listener_connection *c, struct span piece, struct span in)
{
    struct telemetry_listener *l = c->listener;

    c->comparing = false;
    if (c->kept < 0) {
        *c->tally = (struct tally){.items = 0};
        return split(c, piece, in);
    }
    c->splitter = l->kept[c->kept].splitter;
    if (c->large >= 0)
        splitter_carry(&c->splitter, l->large[c->large], LISTENER_EVENT_MAX_BYTES);
    *c->tally = l->kept[c->kept].tally;
    /* there is room, see keep_piece */
    (void)keep_piece(c, piece);
    c->replaying = true;
    return split(c, (struct span){l->large[c->kept], l->kept[c->kept].len}, in);
}

/* The same where it will never be known. */
COLD static int
undecided(struct listener_connection *c, struct span piece, struct span in)
{
    struct telemetry_listener *l = c->listener;

    l->ledger->repeated += repeats_stop(&l->repeats, c->tally, c->against);
    return differs(c, piece, in);
}

/* The first event tells already that the POST is another one, or is all that is known: it is handed out. */
COLD static int
first_differs(struct listener_connection *c, struct span event, struct span rest, struct span in)
{
    free_kept(c);
    *c->tally = (struct tally){.items = 0};
    if (event.len == 0) {
        hand_over_damage(c);
    } else if (hand_over(c, event, splitter_marks(&c->splitter)) != 0) {
        stop(c, event, rest, in);
        return ERR_FULL;
    }
    return split(c, rest, in);
}

/* Of two POSTs that begin with the same event the sender of the older one has gone, seen or not. */
COLD static void
end_same(struct listener_connection *c, struct span event)
{
    struct telemetry_listener *l = c->listener;
    uint64_t first = repeats_first(&l->repeats, event);

    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *other = &l->connections[i];

        if (other->state == LISTENER_BODY && other != c && other->tally->items > 0 &&
            other->tally->first == first)
            drop_connection(other);
    }
}

/* Compares a piece of a body that may have come before. Returns as split. */
COLD static int
compare(struct listener_connection *c, struct span piece, struct span in)
{
    struct telemetry_listener *l = c->listener;
    struct span rest = piece;
    struct span event;
    int r;

    while ((r = splitter_next(&c->splitter, &rest, &event)) == 1 || r == SPLITTER_CUT ||
           (r == ERR_FULL && c->large < 0 && take_large(c))) {
        bool first = c->tally->items == 0;
        enum repeats_is is;
        uint32_t counted;

        if (r == ERR_FULL)
            continue;
        if (r == SPLITTER_CUT)
            event.len = 0;
        if (first && event.len > 0)
            end_same(c, event);
        is = repeats_compare(&l->repeats, c->tally, event, &c->against, &counted);
        if (is == REPEATS_ALL) {
            l->ledger->repeated += counted;
            free_kept(c);
            return split(c, rest, in);
        }
        if (first) {
            if (is == REPEATS_NOT || event.len == 0 || !begin_keeping(c, event, is == REPEATS_MARK))
                return first_differs(c, event, rest, in);
            piece = rest;
        } else if (is == REPEATS_MARK && carried(c).len <= LISTENER_EVENT_MAX_BYTES / 2) {
            mark(c);
            piece = rest;
        } else if (is == REPEATS_NOT) {
            l->ledger->repeated += counted;
            return differs(c, piece, in);
        }
    }
    if (r == ERR_FULL)
        return undecided(c, c->kept < 0 ? rest : piece, in);
    if (c->kept < 0 || keep_piece(c, piece))
        return 0;
    return undecided(c, (struct span){NULL, 0}, in);
}

/* A piece of the body. Returns 0, or below it when reading has to end. */
static int
take_piece(struct listener_connection *c, struct span piece, struct span in)
{
    return c->comparing ? compare(c, piece, in) : split(c, piece, in);
}

/* Whether it comes from one who knows the path, or nobody has been seen to use that. */
static bool
known_path(struct telemetry_listener *l, struct span target)
{
    if (span_same(target, (struct span){l->path, sizeof l->path}))
        l->path_used = true;
    else if (l->path_used)
        return false;
    return true;
}

/* Whether another POST is being read, which may be the same, given up by its sender. */
static bool
others(const struct listener_connection *c)
{
    const struct telemetry_listener *l = c->listener;

    for (int i = 0; i < LISTENER_CONNECTIONS && l->open > 1; i++)
        if (l->connections[i].state == LISTENER_BODY && &l->connections[i] != c)
            return true;
    return false;
}

static void
begin_body(struct listener_connection *c, const struct http_head *head)
{
    c->keep_alive = http_keeps_alive(head);
    if (!span_same(head->method, SPAN("POST"))) {
        refuse(c, 405, "Method Not Allowed");
    } else if (!http_has_host(head) || http_request_body(head, &c->body) != 0) {
        refuse(c, 400, "Bad Request");
    } else if (!known_path(c->listener, head->target)) {
        refuse(c, 404, "Not Found");
    } else {
        /* in HTTP/1.0 it means nothing (RFC 9110, section 10.1.1) */
        if (head->minor > 0 &&
            span_same_case(http_field(head, SPAN("expect")), SPAN("100-continue")))
            (void)answer(c, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
        start_splitter(c);
        *c->tally = (struct tally){.items = 0};
        c->comparing = c->listener->repeats.len > 0 || others(c);
        c->against = 0;
        c->state = LISTENER_BODY;
    }
}

/* Collects the head in the scratch until it is whole. */
static void
read_head(struct listener_connection *c, struct span *in)
{
    struct http_head head;
    size_t had = c->scratch_len;
    size_t room = LISTENER_SCRATCH_BYTES - had;
    int used;

    if (room > in->len)
        room = in->len;
    memcpy(c->scratch + had, in->p, room);
    c->scratch_len += room;
    used = http_request_head((struct span){c->scratch, c->scratch_len}, &head);
    if (used >= 0) {
        *in = span_skip(*in, (size_t)used - had);
        begin_body(c, &head);
        c->scratch_len = 0;
    } else if (used == ERR_MORE && c->scratch_len < LISTENER_SCRATCH_BYTES) {
        *in = span_skip(*in, room);
    } else if (used == ERR_BAD) {
        refuse(c, 400, "Bad Request");
    } else {
        refuse(c, 431, "Request Header Fields Too Large");
    }
}

/* What was held until the end. Returns as split. */
static int
end_of_body(struct listener_connection *c, struct span in)
{
    struct span none = {NULL, 0};
    int r = 0;

    splitter_end(&c->splitter);
    if (c->comparing)
        r = compare(c, none, in);
    /* shorter than what was taken before */
    if (r == 0 && c->comparing)
        r = undecided(c, none, in);
    if (r != 0)
        return r;
    splitter_end(&c->splitter);
    return split(c, none, in);
}

/* Reads on in the input; what follows a complete request is the next one. */
static void
feed(struct listener_connection *c, struct span in)
{
    while (c->state == LISTENER_BODY || (c->state == LISTENER_HEAD && in.len > 0)) {
        struct span piece;
        int r;

        if (c->state == LISTENER_HEAD) {
            read_head(c, &in);
            continue;
        }
        r = http_body_next(&c->body, &in, &piece);
        if (r == 0 && end_of_body(c, in) != 0)
            return;
        if (r == 0)
            end_of_post(c);
        else if (r == ERR_MORE || (r == 1 && take_piece(c, piece, in) != 0))
            return;
        else if (r != 1)
            refuse(c, 400, "Bad Request");
    }
}

/* Whether a connection is in the midst of something, so that its silence may go on for too long. */
static bool
unfinished(const struct listener_connection *c)
{
    return c->state == LISTENER_BODY || c->state == LISTENER_CLOSING ||
           (c->state == LISTENER_HEAD && c->scratch_len > 0);
}

/* Nobody could be heard while the process was frozen: the one that was heard last was heard just now. */
static void
look_for_thaw(struct telemetry_listener *l)
{
    uint64_t last = 0;

    if (l->thaws == l->loop->thaws)
        return;
    l->thaws = l->loop->thaws;
    for (int i = 0; i < LISTENER_CONNECTIONS; i++)
        if (l->connections[i].state != LISTENER_FREE && l->connections[i].heard_ms > last)
            last = l->connections[i].heard_ms;
    for (int i = 0; i < LISTENER_CONNECTIONS; i++)
        l->connections[i].heard_ms += l->loop->now.ms - last;
}

/* Reads what has come. Returns false when there was nothing. */
static bool
read_once(struct listener_connection *c)
{
    struct telemetry_listener *l = c->listener;
    ssize_t n;

    look_for_thaw(l);
    /* asked now: what the loop reports may be from before a freeze */
    if (c->state == LISTENER_BODY && deserted(c, 0)) {
        drop_connection(c);
        return false;
    }
    n = recv(c->watch.fd, l->read_buffer, LISTENER_READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        drop_connection(c);
        return false;
    }
    if (c->state == LISTENER_CLOSING)
        return true;
    c->heard_ms = l->heard_ms = l->loop->now.ms;
    feed(c, (struct span){l->read_buffer, (size_t)n});
    if (unfinished(c))
        loop_set_earlier(&l->sweep, l->loop->now.ms + SWEEP_MS);
    return true;
}

static void
connection_ready(void *context, uint32_t events)
{
    struct listener_connection *c = context;
    struct telemetry_listener *l = c->listener;

    if (l->stopped != NULL) {
        /* not to be read now; a peer that is gone for good would be reported without end */
        if ((events & (EPOLLERR | EPOLLHUP)) == 0)
            return;
        drop_connection(c);
        if (l->stopped == NULL)
            watch_all(l, EPOLLIN);
        return;
    }
    (void)read_once(c);
}

/* A free place; when there is none, the place of the connection that was silent for longest. */
static struct listener_connection *
place(struct telemetry_listener *l)
{
    struct listener_connection *longest = NULL;

    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *c = &l->connections[i];

        if (c->state == LISTENER_FREE)
            return c;
        if (c != l->stopped && (longest == NULL || c->heard_ms < longest->heard_ms))
            longest = c;
    }
    if (longest != NULL)
        drop_connection(longest);
    return longest;
}

static void
accept_one(void *context, uint32_t events)
{
    struct telemetry_listener *l = context;
    struct listener_connection *c;
    int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    look_for_thaw(l);
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        /* no more files: not asked again before the next sweep */
        (void)loop_watch(l->loop, &l->watch, l->watch.fd, 0);
        loop_set_earlier(&l->sweep, l->loop->now.ms + SWEEP_MS);
    }
    if (fd < 0)
        return;
    c = place(l);
    if (c == NULL || loop_watch(l->loop, &c->watch, fd, l->stopped == NULL ? EPOLLIN : 0) != 0) {
        (void)close(fd);
        return;
    }
    l->open++;
    c->state = LISTENER_HEAD;
    c->scratch_len = 0;
    c->heard_ms = l->loop->now.ms;
}

static void
sweep_one(struct telemetry_listener *l, struct listener_connection *c)
{
    uint64_t silent_ms = l->loop->now.ms - c->heard_ms;

    if (c->state == LISTENER_CLOSING && silent_ms > CLOSING_MAX_MS)
        drop_connection(c);
    else if (silent_ms > SILENCE_MAX_MS && unfinished(c))
        refuse(c, 408, "Request Timeout");
}

static void
sweep(void *context)
{
    struct telemetry_listener *l = context;
    bool again = false;

    if (l->broken_off) {
        l->broken_off = false;
        l->posted(l->context);
    }
    look_for_thaw(l);
    (void)loop_watch(l->loop, &l->watch, l->watch.fd, EPOLLIN);
    for (int i = 0; i < LISTENER_CONNECTIONS && l->stopped == NULL; i++) {
        struct listener_connection *c = &l->connections[i];

        if (c->state != LISTENER_FREE)
            sweep_one(l, c);
        again = again || unfinished(c);
    }
    if (again)
        loop_set(l->loop, &l->sweep, SWEEP_MS);
}

static void
choose_path(struct telemetry_listener *l)
{
    uint8_t bytes[(LISTENER_PATH_LEN - 1) / 2] = {0};
    struct out o = out_to(l->path, sizeof l->path);

    (void)entropy_fill(bytes, sizeof bytes);
    out_byte(&o, '/');
    out_hex(&o, bytes, sizeof bytes);
}

int
telemetry_listener_init(struct telemetry_listener *l, struct loop *loop, struct storage *s)
{
    choose_path(l);
    l->loop = loop;
    l->watch = (struct loop_watch){.fd = -1, .ready = accept_one, .context = l};
    l->sweep = (struct loop_timer){.fire = sweep, .context = l};
    loop_add_timer(loop, &l->sweep);
    (void)entropy_fill(&l->repeats.seed, sizeof l->repeats.seed);
    l->read_buffer = storage_take(s, LISTENER_READ_BYTES);
    for (int i = 0; i < LISTENER_LARGE_EVENTS; i++)
        l->large[i] = storage_take(s, LISTENER_EVENT_MAX_BYTES);
    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *c = &l->connections[i];

        c->watch = (struct loop_watch){.fd = -1, .ready = connection_ready, .context = c};
        c->listener = l;
        c->large = c->kept = -1;
        c->tally = storage_take(s, sizeof *c->tally);
        c->scratch = storage_take(s, LISTENER_SCRATCH_BYTES);
        if (c->scratch == NULL)
            return ERR_IO;
    }
    return 0;
}

static int
bind_to(int fd, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    /* all addresses: the platform may come by the sandbox's own, not by loopback */
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    return bind(fd, (const struct sockaddr *)&address, sizeof address);
}

int
telemetry_listener_open(struct telemetry_listener *l, uint16_t port)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return ERR_IO;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind_to(fd, port) != 0) {
        log_warn("telemetry listener: port %u: %s; taking a free one", port, error_text(errno));
        port = 0;
    }
    if ((port == 0 && bind_to(fd, 0) != 0) || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        loop_watch(l->loop, &l->watch, fd, EPOLLIN) != 0) {
        (void)close(fd);
        return ERR_IO;
    }
    l->port = ntohs(address.sin_port);
    return 0;
}

void
telemetry_listener_resume(struct telemetry_listener *l)
{
    struct listener_connection *c = l->stopped;
    struct span in = l->stopped_input;

    if (c == NULL)
        return;
    if (deserted(c, in.len)) {
        drop_connection(c);
        watch_all(l, EPOLLIN);
        return;
    }
    if (hand_over(c, l->stopped_event, NULL) != 0)
        return;
    l->stopped = NULL;
    watch_all(l, EPOLLIN);
    loop_set_earlier(&l->sweep, l->loop->now.ms + SWEEP_MS);
    if (split(c, l->stopped_piece, in) == 0)
        feed(c, in);
}

void
telemetry_listener_drain(struct telemetry_listener *l, uint32_t ms)
{
    uint64_t until = clock_monotonic_ms() + ms;

    telemetry_listener_resume(l);
    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *c = &l->connections[i];

        while (c->state != LISTENER_FREE && l->stopped == NULL && clock_monotonic_ms() < until)
            if (!read_once(c))
                break;
    }
}

bool
telemetry_listener_stopped(const struct telemetry_listener *l)
{
    return l->stopped != NULL;
}

void
telemetry_listener_end(struct telemetry_listener *l)
{
    struct span none = {NULL, 0};

    for (int i = 0; i < LISTENER_CONNECTIONS; i++) {
        struct listener_connection *c = &l->connections[i];

        if (c->state != LISTENER_BODY)
            continue;
        splitter_end(&c->splitter);
        (void)take_piece(c, none, none);
    }
    l->ledger->duplicates_possible += repeats_end(&l->repeats);
}
