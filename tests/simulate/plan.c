#include "plan.h"

#include "protocol/limits.h"

/*
 * Settings first, then sizes, then faults. Some lives have one thing wrong with them and nothing else, so that
 * the laws about that can be strict: shards that are too few, records that poison their batches, records that
 * are innocent and seem not to be, a queue that is too small. All others have any faults.
 */

/* How often a fault strikes where it exists, in a thousand, at least and at most; and of what. */
static const struct {
    const char *name;
    uint16_t least, most;
} faults[FAULTS] = {
    [FAULT_INTERNAL] = {"internal failure", 20, 500},
    [FAULT_UNAVAILABLE] = {"unavailable", 20, 500},
    [FAULT_THROTTLED] = {"throttled", 20, 500},
    [FAULT_REFUSED] = {"refused", 10, 200},
    [FAULT_FOR_RECORDS] = {"refused as if for a record", 0, 0},
    [FAULT_RESET] = {"reset", 20, 500},
    [FAULT_CONNECT] = {"no connection", 20, 500},
    [FAULT_CONNECT_SLOW] = {"no connection in time", 20, 300},
    [FAULT_SILENT] = {"no reply in time", 20, 300},
    [FAULT_GARBAGE] = {"unreadable reply", 20, 300},
    [FAULT_EXPIRED] = {"credentials refused", 20, 300},
    [FAULT_SKEW] = {"time refused", 20, 300},
    [FAULT_STALE] = {"connection was dead", 20, 500},
    [FAULT_FORM] = {"CBOR refused", 100, 1000},
    [FAULT_SLOW] = {"slow reply", 20, 500},
    [FAULT_SOME_THROTTLED] = {"some throttled", 50, 1000},
    [FAULT_SOME_INTERNAL] = {"some failed", 50, 1000},
    [FAULT_SOME_OTHER] = {"some refused", 50, 1000},
    [FAULT_POISON] = {"poison", 1, 4},
    [FAULT_NAMED] = {"named poison", 1, 20},
    [FAULT_SICK] = {"sick record", 1, 50},
    [FAULT_LARGE] = {"record too large", 1, 20},
    [FAULT_BODY] = {"body too large", 1000, 1000},
    [FAULT_OUTAGE] = {"outage", 100, 500},
    [FAULT_SHARDS] = {"shards", 1000, 1000},
    [FAULT_JUMP] = {"clock set", 50, 500},
    [FAULT_FREEZE] = {"freeze", 100, 1000},
    [FAULT_RESTORE] = {"restored", 100, 300},
    [FAULT_CREDENTIALS] = {"no credentials", 50, 500},
    [FAULT_DAMAGE] = {"events lost before", 50, 500},
    [FAULT_LETTER] = {"dead letter fails", 50, 900},
    [FAULT_LETTER_LOST] = {"dead letter in doubt", 50, 500},
    [FAULT_LETTER_SLOW] = {"dead letter slow", 50, 500},
};

const unsigned lives_faults = FAULTS;

const char *
plan_fault_name(enum fault fault)
{
    return faults[fault].name;
}

enum { FORM_DICE = 836659, FORM_ONE_IN = 24, KEYS_DICE = 170301, KEYLESS_ONE_IN = 8 };

static void
exists(struct plan *p, struct dice *dice, enum fault fault)
{
    p->per_mille[fault] = dice_between(dice, faults[fault].least, faults[fault].most);
}

static void
draw_settings(struct plan *p, struct dice *dice)
{
    struct settings *s = &p->settings;

    *s = (struct settings){
        .stream_name = SPAN("stream"),
        .region = SPAN("eu-west-1"),
        .function_region = SPAN("eu-west-1"),
        .function_name = SPAN("function"),
        .function_version = SPAN("$LATEST"),
        .types = EVENT_PLATFORM | EVENT_FUNCTION,
        .format = dice_chance(dice, 150) ? EVENT_ENRICHED
                                         : (enum event_format)dice_below(dice, EVENT_ENRICHED),
        .key = (enum key_policy)dice_below(dice, 4),
        .fixed_key = SPAN("fixed"),
        .oversize = (enum oversize_policy)dice_below(dice, 3),
        .drop = (enum drop_policy)dice_below(dice, 2),
        .wire = dice_chance(dice, 700) ? WIRE_CBOR : WIRE_JSON,
        .dead_letter = (enum dead_letter_to)dice_below(dice, 3),
        .bucket = SPAN("bucket"),
        .flush = (enum flush_policy)dice_below(dice, 3),
        .flush_budget_ms = dice_magnitude(dice, 20, 5000),
        .buffer_timeout_ms = dice_between(dice, 25, 1000),
        .queue_max_bytes = dice_magnitude(dice, 16384, 2097152),
        .connect_timeout_ms = dice_magnitude(dice, 200, 3000),
        .request_timeout_ms = dice_magnitude(dice, 300, 5000),
        .linger_ms = 200,
        .max_attempts = dice_between(dice, 1, 10),
        .managed_instances = dice_chance(dice, 50),
        .snap_start = dice_chance(dice, 100),
    };
}

