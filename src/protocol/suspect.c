#include "protocol/suspect.h"

#include "protocol/check.h"
#include "protocol/refusal.h"

/*
 * A record that is refused for its size is not cut below the first, nor lines taken apart below the second: a peer that
 * takes nothing must not be called many times as often for it.
 */
enum { LEAST_HALF_BYTES = 1024, LEAST_LINES_BYTES = 16384 };

/* Others go first; only what is accepted of them tells whether it is this record's fault. */
static void
set_aside(struct suspect *s, struct queue *q, uint32_t index)
{
    queue_refused(q, QUEUE_STREAM, index, QUEUE_ASIDE);
    s->evidence = false;
}

/*
 * TELEMETRY_OVERSIZE for the record at this index of the batch. What is to be split waits until there
 * is room for the pieces; what cannot be made smaller leaves the way to the stream.
 */
static void
resize(struct suspect *s, struct intake *in, uint32_t index, size_t limit, enum ledger_drop reason)
{
    struct queue *q = in->queue;
    int r = limit > 0 ? intake_resize(in, index, limit) : ERR_BIG;

    /* unless no other record can make room any more */
    if (r == ERR_FULL && q->records > q->count[QUEUE_ASIDE] + 1) {
        set_aside(s, q, index);
        s->cramped = true;
    } else if (r != 0) {
        intake_bury(in, index, reason);
    } else if (queue_in_batch(q, QUEUE_STREAM, index)) {
        queue_mark(q, QUEUE_STREAM, index, QUEUE_FAILED);
    }
}

/* What the service says of one record: whether it is one that can have been at fault. */
static bool
deal_with(struct suspect *s, struct intake *in, const struct refusal *named)
{
    struct queue *q = in->queue;
    struct queue_record record;
    size_t key_len;

    if (named->index >= queue_batch_len(q, QUEUE_STREAM))
        return false;
    /* named before, for its key, say */
    if (!queue_in_batch(q, QUEUE_STREAM, named->index))
        return true;
    record = queue_at(q, QUEUE_STREAM, named->index);
    /* whether the limit is that of the data alone is not known for all of them */
    key_len = record.partition_key.len;
    if (named->member == REFUSAL_DATA && named->limit_bytes > key_len &&
        record.data.len > named->limit_bytes - key_len) {
        resize(s, in, named->index, named->limit_bytes - key_len, DROP_OVERSIZE);
        return true;
    }
    /* alone there is nobody to be sent without it */
    if (queue_batch_len(q, QUEUE_STREAM) == 1)
        return false;
    set_aside(s, q, named->index);
    return true;
}

/* The service says of a record that was sent alone only that it is too large: half may not be. */
static size_t
half_of(const struct queue_record *record, unsigned status)
{
    size_t half = record->data.len / 2;
    size_t least = record->origin.events > 1 ? LEAST_LINES_BYTES : LEAST_HALF_BYTES;

    return status == 413 && half >= least ? half : 0;
}

/* A record that was sent by itself was refused for what it is. */
static enum suspect_verdict
refused_alone(struct suspect *s, struct intake *in, const struct suspect_call *call)
{
    struct queue *q = in->queue;
    struct queue_record record = queue_at(q, QUEUE_STREAM, 0);
    size_t half = half_of(&record, call->status);
    bool others = q->count[QUEUE_FAILED] + q->count[QUEUE_FRESH] + q->count[QUEUE_SUSPECT] > 0;
    unsigned tries;
    bool proven;
    bool exhausted;
    bool second;

    if (half > 0 && record.origin.events > 1) {
        aggregate_limit(&in->open, record.data);
        /* two records lose nothing, so nothing needs to be proven */
        if (in->settings->compression == COMPRESSION_NONE) {
            resize(s, in, 0, half, DROP_REFUSED);
            return SUSPECT_AGAIN;
        }
    }
    if (record.refusals == 0 && call->what != QUEUE_TAKE_SUSPECTS)
        s->exonerated = false;
    tries = in->settings->max_attempts * (call->last_chance || s->exonerated ? 1 : 2);
    proven = (call->what == QUEUE_TAKE_ASIDE && s->evidence) ||
             (call->what == QUEUE_TAKE_SUSPECTS && s->exonerated && tries == 1);
    /* at the end nobody waits for its room: as long as there is time, unless it can be made smaller */
    exhausted = !others && (!call->last_chance || half > 0) && record.refusals + 1 >= tries;
    if (proven || exhausted) {
        resize(s, in, 0, half, DROP_REFUSED);
        return SUSPECT_AGAIN;
    }
    second = (q->count[QUEUE_ASIDE] > 0 && !s->evidence) || !others;
    set_aside(s, q, 0);
    return second ? SUSPECT_NOT_THE_RECORD : SUSPECT_AGAIN;
}

enum suspect_verdict
suspect_refused(struct suspect *s, struct intake *in, const struct suspect_call *call)
{
    struct queue *q = in->queue;
    struct span rest = call->message;
    struct refusal named;
    enum suspect_verdict verdict = SUSPECT_AGAIN;
    bool found = false;

    s->halved = false;
    while (refusal_next(&rest, &named) == 1)
        found = deal_with(s, in, &named) || found;
    if (!found && queue_batch_len(q, QUEUE_STREAM) > 1) {
        if (call->what != QUEUE_TAKE_SUSPECTS)
            s->exonerated = false;
        /* it is among these, so the others are not suspected any more */
        queue_clear_suspects(q);
        queue_return(q, QUEUE_STREAM, QUEUE_SUSPECT);
        return SUSPECT_AGAIN;
    }
    if (!found)
        verdict = refused_alone(s, in, call);
    queue_return(q, QUEUE_STREAM, QUEUE_FAILED);
    queue_clear_suspects(q);
    return verdict;
}

void
suspect_answered(struct suspect *s, struct queue *q, enum queue_take_what what, bool accepted)
{
    s->evidence = s->evidence || accepted;
    if (what != QUEUE_TAKE_SUSPECTS)
        return;
    s->exonerated = s->exonerated || accepted;
    s->halved = q->count[QUEUE_SUSPECT] > 0;
}

void
suspect_unanswered(struct queue *q, enum queue_take_what what)
{
    enum queue_state back = what == QUEUE_TAKE_SUSPECTS ? QUEUE_SUSPECT
                            : what == QUEUE_TAKE_ASIDE  ? QUEUE_ASIDE
                                                        : QUEUE_FAILED;

    queue_return(q, QUEUE_STREAM, back);
}

uint32_t
suspect_next(const struct suspect *s, const struct queue *q, enum queue_take_what *what)
{
    uint32_t suspects = q->count[QUEUE_SUSPECT];

    if (suspects > 0) {
        *what = QUEUE_TAKE_SUSPECTS;
        return suspects > 1 && !s->halved ? suspects / 2 : suspects;
    }
    *what = QUEUE_TAKE_ASIDE;
    if (q->count[QUEUE_ASIDE] > 0 &&
        (s->evidence || q->count[QUEUE_FAILED] + q->count[QUEUE_FRESH] == 0))
        return 1;
    return 0;
}
