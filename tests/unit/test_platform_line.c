#include "protocol/platform_line.h"

#include "check.h"
#include "guard.h"
#include "seed.h"

#define ID "7b2c1f3a-0000-4000-8000-000000000001"
#define EVENT(type, record)                                                                        \
    "{\"time\":\"2026-11-20T12:00:00.000Z\",\"type\":\"platform." type "\",\"record\":" record "}"
#define TRACING(sampled)                                                                           \
    "\"tracing\":{\"spanId\":\"54565fb41ac79632\",\"type\":\"X-Amzn-Trace-Id\",\"value\":"         \
    "\"Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=" sampled "\"}"
#define METRICS                                                                                    \
    "\"metrics\":{\"billedDurationMs\":27,\"durationMs\":26.734,\"maxMemoryUsedMB\":75,"           \
    "\"memorySizeMB\":128"
#define REPORT(more) "{\"requestId\":\"" ID "\"," more "}"
#define REPORTED                                                                                   \
    "REPORT RequestId: " ID "\\tDuration: 26.73 ms\\tBilled Duration: 27 ms\\t"                    \
    "Memory Size: 128 MB\\tMax Memory Used: 75 MB\\t"
#define RUNTIME                                                                                    \
    "\"runtimeVersion\":\"nodejs:22.v20\",\"runtimeVersionArn\":"                                  \
    "\"arn:aws:lambda:us-east-1::runtime:0123\""
#define VERSIONS                                                                                   \
    "Runtime Version: nodejs:22.v20\\tRuntime Version ARN: "                                       \
    "arn:aws:lambda:us-east-1::runtime:0123\\n"

