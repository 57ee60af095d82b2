#include "extension/aws_client.h"

#include "check.h"
#include "guard.h"
#include "http_peer.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/trust_anchors.h"
#include "kept_log.h"
#include "protocol/timestamp.h"

#include <time.h>

#define REPLY_MAX_BYTES 512

/* A reply that ends with the connection. */
#define REPLY(status, fields, body)                                                                \
    "HTTP/1.1 " status "\r\n" fields "Connection: close\r\n\r\n" body
#define OK REPLY("200 OK", "", "{}")

/* The Makefile has clock_wall_ms ask here: what a test adds to the time of the day. */
static int64_t wall_ahead_ms;
uint64_t __real_system_wall_ms(void);
uint64_t __wrap_system_wall_ms(void);

uint64_t
__wrap_system_wall_ms(void)
{
    return __real_system_wall_ms() + (uint64_t)wall_ahead_ms;
}

static struct loop loop;
static struct http_peer peer;
static struct settings settings;
static struct credentials credentials;
static struct aws_environment environment;
static struct aws_client client;
static struct aws_call call;
static struct storage storage;

/* What done was told, copied. */
static struct {
    unsigned calls;
    struct aws_result r;
    char text[4096];
    size_t len;
} told;

static struct span
keep(struct span s)
{
    char *at = told.text + told.len;

    assert_true(s.len <= sizeof told.text - told.len);
    if (s.len > 0)
        memcpy(at, s.p, s.len);
    told.len += s.len;
    return (struct span){at, s.len};
}

static void
done(void *context, const struct aws_result *r)
{
    assert_ptr_equal(context, &told);
    told.calls++;
    told.len = 0;
    told.r = *r;
    told.r.body = keep(r->body);
    told.r.code = keep(r->code);
    told.r.message = keep(r->message);
    told.r.region = keep(r->region);
    loop.stopped = true;
}

/* The body of the call: so many bytes at a time. */
static struct {
    struct span bytes;
    size_t at, step;
    unsigned rewinds;
    struct span
        key_of_second; /* access key of the credentials that come during the first writing */
} body;

static void
rewind_body(void *context)
{
    assert_ptr_equal(context, &told);
    body.rewinds++;
    body.at = 0;
}

static size_t
read_body(void *context, char *buffer, size_t cap)
{
    struct span rest = span_skip(body.bytes, body.at);

    assert_ptr_equal(context, &told);
    assert_true(cap > 0);
    if (body.rewinds == 2 && body.key_of_second.len > 0)
        credentials.now.access_key = body.key_of_second;
    if (rest.len > cap)
        rest.len = cap;
    if (rest.len > body.step)
        rest.len = body.step;
    if (rest.len > 0)
        memcpy(buffer, rest.p, rest.len);
    body.at += rest.len;
    return rest.len;
}

static void
begin_call(struct span bytes)
{
    memset(&told, 0, sizeof told);
    memset(&body, 0, sizeof body);
    body.bytes = bytes;
    body.step = SIZE_MAX;
    call = (struct aws_call){
        .method = SPAN("POST"),
        .path = SPAN("/"),
        .content_type = SPAN("application/x-amz-json-1.1"),
        .target = SPAN("Kinesis_20131202.PutRecords"),
        .rewind = rewind_body,
        .read = read_body,
        .done = done,
        .context = &told,
        .silence_ms = 20000,
    };
}

/* A client whose replies end at an unreadable page. */
static void
open_client(struct span service)
{
    client = (struct aws_client){
        .environment = &environment,
        .service = service,
        .region = SPAN("eu-west-1"),
        .endpoint = {.host = SPAN("127.0.0.1"), .port = peer.port, .path = SPAN("/")},
    };
    assert_int_equal(storage_open(&storage, aws_client_bytes(REPLY_MAX_BYTES)), 0);
    assert_int_equal(aws_client_init(&client, &loop, &storage, REPLY_MAX_BYTES), 0);
    client.reply = guard_buffer(REPLY_MAX_BYTES);
}

static void
begin(const char *const *replies, size_t len)
{
    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    http_peer_open(&peer, &loop, replies, len);
    settings = (struct settings){.access_key = SPAN("AKID"), .secret_key = SPAN("the secret")};
    credentials = (struct credentials){.settings = &settings};
    assert_int_equal(credentials_init(&credentials, &loop, &storage), 0);
    environment = (struct aws_environment){.settings = &settings, .credentials = &credentials};
    open_client(SPAN("kinesis"));
    begin_call(SPAN("{\"Records\":[]}"));
}

static void
end(void)
{
    aws_client_stop(&client);
    http_peer_close(&peer);
    close(loop.epoll);
    munmap(storage.p, storage.cap);
}

static void
await_done(unsigned before)
{
    loop.stopped = told.calls > before;
    assert_int_equal(loop_run(&loop), 0);
    assert_int_equal(told.calls, before + 1);
}

static void
make_call(void)
{
    unsigned before = told.calls;

    aws_client_start(&client, &call);
    await_done(before);
}

/* --- the result ---------------------------------------------------------------------------- */

/* Stands before each row, so that nothing of it may be left. */
#define FULL                                                                                       \
    REPLY("503 Slow Down",                                                                         \
          "x-amzn-ErrorType: Header\r\nx-amz-bucket-region: us-east-2\r\n"                         \
          "x-amz-retry-after: 77\r\nRetry-After: 7\r\n",                                           \
          "{\"__type\":\"Json\",\"message\":\"a message\"}")

