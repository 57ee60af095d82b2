#include "io/connection.h"

#include "check.h"
#include "io/clock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The time that a connection has, over a freeze. Its peer never answers: nothing that is connected to
 * 127.53.2.1 or 127.53.2.2 has room for another connection. A freeze is a callback that takes long.
 */

enum { WITHIN_MS = 800, FREEZE_MS = 900, PEERS = 2 };

static struct loop loop;
static struct connection connection;
static struct loop_timer sleeper;
static struct loop_watch server = {.fd = -1};
static int listeners[PEERS], fillers[PEERS][2];
static char folder[] = "/tmp/test_connection.XXXXXX";
static char hosts_path[64], conf_path[64];
static unsigned asked, ends;

static void
progress(void *context)
{
    assert_ptr_equal(context, &ends);
    ends += connection.state == CONNECTION_CLOSED;
    loop.stopped = true;
}

static struct sockaddr_in
address_of(unsigned last, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    a.sin_addr.s_addr = htonl(0x7f350200 | last);
    return a;
}

static int
bound(int type, unsigned last, uint16_t *port)
{
    struct sockaddr_in a = address_of(last, *port);
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* Its one place in the queue is taken. */
static void
open_peer(unsigned i)
{
    struct sockaddr_in a;

    listeners[i] = bound(SOCK_STREAM, i + 1, &connection.peer.port);
    assert_int_equal(listen(listeners[i], 0), 0);
    a = address_of(i + 1, connection.peer.port);
    for (int j = 0; j < 2; j++) {
        fillers[i][j] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i][j], (struct sockaddr *)&a, sizeof a);
    }
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
freeze(void *context)
{
    (void)context;
    usleep(FREEZE_MS * 1000);
}

