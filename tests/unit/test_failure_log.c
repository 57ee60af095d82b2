#include "extension/failure_log.h"

#include "check.h"
#include "kept_log.h"

#include <errno.h>

#define SECRET "AKIDEXAMPLE/the-secret"
#define PAYLOAD "{\"card\":\"4111111111111111\"}"
#define DIGITS "0123456789"
#define TENFOLD(text) text text text text text text text text text text

static struct aws_client client = {
    .service = TEXT("kinesis"),
    .endpoint = {.host = TEXT("kinesis.example"), .port = 4567},
};
static struct failure_log failures;

static void
begin(void)
{
    failures =
        (struct failure_log){.act = "PutRecords", .target = SPAN("a stream"), .client = &client};
    client.http.connection.end = CONNECTION_NO_END;
    client.http.connection.code = 0;
    client.http.connection.resolver.len = 1;
}

/* The line for a message: as it stands in the log. */
static struct span
line_of(const char *level, const char *message)
{
    static char text[2048];
    int len = snprintf(text, sizeof text,
                       "\"level\":\"%s\",\"logger\":\"" LOG_LOGGER
                       "\",\"message\":\"PutRecords to a stream at kinesis.example:4567: %s\"}",
                       level, message);

    return (struct span){text, (size_t)len};
}

#define REPLY(status_, code_, message_)                                                            \
    {                                                                                              \
        .status = (status_), .code = TEXT(code_), .message = TEXT(message_)                        \
    }

