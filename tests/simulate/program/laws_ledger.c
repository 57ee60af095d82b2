#include <string.h>

#include "laws_ledger.h"
#include "protocol/event.h"
#include "protocol/settings.h"
#include "services.h"

/*
 * The ledger that each run prints at its end, against the world's books: src/README.md, "The ledger", "Gaps and
 * doubles". What is not certain in the world's eyes, such as whether the program has taken an event of a POST that
 * broke off, may be counted or not.
 */

static const char *const names[LEDGER_MEMBERS] = {
    "received",
    "delivered",
    "deadLettered",
    "duplicatesPossible",
    "repeated",
    "truncated",
    "split",
    "ownLines",
    "total",
    "oversize",
    "cut",
    "unreadable",
    "refused",
    "overflow",
    "shutdown",
    "records",
    "breakerOpenings",
    "level",
    "pattern",
    "sample",
    "held",
};

static struct ledger_run runs[WORLD_RUNS];
static uint32_t snapshot;

/* Events that report what the platform dropped, and how many that were. */
static uint32_t dropped_numbers[BOOKS_MAX / 8], dropped_counts[BOOKS_MAX / 8];
static uint32_t dropped_used;

/* --- as it is printed -------------------------------------------------------------------------------------- */

const struct ledger_run *
ledger_of(uint32_t sandbox)
{
    return &runs[sandbox];
}

uint32_t
ledger_snapshot(void)
{
    return snapshot;
}

static struct ledger_run *
run(void)
{
    return &runs[world.sandbox];
}

void
ledger_begin(void)
{
    *run() = (struct ledger_run){.there = false};
    if (world.sandbox == 0) {
        dropped_used = 0;
        snapshot = UINT32_MAX;
    }
}

static uint64_t
member(struct span line, const char *name)
{
    size_t len = strlen(name);
    uint64_t n = 0;

    for (size_t i = 0; i + len + 3 < line.len; i++)
        if (line.p[i] == '"' && memcmp(line.p + i + 1, name, len) == 0 &&
            memcmp(line.p + i + 1 + len, "\":", 2) == 0 && line.p[i + len + 3] >= '0' &&
            line.p[i + len + 3] <= '9') {
            for (i += len + 3; i < line.len && line.p[i] >= '0' && line.p[i] <= '9'; i++)
                n = n * 10 + (uint64_t)(line.p[i] - '0');
            return n;
        }
    world_break("ledger: no %s in %.*s", name, (int)line.len, line.p);
}

static void
take(struct span line, bool *there, uint64_t *members)
{
    if (*there)
        world_break("ledger: a second one");
    *there = true;
    for (unsigned i = 0; i < LEDGER_MEMBERS; i++)
        members[i] = member(line, names[i]);
}

void
ledger_line(struct span line)
{
    struct ledger_run *r = run();

    if (span_find(line, SPAN("\"message\":\"the ledger does not add up\"")) != NULL)
        world_break("ledger: the program says that it does not add up");
    if (span_find(line, SPAN("\"message\":\"ledger of init\"")) != NULL)
        take(line, &r->init_there, r->init);
    else if (span_find(line, SPAN("\"message\":\"ledger\"")) != NULL)
        take(line, &r->there, r->members);
    else
        return;
    services_ledger(line);
}

void
ledger_snapshot_taken(void)
{
    snapshot = world.sandbox;
}

void
ledger_end(bool due)
{
    run()->over_us = kernel_us();
    if (due && !run()->there && world.plan.kernel.pipe_full == 0)
        world_break("ledger: none at the end");
}

void
ledger_ends(uint64_t us)
{
    run()->ends_us = us;
    run()->handed_us = kernel_us();
}

/* --- at the end of the life -------------------------------------------------------------------------------- */

void
ledger_dropped(uint32_t number, uint32_t records)
{
    if (dropped_used == BOOKS_MAX / 8)
        world_break("ledger: more reports on what was dropped than %u", dropped_used);
    dropped_numbers[dropped_used] = number;
    dropped_counts[dropped_used++] = records;
}

static void
add_dropped(void)
{
    for (uint32_t i = 0; i < dropped_used; i++) {
        const struct book *b = books_at(dropped_numbers[i]);
        struct ledger_run *r = &runs[b->sandbox];

        r->told += b->given ? dropped_counts[i] : 0;
        r->told_most += (uint64_t)b->sends * dropped_counts[i];
    }
}

static uint64_t
filtered(const uint64_t *m)
{
    return m[IN_LEVEL] + m[IN_PATTERN] + m[IN_SAMPLE] + m[IN_HELD];
}

static void
check_sums(uint32_t number, const uint64_t *m)
{
    uint64_t reasons =
        m[OVERSIZE] + m[CUT] + m[UNREADABLE] + m[REFUSED] + m[OVERFLOW] + m[SHUTDOWN];

    if (m[RECEIVED] != m[DELIVERED] + m[DEAD_LETTERED] + m[DROPPED] + filtered(m))
        world_break("ledger: of run %u does not add up", number);
    if (m[DROPPED] != reasons)
        world_break("ledger: of run %u has %llu dropped, by reasons %llu", number,
                    (unsigned long long)m[DROPPED], (unsigned long long)reasons);
}

