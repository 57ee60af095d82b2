#include "lambda_parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "protocol/event.h"

/*
 * The life of a sandbox: how each run of the program begins and ends. Source: reference, sections 1.6 to 1.8 and 2.5.
 */

enum {
    TERM_MOST_MS = 500, /* src/README.md does not say; what lifecycle.h calls a short deadline */
    FROZEN_US = 20000   /* that it is expected to make up for at its end */
};

struct lambda lambda;

static void kill_it(void *context);

bool
lambda_restores(void)
{
    return world.sandbox > 0 && lambda.next == LAMBDA_RESTORES;
}

void
lambda_dropped(uint32_t number, uint32_t records)
{
    books_at(number)->alarms = true;
    ledger_dropped(number, records);
    poster_event(number);
}

/* --- the end of a run ---------------------------------------------------------------------------------- */

/* Too late for everything. Where it could not know of its end, or has hardly any time, nothing is expected. */
static void
kill_it(void *context)
{
    (void)context;
    if (!lambda.due && lambda.handed && !lambda.done && lambda.invocation != NULL)
        hold_asked(lambda.invocation);
    if (lambda.due && !lambda.forgiven && world.plan.shutdown_ms > 0 &&
        kernel_figures().frozen_us < lambda.frozen_us + FROZEN_US)
        world_break("SHUTDOWN: not over by its deadline");
    world_say("lambda", "SIGKILL");
    kernel_signal(SIGKILL);
}

static void
send_shutdown(void *context)
{
    char json[200];
    uint64_t now = kernel_us();
    unsigned long long deadline_ms =
        kernel_wall_ms() + (lambda.ends_us > now ? (lambda.ends_us - now) / 1000 : 0);
    int len = snprintf(json, sizeof json,
                       "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":%llu,\"shutdownReason\":\"%s\"}",
                       deadline_ms, lambda.reason);

    (void)context;
    api_shutdown((struct span){json, (size_t)len});
}

static void
nothing(void *context)
{
    (void)context;
}

/* What is buffered is sent before SHUTDOWN, with it, or when it is due; which is not confirmed. */
static void
flush_and_send(void)
{
    switch (dice_below(&world.lambda, 3)) {
    case 0:
        /* no longer than half of the time */
        kernel_at(kernel_us() + (lambda.ends_us - kernel_us()) / 2, send_shutdown, NULL);
        poster_flush(nothing, NULL);
        break;
    case 1:
        send_shutdown(NULL);
        poster_flush(nothing, NULL);
        break;
    default:
        send_shutdown(NULL);
    }
}

static void
terminate(void)
{
    world_say("lambda", "SIGTERM");
    lambda.ends_us = kernel_us() + 1000ULL * TERM_MOST_MS;
    lambda.due = true;
    lambda.frozen_us = kernel_figures().frozen_us;
    kernel_at(lambda.ends_us + hold_tolerance_us(lambda.frozen_us), kill_it, NULL);
    kernel_signal(SIGTERM);
}

void
lambda_shut_down(const char *reason)
{
    uint32_t left_ms = world.plan.shutdown_ms;

    if (lambda.phase == ENDING)
        return;
    lambda.phase = ENDING;
    lambda.reason = reason;
    kernel_cancel(lambda_invoke, NULL);
    world_say("lambda", "shuts down: %s, %u ms", reason, left_ms);
    if (left_ms == 0) {
        kill_it(NULL);
        return;
    }
    if (*reason == 's' && dice_chance(&world.lambda, 50)) {
        terminate();
        return;
    }
    lambda.ends_us = kernel_us() + 1000ULL * left_ms;
    kernel_at(lambda.ends_us, kill_it, NULL);
    flush_and_send();
}