/* With so many events in a record few of them have anything wrong with them, or hardly a record is good. */
static uint32_t
bound_harm(struct plan *p)
{
    static const enum fault harm[] = {FAULT_POISON, FAULT_NAMED, FAULT_SICK, FAULT_LARGE};
    bool any = false;

    for (unsigned i = 0; i < sizeof harm / sizeof *harm; i++) {
        any = any || p->per_mille[harm[i]] > 0;
        if (p->per_mille[harm[i]] > 2)
            p->per_mille[harm[i]] = 2;
    }
    return any ? 1024 + 40 * p->event_bytes : UINT32_MAX;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/*
 * Whether records hold several events, and are compressed. By dice of their own, which leave all else as it is; the
 * number that they begin with makes it one event a record in the lives of the seeds that were kept before there was
 * another form. Such lives take twice to three times as long as others, most of it in the encoder, the reader, and what
 * looks at each line: one in FORM_ONE_IN costs few of the others, and there are still some 200 of them a second.
 */
static void
draw_form(struct plan *p, uint64_t seed)
{
    enum { APART_BYTES = 2 * 16384 + 1024 /* with keys */ };
    struct dice dice = {.state = seed ^ FORM_DICE};
    struct settings *s = &p->settings;

    if (dice_below(&dice, FORM_ONE_IN) > 0 || p->throttled_alone)
        return;
    if (dice_below(&dice, 3) == 0)
        s->compression = COMPRESSION_GZIP;
    if (s->compression == COMPRESSION_GZIP && dice_below(&dice, 2) == 0)
        return;
    s->aggregation = AGGREGATION_LINES;
    s->aggregation_max_bytes = dice_magnitude(&dice, 1024, s->queue_max_bytes / 2);
    /* where nothing of that size ever gets through, nothing is delivered; lines are taken apart to this size */
    if (s->compression == COMPRESSION_GZIP || p->body_limit < APART_BYTES)
        s->aggregation_max_bytes = least(s->aggregation_max_bytes, p->body_limit / 2);
    s->aggregation_max_bytes = least(s->aggregation_max_bytes, bound_harm(p));
    s->linger_ms = dice_chance(&dice, 100) ? 0 : dice_magnitude(&dice, 1, 2000);
    if (s->compression == COMPRESSION_NONE || dice_below(&dice, 2) == 0)
        return;
    s->format = EVENT_CLOUDWATCH;
    if (s->oversize == OVERSIZE_SPLIT)
        s->oversize = OVERSIZE_TRUNCATE;
}

/*
 * Whether records go without keys, and the stream takes them so. By dice of their own, which leave all else as it is; the
 * number that they begin with leaves the lives of the seeds that are kept as they were.
 */
static void
draw_keys(struct plan *p, uint64_t seed)
{
    struct dice dice = {.state = seed ^ KEYS_DICE};

    if (dice_below(&dice, KEYLESS_ONE_IN) > 0 || p->throttled_alone)
        return;
    p->settings.key = KEY_NONE;
    p->wants_keys = dice_below(&dice, 2) == 0;
}

static void
draw_sizes(struct plan *p, struct dice *dice)
{
    p->invocations = dice_between(dice, 5, 7);
    p->events = dice_magnitude(dice, 10, dice_chance(dice, 20) ? 1500 : 100);
    p->event_bytes = dice_magnitude(dice, 20, dice_chance(dice, 100) ? 2000 : 150);
    p->latency_ms = dice_chance(dice, 200) ? 0 : dice_magnitude(dice, 1, 100);
    p->stream_limit = RECORD_MAX_BYTES;
    p->body_limit = UINT32_MAX;
    p->fetch_ms = dice_magnitude(dice, 1, 2500);
    p->fetches = dice_chance(dice, 500);
    if (p->fetches)
        p->settings.credentials = (struct endpoint){.host = SPAN("127.0.0.1")};
    p->stands_in_freeze = dice_chance(dice, 500);
    p->peaceful = dice_chance(dice, 500);
    p->shutdown_ms = dice_chance(dice, 100) ? 0 : dice_magnitude(dice, 100, 2000);
}

static void
draw_faults(struct plan *p, struct dice *dice)
{
    enum { LEAST = 3 };
    uint32_t density = dice_between(dice, 50, 400);
    unsigned n = 0;

    for (unsigned i = 0; i < FAULTS; i++)
        if (dice_chance(dice, density)) {
            exists(p, dice, (enum fault)i);
            n++;
        }
    while (n < LEAST) {
        exists(p, dice, (enum fault)dice_below(dice, FAULTS));
        n++;
    }
    p->shards = p->per_mille[FAULT_SHARDS] > 0 ? dice_between(dice, 1, 4) : 0;
    if (p->per_mille[FAULT_LARGE] > 0)
        p->stream_limit = dice_between(dice, 300, 2000);
    /* few records are above it by themselves, and batches may have dozens of them */
    if (p->per_mille[FAULT_BODY] > 0)
        p->body_limit = 8 * p->event_bytes + dice_magnitude(dice, 4000, 262144);
}

/* The last invocation logs more than the shards take. */
static void
draw_throttled(struct plan *p, struct dice *dice)
{
    exists(p, dice, FAULT_SHARDS);
    p->throttled_alone = true;
    p->shards = dice_chance(dice, 500) ? 1 : 4;
    p->latency_ms = dice_below(dice, 21);
    p->events = dice_between(dice, 30, 60);
    p->burst = dice_between(dice, 1500, 6000) * (p->shards == 1 ? 1 : 2);
    p->event_bytes = dice_magnitude(dice, 20, 100);
    p->settings.queue_max_bytes = 4194304;
    p->settings.key = KEY_RANDOM;
    p->settings.snap_start = p->fetches = false;
    p->settings.credentials = (struct endpoint){.tls = false};
}

static void
draw_poisoned(struct plan *p, struct dice *dice)
{
    enum fault kind = dice_chance(dice, 700) ? FAULT_POISON : FAULT_NAMED;

    exists(p, dice, kind);
    p->poisoned_alone = true;
    p->events = dice_magnitude(dice, 40, 600);
}

/* Records are to be split where there is hardly room for the pieces. */
static void
draw_cramped(struct plan *p, struct dice *dice)
{
    exists(p, dice, FAULT_LARGE);
    p->per_mille[FAULT_LARGE] = dice_between(dice, 10, 40);
    p->event_bytes = p->event_bytes < 150 ? p->event_bytes : 150;
    p->stream_limit = dice_between(dice, 400, 1500);
    p->settings.oversize = OVERSIZE_SPLIT;
    p->settings.queue_max_bytes = dice_between(dice, 2, 4) * 8192;
    exists(p, dice, FAULT_SICK);
    exists(p, dice, FAULT_LETTER_SLOW);
    if (dice_below(dice, 2) == 0)
        exists(p, dice, FAULT_BODY);
    if (p->per_mille[FAULT_BODY] > 0)
        p->body_limit = dice_between(dice, 6000, 20000);
    p->events = dice_between(dice, 30, 100);
}

/* For a while each call is refused as if for a record, and of other calls all records may be refused. */
static void
draw_framed(struct plan *p, struct dice *dice)
{
    exists(p, dice, FAULT_OUTAGE);
    exists(p, dice, dice_below(dice, 2) == 0 ? FAULT_SOME_INTERNAL : FAULT_SOME_THROTTLED);
    p->framed = true;
    p->settings.max_attempts = dice_between(dice, 5, 10);
    p->events = dice_magnitude(dice, 10, 60);
}

static void
make_smaller(struct plan *p, const struct lives_less *less)
{
    for (unsigned i = 0; i < FAULTS; i++)
        if ((less->without >> i & 1) != 0)
            p->per_mille[i] = 0;
    p->events = p->events >> less->halved > 0 ? p->events >> less->halved : 1;
    p->burst >>= less->halved;
}

void
plan_draw(struct plan *p, struct dice *dice, const struct lives_less *less)
{
    uint64_t seed = dice->state;
    uint32_t kind = dice_below(dice, 100);

    *p = (struct plan){.seed = dice_draw(dice)};
    draw_settings(p, dice);
    draw_sizes(p, dice);
    if (kind < 1)
        draw_throttled(p, dice);
    else if (kind < 10)
        draw_poisoned(p, dice);
    else if (kind < 15)
        draw_framed(p, dice);
    else if (kind < 18)
        draw_cramped(p, dice);
    else
        draw_faults(p, dice);
    if (p->settings.snap_start)
        exists(p, dice, FAULT_RESTORE);
    draw_form(p, seed);
    draw_keys(p, seed);
    make_smaller(p, less);
}