#define JSON_ERROR "{\"__type\":\"com.amazon#ValidationException\",\"message\":\"no \\\"good\\\"\"}"
#define XML_ERROR                                                                                  \
    "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>none &amp; "                \
    "nowhere</Message></Error>"
#define SIXTEEN "abcdefghijklmnop"
#define FORTY_EIGHT SIXTEEN SIXTEEN SIXTEEN

static const struct {
    const char *name, *reply;
    unsigned status;
    const char *code, *message, *region, *body;
    uint32_t retry_after_ms;
} results[] = {
    {"success", OK, 200, "", "", "", "{}", 0},
    {"success without a body", REPLY("200 OK", "", ""), 200, "", "", "", "", 0},
    {"no error in a success", REPLY("200 OK", "x-amzn-ErrorType: A\r\n", "{\"__type\":\"B\"}"), 200,
     "", "", "", "{\"__type\":\"B\"}", 0},
    {"another success", REPLY("299 Fine", "", JSON_ERROR), 299, "", "", "", JSON_ERROR, 0},

    {"JSON", REPLY("400 Bad Request", "", JSON_ERROR), 400, "ValidationException",
     "no \\\"good\\\"", "", JSON_ERROR, 0},
    {"JSON goes before the field",
     REPLY("400 Bad", "x-amzn-ErrorType: A\r\n", "{\"__type\":\"B\"}"), 400, "B", "", "",
     "{\"__type\":\"B\"}", 0},
    {"XML", REPLY("404 Not Found", "", XML_ERROR), 404, "NoSuchBucket", "none &amp; nowhere", "",
     XML_ERROR, 0},
    {"the field goes before XML", REPLY("404 Not Found", "x-amzn-ErrorType: A\r\n", XML_ERROR), 404,
     "A", "none &amp; nowhere", "", XML_ERROR, 0},
    {"field alone", REPLY("500 Oh", "X-Amzn-ErrorType: InternalFailure:http://a/#b\r\n", ""), 500,
     "InternalFailure", "", "", "", 0},
    {"field and a message", REPLY("400 Bad", "x-amzn-errortype: A\r\n", "{\"message\":\"m\"}"), 400,
     "A", "m", "", "{\"message\":\"m\"}", 0},
    {"longest field", REPLY("500 Oh", "x-amzn-ErrorType: " FORTY_EIGHT FORTY_EIGHT "\r\n", ""), 500,
     FORTY_EIGHT FORTY_EIGHT, "", "", "", 0},
    {"field too long", REPLY("500 Oh", "x-amzn-ErrorType: " FORTY_EIGHT FORTY_EIGHT "q\r\n", ""),
     500, "", "", "", "", 0},
    {"no code", REPLY("502 Bad Gateway", "", "<html>no</html>"), 502, "", "", "", "<html>no</html>",
     0},
    {"nothing at all", REPLY("500 Oh", "", ""), 500, "", "", "", "", 0},
    {"redirect", REPLY("301 Moved", "x-amz-bucket-region: eu-north-1\r\n", XML_ERROR), 301,
     "NoSuchBucket", "none &amp; nowhere", "eu-north-1", XML_ERROR, 0},

    {"region of a success", REPLY("200 OK", "X-Amz-Bucket-Region: eu-north-1\r\n", ""), 200, "", "",
     "eu-north-1", "", 0},
    {"longest region", REPLY("400 Bad", "x-amz-bucket-region: " FORTY_EIGHT "\r\n", ""), 400, "",
     "", FORTY_EIGHT, "", 0},
    {"region too long", REPLY("400 Bad", "x-amz-bucket-region: " FORTY_EIGHT "q\r\n", ""), 400, "",
     "", "", "", 0},
    {"empty region", REPLY("400 Bad", "x-amz-bucket-region:\r\n", ""), 400, "", "", "", "", 0},

#define WAIT(name, fields, ms)                                                                     \
    {                                                                                              \
        name, REPLY("503 Slow Down", fields, ""), 503, "", "", "", "", ms                          \
    }
    WAIT("milliseconds", "x-amz-retry-after: 250\r\n", 250),
    WAIT("other letters", "X-Amz-Retry-After: 1\r\n", 1),
    WAIT("seconds", "Retry-After: 2\r\n", 2000),
    WAIT("both", "Retry-After: 2\r\nx-amz-retry-after: 250\r\n", 250),
    WAIT("both, other order", "x-amz-retry-after: 250\r\nRetry-After: 2\r\n", 250),
    WAIT("both, at once by the first", "x-amz-retry-after: 0\r\nRetry-After: 2\r\n", 0),
    WAIT("at once", "Retry-After: 0\r\n", 0),
    WAIT("junk and seconds", "x-amz-retry-after: soon\r\nRetry-After: 2\r\n", 2000),
    WAIT("empty and seconds", "x-amz-retry-after:\r\nRetry-After: 2\r\n", 2000),
    WAIT("milliseconds and junk", "x-amz-retry-after: 250\r\nRetry-After: soon\r\n", 250),
    WAIT("junk and junk", "x-amz-retry-after: 2s\r\nRetry-After: 2s\r\n", 0),
    WAIT("negative", "x-amz-retry-after: -1\r\nRetry-After: -1\r\n", 0),
    WAIT("fraction", "x-amz-retry-after: 1.5\r\nRetry-After: 1.5\r\n", 0),
    WAIT("date", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0),
    WAIT("most milliseconds", "x-amz-retry-after: 3600000\r\n", 3600000),
    WAIT("too many milliseconds", "x-amz-retry-after: 3600001\r\n", 0),
    WAIT("too many, and seconds", "x-amz-retry-after: 3600001\r\nRetry-After: 3\r\n", 3000),
    WAIT("most seconds", "Retry-After: 3600\r\n", 3600000),
    WAIT("too many seconds", "Retry-After: 3601\r\n", 0),
    WAIT("more than 32 bits", "x-amz-retry-after: 4294967297\r\nRetry-After: 4294967297\r\n", 0),
    WAIT("more than 64 bits",
         "x-amz-retry-after: 18446744073709551617\r\nRetry-After: 18446744073709551617\r\n", 0),
    {"asked in a success", REPLY("200 OK", "Retry-After: 2\r\n", ""), 200, "", "", "", "", 2000},
};

