#include "extension/credentials.h"

#include "check.h"
#include "http_peer.h"
#include "io/clock.h"
#include "io/log.h"
#include "protocol/timestamp.h"

#include <stdio.h>
#include <sys/mman.h>

#define TOKEN "a token, verbatim=="
#define REFUSED "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found"
#define UNREADABLE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static struct loop loop;
static struct http_peer peer;
static struct settings settings;
static struct credentials credentials;
static struct storage storage;
static unsigned changes;

static void
changed(void *context)
{
    assert_ptr_equal(context, &changes);
    changes++;
    loop.stopped = true;
}

/* A reply whose credentials hold for so long. */
static const char *
reply_with(char *text, size_t cap, const char *key, int64_t expires_in_ms)
{
    char expires[TIMESTAMP_RFC3339_LEN], body[512];
    int len;

    timestamp_rfc3339((uint64_t)((int64_t)clock_wall_ms() + expires_in_ms), expires);
    len = snprintf(body, sizeof body,
                   "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"secret-of-%s\",\"Token\":"
                   "\"token\\/of-%s\",\"Expiration\":\"%.*s\"}",
                   key, key, key, (int)sizeof expires, expires);
    snprintf(text, cap, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
    return text;
}

static void
begin(const char *const *replies, size_t len)
{
    char *uri = NULL;

    memset(&loop, 0, sizeof loop);
    assert_int_equal(loop_open(&loop), 0);
    http_peer_open(&peer, &loop, replies, len);
    settings = (struct settings){.credentials_token = SPAN(TOKEN)};
    assert_true(asprintf(&uri, "http://127.0.0.1:%u/2021/credentials", peer.port) > 0);
    assert_int_equal(endpoint_credentials_url(span_of(uri), &settings.credentials), 0);
    assert_int_equal(storage_open(&storage, credentials_bytes(&settings)), 0);
    credentials = (struct credentials){.settings = &settings, .changed = changed};
    credentials.context = &changes;
    changes = 0;
    assert_int_equal(credentials_init(&credentials, &loop, &storage), 0);
    assert_int_equal(credentials.now.access_key.len, 0);
}

static void
end(void)
{
    http_client_stop(&credentials.http);
    http_peer_close(&peer);
    close(loop.epoll);
    munmap(storage.p, storage.cap);
    free((void *)(uintptr_t)(settings.credentials.host.p - strlen("http://")));
}

static void
await_change(void)
{
    unsigned before = changes;

    loop.stopped = false;
    assert_int_equal(loop_run(&loop), 0);
    assert_int_equal(changes, before + 1);
}

/* Asks, which begins a fetch, and waits for its end. */
static void
ask(bool ready)
{
    unsigned before = changes;

    assert_int_equal(credentials_ready(&credentials), ready);
    /* and asked twice, it is begun once; and never ends in here */
    assert_int_equal(credentials_ready(&credentials), ready);
    assert_int_equal(changes, before);
    await_change();
}

static void
check_key(const char *key)
{
    char text[64];

    CHECK_SPAN("key", credentials.now.access_key, span_of(key));
    snprintf(text, sizeof text, "secret-of-%s", key);
    CHECK_SPAN("secret", credentials.now.secret_key, span_of(text));
    snprintf(text, sizeof text, "token/of-%s", key);
    CHECK_SPAN("token", credentials.now.session_token, span_of(text));
}

static void
from_environment(void **state)
{
    (void)state;
    memset(&loop, 0, sizeof loop);
    settings = (struct settings){
        .access_key = SPAN("a"), .secret_key = SPAN("b"), .session_token = SPAN("c")};
    credentials = (struct credentials){.settings = &settings};
    storage = (struct storage){.p = NULL};
    assert_int_equal(credentials_bytes(&settings), 0);
    assert_int_equal(credentials_init(&credentials, &loop, &storage), 0);
    assert_true(credentials_ready(&credentials));
    CHECK_SPAN("key", credentials.now.access_key, SPAN("a"));
    CHECK_SPAN("secret", credentials.now.secret_key, SPAN("b"));
    CHECK_SPAN("token", credentials.now.session_token, SPAN("c"));
    assert_false(credentials_refresh(&credentials));
    assert_true(credentials_ready(&credentials));
    assert_null(loop.timers);
}

static void
from_nowhere(void **state)
{
    (void)state;
    settings = (struct settings){.access_key = SPAN("a")};
    credentials = (struct credentials){.settings = &settings};
    assert_int_equal(credentials_init(&credentials, &loop, &storage), 0);
    assert_false(credentials_ready(&credentials));
    assert_int_equal(credentials.now.access_key.len, 0);
    assert_false(credentials_refresh(&credentials));
    CHECK_SPAN("error", span_of(credentials_error(&credentials)),
               SPAN("no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"));
}

static void
fetched(void **state)
{
    char text[1024];
    const char *const replies[] = {reply_with(text, sizeof text, "AKID", 6 * 3600 * 1000)};
    char host[32];

    (void)state;
    begin(replies, LEN(replies));
    CHECK_SPAN("error", span_of(credentials_error(&credentials)),
               SPAN("no credentials have been fetched yet"));
    ask(false);
    assert_true(credentials_ready(&credentials));
    check_key("AKID");
    assert_int_equal(peer.requests_len, 1);
    assert_true(span_starts(peer.requests[0], SPAN("GET /2021/credentials HTTP/1.1\r\n")));
    CHECK_SPAN("token", http_peer_field(&peer, 0, SPAN("authorization")), SPAN(TOKEN));
    snprintf(host, sizeof host, "127.0.0.1:%u", peer.port);
    CHECK_SPAN("host", http_peer_field(&peer, 0, SPAN("host")), span_of(host));
    /* none is due */
    assert_int_equal(credentials.timer.at_ms, 0);
    assert_int_equal(credentials.http.connection.state, CONNECTION_CLOSED);
    end();
}

static void
without_token(void **state)
{
    char text[1024];
    const char *const replies[] = {reply_with(text, sizeof text, "AKID", 3600 * 1000)};

    (void)state;
    begin(replies, LEN(replies));
    settings.credentials_token.len = 0;
    ask(false);
    assert_true(credentials_ready(&credentials));
    assert_null(http_peer_field(&peer, 0, SPAN("authorization")).p);
    end();
}

/* A service refuses them: until others have come nothing is signed; meanwhile the old ones stay. */
static void
refreshed(void **state)
{
    char text[3][1024];
    const char *const replies[] = {reply_with(text[0], sizeof text[0], "FIRST", 3600 * 1000),
                                   reply_with(text[1], sizeof text[1], "SECOND", 3600 * 1000),
                                   reply_with(text[2], sizeof text[2], "THIRD", 3600 * 1000)};

    (void)state;
    begin(replies, LEN(replies));
    ask(false);
    check_key("FIRST");
    assert_true(credentials_refresh(&credentials));
    ask(false);
    assert_true(credentials_ready(&credentials));
    check_key("SECOND");
    assert_true(credentials_refresh(&credentials));
    assert_false(credentials_ready(&credentials));
    check_key("SECOND");
    await_change();
    check_key("THIRD");
    end();
}

/* A copy of a snapshot fetches others at once, whatever became of the last fetch, and however recently. */
static void
restored(void **state)
{
    char text[1024];
    const char *const replies[] = {reply_with(text, sizeof text, "FIRST", 3600 * 1000), REFUSED,
                                   text};

    (void)state;
    begin(replies, LEN(replies));
    for (size_t i = 0; i < LEN(replies); i++) {
        ask(false);
        credentials_stop(&credentials);
        credentials_refresh(&credentials);
        assert_false(credentials_ready(&credentials));
        assert_in_range(credentials.timer.at_ms, 1, clock_monotonic_ms());
    }
    assert_int_equal(changes, LEN(replies));
    end();
}

/* A fetch that is wanted, or under way, is not heard of any more, and the next one can be made. */
static void
given_up(void **state)
{
    char text[1024];
    const char *const replies[] = {reply_with(text, sizeof text, "FIRST", 3600 * 1000)};

    (void)state;
    begin(replies, LEN(replies));
    for (unsigned i = 0; i < 2; i++) {
        assert_false(credentials_ready(&credentials));
        assert_true(credentials.timer.at_ms != 0);
        if (i > 0)
            credentials.timer.fire(&credentials);
        assert_int_equal(credentials.fetching, i > 0);
        credentials_stop(&credentials);
        assert_false(credentials.fetching);
        assert_int_equal(credentials.timer.at_ms, 0);
        assert_int_equal(credentials.http.connection.state, CONNECTION_CLOSED);
    }
    assert_int_equal(changes, 0);
    end();
}

/* Their end is near, or has come by our clock, which may be wrong: just fetched, they are good. */
static void
expiring(void **state)
{
    static const struct {
        int64_t expires_in_ms;
        bool ready; /* when they are not new any more */
    } rows[] = {{-3600 * 1000, false}, {240 * 1000, true}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char text[2][1024];
        const char *const replies[] = {
            reply_with(text[0], sizeof text[0], "OLD", rows[i].expires_in_ms),
            reply_with(text[1], sizeof text[1], "NEW", 3600 * 1000)};

        begin(replies, LEN(replies));
        ask(false);
        assert_true(credentials_ready(&credentials));
        assert_int_equal(credentials.timer.at_ms, 0);
        /* a minute later */
        credentials.fetched_ms -= 60001;
        ask(rows[i].ready);
        check_key("NEW");
        end();
    }
}

/* A fetch before the end fails: those that there are serve as long as they hold. */
static void
failed_early(void **state)
{
    char text[2][1024];
    const char *const replies[] = {reply_with(text[0], sizeof text[0], "OLD", 240 * 1000), REFUSED,
                                   reply_with(text[1], sizeof text[1], "NEW", 3600 * 1000)};

    (void)state;
    begin(replies, LEN(replies));
    ask(false);
    credentials.fetched_ms -= 60001;
    ask(true);
    check_key("OLD");
    ask(true);
    check_key("NEW");
    end();
}

/* They have expired, and no others are to be had: none are left. */
static void
expired(void **state)
{
    char text[1024];
    const char *const replies[] = {reply_with(text, sizeof text, "OLD", -1000), REFUSED};

    (void)state;
    begin(replies, LEN(replies));
    ask(false);
    check_key("OLD");
    credentials.fetched_ms -= 60001;
    ask(false);
    assert_false(credentials_ready(&credentials));
    assert_int_equal(credentials.now.access_key.len, 0);
    end();
}

/* Standard output's lines while a test runs. */
static int kept_output, log_file;

static void
keep_log(void)
{
    fflush(stdout);
    kept_output = dup(STDOUT_FILENO);
    log_file = memfd_create("log", MFD_CLOEXEC);
    dup2(log_file, STDOUT_FILENO);
}

static struct span
kept_log(void)
{
    static char text[8192];
    ssize_t n;

    dup2(kept_output, STDOUT_FILENO);
    n = pread(log_file, text, sizeof text, 0);
    close(kept_output);
    close(log_file);
    return (struct span){text, n < 0 ? 0 : (size_t)n};
}

static size_t
count(struct span text, struct span part)
{
    size_t n = 0;

    for (const char *p = text.p;
         (p = memmem(p, (size_t)(text.p + text.len - p), part.p, part.len)) != NULL; p++)
        n++;
    return n;
}

/* One line for each failure that differs from the one before, and never a secret. */
static void
failing(void **state)
{
    char text[1024];
    const char *const replies[] = {
        REFUSED, REFUSED, UNREADABLE, NULL, reply_with(text, sizeof text, "AKID", 3600 * 1000),
        REFUSED};
    char want[128];
    struct span log;

    (void)state;
    begin(replies, LEN(replies));
    keep_log();
    for (size_t i = 0; i < 4; i++) {
        ask(false);
        assert_false(credentials_ready(&credentials));
        assert_int_equal(credentials.now.access_key.len, 0);
    }
    snprintf(want, sizeof want, "no credentials from 127.0.0.1:%u: closed by the peer", peer.port);
    CHECK_SPAN("error", span_of(credentials_error(&credentials)), span_of(want));
    await_change();
    check_key("AKID");
    /* refused, and no others to be had: none are left */
    assert_true(credentials_refresh(&credentials));
    ask(false);
    assert_int_equal(credentials.now.access_key.len, 0);
    log = kept_log();
    CHECK_INT("error lines", count(log, SPAN("\"level\":\"error\"")), 4);
    CHECK_INT("status 404", count(log, SPAN("status 404\"}\n")), 2);
    CHECK_INT("unreadable", count(log, SPAN("the reply cannot be read\"}\n")), 1);
    CHECK_INT("closed", count(log, SPAN("closed by the peer\"}\n")), 1);
    CHECK_INT("secrets", count(log, SPAN(TOKEN)) + count(log, SPAN("AKID")), 0);
    end();
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_environment), cmocka_unit_test(from_nowhere),
        cmocka_unit_test(fetched),          cmocka_unit_test(without_token),
        cmocka_unit_test(refreshed),        cmocka_unit_test(restored),
        cmocka_unit_test(given_up),         cmocka_unit_test(expiring),
        cmocka_unit_test(failed_early),     cmocka_unit_test(failing),
        cmocka_unit_test(expired),
    };

    return RUN(argc, argv, tests);
}
