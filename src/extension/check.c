#include "extension/check.h"

#include <string.h>

#include "extension/check_parts.h"
#include "io/clock.h"
#include "io/log.h"
#include "protocol/format.h"

/* see check.h */

/* Texts have room in a line even if all of their bytes have to be escaped. */
enum { PRINT_WAIT_MS = 10000, MESSAGE_BYTES = 1200, REMEDY_BYTES = 700 };

static struct check check;
static struct out line;
static char texts[SYSTEM_PRINT_BYTES + MESSAGE_BYTES + REMEDY_BYTES];

bool
check_asked(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--json") != 0))
        return false;
    check.json = argc == 3;
    check.write = strcmp(argv[1], "--check=write") == 0;
    return check.write || strcmp(argv[1], "--check") == 0;
}

/* --- lines --- */

/* What the rooms log, they log for people who look for a reason. */
static void
logged(enum log_level level, struct span text)
{
    size_t at = check.message.len;

    check.warned = check.warned || level <= LOG_WARN;
    out_put(&check.message, text);
    /* settings may have any byte, and a line is to be one */
    for (; at < check.message.len; at++)
        if ((uint8_t)check.message.p[at] < ' ')
            check.message.p[at] = ' ';
    out_put(&check.message, SPAN("; "));
}

static void
begin(struct check *c)
{
    c->begun_ms = clock_monotonic_ms();
    c->message = out_to(texts + SYSTEM_PRINT_BYTES, MESSAGE_BYTES);
    c->remedy = out_to(texts + SYSTEM_PRINT_BYTES + MESSAGE_BYTES, REMEDY_BYTES);
    line = out_to(texts, SYSTEM_PRINT_BYTES);
    c->warned = false;
}

/* A part of the line: as JSON, or in columns. */
static void
put_part(const struct check *c, size_t which, struct span text)
{
    static const char before[2][5][15] = {
        {"", "", "", " ms", "; remedy: "},
        {"{\"step\":\"", "\",\"status\":\"", "\",\"ms\":", ",\"message\":\"", "\",\"remedy\":\""}};

    out_put(&line, span_of(before[c->json][which]));
    while (!c->json && line.len < 12 * which)
        out_byte(&line, ' ');
    (c->json ? log_text : out_put)(&line, text);
}

void
check_end(struct check *c, enum check_step step, enum check_status status)
{
    if (status == CHECK_OK && c->warned)
        status = CHECK_WARNING;
    put_part(c, 0, span_of(diagnosis_step(step)));
    put_part(c, 1, span_of(diagnosis_status(status)));
    put_part(c, 2, (struct span){NULL, 0});
    out_number(&line, clock_monotonic_ms() - c->begun_ms);
    put_part(c, 3, out_span(&c->message));
    if (status == CHECK_FAILED) {
        c->failed = true;
        if (c->remedy.len > 0)
            put_part(c, 4, out_span(&c->remedy));
    }
    out_put(&line, c->json ? SPAN("\"}\n") : SPAN("\n"));
    (void)system_print(SYSTEM_OUTPUT, out_span(&line), PRINT_WAIT_MS);
    c->next = step + 1;
    begin(c);
}

void
check_tell(struct check *c, enum check_step step, enum check_status status, const char *text)
{
    out_put(&c->message, span_of(text));
    check_end(c, step, status);
}

/* --- waiting --- */

static void
late(void *context)
{
    struct check *c = context;

    c->late = true;
}

bool
check_wait(struct check *c, uint32_t ms)
{
    c->late = false;
    loop_set(c->loop, &c->timer, ms);
    loop_set_earlier(&c->timer, c->begun_ms + CHECK_STEP_MS);
    while (!c->done && !c->late)
        if (loop_turn(c->loop) != 0)
            break;
    return c->done;
}

/* --- settings, credentials --- */

static void
check_settings(struct check *c)
{
    const struct settings *s = c->settings;
    struct storage memory;

    /* what was said while they were read comes first */
    (void)format_text(&c->message, "%.*s%.*s in %.*s at %.*s:%u", LOG_SPAN(s->stream_arn),
                      LOG_SPAN(s->stream_name), LOG_SPAN(s->region), LOG_SPAN(s->kinesis.host),
                      s->kinesis.port);
    check_end(c, CHECK_SETTINGS,
              storage_open(&memory, kinesis_bytes() + credentials_bytes(s) +
                                        dead_letter_bytes(s, SPAN("check")) + 64) != 0 ||
                      credentials_init(&c->credentials, c->loop, &memory) != 0 ||
                      kinesis_init(&c->kinesis, c->loop, &memory) != 0 ||
                      dead_letter_init(&c->letter, c->loop, &memory) != 0
                  ? CHECK_FAILED
                  : CHECK_OK);
}

static void
check_credentials(struct check *c)
{
    const struct endpoint *from = &c->settings->credentials;

    if (credentials_coming(&c->credentials))
        (void)check_wait(c, CHECK_STEP_MS);
    if (!credentials_ready(&c->credentials)) {
        c->message.len = 0; /* the same was logged */
        out_put(&c->remedy,
                SPAN("give the function a role; by hand, take AWS_ACCESS_KEY_ID, "
                     "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one new session"));
        check_tell(c, CHECK_CREDENTIALS, CHECK_FAILED, credentials_error(&c->credentials));
        return;
    }
    if (from->host.len > 0)
        (void)format_text(&c->message, "from %.*s:%u", LOG_SPAN(from->host), from->port);
    else
        out_put(&c->message, SPAN("from the environment"));
    check_end(c, CHECK_CREDENTIALS, CHECK_OK);
}

/* --- all --- */

void
check_begin(void)
{
    log_divert(logged);
    begin(&check);
}

bool
check_run(struct loop *loop, struct settings *settings)
{
    static void (*const parts[])(struct check *) = {check_settings, check_credentials, check_name,
                                                    check_tcp,      check_proxy,       check_tls,
                                                    check_stream,   check_dead_letter};
    struct check *c = &check;
    uint64_t begun = c->begun_ms;

    settings->connect_timeout_ms = settings->request_timeout_ms = CHECK_STEP_MS;
    c->loop = loop;
    c->settings = settings;
    c->credentials.settings = settings;
    c->environment = (struct aws_environment){.settings = settings, .credentials = &c->credentials};
    c->kinesis.client.environment = c->letter.client.environment = &c->environment;
    c->letter.sandbox = SPAN("check");
    c->credentials.changed = c->timer.fire = late;
    c->credentials.context = c->timer.context = c;
    loop_add_timer(loop, &c->timer);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !c->failed; i++)
        parts[i](c);
    while (c->next < CHECK_RESULT)
        check_tell(c, c->next, CHECK_NOT_CHECKED, "not reached");
    c->begun_ms = begun;
    check_tell(c, CHECK_RESULT, c->failed ? CHECK_FAILED : CHECK_OK,
               c->failed ? "a step has failed" : "telemetry can be delivered");
    return !c->failed;
}
