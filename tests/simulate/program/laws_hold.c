#include <string.h>

#include "lambda_parts.h"
#include "protocol/event.h"
#include "protocol/settings.h"

/*
 * How long an invocation is held: src/README.md, "How long an invocation is held". Times are those at which the program
 * can know at the latest: the end of an invocation when the POST with it was answered, for instance.
 */

enum {
    SLACK_US = 30000,     /* to work off what has come */
    WELL_US = 50000,      /* for a call to Kinesis, with a connection and credentials */
    CLOCK_US = 2000,      /* of clocks that count milliseconds */
    DEADLINE_US = 100000, /* before the invocation's deadline */
    LATE_US = 500000,     /* an end that is told later is not counted from when it was */
    PACE = 8, /* invocations, before which "adaptive" does not know how they follow each other */
    FAILED_MOST_MS =
        1000, /* the budget after an end that is no success, and the silence after a sign of loss */
};

static uint64_t handed_us, frozen_us;
static uint64_t handed_least_us; /* it cannot have read INVOKE before */
static bool asked, confused;
static uint64_t
    opened_us; /* the circuit breaker has been open since then, if no probe was accepted; 0: closed */

uint64_t
hold_tolerance_us(uint64_t frozen_before_us)
{
    return SLACK_US + 4ULL * world.plan.kernel.latency_us + kernel_figures().frozen_us -
           frozen_before_us;
}

void
hold_begin(const struct invocation *v, size_t bytes)
{
    const struct kernel_faults *k = &world.plan.kernel;

    handed_least_us = kernel_us();
    handed_us = handed_least_us + bytes / k->buffer_bytes * 2 * k->latency_us;
    confused = invocation_is_confused(v);
    frozen_us = kernel_figures().frozen_us;
    asked = false;
}

void
hold_forget(void)
{
    opened_us = 0;
}

void
hold_line(struct span line)
{
    if (span_find(line, SPAN("nothing is sent for a while")) != NULL)
        opened_us = kernel_us();
    else if (span_find(line, SPAN("delivering again")) != NULL)
        opened_us = 0;
}

