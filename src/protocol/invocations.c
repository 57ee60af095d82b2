#include "protocol/invocations.h"

#include <string.h>

#include "protocol/check.h"
#include "protocol/timestamp.h"

/* see invocations.h */

/* What a busy machine may add to the time for which the platform buffers events. */
enum { LATE_MS = 1000 };

static struct span
text_of(const struct invocation_id *id)
{
    return (struct span){id->text, id->len};
}

static bool
is(const struct invocation_id *id, struct span text)
{
    return id->len > 0 && span_same(text_of(id), text);
}

static void
set(struct invocation_id *id, struct span text)
{
    id->len = text.len <= sizeof id->text ? text.len : 0;
    if (id->len > 0)
        memcpy(id->text, text.p, id->len);
}

void
invocations_asked(struct invocations *v, struct moment now)
{
    v->asked_wall_ms = now.wall_ms;
    v->runs = v->doubtful = false;
    v->started.len = 0;
    /* Lambda gives a retry of the same event the same id */
    v->done.len = 0;
}

/* How long the sandbox was idle: since the function had ended and we had asked for the next event. */
static void
note_idle(struct invocations *v, uint64_t ended_wall_ms)
{
    uint64_t since = v->invoked_asked_wall_ms;

    if (since < ended_wall_ms)
        since = ended_wall_ms;
    flush_idle(&v->pace, v->invoked_wall_ms > since ? v->invoked_wall_ms - since : 0);
}

/*
 * If the end of the previous invocation has not been seen yet, its idle time is noted when it is; if it is
 * not seen before the next INVOKE, the time between the two beginnings is taken instead.
 */
static void
note_pace(struct invocations *v, uint64_t now_wall_ms)
{
    uint64_t before_wall_ms = v->invoked_wall_ms;

    v->invoked_wall_ms = now_wall_ms;
    v->invoked_asked_wall_ms = v->asked_wall_ms;
    /* the first invocation, or the previous one had no id by which its end could be recognised */
    if (v->invoked.len == 0)
        return;
    if (v->before.len > 0)
        flush_idle(&v->pace, v->idle_most_ms);
    v->before.len = 0;
    if (v->ended_wall_ms != 0) {
        note_idle(v, v->ended_wall_ms);
    } else {
        v->before = v->invoked;
        /* a wall clock that was set back shows no idle time: counts as a long one, so that invocations are held */
        v->idle_most_ms = now_wall_ms >= before_wall_ms ? now_wall_ms - before_wall_ms : UINT32_MAX;
    }
}

void
invocations_invoke(struct invocations *v, struct span id, struct moment now)
{
    bool started = is(&v->started, id);
    bool before = v->done_wall_ms != 0 && v->done_wall_ms < v->asked_wall_ms;

    note_pace(v, now.wall_ms);
    /* an end without a start belongs to an earlier attempt, and so does one from before this one was asked for */
    if (is(&v->done, id) && (!started || before))
        v->done.len = 0;
    /* late lines of the previous invocation were produced before it ended */
    v->announced_after_wall_ms = v->ended_wall_ms != 0 ? v->ended_wall_ms : now.wall_ms;
    set(&v->invoked, id);
    CHECK(v->invoked.len <= sizeof v->invoked.text);
    v->announced = v->invoked.len > 0 && !started;
    v->reported = false;
    v->ended_wall_ms = 0;
    v->runs = true;
}

/* When the event was produced, as it says; 0 if it does not. */
static uint64_t
told_wall_ms(const struct event *event)
{
    uint64_t at;

    return timestamp_read_rfc3339(event->time, &at) == 0 ? at : 0;
}

void
invocations_start(struct invocations *v, const struct event *event)
{
    struct span id = event->request_id;
    uint64_t at = told_wall_ms(event);

    /* an attempt from before `next` was asked for may be told of only now, and is not the next one */
    if (at == 0 || at >= v->asked_wall_ms)
        set(&v->started, id);
    if (is(&v->invoked, id))
        v->announced = false;
    /* another attempt of an invocation whose end came late; but not if the end has overtaken its own start */
    if (is(&v->done, id) && (at == 0 || at > v->done_wall_ms))
        v->done.len = 0;
}

static struct moment
produced(const struct event *event, struct moment now, uint32_t buffer_ms)
{
    uint64_t at;
    uint64_t ago;

    if (timestamp_read_rfc3339(event->time, &at) != 0 || at > now.wall_ms)
        return now;
    ago = now.wall_ms - at;
    /* a machine that has just started has a monotonic clock that does not reach back that far */
    if (ago > buffer_ms + LATE_MS || ago > now.ms)
        return now;
    return (struct moment){.ms = now.ms - ago, .wall_ms = at};
}

bool
invocations_done(struct invocations *v, const struct event *event, struct moment now,
                 uint32_t buffer_ms)
{
    struct span id = event->request_id;
    struct moment at = produced(event, now, buffer_ms);
    bool follows = v->announced && !is(&v->invoked, id);
    /* the one that has started since `next` was asked for has ended, and INVOKE is still to come */
    bool next_ended = !v->runs && v->started.len > 0 && is(&v->done, text_of(&v->started));

    if (is(&v->invoked, id))
        v->ended_wall_ms = at.wall_ms;
    /* a retry has the id of the attempt before it, whose end cannot be told from its own */
    if (is(&v->before, id) && !is(&v->invoked, id)) {
        note_idle(v, at.wall_ms);
        v->before.len = 0;
    }
    /* the end of an earlier one that comes late, or again, does not take back that of the present one; but after
     * `next` was asked for that of the next one, which has started */
    if ((!v->runs && is(&v->started, id)) ||
        (!next_ended && (is(&v->invoked, id) || !is(&v->done, text_of(&v->invoked))))) {
        bool again = is(&v->done, id);

        /* that it is told again makes it no later, and not better */
        if (!again)
            v->done_ms = at.ms;
        set(&v->done, id);
        v->done_wall_ms = told_wall_ms(event);
        v->failed = event->failed || (again && v->failed);
        v->resets = event->resets || (again && v->resets);
    }
    /* one invocation at a time: after another one's end come the lines of the one that INVOKE named */
    if (follows)
        v->announced = false;
    return follows;
}

void
invocations_report(struct invocations *v, struct span id)
{
    if (is(&v->invoked, id))
        v->reported = true;
}

bool
invocations_line(struct invocations *v, const struct event *event)
{
    uint64_t at;

    CHECK(v->announced);
    if (timestamp_read_rfc3339(event->time, &at) != 0)
        return true;
    v->announced = at <= v->announced_after_wall_ms;
    return !v->announced;
}

bool
invocations_report_due(const struct invocations *v)
{
    return v->invoked.len > 0 && !v->reported;
}

bool
invocations_announced(const struct invocations *v)
{
    return v->announced;
}

void
invocations_doubt(struct invocations *v)
{
    v->doubtful = true;
}

bool
invocations_ended(const struct invocations *v)
{
    return v->invoked.len == 0 || is(&v->done, text_of(&v->invoked));
}
