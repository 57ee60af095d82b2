#include "extension/check_parts.h"

#include "io/clock.h"
#include "io/log.h"
#include "protocol/aws_error.h"
#include "protocol/format.h"
#include "protocol/put_records_reply.h"
#include "protocol/timestamp.h"

/* see check_parts.h */

enum {
    PAUSE_MS = 1100, /* a stream takes one dry run a second */
    /* as of aws_client: a clock that differs by more is corrected, and by still more is not */
    SKEW_S = 30,
    SKEW_MAX_S = 86400
};

static char event[160];
static size_t event_len;

/* The end of a step by what the reply means. */
static void
tell_reply(struct check *c, enum check_step step, const struct aws_client *client,
           const struct aws_result *r, const struct diagnosis *d)
{
    struct span message = aws_error_line(r->message);

    if (r->result == ERR_LATE) /* the step's time may have ended before the client's did */
        out_put(&c->message, SPAN("no reply in time"));
    else if (r->result != 0)
        (void)format_text(&c->message, "%s (%d)", http_client_error(&client->http),
                          client->http.connection.code);
    else
        (void)format_text(&c->message, "%u%.*s%.*s: %s", r->status, r->code.len > 0, " ",
                          LOG_SPAN(r->code), d->cause);
    if (d->fit)
        (void)format_text(&c->message, ": %.*s", LOG_SPAN(message));
    diagnosis_remedy(&c->remedy, d, message, &c->target);
    check_end(c, step, d->status);
}

static const struct diagnosis *
diagnose(const struct aws_result *r)
{
    return diagnosis_of(r->result == 0 ? r->status : 0, r->code);
}

/* --- the stream --- */

static void
tell_record(void *context, size_t index, struct put_record *r)
{
    (void)context;
    (void)index;
    r->partition_key = SPAN("check");
    r->data = (struct span){event, event_len};
}

/* A record of the format `event`, so that who reads the stream can read it. */
static void
write_event(void)
{
    static char time[TIMESTAMP_RFC3339_LEN];
    struct out o = out_to(event, sizeof event);

    timestamp_rfc3339(clock_wall_ms(), time);
    (void)format_text(
        &o, "{\"time\":\"%.*s\",\"type\":\"extension\",\"record\":\"" LOG_LOGGER " --check\"}",
        TIMESTAMP_RFC3339_LEN, time);
    event_len = o.len;
}

static void
record_result(void *context, size_t index, struct span code, struct span message)
{
    struct aws_result *r = context;

    (void)index;
    r->code = code;
    r->message = message;
}

static void
tell_clock(struct check *c, uint64_t date)
{
    uint64_t now = clock_wall_ms() / 1000, begun = c->begun_ms;
    uint64_t apart = date < now ? now - date : date - now;

    if (date == 0) {
        check_tell(c, CHECK_CLOCK, CHECK_NOT_CHECKED, "no reply has told the time");
    } else {
        (void)format_text(&c->message, "the service's is %s ours by %llu s",
                          date < now ? "behind" : "ahead of", (unsigned long long)apart);
        out_put(&c->remedy, SPAN("set the clock of this machine"));
        check_end(c, CHECK_CLOCK,
                  apart < SKEW_S       ? CHECK_OK
                  : apart < SKEW_MAX_S ? CHECK_WARNING
                                       : CHECK_FAILED);
    }
    /* the time that the call took is told with the signature */
    c->begun_ms = begun;
}

static void
tell_dry_run(struct check *c, const struct aws_result *r, const struct diagnosis *d)
{
    tell_clock(c, c->kinesis.client.date_s);
    if (c->failed)
        return;
    while (c->next < d->step)
        check_tell(c, c->next, d->status == CHECK_WARNING ? CHECK_NOT_CHECKED : CHECK_OK,
                   d->status == CHECK_WARNING ? "not known" : "accepted");
    if (r->status == 200) {
        c->taken = c->warned = true;
        out_put(&c->message, SPAN("the server does not know DryRun: one record was written: "));
    }
    tell_reply(c, d->step, &c->kinesis.client, r, d);
}

