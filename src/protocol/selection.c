#include "protocol/selection.h"

#include "protocol/check.h"
#include "protocol/filter_match.h"
#include "protocol/json_walk.h"
#include "protocol/sha256.h"

/* see selection.h */

struct selection_request {
    char id[64];
    uint32_t id_len;
    uint32_t order; /* in which they started */
    uint32_t held;  /* lines of it that are */
    bool started;   /* its start has been told */
    bool since;     /* and lines of it have been held since */
    bool sampled, failed, ended;
    struct selection_trace trace;
};

/* --- begin --- */

static bool
judges(const struct settings_selection *settings)
{
    return settings->level != LEVEL_NONE || settings->filters || settings->sample < SAMPLE_ALL;
}

static size_t
held_bytes(const struct settings_selection *settings)
{
    return settings->level_on_error == LEVEL_NONE ? 0 : settings->held_max_bytes & ~(size_t)7;
}

size_t
selection_bytes(const struct settings *settings)
{
    if (settings->format != EVENT_ENRICHED && !judges(&settings->selection))
        return 0;
    return SELECTION_REQUESTS * sizeof(struct selection_request) + held_bytes(&settings->selection);
}

void
selection_init(struct selection *s, const struct settings *all, struct ledger *ledger, char *memory,
               char *room)
{
    const struct settings_selection *settings = &all->selection;
    bool enriched = all->format == EVENT_ENRICHED;

    *s = (struct selection){.settings = settings, .ledger = ledger, .len = 1, .room = room};
    s->judges = judges(settings);
    s->asks = s->judges || enriched;
    if (!s->asks)
        return;
    s->tracks = enriched || settings->sample < SAMPLE_ALL || settings->level_on_error != LEVEL_NONE;
    s->judges_level = s->tracks || settings->level != LEVEL_NONE;
    s->requests = (struct selection_request *)(void *)memory;
    s->requests->sampled = true;
    memory += SELECTION_REQUESTS * sizeof *s->requests;
    held_open(&s->held, memory, held_bytes(settings));
}

/* --- what is held --- */

static void
fail(struct selection *s, struct selection_request *r)
{
    r->failed = true;
    if (r->held > 0)
        s->due = held_first(&s->held);
}

/* It leaves for whatever reason. Returns the next one. */
static size_t
leave(struct selection *s, size_t at)
{
    s->requests[held_owner(&s->held, at)].held--;
    return held_remove(&s->held, at);
}

static void
let_go(struct selection *s, struct selection_request *r)
{
    size_t at = held_first(&s->held);

    ledger_filter(s->ledger, FILTERED_HELD, r->held);
    while (r->held > 0)
        at = held_owner(&s->held, at) == (uint32_t)(r - s->requests) ? leave(s, at)
                                                                     : held_next(&s->held, at);
    /* others that wait for room may have moved up */
    if (s->due != HELD_NONE)
        s->due = held_first(&s->held);
}

static void
hold(struct selection *s, struct span event)
{
    struct selection_request *r = &s->requests[s->latest];

    while (held_fits(&s->held, event.len)) {
        if (held_add(&s->held, s->latest, event)) {
            r->held++;
            r->since = r->started;
            return;
        }
        (void)leave(s, held_first(&s->held));
        ledger_filter(s->ledger, FILTERED_HELD, 1);
    }
    ledger_filter(s->ledger, FILTERED_HELD, 1);
}

bool
selection_due(struct selection *s, struct span *event, struct span *request_id)
{
    const struct held *h = &s->held;

    for (; s->due != HELD_NONE; s->due = held_next(h, s->due)) {
        uint32_t owner = held_owner(h, s->due);
        const struct selection_request *r = &s->requests[owner];

        if (owner == HELD_REMOVED || !r->failed)
            continue;
        *event = held_event(h, s->due);
        *request_id = (struct span){r->id, r->id_len};
        return true;
    }
    return false;
}

void
selection_sent(struct selection *s)
{
    s->due = leave(s, s->due);
}

/* --- invocations --- */