/* as JSON: from which level on it is not there; as text: its line */
static const struct {
    const char *name, *event;
    enum line_level level;
    const char *text; /* NULL: there is none */
} rows[] = {
    {"start", EVENT("start", "{\"requestId\":\"" ID "\",\"version\":\"$LATEST\"," TRACING("1") "}"),
     LEVEL_INFO, "START RequestId: " ID " Version: $LATEST\\n"},
    {"start, no version", EVENT("start", "{\"requestId\":\"" ID "\"}"), LEVEL_INFO,
     "START RequestId: " ID "\\n"},
    {"done", EVENT("runtimeDone", "{\"requestId\":\"" ID "\",\"status\":\"success\"}"), LEVEL_DEBUG,
     NULL},
    {"done, failed", EVENT("runtimeDone", "{\"requestId\":\"" ID "\",\"status\":\"timeout\"}"),
     LEVEL_WARN, NULL},

    {"report", EVENT("report", REPORT("\"status\":\"success\"," METRICS "}")), LEVEL_INFO,
     REPORTED "\\n"},
    {"report, no status", EVENT("report", REPORT(METRICS "}")), LEVEL_INFO, REPORTED "\\n"},
    {"report, cold", EVENT("report", REPORT(METRICS ",\"initDurationMs\":123.4549}")), LEVEL_INFO,
     REPORTED "Init Duration: 123.45 ms\\t\\n"},
    {"report, restored",
     EVENT("report",
           REPORT(METRICS ",\"restoreDurationMs\":398.966,\"billedRestoreDurationMs\":155}")),
     LEVEL_INFO, REPORTED "Restore Duration: 398.97 ms\\tBilled Restore Duration: 155 ms\\t\\n"},
    {"report, traced", EVENT("report", REPORT("\"status\":\"success\"," METRICS "}," TRACING("1"))),
     LEVEL_INFO,
     REPORTED "\\nXRAY TraceId: 1-62e900b2-710d76f009d6e7785905449a\\tSegmentId: "
              "0efbd19962d95b05\\tSampled: true\\t\\n"},
    {"report, not sampled", EVENT("report", REPORT(METRICS "}," TRACING("0"))), LEVEL_INFO,
     REPORTED "\\n"},
    {"report, tracing without a parent",
     EVENT("report", REPORT(METRICS "},\"tracing\":{\"value\":\"Root=1-2-3;Sampled=1\"}")),
     LEVEL_INFO, REPORTED "\\n"},
    {"report, tracing of nothing", EVENT("report", REPORT(METRICS "},\"tracing\":null")),
     LEVEL_INFO, REPORTED "\\n"},
    {"report, time-out", EVENT("report", REPORT("\"status\":\"timeout\"," METRICS "}")), LEVEL_WARN,
     REPORTED "Status: timeout\\n"},
    {"report, cold and out of memory, traced",
     EVENT("report", REPORT("\"status\":\"error\",\"errorType\":\"Runtime.OutOfMemory\"," METRICS
                            ",\"initDurationMs\":1}," TRACING("1"))),
     LEVEL_WARN,
     REPORTED "Init Duration: 1.00 ms\\tStatus: error\\tError Type: Runtime.OutOfMemory\\n"
              "XRAY TraceId: 1-62e900b2-710d76f009d6e7785905449a\\tSegmentId: "
              "0efbd19962d95b05\\tSampled: true\\t\\n"},
    {"report of Managed Instances",
     EVENT("report", REPORT("\"status\":\"success\",\"metrics\":{\"durationMs\":5}")), LEVEL_INFO,
     "REPORT RequestId: " ID "\\tDuration: 5.00 ms\\t\\n"},

    {"init", EVENT("initStart", "{\"phase\":\"init\"," RUNTIME "}"), LEVEL_INFO,
     "INIT_START " VERSIONS},
    {"init, no ARN",
     EVENT("initStart", "{\"runtimeVersion\":\"local\",\"runtimeVersionArn\":\"\"}"), LEVEL_INFO,
     "INIT_START Runtime Version: local\\n"},
    {"init, no version", EVENT("initStart", "{\"phase\":\"init\"}"), LEVEL_DEBUG, NULL},
    {"init done", EVENT("initRuntimeDone", "{\"phase\":\"init\",\"status\":\"success\"}"),
     LEVEL_DEBUG, NULL},
    {"init done, failed", EVENT("initRuntimeDone", "{\"phase\":\"init\",\"status\":\"error\"}"),
     LEVEL_WARN, NULL},
    {"init report",
     EVENT("initReport", "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":"
                         "\"success\",\"metrics\":{\"durationMs\":125.33}}"),
     LEVEL_DEBUG, NULL},
    {"init report, no type", EVENT("initReport", "{\"status\":\"success\"}"), LEVEL_DEBUG, NULL},
    {"init report, time-out",
     EVENT("initReport", "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":"
                         "\"timeout\",\"metrics\":{\"durationMs\":10009.13}}"),
     LEVEL_WARN, "INIT_REPORT Init Duration: 10009.13 ms\\tPhase: init\\tStatus: timeout\\n"},
    {"init report, crash",
     EVENT("initReport",
           "{\"initializationType\":\"on-demand\",\"phase\":\"invoke\",\"status\":"
           "\"error\",\"errorType\":\"Runtime.ExitError\",\"metrics\":{\"durationMs\":"
           "0.5}}"),
     LEVEL_WARN,
     "INIT_REPORT Init Duration: 0.50 ms\\tPhase: invoke\\tStatus: error\\tError Type: "
     "Runtime.ExitError\\n"},
    {"init report of SnapStart",
     EVENT("initReport", "{\"initializationType\":\"snap-start\",\"phase\":\"init\",\"status\":"
                         "\"success\",\"metrics\":{\"durationMs\":13316.04}}"),
     LEVEL_INFO, "INIT_REPORT Init Duration: 13316.04 ms\\n"},
    {"init report of provisioned concurrency, failed",
     EVENT("initReport", "{\"initializationType\":\"provisioned-concurrency\",\"phase\":\"init\","
                         "\"status\":\"error\",\"metrics\":{\"durationMs\":1.005}}"),
     LEVEL_INFO, "INIT_REPORT Init Duration: 1.01 ms\\tPhase: init\\tStatus: error\\n"},

    {"restore", EVENT("restoreStart", "{" RUNTIME "}"), LEVEL_INFO, "RESTORE_START " VERSIONS},
    {"restore, no version", EVENT("restoreStart", "{\"runtimeVersion\":null}"), LEVEL_DEBUG, NULL},
    {"restore done", EVENT("restoreRuntimeDone", "{\"status\":\"success\"}"), LEVEL_DEBUG, NULL},
    {"restore done, failed", EVENT("restoreRuntimeDone", "{\"status\":\"error\"}"), LEVEL_WARN,
     NULL},
    {"restore report",
     EVENT("restoreReport", "{\"status\":\"success\",\"metrics\":{\"durationMs\":398.97}}"),
     LEVEL_INFO, "RESTORE_REPORT Restore Duration: 398.97 ms\\n"},
    {"restore report, failed",
     EVENT("restoreReport",
           "{\"status\":\"error\",\"errorType\":\"Runtime.ExitError\",\"metrics\":{"
           "\"durationMs\":19.998}}"),
     LEVEL_WARN,
     "RESTORE_REPORT Restore Duration: 20.00 ms\\tStatus: error\\tError Type: "
     "Runtime.ExitError\\n"},

    {"extension",
     EVENT("extension", "{\"events\":[\"INVOKE\",\"SHUTDOWN\"],\"name\":\"x.js\",\"state\":"
                        "\"Ready\"}"),
     LEVEL_INFO, "EXTENSION\\tName: x.js\\tState: Ready\\tEvents: [INVOKE, SHUTDOWN]\\n"},
    {"extension of no events, failed",
     EVENT("extension", "{\"events\":[],\"name\":\"x\",\"state\":\"LaunchError\",\"errorType\":"
                        "\"PermissionDenied\"}"),
     LEVEL_INFO,
     "EXTENSION\\tName: x\\tState: LaunchError\\tEvents: []\\tError Type: PermissionDenied\\n"},
    {"subscription",
     EVENT("telemetrySubscription", "{\"name\":\"x\",\"state\":\"Subscribed\",\"types\":[\"platform"
                                    "\",\"function\",\"\"]}"),
     LEVEL_INFO, "TELEMETRY\\tName: x\\tState: Subscribed\\tTypes: [Platform, Function, ]\\n"},
    {"dropped", EVENT("logsDropped", "{\"droppedRecords\":1}"), LEVEL_WARN, NULL},
    {"another", EVENT("invokeSummary", "{\"status\":\"error\"}"), LEVEL_INFO, NULL},

    /* what no platform sends */
    {"values that are none",
     EVENT("report", "{\"requestId\":{\"a\":\"b\"},\"metrics\":{\"durationMs\":\"\\\"c\"}}"),
     LEVEL_INFO, "REPORT RequestId: \\tDuration: 0.00 ms\\t\\n"},
    {"numbers that are none",
     EVENT("report", "{\"requestId\":1,\"metrics\":{\"durationMs\":1.5e-07,\"initDurationMs\":"
                     "\"2.5\",\"memorySizeMB\":null}}"),
     LEVEL_INFO, "REPORT RequestId: 1\\tDuration: 1.50 ms\\tInit Duration: 2.50 ms\\t\\n"},
    {"no list", EVENT("telemetrySubscription", "{\"name\":\"x\",\"types\":1}"), LEVEL_INFO,
     "TELEMETRY\\tName: x\\tState: \\tTypes: 1\\n"},
    {"a list of others",
     EVENT("telemetrySubscription", "{\"name\":\"x\",\"types\":[ \"a b\" ,\"\\\"Bc\",1,[{}]]}"),
     LEVEL_INFO, "TELEMETRY\\tName: x\\tState: \\tTypes: [Ab, Bc, 1, [{}]]\\n"},
    {"no object", EVENT("start", "\"a\""), LEVEL_INFO, "START RequestId: \\n"},
    {"metrics in the record", EVENT("report", "{\"requestId\":\"a\",\"durationMs\":2.3456}"),
     LEVEL_INFO, "REPORT RequestId: a\\tDuration: 2.35 ms\\t\\n"},
    {"an escape", EVENT("start", "{\"requestId\":\"a\",\"version\":\"\\\"\\u0041\"}"), LEVEL_INFO,
     "START RequestId: a Version: \\\"\\u0041\\n"},
};

