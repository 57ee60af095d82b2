#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/settings.h"

/* see plan.h */

/* How often a fault strikes where it exists, in a thousand, at least and at most. */
static const struct {
    const char *name;
    uint16_t least, most;
} faults[WORLD_FAULTS] = {
    [WORLD_API_RESETS] = {"runtime API: connection reset", 10, 200},
    [WORLD_API_REFUSES] = {"runtime API: refused", 10, 200},
    [WORLD_API_SLOW] = {"runtime API: slow", 50, 500},
    [WORLD_SUBSCRIBE_REFUSED] = {"telemetry API: refused", 100, 1000},
    [WORLD_POST_BREAKS] = {"POST breaks off, and comes again", 20, 300},
    [WORLD_POST_LOST] = {"POST breaks off", 10, 200},
    [WORLD_POST_DOUBLED] = {"POST comes twice", 10, 200},
    [WORLD_RECORD_CUT] = {"event is cut", 1, 50},
    [WORLD_DROPS] = {"platform drops events", 1, 50},
    [WORLD_DONE_LOST] = {"runtimeDone is lost", 50, 500},
    [WORLD_DONE_LATE] = {"runtimeDone is late", 50, 500},
    [WORLD_DONE_DOUBLED] = {"runtimeDone comes twice", 50, 500},
    [WORLD_FUNCTION_FAILS] = {"function fails", 50, 500},
    [WORLD_FUNCTION_TIMES_OUT] = {"function times out", 50, 300},
    [WORLD_FUNCTION_LOGS_LATE] = {"function logs after its end", 50, 500},
    [WORLD_RETRY] = {"event comes again, with the same id", 100, 1000},
    [WORLD_RESET] = {"environment is reset", 50, 300},
    [WORLD_FREEZE] = {"freeze between invocations", 100, 1000},
    [WORLD_FREEZE_CUTS] = {"connection is dead after a freeze", 100, 1000},
    [WORLD_INIT_FAILS] = {"init fails", 100, 1000},
    [WORLD_REFUSED] = {"service: connection refused", 20, 300},
    [WORLD_SILENT] = {"service: connection never answered", 20, 200},
    [WORLD_RECORD_LARGE] = {"stream takes small records alone", 1000, 1000},
    [WORLD_RECORD_FAILS] = {"record fails", 10, 300},
    [WORLD_RECORD_THROTTLED] = {"record is throttled", 10, 300},
    [WORLD_CALL_FAILS] = {"call fails", 20, 400},
    [WORLD_CALL_THROTTLED] = {"call is throttled", 20, 400},
    [WORLD_CALL_REFUSED] = {"call is refused", 10, 200},
    [WORLD_REPLY_LOST] = {"reply is lost", 20, 300},
    [WORLD_REPLY_BREAKS] = {"reply breaks off", 20, 300},
    [WORLD_REPLY_BAD] = {"reply is unreadable", 20, 200},
    [WORLD_REPLY_SLOW] = {"reply is slow", 50, 500},
    [WORLD_OUTAGE] = {"outage", 20, 200},
    [WORLD_IDLE_CLOSE] = {"service closes an idle connection", 50, 500},
    [WORLD_S3_FAILS] = {"S3 fails", 50, 500},
    [WORLD_CREDENTIALS_FAIL] = {"no credentials", 50, 500},
    [WORLD_CREDENTIALS_EXPIRE] = {"credentials expire", 50, 500},
    [WORLD_SKEW] = {"service's clock is off", 200, 1000},
    [WORLD_NAME_FAILS] = {"name server fails", 50, 500},
    [WORLD_NAME_SILENT] = {"name server is silent", 50, 500},
    [WORLD_NAME_MOVES] = {"endpoint moves", 50, 500},
};

const unsigned lives_faults = WORLD_FAULTS;

const char *
plan_fault_name(enum world_fault fault)
{
    return faults[fault].name;
}

/* --- faults -------------------------------------------------------------------------------------- */

static void
draw_fault(struct plan *p, struct dice *dice, enum world_fault fault)
{
    p->per_mille[fault] = dice_between(dice, faults[fault].least, faults[fault].most);
}