/* Those that end well are done with; what ends a second time ends no better. */
static void
end(struct selection *s, struct selection_request *r, bool failed)
{
    if (failed)
        fail(s, r);
    else if (!r->failed)
        let_go(s, r);
    r->ended = true;
}

static struct selection_request *
find(struct selection *s, struct span id)
{
    /* most often it is the one before */
    struct selection_request *r = &s->requests[s->latest];

    for (uint32_t i = 0; !span_same((struct span){r->id, r->id_len}, id); r = &s->requests[i++])
        if (i == s->len)
            return NULL;
    return r;
}

/* Whether an invocation is in the sample by this name of it. */
static bool
in_sample(uint32_t rate, struct span name)
{
    struct sha256 hash;
    uint8_t digest[SHA256_LEN];
    uint64_t number = 0;

    sha256_start(&hash);
    sha256_add(&hash, name.p, name.len);
    sha256_end(&hash, digest);
    for (int i = 0; i < 4; i++)
        number = number << 8 | digest[i];
    return (number * SAMPLE_ALL) >> 32 < rate;
}

static struct span
root_of(const struct selection_request *r)
{
    return (struct span){r->trace.root, r->trace.root_len};
}

/* What platform.start or INVOKE tells of the trace. */
static void
read_trace(struct selection_trace *t, struct span object)
{
    t->sampled = span_same(event_trace(object, SPAN("Sampled=")), SPAN("1"));
    t->root_len = (uint8_t)out_keep(t->root, sizeof t->root, 0, event_trace(object, SPAN("Root=")));
}

/* Room for another one, or that of one that is known and has ended; NULL: there is none now. One at a time, those that
 * are under way will not be heard of any more. */
static struct selection_request *
another(struct selection *s, struct selection_request *known)
{
    struct selection_request *oldest = NULL;
    struct selection_request *runs = NULL;

    end(s, s->requests, false);
    for (struct selection_request *r = s->requests + 1; r < s->requests + s->len; r++) {
        struct selection_request **which;

        if (!r->ended && !s->side_by_side)
            end(s, r, true);
        which = r->ended ? &oldest : &runs;
        if ((r->held == 0 || !r->ended) && (*which == NULL || r->order < (*which)->order))
            *which = r;
    }
    if (known != NULL)
        return known;
    if (s->len < SELECTION_REQUESTS)
        return &s->requests[s->len++];
    if (oldest == NULL && runs != NULL)
        end(s, runs, true);
    return oldest;
}

/* Its start has been told, or is taken from what came of it. NULL: there are too many. */
static struct selection_request *
begin(struct selection *s, struct span id, struct span record)
{
    struct selection_request *r = find(s, id);

    if (id.len == 0 || id.len > sizeof r->id)
        return NULL;
    if (r != NULL && (!r->ended || r->held > 0)) {
        /* another attempt; the end of the one before was not heard, or its lines still wait for room */
        if (r->since)
            fail(s, r);
    } else {
        r = another(s, r);
        if (r == NULL)
            return NULL;
        *r = (struct selection_request){.id_len = (uint32_t)id.len, .order = s->started++};
        memcpy(r->id, id.p, id.len);
    }
    r->started = record.len > 0;
    r->since = false;
    r->sampled = s->settings->sample == SAMPLE_ALL;
    if (r->started) {
        s->tenant_len = out_keep(s->tenant, sizeof s->tenant, 0,
                                 json_walk_string(json_walk_member(record, SPAN("tenantId"))));
        read_trace(&r->trace, record);
    } else if (span_same(id, (struct span){s->invoked, s->invoked_len})) {
        r->trace = s->invoked_trace;
    }
    if (!r->sampled)
        r->sampled = r->trace.sampled ||
                     in_sample(s->settings->sample, r->trace.root_len > 0 ? root_of(r) : id);
    return r;
}

void
selection_invoked(struct selection *s, struct span id, struct span invoke)
{
    if (!s->tracks)
        return;
    s->invoked_len = out_keep(s->invoked, sizeof s->invoked, 0, id);
    read_trace(&s->invoked_trace, invoke);
}

