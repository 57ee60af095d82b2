#include "io/http_server.h"

#include "check.h"
#include "io/clock.h"
#include "protocol/out.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The server with its clients in the same loop. What its owner hears is written down in a line of text. */

#define HEAD(framing) "POST /p HTTP/1.1\r\nHost: x\r\n" framing "\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_LAST "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define REFUSED(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

enum { LATE_MS = 20000, CLIENTS = HTTP_SERVER_CONNECTIONS + 1 };

struct client {
    struct loop_watch watch;
    char got[1024];
    size_t len;
    bool closed;
};

static struct loop loop;
static struct storage storage;
static struct http_server server;
static struct client clients[CLIENTS];
static unsigned clients_len;
static char heard[4096];
static struct out told;
static size_t room; /* bytes of bodies, or ends, that the owner still takes */
static unsigned rooms_asked;
static bool (*reached)(void);

/* --- the owner --------------------------------------------------------------------------------- */

static unsigned
begin_request(void *context, unsigned which, const struct http_head *head)
{
    (void)context;
    (void)which;
    if (!span_same(head->target, SPAN("/p")))
        return 404;
    out_put(&told, SPAN("begin "));
    return 0;
}

static int
body_piece(void *context, unsigned which, struct span piece)
{
    (void)context;
    rooms_asked++;
    if (piece.len > room)
        return ERR_FULL;
    room -= piece.len;
    /* which pieces a body comes in is the network's business */
    if (told.len > 0 && told.p[told.len - 1] == '>')
        told.len--;
    else
        out_byte(&told, '<');
    out_put(&told, piece);
    out_byte(&told, '>');
    assert_true(server.connections[which].exchange.state == HTTP_EXCHANGE_BODY);
    return 0;
}

static int
end_request(void *context, unsigned which)
{
    (void)context;
    (void)which;
    if (room == 0)
        return ERR_FULL;
    out_put(&told, SPAN(" end "));
    return 0;
}

static void
answered(void *context, unsigned which, bool was_heard)
{
    (void)context;
    (void)which;
    out_put(&told, was_heard ? SPAN("heard ") : SPAN("unheard "));
}

static void
refused(void *context, unsigned status, const char *reason)
{
    (void)context;
    (void)reason;
    out_number(&told, status);
    out_byte(&told, ' ');
}

static void
lost(void *context, unsigned which)
{
    (void)context;
    (void)which;
    out_put(&told, SPAN(" lost "));
}

static const struct http_exchange_owner owner = {
    .begin = begin_request,
    .body = body_piece,
    .end = end_request,
    .answered = answered,
    .refused = refused,
    .lost = lost,
};

/* --- clients ----------------------------------------------------------------------------------- */

/* Turns the loop until that is so. */
static void
turn_until(bool (*fact)(void))
{
    reached = fact;
    loop.now = clock_now();
    loop.stopped = fact();
    assert_int_equal(loop_run(&loop), 0);
    assert_true(fact());
}

static void
late(void *context)
{
    (void)context;
    loop.stopped = true;
}

static struct loop_timer patience = {.fire = late};

/* Asked in each turn, since what it looks at may change by the server's turn as well. */
static void
look(void *context)
{
    loop.stopped = loop.stopped || reached();
    ((struct loop_timer *)context)->at_ms = loop.now.ms + 1;
}

static struct loop_timer looker = {.fire = look, .context = &looker};

static void
client_ready(void *context, uint32_t events)
{
    struct client *c = context;
    ssize_t n = recv(c->watch.fd, c->got + c->len, sizeof c->got - c->len, 0);

    (void)events;
    c->len += n > 0 ? (size_t)n : 0;
    c->closed = n <= 0;
    if (c->closed)
        assert_int_equal(loop_watch(&loop, &c->watch, c->watch.fd, 0), 0);
}

static bool
all_accepted(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < clients_len; i++)
        n += clients[i].watch.added && !clients[i].closed;
    return server.open == n;
}

/* Connected, and accepted. */
static struct client *
new_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server.port)};
    struct client *c = &clients[clients_len++];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(clients_len <= CLIENTS);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    *c = (struct client){.watch = {.fd = -1, .ready = client_ready, .context = c}};
    assert_int_equal(loop_watch(&loop, &c->watch, fd, EPOLLIN), 0);
    turn_until(all_accepted);
    return c;
}

static void
send_text(struct client *c, struct span text)
{
    assert_int_equal(send(c->watch.fd, text.p, text.len, MSG_NOSIGNAL), text.len);
}