/* What strikes only where something else has come about. */
static void
draw_needed(struct plan *p, struct dice *dice)
{
    static const enum world_fault needs[][2] = {
        {WORLD_RETRY, WORLD_FUNCTION_FAILS},
        {WORLD_RETRY, WORLD_DONE_LATE},
        {WORLD_FREEZE_CUTS, WORLD_FREEZE},
    };

    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (p->per_mille[needs[i][0]] > 0 && p->per_mille[needs[i][1]] == 0)
            draw_fault(p, dice, needs[i][1]);
}

/* In some lives AWS is well, in others Lambda is: what is wrong with one hides much of what concerns the other. */
static void
draw_faults(struct plan *p, struct dice *dice)
{
    enum { LEAST = 3, LAMBDA_WELL = 0, AWS_WELL = 1, ALSO_WELL = 2, OF = 8 };
    uint32_t density = dice_between(dice, 30, 300);
    uint32_t well = dice_below(dice, OF);
    uint32_t first = well == LAMBDA_WELL ? WORLD_REFUSED : 0;
    uint32_t end = well == AWS_WELL || well == ALSO_WELL ? WORLD_REFUSED : WORLD_FAULTS;
    unsigned n = 0;

    for (uint32_t i = first; i < end; i++)
        if (dice_chance(dice, density)) {
            draw_fault(p, dice, i);
            n++;
        }
    /* what becomes of calls is only certain where nothing else is wrong */
    if (end == WORLD_REFUSED && dice_chance(dice, 600))
        p->per_mille[WORLD_FREEZE_CUTS] = dice_between(dice, 500, 1000);
    for (; n < LEAST; n++)
        draw_fault(p, dice, dice_between(dice, first, end - 1));
    draw_needed(p, dice);
}

/* --- settings ------------------------------------------------------------------------------------ */

/* The environment as it grows. */
struct writer {
    struct plan *p;
    size_t pairs, len;
};

static void __attribute__((format(printf, 2, 3))) set(struct writer *w, const char *format, ...)
{
    size_t room = sizeof w->p->text - w->len;
    char *to = w->p->text + w->len;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room || w->pairs + 1 >= sizeof w->p->environment / sizeof(char *))
        world_break("plan: no room for the settings");
    w->len += (size_t)n + 1;
    w->p->environment[w->pairs++] = to;
    w->p->environment[w->pairs] = NULL;
}

/* One of the words; the first is the default, and may be left out. Returns which. */
static int
set_word(struct writer *w, struct dice *dice, const char *name, const char *const *words,
         uint32_t n)
{
    uint32_t which = dice_below(dice, n);

    if (which > 0 || dice_chance(dice, 500))
        set(w, "%s=%s", name, words[which]);
    return (int)which;
}

static uint32_t
set_number(struct writer *w, struct dice *dice, const char *name, uint32_t least, uint32_t most)
{
    uint32_t number = dice_magnitude(dice, least, most);

    set(w, "%s=%u", name, number);
    return number;
}

static const char *
initialization_type(const struct plan *p)
{
    return p->snap_start ? "snap-start" : p->managed ? "lambda-managed-instances" : "on-demand";
}

