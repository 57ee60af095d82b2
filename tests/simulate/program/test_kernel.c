/*
 * The simulated system by itself: the program lives in a world that is as small as can be, and ends well; the same
 * seed gives the same bytes; copies of a snapshot go on. Usage: test_kernel [aloud]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel_parts.h"

struct world world;
static jmp_buf broken;
static char law[1000];

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

/* --- Lambda: answers what it must ---------------------------------------------------------------- */

enum { LISTENED_MAX = 4096, INVOCATIONS = 5, LINES = 40 };

static struct {
    char request[1 << 20];
    size_t len;
    struct peer *peer;
} api[8], kinesis[8];

static struct peer *next_peer; /* which waits for the next event */
static unsigned invoked;
static unsigned port;
static bool snap_start, snapped;
static char ledger[SYSTEM_PRINT_BYTES];
static unsigned ledgers, records;

static void
say(struct peer *peer, const char *fields, const char *body)
{
    char reply[1000];
    int n = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s",
                     fields, strlen(body), body);

    world_say("lambda", "%s", body);
    peer_send(peer, (struct span){reply, (size_t)n});
}

static void
answered(void *context, struct span bytes)
{
    (void)context;
    world_say("lambda", "the POST is answered %.*s", bytes.len < 15 ? (int)bytes.len : 15, bytes.p);
}

static void
no_answer(void *context)
{
    (void)context;
}

static void
opened(void *context, struct peer *peer)
{
    static char body[65536];
    char head[200];
    int n = snprintf(body, sizeof body, "[");

    (void)context;
    for (int i = 0; i < LINES; i++)
        n += snprintf(body + n, sizeof body - (size_t)n,
                      "%s{\"time\":\"2026-11-30T00:00:00.000Z\",\"type\":\"function\","
                      "\"record\":\"line %d of %u\"}",
                      i > 0 ? "," : "", i, invoked);
    n += snprintf(body + n, sizeof body - (size_t)n,
                  ",{\"time\":\"2026-11-30T00:00:00.000Z\",\"type\":\"platform.runtimeDone\","
                  "\"record\":{\"requestId\":\"%08u-0000-0000-0000-000000000000\","
                  "\"status\":\"success\"}}]",
                  invoked);
    peer_send(peer, (struct span){head, (size_t)snprintf(head, sizeof head,
                                                         "POST /%s HTTP/1.1\r\nHost: sandbox\r\n"
                                                         "Content-Length: %d\r\n\r\n",
                                                         "", n)});
    peer_send(peer, (struct span){body, (size_t)n});
}

static const struct peer_events posting = {
    .opened = opened, .came = answered, .finished = no_answer, .gone = no_answer};

static void
done(void *context)
{
    (void)context;
    (void)kernel_connect((uint16_t)port, &posting, NULL);
}

static void
invoke(void *context)
{
    char body[300];

    (void)context;
    if (next_peer == NULL)
        return;
    if (invoked == INVOCATIONS) {
        snprintf(body, sizeof body,
                 "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":%llu,\"shutdownReason\":\"spindown\"}",
                 (unsigned long long)kernel_wall_ms() + 2000);
    } else {
        invoked++;
        snprintf(body, sizeof body,
                 "{\"eventType\":\"INVOKE\",\"deadlineMs\":%llu,"
                 "\"requestId\":\"%08u-0000-0000-0000-000000000000\","
                 "\"invokedFunctionArn\":\"arn:aws:lambda:eu-west-1:123456789012:function:f\"}",
                 (unsigned long long)kernel_wall_ms() + 3000, invoked);
        kernel_at(kernel_us() + 20000, done, NULL);
    }
    say(next_peer, "Lambda-Extension-Event-Identifier: 1\r\n", body);
    next_peer = NULL;
}

static void
next(struct peer *peer)
{
    next_peer = peer;
    if (snap_start && !snapped) {
        snapped = true;
        kernel_snapshot();
    } else if (invoked == 2) {
        kernel_freeze(dice_below(&world.lambda, 10), 100000000, true, invoke, NULL);
    } else {
        kernel_at(kernel_us() + 30000, invoke, NULL);
    }
}

static void
requested(struct peer *peer, const char *request)
{
    const char *listener = strstr(request, "sandbox.localdomain:");

    world_say("lambda", "%.*s", (int)strcspn(request, "\r"), request);
    if (listener != NULL)
        port = (unsigned)strtoul(listener + sizeof "sandbox.localdomain:" - 1, NULL, 10);
    if (strstr(request, "extension/register") != NULL)
        say(peer, "Lambda-Extension-Identifier: 00000000-0000-0000-0000-000000000001\r\n",
            "{\"functionName\":\"f\",\"functionVersion\":\"1\",\"handler\":\"h\"}");
    else if (strstr(request, "event/next") != NULL)
        next(peer);
    else
        say(peer, "", "OK");
}

