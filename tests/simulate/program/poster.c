#include "poster.h"

#include <string.h>

#include "functions.h"
#include "lambda.h"
#include "protocol/event.h"

/*
 * What of the telemetry goes into which POST. A batch begins with its first event, and falls due when it has as many
 * events or bytes as the subscription says, or when its time is up. What becomes of one that falls due while POSTs are
 * outstanding depends on the life: by AWS's emulator it is dropped as a whole, the platform's own events among it;
 * otherwise it waits for its turn, and only what is above a bound is dropped.
 */

enum {
    KEPT_BYTES = 4194304,
    LEAST_REST = 24 /* of an event that is cut, or others would look the same */
};

struct poster_subscription poster_subscription;

/* Produced and in no POST yet. */
static uint32_t events[BOOKS_MAX];
static uint32_t first, last;
static size_t bytes;
static bool due;

static uint64_t heard_us, trouble_us;
static bool dropped; /* anything, in this run */

/* Of the life. */
static bool drops_when_busy, retries;
static unsigned outstanding_most;

static void (*flushed)(void *context);
static void *flushed_context;

uint64_t
poster_trouble_us(void)
{
    return trouble_us;
}

uint64_t
poster_heard_us(void)
{
    return heard_us;
}

/* By the reference, 2.5, batches are sequential; some lives do without. */
bool
poster_in_order(void)
{
    return outstanding_most == 1;
}

bool
poster_dropped(void)
{
    return dropped;
}

void
poster_note_trouble(void)
{
    trouble_us = kernel_us();
}

void
poster_note_heard(void)
{
    heard_us = kernel_us();
}

static void
time_is_up(void *context)
{
    (void)context;
    due = true;
    poster_freed();
}

/* After the events that were taken off the front, or are new. */
static void
set_due(void)
{
    kernel_cancel(time_is_up, NULL);
    due = false;
    if (first == last || poster_subscription.port == 0)
        return;
    due = last - first >= poster_subscription.max_items || bytes >= poster_subscription.max_bytes;
    if (!due)
        kernel_at(kernel_us() + 1000ULL * poster_subscription.timeout_ms, time_is_up, NULL);
}

static void
take_front(uint32_t n)
{
    while (n-- > 0)
        bytes -= books_text(events[first++]).len;
    if (first == last)
        first = last = 0;
}

static void
tell_dropped(uint32_t n, size_t dropped_bytes, const char *reason)
{
    dropped = true;
    world_say("poster", "drops %u events: %s", n, reason);
    if (n == 0 || dice_chance(&world.poster, 200))
        return; /* the report on it may be dropped as well */
    lambda_dropped(
        functions_platform("platform.logsDropped",
                           "\"reason\":\"%s\",\"droppedRecords\":%u,\"droppedBytes\":%zu,", reason,
                           n, dropped_bytes),
        n);
}

void
poster_lost(uint32_t n, size_t lost_bytes)
{
    tell_dropped(n, lost_bytes, "could not send events");
}

static void
drop_batch(const char *reason)
{
    uint32_t n = last - first;
    size_t len = bytes;

    take_front(n);
    set_due();
    tell_dropped(n, len, reason);
}

/* --- what goes into a POST -------------------------------------------------------------------------- */

/*
 * Where to cut the record of this event: not within a character. Lambda cuts records above maxBytes; worse, any. 0:
 * nowhere.
 */
static size_t
place_to_cut(uint32_t number, bool any)
{
    const struct book *b = books_at(number);
    struct span text = books_text(number);
    size_t at;

    /* of the program's own lines none, since nobody can know the rest of one */
    if (b->type == EVENT_PLATFORM || !b->wanted || b->record_len <= LEAST_REST)
        return 0;
    if (b->record_len > poster_subscription.max_bytes)
        at = b->record + poster_subscription.max_bytes;
    else if (any)
        at = b->record + 2 + dice_below(&world.poster, b->record_len - 2);
    else
        return 0;
    while (at < text.len && ((unsigned char)text.p[at] & 0xc0) == 0x80)
        at++;
    return at < text.len - LEAST_REST ? at : 0;
}

/* The event that has to be cut, or one that is cut by chance. */
static size_t
find_cut(uint32_t n, uint32_t *i)
{
    size_t at;

    for (*i = 0; *i < n; ++*i)
        if ((at = place_to_cut(events[first + *i], false)) > 0)
            return at;
    *i = dice_below(&world.poster, n);
    return world_fault(&world.poster, WORLD_RECORD_CUT) ? place_to_cut(events[first + *i], true)
                                                        : 0;
}

