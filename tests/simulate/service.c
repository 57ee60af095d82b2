#include "laws.h"
#include "life.h"

/*
 * The service's side, and what lies between: what becomes of a call, which is decided when it is made, and what
 * the client does about it without a word.
 */

enum {
    SKEW_MS = 300000, /* Source: Signature Version 4, the time of a request */
    DAY_MS = 86400000,
    IDLE_MS = 5000, /* as aws_client.h: a connection that was unused for longer is not used again */
};

/* Why a record of a call that was not refused may be. The first: it was accepted. */
#define CODE(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct span codes[] = {
    CODE(""),
    CODE("ProvisionedThroughputExceededException"),
    CODE("InternalFailure"),
    CODE("ThrottlingException"),
    CODE("Throttling"),
    CODE("ThrottledException"),
    CODE("RequestThrottled"),
    CODE("RequestThrottledException"),
    CODE("TooManyRequestsException"),
    CODE("LimitExceededException"),
    CODE("RequestLimitExceeded"),
    CODE("BandwidthLimitExceeded"),
    CODE("KMSThrottlingException"),
    CODE("SlowDown"),
    CODE("PriorRequestNotComplete"),
    CODE("InternalFailureException"),
    CODE("InternalError"),
    CODE("ServiceUnavailable"),
    CODE("ServiceUnavailableException"),
    CODE("RequestTimeout"),
    CODE("RequestTimeoutException"),
    CODE("ExpiredToken"),
    CODE("ExpiredTokenException"),
    CODE("UnrecognizedClientException"),
    CODE("InvalidClientTokenId"),
    CODE("InvalidAccessKeyId"),
    CODE("InvalidSignatureException"),
    CODE("SignatureDoesNotMatch"),
    CODE("RequestExpired"),
    CODE("RequestInTheFuture"),
    CODE("RequestTimeTooSkewed"),
    CODE("ValidationException"),
    CODE("InvalidArgumentException"),
    CODE("RequestEntityTooLargeException"),
    CODE("EntityTooLarge"),
    CODE("ResourceNotFoundException"),
    CODE("AccessDenied"),
    CODE("AccessDeniedException"),
    CODE("KMSDisabledException"),
    CODE("IncompleteSignatureException"),
    CODE("MissingAuthenticationTokenException"),
    CODE("SerializationException"),
    CODE("UnknownOperationException"),
    CODE("SomethingNew"),
};

enum { THROTTLED = 1, INTERNAL = 2, INVALID = 31, CODES = sizeof codes / sizeof *codes };

/* How a whole call may be refused. */
struct refusal {
    const char *code;
    unsigned status;
};

static const struct refusal internal[] = {
    {"InternalFailure", 500},
    {"InternalFailureException", 500},
    {"InternalError", 500},
    {"", 500},
    {"", 502},
    {"", 504},
};

static const struct refusal unavailable[] = {
    {"ServiceUnavailable", 503}, {"ServiceUnavailableException", 503}, {"", 503},
    {"RequestTimeout", 400},     {"RequestTimeoutException", 408},     {"", 408},
};

static const struct refusal throttled[] = {
    {"LimitExceededException", 400},
    {"ProvisionedThroughputExceededException", 400},
    {"ThrottlingException", 400},
    {"KMSThrottlingException", 400},
    {"TooManyRequestsException", 429},
    {"", 429},
    {"SlowDown", 503},
};

static const struct refusal refused[] = {
    {"AccessDeniedException", 400},
    {"ResourceNotFoundException", 400},
    {"KMSDisabledException", 400},
    {"SerializationException", 400},
    {"SomethingNew", 400},
    {"MissingAuthenticationTokenException", 403},
    {"", 403},
    {"", 301},
    {"", 404},
};

static const struct refusal for_records[] = {
    {"ValidationException", 400},
    {"InvalidArgumentException", 400},
    {"", 400},
    {"", 413},
};

/* What a server says that does not know of records without keys, or whose stream wants them. */
static const struct refusal for_keys[] = {
    {"ValidationException", 400},
    {"InvalidArgumentException", 400},
    {"SerializationException", 400},
    {"SomethingNew", 400},
    {"", 400},
};

