#include "kinesis.h"
#include "protocol/settings.h"

/* see services.h: what Kinesis makes of a call of PutRecords */

enum {
    SKEW_MS = 300000, /* Source: Signature Version 4, the time of a request */
    REQUEST_BYTES_MAX = 5242880,
    RECORD_BYTES_MAX = 1048576,
    REFUSED_MOST = 4,
    REPLY_BYTES = 262144
};

static struct front front;
static struct kinesis_request request;

/* What of this stream is peculiar. */
static struct {
    uint32_t poison_per_mille; /* of records because of which a call is refused */
    bool poison_named;         /* the reply says which record it is */
    bool json_only;            /* CBOR is not known, as by some local servers */
    uint32_t record_bytes;     /* more in data and key is refused */
    unsigned calls, accepted;
} stream;

/* --- replies -------------------------------------------------------------------------------------- */

static void
count_refused(void *context)
{
    struct keys *keys = context;

    keys->refused++;
}

static void
answer(struct front_connection *c, unsigned status, const char *type, struct span body,
       const char *fields, struct keys *refused)
{
    struct front_reply reply = {
        .status = status,
        .type = type,
        .fields = fields,
        .body = body,
        .delivered = refused == NULL ? NULL : count_refused,
        .context = refused,
    };

    front_reply(c, &reply);
}

static const char *
own_type(void)
{
    return request.cbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1";
}

/* Refuses the call; `keys` when it is they that are refused. */
static void
refuse(struct front_connection *c, const struct refusal *r, const char *message, struct keys *keys)
{
    static char body[65536];
    char fields[200];
    struct text t = {body, 0, sizeof body}, f = {fields, 0, sizeof fields};
    struct dice *dice = &world.service;
    const char *type = own_type();

    if (r->code[0] != '\0' && dice_below(dice, 4) == 0)
        text_put(&f, "x-amzn-ErrorType: %s\r\n", r->code);
    if (r->passes && dice_below(dice, 10) == 0)
        text_put(&f, "x-amz-retry-after: %u\r\n", dice_magnitude(dice, 10, 20000));
    switch (r->form) {
    case REFUSAL_OWN:
        kinesis_write_error(&t, r->code, message, request.cbor);
        break;
    case REFUSAL_JSON:
        type = "application/json";
        kinesis_write_error(&t, r->code, message, false);
        break;
    case REFUSAL_XML:
        type = "application/xml";
        text_put(&t, "<%s>\n  <Message>%s</Message>\n</%s>\n", r->code, message, r->code);
        break;
    case REFUSAL_PAGE:
        type = "text/html";
        text_put(&t, "<html><head><title>%u</title></head><body>%s</body></html>\n", r->status,
                 message);
        break;
    case REFUSAL_EMPTY:
        type = NULL;
        break;
    }
    fields[f.len] = '\0';
    world_say(front.name, "refuses: %u %s", r->status, r->code);
    if (kinesis_keyless(&request) && (r->status == 400 || r->status == 413))
        kinesis_keyless_refused(c, false);
    answer(c, r->status, type, (struct span){t.p, t.len}, fields, keys);
}

static void
refuse_any(struct front_connection *c, const struct refusal *table, unsigned len)
{
    refuse(c, &table[dice_below(&world.service, len)], "It is not possible, for some reason.",
           NULL);
}

/* --- laws ----------------------------------------------------------------------------------------- */

static void
check_fields(const struct http_message *m)
{
    struct span type = http_value(m, "content-type");
    bool cbor = span_is(type, text_span("application/x-amz-cbor-1.1"));

    if (!span_is(m->method, text_span("POST")) || !span_is(m->target, text_span("/")))
        world_break("kinesis: %.*s %.*s", (int)m->method.len, m->method.p, (int)m->target.len,
                    m->target.p);
    if (!cbor && !span_is(type, text_span("application/x-amz-json-1.1")))
        world_break("kinesis: Content-Type is %.*s", (int)type.len, type.p);
    if (!span_is(http_value(m, "x-amz-target"), text_span("Kinesis_20131202.PutRecords")))
        world_break("kinesis: another X-Amz-Target than that of PutRecords");
    if (http_value(m, "transfer-encoding").p != NULL)
        world_break("kinesis: a request in chunks");
    if (cbor && span_is(services_setting("TELEMETRY_WIRE"), text_span("json")))
        world_break("kinesis: CBOR, though the setting says JSON");
    kinesis_read(&request, m->body, cbor);
}

