#include "protocol/proxy.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define FIFTY "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abc"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY "0123456789ab"

static const struct {
    const char *url;
    bool bare;
    int want;
    const char *host;
    uint16_t port;
    const char *user;
} urls[] = {
    {"http://proxy.example:3128", false, 0, "proxy.example", 3128, ""},
    {"http://proxy.example", false, 0, "proxy.example", 80, ""},
    {"http://proxy.example/", false, 0, "proxy.example", 80, ""},
    {"http://proxy.example:8080/", false, 0, "proxy.example", 8080, ""},
    {"HTTP://Proxy", false, 0, "Proxy", 80, ""},
    {"http://10.0.0.1:3128", false, 0, "10.0.0.1", 3128, ""},
    {"http://[2001:db8::1]:3128", false, 0, "2001:db8::1", 3128, ""},
    {"http://u:p@proxy:1", false, 0, "proxy", 1, "u:p"},
    {"http://u@proxy", false, 0, "proxy", 80, "u"},
    {"http://u:@proxy", false, 0, "proxy", 80, "u:"},
    {"http://:p@proxy", false, 0, "proxy", 80, ":p"},
    {"http://@proxy", false, 0, "proxy", 80, ""},
    {"http://u:p@w@proxy", false, 0, "proxy", 80, "u:p@w"},
    {"http://u:p:w@proxy", false, 0, "proxy", 80, "u:p:w"},
    {"http://u%40d:%2f%25@proxy", false, 0, "proxy", 80, "u%40d:%2f%25"},
    {"http://u:p@[::1]:9/", false, 0, "::1", 9, "u:p"},
    {"http://" LONG "@proxy", false, 0, "proxy", 80, LONG},
    {"http://x", true, 0, "x", 80, ""},
    {"proxy.example:3128", true, 0, "proxy.example", 3128, ""},
    {"proxy", true, 0, "proxy", 80, ""},
    {"u:p@proxy:3128/", true, 0, "proxy", 3128, "u:p"},

    {"", false, ERR_BAD, 0, 0, 0},
    {"", true, ERR_BAD, 0, 0, 0},
    {"proxy:3128", false, ERR_BAD, 0, 0, 0},
    {"environmnt", false, ERR_BAD, 0, 0, 0},
    {"http://", false, ERR_BAD, 0, 0, 0},
    {"http://", true, ERR_BAD, 0, 0, 0},
    {"http:/proxy", false, ERR_BAD, 0, 0, 0},
    {"http:proxy", true, ERR_BAD, 0, 0, 0},
    {"https://proxy:3128", false, ERR_BAD, 0, 0, 0},
    {"https://proxy:3128", true, ERR_BAD, 0, 0, 0},
    {"socks5://proxy:1080", false, ERR_BAD, 0, 0, 0},
    {"socks5h://proxy:1080", true, ERR_BAD, 0, 0, 0},
    {"//proxy", true, ERR_BAD, 0, 0, 0},
    {"http://u:p@", false, ERR_BAD, 0, 0, 0},
    {"http://:3128", false, ERR_BAD, 0, 0, 0},
    {"http://proxy:0", false, ERR_BAD, 0, 0, 0},
    {"http://proxy:65536", false, ERR_BAD, 0, 0, 0},
    {"http://proxy:x", false, ERR_BAD, 0, 0, 0},
    {"http://pro xy", false, ERR_BAD, 0, 0, 0},
    {"http://proxy/path", false, ERR_BAD, 0, 0, 0},
    {"http://proxy//", false, ERR_BAD, 0, 0, 0},
    {"http://proxy?q", false, ERR_BAD, 0, 0, 0},
    {"http://u:p/w@proxy", false, ERR_BAD, 0, 0, 0},
    {"http://[::1", false, ERR_BAD, 0, 0, 0},
    {"http://" LONG "3@proxy", false, ERR_BAD, 0, 0, 0},
};

static void
url(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(urls); i++) {
        struct proxy p;
        const char *row = urls[i].url;

        seed("proxy", span_of(row));
        CHECK_INT(row, proxy_url(guard_copy(span_of(row)), urls[i].bare, &p), urls[i].want);
        if (urls[i].want != 0)
            continue;
        CHECK_SPAN(row, p.host, span_of(urls[i].host));
        CHECK_INT(row, p.port, urls[i].port);
        CHECK_SPAN(row, p.user, span_of(urls[i].user));
        CHECK(row, !p.https_only && p.exempt.len == 0);
    }
}