static void
stream_replied(void *context, const struct aws_result *result)
{
    struct kinesis *k = context;
    struct check *c = k->context;
    struct aws_result r = *result;
    const struct diagnosis *d;

    /* a reply that is none to PutRecords, or has refused the record */
    if (r.result == 0 && r.status == 200 && put_records_reply(r.body, 1, record_result, &r) != 0)
        r.status = 400;
    d = diagnose(&r);
    c->done = true;
    /* as long as there is time for the pause, and for as slow a reply */
    c->again = c->first && (r.skewed || d->again) &&
               clock_monotonic_ms() < c->begun_ms + (CHECK_STEP_MS - PAUSE_MS) / 2;
    if (c->again)
        return;
    if (k->body.dry_run) {
        tell_dry_run(c, &r, d);
        return;
    }
    tell_reply(c, CHECK_KEY, &k->client, &r, d);
}

/* Makes the call, and once more where that may help: the service's clock is known then, or its limit reached no more. */
static void
put_record(struct check *c)
{
    struct kinesis *k = &c->kinesis;

    write_event();
    for (c->first = true;; c->first = false) {
        c->done = false;
        aws_client_start(&k->client, &k->call);
        if (!check_wait(c, CHECK_STEP_MS)) {
            aws_client_stop(&k->client);
            stream_replied(k, &(struct aws_result){.result = ERR_LATE});
        }
        if (!c->again)
            return;
        c->done = false;
        (void)check_wait(c, PAUSE_MS);
    }
}

void
check_stream(struct check *c)
{
    static char arn[256];
    const struct settings *s = c->settings;
    struct kinesis *k = &c->kinesis;
    struct out o = out_to(arn, sizeof arn);

    /* the account is not known here */
    out_put(&o, s->stream_arn);
    if (o.len == 0)
        (void)format_text(&o, "arn:aws:kinesis:%.*s:*:stream/%.*s", LOG_SPAN(s->region),
                          LOG_SPAN(s->stream_name));
    c->target = (struct diagnosis_target){SPAN("kinesis:PutRecords"), out_span(&o)};
    k->context = c;
    k->body.form = WIRE_JSON;
    k->body.records_len = 1;
    k->body.record = tell_record;
    k->body.dry_run = true;
    k->call.content_type = wire_content_type(WIRE_JSON);
    k->call.done = stream_replied;
    put_record(c);
    if (c->failed)
        return;
    if (c->taken) {
        check_tell(c, CHECK_KEY, CHECK_OK, "a record was written");
    } else if (!c->write) {
        check_tell(c, CHECK_KEY, CHECK_NOT_CHECKED, "--check=write writes a record");
    } else {
        k->body.dry_run = false;
        put_record(c);
    }
}

/* --- the dead letter --- */

static void
letter_replied(void *context, const struct dead_letter_result *result)
{
    struct check *c = context;
    const struct aws_result *r = &result->call;

    tell_reply(c, CHECK_DEAD_LETTER, &c->letter.client, r, diagnose(r));
    c->done = true;
}

void
check_dead_letter(struct check *c)
{
    static struct queue empty;
    static char arn[SETTINGS_PREFIX_MAX + 128];
    const struct settings *s = c->settings;
    struct dead_letter *l = &c->letter;
    struct out o = out_to(arn, sizeof arn);

    if (s->dead_letter != DEAD_LETTER_S3 || !c->write) {
        check_tell(c, CHECK_DEAD_LETTER, CHECK_NOT_CHECKED,
                   "--check=write writes an empty object, if a bucket is set");
        return;
    }
    (void)format_text(&o, "arn:aws:s3:::%.*s/%.*s*", LOG_SPAN(s->bucket), LOG_SPAN(s->prefix));
    c->target = (struct diagnosis_target){SPAN("s3:PutObject"), out_span(&o)};
    l->queue = &empty;
    l->done = letter_replied;
    l->context = c;
    l->silence_ms = CHECK_STEP_MS;
    c->done = false;
    dead_letter_put(l, false);
    if (!check_wait(c, CHECK_STEP_MS)) {
        dead_letter_stop(l);
        letter_replied(c, &(struct dead_letter_result){.call.result = ERR_LATE});
    }
}