static void
check_request(void)
{
    struct span arn = services_setting("KINESIS_STREAM_ARN");
    struct span name = services_setting("KINESIS_STREAM_NAME");
    size_t bytes = 0;

    if (arn.len > 0 ? !span_is(request.stream_arn, arn) || request.stream_name.p != NULL
                    : !span_is(request.stream_name, name) || request.stream_arn.p != NULL)
        world_break("kinesis: another stream: %.*s", (int)request.stream_name.len,
                    request.stream_name.p);
    for (unsigned i = 0; i < request.len; i++) {
        size_t n = request.records[i].data.len + request.records[i].key.len;

        if (n > RECORD_BYTES_MAX)
            world_break("kinesis: a record of %zu bytes", n);
        bytes += n;
        kinesis_check_key(&request.records[i]);
    }
    if (bytes > REQUEST_BYTES_MAX)
        world_break("kinesis: a request of %zu bytes", bytes);
}

/* Keys that were fetched are fetched anew when the service refuses them. */
static struct keys *
check_keys(const struct http_message *m)
{
    struct span field = http_value(m, "authorization");
    const char *begin = memchr(field.p, '=', field.len);
    const char *end = memchr(field.p, '/', field.len);
    struct keys *keys = credentials_of((struct span){begin + 1, (size_t)(end - begin - 1)});

    if (keys->fetched && keys->refused > REFUSED_MOST)
        world_break("kinesis: a call with credentials that were refused %u times", keys->refused);
    return keys;
}

/* --- records -------------------------------------------------------------------------------------- */

static uint32_t
hash_of(struct span s)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool
poisonous(const struct kinesis_record *r)
{
    return stream.poison_per_mille > 0 && hash_of(r->data) % 1000 < stream.poison_per_mille;
}

/* Whether the call is refused for what one of its records is; if so, it has been. */
static bool
refused_for_record(struct front_connection *c)
{
    static const struct refusal invalid = {"ValidationException", 400, REFUSAL_OWN, false};
    static const struct refusal argument = {"InvalidArgumentException", 400, REFUSAL_OWN, false};
    char message[2048];
    struct text t = {message, 0, sizeof message};
    bool bad = false;

    for (unsigned i = 0; i < request.len; i++) {
        const struct kinesis_record *r = &request.records[i];
        bool large = r->data.len + r->key.len > stream.record_bytes;

        if (!large && !poisonous(r))
            continue;
        bad = true;
        if (large)
            books_refused(r->data);
        if (t.len > sizeof message - 300 || (!large && !stream.poison_named))
            continue;
        text_put(&t,
                 "%sValue at 'records.%u.member.data' failed to satisfy constraint: Member must ",
                 t.len > 0 ? "; " : "", i + 1);
        if (large)
            text_put(&t, "have length less than or equal to %u", stream.record_bytes);
        else
            text_put(&t, "be of another kind");
    }
    if (bad)
        refuse(c, t.len > 0 ? &invalid : &argument, t.len > 0 ? message : "One of them.", NULL);
    return bad;
}

/* Records of the same key are in the same shard, and throttled together. */
static struct span
shard_of(const struct kinesis_record *r)
{
    return r->key.p == NULL ? r->data : r->key;
}

static void
throttle(void)
{
    uint32_t share = dice_magnitude(&world.service, 5, 1000);
    uint32_t turn = dice_below(&world.service, UINT32_MAX);

    for (unsigned i = 0; i < request.len; i++)
        if ((hash_of(shard_of(&request.records[i])) ^ turn) % 1000 < share)
            request.records[i].code = "ProvisionedThroughputExceededException";
}

static void
fail_some(void)
{
    static const char *const others[] = {"KMSThrottlingException", "ServiceUnavailable",
                                         "ThrottlingException", "InternalFailureException"};
    uint32_t share = dice_magnitude(&world.service, 5, 1000);
    bool other = dice_below(&world.service, 10) == 0;

    for (unsigned i = 0; i < request.len; i++)
        if (dice_chance(&world.service, share))
            request.records[i].code =
                other ? others[dice_below(&world.service, 4)] : "InternalFailure";
}

static void
judge_records(void)
{
    if (world_fault(&world.service, WORLD_RECORD_THROTTLED))
        throttle();
    if (world_fault(&world.service, WORLD_RECORD_FAILS))
        fail_some();
}

