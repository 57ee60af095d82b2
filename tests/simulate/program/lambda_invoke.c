#include <stdio.h>
#include <string.h>

#include "lambda_parts.h"
#include "services.h"

/*
 * Invocations: INVOKE, the function, `next`, the deadline; what is between them; several at a time on Managed
 * Instances.
 */

enum {
    EVENTS_LEAST = 200,
    FAULTS_LEAST = 3,
    COPY_INVOCATIONS = 2,
    CONCURRENT = 6,
    TRACE_MOST = API_EVENT_MAX - 1000,
    WAITS_MOST = 40,         /* for a call that a freeze interrupts */
    CUTS_LEAST_US = 10000000 /* of freezes that connections may not survive */
};

/* --- invocations ---------------------------------------------------------------------------------------- */

bool
lambda_enough(void)
{
    if (lambda.copy)
        return lambda.of_run >= COPY_INVOCATIONS;
    if (lambda.invocations < world.plan.invocations)
        return false;
    return (books_len() >= EVENTS_LEAST && world.faults_seen >= FAULTS_LEAST) ||
           lambda.invocations >= 4 * world.plan.invocations;
}

static void
deadline(void *context)
{
    (void)context;
    if (lambda.invocation == NULL || lambda.phase != INVOKING)
        return;
    world_say("lambda", "the invocation has timed out");
    if (lambda.handed && !lambda.done)
        hold_asked(lambda.invocation);
    invocation_ends(lambda.invocation, END_TIMEOUT);
}

/* Both the function and the program are done. */
void
lambda_check_over(void)
{
    if (lambda.phase != INVOKING || lambda.invocation == NULL || !lambda.invocation->ended ||
        !lambda.done)
        return;
    kernel_cancel(deadline, NULL);
    invocation_report(lambda.invocation);
    lambda.invocation = NULL;
    lambda.phase = IDLE;
    lambda_rest();
}

static void
function_over(struct invocation *over)
{
    if (lambda.phase != INVOKING)
        return;
    if (invocation_resets(over->end)) {
        kernel_cancel(deadline, NULL);
        lambda.resets = true;
        if (dice_chance(&world.lambda, 500))
            invocation_report(over);
        lambda_shut_down(over->end == END_TIMEOUT ? "timeout" : "failure");
        return;
    }
    lambda_check_over();
}

void
lambda_invoke_handed(void)
{
    lambda.handed = true;
    lambda.done = false;
    if (lambda.invocation != NULL)
        hold_begin(lambda.invocation, lambda.invoke_bytes);
}

/* The next `next` counts as done with it, whatever the program knows. */
void
lambda_invoke_lost(void)
{
    lambda.handed = true;
    lambda.done = false;
    hold_nothing();
}

/* The first sign of `next` is what counts for how long an invocation was held. */
void
lambda_attempts(void)
{
    if (lambda.handed && !lambda.done && lambda.invocation != NULL)
        hold_next(lambda.invocation);
}

/*
 * What Lambda was given as the X-Ray trace header; some clients add much data of their own to it. May be absent.
 * Source: reference, 1.2.
 */
static struct span
tracing(char *to)
{
    static const char begin[] =
        ",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1-5;Sampled=0";
    size_t len = sizeof begin - 1;
    size_t more =
        dice_chance(&world.lambda, 40) ? dice_magnitude(&world.lambda, 100, TRACE_MOST) : 0;

    if (dice_chance(&world.lambda, 500))
        return (struct span){to, 0};
    memcpy(to, begin, len);
    for (; more > 0; more--, len++)
        to[len] = ";data=0123456789"[len % 16];
    memcpy(to + len, "\"}", 2);
    return (struct span){to, len + 2};
}

