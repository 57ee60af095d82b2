#include "extension/telemetry_orders.h"

#include "io/log.h"

/* What each order means for sockets and log, what the clients report, and how the parts are connected. */

/* --- orders --- */

static void
connect_stream(struct telemetry_dispatcher *d)
{
    (void)credentials_coming(&d->credentials);
    aws_client_open(&d->kinesis.client);
}

static void
send_batch(struct telemetry_dispatcher *d, const struct delivery_order *order)
{
    struct http_client *http = &d->kinesis.client.http;

    http->hurry_ms = order->silence_ms;
    d->requests_before = http->sent_calls;
    d->unanswered_before = http->unanswered;
    kinesis_put(&d->kinesis, order->keyless);
}

static void
bury_batch(struct telemetry_dispatcher *d, const struct delivery_order *order)
{
    d->letter.silence_ms = order->silence_ms;
    d->letter_unanswered_before = d->letter.client.http.unanswered;
    dead_letter_put(&d->letter, order->again);
}

static void
stop_call(struct telemetry_dispatcher *d)
{
    const struct http_client *http = &d->kinesis.client.http;

    aws_client_stop(&d->kinesis.client);
    if (d->delivery.call.under_way)
        delivery_aborted(&d->delivery, (unsigned)(http->unanswered - d->unanswered_before));
}

static bool
letter_unanswered(const struct telemetry_dispatcher *d)
{
    return d->letter.client.http.unanswered > d->letter_unanswered_before;
}

static void
stop_letter(struct telemetry_dispatcher *d)
{
    if (!d->delivery.dead.sending)
        return;
    dead_letter_stop(&d->letter);
    delivery_dead_aborted(&d->delivery, letter_unanswered(d));
}

static void
say(const struct telemetry_dispatcher *d, const struct delivery_order *order)
{
    switch (order->note) {
    case DELIVERY_FULL:
        log_warn("the queue is full: dropping the %s events",
                 d->settings->drop == WHEN_FULL_OLDEST ? "oldest" : "newest");
        break;
    case DELIVERY_OPENED:
        log_info("PutRecords: nothing is sent for a while after %u failures", order->failures);
        break;
    case DELIVERY_RECOVERS:
    default:
        log_info("PutRecords: delivering again after %u failures", order->failures);
        break;
    }
}

static void
obey(struct telemetry_dispatcher *d, enum delivery_act act, const struct delivery_order *order)
{
    switch (act) {
    case DELIVERY_NOTE:
        say(d, order);
        break;
    case DELIVERY_ABORT:
        stop_call(d);
        break;
    case DELIVERY_ABORT_DEAD:
        stop_letter(d);
        break;
    case DELIVERY_REFRESH:
        (void)credentials_refresh(&d->credentials);
        break;
    case DELIVERY_RESUME:
        d->room(d->context);
        break;
    case DELIVERY_CONNECT:
        connect_stream(d);
        break;
    case DELIVERY_CREDENTIALS:
        delivery_credentials(&d->delivery, d->loop->now,
                             credentials_coming(&d->credentials) ? DELIVERY_COMING
                                                                 : DELIVERY_READY);
        break;
    case DELIVERY_SEND:
        send_batch(d, order);
        break;
    case DELIVERY_BURY:
        bury_batch(d, order);
        break;
    case DELIVERY_WAIT:
    default:
        break;
    }
}

void
telemetry_orders_drive(struct telemetry_dispatcher *d)
{
    struct delivery_order order;
    enum delivery_act act;

    if (d->driving)
        return;
    d->driving = true;
    while ((act = delivery_next(&d->delivery, d->loop->now, &order)) != DELIVERY_WAIT)
        obey(d, act, &order);
    d->driving = false;
    d->timer.at_ms = order.at_ms == UINT64_MAX ? 0 : order.at_ms;
    if (!d->reported)
        return;
    d->reported = false;
    d->changed(d->context);
}

/* --- reports --- */

static void
reported(struct telemetry_dispatcher *d)
{
    d->reported = true;
    telemetry_orders_drive(d);
}

static void
timer(void *context)
{
    reported(context);
}

static void
record_done(void *context, size_t index, struct span code)
{
    struct telemetry_dispatcher *d = context;

    delivery_record(&d->delivery, index, code);
}