static void
carry_out(void)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < request.len; i++) {
        const struct kinesis_record *r = &request.records[i];

        failed += r->code != NULL;
        if (r->code != NULL)
            continue;
        services_count(COUNT_BYTES_TAKEN, r->data.len + r->key.len);
        books_record(BOOKS_STREAM, r->data, r->key);
    }
    stream.accepted += request.len - failed;
    world_say(front.name, "takes %u records, refuses %u", request.len - failed, failed);
}

/* --- calls ---------------------------------------------------------------------------------------- */

/* What is not a reply to PutRecords, with status 200. */
static struct span
spoil(struct text *t)
{
    size_t len = t->len;

    switch (dice_below(&world.service, 5)) {
    case 0: /* it ends early, but is called whole */
        return (struct span){t->p, dice_below(&world.service, (uint32_t)len)};
    case 1:
        for (size_t i = 0; i < len && i < 300; i++)
            t->p[i] = (char)dice_below(&world.service, 256);
        t->p[0] = '\xff';
        return (struct span){t->p, len};
    case 2:
        return text_span("<html><body>Welcome to this network.</body></html>");
    case 3: /* of another call */
        request.len--;
        t->len = 0;
        kinesis_write(t, &request, request.cbor);
        request.len++;
        return (struct span){t->p, t->len};
    default:
        return (struct span){"", 0};
    }
}

static void
told(const struct front_connection *c)
{
    kinesis_told(c, &request);
    kinesis_keyless_told(c, &request);
}

/* Tells what became of each record. Returns whether that can be read. */
static bool
answer_records(struct front_connection *c)
{
    static char body[REPLY_BYTES];
    struct text t = {body, 0, sizeof body};
    bool bad = world_fault(&world.service, WORLD_REPLY_BAD);
    struct span bytes;

    kinesis_write(&t, &request, request.cbor);
    bytes = (struct span){t.p, t.len};
    if (bad)
        bytes = spoil(&t);
    else
        told(c);
    answer(c, 200, own_type(), bytes, NULL, NULL);
    return !bad;
}

/* Whether it is refused since its records have no keys; if so, it has been: as a whole, or each of them. */
static bool
refused_for_keys(struct front_connection *c)
{
    char message[200];
    struct text t = {message, 0, sizeof message};
    bool can_tell = true;
    uint32_t how;

    if (!world.plan.wants_keys || !kinesis_keyless(&request))
        return false;
    how = dice_below(&world.service, 8);
    if (how == 0) {
        for (unsigned i = 0; i < request.len; i++)
            request.records[i].code = "ValidationException";
        can_tell = answer_records(c);
    } else {
        text_put(&t, "Value null at 'records.%u.member.partitionKey' failed to satisfy constraint",
                 1 + dice_below(&world.service, request.len));
        refuse(c, &refusals_keys[dice_below(&world.service, REFUSALS_KEYS)],
               how < 5 ? message : "Some of it cannot be read.", NULL);
    }
    kinesis_keyless_refused(c, can_tell);
    return true;
}

static void
accept(struct front_connection *c)
{
    judge_records();
    carry_out();
    (void)answer_records(c);
}

/* Whether the call fails whatever is in it; if so, it has been answered. */
static bool
failed(struct front_connection *c)
{
    if (front_outage_now(&front)) {
        if (front.outage.how == OUTAGE_DENIED)
            refuse_any(c, refusals_denied, REFUSALS_DENIED);
        else if (front.outage.how == OUTAGE_THROTTLED)
            refuse_any(c, refusals_throttled, REFUSALS_THROTTLED);
        else
            refuse_any(c, refusals_failed, REFUSALS_FAILED);
    } else if (stream.json_only && request.cbor) {
        refuse_any(c, refusals_form, REFUSALS_FORM);
    } else if (world_fault(&world.service, WORLD_CALL_FAILS)) {
        uint32_t which = dice_below(&world.service, REFUSALS_FAILED);

        /* what a gateway says, and what fails inside, is not about what was carried out */
        if (refusals_failed[which].status != 503 && dice_below(&world.service, 2) == 0) {
            judge_records();
            carry_out();
        }
        refuse(c, &refusals_failed[which], "Internal service failure.", NULL);
    } else if (world_fault(&world.service, WORLD_CALL_THROTTLED)) {
        refuse_any(c, refusals_throttled, REFUSALS_THROTTLED);
    } else if (world_fault(&world.service, WORLD_CALL_REFUSED)) {
        refuse_any(c, refusals_any, REFUSALS_ANY);
    } else {
        return false;
    }
    return true;
}