/* --- Kinesis: takes all -------------------------------------------------------------------------- */

static void
put(struct peer *peer, const char *request)
{
    static char body[1 << 17];
    unsigned n = 0;
    int len;
    char head[100];

    for (const char *p = request; (p = strstr(p, "PartitionKey")) != NULL; p++)
        n++;
    records += n;
    world_say("kinesis", "%u records", n);
    len = snprintf(body, sizeof body, "{\"FailedRecordCount\":0,\"Records\":[");
    for (unsigned i = 0; i < n; i++)
        len += snprintf(body + len, sizeof body - (size_t)len,
                        "%s{\"SequenceNumber\":\"%u\",\"ShardId\":\"shardId-000000000000\"}",
                        i > 0 ? "," : "", i);
    len += snprintf(body + len, sizeof body - (size_t)len, "]}");
    peer_send(peer, (struct span){head, (size_t)snprintf(head, sizeof head,
                                                         "HTTP/1.1 200 OK\r\nContent-Type: "
                                                         "application/x-amz-json-1.1\r\n"
                                                         "Content-Length: %d\r\n\r\n",
                                                         len)});
    peer_send(peer, (struct span){body, (size_t)len});
}

/* --- HTTP, as much as they need ------------------------------------------------------------------ */

static void
came(void *context, struct span bytes)
{
    struct peer **peer = context;
    unsigned i = 0;
    char *request, *end;
    size_t *len, body = 0;
    bool of_api;

    while (i < 8 && &api[i].peer != peer && &kinesis[i].peer != peer)
        i++;
    of_api = &api[i].peer == peer;
    request = of_api ? api[i].request : kinesis[i].request;
    len = of_api ? &api[i].len : &kinesis[i].len;
    memcpy(request + *len, bytes.p, bytes.len);
    *len += bytes.len;
    request[*len] = '\0';
    end = strstr(request, "\r\n\r\n");
    if (end == NULL)
        return;
    if (strcasestr(request, "content-length: ") != NULL)
        body = strtoul(strcasestr(request, "content-length: ") + 16, NULL, 10);
    if (*len < (size_t)(end - request) + 4 + body)
        return;
    *len = 0;
    if (of_api)
        requested(*peer, request);
    else
        put(*peer, request);
}

static void
gone(void *context)
{
    struct peer **peer = context;

    if (next_peer == *peer)
        next_peer = NULL;
    *peer = NULL;
}

static const struct peer_events hears = {.came = came, .finished = no_answer, .gone = gone};

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events, void **heard)
{
    unsigned i = 0;

    *events = &hears;
    if (context == api) {
        while (api[i].peer != NULL)
            i++;
        api[i].len = 0;
        api[i].peer = peer;
        *heard = &api[i].peer;
    } else {
        while (kinesis[i].peer != NULL)
            i++;
        kinesis[i].len = 0;
        kinesis[i].peer = peer;
        *heard = &kinesis[i].peer;
    }
    return KERNEL_ACCEPT;
}

static void
printed(int file, struct span bytes)
{
    world_say("printed", "%.*s", (int)bytes.len, bytes.p);
    if (file == SYSTEM_OUTPUT && memmem(bytes.p, bytes.len, "\"received\"", 10) != NULL) {
        memcpy(ledger, bytes.p, bytes.len);
        ledger[bytes.len] = '\0';
        ledgers++;
    }
}

/* --- lives --------------------------------------------------------------------------------------- */

static void
begin(uint64_t seed)
{
    static const struct service runtime_api = {connecting, api};
    static const struct service stream = {connecting, kinesis};
    static const struct kernel_faults faults = {
        .short_read = 50, .short_write = 50, .buffer_bytes = 2048, .latency_us = 5000};

    for (unsigned i = 0; i < 8; i++)
        api[i].peer = kinesis[i].peer = NULL;
    next_peer = NULL;
    invoked = ledgers = records = 0;
    snapped = false;
    world.lambda.state = seed;
    kernel_begin((struct dice){seed}, &faults);
    kernel_on_print(printed);
    kernel_serve(&(struct system_address){.address = {{127, 0, 0, 1}, 4}, .port = 9001},
                 &runtime_api);
    kernel_serve(&(struct system_address){.address = {{10, 0, 0, 2}, 4}, .port = 8000}, &stream);
}