static void
tell(struct telemetry_dispatcher *d, enum delivery_worth worth, const struct kinesis_result *r)
{
    static const char keyed[] =
        "records need keys, and get random ones from now on "
        "(TELEMETRY_PARTITION_KEY=none is for streams whose record distribution is AUTO)";

    if (worth == DELIVERY_WELL)
        failure_log_reset(&d->failures);
    else if (worth == DELIVERY_KEYED)
        failure_log_tell(&d->failures, LOG_WARN, keyed, &r->call);
    else if (worth != DELIVERY_UNREMARKABLE)
        failure_log_tell(&d->failures, worth == DELIVERY_PARTLY ? LOG_INFO : LOG_ERROR,
                         r->records ? "records were refused" : NULL, &r->call);
}

static void
put_done(void *context, const struct kinesis_result *r)
{
    struct telemetry_dispatcher *d = context;
    const struct http_client *http = &d->kinesis.client.http;
    struct delivery_reply reply = {
        .result = r->call.result,
        .status = r->call.status,
        .class = r->call.class,
        .records = r->records,
        .skewed = r->call.skewed,
        .hopeless = connection_hopeless(&http->connection),
        .form = r->form,
        .message = r->call.message,
        .retry_after_ms = r->call.retry_after_ms,
        .requests = (unsigned)(http->sent_calls - d->requests_before),
        .unanswered = (unsigned)(http->unanswered - d->unanswered_before),
        .doubtful = r->doubtful,
    };

    tell(d, delivery_replied(&d->delivery, d->loop->now, &reply), r);
    reported(d);
}

static void
letter_done(void *context, const struct dead_letter_result *r)
{
    struct telemetry_dispatcher *d = context;
    struct dead_letter_reply reply = {
        .written = r->written,
        .class = r->call.class,
        .skewed = r->call.skewed,
        .unanswered = letter_unanswered(d),
        .doubtful = r->call.status >= 500 && r->call.status != 503,
        .retry_after_ms = r->call.retry_after_ms,
    };

    if (r->written > 0)
        failure_log_reset(&d->letter_failures);
    else if (d->settings->dead_letter == DEAD_LETTER_S3)
        failure_log_tell(&d->letter_failures, LOG_ERROR, NULL, &r->call);
    delivery_buried(&d->delivery, d->loop->now, &reply);
    reported(d);
}

/* Credentials have come, or could not be fetched. */
static void
credentials_changed(void *context)
{
    struct telemetry_dispatcher *d = context;

    delivery_credentials(&d->delivery, d->loop->now,
                         d->credentials.now.access_key.len > 0 ? DELIVERY_READY : DELIVERY_NONE);
    reported(d);
}

/* --- begin and end --- */

void
telemetry_orders_join(struct telemetry_dispatcher *d)
{
    const struct settings *s = d->settings;

    d->timer = (struct loop_timer){.fire = timer, .context = d};
    d->environment = (struct aws_environment){.settings = s, .credentials = &d->credentials};
    d->credentials.settings = s;
    d->credentials.changed = credentials_changed;
    d->credentials.context = d;
    d->kinesis.client.environment = &d->environment;
    d->kinesis.queue = &d->delivery.queue;
    d->kinesis.record = record_done;
    d->kinesis.done = put_done;
    d->kinesis.context = d;
    d->letter.client.environment = &d->environment;
    d->letter.queue = &d->delivery.queue;
    d->letter.sandbox = d->delivery.intake.origin.sandbox;
    if (s->dead_letter == DEAD_LETTER_STDERR && (s->types & EVENT_EXTENSION) != 0)
        d->letter.lines = &d->own_lines;
    d->letter.done = letter_done;
    d->letter.context = d;
    d->failures = (struct failure_log){
        .act = "PutRecords",
        .target = s->stream_arn.len > 0 ? s->stream_arn : s->stream_name,
        .client = &d->kinesis.client,
    };
    d->letter_failures = (struct failure_log){
        .act = "PutObject",
        .target = s->bucket,
        .client = &d->letter.client,
    };
}

void
telemetry_orders_stop(struct telemetry_dispatcher *d)
{
    stop_call(d);
    stop_letter(d);
    d->timer.at_ms = 0;
}
