#include "extension/dead_letter_dispatcher.h"

#include "extension/telemetry_intake.h"
#include "io/entropy.h"
#include "protocol/retry.h"

/* see dead_letter_dispatcher.h */

enum {
    OBJECT_MAX_BYTES = 5 * 1024 * 1024,
    LINES_MAX_BYTES = 65536, /* of standard error, whose reader may be slow */
    GATHER_MS = 5000,
    GATHER_RECORDS = 500,
    SILENCE_MS = 5000, /* S3 may take its time when nobody waits */
    LEAST_SILENCE_MS = 50
};

size_t
dead_letter_dispatcher_bytes(const struct settings *settings)
{
    struct span sandbox = {NULL, SANDBOX_LEN};

    if (settings->dead_letter == DEAD_LETTER_NONE)
        return 0;
    return DEAD_LETTER_RECORDS_MAX * sizeof(uint32_t) + dead_letter_bytes(settings, sandbox) + 64;
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    const struct dead_letter_dispatcher *d = context;

    return dead_letter_record_size(record, d->common_key);
}

/* When the next batch is due, given that none is under way; UINT64_MAX: there is none. */
static uint64_t
due_ms(const struct dead_letter_dispatcher *d)
{
    uint64_t due = d->since_ms + GATHER_MS;

    if (d->queue->dead + d->queue->in_doubt == 0 || d->settings->dead_letter == DEAD_LETTER_NONE)
        return UINT64_MAX;
    if (d->flush || d->queue->in_doubt > 0 || d->queue->dead >= GATHER_RECORDS)
        due = d->loop->now.ms;
    return due > d->again_ms ? due : d->again_ms;
}

static uint32_t
silence_ms(const struct dead_letter_dispatcher *d)
{
    uint64_t left = d->deadline_ms > d->loop->now.ms ? d->deadline_ms - d->loop->now.ms : 0;

    if (!d->last_chance)
        return SILENCE_MS;
    /* so that another connection can be tried */
    return left / 3 < LEAST_SILENCE_MS ? LEAST_SILENCE_MS : (uint32_t)(left / 3);
}

/* Without credentials that are on their way nothing can be signed; their end is reported. */
static bool
credentials_wait(struct dead_letter_dispatcher *d)
{
    return d->settings->dead_letter == DEAD_LETTER_S3 &&
           credentials_coming(d->letter.client.environment->credentials);
}

static void
put(struct dead_letter_dispatcher *d)
{
    struct queue_limits limits = {
        .records = DEAD_LETTER_RECORDS_MAX,
        .bytes = d->settings->dead_letter == DEAD_LETTER_S3 ? OBJECT_MAX_BYTES : LINES_MAX_BYTES,
        .size = record_size,
        .context = d,
    };

    d->in_doubt = d->queue->in_doubt > 0;
    d->unanswered_before = d->letter.client.http.unanswered;
    queue_take_only(d->queue, &limits, d->in_doubt ? QUEUE_IN_DOUBT : QUEUE_DEAD, &d->batch);
    d->sending = true;
    d->letter.silence_ms = silence_ms(d);
    dead_letter_put(&d->letter, d->queue, &d->batch, d->common_key, d->in_doubt);
}

void
dead_letter_dispatcher_run(struct dead_letter_dispatcher *d)
{
    uint64_t due;

    if (d->queue->dead > 0 && d->since_ms == 0)
        d->since_ms = d->loop->now.ms;
    if (d->sending)
        return;
    due = due_ms(d);
    d->timer.at_ms = 0;
    if (due <= d->loop->now.ms && credentials_wait(d)) {
        d->timer.at_ms = d->loop->now.ms + CREDENTIALS_WAIT_MS;
    } else if (due <= d->loop->now.ms) {
        put(d);
    } else if (due != UINT64_MAX) {
        d->timer.at_ms = due;
    } else {
        d->flush = d->last_chance;
        d->since_ms = 0;
    }
}