static const struct {
    const char *host;
    bool tls, https_only;
    const char *exempt;
    bool direct;
} ways[] = {
    {"kinesis.example", true, false, "", false},
    {"kinesis.example", false, false, "", false},
    {"kinesis.example", true, true, "", false},
    {"kinesis.example", false, true, "", true},
    {"kinesis.example", true, true, ".example", true},
    {"kinesis.example", true, true, "*", true},
    {"10.1.2.3", true, true, "10.0.0.0/8", true},
    {"10.1.2.3", true, true, "11.0.0.0/8", false},
    /* this machine and its link, whatever is exempt */
    {"localhost", true, false, "", true},
    {"LOCALHOST.", true, false, "a", true},
    {"kinesis.localhost", true, false, "", true},
    {"localhost.example", true, false, "", false},
    {"127.0.0.1", true, false, "", true},
    {"127.255.255.255", false, false, "", true},
    {"128.0.0.1", true, false, "", false},
    {"126.255.255.255", true, false, "", false},
    {"169.254.170.2", false, false, "", true},
    {"169.254.79.129", true, false, "", true},
    {"169.253.255.255", true, false, "", false},
    {"169.255.0.0", true, false, "", false},
    {"::1", true, false, "", true},
    {"::2", true, false, "", false},
    {"fe80::1", true, false, "", true},
    {"febf:ffff::", true, false, "", true},
    {"fec0::1", true, false, "", false},
    {"fd00:ec2::1", true, false, "", false},
};

static void
way(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ways); i++) {
        struct endpoint e = {.host = guard_copy(span_of(ways[i].host)), .tls = ways[i].tls};
        struct proxy p = {
            .host = SPAN("proxy"), .port = 1, .https_only = ways[i].https_only, .user = SPAN("")};
        const struct proxy none = {.exempt = SPAN("x")};

        p.exempt = span_of(ways[i].exempt);
        CHECK(ways[i].host, proxy_for(&p, &e) == (ways[i].direct ? NULL : &p));
        CHECK(ways[i].host, proxy_for(&none, &e) == NULL);
    }
}

static const struct {
    const char *user, *host;
    uint16_t port;
    const char *want;
} requests[] = {
    {"", "kinesis.example", 443,
     "CONNECT kinesis.example:443 HTTP/1.1\r\nhost: kinesis.example:443\r\n\r\n"},
    {"", "a", 80, "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n"},
    {"", "a.", 1, "CONNECT a.:1 HTTP/1.1\r\nhost: a.:1\r\n\r\n"},
    {"", "::1", 443, "CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\n\r\n"},
#define WITH(text)                                                                                 \
    "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\nproxy-authorization: Basic " text "\r\n\r\n"
    /* RFC 7617, section 2 */
    {"Aladdin:open%20sesame", "a", 443, WITH("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")},
    {"Aladdin:open sesame", "a", 443, WITH("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")},
    {"u:p", "a", 443, WITH("dTpw")},
    {"u", "a", 443, WITH("dTo=")},
    {"u:", "a", 443, WITH("dTo=")},
    {":p", "a", 443, WITH("OnA=")},
    /* an escaped colon is the user's own, which Basic cannot tell from the other */
    {"u%3a", "a", 443, WITH("dTo6")},
    {"u:%40%2F%2f%25", "a", 443, WITH("dTpALy8l")},
    {"u:%00%0D%0a", "a", 443, WITH("dToADQo=")},
    /* no escapes */
    {"u:%", "a", 443, WITH("dTol")},
    {"u:%4", "a", 443, WITH("dTolNA==")},
    {"u:%4g", "a", 443, WITH("dTolNGc=")},
    {"u:%g4", "a", 443, WITH("dTolZzQ=")},
    {"u:%%41", "a", 443, WITH("dTolQQ==")},
};

/* Into just as much room, and not into less. */
static void
request(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(requests); i++) {
        const char *want = requests[i].want;
        struct proxy p = {.host = SPAN("proxy")};

        p.user = guard_copy(span_of(requests[i].user));
        for (size_t cap = 0; cap <= strlen(want); cap++) {
            struct out o = out_to(guard_buffer(cap), cap);
            int r = proxy_request(&o, &p, span_of(requests[i].host), requests[i].port);

            CHECK_INT(want, r, cap == strlen(want) ? 0 : ERR_FULL);
            if (r == 0)
                CHECK_SPAN(want, out_span(&o), span_of(want));
        }
    }
}

