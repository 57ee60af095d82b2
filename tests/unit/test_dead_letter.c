#include "extension/dead_letter.h"

#include "check.h"
#include "http_peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define OK "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n"
#define ERROR(status, fields, code)                                                                \
    "HTTP/1.1 " status "\r\n" fields "Content-Type: application/xml\r\nConnection: close\r\n\r\n"  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" code                               \
    "</Code><Message>m</Message></Error>"
#define ELSEWHERE(status, region)                                                                  \
    ERROR(status, "x-amz-bucket-region: " region "\r\n", "PermanentRedirect")
#define SLOW_DOWN ERROR("503 Slow Down", "Retry-After: 2\r\n", "SlowDown")

static struct loop loop;
static struct http_peer peer;
static struct settings settings;
static struct credentials credentials;
static struct aws_environment environment;
static struct dead_letter letter;
static struct storage storage;
static struct queue queue;
static char ring[1 << 20] __attribute__((aligned(8)));
static uint32_t offsets[4096];

/* What done was told. */
static struct {
    unsigned calls;
    int result;
    unsigned status;
    uint32_t written, retry_after_ms;
    char code[32];
} told;

static void
done(void *context, const struct dead_letter_result *r)
{
    assert_ptr_equal(context, &told);
    told.calls++;
    told.result = r->call.result;
    told.status = r->call.status;
    told.written = r->written;
    told.retry_after_ms = r->call.retry_after_ms;
    snprintf(told.code, sizeof told.code, "%.*s", (int)r->call.code.len,
             r->call.code.len == 0 ? "" : r->call.code.p);
    loop.stopped = true;
}

static size_t
one_byte(void *context, const struct queue_record *record)
{
    (void)context;
    (void)record;
    return 1;
}

static void
add(struct span key, struct span data)
{
    char *room = queue_room(&queue, key.len + data.len);

    assert_non_null(room);
    memcpy(room, key.p, key.len);
    memcpy(room + key.len, data.p, data.len);
    queue_add(&queue, room, key.len, data.len, (struct queue_origin){1, 1, 0});
}

static void
take_all(void)
{
    struct queue_limits limits = {.records = LEN(offsets), .bytes = UINT64_MAX, .size = one_byte};

    queue_return(&queue, QUEUE_DEAD_LETTER, QUEUE_IN_DOUBT);
    (void)queue_take(&queue, QUEUE_DEAD_LETTER, &limits, QUEUE_TAKE_FRESH);
}

static void
begin(enum dead_letter_to to)
{
    memset(&loop, 0, sizeof loop);
    memset(&told, 0, sizeof told);
    queue_open(&queue, ring, sizeof ring);
    queue_batch_open(&queue, QUEUE_DEAD_LETTER, offsets, LEN(offsets));
    queue.common_key = SPAN("common");
    settings.dead_letter = to;
    settings.access_key = SPAN("AKID");
    settings.secret_key = SPAN("secret");
    settings.function_region = SPAN("us-east-1");
    settings.function_name = SPAN("my function");
    settings.connect_timeout_ms = 10000;
    credentials = (struct credentials){.settings = &settings};
    assert_int_equal(credentials_init(&credentials, &loop, &storage), 0);
    environment = (struct aws_environment){.settings = &settings, .credentials = &credentials};
    letter = (struct dead_letter){
        .client = {.environment = &environment},
        .queue = &queue,
        .sandbox = SPAN("5a5a"),
        .silence_ms = 10000,
        .done = done,
        .context = &told,
    };
}

static void
begin_s3(const char *const *replies, size_t len)
{
    static const struct settings none;

    settings = none;
    begin(DEAD_LETTER_S3);
    assert_int_equal(loop_open(&loop), 0);
    http_peer_open(&peer, &loop, replies, len);
    settings.bucket = SPAN("logs");
    settings.prefix = SPAN("a b/c");
    settings.bucket_in_path = true;
    settings.s3 = (struct endpoint){
        .host = SPAN("127.0.0.1"), .port = peer.port, .custom = true, .path = SPAN("/base")};
    assert_int_equal(storage_open(&storage, dead_letter_bytes(&settings, letter.sandbox)), 0);
    assert_int_equal(dead_letter_init(&letter, &loop, &storage), 0);
    add(SPAN("k1"), SPAN("{\"a\":1}"));
    add(SPAN(""), SPAN("\xff"));
    add(SPAN("k2"), SPAN("line\n"));
    take_all();
}

