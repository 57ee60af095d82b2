#include "extension/failure_log.h"

#include <string.h>

#include "protocol/aws_error.h"
#include "protocol/format.h"

/* see failure_log.h */

/* Some messages of services contain values of the request, even signed fields and data: only messages
 * that are known to be useful and free of these are logged. */
static bool
fit_for_log(struct span code)
{
    struct span rest =
        SPAN("AccessDenied AccessDeniedException ResourceNotFoundException NoSuchBucket "
             "ExpiredTokenException LimitExceededException "
             "ProvisionedThroughputExceededException");

    while (rest.len > 0)
        if (span_same(code, span_cut(rest, ' ', &rest)))
            return true;
    return span_starts(code, SPAN("KMS"));
}

/* The setting that limits what took too long; calls for the dead letter have a limit of their own. */
static const char *
bound(const struct failure_log *f, const struct aws_result *r)
{
    if (r->result == ERR_LATE && f->client->http.connection.end == CONNECTION_TIMED_OUT)
        return " (TELEMETRY_CONNECT_TIMEOUT_MS)";
    if (r->result == ERR_LATE && span_same(f->client->service, SPAN("kinesis")))
        return " (TELEMETRY_REQUEST_TIMEOUT_MS)";
    return "";
}

static void
describe(const struct failure_log *f, const char *what, const struct aws_result *r, struct out *o)
{
    const struct http_client *http = &f->client->http;
    struct span line = aws_error_line(r->message);

    if (r->result != 0 && http->connection.end == CONNECTION_TLS_FAILED)
        (void)format_text(o, "%s (BearSSL error %d)", http_client_error(http),
                          http->connection.code);
    else if (r->result != 0 && http->connection.end == CONNECTION_NO_TUNNEL)
        (void)format_text(o, "%s %d", http_client_error(http), http->connection.code);
    else if (r->result != 0)
        (void)format_text(o, "%s%s", http_client_error(http), bound(f, r));
    else if (r->status == 0)
        (void)format_text(o, "%.*s", LOG_SPAN(r->message));
    else if (what != NULL)
        (void)format_text(o, r->code.len > 0 ? "%s: %.*s" : "%s", what, LOG_SPAN(r->code));
    else if (r->status == 200)
        (void)format_text(o, "the reply cannot be read");
    else if (r->message.len > 0 && fit_for_log(r->code))
        (void)format_text(o, "%u %.*s: %.*s", r->status, LOG_SPAN(r->code), LOG_SPAN(line));
    else
        (void)format_text(o, r->code.len > 0 ? "%u %.*s" : "%u", r->status, LOG_SPAN(r->code));
}

void
failure_log_tell(struct failure_log *f, enum log_level level, const char *what,
                 const struct aws_result *r)
{
    const struct proxy *proxy = f->client->http.connection.peer.proxy;
    struct span by = proxy == NULL ? SPAN("") : proxy->host;
    char text[sizeof f->last];
    struct out o = out_to(text, sizeof text);

    /* a line that the log level suppressed is not remembered: the same may be logged as more severe later */
    if (!log_prints(level))
        return;
    describe(f, what, r, &o);
    if (span_same(out_span(&o), (struct span){f->last, f->last_len}))
        return;
    memcpy(f->last, text, o.len);
    f->last_len = o.len;
    log_line(level, "%s to %.*s at %.*s:%u%s%.*s: %.*s", f->act, LOG_SPAN(f->target),
             LOG_SPAN(f->client->endpoint.host), f->client->endpoint.port,
             by.len == 0 ? "" : " through ", LOG_SPAN(by), LOG_SPAN(out_span(&o)));
}

void
failure_log_reset(struct failure_log *f)
{
    f->last_len = 0;
}
