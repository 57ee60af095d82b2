#include "io/resolver.h"

#include "check.h"
#include "io/clock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The resolver and name servers in one loop. All servers have the same port, on 127.53.1.1 and the
 * addresses behind it, over UDP and TCP; /etc/hosts and /etc/resolv.conf are files of the test.
 */

/* What a server does with a question. */
enum act {
    ACT_ADDRESS,    /* one address, "last" of the server's own */
    ACT_NO_WAY,     /* one of IPv6 that no machine has a way to: link-local, of no interface */
    ACT_MANY,       /* twenty */
    ACT_CHAIN,      /* one behind two CNAMEs */
    ACT_NONE,       /* the name is there, its address is not */
    ACT_NO_NAME,    /* NXDOMAIN */
    ACT_SERVFAIL,   /* every time */
    ACT_SERVFAIL_1, /* the first time only, then an address */
    ACT_REFUSED,
    ACT_SILENT,
    ACT_SILENT_1,  /* the first time only */
    ACT_CUT,       /* truncated over UDP, an address over TCP */
    ACT_CUT_MANY,  /* truncated over UDP, a hundred over TCP */
    ACT_CUT_CLOSE, /* truncated over UDP, closed over TCP without an answer */
    ACT_WRONG_ID, /* a reply with another id, one to another question and one from elsewhere; then ours */
    ACT_GARBLED, /* a reply that ends in its answers */
    ACT_LEAVE    /* nobody listens any more */
};

struct server {
    enum act a, aaaa;
    bool closed; /* nobody listens */
    bool one;    /* takes one question for each stream */
    bool shy;    /* takes no streams */
    unsigned asked[2], streams;
    struct loop_watch udp, listener, stream;
};

#define SERVERS 3

static struct loop loop;
static struct resolver resolver;
static struct server servers[SERVERS];
static struct loop_timer guard;
static uint16_t port;
static int elsewhere;
static char folder[] = "/tmp/test_resolver.XXXXXX";
static char hosts_path[64], conf_path[64];
static unsigned dones;
static char last_name[256];

static void
done(void *context)
{
    assert_ptr_equal(context, &dones);
    dones++;
    loop.stopped = true;
}

static void
too_late(void *context)
{
    (void)context;
    fail_msg("nothing happens any more");
}

static void
put_16(struct out *o, unsigned n)
{
    out_byte(o, (char)(n >> 8));
    out_byte(o, (char)n);
}

static void
put_record(struct out *o, unsigned type, unsigned last, enum act act)
{
    static const char v4[] = {127, 0, 0};
    static const char near[15] = {(char)0xfd, 0};
    static const char local[15] = {(char)0xfe, (char)0x80};
    const char *v6 = act == ACT_NO_WAY ? local : near;

    put_16(o, 0xc00c);
    put_16(o, type);
    out_put(o, SPAN("\0\1\0\0\0\0"));
    put_16(o, type == DNS_A ? 4 : 16);
    out_put(o, type == DNS_A ? (struct span){v4, 3} : (struct span){v6, 15});
    out_byte(o, (char)last);
}

static void
put_cname(struct out *o)
{
    put_16(o, 0xc00c);
    out_put(o, SPAN("\0\5\0\1\0\0\0\0\0\6\3www\xc0\14"));
}

/* A reply to the query: as it came, with flags, a number of answers, and these. */
static struct out
begin_reply(char *buffer, size_t cap, struct span query, unsigned flags, unsigned answers)
{
    struct out o = out_to(buffer, cap);

    out_put(&o, (struct span){query.p, 2});
    put_16(&o, flags);
    put_16(&o, 1);
    put_16(&o, answers);
    put_16(&o, 0);
    put_16(&o, 0);
    out_put(&o, span_skip(query, 12));
    return o;
}

static struct out
reply_of(char *buffer, size_t cap, struct span query, enum act act, unsigned type, unsigned last)
{
    enum { PLAIN = 0x8180, CUT = 0x8380 };
    unsigned count = act == ACT_MANY ? 20 : (act == ACT_CUT_MANY ? 100 : 1);
    struct out o;

    switch (act) {
    case ACT_NONE:
        return begin_reply(buffer, cap, query, PLAIN, 0);
    case ACT_NO_NAME:
        return begin_reply(buffer, cap, query, PLAIN | 3, 0);
    case ACT_SERVFAIL:
        return begin_reply(buffer, cap, query, PLAIN | 2, 0);
    case ACT_REFUSED:
        return begin_reply(buffer, cap, query, PLAIN | 5, 0);
    case ACT_CUT:
        return begin_reply(buffer, cap, query, CUT, 0);
    case ACT_GARBLED:
        return begin_reply(buffer, cap, query, PLAIN, 3);
    case ACT_CHAIN:
        o = begin_reply(buffer, cap, query, PLAIN, 3);
        put_cname(&o);
        put_cname(&o);
        put_record(&o, type, last, act);
        return o;
    default:
        o = begin_reply(buffer, cap, query, PLAIN, count);
        for (unsigned i = 0; i < count; i++)
            put_record(&o, type, last + i, act);
        assert_int_equal(out_end(&o), 0);
        return o;
    }
}

