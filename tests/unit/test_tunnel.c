#include "io/tunnel.h"

#include "check.h"
#include "io/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A connection through a proxy, which is this test. Each thing that the proxy does wakes the loop, and the loop
 * stops when the connection has looked at it.
 */

#define REQUEST                                                                                    \
    "CONNECT kinesis.test.:443 HTTP/1.1\r\nhost: kinesis.test.:443\r\n"                            \
    "proxy-authorization: Basic dTpw\r\n\r\n"
#define OK "HTTP/1.1 200 Connection established\r\n\r\n"

static struct loop loop;
static struct connection connection;
static struct proxy proxy;
static char in[PLAIN_BUFFER], out[PLAIN_BUFFER];
static struct tls tls;
static int listener = -1, peer = -1;
static unsigned reports;

static void
progress(void *context)
{
    (void)context;
    reports++;
    loop.stopped = true;
}

static void
run(void)
{
    loop.stopped = false;
    assert_int_equal(loop_run(&loop), 0);
}

static void
open_listener(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    proxy =
        (struct proxy){.host = SPAN("127.0.0.1"), .port = ntohs(a.sin_port), .user = SPAN("u:p")};
}

/* To where the proxy has the whole request. */
static void
begin(const struct tls_anchors *anchors, uint32_t within_ms)
{
    char request[512];

    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    open_listener();
    connection_init(&connection, &loop, progress, NULL);
    connection.peer = (struct connection_peer){.host = SPAN("kinesis.test."),
                                               .port = 443,
                                               .anchors = anchors,
                                               .proxy = &proxy,
                                               .open_within_ms = within_ms};
    connection.stream.plain = (struct plain){.in = in, .out = out};
    connection.stream.tls = anchors == NULL ? NULL : &tls;
    reports = 0;
    connection_start(&connection);
    assert_int_equal(connection.state, CONNECTION_TUNNELLING);
    assert_int_equal(reports, 0);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(read(peer, request, sizeof request), strlen(REQUEST));
    assert_memory_equal(request, REQUEST, strlen(REQUEST));
}

static void
end(void)
{
    connection_close(&connection);
    if (peer >= 0)
        close(peer);
    close(listener);
    close(loop.epoll);
    peer = listener = -1;
}

static void
say(const char *text, size_t len)
{
    assert_int_equal(write(peer, text, len), len);
    run();
}

/* Closes, with a reset or not. */
static void
leave(bool reset)
{
    const struct linger now = {1, 0};

    if (reset)
        assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(peer);
    peer = -1;
    run();
}

enum leaving { STAYS, CLOSES, RESETS };

static const struct {
    const char *name, *reply;
    enum leaving then;
    enum connection_end end; /* CONNECTION_NO_END: it is open */
    int code;
    bool hopeless;
    const char *error;
} rows[] = {
    {"consent", OK, STAYS, CONNECTION_NO_END, 0, false, "no error"},
    {"of HTTP/1.0", "HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n", STAYS, CONNECTION_NO_END, 0, false,
     "no error"},
    {"after an interim reply", "HTTP/1.1 100 Continue\r\n\r\n" OK, STAYS, CONNECTION_NO_END, 0,
     false, "no error"},
    {"401", "HTTP/1.1 401 x\r\n\r\n", STAYS, CONNECTION_NO_TUNNEL, 401, true, "the proxy answered"},
    {"403", "HTTP/1.1 403 x\r\n\r\n", CLOSES, CONNECTION_NO_TUNNEL, 403, true,
     "the proxy answered"},
    {"407", "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", STAYS,
     CONNECTION_NO_TUNNEL, 407, true, "the proxy answered"},
    {"408", "HTTP/1.1 408 x\r\n\r\n", STAYS, CONNECTION_NO_TUNNEL, 408, false,
     "the proxy answered"},
    {"429", "HTTP/1.1 429 x\r\n\r\n", STAYS, CONNECTION_NO_TUNNEL, 429, false,
     "the proxy answered"},
    {"502", "HTTP/1.0 502 x\r\n\r\n", CLOSES, CONNECTION_NO_TUNNEL, 502, false,
     "the proxy answered"},
    {"302", "HTTP/1.1 302 x\r\n\r\n", STAYS, CONNECTION_NO_TUNNEL, 302, false,
     "the proxy answered"},
    {"no HTTP", "SSH-2.0-x\r\n", STAYS, CONNECTION_NO_PROXY, 0, false,
     "the proxy's reply is not valid HTTP"},
    {"nothing", "", CLOSES, CONNECTION_BY_PROXY, 0, false, "closed by the proxy"},
    {"half a head", "HTTP/1.1 200 OK\r\nVia", CLOSES, CONNECTION_BY_PROXY, 0, false,
     "closed by the proxy"},
    {"an interim reply alone", "HTTP/1.1 100 Continue\r\n\r\n", CLOSES, CONNECTION_BY_PROXY, 0,
     false, "closed by the proxy"},
    {"reset", "", RESETS, CONNECTION_BROKEN, ECONNRESET, false, "Connection reset by peer"},
    {"reset in the head", "HTTP/1.1 4", RESETS, CONNECTION_BROKEN, ECONNRESET, false,
     "Connection reset by peer"},
};

