#include <stdio.h>

#include "laws.h"
#include "life.h"

/*
 * The platform's side, and the life cycle's, which stands between it and the machine: invocations, how
 * long they are held, freezes, SHUTDOWN. Both in so far as the machine sees anything of them
 * (src/extension/lifecycle.c).
 */

enum {
    EVENTS_LEAST = 200,
    FAULTS_LEAST = 3,
    INVOCATIONS_MOST = 60, /* however few faults strike */
    MARGIN_MS = 100,
    CALM_EVENTS = 4,
    HOUR_MS = 3600000,
    TICK_MS = 500, /* delivery.h */
};

/* --- the life cycle: what is held for how long --- */

bool
platform_holding(const struct life *w)
{
    const struct platform *p = &w->platform;

    return p->state == LIFE_RUNNING && !p->asked;
}

/* What the platform does between two invocations. */
void
platform_rest(struct life *w)
{
    struct platform *p = &w->platform;
    uint32_t gap = dice_magnitude(&w->dice, 1, dice_chance(&w->dice, 200) ? 600000 : 2000);

    p->state = LIFE_IDLE;
    if (w->platform.calm_ms > 0)
        gap = dice_between(&w->dice, 200, 3000);
    p->step_ms = w->clock.ms + gap;
    p->frozen = life_fault(w, FAULT_FREEZE);
    p->frozen_ms = w->clock.ms;
    if (p->frozen)
        life_say(w, "frozen for %u ms", gap);
}

/* `next` is asked for. */
static void
next(struct life *w)
{
    struct platform *p = &w->platform;

    p->hold_ms = UINT64_MAX;
    p->asked = true;
    delivery_await(&w->machine, life_now(w), 0);
    telemetry_patience(w, DELIVERY_PATIENCE_MS);
    laws_released(w);
    life_say(w, "next");
    if (p->posts_left == 0 && p->feed_left == 0)
        platform_rest(w);
}

static bool
check_hold(struct life *w)
{
    struct platform *p = &w->platform;
    struct delivery *m = &w->machine;
    const struct settings *s = &w->plan.settings;
    struct moment now = life_now(w);
    struct flush_state state = {
        .policy = s->flush,
        .managed_instances = s->managed_instances,
        .frequent = p->invocations % 8 > 5,
        .crowded = delivery_crowded(m),
        .subscribed = true,
        .runtime_done = p->ended,
        .drained = delivery_delivered(m),
        .now_ms = now.ms,
        .runtime_done_ms = p->done_ms,
        .heard_ms = now.ms,
        .deadline_ms = p->deadline_ms,
        .budget_ms = s->flush_budget_ms,
    };
    bool new = !w->laws.held;
    uint32_t hold_ms;

    state.delivery_rests = delivery_pointless_until(m, now, flush_until_ms(&state), p->ended);
    hold_ms = flush_hold_ms(&state);
    if (hold_ms == 0) {
        next(w);
        return true;
    }
    p->hold_ms = w->clock.ms + hold_ms;
    if (!p->ended)
        return false;
    laws_held(w, now.ms + hold_ms);
    delivery_await(m, now, now.ms + hold_ms);
    return new;
}

/* --- the end --- */

static void
end_life(struct life *w)
{
    if (w->client.call.under_way)
        client_abort(w);
    if (w->letter.under_way)
        letter_abort(w);
    laws_ends(w);
    delivery_end(&w->machine);
    /* what the listener still has is counted */
    w->platform.feed_pace = UINT32_MAX;
    telemetry_feed(w);
    w->over = true;
}

static void
check_end(struct life *w)
{
    struct platform *p = &w->platform;
    uint64_t now = life_now(w).ms;

    if (now >= p->end_ms ||
        (delivery_drained(&w->machine) && p->posts_left == 0 && p->feed_left == 0)) {
        end_life(w);
        return;
    }
    p->hold_ms = w->clock.ms + (p->end_ms - now);
}

bool
platform_check(struct life *w)
{
    struct platform *p = &w->platform;

    if (p->hold_ms <= w->clock.ms)
        p->hold_ms = UINT64_MAX;
    if (platform_holding(w))
        return check_hold(w);
    if (p->state == LIFE_ENDING)
        check_end(w);
    return false;
}