/* Closes it without a word more: what it has sent may be read, or not. */
static void
reset(struct client *c)
{
    struct linger off = {.l_onoff = 1};

    assert_int_equal(setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &off, sizeof off), 0);
    loop_close(&loop, &c->watch);
}

static void
begin(void)
{
    if (storage.p == NULL) {
        assert_int_equal(loop_open(&loop), 0);
        loop_add_timer(&loop, &patience);
        loop_add_timer(&loop, &looker);
        assert_int_equal(storage_open(&storage, http_server_bytes()), 0);
        server.owner = &owner;
        assert_int_equal(http_server_init(&server, &loop, &storage), 0);
        assert_int_equal(http_server_open(&server, 0), 0);
        assert_true(server.port > 0);
    }
    told = out_to(heard, sizeof heard);
    room = SIZE_MAX;
    rooms_asked = 0;
    loop_set(&loop, &patience, LATE_MS);
    looker.at_ms = 1;
}

static void
end(void)
{
    for (unsigned i = 0; i < clients_len; i++)
        loop_close(&loop, &clients[i].watch);
    turn_until(all_accepted);
    assert_null(server.paused);
    clients_len = 0;
}

/* --- one request after the other --------------------------------------------------------------- */

static const struct {
    const char *name;
    struct span in;
    const char *answers, *told;
    bool last; /* the server closes */
} rows[] = {
    {"a length", TEXT(HEAD("Content-Length: 3") "abc"), OK, "begin <abc> end heard ", false},
    {"no body", TEXT(HEAD("Content-Length: 0")), OK, "begin  end heard ", false},
    {"chunks", TEXT(HEAD("Transfer-Encoding: chunked") "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), OK,
     "begin <abc> end heard ", false},
    {"two, the second one is sent ahead",
     TEXT(HEAD("Content-Length: 1") "a" HEAD("Content-Length: 1") "b"), OK OK,
     "begin <a> end heard begin <b> end heard ", false},
    {"the last one", TEXT(HEAD("Connection: close\r\nContent-Length: 1") "a"), OK_LAST,
     "begin <a> end heard ", true},
    {"nothing is read after the last one",
     TEXT(HEAD("Connection: close\r\nContent-Length: 1") "a" HEAD("Content-Length: 1") "b"),
     OK_LAST, "begin <a> end heard ", true},
    {"HTTP/1.0", TEXT("POST /p HTTP/1.0\r\nContent-Length: 1\r\n\r\na"), OK_LAST,
     "begin <a> end heard ", true},
    {"asks before it sends", TEXT(HEAD("Expect: 100-continue\r\nContent-Length: 1") "a"),
     "HTTP/1.1 100 Continue\r\n\r\n" OK, "begin <a> end heard ", false},
    {"asks in HTTP/1.0",
     TEXT("POST /p HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na"), OK_LAST,
     "begin <a> end heard ", true},
    {"another path", TEXT("POST /q HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"),
     REFUSED("404 Not Found"), "404 ", true},
    {"another method", TEXT("GET /p HTTP/1.1\r\nHost: x\r\n\r\n"),
     REFUSED("405 Method Not Allowed\r\nAllow: POST"), "405 ", true},
    {"no host", TEXT("POST /p HTTP/1.1\r\nContent-Length: 1\r\n\r\na"), REFUSED("400 Bad Request"),
     "400 ", true},
    {"two lengths", TEXT(HEAD("Content-Length: 1\r\nContent-Length: 2") "ab"),
     REFUSED("400 Bad Request"), "400 ", true},
    {"no HTTP", TEXT("\x16\x03\x01\r\n\r\n"), REFUSED("400 Bad Request"), "400 ", true},
    {"a bad chunk", TEXT(HEAD("Transfer-Encoding: chunked") "1\r\na\r\nx\r\n"),
     REFUSED("400 Bad Request"), "begin <a>400  lost ", true},
};

static size_t row_at;

static bool
row_answered(void)
{
    const struct client *c = &clients[clients_len - 1];

    return c->len >= strlen(rows[row_at].answers) && (c->closed || !rows[row_at].last);
}

/* In one piece, or byte by byte, each of which is read before the next one comes. */
static void
check_row(bool bytewise)
{
    struct span in = rows[row_at].in;
    struct client *c;

    begin();
    c = new_client();
    for (size_t i = 0; bytewise && i < in.len - 1; i++) {
        send_text(c, (struct span){in.p + i, 1});
        http_server_drain(&server, UINT64_MAX);
    }
    send_text(c, bytewise ? span_skip(in, in.len - 1) : in);
    turn_until(row_answered);
    CHECK_SPAN(rows[row_at].name, ((struct span){c->got, c->len}), span_of(rows[row_at].answers));
    CHECK_SPAN(rows[row_at].name, out_span(&told), span_of(rows[row_at].told));
    end();
}

static void
requests(void **state)
{
    (void)state;
    for (row_at = 0; row_at < LEN(rows); row_at++) {
        check_row(false);
        check_row(true);
    }
}

static bool
first_answered(void)
{
    return clients[0].len > 0;
}

static void
head_too_large(void **state)
{
    static char head[HTTP_EXCHANGE_HEAD_BYTES];
    struct client *c;

    (void)state;
    begin();
    c = new_client();
    memset(head, 'x', sizeof head);
    memcpy(head, "POST /", 6);
    send_text(c, (struct span){head, sizeof head});
    turn_until(first_answered);
    assert_memory_equal(c->got, "HTTP/1.1 431 ", 13);
    CHECK_SPAN("told", out_span(&told), SPAN("431 "));
    end();
}

/* A peer that has sent its last byte may be one that has given up. */
static void
unheard(void **state)
{
    struct client *c;

    (void)state;
    begin();
    c = new_client();
    send_text(c, SPAN(HEAD("Content-Length: 1") "a"));
    assert_int_equal(shutdown(c->watch.fd, SHUT_WR), 0);
    turn_until(first_answered);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a> end unheard "));
    end();
}

/* A body whose sender has gone is not read, unless all of it is there. */
static void
deserted(void **state)
{
    struct client *c;

    (void)state;
    begin();
    c = new_client();
    send_text(c, SPAN(HEAD("Content-Length: 3")));
    http_server_drain(&server, UINT64_MAX);
    send_text(c, SPAN("ab"));
    loop_close(&loop, &c->watch);
    turn_until(all_accepted);
    CHECK_SPAN("told", out_span(&told), SPAN("begin  lost "));
    c = new_client();
    send_text(c, SPAN(HEAD("Content-Length: 3")));
    http_server_drain(&server, UINT64_MAX);
    send_text(c, SPAN("abc"));
    loop_close(&loop, &c->watch);
    turn_until(all_accepted);
    CHECK_SPAN("told", out_span(&told), SPAN("begin  lost begin <abc> end unheard "));
    end();
}

/* --- pauses ------------------------------------------------------------------------------------ */

static bool
is_paused(void)
{
    return server.paused != NULL;
}

static bool
second_answered(void)
{
    return clients[1].len > 0;
}

/* Reading stops for all; it goes on where it stopped. */
static void
paused(void **state)
{
    struct client *c, *other;

    (void)state;
    begin();
    c = new_client();
    other = new_client();
    room = 2;
    send_text(c, SPAN(HEAD("Content-Length: 3") "abc" HEAD("Content-Length: 1") "d"));
    turn_until(is_paused);
    assert_ptr_equal(server.paused, &server.connections[0]);
    send_text(other, SPAN(HEAD("Content-Length: 1") "e"));
    /* accepted, but not read */
    (void)new_client();
    assert_int_equal(rooms_asked, 1);
    assert_true(http_server_stays_paused(&server));
    CHECK_SPAN("told", out_span(&told), SPAN("begin "));
    /* no room again for what follows */
    room = 1;
    http_server_resume(&server, SPAN("c"));
    assert_true(http_server_stays_paused(&server));
    room = SIZE_MAX;
    http_server_resume(&server, SPAN("X"));
    assert_false(http_server_stays_paused(&server));
    turn_until(second_answered);
    CHECK_SPAN("told", out_span(&told),
               SPAN("begin <cX> end heard begin <d> end heard begin <e> end heard "));
    end();
}

/* At the end of a body, which is asked for again. */
static void
paused_at_the_end(void **state)
{
    (void)state;
    begin();
    room = 1;
    send_text(new_client(), SPAN(HEAD("Content-Length: 1") "a"));
    turn_until(is_paused);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a>"));
    room = 1;
    http_server_resume(&server, (struct span){NULL, 0});
    turn_until(first_answered);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a> end heard "));
    end();
}

/* The one for which reading stopped goes: it goes on for the others. */
static void
paused_for_one_that_goes(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct client *c, *other;

        begin();
        c = new_client();
        other = new_client();
        room = 0;
        send_text(c, SPAN(HEAD("Content-Length: 3") "ab"));
        turn_until(is_paused);
        send_text(other, SPAN(HEAD("Content-Length: 1") "e"));
        if (way == 0) {
            /* the loop tells */
            reset(c);
        } else {
            /* whoever asks is told */
            loop_close(&loop, &c->watch);
            assert_false(http_server_stays_paused(&server));
        }
        room = SIZE_MAX;
        turn_until(second_answered);
        CHECK_SPAN("told", out_span(&told), SPAN("begin  lost begin <e> end heard "));
        end();
    }
}