static void
check_end(size_t i)
{
    bool open = rows[i].end == CONNECTION_NO_END;

    CHECK_INT(rows[i].name, connection.state, open ? CONNECTION_OPEN : CONNECTION_CLOSED);
    CHECK_INT(rows[i].name, connection.end, rows[i].end);
    CHECK_INT(rows[i].name, connection.code, rows[i].code);
    CHECK_INT(rows[i].name, connection_hopeless(&connection), rows[i].hopeless);
    CHECK_SPAN(rows[i].name, span_of(connection_error(&connection)), span_of(rows[i].error));
}

/* Whole, and byte by byte. */
static void
replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (int whole = 0; whole <= 1; whole++) {
            const char *text = rows[i].reply;
            size_t step = whole ? strlen(text) : 1;

            begin(NULL, 60000);
            while (*text != '\0' && connection.state == CONNECTION_TUNNELLING) {
                say(text, step);
                text += step;
            }
            if (rows[i].then != STAYS && connection.state == CONNECTION_TUNNELLING)
                leave(rows[i].then == RESETS);
            check_end(i);
            end();
        }
}

/* In the tunnel, either side is heard, and nothing of the reply is left. */
static void
through(void **state)
{
    size_t cap;
    char *room, got[8];

    (void)state;
    begin(NULL, 60000);
    say(OK, strlen(OK));
    assert_int_equal(connection.state, CONNECTION_OPEN);
    assert_int_equal(connection.timer.at_ms, 0);
    assert_int_equal(connection_input(&connection).len, 0);
    assert_true(connection_idle(&connection));
    room = connection_room(&connection, &cap);
    memcpy(room, "ping", 4);
    connection_wrote(&connection, 4);
    connection_flush(&connection);
    assert_int_equal(read(peer, got, sizeof got), 4);
    assert_memory_equal(got, "ping", 4);
    say("pong", 4);
    CHECK_SPAN("pong", connection_input(&connection), SPAN("pong"));
    end();
}

/* What the far side says before us is no part of a tunnel. */
static void
too_much(void **state)
{
    (void)state;
    begin(NULL, 60000);
    say(OK "x", strlen(OK "x"));
    assert_int_equal(connection.end, CONNECTION_NO_PROXY);
    end();
}

/* A head that just fills the buffer is read; one that is a byte longer is not. */
static void
huge(void **state)
{
    static char text[PLAIN_BUFFER + 1] = "HTTP/1.1 200 OK\r\nA: ";

    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        size_t len = PLAIN_BUFFER + more;

        memset(text + 20, 'a', sizeof text - 20);
        memcpy(text + len - 4, "\r\n\r\n", 4);
        begin(NULL, 60000);
        for (size_t at = 0; at < len && connection.state == CONNECTION_TUNNELLING;) {
            size_t n = len - at < 4096 ? len - at : 4096;

            say(text + at, n);
            at += n;
        }
        assert_int_equal(connection.state, more ? CONNECTION_CLOSED : CONNECTION_OPEN);
        assert_int_equal(connection.end, more ? CONNECTION_NO_PROXY : CONNECTION_NO_END);
        end();
    }
}

/* The proxy counts among what the connection has time for. */
static void
silent(void **state)
{
    (void)state;
    begin(NULL, 30);
    run();
    assert_int_equal(connection.end, CONNECTION_TIMED_OUT);
    assert_string_equal(connection_error(&connection), "no connection in time");
    end();
}

static void
nobody(void **state)
{
    (void)state;
    begin(NULL, 60000);
    connection_close(&connection);
    close(listener);
    connection_start(&connection);
    while (connection.state != CONNECTION_CLOSED)
        run();
    assert_int_equal(connection.end, CONNECTION_REFUSED);
    assert_int_equal(connection.code, ECONNREFUSED);
    end();
}

/* TLS begins behind the reply, and is about the host, not the proxy. */
static void
encrypted(void **state)
{
    static const struct tls_anchors anchors;
    static const char plain[] = "HTTP/1.1 400 x\r\n\r\n";
    char hello[1024];
    ssize_t n;

    (void)state;
    for (int again = 0; again <= 1; again++) {
        begin(&anchors, 60000);
        say(OK, strlen(OK));
        assert_int_equal(connection.state, CONNECTION_HANDSHAKING);
        n = read(peer, hello, sizeof hello);
        assert_true(n > 5 && hello[0] == 0x16 && hello[1] == 3);
        assert_non_null(memmem(hello, (size_t)n, "\0\14kinesis.test", 14));
        assert_null(memmem(hello, (size_t)n, "kinesis.test.", 13));
        assert_null(memmem(hello, (size_t)n, "127.0.0.1", 9));
        /* a peer without TLS is told from a proxy that says no */
        say(plain, strlen(plain));
        assert_int_equal(connection.end, CONNECTION_NOT_TLS);
        end();
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),   cmocka_unit_test(through), cmocka_unit_test(too_much),
        cmocka_unit_test(huge),      cmocka_unit_test(silent),  cmocka_unit_test(nobody),
        cmocka_unit_test(encrypted),
    };

    return RUN(argc, argv, tests);
}