static void
set_lambda(struct writer *w)
{
    set(w, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001");
    set(w, "AWS_LAMBDA_FUNCTION_NAME=function");
    set(w, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST");
    set(w, "AWS_LAMBDA_INITIALIZATION_TYPE=%s", initialization_type(w->p));
    set(w, "AWS_REGION=eu-west-1");
    set(w, "KINESIS_STREAM_NAME=stream");
    if (w->p->fetches_credentials) {
        set(w, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9100/v1");
        set(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN=authorizationTOKEN");
        return;
    }
    set(w, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE1");
    set(w, "AWS_SECRET_ACCESS_KEY=wJalrSECRET1");
    set(w, "AWS_SESSION_TOKEN=tokenSECRET1");
}

static void
set_endpoints(struct writer *w)
{
    const char *scheme = w->p->tls ? "https" : "http";

    set(w, "AWS_ENDPOINT_URL_KINESIS=%s://%s:8000", scheme,
        w->p->by_name ? "kinesis.eu-west-1.example.test" : "10.0.0.2");
    set(w, "AWS_ENDPOINT_URL_S3=http://10.0.0.3:8000");
    if (w->p->tls)
        set(w, "AWS_CA_BUNDLE=/etc/simulated-ca.pem");
}

static void
set_numbers(struct writer *w, struct dice *dice)
{
    struct plan *p = w->p;
    bool cuts = p->per_mille[WORLD_FREEZE_CUTS] > 0;

    p->budget_ms =
        dice_chance(dice, 300) ? 500 : set_number(w, dice, "TELEMETRY_FLUSH_BUDGET_MS", 30, 5000);
    p->buffer_ms = 25;
    if (dice_chance(dice, 300))
        p->buffer_ms = set_number(w, dice, "TELEMETRY_BUFFER_TIMEOUT_MS", 25, 1000);
    p->silence_ms = dice_chance(dice, p->per_mille[WORLD_RETRY] > 0 ? 700 : 150)
                        ? set_number(w, dice, "TELEMETRY_HOLD_SILENCE_MS", 30, 3000)
                        : 0;
    p->max_attempts = dice_chance(dice, 500) ? 5 : set_number(w, dice, "AWS_MAX_ATTEMPTS", 1, 10);
    if (p->crowded)
        p->queue_bytes = set_number(w, dice, "TELEMETRY_QUEUE_MAX_BYTES", 65536, 262144);
    else if (dice_chance(dice, 500))
        p->queue_bytes = 4194304;
    else
        p->queue_bytes = set_number(w, dice, "TELEMETRY_QUEUE_MAX_BYTES", 65536, 2097152);
    /* the longer the silence that is allowed, the more depends on its being cut short after a freeze */
    if (dice_chance(dice, cuts ? 700 : 300))
        set_number(w, dice, "TELEMETRY_REQUEST_TIMEOUT_MS", cuts ? 1000 : 100, 20000);
    if (dice_chance(dice, 300))
        set_number(w, dice, "TELEMETRY_CONNECT_TIMEOUT_MS", 100, 3000);
}

static void
set_words(struct writer *w, struct dice *dice)
{
    static const char *const types[] = {"function", "platform,function", "platform",
                                        "function,extension", "platform,function,extension"};
    static const unsigned of_types[] = {EVENT_FUNCTION, EVENT_PLATFORM | EVENT_FUNCTION,
                                        EVENT_PLATFORM, EVENT_FUNCTION | EVENT_EXTENSION,
                                        EVENT_PLATFORM | EVENT_FUNCTION | EVENT_EXTENSION};
    static const char *const formats[] = {"message", "event", "enriched"};
    static const char *const keys[] = {"random", "sandbox", "request", "fixed:key"};
    static const char *const flushes[] = {"adaptive", "end", "continuous"};
    static const int of_flushes[] = {FLUSH_ADAPTIVE, FLUSH_END, FLUSH_CONTINUOUS};
    static const char *const oversizes[] = {"truncate", "split", "drop"};
    static const char *const drops[] = {"newest", "oldest"};
    static const char *const letters[] = {"", "stderr", "s3://bucket/prefix"};
    static const char *const wires[] = {"cbor", "json"};
    static const char *const levels[] = {"warn", "debug", "info", "error"};
    struct plan *p = w->p;

    p->types = of_types[set_word(w, dice, "TELEMETRY_TYPES", types, 5)];
    p->format = set_word(w, dice, "TELEMETRY_RECORD_FORMAT", formats, 3);
    p->key = set_word(w, dice, "TELEMETRY_PARTITION_KEY", keys, 4);
    p->flush = of_flushes[set_word(w, dice, "TELEMETRY_FLUSH", flushes, 3)];
    p->oversize = OVERSIZE_SPLIT;
    if (p->crowded)
        set(w, "TELEMETRY_OVERSIZE=split");
    else
        p->oversize = set_word(w, dice, "TELEMETRY_OVERSIZE", oversizes, 3);
    p->drop = set_word(w, dice, "TELEMETRY_DROP", drops, 2);
    p->dead_letter = set_word(w, dice, "TELEMETRY_DEAD_LETTER", letters, 3);
    p->s3 = p->dead_letter == DEAD_LETTER_S3;
    (void)set_word(w, dice, "TELEMETRY_WIRE", wires, 2);
    (void)set_word(w, dice, "TELEMETRY_LOG_LEVEL", levels, 4);
}

/*
 * Whether records hold several events, and are compressed. By dice of their own, which leave all else as it is; the number that they begin
 * with makes it one event a record in the lives of the seeds that were kept before there was another form.
 */
static void
set_form(struct writer *w, uint64_t seed)
{
    enum { FORM_DICE = 836659 };
    struct dice dice = {seed ^ FORM_DICE};
    struct plan *p = w->p;
    uint32_t most = p->queue_bytes / 2;

    p->linger_ms = 200;
    if (dice_below(&dice, 2) == 0)
        return;
    p->gzip = dice_below(&dice, 2) == 0;
    if (p->gzip)
        set(w, "TELEMETRY_COMPRESSION=gzip");
    if (p->gzip && dice_below(&dice, 2) == 0)
        return;
    set(w, "TELEMETRY_AGGREGATION=lines");
    p->lines_bytes = set_number(w, &dice, "TELEMETRY_AGGREGATION_MAX_BYTES", 1024,
                                most < 1000000 ? most : 1000000);
    if (dice_below(&dice, 2) == 0)
        p->linger_ms = set_number(w, &dice, "TELEMETRY_LINGER_MS", 0, 2000);
}

/* In the stead of what the environment has of this name. */
static void
change(struct writer *w, const char *name, const char *value)
{
    size_t len = strlen(name);

    set(w, "%s=%s", name, value);
    for (size_t i = 0; i + 1 < w->pairs; i++) {
        if (strncmp(w->p->environment[i], name, len) != 0 || w->p->environment[i][len] != '=')
            continue;
        w->p->environment[i] = w->p->environment[--w->pairs];
        w->p->environment[w->pairs] = NULL;
    }
}

/*
 * Whether they are messages as CloudWatch Logs sends them, by dice of their own as above. Not with events of the platform,
 * whose lines do not tell which event they are; nor where numbers are looked at.
 */
static void
set_messages(struct writer *w, uint64_t seed)
{
    enum { MESSAGES_DICE = 1604 };
    struct dice dice = {seed ^ MESSAGES_DICE};
    struct plan *p = w->p;
    uint32_t most = p->queue_bytes / 2 < 1000000 ? p->queue_bytes / 2 : 1000000;
    char bytes[16];

    if ((p->types & EVENT_PLATFORM) != 0 || p->oversize == OVERSIZE_SPLIT ||
        dice_below(&dice, 3) > 0)
        return;
    change(w, "TELEMETRY_RECORD_FORMAT", "cloudwatch");
    change(w, "TELEMETRY_AGGREGATION", "lines");
    change(w, "TELEMETRY_COMPRESSION", "gzip");
    p->format = EVENT_CLOUDWATCH;
    p->gzip = true;
    p->lines_bytes = dice_magnitude(&dice, 1024, most);
    (void)snprintf(bytes, sizeof bytes, "%u", p->lines_bytes);
    change(w, "TELEMETRY_AGGREGATION_MAX_BYTES", bytes);
}

/*
 * Which lines are wanted, by dice of their own as above. Not where numbers would have to be counted without those that
 * are not, or once for each copy.
 */
static void
set_selection(struct writer *w, uint64_t seed)
{
    enum { SELECTION_DICE = 70 };
    struct dice dice = {seed ^ SELECTION_DICE};
    struct plan *p = w->p;

    if (p->format == EVENT_ENRICHED || p->snap_start || dice_below(&dice, 3) > 0)
        return;
    p->selects = true;
    /* of which there are none, so that each line has to arrive as it is */
    p->redacts = dice_below(&dice, 2) == 0;
    if (p->redacts)
        set(w, "TELEMETRY_REDACT=secret,*password*");
    if (dice_below(&dice, 2) == 0) {
        set(w, "TELEMETRY_SAMPLE_RATE=0");
    } else {
        set(w, "TELEMETRY_LEVEL=ERROR");
        p->level_alone = dice_below(&dice, 2) == 0;
        if (!p->level_alone)
            set(w, "TELEMETRY_LEVEL_DEFAULT=INFO");
    }
    if (dice_below(&dice, 4) == 0)
        return;
    set(w, "TELEMETRY_LEVEL_ON_ERROR=TRACE");
    p->held_bytes = 262144;
    if (dice_below(&dice, 2) == 0)
        p->held_bytes = set_number(w, &dice, "TELEMETRY_HELD_MAX_BYTES", 4096, 1048576);
}

/*
 * Whether records go without keys, and whether the stream takes them so, by dice of their own as above.
 */
static void
set_keyless(struct writer *w, uint64_t seed)
{
    enum { KEYS_DICE = 170313, ONE_IN = 8 };
    struct dice dice = {seed ^ KEYS_DICE};

    if (dice_below(&dice, ONE_IN) > 0)
        return;
    change(w, "TELEMETRY_PARTITION_KEY", "none");
    w->p->key = KEY_NONE;
    w->p->wants_keys = dice_below(&dice, 2) == 0;
}

/*
 * Whether there is a proxy on the way, by dice of their own as above: one for this program, or the function's own, which
 * is for endpoints of https alone and has exceptions.
 */
static void
set_proxy(struct writer *w, uint64_t seed)
{
    enum { PROXY_DICE = 30, OF = 6 };
    static const struct {
        const char *list;
        bool name, address;
    } exempt[] = {
        {"", false, false},
        {"other.test, 10.1.0.0/16", false, false},
        {"*", true, true},
        {"b.test,.EXAMPLE.test", true, false},
        {"10.0.0.0/24", false, true},
    };
    struct dice dice = {seed ^ PROXY_DICE};
    struct plan *p = w->p;
    const char *user;
    unsigned which;

    if (dice_below(&dice, OF) > 0)
        return;
    p->proxied = true;
    p->proxy_user = dice_below(&dice, 2) == 0;
    user = p->proxy_user ? "user:proxy%53ECRET@" : "";
    p->proxy_https_only = dice_below(&dice, 4) == 0;
    if (!p->proxy_https_only) {
        set(w, "TELEMETRY_PROXY=http://%s10.0.9.9:3128", user);
        set(w, "NO_PROXY=*");
        return;
    }
    which = dice_below(&dice, sizeof exempt / sizeof *exempt);
    set(w, "TELEMETRY_PROXY=environment");
    set(w, "%s=%s10.0.9.9:3128", dice_below(&dice, 2) == 0 ? "https_proxy" : "HTTPS_PROXY", user);
    set(w, "%s=%s", dice_below(&dice, 2) == 0 ? "no_proxy" : "NO_PROXY", exempt[which].list);
    p->proxy_exempts_name = exempt[which].name;
    p->proxy_exempts_address = exempt[which].address;
}

/* --- sizes ------------------------------------------------------------------------------ */

static void
draw_sizes(struct plan *p, struct dice *dice)
{
    p->snap_start = dice_chance(dice, 100);
    p->managed = !p->snap_start && dice_chance(dice, 50);
    p->tls = dice_chance(dice, 20);
    p->by_name = dice_chance(dice, 300);
    p->fetches_credentials = p->snap_start || dice_chance(dice, 100);
    p->copies = dice_chance(dice, 200) ? dice_between(dice, 1, 20) : dice_between(dice, 1, 3);
    p->invocations = dice_between(dice, 5, 8);
    p->events = dice_magnitude(dice, 20, dice_chance(dice, 20) ? 1000 : 100);
    p->event_bytes = dice_magnitude(dice, 20,
                                    dice_chance(dice, 50)    ? 300000
                                    : dice_chance(dice, 100) ? 3000
                                                             : 300);
    if (p->event_bytes > 10000)
        p->events = p->events < 40 ? p->events : 40;
    p->shutdown_ms = dice_chance(dice, 50)    ? 0
                     : dice_chance(dice, 700) ? 2000
                                              : dice_magnitude(dice, 50, 2000);
}

/* Where much has to be split: some events are too large, and the queue is not much larger than all of them. */
static void
draw_crowd(struct plan *p, struct dice *dice)
{
    /* the parts of what a snapshot has queued come from each copy, and nobody counts from which */
    if (p->snap_start)
        p->per_mille[WORLD_RECORD_LARGE] = 0;
    p->crowded = p->per_mille[WORLD_RECORD_LARGE] > 0 && dice_chance(dice, 700);
    if (!p->crowded)
        return;
    p->event_bytes = dice_magnitude(dice, 300, 3000);
    p->events = dice_between(dice, 60, 200);
}

static void
draw_kernel(struct kernel_faults *k, struct dice *dice)
{
    k->buffer_bytes = dice_magnitude(dice, 2048, 262144);
    k->latency_us = dice_magnitude(dice, 20, dice_chance(dice, 100) ? 200000 : 20000);
    k->short_read = dice_chance(dice, 300) ? dice_between(dice, 1, 300) : 0;
    k->short_write = dice_chance(dice, 300) ? dice_between(dice, 1, 300) : 0;
    k->datagram_lost = dice_chance(dice, 200) ? dice_between(dice, 1, 500) : 0;
    k->pipe_full = dice_chance(dice, 50) ? dice_between(dice, 1, 500) : 0;
    k->freeze = dice_chance(dice, 100) ? 1 : 0;
    k->freeze_ms = dice_magnitude(dice, 1, 3600000);
}

/*
 * Where an event comes again nothing else is wrong in some lives: only then it is certain when its attempts end. By dice of
 * their own, which leave all else as it is.
 */
static void
draw_retries(struct plan *p, uint64_t seed)
{
    enum { RETRY_DICE = 6 };
    struct dice dice = {seed ^ RETRY_DICE};

    if (p->per_mille[WORLD_RETRY] == 0 || !dice_chance(&dice, 300))
        return;
    for (unsigned i = 0; i < WORLD_FAULTS; i++)
        if (i != WORLD_RETRY && i != WORLD_FUNCTION_FAILS && i != WORLD_DONE_LATE)
            p->per_mille[i] = 0;
    p->kernel.short_write = p->kernel.freeze = 0;
}

static void
make_smaller(struct plan *p, const struct lives_less *less)
{
    for (unsigned i = 0; i < WORLD_FAULTS; i++)
        if ((less->without >> i & 1) != 0)
            p->per_mille[i] = 0;
    p->events = p->events >> less->halved > 0 ? p->events >> less->halved : 1;
}

void
plan_draw(struct plan *p, struct dice *dice, const struct lives_less *less)
{
    struct writer writer = {.p = p};
    uint64_t seed = dice->state;

    memset(p, 0, sizeof *p);
    draw_sizes(p, dice);
    draw_faults(p, dice);
    draw_crowd(p, dice);
    set_lambda(&writer);
    set_endpoints(&writer);
    set_numbers(&writer, dice);
    set_words(&writer, dice);
    set_form(&writer, seed);
    set_messages(&writer, seed);
    set_selection(&writer, seed);
    set_keyless(&writer, seed);
    set_proxy(&writer, seed);
    draw_kernel(&p->kernel, dice);
    draw_retries(p, seed);
    make_smaller(p, less);
}

void
plan_tell(const struct plan *p)
{
    for (char *const *pair = p->environment; *pair != NULL; pair++)
        world_say("plan", "%s", *pair);
    world_say("plan",
              "%u invocations, %u events each, of %u bytes at most; %u ms for SHUTDOWN; %u copies",
              p->invocations, p->events, p->event_bytes, p->shutdown_ms,
              p->snap_start ? p->copies : 0);
    for (unsigned i = 0; i < WORLD_FAULTS; i++)
        if (p->per_mille[i] > 0)
            world_say("plan", "may strike: %s, %u of 1,000", faults[i].name, p->per_mille[i]);
}
