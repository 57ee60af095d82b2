#include "extension/telemetry_listener.h"

#include "check.h"
#include "dice.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The listener without a loop that turns: what a client has sent is read at once, so that the order of all
 * that happens is the test's.
 */

#define EVENT_BEGIN "{\"time\":\"2026-11-20T10:00:00.000Z\",\"type\":\"function\",\"record\":\""
#define EVENT_END "\"}"

enum { BODY_MAX = 4 << 20, TAKEN_MAX = 4096, DRAIN_MS = 60000 };

static struct loop loop;
static struct storage storage;
static struct telemetry_listener *listener;
static struct ledger ledger;
static char body[BODY_MAX];
static size_t body_len;
static unsigned taken[TAKEN_MAX]; /* how often the event with this number was handed out */
static unsigned taken_len, lost_len[DROP_REASONS], room;

static int
take_event(void *context, struct span event, const struct json_marks *marks)
{
    const char *number = event.len > sizeof EVENT_BEGIN ? event.p + sizeof EVENT_BEGIN - 1 : "";
    char digits[8] = "";

    (void)context;
    (void)marks;
    if (room == 0)
        return ERR_FULL;
    room--;
    taken_len++;
    for (size_t i = 0; i < 6 && number[i] >= '0' && number[i] <= '9'; i++)
        digits[i] = number[i];
    if (digits[0] != '\0')
        taken[atoi(digits) % TAKEN_MAX]++;
    return 1;
}

static void
take_loss(void *context, enum ledger_drop reason)
{
    (void)context;
    lost_len[reason]++;
}

static bool
no_cut(void *context)
{
    (void)context;
    return false;
}

static void
nothing(void *context)
{
    (void)context;
}

static void
begin(void)
{
    if (storage.p == NULL) {
        assert_int_equal(loop_open(&loop), 0);
        assert_int_equal(storage_open(&storage, telemetry_listener_bytes()), 0);
        listener = storage_take(&storage, sizeof *listener);
        listener->posts.event = take_event;
        listener->posts.lost = take_loss;
        listener->posts.cut = no_cut;
        listener->posts.posted = listener->posts.disturbed = nothing;
        listener->posts.ledger = &ledger;
        loop.now.ms = 1000;
        assert_int_equal(telemetry_listener_init(listener, &loop, &storage), 0);
        assert_int_equal(telemetry_listener_open(listener, 4243), 0);
    }
    memset(&ledger, 0, sizeof ledger);
    memset(taken, 0, sizeof taken);
    memset(lost_len, 0, sizeof lost_len);
    taken_len = 0;
    room = UINT32_MAX;
    body_len = 0;
}

/* No connection is left, and nothing is remembered. */
static void
end(void)
{
    telemetry_listener_drain(listener, DRAIN_MS);
    assert_int_equal(listener->server.open, 0);
    telemetry_listener_end(listener);
    for (int i = 0; i < LISTENER_LARGE_EVENTS; i++)
        assert_false(listener->posts.large_used[i]);
}

static void
read_all(void)
{
    telemetry_listener_drain(listener, DRAIN_MS);
}

static int
connect_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(listener->server.port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    listener->server.watch.ready(listener->server.watch.context, EPOLLIN);
    return fd;
}

static void
put(struct span text)
{
    assert_true(body_len + text.len <= sizeof body);
    memcpy(body + body_len, text.p, text.len);
    body_len += text.len;
}

/* An event with this number, of so many bytes more than it needs. */
static void
put_event(unsigned number, size_t fill)
{
    char text[16];

    put(SPAN(EVENT_BEGIN));
    snprintf(text, sizeof text, "%06u", number);
    put(span_of(text));
    for (; fill > 0; fill--)
        put(SPAN("x"));
    put(SPAN(EVENT_END));
}

static void
send_bytes(int fd, const char *p, size_t len)
{
    while (len > 0) {
        size_t n = len < 16384 ? len : 16384;

        assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
        p += n;
        len -= n;
        read_all();
    }
}

static void
send_head(int fd, size_t len)
{
    char head[200];
    int n =
        snprintf(head, sizeof head, "POST %.*s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
                 LISTENER_PATH_LEN, listener->path, len);

    send_bytes(fd, head, (size_t)n);
}

/* So many bytes of the body are sent of one that claims this length. */
static int
post(size_t sent, size_t len)
{
    int fd = connect_client();

    send_head(fd, len);
    send_bytes(fd, body, sent);
    return fd;
}

