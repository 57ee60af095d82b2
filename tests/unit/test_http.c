#include "protocol/http.h"

#include "check.h"
#include "guard.h"
#include "protocol/out.h"
#include "seed.h"

typedef int head_parser(struct span in, struct http_head *head);

struct head_row {
    const char *name;
    struct span in;
    const char *rest;            /* what stands behind the head */
    const char *method, *target; /* of a request */
    unsigned status;             /* of a response */
    unsigned minor;
    size_t fields_len;
    const char *last_name, *last_value; /* of the last field */
};

struct broken_row {
    const char *name;
    struct span in;
    int want;
};

static const struct head_row requests[] = {
    {"shortest", TEXT("G / HTTP/1.1\r\n\r\n"), "", "G", "/", 0, 1, 0, NULL, NULL},
    {"one field", TEXT("POST /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"), "", "POST", "/a?b=c", 0, 1, 1,
     "Host", "x"},
    {"body behind it", TEXT("PUT / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}"), "{}", "PUT", "/", 0,
     0, 1, "Content-Length", "2"},
    {"empty line first", TEXT("\r\nGET / HTTP/1.1\r\n\r\n"), "", "GET", "/", 0, 1, 0, NULL, NULL},
    {"odd but legal name", TEXT("GET * HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ:v\r\n\r\n"), "", "GET",
     "*", 0, 1, 1, "!#$%&'*+-.^_`|~09azAZ", "v"},
    {"blanks around a value", TEXT("GET / HTTP/1.1\r\na: \t b  c\t \r\n\r\n"), "", "GET", "/", 0, 1,
     1, "a", "b  c"},
    {"no blank before a value", TEXT("GET / HTTP/1.1\r\na:b:c\r\n\r\n"), "", "GET", "/", 0, 1, 1,
     "a", "b:c"},
    {"empty value", TEXT("GET / HTTP/1.1\r\na:\r\n\r\n"), "", "GET", "/", 0, 1, 1, "a", ""},
    {"blank value", TEXT("GET / HTTP/1.1\r\na: \r\n\r\n"), "", "GET", "/", 0, 1, 1, "a", ""},
    {"value beyond ASCII", TEXT("GET / HTTP/1.1\r\na: \xff\x80\r\n\r\n"), "", "GET", "/", 0, 1, 1,
     "a", "\xff\x80"},
    {"next request behind it", TEXT("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"),
     "GET /2 HTTP/1.1\r\n\r\n", "GET", "/1", 0, 1, 0, NULL, NULL},
};

