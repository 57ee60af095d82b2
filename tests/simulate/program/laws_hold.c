#include "lambda.h"
#include "protocol/settings.h"

/*
 * How long an invocation is held: README.md, "How long an invocation is held". Times are those at which the program
 * can know at the latest: the end of an invocation when the POST with it was answered, for instance.
 */

enum {
    SLACK_US = 30000,     /* to work off what has come */
    WELL_US = 50000,      /* for a call to Kinesis, with a connection and credentials */
    DEADLINE_US = 100000, /* before the invocation's deadline */
    FAILED_MOST_MS =
        1000, /* the budget after an end that is no success, and the silence after a sign of loss */
};

static uint64_t handed_us, frozen_us;
static bool asked;
static uint64_t
    opened_us; /* the circuit breaker has been open since then, if no probe was accepted; 0: closed */

uint64_t
hold_tolerance_us(uint64_t frozen_before_us)
{
    return SLACK_US + 4ULL * world.plan.kernel.latency_us + kernel_figures().frozen_us -
           frozen_before_us;
}

void
hold_begin(const struct invocation *v)
{
    (void)v;
    handed_us = kernel_us();
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

/*
 * By its end, if the program has been told. Where POSTs overtake each other it may hear of the beginning after the end,
 * and takes it for another attempt; so it does with an end that it hears of before INVOKE, but not of the beginning.
 */
static uint64_t
by_end_us(const struct invocation *v)
{
    uint64_t budget_ms = world.plan.budget_ms;
    const struct book *done;

    if (v->done == NO_NUMBER || !poster_in_order())
        return UINT64_MAX;
    done = books_at(v->done);
    if (!done->given || (done->sent_us < handed_us && !books_at(v->start)->given))
        return UINT64_MAX;
    if (invocation_resets(v->end))
        budget_ms = 0;
    else if (v->end != END_SUCCESS)
        budget_ms = least_ms(budget_ms);
    return later(done->given_us, handed_us) + 1000 * budget_ms;
}

/* After a sign that the end may be lost: by silence, unless the program is why there is silence. */
static uint64_t
by_silence_us(void)
{
    uint64_t trouble_us = poster_trouble_us();

    if (trouble_us < handed_us || !poster_idle())
        return UINT64_MAX;
    return later(trouble_us, poster_heard_us()) + 1000 * least_ms(world.plan.budget_ms);
}

static uint64_t
until_us(const struct invocation *v, const char **why)
{
    uint64_t deadline_us = later(handed_us, v->deadline_us - DEADLINE_US);
    uint64_t end_us = by_end_us(v);
    /* an end that has come is what counts, whatever else was lost */
    uint64_t silence_us = end_us == UINT64_MAX ? by_silence_us() : UINT64_MAX;
    uint64_t until = earlier(deadline_us, earlier(end_us, silence_us));

    *why = until == end_us       ? "after its end"
           : until == silence_us ? "after a sign of loss"
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

/*
 * Where all is well an invocation is held for a few trips to Kinesis, also the first of a copy of a snapshot, which
 * needs a connection and perhaps credentials: SnapStart must not cost more than 50 ms.
 */
static void
check_well(const struct invocation *v, uint64_t now)
{
    const struct kernel_faults *k = &world.plan.kernel;
    uint64_t trips = 20 + 3 * (books_bytes() / k->buffer_bytes);
    const struct book *done = v->done == NO_NUMBER ? NULL : books_at(v->done);
    uint64_t until;

    if (done == NULL || !done->given || !laws_services_are_well() || !poster_in_order())
        return;
    until = later(done->given_us, handed_us) + WELL_US + trips * k->latency_us +
            hold_tolerance_us(frozen_us);
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
