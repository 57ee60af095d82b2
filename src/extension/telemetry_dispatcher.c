#include "extension/telemetry_dispatcher.h"

#include "extension/telemetry_orders.h"
#include "io/entropy.h"

/* The dispatcher's public calls. Orders are carried out in telemetry_orders.c. */

size_t
telemetry_dispatcher_bytes(const struct settings *settings)
{
    struct span sandbox = {NULL, SANDBOX_LEN};

    return kinesis_bytes() + credentials_bytes(settings) + delivery_bytes(settings) +
           dead_letter_bytes(settings, sandbox) + 64;
}

/* --- begin --- */

int
telemetry_dispatcher_init(struct telemetry_dispatcher *d, struct loop *loop, struct storage *s)
{
    char *memory = storage_take(s, delivery_bytes(d->settings));
    struct intake_seed seed = {.numbers = 0};

    if (memory == NULL)
        return ERR_FULL;
    (void)entropy_fill(&seed, sizeof seed);
    delivery_init(&d->delivery, d->settings, memory, &seed);
    d->loop = loop;
    telemetry_orders_join(d);
    loop_add_timer(loop, &d->timer);
    if (credentials_init(&d->credentials, loop, s) != 0 || kinesis_init(&d->kinesis, loop, s) != 0)
        return ERR_FULL;
    return d->settings->dead_letter == DEAD_LETTER_NONE ? 0 : dead_letter_init(&d->letter, loop, s);
}

/* --- from outside --- */

void
telemetry_dispatcher_open(struct telemetry_dispatcher *d)
{
    http_client_hurry(&d->kinesis.client.http);
    delivery_open(&d->delivery);
    telemetry_orders_drive(d);
}

/*
 * What comes behind a freeze may be read by a copy that does not know what it is yet. Others read something else
 * at this point, or nothing, so it must not go by the numbers of the snapshot.
 */
COLD static void
look_for_copy(struct telemetry_dispatcher *d)
{
    struct intake_seed seed = {.numbers = 0};

    if (d->thaws == d->loop->thaws)
        return;
    d->thaws = d->loop->thaws;
    (void)entropy_fill(&seed, sizeof seed);
    delivery_rename(&d->delivery, &seed);
}

int
telemetry_dispatcher_event(struct telemetry_dispatcher *d, const struct event *event)
{
    int r;

    if (d->delivery.urgency.asleep)
        look_for_copy(d);
    if (delivery_wants_seed(&d->delivery)) {
        uint64_t seed = 0;

        (void)entropy_fill(&seed, sizeof seed);
        delivery_reseed(&d->delivery, seed);
    }
    r = delivery_event(&d->delivery, d->loop->now, event);
    /* after what is being read */
    if (d->delivery.news)
        loop_set_earlier(&d->timer, d->loop->now.ms);
    return r;
}

void
telemetry_dispatcher_patience(struct telemetry_dispatcher *d, uint32_t ms)
{
    delivery_patience(&d->delivery, d->loop->now, ms);
    loop_set_earlier(&d->timer, d->loop->now.ms);
}

void
telemetry_dispatcher_lost(struct telemetry_dispatcher *d, enum ledger_drop reason)
{
    delivery_lost(&d->delivery, reason);
}

void
telemetry_dispatcher_flush(struct telemetry_dispatcher *d)
{
    delivery_flush(&d->delivery);
}

void
telemetry_dispatcher_run(struct telemetry_dispatcher *d)
{
    telemetry_orders_drive(d);
}

void
telemetry_dispatcher_await(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    delivery_await(&d->delivery, d->loop->now, deadline_ms);
    if (deadline_ms != 0)
        telemetry_orders_drive(d);
}

void
telemetry_dispatcher_last_chance(struct telemetry_dispatcher *d, uint64_t deadline_ms)
{
    delivery_last_chance(&d->delivery, d->loop->now, deadline_ms);
    d->kinesis.client.http.hurry_ms = delivery_hurry_ms(&d->delivery, d->loop->now);
    http_client_hurry(&d->kinesis.client.http);
    if (d->delivery.dead.sending)
        http_client_hurry(&d->letter.client.http);
    telemetry_orders_drive(d);
}