static const struct broken_row broken_requests[] = {
    {"nothing", TEXT(""), ERR_MORE},
    {"cut in method", TEXT("PO"), ERR_MORE},
    {"cut in version", TEXT("GET / HTTP/1."), ERR_MORE},
    {"cut before the last newline", TEXT("GET / HTTP/1.1\r\na:b\r\n\r"), ERR_MORE},

    {"two empty lines first", TEXT("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"bare newline first", TEXT("\nGET / HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"bare newline behind the request line", TEXT("GET / HTTP/1.1\nHost: x\r\n\r\n"), ERR_BAD},
    {"bare newline behind a field", TEXT("GET / HTTP/1.1\r\nHost: x\n\r\n"), ERR_BAD},
    {"bare newline at the end", TEXT("GET / HTTP/1.1\r\nHost: x\r\n\n"), ERR_BAD},
    {"bare carriage return", TEXT("GET / HTTP/1.1\r\na: b\rc\r\n\r\n"), ERR_BAD},
    {"blank before the colon", TEXT("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), ERR_BAD},
    {"folded", TEXT("GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n"), ERR_BAD},
    {"folded by a tab", TEXT("GET / HTTP/1.1\r\na: b\r\n\tc\r\n\r\n"), ERR_BAD},
    {"blank before the first field", TEXT("GET / HTTP/1.1\r\n a: b\r\n\r\n"), ERR_BAD},
    {"no name", TEXT("GET / HTTP/1.1\r\n: b\r\n\r\n"), ERR_BAD},
    {"no colon", TEXT("GET / HTTP/1.1\r\nab\r\n\r\n"), ERR_BAD},
    {"zero in a name", TEXT("GET / HTTP/1.1\r\na\0b: c\r\n\r\n"), ERR_BAD},
    {"zero in a value", TEXT("GET / HTTP/1.1\r\na: b\0c\r\n\r\n"), ERR_BAD},
    {"control in a value", TEXT("GET / HTTP/1.1\r\na: b\x1f\r\n\r\n"), ERR_BAD},
    {"delete in a value", TEXT("GET / HTTP/1.1\r\na: b\x7f\r\n\r\n"), ERR_BAD},
    {"name beyond ASCII", TEXT("GET / HTTP/1.1\r\n\xe4: b\r\n\r\n"), ERR_BAD},
    {"no method", TEXT(" / HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"method no token", TEXT("G(T / HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"no target", TEXT("GET  HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"two blanks", TEXT("GET  / HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"blank in target", TEXT("GET /a b HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"target beyond ASCII", TEXT("GET /\xe4 HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"tab for a blank", TEXT("GET\t/ HTTP/1.1\r\n\r\n"), ERR_BAD},
    {"blank behind the version", TEXT("GET / HTTP/1.1 \r\n\r\n"), ERR_BAD},
    {"no version", TEXT("GET /\r\n\r\n"), ERR_BAD},
    {"HTTP/1.2", TEXT("GET / HTTP/1.2\r\n\r\n"), ERR_BAD},
    {"HTTP/2.0", TEXT("PRI * HTTP/2.0\r\n\r\n"), ERR_BAD},
    {"HTTP/1.10", TEXT("GET / HTTP/1.10\r\n\r\n"), ERR_BAD},
    {"lower case", TEXT("GET / http/1.1\r\n\r\n"), ERR_BAD},
    {"TLS hello", TEXT("\x16\x03\x01\x02\x00\x01"), ERR_BAD},
};

static const struct head_row responses[] = {
    {"whole", TEXT("HTTP/1.1 200 OK\r\n\r\n"), "", NULL, NULL, 200, 1, 0, NULL, NULL},
    {"reason of many words", TEXT("HTTP/1.0 404 Not \tFound \xe4\r\n\r\n"), "", NULL, NULL, 404, 0,
     0, NULL, NULL},
    {"empty reason", TEXT("HTTP/1.1 204 \r\n\r\n"), "", NULL, NULL, 204, 1, 0, NULL, NULL},
    {"no reason", TEXT("HTTP/1.1 204\r\n\r\n"), "", NULL, NULL, 204, 1, 0, NULL, NULL},
    {"least status", TEXT("HTTP/1.1 100 Continue\r\n\r\n"), "", NULL, NULL, 100, 1, 0, NULL, NULL},
    {"greatest status", TEXT("HTTP/1.1 999 \r\n\r\n"), "", NULL, NULL, 999, 1, 0, NULL, NULL},
    {"fields and body",
     TEXT("HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId: 1\r\nDate: Thu, 20 Nov 2026 12:00:00 GMT"
          "\r\n\r\n{\"__type\""),
     "{\"__type\"", NULL, NULL, 400, 1, 2, "Date", "Thu, 20 Nov 2026 12:00:00 GMT"},
};

static const struct broken_row broken_responses[] = {
    {"cut in status", TEXT("HTTP/1.1 20"), ERR_MORE},
    {"cut in reason", TEXT("HTTP/1.1 200 O"), ERR_MORE},

    {"bare newline", TEXT("HTTP/1.1 200 OK\n\n"), ERR_BAD},
    {"empty line first", TEXT("\r\nHTTP/1.1 200 OK\r\n\r\n"), ERR_BAD},
    {"status below 100", TEXT("HTTP/1.1 099 x\r\n\r\n"), ERR_BAD},
    {"status of two digits", TEXT("HTTP/1.1 20 x\r\n\r\n"), ERR_BAD},
    {"status of four digits", TEXT("HTTP/1.1 2000 x\r\n\r\n"), ERR_BAD},
    {"no status", TEXT("HTTP/1.1 OK\r\n\r\n"), ERR_BAD},
    {"two blanks", TEXT("HTTP/1.1  200 OK\r\n\r\n"), ERR_BAD},
    {"zero in reason", TEXT("HTTP/1.1 200 O\0K\r\n\r\n"), ERR_BAD},
    {"HTTP/2", TEXT("HTTP/2 200\r\n\r\n"), ERR_BAD},
    {"other protocol", TEXT("SSH-2.0-OpenSSH_9.2\r\n"), ERR_BAD},
};

static void
check_head(const struct head_row *row, const struct http_head *head)
{
    CHECK_SPAN(row->name, head->method, span_of(row->method));
    CHECK_SPAN(row->name, head->target, span_of(row->target));
    CHECK_INT(row->name, head->status, row->status);
    CHECK_INT(row->name, head->minor, row->minor);
    CHECK_INT(row->name, head->fields_len, row->fields_len);
    if (row->fields_len == 0)
        return;
    CHECK_SPAN(row->name, head->fields[row->fields_len - 1].name, span_of(row->last_name));
    CHECK_SPAN(row->name, head->fields[row->fields_len - 1].value, span_of(row->last_value));
}

/* Prefix after prefix: more is wanted until the head is whole. */
static void
check_head_row(const struct head_row *row, head_parser *parse)
{
    int whole = (int)(row->in.len - strlen(row->rest));
    struct http_head head;

    seed("http", row->in);
    for (size_t n = 0; n <= row->in.len; n++) {
        int got = parse(guard_copy((struct span){row->in.p, n}), &head);

        CHECK_INT(row->name, got, n < (size_t)whole ? ERR_MORE : whole);
        if (got > 0)
            check_head(row, &head);
    }
}

/* Prefix after prefix: more is wanted until the error is seen, which then stays. */
static void
check_broken_row(const struct broken_row *row, head_parser *parse)
{
    struct http_head head;
    int got = ERR_MORE;

    seed("http", row->in);
    for (size_t n = 0; n <= row->in.len; n++) {
        int before = got;

        got = parse(guard_copy((struct span){row->in.p, n}), &head);
        CHECK(row->name, got == before || (before == ERR_MORE && got == row->want));
    }
    CHECK_INT(row->name, got, row->want);
}

static void
request_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(requests); i++)
        check_head_row(&requests[i], http_request_head);
    for (size_t i = 0; i < LEN(broken_requests); i++)
        check_broken_row(&broken_requests[i], http_request_head);
}

static void
response_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(responses); i++)
        check_head_row(&responses[i], http_response_head);
    for (size_t i = 0; i < LEN(broken_responses); i++)
        check_broken_row(&broken_responses[i], http_response_head);
}

static void
too_many_fields(void **state)
{
    static const struct {
        size_t fields;
        int want;
    } rows[] = {{HTTP_FIELDS_MAX - 1, 0}, {HTTP_FIELDS_MAX, 0}, {HTTP_FIELDS_MAX + 1, ERR_BIG}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[1024] = "HTTP/1.1 200 OK\r\n";
        struct http_head head;

        for (size_t n = 0; n < rows[i].fields; n++)
            strcat(text, "a: b\r\n");
        strcat(text, "\r\n");
        seed("http", span_of(text));
        CHECK_INT("fields", http_response_head(guard_copy(span_of(text)), &head),
                  rows[i].want == 0 ? (int)strlen(text) : rows[i].want);
    }
}

/* Any byte in any place of a head: no crash, and no success that a prefix contradicts. */
static void
any_byte(void **state)
{
    static const char good[] = "GET / HTTP/1.1\r\nab: cd\r\n\r\n";
    size_t accepted = 0;

    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good - 1];
            struct http_head head;

            memcpy(text, good, sizeof text);
            text[at] = (char)byte;
            accepted += http_request_head(guard_copy((struct span){text, sizeof text}), &head) > 0;
        }
    }
    /*
     * Method: 77 token bytes in 3 places; target: 94 visible ones; version: 0 and 1; name: 77 in 2
     * places, besides a colon in the second; value: 224 in 3 places, the blank before it among
     * them; 16 other places: only what stands there.
     */
    assert_int_equal(accepted, 3 * 77 + 94 + 2 + 2 * 77 + 1 + 3 * 224 + 16);
}