#define LINES                                                                                      \
    "{\"Data\":\"{\\\"a\\\":1}\",\"PartitionKey\":\"k1\"}\n"                                       \
    "{\"DataBase64\":\"/w==\",\"PartitionKey\":\"common\"}\n"                                      \
    "{\"Data\":\"line\\n\",\"PartitionKey\":\"k2\"}\n"

static void
end(void)
{
    dead_letter_stop(&letter);
    http_peer_close(&peer);
    close(loop.epoll);
    munmap(storage.p, storage.cap);
}

static void
put_as(bool again)
{
    unsigned before = told.calls;

    loop.stopped = false;
    dead_letter_put(&letter, again);
    assert_int_equal(loop_run(&loop), 0);
    assert_int_equal(told.calls, before + 1);
}

static void
put(void)
{
    put_as(false);
}

/* What SHA-256 the request says that its body has. */
static void
check_hash(size_t request)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN];
    struct out o = out_to(hex, sizeof hex);
    struct sha256 hash;
    struct span body = http_peer_body(&peer, request);

    sha256_start(&hash);
    sha256_add(&hash, body.p, body.len);
    sha256_end(&hash, digest);
    out_hex(&o, digest, sizeof digest);
    CHECK_SPAN("hash", http_peer_field(&peer, request, SPAN("x-amz-content-sha256")), out_span(&o));
}

static bool
signed_for(size_t request, const char *region)
{
    struct span authorization = http_peer_field(&peer, request, SPAN("authorization"));
    char scope[64];

    snprintf(scope, sizeof scope, "/%s/s3/aws4_request,", region);
    return memmem(authorization.p, authorization.len, scope, strlen(scope)) != NULL;
}

static void
object(void **state)
{
    static const char *const replies[] = {OK, OK, OK};
    static const char before[] = "PUT /base/logs/a%20b/c/";
    static const char behind[] = "-my%20function-5a5a-00000001.ndjson HTTP/1.1\r\n";
    const size_t moment = sizeof "2026/11/20/20261120T120000123Z" - 1;
    struct span rest;

    (void)state;
    begin_s3(replies, LEN(replies));
    put();
    CHECK_INT("result", told.result, 0);
    CHECK_INT("status", told.status, 200);
    CHECK_INT("written", told.written, 3);
    assert_true(span_starts(peer.requests[0], SPAN(before)));
    assert_true(span_starts(span_skip(peer.requests[0], sizeof before - 1 + moment), SPAN(behind)));
    CHECK_SPAN("body", http_peer_body(&peer, 0), SPAN(LINES));
    CHECK_SPAN("type", http_peer_field(&peer, 0, SPAN("content-type")),
               SPAN("application/x-ndjson"));
    check_hash(0);
    assert_true(signed_for(0, "us-east-1"));
    /* the next object has another name */
    put();
    CHECK_INT("written", told.written, 3);
    assert_non_null(memmem(peer.requests[1].p, peer.requests[1].len, "-00000002.ndjson", 16));
    /* what may have been written already has the same */
    put_as(true);
    CHECK_INT("written", told.written, 3);
    CHECK_SPAN("path", span_cut(peer.requests[2], '\n', &rest),
               span_cut(peer.requests[1], '\n', &rest));
    CHECK_SPAN("body", http_peer_body(&peer, 2), SPAN(LINES));
    end();
}

/* What is not this bucket's region is handed back. */
static void
refused(void **state)
{
    static const char *const replies[] = {
        SLOW_DOWN,
        ERROR("403 Forbidden", "", "AccessDenied"),
        ERROR("404 Not Found", "x-amz-bucket-region: eu-west-1\r\n", "NoSuchBucket"),
        ERROR("400 Bad Request", "x-amz-bucket-region: us-east-1\r\n", "RequestTimeout"),
        ELSEWHERE("301 Moved Permanently", "no region/"),
        NULL};
    static const struct {
        unsigned status;
        const char *code;
        uint32_t retry_after_ms;
    } want[] = {{503, "SlowDown", 2000},
                {403, "AccessDenied", 0},
                {404, "NoSuchBucket", 0},
                {400, "RequestTimeout", 0},
                {301, "PermanentRedirect", 0}};

    (void)state;
    begin_s3(replies, LEN(replies));
    for (size_t i = 0; i < LEN(want); i++) {
        put();
        CHECK_INT(want[i].code, told.result, 0);
        CHECK_INT(want[i].code, told.status, want[i].status);
        CHECK_SPAN(want[i].code, span_of(told.code), span_of(want[i].code));
        CHECK_INT(want[i].code, told.retry_after_ms, want[i].retry_after_ms);
        CHECK_INT(want[i].code, told.written, 0);
    }
    put();
    CHECK_INT("closed", told.result, ERR_IO);
    CHECK_INT("closed", told.written, 0);
    CHECK_INT("requests", peer.requests_len, LEN(replies));
    end();
}