/* It has as long as is left from here on; latencies and freezes are not its fault, nor is it when time is short. */
void
lambda_shutdown_handed(void)
{
    enum { LEAST_US = 150000, ENOUGH_US = 1500000 };
    uint64_t now = kernel_us();

    lambda.due = true;
    lambda.frozen_us = kernel_figures().frozen_us;
    if (lambda.ends_us < now + LEAST_US + hold_tolerance_us(lambda.frozen_us))
        lambda.forgiven = true;
    if (lambda.ends_us >= now + ENOUGH_US)
        ledger_ends(lambda.ends_us);
}

void
lambda_shutdown_lost(void)
{
    lambda.forgiven = true;
}

/* --- what world.c calls ----------------------------------------------------------------------------------- */

static void
begin_life(void)
{
    lambda.next = LAMBDA_STARTS;
    lambda.invocations = lambda.copies = lambda.init_failures = 0;
    lambda.resets = lambda.snapshot_taken = false;
    lambda.back_to_back = dice_chance(&world.lambda, 250);
    lambda.forgets_restore = dice_chance(&world.lambda, 250);
    functions_begin();
}

void
lambda_begin(void)
{
    if (world.sandbox == 0)
        begin_life();
    lambda.copy = lambda.next == LAMBDA_RESTORES;
    kernel_cancel(kill_it, NULL);
    kernel_cancel(send_shutdown, NULL);
    lambda_cancel_invoke();
    lambda_cancel_init();
    lambda.phase = lambda.copy ? ENDING : INIT;
    lambda.asked = lambda.runtime_ready = lambda.copy;
    lambda.suppressed = lambda.resets && !lambda.copy;
    lambda.resets = lambda.handed = lambda.done = lambda.forgiven = lambda.due = false;
    lambda.of_run = lambda.running = lambda.tries = 0;
    lambda.invocation = NULL;
    invocations_begin();
    api_begin();
    printed_begin();
    ledger_begin();
    hold_forget();
    if (lambda.copy)
        lambda_copy();
    else
        lambda_init();
}

/* src/README.md, "Limits": twelve megabytes with a queue of four, and what one record of several events may have, and
 * what is held. */
static void
check_figures(void)
{
    enum {
        FILES_MOST = 40,
        MEMORY_BYTES = 8000000,
        GZIP_BYTES = 1300000,
        REDACTED_BYTES = 5600000,
        ESCAPED_BYTES = 1114112 /* JSON in a string may be twice as long */
    };
    uint64_t more = world.plan.held_bytes + (world.plan.redacts ? REDACTED_BYTES : 0) +
                    (world.plan.gzip ? GZIP_BYTES : world.plan.lines_bytes) +
                    (world.plan.format == EVENT_CLOUDWATCH ? ESCAPED_BYTES : 0);
    struct kernel_figures f = kernel_figures();

    if (f.files_most > FILES_MOST)
        world_break("files: %u at the same time", f.files_most);
    if (f.memory_bytes > MEMORY_BYTES + world.plan.queue_bytes + more ||
        (printed_bound() > 0 && f.memory_bytes > printed_bound()))
        world_break("memory: %llu bytes", (unsigned long long)f.memory_bytes);
}

void
lambda_end(bool exited, int status)
{
    bool snapshot = lambda.snapshot_taken && lambda.copies == 0 && !lambda.copy && !exited;

    if (snapshot) {
        api_keep();
        posts_keep();
        ledger_snapshot_taken();
    }
    if (exited && status != 0)
        world_break("exit: with %d", status);
    if (exited && !lambda.due && !lambda.forgiven)
        world_break("exit: nobody asked for it");
    check_figures();
    ledger_end(exited);
}

enum lambda_next
lambda_next(void)
{
    lambda.next = LAMBDA_OVER;
    if (lambda.snapshot_taken && lambda.copies < world.plan.copies) {
        lambda.copies++;
        lambda.next = LAMBDA_RESTORES;
    } else if (!lambda.snapshot_taken && lambda.resets && !lambda_enough()) {
        lambda.next = LAMBDA_STARTS;
    }
    return lambda.next;
}

void
lambda_check(void)
{
    books_check();
    ledger_check();
}