static enum kernel_end
run(bool restores, int *status)
{
    static char name[] = "/opt/extensions/simulated";
    static char *arguments[] = {name, NULL};
    static char settings[][64] = {"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
                                  "AWS_REGION=eu-west-1",
                                  "KINESIS_STREAM_NAME=stream",
                                  "AWS_ENDPOINT_URL_KINESIS=http://10.0.0.2:8000",
                                  "AWS_ACCESS_KEY_ID=AKIDEXAMPLE1",
                                  "AWS_SECRET_ACCESS_KEY=secret",
                                  "AWS_SESSION_TOKEN=token",
                                  "TELEMETRY_WIRE=json",
                                  "TELEMETRY_LOG_LEVEL=debug",
                                  "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"};
    static char *environment[11];
    unsigned len = snap_start ? 10 : 9;

    for (unsigned i = 0; i < len; i++)
        environment[i] = settings[i];
    environment[len] = NULL;
    return restores ? kernel_restore(status) : kernel_run(1, arguments, environment, status);
}

static unsigned failed;

static void
expect(const char *what, bool holds)
{
    printf("%s: %s\n", holds ? "ok" : "NOT ok", what);
    failed += !holds;
}

static uint64_t
live(uint64_t seed)
{
    int status = -1;
    enum kernel_end end;

    snap_start = false;
    begin(seed);
    end = run(false, &status);
    if (end != KERNEL_EXITED || status != 0 || ledgers != 1 || records != INVOCATIONS * LINES)
        printf("seed %llu: end %d, status %d, %u ledgers, %u records\n%s", (unsigned long long)seed,
               (int)end, status, ledgers, records, ledger);
    failed += end != KERNEL_EXITED || status != 0 || ledgers != 1;
    return kernel_figures().sent_hash;
}

static void
copies(uint64_t seed)
{
    static struct {
        char request[sizeof api];
    } kept;
    struct peer *waits;
    uint64_t hashes[3];
    int status = -1;

    snap_start = true;
    begin(seed);
    expect("a snapshot ends the program", run(false, &status) == KERNEL_KILLED && status == 9);
    memcpy(&kept, api, sizeof api);
    waits = next_peer;
    expect("the connection with the runtime API is kept", waits != NULL);
    for (unsigned i = 0; i < 3; i++) {
        memcpy(api, &kept, sizeof api);
        next_peer = waits;
        invoked = ledgers = 0;
        kernel_at(kernel_us() + 50000, invoke, NULL);
        expect("a copy exits", run(true, &status) == KERNEL_EXITED && status == 0 && ledgers == 1);
        hashes[i] = kernel_figures().sent_hash;
    }
    expect("copies differ", hashes[0] != hashes[1] && hashes[1] != hashes[2]);
}

static void
lives(void)
{
    clock_t begun;
    uint64_t sum = 0;

    expect("the same seed gives the same bytes", live(7) == live(7));
    expect("another seed gives others", live(7) != live(8));
    begun = clock();
    for (uint64_t seed = 0; seed < 200; seed++)
        sum = sum * 31 + live(seed);
    printf("200 lives: %016llx\n", (unsigned long long)sum);
    if (getenv("TIMES") != NULL)
        printf("%.3f ms each; %llu calls in the last\n",
               (double)(clock() - begun) * 1000 / CLOCKS_PER_SEC / 200,
               (unsigned long long)kernel_figures().calls);
}

/* A life in which a call fails, and what became of it when that is not what always does. */
static void
live_failing(uint64_t seed, struct kernel_failure failure)
{
    int status = -1;
    enum kernel_end end;

    if (setjmp(broken) != 0) {
        printf("NOT ok: call %llu, variant %u: %s\n", (unsigned long long)failure.call,
               failure.variant, law);
        failed++;
        return;
    }
    kernel_fail(&failure);
    begin(seed);
    end = run(false, &status);
    if (end != KERNEL_EXITED || status != 0 || ledgers != 1 || records != INVOCATIONS * LINES)
        printf("call %llu, %s, variant %u: end %d, status %d, %u ledgers, %u records\n",
               (unsigned long long)failure.call, kernel_call_name(failure.call), failure.variant,
               (int)end, status, ledgers, records);
}

/* Each call fails once, with each of its errors. */
static void
sweep(uint64_t seed)
{
    uint64_t calls;

    (void)live(seed);
    calls = kernel_calls();
    for (uint64_t call = 1; call <= calls; call++) {
        unsigned variant = 0;

        do
            live_failing(seed, (struct kernel_failure){call, variant++});
        while (variant < kernel_variants(call));
    }
    kernel_fail(&(struct kernel_failure){0, 0});
}

int
main(int argc, char **argv)
{
    world.aloud = argc > 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (setjmp(broken) != 0) {
        printf("NOT ok: %s\n", law);
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "sweep") == 0) {
        world.aloud = false;
        sweep(0);
        return failed > 0;
    }
    if (argc > 2) {
        copies(strtoull(argv[2], NULL, 10));
        return failed > 0;
    }
    if (world.aloud) {
        (void)live(strtoull(argv[1], NULL, 10));
        return failed > 0;
    }
    lives();
    for (uint64_t seed = 0; seed < 3; seed++)
        copies(seed);
    return failed > 0;
}
