#include "laws.h"
#include "life.h"

/*
 * The dead letter's side: standard error, which takes lines until it is full, or S3, which takes an object
 * whole or not at all.
 */

static const struct {
    const char *code;
    unsigned status;
} refusals[] = {
    {"SlowDown", 503},
    {"InternalError", 500},
    {"AccessDenied", 403},
    {"ExpiredToken", 400},
    {"NoSuchBucket", 404},
    {"RequestTimeTooSkewed", 403},
    {"", 502},
};

static void
refuse(struct life *w)
{
    uint32_t i = dice_below(&w->dice, sizeof refusals / sizeof *refusals);
    struct dead_letter_reply *r = &w->letter.reply;

    r->class = retry_class(span_of(refusals[i].code), refusals[i].status);
    r->doubtful = refusals[i].status >= 500 && refusals[i].status != 503;
    r->skewed = r->class == RETRY_SKEW && dice_below(&w->dice, 2) == 0;
    if (dice_chance(&w->dice, 100))
        r->retry_after_ms = dice_magnitude(&w->dice, 10, 20000);
    /* a gateway's error may stand for an object that was written */
    w->letter.written = r->doubtful && dice_below(&w->dice, 2) == 0 ? w->letter.len : 0;
}

static void
put_object(struct life *w, uint32_t silence_ms)
{
    struct letter_call *l = &w->letter;
    bool lost = life_fault(w, FAULT_LETTER_LOST);

    l->ends_ms += dice_below(&w->dice, LETTER_MAX_MS);
    if (life_fault(w, FAULT_LETTER_SLOW))
        l->ends_ms += dice_magnitude(&w->dice, 100, 10000);
    if (lost || l->ends_ms - w->clock.ms > silence_ms) {
        l->ends_ms = w->clock.ms + silence_ms;
        l->reply.unanswered = true;
        l->reply.class = RETRY_TRANSIENT;
        l->written = dice_below(&w->dice, 2) == 0 ? l->len : 0;
    } else if (life_fault(w, FAULT_LETTER)) {
        refuse(w);
    } else {
        l->reply.written = l->written = l->len;
    }
}

static void
write_lines(struct life *w)
{
    struct letter_call *l = &w->letter;

    l->written = l->len;
    if (life_fault(w, FAULT_LETTER))
        l->written = dice_below(&w->dice, l->len + 1);
    l->reply.written = l->written;
    l->reply.class = RETRY_TRANSIENT;
}

/* What is there now, whether it will be heard or not. */
static void
arrive(struct life *w, bool again)
{
    struct letter_call *l = &w->letter;

    for (uint32_t i = 0; i < l->written; i++) {
        struct queue_record record = queue_at(&w->machine.queue, QUEUE_DEAD_LETTER, i);
        struct known known = records_know(w, &record);

        records_buried(w, known, again);
        laws_buried(w, known);
    }
}

void
letter_bury(struct life *w, const struct delivery_order *order)
{
    struct letter_call *l = &w->letter;

    if (l->under_way)
        laws_break(w, "two calls to the dead letter at the same time");
    *l = (struct letter_call){
        .under_way = true,
        .ends_ms = w->clock.ms,
        .len = queue_batch_len(&w->machine.queue, QUEUE_DEAD_LETTER),
    };
    laws_buries(w, order);
    if (w->plan.settings.dead_letter == DEAD_LETTER_S3 && (client_coming(w) || !w->laws.ready))
        laws_break(w, "credentials: a dead letter before they have come");
    w->laws.ready = false;
    if (w->plan.settings.dead_letter == DEAD_LETTER_S3)
        put_object(w, order->silence_ms);
    else
        write_lines(w);
    arrive(w, order->again);
    /* standard error takes no time */
    if (w->plan.settings.dead_letter != DEAD_LETTER_S3)
        letter_step(w);
}

void
letter_abort(struct life *w)
{
    if (!w->letter.under_way) {
        laws_break(w, "a dead letter is given up, and none is under way");
        return;
    }
    w->letter.under_way = false;
    delivery_dead_aborted(&w->machine, true);
}

void
letter_step(struct life *w)
{
    struct letter_call *l = &w->letter;

    if (!l->under_way || l->ends_ms > w->clock.ms)
        return;
    l->under_way = false;
    life_say(w, "dead letter: %u of %u records written%s", l->reply.written, l->len,
             l->reply.unanswered ? ", unanswered" : (l->reply.doubtful ? ", doubtful" : ""));
    laws_bury_ended(w);
    delivery_buried(&w->machine, life_now(w), &l->reply);
}