static const struct refusal expired[] = {
    {"ExpiredTokenException", 400},
    {"UnrecognizedClientException", 400},
    {"ExpiredToken", 403},
};

static const struct refusal skewed[] = {
    {"InvalidSignatureException", 400},
    {"RequestExpired", 400},
    {"RequestTimeTooSkewed", 403},
};

#define REFUSE(w, table)                                                                           \
    refuse(w, &(table)[dice_below(&(w)->dice, sizeof(table) / sizeof *(table))])

static void
refuse(struct life *w, const struct refusal *r)
{
    struct client_call *c = &w->client.call;

    c->code = span_of(r->code);
    c->reply.status = r->status;
    c->reply.class = retry_class(c->code, r->status);
    if (c->reply.class != RETRY_RECORD && dice_chance(&w->dice, 100))
        c->reply.retry_after_ms = dice_magnitude(&w->dice, 10, 20000);
}

static bool
has_room(struct life *w, uint32_t index)
{
    struct queue_record r = queue_at(&w->machine.queue, QUEUE_STREAM, index);

    return stream_takes(&w->stream, w->clock.ms, r.partition_key, w->client.call.bytes[index]);
}

/* What the service does with a call of which nothing is wrong as a whole: fates of records. */
static void
judge_records(struct life *w)
{
    struct client_call *c = &w->client.call;
    bool some = life_fault(w, FAULT_SOME_THROTTLED);
    bool internal_some = life_fault(w, FAULT_SOME_INTERNAL);
    bool other = life_fault(w, FAULT_SOME_OTHER);
    uint32_t share = some || internal_some || other ? dice_magnitude(&w->dice, 5, 1000) : 0;

    for (uint32_t i = 0; i < c->len; i++) {
        bool sick = false;

        EACH_EVENT(w, c->known[i], e)
        sick = sick || w->events[e].sick;
        c->codes[i] = 0;
        if (sick && w->platform.calm_ms == 0)
            c->codes[i] = INTERNAL;
        else if (dice_chance(&w->dice, share))
            c->codes[i] =
                some ? THROTTLED
                     : (internal_some ? INTERNAL : (uint8_t)dice_between(&w->dice, 1, CODES - 1));
        else if (w->plan.shards > 0 && !has_room(w, i)) {
            c->codes[i] = THROTTLED;
            w->struck++;
        }
    }
}

/* The service carries the call out, whether that will be heard or not. */
void
service_carry_out(struct life *w)
{
    struct client_call *c = &w->client.call;

    for (uint32_t i = 0; i < c->len; i++)
        if (c->codes[i] == 0)
            records_stored(w, c->known[i]);
    c->carried_out = true;
}

static uint32_t
request_bytes(const struct client_call *c)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < c->len; i++)
        bytes += c->bytes[i];
    return bytes;
}

/* Kinesis counts from 1. */
static void
name_key(struct out *message, uint32_t index)
{
    out_put(message, SPAN("Value at 'records."));
    out_number(message, index + 1);
    out_put(message, SPAN(".member.partitionKey' failed to satisfy constraint"));
}

static void
name(struct life *w, struct out *message, uint32_t index)
{
    if (w->client.call.bytes[index] <= w->plan.stream_limit) {
        name_key(message, index);
        return;
    }
    out_put(message, SPAN("Value at 'records."));
    out_number(message, index + 1);
    /* it need not say how much would be right */
    if (w->calls % 16 == 0) {
        out_put(message, SPAN(".member.data' failed to satisfy constraint"));
        return;
    }
    out_put(message, SPAN(".member.data' failed to satisfy constraint: Member must have length "
                          "less than or equal to "));
    out_number(message, w->plan.stream_limit);
}