void
lambda_invoke(void *context)
{
    static char json[API_EVENT_MAX], trace[API_EVENT_MAX];
    struct span traced = tracing(trace);
    unsigned long long deadline_ms;
    int len;

    (void)context;
    if (lambda.phase != IDLE)
        return;
    lambda.phase = INVOKING;
    lambda.invocations++;
    lambda.of_run++;
    lambda.handed = lambda.done = false;
    lambda.invocation = invocation_start(function_over);
    deadline_ms = kernel_wall_ms() + (lambda.invocation->deadline_us - kernel_us()) / 1000;
    len = snprintf(
        json, sizeof json,
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":%llu,\"requestId\":\"%s\","
        "\"invokedFunctionArn\":\"arn:aws:lambda:eu-west-1:123456789012:function:function\"%.*s}",
        deadline_ms, lambda.invocation->id, (int)traced.len, traced.p);
    lambda.invoke_bytes = (size_t)len;
    kernel_at(lambda.invocation->deadline_us, deadline, NULL);
    api_invoke((struct span){json, (size_t)len});
}

static void
end_idle(void *context)
{
    (void)context;
    lambda_shut_down("spindown");
}

/* For what it was thawed. */
static void
thawed(void *context)
{
    world_say("lambda", "thaws");
    if (lambda_enough())
        end_idle(context);
    else
        lambda_invoke(context);
}

static void
freeze(void *context)
{
    bool cuts = world.plan.per_mille[WORLD_FREEZE_CUTS] > 0;
    uint64_t us =
        1000ULL * dice_magnitude(&world.lambda, cuts ? CUTS_LEAST_US / 1000 : 100, 3600000);
    uint32_t calls = dice_below(&world.lambda, 8);

    (void)context;
    /* what it interrupts is what matters */
    if (cuts && !services_busy() && lambda.waits++ < WAITS_MOST) {
        kernel_at(kernel_us() + 2000, freeze, NULL);
        return;
    }
    world_say("lambda", "freezes for %u ms", (unsigned)(us / 1000));
    if (us >= CUTS_LEAST_US)
        services_freeze();
    kernel_freeze(calls, us, dice_chance(&world.lambda, 500), thawed, NULL);
}

/* Between invocations. */
void
lambda_rest(void)
{
    uint32_t gap_ms = dice_magnitude(&world.lambda, 1, 600000);

    if (lambda.back_to_back)
        gap_ms = dice_below(&world.lambda, 20);
    if (lambda.suppressed && !lambda_enough()) {
        lambda.suppressed = false;
        lambda_invoke(NULL);
    } else if (world_fault(&world.lambda, WORLD_FREEZE) ||
               (lambda_enough() && world_fault(&world.lambda, WORLD_FREEZE_CUTS))) {
        lambda.waits = 0;
        kernel_at(kernel_us() + dice_below(&world.lambda, 30000), freeze, NULL);
    } else {
        kernel_at(kernel_us() + 1000ULL * gap_ms, lambda_enough() ? end_idle : lambda_invoke, NULL);
    }
}

/* --- Managed Instances ---------------------------------------------------------------------------------- */

static void
managed_over(struct invocation *over)
{
    invocation_report(over);
    lambda.running--;
}

static void
managed_timeout(void *context)
{
    struct invocation *late = context;

    if (late->active && !late->ended && kernel_us() >= late->deadline_us)
        invocation_ends(late, END_TIMEOUT);
}

void
lambda_managed(void *context)
{
    (void)context;
    if (lambda.phase != IDLE)
        return;
    if (lambda_enough() && lambda.running == 0) {
        end_idle(NULL);
        return;
    }
    if (!lambda_enough() && lambda.running < CONCURRENT) {
        struct invocation *started = invocation_start(managed_over);

        lambda.running++;
        lambda.invocations++;
        kernel_at(started->deadline_us, managed_timeout, started);
    }
    kernel_at(kernel_us() + dice_magnitude(&world.lambda, 100, 500000), lambda_managed, NULL);
}

void
lambda_cancel_invoke(void)
{
    kernel_cancel(deadline, NULL);
    kernel_cancel(lambda_invoke, NULL);
    kernel_cancel(freeze, NULL);
    kernel_cancel(end_idle, NULL);
    kernel_cancel(lambda_managed, NULL);
}