static const struct {
    const char *name, *what;
    struct aws_result result;
    enum connection_end end;
    int code;
    const char *want;
} rows[] = {
    /* no reply */
    {"refused", NULL, {.result = ERR_IO}, CONNECTION_REFUSED, ECONNREFUSED, "Connection refused"},
    {"reset", NULL, {.result = ERR_IO}, CONNECTION_BROKEN, ECONNRESET, "Connection reset by peer"},
    {"closed", NULL, {.result = ERR_IO}, CONNECTION_BY_PEER, 0, "closed by the peer"},
    {"late",
     NULL,
     {.result = ERR_LATE},
     CONNECTION_TIMED_OUT,
     0,
     "no connection in time (TELEMETRY_CONNECT_TIMEOUT_MS)"},
    {"silent",
     NULL,
     {.result = ERR_LATE},
     CONNECTION_NO_END,
     0,
     "no reply in time (TELEMETRY_REQUEST_TIMEOUT_MS)"},
    {"no HTTP", NULL, {.result = ERR_BAD}, CONNECTION_NO_END, 0, "the reply is not valid HTTP"},
    {"no TLS",
     NULL,
     {.result = ERR_IO},
     CONNECTION_NOT_TLS,
     0,
     "the peer answered in plain HTTP where TLS was expected"},
    {"TLS",
     NULL,
     {.result = ERR_IO},
     CONNECTION_TLS_FAILED,
     54,
     "the certificate is expired or not yet valid (BearSSL error 54)"},
    {"what, without a reply",
     "records were refused",
     {.result = ERR_IO},
     CONNECTION_BY_PEER,
     0,
     "closed by the peer"},

    /* nothing was sent */
    {"no credentials", NULL, REPLY(0, "", "no credentials yet"), .want = "no credentials yet"},

    /* replies */
    {"records", "records were refused", REPLY(200, "InternalFailure", ""),
     .want = "records were refused: InternalFailure"},
    {"records, no text of theirs", "records were refused",
     REPLY(200, "ProvisionedThroughputExceededException", PAYLOAD),
     .want = "records were refused: ProvisionedThroughputExceededException"},
    {"what, without a code", "records were refused", REPLY(400, "", ""),
     .want = "records were refused"},
    {"unreadable", NULL, REPLY(200, "", ""), .want = "the reply cannot be read"},
    {"unreadable, whatever is in it", NULL, REPLY(200, "AccessDenied", PAYLOAD),
     .want = "the reply cannot be read"},
    {"code alone", NULL, REPLY(500, "InternalFailure", ""), .want = "500 InternalFailure"},
    {"known code alone", NULL, REPLY(403, "AccessDenied", ""), .want = "403 AccessDenied"},
    /* the blank behind it is one too many */
    {"no code", NULL, REPLY(502, "", "Bad Gateway"), .want = "502"},

    /* texts that are told */
    {"denied, S3", NULL, REPLY(403, "AccessDenied", "Access Denied"),
     .want = "403 AccessDenied: Access Denied"},
    {"denied", NULL, REPLY(400, "AccessDeniedException", "User: u is not authorized"),
     .want = "400 AccessDeniedException: User: u is not authorized"},
    {"no stream", NULL, REPLY(400, "ResourceNotFoundException", "Stream s not found"),
     .want = "400 ResourceNotFoundException: Stream s not found"},
    {"no bucket", NULL, REPLY(404, "NoSuchBucket", "does not exist"),
     .want = "404 NoSuchBucket: does not exist"},
    {"expired", NULL, REPLY(400, "ExpiredTokenException", "is expired"),
     .want = "400 ExpiredTokenException: is expired"},
    {"limit", NULL, REPLY(400, "LimitExceededException", "Rate exceeded"),
     .want = "400 LimitExceededException: Rate exceeded"},
    {"throughput", NULL, REPLY(400, "ProvisionedThroughputExceededException", "Rate exceeded"),
     .want = "400 ProvisionedThroughputExceededException: Rate exceeded"},
    {"key", NULL, REPLY(400, "KMSDisabledException", "k is disabled"),
     .want = "400 KMSDisabledException: k is disabled"},
    {"beyond ASCII", NULL, REPLY(403, "AccessDenied", "verw\xc3\xa4hrt"),
     .want = "403 AccessDenied: verw\xc3\xa4hrt"},

    /* texts that may hold what was sent */
    {"validation", NULL, REPLY(400, "ValidationException", "Value '" PAYLOAD "' at 'records'"),
     .want = "400 ValidationException"},
    {"signature", NULL, REPLY(403, "SignatureDoesNotMatch", "Credential=" SECRET),
     .want = "403 SignatureDoesNotMatch"},
    {"incomplete", NULL, REPLY(400, "IncompleteSignatureException", "Credential=" SECRET),
     .want = "400 IncompleteSignatureException"},
    {"unknown", NULL, REPLY(400, "SomethingNew", PAYLOAD), .want = "400 SomethingNew"},
    {"longer than a known one", NULL, REPLY(403, "AccessDeniedToo", PAYLOAD),
     .want = "403 AccessDeniedToo"},
    {"shorter than a known one", NULL, REPLY(403, "AccessDenie", PAYLOAD),
     .want = "403 AccessDenie"},
    {"a known one in other letters", NULL, REPLY(403, "accessdenied", PAYLOAD),
     .want = "403 accessdenied"},
    {"KMS not at the start", NULL, REPLY(400, "NoKMS", PAYLOAD), .want = "400 NoKMS"},

    /* one line of text */
    {"escape", NULL, REPLY(403, "AccessDenied", "one\\ntwo"), .want = "403 AccessDenied: one"},
    {"escaped quotation mark", NULL, REPLY(403, "AccessDenied", "one\\\"two"),
     .want = "403 AccessDenied: one"},
    {"newline", NULL, REPLY(403, "AccessDenied", "one\ntwo"), .want = "403 AccessDenied: one"},
    {"tab", NULL, REPLY(403, "AccessDenied", "one\ttwo"), .want = "403 AccessDenied: one"},
    {"terminal's escape", NULL, REPLY(403, "AccessDenied", "one\x1b[31mtwo"),
     .want = "403 AccessDenied: one"},
    {"zero byte", NULL, REPLY(403, "AccessDenied", "one\0two"), .want = "403 AccessDenied: one"},
    {"last control byte", NULL, REPLY(403, "AccessDenied", "one\x1ftwo"),
     .want = "403 AccessDenied: one"},
    {"quotation mark", NULL, REPLY(403, "AccessDenied", "\"one\""),
     .want = "403 AccessDenied: \\\"one\\\""},
    {"per cent sign", NULL, REPLY(403, "AccessDenied", "100%s"), .want = "403 AccessDenied: 100%s"},
    {"long", NULL, REPLY(403, "AccessDenied", TENFOLD(TENFOLD(DIGITS))),
     .want = "403 AccessDenied: " TENFOLD(DIGITS) TENFOLD(DIGITS) DIGITS DIGITS DIGITS "01234567"},
};