/* The type that is asked for; remembers the name. */
static unsigned
read_query(struct span query)
{
    size_t at = 12, len = 0;

    assert_true(query.len > 17);
    while (query.p[at] != 0) {
        memcpy(last_name + len, query.p + at + 1, (size_t)query.p[at]);
        len += (size_t)query.p[at] + 1;
        at += (size_t)query.p[at] + 1;
        last_name[len - 1] = '.';
    }
    last_name[len - 1] = '\0';
    return (unsigned char)query.p[at + 2];
}

static void
send_reply(int fd, const struct out *o, const struct sockaddr_in *to)
{
    assert_int_equal(sendto(fd, o->p, o->len, 0, (const struct sockaddr *)to, sizeof *to), o->len);
}

/* Replies that are not to be believed. */
static void
mislead(const struct server *s, struct span query, const struct sockaddr_in *to)
{
    enum { WRONG = 66 };
    unsigned type = (unsigned char)query.p[query.len - 3];
    char bytes[512];
    struct out o = reply_of(bytes, sizeof bytes, query, ACT_ADDRESS, type, WRONG);

    /* the right one from another address */
    send_reply(elsewhere, &o, to);
    o = reply_of(bytes, sizeof bytes, query, ACT_ADDRESS, type, WRONG);
    bytes[0] = (char)(bytes[0] + 1);
    send_reply(s->udp.fd, &o, to);
    o = reply_of(bytes, sizeof bytes, query, ACT_NO_NAME, type, WRONG);
    bytes[13] = (char)(bytes[13] + 1);
    send_reply(s->udp.fd, &o, to);
    o.len = 11;
    send_reply(s->udp.fd, &o, to);
    o.len = 0;
    send_reply(s->udp.fd, &o, to);
}

/* From now on the socket hears itself alone; others are told that nobody listens. */
static void
leave(const struct server *s)
{
    struct sockaddr_in own;
    socklen_t len = sizeof own;

    assert_int_equal(getsockname(s->udp.fd, (struct sockaddr *)&own, &len), 0);
    assert_int_equal(connect(s->udp.fd, (struct sockaddr *)&own, len), 0);
}

static void
on_udp(void *context, uint32_t events)
{
    struct server *s = context;
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    char bytes[512], reply[2048];
    ssize_t n = recvfrom(s->udp.fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    struct span query = {bytes, (size_t)n};
    unsigned type, times;
    enum act act;
    struct out o;

    (void)events;
    assert_true(n > 0);
    type = read_query(query);
    act = type == DNS_A ? s->a : s->aaaa;
    times = ++s->asked[type == DNS_A ? 0 : 1];
    if (act == ACT_LEAVE)
        leave(s);
    if (act == ACT_LEAVE || act == ACT_SILENT || (act == ACT_SILENT_1 && times == 1))
        return;
    if (act == ACT_SERVFAIL_1)
        act = times == 1 ? ACT_SERVFAIL : ACT_ADDRESS;
    if (act == ACT_CUT_MANY || act == ACT_CUT_CLOSE)
        act = ACT_CUT;
    if (act == ACT_WRONG_ID)
        mislead(s, query, &from);
    o = reply_of(reply, sizeof reply, query, act, type, (unsigned)(s - servers) + 1);
    send_reply(s->udp.fd, &o, &from);
}

/* Queries come in one piece each; the reply goes out in two. */
static void
on_stream(void *context, uint32_t events)
{
    struct server *s = context;
    char bytes[2048], reply[4096];
    ssize_t n = recv(s->stream.fd, bytes, sizeof bytes, 0);
    struct span in = {bytes, n > 0 ? (size_t)n : 0};
    bool ended = n <= 0;

    (void)events;
    while (!ended && in.len > 0) {
        size_t len = (size_t)(unsigned char)in.p[0] << 8 | (unsigned char)in.p[1];
        struct span query = {in.p + 2, len};
        unsigned type;
        enum act act;
        struct out o;

        assert_true(in.len >= len + 2);
        type = read_query(query);
        act = type == DNS_A ? s->a : s->aaaa;
        ended = s->one || act == ACT_CUT_CLOSE;
        if (act == ACT_CUT_CLOSE)
            break;
        if (act == ACT_CUT)
            act = ACT_ADDRESS;
        o = reply_of(reply + 2, sizeof reply - 2, query, act, type, (unsigned)(s - servers) + 1);
        reply[0] = (char)(o.len >> 8);
        reply[1] = (char)o.len;
        assert_int_equal(send(s->stream.fd, reply, 1, MSG_MORE), 1);
        assert_int_equal(send(s->stream.fd, reply + 1, o.len + 1, MSG_NOSIGNAL), o.len + 1);
        in = span_skip(in, len + 2);
    }
    if (ended)
        loop_close(&loop, &s->stream);
}

static void
on_listener(void *context, uint32_t events)
{
    struct server *s = context;
    int fd = accept4(s->listener.fd, NULL, NULL, SOCK_NONBLOCK);

    (void)events;
    loop_close(&loop, &s->stream);
    s->streams++;
    assert_true(fd >= 0);
    assert_int_equal(loop_watch(&loop, &s->stream, fd, EPOLLIN), 0);
}

static int
bound(int type, unsigned last)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), one = 1;
    socklen_t len = sizeof a;

    a.sin_addr.s_addr = htonl(0x7f350100 | last);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    port = ntohs(a.sin_port);
    return fd;
}