static void
hang_up(int fd)
{
    assert_int_equal(close(fd), 0);
    read_all();
}

static void
answered(int fd)
{
    char reply[64] = "";

    assert_true(recv(fd, reply, sizeof reply - 1, MSG_DONTWAIT) > 0);
    assert_memory_equal(reply, "HTTP/1.1 200", 12);
    hang_up(fd);
}

/* What is kept of a POST that may be one that comes again never exceeds its buffer. */
static void
kept_within_its_buffer(void **state)
{
    size_t first;
    int fd;

    (void)state;
    begin();
    put(SPAN("["));
    put_event(1, 0);
    first = body_len;
    put(SPAN(","));
    put_event(2, 0);
    put(SPAN(","));
    put_event(3, 0);
    put(SPAN(","));
    hang_up(post(body_len, body_len + 1));
    /* the carry is full to its last byte when the first event is known to be sound */
    body_len = first;
    put(SPAN(",{\"a\":\""));
    while (body_len < 1 + LISTENER_EVENT_MAX_BYTES - (sizeof EVENT_BEGIN - 1) - 3)
        put(SPAN("x"));
    put(SPAN("\"},"));
    put_event(4, 0);
    put(SPAN("]"));
    fd = post(body_len, body_len);
    /* the one behind it has never been used */
    assert_int_equal(listener->posts.large[2][0], '\0');
    answered(fd);
    assert_int_equal(taken[4], 1);
    end();
}

/* A POST that differs behind a mark, while the carry holds what follows the mark: all behind it is taken. */
static void
differs_behind_a_mark(void **state)
{
    size_t differs = 0;
    int fd;

    (void)state;
    begin();
    put(SPAN("["));
    put_event(1, REPEATS_MARK_BYTES - sizeof EVENT_BEGIN EVENT_END - 60);
    for (unsigned i = 2; i < 20; i++) {
        put(SPAN(","));
        if (i == 8)
            differs = body_len;
        put_event(i, 0);
    }
    put(SPAN("]"));
    hang_up(post(body_len - 1, body_len));
    memcpy(body + differs + sizeof EVENT_BEGIN - 1, "000028", 6);
    fd = post(body_len, body_len);
    answered(fd);
    assert_int_equal(taken[1], 1);
    assert_int_equal(taken[2], 1);
    assert_int_equal(taken[28], 1);
    for (unsigned i = 3; i < 20; i++)
        assert_int_equal(taken[i], i == 8 ? 1 : 2);
    end();
    assert_int_equal(ledger.repeated, 2);
    assert_int_equal(ledger.duplicates_possible, 17);
}

/* A first event that is larger than what is kept between two marks. */
static void
large_first(void **state)
{
    static const size_t fills[] = {1000, REPEATS_MARK_BYTES, 700000, 1000000};

    (void)state;
    for (size_t i = 0; i < LEN(fills); i++) {
        begin();
        put(SPAN("["));
        put_event(1, fills[i]);
        for (unsigned n = 2; n < 10; n++) {
            put(SPAN(","));
            put_event(n, 100);
        }
        put(SPAN("]"));
        hang_up(post(body_len - 300, body_len));
        answered(post(body_len, body_len));
        for (unsigned n = 1; n < 10; n++)
            assert_int_equal(taken[n], 1);
        end();
        assert_int_equal(ledger.repeated, 7);
        assert_int_equal(ledger.duplicates_possible, 0);
    }
}

/* A POST's first event waits for what follows it; when nothing comes any more, it is counted. */
static void
held_at_the_end(void **state)
{
    (void)state;
    for (unsigned known = 0; known < 2; known++) {
        int fd;

        begin();
        put(SPAN("["));
        put_event(1, 0);
        put(SPAN(",{\"time\":"));
        fd = connect_client();
        if (known > 0) {
            /* another POST that broke off, so that this one is compared */
            send_head(fd, 1000);
            send_bytes(fd, "[{\"a\":1},{", 11);
            hang_up(fd);
            fd = connect_client();
        }
        send_head(fd, 1000);
        send_bytes(fd, body, body_len);
        assert_int_equal(taken[1], 0);
        telemetry_listener_end(listener);
        assert_int_equal(taken[1], 1);
        hang_up(fd);
        end();
    }
}