static void
texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct span log;

        begin();
        client.http.connection.end = rows[i].end;
        client.http.connection.code = rows[i].code;
        client.http.result = rows[i].result.result;
        keep_log();
        failure_log_tell(&failures, LOG_ERROR, rows[i].what, &rows[i].result);
        failure_log_tell(&failures, LOG_ERROR, rows[i].what, &rows[i].result);
        log = kept_log();
        CHECK_SPAN(rows[i].name, next_log_line(&log), line_of("error", rows[i].want));
        CHECK_INT(rows[i].name, log.len, 0);
    }
}

/* The proxy is named, and what it answered; who we are for it is not. */
static void
through_proxy(void **state)
{
    static const struct {
        enum connection_end end;
        int code;
        const char *want;
    } ends[] = {
        {CONNECTION_NO_TUNNEL, 407, "the proxy answered 407"},
        {CONNECTION_NO_PROXY, 0, "the proxy's reply is not valid HTTP"},
        {CONNECTION_BY_PROXY, 0, "closed by the proxy"},
        {CONNECTION_REFUSED, ECONNREFUSED, "Connection refused"},
    };
    static const struct proxy proxy = {
        .host = TEXT("proxy.example"), .port = 3128, .user = TEXT("u:" SECRET)};
    static const struct aws_result none = {.result = ERR_IO};

    (void)state;
    for (size_t i = 0; i < LEN(ends); i++) {
        struct span log, line;
        char want[128];

        begin();
        client.http.connection.peer.proxy = &proxy;
        client.http.connection.end = ends[i].end;
        client.http.connection.code = ends[i].code;
        client.http.result = ERR_IO;
        keep_log();
        failure_log_tell(&failures, LOG_ERROR, NULL, &none);
        log = kept_log();
        line = next_log_line(&log);
        snprintf(want, sizeof want, "at kinesis.example:4567 through proxy.example: %s\"",
                 ends[i].want);
        CHECK(ends[i].want, memmem(line.p, line.len, want, strlen(want)) != NULL);
        CHECK(ends[i].want, memmem(line.p, line.len, SECRET, strlen(SECRET)) == NULL);
    }
    client.http.connection.peer.proxy = NULL;
}

/* Time may be up before there is any address. */
static void
no_address(void **state)
{
    static const struct aws_result late = {.result = ERR_LATE};
    struct span log;

    (void)state;
    begin();
    client.http.connection.end = CONNECTION_TIMED_OUT;
    client.http.connection.resolver.len = 0;
    client.http.result = ERR_LATE;
    keep_log();
    failure_log_tell(&failures, LOG_ERROR, NULL, &late);
    log = kept_log();
    CHECK_SPAN("late", next_log_line(&log),
               line_of("error", "no answer from the name servers in time "
                                "(TELEMETRY_CONNECT_TIMEOUT_MS)"));
}

/*
 * Failures in a row. A and B differ in their codes, a in nothing but a text that is not told, l and
 * m in what lies beyond the 256 bytes that are kept; r is a reset.
 */
static const struct aws_result failure_A = REPLY(400, "ValidationException", "one");
static const struct aws_result failure_a = REPLY(400, "ValidationException", "two");
static const struct aws_result failure_B = REPLY(400, "SerializationException", "one");
static const struct aws_result failure_l = REPLY(403, "AccessDenied", TENFOLD(TENFOLD(DIGITS)) "l");
static const struct aws_result failure_m = REPLY(403, "AccessDenied", TENFOLD(TENFOLD(DIGITS)) "m");
/* those of one status, with or without a code, are told apart */
static const struct aws_result failure_0 = REPLY(500, "", "");
static const struct aws_result failure_1 = REPLY(500, "InternalFailure", "");

static const struct {
    const char *name, *failures, *told;
} sequences[] = {
    {"one", "A", "A"},
    {"the same", "AAAAA", "A"},
    {"another", "AB", "AB"},
    {"in turns", "AABBA", "ABA"},
    {"well in between", "ArA", "AA"},
    {"well at first", "rA", "A"},
    {"well twice", "AArrAA", "AA"},
    {"only in a text that is not told", "Aa", "A"},
    {"only beyond what is kept", "lmA", "lA"},
    {"a text that begins with the other", "01", "01"},
    {"a text that the other begins with", "10", "10"},
};