void
telemetry_dispatcher_stop(struct telemetry_dispatcher *d)
{
    telemetry_orders_stop(d);
}

COLD void
telemetry_dispatcher_sleep(struct telemetry_dispatcher *d)
{
    d->loop->watchful = true;
    d->thaws = d->loop->thaws;
    delivery_sleep(&d->delivery);
    credentials_stop(&d->credentials);
    aws_client_forget(&d->kinesis.client);
    failure_log_reset(&d->failures);
    if (d->settings->dead_letter == DEAD_LETTER_S3)
        aws_client_forget(&d->letter.client);
    failure_log_reset(&d->letter_failures);
    telemetry_orders_drive(d);
}

COLD void
telemetry_dispatcher_restored(struct telemetry_dispatcher *d)
{
    struct intake_seed seed = {.numbers = 0};

    d->loop->watchful = false;
    (void)entropy_fill(&seed, sizeof seed);
    delivery_restored(&d->delivery, &seed);
    (void)credentials_refresh(&d->credentials);
}

void
telemetry_dispatcher_request(struct telemetry_dispatcher *d, struct span request_id)
{
    intake_request(&d->delivery.intake, request_id);
}

struct event_origin *
telemetry_dispatcher_origin(struct telemetry_dispatcher *d)
{
    return &d->delivery.intake.origin;
}

char *
telemetry_dispatcher_scratch(struct telemetry_dispatcher *d)
{
    return d->delivery.intake.scratch;
}

void
telemetry_dispatcher_of_account(struct telemetry_dispatcher *d, struct span account_id)
{
    delivery_account(&d->delivery, account_id);
}

void
telemetry_dispatcher_of_stream(struct telemetry_dispatcher *d, struct span log_stream)
{
    delivery_log_stream(&d->delivery, log_stream);
}

struct span
telemetry_dispatcher_sandbox(const struct telemetry_dispatcher *d)
{
    return d->delivery.intake.origin.sandbox;
}

bool
telemetry_dispatcher_wrote(struct telemetry_dispatcher *d, const struct event *event)
{
    return d->settings->dead_letter == DEAD_LETTER_STDERR &&
           own_lines_take(&d->own_lines, event, dead_letter_object_is_line(event->record));
}

struct ledger *
telemetry_dispatcher_ledger(struct telemetry_dispatcher *d)
{
    return &d->delivery.ledger;
}

uint64_t
telemetry_dispatcher_queued(const struct telemetry_dispatcher *d)
{
    return delivery_queued(&d->delivery);
}

bool
telemetry_dispatcher_drained(const struct telemetry_dispatcher *d)
{
    return delivery_drained(&d->delivery);
}

bool
telemetry_dispatcher_delivered(const struct telemetry_dispatcher *d)
{
    return delivery_delivered(&d->delivery);
}

bool
telemetry_dispatcher_crowded(const struct telemetry_dispatcher *d)
{
    return delivery_crowded(&d->delivery);
}

bool
telemetry_dispatcher_idle_until(const struct telemetry_dispatcher *d, uint64_t until_ms, bool known)
{
    return delivery_pointless_until(&d->delivery, d->loop->now, until_ms, known);
}

void
telemetry_dispatcher_account(struct telemetry_dispatcher *d)
{
    const struct http_client *stream = &d->kinesis.client.http;
    const struct http_client *letters = &d->letter.client.http;
    struct ledger *l = &d->delivery.ledger;

    l->requests = stream->sent_calls + letters->sent_calls;
    l->connections = stream->opened + letters->opened;
    l->handshakes = stream->connection.handshakes + letters->connection.handshakes;
}

void
telemetry_dispatcher_end(struct telemetry_dispatcher *d)
{
    telemetry_orders_stop(d);
    delivery_end(&d->delivery);
    telemetry_dispatcher_account(d);
}