/* --- silence ----------------------------------------------------------------------------------- */

/* The server looks at its connections after so much time without a turn. */
static void
sweep_after(uint64_t ms)
{
    loop.now.ms += ms;
    server.sweep.fire(server.sweep.context);
}

static void
silent(void **state)
{
    struct client *in_head, *in_body, *idle;

    (void)state;
    begin();
    in_head = new_client();
    in_body = new_client();
    idle = new_client();
    send_text(in_head, SPAN("POST /p"));
    send_text(in_body, SPAN(HEAD("Content-Length: 3") "a"));
    http_server_drain(&server, UINT64_MAX);
    assert_true(server.sweep.at_ms != 0);
    sweep_after(30000);
    assert_int_equal(server.open, 3);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a>"));
    sweep_after(1);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a>408 408  lost "));
    assert_int_equal(server.open, 3);
    /* they have a second to read it */
    sweep_after(1000);
    assert_int_equal(server.open, 1);
    assert_false(idle->closed);
    turn_until(all_accepted);
    CHECK_SPAN("head", ((struct span){in_head->got, in_head->len}),
               SPAN(REFUSED("408 Request Timeout")));
    CHECK_SPAN("body", ((struct span){in_body->got, in_body->len}),
               SPAN(REFUSED("408 Request Timeout")));
    end();
}