/* The bucket is elsewhere: once more, signed for that region, which later calls begin with. */
static void
elsewhere(void **state)
{
    static const char *const replies[] = {ELSEWHERE("301 Moved Permanently", "eu-west-1"), OK, OK,
                                          /* and moved once more, where the second answer counts */
                                          ELSEWHERE("400 Bad Request", "eu-west-2"),
                                          ELSEWHERE("307 Temporary Redirect", "eu-west-3"), OK};

    (void)state;
    begin_s3(replies, LEN(replies));
    put();
    CHECK_INT("written", told.written, 3);
    CHECK_INT("requests", peer.requests_len, 2);
    assert_true(signed_for(0, "us-east-1"));
    assert_true(signed_for(1, "eu-west-1"));
    CHECK_SPAN("body", http_peer_body(&peer, 1), SPAN(LINES));
    check_hash(1);
    put();
    assert_true(signed_for(2, "eu-west-1"));
    put();
    CHECK_INT("requests", peer.requests_len, 5);
    assert_true(signed_for(4, "eu-west-2"));
    CHECK_INT("status", told.status, 307);
    CHECK_INT("written", told.written, 0);
    put();
    CHECK_INT("written", told.written, 3);
    end();
}

/*
 * The host goes by the region where the user has not given one. Nobody is asked for that name here:
 * the credentials are gone by then.
 */
static void
host_elsewhere(void **state)
{
    static const char *const replies[] = {OK};
    struct aws_result moved = {.status = 301, .region = SPAN("eu-west-1")};

    (void)state;
    begin_s3(replies, LEN(replies));
    put();
    settings.s3.custom = settings.bucket_in_path = false;
    settings.dual_stack = true;
    credentials.now.access_key.len = 0;
    letter.call.done(letter.call.context, &moved);
    CHECK_INT("calls", told.calls, 2);
    CHECK_INT("written", told.written, 0);
    CHECK_SPAN("host", letter.client.endpoint.host,
               SPAN("logs.s3.dualstack.eu-west-1.amazonaws.com"));
    CHECK_SPAN("peer", letter.client.http.connection.peer.host, letter.client.endpoint.host);
    CHECK_SPAN("region", letter.client.region, SPAN("eu-west-1"));
    end();
}

static void
without_credentials(void **state)
{
    (void)state;
    begin_s3(NULL, 0);
    credentials.now.access_key.len = 0;
    put();
    CHECK_INT("result", told.result, 0);
    CHECK_INT("status", told.status, 0);
    CHECK_INT("written", told.written, 0);
    end();
}

static void
size(void **state)
{
    (void)state;
    begin_s3(NULL, 0);
    for (uint32_t i = 0, at = 0; i < queue_batch_len(&queue, QUEUE_DEAD_LETTER); i++) {
        const char *line_end = strchr(LINES + at, '\n');
        struct put_record r;

        queue_payload(&queue, QUEUE_DEAD_LETTER, i, &r.partition_key, &r.data);
        CHECK_INT("size", dead_letter_object_line_size(&r), line_end + 1 - (LINES + at));
        at = (uint32_t)(line_end + 1 - LINES);
    }
    end();
}

/* Standard error as a pipe that has room for so many bytes. */
static int pipe_end, pipe_start;

static void
begin_stderr(int room)
{
    static const struct settings none;
    static char full[65536];
    int ends[2];

    settings = none;
    begin(DEAD_LETTER_STDERR);
    assert_int_equal(dead_letter_bytes(&settings, letter.sandbox), 0);
    assert_int_equal(dead_letter_init(&letter, &loop, &storage), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, sizeof full), sizeof full);
    assert_int_equal(write(ends[1], full, sizeof full - (size_t)room), (long)sizeof full - room);
    pipe_end = ends[0];
    pipe_start = ends[1];
}