#define U(number) ((unsigned long long)(number))

/* Where nothing is wrong with any record none is given up for what it is. A code that comes in chunks is known by the
 * first alone (cbor_string), which says nothing of a limit. */
static void
check_refused(uint32_t number, const uint64_t *m)
{
    static const enum world_fault faults[] = {WORLD_RECORD_LARGE, WORLD_RECORD_FAILS,
                                              WORLD_RECORD_THROTTLED, WORLD_CALL_REFUSED};

    if (m[REFUSED] > 0 && !world_may_strike(faults, sizeof faults / sizeof *faults))
        world_break("refused: %llu in run %u, with nothing wrong", U(m[REFUSED]), number);
}

/* Exactly the events of the types to forward are counted. */
static void
check_received(uint32_t number, const uint64_t *m, const struct books_sums *s,
               const struct ledger_inherited *h)
{
    uint64_t whole = m[RECEIVED] - m[CUT] - m[UNREADABLE];

    if (whole < s->given + h->least ||
        whole > s->given + s->maybe + s->again + h->most + m[DUPLICATES])
        world_break("received: %llu in run %u, of %u given for certain, %u perhaps, %u again, and "
                    "%llu to %llu that were inherited",
                    U(whole), number, s->given, s->maybe, s->again, U(h->least), U(h->most));
}

/* What was delivered is there; what is not there is counted as dropped or in the dead letter. */
static void
check_delivered(uint32_t number, const uint64_t *m, const struct books_sums *s,
                const struct ledger_inherited *h)
{
    uint64_t lost = m[DROPPED] - m[CUT] - m[UNREADABLE];

    if (m[DELIVERED] > (uint64_t)s->in_stream + s->extra + s->blanks + h->arrived + h->blanks)
        world_break("delivered: %llu in run %u, and in the stream are %u", U(m[DELIVERED]), number,
                    s->in_stream + s->extra);
    if (m[DEAD_LETTERED] > (uint64_t)s->letters + s->blanks + h->arrived + h->blanks)
        world_break("deadLettered: %llu in run %u, and there are %u", U(m[DEAD_LETTERED]), number,
                    s->letters);
    if (s->missing > lost)
        world_break("dropped: %llu in run %u, and missing are %u, event %u among them", U(lost),
                    number, s->missing, s->last_missing);
}

/* Only what the settings let go is counted as that. */
static void
check_filtered(uint32_t number, const uint64_t *m, const struct books_sums *s)
{
    uint64_t lost = m[DROPPED] - m[CUT] - m[UNREADABLE];

    if (!world.plan.selects && filtered(m) > 0)
        world_break("filtered: %llu in run %u, where all is wanted", U(filtered(m)), number);
    if (s->quiet > lost + filtered(m))
        world_break("filtered: %llu in run %u, and missing are %u", U(filtered(m)), number,
                    s->quiet);
}

/* Nothing is there more often than the ledger says, or than it was received. */
static void
check_doubles(uint32_t number, const uint64_t *m, const struct books_sums *s,
              const struct ledger_inherited *h)
{
    uint64_t received_again = m[RECEIVED] - m[CUT] - m[UNREADABLE] - s->given - h->least;

    if (received_again > s->again + h->most)
        received_again = s->again + h->most;
    if (s->extra > m[DUPLICATES] + received_again)
        world_break("duplicatesPossible: %llu in run %u, and there are %u", U(m[DUPLICATES]),
                    number, s->extra);
    if (number < snapshot && s->letters_extra > m[DUPLICATES] + received_again)
        world_break("duplicatesPossible: %u lines are in the dead letter once more in run %u",
                    s->letters_extra, number);
    /*
     * A POST that begins with the rest of an event that was cut is not recognised when it comes again, nor is one in
     * which an event is larger than what is kept to compare it. And near the end a call on a kept connection is made
     * again after 50 ms of silence, for which a long way is enough.
     */
    if (s->extra > 0 && s->again == 0 && s->cut == 0 && number < snapshot &&
        world.plan.event_bytes <= 10000 && laws_services_are_well() &&
        world.plan.per_mille[WORLD_FREEZE] == 0 && world.plan.kernel.freeze == 0 &&
        world.plan.kernel.latency_us <= WORLD_NEAR_US / 2)
        world_break("doubles: %u in run %u, where nothing can have come twice unnoticed", s->extra,
                    number);
}

/* Of enriched records: what is missing among the numbers was lost. */
static void
check_gaps(uint32_t number, const uint64_t *m, const struct books_sums *s,
           const struct ledger_inherited *h)
{
    if (world.plan.format != EVENT_ENRICHED)
        return;
    if (s->seq_most > m[RECEIVED] - h->least)
        world_break("seq: %u in run %u, of %llu received", s->seq_most - 1, number, U(m[RECEIVED]));
    if (world.plan.oversize == OVERSIZE_SPLIT || s->truncated > 0)
        return;
    if (s->seqs + h->most < m[DELIVERED])
        world_break("seq: %u numbers came in run %u, of %llu delivered", s->seqs, number,
                    U(m[DELIVERED]));
}

