#include <stdio.h>
#include <string.h>

#include "lambda.h"
#include "protocol/event.h"

/*
 * Functions at work: what they log when, how they end, and what the platform tells of it. Managed Instances run several
 * at a time.
 */

enum {
    INVOCATIONS = 8,
    LATE_MOST_US = 2000000,
    SAME_US = 2000,
    BOOKS_FULL = BOOKS_MAX / 2, /* nothing more is logged then */
};

static struct invocation invocations[INVOCATIONS];
static unsigned latest;

/* Of the life. */
static uint64_t timeout_us;

static void step(void *context);

bool
invocation_resets(enum invocation_end end)
{
    return end >= END_CRASH;
}

const char *
invocation_status(enum invocation_end end)
{
    static const char *const names[] = {
        [END_SUCCESS] = "success", [END_ERROR] = "error",  [END_FAILURE] = "failure",
        [END_CRASH] = "error",     [END_MEMORY] = "error", [END_EXTENSION] = "error",
        [END_TIMEOUT] = "timeout",
    };

    return names[end];
}

static const char *
error_type(enum invocation_end end)
{
    static const char *const names[] = {
        [END_SUCCESS] = "",
        [END_ERROR] = "\"errorType\":\"Function.Error\",",
        [END_FAILURE] = "",
        [END_CRASH] = "\"errorType\":\"Runtime.ExitError\",",
        [END_MEMORY] = "\"errorType\":\"Runtime.OutOfMemory\",",
        [END_EXTENSION] = "\"errorType\":\"Extension.Crash\",",
        [END_TIMEOUT] = "",
    };

    return names[end];
}

/* --- what is told ---------------------------------------------------------------------------------------- */

/* An end of this id: nobody can tell it from that of another attempt, which may have begun already. */
static void
confuse(const struct invocation *v)
{
    for (unsigned i = 0; i < INVOCATIONS; i++)
        if (&invocations[i] != v && strcmp(invocations[i].id, v->id) == 0)
            invocations[i].confused = true;
}

bool
invocation_is_confused(const struct invocation *v)
{
    bool confused = v->confused;

    for (unsigned i = 0; i < INVOCATIONS; i++) {
        const struct invocation *other = &invocations[i];

        if (other != v && strcmp(other->id, v->id) == 0 && other->told != NO_NUMBER)
            confused = confused || !books_at(other->told)->given;
    }
    return confused;
}

static uint32_t
tell_done(struct invocation *v)
{
    confuse(v);
    v->told = functions_platform("platform.runtimeDone",
                                 "\"requestId\":\"%s\",\"status\":\"%s\",%s"
                                 "\"metrics\":{\"durationMs\":%u.25,\"producedBytes\":2},",
                                 v->id, invocation_status(v->end), error_type(v->end),
                                 (unsigned)((kernel_us() - v->began_us) / 1000));
    if (v->first == NO_NUMBER)
        v->first = v->told;
    return v->told;
}

static void
done_late(void *context)
{
    struct invocation *v = context;

    v->done = tell_done(v);
    poster_event(v->done);
}

static void
done_again(void *context)
{
    poster_event(tell_done(context));
}

static void
done(struct invocation *v)
{
    if (world.plan.managed)
        return;
    if (world_fault(&world.function, WORLD_DONE_LOST))
        return;
    if (world_fault(&world.function, WORLD_DONE_LATE))
        kernel_at(kernel_us() + dice_magnitude(&world.function, 1000, LATE_MOST_US), done_late, v);
    else
        done_late(v);
    if (world_fault(&world.function, WORLD_DONE_DOUBLED))
        kernel_at(kernel_us() + dice_magnitude(&world.function, 1, LATE_MOST_US), done_again, v);
}

void
invocation_report(struct invocation *v)
{
    unsigned ms = (unsigned)((kernel_us() - v->began_us) / 1000);

    v->active = false;
    if (world.plan.managed)
        poster_event(functions_platform("platform.report",
                                        "\"requestId\":\"%s\",\"status\":\"%s\","
                                        "\"metrics\":{\"durationMs\":%u.125},",
                                        v->id, invocation_status(v->end), ms));
    else
        poster_event(functions_platform(
            "platform.report",
            "\"requestId\":\"%s\",\"status\":\"%s\",%s\"metrics\":{\"durationMs\":%u.5,"
            "\"billedDurationMs\":%u,\"memorySizeMB\":128,\"maxMemoryUsedMB\":64},",
            v->id, invocation_status(v->end), error_type(v->end), ms, ms + 1));
}

static void
tell_start(void *context)
{
    struct invocation *v = context;

    v->started = true;
    v->start =
        functions_platform("platform.start", "\"requestId\":\"%s\",\"version\":\"$LATEST\",%s",
                           v->id, dice_chance(&world.function, 300) ? "\"tenantId\":\"t\"," : "");
    poster_event(v->start);
}

/* --- what is logged ------------------------------------------------------------------------------------- */

static void
log_lines(uint32_t lines, struct span id)
{
    while (lines-- > 0 && books_len() < BOOKS_FULL) {
        if (dice_chance(&world.function, 950))
            poster_event(functions_line(id));
        else if (dice_chance(&world.function, 300))
            poster_event(functions_mimic());
        else
            poster_event(functions_extension_line());
    }
}

void
invocation_log(uint32_t lines)
{
    log_lines(lines, (struct span){NULL, 0});
}

static struct span
id_of(const struct invocation *v)
{
    return (struct span){v->id, strlen(v->id)};
}