static void
open_server(struct server *s)
{
    unsigned last = (unsigned)(s - servers) + 1;
    int fd;

    s->udp = (struct loop_watch){.fd = -1, .ready = on_udp, .context = s};
    s->listener = (struct loop_watch){.fd = -1, .ready = on_listener, .context = s};
    s->stream = (struct loop_watch){.fd = -1, .ready = on_stream, .context = s};
    if (s->closed)
        return;
    assert_int_equal(loop_watch(&loop, &s->udp, bound(SOCK_DGRAM, last), EPOLLIN), 0);
    if (s->shy)
        return;
    fd = bound(SOCK_STREAM, last);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(loop_watch(&loop, &s->listener, fd, EPOLLIN), 0);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#define CONF_1 "nameserver 127.53.1.1\n"
#define CONF_2 CONF_1 "nameserver 127.53.1.2\n"
#define QUICK "options timeout:1 attempts:2\n"

static unsigned
files_open(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void
open_all(const char *hosts, const char *conf)
{
    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    resolver_open(&resolver, &loop, done, &dones);
    resolver.hosts_path = hosts_path;
    resolver.conf_path = conf_path;
    write_file(hosts_path, hosts);
    write_file(conf_path, conf);
    port = 0;
    elsewhere = bound(SOCK_DGRAM, 100);
    for (size_t i = 0; i < SERVERS; i++)
        open_server(&servers[i]);
    resolver.server_port = port;
    guard = (struct loop_timer){.fire = too_late};
    loop_add_timer(&loop, &guard);
    loop_set(&loop, &guard, 20000);
    dones = 0;
    last_name[0] = '\0';
}

static void
close_all(void)
{
    for (size_t i = 0; i < SERVERS; i++) {
        loop_close(&loop, &servers[i].udp);
        loop_close(&loop, &servers[i].listener);
        loop_close(&loop, &servers[i].stream);
    }
    memset(servers, 0, sizeof servers);
    close(elsewhere);
    close(loop.epoll);
}

static void
run(void)
{
    loop.stopped = false;
    assert_int_equal(loop_run(&loop), 0);
}

/* A look-up to its end. */
static void
look_up(const char *host)
{
    unsigned before = files_open(), calls = dones;
    int r = resolver_start(&resolver, span_of(host), 443);

    if (r == ERR_MORE) {
        run();
        assert_int_equal(dones, calls + 1);
    } else {
        assert_int_equal(r, 0);
        assert_int_equal(dones, calls);
    }
    for (size_t i = 0; i < SERVERS; i++)
        if (servers[i].stream.fd >= 0)
            loop_close(&loop, &servers[i].stream);
    assert_int_equal(files_open(), before);
    assert_int_equal(resolver.timer.at_ms, 0);
}

/* The addresses found: the last byte of each, a letter for the kind before. */
static const char *
addresses(void)
{
    static char text[100];
    struct out o = out_to(text, sizeof text - 1);

    for (unsigned i = 0; i < resolver.len; i++) {
        const struct system_address *a = &resolver.addresses[i];

        assert_int_equal(a->port, 443);
        out_put(&o, o.len > 0 ? SPAN(" ") : SPAN(""));
        out_byte(&o, a->address.len == ADDRESS_V6_BYTES ? 's' : 'f');
        out_number(&o, a->address.bytes[a->address.len - 1]);
    }
    text[o.len] = '\0';
    return text;
}

/* Whether this machine has a way to an address like those of IPv6 that the servers tell. */
static bool
has_v6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool yes;

    a.sin6_addr.s6_addr[0] = 0xfd;
    a.sin6_addr.s6_addr[15] = 1;
    yes = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return yes;
}

/* --- what servers say --------------------------------------------------------------------------- */

#define SILENT .a = ACT_SILENT, .aaaa = ACT_SILENT

static const struct {
    const char *name, *conf;
    struct server servers[SERVERS];
    const char *want;          /* addresses, of IPv4 first */
    const char *want_v6;       /* the same where IPv6 can be reached; NULL: no other */
    enum resolver_trouble why; /* when there is none */
} rows[] = {
    {"an address", CONF_1, {{.a = ACT_ADDRESS, .aaaa = ACT_NONE}}, "f1", NULL, 0},
    {"one of IPv6", CONF_1, {{.a = ACT_NONE, .aaaa = ACT_ADDRESS}}, "s1", NULL, 0},
    {"both", CONF_1, {{.a = ACT_ADDRESS, .aaaa = ACT_ADDRESS}}, "f1 s1", "s1 f1", 0},
    {"behind a chain", CONF_1, {{.a = ACT_CHAIN, .aaaa = ACT_CHAIN}}, "f1 s1", "s1 f1", 0},
    {"twenty, of which eight are kept",
     CONF_1,
     {{.a = ACT_MANY, .aaaa = ACT_NONE}},
     "f1 f2 f3 f4 f5 f6 f7 f8",
     NULL,
     0},
    {"twenty of each kind",
     CONF_1,
     {{.a = ACT_MANY, .aaaa = ACT_MANY}},
     "f1 f2 f3 f4 s1 s2 s3 s4",
     "s1 s2 s3 s4 f1 f2 f3 f4",
     0},
    {"twenty of IPv6, one of IPv4",
     CONF_1,
     {{.a = ACT_ADDRESS, .aaaa = ACT_MANY}},
     "f1 s1 s2 s3 s4 s5 s6 s7",
     "s1 s2 s3 s4 s5 s6 s7 f1",
     0},

    {"no address", CONF_1, {{.a = ACT_NONE, .aaaa = ACT_NONE}}, "", NULL, RESOLVER_NO_ADDRESS},
    {"no such name", CONF_1, {{.a = ACT_NO_NAME, .aaaa = ACT_NO_NAME}}, "", NULL, RESOLVER_NO_NAME},
    {"no such name for one kind", CONF_1, {{.a = ACT_ADDRESS, .aaaa = ACT_NO_NAME}}, "f1", NULL, 0},
    {"no such name and no address",
     CONF_1,
     {{.a = ACT_NONE, .aaaa = ACT_NO_NAME}},
     "",
     NULL,
     RESOLVER_NO_ADDRESS},

    {"SERVFAIL", CONF_1, {{.a = ACT_SERVFAIL, .aaaa = ACT_SERVFAIL}}, "", NULL, RESOLVER_FAILED},
    {"SERVFAIL at first",
     CONF_1,
     {{.a = ACT_SERVFAIL_1, .aaaa = ACT_SERVFAIL_1}},
     "f1 s1",
     "s1 f1",
     0},
    {"SERVFAIL for one kind", CONF_1, {{.a = ACT_ADDRESS, .aaaa = ACT_SERVFAIL}}, "f1", NULL, 0},
    {"SERVFAIL for one kind, no address of the other",
     CONF_1,
     {{.a = ACT_NONE, .aaaa = ACT_SERVFAIL}},
     "",
     NULL,
     RESOLVER_FAILED},
    {"SERVFAIL, then another server",
     CONF_2,
     {{.a = ACT_SERVFAIL, .aaaa = ACT_SERVFAIL}, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "f2",
     NULL,
     0},
    {"REFUSED", CONF_1, {{.a = ACT_REFUSED, .aaaa = ACT_REFUSED}}, "", NULL, RESOLVER_FAILED},
    {"REFUSED, then another server",
     CONF_2,
     {{.a = ACT_REFUSED, .aaaa = ACT_REFUSED}, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "f2",
     NULL,
     0},
    {"garbled", CONF_1, {{.a = ACT_GARBLED, .aaaa = ACT_NONE}}, "", NULL, RESOLVER_FAILED},

    {"nobody there", CONF_1, {{.closed = true}}, "", NULL, RESOLVER_UNREACHABLE},
    {"nobody there, nor with the other",
     CONF_2,
     {{.closed = true}, {.closed = true}},
     "",
     NULL,
     RESOLVER_UNREACHABLE},
    {"nobody there, then another server",
     CONF_2,
     {{.closed = true}, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "f2",
     NULL,
     0},
    {"nobody there, no such name with the other",
     CONF_2,
     {{.closed = true}, {.a = ACT_NO_NAME, .aaaa = ACT_NO_NAME}},
     "",
     NULL,
     RESOLVER_NO_NAME},
    {"nobody there any more",
     CONF_1,
     {{.a = ACT_NONE, .aaaa = ACT_LEAVE}},
     "",
     NULL,
     RESOLVER_UNREACHABLE},
    {"no way to the server",
     "nameserver fe80::1%none\n" CONF_1,
     {{.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "f1",
     NULL,
     0},
    {"no way to any server",
     "nameserver fe80::1%none\n",
     {{.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "",
     NULL,
     RESOLVER_UNREACHABLE},

    {"silence", CONF_1 QUICK, {{SILENT}}, "", NULL, RESOLVER_SILENT},
    {"silence at first", CONF_1, {{.a = ACT_SILENT_1, .aaaa = ACT_SILENT_1}}, "f1 s1", "s1 f1", 0},
    {"silence, then another server",
     CONF_2,
     {{SILENT}, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}},
     "f2",
     NULL,
     0},
    {"silence of the last",
     CONF_2,
     {{.a = ACT_ADDRESS, .aaaa = ACT_NONE}, {SILENT}},
     "f1",
     NULL,
     0},
    {"silence for IPv6", CONF_1, {{.a = ACT_ADDRESS, .aaaa = ACT_SILENT}}, "f1", NULL, 0},
    {"silence for IPv4", CONF_1 QUICK, {{.a = ACT_SILENT, .aaaa = ACT_ADDRESS}}, "s1", NULL, 0},
    {"silence for IPv4 at first, no way to IPv6",
     CONF_1,
     {{.a = ACT_SILENT_1, .aaaa = ACT_NO_WAY}},
     "f1 s1",
     NULL,
     0},
    {"silence for IPv4, no way to IPv6",
     CONF_1 QUICK,
     {{.a = ACT_SILENT, .aaaa = ACT_NO_WAY}},
     "s1",
     NULL,
     0},
    {"silence for one kind, no address of the other",
     CONF_1 QUICK,
     {{.a = ACT_NONE, .aaaa = ACT_SILENT}},
     "",
     NULL,
     RESOLVER_SILENT},
    {"silence and nobody there",
     CONF_2 QUICK,
     {{SILENT}, {.closed = true}},
     "",
     NULL,
     RESOLVER_SILENT},

    {"cut", CONF_1, {{.a = ACT_CUT, .aaaa = ACT_NONE}}, "f1", NULL, 0},
    {"cut, both", CONF_1, {{.a = ACT_CUT, .aaaa = ACT_CUT}}, "f1 s1", "s1 f1", 0},
    {"cut, both, one for each stream",
     CONF_1,
     {{.a = ACT_CUT, .aaaa = ACT_CUT, .one = true}},
     "f1 s1",
     "s1 f1",
     0},
    {"cut, longer than there is room for",
     CONF_1,
     {{.a = ACT_CUT_MANY, .aaaa = ACT_NONE}},
     "f1 f2 f3 f4 f5 f6 f7 f8",
     NULL,
     0},
    {"cut, both longer than there is room for",
     CONF_1,
     {{.a = ACT_CUT_MANY, .aaaa = ACT_CUT_MANY}},
     "f1 f2 f3 f4 s1 s2 s3 s4",
     "s1 s2 s3 s4 f1 f2 f3 f4",
     0},
    {"cut, no stream",
     CONF_1,
     {{.a = ACT_CUT, .aaaa = ACT_NONE, .shy = true}},
     "",
     NULL,
     RESOLVER_UNREACHABLE},
    {"cut, no stream, then another server",
     CONF_2,
     {{.a = ACT_CUT, .aaaa = ACT_CUT, .shy = true}, {.a = ACT_SILENT_1, .aaaa = ACT_NONE}},
     "f2",
     NULL,
     0},
    {"cut, closed",
     CONF_1,
     {{.a = ACT_CUT_CLOSE, .aaaa = ACT_NONE}},
     "",
     NULL,
     RESOLVER_UNREACHABLE},
    {"cut, closed, the other one by UDP",
     CONF_1,
     {{.a = ACT_CUT_CLOSE, .aaaa = ACT_ADDRESS}},
     "s1",
     NULL,
     0},

    {"replies that are not to be believed",
     CONF_1,
     {{.a = ACT_WRONG_ID, .aaaa = ACT_NONE}},
     "f1",
     NULL,
     0},
};

static void
said(void **state)
{
    bool v6 = has_v6();

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *want = v6 && rows[i].want_v6 != NULL ? rows[i].want_v6 : rows[i].want;

        memcpy(servers, rows[i].servers, sizeof servers);
        open_all("", rows[i].conf);
        look_up("kinesis.test");
        CHECK_SPAN(rows[i].name, span_of(addresses()), span_of(want));
        if (*want == '\0')
            CHECK_INT(rows[i].name, resolver.trouble, rows[i].why);
        close_all();
    }
}

/* A server that fails is asked once more and no further, one that is silent until time is up. */
static void
repeated(void **state)
{
    (void)state;
    servers[0] = (struct server){.a = ACT_SERVFAIL, .aaaa = ACT_NONE};
    open_all("", CONF_1);
    look_up("kinesis.test");
    assert_int_equal(servers[0].asked[0], 2);
    assert_int_equal(servers[0].asked[1], 1);
    close_all();

    servers[0] = (struct server){.a = ACT_SILENT, .aaaa = ACT_NONE};
    open_all("", CONF_1 QUICK);
    look_up("kinesis.test");
    /* at 0, 200 and 600 ms of 1,000 */
    assert_int_equal(servers[0].asked[0], 3);
    assert_int_equal(servers[0].asked[1], 1);
    close_all();
}

/* With one kind of address the other one is not waited for until it would be asked for again. */
static void
impatient(void **state)
{
    (void)state;
    servers[0] = (struct server){.a = ACT_ADDRESS, .aaaa = ACT_SILENT};
    open_all("", CONF_1);
    assert_int_equal(resolver_start(&resolver, SPAN("kinesis.test"), 443), ERR_MORE);
    loop_set(&loop, &resolver.timer, 3600000);
    run();
    assert_string_equal(addresses(), "f1");
    close_all();
}

/* --- which names are asked for, and of whom ------------------------------------------------------ */

#define SEARCH CONF_1 "search a.example b.example\n"

static const struct {
    const char *host, *hosts, *conf;
    struct server server;
    const char *want, *want_v6; /* as above */
    const char *asked;          /* the last name; empty: nobody */
    enum resolver_trouble why;
} names[] = {
    {"127.0.0.9", "", CONF_1, {SILENT}, "f9", NULL, "", 0},
    {"fd00::9", "", CONF_1, {SILENT}, "s9", NULL, "", 0},
    {"::1", "127.0.0.8 ::1\n", CONF_1, {SILENT}, "s1", NULL, "", 0},
    {"kinesis.test", "127.0.0.9 kinesis.test\n", CONF_1, {SILENT}, "f9", NULL, "", 0},
    {"kinesis.test", "127.0.0.9 kinesis.test", CONF_1, {SILENT}, "f9", NULL, "", 0},
    {"Kinesis.Test.", "127.0.0.9 KINESIS.test", CONF_1, {SILENT}, "f9", NULL, "", 0},
    {"kinesis.test",
     "127.0.0.7 other\n127.0.0.9 a kinesis.test\nfd00::3 b\n127.0.0.5 kinesis.test",
     CONF_1,
     {SILENT},
     "f9 f5",
     NULL,
     "",
     0},
    {"kinesis.test",
     "fd00::9 kinesis.test\n127.0.0.9 kinesis.test\n",
     CONF_1,
     {SILENT},
     "f9 s9",
     "s9 f9",
     "",
     0},
    {"kinesis.test",
     "127.0.0.9 kinesis.tests\n",
     CONF_1,
     {.a = ACT_ADDRESS, .aaaa = ACT_NONE},
     "f1",
     NULL,
     "kinesis.test",
     0},
    {"kinesis.test.",
     "",
     CONF_1,
     {.a = ACT_ADDRESS, .aaaa = ACT_NONE},
     "f1",
     NULL,
     "kinesis.test",
     0},
    {"localhost", "127.0.0.9 localhost\n", CONF_1, {SILENT}, "f9", NULL, "", 0},

    {"single", "", CONF_1, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}, "f1", NULL, "single", 0},
    {"single", "", SEARCH, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}, "f1", NULL, "single.a.example", 0},
    {"single",
     "",
     SEARCH,
     {.a = ACT_NO_NAME, .aaaa = ACT_NO_NAME},
     "",
     NULL,
     "single",
     RESOLVER_NO_NAME},
    {"single",
     "",
     SEARCH,
     {.a = ACT_NONE, .aaaa = ACT_NO_NAME},
     "",
     NULL,
     "single",
     RESOLVER_NO_ADDRESS},
    {"single",
     "",
     SEARCH,
     {.a = ACT_SERVFAIL, .aaaa = ACT_NO_NAME},
     "",
     NULL,
     "single.a.example",
     RESOLVER_FAILED},
    {"single",
     "",
     CONF_1 "search .\n",
     {.a = ACT_ADDRESS, .aaaa = ACT_NONE},
     "f1",
     NULL,
     "single",
     0},
    {"two.parts",
     "",
     SEARCH,
     {.a = ACT_NO_NAME, .aaaa = ACT_NO_NAME},
     "",
     NULL,
     "two.parts",
     RESOLVER_NO_NAME},
    {"two.parts",
     "",
     SEARCH "options ndots:2\n",
     {.a = ACT_ADDRESS, .aaaa = ACT_NONE},
     "f1",
     NULL,
     "two.parts.a.example",
     0},

    {"", "", CONF_1, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}, "", NULL, "", RESOLVER_BAD_NAME},
    {".", "", CONF_1, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}, "", NULL, "", RESOLVER_BAD_NAME},
    {"a..b", "", CONF_1, {.a = ACT_ADDRESS, .aaaa = ACT_NONE}, "", NULL, "", RESOLVER_BAD_NAME},
    {"127.0.0.1.",
     "",
     CONF_1,
     {.a = ACT_NO_NAME, .aaaa = ACT_NO_NAME},
     "",
     NULL,
     "127.0.0.1",
     RESOLVER_NO_NAME},
};

static void
named(void **state)
{
    bool v6 = has_v6();

    (void)state;
    for (size_t i = 0; i < LEN(names); i++) {
        const char *want = v6 && names[i].want_v6 != NULL ? names[i].want_v6 : names[i].want;

        servers[0] = names[i].server;
        open_all(names[i].hosts, names[i].conf);
        look_up(names[i].host);
        CHECK_SPAN(names[i].host, span_of(addresses()), span_of(want));
        CHECK_SPAN(names[i].host, span_of(last_name), span_of(names[i].asked));
        if (*want == '\0')
            CHECK_INT(names[i].host, resolver.trouble, names[i].why);
        close_all();
    }
}

/* Longer than any host name; the search domain does not fit behind one that is just as long. */
static void
long_names(void **state)
{
    static char host[255];

    (void)state;
    servers[0] = (struct server){.a = ACT_ADDRESS, .aaaa = ACT_NONE};
    open_all("", SEARCH "options ndots:15\n");
    memset(host, 'a', 254);
    for (size_t i = 50; i < 254; i += 51)
        host[i] = '.';
    look_up(host);
    assert_int_equal(resolver.len, 0);
    assert_int_equal(resolver.trouble, RESOLVER_BAD_NAME);
    host[253] = '\0';
    look_up(host);
    assert_string_equal(addresses(), "f1");
    assert_string_equal(last_name, host);
    assert_int_equal(servers[0].asked[0], 1);
    servers[0].a = servers[0].aaaa = ACT_NO_NAME;
    look_up(host);
    assert_int_equal(servers[0].asked[0], 2);
    close_all();
}

/* "localhost" is known without any file; nobody needs to have IPv6 for that. */
static void
local(void **state)
{
    (void)state;
    servers[0] = (struct server){SILENT};
    open_all("", CONF_1);
    assert_int_equal(unlink(hosts_path), 0);
    for (int i = 0; i < 2; i++) {
        look_up(i == 0 ? "localhost" : "a.LOCALHOST.");
        assert_true(strcmp(addresses(), "s1 f1") == 0 || strcmp(addresses(), "f1 s1") == 0);
    }
    close_all();
}

/* Without any file this machine is asked. */
static void
no_files(void **state)
{
    (void)state;
    open_all("", "");
    assert_int_equal(unlink(conf_path), 0);
    assert_int_equal(unlink(hosts_path), 0);
    /* nobody listens on 127.0.0.1 at a port that is ours on another address */
    look_up("kinesis.test");
    assert_int_equal(resolver.trouble, RESOLVER_UNREACHABLE);
    close_all();
}

/* A name far behind in a hosts file, lines too long for us before it. */
static void
large_hosts(void **state)
{
    FILE *file;

    (void)state;
    open_all("", CONF_1);
    file = fopen(hosts_path, "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        fprintf(file, "127.0.0.1 advertisement-%d.example%s", i, i % 100 == 0 ? " " : "\n");
    for (int i = 0; i < 500; i++)
        fprintf(file, "x%d ", i);
    fprintf(file, "127.0.0.66 kinesis.test\n127.0.0.9 kinesis.test");
    assert_int_equal(fclose(file), 0);
    look_up("kinesis.test");
    assert_string_equal(addresses(), "f9");
    close_all();
}

/* --- ends and beginnings ------------------------------------------------------------------------- */

static void
cancelled(void **state)
{
    unsigned before;

    (void)state;
    /* before any reply, and when a stream has been opened */
    for (int i = 0; i < 2; i++) {
        servers[0] = (struct server){.a = i == 0 ? ACT_SILENT : ACT_CUT_CLOSE, .aaaa = ACT_SILENT};
        open_all("", CONF_2);
        before = files_open();
        assert_int_equal(resolver_start(&resolver, SPAN("kinesis.test"), 443), ERR_MORE);
        assert_true(files_open() > before);
        if (i == 1) {
            on_udp(&servers[0], EPOLLIN);
            resolver.servers[0].watch.ready(&resolver.servers[0], EPOLLIN);
            assert_true(resolver.stream.watch.fd >= 0);
        }
        resolver_cancel(&resolver);
        resolver_cancel(&resolver);
        assert_int_equal(files_open(), before);
        assert_int_equal(resolver.timer.at_ms, 0);
        assert_int_equal(dones, 0);
        /* the next one works */
        servers[0].a = ACT_ADDRESS;
        servers[0].aaaa = ACT_NONE;
        look_up("other.test");
        assert_string_equal(addresses(), "f1");
        close_all();
    }
}

static void
again_in_done(void *context)
{
    unsigned *calls = context;

    if (++*calls == 1) {
        assert_int_equal(resolver.len, 0);
        servers[0].a = ACT_ADDRESS;
        assert_int_equal(resolver_start(&resolver, SPAN("other.test"), 443), ERR_MORE);
    } else {
        loop.stopped = true;
    }
}

/* A look-up that begins where another one ends. */
static void
from_done(void **state)
{
    (void)state;
    servers[0] = (struct server){.a = ACT_NO_NAME, .aaaa = ACT_NONE};
    open_all("", CONF_1);
    resolver.done = again_in_done;
    assert_int_equal(resolver_start(&resolver, SPAN("kinesis.test"), 443), ERR_MORE);
    run();
    assert_int_equal(dones, 2);
    assert_string_equal(addresses(), "f1");
    assert_string_equal(last_name, "other.test");
    close_all();
}

/* After a freeze all is asked anew, of those who are to be asked now, though time had been up. */
static void
frozen(void **state)
{
    (void)state;
    servers[0] = (struct server){SILENT};
    servers[1] = (struct server){.a = ACT_ADDRESS, .aaaa = ACT_NONE};
    open_all("", CONF_1 QUICK);
    assert_int_equal(resolver_start(&resolver, SPAN("kinesis.test"), 443), ERR_MORE);
    write_file(conf_path, "nameserver 127.53.1.2\n");
    resolver.left_ms = 0;
    loop.thaws++;
    run();
    assert_string_equal(addresses(), "f2");
    assert_int_equal(servers[0].asked[0], 1);
    close_all();
}

/* The ids are random. */
static void
ids(void **state)
{
    unsigned same = 0;

    (void)state;
    servers[0] = (struct server){SILENT};
    open_all("", CONF_1);
    for (int i = 0; i < 16; i++) {
        uint16_t before[2] = {resolver.questions[0].id, resolver.questions[1].id};

        assert_int_equal(resolver_start(&resolver, SPAN("kinesis.test"), 443), ERR_MORE);
        same += resolver.questions[0].id == resolver.questions[1].id;
        same += resolver.questions[0].id == before[0];
        same += resolver.questions[1].id == before[1];
    }
    assert_true(same < 5);
    resolver_cancel(&resolver);
    close_all();
}

static void
error(void **state)
{
    static const char *const want[] = {
        [RESOLVER_BAD_NAME] = "not a host name",
        [RESOLVER_NO_NAME] = "no such host",
        [RESOLVER_NO_ADDRESS] = "the host has no address",
        [RESOLVER_UNREACHABLE] = "the name servers cannot be reached",
        [RESOLVER_FAILED] = "the name servers report a failure",
        [RESOLVER_SILENT] = "no answer from the name servers",
    };

    (void)state;
    for (size_t i = 0; i < LEN(want); i++) {
        resolver.trouble = (enum resolver_trouble)i;
        assert_string_equal(resolver_error(&resolver), want[i]);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(said),      cmocka_unit_test(repeated),    cmocka_unit_test(impatient),
        cmocka_unit_test(named),     cmocka_unit_test(long_names),  cmocka_unit_test(local),
        cmocka_unit_test(no_files),  cmocka_unit_test(large_hosts), cmocka_unit_test(cancelled),
        cmocka_unit_test(from_done), cmocka_unit_test(frozen),      cmocka_unit_test(ids),
        cmocka_unit_test(error),
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