static void
replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(results); i++) {
        const char *const both[] = {FULL, results[i].reply};
        const char *name = results[i].name;

        begin(both, LEN(both));
        make_call();
        CHECK_INT(name, told.r.retry_after_ms, 77);
        CHECK_SPAN(name, told.r.code, SPAN("Json"));
        make_call();
        CHECK_INT(name, told.r.result, 0);
        CHECK_INT(name, told.r.status, results[i].status);
        CHECK_SPAN(name, told.r.code, span_of(results[i].code));
        CHECK_SPAN(name, told.r.message, span_of(results[i].message));
        CHECK_SPAN(name, told.r.region, span_of(results[i].region));
        CHECK_SPAN(name, told.r.body, span_of(results[i].body));
        CHECK_INT(name, told.r.retry_after_ms, results[i].retry_after_ms);
        CHECK_INT(name, told.r.skewed, false);
        end();
    }
}

/* All that is known is how it ended. */
static void
check_no_reply(const char *name, int result)
{
    CHECK_INT(name, told.r.result, result);
    CHECK_INT(name, told.r.status, 0);
    CHECK_INT(name, told.r.retry_after_ms, 0);
    CHECK_INT(name, told.r.skewed, false);
    CHECK_INT(name, told.r.body.len + told.r.code.len, 0);
    CHECK_INT(name, told.r.message.len + told.r.region.len, 0);
}

static void
no_reply(void **state)
{
    static const struct {
        const char *name, *reply;
        int result;
    } rows[] = {
        {"closed", NULL, ERR_IO},
        {"closed in the head", "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\n", ERR_IO},
        {"closed in the body",
         "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\n{", ERR_IO},
        {"no HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n", ERR_BAD},
        {"two lengths",
         "HTTP/1.1 503 Slow Down\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", ERR_BAD},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *const both[] = {FULL, rows[i].reply};

        begin(both, LEN(both));
        make_call();
        make_call();
        check_no_reply(rows[i].name, rows[i].result);
        end();
    }
}

/* The system connects, but nobody takes the connection. */
static void
no_accept(void)
{
    assert_int_equal(loop_watch(&loop, &peer.listener, peer.listener.fd, 0), 0);
}

static void
silence(void **state)
{
    (void)state;
    begin(NULL, 0);
    no_accept();
    call.silence_ms = 20;
    make_call();
    check_no_reply("silent", ERR_LATE);
    end();
}

/* What there is of a reply ends at the buffer's end, which is at an unreadable page. */
static void
large_reply(void **state)
{
    static const size_t lens[] = {REPLY_MAX_BYTES - 1, REPLY_MAX_BYTES, REPLY_MAX_BYTES + 1,
                                  3 * REPLY_MAX_BYTES};
    static char text[4 * REPLY_MAX_BYTES];
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    const char *const one[] = {text};

    (void)state;
    for (size_t i = 0; i < LEN(lens); i++) {
        size_t want = lens[i] < REPLY_MAX_BYTES ? lens[i] : REPLY_MAX_BYTES;

        strcpy(text, head);
        for (size_t n = 0; n < lens[i]; n++)
            text[sizeof head - 1 + n] = (char)('a' + n % 26);
        text[sizeof head - 1 + lens[i]] = '\0';
        begin(one, LEN(one));
        make_call();
        CHECK_INT("result", told.r.result, 0);
        CHECK_INT("status", told.r.status, 200);
        CHECK_SPAN("body", told.r.body, ((struct span){text + sizeof head - 1, want}));
        end();
    }
}

/* The code of a reply that is too long: the one that stands in what there is of it. */
static void
large_error(void **state)
{
    static const struct {
        const char *name, *before, *behind, *code;
    } rows[] = {
        {"code first", "{\"__type\":\"SlowDown\",\"message\":\"", "\"}", "SlowDown"},
        {"code last", "{\"message\":\"", "\",\"__type\":\"SlowDown\"}", ""},
    };
    char fill[REPLY_MAX_BYTES], json[2 * REPLY_MAX_BYTES], text[3 * REPLY_MAX_BYTES];
    const char *const one[] = {text};

    (void)state;
    memset(fill, 'x', sizeof fill);
    for (size_t i = 0; i < LEN(rows); i++) {
        snprintf(json, sizeof json, "%s%.*s%s", rows[i].before, (int)sizeof fill, fill,
                 rows[i].behind);
        snprintf(text, sizeof text, REPLY("503 Slow Down", "", "%s"), json);
        begin(one, LEN(one));
        make_call();
        CHECK_INT(rows[i].name, told.r.status, 503);
        CHECK_SPAN(rows[i].name, told.r.code, span_of(rows[i].code));
        CHECK_SPAN(rows[i].name, told.r.body, ((struct span){json, REPLY_MAX_BYTES}));
        end();
    }
}

