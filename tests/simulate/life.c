#include <stdarg.h>
#include <stdio.h>

#include "laws.h"
#include "life.h"

/* Time goes from one thing that happens to the next; after each the machine is asked for its orders. */

enum { BEGIN_MS = 1000000, ORDERS_MAX = 4096 };

/* The world's wall clock at its beginning. */
#define EPOCH_MS 1796000000000

struct moment
life_now(const struct life *w)
{
    return (struct moment){
        .ms = w->clock.ms - w->clock.stood_ms,
        .wall_ms = (uint64_t)(EPOCH_MS + (int64_t)w->clock.ms + w->clock.wall_off_ms),
    };
}

bool
life_fault(struct life *w, enum fault fault)
{
    if (w->plan.per_mille[fault] == 0 || w->platform.calm_ms > 0 ||
        !dice_chance(&w->dice, w->plan.per_mille[fault]))
        return false;
    w->struck++;
    life_say(w, "fault: %s", plan_fault_name(fault));
    return true;
}

void
life_say(struct life *w, const char *format, ...)
{
    va_list arguments;

    if (!w->aloud)
        return;
    printf("%9.3f  ", (double)(w->clock.ms - BEGIN_MS) / 1000);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void
add_to_hash(struct life *w, uint64_t number)
{
    w->hash = (w->hash ^ number) * 0x100000001b3;
    w->hash ^= w->hash >> 29;
}

/* Carries out one order of the machine. */
static void
obey(struct life *w, enum delivery_act act, const struct delivery_order *order)
{
    switch (act) {
    case DELIVERY_NOTE:
        laws_noted(w, order);
        life_say(w, "  note: %s",
                 order->note == DELIVERY_FULL
                     ? "the queue is full, events are dropped"
                     : (order->note == DELIVERY_OPENED ? "the breaker opens" : "it recovers"));
        break;
    case DELIVERY_ABORT:
        client_abort(w);
        break;
    case DELIVERY_ABORT_DEAD:
        letter_abort(w);
        break;
    case DELIVERY_REFRESH:
        client_refresh(w);
        break;
    case DELIVERY_RESUME:
        telemetry_resume(w);
        break;
    case DELIVERY_CONNECT:
        if (breaker_open(&w->machine.breaker) || w->machine.urgency.over)
            laws_break(w, "hold: a connection that is in vain");
        client_connect(w);
        break;
    case DELIVERY_CREDENTIALS:
        client_credentials(w);
        break;
    case DELIVERY_SEND:
        client_send(w, order);
        break;
    case DELIVERY_BURY:
        letter_bury(w, order);
        break;
    case DELIVERY_WAIT:
    default:
        laws_break(w, "an order that nobody knows: %d", (int)act);
    }
}

static const char *const names[] = {
    [DELIVERY_WAIT] = "wait",
    [DELIVERY_NOTE] = "note",
    [DELIVERY_ABORT] = "give up the call",
    [DELIVERY_ABORT_DEAD] = "give up the dead letter",
    [DELIVERY_REFRESH] = "fetch credentials anew",
    [DELIVERY_RESUME] = "resume",
    [DELIVERY_CONNECT] = "connect",
    [DELIVERY_CREDENTIALS] = "are there credentials?",
    [DELIVERY_SEND] = "send",
    [DELIVERY_BURY] = "bury",
};

/* Asks for orders until there are none. */
static void
drive(struct life *w)
{
    struct delivery_order order;
    enum delivery_act act;
    unsigned n = 0;

    while (w->laws.broken == NULL) {
        struct moment now = life_now(w);

        order = (struct delivery_order){.at_ms = UINT64_MAX};
        act = delivery_next(&w->machine, now, &order);
        add_to_hash(w, (uint64_t)act);
        if (act == DELIVERY_WAIT)
            break;
        if (act == DELIVERY_SEND || act == DELIVERY_BURY) {
            enum queue_batch b = act == DELIVERY_SEND ? QUEUE_STREAM : QUEUE_DEAD_LETTER;

            add_to_hash(w, now.ms);
            add_to_hash(w, queue_batch_len(&w->machine.queue, b));
            life_say(w, "  %s %u records", names[act], queue_batch_len(&w->machine.queue, b));
        } else if (act != DELIVERY_NOTE) {
            life_say(w, "  %s", names[act]);
        }
        if (++n > ORDERS_MAX)
            laws_break(w, "no spinning: %u orders at one moment, the last: %s", n, names[act]);
        obey(w, act, &order);
    }
    add_to_hash(w, order.at_ms);
    w->machine_at_ms = order.at_ms;
    laws_waits(w, n);
}

/* The world's time of a moment of the sandbox's monotonic clock. */
static uint64_t
world_ms(const struct life *w, uint64_t ms)
{
    uint64_t now = life_now(w).ms;

    if (ms == UINT64_MAX)
        return ms;
    return ms > now ? w->clock.ms + (ms - now) : w->clock.ms;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something happens next. In a freeze only the platform does anything. */
static uint64_t
next_ms(const struct life *w)
{
    const struct platform *p = &w->platform;
    uint64_t at = p->step_ms;

    if (p->frozen)
        return at;
    at = earlier(at, earlier(p->feed_ms, p->hold_ms));
    at = earlier(at, client_next_ms(w));
    at = earlier(at, w->letter.under_way ? w->letter.ends_ms : UINT64_MAX);
    return earlier(at, world_ms(w, w->machine_at_ms));
}

static void
happen(struct life *w)
{
    struct platform *p = &w->platform;

    if (p->step_ms <= w->clock.ms)
        platform_step(w);
    if (p->frozen)
        return;
    if (p->feed_ms <= w->clock.ms)
        telemetry_feed(w);
    client_step(w);
    letter_step(w);
}

static void
step(struct life *w)
{
    uint64_t at = next_ms(w);

    if (at == UINT64_MAX) {
        laws_break(w, "liveness: nothing will ever happen any more");
        return;
    }
    if (at > w->clock.ms)
        w->clock.ms = at;
    happen(w);
    if (w->platform.frozen || w->over)
        return;
    drive(w);
    if (w->laws.broken != NULL)
        return;
    if (platform_check(w) && !w->over)
        drive(w);
    laws_step(w);
}

/* Only what is used is set anew: events and pieces are when they are drawn. */
static void
begin(struct life *w, uint64_t seed, const struct lives_less *less, bool aloud)
{
    memset(w, 0, offsetof(struct life, pieces));
    w->dice.state = seed;
    w->aloud = aloud;
    w->clock.ms = BEGIN_MS;
    plan_draw(&w->plan, &w->dice, less);
    w->machine_at_ms = UINT64_MAX;
    laws_begin(w);
    platform_begin(w);
    drive(w);
}

/* What the life is like, in a line or two. */
static void
introduce(struct life *w)
{
    const struct settings *s = &w->plan.settings;

    life_say(
        w,
        "queue %u bytes, %u attempts, budget %u ms, flush %d, drop %d, oversize %d, dead "
        "letter %d, "
        "format %d, key %d, lines %d of %u bytes, gzip %d, linger %u ms, timeouts %u and %u ms",
        s->queue_max_bytes, s->max_attempts, s->flush_budget_ms, (int)s->flush, (int)s->drop,
        (int)s->oversize, (int)s->dead_letter, (int)s->format, (int)s->key, (int)s->aggregation,
        s->aggregation_max_bytes, (int)s->compression, s->linger_ms, s->connect_timeout_ms,
        s->request_timeout_ms);
    for (unsigned i = 0; i < FAULTS; i++)
        if (w->plan.per_mille[i] > 0)
            life_say(w, "may strike: %s, %u of 1,000", plan_fault_name((enum fault)i),
                     w->plan.per_mille[i]);
}

void
lives_live(uint64_t seed, const struct lives_less *less, bool aloud, struct lives_result *result)
{
    static struct life w;

    begin(&w, seed, less, aloud);
    introduce(&w);
    while (!w.over && w.laws.broken == NULL)
        step(&w);
    if (w.laws.broken == NULL)
        laws_end(&w);
    *result = (struct lives_result){
        .broken = w.laws.broken,
        .hash = w.hash,
        .events = w.events_len,
        .calls = w.calls,
        .faults = w.struck,
        .simulated_ms = w.clock.ms - BEGIN_MS,
    };
}