void
selection_platform(struct selection *s, const struct event *event)
{
    struct selection_request *r = NULL;

    if (!s->tracks)
        return;
    if (event->kind == EVENT_START)
        (void)begin(s, event->request_id, event->record);
    else if (event->kind == EVENT_INIT_DONE)
        r = s->requests;
    else if (event->kind == EVENT_RUNTIME_DONE || event->kind == EVENT_REPORT)
        r = event->request_id.len > 0 ? find(s, event->request_id) : NULL;
    if (r != NULL)
        end(s, r, event->failed);
}

void
selection_end(struct selection *s)
{
    for (uint32_t i = 0; i < s->len && s->tracks; i++)
        if (s->requests[i].held > 0)
            end(s, &s->requests[i], true);
}

/* --- lines --- */

/* Of which invocation it is; init's where none is known. */
static struct selection_request *
request_of(struct selection *s, struct span id)
{
    struct selection_request *r = find(s, id);

    if (r == NULL && !s->side_by_side)
        r = begin(s, id, (struct span){NULL, 0});
    if (r == NULL)
        r = s->requests;
    s->latest = (uint32_t)(r - s->requests);
    return r;
}

/* What its level and its invocation say. */
static enum selection_verdict
judge(struct selection *s, enum line_level level, struct span id)
{
    const struct settings_selection *settings = s->settings;
    bool below = level != LEVEL_NONE && level < settings->level;
    struct selection_request *r;

    if (!s->tracks)
        return below ? SELECTION_LEVEL : SELECTION_KEEP;
    r = request_of(s, id);
    if (level >= LEVEL_ERROR && !r->failed)
        fail(s, r);
    if (!below && (r->sampled || r->failed))
        return SELECTION_KEEP;
    if (settings->level_on_error != LEVEL_NONE &&
        (level == LEVEL_NONE || level >= settings->level_on_error)) {
        if (r->failed)
            return SELECTION_KEEP;
        if (!r->ended)
            return SELECTION_HOLD;
    }
    return below ? SELECTION_LEVEL : SELECTION_SAMPLE;
}

static enum line_level
level_of(struct selection *s, const struct event *e)
{
    enum line_level level = LEVEL_NONE;

    /* most often the walk through the record that has been made has found it */
    if (e->level.len > 0)
        level = log_level_value(e->level);
    return level != LEVEL_NONE ? level : log_level_line(e->record, s->room);
}

enum selection_verdict
selection_line(struct selection *s, const struct event *event, const struct json_marks *marks,
               struct span request_id)
{
    enum line_level level = LEVEL_NONE;
    enum selection_verdict verdict;

    CHECK(event->type != EVENT_PLATFORM);
    if (!s->judges)
        return SELECTION_KEEP;
    if (s->judges_level)
        level = level_of(s, event);
    if (level == LEVEL_NONE)
        level = s->settings->level_default;
    verdict = judge(s, level, s->side_by_side ? event->request_id : request_id);
    if (verdict < SELECTION_KEEP || !s->settings->filters ||
        filter_match(&s->settings->filter, event->record, event->text.p, marks, s->room))
        return verdict;
    return SELECTION_PATTERN;
}

void
selection_apply(struct selection *s, const struct event *event, enum selection_verdict verdict)
{
    CHECK(verdict != SELECTION_KEEP && s->due == HELD_NONE);
    if (verdict == SELECTION_HOLD)
        hold(s, event->text);
    else
        ledger_filter(s->ledger, (enum ledger_filter)verdict, 1);
}

COLD void
selection_tell(struct selection *s, const struct event *event, struct span request_id,
               struct event_origin *origin)
{
    const struct selection_request *r = find(s, event->request_id);

    if (r == NULL || event->request_id.len == 0)
        r = find(s, request_id);
    origin->trace_id = (struct span){NULL, 0};
    if (r != NULL)
        origin->trace_id = root_of(r);
    origin->tenant_id = (struct span){s->tenant, s->tenant_len};
    origin->level = log_level_name(event->type == EVENT_PLATFORM ? LEVEL_NONE : level_of(s, event));
}
