/*
 * The bench host: plays Lambda and Kinesis for one extension, once, and prints the figures as one
 * JSON object.
 *
 *   host run PROGRAM [OPTION...]         options.h has them
 *   host ceilings [OPTION...]            how fast the host itself is
 *
 *   net          clock, sockets, HTTP        load, generator   telemetry, and posting it
 *   runtime_api  register, next, telemetry   records, sink     PutRecords over TLS
 *   child        the extension's process     signature         SigV4
 *
 * The extension has one CPU for itself, where there are two, and the host the others. A run in which
 * an event was lost or changed, or a signature was wrong, is an error: status 1, "error" in the object.
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ceiling.h"
#include "child.h"
#include "generator.h"
#include "net.h"
#include "options.h"
#include "runtime_api.h"
#include "signature.h"
#include "sink.h"

#define CONNECTED_MS 300
#define SETTLE_MS 20
#define REST_MS 10

struct mark {
    unsigned long events;
    long peak_kb, resident_kb;
    double cpu_s;
};

struct run {
    struct runtime_api api;
    struct sink sink;
    struct load load;
    struct child child;
    struct generator generator;
    unsigned invocations;
    bool connected_ahead;
    struct mark ready, marks[MARKS_MAX];
    unsigned marks_len;
    double *holds_ms;
    unsigned holds_len;
    int64_t first_post_ns;
    double end_cpu_s; /* before SHUTDOWN */
    bool preferred;   /* goes before the machine's other work */
    bool lost;        /* something did not arrive in time */
};

static struct run r;

/* --- the extension's surroundings --- */

static char *
setting(const char *name, const char *format, ...)
{
    char value[512], *text;
    va_list list;

    va_start(list, format);
    vsnprintf(value, sizeof(value), format, list);
    va_end(list);
    if (asprintf(&text, "%s=%s", name, value) < 0)
        die("no memory");
    return text;
}

static uint16_t
free_port(void)
{
    uint16_t port;

    close(net_listen(&port));
    return port;
}