/* --- invocations --- */

static void
set_clock(struct life *w)
{
    int64_t by = dice_magnitude(&w->dice, 1, dice_below(&w->dice, 2) == 0 ? 60000 : 3 * HOUR_MS);

    if (dice_below(&w->dice, 2) == 0)
        by = -by;
    w->clock.wall_off_ms += by;
    w->laws.jumps++;
    life_say(w, "the wall clock is set by %lld ms", (long long)by);
}

static void
begin_outage(struct life *w)
{
    struct outage *o = &w->outage;
    uint32_t begins = dice_below(&w->dice, 1000);

    enum fault how = w->plan.framed
                         ? FAULT_FOR_RECORDS
                         : (enum fault)dice_between(&w->dice, FAULT_INTERNAL, FAULT_SKEW);

    /* what seems to be at fault twice, others having been accepted between, cannot be told from what is */
    if (how == FAULT_FOR_RECORDS)
        w->framed++;
    if (how == FAULT_FOR_RECORDS && w->framed > 1)
        how = FAULT_INTERNAL;
    *o = (struct outage){
        .from_ms = w->clock.ms + begins,
        .to_ms = w->clock.ms + begins +
                 dice_magnitude(&w->dice, 50, dice_below(&w->dice, 4) == 0 ? 600000 : 10000),
        .how = how,
    };
    life_say(w, "from %u ms on for %u ms: %s", begins, (unsigned)(o->to_ms - o->from_ms),
             plan_fault_name(o->how));
}

static struct intake_seed
draw_seed(struct life *w)
{
    struct intake_seed seed = {.numbers = dice_draw(&w->dice)};

    for (size_t i = 0; i < sizeof seed.sandbox; i++)
        seed.sandbox[i] = (uint8_t)dice_below(&w->dice, 256);
    return seed;
}

/* Calls and fetches are given up before the snapshot. */
static void
restore(struct life *w)
{
    struct intake_seed seed = draw_seed(w);
    struct client *client = &w->client;

    w->plan.per_mille[FAULT_RESTORE] = 0;
    if (client->call.under_way)
        client_abort(w);
    if (w->letter.under_way)
        letter_abort(w);
    laws_snapshot(w);
    delivery_sleep(&w->machine);
    delivery_restored(&w->machine, &seed);
    laws_restored(w);
    client->connected = client->fetching = false;
    client->calm_ms = 0;
    client->refused = w->plan.fetches;
    life_say(w, "restored");
}

/* What may go wrong between two invocations. */
static void
misfortune(struct life *w)
{
    struct client *client = &w->client;

    if (life_fault(w, FAULT_JUMP))
        set_clock(w);
    if (w->clock.ms >= w->outage.to_ms && life_fault(w, FAULT_OUTAGE))
        begin_outage(w);
    if (w->plan.settings.snap_start && life_fault(w, FAULT_RESTORE))
        restore(w);
    /* those of the environment do not come back by being fetched */
    if (!w->plan.fetches && client->credentials != CREDENTIALS_GOOD && dice_below(&w->dice, 4) == 0)
        client->credentials = CREDENTIALS_GOOD;
}

static void
invoke(struct life *w)
{
    struct platform *p = &w->platform;
    uint32_t events = p->calm_ms > 0 ? CALM_EVENTS : dice_below(&w->dice, 2 * w->plan.events + 1);
    bool burst;

    p->invocations++;
    burst = w->plan.burst > 0 && p->invocations == w->plan.invocations;
    if (burst)
        events = w->plan.burst;
    misfortune(w);
    p->state = LIFE_RUNNING;
    p->asked = p->ended = false;
    p->posts_left = burst ? 1 : dice_between(&w->dice, 1, 4);
    p->post_events = (events + p->posts_left - 1) / p->posts_left;
    p->feed_pace = dice_magnitude(&w->dice, w->plan.burst > 0 ? 100 : 1, 400);
    p->deadline_ms = life_now(w).ms + dice_magnitude(&w->dice, 1000, 60000);
    p->step_ms = w->clock.ms + dice_magnitude(&w->dice, 1, 1000);
    (void)snprintf(p->request_id, sizeof p->request_id, "00000000-0000-4000-8000-%012u",
                   p->invocations);
    intake_request(&w->machine.intake, span_of(p->request_id));
    life_say(w, "invocation %u", p->invocations);
    laws_news(w);
    telemetry_renew_patience(w);
    delivery_open(&w->machine);
}

