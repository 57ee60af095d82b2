#include "protocol/dead_letter_schedule.h"

#include "protocol/check.h"
#include "protocol/dead_letter_object.h"

enum {
    OBJECT_MAX_BYTES = 5 * 1024 * 1024,
    LINES_MAX_BYTES = 65536, /* of standard error, whose reader may be slow */
    GATHER_MS = 5000,
    GATHER_RECORDS = 500,
    SILENCE_MS = 5000, /* S3 may take its time when nobody waits */
    LEAST_SILENCE_MS = 50
};

static bool
none(const struct dead_letter_schedule *s)
{
    return s->settings->dead_letter == DEAD_LETTER_NONE;
}

uint64_t
dead_letter_schedule_due_ms(struct dead_letter_schedule *s, uint64_t now_ms)
{
    uint32_t dead = s->queue->count[QUEUE_DEAD];
    uint32_t in_doubt = s->queue->count[QUEUE_IN_DOUBT];
    uint64_t due;

    CHECK(!s->sending);
    if (dead + in_doubt == 0 || none(s)) {
        s->flush = s->last_chance;
        s->since_ms = 0;
        return UINT64_MAX;
    }
    if (s->since_ms == 0)
        s->since_ms = now_ms;
    due = s->flush || in_doubt > 0 || dead >= GATHER_RECORDS ? now_ms : s->since_ms + GATHER_MS;
    return due > s->again_ms ? due : s->again_ms;
}

uint32_t
dead_letter_schedule_silence_ms(const struct dead_letter_schedule *s, uint64_t now_ms)
{
    uint64_t left = s->deadline_ms > now_ms ? s->deadline_ms - now_ms : 0;

    if (!s->last_chance)
        return SILENCE_MS;
    /* so that another connection can be tried */
    return left / 3 < LEAST_SILENCE_MS ? LEAST_SILENCE_MS : (uint32_t)(left / 3);
}

static size_t
record_size(void *context, const struct queue_record *record)
{
    struct put_record r = {.data = record->data, .partition_key = record->partition_key};

    (void)context;
    return dead_letter_object_line_size(&r);
}

void
dead_letter_schedule_take(struct dead_letter_schedule *s)
{
    struct queue_limits limits = {
        .records = DEAD_LETTER_RECORDS_MAX,
        .bytes = s->settings->dead_letter == DEAD_LETTER_S3 ? OBJECT_MAX_BYTES : LINES_MAX_BYTES,
        .size = record_size,
    };

    s->in_doubt = s->queue->count[QUEUE_IN_DOUBT] > 0;
    (void)queue_take(s->queue, QUEUE_DEAD_LETTER, &limits,
                     s->in_doubt ? QUEUE_TAKE_IN_DOUBT : QUEUE_TAKE_DEAD);
    s->sending = true;
}

/* The wait after a failure; none where the next try may do better at once. */
static uint32_t
wait_ms(struct dead_letter_schedule *s, uint64_t now_ms, uint32_t dice,
        const struct dead_letter_reply *r, bool *refresh)
{
    struct retry retry = {
        .class = r->class,
        .failures = s->failures,
        .hint_ms = r->retry_after_ms,
        .left_ms = UINT32_MAX,
    };

    if (s->failures == 1 && r->skewed)
        return 0;
    if (s->failures == 1 && r->class == RETRY_CREDENTIALS) {
        *refresh = true;
        if (s->settings->credentials.host.len > 0)
            return 0;
    }
    if (s->last_chance)
        retry.left_ms = dead_letter_schedule_silence_ms(s, now_ms);
    return 1 + retry_wait_ms(&retry, dice);
}

/* What was not written, as far as is known, stays in the queue. */
static void
keep(struct dead_letter_schedule *s, bool in_doubt)
{
    queue_return(s->queue, QUEUE_DEAD_LETTER,
                 s->in_doubt || in_doubt ? QUEUE_IN_DOUBT : QUEUE_DEAD);
    s->sending = false;
    s->abort_at_ms = 0;
}

uint32_t
dead_letter_schedule_replied(struct dead_letter_schedule *s, uint64_t now_ms, uint32_t dice,
                             const struct dead_letter_reply *r, bool *refresh)
{
    uint32_t events = 0;

    CHECK(s->sending && r->written <= queue_batch_len(s->queue, QUEUE_DEAD_LETTER));
    *refresh = false;
    for (uint32_t i = 0; i < r->written; i++)
        events += queue_end(s->queue, QUEUE_DEAD_LETTER, i);
    keep(s, r->doubtful || r->unanswered);
    if (r->written > 0) {
        s->failures = 0;
        /* standard error takes no time: the loop has its turn between two batches */
        s->again_ms = s->settings->dead_letter == DEAD_LETTER_S3 ? 0 : now_ms + 1;
    } else {
        s->failures++;
        s->again_ms = now_ms + wait_ms(s, now_ms, dice, r, refresh);
    }
    return events;
}

void
dead_letter_schedule_aborted(struct dead_letter_schedule *s, bool unanswered)
{
    CHECK(s->sending);
    keep(s, unanswered);
}

void
dead_letter_schedule_last_chance(struct dead_letter_schedule *s, uint64_t now_ms,
                                 uint64_t deadline_ms)
{
    if (none(s))
        return;
    s->last_chance = s->flush = true;
    s->deadline_ms = deadline_ms;
    s->failures = 0;
    if (s->again_ms > now_ms)
        s->again_ms = now_ms + 1;
    /* a call that is under way may be about to end well */
    if (s->sending)
        s->abort_at_ms = now_ms + dead_letter_schedule_silence_ms(s, now_ms);
}