/* Whether the signature is not accepted; if so, the call has been answered. */
static bool
unsigned_call(struct front_connection *c, enum signature_verdict verdict, struct keys *keys)
{
    static const struct refusal skewed = {"InvalidSignatureException", 400, REFUSAL_OWN, false};
    static const struct refusal expired[] = {
        {"ExpiredTokenException", 400, REFUSAL_OWN, false},
        {"ExpiredTokenException", 403, REFUSAL_OWN, false},
        {"ExpiredToken", 403, REFUSAL_XML, false},
    };
    static const struct refusal unknown[] = {
        {"UnrecognizedClientException", 400, REFUSAL_OWN, false},
        {"UnrecognizedClientException", 403, REFUSAL_OWN, false},
        {"InvalidClientTokenId", 403, REFUSAL_XML, false},
    };

    if (verdict == SIGNATURE_SKEWED)
        refuse(c, &skewed, "Signature expired: it is now earlier than some moment.", NULL);
    else if (verdict == SIGNATURE_EXPIRED)
        refuse(c, &expired[dice_below(&world.service, 3)],
               "The security token included in the request is expired", keys);
    else if (verdict == SIGNATURE_UNKNOWN)
        refuse(c, &unknown[dice_below(&world.service, 3)],
               "The security token included in the request is invalid.", keys);
    return verdict != SIGNATURE_GOOD;
}

static void
asked(struct front_connection *c, const struct http_message *m)
{
    struct signature_wanted wanted = {
        .service = "kinesis",
        .region = services_setting("AWS_REGION"),
        .now_ms = front_ms(&front),
        .skew_ms = SKEW_MS,
    };
    enum signature_verdict verdict;
    struct keys *keys;

    stream.calls++;
    check_fields(m);
    check_request();
    kinesis_keyless_heard(c, &request);
    kinesis_heard(c, &request);
    verdict = signature_check(m, &wanted);
    keys = check_keys(m);
    world_say(front.name, "PutRecords in %s: %u records", request.cbor ? "CBOR" : "JSON",
              request.len);
    if (failed(c) || unsigned_call(c, verdict, keys) || refused_for_keys(c) ||
        refused_for_record(c))
        return;
    accept(c);
}

/*
 * Not so little that what is cut down loses its number, or that there are thousands of parts. In a crowd mostly so that a
 * few are too large: of those alone it is certain that there is room for their parts.
 */
static uint32_t
draw_record_bytes(void)
{
    bool splits = world.plan.oversize == OVERSIZE_SPLIT;
    uint32_t least = world.plan.event_bytes > 10000 ? 4000 : splits ? 700 : 1000;
    uint32_t bytes = dice_magnitude(&world.service, least, 20000);
    uint32_t few = world.plan.event_bytes - world.plan.event_bytes / 8;

    return world.plan.crowded && bytes < few && bytes % 4 > 0 ? few : bytes;
}

void
kinesis_begin(void)
{
    struct dice *dice = &world.service;
    bool peculiar = world.plan.per_mille[WORLD_CALL_REFUSED] > 0;

    front = (struct front){.name = "kinesis", .remote = true, .asked = asked};
    services_place(&front.place, services_setting("AWS_ENDPOINT_URL_KINESIS"));
    memset(&stream, 0, sizeof stream);
    stream.record_bytes = RECORD_BYTES_MAX;
    if (peculiar && dice_below(dice, 4) == 0) {
        stream.poison_per_mille = dice_magnitude(dice, 1, 50);
        stream.poison_named = dice_below(dice, 2) == 0;
    }
    if (world_fault(dice, WORLD_RECORD_LARGE))
        stream.record_bytes = draw_record_bytes();
    if (peculiar && dice_below(dice, 8) == 0)
        stream.json_only = true;
    world_say(front.name, "poison %u of 1,000, %s; records of %u bytes; %s; %s keys",
              stream.poison_per_mille, stream.poison_named ? "named" : "not named",
              stream.record_bytes, stream.json_only ? "JSON alone" : "CBOR and JSON",
              world.plan.wants_keys ? "wants" : "needs no");
    kinesis_keys_begin();
    kinesis_keyless_begin();
    front_open(&front);
}