/* The events up to this one, which is cut, in one POST, its rest and the others in the next. */
static bool
post_cut(uint32_t n)
{
    uint32_t i;
    size_t at = find_cut(n, &i);
    uint32_t rest[2];
    struct span text;

    if (at == 0 || posts_busy() + 2 > POSTER_POSTS)
        return false;
    world_say("poster", "event %u is cut at %zu", events[first + i], at);
    books_at(events[first + i])->cut = true;
    posts_make(events + first, i + 1, at, (struct span){NULL, 0}, retries, outstanding_most);
    if (functions_rest(events[first + i], at, rest, &text)) {
        world_say("poster", "its rest is event %u", rest[0]);
        bytes += text.len;
        bytes -= books_text(events[first + i]).len;
        events[first + i] = rest[0];
        posts_make(events + first + i, n - i, 0, (struct span){NULL, 0}, retries, outstanding_most);
    } else {
        posts_make(events + first + i + 1, n - i - 1, 0, text, retries, outstanding_most);
    }
    return true;
}

static void
post(void)
{
    uint32_t n = last - first;

    if (n > poster_subscription.max_items)
        n = poster_subscription.max_items;
    if (retries && dice_chance(&world.poster, 100))
        n = dice_between(&world.poster, 1, n);
    due = last - first > n; /* the others at once */
    if (!post_cut(n))
        posts_make(events + first, n, 0, (struct span){NULL, 0}, retries, outstanding_most);
    take_front(n);
    if (!due)
        set_due();
}

static void
tell_flushed(void)
{
    void (*done)(void *) = flushed;

    if (done == NULL || !poster_idle())
        return;
    flushed = NULL;
    done(flushed_context);
}

void
poster_freed(void)
{
    while (due && first < last && poster_subscription.port != 0) {
        if (posts_busy() >= outstanding_most) {
            if (drops_when_busy && flushed == NULL)
                drop_batch("Some logs were dropped because the downstream consumer is slower than "
                           "the logs production rate");
            else if (bytes > KEPT_BYTES)
                drop_batch("the buffer is full");
            break;
        }
        if (world_fault(&world.poster, WORLD_DROPS))
            drop_batch("could not send events");
        else
            post();
    }
    tell_flushed();
}

/* --- the public calls ------------------------------------------------------------------------------- */

static void
draw(void)
{
    drops_when_busy = world.plan.per_mille[WORLD_DROPS] > 0 && dice_chance(&world.poster, 700);
    retries = !drops_when_busy;
    outstanding_most =
        drops_when_busy || dice_chance(&world.poster, 900) ? 1 : dice_between(&world.poster, 2, 4);
}

void
poster_begin(void)
{
    kernel_cancel(time_is_up, NULL);
    if (world.sandbox == 0)
        draw();
    if (!lambda_restores())
        poster_subscription.port = 0;
    first = last = 0;
    bytes = 0;
    due = dropped = false;
    heard_us = trouble_us = 0;
    flushed = NULL;
    posts_begin(lambda_restores());
}

void
poster_subscribed(uint16_t port, struct span path, uint32_t timeout_ms, uint32_t max_bytes,
                  uint32_t max_items)
{
    struct poster_subscription *s = &poster_subscription;

    s->port = port;
    s->timeout_ms = timeout_ms;
    s->max_bytes = max_bytes;
    s->max_items = max_items;
    memcpy(s->path, path.p, path.len);
    s->path[path.len] = '\0';
    set_due();
    poster_freed();
}

void
poster_event(uint32_t number)
{
    bool begins = first == last;

    if (((world.plan.types | EVENT_PLATFORM) & books_at(number)->type) == 0)
        return;
    if (last == BOOKS_MAX) {
        memmove(events, events + first, (last - first) * sizeof *events);
        last -= first;
        first = 0;
    }
    books_at(number)->sandbox = world.sandbox;
    events[last++] = number;
    bytes += books_text(number).len;
    if (begins || last - first >= poster_subscription.max_items ||
        bytes >= poster_subscription.max_bytes) {
        bool was = due;

        if (begins)
            set_due();
        due = was || due || last - first >= poster_subscription.max_items ||
              bytes >= poster_subscription.max_bytes;
    }
    if (due)
        poster_freed();
}

void
poster_flush(void (*done)(void *context), void *context)
{
    flushed = done;
    flushed_context = context;
    due = first < last;
    poster_freed();
}

bool
poster_idle(void)
{
    return poster_subscription.port == 0 || (first == last && posts_busy() == 0);
}
