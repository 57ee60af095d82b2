#include "laws.h"
#include "life.h"

/*
 * What stands between the machine and the service: the call that is under way, and credentials. A call's
 * fate is decided when it is made (service.c), and comes when its time has come.
 */

enum { CALM_MS = 1000 };

/* Where it is full, it stays so. */
static void
count(uint8_t *n)
{
    if (*n < UINT8_MAX)
        ++*n;
}

static void
refuse_record(struct life *w, struct known known)
{
    EACH_EVENT(w, known, i)
    {
        count(&w->events[i].refused);
        laws_refused(w, (uint32_t)i);
    }
}

static void
refuse_alone(struct life *w, struct known known)
{
    EACH_EVENT(w, known, i)
    count(&w->events[i].alone);
    if (known.piece < 0)
        laws_refused_alone(w, known.event);
}

/* The call has ended. */
static void
end(struct life *w)
{
    struct client_call *c = &w->client.call;

    c->under_way = false;
    w->client.used_ms = w->clock.ms;
    laws_replies(w);
    if (c->for_record && c->len == 1 && !w->laws.keyed)
        refuse_alone(w, c->known[0]);
    if (c->reply.records)
        for (uint32_t i = 0; i < c->len; i++) {
            struct span code = service_code(c, i);

            if (code.len == 0)
                records_accepted(w, c->known[i]);
            else if (retry_class(code, 0) == RETRY_THROTTLED)
                c->throttled = true;
            else if (laws_blames(w, retry_class(code, 400)))
                refuse_record(w, c->known[i]);
            delivery_record(&w->machine, i, code);
        }
    laws_replied(w, delivery_replied(&w->machine, life_now(w), &c->reply));
}

void
client_send(struct life *w, const struct delivery_order *order)
{
    struct client *client = &w->client;
    struct client_call *c = &client->call;

    w->calls++;
    if (c->under_way)
        laws_break(w, "two calls to the stream at the same time");
    memset(c, 0, offsetof(struct client_call, codes));
    c->under_way = true;
    c->begun_ms = c->ends_ms = w->clock.ms;
    c->len = queue_batch_len(&w->machine.queue, QUEUE_STREAM);
    c->reply.form = client->form;
    c->keyless = order->keyless;
    memset(c->codes, 0, c->len);
    for (uint32_t i = 0; i < c->len; i++) {
        struct queue_record record = queue_at(&w->machine.queue, QUEUE_STREAM, i);

        c->known[i] = records_know(w, &record);
        c->bytes[i] = (uint32_t)(record.data.len + (c->keyless ? 0 : record.partition_key.len));
        if (record.own_key)
            laws_key(w, c->known[i], record.partition_key);
        EACH_EVENT(w, c->known[i], e)
        c->events++;
    }
    laws_sent(w, order);
    if (client->credentials == CREDENTIALS_NONE) {
        c->reply.class = RETRY_CONFIGURATION;
        end(w);
        return;
    }
    service_decide(w);
}

void
client_abort(struct life *w)
{
    struct client_call *c = &w->client.call;
    unsigned unanswered = c->reply.unanswered;

    if (!c->under_way) {
        laws_break(w, "a call is given up, and none is under way");
        return;
    }
    /* a reply that was on its way is not heard; one that never was is counted */
    if (c->reply.requests > 0 && c->reply.result == 0)
        unanswered++;
    c->under_way = false;
    w->client.connected = false;
    laws_news(w);
    laws_given_up(w);
    delivery_aborted(&w->machine, unanswered + c->reply.doubtful);
}

void
client_refresh(struct life *w)
{
    w->client.refused = true;
    laws_refreshed(w);
}

/* Begins a fetch, at the earliest a second after the last one. */
static void
fetch(struct life *w)
{
    struct client *client = &w->client;

    if (client->fetching)
        return;
    client->fetching = true;
    client->fetched_ms = w->clock.ms > client->calm_ms ? w->clock.ms : client->calm_ms;
    client->fetched_ms += 1 + dice_below(&w->dice, w->plan.fetch_ms);
}

bool
client_coming(const struct life *w)
{
    return w->plan.fetches && (w->client.credentials == CREDENTIALS_NONE || w->client.refused);
}

void
client_connect(struct life *w)
{
    if (client_coming(w))
        fetch(w);
    if (w->client.call.under_way)
        return;
    w->client.connected = true;
    w->client.used_ms = w->clock.ms;
}

void
client_credentials(struct life *w)
{
    if (client_coming(w)) {
        fetch(w);
        delivery_credentials(&w->machine, life_now(w), DELIVERY_COMING);
    } else {
        w->laws.ready = true;
        delivery_credentials(&w->machine, life_now(w), DELIVERY_READY);
    }
}

static void
fetched(struct life *w)
{
    struct client *client = &w->client;
    bool failed = life_fault(w, FAULT_CREDENTIALS);

    client->fetching = false;
    client->calm_ms = w->clock.ms + CALM_MS;
    if (!failed) {
        client->credentials = CREDENTIALS_GOOD;
        client->refused = false;
    } else if (client->refused) {
        client->credentials = CREDENTIALS_NONE;
    }
    w->laws.ready = !failed;
    life_say(w, "the fetch of credentials %s", failed ? "failed" : "ended well");
    delivery_credentials(&w->machine, life_now(w), failed ? DELIVERY_NONE : DELIVERY_READY);
    laws_fetched(w, failed);
}

uint64_t
client_next_ms(const struct life *w)
{
    const struct client *client = &w->client;
    uint64_t at = client->call.under_way ? client->call.ends_ms : UINT64_MAX;

    return client->fetching && client->fetched_ms < at ? client->fetched_ms : at;
}

void
client_step(struct life *w)
{
    if (w->client.fetching && w->client.fetched_ms <= w->clock.ms)
        fetched(w);
    if (w->client.call.under_way && w->client.call.ends_ms <= w->clock.ms)
        end(w);
}

/* The connection of the call may not have lived through the freeze: then it is made again, or is lost. */
void
client_thawed(struct life *w)
{
    struct client_call *c = &w->client.call;

    if (!c->under_way || c->ends_ms > w->clock.ms || c->reply.requests == 0)
        return;
    switch (dice_below(&w->dice, 3)) {
    case 0:
        return;
    case 1:
        if (c->reply.result != 0)
            return;
        c->reply.requests++;
        c->reply.unanswered++;
        if (c->carried_out)
            service_carry_out(w);
        c->ends_ms = w->clock.ms + w->plan.latency_ms;
        return;
    default:
        if (c->reply.result != 0)
            return;
        c->reply = (struct delivery_reply){
            .result = ERR_IO,
            .class = retry_class(SPAN(""), 0),
            .form = c->reply.form,
            .requests = c->reply.requests,
            .unanswered = c->reply.unanswered + 1,
            .doubtful = c->reply.doubtful,
        };
        c->for_record = false;
        w->client.connected = false;
    }
}
