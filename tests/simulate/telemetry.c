#include "laws.h"
#include "life.h"

/* The platform's POSTs, and the listener that reads them: as far as there is room. */

enum { LEAST_PATIENCE_MS = 25 };

void
telemetry_patience(struct life *w, uint32_t ms)
{
    laws_patience(w, ms);
    delivery_patience(&w->machine, life_now(w), ms);
}

/* How much a full queue may keep the platform waiting. */
void
telemetry_renew_patience(struct life *w)
{
    uint32_t ms = w->plan.settings.flush_budget_ms;

    w->platform.patience_ms = ms > LEAST_PATIENCE_MS ? ms : LEAST_PATIENCE_MS;
    telemetry_patience(w, w->platform.patience_ms);
}

static void
damage(struct life *w)
{
    if (!life_fault(w, FAULT_DAMAGE) || w->events_len + 1 >= EVENTS_MAX)
        return;
    if (!w->platform.drawn)
        records_draw(w);
    w->platform.drawn = false;
    w->events[w->events_len].lost = true;
    delivery_lost(&w->machine, dice_below(&w->dice, 2) == 0 ? DROP_CUT : DROP_UNREADABLE);
    records_taken(w);
}

/* One event is offered to the machine. Returns whether it was taken. */
static bool
offer(struct life *w)
{
    struct platform *p = &w->platform;
    struct event event;

    if (!p->drawn)
        records_draw(w);
    p->drawn = true;
    event = records_event(w);
    laws_offers(w);
    laws_fresh(w);
    if (delivery_event(&w->machine, life_now(w), &event) != 0) {
        if (!p->stopped) {
            life_say(w, "no room for event %u", w->events_len);
            p->stopped_ms = life_now(w).ms;
        }
        laws_full(w);
        laws_flushed(w); /* the queue is to be emptied */
        p->stopped = true;
        return false;
    }
    p->drawn = false;
    laws_came(w);
    records_taken(w);
    laws_offered(w);
    if (p->stopped && platform_holding(w)) {
        uint64_t waited = life_now(w).ms - p->stopped_ms;

        p->patience_ms -= waited < p->patience_ms ? (uint32_t)waited : p->patience_ms;
        telemetry_patience(w, p->patience_ms);
    }
    p->stopped = false;
    return true;
}

static void
flush(struct life *w)
{
    delivery_flush(&w->machine);
    laws_flushed(w);
}

/* The invocation's end is the last event of its last POST. */
static void
hear_end(struct life *w)
{
    struct platform *p = &w->platform;

    p->ended = true;
    p->done_ms = life_now(w).ms;
    if (platform_holding(w) || w->plan.settings.aggregation == AGGREGATION_NONE)
        flush(w);
    life_say(w, "runtimeDone");
    laws_news(w);
}

static void
end_post(struct life *w)
{
    struct platform *p = &w->platform;

    if (p->posts_left == 0 && p->state == LIFE_RUNNING)
        hear_end(w);
    if (platform_holding(w) && !delivery_crowded(&w->machine))
        telemetry_renew_patience(w);
    if (p->state == LIFE_ENDING || (platform_holding(w) && p->ended))
        flush(w);
    laws_news(w);
    if (p->posts_left == 0 && p->state == LIFE_RUNNING && p->asked)
        platform_rest(w);
}

/* The listener reads on. */
void
telemetry_feed(struct life *w)
{
    struct platform *p = &w->platform;
    uint32_t n = 0;

    p->feed_ms = UINT64_MAX;
    laws_news(w);
    while (p->feed_left > 0 && n < p->feed_pace && w->events_len + 1 < EVENTS_MAX) {
        damage(w);
        if (!offer(w))
            return;
        p->feed_left--;
        n++;
    }
    if (w->events_len + 1 >= EVENTS_MAX) {
        p->feed_left = 0;
        p->stopped = false; /* nothing waits any more */
    }
    life_say(w, "%u events came, %u are still to come", n, p->feed_left);
    if (p->feed_left > 0)
        p->feed_ms = w->clock.ms + dice_below(&w->dice, 2);
    else
        end_post(w);
}

void
telemetry_resume(struct life *w)
{
    if (w->platform.stopped)
        w->platform.feed_ms = w->clock.ms;
}

/* A POST falls due. While one is read it waits: what it has is added to that one. */
void
telemetry_post(struct life *w)
{
    struct platform *p = &w->platform;
    uint32_t events = p->post_events;

    if (dice_below(&w->dice, 3) == 0 && w->plan.burst == 0)
        events = dice_below(&w->dice, 2 * events + 1);
    if (w->plan.burst > 0 && p->invocations == w->plan.invocations && p->state == LIFE_RUNNING)
        laws_burst(w);
    p->posts_left--;
    p->feed_left += events;
    if (!p->stopped)
        p->feed_ms = w->clock.ms;
    p->step_ms = p->posts_left == 0
                     ? UINT64_MAX
                     : w->clock.ms + dice_below(&w->dice, w->plan.settings.buffer_timeout_ms);
}