static struct event
read_event(struct span text)
{
    struct event e;

    assert_int_equal(event_read(text, NULL, &e), 0);
    return e;
}

static void
table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct event e = read_event(guard_copy(span_of(rows[i].event)));
        char line[1024];
        struct out o = out_to(line, sizeof line);

        seed("event", e.text);
        for (enum line_level l = LEVEL_DEBUG; l <= LEVEL_WARN; l++) {
            CHECK_INT(rows[i].name, platform_line_there(&e, false, l), l <= rows[i].level);
            CHECK_INT(rows[i].name, platform_line_there(&e, true, l), rows[i].text != NULL);
        }
        if (rows[i].text == NULL)
            continue;
        platform_line(&o, &e);
        CHECK_SPAN(rows[i].name, out_span(&o), span_of(rows[i].text));
        CHECK_INT(rows[i].name, out_end(&o), 0);
    }
}

/* Where there is no room for all of it nothing is written beyond. */
static void
no_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct event e = read_event(span_of(rows[i].event));

        for (size_t cap = 0; rows[i].text != NULL && cap < strlen(rows[i].text); cap++) {
            struct out o = out_to(guard_buffer(cap), cap);

            platform_line(&o, &e);
            CHECK_INT(rows[i].name, out_end(&o), ERR_FULL);
        }
    }
}

/* Cut anywhere, it is no event, or nothing beyond its end is looked at. */
static void
cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct event whole = read_event(span_of(rows[i].event));

        for (size_t len = 1; len < whole.record.len; len++) {
            struct event e = whole;
            char line[1024];
            struct out o = out_to(line, sizeof line);

            e.record = guard_copy((struct span){whole.record.p, len});
            (void)platform_line_there(&e, true, LEVEL_INFO);
            platform_line(&o, &e);
            platform_line_end(&o, &e);
            CHECK_INT(rows[i].name, out_end(&o), 0);
        }
    }
}

static void
ends(void **state)
{
    struct event e = read_event(SPAN(EVENT("report", REPORT(METRICS "}"))));
    char line[64];
    struct out o = out_to(line, sizeof line);

    (void)state;
    platform_line_end(&o, &e);
    CHECK_SPAN("end", out_span(&o), SPAN("END RequestId: " ID "\\n"));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(no_room),
        cmocka_unit_test(cut),
        cmocka_unit_test(ends),
    };

    return RUN(argc, argv, tests);
}