/* Whether it is refused since its records have no keys: as a whole, or each of them, and some may be named. */
static bool
judge_keys(struct life *w)
{
    struct client_call *c = &w->client.call;
    struct out message = out_to(c->message, sizeof c->message);
    uint32_t how;

    if (!c->keyless || !w->plan.wants_keys)
        return false;
    how = dice_below(&w->dice, 8);
    w->struck++;
    if (how == 0) {
        memset(c->codes, INVALID, c->len);
        c->reply.status = 200;
        c->reply.records = true;
        c->reply.class = RETRY_TRANSIENT;
        return true;
    }
    REFUSE(w, for_keys);
    if (how < 5)
        name_key(&message, dice_below(&w->dice, c->len));
    c->reply.message = out_span(&message);
    c->for_record = true;
    return true;
}

/* Whether the call is refused for what one of its records is. */
static bool
judge_whole(struct life *w)
{
    struct client_call *c = &w->client.call;
    struct out message = out_to(c->message, sizeof c->message);
    bool bad = false;

    if (judge_keys(w))
        return true;
    if (request_bytes(c) > w->plan.body_limit) {
        w->struck++;
        refuse(w, &(struct refusal){"", 413});
        return true;
    }
    /* a reply that is of no use */
    if (w->plan.per_mille[FAULT_NAMED] > 0 && dice_chance(&w->dice, 100))
        out_put(&message, SPAN("Value at 'records.501.member.data' failed"));
    for (uint32_t i = 0; i < c->len; i++) {
        bool large = c->bytes[i] > w->plan.stream_limit;
        /* of an event in pieces it is in the first */
        bool first = c->known[i].piece < 0 || w->pieces[c->known[i].piece].part == 1;
        bool poison = false, named = false;

        EACH_EVENT(w, c->known[i], e)
        {
            poison = poison || w->events[e].poison;
            named = named || w->events[e].named;
        }
        bad = bad || large || (first && (poison || named));
        /* only some are named */
        if ((large || (first && named)) && message.len < sizeof c->message - 160)
            for (uint32_t n = dice_chance(&w->dice, 50); n < 2; n++)
                name(w, &message, i);
    }
    if (!bad)
        return false;
    refuse(w, &for_records[0]);
    c->reply.message = out_span(&message);
    c->for_record = true;
    return true;
}

/* Nothing is wrong with the way there and back. */
static void
arrive(struct life *w)
{
    struct client_call *c = &w->client.call;

    if (judge_whole(w))
        return;
    judge_records(w);
    service_carry_out(w);
    c->reply.status = 200;
    c->reply.records = true;
    c->reply.class = RETRY_TRANSIENT;
}

/* Half of the calls of which nothing is heard were carried out. */
static void
perhaps(struct life *w)
{
    struct delivery_reply before = w->client.call.reply;

    if (dice_below(&w->dice, 2) == 0)
        return;
    arrive(w);
    w->client.call.reply = before;
    w->client.call.code = (struct span){NULL, 0};
    w->client.call.for_record = false;
}

static void
unheard(struct life *w, int result)
{
    struct client_call *c = &w->client.call;

    perhaps(w);
    c->reply.result = result;
    c->reply.class = retry_class(SPAN(""), 0);
    c->reply.unanswered++;
}

static void
no_connection(struct life *w, int result, uint32_t ms)
{
    struct client_call *c = &w->client.call;

    c->reply.result = result;
    c->reply.class = retry_class(SPAN(""), 0);
    c->reply.requests = c->reply.unanswered = 0;
    c->reply.hopeless = result == ERR_IO && dice_chance(&w->dice, 200);
    c->ends_ms = c->begun_ms + ms;
    w->client.connected = false;
}

static void
doubtful(struct life *w)
{
    perhaps(w);
    w->client.call.reply.doubtful++;
}

