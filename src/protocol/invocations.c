#include "protocol/invocations.h"

#include <string.h>

/* see invocations.h */

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
invocations_asked(struct invocations *v, uint64_t now_ms)
{
    v->asked_ms = now_ms;
    v->doubtful = false;
    v->started.len = 0;
    /* Lambda gives a retry of the same event the same id */
    v->done.len = 0;
}

/* How long the sandbox had nothing to do: since the function ended and we were done with it too. */
static void
note_idle(struct invocations *v, uint64_t ended_ms)
{
    uint64_t since = v->invoked_asked_ms;

    if (since < ended_ms)
        since = ended_ms;
    flush_idle(&v->pace, v->invoked_ms > since ? v->invoked_ms - since : 0);
}

/*
 * The end of the invocation before may not have been heard of yet, then that is noted later; if it
 * is not heard of before the next one, the time from begin to begin stands for it.
 */
static void
note_pace(struct invocations *v, uint64_t now_ms)
{
    uint64_t before_ms = v->invoked_ms;

    v->invoked_ms = now_ms;
    v->invoked_asked_ms = v->asked_ms;
    if (v->invoked.len == 0)
        return;
    if (v->before.len > 0)
        flush_idle(&v->pace, v->idle_most_ms);
    v->before.len = 0;
    if (v->ended_ms != 0) {
        note_idle(v, v->ended_ms);
    } else {
        v->before = v->invoked;
        v->idle_most_ms = now_ms >= before_ms ? now_ms - before_ms : UINT32_MAX;
    }
}

void
invocations_invoke(struct invocations *v, struct span id, uint64_t now_ms)
{
    bool started = is(&v->started, id);

    note_pace(v, now_ms);
    /* an end without a start is that of another try */
    if (is(&v->done, id) && !started)
        v->done.len = 0;
    /* what is late of the one before was produced before it ended */
    v->announced_after_ms = v->ended_ms != 0 ? v->ended_ms : now_ms;
    set(&v->invoked, id);
    v->announced = v->invoked.len > 0 && !started;
    v->reported = false;
    v->ended_ms = 0;
}

void
invocations_start(struct invocations *v, struct span id)
{
    set(&v->started, id);
    if (is(&v->invoked, id))
        v->announced = false;
    /* another try of an invocation whose end came late */
    if (is(&v->done, id))
        v->done.len = 0;
}

bool
invocations_done(struct invocations *v, const struct event *event, uint64_t ms, uint64_t mono_ms)
{
    struct span id = event->request_id;
    bool follows = v->announced && !is(&v->invoked, id);

    if (is(&v->invoked, id))
        v->ended_ms = ms;
    if (is(&v->before, id) && !is(&v->invoked, id)) {
        note_idle(v, ms);
        v->before.len = 0;
    }
    set(&v->done, id);
    v->done_ms = mono_ms;
    v->failed = event->failed;
    v->resets = event->resets;
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
invocations_line(struct invocations *v, uint64_t ms)
{
    if (!v->announced || ms <= v->announced_after_ms)
        return false;
    v->announced = false;
    return true;
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