static void
field_look_up(void **state)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nDate: 1\r\nX-A: one\r\nx-a: two\r\nEmpty:\r\n\r\n";
    struct http_head head;

    (void)state;
    assert_int_equal(http_response_head(guard_copy(span_of(text)), &head), sizeof text - 1);
    CHECK_SPAN("first of two", http_field(&head, SPAN("x-A")), SPAN("one"));
    CHECK_SPAN("empty", http_field(&head, SPAN("empty")), SPAN(""));
    CHECK("empty", http_field(&head, SPAN("empty")).p != NULL);
    CHECK("absent", http_field(&head, SPAN("x-")).p == NULL);
    CHECK("absent", http_field(&head, SPAN("")).p == NULL);
}

static const struct {
    const char *name, *in;
    bool want;
} connections[] = {
    {"1.1 by default", "HTTP/1.1 200 OK\r\n\r\n", true},
    {"1.1 close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false},
    {"1.1 in a list", "HTTP/1.1 200 OK\r\nConnection: upgrade ,\tCLOSE\r\n\r\n", false},
    {"1.1 in a second field", "HTTP/1.1 200 OK\r\nConnection: a\r\nconnection: Close\r\n\r\n",
     false},
    {"1.1 part of a word", "HTTP/1.1 200 OK\r\nConnection: closed, notclose\r\n\r\n", true},
    {"1.1 close in another field", "HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n\r\n", true},
    {"1.1 empty options", "HTTP/1.1 200 OK\r\nConnection: ,,\r\n\r\n", true},
    {"1.0 by default", "HTTP/1.0 200 OK\r\n\r\n", false},
    {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", true},
    {"1.0 both", "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n\r\n", false},
    {"1.0 Keep-Alive is another field", "HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n", false},
};

static void
keeps_alive(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(connections); i++) {
        struct http_head head;

        CHECK(connections[i].name,
              http_response_head(guard_copy(span_of(connections[i].in)), &head) > 0);
        CHECK_INT(connections[i].name, http_keeps_alive(&head), connections[i].want);
    }
}

#define TO(fields) "POST / HTTP/1.1\r\nX: y\r\n" fields "\r\n"

static const struct {
    const char *name, *in;
    bool want;
} hosts[] = {
    {"name", TO("Host: sandbox.localdomain\r\n"), true},
    {"name and port", TO("hOST: sandbox.localdomain:4243\r\n"), true},
    {"address", TO("Host: 169.254.79.130:4243\r\n"), true},
    {"IPv6 address", TO("Host: [fd00::1]\r\n"), true},
    {"IPv6 address and port", TO("Host: [::1]:4243\r\n"), true},
    {"empty", TO("Host:\r\n"), true},
    {"port alone", TO("Host: :4243\r\n"), true},
    {"empty port", TO("Host: x:\r\n"), true},
    {"all that a name may have", TO("Host: a_b~!$&'()*+,;=%20\r\n"), true},
    {"1.0 without", "POST / HTTP/1.0\r\n\r\n", true},
    {"1.0 with two", "POST / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", true},
    {"1.0 malformed", "POST / HTTP/1.0\r\nHost: a b\r\n\r\n", true},

    {"none", TO(""), false},
    {"two", TO("Host: a\r\nHost: b\r\n"), false},
    {"the same twice", TO("Host: a\r\nhost: a\r\n"), false},
    {"two in one field", TO("Host: a, b\r\n"), false},
    {"URL", TO("Host: http://a\r\n"), false},
    {"path", TO("Host: a/b\r\n"), false},
    {"user", TO("Host: u@a\r\n"), false},
    {"port that is none", TO("Host: a:b\r\n"), false},
    {"port too great", TO("Host: a:65536\r\n"), false},
    {"IPv6 address without brackets", TO("Host: ::1\r\n"), false},
    {"bracket open", TO("Host: [::1\r\n"), false},
    {"nothing in brackets", TO("Host: []\r\n"), false},
    {"something behind the bracket", TO("Host: [::1]4243\r\n"), false},
    {"beyond ASCII", TO("Host: \xc3\xa4\r\n"), false},
    {"malformed behind a good one", TO("Host: a\r\nHost: b c\r\n"), false},
};

static void
has_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(hosts); i++) {
        struct http_head head;

        seed("http", span_of(hosts[i].in));
        CHECK(hosts[i].name, http_request_head(guard_copy(span_of(hosts[i].in)), &head) > 0);
        CHECK_INT(hosts[i].name, http_has_host(&head), hosts[i].want);
    }
}