/* One of the ways that a whole call may fail. */
static void
fail(struct life *w, enum fault how)
{
    struct client_call *c = &w->client.call;
    const struct settings *s = &w->plan.settings;

    switch (how) {
    case FAULT_INTERNAL:
        doubtful(w);
        REFUSE(w, internal);
        break;
    case FAULT_UNAVAILABLE:
        REFUSE(w, unavailable);
        break;
    case FAULT_THROTTLED:
        REFUSE(w, throttled);
        break;
    case FAULT_REFUSED:
        REFUSE(w, refused);
        break;
    case FAULT_FOR_RECORDS:
        REFUSE(w, for_records);
        c->for_record = true;
        break;
    case FAULT_RESET:
        unheard(w, dice_chance(&w->dice, 800) ? ERR_IO : ERR_BAD);
        w->client.connected = false;
        break;
    case FAULT_CONNECT:
        no_connection(w, ERR_IO, dice_below(&w->dice, 4));
        break;
    case FAULT_CONNECT_SLOW:
        no_connection(w, ERR_LATE, s->connect_timeout_ms);
        break;
    case FAULT_SILENT:
        unheard(w, ERR_LATE);
        c->ends_ms = c->begun_ms + s->request_timeout_ms;
        w->client.connected = false;
        break;
    case FAULT_GARBAGE:
        doubtful(w);
        c->reply.status = 200;
        c->reply.class = RETRY_TRANSIENT;
        break;
    case FAULT_EXPIRED:
        w->client.credentials = CREDENTIALS_REFUSED;
        REFUSE(w, expired);
        break;
    case FAULT_SKEW:
        REFUSE(w, skewed);
        break;
    default:
        laws_break(w, "the model knows no call that fails by: %s", plan_fault_name(how));
    }
}

/* By what the client makes a call again without a word. */
static void
made_again(struct life *w)
{
    struct client *client = &w->client;
    struct client_call *c = &client->call;

    if (client->connected && life_fault(w, FAULT_STALE)) {
        c->reply.requests++;
        if (dice_below(&w->dice, 2) == 0) {
            unheard(w, 0);
            c->again = true;
        }
    }
    if (client->form == WIRE_CBOR && life_fault(w, FAULT_FORM)) {
        client->form = WIRE_JSON;
        c->reply.requests++;
        if (dice_below(&w->dice, 4) == 0)
            doubtful(w);
    }
    c->reply.form = client->form;
}

/* The signature's time is refused, and if the service tells its own the client goes by it. */
static bool
skew(struct life *w)
{
    struct client *client = &w->client;
    int64_t off = w->clock.wall_off_ms + client->offset_ms;

    if (off <= SKEW_MS && off >= -SKEW_MS)
        return false;
    REFUSE(w, skewed);
    if (w->clock.wall_off_ms <= DAY_MS && w->clock.wall_off_ms >= -DAY_MS) {
        client->offset_ms = -w->clock.wall_off_ms;
        client->call.reply.skewed = true;
    }
    return true;
}

/* How the call ends if it fails as a whole; FAULTS if it does not. */
static enum fault
failure(struct life *w)
{
    if (w->outage.from_ms <= w->clock.ms && w->clock.ms < w->outage.to_ms)
        return w->outage.how;
    for (unsigned i = FAULT_INTERNAL; i <= FAULT_SKEW; i++)
        if (life_fault(w, (enum fault)i))
            return (enum fault)i;
    return FAULTS;
}

void
service_decide(struct life *w)
{
    struct client *client = &w->client;
    struct client_call *c = &client->call;
    enum fault how;

    c->ends_ms = c->begun_ms +
                 (client->connected ? 1 : 3) * dice_below(&w->dice, 2 * w->plan.latency_ms + 1);
    c->reply.requests = 1;
    if (client->connected && c->begun_ms - client->used_ms > IDLE_MS)
        client->connected = false;
    how = failure(w);
    if (how != FAULT_CONNECT && how != FAULT_CONNECT_SLOW) {
        made_again(w);
        client->connected = true;
    }
    if (how != FAULTS)
        fail(w, how);
    else if (client->credentials == CREDENTIALS_REFUSED)
        REFUSE(w, expired);
    else if (!skew(w))
        arrive(w);
    if (c->reply.result == 0 && life_fault(w, FAULT_SLOW))
        c->ends_ms += dice_below(&w->dice, w->plan.settings.request_timeout_ms);
}

struct span
service_code(const struct client_call *call, uint32_t index)
{
    return codes[call->codes[index]];
}