/* Two POSTs that begin with the rest of a record that was cut in two are not the same for that. */
static void
two_damaged(void **state)
{
    static const char cut[] = EVENT_BEGIN "\"b\":1}},";
    int one, other;

    (void)state;
    begin();
    put(SPAN("["));
    put(SPAN(cut));
    put_event(1, 0);
    put(SPAN(","));
    one = post(body_len, 1000);
    body_len = 0;
    put(SPAN("["));
    put(SPAN(cut));
    put_event(2, 0);
    put(SPAN(","));
    other = post(body_len, 1000);
    assert_int_equal(listener->server.open, 2);
    assert_int_equal(taken[1] + taken[2], 2);
    assert_int_equal(lost_len[DROP_CUT], 2);
    hang_up(one);
    hang_up(other);
    end();
}

/* Ends a stop, and says how much is taken until the next. */
static void
give_room(void)
{
    for (unsigned turns = 0; telemetry_listener_stopped(listener); turns++) {
        assert_true(turns < 100000);
        room = dice(40);
        telemetry_listener_resume(listener);
    }
    room = dice(3) == 0 ? dice(40) : UINT32_MAX;
}

static void
send_some(int fd, const char *p, size_t len)
{
    while (len > 0) {
        size_t n = 1 + dice(dice(2) == 0 ? 200 : 60000);

        n = n < len ? n : len;
        assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
        read_all();
        give_room();
        read_all();
        give_room();
        p += n;
        len -= n;
    }
}

/* The number of the event that begins here. */
static unsigned
number_at(const char *event)
{
    char digits[7] = "";

    memcpy(digits, event + sizeof EVENT_BEGIN - 1, 6);
    return (unsigned)atoi(digits);
}

/* The event behind this place of the body; NULL: there is none. */
static char *
event_behind(const char *at)
{
    return memmem(at, body_len - (size_t)(at - body), EVENT_BEGIN, sizeof EVENT_BEGIN - 1);
}

/* An event behind the first has another number from now on. */
static void
change(unsigned number)
{
    char *at = event_behind(body);
    char digits[8];

    for (unsigned n = 1 + dice(30); n > 0; n--)
        at = event_behind(at + 1) != NULL ? event_behind(at + 1) : at;
    snprintf(digits, sizeof digits, "%06u", number);
    if (at != event_behind(body))
        memcpy(at + sizeof EVENT_BEGIN - 1, digits, 6);
}

/* Sends a part of the body, or all of it. */
static void
try(size_t part)
{
    struct linger hard = {1, 0};
    int fd = connect_client();

    send_head(fd, body_len);
    give_room();
    send_some(fd, body, part);
    if (part == body_len) {
        answered(fd);
        return;
    }
    if (dice(2) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    hang_up(fd);
}

/*
 * POSTs at random that break off at any byte and come again, the same or changed, while the queue is full at
 * times: nothing is lost that was answered, doubles are what the ledger says at most, and none where all is the same.
 */
static void
broken_at_random(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 300; run++) {
        unsigned events = 1 + dice(30), tries = 1 + dice(4), doubles = 0;
        bool same = dice(2) == 0;

        begin();
        for (unsigned i = 1; i <= events; i++) {
            put(i == 1 ? SPAN("[") : SPAN(","));
            put_event(i, dice(3) == 0 ? dice(dice(8) == 0 ? 400000 : 60000) : dice(300));
        }
        put(SPAN("]"));
        for (unsigned i = 0; i < tries; i++) {
            try(dice((uint32_t)body_len));
            if (!same && dice(3) == 0)
                change(100 + i);
        }
        try(body_len);
        for (const char *at = event_behind(body); at != NULL; at = event_behind(at + 1))
            assert_true(taken[number_at(at)] > 0);
        for (unsigned i = 0; i < TAKEN_MAX; i++)
            doubles += taken[i] > 1 ? taken[i] - 1 : 0;
        end();
        assert_true(doubles <= ledger.duplicates_possible);
        assert_true(ledger.duplicates_possible <= events * tries);
        if (same)
            assert_int_equal(doubles, 0);
        for (unsigned i = 0; i < DROP_REASONS; i++)
            assert_int_equal(lost_len[i], 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_within_its_buffer),
        cmocka_unit_test(differs_behind_a_mark),
        cmocka_unit_test(large_first),
        cmocka_unit_test(held_at_the_end),
        cmocka_unit_test(two_damaged),
        cmocka_unit_test(broken_at_random),
    };

    return RUN(argc, argv, tests);
}