/* A name server that is frozen at the first question, and knows no answer but 127.53.2.1. */
static void
answer(void *context, uint32_t events)
{
    static const char record[] = "\xc0\14\0\1\0\1\0\0\0\0\0\4\177\65\2\1";
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    char bytes[512];
    ssize_t n = recvfrom(server.fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    bool v4;

    (void)context;
    (void)events;
    assert_true(n > 12);
    if (++asked == 1) {
        freeze(NULL);
        return;
    }
    v4 = bytes[n - 3] == DNS_A;
    memcpy(bytes + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    bytes[7] = v4;
    memcpy(bytes + n, record, sizeof record - 1);
    n += v4 ? (ssize_t)sizeof record - 1 : 0;
    assert_int_equal(sendto(server.fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, from_len), n);
}

static void
open_all(const char *hosts)
{
    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    connection_init(&connection, &loop, progress, &ends);
    connection.peer.host = SPAN("kinesis.test");
    connection.peer.open_within_ms = WITHIN_MS;
    for (unsigned i = 0; i < PEERS; i++)
        open_peer(i);
    write_file(hosts_path, hosts);
    write_file(conf_path, "nameserver 127.53.2.3\n");
    connection.resolver.hosts_path = hosts_path;
    connection.resolver.conf_path = conf_path;
    connection.resolver.server_port = 0;
    server = (struct loop_watch){.fd = -1, .ready = answer};
    assert_int_equal(
        loop_watch(&loop, &server, bound(SOCK_DGRAM, 3, &connection.resolver.server_port), EPOLLIN),
        0);
    sleeper = (struct loop_timer){.fire = freeze};
    loop_add_timer(&loop, &sleeper);
    asked = ends = 0;
}

static void
close_all(void)
{
    connection_close(&connection);
    close(server.fd);
    for (unsigned i = 0; i < PEERS; i++) {
        close(listeners[i]);
        close(fillers[i][0]);
        close(fillers[i][1]);
    }
    close(loop.epoll);
}

/* --- what is left of the time -------------------------------------------------------------------- */

static void (*hooked)(void *context);

/* Stops the loop behind the callback that has been put here. */
static void
hook(void *context)
{
    hooked(context);
    loop.stopped = true;
}

static void
run(void)
{
    loop.stopped = false;
    assert_int_equal(loop_run(&loop), 0);
}

static uint64_t
left_ms(void)
{
    uint64_t now = clock_monotonic_ms();

    return connection.timer.at_ms > now ? connection.timer.at_ms - now : 0;
}

/* The name is looked up anew after the freeze, and the peer has the time that there was before it. */
static void
frozen_in_look_up(void **state)
{
    (void)state;
    open_all("");
    hooked = connection.resolver.done;
    connection.resolver.done = hook;
    connection_start(&connection);
    assert_int_equal(connection.state, CONNECTION_RESOLVING);
    run();
    assert_true(asked > 2);
    assert_int_equal(connection.state, CONNECTION_CONNECTING);
    assert_in_range(left_ms(), WITHIN_MS / 4, WITHIN_MS);
    close_all();
}

/* Each of two addresses has half of the time, though a freeze outlasts all of it. */
static void
frozen_in_connect(void **state)
{
    (void)state;
    open_all("127.53.2.1 kinesis.test\n127.53.2.2 kinesis.test\n");
    hooked = connection.share.fire;
    connection.share.fire = hook;
    connection_start(&connection);
    loop_set(&loop, &sleeper, 0);
    run();
    assert_int_equal(connection.address, 2);
    assert_int_equal(connection.state, CONNECTION_CONNECTING);
    assert_in_range(left_ms(), WITHIN_MS / 8, WITHIN_MS / 2 + 1);
    run();
    assert_int_equal(connection.end, CONNECTION_TIMED_OUT);
    assert_int_equal(ends, 1);
    close_all();
}

/* --- the end ------------------------------------------------------------------------------------- */

/* A peer that has sent these bytes and a reset behind them. */
static void
reset_behind(const char *text)
{
    struct linger linger = {.l_onoff = 1};
    int listener = bound(SOCK_STREAM, 4, &connection.peer.port);
    int peer;

    assert_int_equal(listen(listener, 1), 0);
    connection_start(&connection);
    assert_int_equal(connection.state, CONNECTION_OPEN);
    peer = accept(listener, NULL, NULL);
    assert_int_equal(write(peer, text, strlen(text)), strlen(text));
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(peer);
    close(listener);
}

/* What came before it is there until it has been taken, also when it is taken in parts. */
static void
reset_behind_bytes(void **state)
{
    static char in[PLAIN_BUFFER], out[PLAIN_BUFFER];

    (void)state;
    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    connection_init(&connection, &loop, progress, &ends);
    connection.peer = (struct connection_peer){.host = SPAN("127.53.2.4")};
    connection.stream.plain.in = in;
    connection.stream.plain.out = out;
    reset_behind("abcd");
    ends = 0;
    run();
    assert_int_equal(connection.state, CONNECTION_OPEN);
    connection_used(&connection, 1);
    assert_int_equal(connection_input(&connection).len, 3);
    assert_memory_equal(connection_input(&connection).p, "bcd", 3);
    connection_used(&connection, 3);
    assert_int_equal(connection.state, CONNECTION_CLOSED);
    assert_int_equal(connection.end, CONNECTION_BROKEN);
    assert_string_equal(connection_error(&connection), "Connection reset by peer");
    close(loop.epoll);
}

/* Whatever a certificate is refused for, another call does not make it better. */
static void
hopeless(void **state)
{
    unsigned certificates = 0;

    (void)state;
    for (int code = BR_ERR_X509_OK + 1; code < BR_ERR_RECV_FATAL_ALERT; code++) {
        struct connection c = {.end = CONNECTION_TLS_FAILED, .code = code};

        if (strstr(tls_error(code), "certificate") == NULL)
            continue;
        certificates++;
        if (!connection_hopeless(&c))
            fail_msg("%d, %s", code, tls_error(code));
    }
    assert_true(certificates > 7);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_in_look_up),
        cmocka_unit_test(frozen_in_connect),
        cmocka_unit_test(reset_behind_bytes),
        cmocka_unit_test(hopeless),
    };
    int status;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(hosts_path, sizeof hosts_path, "%s/hosts", folder);
    snprintf(conf_path, sizeof conf_path, "%s/resolv.conf", folder);
    status = RUN(argc, argv, tests);
    (void)unlink(hosts_path);
    (void)unlink(conf_path);
    (void)rmdir(folder);
    return status;
}