static const struct aws_result *
failure(char name)
{
    switch (name) {
    case 'A':
        return &failure_A;
    case 'a':
        return &failure_a;
    case 'B':
        return &failure_B;
    case 'l':
        return &failure_l;
    case 'm':
        return &failure_m;
    case '0':
        return &failure_0;
    default:
        return &failure_1;
    }
}

/* Whether a line tells of this failure, by its beginning. */
static bool
tells(struct span line, char name)
{
    static const char at[] = "kinesis.example:4567: ";
    char want[128];
    const char *text = memmem(line.p, line.len, at, sizeof at - 1);
    struct span code = failure(name)->code;
    int len = snprintf(want, sizeof want, "%s%u%s%.*s", at, failure(name)->status,
                       code.len > 0 ? " " : "", (int)code.len, code.p);

    return text != NULL && span_starts((struct span){text, (size_t)(line.p + line.len - text)},
                                       (struct span){want, (size_t)len});
}

static void
one_line_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(sequences); i++) {
        struct span log;

        begin();
        keep_log();
        for (const char *p = sequences[i].failures; *p != '\0'; p++) {
            if (*p == 'r')
                failure_log_reset(&failures);
            else
                failure_log_tell(&failures, LOG_ERROR, NULL, failure(*p));
        }
        log = kept_log();
        for (const char *p = sequences[i].told; *p != '\0'; p++)
            CHECK(sequences[i].name, tells(next_log_line(&log), *p));
        CHECK_INT(sequences[i].name, log.len, 0);
    }
}

static void
levels(void **state)
{
    static const struct {
        enum log_level level;
        const char *name;
    } all[] = {{LOG_ERROR, "error"}, {LOG_WARN, "warn"}, {LOG_INFO, "info"}, {LOG_DEBUG, "debug"}};

    (void)state;
    for (size_t i = 0; i < LEN(all); i++) {
        struct span log;

        begin();
        log_set_level(all[i].level);
        keep_log();
        failure_log_tell(&failures, all[i].level, NULL, &failure_A);
        log = kept_log();
        CHECK_SPAN(all[i].name, next_log_line(&log),
                   line_of(all[i].name, "400 ValidationException"));
        CHECK_INT(all[i].name, log.len, 0);
    }
    log_set_level(LOG_WARN);
}

/* At a level that is not printed, then at one that is: only then it has been told. */
static void
unprinted(void **state)
{
    static const struct {
        const char *name;
        const struct aws_result *first, *second;
        size_t lines;
    } pairs[] = {{"another", &failure_A, &failure_B, 1}, {"the same", &failure_A, &failure_a, 1}};

    (void)state;
    for (size_t i = 0; i < LEN(pairs); i++) {
        struct span log;
        size_t lines = 0;

        begin();
        keep_log();
        failure_log_tell(&failures, LOG_INFO, NULL, pairs[i].first);
        failure_log_tell(&failures, LOG_ERROR, NULL, pairs[i].second);
        log = kept_log();
        while (log.len > 0) {
            CHECK(pairs[i].name, span_starts(next_log_line(&log), SPAN("\"level\":\"error\"")));
            lines++;
        }
        CHECK_INT(pairs[i].name, lines, pairs[i].lines);
    }
}

/* Whom and what it is about. */
static void
names(void **state)
{
    static const struct aws_client other = {
        .endpoint = {.host = TEXT("s3.example"), .port = 443, .tls = true}};
    struct failure_log f = {.act = "PutObject", .target = SPAN("a/b"), .client = &other};
    struct span log;

    (void)state;
    keep_log();
    failure_log_tell(&f, LOG_WARN, NULL, &failure_B);
    log = kept_log();
    CHECK_SPAN("line", next_log_line(&log),
               SPAN("\"level\":\"warn\",\"logger\":\"" LOG_LOGGER
                    "\",\"message\":\"PutObject to a/b "
                    "at s3.example:443: 400 SerializationException\"}"));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),      cmocka_unit_test(one_line_each),
        cmocka_unit_test(levels),     cmocka_unit_test(unprinted),
        cmocka_unit_test(names),      cmocka_unit_test(through_proxy),
        cmocka_unit_test(no_address),
    };

    return RUN(argc, argv, tests);
}