/* All that is in the pipe, less the zeros that filled it at first. */
static struct span
drain(void)
{
    static char text[1 << 17];
    size_t len = 0, zeros = 0;
    int left;

    while (ioctl(pipe_end, FIONREAD, &left) == 0 && left > 0) {
        ssize_t n = read(pipe_end, text + len, sizeof text - len);

        assert_true(n > 0);
        len += (size_t)n;
    }
    while (zeros < len && text[zeros] == '\0')
        zeros++;
    return (struct span){text + zeros, len - zeros};
}

static void
end_stderr(void)
{
    close(pipe_start);
    close(pipe_end);
}

static void
put_lines(void)
{
    unsigned before = told.calls;
    int kept = dup(STDERR_FILENO);

    dup2(pipe_start, STDERR_FILENO);
    dead_letter_put(&letter, false);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(told.calls, before + 1);
    CHECK_INT("result", told.result, 0);
    CHECK_INT("status", told.status, 0);
}

static void
lines(void **state)
{
    (void)state;
    begin_stderr(65536);
    add(SPAN("k1"), SPAN("{\"a\":1}"));
    add(SPAN(""), SPAN("\xff"));
    add(SPAN("k2"), SPAN("line\n"));
    take_all();
    put_lines();
    CHECK_INT("written", told.written, 3);
    CHECK_SPAN("lines", drain(), SPAN(LINES));
    end_stderr();
}

/* Nobody reads: no line is begun that finds no room; nothing waits for long. */
static void
full_pipe(void **state)
{
    (void)state;
    begin_stderr(0);
    add(SPAN("k1"), SPAN("a"));
    take_all();
    put_lines();
    CHECK_INT("written", told.written, 0);
    CHECK_INT("lines", drain().len, 0);
    put_lines();
    CHECK_INT("written", told.written, 1);
    CHECK_SPAN("lines", drain(), SPAN("{\"Data\":\"a\",\"PartitionKey\":\"k1\"}\n"));
    end_stderr();
}

/* Lines of 3 KiB: as many as there is room for, each whole. */
static void
filling_pipe(void **state)
{
    static char data[3000];
    struct span got;
    size_t newlines = 0;

    (void)state;
    memset(data, 'x', sizeof data);
    begin_stderr(65536);
    for (size_t i = 0; i < 40; i++)
        add(SPAN("k"), (struct span){data, sizeof data});
    take_all();
    put_lines();
    assert_in_range(told.written, 10, 39);
    got = drain();
    for (size_t i = 0; i < got.len; i++)
        newlines += got.p[i] == '\n';
    CHECK_INT("lines", newlines, told.written);
    CHECK_INT("bytes", got.len, told.written * (sizeof data + 31));
    end_stderr();
}

/* A line that finds its end of the pipe: not written, and ended before the next one. */
static void
torn(void **state)
{
    static char data[100000];
    static const char begun[] = "{\"Data\":\"xxx";
    struct span got;

    (void)state;
    memset(data, 'x', sizeof data);
    begin_stderr(65536);
    add(SPAN("k"), (struct span){data, sizeof data});
    take_all();
    put_lines();
    CHECK_INT("written", told.written, 0);
    got = drain();
    assert_true(got.len >= 4096 && span_starts(got, SPAN(begun)) && got.p[got.len - 1] == 'x');
    queue_end(&queue, QUEUE_DEAD_LETTER, 0);
    add(SPAN("k1"), SPAN("a"));
    take_all();
    put_lines();
    CHECK_INT("written", told.written, 1);
    CHECK_SPAN("lines", drain(), SPAN("\n{\"Data\":\"a\",\"PartitionKey\":\"k1\"}\n"));
    put_lines();
    CHECK_SPAN("lines", drain(), SPAN("{\"Data\":\"a\",\"PartitionKey\":\"k1\"}\n"));
    end_stderr();
}

/* The reader has gone. */
static void
no_reader(void **state)
{
    (void)state;
    begin_stderr(65536);
    close(pipe_end);
    pipe_end = open("/dev/null", O_RDONLY | O_CLOEXEC);
    add(SPAN("k"), SPAN("a"));
    take_all();
    put_lines();
    CHECK_INT("written", told.written, 0);
    end_stderr();
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(object),
        cmocka_unit_test(refused),
        cmocka_unit_test(elsewhere),
        cmocka_unit_test(host_elsewhere),
        cmocka_unit_test(without_credentials),
        cmocka_unit_test(size),
        cmocka_unit_test(lines),
        cmocka_unit_test(full_pipe),
        cmocka_unit_test(filling_pipe),
        cmocka_unit_test(torn),
        cmocka_unit_test(no_reader),
    };

    return RUN(argc, argv, tests);
}