/* The longest user, every character of which is itself. */
static void
longest(void **state)
{
    char text[2048];
    struct out o = out_to(text, sizeof text);
    const struct proxy p = {.host = SPAN("proxy"), .user = SPAN(LONG)};

    (void)state;
    assert_int_equal(strlen(LONG), PROXY_USER_MAX);
    assert_int_equal(proxy_request(&o, &p, SPAN("a"), 1), 0);
    /* with the colon behind it: 513 bytes in groups of three */
    assert_int_equal(o.len, strlen("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n"
                                   "proxy-authorization: Basic \r\n\r\n") +
                                513 / 3 * 4);
}

#define OK "HTTP/1.1 200 Connection established\r\n\r\n"

static const struct {
    const char *name, *in;
    int want;
} replies[] = {
    {"usual", OK, 200},
    {"HTTP/1.0", "HTTP/1.0 200 Connection established\r\n\r\n", 200},
    {"no reason", "HTTP/1.1 200 \r\n\r\n", 200},
    {"no blank either", "HTTP/1.1 200\r\n\r\n", 200},
    {"fields", "HTTP/1.1 200 OK\r\nVia: 1.1 p\r\nProxy-Agent: x\r\n\r\n", 200},
    {"a length means nothing", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200},
    {"chunks mean nothing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200},
    {"closing means nothing", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 200},
    {"any 2xx", "HTTP/1.1 204 No Content\r\n\r\n", 204},
    {"interim", "HTTP/1.1 100 Continue\r\n\r\n" OK, 200},
    {"two of them", "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK, 200},
    {"interim, then no", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 No\r\n\r\n", 407},
    {"bytes behind it", OK "x", ERR_BAD},
    {"another reply behind it", OK OK, ERR_BAD},
    {"a body behind it", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", ERR_BAD},
    {"407", "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", 407},
    {"407 with a body", "HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\n<html>...", 407},
    {"407 in chunks", "HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
     407},
    {"407 in HTTP/1.0", "HTTP/1.0 407 No\r\n\r\n<html>", 407},
    {"403", "HTTP/1.1 403 Forbidden\r\n\r\n", 403},
    {"502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", 502},
    {"302", "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", 302},
    {"101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 101},
    {"999", "HTTP/1.1 999 x\r\n\r\n", 999},
    {"nothing", "", ERR_MORE},
    {"cut", "HTTP/1.1 20", ERR_MORE},
    {"cut before the last byte", "HTTP/1.1 200 OK\r\n\r", ERR_MORE},
    {"interim alone", "HTTP/1.1 100 Continue\r\n\r\n", ERR_MORE},
    {"TLS", "\x15\3\3\0\2\2\x28", ERR_BAD},
    {"SSH", "SSH-2.0-x\r\n", ERR_BAD},
    {"bare newlines", "HTTP/1.1 200 OK\n\n", ERR_BAD},
    {"HTTP/2", "HTTP/2 200 OK\r\n\r\n", ERR_BAD},
    {"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", ERR_BAD},
};

/* Each beginning of it wants more, unless it is decided by then. */
static void
reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(replies); i++) {
        struct span in = {replies[i].in, strlen(replies[i].in)};
        int before = ERR_MORE;

        seed("proxy", in);
        for (size_t n = 0; n <= in.len; n++) {
            int got = proxy_reply(guard_copy((struct span){in.p, n}));

            /* what comes behind a refusal is its body, and what comes behind consent is too much */
            CHECK(replies[i].name, got == before || before == ERR_MORE || before / 100 == 2);
            before = got;
        }
        CHECK_INT(replies[i].name, before, replies[i].want);
    }
}

static void
many_fields(void **state)
{
    char text[2048];
    struct out o = out_to(text, sizeof text);

    (void)state;
    out_put(&o, SPAN("HTTP/1.1 200 OK\r\n"));
    for (unsigned i = 0; i < 65; i++)
        out_put(&o, SPAN("A: b\r\n"));
    out_put(&o, SPAN("\r\n"));
    assert_int_equal(proxy_reply(out_span(&o)), ERR_BAD);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url),     cmocka_unit_test(way),   cmocka_unit_test(request),
        cmocka_unit_test(longest), cmocka_unit_test(reply), cmocka_unit_test(many_fields),
    };

    return RUN(argc, argv, tests);
}