static void
shut_down(struct life *w)
{
    struct platform *p = &w->platform;
    uint32_t left = w->plan.shutdown_ms > MARGIN_MS ? w->plan.shutdown_ms - MARGIN_MS : 0;

    p->state = LIFE_ENDING;
    p->asked = true;
    p->end_ms = life_now(w).ms + left;
    p->step_ms = UINT64_MAX;
    if (dice_below(&w->dice, 2) == 0) {
        p->posts_left = 1;
        p->post_events = dice_below(&w->dice, w->plan.events + 1);
        p->step_ms = w->clock.ms + dice_below(&w->dice, 100);
    }
    life_say(w, "SHUTDOWN in %u ms", left);
    laws_shut_down(w);
    delivery_last_chance(&w->machine, life_now(w), p->end_ms);
}

/* From now on nothing fails any more. */
static void
calm_down(struct life *w)
{
    w->platform.calm_ms = w->clock.ms;
    w->platform.calm = w->platform.invocations;
    w->outage.to_ms = 0;
    w->client.credentials = CREDENTIALS_GOOD;
    w->client.refused = false;
    w->client.offset_ms = -w->clock.wall_off_ms;
    life_say(w, "all faults cease");
}

/* Whether there was enough of everything. */
static bool
lived(const struct life *w)
{
    const struct platform *p = &w->platform;

    return p->invocations >= w->plan.invocations &&
           ((w->events_len >= EVENTS_LEAST &&
             (w->struck >= FAULTS_LEAST || w->plan.throttled_alone || w->plan.poisoned_alone)) ||
            p->invocations >= INVOCATIONS_MOST || w->events_len + 1 >= EVENTS_MAX);
}

static void
thaw(struct life *w)
{
    struct platform *p = &w->platform;
    uint64_t ms = w->clock.ms - p->frozen_ms;

    p->frozen = false;
    w->clock.frozen_ms += ms;
    w->clock.long_frozen_ms += ms > TICK_MS ? ms - TICK_MS : 0;
    if (w->plan.stands_in_freeze)
        w->clock.stood_ms += ms;
    client_thawed(w);
    laws_news(w);
}

static void
leave_idleness(struct life *w)
{
    struct platform *p = &w->platform;

    if (p->frozen)
        thaw(w);
    if (p->calm_ms == 0 && lived(w) && w->plan.peaceful)
        calm_down(w);
    if (p->calm_ms > 0 ? laws_calm(w) : lived(w))
        shut_down(w);
    else
        invoke(w);
}

void
platform_step(struct life *w)
{
    if (w->platform.state == LIFE_IDLE)
        leave_idleness(w);
    else if (w->platform.posts_left > 0)
        telemetry_post(w);
    else
        w->platform.step_ms = UINT64_MAX;
}

void
platform_begin(struct life *w)
{
    struct intake_seed seed = draw_seed(w);
    static char memory[16 << 20] __attribute__((aligned(16)));
    const struct settings *settings = &w->plan.settings;

    if (delivery_bytes(settings) > sizeof memory)
        laws_break(w, "the machine wants %zu bytes", delivery_bytes(settings));
    delivery_init(&w->machine, settings, memory, &seed);
    if (settings->format == EVENT_CLOUDWATCH)
        delivery_account(&w->machine, SPAN("123456789012"));
    stream_open(&w->stream, w->plan.shards, w->clock.ms);
    w->platform = (struct platform){
        .state = LIFE_IDLE,
        .asked = true,
        .step_ms = w->clock.ms + dice_below(&w->dice, 500),
        .feed_ms = UINT64_MAX,
        .hold_ms = UINT64_MAX,
    };
    w->client.form = settings->wire;
    if (life_fault(w, FAULT_CREDENTIALS))
        w->client.credentials = CREDENTIALS_NONE;
    if (!settings->snap_start)
        delivery_open(&w->machine);
}