/* --- what is sent ---------------------------------------------------------------------------- */

static struct span
sent(size_t request, const char *field)
{
    return http_peer_field(&peer, request, span_of(field));
}

/* The names between SignedHeaders= and the comma. */
static struct span
signed_names(size_t request)
{
    static const char before[] = "SignedHeaders=";
    struct span all = sent(request, "authorization");
    const char *at = memmem(all.p, all.len, before, sizeof before - 1);
    struct span rest;

    assert_non_null(at);
    rest = span_skip(all, (size_t)(at - all.p) + sizeof before - 1);
    return span_cut(rest, ',', &rest);
}

static void
hash_of(struct span bytes, uint8_t digest[SHA256_LEN])
{
    struct sha256 hash;

    sha256_start(&hash);
    sha256_add(&hash, bytes.p, bytes.len);
    sha256_end(&hash, digest);
}

/* Signs what has come, as far as its own list tells that it is signed. */
static void
check_signature(const char *name, size_t request, const struct sigv4_credentials *by)
{
    struct http_head head;
    struct sigv4_field fields[16];
    struct span rest = signed_names(request);
    uint8_t digest[SHA256_LEN];
    struct sigv4_key key = {.key = {0}};
    struct sigv4_scope scope = {sent(request, "x-amz-date"), client.region, client.service};
    struct sigv4_request r = {.fields = fields, .body_sha256 = digest};
    char text[1024];
    struct out o = out_to(text, sizeof text);

    assert_true(http_request_head(peer.requests[request], &head) > 0);
    r.method = head.method;
    r.path = head.target;
    r.path_encoded_again = !span_same(client.service, SPAN("s3"));
    while (rest.p != NULL) {
        fields[r.fields_len].name = span_cut(rest, ';', &rest);
        fields[r.fields_len].value = http_field(&head, fields[r.fields_len].name);
        assert_non_null(fields[r.fields_len].value.p);
        assert_true(++r.fields_len < LEN(fields));
    }
    hash_of(http_peer_body(&peer, request), digest);
    assert_int_equal(sigv4_authorization(&o, by, &scope, &r, &key), 0);
    CHECK_SPAN(name, sent(request, "authorization"), out_span(&o));
}

/* The body and what the head says of it. */
static void
check_body(const char *name, size_t request, struct span want)
{
    char text[2 * SHA256_LEN];
    uint8_t digest[SHA256_LEN];
    struct out o = out_to(text, sizeof text);

    CHECK_SPAN(name, http_peer_body(&peer, request), want);
    out_number(&o, want.len);
    CHECK_SPAN(name, sent(request, "content-length"), out_span(&o));
    if (!call.body_hash) {
        CHECK(name, sent(request, "x-amz-content-sha256").p == NULL);
        return;
    }
    o = out_to(text, sizeof text);
    hash_of(want, digest);
    out_hex(&o, digest, sizeof digest);
    CHECK_SPAN(name, sent(request, "x-amz-content-sha256"), out_span(&o));
}

static const struct {
    const char *name, *service, *method, *path, *content_type, *target, *token;
    bool body_hash;
    const char *want;
} requests[] = {
    {"kinesis", "kinesis", "POST", "/", "application/x-amz-json-1.1", "Kinesis_20131202.PutRecords",
     NULL, false, "content-type;host;x-amz-date;x-amz-target"},
    {"kinesis, with a token", "kinesis", "POST", "/", "application/x-amz-json-1.1",
     "Kinesis_20131202.PutRecords", "a+token/==", false,
     "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"},
    {"kinesis, below a path", "kinesis", "POST", "/a%20b/c", "application/x-amz-json-1.1",
     "Kinesis_20131202.PutRecords", NULL, false, "content-type;host;x-amz-date;x-amz-target"},
    {"s3", "s3", "PUT", "/logs/a%20b/1.ndjson", "application/x-ndjson", NULL, NULL, true,
     "content-type;host;x-amz-content-sha256;x-amz-date"},
    {"s3, with a token", "s3", "PUT", "/logs/a%20b/1.ndjson", "application/x-ndjson", NULL,
     "a+token/==", true, "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token"},
    {"no type", "s3", "PUT", "/o", NULL, NULL, NULL, true, "host;x-amz-content-sha256;x-amz-date"},
    {"least of all", "kinesis", "POST", "/", NULL, NULL, NULL, false, "host;x-amz-date"},
};

static void
signed_fields(void **state)
{
    static const char *const one[] = {OK};

    (void)state;
    for (size_t i = 0; i < LEN(requests); i++) {
        const char *name = requests[i].name;
        char line[128];

        begin(one, LEN(one));
        client.service = span_of(requests[i].service);
        credentials.now.session_token = span_of(requests[i].token);
        call.method = span_of(requests[i].method);
        call.path = span_of(requests[i].path);
        call.content_type = span_of(requests[i].content_type);
        call.target = span_of(requests[i].target);
        call.body_hash = requests[i].body_hash;
        make_call();
        snprintf(line, sizeof line, "%s %s HTTP/1.1\r\n", requests[i].method, requests[i].path);
        CHECK(name, span_starts(peer.requests[0], span_of(line)));
        CHECK_SPAN(name, signed_names(0), span_of(requests[i].want));
        CHECK_SPAN(name, sent(0, "content-type"), span_of(requests[i].content_type));
        CHECK_SPAN(name, sent(0, "x-amz-target"), span_of(requests[i].target));
        CHECK_SPAN(name, sent(0, "x-amz-security-token"), span_of(requests[i].token));
        CHECK_SPAN(name, sent(0, "user-agent"), SPAN("kinesis-telemetry-api-extension/" VERSION));
        check_signature(name, 0, &credentials.now);
        check_body(name, 0, body.bytes);
        end();
    }
}