static void
log_late(void *context)
{
    log_lines(dice_magnitude(&world.function, 1, 5), id_of(context));
}

/* Some lines, then the next step, until the function has lasted as long as it does. */
static void
step(void *context)
{
    struct invocation *v = context;
    uint64_t until = v->began_us + v->lasts_us;
    uint32_t lines = v->lines > 1 ? dice_magnitude(&world.function, 1, v->lines - 1) : v->lines;
    uint64_t now = kernel_us();

    if (!v->started) {
        kernel_cancel(tell_start, v);
        tell_start(v);
    }
    log_lines(lines, id_of(v));
    v->lines -= lines;
    if (now >= until && v->lines == 0) {
        if (v->end != END_TIMEOUT)
            invocation_ends(v, v->end);
        return;
    }
    if (v->lines > 0 && until > now)
        now += dice_below(&world.function, (uint32_t)((until - now) / 2 + 1));
    else
        now = until > now ? until : now;
    kernel_at(now, step, v);
}

void
invocation_ends(struct invocation *v, enum invocation_end end)
{
    kernel_cancel(step, v);
    v->end = end;
    v->ended = true;
    v->ended_us = kernel_us();
    world_say("function", "ends: %s %s", v->id, invocation_status(end));
    done(v);
    if (world_fault(&world.function, WORLD_FUNCTION_LOGS_LATE))
        kernel_at(kernel_us() + dice_magnitude(&world.function, 1, LATE_MOST_US), log_late, v);
    v->over(v);
}

/* --- the beginning ---------------------------------------------------------------------------------------- */

static enum invocation_end
draw_end(void)
{
    if (world_fault(&world.function, WORLD_FUNCTION_TIMES_OUT))
        return END_TIMEOUT;
    if (world_fault(&world.function, WORLD_RESET) && !world.plan.managed)
        return END_EXTENSION;
    if (!world_fault(&world.function, WORLD_FUNCTION_FAILS))
        return END_SUCCESS;
    return world.plan.managed
               ? END_ERROR
               : (enum invocation_end)dice_between(&world.function, END_ERROR, END_MEMORY);
}

static void
write_id(char *id)
{
    uint64_t a = dice_draw(&world.function);
    uint64_t b = dice_draw(&world.function);

    snprintf(id, 40, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a & 0xffffffff),
             (unsigned)(a >> 32 & 0xffff), (unsigned)(a >> 48 & 0xfff), (unsigned)(b >> 48 & 0xfff),
             (unsigned long long)(b & 0xffffffffffff));
}

/* Source: Lambda guide, asynchronous invocation: a function that has failed is tried again, with the same id. */
static bool
draw_retry(const struct invocation *before)
{
    return before->ended && (before->end == END_ERROR || before->end == END_FAILURE) &&
           !world.plan.managed && world_fault(&world.function, WORLD_RETRY);
}

/* In turn, so that what is late of the one before still comes. */
static struct invocation *
free_one(void)
{
    for (unsigned i = 0; i < INVOCATIONS; i++) {
        struct invocation *v = &invocations[latest++ % INVOCATIONS];

        if (!v->active)
            return v;
    }
    return NULL;
}

struct invocation *
invocation_start(void (*over)(struct invocation *v))
{
    const struct invocation *before = &invocations[(latest + INVOCATIONS - 1) % INVOCATIONS];
    struct invocation *v = free_one();
    uint32_t events = world.plan.events;

    if (v == NULL)
        return NULL;
    kernel_cancel(done_late, v);
    kernel_cancel(done_again, v);
    kernel_cancel(log_late, v);
    kernel_cancel(tell_start, v);
    *v = (struct invocation){
        .active = true,
        .began_us = kernel_us(),
        .deadline_us = kernel_us() + timeout_us,
        .end = draw_end(),
        .lines = dice_chance(&world.function, 100)
                     ? 0
                     : dice_between(&world.function, events / 2 + 1, events * 3 / 2 + 1),
        .lasts_us = dice_magnitude(&world.function, 500,
                                   timeout_us < 3000000 ? (uint32_t)timeout_us / 2 : 3000000),
        .done = NO_NUMBER,
        .first = NO_NUMBER,
        .told = NO_NUMBER,
        .over = over,
    };
    write_id(v->id);
    if (draw_retry(before)) {
        memcpy(v->id, before->id, sizeof v->id);
        /* told at the same moment by the clock of the events */
        v->confused =
            before->told != NO_NUMBER && books_at(before->told)->made_us + SAME_US > kernel_us();
    }
    world_say("function", "begins: %s, logs %u lines, will end with %s", v->id, v->lines,
              invocation_status(v->end));
    if (dice_chance(&world.function, 700))
        tell_start(v);
    else
        kernel_at(kernel_us() + dice_below(&world.function, 5000), tell_start, v);
    kernel_at(kernel_us() + dice_below(&world.function, 8000), step, v);
    return v;
}

void
invocations_begin(void)
{
    /* the longest that Lambda allows */
    if (world.sandbox == 0)
        timeout_us =
            1000ULL * dice_magnitude(&world.function, 1000, world.plan.managed ? 5400000 : 1800000);
    latest = 0;
    for (int i = 0; i < INVOCATIONS; i++) {
        struct invocation *v = &invocations[i];

        kernel_cancel(step, v);
        kernel_cancel(done_late, v);
        kernel_cancel(done_again, v);
        kernel_cancel(log_late, v);
        kernel_cancel(tell_start, v);
        *v = (struct invocation){
            .active = false, .done = NO_NUMBER, .first = NO_NUMBER, .told = NO_NUMBER};
    }
}