/* In a freeze nobody could be heard: the one that was heard last was heard just now. */
static void
thawed(void **state)
{
    struct client *c;

    (void)state;
    begin();
    c = new_client();
    send_text(c, SPAN(HEAD("Content-Length: 3") "a"));
    http_server_drain(&server, UINT64_MAX);
    loop.thaws++;
    sweep_after(60000);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a>"));
    sweep_after(30001);
    CHECK_SPAN("told", out_span(&told), SPAN("begin <a>408  lost "));
    end();
}

/* --- too many ---------------------------------------------------------------------------------- */

static bool
most_silent_closed(void)
{
    return clients[1].closed;
}

static void
crowd(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        (void)new_client();
    for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        server.connections[i].heard_ms = loop.now.ms - (i == 1 ? 2 : 1);
    assert_int_equal(server.open, HTTP_SERVER_CONNECTIONS);
    (void)new_client();
    turn_until(most_silent_closed);
    assert_int_equal(server.open, HTTP_SERVER_CONNECTIONS);
    end();
}

static bool
not_accepting(void)
{
    return server.watch.events == 0;
}

/* Without another file the one that waits is not asked for in each turn. */
static void
no_more_files(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct rlimit all, none;
    struct client *c;
    int fd;

    (void)state;
    begin();
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = all;
    /* those that are open are the lowest */
    none.rlim_cur = (rlim_t)fd + 1;
    to.sin_port = htons(server.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn_until(not_accepting);
    assert_int_equal(server.open, 0);
    assert_true(server.sweep.at_ms != 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    c = &clients[clients_len++];
    *c = (struct client){.watch = {.fd = -1, .ready = client_ready, .context = c}};
    assert_int_equal(loop_watch(&loop, &c->watch, fd, EPOLLIN), 0);
    sweep_after(0);
    turn_until(all_accepted);
    end();
}

/* A port that is taken is for the caller to deal with. */
static void
port_taken(void **state)
{
    static struct http_server second;

    (void)state;
    begin();
    second.loop = &loop;
    second.watch.fd = -1;
    assert_int_equal(http_server_open(&second, server.port), ERR_IO);
    assert_int_equal(http_server_open(&second, 0), 0);
    assert_true(second.port > 0 && second.port != server.port);
    loop_close(&loop, &second.watch);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(head_too_large),
        cmocka_unit_test(unheard),
        cmocka_unit_test(deserted),
        cmocka_unit_test(paused),
        cmocka_unit_test(paused_at_the_end),
        cmocka_unit_test(paused_for_one_that_goes),
        cmocka_unit_test(silent),
        cmocka_unit_test(thawed),
        cmocka_unit_test(crowd),
        cmocka_unit_test(no_more_files),
        cmocka_unit_test(port_taken),
    };

    return RUN(argc, argv, tests);
}