/* What Lambda sets, where Kinesis is, and each SDK's way to be told of a CA. */
static char **
make_environment(void)
{
    static char *e[32];
    char **at = e;

    *at++ = setting("PATH", "/usr/local/bin:/usr/bin:/bin");
    *at++ = setting("LANG", "en_US.UTF-8");
    *at++ = setting("TZ", ":UTC");
    *at++ = setting("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:%u", r.api.port);
    *at++ = setting("AWS_LAMBDA_FUNCTION_NAME", "bench");
    *at++ = setting("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    *at++ = setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769");
    *at++ = setting("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    *at++ = setting("AWS_REGION", "us-east-1");
    *at++ = setting("AWS_DEFAULT_REGION", "us-east-1");
    *at++ = setting("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID);
    *at++ = setting("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
    *at++ = setting("AWS_SESSION_TOKEN", SESSION_TOKEN);
    *at++ = setting("AWS_ENDPOINT_URL_KINESIS", "https://localhost:%u", r.sink.port);
    *at++ = setting("KINESIS_STREAM_NAME", "telemetry-kinesis-stream");
    *at++ = setting("TELEMETRY_LISTENER_PORT", "%u", free_port());
    *at++ = setting("AWS_CA_BUNDLE", "%s", o.ca);
    *at++ = setting("NODE_EXTRA_CA_CERTS", "%s", o.ca);
    *at++ = setting("SSL_CERT_FILE", "%s", o.ca);
    *at++ = setting("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");
    for (char *one = o.settings ? strtok(strdup(o.settings), ",") : NULL;
         one && at < e + sizeof(e) / sizeof(*e) - 1; one = strtok(NULL, ","))
        *at++ = one;
    *at = NULL;
    return e;
}

static uint64_t
wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
sleep_ms(unsigned long ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    if (ms > 0)
        nanosleep(&t, NULL);
}

/* --- the course of a run --- */

static void
await_next(unsigned nexts)
{
    unsigned long ms = o.patience_s * 1000;

    for (unsigned long waited = 0; !runtime_api_await_next(&r.api, nexts, 200); waited += 200) {
        if (child_ended(&r.child))
            die("the extension ended by itself, before call %u of next", nexts);
        if (waited >= ms)
            die("no call %u of next within %lu ms", nexts, ms);
    }
}

static void
invoke(size_t first, size_t len)
{
    char event[512], id[37];

    r.invocations++;
    load_request_id(id, r.invocations);
    snprintf(event, sizeof(event),
             "{\"eventType\":\"INVOKE\",\"deadlineMs\":%" PRIu64 ",\"requestId\":\"%s\","
             "\"invokedFunctionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:bench\"}",
             wall_ms() + 900000, id);
    runtime_api_send(&r.api, event);
    int64_t done = generator_invocation(&r.generator, r.invocations, first, len);
    await_next(r.invocations + 1);
    double hold_ms = (double)(r.api.next_ns - done) / 1e6;
    r.holds_ms[r.holds_len++] = hold_ms > 0 ? hold_ms : 0; /* asked before the function had ended */
}

/* How many of so many events are to arrive. */
static unsigned long
wanted(unsigned long events)
{
    return (events + o.one_in - 1) / o.one_in;
}

static void
await_delivery(unsigned long events)
{
    if (!sink_await_ids(&r.sink, wanted(events), (unsigned)o.patience_s * 1000))
        r.lost = true;
}

static struct mark
make_mark(unsigned long events)
{
    return (struct mark){events, child_peak_kb(&r.child), child_resident_kb(&r.child),
                         child_cpu_s(&r.child)};
}

/*
 * Ready is an extension that has its connection to Kinesis: who does not open one ahead of need is
 * given one event. Returns how many events that took.
 */
static size_t
get_ready(void)
{
    r.connected_ahead = sink_await_handshake(&r.sink, CONNECTED_MS);
    if (!r.connected_ahead) {
        invoke(0, 1);
        await_delivery(1);
    }
    sleep_ms(SETTLE_MS); /* the peer's own end of the handshake cannot be seen from here */
    r.ready = make_mark(r.connected_ahead ? 0 : 1);
    return r.connected_ahead ? 0 : 1;
}

static void
drive_load(void)
{
    size_t at = get_ready();

    r.first_post_ns = now_ns();
    while (at < o.events && !r.lost) {
        size_t len = o.per_invocation - at % o.per_invocation;
        if (len > o.events - at)
            len = o.events - at;
        if (at > 0)
            sleep_ms(o.idle_ms);
        invoke(at, len);
        at += len;
        while (r.marks_len < o.marks_len && at >= o.marks[r.marks_len]) {
            await_delivery(at);
            r.marks[r.marks_len++] = make_mark(at);
        }
    }
    await_delivery(o.events);
    r.end_cpu_s = child_cpu_s(&r.child);
}

static void
shut_down(void)
{
    char event[128];

    snprintf(event, sizeof(event),
             "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":%" PRIu64
             ",\"shutdownReason\":\"spindown\"}",
             wall_ms() + 2000);
    runtime_api_send(&r.api, event);
    child_wait(&r.child);
}

static const char *
fault(const struct sink_counts *c)
{
    if (c->wrong_signatures > 0)
        return "a signature is wrong";
    if (c->unreadable > 0)
        return "a request is no PutRecords";
    if (c->foreign > 0)
        return "a record is none of those logged";
    if (r.lost || c->unique < wanted(o.events))
        return "events are lost";
    if (c->unique > wanted(o.events))
        return "events are sent that are not wanted";
    if (!WIFEXITED(r.child.status) || WEXITSTATUS(r.child.status) != 0)
        return "the extension failed";
    return NULL;
}

/* --- the figures --- */

static double
seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
since_start_ms(int64_t ns)
{
    return (double)(ns - r.child.start_ns) / 1e6;
}

static void
print_mark(const struct mark *m)
{
    printf("{\"events\":%lu,\"peakKb\":%ld,\"residentKb\":%ld,\"cpuS\":%.6f}", m->events,
           m->peak_kb, m->resident_kb, m->cpu_s);
}

static void
print_process(void)
{
    const struct rusage *u = &r.child.usage;

    printf("\"registerMs\":%.4f,\"nextMs\":%.4f,", since_start_ms(r.api.register_ns),
           since_start_ms(r.api.first_next_ns));
    printf("\"shutdownMs\":%.4f,\"exit\":%d,", (double)(r.child.end_ns - r.api.answered_ns) / 1e6,
           WIFEXITED(r.child.status) ? WEXITSTATUS(r.child.status)
                                     : 128 + WTERMSIG(r.child.status));
    printf("\"cpuS\":%.6f,\"userS\":%.6f,\"systemS\":%.6f,",
           seconds(u->ru_utime) + seconds(u->ru_stime), seconds(u->ru_utime), seconds(u->ru_stime));
}

static void
print_load(const struct sink_counts *c)
{
    printf("\"events\":%lu,\"size\":%lu,\"invocations\":%u,\"perInvocation\":%lu,\"perPost\":%zu,",
           o.events, o.size, r.invocations, o.per_invocation, r.load.texts_len);
    printf("\"connectedAhead\":%s,\"ready\":", r.connected_ahead ? "true" : "false");
    print_mark(&r.ready);
    printf(",\"marks\":[");
    for (unsigned i = 0; i < r.marks_len; i++) {
        printf("%s", i > 0 ? "," : "");
        print_mark(&r.marks[i]);
    }
    printf("],\"cpuLoadS\":%.6f,\"loadS\":%.6f,\"holdsMs\":[", r.end_cpu_s - r.ready.cpu_s,
           (double)(c->last_ns - r.first_post_ns) / 1e9);
    for (unsigned i = 0; i < r.holds_len; i++)
        printf("%s%.4f", i > 0 ? "," : "", r.holds_ms[i]);
    printf("],");
}

static void
print_sink(const struct sink_counts *c)
{
    printf("\"sink\":{\"connections\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"json\":%" PRIu64
           ",\"cbor\":%" PRIu64 ",\"checked\":%" PRIu64 ",\"records\":%" PRIu64
           ",\"unique\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",",
           c->connections, c->requests, c->json, c->cbor, c->checked, c->records, c->unique,
           c->duplicates);
    printf("\"dataBytes\":%" PRIu64 ",\"keyBytes\":%" PRIu64 ",\"bytesIn\":%" PRIu64
           ",\"bytesOut\":%" PRIu64 ",\"foreign\":%" PRIu64 ",\"wrongSignatures\":%" PRIu64 ",",
           c->data_bytes, c->key_bytes, c->bytes_in, c->bytes_out, c->foreign, c->wrong_signatures);
    printf("\"entries\":%" PRIu64 ",\"units1k\":%" PRIu64 ",\"units5k\":%" PRIu64
           ",\"units25k\":%" PRIu64 "}",
           c->entries, c->units_1k, c->units_5k, c->units_25k);
}

static int
run(const char *program)
{
    int cpu = spare_cpu();

    if (!o.certificate || !o.key || !o.ca)
        die("run needs --certificate, --key and --ca");
    pin_away_from(cpu);
    load_init(&r.load, o.events, o.size);
    r.load.objects = o.objects != 0;
    r.holds_ms = calloc(o.events / o.per_invocation + 3, sizeof(double));
    runtime_api_start(&r.api);
    sink_start(&r.sink, &r.load, o.certificate, o.key, (unsigned)o.delay_ms);
    sleep_ms(REST_MS); /* the threads just begun would take the time of the start */
    child_start(&r.child, program, make_environment(), o.log, cpu);
    await_next(1);
    if (o.events > 0) {
        if (r.api.telemetry_port == 0)
            die("no subscription to telemetry");
        load_write(&r.load, o.post_events, o.post_bytes, r.api.strings);
        generator_init(&r.generator, &r.load, r.api.telemetry_port, r.api.telemetry_path);
        drive_load();
    }
    shut_down();
    struct sink_counts counts = sink_counts(&r.sink);
    const char *error = fault(&counts);
    printf("{");
    print_process();
    print_load(&counts);
    print_sink(&counts);
    printf(",\"pinned\":%s,\"preferred\":%s", cpu < 0 ? "false" : "true",
           r.preferred ? "true" : "false");
    if (error)
        printf(",\"error\":\"%s\"", error);
    printf("}\n");
    return error != NULL;
}

static int
ceilings(void)
{
    int cpu = spare_cpu();

    if (!o.certificate || !o.key || o.events == 0)
        die("ceilings needs --certificate, --key and --events");
    pin_away_from(cpu);
    load_init(&r.load, o.events, o.size);
    r.load.objects = o.objects != 0;
    load_write(&r.load, o.post_events, o.post_bytes, false);
    printf("{\"generator\":%.0f,", ceiling_of_generator(&r.load, o.per_invocation, cpu));
    sink_start(&r.sink, &r.load, o.certificate, o.key, (unsigned)o.delay_ms);
    printf("\"sinkCbor\":%.0f,", ceiling_of_sink(&r.sink, &r.load, true, cpu));
    printf("\"sinkJson\":%.0f}\n", ceiling_of_sink(&r.sink, &r.load, false, cpu));
    struct sink_counts c = sink_counts(&r.sink);
    if (c.foreign + c.unreadable + c.wrong_signatures > 0)
        die("the ceiling's own requests are wrong");
    return 0;
}

/* --- the command line --- */

static void
too_late(int signal)
{
    static const char text[] = "bench host: the run lasts too long\n";

    (void)signal;
    if (r.child.pid > 0)
        kill(r.child.pid, SIGKILL);
    _exit(write(2, text, sizeof(text) - 1) < 0 ? 2 : 1);
}

/*
 * Where it may, the host and what it starts go before all other work of the machine: the lowest of the
 * real-time priorities. Lambda's sandboxes have their CPU for themselves.
 */
static void
prefer(void)
{
    struct sched_param lowest = {.sched_priority = 1};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    r.preferred = sched_setscheduler(0, SCHED_RR, &lowest) == 0;
}

int
main(int argc, char **argv)
{
    bool running = argc >= 3 && strcmp(argv[1], "run") == 0;

    if (!running && (argc < 2 || strcmp(argv[1], "ceilings") != 0))
        die("usage: host run PROGRAM [OPTION...] | host ceilings [OPTION...]");
    options_parse(argv + (running ? 3 : 2));
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_late);
    alarm((unsigned)o.limit_s);
    prefer();
    leave(running ? run(argv[2]) : ceilings());
}
