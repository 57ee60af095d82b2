#include "protocol/pace.h"

#include "protocol/check.h"

enum {
    BUCKET_MS = 1000, /* what a shard takes at once is what it takes in that time */
    AWAITED_MS = 50, /* between calls while someone waits: what is left over at the end is little */
    UNAWAITED_MS = 200,      /* while nobody does: the bucket is far from full by then */
    LEAST_RECORDS = 10,      /* calls with fewer are not worth it, unless a second gives no more */
    UNKNOWN_PER_SECOND = 25, /* others have taken all that there was */
    HINT_MAX_MS = 5000
};

/* Half as many again as the stream should take: nothing of it is lost, and a higher rate shows. */
static uint64_t
records_in(uint32_t per_second, uint64_t ms)
{
    return (uint64_t)per_second * 3 / 2 * ms / 1000;
}

/* The time in which so many are due. */
static uint64_t
time_for(uint32_t per_second, uint32_t records)
{
    return (uint64_t)records * 2000 / ((uint64_t)per_second * 3);
}

static uint64_t
wait_ms(const struct pace *p, const struct pace_reply *r)
{
    uint64_t wait = r->left_ms == UINT32_MAX ? UNAWAITED_MS : AWAITED_MS;
    uint64_t least = time_for(p->per_second, LEAST_RECORDS);
    uint64_t most = time_for(p->per_second, r->most);
    uint64_t hint = r->hint_ms < HINT_MAX_MS ? r->hint_ms : HINT_MAX_MS;
    uint64_t half = r->left_ms / 2;
    uint64_t one = time_for(p->per_second, 1);

    if (wait < least)
        wait = least < BUCKET_MS ? least : BUCKET_MS;
    else if (wait > most)
        wait = most;
    if (wait < hint)
        wait = hint;
    /* there is always time for another one, if a record may be accepted by then */
    if (wait > half)
        wait = half > one ? half : one;
    return wait * 3 / 4 + ((wait / 2 * r->dice) >> 32);
}

/* Some were throttled, so that what was accepted since the last such reply is all that there was. */
static void
measure(struct pace *p, uint64_t now_ms)
{
    uint64_t ms = now_ms - p->empty_ms;
    uint64_t rate = (uint64_t)p->accepted * 1000 / (ms > 0 ? ms : 1);

    if (p->per_second == 0) /* the bucket was full about a second ago */
        p->per_second = p->recent > 0 ? p->recent : UNKNOWN_PER_SECOND;
    else if (rate < (uint64_t)p->per_second * 4)
        p->per_second = (uint32_t)((p->per_second + rate + 1) / 2);
    else
        p->per_second *= 2;
    p->empty_ms = now_ms;
    p->accepted = 0;
}

/* Whether so many are throttled that it is about the stream, and not about a few records. */
static bool
speaks_of_stream(const struct pace *p, const struct pace_reply *r)
{
    if (r->throttled == 0 || r->throttled * 8 < r->sent)
        return false;
    if (p->per_second > 0)
        return r->accepted > 0 || p->accepted == 0;
    return r->throttled >= LEAST_RECORDS || (r->throttled > 1 && r->throttled > r->sent / 2);
}

static void
count(struct pace *p, uint64_t now_ms, const struct pace_reply *r)
{
    if (now_ms - p->recent_ms >= BUCKET_MS) {
        p->recent = now_ms - p->recent_ms < 2 * (uint64_t)BUCKET_MS ? p->recent / 2 : 0;
        p->recent_ms = now_ms;
    }
    p->recent += r->accepted;
    p->accepted += r->accepted;
    p->took_ms = r->took_ms;
}

bool
pace_replied(struct pace *p, uint64_t now_ms, const struct pace_reply *r)
{
    bool throttles = speaks_of_stream(p, r);
    bool paced = throttles || p->per_second > 0;

    count(p, now_ms, r);
    p->next_ms = 0;
    if (throttles)
        measure(p, now_ms);
    else if (p->per_second == 0)
        return false;
    else if (now_ms - p->empty_ms >= BUCKET_MS || (r->full && r->sent >= r->most))
        p->per_second = 0;
    else if (r->full && r->accepted > 0)
        p->per_second += p->per_second / 2 + 1;
    /* when all that there was has gone, the next ones need not wait */
    if (p->per_second > 0 && (r->throttled > 0 || r->full))
        p->next_ms = now_ms + 1 + wait_ms(p, r);
    return paced;
}

void
pace_hurry(struct pace *p, uint64_t now_ms, uint32_t left_ms)
{
    uint32_t wait = left_ms / 2 < AWAITED_MS ? left_ms / 2 : AWAITED_MS;

    if (p->next_ms > now_ms + wait)
        p->next_ms = now_ms + wait;
}

uint32_t
pace_records(const struct pace *p, uint64_t now_ms, uint32_t most)
{
    uint64_t ms = now_ms - p->empty_ms + p->took_ms;
    uint64_t records;

    CHECK(most > 0);
    if (p->per_second == 0)
        return most;
    records = records_in(p->per_second, ms < BUCKET_MS ? ms : BUCKET_MS);
    records = records > p->accepted ? records - p->accepted : 0;
    if (records > most)
        return most;
    return records > 0 ? (uint32_t)records : 1;
}