static const struct {
    const char *name, *host;
    uint16_t port;
    bool tls;
    const char *want;
} hosts[] = {
    {"https", "kinesis.eu-west-1.amazonaws.com", 443, true, "kinesis.eu-west-1.amazonaws.com"},
    {"https, another port", "kinesis.example", 8443, true, "kinesis.example:8443"},
    {"https at http's port", "kinesis.example", 80, true, "kinesis.example:80"},
    {"http", "kinesis.example", 80, false, "kinesis.example"},
    {"http at https's port", "kinesis.example", 443, false, "kinesis.example:443"},
    {"http, another port", "127.0.0.1", 4567, false, "127.0.0.1:4567"},
    {"IPv6", "::1", 80, false, "[::1]"},
    {"IPv6, another port", "2001:db8::7", 65535, true, "[2001:db8::7]:65535"},
};

/* Sent to the peer all the same. */
static void
host(void **state)
{
    static const char *const one[] = {OK};

    (void)state;
    for (size_t i = 0; i < LEN(hosts); i++) {
        begin(one, LEN(one));
        client.endpoint.host = span_of(hosts[i].host);
        client.endpoint.port = hosts[i].port;
        client.endpoint.tls = hosts[i].tls;
        aws_client_moved(&client);
        CHECK_SPAN(hosts[i].name, client.http.connection.peer.host, span_of(hosts[i].host));
        CHECK_INT(hosts[i].name, client.http.connection.peer.port, hosts[i].port);
        client.http.connection.peer.host = SPAN("127.0.0.1");
        client.http.connection.peer.port = peer.port;
        make_call();
        CHECK_SPAN(hosts[i].name, sent(0, "host"), span_of(hosts[i].want));
        check_signature(hosts[i].name, 0, &credentials.now);
        end();
    }
}

/* --- the clock ------------------------------------------------------------------------------- */

/* Seconds by which a reply's Date is ahead, or one of these. */
enum { NO_DATE = 1 << 30, JUNK_DATE, OTHER_DATE, FIRST_DATE, EMPTY_DATE };

#define DAY 86400
#define EXPIRED "403 Forbidden", "RequestTimeTooSkewed"

static const struct {
    const char *name, *status, *code;
    size_t len;
    int ahead_s[3];
    bool skewed[3];
    int left_s; /* how far ahead the next request is dated */
} skews[] = {
    {"ahead", EXPIRED, 1, {60}, {true}, 60},
    {"behind", EXPIRED, 1, {-60}, {true}, -60},
    {"ahead by little", EXPIRED, 1, {15}, {false}, 0},
    {"behind by little", EXPIRED, 1, {-15}, {false}, 0},
    {"right", EXPIRED, 1, {0}, {false}, 0},
    {"ahead by days", EXPIRED, 1, {3 * DAY}, {false}, 0},
    {"behind by years", EXPIRED, 1, {-8000 * DAY}, {false}, 0},

    {"twice the same", EXPIRED, 2, {3600, 3600}, {true, false}, 3600},
    {"thrice the same, behind", EXPIRED, 3, {-3600, -3600, -3600}, {true, false, false}, -3600},
    {"little more", EXPIRED, 2, {60, 75}, {true, false}, 60},
    {"little less", EXPIRED, 2, {-60, -45}, {true, false}, -60},
    {"much more", EXPIRED, 2, {60, 150}, {true, true}, 150},
    {"back again", EXPIRED, 3, {3600, 0, 0}, {true, true, false}, 0},
    {"from side to side", EXPIRED, 3, {40, -40, 40}, {true, true, true}, 40},
    {"little by little", EXPIRED, 3, {15, 20, 60}, {false, false, true}, 60},

    {"a day", EXPIRED, 2, {DAY - 10, 10 - DAY}, {true, true}, 10 - DAY},
    {"more than a day", EXPIRED, 2, {DAY + 10, -DAY - 10}, {false, false}, 0},
    {"more than a day, later", EXPIRED, 2, {3600, DAY + 10}, {true, false}, 3600},

    {"no Date", EXPIRED, 1, {NO_DATE}, {false}, 0},
    {"empty Date", EXPIRED, 1, {EMPTY_DATE}, {false}, 0},
    {"malformed Date", EXPIRED, 1, {JUNK_DATE}, {false}, 0},
    {"another form of Date", EXPIRED, 1, {OTHER_DATE}, {false}, 0},
    {"a clock that was never set", EXPIRED, 1, {FIRST_DATE}, {false}, 0},
    {"no Date any more", EXPIRED, 2, {3600, NO_DATE}, {true, false}, 3600},
    {"malformed Date after a good one", EXPIRED, 2, {3600, JUNK_DATE}, {true, false}, 3600},
    {"a good one after a malformed Date", EXPIRED, 2, {JUNK_DATE, 3600}, {false, true}, 3600},

    {"signature, Kinesis", "400 Bad", "InvalidSignatureException", 1, {3600}, {true}, 3600},
    {"signature, S3", "403 Forbidden", "SignatureDoesNotMatch", 1, {3600}, {true}, 3600},
    {"expired", "400 Bad", "RequestExpired", 1, {3600}, {true}, 3600},
    {"in the future", "403 Forbidden", "RequestInTheFuture", 1, {-3600}, {true}, -3600},

    {"denied", "403 Forbidden", "AccessDenied", 1, {3600}, {false}, 0},
    {"expired token", "400 Bad", "ExpiredTokenException", 1, {3600}, {false}, 0},
    {"unknown key", "403 Forbidden", "InvalidAccessKeyId", 1, {3600}, {false}, 0},
    {"throttled", "400 Bad", "ThrottlingException", 1, {3600}, {false}, 0},
    {"no code", "403 Forbidden", "", 1, {3600}, {false}, 0},
    {"down", "503 Slow Down", "", 1, {3600}, {false}, 0},
    {"success", "200 OK", "RequestTimeTooSkewed", 1, {3600}, {false}, 0},
};