/*
 * Whole messages. framed: what http_…_body says. want: what http_body_next says at last, when all
 * of the input was given: 0, ERR_MORE, ERR_BAD. eof: what the peer's closing means then.
 */
struct body_row {
    const char *name;
    struct span in;
    int framed;
    int want;
    const char *payload;
    const char *rest;
    int eof;
};

#define POST "POST / HTTP/1.1\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

static const struct body_row request_bodies[] = {
    {"no framing, no body", TEXT(POST "\r\nrest"), 0, 0, "", "rest", 0},
    {"length", TEXT(POST "Content-Length: 5\r\n\r\nhellorest"), 0, 0, "hello", "rest", 0},
    {"length zero", TEXT(POST "Content-Length: 0\r\n\r\nrest"), 0, 0, "", "rest", 0},
    {"length with zeros before it", TEXT(POST "Content-Length: 002\r\n\r\nabc"), 0, 0, "ab", "c",
     0},
    {"length cut", TEXT(POST "Content-Length: 5\r\n\r\nhell"), 0, ERR_MORE, "hell", "", ERR_BAD},
    {"length said twice", TEXT(POST "Content-Length: 2\r\ncontent-length: 2\r\n\r\nab"), 0, 0, "ab",
     "", 0},
    {"length said twice in one field", TEXT(POST "Content-Length: 2 , 2\r\n\r\nab"), 0, 0, "ab", "",
     0},
    {"greatest length", TEXT(POST "Content-Length: 9223372036854775807\r\n\r\nab"), 0, ERR_MORE,
     "ab", "", ERR_BAD},
    {"length too great", TEXT(POST "Content-Length: 9223372036854775808\r\n\r\n"), ERR_BAD, 0, "",
     "", 0},
    {"lengths differ", TEXT(POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), ERR_BAD, 0,
     "", "", 0},
    {"lengths differ in one field", TEXT(POST "Content-Length: 2,3\r\n\r\nabc"), ERR_BAD, 0, "", "",
     0},
    {"length list with a hole", TEXT(POST "Content-Length: 2,\r\n\r\nab"), ERR_BAD, 0, "", "", 0},
    {"length empty", TEXT(POST "Content-Length:\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"length negative", TEXT(POST "Content-Length: -1\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"length with sign", TEXT(POST "Content-Length: +1\r\n\r\na"), ERR_BAD, 0, "", "", 0},
    {"length in hex", TEXT(POST "Content-Length: 0x1\r\n\r\na"), ERR_BAD, 0, "", "", 0},
    {"both framings", TEXT(POST "Content-Length: 5\r\n" CHUNKED "0\r\n\r\n"), ERR_BAD, 0, "", "",
     0},
    {"both, length zero", TEXT(POST "Content-Length: 0\r\n" CHUNKED "0\r\n\r\n"), ERR_BAD, 0, "",
     "", 0},
    {"other coding", TEXT(POST "Transfer-Encoding: gzip\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"two codings", TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"chunked twice", TEXT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"), ERR_BAD, 0, "", "",
     0},
    {"chunked in two fields", TEXT(POST "Transfer-Encoding: chunked\r\n" CHUNKED), ERR_BAD, 0, "",
     "", 0},
    {"chunked, almost", TEXT(POST "Transfer-Encoding: xchunked\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"coding empty", TEXT(POST "Transfer-Encoding:\r\n\r\n"), ERR_BAD, 0, "", "", 0},
    {"chunked in HTTP/1.0", TEXT("POST / HTTP/1.0\r\n" CHUNKED "0\r\n\r\n"), ERR_BAD, 0, "", "", 0},

    {"chunks", TEXT(POST CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nrest"), 0, 0, "hello!", "rest",
     0},
    {"chunked in other case", TEXT(POST "transfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), 0,
     0, "a", "", 0},
    {"no chunk but the last", TEXT(POST CHUNKED "0\r\n\r\n"), 0, 0, "", "", 0},
    {"size in hex", TEXT(POST CHUNKED "0001A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), 0, 0,
     "abcdefghijklmnopqrstuvwxyz", "", 0},
    {"size in lower case", TEXT(POST CHUNKED "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), 0, 0,
     "abcdefghijklmnopqrstuvwxyz", "", 0},
    {"size of 16 digits", TEXT(POST CHUNKED "0000000000000001\r\na\r\n0\r\n\r\n"), 0, 0, "a", "",
     0},
    {"greatest size", TEXT(POST CHUNKED "ffffffffffffffff\r\nabc"), 0, ERR_MORE, "abc", "",
     ERR_BAD},
    {"size of 17 digits", TEXT(POST CHUNKED "00000000000000001\r\na\r\n0\r\n\r\n"), 0, ERR_BAD, "",
     "", ERR_BAD},
    {"size overflows", TEXT(POST CHUNKED "10000000000000001\r\na\r\n0\r\n\r\n"), 0, ERR_BAD, "", "",
     ERR_BAD},
    {"extensions", TEXT(POST CHUNKED "1;a=b\r\nx\r\n1 ; a=\"\xe4\"\r\ny\r\n0;c\r\n\r\n"), 0, 0,
     "xy", "", 0},
    {"blanks behind a size", TEXT(POST CHUNKED "1  \t\r\nx\r\n0 \r\n\r\n"), 0, 0, "x", "", 0},
    {"trailers", TEXT(POST CHUNKED "1\r\nx\r\n0\r\na: b\r\nc:\r\n\r\nrest"), 0, 0, "x", "rest", 0},
    {"cut in size", TEXT(POST CHUNKED "1\r\nx\r\n1"), 0, ERR_MORE, "x", "", ERR_BAD},
    {"cut in chunk", TEXT(POST CHUNKED "5\r\nhel"), 0, ERR_MORE, "hel", "", ERR_BAD},
    {"cut behind chunk", TEXT(POST CHUNKED "1\r\nx\r"), 0, ERR_MORE, "x", "", ERR_BAD},
    {"cut before the last line", TEXT(POST CHUNKED "0\r\n"), 0, ERR_MORE, "", "", ERR_BAD},
    {"cut in the last line", TEXT(POST CHUNKED "0\r\n\r"), 0, ERR_MORE, "", "", ERR_BAD},
    {"cut in trailer", TEXT(POST CHUNKED "0\r\na:"), 0, ERR_MORE, "", "", ERR_BAD},
    {"no size", TEXT(POST CHUNKED "\r\nx"), 0, ERR_BAD, "", "", ERR_BAD},
    {"extension without size", TEXT(POST CHUNKED ";a\r\nx"), 0, ERR_BAD, "", "", ERR_BAD},
    {"blank before size", TEXT(POST CHUNKED " 1\r\nx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"blank within size", TEXT(POST CHUNKED "1 1\r\nx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"size negative", TEXT(POST CHUNKED "-1\r\nx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"size with prefix", TEXT(POST CHUNKED "0x1\r\nx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"size no hex", TEXT(POST CHUNKED "g\r\nx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"bare newline behind size", TEXT(POST CHUNKED "1\nx\r\n0\r\n\r\n"), 0, ERR_BAD, "", "",
     ERR_BAD},
    {"bare newline in extension", TEXT(POST CHUNKED "1;a\nx\r\n0\r\n\r\n"), 0, ERR_BAD, "", "",
     ERR_BAD},
    {"control in extension", TEXT(POST CHUNKED "1;\x01\r\nx"), 0, ERR_BAD, "", "", ERR_BAD},
    {"carriage return alone", TEXT(POST CHUNKED "1\rx\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"chunk longer than said", TEXT(POST CHUNKED "1\r\nxy\r\n"), 0, ERR_BAD, "x", "", ERR_BAD},
    {"bare newline behind chunk", TEXT(POST CHUNKED "1\r\nx\n0\r\n\r\n"), 0, ERR_BAD, "x", "",
     ERR_BAD},
    {"carriage return alone at the end", TEXT(POST CHUNKED "0\r\n\rx"), 0, ERR_BAD, "", "",
     ERR_BAD},
    {"bare newline behind last chunk", TEXT(POST CHUNKED "0\r\n\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"trailer folded", TEXT(POST CHUNKED "0\r\na: b\r\n c\r\n\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"bare newline in trailer", TEXT(POST CHUNKED "0\r\na: b\n\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
    {"zero in trailer", TEXT(POST CHUNKED "0\r\na: \0\r\n\r\n"), 0, ERR_BAD, "", "", ERR_BAD},
};

static const struct body_row response_bodies[] = {
    {"until close", TEXT(OK "\r\nhello"), 0, ERR_MORE, "hello", "", 0},
    {"until close, HTTP/1.0", TEXT("HTTP/1.0 200 OK\r\n\r\nhello"), 0, ERR_MORE, "hello", "", 0},
    {"until close, empty", TEXT(OK "\r\n"), 0, ERR_MORE, "", "", 0},
    {"length", TEXT(OK "Content-Length: 5\r\n\r\nhellorest"), 0, 0, "hello", "rest", 0},
    {"length cut", TEXT(OK "Content-Length: 5\r\n\r\n"), 0, ERR_MORE, "", "", ERR_BAD},
    {"chunks", TEXT(OK CHUNKED "5\r\nhello\r\n0\r\n\r\nrest"), 0, 0, "hello", "rest", 0},
    {"100", TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1"), 0, 0, "", "HTTP/1.1", 0},
    {"199", TEXT("HTTP/1.1 199 x\r\nContent-Length: 5\r\n\r\nrest"), 0, 0, "", "rest", 0},
    {"204", TEXT("HTTP/1.1 204 No Content\r\n\r\nrest"), 0, 0, "", "rest", 0},
    {"304 tells a length", TEXT("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\nrest"), 0, 0, "",
     "rest", 0},
    {"205 has a body", TEXT("HTTP/1.1 205 x\r\nContent-Length: 1\r\n\r\nab"), 0, 0, "a", "b", 0},
    {"both framings", TEXT(OK "Content-Length: 5\r\n" CHUNKED), ERR_BAD, 0, "", "", 0},
    {"lengths differ", TEXT(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), ERR_BAD, 0, "",
     "", 0},
    {"other coding", TEXT(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"), ERR_BAD, 0, "", "", 0},
};

/* Reads the body in pieces of so many bytes; what came out is put together again. */
static int
read_body(struct http_body *body, struct span in, size_t step, struct span *payload,
          struct span *rest)
{
    static char all[4096];
    int got;

    *payload = (struct span){all, 0};
    for (;;) {
        struct span part = {in.p, in.len < step ? in.len : step};
        struct span given = part = guard_copy(part);
        struct span piece;

        while ((got = http_body_next(body, &part, &piece)) == 1) {
            assert_true(piece.len > 0);
            memcpy(all + payload->len, piece.p, piece.len);
            payload->len += piece.len;
        }
        if (got == ERR_MORE)
            assert_int_equal(part.len, 0);
        in = span_skip(in, given.len - part.len);
        if (got != ERR_MORE || in.len == 0)
            break;
    }
    *rest = in;
    return got;
}

static void
check_body_row(const struct body_row *row, head_parser *parse,
               int (*frame)(const struct http_head *head, struct http_body *body))
{
    struct http_head head;
    struct http_body start;
    int head_len = parse(row->in, &head);

    seed("http", row->in);
    CHECK(row->name, head_len > 0);
    CHECK_INT(row->name, frame(&head, &start), row->framed);
    for (size_t step = 1; step <= row->in.len; step++) {
        struct http_body body = start;
        struct span payload, rest;
        int got = read_body(&body, span_skip(row->in, (size_t)head_len), step, &payload, &rest);

        if (row->framed < 0) {
            CHECK_INT(row->name, got, ERR_BAD);
            continue;
        }
        CHECK_INT(row->name, got, row->want);
        CHECK_INT(row->name, http_body_eof(&body), row->eof);
        CHECK_SPAN(row->name, payload, span_of(row->payload));
        if (got == 0)
            CHECK_SPAN(row->name, rest, span_of(row->rest));
        if (got == ERR_BAD)
            CHECK_INT(row->name, http_body_next(&body, &rest, &payload), ERR_BAD);
    }
}

static void
bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(request_bodies); i++)
        check_body_row(&request_bodies[i], http_request_head, http_request_body);
    for (size_t i = 0; i < LEN(response_bodies); i++)
        check_body_row(&response_bodies[i], http_response_head, http_response_body);
}

/* Something of a growing length, and how long it may be at most. */
static void
bounded(void **state)
{
    static const struct {
        const char *name, *before, *after;
        char fill;
        size_t max;
    } rows[] = {
        {"extension", "1;", "\r\nx\r\n0\r\n\r\n", 'a', HTTP_CHUNK_EXTENSION_MAX - 1},
        {"blanks", "1", "\r\nx\r\n0\r\n\r\n", ' ', HTTP_CHUNK_EXTENSION_MAX},
        {"trailers", "0\r\n", ":\r\n\r\n", 'a', HTTP_TRAILERS_MAX - 3},
        {"many trailers", "0\r\nb:\r\n", ":\r\n\r\n", 'a', HTTP_TRAILERS_MAX - 7},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        for (size_t more = 0; more < 2; more++) {
            char text[HTTP_TRAILERS_MAX + 100];
            struct out o = out_to(text, sizeof text);
            struct http_body body = {.state = HTTP_BODY_SIZE};
            struct span payload, rest;

            out_put(&o, span_of(rows[i].before));
            for (size_t n = 0; n < rows[i].max + more; n++)
                out_byte(&o, rows[i].fill);
            out_put(&o, span_of(rows[i].after));
            assert_int_equal(out_end(&o), 0);
            CHECK_INT(rows[i].name, read_body(&body, out_span(&o), o.len, &payload, &rest),
                      more == 0 ? 0 : ERR_BAD);
        }
    }
}

/* The bound on extensions is per chunk: a long body may have many. */
static void
many_extensions(void **state)
{
    struct http_body body = {.state = HTTP_BODY_SIZE};
    size_t pieces = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        struct span in = guard_copy(SPAN("1;abcdefghij\r\nx\r\n"));
        struct span piece;

        while (http_body_next(&body, &in, &piece) == 1)
            pieces++;
    }
    assert_int_equal(pieces, 1000);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_heads),   cmocka_unit_test(response_heads),
        cmocka_unit_test(too_many_fields), cmocka_unit_test(any_byte),
        cmocka_unit_test(field_look_up),   cmocka_unit_test(keeps_alive),
        cmocka_unit_test(has_host),        cmocka_unit_test(bodies),
        cmocka_unit_test(bounded),         cmocka_unit_test(many_extensions),
    };

    return RUN(argc, argv, tests);
}
