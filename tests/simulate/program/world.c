#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lives.h"
#include "plan.h"

struct world world;

static jmp_buf broken;
static char law[1000];
static uint64_t printed_hash;
static uint32_t copies;

static const uint64_t FNV_PRIME = 0x100000001b3;

void
world_say(const char *who, const char *format, ...)
{
    va_list arguments;

    if (!world.aloud)
        return;
    printf("%12.6f  %-8s ", (double)kernel_us() / 1e6, who);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void
world_break(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(law, sizeof law, format, arguments);
    va_end(arguments);
    world_say("law", "BROKEN: %s", law);
    longjmp(broken, 1);
}

bool
world_fault(struct dice *dice, enum world_fault fault)
{
    if (!dice_chance(dice, world.plan.per_mille[fault]))
        return false;
    world.faults_seen++;
    world_say("fault", "%s", plan_fault_name(fault));
    return true;
}

bool
world_may_strike(const enum world_fault *faults, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (world.plan.per_mille[faults[i]] > 0)
            return true;
    return false;
}

static void
printed(int file, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        printed_hash = (printed_hash ^ (unsigned char)bytes.p[i]) * FNV_PRIME;
    if (world.aloud)
        world_say(
            file == SYSTEM_OUTPUT ? "stdout" : "stderr", "%.*s",
            (int)(bytes.len > 0 && bytes.p[bytes.len - 1] == '\n' ? bytes.len - 1 : bytes.len),
            bytes.p);
    lambda_printed(file, bytes);
}

static void
begin(uint64_t seed, const struct lives_less *less, bool aloud)
{
    struct dice dice = {seed};

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.aloud = aloud;
    printed_hash = 0xcbf29ce484222325;
    copies = 0;
    plan_draw(&world.plan, &dice, less);
    world.lambda.state = dice_draw(&dice);
    world.function.state = dice_draw(&dice);
    world.poster.state = dice_draw(&dice);
    world.service.state = dice_draw(&dice);
    world.names.state = dice_draw(&dice);
    kernel_begin((struct dice){dice_draw(&dice)}, &world.plan.kernel);
    kernel_on_print(printed);
    if (aloud)
        plan_tell(&world.plan);
    books_begin();
    services_begin();
}

/* All runs of the program, one after the other. */
static void
live(void)
{
    static char name[] = "/opt/extensions/kinesis-telemetry-api-extension";
    char *arguments[] = {name, NULL};
    enum lambda_next next = LAMBDA_STARTS;

    while (next != LAMBDA_OVER) {
        enum kernel_end end;
        int status = 0;

        if (world.sandbox == WORLD_RUNS)
            world_break("world: more runs than %d", WORLD_RUNS);
        poster_begin();
        lambda_begin();
        world_say("program", next == LAMBDA_STARTS ? "starts" : "goes on as a copy");
        end = next == LAMBDA_STARTS ? kernel_run(1, arguments, world.plan.environment, &status)
                                    : kernel_restore(&status);
        world_say("program", end == KERNEL_EXITED ? "exits with %d" : "is ended by signal %d",
                  status);
        lambda_end(end == KERNEL_EXITED, status);
        copies += next == LAMBDA_RESTORES;
        world.sandbox++;
        next = lambda_next();
    }
    lambda_check();
    services_check();
}

void
lives_live(uint64_t seed, const struct lives_less *less, bool aloud, struct lives_result *result)
{
    struct kernel_figures figures;

    *result = (struct lives_result){.broken = NULL};
    if (setjmp(broken) == 0) {
        begin(seed, less, aloud);
        live();
    } else {
        result->broken = law;
    }
    figures = kernel_figures();
    result->hash = (figures.sent_hash ^ printed_hash) * FNV_PRIME;
    result->events = books_len();
    result->calls = (uint32_t)figures.calls;
    result->faults = world.faults_seen;
    result->copies = copies;
    result->simulated_ms = kernel_us() / 1000;
    result->tls = world.plan.tls;
}