static size_t
date_field(char *text, size_t cap, time_t now, int ahead_s)
{
    time_t then = now + ahead_s;
    struct tm tm;

    switch (ahead_s) {
    case NO_DATE:
        return (size_t)snprintf(text, cap, "Server: none\r\n");
    case EMPTY_DATE:
        return (size_t)snprintf(text, cap, "Date:\r\n");
    case JUNK_DATE:
        return (size_t)snprintf(text, cap, "Date: Sun, 31 Feb 2094 08:49:37 GMT\r\n");
    case OTHER_DATE:
        return (size_t)snprintf(text, cap, "Date: 2094-11-06T08:49:37Z\r\n");
    case FIRST_DATE:
        return (size_t)snprintf(text, cap, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    default:
        return strftime(text, cap, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &tm));
    }
}

/*
 * Whether the request is dated by our clock and ahead_s, as of now_ms or later: by the Date's whole
 * second at the earliest.
 */
static void
check_dated(const char *name, size_t request, uint64_t now_ms, int ahead_s)
{
    uint64_t at_ms = now_ms / 1000 * 1000 + (uint64_t)((int64_t)ahead_s * 1000);
    struct span date = sent(request, "x-amz-date");
    char least[TIMESTAMP_BASIC_LEN], most[TIMESTAMP_BASIC_LEN];

    timestamp_basic(at_ms, least);
    timestamp_basic(at_ms + clock_wall_ms() - now_ms / 1000 * 1000, most);
    CHECK_INT(name, date.len, TIMESTAMP_BASIC_LEN);
    CHECK(name, memcmp(date.p, least, sizeof least) >= 0);
    CHECK(name, memcmp(date.p, most, sizeof most) <= 0);
    check_signature(name, request, &credentials.now);
}

static void
skew(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(skews); i++) {
        const char *name = skews[i].name;
        uint64_t now_ms = clock_wall_ms();
        char text[3][512], date[128];
        const char *all[4];

        for (size_t n = 0; n < skews[i].len; n++) {
            date_field(date, sizeof date, (time_t)(now_ms / 1000), skews[i].ahead_s[n]);
            snprintf(text[n], sizeof text[n],
                     "HTTP/1.1 %s\r\n%sConnection: close\r\n\r\n{\"__type\":\"%s\"}",
                     skews[i].status, date, skews[i].code);
            all[n] = text[n];
        }
        all[skews[i].len] = OK;
        begin(all, skews[i].len + 1);
        for (size_t n = 0; n < skews[i].len; n++) {
            make_call();
            CHECK_INT(name, told.r.skewed, skews[i].skewed[n]);
        }
        make_call();
        CHECK_INT(name, told.r.skewed, false);
        check_dated(name, skews[i].len, now_ms, skews[i].left_s);
        end();
    }
}

/* A clock for each client, whose services may lie at peers with other ideas; one line for each change. */
static void
skew_is_its_own(void **state)
{
    static char text[512];
    static const char *const all[] = {text, text, OK};
    struct span log, line;
    uint64_t now_ms = clock_wall_ms();
    char date[128];

    (void)state;
    date_field(date, sizeof date, (time_t)(now_ms / 1000), -3600);
    snprintf(text, sizeof text,
             "HTTP/1.1 403 No\r\n%sConnection: close\r\n\r\n{\"__type\":\"RequestExpired\"}", date);
    begin(all, LEN(all));
    log_set_level(LOG_INFO);
    keep_log();
    make_call();
    make_call();
    log = kept_log();
    log_set_level(LOG_WARN);
    line = next_log_line(&log);
    CHECK("line", span_starts(line, SPAN("\"level\":\"info\",\"logger\":\"" LOG_LOGGER
                                         "\",\"message\":\"kinesis: its clock is behind ours "
                                         "by 36")));
    CHECK_INT("one line", log.len, 0);
    aws_client_stop(&client);
    munmap(storage.p, storage.cap);
    loop.timers = NULL;
    open_client(SPAN("s3"));
    make_call();
    check_dated("the other", 2, now_ms, 0);
    end();
}

/* --- the call -------------------------------------------------------------------------------- */