/* What is passed over is counted. */
static void
check_own_lines(uint32_t number, const uint64_t *m, const struct books_sums *s)
{
    if (m[OWN_LINES] < s->own)
        world_break("ownLines: %llu in run %u, and %u came back", U(m[OWN_LINES]), number, s->own);
}

/* src/README.md, "What is dropped, and when": what is to be split waits until there is room for its parts. */
static void
check_split(uint32_t number, const uint64_t *m, const struct books_sums *s,
            const struct ledger_inherited *h)
{
    bool others_aside = world.plan.per_mille[WORLD_CALL_REFUSED] > 0 ||
                        world.plan.per_mille[WORLD_OUTAGE] > 0 ||
                        s->parts_bytes > world.plan.queue_bytes;
    /* one of several events, or one that is compressed, is given up whole when the stream takes less */
    bool given_up = (world.plan.lines_bytes > 0 || world.plan.gzip) &&
                    world.plan.per_mille[WORLD_RECORD_LARGE] > 0;

    if (world.plan.oversize != OVERSIZE_SPLIT || h->most > 0 || given_up ||
        (world.plan.per_mille[WORLD_RECORD_LARGE] > 0 && others_aside))
        return;
    if (m[OVERSIZE] > s->large)
        world_break("split: %llu events were dropped in run %u, and %u are too large for the queue",
                    U(m[OVERSIZE]), number, s->large);
}

/*
 * Where services answer, what was given in time is delivered at SHUTDOWN, dead connections or not; unless small buffers
 * make the way so long that there is no time for it. With a dead letter in S3 the stream has half of the time alone.
 */
static void
check_shutdown(uint32_t number, const struct ledger_run *r)
{
    enum { NEEDED_US = 900000, CROSSING_US = 5000 };
    const struct kernel_faults *k = &world.plan.kernel;
    uint64_t needed_us = NEEDED_US + (world.plan.s3 ? 2 : 1) * laws_trips_us();
    uint64_t from_us;
    uint32_t late;

    if (r->ends_us == 0 || !laws_services_are_well() || k->freeze > 0 || k->pipe_full > 0 ||
        k->latency_us > WORLD_NEAR_US || r->handed_us + needed_us > r->ends_us)
        return;
    /* what comes just when it ends is counted, and not delivered */
    from_us = r->over_us > CROSSING_US ? r->over_us - CROSSING_US : 0;
    if (from_us > r->ends_us - needed_us)
        from_us = r->ends_us - needed_us;
    late = books_late(number, from_us);
    if (r->members[SHUTDOWN] > late)
        world_break("shutdown: %llu events were dropped in run %u, and %u came late",
                    U(r->members[SHUTDOWN]), number, late);
}

static void
check_platform_dropped(uint32_t number, const struct ledger_run *r,
                       const struct ledger_inherited *h)
{
    uint64_t records = r->members[PLATFORM_RECORDS];

    if (records < r->told || records > r->told_most + h->told_most)
        world_break("platformDropped: %llu in run %u, and the platform told of %llu to %llu",
                    U(records), number, U(r->told), U(r->told_most));
}

/* Of a run that was counted anew and ended all the same: both parts, less what both count. */
static void
add_init(struct ledger_run *r)
{
    uint64_t queued =
        r->init[RECEIVED] - r->init[DELIVERED] - r->init[DEAD_LETTERED] - r->init[DROPPED];

    for (unsigned i = 0; i < LEDGER_MEMBERS; i++)
        r->members[i] += r->init[i];
    r->members[RECEIVED] -= queued;
}

static void
check_run(uint32_t number)
{
    static const struct ledger_inherited none;
    struct ledger_run *r = &runs[number];
    bool copy = number > snapshot; /* never, if there is none */
    struct ledger_inherited h = copy ? copies_inherited(number) : none;
    struct books_sums sums = books_sum(number);

    check_sums(number, r->members);
    check_refused(number, r->members);
    /* a line with the first part may have been printed, and found no room */
    if (world.plan.snap_start && !copy && !r->init_there && world.plan.kernel.pipe_full > 0)
        return;
    if (r->init_there)
        add_init(r);
    else if (world.plan.snap_start && !copy && world.plan.kernel.pipe_full > 0)
        return; /* its line found no room */
    check_received(number, r->members, &sums, &h);
    check_delivered(number, r->members, &sums, &h);
    check_filtered(number, r->members, &sums);
    check_doubles(number, r->members, &sums, &h);
    check_gaps(number, r->members, &sums, &h);
    check_own_lines(number, r->members, &sums);
    check_split(number, r->members, &sums, &h);
    if (!copy)
        check_shutdown(number, r);
    check_platform_dropped(number, r, &h);
}

void
ledger_check(void)
{
    add_dropped();
    for (uint32_t i = 0; i < world.sandbox; i++)
        if (runs[i].there)
            check_run(i);
    if (snapshot < WORLD_RUNS)
        copies_check();
}
