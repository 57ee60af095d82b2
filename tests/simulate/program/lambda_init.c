#include "lambda_parts.h"
#include "services.h"

/*
 * Init, also when it is done again or fails; the snapshot that SnapStart takes after it, and the copies of that.
 */

enum {
    INIT_MOST_US = 10000000,
    SNAPSHOT_TRIES = 400,
    INIT_FAILURES_MOST = 4,
    OWN_FILES = 3 /* what waits for events, for signals, and for connections */
};

/* --- init ------------------------------------------------------------------------------------------------ */

static const char *
init_type(void)
{
    return world.plan.snap_start ? "snap-start"
           : world.plan.managed  ? "lambda-managed-instances"
                                 : "on-demand";
}

static const char *
init_phase(void)
{
    return lambda.suppressed ? "invoke" : "init";
}

/* Files that are open, but for the program's own and connections with the platform. */
static unsigned
files_beside(void)
{
    unsigned files = kernel_figures().files,
             expected = OWN_FILES + api_connections() + posts_lines();

    return files > expected ? files - expected : 0;
}

/* With nothing on its way, though that is not promised. */
static void
take_snapshot(void *context)
{
    (void)context;
    if ((!poster_idle() || !api_pends() || services_connections() > 0 || files_beside() > 0) &&
        ++lambda.tries < SNAPSHOT_TRIES) {
        kernel_at(kernel_us() + 5000, take_snapshot, NULL);
        return;
    }
    if (!api_pends() && !api_struck())
        world_break("next: not asked for within two seconds of init's end");
    if (services_connections() > 0)
        world_break("snapshot: %u connections to AWS are open", services_connections());
    /* one that stands still has not closed what the platform has */
    if (files_beside() > 0 && world.plan.kernel.freeze == 0)
        world_break("snapshot: %u files are open besides those within the sandbox", files_beside());
    world_say("lambda", "takes the snapshot");
    lambda.snapshot_taken = true;
    lambda.phase = ENDING;
    kernel_snapshot();
}

static void
init_is_over(void)
{
    lambda.phase = IDLE;
    poster_event(functions_platform("platform.extension",
                                    "\"name\":\"kinesis-telemetry-api-extension\",\"state\":"
                                    "\"Ready\",\"events\":[\"INVOKE\",\"SHUTDOWN\"],"));
    poster_event(functions_platform("platform.initReport",
                                    "\"initializationType\":\"%s\",\"phase\":\"%s\",\"status\":"
                                    "\"success\",\"metrics\":{\"durationMs\":100.5},",
                                    init_type(), init_phase()));
    if (world.plan.snap_start && !lambda.copy && lambda.invocations == 0)
        take_snapshot(NULL);
    else if (world.plan.managed)
        lambda_managed(NULL);
    else
        lambda_rest();
}

static void
check_init(void)
{
    if (lambda.phase == INIT && lambda.runtime_ready && lambda.asked)
        init_is_over();
}

/* The machine may have stopped it for all that time. */
static void
init_overdue(void *context)
{
    bool stopped = kernel_figures().frozen_us - lambda.frozen_us > INIT_MOST_US / 2;

    (void)context;
    if (lambda.phase != INIT)
        return;
    if (!lambda.asked && !api_struck() && !stopped)
        world_break("init: `next` was not asked for within its time");
    lambda.forgiven = !lambda.asked;
    lambda.resets = true;
    lambda_shut_down("timeout");
}

static void
runtime_init_done(void *context)
{
    bool fails = lambda.init_failures < INIT_FAILURES_MOST && !world.plan.managed &&
                 world_fault(&world.lambda, WORLD_INIT_FAILS);

    (void)context;
    if (lambda.phase != INIT)
        return;
    poster_event(
        functions_platform("platform.initRuntimeDone",
                           "\"initializationType\":\"%s\",\"phase\":\"%s\",\"status\":\"%s\",",
                           init_type(), init_phase(), fails ? "error" : "success"));
    if (!fails) {
        lambda.runtime_ready = true;
        check_init();
        return;
    }
    world_say("lambda", "init fails");
    lambda.init_failures++;
    lambda.forgiven = !lambda.asked; /* it may subscribe still, and then has no time left */
    lambda.resets = true;
    lambda_shut_down("failure");
}

static void
runtime_init(void *context)
{
    (void)context;
    invocation_log(dice_magnitude(&world.lambda, 0, 20));
    kernel_at(kernel_us() + dice_magnitude(&world.lambda, 100, 1500000), runtime_init_done, NULL);
}

void
lambda_registered(void)
{
    kernel_at(kernel_us() + dice_magnitude(&world.lambda, 1, 20000), runtime_init, NULL);
}

void
lambda_asked(void)
{
    if (!lambda.asked) {
        lambda.asked = true;
        world_say("lambda", "the extension is ready");
        if (world.plan.snap_start)
            kinesis_asleep();
        check_init();
    } else if (lambda.handed && !lambda.done) {
        lambda.done = true;
        lambda_check_over();
    }
}

/* --- copies of the snapshot ------------------------------------------------------------------------------ */

static void
tell_restore_start(void)
{
    poster_event(functions_platform(
        "platform.restoreStart",
        "\"functionName\":\"function\",\"functionVersion\":\"7\",\"instanceId\":\"copy %u\",",
        world.sandbox));
}

/* restoreStart comes first; but it may be lost, as any event of the platform. */
static void
restored(void *context)
{
    (void)context;
    lambda.phase = IDLE;
    if (!lambda.forgets_restore || dice_chance(&world.lambda, 200))
        tell_restore_start();
    else
        world_say("lambda", "platform.restoreStart is lost");
    invocation_log(dice_magnitude(&world.lambda, 0, 3)); /* hooks of the runtime */
    poster_event(functions_platform("platform.restoreRuntimeDone", "\"status\":\"success\","));
    poster_event(functions_platform("platform.restoreReport",
                                    "\"status\":\"success\",\"metrics\":{\"durationMs\":236.5},"));
    /* the hooks' telemetry is read before INVOKE, or after it */
    kernel_at(kernel_us() + (dice_chance(&world.lambda, 500)
                                 ? dice_magnitude(&world.lambda, 1, 20000)
                                 : dice_between(&world.lambda, 30000, 1500000)),
              lambda_invoke, NULL);
}

static void
jump(void *context)
{
    uint64_t us = 1000ULL * dice_magnitude(&world.lambda, 1000, 36000000);

    (void)context;
    kernel_freeze(0, us, dice_chance(&world.lambda, 500), restored, NULL);
}

void
lambda_copy(void)
{
    kernel_at(kernel_us(), jump, NULL);
}

void
lambda_init(void)
{
    lambda.frozen_us = kernel_figures().frozen_us;
    kernel_at(kernel_us() + INIT_MOST_US, init_overdue, NULL);
    poster_event(
        functions_platform("platform.initStart",
                           "\"initializationType\":\"%s\",\"phase\":\"%s\",\"functionName\":"
                           "\"function\",\"functionVersion\":\"$LATEST\",",
                           init_type(), init_phase()));
}

void
lambda_cancel_init(void)
{
    kernel_cancel(init_overdue, NULL);
    kernel_cancel(runtime_init_done, NULL);
    kernel_cancel(runtime_init, NULL);
    kernel_cancel(jump, NULL);
    kernel_cancel(take_snapshot, NULL);
}