static void
without_credentials(void **state)
{
    static const struct {
        const char *name, *error, *want;
        bool fetched;
    } rows[] = {
        {"none", "", "no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment", false},
        {"not yet", "", "no credentials have been fetched yet", true},
        {"no more", "no credentials from 169.254.170.23:80: status 404",
         "no credentials from 169.254.170.23:80: status 404", true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        begin(NULL, 0);
        settings.credentials.host = rows[i].fetched ? SPAN("169.254.170.23") : SPAN("");
        strcpy(credentials.error, rows[i].error);
        credentials.now.access_key.len = 0;
        aws_client_start(&client, &call);
        CHECK_INT(rows[i].name, told.calls, 1);
        CHECK_INT(rows[i].name, told.r.result, 0);
        CHECK_INT(rows[i].name, told.r.status, 0);
        CHECK_SPAN(rows[i].name, told.r.message, span_of(rows[i].want));
        CHECK_INT(rows[i].name, told.r.code.len + told.r.body.len, 0);
        CHECK_INT(rows[i].name, client.http.opened, 0);
        CHECK_INT(rows[i].name, body.rewinds, 0);
        end();
    }
}

static void
bodies(void **state)
{
    static const char *const one[] = {OK};
    static char text[100000];
    static const struct {
        const char *name;
        size_t len, step;
    } rows[] = {
        {"empty", 0, SIZE_MAX},       {"one byte", 1, SIZE_MAX},
        {"small steps", 500, 3},      {"a part of the hash", 4096, SIZE_MAX},
        {"and one more", 4097, 4097}, {"larger than the buffer", sizeof text, SIZE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 251);
    for (size_t i = 0; i < LEN(rows); i++) {
        begin(one, LEN(one));
        body.bytes = (struct span){text, rows[i].len};
        body.step = rows[i].step;
        call.body_hash = true;
        make_call();
        CHECK_INT(rows[i].name, told.r.status, 200);
        check_body(rows[i].name, 0, body.bytes);
        check_signature(rows[i].name, 0, &credentials.now);
        end();
    }
}

/* Frozen while the peer closed: written once more, from its beginning, with what holds by then. */
static void
written_again(void **state)
{
    static const char *const both[] = {NULL, OK};
    struct sigv4_credentials first;
    static char text[50000];

    (void)state;
    memset(text, 'y', sizeof text);
    begin(both, LEN(both));
    first = credentials.now;
    body.bytes = (struct span){text, sizeof text};
    body.key_of_second = SPAN("AKIDTOO");
    call.body_hash = true;
    aws_client_start(&client, &call);
    loop.thaws++;
    await_done(0);
    CHECK_INT("status", told.r.status, 200);
    CHECK_INT("requests", peer.requests_len, 2);
    CHECK_INT("rewinds", body.rewinds, 4);
    for (size_t i = 0; i < peer.requests_len; i++)
        check_body("again", i, body.bytes);
    check_signature("first", 0, &first);
    CHECK_SPAN("key", credentials.now.access_key, SPAN("AKIDTOO"));
    check_signature("second", 1, &credentials.now);
    end();
}

/* The scope of a signature goes by what the client says at that moment. */
static void
other_region(void **state)
{
    static const char *const three[] = {OK, OK, OK};

    (void)state;
    begin(three, LEN(three));
    make_call();
    check_signature("first", 0, &credentials.now);
    client.region = SPAN("us-east-1");
    make_call();
    check_signature("another region", 1, &credentials.now);
    credentials.now.secret_key = SPAN("another secret");
    make_call();
    check_signature("another secret", 2, &credentials.now);
    CHECK_INT("rewinds", body.rewinds, 6);
    end();
}

/* The head does not fit into the connection's buffer. */
static void
endless_token(void **state)
{
    static char token[CONNECTION_BUFFER];

    (void)state;
    memset(token, 't', sizeof token);
    begin(NULL, 0);
    credentials.now.session_token = (struct span){token, sizeof token};
    make_call();
    check_no_reply("token", ERR_BAD);
    CHECK_INT("sent", peer.len, 0);
    end();
}

static void
ahead_of_need(void **state)
{
    static const char *const one[] = {OK};

    (void)state;
    begin(one, LEN(one));
    aws_client_open(&client);
    aws_client_open(&client);
    CHECK_INT("opened", client.http.opened, 1);
    make_call();
    CHECK_INT("status", told.r.status, 200);
    CHECK_INT("opened", client.http.opened, 1);
    end();
}

/* --- the built-in roots ---------------------------------------------------------------------- */

#define OLD "TLS: the last of the built-in roots is good until " TRUST_ANCHORS_UNTIL
#define MACHINES "/etc/ssl/certs/ca-certificates.crt"
#define DAYS(n) ((n)*INT64_C(86400000))

static const struct {
    const char *name;
    bool plain;
    const char *bundle;
    int64_t until_ms; /* from then on to the last one's day */
    const char *want; /* in what is logged; NULL: nothing is */
} ages[] = {
    {"half a year and more before", false, "", DAYS(180) + 60000, NULL},
    {"180 days before", false, "", DAYS(180), OLD},
    {"tomorrow", false, "", DAYS(1), OLD},
    {"today", false, "", 0, OLD},
    {"years ago", false, "", DAYS(-2000), OLD},
    {"no TLS", true, "", DAYS(1), NULL},
    {"a bundle that is not there", false, "/nowhere/ca.pem", DAYS(1), OLD},
    {"the same, long before", false, "/nowhere/ca.pem", DAYS(181), "AWS_CA_BUNDLE: "},
    {"a bundle", false, MACHINES, DAYS(1), NULL},
};

/* Opens what ages[i] is about, twice. */
static void
open_in(size_t i)
{
    settings.ca_bundle = span_of(ages[i].bundle);
    client.endpoint.tls = !ages[i].plain;
    aws_client_open(&client);
    aws_client_stop(&client);
    aws_client_open(&client);
}

/* Once, from 180 days before the last of them is distrusted. */
static void
age_of_roots(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(ages); i++) {
        struct span log;
        const char *at;

        if (strcmp(ages[i].bundle, MACHINES) == 0 && access(MACHINES, R_OK) != 0)
            continue;
        begin(NULL, 0);
        wall_ahead_ms = INT64_C(1000) * TRUST_ANCHORS_UNTIL_S - ages[i].until_ms -
                        (int64_t)__real_system_wall_ms();
        keep_log();
        open_in(i);
        log = kept_log();
        wall_ahead_ms = 0;
        at = ages[i].want == NULL ? NULL : span_find(log, span_of(ages[i].want));
        CHECK(ages[i].name, (ages[i].want == NULL) == (log.len == 0));
        CHECK(ages[i].name, ages[i].want == NULL || at != NULL);
        if (at != NULL)
            CHECK(ages[i].name, span_find(span_skip(log, (size_t)(at + 1 - log.p)),
                                          span_of(ages[i].want)) == NULL);
        end();
    }
}

/* To another place: what was open to the old one is not used. */
static void
moved(void **state)
{
    static const char *const one[] = {OK};
    static struct http_peer other;

    (void)state;
    begin(NULL, 0);
    no_accept();
    http_peer_open(&other, &loop, one, LEN(one));
    aws_client_open(&client);
    client.endpoint.port = other.port;
    aws_client_moved(&client);
    CHECK_INT("closed", client.http.connection.state, CONNECTION_CLOSED);
    make_call();
    CHECK_INT("status", told.r.status, 200);
    CHECK_INT("requests", other.requests_len, 1);
    http_peer_close(&other);
    end();
}

/* Which endpoints are reached through the proxy is found out anew for each. */
static void
proxied(void **state)
{
    static const char *const two[] = {REPLY("407 x", "", "<html>"), OK};

    (void)state;
    begin(two, LEN(two));
    settings.proxy = (struct proxy){.host = SPAN("127.0.0.1"),
                                    .port = peer.port,
                                    .user = SPAN("u:s3cret"),
                                    .exempt = SPAN("b")};
    client.endpoint.host = SPAN("kinesis.a");
    aws_client_moved(&client);
    CHECK("asked", client.http.connection.peer.proxy == &settings.proxy);
    make_call();
    CHECK_INT("result", told.r.result, ERR_IO);
    CHECK_INT("status", told.r.status, 0);
    CHECK_INT("end", client.http.connection.end, CONNECTION_NO_TUNNEL);
    CHECK_INT("code", client.http.connection.code, 407);
    CHECK_INT("sent", client.http.sent_calls, 0);
    CHECK_INT("unanswered", client.http.unanswered, 0);
    CHECK("tunnel", span_starts(peer.requests[0], SPAN("CONNECT kinesis.a:")));
    client.endpoint.host = SPAN("kinesis.b");
    aws_client_moved(&client);
    CHECK("exempt", client.http.connection.peer.proxy == NULL);
    client.endpoint.host = SPAN("127.0.0.1");
    aws_client_moved(&client);
    make_call();
    CHECK_INT("directly", told.r.status, 200);
    CHECK("no tunnel", span_starts(peer.requests[1], SPAN("POST / ")));
    end();
}

/* A call that is given up is never told of; the next one is. */
static void
stopped(void **state)
{
    static const char *const one[] = {OK};
    static struct http_peer other;

    (void)state;
    begin(NULL, 0);
    no_accept();
    http_peer_open(&other, &loop, one, LEN(one));
    aws_client_start(&client, &call);
    aws_client_stop(&client);
    CHECK_INT("closed", client.http.connection.state, CONNECTION_CLOSED);
    client.endpoint.port = other.port;
    aws_client_moved(&client);
    make_call();
    CHECK_INT("calls", told.calls, 1);
    CHECK_INT("status", told.r.status, 200);
    http_peer_close(&other);
    end();
}

/* One byte of storage less than told is too little for the reply. */
static void
storage_spent(void **state)
{
    (void)state;
    begin(NULL, 0);
    storage.len = 0;
    storage.cap = HTTP_CLIENT_HEAD_BYTES + 2 * CONNECTION_BUFFER + REPLY_MAX_BYTES;
    loop.timers = NULL;
    assert_int_equal(aws_client_init(&client, &loop, &storage, REPLY_MAX_BYTES), 0);
    storage.len = 0;
    storage.cap -= 1;
    loop.timers = NULL;
    assert_int_equal(aws_client_init(&client, &loop, &storage, REPLY_MAX_BYTES), ERR_FULL);
    storage.cap = aws_client_bytes(REPLY_MAX_BYTES);
    end();
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(no_reply),
        cmocka_unit_test(silence),
        cmocka_unit_test(large_reply),
        cmocka_unit_test(large_error),
        cmocka_unit_test(signed_fields),
        cmocka_unit_test(host),
        cmocka_unit_test(skew),
        cmocka_unit_test(skew_is_its_own),
        cmocka_unit_test(without_credentials),
        cmocka_unit_test(bodies),
        cmocka_unit_test(written_again),
        cmocka_unit_test(other_region),
        cmocka_unit_test(endless_token),
        cmocka_unit_test(ahead_of_need),
        cmocka_unit_test(age_of_roots),
        cmocka_unit_test(moved),
        cmocka_unit_test(proxied),
        cmocka_unit_test(stopped),
        cmocka_unit_test(storage_spent),
    };

    return RUN(argc, argv, tests);
}
