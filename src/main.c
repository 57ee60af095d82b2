/*
 * kinesis-telemetry-api-extension: forwards the telemetry of a Lambda function to a Kinesis data
 * stream. An external extension: Lambda starts it beside the function and ends it with the sandbox.
 *
 * Here: settings, the registration, which is sent before anything else, signals, the loop. What happens when is
 * decided by extension/lifecycle, the first of the actors. io/ moves bytes without knowing what they mean,
 * protocol/ computes from its arguments alone, extension/ joins the two.
 */
#include <stdlib.h>
#include <string.h>

#include "extension/check.h"
#include "extension/lifecycle.h"
#include "io/environment.h"
#include "io/log.h"
#include "protocol/crc32.h"
#include "protocol/sha256.h"

enum { EXIT_USAGE = 2, SAY_WAIT_MS = 10000 };

static struct loop loop;
static struct settings settings;
static struct lifecycle life;
static struct loop_watch signals;

static const char *
environment(void *context, const char *name)
{
    (void)context;
    return environment_get(name);
}

static void
refuse(void *context, const char *name, const char *value, const char *allowed, const char *used)
{
    (void)context;
    /* a URL may hold a password */
    if ((span_starts(span_of(name), SPAN("AWS_ENDPOINT_URL")) ||
         strcmp(name, "AWS_CONTAINER_CREDENTIALS_FULL_URI") == 0) &&
        span_char(span_of(value), '@') != NULL)
        value = "(a URL with a user)";
    log_error("%s: \"%.200s\" is not allowed; allowed: %s; using %s", name, value, allowed, used);
}

/* Only the name is logged, since the value may be anything. */
static void
unknown(struct span name)
{
    log_warn("%.*s: no such setting", name.len > 100 ? 100 : (int)name.len, name.p);
}

static const struct settings_source source = {.get = environment, .refuse = refuse};

static void
signalled(void *context, uint32_t events)
{
    int number = system_signal(signals.fd);

    (void)context;
    (void)events;
    if (number < 0)
        return;
    log_info("ending: signal %d", number);
    lifecycle_terminate(&life);
}

/* SIGTERM and SIGINT become events of the loop. */
static void
watch_signals(void)
{
    int fd = system_signals();

    signals = (struct loop_watch){.fd = -1, .ready = signalled};
    system_hold_signals(fd >= 0 && loop_watch(&loop, &signals, fd, SYSTEM_IN) == 0);
}

static const char usage[] =
    "kinesis-telemetry-api-extension " VERSION "\n"
    "An AWS Lambda external extension that forwards telemetry to a Kinesis data stream.\n"
    "\n"
    "Lambda starts it from /opt/extensions/ without arguments; settings are environment "
    "variables,\n"
    "see README.md.\n"
    "\n"
    "  --check[=write] [--json]  try what delivery needs\n"
    "  --name FILE  register under the name of this file (for a launcher)\n"
    "  --version    print the version\n"
    "  --help       print this text\n";

static int
say(int file, struct span text, int status)
{
    (void)system_print(file, text, SAY_WAIT_MS);
    return status;
}

static int
by_hand(const char *argument)
{
    if (strcmp(argument, "--version") == 0)
        return say(SYSTEM_OUTPUT, SPAN("kinesis-telemetry-api-extension " VERSION "\n"),
                   EXIT_SUCCESS);
    if (strcmp(argument, "--help") == 0)
        return say(SYSTEM_OUTPUT, SPAN(usage), EXIT_SUCCESS);
    return say(SYSTEM_ERROR_OUTPUT, SPAN(usage), EXIT_USAGE);
}

/* The name under which the platform knows us: that of the file that it started. */
static struct span
own_name(const char *path)
{
    struct span name = {NULL, 0};
    struct span rest = span_of(path);

    while (rest.p != NULL)
        name = span_cut(rest, '/', &rest);
    return path == NULL || *path == '\0' ? SPAN(LOG_LOGGER) : name;
}

static void
choose_instructions(unsigned cpu)
{
    crc32_use_cpu((cpu & SYSTEM_CPU_CRC32) != 0);
    sha256_use(sha256_fastest((cpu & SYSTEM_CPU_SHA256) != 0, (cpu & SYSTEM_CPU_AVX2) != 0));
}

static int
run_check(void)
{
    check_begin();
    choose_instructions(system_cpu());
    settings_read_early(&settings, &source);
    settings_read(&settings, &source);
    environment_unasked(unknown);
    return loop_open(&loop) == 0 && check_run(&loop, &settings) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    const char *started = argv[0];

    if (check_asked(argc, argv))
        return run_check();
    if (argc == 3 && strcmp(argv[1], "--name") == 0)
        started = argv[2];
    else if (argc > 1)
        return by_hand(argv[1]);
    settings_read_early(&settings, &source);
    if (settings.runtime_api.len == 0 || loop_open(&loop) != 0 ||
        lifecycle_register(&life, &loop, &settings, own_name(started)) != 0)
        return say(SYSTEM_ERROR_OUTPUT,
                   SPAN("kinesis-telemetry-api-extension runs inside AWS Lambda: "
                        "AWS_LAMBDA_RUNTIME_API is not set to a host and port\n"),
                   EXIT_USAGE);
    /* before anything can be waited for, so that a signal never ends us without a ledger */
    watch_signals();
    choose_instructions(system_cpu());
    settings_read(&settings, &source);
    log_set_level(settings.log_level);
    environment_unasked(unknown);
    lifecycle_prepare(&life);
    return loop_run(&loop) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