/* The wait after a failure; none where the next try may do better at once. */
static uint32_t
wait_ms(struct dead_letter_dispatcher *d, const struct aws_result *call)
{
    enum retry_class class = retry_class(call->code, call->status);
    struct retry retry = {
        .class = class,
        .failures = d->failures,
        .hint_ms = call->retry_after_ms,
        .left_ms = UINT32_MAX,
    };

    if (d->failures == 1 &&
        (call->skewed || (class == RETRY_CREDENTIALS &&
                          credentials_refresh(d->letter.client.environment->credentials))))
        return 0;
    if (d->last_chance)
        retry.left_ms = silence_ms(d);
    return 1 + retry_wait_ms(&retry, entropy_dice());
}

/* The records of the batch from this one on were not written, as far as is known. */
static void
keep(struct dead_letter_dispatcher *d, uint32_t first, bool gateway_failed)
{
    bool in_doubt =
        d->in_doubt || gateway_failed || d->letter.client.http.unanswered > d->unanswered_before;

    for (uint32_t i = first; i < d->batch.len; i++)
        queue_mark(d->queue, d->batch.places[i], in_doubt ? QUEUE_IN_DOUBT : QUEUE_DEAD);
}

static void
put_done(void *context, const struct dead_letter_result *r)
{
    struct dead_letter_dispatcher *d = context;
    bool s3 = d->settings->dead_letter == DEAD_LETTER_S3;

    d->sending = false;
    d->wrote = r->written > 0;
    for (uint32_t i = 0; i < r->written; i++)
        d->ledger->dead_lettered += queue_end(d->queue, d->batch.places[i]);
    keep(d, r->written, r->call.status >= 500 && r->call.status != 503);
    if (r->written > 0) {
        d->failures = 0;
        /* standard error takes no time: the loop has its turn between two batches */
        d->again_ms = s3 ? 0 : d->loop->now.ms + 1;
        failure_log_reset(&d->log);
    } else {
        d->failures++;
        if (s3)
            failure_log_tell(&d->log, LOG_ERROR, NULL, &r->call);
        d->again_ms = d->loop->now.ms + wait_ms(d, &r->call);
    }
    d->changed(d->context);
}

/* What is under way stays in the queue. */
static void
give_up_call(struct dead_letter_dispatcher *d)
{
    if (!d->sending)
        return;
    dead_letter_stop(&d->letter);
    keep(d, 0, false);
    d->sending = false;
}

/* Something is due; or a call of the time before the last chance has had its time. */
static void
timer(void *context)
{
    struct dead_letter_dispatcher *d = context;

    give_up_call(d);
    dead_letter_dispatcher_run(d);
}

int
dead_letter_dispatcher_init(struct dead_letter_dispatcher *d, struct loop *loop, struct storage *s)
{
    d->loop = loop;
    if (d->settings->dead_letter == DEAD_LETTER_NONE)
        return 0;
    d->timer = (struct loop_timer){.fire = timer, .context = d};
    loop_add_timer(loop, &d->timer);
    d->places = storage_take(s, DEAD_LETTER_RECORDS_MAX * sizeof *d->places);
    d->batch.places = d->places;
    d->letter.done = put_done;
    d->letter.context = d;
    d->log = (struct failure_log){
        .act = "PutObject",
        .target = d->settings->bucket,
        .client = &d->letter.client,
    };
    return d->places == NULL ? ERR_FULL : dead_letter_init(&d->letter, loop, s);
}

void
dead_letter_dispatcher_last_chance(struct dead_letter_dispatcher *d, uint64_t deadline_ms)
{
    if (d->settings->dead_letter == DEAD_LETTER_NONE)
        return;
    d->last_chance = d->flush = true;
    d->deadline_ms = deadline_ms;
    d->failures = 0;
    d->again_ms = 0;
    /* a call that is under way may be about to end well */
    if (d->sending) {
        loop_set(d->loop, &d->timer, silence_ms(d));
        http_client_hurry(&d->letter.client.http);
    } else {
        dead_letter_dispatcher_run(d);
    }
}

void
dead_letter_dispatcher_stop(struct dead_letter_dispatcher *d)
{
    if (d->settings->dead_letter == DEAD_LETTER_NONE)
        return;
    give_up_call(d);
    d->timer.at_ms = 0;
}