void
hold_nothing(void)
{
    asked = true;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
least_ms(uint64_t ms)
{
    return ms < FAILED_MOST_MS ? ms : FAILED_MOST_MS;
}

/* The budget is that after the end, however long the platform has buffered the news of it. */
static uint64_t
counts_from_us(const struct book *done)
{
    uint64_t buffer_us = 1000ULL * poster_subscription.timeout_ms + LATE_US;

    if (done->given_us - done->made_us > buffer_us || done->made_us < handed_us)
        return later(done->given_us, handed_us);
    return done->made_us;
}

/*
 * By its end, if the program has been told. Where POSTs overtake each other it may hear of the beginning after the end,
 * and takes it for another attempt; so it does with an end that it hears of before INVOKE, but not of the beginning.
 * What came while it stood still with INVOKE unread it may read in any order.
 */
static uint64_t
by_end_us(const struct invocation *v)
{
    uint64_t budget_ms = world.plan.budget_ms;
    uint64_t stood_us = kernel_figures().frozen_us - frozen_us;
    const struct book *done;

    if (v->done == NO_NUMBER || !poster_in_order())
        return UINT64_MAX;
    done = books_at(v->done);
    if (!done->given ||
        (done->sent_us < handed_us + SLACK_US + stood_us && !books_at(v->start)->given))
        return UINT64_MAX;
    if (invocation_resets(v->end))
        budget_ms = 0;
    else if (v->end != END_SUCCESS)
        budget_ms = least_ms(budget_ms);
    return later(later(done->given_us, handed_us), counts_from_us(done) + 1000 * budget_ms);
}

/* The end as it may have been heard of, whole or of a POST that broke off: NULL if not at all. */
static const struct book *
heard_end(const struct invocation *v)
{
    if (v->first != NO_NUMBER && books_at(v->first)->sends > 0)
        return books_at(v->first);
    /* the first was lost, and it was told again */
    return v->told != NO_NUMBER && books_at(v->told)->sends > 0 ? books_at(v->told) : NULL;
}

/*
 * When the program has heard something at the latest. While its queue is full it does not read, and that is no silence:
 * it goes on when records are taken.
 */
static uint64_t
heard_us(void)
{
    bool may_be_full = 2 * books_bytes() > world.plan.queue_bytes;

    return may_be_full ? later(poster_heard_us(), books_arrived_us()) : poster_heard_us();
}

/* After a sign that the end may be lost: by silence, unless the program is why there is silence. */
static uint64_t
by_silence_us(const struct invocation *v)
{
    uint64_t trouble_us = poster_trouble_us();
    const struct book *done = heard_end(v);
    uint64_t until;

    if (trouble_us < handed_us || !poster_idle())
        return UINT64_MAX;
    until = later(trouble_us, heard_us()) + 1000 * least_ms(world.plan.budget_ms);
    /* of a POST that broke off, or of one of several, it may have been heard */
    if (done != NULL)
        until = later(until, later(done->sent_us, done->given_us) + 1000ULL * world.plan.budget_ms);
    return until;
}

/* By silence without any sign, where that is set. */
static uint64_t
by_setting_us(const struct invocation *v)
{
    /* the end of an earlier attempt may be taken for its own, and begins the budget */
    if (world.plan.silence_ms == 0 || heard_end(v) != NULL || confused || v->confused ||
        !poster_idle())
        return UINT64_MAX;
    return later(handed_us, heard_us()) + 1000ULL * world.plan.silence_ms;
}

static uint64_t
until_us(const struct invocation *v, const char **why)
{
    uint64_t deadline_us = later(handed_us, v->deadline_us - DEADLINE_US);
    uint64_t end_us = by_end_us(v);
    /* an end that has come is what counts, whatever else was lost */
    uint64_t silence_us = end_us == UINT64_MAX ? by_silence_us(v) : UINT64_MAX;
    uint64_t setting_us = by_setting_us(v);
    uint64_t until = earlier(earlier(deadline_us, setting_us), earlier(end_us, silence_us));

    *why = until == end_us       ? "after its end"
           : until == silence_us ? "after a sign of loss"
           : until == setting_us ? "after the silence that is set"
                                 : "to its deadline";
    /* the line that tells of its closing may be lost */
    if (opened_us > books_arrived_us() && world.plan.kernel.pipe_full == 0 &&
        later(opened_us, handed_us) < until) {
        *why = "while the circuit breaker is open";
        until = later(opened_us, handed_us);
    }
    if (!api_subscribed() || world.plan.flush == FLUSH_CONTINUOUS) {
        *why = "although there is nothing to wait for";
        until = handed_us;
    }
    return until;
}

bool
laws_services_are_well(void)
{
    for (unsigned i = WORLD_REFUSED; i < WORLD_FAULTS; i++)
        if (world.plan.per_mille[i] > 0)
            return false;
    return world.plan.kernel.datagram_lost == 0;
}

uint64_t
laws_trips_us(void)
{
    /* JSON, base64 and the reply around each record; functionName to coldStart */
    enum { TRIPS = 20, OF_A_BUFFER = 3, AROUND = 30, ENRICHED = 150 };
    const struct kernel_faults *k = &world.plan.kernel;
    uint64_t around = world.plan.format == EVENT_ENRICHED ? AROUND + ENRICHED : AROUND;
    uint64_t buffers = (books_bytes() + around * books_len()) / k->buffer_bytes;

    return (TRIPS + OF_A_BUFFER * buffers) * k->latency_us;
}

/*
 * Where all is well an invocation is held for a few trips to Kinesis, also the first of a copy of a snapshot, which
 * needs a connection and perhaps credentials: SnapStart must not cost more than 50 ms.
 */
static void
check_well(const struct invocation *v, uint64_t now)
{
    const struct book *done = v->done == NO_NUMBER ? NULL : books_at(v->done);
    /* a question to a name server that does not fit into the connection at once is asked again after 200 ms */
    bool asks_again = world.plan.by_name && world.plan.kernel.short_write > 0;
    uint64_t until;

    /* an end that it does not know for that of this invocation has no say */
    if (done == NULL || by_end_us(v) == UINT64_MAX || !laws_services_are_well() ||
        world.plan.per_mille[WORLD_FREEZE_CUTS] > 0 || asks_again)
        return;
    until =
        later(done->given_us, handed_us) + WELL_US + laws_trips_us() + hold_tolerance_us(frozen_us);
    if (now > until)
        world_break("hold: %u ms too long although all is well with the services",
                    (unsigned)((now - until) / 1000));
}

void
hold_asked(const struct invocation *v)
{
    const char *why;
    uint64_t until;
    uint64_t now = kernel_us();

    if (asked || world.plan.managed)
        return;
    asked = true;
    until = until_us(v, &why) + hold_tolerance_us(frozen_us);
    if (now > until)
        world_break("hold: %u ms too long %s", (unsigned)((now - until) / 1000), why);
    check_well(v, now);
}

/* --- not too early ----------------------------------------------------------------------------------------- */

/* Whether nothing but its end and the delivery of its telemetry can end the hold, before this moment at least. */
static bool
is_certain(const struct invocation *v, uint64_t now)
{
    static const enum world_fault doubt[] = {
        WORLD_API_RESETS, WORLD_API_REFUSES,  WORLD_API_SLOW,   WORLD_POST_BREAKS,
        WORLD_POST_LOST,  WORLD_POST_DOUBLED, WORLD_RECORD_CUT, WORLD_DROPS};
    bool holds = world.plan.flush == FLUSH_END ||
                 (world.plan.flush == FLUSH_ADAPTIVE && lambda.of_run <= PACE);
    /* a call made before the end on a connection that died in a freeze opens the breaker, where one failure does */
    bool may_open = world.plan.per_mille[WORLD_FREEZE_CUTS] > 0 && world.plan.max_attempts == 1;

    return holds && !may_open && !world_may_strike(doubt, sizeof doubt / sizeof *doubt) &&
           api_subscribed() && !confused && !v->confused && laws_services_are_well() &&
           poster_in_order() && world.plan.kernel.freeze == 0 &&
           world.plan.kernel.short_write == 0 && world.plan.kernel.latency_us <= WORLD_NEAR_US &&
           world.plan.event_bytes <= 10000 && 2 * books_bytes() < world.plan.queue_bytes &&
           now + 2ULL * DEADLINE_US < v->deadline_us &&
           (world.plan.silence_ms == 0 ||
            now + CLOCK_US < handed_least_us + 1000ULL * world.plan.silence_ms);
}

/* Whether it is to be delivered: what may be filtered is if its invocation fails, and there was room to hold it all. */
static bool
is_owed(const struct book *b, const struct invocation *v)
{
    return !b->quiet || (v->end != END_SUCCESS && 2 * books_bytes() < world.plan.held_bytes &&
                         strcmp(b->request, v->id) == 0);
}

/* What was told before the end. */
static void
check_delivered(const struct invocation *v)
{
    const struct book *done = books_at(v->done);

    for (uint32_t i = 0; i < v->done; i++) {
        const struct book *b = books_at(i);

        if (b->sandbox == world.sandbox && b->wanted && b->given && !b->nameless && is_owed(b, v) &&
            b->given_us <= done->given_us && b->in_stream + b->in_dead_letter == 0)
            world_break("hold: not held until event %u is delivered", i);
    }
}

void
hold_next(const struct invocation *v)
{
    uint64_t now = kernel_us();
    bool first = !asked && !world.plan.managed;

    hold_asked(v);
    if (!first || !is_certain(v, now))
        return;
    if (!v->ended)
        world_break("hold: not held until the function has ended");
    if (v->first == NO_NUMBER || books_at(v->first)->sends == 0)
        world_break("hold: not held until its end was told");
    if (!invocation_resets(v->end) && v->first == v->done && now + DEADLINE_US < by_end_us(v))
        check_delivered(v);
}
