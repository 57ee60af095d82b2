#include "extension/lifecycle_begin.h"

#include "io/log.h"

/* see lifecycle_begin.h */

uint64_t
lifecycle_heard_ms(const struct lifecycle *life)
{
    uint64_t ms = telemetry_router_heard_ms(&life->router);

    return ms > life->quiet_from_ms ? ms : life->quiet_from_ms;
}

/* Telemetry that arrives proves a subscription, even if its answer was lost. */
bool
lifecycle_subscribed(const struct lifecycle *life)
{
    return life->telemetry.subscribed || life->router.platform_heard;
}

/* --- the registration, and the first `next` --- */

/* Init waits for `next`; the connection is opened after it. */
static void
first_next(struct lifecycle *life)
{
    extensions_api_next(&life->extensions);
    if (life->dispatcher != NULL && !life->asleep)
        telemetry_dispatcher_open(life->dispatcher);
}

void
lifecycle_ready(void *context)
{
    struct lifecycle *life = context;

    if (life->state >= LIFE_ENDING)
        return;
    /* where INVOKE is not to be had, nobody would say that this is a copy */
    if (life->dispatcher == NULL || !life->settings->snap_start || life->extensions.shutdown_only) {
        first_next(life);
        return;
    }
    life->init_ms = life->quiet_from_ms = life->loop->now.ms;
    lifecycle_check_init(life);
}

void
lifecycle_registered_and_prepared(struct lifecycle *life)
{
    const struct lambda_registered *as = &life->extensions.registered_as;

    if (!life->registered || !life->prepared)
        return;
    if (life->dispatcher == NULL) {
        lifecycle_ready(life);
        return;
    }
    telemetry_dispatcher_of_account(life->dispatcher,
                                    (struct span){as->account_id, as->account_id_len});
    if (life->settings->format == EVENT_CLOUDWATCH && as->account_id_len == 0)
        log_warn("TELEMETRY_RECORD_FORMAT: no account is known; using event until INVOKE tells it");
    telemetry_api_subscribe(&life->telemetry, life->listener->server.port,
                            (struct span){life->listener->path, LISTENER_PATH_LEN});
}

void
lifecycle_registered(void *context)
{
    struct lifecycle *life = context;

    life->hold.interleaved = life->extensions.shutdown_only;
    life->registered = true;
    lifecycle_registered_and_prepared(life);
}

/* --- SnapStart --- */

/* Until when init is prolonged for what it logs. */
static uint64_t
init_until_ms(const struct lifecycle *life)
{
    const struct telemetry_dispatcher *d = life->dispatcher;
    bool silent = !lifecycle_subscribed(life);
    struct flush_init init = {
        .runtime_done = silent || life->router.init_done,
        .quiet_ms = silent ? 0 : hold_quiet_ms(&life->hold),
        .begun_ms = life->init_ms,
        .heard_ms = lifecycle_heard_ms(life),
    };

    init.delivered = telemetry_dispatcher_delivered(d) ||
                     telemetry_dispatcher_idle_until(d, flush_init_until_ms(&init), true);
    return flush_init_until_ms(&init);
}

/* A snapshot is taken after the `next` that follows: of init nothing is left in it but what is queued. */
static void
sleep_from_now_on(struct lifecycle *life)
{
    struct telemetry_dispatcher *d = life->dispatcher;

    life->init_ms = life->timer.at_ms = 0;
    life->asleep = true;
    life->thaws = life->loop->thaws;
    telemetry_dispatcher_await(d, 0);
    telemetry_dispatcher_stop(d);
    /* the end of init was not heard */
    if (telemetry_router_last(&life->router))
        (void)telemetry_router_let_go(&life->router);
    metrics_snapshot(&life->metrics, d, life->loop->now);
    telemetry_dispatcher_sleep(d);
}

void
lifecycle_check_init(struct lifecycle *life)
{
    uint64_t until = init_until_ms(life);

    if (until <= life->loop->now.ms) {
        sleep_from_now_on(life);
        first_next(life);
        return;
    }
    life->timer.at_ms = until;
    telemetry_dispatcher_await(life->dispatcher, until);
}

void
lifecycle_restored(void *context)
{
    struct lifecycle *life = context;

    if (!life->asleep)
        return;
    life->asleep = false;
    telemetry_dispatcher_restored(life->dispatcher);
}
